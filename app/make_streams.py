"""Make annotated streams from recorded clips: `python -m app.make_streams work_dirs/streams/test`.

J-HMDB's clips of one action each are played one after another by one person, with stillness, movements from pose to
pose and nobody in view in between; webcam recordings and videos in which none of the actions happens join them.
The same arguments give the same streams.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.random import Generator
from tqdm import tqdm

from app import skeletons, streams
from app.errors import UserError, run
from app.pose.base import LAYOUT
from app.scoring import canonical
from app.skeletons import SkeletonFrame
from app.streams import Interval, Stream, pose_of
from app.tracking import Track
from stgcn.body import body_height
from stgcn.data import Clip
from stgcn.experiment import held_out
from stgcn.readers import skeletons as skeleton_reader
from stgcn.readers import webcam
from stgcn.scenes import FPS, Performance, repeat

SIDES = {"test": 1, "val": 2}  # and a number that tells the randomness of one from that of the other
SPLIT = 1  # of J-HMDB
HELD_OUT = 0.2  # of its training clips make validation streams: `data.val` of the config of a network to be calibrated
SIGNING = Path(__file__).parents[1] / "configs" / "actions" / "videos.csv"  # who of those who sign trains and who tests
ESTIMATORS = ("mmpose", "movenet")
SMALL = Path("jhmdb_small/movenet")  # skeletons of J-HMDB's training clips, shown at a fraction of their size
REPEATED = ("wave", "clap")  # look the same forwards and backwards, and go on for a while
NAMED = ("wave", "clap", "sit down", "stand up", "walk", "run", "jump", "squat", "pick up", "throw", "kick", "push")
MIN_FRAMES = 10  # a clip in which the person was found in fewer shows no action

ACTIONS, DISTRACTORS_PER_ACTION = (2, 6), 0.25  # a stream; clips of other classes among them
REPEAT_S, HOLD_S, ABSENCE_S, APPEAR_S = (1.5, 3.0), (1.5, 3.0), (1.0, 2.0), (0.5, 1.0)
ABSENCE_SHARE = 0.35  # of the pauses, nobody is in view; in the others somebody keeps still
TWO_PEOPLE_EVERY = 4  # streams
SIDE_BY_SIDE = 1.5  # body heights
IDLE_STREAMS, IDLE_S, IDLE_POSE_S, IDLE_ABSENCE_S = 3, 60.0, (3.0, 6.0), 1.5

WEBCAM_SIZE, WEBCAM_PIECE_S = (640, 480), 4.0
WEBCAM_MIXES = 3

# Videos in which nobody does any of the actions, or only what is named, by side.
NEGATIVES = {
    "test": {"pedestrians_vtest": ("walk",), "arm_wrestling": ()},
    "val": {"one_person_room": ("walk",)},
}


def webcam_is_val(i: int) -> bool:
    """Whether recording `i` of webcam_lzq makes validation streams, one of each action among them."""
    return i % 4 == 0


def action_streams(
    clips: Sequence[Clip], classes: Sequence[str], rng: Generator, prefix: str, part: str = ""
) -> list[Stream]:
    """Every clip of the NAMED classes once, and some of the others, by one or two people at a time.

    part: of all of these streams, see `Stream`.
    """
    labels = [canonical(classes[clip.label]) for clip in clips]
    wanted = [i for i, label in enumerate(labels) if label in NAMED]
    others = [i for i, label in enumerate(labels) if label not in NAMED]
    count = min(round(len(wanted) * DISTRACTORS_PER_ACTION), len(others))
    order = rng.permutation([*wanted, *rng.choice(others, count, replace=False)]) if others else rng.permutation(wanted)
    made, start = [], 0
    while start < len(order):
        performances = []
        for person in range(2 if len(made) % TWO_PEOPLE_EVERY == TWO_PEOPLE_EVERY - 1 else 1):
            chosen = order[start : start + rng.integers(ACTIONS[0], ACTIONS[1] + 1)]
            start += len(chosen)
            if len(chosen):
                parts = [(clips[i], labels[i]) for i in chosen]
                performances.append(_perform(rng, parts, like=_beside(performances)))
        stream = _stream(f"{prefix}_{len(made):02}", "actions", clips[order[0]].size, performances)
        made.append(replace(stream, part=part))
    return made


def idle_streams(clips: Sequence[Clip], rng: Generator, prefix: str) -> list[Stream]:
    """People who keep still, in the poses in which the clips begin, and nobody in between."""
    made = []
    for number in range(IDLE_STREAMS):
        performance = Performance(rng)
        while performance.duration_s < IDLE_S:
            clip = clips[rng.integers(len(clips))]
            _appear(performance, clip, rng.uniform(*IDLE_POSE_S))
            performance.leave(IDLE_ABSENCE_S)
        made.append(_stream(f"{prefix}_{number}", "negative", clip.size, [performance]))
    return made


def signing_stream(clips: Sequence[Clip], rng: Generator, name: str) -> Stream:
    """Clips in which nothing happens that has a name here, one after another, with pauses."""
    performance = Performance(rng)
    for clip in clips:
        performance.act(clip.times, clip.keypoints)
        performance.hold(rng.uniform(*HOLD_S))
    return _stream(name, "negative", clips[0].size, [performance])


def webcam_streams(clips: Sequence[Clip], classes: Sequence[str], rng: Generator) -> list[Stream]:
    """Every recording as it is, and pieces of different ones after standing still."""
    made = []
    for clip in clips:
        label = classes[clip.label]
        frames = zip(clip.times, clip.keypoints)
        people = [[Track(1, pose_of(pose), time_s)] if pose[:, 2].any() else [] for time_s, pose in frames]
        whole = () if label == "stand" else (Interval(label, 0.0, float(clip.times[-1]), 1),)
        name = f"webcam_{clip.name}"
        made.append(_of_frames(name, "webcam" if whole else "negative", WEBCAM_SIZE, clip.times, people, whole))
    standing = [clip for clip in clips if classes[clip.label] == "stand"]
    acting = [clip for clip in clips if classes[clip.label] != "stand"]
    for number in range(WEBCAM_MIXES if standing else 0):
        performance = Performance(rng)
        for i in rng.permutation(len(acting)):
            performance.act(*_piece(rng, standing[rng.integers(len(standing))]))
            performance.act(*_piece(rng, acting[i]), classes[acting[i].label])
        performance.act(*_piece(rng, standing[0]))
        times, keypoints = performance.result()  # of the recordings' own rate: nobody would be in the frames between
        people = [[Track(1, pose_of(pose), float(time_s))] for time_s, pose in zip(times, keypoints)]
        made.append(_of_frames(f"webcam_mix_{number}", "webcam", WEBCAM_SIZE, times, people, _intervals([performance])))
    return made


def video_stream(path: Path, allowed: tuple[str, ...]) -> Stream:
    """A video's skeletons, in which nothing happens but what is `allowed`. UserError: it cannot be read."""
    header, frames = skeletons.read(path)
    name = path.name.removesuffix(streams.SKELETON_SUFFIX)
    return Stream(f"video_{name}", "negative", header.size, tuple(frames), (), allowed)


