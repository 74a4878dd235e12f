"""The files that `app.video` writes; they appear under their names only when they are whole."""

import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from app import overlay
from app.capture import Frame, VideoReader
from app.errors import UserError
from app.events import ActionEvent, EventWriter
from app.pipeline import Recognition
from app.recording import VideoWriter
from app.skeletons import SkeletonWriter
from app.timing import Stopwatch
from stgcn.skeleton_files import SkeletonHeader


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


@dataclass(frozen=True)
class Targets:
    """Where the results of one input go; None: nowhere. `events` may be `-`, standard output."""

    video: Path | None
    events: Path | None
    skeletons: Path | None

    @property
    def files(self) -> list[Path]:
        """Those that are files."""
        return [path for path in astuple(self) if path is not None and str(path) != "-"]


class Results:
    """Writes what was recognised. All files get their final names together, when the input is at its end."""

    def __init__(self, targets: Targets, header: SkeletonHeader, reader: VideoReader | None, stopwatch: Stopwatch):
        self._stopwatch = stopwatch
        self._outputs: list[VideoWriter | TextOutput] = []
        self._video = self._skeletons = self._events = None
        try:
            if targets.video:
                info = reader.info
                self._video = self._opened(
                    VideoWriter(targets.video, info.size, info.fps, reader.path, info.pixel_aspect))
            if targets.skeletons:
                self._skeletons = SkeletonWriter(self._opened(TextOutput(targets.skeletons)).file, header)
            if targets.events:
                self._events = EventWriter(self._opened(TextOutput(targets.events)).file)
        except BaseException:
            self.abandon(keep=False)
            raise

    def _opened(self, output):
        self._outputs.append(output)
        return output

    def write(self, frame: Frame | None, recognition: Recognition) -> None:
        """Append one frame; `frame` is None where the input has no pictures."""
        if self._skeletons:
            self._skeletons.write(recognition.skeletons)
        self.write_events(recognition.events)
        if self._video:
            with self._stopwatch("draw"):
                picture = overlay.draw(frame.image, recognition)
            with self._stopwatch("encode"):
                self._video.write(picture, frame.time_s)

    def write_events(self, events: Sequence[ActionEvent]) -> None:
        """Append events, and tell the user."""
        for event in events:
            if self._events:
                self._events.write(event)
            tqdm.write(event.describe(), file=sys.stderr)

    def close(self) -> None:
        """Finish every file."""
        with self._stopwatch("encode"):
            for output in self._outputs:
                output.close()

    def stop(self) -> None:
        """Finish every file where the work stopped, under its final name; sound ends with the picture."""
        for output in self._outputs:
            if partial := output.abandon(keep=True):
                partial.replace(output.path)

    def abandon(self, keep: bool) -> list[Path]:
        """Stop early; the files with what there is so far, under names that say so, when `keep`."""
        return [path for output in self._outputs if (path := output.abandon(keep))]
