"""Made-up people as skeleton files, and networks with random weights to judge them."""

import json

import numpy as np
import torch

from stgcn.augment_pictures import waving
from stgcn.checkpoint import Checkpoint
from stgcn.data import Clip
from stgcn.graph import COCO17
from stgcn.model import STGCN
from stgcn.preprocess import Preprocess
from stgcn.streams import channels

CLASSES = ("stand", "wave", "put on a hat/cap")
PIXELS_PER_METRE, LEFT_EDGE_M = 120, 1.2


def waving_clip():
    """1.6 s of a person who waves in a picture of 320 x 240 pixels, at 30 frames a second; no left ankle."""
    times, solid = waving()
    keypoints = solid[..., [0, 1, 3]] * (PIXELS_PER_METRE, PIXELS_PER_METRE, 1)
    keypoints[..., 0] += LEFT_EDGE_M * PIXELS_PER_METRE
    keypoints[:, 15] = 0
    return Clip("waving", 1, times, keypoints.astype(np.float32), float(times[-1]), (320, 240))


def checkpoint(frames=48, temporal_kernel=3, stream="joint", seed=0):
    """A small network with random statistics, so that nothing is neutral by accident."""
    torch.manual_seed(seed)
    in_channels = channels(stream, COCO17)
    model = STGCN(len(CLASSES), in_channels=in_channels, width=4, temporal_kernel=temporal_kernel).eval()
    for tensor in model.state_dict().values():
        if tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5)
    return Checkpoint(model, Preprocess(frames=frames, stream=stream), CLASSES)


def write_skeletons(path, clip, layout="coco17"):
    """`clip` as a skeleton file; a clip of nobody has frames without people."""
    lines = [{"skeletons": 1, "layout": layout, "fps": 30, "size": clip.size, "source": "waving.mp4"}]
    for index, (time_s, joints) in enumerate(zip(clip.times, clip.keypoints)):
        person = {"track": 1, "score": 0.9, "box": [0, 0, 320, 240], "keypoints": joints.tolist()}
        people = [person] if joints.any() else []
        lines.append({"frame": index, "time_s": float(time_s), "people": people})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
