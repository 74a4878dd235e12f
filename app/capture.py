"""The world coming in: frames of a video file, of a camera, and of a file played as if it were a camera."""

import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Self

import av
import cv2
import numpy as np

from app.errors import UserError

DEFAULT_FPS = Fraction(30)  # frames per second, where a container or a camera does not say
MIN_STEP_S = 0.001  # between two frames that carry the same time
END_TOLERANCE_S = 0.5  # announced durations are rounded; a file that ends earlier than this is cut short
CAMERA_TIMEOUT_MS = 5000  # to open a network camera, and to wait for its next frame
MAX_FAILED_READS = 10  # in a row; a camera that fails so often is gone
RETRY_AFTER_S = 0.1

KNOWN = "mp4, mkv, webm, mov, avi"  # in messages; whatever FFmpeg decodes is read
CAMERA_DEVICE = re.compile(r"(?:/dev/video)?(\d+)")


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture: image (H, W, 3) uint8 BGR, upright.

    time_s is seconds: media time from 0 for files, the monotonic clock at capture for cameras.
    """

    image: np.ndarray
    index: int
    time_s: float


@dataclass(frozen=True)
class VideoInfo:
    """What a file says about its video, as shown: after the rotation that the file asks for."""

    width: int  # pixels
    height: int  # pixels
    fps: Fraction  # frames per second, average over the file
    frames: int | None  # announced by the container; Matroska and broadcast streams do not say
    duration_s: float | None
    has_audio: bool
    pixel_aspect: Fraction  # width of a pixel over its height; 1 almost always
    start_s: float  # the first frame, where `Frame.time_s` is 0, on the clock that the file's sound shares

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), pixels."""
        return self.width, self.height


