"""What puppets do: names that nobody thought of, then that each action is what its name says."""

import numpy as np
import pytest
import torch

import stgcn
from stgcn.choreography import ACTIONS, act
from stgcn.graph import COCO17
from stgcn.puppets import move, perform
from tests.conftest import ROOT

SIDES = ("left", "right")
seeds = pytest.mark.parametrize("seed", range(10))


def done(label, seed):
    """Joints in space (n, 17, 3), by name; body heights, y down from the ground, ahead is -z."""
    rng = np.random.default_rng(seed)
    _, joints = move(rng, act(rng, label))
    return {name: joints[:, i] for i, name in enumerate(COCO17.joints)}


def height(joints, part):
    """(n,) above the ground: of both sides the mean."""
    return -(joints[f"left_{part}"] + joints[f"right_{part}"])[:, 1] / 2


def test_an_action_without_key_poses_is_refused():
    with pytest.raises(ValueError, match="'juggle'.*wave, clap, sit down"):
        act(np.random.default_rng(0), "juggle")


@seeds
@pytest.mark.parametrize("label", ACTIONS)
def test_everything_can_be_performed_and_filmed(label, seed):
    rng = np.random.default_rng(seed)
    times, keypoints = perform(rng, act(rng, label))
    assert 0.4 < times[-1] < 12 and np.isfinite(keypoints).all()


@seeds
def test_who_waves_moves_a_hand_above_its_elbow_to_and_fro(seed):
    joints = done("wave", seed)
    waving = joints["left_wrist"] - joints["left_elbow"]
    assert (-waving[-20:, 1] > 0.03).all()
    assert np.count_nonzero(np.diff(np.sign(np.diff(waving[:, 0])))) >= 3


@seeds
def test_who_sits_down_ends_at_the_height_of_the_knees_and_who_stands_up_begins_there(seed):
    for label, sitting, upright in (("sit down", -1, 0), ("stand up", 0, -1)):
        joints = done(label, seed)
        hips, knees = height(joints, "hip"), height(joints, "knee")
        assert abs(hips[sitting] - knees[sitting]) < 0.12 and hips[upright] > knees[upright] + 0.17


@seeds
def test_who_squats_goes_down_upright_and_who_picks_up_reaches_for_the_floor(seed):
    squat, pick = done("squat", seed), done("pick up", seed)
    assert height(squat, "hip").min() < height(squat, "hip")[0] - 0.1
    assert (height(squat, "shoulder") > height(squat, "hip") + 0.1).all()
    lowest_hand = min(-pick[f"{side}_wrist"][:, 1].max() for side in SIDES)
    assert lowest_hand < 0.3 and height(pick, "shoulder")[-1] > height(pick, "shoulder").min() + 0.1


@seeds
def test_who_jumps_leaves_the_ground(seed):
    joints = done("jump", seed)
    lower = np.maximum(joints["left_ankle"][:, 1], joints["right_ankle"][:, 1])
    assert lower.min() < -0.02 and lower.max() == pytest.approx(0, abs=1e-6)


@seeds
def test_who_runs_is_faster_than_who_walks_and_who_walks_gets_ahead(seed):
    speeds = []
    for label in ("walk", "run"):
        way = done(label, seed)["nose"][:, 2]
        speeds.append((way[0] - way[-1]) / len(way))
    assert 0.005 < speeds[0] < speeds[1]


@seeds
def test_who_kicks_swings_a_foot_up_ahead(seed):
    joints = done("kick", seed)
    foot = joints["left_ankle"] - joints["right_ankle"]
    assert foot[:, 2].min() < -0.1 and (-foot[:, 1]).max() > 0.05


@seeds
def test_who_throws_has_a_hand_that_is_faster_than_the_rest(seed):
    joints = done("throw", seed)
    hand, other = (np.linalg.norm(np.diff(joints[f"{side}_wrist"], axis=0), axis=1).max() for side in SIDES)
    assert hand > 0.03 and hand > other


@seeds
def test_who_pushes_has_both_hands_ahead(seed):
    joints = done("push", seed)
    ahead = [joints[f"{side}_shoulder"][:, 2] - joints[f"{side}_wrist"][:, 2] for side in SIDES]
    assert np.minimum(*ahead).max() > 0.18


@pytest.mark.parametrize("label, of_20", [("squat", 15), ("jump", 15), ("kick", 15), ("run", 15), ("wave", 15)])
def test_the_network_that_comes_along_tells_what_puppets_do(label, of_20):
    checkpoint, rng, windows = stgcn.load(ROOT / "checkpoints/stgcn-webcam.pth"), np.random.default_rng(7), []
    for _ in range(20):
        times, keypoints = perform(rng, act(rng, label))
        seen = times <= checkpoint.preprocess.duration_s
        windows.append(checkpoint.preprocess(times[seen], keypoints[seen], times[seen][-1]))
    with torch.inference_mode():
        told = checkpoint.model(torch.from_numpy(np.array(windows))[..., None]).argmax(dim=1)
    assert (told == checkpoint.classes.index(label)).sum() >= of_20
