"""Record clips to teach an action with: `python -m app.record clips/dab`.

keys: space begins, and takes follow one after another, with time to get ready before each; space again breaks off,
q or Esc quits

Nothing has to be pressed between takes, so you can step back from the keyboard. The clips are what the camera sees,
without labels: clips/dab/1.mp4, clips/dab/2.mp4, ...; those that are there stay. Then run python -m app.teach clips.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from app import overlay
from app.cameras import CameraSource, open_camera
from app.capture import Frame
from app.errors import UserError, run
from app.recording import VideoWriter
from app.window import QUIT, Window

FIRST_READY_S, READY_S = 5.0, 2.0  # to get ready before a take; before the first one, to step back too
START = " "


@dataclass(frozen=True)
class Phase:
    """What happens at a moment. take: from 0 on; left_s: for how long."""

    take: int
    recording: bool
    left_s: float


@dataclass(frozen=True)
class Schedule:
    """So many takes of so many seconds. ValueError: none, or of no length."""

    takes: int = 10
    take_s: float = 2.0

    def __post_init__(self):
        if self.takes < 1 or not 0.5 <= self.take_s <= 60:
            raise ValueError("at least one take, of 0.5 to 60 seconds")

    def at(self, elapsed_s: float) -> Phase | None:
        """The phase so long after the beginning; None: all is done."""
        since_s = elapsed_s - FIRST_READY_S
        if since_s < 0:
            return Phase(0, False, -since_s)
        take, within_s = divmod(since_s, self.take_s + READY_S)
        if within_s < self.take_s:
            return Phase(int(take), True, self.take_s - within_s) if take < self.takes else None
        return Phase(int(take) + 1, False, self.take_s + READY_S - within_s) if take + 1 < self.takes else None


class Recorder:
    """Takes out of the frames of a camera, whole ones only."""

    def __init__(self, folder: Path, schedule: Schedule, size: tuple[int, int], fps: Fraction):
        self.schedule, self.clips = schedule, []
        self._folder, self._size, self._fps = folder, size, fps
        self._started_s: float | None = None
        self._writer: VideoWriter | None = None

    @property
    def running(self) -> bool:
        return self._started_s is not None

    def start(self, now_s: float) -> None:
        """Begin with the first take."""
        self._started_s = now_s

    def stop(self) -> None:
        """Break off; of a take that is not whole, nothing stays."""
        self._started_s = None
        if self._writer:
            self._writer.abandon(keep=False)
            self._writer = None

    def add(self, frame: Frame) -> Phase | None:
        """Record the frame, if it is part of a take. Returns the phase, None between two sets of takes."""
        phase = self.schedule.at(frame.time_s - self._started_s) if self.running else None
        if self._writer and not (phase and phase.recording):
            self.clips.append(self._writer.close())
            self._writer = None
            print(f"recorded: {self.clips[-1]}", file=sys.stderr)
        if phase is None:
            self._started_s = None
        elif phase.recording:
            if self._writer is None:
                self._writer = VideoWriter(_next_file(self._folder), self._size, self._fps)
            self._writer.write(frame.image, frame.time_s)
        return phase


def record(camera: CameraSource, recorder: Recorder, show: Callable[[np.ndarray], str]) -> None:
    """Until the user quits, or the camera ends. show: shows a picture and gives the key that was pressed, or ""."""
    try:
        for frame in iter(camera.read, None):
            phase = recorder.add(frame)
            picture = np.ascontiguousarray(frame.image[:, ::-1])  # as in a mirror: so people find their place
            overlay.draw_lines(picture, [_line(phase, recorder)], bool(phase and phase.recording))
            key = show(picture)
            if key in QUIT:
                return
            if key == START and recorder.running:
                recorder.stop()
            elif key == START:
                recorder.start(frame.time_s)
    finally:
        recorder.stop()


def _line(phase: Phase | None, recorder: Recorder) -> str:
    if phase is None:
        return f"{len(recorder.clips)} clips   space begin   q quit"
    what = "recording" if phase.recording else f"get ready: {phase.left_s:.1f} s"
    return f"take {phase.take + 1} of {recorder.schedule.takes}   {what}"


def _next_file(folder: Path) -> Path:
    """The first number that no clip has, in the folder or being written."""
    taken = {path.name.partition(".")[0] for path in folder.iterdir()}
    return folder / f"{next(i for i in range(1, len(taken) + 2) if str(i) not in taken)}.mp4"


def main() -> None:
    args = _parser().parse_args()
    try:
        schedule = Schedule(args.takes, args.seconds)
        args.folder.mkdir(parents=True, exist_ok=True)
    except ValueError as error:
        raise UserError(f"--takes and --seconds: {error}") from None
    except OSError as error:
        raise UserError(f"cannot make the folder {args.folder} ({error.strerror.lower()}); name another") from None
    with ExitStack() as stack:
        window = Window("record with any other program")
        stack.callback(window.close)
        camera = stack.enter_context(open_camera(args.camera))
        recorder = Recorder(args.folder, schedule, camera.size, camera.fps)

        def show(picture: np.ndarray) -> str:
            window.show(picture)
            return window.key()

        record(camera, recorder, show)
    print(f"{len(recorder.clips)} clips in {args.folder}; teach with: python -m app.teach {args.folder.parent}")


def _parser() -> argparse.ArgumentParser:
    usual = Schedule()
    parser = argparse.ArgumentParser(prog="python -m app.record", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER/ACTION", help="where the clips go: the action's name")
    parser.add_argument("--camera", default="0", metavar="0|PATH|URL",
                        help="camera number, URL, or a video file played as if it were a camera (default: 0)")
    parser.add_argument("--takes", type=int, default=usual.takes, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=usual.take_s, metavar="S",
                        help="length of a take (default: %(default)s)")
    return parser


if __name__ == "__main__":
    run(main)
