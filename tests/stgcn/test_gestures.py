"""Made-up waving and clapping: whom it suits, then what makes it what it is."""

import numpy as np
import pytest

from stgcn.body import body_height
from stgcn.gestures import BUILD, FOREARM, UPPER_ARM, can_gesture, clap, wave
from stgcn.graph import COCO17
from tests.stgcn.people import waving_clip

ARM = ("shoulder", "elbow", "wrist")
LEFT, RIGHT = ([COCO17.index(f"{side}_{joint}") for joint in ARM] for side in ("left", "right"))
STANDING = waving_clip().keypoints[0]
SECONDS = 2.0
TREMBLING = 0.05  # body heights, the most by which a detector errs in the middle of the time
seeds = pytest.mark.parametrize("seed", range(12))


def made(action, seed):
    """Keypoints (n, V, 2) in body heights."""
    times, keypoints = action(np.random.default_rng(seed), STANDING, SECONDS)
    assert times[0] == 0 and times[-1] == pytest.approx(SECONDS, abs=0.05) and (np.diff(times) > 0).all()
    assert np.isfinite(keypoints).all() and (keypoints[..., 2] <= 1).all()
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


def test_the_same_seed_makes_the_same_wave():
    assert np.array_equal(made(wave, 3), made(wave, 3)) and not np.array_equal(made(wave, 3), made(wave, 4))