def _perform(rng: Generator, parts: Iterable[tuple[Clip, str]], like: np.ndarray | None) -> Performance:
    """One person acts, with pauses: still in the pose of the moment, or out of view and back in the next pose."""
    performance, pause = Performance(rng, like), None
    for clip, label in parts:
        if pause == "absence" or pause is None:
            _appear(performance, clip, rng.uniform(*APPEAR_S))
        times, keypoints = clip.times, clip.keypoints
        if label in REPEATED:
            times, keypoints = repeat(times, keypoints, rng.uniform(*REPEAT_S))
        performance.act(times, keypoints, label)
        performance.hold(rng.uniform(*HOLD_S) if (pause := _pause(rng)) == "hold" else APPEAR_S[0])
        if pause == "absence":
            performance.leave(rng.uniform(*ABSENCE_S))
    return performance


def _pause(rng: Generator) -> str:
    return "absence" if rng.random() < ABSENCE_SHARE else "hold"


def _appear(performance: Performance, clip: Clip, duration_s: float) -> None:
    """In view, still, in the clip's first pose."""
    performance.act(clip.times[:1], clip.keypoints[:1])
    performance.hold(duration_s)


def _beside(performances: Sequence[Performance]) -> np.ndarray | None:
    """A pose (V, 3) of the size of the person who is there already, and to the right."""
    if not performances:
        return None
    _, keypoints = performances[0].result()
    pose = keypoints[0].copy()
    pose[:, 0] += SIDE_BY_SIDE * body_height(pose, LAYOUT)
    return pose


