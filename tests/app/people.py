"""People made of numbers, for tests of what comes after the pose estimator."""

import numpy as np

from app.pose import Pose
from app.skeletons import SkeletonFrame
from app.tracking import Track

# COCO-17 joints of somebody upright, in body heights: (17, 2)
UPRIGHT = np.array([
    (0.5, 0.07), (0.52, 0.05), (0.48, 0.05), (0.54, 0.06), (0.46, 0.06), (0.615, 0.18), (0.385, 0.18),
    (0.63, 0.35), (0.37, 0.35), (0.64, 0.5), (0.36, 0.5), (0.58, 0.47), (0.42, 0.47), (0.58, 0.71),
    (0.42, 0.71), (0.58, 0.96), (0.42, 0.96),
])  # fmt: skip
RIGHT_WRIST = 10


def person(time_s: float, x: float = 100.0, height: float = 200.0, waves: bool = False) -> Pose:
    """Somebody who stands at `x` px, `height` px tall, and swings the right hand when `waves`."""
    keypoints = np.ones((17, 3), np.float32)
    keypoints[:, :2] = UPRIGHT * height + (x, 20)
    if waves:
        keypoints[RIGHT_WRIST, :2] = x + height * (0.3 + 0.1 * np.sin(4 * np.pi * time_s)), 30
    low, high = keypoints[:, :2].min(axis=0), keypoints[:, :2].max(axis=0)
    return Pose(keypoints, np.concatenate([low, high]).astype(np.float32), 0.9)


def skeletons(times: np.ndarray, **kwargs) -> list[SkeletonFrame]:
    """Frames of one person, track 1."""
    return [SkeletonFrame.of(index, float(time_s), [Track(1, person(time_s, **kwargs), float(time_s))])
            for index, time_s in enumerate(times)]
