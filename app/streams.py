"""Annotated streams: skeletons over time, and who did what from when to when. What decisions are measured against.

A stream is a skeleton file and a JSON file beside it:
{"stream": name, "skeletons": "x.skeletons.jsonl", "group": "actions" | "webcam" | "negative", "allowed": [label],
"part": name, "intervals": [{"person": int, "label": str, "start_s": float, "end_s": float}]}

`person` is a track of the skeleton file; an interval without it may be anybody's. What is `allowed` (may be left out)
happens now and then and was not annotated: to announce it is neither right nor wrong. Streams of one `part` (may be
left out) may show the same performance, seen by several pose estimators; those of different parts do not.
"""

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app import skeletons
from app.errors import UserError
from app.pose.base import LAYOUT, Pose
from app.skeletons import SkeletonFrame, SkeletonWriter
from app.tracking import Track
from stgcn.graph import get_layout
from stgcn.skeleton_files import SkeletonHeader

GROUPS = ("actions", "webcam", "negative")
IDLE = "idle"  # names of streams of made-up stillness begin with it: no recordings
SKELETON_SUFFIX, TRUTH_SUFFIX = ".skeletons.jsonl", ".stream.json"

BOX_CONFIDENCE = 0.2  # joints of at least this confidence are inside a person's box
BOX_MARGIN = 0.1  # by which a detector's box is wider than the joints, on each side, as a share of their extent
RATE_TOLERANCE = 1.01  # frame rates that differ by less are the same
LEGS = ("hip", "knee", "ankle")  # what a desk hides
RIGHT_ARM = ("right_elbow", "right_wrist")


@dataclass(frozen=True)
class Interval:
    """Somebody does `label` from start_s to end_s (seconds). person: whose track it is, None: anybody's."""

    label: str
    start_s: float
    end_s: float
    person: int | None = None


@dataclass(frozen=True, eq=False)
class Stream:
    """Skeletons of known people and what they do. Tracks of `frames` are the persons of `intervals`.

    allowed: labels that may be announced at any time, being true now and then and not annotated.
    part: name of the streams that may show the same performances; "", and it shares none with others.
    """

    name: str
    group: str
    size: tuple[int, int]
    frames: tuple[SkeletonFrame, ...]
    intervals: tuple[Interval, ...]
    allowed: tuple[str, ...] = ()
    part: str = ""

    @property
    def duration_s(self) -> float:
        """From the first frame to the last."""
        return self.frames[-1].time_s - self.frames[0].time_s

    @property
    def fps(self) -> float:
        """Frames per second, as most of them follow one another."""
        steps = np.diff([frame.time_s for frame in self.frames])
        return float(1 / np.median(steps)) if len(steps) else 30.0

    @property
    def persons(self) -> tuple[int, ...]:
        """The persons that were annotated; none where intervals may be anybody's or nothing happens."""
        return tuple(sorted({interval.person for interval in self.intervals if interval.person is not None}))


def pose_of(keypoints: np.ndarray) -> Pose:
    """A pose with the box around its joints, from keypoints (V, 3) of which one at least is in view."""
    sure = keypoints[:, 2] >= min(BOX_CONFIDENCE, keypoints[:, 2].max())
    low, high = keypoints[sure, :2].min(axis=0), keypoints[sure, :2].max(axis=0)
    margin = BOX_MARGIN * np.maximum(high - low, 1)
    box = np.concatenate([low - margin, high + margin]).astype(np.float32)
    return Pose(keypoints.astype(np.float32), box, float(keypoints[keypoints[:, 2] > 0, 2].mean()))


def save(folder: Path, stream: Stream) -> Path:
    """Write both files of a stream; the path of the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    recording = folder / f"{stream.name}{SKELETON_SUFFIX}"
    with recording.open("w", encoding="utf-8") as file:
        writer = SkeletonWriter(file, SkeletonHeader(round(stream.fps, 3), stream.size, stream.name, LAYOUT))
        for frame in stream.frames:
            writer.write(frame)
    truth = folder / f"{stream.name}{TRUTH_SUFFIX}"
    content = {"stream": stream.name, "skeletons": recording.name, "group": stream.group,
               "allowed": list(stream.allowed), "part": stream.part,
               "intervals": [_to_json(interval) for interval in stream.intervals]}
    truth.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return truth


def find(paths: Iterable[Path]) -> list[Path]:
    """The truth files among `paths`: files as they are, and those in folders. UserError: there is none."""
    found = []
    for path in paths:
        inside = sorted(path.glob(f"*{TRUTH_SUFFIX}")) if path.is_dir() else [path]
        if not inside:
            raise UserError(f"folder {path} holds no annotated streams (*{TRUTH_SUFFIX}); make some with "
                            "python -m app.make_streams")
        found += inside
    return found


def load(path: Path) -> Stream:
    """Read a stream. UserError with one line where one of its files is missing or wrong."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the stream {path} ({error.strerror.lower()})") from None
    except ValueError:
        raise UserError(f"{path} is not a stream: it is not JSON") from None
    try:
        recording = path.parent / content["skeletons"]
        intervals = tuple(_interval(item) for item in content["intervals"])
        name, group, part = str(content["stream"]), content["group"], str(content.get("part", ""))
        allowed = tuple(map(str, content.get("allowed", ())))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise UserError(f"{path} is not a stream ({error!r}); it needs stream, skeletons, group and intervals of "
                        "label, start_s, end_s and, if known, person") from None
    if group not in GROUPS:
        raise UserError(f"{path}: group {group!r} is none of {', '.join(GROUPS)}")
    header, frames = skeletons.read(recording)
    stream = Stream(name, group, header.size, tuple(frames), intervals, allowed, part)
    if not stream.frames:
        raise UserError(f"{recording} holds no frames")
    present = {track.id for frame in stream.frames for track in frame.tracks}
    if unknown := set(stream.persons) - present:
        raise UserError(f"{path}: person {min(unknown)} of an interval is never in view in {recording.name}")
    return stream


