"""The world coming in live: frames of a camera, and of a file played as if it were one."""

import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from app.capture import DEFAULT_FPS, Frame, VideoReader
from app.errors import UserError

CAMERA_TIMEOUT_MS = 5000  # to open a network camera, and to wait for its next frame
MAX_FAILED_READS = 10  # in a row; a camera that fails so often is gone
RETRY_AFTER_S = 0.1

CAMERA_DEVICE = re.compile(r"(?:/dev/video)?(\d+)")


class CameraSource(ABC):
    """Frames as they come, with times on the monotonic clock."""

    size: tuple[int, int]  # (width, height), pixels
    fps: Fraction  # nominal frames per second

    @abstractmethod
    def read(self) -> Frame | None:
        """Wait for the next frame; None at the end of a file. UserError when the camera stops delivering."""

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()


class FileCamera(CameraSource):
    """A video file in real time: a frame is given when it is due, a late one at once, none is left out."""

    def __init__(
        self,
        path: Path | str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self._reader = VideoReader(path)
        self._frames = iter(self._reader)
        self._clock, self._sleep = clock, sleep
        self._start_s: float | None = None  # on the clock, when media time was 0
        self.size, self.fps = self._reader.info.size, self._reader.info.fps

    def read(self) -> Frame | None:
        frame = next(self._frames, None)
        if frame is None:
            return None
        if self._start_s is None:
            self._start_s = self._clock() - frame.time_s
        due_s = self._start_s + frame.time_s
        if (wait_s := due_s - self._clock()) > 0:
            self._sleep(wait_s)
        return replace(frame, time_s=due_s)

    def close(self) -> None:
        self._reader.close()


class DeviceCamera(CameraSource):
    """A camera of this machine (by number) or of the network (by URL), through OpenCV."""

    def __init__(self, camera: int | str):
        # OpenCV and the FFmpeg inside it would print warnings of their own beside our one line.
        cv2.setLogLevel(0)
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        self._name, self._index = f"camera {camera}", 0
        if isinstance(camera, int):
            self._capture = cv2.VideoCapture(camera)
            self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # what waits in the driver is the past
        else:
            patience = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, CAMERA_TIMEOUT_MS]
            patience += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, CAMERA_TIMEOUT_MS]
            self._capture = cv2.VideoCapture(camera, cv2.CAP_FFMPEG, patience)
        if not self._capture.isOpened():
            raise UserError(_no_camera(camera))
        try:
            height, width = self._grab().shape[:2]  # some say their size only with the first frame
        except UserError:
            self.close()
            raise
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.size = width, height
        self.fps = Fraction(rate).limit_denominator(1001) if 1 <= rate <= 1000 else DEFAULT_FPS

    def read(self) -> Frame | None:
        image = self._grab()
        frame = Frame(image, self._index, time.monotonic())
        self._index += 1
        return frame

    def close(self) -> None:
        self._capture.release()

    def _grab(self) -> np.ndarray:
        for _ in range(MAX_FAILED_READS):
            good, image = self._capture.read()
            if good:
                return image
            time.sleep(RETRY_AFTER_S)
        raise UserError(f"{self._name} gives no frames; check its cable and whether another program uses it")


def open_camera(camera: str) -> CameraSource:
    """What `--camera` names: "0" or /dev/video0, a URL (rtsp://, http://), or a file played in real time."""
    if device := CAMERA_DEVICE.fullmatch(camera):
        return DeviceCamera(int(device[1]))
    return DeviceCamera(camera) if "://" in camera else FileCamera(camera)


def _no_camera(camera: int | str) -> str:
    if isinstance(camera, str):
        return f"camera {camera} does not answer; check the address, or play a file with --camera FILE"
    seen = ", ".join(sorted(str(path) for path in Path("/dev").glob("video*"))) or "no /dev/video*"
    return f"camera {camera} cannot be opened ({seen} here); name another, or play a file with --camera FILE"
