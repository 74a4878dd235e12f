"""What is painted, and what is left alone."""

import numpy as np
import pytest

from app import overlay
from app.decisions import ActionState
from app.pipeline import Recognition
from tests.app.people import skeletons


def recognition(action=None, progress=0.0, too_small=False):
    frame = skeletons(np.array([0.0]))[0]
    return Recognition(frame, {1: ActionState(1, action, 0.9, 0.0, "wave", progress, np.zeros(2), too_small)})


def blank(height=240, width=320):
    return np.zeros((height, width, 3), np.uint8)


def test_the_picture_that_is_given_is_not_changed():
    image = blank()
    painted = overlay.draw(image, recognition("wave", 1.0))
    assert not image.any() and painted.any() and painted.shape == image.shape


def test_skeletons_can_be_left_out():
    assert overlay.draw(blank(), recognition(), skeletons=False).any()
    with_bones, without = (overlay.draw(blank(), recognition(), skeletons=shown) for shown in (True, False))
    assert (with_bones > 0).sum() > (without > 0).sum()


def test_the_bar_grows_with_the_decision():
    colour = overlay.track_colour(1)
    painted = [(overlay.draw(blank(), recognition(None, progress), skeletons=False) == colour).all(axis=-1).sum()
               for progress in (0.0, 0.3, 0.9)]
    assert painted[0] < painted[1] < painted[2]


@pytest.mark.parametrize("size", [(17, 31), (2160, 3840), (1080, 200)])
def test_any_size_of_picture(size):
    assert overlay.draw(blank(*size), recognition("wave", 1.0)).shape == (*size, 3)


def test_a_mirror_twice_is_the_original():
    image, first = blank(), recognition("wave", 1.0)
    image[10:20, 5:9] = 200
    again, second = overlay.mirrored(*overlay.mirrored(image, first))
    np.testing.assert_array_equal(again, image)
    np.testing.assert_allclose(second.skeletons.tracks[0].pose.keypoints, first.skeletons.tracks[0].pose.keypoints)
    np.testing.assert_allclose(second.skeletons.tracks[0].pose.box, first.skeletons.tracks[0].pose.box)


def test_neighbouring_people_have_different_colours():
    colours = np.array([overlay.track_colour(track) for track in range(1, 7)])
    distances = np.abs(colours[:, None].astype(int) - colours[None]).sum(axis=-1)
    assert distances[~np.eye(6, dtype=bool)].min() > 60


def test_nothing_is_an_answer_and_not_yet_judged_is_none():
    judged = recognition(None, 0.1)
    not_judged = Recognition(judged.skeletons, {})
    guessed = recognition(None, 0.9)
    pictures = [overlay.draw(blank(), each, skeletons=False) for each in (judged, not_judged, guessed)]
    letters = [(picture > 100).all(axis=-1).sum() for picture in pictures]
    assert letters[0] > letters[1] and not np.array_equal(pictures[0], pictures[2])


def test_who_is_too_small_is_told_so_instead_of_nothing():
    pictures = [overlay.draw(blank(), recognition(too_small=small), skeletons=False) for small in (False, True)]
    letters = [(picture > 100).all(axis=-1).sum() for picture in pictures]
    assert letters[1] > letters[0]  # more of them
