"""The options that the commands share, and the models they stand for."""

import argparse
import os
from pathlib import Path

import torch

import stgcn
from app import device, pose
from app.errors import UserError
from app.pose.base import PoseEstimator

DEFAULT_ACTIONS = Path(__file__).parent.parent / "checkpoints" / "stgcn-webcam.pth"


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """`--actions`, `--pose`, `--pose-weights`, `--detector-weights`, `--device`."""
    models = parser.add_argument_group("models")
    models.add_argument("--actions", type=Path, default=DEFAULT_ACTIONS, metavar="CKPT",
                        help="action checkpoint (default: %(default)s)")
    models.add_argument("--pose", default="auto", metavar="auto|mmpose|movenet|CONFIG.py",
                        help="pose estimator: mmpose (RTMDet and RTMPose), movenet (bundled fallback), any MMPose "
                             "config, or auto: mmpose where its weights can be had, else movenet (default: auto)")
    models.add_argument("--pose-weights", type=Path, metavar="FILE",
                        help="weights of CONFIG.py (default: the .pth of the same name beside it)")
    models.add_argument("--detector-weights", type=Path, metavar="FILE",
                        help="RTMDet-nano weights for top-down pose models (default: the official ones, downloaded)")
    models.add_argument("--device", default="auto", metavar="auto|cpu|cuda[:N]",
                        help="where the networks run (default: auto, the GPU when there is one)")


def load_actions(args: argparse.Namespace) -> stgcn.Checkpoint:
    """The action checkpoint that `args` names. Raises UserError."""
    try:
        return stgcn.load(args.actions)
    except ValueError as error:
        raise UserError(str(error)) from None


def load_pose(args: argparse.Namespace) -> PoseEstimator:
    """The pose estimator that `args` names. Raises UserError."""
    return pose.create(args.pose, args.pose_weights, args.detector_weights, load_device(args))


def load_device(args: argparse.Namespace) -> str:
    """The processor that `args` names, checked. Raises UserError."""
    # Torch's threads wait for one another in a busy loop: with one per core, pose and actions at the same time
    # (or any other program) slow each other down many times over.
    torch.set_num_threads(max(1, os.cpu_count() // 2))
    return device.choose(args.device)
