"""The pickle in which PYSKL and mmaction2 publish skeletons of many data sets.

{"split": {name: [frame_dir, ...]}, "annotations": [annotation, ...]}; an annotation is a dict of frame_dir
(str), total_frames (T), label (int), keypoint (M, T, V, C), C = 2 or 3, and in the picture also
keypoint_score (M, T, V) and img_shape (height, width). The format names no classes and no frame rate.
Source: "Annotation format" in tools/data/README.md of github.com/kennymotion/pyskl.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stgcn.data import Clip, Part
from stgcn.readers import safe_pickle
from stgcn.readers.common import check_layout, side_by_side

FPS = 30.0  # of most of the sets that are published like this
SIDE_NAMES = {"train": ("train",), "test": ("val", "test")}


def read(path: str | Path, layout: str, side: str, split: int | str) -> Part:
    """One side of a split. Its name in the file is made of the side's and of `split`: "xsub" finds xsub_train
    and xsub_val, 1 finds train1 and test1, and "" finds train and val or test. Classes are named by number.

    ValueError: see `safe_pickle.load`; the file is built differently; there is no such split or it is empty;
    joints of another layout; nobody in a clip; or a label is no number from 0.
    """
    content = safe_pickle.load(path)
    try:
        divisions, annotations = content["split"], content["annotations"]
        by_name = {annotation["frame_dir"]: annotation for annotation in annotations}
        labels = [_label(annotation) for annotation in annotations]
        names = divisions[_division(divisions, side, split)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path} is not a PYSKL data set: {_reason(error)}") from error
    if not names:
        raise ValueError(f"{path}: no clips {side} in split {split!r}")
    missing = [name for name in names if name not in by_name]
    if missing:
        raise ValueError(f"{path} lacks the annotations of {len(missing)} clips, first {missing[0]}")
    classes = tuple(str(label) for label in range(max(labels) + 1))
    return Part(classes, [_clip(by_name[name], layout) for name in names])


def _division(divisions: Mapping[str, Any], side: str, split: int | str) -> str:
    candidates = [name for word in SIDE_NAMES[side] for name in (f"{split}_{word}", f"{word}{split}")]
    found = [name for name in candidates if name in divisions]
    if not found:
        raise ValueError(f"no split {' or '.join(candidates)}; it has {', '.join(map(str, divisions))}")
    return found[0]


def _label(annotation: Mapping[str, Any]) -> int:
    label = annotation["label"]
    if isinstance(label, bool) or not isinstance(label, (int, np.integer)) or label < 0:
        raise ValueError(f"{annotation['frame_dir']}: label {label!r} is no number from 0")
    return int(label)


def _clip(annotation: Mapping[str, Any], layout: str) -> Clip:
    name = annotation["frame_dir"]
    try:
        people = _people(annotation)  # (M, T, V, D)
        frames = int(annotation["total_frames"])
        if people.shape[1] != frames:
            raise ValueError(f"{people.shape[1]} frames of keypoints, total_frames is {frames}")
        size = tuple(annotation["img_shape"])[1::-1] if "img_shape" in annotation else None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name}: not an annotation as PYSKL has them: {_reason(error)}") from error
    check_layout(name, people.shape[2:], layout)
    if not (people.shape[0] and frames):
        raise ValueError(f"{name}: zero people or zero frames")
    keypoints = side_by_side(people, layout)  # (T, M * V, D)
    seen = (keypoints[..., -1] != 0).any(axis=1)  # (T,); a person out of view is all zeros
    times = np.arange(frames) / FPS
    return Clip(name, _label(annotation), times[seen], keypoints[seen], end_s=times[-1], size=size)


def _people(annotation: Mapping[str, Any]) -> np.ndarray:
    """(M, T, V, D) float32, confidence last. In space there are no scores, and what is missing is zeros."""
    positions = np.asarray(annotation["keypoint"], np.float32)
    if positions.ndim != 4:
        raise ValueError(f"keypoint has the shape {positions.shape} instead of (M, T, V, C)")
    score = annotation.get("keypoint_score")
    known = positions.any(axis=-1) if score is None else np.asarray(score, np.float32)
    if known.shape != positions.shape[:-1]:
        raise ValueError(f"keypoint_score has the shape {known.shape} instead of {positions.shape[:-1]}")
    return np.concatenate([positions, known[..., None].clip(max=1)], axis=-1, dtype=np.float32)


def _reason(error: Exception) -> str:
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)
