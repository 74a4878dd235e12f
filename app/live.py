"""Label people live: `python -m app.live --camera 0`.

keys: q or Esc quit, r record a demo clip (again: stop), s snapshot, k skeletons on or off, space pause, h help
"""

import argparse
import sys
import time
from contextlib import AbstractContextManager, ExitStack, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from app import options, overlay
from app.cameras import CameraSource, open_camera
from app.errors import UserError, run
from app.events import ActionEvent, EventWriter
from app.pipeline import Recogniser
from app.recording import VideoWriter
from app.runtime import LiveRuntime, View
from app.window import QUIT, Window

VIEW_TIMEOUT_S = 0.01  # how long keys wait when the camera gives nothing; of two in that time OpenCV keeps one
DEFAULT_FOLDER = Path("recordings")
HELP_LINES = ("q quit   r record   s snapshot", "k skeletons   space pause   h help")


class ClipRecorder:
    """Records what the window shows, each picture at the time it was captured."""

    def __init__(self, folder: Path, fps: Fraction):
        self._folder, self._fps = folder, fps
        self._writer: VideoWriter | None = None

    @property
    def recording(self) -> bool:
        return self._writer is not None

    def start(self, size: tuple[int, int]) -> None:
        """Begin a new clip of pictures of `size` (width, height)."""
        self._writer = VideoWriter(_new_file(self._folder, "clip", ".mp4"), size, self._fps)

    def write(self, picture: np.ndarray, time_s: float) -> None:
        """Append a picture while recording."""
        if self._writer:
            self._writer.write(picture, time_s)

    def stop(self) -> None:
        """Finish the clip; it plays from now on."""
        if self._writer:
            writer, self._writer = self._writer, None
            print(f"recorded: {writer.close()}", file=sys.stderr)


class Session:
    """One run of the window loop: views in; pictures, recordings, events and snapshots out."""

    def __init__(self, args: argparse.Namespace, runtime: LiveRuntime, fps: Fraction, events: EventWriter | None):
        self._runtime, self._events = runtime, events
        self._folder = args.record or DEFAULT_FOLDER
        self._mirror, self._throughout = args.mirror, bool(args.record)
        self._clip = ClipRecorder(self._folder, fps)
        self._show_skeletons, self._show_help = True, False
        self._picture: np.ndarray | None = None
        self._size: tuple[int, int] | None = None

    def picture(self, view: View) -> np.ndarray:
        """Paint a view, and record it while recording."""
        image, recognition = view.frame.image, view.recognition
        if self._mirror:
            image, recognition = overlay.mirrored(image, recognition)
        picture = overlay.draw(image, recognition, self._show_skeletons)
        self._size = picture.shape[1::-1]
        if self._throughout and not self._clip.recording:
            self._clip.start(self._size)
            self._throughout = False  # from here on `r` decides
        self._clip.write(picture, view.frame.time_s)
        monitor = view.monitor
        lines = [f"{monitor.camera_fps:.0f} fps  pose {monitor.pose_fps:.0f}/s {monitor.pose_delay_s * 1000:.0f} ms  "
                 f"label {monitor.action_delay_s * 1000:.0f} ms"]
        overlay.draw_lines(picture, lines + list(HELP_LINES if self._show_help else ()), self._clip.recording)
        self._picture = picture
        return picture

    def press(self, key: str) -> bool:
        """Do what a key asks for. Returns False when it asks to quit."""
        if key in QUIT:
            return False
        if key == "r" and self._clip.recording:
            self._clip.stop()
        elif key == "r" and self._size:
            self._clip.start(self._size)
        elif key == "s" and self._picture is not None:
            path = _new_file(self._folder, "snapshot", ".png")
            cv2.imwrite(str(path), self._picture)
            print(f"snapshot: {path}", file=sys.stderr)
        elif key == "k":
            self._show_skeletons = not self._show_skeletons
        elif key == "h":
            self._show_help = not self._show_help
        elif key == " ":
            self._runtime.paused = not self._runtime.paused
        return True

    def announce(self, events: list[ActionEvent]) -> None:
        """Write events to their file and tell the user."""
        for event in events:
            if self._events:
                self._events.write(event)
            print(event.describe(), file=sys.stderr)

    def close(self) -> None:
        """Finish what is being recorded."""
        self._clip.stop()


def loop(session: Session, runtime: LiveRuntime, window: Window | None) -> None:
    """Show views until the user quits or the camera ends."""
    while not runtime.ended:
        view = runtime.view(VIEW_TIMEOUT_S)
        session.announce(runtime.events())
        if view:
            picture = session.picture(view)
            if window:
                window.show(picture)
        if window and not session.press(window.key()):
            return


def main() -> None:
    args = _parser().parse_args()
    with ExitStack() as stack:
        window = None
        if not args.headless:
            window = Window("add --headless")
            stack.callback(window.close)
        camera: CameraSource = stack.enter_context(open_camera(args.camera))
        if window:
            window.show(_loading(camera.size))
            window.key()  # lets it appear
        events = EventWriter(stack.enter_context(_open_events(args.events))) if args.events else None
        checkpoint, device, estimator = options.load_actions(args), options.load_device(args), options.load_pose(args)
        runtime = LiveRuntime(camera, estimator, Recogniser(checkpoint, device, picture_height=camera.size[1]))
        session = Session(args, runtime, camera.fps, events)
        try:
            with runtime:
                loop(session, runtime, window)
        finally:
            session.announce(runtime.finish())
            session.close()


def _loading(size: tuple[int, int]) -> np.ndarray:
    """What the window shows until the first picture; (H, W, 3) for a `size` of (width, height)."""
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    overlay.draw_lines(picture, ("loading the models",))
    return picture


def _open_events(path: str) -> AbstractContextManager[TextIO]:
    if path == "-":
        return nullcontext(sys.stdout)
    try:
        return open(path, "a", encoding="utf-8")  # earlier sessions stay
    except OSError as error:
        raise UserError(f"cannot write {path} ({error.strerror.lower()}); name a file in an existing folder") from None


def _new_file(folder: Path, kind: str, suffix: str) -> Path:
    """A name in `folder` that is not taken."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror.lower()
        raise UserError(f"cannot make the folder {folder} ({reason}); choose another with --record") from None
    stem = f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (folder / f"{stem}{suffix}", *(folder / f"{stem}-{number}{suffix}" for number in range(2, 100)))
    return next(name for name in names if not name.exists())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.live", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--camera", default="0", metavar="0|PATH|URL",
                        help="camera number, URL, or a video file played as if it were a camera (default: 0)")
    parser.add_argument("--record", type=Path, metavar="DIR",
                        help="record throughout into DIR, where clips and snapshots go too (without: recordings/)")
    parser.add_argument("--events", metavar="FILE|-", help="append events as JSON Lines; - for standard output")
    parser.add_argument("--headless", action="store_true", help="no window: only events and recording")
    parser.add_argument("--mirror", action="store_true", help="show the picture as in a mirror")
    options.add_model_options(parser)
    return parser


if __name__ == "__main__":
    run(main)
