"""Sets that are stored as one archive of arrays, all clips one after another.

keypoints (sum of n, V, D - 1), offsets (N + 1,): clip i is keypoints[offsets[i]:offsets[i + 1]]; label (N,);
class_names. All joints of all frames are known.
"""

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from stgcn.data import Clip, Part
from stgcn.readers.common import check_label, check_layout, joined

ARRAYS = ("keypoints", "offsets", "label", "class_names")


def load(path: str | Path, more: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays above and `more`, which have a row a clip. No object of the file is ever executed.

    ValueError: there is no such file, it is of another kind, lacks an array, or they do not fit together.
    """
    if not Path(path).is_file():
        raise ValueError(f"there is no file {path}")
    try:
        with np.load(path, allow_pickle=False) as archive:
            wanted = (*ARRAYS, *more)
            missing = [name for name in wanted if name not in archive]
            if missing:
                raise ValueError(f"it has no array {missing[0]}")
            arrays = {name: archive[name] for name in wanted}
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a usable archive of skeletons: {error}") from error
    offsets, clips = arrays["offsets"], len(arrays["label"])
    rows = [len(arrays[name]) for name in more]
    ordered = offsets.ndim == 1 and len(offsets) == clips + 1 and (np.diff(offsets) >= 0).all()
    if not (ordered and offsets[0] == 0 and offsets[-1] == len(arrays["keypoints"]) and set(rows) <= {clips}):
        raise ValueError(f"{path}: the numbers of clips, offsets and keypoints do not fit together")
    return arrays


def part(path: str | Path, arrays: dict[str, np.ndarray], chosen: Iterable[int], names: Sequence[str],
         layout: str, fps: float) -> Part:  # fmt: skip
    """The clips with the indices `chosen`, at `fps` frames a second.

    ValueError: joints of another layout, none chosen, a clip without frames, or its label is no class.
    """
    joints, coordinates = arrays["keypoints"].shape[1:]
    check_layout(path, (joints, coordinates + 1), layout)
    classes = tuple(str(name) for name in arrays["class_names"])
    clips = [_clip(arrays, i, names[i], len(classes), fps, layout) for i in chosen]
    if not clips:
        raise ValueError(f"{path} has no clips on that side of the split")
    return Part(classes, clips)


def _clip(arrays: dict[str, np.ndarray], i: int, name: str, classes: int, fps: float, layout: str) -> Clip:
    positions = arrays["keypoints"][arrays["offsets"][i] : arrays["offsets"][i + 1]]  # (n, V, D - 1)
    if not len(positions):
        raise ValueError(f"{name} has no frames")
    check_label(name, int(arrays["label"][i]), classes)
    keypoints = np.concatenate([positions, np.ones_like(positions[..., :1])], axis=-1).astype(np.float32)
    times = np.arange(len(keypoints)) / fps
    return Clip(name, int(arrays["label"][i]), times, joined([keypoints], layout), end_s=times[-1])
