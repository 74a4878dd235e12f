"""Sliding windows and skeleton files."""

import numpy as np
import pytest

from app.errors import UserError
from app.skeletons import MIN_SPAN_S, SkeletonWriter, SlidingWindows, read
from stgcn.preprocess import Preprocess
from stgcn.skeleton_files import SkeletonHeader
from tests.app.people import skeletons

HEADER = SkeletonHeader(fps=30.0, size=(640, 480), source="clip.mp4")
PREPROCESS = Preprocess()


def write(path, frames, header=HEADER):
    with path.open("w") as file:
        writer = SkeletonWriter(file, header)
        for frame in frames:
            writer.write(frame)
    return path


def test_a_bad_file_is_an_error_of_the_user(tmp_path):
    path = write(tmp_path / "skeletons.jsonl", skeletons(np.arange(3) / 30))
    path.write_text(path.read_text()[:-40])
    frames = read(path)[1]
    with pytest.raises(UserError, match="line 4 is not JSON"):
        list(frames)
    path.write_text("hello")
    with pytest.raises(UserError, match="line 1 is not JSON"):
        read(path)


def test_what_is_written_is_read_back_digit_by_digit(tmp_path):
    frames = skeletons(np.cumsum(np.random.default_rng(0).uniform(0.02, 0.05, 20)), x=33.3, waves=True)
    header, again = read(write(tmp_path / "skeletons.jsonl", frames))
    assert header == HEADER
    for frame, copy in zip(frames, again, strict=True):
        assert (copy.index, copy.time_s) == (frame.index, frame.time_s)
        for track, twin in zip(frame.tracks, copy.tracks, strict=True):
            assert (twin.id, twin.pose.score) == (track.id, track.pose.score)
            np.testing.assert_array_equal(twin.pose.keypoints, track.pose.keypoints)
            np.testing.assert_array_equal(twin.pose.box, track.pose.box)


def test_streaming_gives_the_windows_of_the_whole_clip():
    frames = skeletons(np.arange(90) / 30, waves=True)
    windows = SlidingWindows(PREPROCESS)
    keypoints = np.array([frame.tracks[0].pose.keypoints for frame in frames])
    for frame in frames:
        windows.add(frame)
        cut = windows.cut(frame)
        if not cut.tracks:
            assert frame.time_s < MIN_SPAN_S
            continue
        so_far = slice(0, frame.index + 1)
        times = np.array([other.time_s for other in frames[so_far]])
        np.testing.assert_allclose(cut.inputs[0], PREPROCESS(times, keypoints[so_far], frame.time_s), atol=1e-5)


def test_only_people_in_view_are_asked_about():
    windows = SlidingWindows(PREPROCESS)
    frames = skeletons(np.arange(60) / 30)
    for frame in frames[:30]:
        windows.add(frame)
    empty = type(frames[0])(30, 1.0, ())
    windows.add(empty)
    assert windows.cut(frames[29]).tracks == (1,)
    assert windows.cut(empty).tracks == ()
    assert windows.cut(empty).inputs.shape[0] == 0


def test_memory_does_not_grow_with_time():
    windows = SlidingWindows(PREPROCESS)
    for frame in skeletons(np.arange(3000) / 30):
        windows.add(frame)
    horizon_s = PREPROCESS.duration_s + PREPROCESS.max_gap_s
    assert sum(map(len, windows._seen.values())) <= horizon_s * 30 + 2