def at_rate(stream: Stream, fps: float) -> Stream:
    """The stream as a camera of `fps` frames a second would have seen it: thinned out, or filled in."""
    if fps > stream.fps * RATE_TOLERANCE:
        stream = replace(stream, frames=tuple(_filled(stream.frames, math.ceil(fps / stream.fps / RATE_TOLERANCE))))
    if fps * RATE_TOLERANCE >= stream.fps:
        kept = stream.frames
    else:
        first_s = stream.frames[0].time_s
        numbers = [math.floor((frame.time_s - first_s) * fps + 1e-6) for frame in stream.frames]
        kept = [frame for i, frame in enumerate(stream.frames) if i == 0 or numbers[i] > numbers[i - 1]]
    return replace(stream, frames=tuple(replace(frame, index=i) for i, frame in enumerate(kept)))


def hide(stream: Stream, joints: Iterable[str]) -> Stream:
    """The stream with some joints out of view, named by parts of their names; boxes shrink to what is left."""
    hidden = [any(part in joint for part in joints) for joint in get_layout(LAYOUT).joints]

    def without(keypoints: np.ndarray) -> np.ndarray:
        kept = keypoints.copy()
        kept[hidden] = 0
        return kept

    return _changed(stream, without)


def _changed(stream: Stream, change: Callable[[np.ndarray], np.ndarray]) -> Stream:
    """Every pose's keypoints (V, 3) changed; whoever has no joint left is gone."""
    frames = []
    for frame in stream.frames:
        changed = ((track, change(track.pose.keypoints)) for track in frame.tracks)
        tracks = tuple(Track(track.id, pose_of(keypoints), frame.time_s)
                       for track, keypoints in changed if (keypoints[:, 2] > 0).any())
        frames.append(replace(frame, tracks=tracks))
    return replace(stream, frames=tuple(frames))


def _filled(frames: tuple[SkeletonFrame, ...], factor: int) -> list[SkeletonFrame]:
    """`factor` frames for each one: in between, people in both neighbours are on the way from one to the other."""
    filled = [frames[0]]
    for before, after in zip(frames, frames[1:]):
        ahead = {track.id: track for track in after.tracks}
        for step in range(1, factor):
            share = step / factor
            time_s = before.time_s + share * (after.time_s - before.time_s)
            tracks = tuple(Track(track.id, _between(track.pose, ahead[track.id].pose, share), time_s)
                           for track in before.tracks if track.id in ahead)
            filled.append(SkeletonFrame(before.index, time_s, tracks))
        filled.append(after)
    return filled


def _between(a: Pose, b: Pose, share: float) -> Pose:
    """A joint that only one of the poses has is as there."""
    keypoints = a.keypoints + share * (b.keypoints - a.keypoints)
    keypoints = np.where(a.keypoints[:, 2:] <= 0, b.keypoints, keypoints)
    keypoints = np.where(b.keypoints[:, 2:] <= 0, a.keypoints, keypoints)
    return Pose(keypoints, a.box + np.float32(share) * (b.box - a.box), a.score + share * (b.score - a.score))


def _interval(item: dict[str, Any]) -> Interval:
    person = item.get("person")
    interval = Interval(str(item["label"]), float(item["start_s"]), float(item["end_s"]),
                        None if person is None else int(person))
    if not 0 <= interval.start_s < interval.end_s < math.inf:
        raise ValueError(f"an interval from {interval.start_s} to {interval.end_s} s")
    return interval


def _to_json(interval: Interval) -> dict[str, Any]:
    return {key: value for key, value in asdict(interval).items() if value is not None}
