"""Folders of the project's own skeleton files, with a CSV that says which clips train and which test."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stgcn import skeleton_files
from stgcn.data import Clip, Part
from stgcn.graph import SEVERAL, get_layout
from stgcn.joints import jhmdb15_from_coco17
from stgcn.readers.common import joined
from stgcn.skeleton_files import RecordedFrame

SKELETON_SUFFIX = ".skeletons.jsonl"
CONVERTED = {"jhmdb15": ("coco17", jhmdb15_from_coco17)}  # joints that no pose estimator finds, from those it finds


@dataclass(frozen=True)
class Splits:
    """Official division of a data set: the class of each clip, and which clips train and which test."""

    classes: tuple[str, ...]  # sorted
    labels: dict[str, int]  # clip name -> index into classes
    train: tuple[str, ...]
    test: tuple[str, ...]


def read(path: str | Path, layout: str, side: str, split: int, splits: str | Path) -> Part:
    """The clips of one side, from the folder `path`. ValueError: see `read_splits` and `read_folder`."""
    division = read_splits(splits, split)
    names = {"train": division.train, "test": division.test}[side]
    return Part(division.classes, read_folder(path, names, division, layout))


def read_splits(path: str | Path, split: int) -> Splits:
    """Read a CSV with the columns video, class, split1, split2, ... (there "train", "test" or nothing).

    ValueError: the file is missing, has other columns or values, or one side of the split is empty.
    """
    rows = _rows(Path(path), ("video", "class", f"split{split}"))
    side = {row["video"]: row[f"split{split}"] for row in rows}
    unknown = set(side.values()) - {"train", "test", ""}
    if unknown:
        raise ValueError(f"{path}: split{split} holds {min(unknown)!r}; it may hold train, test or nothing")
    classes = tuple(sorted({row["class"] for row in rows}))
    train, test = (tuple(name for name in side if side[name] == wanted) for wanted in ("train", "test"))
    if not (train and test):
        raise ValueError(f"{path}: split{split} has {len(train)} training and {len(test)} test clips")
    return Splits(classes, {row["video"]: classes.index(row["class"]) for row in rows}, train, test)


def read_folder(folder: str | Path, names: Sequence[str], splits: Splits, layout: str) -> list[Clip]:
    """The named clips from a folder of skeleton files: `wave/foo.mp4` is `folder/wave/foo.skeletons.jsonl`.

    ValueError: the folder is missing, holds no skeleton files, lacks one of the clips, or a file is bad.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; extract skeletons into it first")
    paths = {name: path_of(folder, name) for name in names}
    missing = [name for name, path in paths.items() if not path.is_file()]
    if missing:
        if not any(folder.rglob(f"*{SKELETON_SUFFIX}")):
            raise ValueError(f"folder {folder} holds no skeleton files (*{SKELETON_SUFFIX})")
        raise ValueError(f"folder {folder} lacks {len(missing)} of {len(names)} clips, first {missing[0]}")
    return [read_clip(path, name, splits.labels[name], layout) for name, path in paths.items()]


def path_of(folder: Path, name: str) -> Path:
    """Where the skeletons of the clip `wave/foo.mp4` are: in `folder/wave/foo.skeletons.jsonl`."""
    return (folder / name).with_suffix(SKELETON_SUFFIX)


def read_clip(path: str | Path, name: str, label: int, layout: str) -> Clip:
    """The main people of a skeleton file: the tracks with the largest sum of score x box area.

    layout: of the file, or of CONVERTED; for several people, of as many.
    ValueError: see `stgcn.skeleton_files.read`.
    """
    single, people = layout.partition(SEVERAL)[0], get_layout(layout).people
    recorded, convert = CONVERTED.get(single, (single, np.asarray))
    header, frames = skeleton_files.read(path, recorded)
    frames = list(frames)
    tracks = _main_tracks(frames, people) or [{}]
    times = sorted({time_s for track in tracks for time_s in track})
    nobody = np.zeros(get_layout(recorded).shape, np.float32)  # (V, 3)
    found = [convert(np.array([track.get(time_s, nobody) for time_s in times], np.float32).reshape(-1, *nobody.shape))
             for track in tracks]  # (n, V, 3) each
    return Clip(
        name=name,
        label=label,
        times=np.array(times, np.float64),
        keypoints=joined(found, layout),
        end_s=frames[-1].time_s if frames else 0.0,
        size=header.size,
    )


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"the list of splits {path} cannot be read: {error}") from error
    for column in columns:
        if not rows or rows[0].get(column) is None:
            raise ValueError(f"the list of splits {path} has no column {column}, or no rows")
    return rows


def _main_tracks(frames: Sequence[RecordedFrame], people: int) -> list[dict[float, np.ndarray]]:
    """{time_s: keypoints} of the most prominent tracks, in the frames that have them; as many as `people`, or fewer."""
    tracks, prominence = defaultdict(dict), defaultdict(float)
    for frame in frames:
        for person in frame.people:
            x1, y1, x2, y2 = person.box.tolist()
            tracks[person.track][frame.time_s] = person.keypoints
            prominence[person.track] += person.score * (x2 - x1) * (y2 - y1)
    return [tracks[track] for track in sorted(prominence, key=prominence.get, reverse=True)[:people]]
