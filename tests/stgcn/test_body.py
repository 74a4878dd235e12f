"""Place and height of a person of whom all, some or nothing is in view."""

import numpy as np
import pytest

from stgcn.body import body_centre, body_height
from stgcn.graph import COCO17, get_layout

LEGS = [joint for joint, name in enumerate(COCO17.joints) if name.split("_")[-1] in ("hip", "knee", "ankle")]
SHOULDERS = [COCO17.index("left_shoulder"), COCO17.index("right_shoulder")]


def upright(layout: str = "coco17") -> np.ndarray:
    """(V, D): a person at random, all in view."""
    pose = np.random.default_rng(0).uniform(100, 200, get_layout(layout).shape)
    pose[:, -1] = 1
    return pose


@pytest.mark.parametrize("seen", [[], [0], [0, 1, 2]])
def test_the_height_of_somebody_hardly_in_view_is_positive(seen):
    hidden = upright()
    hidden[[joint for joint in range(17) if joint not in seen]] = 0
    assert body_height(hidden, "coco17") > 0
    assert np.isfinite(body_centre(hidden, "coco17")).all()


@pytest.mark.parametrize("layout", ["coco17", "jhmdb15", "kinect20"])
def test_place_and_height_follow_the_person(layout):
    pose = upright(layout)
    moved = pose.copy()
    moved[:, :-1] = 3 * moved[:, :-1] + 50
    assert body_height(moved, layout) == pytest.approx(3 * body_height(pose, layout))
    np.testing.assert_allclose(body_centre(moved, layout), 3 * body_centre(pose, layout) + 50)


def test_a_person_who_keeps_still_is_where_and_as_tall_as_in_one_moment():
    pose = upright()
    several = np.repeat(pose[None], 7, axis=0)
    assert body_height(several, "coco17") == pytest.approx(body_height(pose, "coco17"))
    np.testing.assert_allclose(body_centre(several, "coco17"), body_centre(pose, "coco17"))


def test_the_centre_is_between_the_shoulders_whatever_the_legs_do():
    pose = upright()
    pose[LEGS, :2] += 500
    np.testing.assert_allclose(body_centre(pose, "coco17"), pose[SHOULDERS, :2].mean(axis=0))


def test_one_wrong_keypoint_hardly_changes_the_height():
    """Arms and legs of a person who stands upright, 100 tall, and a wrist that was taken for something far away."""
    pose = np.zeros((17, 3))
    for side, x in (("left", 11.5), ("right", -11.5)):
        for name, y in dict(shoulder=18, elbow=35, wrist=50, hip=47, knee=71, ankle=96).items():
            pose[COCO17.index(f"{side}_{name}")] = (x, y, 1)
    expected = body_height(pose, "coco17")
    pose[COCO17.index("left_wrist"), 0] = 1000
    assert expected == pytest.approx(100, rel=0.02)
    assert body_height(pose, "coco17") == pytest.approx(expected, rel=0.05)
