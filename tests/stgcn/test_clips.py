"""Joints in space."""

import numpy as np
import pytest

from stgcn.clips import SPATIAL_LAYOUTS, Preprocess3D, for_layout, joint_shape
from stgcn.graph import KINECT20
from stgcn.preprocess import Preprocess

PREPROCESS = Preprocess3D("kinect20", frames=30)


@pytest.fixture
def walk():
    """times (30,), keypoints (30, 20, 4): somebody in metres who walks along z."""
    rng = np.random.default_rng(0)
    times = np.arange(30) / 30
    keypoints = np.ones((30, 20, 4), np.float32)
    keypoints[..., :3] = rng.uniform((-0.4, -0.9, 2), (0.4, 0.9, 2.4), (20, 3))
    keypoints[..., 2] += times[:, None]
    return times, keypoints


def test_joints_in_a_picture_are_refused(walk):
    times, keypoints = walk
    with pytest.raises(ValueError, match="kinect20 needs x, y, z and confidence"):
        PREPROCESS(times, keypoints[..., [0, 1, 3]], 1.0)
    with pytest.raises(ValueError, match="needs"):
        PREPROCESS(times, keypoints[:, :17], 1.0)


def test_joints_in_space_are_refused_where_a_picture_is_expected(walk):
    """A depth would otherwise pass for a confidence."""
    with pytest.raises(ValueError, match="needs"):
        Preprocess("kinect20")(*walk, 1.0)


def test_the_layout_decides():
    assert joint_shape("kinect20") == (20, 4) and joint_shape("coco17") == (17, 3)
    assert type(for_layout(Preprocess("coco17"))) is Preprocess
    for layout in SPATIAL_LAYOUTS:
        made = for_layout(Preprocess(layout, fps=15, frames=7, max_gap_s=3))
        assert made == Preprocess3D(layout, fps=15, frames=7, max_gap_s=3)
        assert for_layout(made) == made


def test_place_and_size_do_not_matter_and_the_way_walked_does(walk):
    times, keypoints = walk
    window = PREPROCESS(times, keypoints, times[-1])
    assert window.shape == (4, 30, 20) and window.dtype == np.float32
    elsewhere = keypoints.copy()
    elsewhere[..., :3] = elsewhere[..., :3] * 2.5 + (3, -1, 7)
    np.testing.assert_allclose(PREPROCESS(times, elsewhere, times[-1]), window, atol=1e-4)
    assert (np.diff(window[2], axis=0) > 0).all()


def test_every_coordinate_is_scaled_alike(walk):
    times, keypoints = walk
    window = PREPROCESS(times, keypoints, times[-1]).transpose(1, 2, 0)[..., :3]  # (T, V, 3)
    apart = keypoints[:, 1:, :3] - keypoints[:, :1, :3]
    ratio = (window[:, 1:] - window[:, :1]) / apart
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-3)


def test_an_unobserved_joint_is_zero_and_changes_no_other(walk):
    times, keypoints = walk
    foot = KINECT20.index("left_foot")  # of no limb whose length tells the size
    missing = keypoints.copy()
    missing[:, foot] = (9, 9, 9, 0)
    window, expected = (PREPROCESS(times, k, times[-1]) for k in (missing, keypoints))
    assert not window[:, :, foot].any()
    expected[:, :, foot] = 0
    np.testing.assert_array_equal(window, expected)
    assert not PREPROCESS(times, np.zeros_like(keypoints), times[-1]).any()