def _piece(rng: Generator, clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """Times and keypoints of WEBCAM_PIECE_S seconds from a random place of a recording, where somebody is in view."""
    seen = clip.keypoints[..., 2].any(axis=1)
    times, keypoints = clip.times[seen], clip.keypoints[seen]
    start_s = rng.uniform(times[0], max(times[-1] - WEBCAM_PIECE_S, times[0] + 1e-6))
    kept = (times >= start_s) & (times <= start_s + WEBCAM_PIECE_S)
    return times[kept], keypoints[kept]


def _stream(name: str, group: str, size: tuple[int, int], performances: Sequence[Performance]) -> Stream:
    """People who act side by side; the first is person 1."""
    count = round(max(performance.duration_s for performance in performances) * FPS)
    times = np.arange(count) / FPS
    people: list[list[Track]] = [[] for _ in times]
    for person, performance in enumerate(performances, start=1):
        for time_s, keypoints in zip(*performance.result()):
            if keypoints[:, 2].any():
                people[round(time_s * FPS)].append(Track(person, pose_of(keypoints), float(time_s)))
    return _of_frames(name, group, size, times, people, _intervals(performances))


def _intervals(performances: Sequence[Performance]) -> tuple[Interval, ...]:
    return tuple(Interval(span.label, round(span.start_s, 3), round(span.end_s, 3), person)
                 for person, performance in enumerate(performances, start=1) for span in performance.spans)


def _of_frames(name: str, group: str, size: tuple[int, int], times: Iterable[float],
               people: Iterable[list[Track]], intervals: tuple[Interval, ...]) -> Stream:  # fmt: skip
    frames = tuple(SkeletonFrame.of(i, float(time_s), tracks) for i, (time_s, tracks) in enumerate(zip(times, people)))
    return Stream(name, group, size, frames, intervals)


def make(side: str, folder: Path, splits: Path, recordings: Path, seed: int = 0) -> Iterable[Stream]:
    """All streams of a side, "test" or "val", from the skeleton files in `folder`.

    seed: 0 or more; of the order of the clips and of the pauses between them. ValueError: it is less, or something is
    missing.
    """
    if seed < 0:
        raise ValueError(f"the seed is 0 or more, not {seed}")
    rng = np.random.default_rng((SIDES[side], seed))
    division = skeleton_reader.read_splits(splits, SPLIT)
    recorded_side = "test" if side == "test" else "train"
    parts = {"": division.test} if side == "test" else val_parts(division)
    for estimator in ESTIMATORS:
        found = {part: _long_enough(folder / "jhmdb" / estimator, names, division) for part, names in parts.items()}
        for part, clips in found.items():
            yield from action_streams(clips, division.classes, rng, f"actions_{estimator}{part}", part)
        everybody = [clip for clips in found.values() for clip in clips]
        yield from idle_streams(everybody, rng, f"{streams.IDLE}_{estimator}")
        signing = skeleton_reader.read(folder / "videos" / estimator, LAYOUT, recorded_side, SPLIT, SIGNING)
        yield signing_stream(signing.clips, rng, f"asl_{estimator}")
    if side == "val":
        for part, names in parts.items():
            smaller = [name for name in names if skeleton_reader.path_of(folder / SMALL, name).is_file()]
            clips = _long_enough(folder / SMALL, smaller or names, division)  # of none, the reader says what is missing
            yield from action_streams(clips, division.classes, rng, f"actions_small{part}", part)
    yield from (replace(stream, part="webcam") for stream in _webcam(side, recordings, rng))
    for name, allowed in NEGATIVES[side].items():
        yield video_stream(folder / "videos" / "movenet" / f"{name}{streams.SKELETON_SUFFIX}", allowed)


def val_parts(division: skeleton_reader.Splits) -> dict[str, Sequence[str]]:
    """Clips that make validation streams, in two parts, none of whose sources is in both."""
    names = held_out({name: division.labels[name] for name in division.train}, HELD_OUT)
    first = held_out({name: division.labels[name] for name in names}, 0.5)
    return {"_a": sorted(first), "_b": sorted(names - first)}


def _long_enough(folder: Path, names: Sequence[str], division: skeleton_reader.Splits) -> list[Clip]:
    return [clip for clip in skeleton_reader.read_folder(folder, names, division, LAYOUT)
            if len(clip.times) >= MIN_FRAMES]


def _webcam(side: str, path: Path, rng: Generator) -> list[Stream]:
    part = webcam.read(path, LAYOUT, "test" if side == "test" else "train", 1)
    height = np.array([WEBCAM_SIZE[1], WEBCAM_SIZE[1], 1], np.float32)  # the reader's unit of x and y
    clips = []
    for clip in part.clips:
        i = int(clip.name.split()[-1])
        if side == "test" or webcam_is_val(i):
            name = f"{i:02}_{part.classes[clip.label]}"
            clips.append(replace(clip, name=name, keypoints=clip.keypoints * height))
    return webcam_streams(clips, part.classes, rng)


def main() -> None:
    args = _parser().parse_args()
    try:
        made = [streams.save(args.output, stream)
                for stream in tqdm(make(args.side, args.skeletons, args.splits, args.webcam, args.seed), unit="stream")]
    except ValueError as error:
        raise UserError(str(error)) from None
    except OSError as error:
        raise UserError(f"cannot write to {args.output} ({error.strerror.lower()}); name another folder") from None
    print(f"{len(made)} streams in {args.output}; measure with python -m app.evaluate {args.output}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.make_streams", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, metavar="FOLDER", help="where the streams go")
    parser.add_argument("--side", choices=tuple(SIDES), default="test",
                        help="test: held-out clips, to measure; val: a fifth of the training clips, to choose "
                             "thresholds (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N",
                        help="others give the same clips in another order and with other pauses, which tells how much "
                             "of a figure is chance (default: %(default)s)")
    parser.add_argument("--skeletons", type=Path, default=Path("work_dirs/skeletons"), metavar="FOLDER",
                        help="skeleton files jhmdb/ESTIMATOR/CLASS/CLIP and videos/ESTIMATOR/VIDEO, and for val also "
                             f"{SMALL}/CLASS/CLIP, not of all, made with python -m app.video (default: %(default)s)")
    parser.add_argument("--splits", type=Path, default=Path("../shared/data/jhmdb/splits.csv"), metavar="CSV",
                        help="which clips of J-HMDB train and test (default: %(default)s)")
    parser.add_argument("--webcam", type=Path, default=Path("../shared/data/webcam_lzq/webcam_lzq.npz"), metavar="NPZ",
                        help="recordings of webcam_lzq (default: %(default)s)")
    return parser


if __name__ == "__main__":
    run(main)
