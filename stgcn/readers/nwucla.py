"""Northwestern-UCLA: 10 actions from three sides, 20 joints in space by the first Kinect (metres, y up).

An archive as in `stgcn.readers.npz` with also split (N,), "train" (views 1 and 2) or "val" (view 3), and
name (N,). A few clips have a single frame.
"""

from pathlib import Path

import numpy as np

from stgcn.data import Part
from stgcn.readers import npz

FPS = 30.0
NAMES = {"train": "train", "test": "val"}


def read(path: str | Path, layout: str, side: str, split: int) -> Part:
    """One side of the official cross-view split, the only one. ValueError: see `stgcn.readers.npz`."""
    if split != 1:
        raise ValueError(f"Northwestern-UCLA has one split, 1, not {split!r}")
    arrays = npz.load(path, ("split", "name"))
    chosen = np.flatnonzero(arrays["split"] == NAMES[side])
    return npz.part(path, arrays, chosen, [str(name) for name in arrays["name"]], layout, FPS)
