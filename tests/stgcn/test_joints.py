"""J-HMDB's joints from COCO's: what is taken over, and where the others lie."""

import numpy as np

from stgcn.graph import COCO17, JHMDB15
from stgcn.joints import jhmdb15_from_coco17
from tests.stgcn.test_preprocess import STANDING


def test_joints_of_both_stay_where_they_are_and_all_count_as_seen():
    person = np.concatenate([STANDING, np.zeros((17, 1))], axis=1)[None].astype(np.float32)  # (1, 17, 3)
    converted = jhmdb15_from_coco17(person)
    assert converted.shape == (1, 15, 3) and converted.dtype == np.float32
    assert (converted[..., 2] == 1).all()
    for joint in set(COCO17.joints) & set(JHMDB15.joints):
        np.testing.assert_array_equal(
            converted[0, JHMDB15.index(joint), :2], person[0, COCO17.index(joint), :2]
        )


def test_neck_belly_and_face_lie_in_order_on_the_middle_line_of_somebody_who_stands():
    person = np.ones((1, 17, 3), np.float32)
    person[0, :, :2] = STANDING + (30, 40)
    x, y = jhmdb15_from_coco17(person)[0, [JHMDB15.index(name) for name in ("face", "neck", "belly")], :2].T
    np.testing.assert_allclose(x, 80, atol=0.5)
    assert 40 < y[0] < y[1] < 58 < y[2] < 87


def test_moving_and_scaling_the_body_moves_and_scales_all_joints():
    person = np.ones((3, 17, 3), np.float32)
    person[..., :2] = np.random.default_rng(0).uniform(0, 100, (3, 17, 2))
    elsewhere = person.copy()
    elsewhere[..., :2] = 2.5 * person[..., :2] + (7, -3)
    np.testing.assert_allclose(
        jhmdb15_from_coco17(elsewhere)[..., :2], 2.5 * jhmdb15_from_coco17(person)[..., :2] + (7, -3), rtol=1e-4
    )
