"""What made-up hands do: waving is upright, clapping meets, and what has no name does not look like either."""

import numpy as np
import pytest

from stgcn import hands
from stgcn.graph import COCO17
from stgcn.puppets import KeyPose, move

STANDING = KeyPose().but(arms=((8, 0), (10, 80)), legs=((4, 0), (4, -20)))
seeds = pytest.mark.parametrize("seed", range(20))


def done(what, seed):
    """Joints in space (n, 17, 3), by name, y down; without the time in which the hands get there."""
    rng = np.random.default_rng(seed)
    _, joints = move(rng, what(rng, STANDING))
    return {name: joints[15:, i] for i, name in enumerate(COCO17.joints)}


@seeds
@pytest.mark.parametrize("what", [hands.wave, hands.clap, hands.busy, hands.gesture])
def test_the_body_stays_where_it_is_and_begins_at_rest(what, seed):
    rng = np.random.default_rng(seed)
    keys = what(rng, STANDING)
    assert keys[0][1] == STANDING and all(seconds > 0 for seconds, _ in keys[1:])
    for _, pose in keys:
        assert pose.limbs["left_leg"] == STANDING.limbs["left_leg"] and pose.lean == STANDING.lean


@seeds
def test_a_hand_that_waves_is_above_its_elbow_and_turns_again_and_again(seed):
    joints = done(hands.wave, seed)
    forearm = joints["left_wrist"] - joints["left_elbow"]
    assert (forearm[:, 1] < 0).all()
    assert np.count_nonzero(np.diff(np.sign(np.diff(joints["left_wrist"][:, 0])))) >= 2


@seeds
def test_hands_that_clap_meet_between_the_shoulders(seed):
    joints = done(hands.clap, seed)
    between = (joints["left_wrist"] + joints["right_wrist"] - joints["left_shoulder"] - joints["right_shoulder"]) / 2
    apart = np.linalg.norm(joints["left_wrist"] - joints["right_wrist"], axis=1)
    assert np.abs(between[:, 0]).max() < 0.08 and apart.min() < 0.12 and np.ptp(apart) > 0.03


def test_the_wider_somebody_claps_the_slower():
    def clap(seed):
        keys = hands.clap(np.random.default_rng(seed), STANDING)
        joints = done(hands.clap, seed)
        return keys[-1][0], np.linalg.norm(joints["left_wrist"] - joints["right_wrist"], axis=1).max()

    half_s, widths = zip(*map(clap, range(40)))
    assert np.corrcoef(half_s, widths)[0, 1] > 0.4


def test_a_busy_hand_seldom_stands_upright_beside_the_body_as_one_that_waves():
    def upright(what, seed):
        joints = done(what, seed)
        forearm, wrist = joints["left_wrist"] - joints["left_elbow"], joints["left_wrist"]
        outside = wrist[:, 0] > joints["left_shoulder"][:, 0] + 0.05
        return ((-forearm[:, 1] > 0.1) & outside).mean() > 0.5

    waving, busy = (np.mean([upright(what, seed) for seed in range(60)]) for what in (hands.wave, hands.busy))
    assert busy < 0.1 < 0.5 < waving
