"""Variants of a recorded person for training: other sides, speeds, viewpoints, cameras and desks.

Functions on times (n,) in seconds and keypoints (n, V, D), n >= 1: x and y in a picture (D = 3), or x, y
and z in space (D = 4), in any unit; then confidence 0..1. They return new arrays. Positions have no bounds,
since preprocessing removes place and size. A joint that is not in view has confidence 0. People side by side
(`stgcn.graph.Layout.several`) are varied as one: the same camera sees them.
docs/augmentation.md has a picture of each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from stgcn.body import body_centre, body_height
from stgcn.graph import Layout, get_layout
from stgcn.noise import frame_rate, wander

BELOW_HIPS = ("knee", "ankle", "foot")
HIPS = ("hip",)
SHAKY = 3.0
# How far from somebody close to a camera the picture ends: aside, above and below of the shoulders, in body heights.
ASIDE, ABOVE, BELOW = (0.25, 0.8), (0.28, 0.8), (0.1, 0.6)


def mirror(keypoints: np.ndarray, layout: Layout) -> np.ndarray:
    """As in a mirror: x changes its sign, left and right joints change places."""
    mirrored = keypoints[:, list(layout.mirrored)]
    mirrored[..., 0] *= -1
    return mirrored


def change_speed(times: np.ndarray, factor: float) -> np.ndarray:
    """The same movement `factor` times as fast, ending at the same moment."""
    return times[-1] + (times - times[-1]) / factor


def crop(rng: Generator, times: np.ndarray, keypoints: np.ndarray, share: float):
    """A stretch of `share` (0..1] of the recording's duration from a random place; at least one frame."""
    spare_s = (times[-1] - times[0]) * (1 - share)
    start_s = times[0] + rng.uniform(0, spare_s)
    end_s = times[-1] - (times[0] + spare_s - start_s)
    kept = (times >= start_s) & (times <= end_s)
    kept[np.abs(times - start_s).argmin()] = True
    return times[kept], keypoints[kept]


def thin(rng: Generator, times: np.ndarray, keypoints: np.ndarray, fps: float):
    """What a camera of that rate would have seen: the first frame of each of its intervals."""
    interval = np.floor((times - times[0]) * fps + rng.uniform())
    kept = np.diff(interval, prepend=interval[0] - 1) > 0
    return times[kept], keypoints[kept]


def transform(
    keypoints: np.ndarray, rotation_rad: float = 0, scale: tuple[float, float] = (1, 1), shear: float = 0
) -> np.ndarray:
    """About the body's middle: shear of x along y, then scaling, then rotation from x towards y."""
    matrix = _rotation(rotation_rad) @ np.diag(scale) @ np.array([[1, shear], [0, 1]])
    return _map_plane(keypoints, [0, 1], matrix)


def turn(keypoints: np.ndarray, angle_rad: float) -> np.ndarray:
    """In space only: seen from another side, by a rotation from x towards z about the body's middle."""
    return _map_plane(keypoints, [0, 2], _rotation(angle_rad))


def tilt(keypoints: np.ndarray, angle_rad: float) -> np.ndarray:
    """In space only: seen from higher or lower, by a rotation from y towards z about the body's middle."""
    return _map_plane(keypoints, [1, 2], _rotation(angle_rad))


def pan(times: np.ndarray, keypoints: np.ndarray, speed: tuple[float, ...]) -> np.ndarray:
    """As a moving camera sees it: the body drifts through the picture, in body extents a second along each axis."""
    drift = (times - times[-1])[:, None] * np.array(speed) * _extent(keypoints)  # (n, D - 1)
    panned = keypoints.copy()
    panned[..., :-1] += np.where(keypoints[..., -1:] > 0, drift[:, None], 0)
    return panned


