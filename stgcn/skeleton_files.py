"""Reading skeleton files: everybody's keypoints over time, in JSON Lines.

The first line is a header; then comes an object per frame, in the order of time:
{"frame": int, "time_s": float, "people": [{"track": int, "score": float, "box": [x1, y1, x2, y2],
"keypoints": [[x, y, confidence] * V]}]}
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stgcn.graph import get_layout

FORMAT_VERSION = 1


@dataclass(frozen=True)
class SkeletonHeader:
    """First line of a skeleton file. fps: None where the source has no fixed rate. size: (width, height) px."""

    fps: float | None
    size: tuple[int, int]
    source: str
    layout: str = "coco17"
    skeletons: int = FORMAT_VERSION


@dataclass(frozen=True, eq=False)
class RecordedPerson:
    """One person in one frame: keypoints (V, 3) x, y in pixels and confidence 0..1; box (4,) in pixels."""

    track: int
    score: float
    box: np.ndarray
    keypoints: np.ndarray


@dataclass(frozen=True, eq=False)
class RecordedFrame:
    """The people of one frame, at `time_s` seconds."""

    index: int
    time_s: float
    people: tuple[RecordedPerson, ...]


def read(path: str | Path, layout: str) -> tuple[SkeletonHeader, Iterator[RecordedFrame]]:
    """The header of a skeleton file and its frames, one by one.

    ValueError that names the line, here or while the frames are read: the file cannot be read, is of another
    kind, holds another layout than `layout`, numbers that are not finite, or times that do not ascend.
    """
    lines = _json_lines(path)
    first = next(lines, None)
    try:
        header = SkeletonHeader(**{**first, "size": tuple(first["size"])})
    except (TypeError, KeyError):
        raise ValueError(f"{path} is not a skeleton file: its first line is no header; make one with "
                         "python -m app.video VIDEO --skeletons FILE") from None
    if (header.skeletons, header.layout) != (FORMAT_VERSION, layout):
        raise ValueError(f"{path} holds {header.layout} skeletons in format {header.skeletons}; "
                         f"{layout} in format {FORMAT_VERSION} is needed here")
    return header, _frames(path, lines, len(get_layout(layout).joints))


def _json_lines(path: str | Path) -> Iterator[Any]:
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    problem = "is not JSON; the file is cut off or of another kind"
                    raise ValueError(f"{path} line {number} {problem}") from None
    except OSError as error:
        raise ValueError(f"cannot read {path} as a skeleton file ({error.strerror.lower()})") from None
    except UnicodeDecodeError:
        raise ValueError(f"cannot read {path} as a skeleton file: it is not text") from None


def _frames(path: str | Path, lines: Iterator[Any], joints: int) -> Iterator[RecordedFrame]:
    last_s = -np.inf
    for number, line in enumerate(lines, start=2):
        try:
            people = tuple(_person(person, joints) for person in line["people"])
            frame = RecordedFrame(int(line["frame"]), float(line["time_s"]), people)
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"{path} line {number} is not a frame of skeletons ({error!r})") from None
        if not last_s < frame.time_s < np.inf:
            raise ValueError(f"{path} line {number}: time_s does not ascend; sort the frames by time")
        last_s = frame.time_s
        yield frame


def _person(person: dict[str, Any], joints: int) -> RecordedPerson:
    keypoints, box = np.array(person["keypoints"], np.float32), np.array(person["box"], np.float32)
    if keypoints.shape != (joints, 3) or box.shape != (4,):
        raise ValueError(f"keypoints are {joints} x (x, y, confidence), a box is (x1, y1, x2, y2)")
    if not (np.isfinite(keypoints).all() and np.isfinite(box).all()):
        raise ValueError("a joint or a box is NaN or infinite")
    return RecordedPerson(int(person["track"]), float(person["score"]), box, keypoints)
