"""Kinetics-skeleton: 400 actions from internet videos, 18 joints by OpenPose; a JSON file a clip.

{"data": [{"frame_index": int, "skeleton": [{"pose": [x, y, ...], "score": [...]}, ...]}, ...],
"label": str, "label_index": int}; x and y are shares of the picture, a missing joint has score 0. Beside each
folder of clips, kinetics_train and kinetics_val, lies the list of its clips: kinetics_train_label.json,
{clip: {"has_skeleton": bool, "label": str, "label_index": int}}.
Source: the ST-GCN paper, section 4.1, and github.com/yysijie/st-gcn, feeder/feeder_kinetics.py.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from stgcn.data import Clip, Part
from stgcn.graph import get_layout
from stgcn.readers.common import check_label, check_layout, files_in, joined

FPS = 30.0  # the videos were brought to this rate and size
SIZE = (340, 256)  # width, height
SUFFIX = ".json"


def read(path: str | Path, layout: str, side: str, split: int) -> Part:
    """All clips of the folder `path`, which is a side by itself. In each frame, the person with the greatest
    mean score is the first: the format does not say who is who from frame to frame.

    ValueError: a split other than 1; there is no folder, no clip or no list of clips; one of them is of
    another form; joints of another layout; or a label that the list of clips does not have.
    """
    if split != 1:
        raise ValueError(f"Kinetics-skeleton has one split, 1, not {split!r}")
    classes = _classes(Path(f"{path}_label{SUFFIX}"))
    return Part(classes, [read_clip(file, layout, len(classes)) for file in files_in(path, SUFFIX)])


def read_clip(path: Path, layout: str, classes: int) -> Clip:
    """One clip. ValueError that names it: of another form, of another layout, or its label is no class."""
    content = _json(path)
    joints = len(get_layout(layout).joints)
    try:
        label = int(content["label_index"])
        frames = [(int(frame["frame_index"]), _people(frame["skeleton"])) for frame in content["data"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a Kinetics-skeleton clip ({error!r})") from error
    if not frames:
        raise ValueError(f"{path} has no frames")
    check_label(str(path), label, classes)
    for _, people in frames:
        for person in people:
            check_layout(path, person.shape, layout)
    seen = [(index, joined(people, layout)) for index, people in frames if people]
    return Clip(
        name=path.stem,
        label=label,
        times=np.array([index for index, _ in seen], np.float64) / FPS,
        keypoints=np.array([keypoints for _, keypoints in seen] or np.empty((0, joints, 3)), np.float32),
        end_s=frames[-1][0] / FPS,
        size=SIZE,
    )


def _people(skeletons: list[dict[str, Any]]) -> list[np.ndarray]:
    """(V, 3), in pixels, of everybody in a frame, by mean score, greatest first."""
    people = [np.column_stack([np.array(skeleton["pose"], np.float32).reshape(-1, 2) * SIZE,
                               np.array(skeleton["score"], np.float32)]) for skeleton in skeletons]  # fmt: skip
    return sorted(people, key=lambda person: person[:, 2].mean(), reverse=True)


def _classes(path: Path) -> tuple[str, ...]:
    content = _json(path)
    try:
        names = {int(clip["label_index"]): str(clip["label"]) for clip in content.values()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a list of Kinetics-skeleton clips ({error!r})") from error
    if sorted(names) != list(range(len(names))) or not names:
        raise ValueError(f"{path}: its labels are not 0, 1, 2, ... without a gap")
    return tuple(names[index] for index in range(len(names)))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
