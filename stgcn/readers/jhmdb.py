"""J-HMDB's ground truth: 21 actions, 15 joints in the picture, annotated by people; three official splits.

An archive as in `stgcn.readers.npz` with also splits (N, 3), 1 where a clip trains and 2 where it tests, and
video (N,), the clip's name or nothing. Positions are the set's own `pos_world`: from the picture's middle, in
sizes of its puppet, y down.
"""

from pathlib import Path

import numpy as np

from stgcn.data import Part
from stgcn.readers import npz

FPS = 30.0
CODES = {"train": 1, "test": 2}


def read(path: str | Path, layout: str, side: str, split: int) -> Part:
    """One side of official split 1, 2 or 3. ValueError: another split, and see `stgcn.readers.npz`."""
    arrays = npz.load(path, ("splits", "video"))
    columns = arrays["splits"].shape[1]
    if split not in range(1, columns + 1):
        raise ValueError(f"{path} has the splits 1 to {columns}, not {split!r}")
    chosen = np.flatnonzero(arrays["splits"][:, split - 1] == CODES[side])
    names = [str(video) or f"clip {i}" for i, video in enumerate(arrays["video"])]
    return npz.part(path, arrays, chosen, names, layout, FPS)
