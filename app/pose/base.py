"""What every pose estimator gives: the people in one frame."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.capture import Frame

# COCO-17, in the order in which every estimator here gives its keypoints.
LAYOUT = "coco17"
JOINT_COUNT = 17


@dataclass(frozen=True)
class Pose:
    """One person in one frame.

    keypoints: (V, 3) float32, x and y in pixels of the source frame, confidence in 0..1.
    box: (4,) float32, x1, y1, x2, y2 in pixels; may reach over the edge of the frame.
    score: how sure the estimator is that this is a person, 0..1.
    """

    keypoints: np.ndarray
    box: np.ndarray
    score: float


class PoseEstimator(Protocol):
    """Finds the people in a frame. May keep state from frame to frame, so frames come in order."""

    name: str  # what runs, in words that a user recognises

    def estimate(self, frame: Frame) -> list[Pose]:
        """The people in `frame`, COCO-17, in pixels of the frame; empty when nobody is in view."""
        ...

    def reset(self) -> None:
        """Forget what earlier frames told: the next frame belongs to another video."""
        ...
