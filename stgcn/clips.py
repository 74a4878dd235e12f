"""Clips that are no live view of a picture: joints in space."""

from dataclasses import asdict

import numpy as np

from stgcn.graph import get_layout
from stgcn.preprocess import Preprocess

# Measured by depth cameras, with three coordinates a joint; every other layout has two, in a picture.
SPATIAL_LAYOUTS = ("ntu25", "kinect20")


class Preprocess3D(Preprocess):
    """`Preprocess` for joints in space: keypoints are (n, V, 4), x, y, z and confidence 0..1."""

    def resample(self, times: np.ndarray, keypoints: np.ndarray, end_s: float) -> np.ndarray:
        """As `Preprocess.resample`: (n, V, 4) -> (T, V, 4), an unobserved joint is (0, 0, 0, 0)."""
        keypoints = np.asarray(keypoints, np.float32)
        if keypoints.shape[2:] != (4,):
            raise ValueError(f"keypoints are {keypoints.shape}; {self.layout} needs x, y, z and confidence")
        plane = super().resample(times, keypoints[..., [0, 1, 3]], end_s)  # (T, V, 3): x, y, confidence
        depth = super().resample(times, keypoints[..., [2, 2, 3]], end_s)  # (T, V, 3): z, z, confidence
        return np.concatenate([plane[..., :2], depth[..., 1:]], axis=-1)

    def normalise(self, keypoints: np.ndarray) -> np.ndarray:
        """(T, V, 4) -> (C, T, V) float32: x, y, z from the shoulders' place, in body heights; confidence.

        An unobserved joint is (0, 0, 0, 0). The axes keep their directions: a person seen from another side
        looks different.
        """
        seen = keypoints[..., 3] > 0  # (T, V)
        if not seen.any():
            return np.zeros((4, *seen.shape), np.float32)
        positions = keypoints[..., :3]
        normalised = np.array(keypoints, np.float32)
        normalised[..., :3] = (positions - self._centre(positions, seen)) / self._height(positions, seen)
        normalised[~seen] = 0
        return np.ascontiguousarray(normalised.transpose(2, 0, 1))  # (C, T, V)


def for_layout(preprocess: Preprocess) -> Preprocess:
    """The same settings in the class that the layout needs."""
    return Preprocess3D(**asdict(preprocess)) if preprocess.layout in SPATIAL_LAYOUTS else preprocess


def joint_shape(layout: str) -> tuple[int, int]:
    """(V, D): number of joints; and of values of each in a clip, or channels of a window, confidence last."""
    return len(get_layout(layout).joints), 4 if layout in SPATIAL_LAYOUTS else 3
