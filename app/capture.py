"""The world coming in: the frames of a video file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Self

import av
import numpy as np

from app.errors import UserError

DEFAULT_FPS = Fraction(30)  # frames per second, where a container or a camera does not say
MIN_STEP_S = 0.001  # between two frames that carry the same time
END_TOLERANCE_S = 0.5  # announced durations are rounded; a file that ends earlier than this is cut short

KNOWN = "mp4, mkv, webm, mov, avi"  # in messages; whatever FFmpeg decodes is read


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
        self._container = open_container(self.path)
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
            start_s=self._media_s(first) if first.pts is not None else 0.0,
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
        time_s = self._media_s(decoded) - self.info.start_s
        # Containers round times to their tick, Matroska to milliseconds. Where the frame rate explains a time
        # to within that rounding, the rate is the truth: 0.033, 0.067, 0.100 become thirtieths again.
        grid_s = float(round(time_s * rate) / rate)
        if abs(grid_s - time_s) <= self._stream.time_base:
            time_s = grid_s
        return max(time_s, last_s + MIN_STEP_S)

    def _media_s(self, decoded: av.VideoFrame) -> float:
        return float(decoded.pts * self._stream.time_base)

    def _decode(self) -> Iterator[av.VideoFrame]:
        """The decoded frames; UserError after the last one where the file is damaged or cut short."""
        count, read, end_s = 0, 0, 0.0
        try:
            for packet in packets(self._container):
                end_s = max(end_s, _end_s(packet))
                if packet.stream is not self._stream or packet.is_corrupt:
                    continue
                read += packet.size > 0
                for decoded in self._frames_of(packet.decode, tolerant=count == 0):
                    count += 1
                    yield decoded
        except av.FFmpegError as error:
            for decoded in self._frames_of(self._stream.decode, tolerant=True):
                count += 1
                yield decoded
            if count:
                raise self._broken_off(f"is damaged ({error.strerror.lower()})", count) from error
        if count and self._ends_early(read, end_s):
            raise self._broken_off("is cut short", count)

    @staticmethod
    def _frames_of(decode: Callable[[], list[av.VideoFrame]], tolerant: bool) -> list[av.VideoFrame]:
        """What `decode` gives. Tolerant: nothing for bad data, which is no fault before the first frame (a
        broadcast may start between key frames) and no news behind a packet that has proved bad."""
        try:
            return decode()
        except av.FFmpegError:
            if tolerant:
                return []
            raise

    def _ends_early(self, read: int, end_s: float) -> bool:
        """Whether the file held less than it announced: packets (mp4), or seconds at its end (the others)."""
        if _is_mp4(self._container):
            return read < len(self._stream.index_entries)
        announced_s = (self._container.duration or 0) / av.time_base
        if self._stream.frames and self._stream.average_rate:
            announced_s = max(announced_s, float(self._stream.frames / self._stream.average_rate))
        return end_s < announced_s - END_TOLERANCE_S

    def _broken_off(self, what: str, count: int) -> UserError:
        return UserError(f"{self.path} {what} after {count} good frames; copy or download it again")


def open_container(path: Path) -> av.container.InputContainer:
    """The file for PyAV; UserError where it is missing, unreadable or no audio or video."""
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
        return av.open(str(path), metadata_errors="replace")
    except av.FFmpegError:
        if head[4:8] in (b"ftyp", b"mdat"):
            what = "is an mp4 file without its index, cut short while it was written or copied"
            raise UserError(f"{path} {what}; copy or download it again") from None
        raise UserError(f"{path} is not a video that can be read; name a video file ({KNOWN})") from None


def audio_stream(container: av.container.InputContainer) -> av.AudioStream | None:
    """The sound of a file: the first audio stream in a known codec."""
    for stream in container.streams.audio:
        if stream.codec_context is not None and stream.codec_context.sample_rate:
            return stream
    return None


def packets(container: av.container.InputContainer, *streams: av.stream.Stream) -> Iterator[av.Packet]:
    """The packets of some streams, or of all, in file order, and an empty one behind each stream's last."""
    try:
        yield from container.demux(*streams)
    except IndexError:  # PyAV trips over streams that appeared on the way, when all others are done
        return


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
