"""People composed of clips: still, repeated, moved, joined."""

import numpy as np
import pytest

from stgcn import scenes
from stgcn.augment_pictures import waving
from stgcn.graph import get_layout
from stgcn.scenes import FPS, Performance, Span

COCO = get_layout("coco17")
BODY_M = waving()[1][0, :, :2]  # (17, 2), somebody upright, in metres
TALL_M = 1.7
SHOULDERS = [COCO.index("left_shoulder"), COCO.index("right_shoulder")]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pose(x=100.0, height=200.0, confidence=1.0):
    keypoints = np.full((17, 3), confidence, np.float32)
    keypoints[:, :2] = BODY_M * height / TALL_M + (x, 20)
    return keypoints


def clip(n=30, x=100.0, height=200.0):
    """Somebody moves the whole body to the right by a pixel a frame."""
    keypoints = np.repeat(pose(x, height)[None], n, axis=0)
    keypoints[..., 0] += np.arange(n)[:, None]
    return np.arange(n) / FPS, keypoints


def test_nobody_keeps_still_or_is_there_before_the_first_pose(rng):
    performance = Performance(rng)
    with pytest.raises(ValueError, match="act first"):
        performance.hold(1.0)
    with pytest.raises(ValueError, match="nothing"):
        performance.result()


@pytest.mark.parametrize("height", [50.0, 400.0])
def test_somebody_still_trembles_a_little_and_in_proportion(rng, height):
    times, keypoints = scenes.hold(rng, pose(height=height), 4.0)
    assert len(times) == 4 * FPS and times[0] == 0
    away = np.abs(keypoints[..., :2] - pose(height=height)[:, :2]) / height
    assert 0 < away.max() < 0.2
    steps = np.linalg.norm(np.diff(keypoints[..., :2], axis=0), axis=-1) / height
    assert 0.0005 < steps.mean() < 0.02
    assert (keypoints[..., 2] > 0).all() and (keypoints[..., 2] <= 1).all()


def test_the_same_seed_gives_the_same_stillness():
    first, second = (scenes.hold(np.random.default_rng(3), pose(), 1.0)[1] for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("duration_s", [0.5, 1.5, 3.1])
def test_repeating_goes_forwards_and_backwards_without_a_jump(duration_s):
    times, keypoints = scenes.repeat(*clip(20), duration_s)
    assert times[0] == 0 and duration_s - 1 / FPS < times[-1] + 1e-6 <= duration_s + 1e-6
    assert (np.diff(times) > 0).all()
    assert np.abs(np.diff(keypoints[:, 0, 0])) == pytest.approx(1, abs=1e-3)
    assert len(times) == len(keypoints)


def test_repeating_keeps_the_rhythm_of_irregular_frames():
    times = np.array([0.0, 0.1, 0.4])
    repeated, keypoints = scenes.repeat(times, clip(3)[1], 1.25)
    assert repeated == pytest.approx([0, 0.1, 0.4, 0.7, 0.8, 0.9, 1.2])
    assert keypoints[:, 0, 0] - keypoints[0, 0, 0] == pytest.approx([0, 1, 2, 1, 0, 1, 2])


def test_a_single_frame_cannot_be_repeated_and_stays():
    times, keypoints = scenes.repeat(*clip(1), 2.0)
    assert len(times) == len(keypoints) == 1


def test_moving_goes_from_pose_to_pose_in_small_steps():
    start, end = pose(100), pose(160)
    _, keypoints = scenes.move(start, end, 0.5)
    x = np.concatenate([[start[0, 0]], keypoints[:, 0, 0], [end[0, 0]]])
    assert (np.diff(x) > 0).all() and np.diff(x).max() < 10


def test_what_only_one_pose_has_is_in_view_for_half_of_the_way():
    start, end = pose(), pose()
    start[9], end[10] = 0, 0
    _, keypoints = scenes.move(start, end, 1.0)
    seen = keypoints[..., 2] > 0
    assert seen[:, 9].mean() == pytest.approx(0.5, abs=0.05) and not seen[0, 9] and seen[-1, 9]
    assert seen[:, 10].mean() == pytest.approx(0.5, abs=0.05) and seen[0, 10] and not seen[-1, 10]
    assert (keypoints[~seen] == 0).all()


def test_a_placed_clip_has_the_size_and_the_shoulders_of_the_pose():
    _, keypoints = clip(x=500, height=80)
    placed = scenes.place(keypoints, pose(100, 200))
    assert placed[0, SHOULDERS, :2] == pytest.approx(pose(100, 200)[SHOULDERS, :2], abs=0.01)
    assert placed[-1, 0, 0] - placed[0, 0, 0] == pytest.approx(29 * 200 / 80, rel=1e-3)


def test_a_performance_says_when_what_was_done(rng):
    performance = Performance(rng)
    performance.act(*clip(30), "walk")
    performance.hold(1.0)
    performance.leave(1.0)
    performance.act(*clip(15, x=900, height=60), "jump")
    performance.act(*clip(15), "clap")
    times, keypoints = performance.result()
    assert performance.spans[:2] == [Span("walk", 0.0, 1.0), Span("jump", 3.0, 3.5)]
    assert performance.spans[2].start_s == pytest.approx(3.5 + scenes.MOVE_S)
    assert (np.diff(times) > 0).all() and performance.duration_s == pytest.approx(times[-1] + 1 / FPS)
    assert np.diff(times).max() == pytest.approx(1.0 + 1 / FPS)  # nobody is in view
    middles = keypoints[:, SHOULDERS, :2].mean(axis=1)
    present = np.diff(times) < 2 / FPS
    assert np.linalg.norm(np.diff(middles, axis=0), axis=1)[present].max() < 20  # px; nobody jumps


def test_a_performance_may_begin_like_somebody_else(rng):
    performance = Performance(rng, like=pose(300, 100))
    performance.act(*clip(5))
    _, keypoints = performance.result()
    assert keypoints[0, SHOULDERS, :2] == pytest.approx(pose(300, 100)[SHOULDERS, :2], abs=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_who_comes_into_the_picture_is_seen_bit_by_bit_and_is_where_they_go_in_the_end(seed):
    times, keypoints = clip(n=60)
    now, entered = scenes.enter(np.random.default_rng(seed), times, keypoints)
    seen = (entered[..., 2] > 0).sum(axis=1)
    assert set(now) <= set(times) and now[-1] == times[-1] and seen[0] >= 3
    assert (np.diff(seen[: round(1.5 * FPS)]) >= -1).all(), "no joint leaves, but for the walk itself"
    there = entered[-1, :, 2] > 0
    assert np.allclose(entered[-1, there], keypoints[-1, there]) and (entered[..., :2][entered[..., 2] == 0] == 0).all()


def test_people_come_from_below_and_from_both_sides():
    firsts = []
    for seed in range(60):
        _, entered = scenes.enter(np.random.default_rng(seed), *clip(n=60))
        in_view = entered[0, :, 2] > 0
        firsts.append((entered[0, in_view, :2] - pose()[in_view, :2]).mean(axis=0))
    aside, down = np.array(firsts).T
    assert (down > 20).mean() > 0.3 and (aside > 20).mean() > 0.1 and (aside < -20).mean() > 0.1


def test_who_is_never_in_view_does_not_come_in(rng):
    times, keypoints = clip()
    nobody = keypoints * (1, 1, 0)
    same_times, same = scenes.enter(rng, times, nobody)
    assert np.array_equal(same_times, times) and np.array_equal(same, nobody)
