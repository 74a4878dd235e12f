"""Skeletons over time: the sliding window of every track, and the file that keeps skeletons for later.

A skeleton file is JSON Lines: a header, then one object per frame. What is written is what was recognised
from, digit by digit, so that a file gives the same labels as the video it came from.
"""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from app.errors import UserError
from app.pose.base import LAYOUT, Pose
from app.tracking import Track
from stgcn import skeleton_files
from stgcn.preprocess import Preprocess
from stgcn.skeleton_files import RecordedFrame, SkeletonHeader

PIXEL_DIGITS, CONFIDENCE_DIGITS = 2, 3  # decimals kept: finer than any estimator is right

MIN_SPAN_S = 1.0  # seconds that a person must have been in view: of what is shorter, a network is often wrongly sure
MOTION_S = 0.5  # motion energy is that of the last half second
STRIDE_S = 0.2  # and is taken over strides, in which a movement goes far and the jitter of a detector does not


@dataclass(frozen=True)
class SkeletonFrame:
    """The people of one frame. `time_s` is the time of capture (media time for files)."""

    index: int
    time_s: float
    tracks: tuple[Track, ...]

    @classmethod
    def of(cls, index: int, time_s: float, tracks: list[Track]) -> "SkeletonFrame":
        """Skeletons at the precision of the file, so that live and replayed skeletons are the same numbers."""
        return cls(index, time_s, tuple(Track(track.id, _rounded(track.pose), time_s) for track in tracks))


@dataclass(frozen=True)
class Windows:
    """What the network is asked at one moment: the window of each track that has been in view long enough.

    tracks: ids, N of them. inputs: (N, C, T, V) float32. present: ids of everybody in view, judged or not.
    motion: (N,) float32, motion energy, see `motion_energy`.
    size: (N,) float32, how tall each appears, as a share of the picture's height; infinity where that is not known.
    """

    frame: int
    time_s: float
    tracks: tuple[int, ...]
    inputs: np.ndarray
    present: tuple[int, ...]
    motion: np.ndarray
    size: np.ndarray


def motion_energy(window: np.ndarray, fps: float) -> float:
    """Mean speed of the joints at the end of a window, in body heights per second; 0 where nothing was seen.

    window: (C, T, V) of joints, x and y in body heights and, last, confidence: a joint counts where it was seen at both
    ends of a stride. fps: of the window's time grid.
    """
    stride = max(1, round(STRIDE_S * fps))
    recent = window[:, -(max(stride, round(MOTION_S * fps)) + 1) :]  # (C, t, V)
    before, after = recent[:, :-stride], recent[:, stride:]
    seen = (before[-1] > 0) & (after[-1] > 0)  # (t - stride, V)
    distance = np.linalg.norm(after[:2] - before[:2], axis=0)[seen]
    return float(distance.mean() * fps / stride) if len(distance) else 0.0


class SlidingWindows:
    """Collects skeletons by track and cuts each track's window that ends now.

    picture_height: pixels, None where it is not known.
    """

    def __init__(self, preprocess: Preprocess, picture_height: int | None = None):
        self._preprocess, self._picture_height = preprocess, picture_height
        self._seen: dict[int, deque[tuple[float, np.ndarray]]] = {}  # track -> (time_s, keypoints (V, 3))

    def add(self, frame: SkeletonFrame) -> None:
        """Take in one frame. Frames come in the order of time."""
        for track in frame.tracks:
            self._seen.setdefault(track.id, deque()).append((frame.time_s, track.pose.keypoints))
        oldest_s = frame.time_s - self._preprocess.duration_s - self._preprocess.max_gap_s
        for seen in self._seen.values():
            while seen and seen[0][0] < oldest_s:
                seen.popleft()
        self._seen = {track: seen for track, seen in self._seen.items() if seen}

    def cut(self, frame: SkeletonFrame) -> Windows:
        """The windows that end at `frame`, of the people in it."""
        present = tuple(track.id for track in frame.tracks)
        judged = tuple(track for track in present if self._span_s(track) >= MIN_SPAN_S)
        observed = [self._arrays(track) for track in judged]
        joints = [self._preprocess.joints(*seen, frame.time_s) for seen in observed]  # (C, T, V) each
        inputs = np.array([self._preprocess.as_stream(window) for window in joints], np.float32)
        motion = np.array([motion_energy(window, self._preprocess.fps) for window in joints], np.float32)
        size = np.array([self._size(keypoints) for _, keypoints in observed], np.float32)
        return Windows(frame.index, frame.time_s, judged, inputs, present, motion, size)

    def _size(self, keypoints: np.ndarray) -> float:
        return self._preprocess.body_height(keypoints) / self._picture_height if self._picture_height else np.inf

    def _span_s(self, track: int) -> float:
        seen = self._seen[track]
        return seen[-1][0] - seen[0][0]

    def _arrays(self, track: int) -> tuple[np.ndarray, np.ndarray]:
        """Times (n,) and keypoints (n, V, 3) of what is remembered of a track."""
        times, keypoints = zip(*self._seen[track])
        return np.array(times), np.array(keypoints)


class SkeletonWriter:
    """Writes a skeleton file, a line a frame."""

    def __init__(self, file: TextIO, header: SkeletonHeader):
        self._file = file
        self._write(asdict(header))

    def write(self, frame: SkeletonFrame) -> None:
        """Append one frame."""
        people = [_to_json(track) for track in frame.tracks]
        self._write({"frame": frame.index, "time_s": frame.time_s, "people": people})

    def _write(self, line: dict) -> None:
        self._file.write(json.dumps(line) + "\n")


def read(path: Path) -> tuple[SkeletonHeader, Iterator[SkeletonFrame]]:
    """The header of a skeleton file and its frames, one by one.

    Raises UserError that names the line, here or while the frames are read, where the file is not such a file.
    """
    try:
        header, frames = skeleton_files.read(path, LAYOUT)
    except ValueError as error:
        raise UserError(str(error)) from None
    return header, _with_tracks(frames)


def _with_tracks(frames: Iterator[RecordedFrame]) -> Iterator[SkeletonFrame]:
    try:
        for frame in frames:
            tracks = (Track(p.track, Pose(p.keypoints, p.box, p.score), frame.time_s) for p in frame.people)
            yield SkeletonFrame(frame.index, frame.time_s, tuple(tracks))
    except ValueError as error:
        raise UserError(str(error)) from None


def _to_json(track: Track) -> dict:
    return {
        "track": track.id,
        "score": round(track.pose.score, CONFIDENCE_DIGITS),
        "box": [round(float(value), PIXEL_DIGITS) for value in track.pose.box],
        "keypoints": [
            [round(float(x), PIXEL_DIGITS), round(float(y), PIXEL_DIGITS), round(float(c), CONFIDENCE_DIGITS)]
            for x, y, c in track.pose.keypoints
        ],
    }


def _rounded(pose: Pose) -> Pose:
    """The pose as a skeleton file would give it back."""
    keypoints = pose.keypoints.astype(np.float64)
    keypoints[:, :2] = keypoints[:, :2].round(PIXEL_DIGITS)
    keypoints[:, 2] = keypoints[:, 2].round(CONFIDENCE_DIGITS)
    box = pose.box.astype(np.float64).round(PIXEL_DIGITS)
    return Pose(keypoints.astype(np.float32), box.astype(np.float32), round(pose.score, CONFIDENCE_DIGITS))
