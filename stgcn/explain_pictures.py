"""Pictures of an explanation: maps of joints over time, a few moments, and a video of the skeleton.

The skeleton is drawn with the edges of the network's own graph. A joint is red and large where it speaks for
the class, blue where it speaks against it, small and pale where it says little.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from stgcn.explanation import Explanation

DOTS_PER_INCH = 80
MAPS_INCHES, MOMENTS_INCHES, VIDEO_INCHES = (11, 4.6), (11, 2.9), (6.4, 6)  # x 80 dots: even, for yuv420p
NAMED_CLASSES = 3  # in titles
MOMENTS = 6  # bodies in the picture of moments
FOR_AND_AGAINST, STRENGTH = "coolwarm", "viridis"  # colour maps
SMALLEST_JOINT, LARGEST_JOINT = 12, 180  # square points
BONE_COLOUR, MISSING_COLOUR = "0.75", "0.6"
MARGIN = 0.08  # of the body's extent, left free around it
CRF, PRESET = 20, "veryfast"  # of x264: quality, lower is better; and speed
MAX_DENOMINATOR = 1001  # frame rates such as 30000/1001 stay what they are


def draw_maps(path: Path, explanation: Explanation) -> None:
    """A PNG of both maps, joints by name over seconds; dots where a joint was not seen."""
    figure = Figure(MAPS_INCHES, DOTS_PER_INCH, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    limit = _limit(explanation)
    _draw_map(left, explanation, explanation.magnitude, cmap=STRENGTH, vmin=0)
    left.set_title("strength of response (last unit)")
    _draw_map(right, explanation, explanation.activation, cmap=FOR_AND_AGAINST, vmin=-limit, vmax=limit)
    right.set_title(f"what speaks for {explanation.label} (+) or against it (-)")
    joints = explanation.layout.joints
    left.set_yticks(range(len(joints)), joints)
    figure.suptitle(_scores(explanation))
    _save(figure, path)


def draw_moments(path: Path, explanation: Explanation) -> None:
    """A PNG of the body at moments spread evenly over the time in which it was seen."""
    seen = np.flatnonzero((explanation.keypoints[..., 2] > 0).any(axis=1))  # frames
    frames = seen[np.linspace(0, len(seen) - 1, min(MOMENTS, len(seen))).round().astype(int)]
    figure = Figure(MOMENTS_INCHES, DOTS_PER_INCH, layout="constrained")
    for axes, frame in zip(figure.subplots(1, len(frames), squeeze=False)[0], frames):
        _Body(axes, explanation).show(frame)
        axes.set_title(f"{explanation.times[frame]:.2f} s", fontsize="medium")
    figure.suptitle(f"what speaks for {explanation.label} (red) or against it (blue)")
    _save(figure, path)


def write_video(path: Path, explanation: Explanation) -> None:
    """An mp4 (H.264, yuv420p) with a frame for each of the window, at the network's frame rate.

    It appears under its name when it is whole. OSError: it cannot be written.
    """
    partial = path.with_suffix(".partial.mp4")
    fps = 1 / np.diff(explanation.times).mean() if len(explanation.times) > 1 else 1.0
    try:
        with av.open(str(partial), "w") as container:
            stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(MAX_DENOMINATOR),
                                          options={"preset": PRESET, "crf": str(CRF)})  # fmt: skip
            stream.width, stream.height = (round(side * DOTS_PER_INCH) for side in VIDEO_INCHES)
            stream.codec_context.colorspace = Colorspace.ITU709
            stream.codec_context.color_range = ColorRange.MPEG
            for image in video_frames(explanation):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709,
                                       dst_color_range=ColorRange.MPEG)  # fmt: skip
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def video_frames(explanation: Explanation) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 RGB for each frame: the body, and below it what all joints together say over time."""
    figure = Figure(VIDEO_INCHES, DOTS_PER_INCH, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    picture, curve = figure.subplots(2, 1, height_ratios=(5, 1))
    body = _Body(picture, explanation)
    curve.plot(explanation.times, explanation.activation.mean(axis=1), color="0.3")
    curve.axhline(0, color=BONE_COLOUR, linewidth=1)
    curve.set(xlabel="seconds", ylabel=f"for {explanation.label}")
    now = curve.axvline(explanation.times[0], color="tab:red")
    score = explanation.responses.scores[explanation.chosen]
    for frame, time_s in enumerate(explanation.times):
        body.show(frame)
        now.set_xdata([time_s, time_s])
        picture.set_title(f"{explanation.label}   {100 * score:.1f} %   {time_s:.2f} s")
        canvas.draw()
        if frame == 0:
            figure.set_layout_engine("none")  # the places of all parts are found; what follows stays there
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()


class _Body:
    """One skeleton on `axes`, which can show any frame."""

    def __init__(self, axes: Axes, explanation: Explanation):
        self._explanation, self._activation = explanation, explanation.activation  # (T, V)
        layout, limit = explanation.layout, _limit(explanation)
        self._edges = [(layout.index(a), layout.index(b)) for a, b in layout.edges]
        self._bones = axes.add_collection(LineCollection([], colors=BONE_COLOUR, linewidths=2))
        self._joints = axes.scatter([], [], c=[], cmap=FOR_AND_AGAINST, vmin=-limit, vmax=limit, zorder=2,
                                    edgecolors=BONE_COLOUR, linewidths=0.5)  # fmt: skip
        self._limit = limit
        seen = explanation.keypoints[explanation.keypoints[..., 2] > 0, :2]  # (n, 2)
        low, high = seen.min(axis=0), seen.max(axis=0)
        margin = MARGIN * max((high - low).max(), 1)
        axes.set(xlim=(low[0] - margin, high[0] + margin), ylim=(high[1] + margin, low[1] - margin))
        axes.set_aspect("equal")
        axes.set_axis_off()

    def show(self, frame: int) -> None:
        points, strength = self._explanation.keypoints[frame], self._activation[frame]
        seen = points[:, 2] > 0
        self._bones.set_segments([points[[a, b], :2] for a, b in self._edges if seen[a] and seen[b]])
        self._joints.set_offsets(points[seen, :2])
        self._joints.set_array(strength[seen])
        share = np.abs(strength[seen]) / self._limit
        self._joints.set_sizes(SMALLEST_JOINT + (LARGEST_JOINT - SMALLEST_JOINT) * share)


def _draw_map(axes: Axes, explanation: Explanation, values: np.ndarray, **colours) -> None:
    """values (T, V), a row a joint."""
    times = explanation.times
    half_s = (times[-1] - times[0]) / max(len(times) - 1, 1) / 2 or 0.5  # a single frame is drawn 1 s wide
    extent = (times[0] - half_s, times[-1] + half_s, values.shape[1] - 0.5, -0.5)
    image = axes.imshow(values.T, aspect="auto", interpolation="nearest", extent=extent, **colours)
    frames, joints = np.nonzero(explanation.keypoints[..., 2] == 0)
    axes.scatter(times[frames], joints, s=2, color=MISSING_COLOUR)
    axes.set_xlabel("seconds (dots: joint not seen)")
    axes.figure.colorbar(image, ax=axes)


def _scores(explanation: Explanation) -> str:
    best = explanation.ranked_classes()[:NAMED_CLASSES]
    return ",  ".join(f"{name} {100 * score:.1f} %" for name, score in best)


def _limit(explanation: Explanation) -> float:
    """The activation that has the strongest colour, on both sides of 0."""
    return float(np.abs(explanation.activation).max()) or 1.0


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Software": None})  # nothing in it that changes by itself
