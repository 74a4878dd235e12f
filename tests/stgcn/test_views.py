"""One clip, looked at in several ways."""

from dataclasses import replace

import numpy as np

from stgcn.graph import COCO17
from stgcn.views import SHARE, VIEWS, views
from tests.stgcn.people import waving_clip


def test_nobody_looks_like_nobody():
    clip = waving_clip()
    nobody = replace(clip, times=clip.times[:0], keypoints=clip.keypoints[:0])
    assert all(view is nobody for view in views(nobody, COCO17)) and len(views(nobody, COCO17)) == VIEWS


def test_whole_beginning_and_end_and_their_mirror_images():
    clip = waving_clip()
    made = views(clip, COCO17)
    assert len(made) == VIEWS and made[0] is clip
    whole, beginning, end = made[:3]
    assert beginning.times[0] == clip.times[0] and end.times[-1] == clip.times[-1] == end.end_s
    for part in (beginning, end):
        assert np.ptp(part.times) <= SHARE * np.ptp(clip.times) < np.ptp(part.times) + 2 / 30
    for straight, mirrored in zip(made, made[3:]):
        wrists = [COCO17.index(f"{side}_wrist") for side in ("left", "right")]
        np.testing.assert_array_equal(straight.keypoints[:, wrists] * (-1, 1, 1), mirrored.keypoints[:, wrists[::-1]])
        assert mirrored.end_s == straight.end_s


def test_a_person_who_came_late_may_be_missing_from_the_beginning():
    clip = waving_clip()
    late = replace(clip, times=clip.times[-1:], keypoints=clip.keypoints[-1:], end_s=clip.times[-1] + 4)
    assert [len(view.times) for view in views(late, COCO17)] == [1, 1, 0, 1, 1, 0]
