"""Recordings of single people in front of a webcam: COCO-17, x and y in shares of the picture, and presence.

An archive as in `stgcn.readers.npz`, with three values a joint. It has one split, 1: recordings with an odd index test.
"""

from pathlib import Path

import numpy as np

from stgcn.data import Clip, Part
from stgcn.readers import npz
from stgcn.readers.common import check_label, check_layout, joined

FPS = 10.0  # about
ASPECT = 4 / 3  # width of the picture by its height


def is_test(index: int) -> bool:
    """Whether a recording, by its index in the archive, is held out."""
    return index % 2 == 1


def read(path: str | Path, layout: str, side: str, split: int) -> Part:
    """One side, recordings in which somebody does one thing throughout. ValueError: another split, or see npz."""
    if split != 1:
        raise ValueError(f"{path} has one split, 1, not {split!r}")
    arrays = npz.load(path, ())
    check_layout(path, arrays["keypoints"].shape[1:], layout)
    classes = tuple(str(name) for name in arrays["class_names"])
    clips = []
    for i, (start, stop) in enumerate(zip(arrays["offsets"], arrays["offsets"][1:])):
        check_label(f"recording {i}", int(arrays["label"][i]), len(classes))
        if is_test(i) != (side == "test") or start == stop:
            continue
        keypoints = arrays["keypoints"][start:stop] * np.array([ASPECT, 1, 1], np.float32)  # (n, V, 3)
        times = np.arange(len(keypoints)) / FPS
        keypoints = joined([keypoints], layout)
        clips.append(Clip(f"recording {i}", int(arrays["label"][i]), times, keypoints, end_s=times[-1]))
    return Part(classes, clips)