def add_noise(
    rng: Generator, times: np.ndarray, keypoints: np.ndarray, position: float, confidence: float, memory_s: float = 0
) -> np.ndarray:
    """Normal noise on joints in view. Standard deviations: a share of the body's extent; a share of 1.

    memory_s: for which that of positions resembles itself, as after smoothing; 0, each frame's is its own.
    """
    seen = keypoints[..., -1] > 0  # (n, V)
    noisy = keypoints.copy()
    noise = position * _extent(keypoints) * wander(rng, keypoints[..., :-1].shape, memory_s, frame_rate(times))
    noisy[..., :-1] += seen[..., None] * noise
    confidences = keypoints[..., -1] + rng.normal(0, confidence, seen.shape)
    noisy[..., -1] = np.where(seen, np.clip(confidences, 0, 1), 0)
    return noisy


def drop_joints(rng: Generator, keypoints: np.ndarray, probability: float) -> np.ndarray:
    """Each joint disappears with that probability, for a random stretch of the time."""
    n, joints, _ = keypoints.shape
    dropped = keypoints.copy()
    for joint in np.flatnonzero(rng.random(joints) < probability):
        start, stop = np.sort(rng.integers(0, n + 1, 2))
        dropped[start:stop, joint] = 0
    return dropped


def hide_legs(keypoints: np.ndarray, layout: Layout, hips: bool) -> np.ndarray:
    """What a camera on a desk sees: nothing below the hips, and without `hips` not those either."""
    hidden = BELOW_HIPS + (() if hips else HIPS)
    kept = keypoints.copy()
    kept[:, [any(part in joint for part in hidden) for joint in layout.joints]] = 0
    return kept


def cut(keypoints: np.ndarray, layout: Layout, edges: tuple[float, float, float, float]) -> np.ndarray:
    """What a picture shows of somebody close to its camera: nothing beyond its edges.

    edges: how far left, above, right and below of the shoulders' usual place they are, in body heights.
    """
    left, above, right, below = np.multiply(edges, body_height(keypoints, layout.name))
    x, y = np.moveaxis(keypoints[..., :2] - body_centre(keypoints, layout.name)[:2], -1, 0)  # (n, V)
    inside = (-left <= x) & (x <= right) & (-above <= y) & (y <= below)
    return np.where(inside[..., None], keypoints, 0)


def _rotation(angle_rad: float) -> np.ndarray:
    """(2, 2), from the first axis towards the second."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cos, -sin], [sin, cos]])


def _map_plane(keypoints: np.ndarray, axes: list[int], matrix: np.ndarray) -> np.ndarray:
    """Two of the coordinates, of joints in view, mapped by a (2, 2) matrix about the body's middle."""
    seen = keypoints[..., -1] > 0  # (n, V)
    if not seen.any():
        return keypoints.copy()
    positions = keypoints[..., axes]
    middle = positions[seen].mean(axis=0)
    changed = keypoints.copy()
    changed[..., axes] = np.where(seen[..., None], (positions - middle) @ matrix.T + middle, positions)
    return changed


def _extent(keypoints: np.ndarray) -> float:
    """Largest side of the box around the joints in view; the median over frames that have any."""
    present = keypoints[(keypoints[..., -1] > 0).any(axis=1)]  # (n', V, D)
    if not len(present):
        return 0.0
    seen, positions = present[..., -1:] > 0, present[..., :-1]
    highest = np.where(seen, positions, -np.inf).max(axis=1)  # (n', D - 1)
    lowest = np.where(seen, positions, np.inf).min(axis=1)
    return float(np.median((highest - lowest).max(axis=1)))


