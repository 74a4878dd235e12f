"""Made-up waving and clapping: whom it suits, then what makes it what it is."""

import numpy as np
import pytest

from stgcn.body import body_height
from stgcn.gestures import BUILD, FOREARM, UPPER_ARM, can_gesture, clap, wave
from stgcn.graph import COCO17
from stgcn.scenes import hold
from tests.stgcn.people import waving_clip

ARM = ("shoulder", "elbow", "wrist")
LEFT, RIGHT = ([COCO17.index(f"{side}_{joint}") for joint in ARM] for side in ("left", "right"))
STANDING = waving_clip().keypoints[0]
SECONDS = 2.0
TREMBLING = 0.05  # body heights, the most by which a detector errs in the middle of the time
seeds = pytest.mark.parametrize("seed", range(12))


def standing(seconds=SECONDS, seed=0):
    return hold(np.random.default_rng(seed), STANDING, seconds)


def made(action, seed):
    """Keypoints (n, V, 2) in body heights."""
    times, body = standing(seed=seed)
    keypoints = action(np.random.default_rng(seed), times, body)
    assert keypoints.shape == body.shape and np.isfinite(keypoints).all() and (keypoints[..., 2] <= 1).all()
    return keypoints[..., :2] / body_height(STANDING, "coco17")


def moved(keypoints, joint):
    return np.linalg.norm(np.ptp(keypoints[:, joint], axis=0))


def turns(way):
    """How often a course (n,) turns back."""
    smooth = np.convolve(way, np.ones(5) / 5, "valid")
    return np.count_nonzero(np.diff(np.sign(np.diff(smooth))))


def test_without_both_shoulders_there_is_nothing_to_move_arms_at():
    hidden = STANDING.copy()
    hidden[LEFT[0], 2] = 0
    assert can_gesture(STANDING) and not can_gesture(hidden)


@seeds
@pytest.mark.parametrize("action", [wave, clap])
def test_arms_are_no_longer_than_arms(action, seed):
    keypoints = made(action, seed)
    for shoulder, elbow, wrist in (LEFT, RIGHT):
        for a, b, length in ((shoulder, elbow, UPPER_ARM), (elbow, wrist, FOREARM)):
            assert np.median(np.linalg.norm(keypoints[:, a] - keypoints[:, b], axis=-1)) < length * BUILD[1] + TREMBLING


@seeds
def test_who_waves_moves_a_raised_hand_there_and_back(seed):
    keypoints = made(wave, seed)
    waving = max((LEFT, RIGHT), key=lambda arm: moved(keypoints, arm[2]))
    way = keypoints[:, waving[2]] - keypoints[:, waving[0]]  # (n, 2), from the shoulder
    assert max(turns(way[:, 0]), turns(way[:, 1])) >= 2
    assert moved(keypoints, waving[2]) > 1.5 * moved(keypoints, COCO17.index("left_shoulder"))
    assert np.median(keypoints[:, waving[2], 1] - keypoints[:, waving[1], 1]) < 0.02, "the hand is above its elbow"


@seeds
def test_hands_that_clap_meet_and_part(seed):
    keypoints = made(clap, seed)
    apart = np.linalg.norm(keypoints[:, LEFT[2]] - keypoints[:, RIGHT[2]], axis=-1)
    assert apart.min() < 0.08 and apart.max() > apart.min() + 0.03
    assert turns(apart) >= 3


@pytest.mark.parametrize("action", [wave, clap])
def test_the_body_goes_on_and_takes_its_arms_along(action):
    times, body = standing()
    way = np.linspace(0, 2 * body_height(STANDING, "coco17"), len(body))
    walking = body.copy()
    walking[..., 0] += way[:, None]
    there, here = (action(np.random.default_rng(5), times, who) for who in (walking, body))
    np.testing.assert_allclose(there[..., 0] - here[..., 0], np.broadcast_to(way[:, None], there.shape[:2]), atol=0.5)
    assert np.array_equal(there[..., 2], here[..., 2])


def test_an_arm_is_out_of_view_while_its_shoulder_is():
    times, body = standing()
    body[10:20, [LEFT[0], RIGHT[0]]] = 0
    clapping = clap(np.random.default_rng(0), times, body)
    assert not clapping[10:20, [*LEFT, *RIGHT]].any()
    assert (clapping[20:, [*LEFT, *RIGHT], 2] > 0).all()


def test_the_rhythm_is_that_of_the_time_and_not_of_the_frames():
    times, body = standing(3.0)
    hand = {}
    for name, every in (("all", 1), ("third", 3)):
        keypoints = clap(np.random.default_rng(2), times[::every], body[::every])
        hand[name] = turns(np.interp(times, times[::every], keypoints[:, LEFT[2], 0] - keypoints[:, RIGHT[2], 0]))
    assert hand["third"] == pytest.approx(hand["all"], abs=3)


def test_the_same_seed_makes_the_same_wave():
    assert np.array_equal(made(wave, 3), made(wave, 3)) and not np.array_equal(made(wave, 3), made(wave, 4))
