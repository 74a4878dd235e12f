"""Sliding windows and skeleton files."""

import numpy as np
import pytest

from app.errors import UserError
from app.skeletons import MIN_SPAN_S, SkeletonWriter, SlidingWindows, motion_energy, read
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
    for frame in frames[:45]:
        windows.add(frame)
    empty = type(frames[0])(45, 1.5, ())
    windows.add(empty)
    assert windows.cut(frames[44]).tracks == (1,)
    assert windows.cut(empty).tracks == ()
    assert windows.cut(empty).inputs.shape[0] == 0


def test_memory_does_not_grow_with_time():
    windows = SlidingWindows(PREPROCESS)
    for frame in skeletons(np.arange(3000) / 30):
        windows.add(frame)
    horizon_s = PREPROCESS.duration_s + PREPROCESS.max_gap_s
    assert sum(map(len, windows._seen.values())) <= horizon_s * 30 + 2


def moving(speed, fps=30.0, frames=40, confidence=1.0):
    """A window (C, T, V) in which every joint goes right, `speed` body heights per second."""
    window = np.full((3, frames, 17), confidence, np.float32)
    window[0] = speed * np.arange(frames)[:, None] / fps
    window[1] = np.linspace(-0.1, 0.8, 17)
    return window * (confidence > 0)


@pytest.mark.parametrize("fps", [10, 15, 30, 60])
def test_motion_is_the_mean_speed_of_the_joints_at_any_frame_rate(fps):
    assert motion_energy(moving(0.7, fps), fps) == pytest.approx(0.7, rel=1e-4)
    half = moving(0.7, fps)
    half[0, :, 8:] = 0.3
    assert motion_energy(half, fps) == pytest.approx(0.7 * 8 / 17, rel=1e-4)


def test_joints_out_of_view_and_what_was_long_ago_do_not_count_as_motion():
    assert motion_energy(moving(0.7, confidence=0), 30) == 0
    window = moving(0.7)
    window[:, :, 5:] = 0
    assert motion_energy(window, 30) == pytest.approx(0.7, rel=1e-4)
    appeared = moving(0.0)
    appeared[:, :-3] = 0  # seen for a tenth of a second
    assert motion_energy(appeared, 30) == 0
    stopped = moving(0.7)
    stopped[0, -16:] = stopped[0, -16]
    assert motion_energy(stopped, 30) == 0
    assert motion_energy(moving(0.7, frames=2), 30) == 0


def test_motion_is_that_of_the_joints_whatever_the_network_sees():
    cuts = []
    for stream in ("joint", "bone+joint_motion"):
        windows = SlidingWindows(Preprocess(stream=stream))
        frames = skeletons(np.arange(45) / 30, waves=True)
        for frame in frames:
            windows.add(frame)
        cuts.append(windows.cut(frames[-1]))
    assert [cut.inputs.shape[1] for cut in cuts] == [3, 6]
    assert cuts[0].motion[0] == cuts[1].motion[0] > 0


def test_size_is_how_tall_somebody_looks_beside_the_picture():
    sizes = []
    for picture_height in (480, 960, None):
        windows = SlidingWindows(PREPROCESS, picture_height)
        frames = skeletons(np.arange(45) / 30)
        for frame in frames:
            windows.add(frame)
        sizes.append(windows.cut(frames[-1]).size[0])
    assert sizes[0] == pytest.approx(2 * sizes[1]) and 0.1 < sizes[0] < 2 and sizes[2] == np.inf


def test_jitter_is_little_motion():
    still = moving(0.0)
    noise = np.random.default_rng(0).normal(0, 0.01, (2, *still.shape[1:]))
    still[:2] += noise
    frame_to_frame = np.linalg.norm(np.diff(still[:2], axis=1), axis=0).mean() * 30
    assert motion_energy(still, 30) < frame_to_frame / 5


def test_the_windows_of_a_waving_person_hold_more_motion_than_those_of_a_still_one():
    found = []
    for waves in (False, True):
        windows = SlidingWindows(PREPROCESS)
        frames = skeletons(np.arange(60) / 30, waves=waves)
        for frame in frames:
            windows.add(frame)
        cut = windows.cut(frames[-1])
        assert cut.motion.shape == (len(cut.tracks),) and cut.motion.dtype == np.float32
        found.append(cut.motion[0])
    assert found[0] < 0.02 < found[1]
