"""People composed of recorded clips: somebody acts, keeps still, moves on to the next pose, leaves, comes back.

Pure functions on times (n,) in seconds and keypoints (n, V, 3), x and y in a picture and confidence 0..1, and
`Performance`, which puts them together in time. A joint that is not in view has confidence 0. Whatever is
random comes from the generator passed in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from stgcn.body import body_centre, body_height
from stgcn.noise import tremble

FPS = 30.0  # of composed movement
MOVE_S = 0.3  # from one pose to the next
# Who comes into the picture: within which time, how often from below, and how many joints a detector needs.
ENTER_S, FROM_BELOW, SEEN_OF_SOMEBODY = (0.5, 1.5), 0.6, 3


def hold(rng: Generator, pose: np.ndarray, duration_s: float, fps: float = FPS, layout: str = "coco17"):
    """Somebody keeps still in `pose` (V, 3), as a detector sees it, see `tremble`: times from 0, keypoints."""
    n = max(round(duration_s * fps), 1)
    return np.arange(n) / fps, tremble(rng, np.repeat(pose[None].astype(np.float32), n, axis=0), fps, layout)


def repeat(times: np.ndarray, keypoints: np.ndarray, duration_s: float):
    """Forwards and backwards until it has lasted `duration_s`: for what looks the same either way, as waving.

    A recording that is longer is cut; one of a single frame stays as it is.
    """
    times = times - times[0]
    period_s = times[-1]
    if period_s > 0:
        steps = np.diff(times)
        while times[-1] < duration_s:
            steps = steps[::-1]
            keypoints = np.concatenate([keypoints, keypoints[-2 : -len(steps) - 2 : -1]])
            times = np.concatenate([times, times[-1] + np.cumsum(steps)])
    kept = times <= duration_s
    return times[kept], keypoints[kept]


def move(start: np.ndarray, end: np.ndarray, duration_s: float = MOVE_S, fps: float = FPS):
    """From pose `start` (V, 3) to pose `end`, gently; neither is itself part of it. Times from 0, keypoints.

    A joint in view in only one of them is in view in that half of the time.
    """
    n = round(duration_s * fps)
    share = np.arange(1, n + 1) / (n + 1)
    eased = (share * share * (3 - 2 * share))[:, None, None]  # (n, 1, 1)
    moved = start + eased * (end - start)
    only_start, only_end = (start[:, 2] > 0) & (end[:, 2] <= 0), (end[:, 2] > 0) & (start[:, 2] <= 0)
    early = share[:, None] < 0.5
    moved = np.where((only_start & early)[..., None], start, moved)
    moved = np.where((only_end & ~early)[..., None], end, moved)
    moved[(only_start & ~early) | (only_end & early)] = 0
    return np.arange(n) / fps, moved.astype(np.float32)


def enter(rng: Generator, times: np.ndarray, keypoints: np.ndarray, layout: str = "coco17"):
    """Somebody comes into the picture while they do what they do, from below or from a side: times, keypoints.

    What is beyond the picture's edge is not in view; who comes from below may walk away from the camera, and gets
    smaller. Begins when SEEN_OF_SOMEBODY joints are in view; where they never are, all is as it was.
    """
    unit, middle = body_height(keypoints[-1], layout), body_centre(keypoints[-1], layout)[:2]
    left = np.clip(1 - (times - times[0]) / rng.uniform(*ENTER_S), 0, 1)[:, None, None]  # (n, 1, 1): share of the way
    if rng.random() < FROM_BELOW:
        direction, way, edge = np.array([0, 1]), rng.uniform(0.5, 1.2), rng.uniform(0.3, 0.9)
        nearer = 1 + rng.uniform(0, 0.6) * left
    else:
        direction, way, edge = np.array([rng.choice([-1, 1]), 0]), rng.uniform(0.4, 1.2), rng.uniform(0.15, 0.5)
        nearer = 1
    from_middle = (keypoints[..., :2] - middle) * nearer + direction * way * unit * left  # (n, V, 2)
    inside = (from_middle @ direction < edge * unit) & (keypoints[..., 2] > 0)
    entered = keypoints.copy()
    entered[..., :2] = from_middle + middle
    entered[~inside] = 0
    seen = inside.sum(axis=1) >= SEEN_OF_SOMEBODY
    if not seen.any():
        return times, keypoints
    return times[seen.argmax() :], entered[seen.argmax() :]


def place(keypoints: np.ndarray, like: np.ndarray, layout: str = "coco17") -> np.ndarray:
    """A movement (n, V, 3) whose first pose has the size and the shoulders' place of the pose `like` (V, 3)."""
    first = keypoints[0]
    scale = body_height(like, layout) / body_height(first, layout)
    placed = np.array(keypoints, np.float32)
    placed[..., :2] = (placed[..., :2] - body_centre(first, layout)) * scale + body_centre(like, layout)
    placed[placed[..., 2] <= 0] = 0
    return placed


@dataclass(frozen=True)
class Span:
    """What was done, and from when to when, in seconds."""

    label: str
    start_s: float
    end_s: float


class Performance:
    """One person, piece after piece, at FPS frames a second from 0 s on.

    The person stays in one place and of one size: those of the first pose, or of the pose `like`.
    """

    def __init__(self, rng: Generator, like: np.ndarray | None = None, layout: str = "coco17"):
        self._rng, self._layout = rng, layout
        self._like = like
        self._present = False  # in view at the end of the latest piece
        self._frames: list[np.ndarray] = []  # indices on the grid of FPS, of each piece
        self._keypoints: list[np.ndarray] = []
        self._next = 0  # index of the next frame
        self.spans: list[Span] = []

    @property
    def duration_s(self) -> float:
        """Until now."""
        return self._next / FPS

    def act(self, times: np.ndarray, keypoints: np.ndarray, label: str | None = None) -> None:
        """A recording, n >= 1 frames of about FPS; the person first moves into its pose. With a label, a span."""
        if self._like is not None:
            keypoints = place(keypoints, self._like, self._layout)
        if self._present:
            self._add(*move(self._like, keypoints[0]))
        start_s = self.duration_s
        self._add(times - times[0], keypoints)
        if label is not None:
            self.spans.append(Span(label, start_s, self.duration_s))

    def hold(self, duration_s: float) -> None:
        """Keep still in the latest pose. ValueError: there is none yet."""
        if self._like is None:
            raise ValueError("nobody can keep still before the first pose; call act first")
        self._add(*hold(self._rng, self._like, duration_s, FPS, self._layout))

    def leave(self, duration_s: float) -> None:
        """Out of view for so long."""
        self._next += round(duration_s * FPS)
        self._present = False

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Times (n,) on the grid of FPS, and keypoints (n, V, 3). ValueError: nothing was performed."""
        if not self._frames:
            raise ValueError("nothing was performed yet; call act first")
        return np.concatenate(self._frames) / FPS, np.concatenate(self._keypoints)

    def _add(self, times: np.ndarray, keypoints: np.ndarray) -> None:
        if not len(times):
            return
        frames, kept = np.unique(np.rint(times * FPS).astype(int), return_index=True)
        self._frames.append(self._next + frames)
        self._keypoints.append(keypoints[kept])
        self._next += int(frames[-1]) + 1
        self._like, self._present = keypoints[-1], True
