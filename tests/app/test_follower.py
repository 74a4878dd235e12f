"""From poses to skeletons: the same person keeps the number, and trembles less if it is so wanted."""

import numpy as np
import pytest

from app.follower import Follower
from tests.app.people import person


def followed(smoothing):
    rng, follower = np.random.default_rng(0), Follower(smoothing)
    frames = []
    for index in range(30):
        pose = person(0.0)
        pose.keypoints[:, :2] += rng.normal(0, 2, pose.keypoints[:, :2].shape)
        frames.append(follower.update(index, index / 30, [pose]))
    return frames


@pytest.mark.parametrize("smoothing", [True, False])
def test_a_person_keeps_the_number_through_all_frames(smoothing):
    frames = followed(smoothing)
    assert [frame.index for frame in frames] == list(range(30)) and frames[-1].time_s == pytest.approx(29 / 30)
    assert {tuple(track.id for track in frame.tracks) for frame in frames[5:]} == {(frames[-1].tracks[0].id,)}


def test_smoothed_keypoints_tremble_less():
    def trembling(frames):
        return np.diff([frame.tracks[0].pose.keypoints[:, :2] for frame in frames[5:]], axis=0).std()

    assert trembling(followed(True)) < 0.7 * trembling(followed(False))


def test_nobody_in_view_is_a_frame_without_people():
    assert Follower().update(0, 0.0, []).tracks == ()
