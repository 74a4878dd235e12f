"""Text files that appear under their name only when they are whole."""

import sys
from pathlib import Path
from typing import TextIO

from app.errors import UserError


class TextOutput:
    """A text file that grows beside its final name as `<stem>.partial<suffix>`; `-` is standard output.

    Raises UserError where `path` cannot be written.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self._is_stdout = str(path) == "-"
        self.partial = self.path.with_name(f"{self.path.stem}.partial{self.path.suffix}")
        if not self._is_stdout and self.path.is_dir():
            raise UserError(f"{self.path} is a folder; name a file in it")
        try:
            self.file: TextIO = sys.stdout if self._is_stdout else self.partial.open("w", encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot write {self.path} ({error.strerror.lower()}); name a file in an existing folder "
                            "that you may write to") from None

    def close(self) -> None:
        """Finish the file and give it its final name."""
        if not self._is_stdout:
            self.file.close()
            self.partial.replace(self.path)

    def abandon(self, keep: bool) -> Path | None:
        """Stop early: leave what there is as `<stem>.partial<suffix>`, which is returned, or leave nothing."""
        if self._is_stdout:
            return None
        self.file.close()
        if keep:
            return self.partial
        self.partial.unlink(missing_ok=True)
        return None
