"""The world going out: H.264 that plays in a browser, with true frame times and the sound of its source."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import cv2
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from app.capture import VideoReader, audio_stream, open_container, packets
from app.errors import UserError

CRF = 20  # x264's constant quality: lower is better and larger, 18 can hardly be told from the source
PRESET = "veryfast"
ENCODER_THREADS = 2
KEY_FRAME_EVERY_S = 1.0
MIN_TICKS_PER_S = 90_000  # resolution of frame times
MAX_TICKS_PER_S = 10_000_000  # beyond it, gaps of minutes overflow the 32 bits of an mp4's frame duration

# An mp4 is unreadable until its index is written, at the very end. Written as fragments that closing joins
# into an ordinary mp4, a recording that is killed still plays, up to its last second or two. The index waits
# for the first fragment (delay_moov), when the offset between sound and picture is known.
MOVFLAGS = "+hybrid_fragmented+frag_keyframe+delay_moov"

BROWSER_AUDIO = {"aac", "mp3", "opus", "flac"}  # what browsers play in an mp4; other sound becomes AAC
AAC_BITS_PER_S = 160_000
AAC_FRAME = 1024  # samples in a packet
AAC_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}  # samples per second


class VideoWriter:
    """An mp4 (H.264, yuv420p) that appears under its name only when it is whole.

    `size` is (width, height) of the images in pixels, `rate` their nominal frames per second; each frame
    keeps the time it is written with. An odd width or height grows by one, a copy of the edge, for yuv420p.
    With `audio_from`, a video file, times are those of its `VideoReader` and its sound goes along; without,
    the first frame is at 0. Until `close` the video grows beside its final name as `<stem>.partial.mp4`.

    Raises UserError where `path` cannot be written. Leaving a `with` closes the writer; leaving it by an
    exception abandons the video, keeping what there is on Ctrl-C.
    """

    def __init__(
        self,
        path: Path | str,
        size: tuple[int, int],
        rate: Fraction,
        audio_from: Path | str | None = None,
        pixel_aspect: Fraction = Fraction(1),
    ):
        self.path = Path(path)
        self.partial = self.path.with_suffix(".partial.mp4")
        _refuse(self.path, self.partial, audio_from)
        self._size = size
        self._ticks_per_s = _ticks_per_s(rate)
        self._container = av.open(str(self.partial), "w", format="mp4", options={"movflags": MOVFLAGS})
        self._stream = self._add_stream(rate, pixel_aspect)
        self._audio = _Audio.of(Path(audio_from), self._container) if audio_from is not None else None
        self._origin_s = None if audio_from is None else -self._audio.lead_s if self._audio else 0.0
        self._last_tick: int | None = None
        self._shortest_gap = round(self._ticks_per_s / rate)  # ticks; how long the last frame lasts
        self._written = False  # whether there is a frame
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon(keep=issubclass(kind, KeyboardInterrupt))

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Append image (H, W, 3) uint8 BGR, shown from time_s (seconds, later than the frame before)."""
        if image.shape[1::-1] != self._size:
            raise ValueError(f"an image of {image.shape[1::-1]} in a video of {self._size} (width, height)")
        if self._origin_s is None:
            self._origin_s = time_s
        frame = av.VideoFrame.from_ndarray(_even(image), format="bgr24")
        frame = frame.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts, frame.time_base = self._next_tick(time_s), Fraction(1, self._ticks_per_s)
        frame.duration = self._shortest_gap
        self._put(self._stream.encode_lazy(frame))
        self._written = True
        if self._audio:
            self._put(self._audio.until(time_s))

    def close(self) -> Path:
        """Finish the video under its final name, which is returned. Without a frame, nothing is left."""
        if self._open and not self._written:
            self.abandon(keep=False)
        if self._open:
            self._finish(all_audio=True)
            self.partial.replace(self.path)
        return self.path

    def abandon(self, keep: bool) -> Path | None:
        """Stop early: keep what there is, a playable `<stem>.partial.mp4`, and return it, or keep nothing."""
        if not self._open:
            return None
        if keep and self._written:
            self._finish(all_audio=False)
            return self.partial
        self._open = False
        with suppress(av.FFmpegError):  # nothing is lost when the file that goes away cannot be finished
            self._container.close()
        self.partial.unlink(missing_ok=True)
        return None

    def _add_stream(self, rate: Fraction, pixel_aspect: Fraction) -> av.VideoStream:
        width, height = (side + side % 2 for side in self._size)
        stream = self._container.add_stream(
            "libx264",
            rate=rate,
            time_base=Fraction(1, self._ticks_per_s),
            width=width,
            height=height,
            options={"preset": PRESET, "crf": str(CRF)},
        )
        context = stream.codec_context
        context.thread_count = ENCODER_THREADS
        context.gop_size = max(1, round(KEY_FRAME_EVERY_S * rate))
        context.flags |= Flags.frame_duration  # each frame says how long it lasts; it counts for the last
        context.sample_aspect_ratio = pixel_aspect
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return stream

    def _next_tick(self, time_s: float) -> int:
        tick = round((time_s - self._origin_s) * self._ticks_per_s)
        if self._last_tick is not None:
            tick = max(tick, self._last_tick + 1)
            self._shortest_gap = min(self._shortest_gap, tick - self._last_tick)
        self._last_tick = tick
        return tick

    def _put(self, packets: Iterable[av.Packet]) -> None:
        try:
            # One call, in which Python handles no signal: Ctrl-C loses no packet between encoder and file.
            deque(map(self._container.mux, packets), maxlen=0)
        except av.FFmpegError as error:
            reason = error.strerror.lower()
            raise UserError(f"{self.path} cannot be written ({reason}); is the disk full?") from error

    def _finish(self, all_audio: bool) -> None:
        self._open = False
        self._put(self._stream.encode_lazy(None))
        if self._audio:
            if all_audio:
                self._put(self._audio.until(float("inf")))
            self._audio.close()
        self._container.close()


