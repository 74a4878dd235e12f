"""Keypoints of the people in a frame: MMPose where its weights are at hand, otherwise MoveNet."""

import sys
from pathlib import Path

from app import assets
from app.errors import UserError
from app.pose.base import Pose, PoseEstimator

__all__ = ["Pose", "PoseEstimator", "create"]

# Named assets: the pose network that is quick on a CPU, and the detector that goes with it.
MMPOSE_ASSET, DETECTOR_ASSET, MOVENET_ASSET = "rtmpose-s", "rtmdet-nano", "movenet-multipose"


def create(
    choice: str = "auto", weights: Path | None = None, detector_weights: Path | None = None, device: str = "cpu"
) -> PoseEstimator:
    """The pose estimator that a user asks for.

    choice: `auto`, `mmpose`, `movenet`, or the path of an MMPose config (.py).
    weights: checkpoint of that config; without it, the .pth file beside the config that has the same name.
    detector_weights: RTMDet-nano checkpoint for top-down models; without it, the official one is fetched.
    Raises UserError when the choice is unknown or its weights cannot be had.
    """
    if choice.endswith(".py"):
        return _mmpose(Path(choice), weights or Path(choice).with_suffix(".pth"), detector_weights, device)
    if weights:
        raise UserError("--pose-weights goes with a config; add --pose CONFIG.py")
    if choice == "movenet":
        return _movenet()
    if choice == "mmpose":
        return _default_mmpose(detector_weights, device)
    if choice == "auto":
        return _auto(detector_weights, device)
    raise UserError(f"unknown pose estimator {choice!r}; choose auto, mmpose, movenet, or an MMPose config (.py)")


def _auto(detector_weights: Path | None, device: str) -> PoseEstimator:
    try:
        estimator = _default_mmpose(detector_weights, device)
        why = "its weights are here"
    except UserError:
        estimator = _movenet()
        why = "MMPose's weights are neither here nor to be fetched"
    print(f"pose: {estimator.name}, because {why}; choose with --pose mmpose, movenet or CONFIG.py", file=sys.stderr)
    return estimator


def _default_mmpose(detector_weights: Path | None, device: str) -> PoseEstimator:
    weights = assets.get(MMPOSE_ASSET)
    from app.pose.mmpose import MMPOSE_CONFIGS

    return _mmpose(MMPOSE_CONFIGS / assets.ASSETS[MMPOSE_ASSET].config, weights, detector_weights, device)


def _mmpose(config: Path, weights: Path, detector_weights: Path | None, device: str) -> PoseEstimator:
    from app.pose import mmpose  # seconds to import; MoveNet does without

    if mmpose.is_top_down(config) and not detector_weights:
        detector_weights = assets.get(DETECTOR_ASSET)
    return mmpose.build(config, weights, detector_weights, device)


def _movenet() -> PoseEstimator:
    from app.pose.movenet import MoveNetEstimator

    return MoveNetEstimator(assets.get(MOVENET_ASSET))
