"""Steadier keypoints: the 1-euro filter of Casiez, Roussel and Vogel (CHI 2012, doi 10.1145/2207676.2208639).

A low-pass filter whose cutoff rises with speed: a joint at rest is held steady, one that moves is followed
closely. What it costs in delay and takes away in jitter is measured in docs/tracking.md.
"""

import math
from dataclasses import replace

import numpy as np

from app.tracking import Track, body_size

MIN_CUTOFF_HZ = 1.0  # of a joint at rest: lower is steadier, and slower to start
BETA = 10.0  # Hz added by each body size per second of a joint's speed: higher follows fast hands more closely
SPEED_CUTOFF_HZ = 1.0  # of the speed itself, which is reckoned from shaky keypoints
SURE = 0.4  # the cutoff of a joint of less confidence is lower in proportion: it shakes more
FORGET_S = 0.3  # a joint unseen for longer starts anew, where it is


class Smoother:
    """Smooths the keypoints of each track; boxes, scores and confidences stay. Deterministic.

    Speeds are in body sizes (square root of the box's area) per second and times in seconds, so that people near
    and far and cameras of any rate are smoothed alike.

    min_cutoff_hz: lower takes away more jitter of joints at rest and adds delay to slow movements.
    beta: Hz for each body size per second; higher takes delay away from fast movements, and leaves their jitter.
    Raises ValueError where min_cutoff_hz is not positive, beta is negative, or one of them is not finite.
    """

    def __init__(self, min_cutoff_hz: float = MIN_CUTOFF_HZ, beta: float = BETA) -> None:
        if not (math.isfinite(min_cutoff_hz) and min_cutoff_hz > 0):
            raise ValueError(f"min_cutoff_hz is a positive number of hertz, not {min_cutoff_hz}")
        if not (math.isfinite(beta) and beta >= 0):
            raise ValueError(f"beta is zero or a positive number, not {beta}")
        self.min_cutoff_hz = min_cutoff_hz
        self.beta = beta
        self._joints: dict[int, _Joints] = {}  # by track id
        self._time_s = -math.inf

    def update(self, tracks: list[Track], time_s: float) -> list[Track]:
        """The tracks of one frame with smoothed x and y; frames come in the order of time.

        A joint of confidence 0 is passed on as it is. Raises ValueError where time_s is not finite or goes back.
        """
        if not (math.isfinite(time_s) and time_s >= self._time_s):
            raise ValueError(f"time_s is finite and never goes back, here from {self._time_s} to {time_s}; "
                             "each video needs its own Smoother")
        self._time_s = time_s
        smoothed = [self._smooth(track, time_s) for track in tracks]
        self._joints = {id_: joints for id_, joints in self._joints.items()
                        if time_s - joints.seen_s.max() <= FORGET_S}
        return smoothed

    def _smooth(self, track: Track, time_s: float) -> Track:
        joints = self._joints.setdefault(track.id, _Joints(len(track.pose.keypoints)))
        keypoints = track.pose.keypoints.copy()
        confidence = keypoints[:, 2].astype(np.float64)
        seen = confidence > 0
        trust = np.minimum(confidence / SURE, 1.0)
        joints.observe(keypoints[:, :2], seen, trust, body_size(track.pose), time_s, self)
        keypoints[seen, :2] = joints.position[seen]
        return replace(track, pose=replace(track.pose, keypoints=keypoints))


class _Joints:
    """The filter's state for the joints of one track."""

    def __init__(self, count: int) -> None:
        self.position = np.zeros((count, 2))  # px, smoothed
        self.velocity = np.zeros((count, 2))  # px per second, smoothed
        self.seen_s = np.full(count, -math.inf)

    def observe(self, position: np.ndarray, seen: np.ndarray, trust: np.ndarray, size_px: float, time_s: float,
                settings: Smoother) -> None:
        """Take in `position` (V, 2) px of the joints `seen` (V,) bool; `trust` (V,) 0..1 scales the cutoffs."""
        elapsed_s = time_s - self.seen_s  # (V,)
        anew = seen & (elapsed_s > FORGET_S)
        self.position[anew], self.velocity[anew] = position[anew], 0.0
        on = seen & ~anew
        elapsed_s = np.maximum(elapsed_s[on], 1e-6)[:, None]  # two frames may bear one time stamp

        velocity = (position[on] - self.position[on]) / elapsed_s
        self.velocity[on] += _share(SPEED_CUTOFF_HZ, elapsed_s) * (velocity - self.velocity[on])
        # One speed for x and y: with a cutoff each, a path that is not along an axis would be bent.
        speed = np.linalg.norm(self.velocity[on], axis=1, keepdims=True) / size_px
        cutoff_hz = (settings.min_cutoff_hz + settings.beta * speed) * trust[on][:, None]
        self.position[on] += _share(cutoff_hz, elapsed_s) * (position[on] - self.position[on])
        self.seen_s[seen] = time_s


def _share(cutoff_hz: np.ndarray | float, elapsed_s: np.ndarray) -> np.ndarray:
    """How much of a new value a low-pass filter of this cutoff takes in after elapsed_s."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * elapsed_s))