class _Audio:
    """The sound of a source file as packets for the output, in step with a picture whose times start at 0.

    Sound that starts before the picture is not cut: the picture then starts `lead_s` seconds into the output.
    """

    def __init__(self, source: Path, picture_s: float, output: av.container.OutputContainer):
        self._container = open_container(source)
        self._input = audio_stream(self._container)
        sound_s = float((self._input.start_time or 0) * self._input.time_base)
        self.lead_s = max(0.0, picture_s - sound_s)
        self._shift_s = self.lead_s - picture_s
        if self._input.codec_context.codec.canonical_name in BROWSER_AUDIO:
            self._output = output.add_stream_from_template(self._input)
            self._packets = self._copy()
        else:
            self._output = self._add_aac(output)
            self._packets = self._encode()
        self._next: av.Packet | None = None

    @classmethod
    def of(cls, source: Path, output: av.container.OutputContainer) -> Self | None:
        """The sound of `source`, None where it is silent."""
        with VideoReader(source) as reader:
            return cls(source, reader.info.start_s, output) if reader.info.has_audio else None

    def until(self, time_s: float) -> Iterator[av.Packet]:
        """The packets not given yet that start by time_s, on the clock of the picture."""
        while (packet := self._next or next(self._packets, None)) is not None:
            self._next = packet
            if float(packet.dts * packet.time_base) - self.lead_s > time_s:
                return
            self._next = None
            yield packet

    def close(self) -> None:
        self._container.close()

    def _demux(self) -> Iterator[av.Packet]:
        try:
            yield from packets(self._container, self._input)
        except av.FFmpegError:
            return  # a damaged file: the reader of its picture reports it

    def _copy(self) -> Iterator[av.Packet]:
        rate, frame = self._input.codec_context.sample_rate, self._input.codec_context.frame_size
        expected = None
        for packet in self._raw():
            if packet.pts is None:
                continue
            tick = float(packet.time_base * rate)  # the source's time resolution, in samples
            length = round(float((packet.duration or 0) * packet.time_base) * rate)
            if frame and (tick > 1 or not length):
                length = frame
            start = round((float(packet.pts * packet.time_base) + self._shift_s) * rate)
            # Packets of a fixed length follow one another without a gap: a difference below the source's
            # resolution (Matroska: milliseconds) is rounding.
            if expected is not None and abs(start - expected) <= tick + 1:
                start = expected
            packet.stream, packet.time_base = self._output, Fraction(1, rate)
            packet.pts = packet.dts = start
            packet.duration, expected = length, start + length
            yield packet

    def _raw(self) -> Iterator[av.Packet]:
        """The packets in the form that mp4 wants: AAC of broadcast streams carries headers of its own."""
        context = self._input.codec_context
        if context.codec.canonical_name != "aac" or context.extradata:
            yield from (packet for packet in self._demux() if packet.size)
            return
        strip = BitStreamFilterContext("aac_adtstoasc", self._input)
        for packet in self._demux():
            if packet.size:
                yield from strip.filter(packet)

    def _add_aac(self, output: av.container.OutputContainer) -> av.AudioStream:
        rate = self._input.codec_context.sample_rate
        layout = "mono" if self._input.codec_context.layout.nb_channels == 1 else "stereo"
        return output.add_stream(
            "aac", rate=rate if rate in AAC_RATES else 48000, layout=layout, bit_rate=AAC_BITS_PER_S
        )

    def _encode(self) -> Iterator[av.Packet]:
        target = self._output.codec_context
        resampler = av.AudioResampler("fltp", target.layout, target.sample_rate, frame_size=AAC_FRAME)
        for packet in self._demux():
            for sound in _decode_packet(packet):
                if sound.pts is not None:
                    sound.pts += round(self._shift_s / sound.time_base)
                for piece in resampler.resample(sound):
                    yield from self._output.encode(piece)
        for piece in resampler.resample(None):
            yield from self._output.encode(piece)
        yield from self._output.encode(None)


def _decode_packet(packet: av.Packet) -> list[av.AudioFrame]:
    try:
        return packet.decode()
    except av.error.InvalidDataError:
        return []  # a damaged moment of sound is a gap, no reason to stop


def _refuse(path: Path, partial: Path, audio_from: Path | str | None) -> None:
    """UserError where the video cannot be written or would destroy its source; makes the partial file."""
    if path.suffix.lower() != ".mp4":
        raise UserError(f"{path}: the video is written as mp4; name it {path.stem}.mp4")
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file in it, such as {path / 'out.mp4'}")
    if audio_from is not None and path.exists() and path.samefile(audio_from):
        raise UserError(f"{path} is also the input; write to another file")
    try:
        partial.open("wb").close()
    except OSError as error:
        if not path.parent.exists():
            raise UserError(f"{path} cannot be written: no folder {path.parent}; create it first") from None
        reason = error.strerror.lower()
        raise UserError(f"{path} cannot be written ({reason}); choose another folder") from None


def _ticks_per_s(rate: Fraction) -> int:
    """A time resolution in which a frame lasts a whole number of ticks."""
    ticks = rate.numerator
    while ticks < MIN_TICKS_PER_S:
        ticks *= 2
    return ticks if ticks <= MAX_TICKS_PER_S else MIN_TICKS_PER_S


def _even(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    if height % 2 == width % 2 == 0:
        return np.ascontiguousarray(image)
    return cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
