"""From observed keypoints to what the network sees: the one function that training and live use share.

Three steps. `resample` puts the observations of one person on the model's own time grid, by timestamp.
`normalise` removes where the person stands and how large they appear, once for the whole window, so
that the body's own movement through the picture is kept. `stgcn.streams.stream` makes bones or motion of it,
for a network that was trained on these.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from stgcn.body import body_centre, body_height
from stgcn.graph import SEVERAL, get_layout
from stgcn.streams import check_name, stream


@dataclass(frozen=True)
class Preprocess:
    """How a person's observations become a network input. Stored in the checkpoint with the weights.

    layout: joint layout, a name in `stgcn.graph.LAYOUTS`.
    fps, frames: the model's time grid; a window is `frames / fps` seconds long, whatever the camera's rate.
    min_confidence: a keypoint below it counts as not observed, 0..1.
    max_gap_s: shorter gaps in what is observed are bridged; after a longer one a joint is missing, and where the whole
        person was gone, the window starts anew.
    stream: what the network sees of it, a name in `stgcn.streams.STREAMS`, or several joined by +.
    people: how many are seen together, as actions between two people need it; the place and size of the first
        are everybody's. Not for a live view, which judges each alone.
    whole_clips: every recording is slowed down or sped up until it fills the window, for sets whose clips are cut
        to one action; not for a live view, which has no beginning.
    """

    layout: str = "coco17"
    fps: float = 30.0
    frames: int = 40
    min_confidence: float = 0.2
    max_gap_s: float = 0.6
    stream: str = "joint"
    people: int = 1
    whole_clips: bool = False

    def __post_init__(self):
        if get_layout(self.layout).people > 1:
            raise ValueError(f"the layout is that of one person, not {self.layout}; people says how many there are")
        get_layout(self.group)
        if not (self.fps > 0 and self.frames >= 1 and self.max_gap_s > 0 and 0 <= self.min_confidence <= 1):
            raise ValueError(f"not a usable time grid or threshold: {self}")
        if self.whole_clips and self.frames < 2:
            raise ValueError(f"a whole clip needs a window of 2 frames or more, not {self.frames}")
        check_name(self.stream)

    @property
    def group(self) -> str:
        """Name of the layout in which the joints of all `people` come, one person's after another's."""
        return self.layout if self.people == 1 else f"{self.layout}{SEVERAL}{self.people}"

    @property
    def duration_s(self) -> float:
        """Length of the window in seconds, from its first frame to its last."""
        return (self.frames - 1) / self.fps

    def __call__(self, times: np.ndarray, keypoints: np.ndarray, end_s: float) -> np.ndarray:
        """One person's observations as network input, (C, T, V) float32: all three steps.

        Of several people, V are the joints of all, here and below, one person's after another's.
        """
        return self.as_stream(self.joints(times, keypoints, end_s))

    def joints(self, times: np.ndarray, keypoints: np.ndarray, end_s: float) -> np.ndarray:
        """The first two steps, whatever the network's stream, see `resample` and `normalise`."""
        if self.whole_clips:
            times, keypoints = stretch(times, keypoints, end_s, self.duration_s)
        return self.normalise(self.resample(times, keypoints, end_s))

    def as_stream(self, joints: np.ndarray) -> np.ndarray:
        """The third step, (D, T, V) -> (C, T, V)."""
        people = torch.from_numpy(joints).tensor_split(self.people, dim=-1)
        return torch.cat([stream(person, self.stream, self.layout) for person in people], dim=-1).numpy()

    def resample(self, times: np.ndarray, keypoints: np.ndarray, end_s: float) -> np.ndarray:
        """Observations on the grid of `frames` moments that ends at `end_s`.

        times: (n,) seconds, ascending. keypoints: (n, V, D), positions in any unit, confidence 0..1.
        Returns (T, V, D) float32; a joint that was not observed at a moment is all 0 there.
        Raises ValueError on arrays of another shape, NaN, or times that do not ascend.
        """
        times, keypoints = self._checked(times, keypoints)
        grid = end_s + np.arange(1 - self.frames, 1) / self.fps
        gaps = np.flatnonzero(np.diff(times) > self.max_gap_s)
        first = gaps[-1] + 1 if len(gaps) else 0  # what came before a long absence is another appearance
        times, keypoints = times[first:], keypoints[first:]
        resampled = np.zeros((self.frames, *keypoints.shape[1:]), np.float32)
        seen = keypoints[..., -1] >= self.min_confidence  # (n, V)
        for moments, joints in _by_column(seen):  # most joints are seen at the same moments
            resampled[:, joints] = self._interpolate(grid, times[moments], keypoints[np.ix_(moments, joints)])
        return resampled

    def normalise(self, keypoints: np.ndarray) -> np.ndarray:
        """Positions relative to the shoulders' usual place, in body heights, both the first person's.

        keypoints: (T, V, D), unobserved joints all 0. Returns (C=D, T, V) float32: positions along the axes of the
        picture or of space (1 = the person's apparent height) and confidence 0..1; unobserved joints stay all 0.
        """
        normalised = np.array(keypoints, np.float32)
        normalised[..., :-1] -= body_centre(keypoints, self.group)
        normalised[..., :-1] /= body_height(keypoints, self.group)
        normalised[keypoints[..., -1] == 0] = 0
        return np.ascontiguousarray(normalised.transpose(2, 0, 1))  # (C, T, V)

    def body_height(self, keypoints: np.ndarray) -> float:
        """How tall a person (n, V, D) appears, in their unit, even if only a part is in view; 0: nobody is."""
        seen = keypoints[..., -1:] >= self.min_confidence  # (n, V, 1)
        return body_height(np.where(seen, keypoints, 0), self.layout) if seen.any() else 0.0

    def _checked(self, times: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        times, keypoints = np.asarray(times, np.float64), np.asarray(keypoints, np.float32)
        expected = (len(times), *get_layout(self.group).shape)
        if keypoints.shape != expected:
            raise ValueError(f"keypoints are {keypoints.shape}; {self.group} needs {expected}")
        if not (np.isfinite(times).all() and np.isfinite(keypoints).all()):
            raise ValueError("keypoints or times hold NaN or infinity; give missing joints confidence 0")
        if (np.diff(times) <= 0).any():
            raise ValueError("times do not ascend")
        return times, keypoints

    def _interpolate(self, grid: np.ndarray, times: np.ndarray, values: np.ndarray) -> np.ndarray:
        """`values` (n, V', D) of joints that are seen together, at the moments of `grid`; zeros where they were not.

        Positions follow cubic Hermite curves, for straight lines between what a slow camera sees cut off the turns of a
        hand that waves. The slope at an observation is that from the one before it to the one after it, however long
        each took: a keypoint that is wrong just before a gap hardly bends the curve across it. Confidences follow
        straight lines, and so stay in 0..1.
        """
        if not len(times):
            return np.zeros((len(grid), *values.shape[1:]), np.float32)
        half_step_s = 0.5 / self.fps  # the ends hold that long, or a clip's first moment would be lost to rounding
        after = np.searchsorted(times, grid).clip(min(1, len(times) - 1), len(times) - 1)
        before = np.maximum(after - 1, 0)
        gap_s = times[after] - times[before]
        inside = (grid >= times[0] - half_step_s) & (grid <= times[-1] + half_step_s) & (gap_s <= self.max_gap_s)
        share = ((grid - times[before]) / np.where(gap_s > 0, gap_s, 1)).clip(0, 1).astype(np.float32)[:, None, None]
        change = values[after] - values[before]  # (T, V', D)
        at_grid = values[before] + share * change
        if len(times) > 1:
            earlier, later = (np.arange(len(times))[:, None] + (-1, 1)).clip(0, len(times) - 1).T
            way = values[later, :, :-1] - values[earlier, :, :-1]
            slopes = way / (times[later] - times[earlier])[:, None, None]  # (n, V', D - 1) a second
            # How much farther than the straight line the slope at each end would lead.
            leaving, arriving = (slopes[ends] * gap_s[:, None, None] - change[..., :-1] for ends in (before, after))
            at_grid[..., :-1] += share * (1 - share) * ((1 - share) * leaving - share * arriving)
        return np.where(inside[:, None, None], at_grid, 0)


def _by_column(seen: np.ndarray) -> Iterator[tuple[np.ndarray, list[int]]]:
    """Columns of `seen` (n, V) that are equal, together: the rows in which they are True, and their indices."""
    groups: dict[bytes, list[int]] = {}
    for column, pattern in enumerate(np.ascontiguousarray(seen.T)):
        groups.setdefault(pattern.tobytes(), []).append(column)
    for columns in groups.values():
        yield np.flatnonzero(seen[:, columns[0]]), columns


def stretch(times: np.ndarray, keypoints: np.ndarray, end_s: float, duration_s: float):
    """The clip slowed down or sped up until the time from its first observation to `end_s` is `duration_s`.

    times (n,), keypoints (n, V, D) -> the same at their new times, still ending at `end_s`. A clip of a
    single moment is held throughout. Nobody (n = 0) stays nobody.
    """
    if not len(times):
        return times, keypoints
    length_s = end_s - times[0]
    if length_s == 0:
        return np.array([end_s - duration_s, end_s]), np.repeat(keypoints, 2, axis=0)
    return end_s + (times - end_s) * (duration_s / length_s), keypoints
