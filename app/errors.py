"""What goes wrong on the user's side, and how a command says so."""

import sys
from collections.abc import Callable
from typing import NoReturn

EXIT_DONE, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 0, 2, 130


class UserError(Exception):
    """Something the user can mend. The message is one line that names the next step."""


def run(main: Callable[[], None]) -> NoReturn:
    """Run a command and leave with its exit code: 0 done, 2 bad input (one line on stderr), 130 on Ctrl-C."""
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(EXIT_DONE)
