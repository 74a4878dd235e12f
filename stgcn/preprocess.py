"""From observed keypoints to what the network sees: the one function that training and live use share.

Three steps. `resample` puts the observations of one person on the model's own time grid, by timestamp.
`normalise` removes where the person stands and how large they appear, once for the whole window, so
that the body's own movement through the picture is kept. `stgcn.streams.stream` makes bones or motion of it,
for a network that was trained on these.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from stgcn.graph import get_layout
from stgcn.streams import check_name, stream

# Limb lengths as shares of the body's height (standard adult proportions: D. A. Winter, Biomechanics and
# Motor Control of Human Movement, fig. 4.1). In a picture a limb looks at most that long, so the limbs
# that look longest tell how large the person appears, whichever part of the body is in view.
LIMB_LENGTHS = {
    ("left_shoulder", "right_shoulder"): 0.23,
    ("left_shoulder", "left_elbow"): 0.17,
    ("right_shoulder", "right_elbow"): 0.17,
    ("left_elbow", "left_wrist"): 0.15,
    ("right_elbow", "right_wrist"): 0.15,
    ("left_shoulder", "left_hip"): 0.29,
    ("right_shoulder", "right_hip"): 0.29,
    ("left_hip", "left_knee"): 0.24,
    ("right_hip", "right_knee"): 0.24,
    ("left_knee", "left_ankle"): 0.25,
    ("right_knee", "right_ankle"): 0.25,
}
LIMB_QUANTILE = 0.8  # above it, a limb is more likely a wrong keypoint than one seen at full length
CENTRE_JOINTS = ("left_shoulder", "right_shoulder")  # in view both across a room and at a desk


@dataclass(frozen=True)
class Preprocess:
    """How a person's observations become a network input. Stored in the checkpoint with the weights.

    layout: joint layout, a name in `stgcn.graph.LAYOUTS`.
    fps, frames: the model's time grid; a window is `frames / fps` seconds long, whatever the camera's rate.
    min_confidence: a keypoint below it counts as not observed, 0..1.
    max_gap_s: shorter gaps in what is observed are bridged by a straight line; after a longer one a joint
        is missing, and where the whole person was gone, the window starts anew.
    stream: what the network sees of it, a name in `stgcn.streams.STREAMS`, or several joined by +.
    whole_clips: every recording is slowed down or sped up until it fills the window, for sets whose clips are cut
        to one action; not for a live view, which has no beginning.
    """

    layout: str = "coco17"
    fps: float = 30.0
    frames: int = 40
    min_confidence: float = 0.2
    max_gap_s: float = 0.6
    stream: str = "joint"
    whole_clips: bool = False

    def __post_init__(self):
        get_layout(self.layout)
        if not (self.fps > 0 and self.frames >= 1 and self.max_gap_s > 0 and 0 <= self.min_confidence <= 1):
            raise ValueError(f"not a usable time grid or threshold: {self}")
        if self.whole_clips and self.frames < 2:
            raise ValueError(f"a whole clip needs a window of 2 frames or more, not {self.frames}")
        check_name(self.stream)

    @property
    def duration_s(self) -> float:
        """Length of the window in seconds, from its first frame to its last."""
        return (self.frames - 1) / self.fps

    def __call__(self, times: np.ndarray, keypoints: np.ndarray, end_s: float) -> np.ndarray:
        """One person's observations as network input, (C, T, V) float32: all three steps."""
        return self.as_stream(self.joints(times, keypoints, end_s))

    def joints(self, times: np.ndarray, keypoints: np.ndarray, end_s: float) -> np.ndarray:
        """The first two steps, whatever the network's stream, see `resample` and `normalise`."""
        if self.whole_clips:
            times, keypoints = stretch(times, keypoints, end_s, self.duration_s)
        return self.normalise(self.resample(times, keypoints, end_s))

    def as_stream(self, joints: np.ndarray) -> np.ndarray:
        """The third step, (3, T, V) -> (C, T, V)."""
        return stream(torch.from_numpy(joints), self.stream, self.layout).numpy()

    def resample(self, times: np.ndarray, keypoints: np.ndarray, end_s: float) -> np.ndarray:
        """Observations on the grid of `frames` moments that ends at `end_s`.

        times: (n,) seconds, ascending. keypoints: (n, V, 3), x and y in any unit, confidence 0..1.
        Returns (T, V, 3) float32; a joint that was not observed at a moment is (0, 0, 0) there.
        Raises ValueError on arrays of another shape, NaN, or times that do not ascend.
        """
        times, keypoints = self._checked(times, keypoints)
        grid = end_s + np.arange(1 - self.frames, 1) / self.fps
        gaps = np.flatnonzero(np.diff(times) > self.max_gap_s)
        first = gaps[-1] + 1 if len(gaps) else 0  # what came before a long absence is another appearance
        times, keypoints = times[first:], keypoints[first:]
        resampled = np.zeros((self.frames, keypoints.shape[1], 3), np.float32)
        seen = keypoints[..., 2] >= self.min_confidence  # (n, V)
        for moments, joints in _by_column(seen):  # most joints are seen at the same moments
            resampled[:, joints] = self._interpolate(grid, times[moments], keypoints[np.ix_(moments, joints)])
        return resampled

    def normalise(self, keypoints: np.ndarray) -> np.ndarray:
        """Positions relative to the shoulders' usual place, in body heights.

        keypoints: (T, V, 3), unobserved joints (0, 0, 0). Returns (C, T, V) float32 with channels x, y
        (1 = the person's apparent height, y down) and confidence 0..1; unobserved joints stay (0, 0, 0).
        """
        seen = keypoints[..., 2] > 0  # (T, V)
        if not seen.any():
            return np.zeros((3, *seen.shape), np.float32)
        positions = keypoints[..., :2]
        normalised = np.array(keypoints, np.float32)
        normalised[..., :2] = (positions - self._centre(positions, seen)) / self._height(positions, seen)
        normalised[~seen] = 0
        return np.ascontiguousarray(normalised.transpose(2, 0, 1))  # (C, T, V)

    def body_height(self, keypoints: np.ndarray) -> float:
        """How tall a person (n, V, 3) appears, in the unit of x and y, even if only a part is in view; 0: nobody is."""
        seen = keypoints[..., 2] >= self.min_confidence
        return self._height(keypoints[..., :2], seen) if seen.any() else 0.0

    def _checked(self, times: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        times, keypoints = np.asarray(times, np.float64), np.asarray(keypoints, np.float32)
        joints = len(get_layout(self.layout).joints)
        if keypoints.shape != (len(times), joints, 3):
            raise ValueError(f"keypoints are {keypoints.shape}; {self.layout} needs ({len(times)}, {joints}, 3)")
        if not (np.isfinite(times).all() and np.isfinite(keypoints).all()):
            raise ValueError("keypoints or times hold NaN or infinity; give missing joints confidence 0")
        if (np.diff(times) <= 0).any():
            raise ValueError("times do not ascend")
        return times, keypoints

    def _interpolate(self, grid: np.ndarray, times: np.ndarray, values: np.ndarray) -> np.ndarray:
        """`values` (n, V', 3) of joints that are seen together, at the moments of `grid`; zeros where they were not."""
        if not len(times):
            return np.zeros((len(grid), *values.shape[1:]), np.float32)
        half_step_s = 0.5 / self.fps  # the ends hold that long, or a clip's first moment would be lost to rounding
        after = np.searchsorted(times, grid).clip(min(1, len(times) - 1), len(times) - 1)
        before = np.maximum(after - 1, 0)
        gap_s = times[after] - times[before]
        inside = (grid >= times[0] - half_step_s) & (grid <= times[-1] + half_step_s) & (gap_s <= self.max_gap_s)
        share = ((grid - times[before]) / np.where(gap_s > 0, gap_s, 1)).clip(0, 1).astype(np.float32)[:, None, None]
        at_grid = values[before] + share * (values[after] - values[before])  # (T, V', 3)
        return np.where(inside[:, None, None], at_grid, 0)

    def _centre(self, positions: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """(2,): median place of the shoulders, or of all joints where no shoulder was seen."""
        shoulders = seen[:, self._centre_joints]
        if shoulders.any():
            positions, seen = positions[:, self._centre_joints], shoulders
        return np.median(positions[seen], axis=0)

    def _height(self, positions: np.ndarray, seen: np.ndarray) -> float:
        """The person's height as it appears in the picture, in the unit of `positions`."""
        starts, ends, shares = self._limbs
        heights = np.linalg.norm(positions[:, starts] - positions[:, ends], axis=-1) / shares  # (T, limbs)
        heights = heights[seen[:, starts] & seen[:, ends]]
        height = np.quantile(heights, LIMB_QUANTILE) if len(heights) else 0.0
        if height > 0:
            return float(height)
        return float(np.ptp(positions[seen], axis=0).max()) or 1.0  # a face alone, or a single joint

    @cached_property
    def _centre_joints(self) -> list[int]:
        return [get_layout(self.layout).index(name) for name in CENTRE_JOINTS]

    @cached_property
    def _limbs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Start joints, end joints and share of the body's height of each limb, (limbs,) each."""
        layout = get_layout(self.layout)
        starts, ends = np.array([[layout.index(a), layout.index(b)] for a, b in LIMB_LENGTHS]).T
        return starts, ends, np.array(list(LIMB_LENGTHS.values()))


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
