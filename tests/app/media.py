"""Small real videos for the tests, made with PyAV."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

TICK = Fraction(1, 90_000)


def picture(index: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """(H, W, 3) uint8 BGR: blue left, red right, greener above, brighter with the index."""
    width, height = size
    image = np.full((height, width, 3), 20 + 5 * (index % 20), np.uint8)
    image[: height // 2, :, 1] += 100
    image[:, : width // 2, 0] += 80
    image[:, width // 2 :, 2] += 80
    return image


def make_video(
    path: Path,
    times_s: Sequence[float | Fraction],
    size: tuple[int, int] = (64, 48),
    rate: Fraction = Fraction(30),
    sound: str | None = None,
    sound_s: float = 0.0,
    codec: str = "libx264",
    rotation: int | None = None,
    movflags: str = "",
) -> Path:
    """A video of `picture(i)` at times_s[i]; with `sound`, a codec, also a second of tone from sound_s on."""
    options = {"movflags": movflags} if movflags else {}
    tick = 1 / rate if path.suffix == ".avi" else TICK  # AVI counts frames
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate, time_base=tick, width=size[0], height=size[1])
        if codec == "libx264":
            stream.pix_fmt = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
            stream.options = {"bf": "2", "g": "10", "preset": "veryfast"}
        if rotation is not None:
            stream.set_display_rotation(rotation)
        track = container.add_stream(sound, rate=48_000, layout="mono") if sound else None
        container.start_encoding()
        for index, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(picture(index, size), format="bgr24")
            frame.pts, frame.time_base = round(time_s / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if track:
            container.mux(_sound(track, sound_s))
    return path


def make_sound(path: Path, codec: str) -> Path:
    """A second of sound without a picture."""
    with av.open(str(path), "w") as container:
        container.mux(_sound(container.add_stream(codec, rate=48_000, layout="mono"), 0.0))
    return path


def _sound(track: av.AudioStream, start_s: float) -> list[av.Packet]:
    wave = (8000 * np.sin(np.arange(48_000) * 2 * np.pi * 440 / 48_000)).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
    frame.sample_rate, frame.time_base, frame.pts = 48_000, Fraction(1, 48_000), round(start_s * 48_000)
    return track.encode(frame) + track.encode(None)


def every(rate: int | Fraction, count: int) -> list[Fraction]:
    """The times of `count` frames at a constant rate."""
    return [Fraction(index) / rate for index in range(count)]


def shorten(source: Path, path: Path, part: float) -> Path:
    """The first part of a file, as a broken copy leaves it."""
    data = source.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    return path
