"""Windows: what is refused, what is invariant, and what a missing joint becomes."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from stgcn.graph import COCO17, KINECT20
from stgcn.preprocess import Preprocess, stretch
from stgcn.streams import STREAMS, stream

PREPROCESS, IN_SPACE = Preprocess(), Preprocess("kinect20", frames=30)
WRIST, HIP = COCO17.index("right_wrist"), COCO17.index("left_hip")
# A person who stands upright, 100 px tall, confidence 1: (17, 2)
STANDING = 100 * np.array([
    (0.5, 0.07), (0.52, 0.05), (0.48, 0.05), (0.54, 0.06), (0.46, 0.06), (0.615, 0.18), (0.385, 0.18),
    (0.63, 0.35), (0.37, 0.35), (0.64, 0.5), (0.36, 0.5), (0.58, 0.47), (0.42, 0.47), (0.58, 0.71),
    (0.42, 0.71), (0.58, 0.96), (0.42, 0.96),
])  # fmt: skip


def waving(times: np.ndarray) -> np.ndarray:
    """(n, 17, 3): the standing person swings the right hand beside the head, twice a second."""
    keypoints = np.ones((len(times), 17, 3), np.float32)
    keypoints[..., :2] = STANDING
    keypoints[:, WRIST, 0] = 30 + 10 * np.sin(2 * np.pi * 2 * times)
    keypoints[:, WRIST, 1] = 5
    return keypoints


def clip(fps: float = 30.0, seconds: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    times = np.arange(round(fps * seconds) + 1) / fps
    return times, waving(times)


@pytest.mark.parametrize(
    "wrong", [{"layout": "coco"}, {"fps": 0}, {"frames": 0}, {"min_confidence": 1.5}, {"max_gap_s": -1},
              {"frames": 1, "whole_clips": True}, {"stream": "joint+"}, {"people": 0}, {"layout": "coco17*2"},
              {"layout": 17}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        Preprocess(**wrong)


def test_observations_that_make_no_sense_are_refused():
    times, keypoints = clip()
    with pytest.raises(ValueError, match="needs"):
        PREPROCESS(times, keypoints[:, :16], 2.0)
    with pytest.raises(ValueError, match="needs"):
        PREPROCESS(times[1:], keypoints, 2.0)
    with pytest.raises(ValueError, match="ascend"):
        PREPROCESS(times[::-1], keypoints, 2.0)
    keypoints[3, 4, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        PREPROCESS(times, keypoints, 2.0)


def test_shape_and_round_trip_through_plain_values():
    window = PREPROCESS(*clip(), 2.0)
    assert window.shape == (3, PREPROCESS.frames, 17) and window.dtype == np.float32
    assert Preprocess(**asdict(PREPROCESS)) == PREPROCESS


def test_a_person_who_was_never_seen_is_all_zeros():
    assert not PREPROCESS(np.zeros(0), np.zeros((0, 17, 3)), 2.0).any()


@pytest.mark.parametrize("fps, tolerance", [(10, 0.05), (15, 0.02), (24, 0.005), (60, 0.002)])
def test_the_cameras_rate_does_not_matter(fps, tolerance):
    expected = PREPROCESS(*clip(30), 2.0)
    window = PREPROCESS(*clip(fps), 2.0)
    span = np.ptp(expected[0, :, WRIST])
    assert np.abs(window - expected).max() < tolerance * span  # of a hand that swings twice a second


@pytest.mark.parametrize(
    "times, power", [(np.arange(12) / 10, 2), (np.cumsum([0.0, 0.1, 0.05, 0.2, 0.1, 0.15, 0.1]), 1)]
)
def test_between_even_looks_speed_may_change_and_between_uneven_ones_it_is_kept(times, power):
    keypoints = waving(times)
    keypoints[..., 0] = 30 + 90 * (times**power)[:, None]
    grid = times[-2] + np.arange(1 - PREPROCESS.frames, 1) / PREPROCESS.fps
    resampled = PREPROCESS.resample(times, keypoints, times[-2])
    inner = grid >= times[1]
    np.testing.assert_allclose(resampled[inner, WRIST, 0], 30 + 90 * grid[inner] ** power, atol=1e-3)


def test_what_speeds_up_between_uneven_looks_is_nearer_to_where_it_was_than_on_straight_lines():
    times = np.cumsum([0.0, 0.1, 0.05, 0.2, 0.1, 0.15, 0.1, 0.1])
    keypoints = waving(times)
    keypoints[..., 0] = 30 + 90 * np.square(times)[:, None]
    grid = times[-2] + np.arange(1 - PREPROCESS.frames, 1) / PREPROCESS.fps
    x = PREPROCESS.resample(times, keypoints, times[-2])[:, WRIST, 0]
    true, straight = 30 + 90 * np.square(grid), np.interp(grid, times, keypoints[:, WRIST, 0])
    inner = grid >= times[1]
    assert np.abs(x - true)[inner].max() < 0.7 * np.abs(straight - true)[inner].max()


def test_a_keypoint_that_is_wrong_before_a_gap_does_not_throw_the_hand_out_of_the_gap():
    times, keypoints = clip()
    keypoints[:, WRIST, 0] = 30
    keypoints[30, WRIST, 0] = 70
    keypoints[31:46, WRIST, 2] = 0
    x = PREPROCESS.resample(times, keypoints, 2.0)[:, WRIST, 0]
    assert x.max() <= 70 + 40 / 6 and x.min() >= 30 - 40 / 6


def test_frames_that_a_camera_delivers_in_a_burst_throw_nobody_off():
    times, keypoints = clip()
    late = times.copy()
    late[30] = late[31] - 0.002
    window, expected = PREPROCESS(late, keypoints, 2.0), PREPROCESS(times, keypoints, 2.0)
    span = np.ptp(expected[0, :, WRIST])
    assert np.abs(window - expected).max() < 0.2 * span  # which is a frame's way


def test_confidence_stays_between_those_of_the_observations():
    times, keypoints = clip(10)
    keypoints[..., 2] = np.where(np.arange(len(times)) % 2, 1.0, 0.3)[:, None]
    confidence = PREPROCESS.resample(times, keypoints, 2.0)[..., 2]
    assert confidence.min() >= np.float32(0.3) and confidence.max() <= 1


def test_place_and_size_in_the_picture_do_not_matter():
    times, keypoints = clip()
    elsewhere = keypoints.copy()
    elsewhere[..., :2] = 3.7 * elsewhere[..., :2] + (412, -37)
    np.testing.assert_allclose(PREPROCESS(times, elsewhere, 2.0), PREPROCESS(times, keypoints, 2.0), atol=1e-4)


def test_walking_through_the_picture_is_kept():
    times, keypoints = clip()
    keypoints[..., 0] += 50 * times[:, None]  # half a body height per second
    window = PREPROCESS(times, keypoints, 2.0)
    travelled = window[0, -1, HIP] - window[0, 0, HIP]
    assert travelled == pytest.approx(0.5 * PREPROCESS.duration_s, rel=0.1)


def test_legs_out_of_view_change_neither_place_nor_size_of_the_rest():
    times, keypoints = clip()
    desk = keypoints.copy()
    desk[:, COCO17.index("left_knee") :] = 0
    window, seated = PREPROCESS(times, keypoints, 2.0), PREPROCESS(times, desk, 2.0)
    assert not seated[:, :, COCO17.index("left_knee") :].any()
    upper = slice(0, COCO17.index("left_hip"))
    np.testing.assert_allclose(seated[:, :, upper], window[:, :, upper], rtol=0.1, atol=0.02)


def test_a_missing_joint_is_zero_and_a_short_gap_is_bridged():
    times, keypoints = clip()
    keypoints[30:36, WRIST, 2] = 0.05  # 0.2 s below min_confidence
    keypoints[:, HIP, 2] = 0
    window = PREPROCESS(times, keypoints, 2.0)
    assert not window[:, :, HIP].any()
    assert (window[2, :, WRIST] > 0).all()
    keypoints[20:50, WRIST, 2] = 0.05  # a second
    assert not PREPROCESS(times, keypoints, 2.0)[:, 5:25, WRIST].any()


def test_a_clip_shorter_than_the_window_has_zeros_in_front():
    times, keypoints = clip(seconds=0.5)
    window = PREPROCESS(times, keypoints, 0.5)
    observed = window[2].any(axis=1)
    assert observed[-16:].all() and not observed[:-16].any()


def test_after_a_long_absence_the_window_starts_anew():
    times, keypoints = clip()
    present = (times < 1.0) | (times > 1.75)
    window = PREPROCESS(times[present], keypoints[present], 2.0)
    observed = window[2].any(axis=1)
    assert observed[-7:].all() and not observed[:-8].any()


def test_what_comes_later_does_not_change_a_window():
    times, keypoints = clip()
    later = PREPROCESS(times, keypoints, times[45])
    np.testing.assert_allclose(later, PREPROCESS(times[:46], keypoints[:46], times[45]), atol=1e-6)


def test_a_window_is_one_of_the_streams():
    with pytest.raises(ValueError, match="unknown stream 'limb'.*bone_motion"):
        Preprocess(stream="limb")
    times = np.arange(60) / 30
    joints = torch.from_numpy(PREPROCESS(times, waving(times), times[-1]))
    for name in STREAMS:
        window = Preprocess(stream=name)(times, waving(times), times[-1])
        assert torch.equal(torch.from_numpy(window), stream(joints, name, COCO17)), name


def test_stretch_scales_time_and_keeps_the_end():
    times, keypoints = np.array([1.0, 1.5, 2.0]), np.arange(9, dtype=np.float32).reshape(3, 1, 3)
    slow, same = stretch(times, keypoints, 3.0, 4.0)
    np.testing.assert_allclose(slow, [-1, 0, 1])
    assert same is keypoints
    np.testing.assert_allclose(stretch(slow, keypoints, 3.0, 2.0)[0], times)


def test_stretch_holds_a_single_moment_and_leaves_nobody():
    times, keypoints = stretch(np.array([2.0]), np.ones((1, 5, 3)), 2.0, 1.5)
    assert times.tolist() == [0.5, 2.0] and keypoints.shape == (2, 5, 3)
    times, keypoints = stretch(np.zeros(0), np.ones((0, 5, 3)), 2.0, 1.5)
    assert len(times) == len(keypoints) == 0


@pytest.fixture
def walk():
    """times (30,), keypoints (30, 20, 4): somebody in metres who walks along z."""
    rng = np.random.default_rng(0)
    times = np.arange(30) / 30
    keypoints = np.ones((30, 20, 4), np.float32)
    keypoints[..., :3] = rng.uniform((-0.4, -0.9, 2), (0.4, 0.9, 2.4), (20, 3))
    keypoints[..., 2] += times[:, None]
    return times, keypoints


def test_joints_in_a_picture_are_refused_where_space_is_expected(walk):
    times, keypoints = walk
    with pytest.raises(ValueError, match="kinect20 needs"):
        IN_SPACE(times, keypoints[..., [0, 1, 3]], 1.0)
    with pytest.raises(ValueError, match="needs"):
        IN_SPACE(times, keypoints[:, :17], 1.0)


def test_joints_in_space_are_refused_where_a_picture_is_expected(walk):
    """A depth would otherwise pass for a confidence."""
    times, keypoints = walk
    with pytest.raises(ValueError, match="coco17 needs"):
        PREPROCESS(times, keypoints[:, :17], 1.0)


def test_place_and_size_in_space_do_not_matter_and_the_way_walked_does(walk):
    times, keypoints = walk
    window = IN_SPACE(times, keypoints, times[-1])
    assert window.shape == (4, 30, 20) and window.dtype == np.float32
    elsewhere = keypoints.copy()
    elsewhere[..., :3] = elsewhere[..., :3] * 2.5 + (3, -1, 7)
    np.testing.assert_allclose(IN_SPACE(times, elsewhere, times[-1]), window, atol=1e-4)
    assert (np.diff(window[2], axis=0) > 0).all()


def test_every_coordinate_is_scaled_alike(walk):
    times, keypoints = walk
    window = IN_SPACE(times, keypoints, times[-1]).transpose(1, 2, 0)[..., :3]  # (T, V, 3)
    apart = keypoints[:, 1:, :3] - keypoints[:, :1, :3]
    ratio = (window[:, 1:] - window[:, :1]) / apart
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-3)


def test_an_unobserved_joint_in_space_is_zero_and_changes_no_other(walk):
    times, keypoints = walk
    foot = KINECT20.index("left_foot")  # of no limb whose length tells the size
    missing = keypoints.copy()
    missing[:, foot] = (9, 9, 9, 0)
    window, expected = (IN_SPACE(times, k, times[-1]) for k in (missing, keypoints))
    assert not window[:, :, foot].any()
    expected[:, :, foot] = 0
    np.testing.assert_array_equal(window, expected)
    assert not IN_SPACE(times, np.zeros_like(keypoints), times[-1]).any()


@pytest.mark.parametrize("name", STREAMS)
def test_people_seen_together_share_the_place_and_size_of_the_first(name):
    times, first = clip()
    beside = first.copy()
    beside[..., 0] += 60  # px, of a person who is 100 px tall
    alone, pair = Preprocess(stream=name), Preprocess(stream=name, people=2)
    joints = len(COCO17.joints)
    one, two = np.split(pair(times, np.concatenate([first, beside], axis=1), 2.0), 2, axis=-1)
    np.testing.assert_allclose(one, alone(times, first, 2.0), atol=1e-5)
    apart = 60 / alone.body_height(first) if name == "joint" else 0
    np.testing.assert_allclose(two[0], one[0] + apart, atol=1e-4)
    np.testing.assert_allclose(two[1:], one[1:], atol=1e-4)
    nobody = pair(times, np.concatenate([first, np.zeros_like(first)], axis=1), 2.0)
    np.testing.assert_allclose(nobody[..., :joints], one, atol=1e-6)
    assert not nobody[..., joints:].any()