@dataclass(frozen=True)
class Augment:
    """How often and how strongly training samples are varied.

    Probabilities, 0..1: mirror; crop; thin; shaky (somebody far away or blurred: SHAKY times the noise); hide_legs;
    hide_hips (given that legs are hidden); close (the picture ends at ASIDE, ABOVE and BELOW, for joints in a picture
    only); drop_joint (of each joint); pan. Ranges from which a value is drawn:
    crop_share of the duration, speed factor, thin_fps in frames per second, aspect (width over height, as a factor).
    Largest values in either direction: rotation_deg; turn_deg and tilt_deg, for joints in space only; shear. Standard
    deviations: position_noise in body extents, which resembles itself for noise_memory_s; confidence_noise; pan_speed
    in body extents a second.

    ValueError: a number out of its range.
    """

    mirror: float = 0.5
    crop: float = 0.5
    crop_share: tuple[float, float] = (0.6, 1.0)
    speed: tuple[float, float] = (0.8, 1.25)
    thin: float = 0.15
    thin_fps: tuple[float, float] = (10, 15)
    rotation_deg: float = 10
    turn_deg: float = 30
    tilt_deg: float = 15
    aspect: tuple[float, float] = (0.85, 1.18)
    shear: float = 0.1
    position_noise: float = 0.005
    noise_memory_s: float = 0.0
    shaky: float = 0.0
    confidence_noise: float = 0.05
    hide_legs: float = 0.15
    hide_hips: float = 0.5
    close: float = 0.0
    drop_joint: float = 0.03
    pan: float = 0.0
    pan_speed: float = 0.3

    def __post_init__(self):
        for name in ("mirror", "crop", "thin", "shaky", "hide_legs", "hide_hips", "close", "drop_joint", "pan"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"augmentation {name} is a probability, got {getattr(self, name)}")
        for name in ("crop_share", "speed", "thin_fps", "aspect"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"augmentation {name} is a range (low, high) above 0, got {(low, high)}")
        for name in ("rotation_deg", "turn_deg", "tilt_deg", "shear", "position_noise", "noise_memory_s",
                     "confidence_noise", "pan_speed"):  # fmt: skip
            if getattr(self, name) < 0:
                raise ValueError(f"augmentation {name} may not be negative, got {getattr(self, name)}")
        if self.crop_share[1] > 1:
            raise ValueError(f"augmentation crop_share may not exceed 1, got {self.crop_share}")

    def __call__(self, rng: Generator, layout: str, times: np.ndarray, keypoints: np.ndarray):
        """One variant: times (n',), keypoints (n', V, D) with 1 <= n' <= n."""
        return self.seen_by_a_camera(rng, layout, *self.performed(rng, times, keypoints))

    def performed(self, rng: Generator, times: np.ndarray, keypoints: np.ndarray):
        """As somebody else would have done it: a part of it, faster or slower."""
        if rng.random() < self.crop:
            times, keypoints = crop(rng, times, keypoints, rng.uniform(*self.crop_share))
        return change_speed(times, rng.uniform(*self.speed)), keypoints

    def seen_by_a_camera(self, rng: Generator, layout: str, times: np.ndarray, keypoints: np.ndarray):
        """As another camera and pose estimator would have seen it, and the same body mirrored or of other shape."""
        skeleton = get_layout(layout)
        if rng.random() < self.thin:
            times, keypoints = thin(rng, times, keypoints, rng.uniform(*self.thin_fps))
        if rng.random() < self.mirror:
            keypoints = mirror(keypoints, skeleton)
        if keypoints.shape[-1] == 4:
            keypoints = turn(keypoints, np.deg2rad(rng.uniform(-self.turn_deg, self.turn_deg)))
            keypoints = tilt(keypoints, np.deg2rad(rng.uniform(-self.tilt_deg, self.tilt_deg)))
        stretch = np.sqrt(rng.uniform(*self.aspect))
        keypoints = transform(
            keypoints,
            rotation_rad=np.deg2rad(rng.uniform(-self.rotation_deg, self.rotation_deg)),
            scale=(stretch, 1 / stretch),
            shear=rng.uniform(-self.shear, self.shear),
        )
        noise = self.position_noise * (SHAKY if self.shaky and rng.random() < self.shaky else 1)
        keypoints = add_noise(rng, times, keypoints, noise, self.confidence_noise, self.noise_memory_s)
        if rng.random() < self.hide_legs:
            keypoints = hide_legs(keypoints, skeleton, hips=rng.random() >= self.hide_hips)
        if rng.random() < self.close and keypoints.shape[-1] == 3:
            shown = cut(keypoints, skeleton, tuple(rng.uniform(*end) for end in (ASIDE, ABOVE, ASIDE, BELOW)))
            keypoints = shown if shown[-1].any() else keypoints  # somebody who walked away is nobody
        keypoints = drop_joints(rng, keypoints, self.drop_joint)
        if rng.random() < self.pan:
            keypoints = pan(times, keypoints, rng.normal(0, self.pan_speed, keypoints.shape[-1] - 1))
        return times, keypoints
