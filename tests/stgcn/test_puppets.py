"""Made-up people: movements that are none, then bodies that hold together, stand on the ground and are seen."""

import numpy as np
import pytest

from stgcn import puppets
from stgcn.body import standing
from stgcn.graph import COCO17
from stgcn.puppets import KeyPose, film, move, perform

ARM, LEG = ((10, 0), (15, 80)), ((4, 0), (4, -20))
UPRIGHT = KeyPose().but(arms=ARM, legs=LEG)
CROUCHED = UPRIGHT.but(lean=40, legs=((80, 90), (30, -90)))
STRIDES = [UPRIGHT.but(**{f"{one}_leg": ((25, 90), (5, 90)), f"{other}_leg": ((20, -90), (30, -90))})
           for one, other in (("left", "right"), ("right", "left"))]  # fmt: skip
BONES = [("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"), ("shoulder", "hip")]
seeds = pytest.mark.parametrize("seed", range(8))


def joint(joints, name):
    return joints[:, COCO17.index(name)]


def moved(*keys, seed=0):
    return move(np.random.default_rng(seed), keys)


@pytest.mark.parametrize("keys", [[], [(0, UPRIGHT)], [(0, UPRIGHT), (0, CROUCHED)], [(0, UPRIGHT), (-1, CROUCHED)]])
def test_what_is_no_movement_is_refused(keys):
    with pytest.raises(ValueError, match="two key poses or more"):
        perform(np.random.default_rng(0), keys)


@seeds
def test_bones_keep_their_length_and_both_sides_are_alike(seed):
    _, joints = moved((0, UPRIGHT), (0.5, CROUCHED), (0.4, UPRIGHT.but(arms=((170, 0), (170, 0)))), seed=seed)
    for a, b in BONES:
        left, right = (np.linalg.norm(joint(joints, f"{side}_{a}") - joint(joints, f"{side}_{b}"), axis=1)
                       for side in ("left", "right"))  # fmt: skip
        assert np.ptp(left) < 1e-6 and np.ptp(right) < 1e-6 or (a, b) == ("shoulder", "hip")
        assert left == pytest.approx(right, rel=0.15)


@seeds
def test_one_foot_is_on_the_ground_unless_both_are_in_the_air(seed):
    _, joints = moved((0, CROUCHED), (0.3, UPRIGHT.but(air=0.2)), (0.3, CROUCHED), (0.5, UPRIGHT), seed=seed)
    lower = np.maximum(joint(joints, "left_ankle")[:, 1], joint(joints, "right_ankle")[:, 1])
    assert lower.min() == pytest.approx(-0.2, abs=0.01) and lower.max() == pytest.approx(0, abs=1e-6)
    assert np.allclose(lower[-15:], 0)


@seeds
def test_steps_lead_ahead_and_the_foot_that_stands_stays(seed):
    keys = [(0.35, pose) for pose in [UPRIGHT, *STRIDES, *STRIDES]]
    _, joints = moved(*keys, seed=seed)
    assert joint(joints, "nose")[-1, 2] < joint(joints, "nose")[0, 2] - 0.4, "ahead is -z"
    feet = np.stack([joint(joints, f"{side}_ankle") for side in ("left", "right")])  # (2, n, 3)
    slides = np.linalg.norm(np.diff(feet, axis=1)[..., [0, 2]], axis=-1)  # (2, n - 1)
    assert slides.min(axis=0) == pytest.approx(0, abs=1e-6)


def test_who_turns_looks_the_other_way():
    _, joints = moved((0, UPRIGHT), (1.0, UPRIGHT.but(turn=180)))
    looks = joint(joints, "nose") - (joint(joints, "left_ear") + joint(joints, "right_ear")) / 2
    assert looks[0, 2] < 0 < looks[-1, 2]


@seeds
def test_a_puppet_is_built_like_an_adult(seed):
    _, joints = moved((0, UPRIGHT), (1.0, UPRIGHT), seed=seed)
    adult = standing() / np.ptp(standing()[:, 1])
    puppet = joints[0] / np.ptp(joints[0, :, 1])
    heights = [(body[:, 1] - body[:, 1].max())[[COCO17.index(name) for name in ("nose", "left_shoulder", "left_hip",
                                                                                 "left_knee")]]
               for body in (adult, puppet)]  # fmt: skip
    assert heights[1] == pytest.approx(heights[0], abs=0.08)


@seeds
def test_keypoints_are_what_an_estimator_gives(seed):
    times, keypoints = perform(np.random.default_rng(seed), [(0, UPRIGHT), (0.5, CROUCHED), (0.5, UPRIGHT)])
    assert times[0] == 0 and times[-1] == pytest.approx(1.0, abs=0.04) and (np.diff(times) > 0).all()
    assert keypoints.shape == (len(times), 17, 3) and keypoints.dtype == np.float32
    assert np.isfinite(keypoints).all() and (keypoints[..., 2] > 0).all() and (keypoints[..., 2] <= 1).all()
    assert 0.6 < np.ptp(keypoints[0, :, 1]) < 1.4, "about a body height"


def test_from_behind_an_estimator_guesses_where_the_face_is(monkeypatch):
    monkeypatch.setattr(puppets, "FRONTAL", 1.0)
    monkeypatch.setattr(puppets, "FRONTAL_DEG", 0.0)
    _, joints = moved((0, UPRIGHT), (1.0, UPRIGHT))
    away = joints * (-1, 1, -1)
    nose = COCO17.index("nose")
    front, behind = (film(np.random.default_rng(1), body)[:, nose, 2].mean() for body in (joints, away))
    assert behind < 0.65 * front


def test_the_same_seed_gives_the_same_person():
    keys = [(0, UPRIGHT), (0.5, CROUCHED)]
    one, same, other = (perform(np.random.default_rng(seed), keys)[1] for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