class VideoReader:
    """The frames of a video file, every one, in order, once; `info` is known before the first.

    Opening raises UserError for what is no readable video; iterating raises it after the last good frame of a
    file that is damaged or ends before it should. Close it, or use it in a `with`.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self._container = _open(self.path)
        try:
            self._stream = _picture_stream(self._container, self.path)
            self._stream.thread_type = "AUTO"
            self._decoded = self._decode()
            first = next(self._decoded, None)
            if first is None:
                raise UserError(f"{self.path} holds no frame that can be decoded; copy it again")
            self._orient = _orientation(first)
            self.info = self._describe(first)
            self._frames = self._convert(first)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def close(self) -> None:
        self._container.close()

    def _describe(self, first: av.VideoFrame) -> VideoInfo:
        height, width = self._orient(np.empty((first.height, first.width, 0), np.uint8)).shape[:2]
        stream, container = self._stream, self._container
        index = stream.index_entries if _is_mp4(container) else []
        frames = sum(not entry.is_discard for entry in index) or stream.frames or None
        aspect = stream.sample_aspect_ratio or Fraction(1)
        return VideoInfo(
            width=width,
            height=height,
            fps=stream.average_rate or stream.guessed_rate or DEFAULT_FPS,
            frames=frames,
            duration_s=container.duration / av.time_base if container.duration else None,
            has_audio=audio_stream(container) is not None,
            pixel_aspect=aspect if (width, height) == (first.width, first.height) else 1 / aspect,
            start_s=first.time if first.pts is not None else 0.0,
        )

    def _convert(self, first: av.VideoFrame) -> Iterator[Frame]:
        last_s = None
        for index, decoded in enumerate(chain([first], self._decoded)):
            last_s = self._time_s(decoded, last_s)
            # A stream that changes its size on the way is scaled to the size it began with.
            image = decoded.to_ndarray(format="bgr24", width=first.width, height=first.height)
            yield Frame(np.ascontiguousarray(self._orient(image)), index, last_s)

    def _time_s(self, decoded: av.VideoFrame, last_s: float | None) -> float:
        """Seconds since the first frame, always later than `last_s`, the time of the frame before."""
        if last_s is None:
            return 0.0
        rate = self._stream.guessed_rate or self.info.fps
        if decoded.pts is None:
            return last_s + float(1 / rate)
        time_s = decoded.time - self.info.start_s
        # Containers round times to their tick, Matroska to milliseconds. Where the frame rate explains a time
        # to within that rounding, the rate is the truth: 0.033, 0.067, 0.100 become thirtieths again.
        grid_s = float(round(time_s * rate) / rate)
        if abs(grid_s - time_s) <= decoded.time_base:
            time_s = grid_s
        return max(time_s, last_s + MIN_STEP_S)

    def _decode(self) -> Iterator[av.VideoFrame]:
        """The decoded frames; UserError after the last one where the file is damaged or cut short."""
        count, packets, end_s = 0, 0, 0.0
        try:
            for packet in self._container.demux():
                end_s = max(end_s, _end_s(packet))
                if packet.stream_index != self._stream.index or packet.is_corrupt:
                    continue
                packets += packet.size > 0
                for decoded in self._frames_of(packet.decode, tolerant=count == 0):
                    count += 1
                    yield decoded
        except av.FFmpegError as error:
            for decoded in self._frames_of(self._stream.decode, tolerant=True):
                count += 1
                yield decoded
            if count:
                raise self._broken_off(f"is damaged ({error.strerror.lower()})", count) from error
        if count and self._ends_early(packets, end_s):
            raise self._broken_off("is cut short", count)

    @staticmethod
    def _frames_of(decode: Callable[[], list[av.VideoFrame]], tolerant: bool) -> list[av.VideoFrame]:
        """What `decode` gives. Tolerant: nothing for bad data, which is no fault before the first frame, where
        a broadcast may start between key frames, and no news behind a packet that has proved bad."""
        try:
            return decode()
        except av.FFmpegError:
            if tolerant:
                return []
            raise

    def _ends_early(self, packets: int, end_s: float) -> bool:
        """Whether the file held less than it announced: packets (mp4), or seconds at its end (the others)."""
        if _is_mp4(self._container):
            return packets < len(self._stream.index_entries)
        announced_s = (self._container.duration or 0) / av.time_base
        if self._stream.frames and self._stream.average_rate:
            announced_s = max(announced_s, float(self._stream.frames / self._stream.average_rate))
        return end_s < announced_s - END_TOLERANCE_S

    def _broken_off(self, what: str, count: int) -> UserError:
        return UserError(f"{self.path} {what} after {count} good frames; copy or download it again")


def audio_stream(container: av.container.InputContainer) -> av.AudioStream | None:
    """The sound of a file: the first audio stream in a known codec."""
    return next((stream for stream in container.streams.audio if stream.codec_context is not None), None)


def _open(path: Path) -> av.container.InputContainer:
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; check the path") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; name a video file in it") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror.lower()}); check its permissions") from None
    if not head:
        raise UserError(f"{path} is empty (0 bytes); copy or download it again")
    try:
        return av.open(str(path))
    except av.FFmpegError:
        if head[4:8] in (b"ftyp", b"mdat"):
            what = "is an mp4 file without its index, cut short while it was written or copied"
            raise UserError(f"{path} {what}; copy or download it again") from None
        raise UserError(f"{path} is not a video that can be read; name a video file ({KNOWN})") from None


def _picture_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    if container.format.name in ("image2", "tty") or container.format.name.endswith("_pipe"):
        raise UserError(f"{path} is a picture or a text, not a video; name a video file")
    cover = av.stream.Disposition.attached_pic  # music files carry their cover as a video of one frame
    for stream in container.streams.video:
        if stream.codec_context is not None and not stream.disposition & cover:
            return stream
    if container.streams.audio:
        raise UserError(f"{path} holds sound only; name a file with a picture")
    raise UserError(f"{path} holds no video that can be decoded; name a video file ({KNOWN})")


def _is_mp4(container: av.container.InputContainer) -> bool:
    return "mp4" in container.format.name.split(",")


def _end_s(packet: av.Packet) -> float:
    return float((packet.pts + (packet.duration or 0)) * packet.time_base) if packet.pts is not None else 0.0


def _orientation(frame: av.VideoFrame) -> Callable[[np.ndarray], np.ndarray]:
    """The turn or mirroring that makes the images (H, W, C) of a video upright, from its display matrix.

    The matrix (ISO 14496-12, 6.2.2) maps (x, y) to (a x + c y, b x + d y); phones write quarter turns.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return lambda image: image
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5]
    if abs(a) >= abs(b):
        return lambda image: image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return lambda image: image.transpose(1, 0, 2)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]


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
