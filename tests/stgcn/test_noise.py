"""How pose estimators err: by how much, for how long, and which joints."""

import numpy as np
import pytest

from stgcn.augment_pictures import waving
from stgcn.noise import frame_rate, tremble, wander

FPS, TALL = 30.0, 1.7


def at_rest(confidence=1.0, seconds=3):
    """(n, 17, 3): somebody upright who does not move at all, in metres."""
    pose = np.full((17, 3), confidence, np.float32)
    pose[:, :2] = waving()[1][0, :, :2]
    return np.repeat(pose[None], round(seconds * FPS), axis=0)


def steps(keypoints, order=1):
    """Sizes of the changes from frame to frame (n - order, V), or of the changes of these, in body heights."""
    return np.linalg.norm(np.diff(keypoints[..., :2], n=order, axis=0), axis=-1) / TALL


def test_somebody_still_trembles_no_more_than_smoothed_recordings_of_people_at_rest_do():
    changes = [steps(tremble(np.random.default_rng(seed), at_rest(0.8), FPS), order=2) for seed in range(20)]
    assert 0.0005 < np.median(changes) < 0.003  # MMPose 0.0029, MoveNet 0.0008


def test_an_unsure_joint_trembles_more_and_a_missing_one_stays_missing():
    still = at_rest()
    still[:, 9, 2], still[:, 10] = 0.2, 0
    trembling = [tremble(np.random.default_rng(seed), still, FPS) for seed in range(5)]
    moved = np.mean([steps(keypoints).mean(axis=0) for keypoints in trembling], axis=0)
    assert moved[9] > 1.5 * moved[7]
    assert not np.any([keypoints[:, 10] for keypoints in trembling])


@pytest.mark.parametrize("memory_s", [0, 0.1, 1.0])
def test_noise_is_normal_and_resembles_itself_for_as_long_as_it_should(memory_s):
    noise = wander(np.random.default_rng(0), (60, 3000), memory_s, FPS)
    assert noise.mean() == pytest.approx(0, abs=0.05) and noise.std() == pytest.approx(1, abs=0.05)
    alike = (noise[3:] * noise[:-3]).mean()  # a tenth of a second later
    assert alike == pytest.approx(np.exp(-0.1 / memory_s) if memory_s else 0, abs=0.05)


def test_the_frame_rate_is_that_of_the_times():
    assert frame_rate(np.arange(20) / 12.5) == pytest.approx(12.5)
    assert frame_rate(np.array([4.0])) == 30
