"""J-HMDB's ground truth: 21 actions, 15 joints in the picture, annotated by people; three official splits.

An archive as in `stgcn.readers.npz` with also splits (N, 3), 1 where a clip trains and 2 where it tests, and
video (N,), the clip's name or nothing. Positions are the set's own `pos_world`: from the picture's middle, in
sizes of its puppet, y down.

The archive may lack clips of the set; all_videos, all_video_label and all_video_splits then name every clip. Those
that are missing can be filled with skeletons that were estimated in their videos, for training only.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from stgcn.data import Clip, Part
from stgcn.joints import jhmdb15_from_coco17
from stgcn.readers import npz
from stgcn.readers.skeletons import Splits, read_folder

FPS = 30.0
CODES = {"train": 1, "test": 2}
ALL_CLIPS = ("all_videos", "all_video_label", "all_video_splits")


def read(path: str | Path, layout: str, side: str, split: int) -> Part:
    """One side of official split 1, 2 or 3. ValueError: another split, and see `stgcn.readers.npz`."""
    arrays = npz.load(path, ("splits", "video"))
    columns = arrays["splits"].shape[1]
    if split not in range(1, columns + 1):
        raise ValueError(f"{path} has the splits 1 to {columns}, not {split!r}")
    chosen = np.flatnonzero(arrays["splits"][:, split - 1] == CODES[side])
    names = [str(video) or f"clip {i}" for i, video in enumerate(arrays["video"])]
    return npz.part(path, arrays, chosen, names, layout, FPS)


def fill(path: str | Path, folders: Sequence[str | Path], split: int) -> list[Clip]:
    """Training clips that the archive lacks, from folders of COCO-17 skeleton files; nobody's are left out.

    Ground truth bears no sure name, so a clip is known to be missing where no ground truth has its class and its
    places in all the splits. ValueError: the archive does not name all clips, and see `read_folder`.
    """
    arrays = npz.load(path, ("splits",), beside=ALL_CLIPS)
    known = {(label, *row) for label, row in zip(arrays["label"].tolist(), arrays["splits"].tolist())}
    every = zip(arrays["all_videos"], arrays["all_video_label"].tolist(), arrays["all_video_splits"].tolist())
    labels = {str(PurePosixPath(str(video)).with_suffix(".mp4")): label for video, label, row in every
              if row[split - 1] == CODES["train"] and (label, *row) not in known}  # fmt: skip
    division = Splits(tuple(map(str, arrays["class_names"])), labels, train=tuple(labels), test=())
    clips = [clip for folder in folders for clip in read_folder(folder, division.train, division, "coco17")]
    return [replace(clip, keypoints=jhmdb15_from_coco17(clip.keypoints)) for clip in clips if len(clip.times)]
