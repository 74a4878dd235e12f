"""Skeleton action recognition with spatial temporal graph convolutional networks (ST-GCN)."""

from stgcn.checkpoint import Checkpoint, CheckpointError, load, save
from stgcn.model import STGCN

__all__ = ["STGCN", "Checkpoint", "CheckpointError", "load", "save"]
