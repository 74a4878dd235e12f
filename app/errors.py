"""What goes wrong on the user's side, and how a command says so."""

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

EXIT_DONE, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 0, 2, 130
EXIT_TERMINATED = 128 + signal.SIGTERM


class UserError(Exception):
    """Something the user can mend. The message is one line that names the next step."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, by which `kill` and whatever runs a command as a service end it: everything stops as on Ctrl-C."""


def run(main: Callable[[], None]) -> NoReturn:
    """Run a command and leave with its exit code: 0 done, 2 bad input (one line on stderr), 130 on Ctrl-C, 143 on
    SIGTERM."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
    except KeyboardInterrupt as stop:
        print("stopped", file=sys.stderr)
        sys.exit(EXIT_TERMINATED if isinstance(stop, Terminated) else EXIT_INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, before)
    sys.exit(EXIT_DONE)


def _terminate(*_) -> NoReturn:
    raise Terminated
