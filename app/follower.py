"""From poses to skeletons: who is who from frame to frame, and steadier keypoints. No clock: time comes with frames.

Cameras, videos and clips to teach with go through the same steps, so that a network learns from what it will see.
"""

from app.pose.base import Pose
from app.skeletons import SkeletonFrame
from app.smoothing import Smoother
from app.tracking import Tracker


class Follower:
    """Follows people through a video. One instance per video.

    smoothing: whether keypoints are smoothed (`app/smoothing.py`).
    """

    def __init__(self, smoothing: bool = True):
        self._tracker = Tracker()
        self._smoother = Smoother() if smoothing else None

    def update(self, index: int, time_s: float, poses: list[Pose]) -> SkeletonFrame:
        """The skeletons of frame `index`, captured at `time_s`. Frames come in the order of time."""
        tracks = self._tracker.update(poses, time_s)
        if self._smoother:
            tracks = self._smoother.update(tracks, time_s)
        return SkeletonFrame.of(index, time_s, tracks)
