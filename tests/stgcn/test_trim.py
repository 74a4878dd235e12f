"""When somebody acts in a recording."""

import numpy as np
import pytest

from stgcn.data import Clip
from stgcn.graph import COCO17
from stgcn.noise import tremble
from stgcn.trim import MARGIN_S, STEP_S, acting, trimmed
from tests.stgcn.people import waving_clip

FPS = 30
STANDING = waving_clip().keypoints[0]  # (V, 3)
ARM = [COCO17.index(f"left_{joint}") for joint in ("elbow", "wrist")]


def performed(before_s=0.8, act_s=1.2, after_s=0.6, swing=120.0, hold_s=0.0, fps=FPS):
    """Somebody about 210 pixels tall, who lifts an arm by `swing` pixels, holds it up, and takes it down."""
    times = np.arange(round((before_s + act_s + hold_s + after_s) * fps)) / fps
    knots = np.cumsum([before_s, act_s / 2, hold_s, act_s / 2])
    height = np.interp(times, knots, [0, swing, swing, 0])
    keypoints = np.tile(STANDING, (len(times), 1, 1))
    keypoints[..., 2] = 0.9
    keypoints[:, ARM, 1] -= height[:, None] * (0.8, 1)
    return times, tremble(np.random.default_rng(0), keypoints.astype(np.float32), fps)


@pytest.mark.parametrize("fps", [10, 15, 30, 60])
@pytest.mark.parametrize("hold_s", [0.0, 1.0])
def test_stillness_before_and_after_is_no_part_and_a_held_pose_is(fps, hold_s):
    times, keypoints = performed(fps=fps, hold_s=hold_s)
    assert acting(times, keypoints, "coco17") == pytest.approx((0.8, 2.0 + hold_s), abs=MARGIN_S + STEP_S / 2)


@pytest.mark.parametrize("swing", [0.0, 1.0])
def test_where_no_movement_is_clear_all_of_it_stays(swing):
    times, keypoints = performed(swing=swing)
    assert acting(times, keypoints, "coco17") == (times[0], times[-1])


def test_place_and_size_in_the_picture_do_not_matter():
    times, keypoints = performed()
    elsewhere = keypoints * np.array([3, 3, 1], np.float32) + np.array([500, -40, 0], np.float32)
    assert acting(times, elsewhere, "coco17") == acting(times, keypoints, "coco17")


def test_joints_that_nobody_is_sure_of_do_not_move():
    times, keypoints = performed()
    keypoints[:5, ARM, :2] += 100
    keypoints[:5, ARM, 2] = 0.1
    assert acting(times, keypoints, "coco17")[0] == pytest.approx(0.8, abs=MARGIN_S + STEP_S / 2)


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_a_clip_of_hardly_a_frame_stays(frames):
    times, keypoints = performed()
    clip = Clip("short", 0, times[:frames], keypoints[:frames], end_s=0.1)
    assert len(trimmed(clip, "coco17").times) == frames


def test_a_trimmed_clip_ends_with_the_action():
    times, keypoints = performed()
    clip = trimmed(Clip("arm", 0, times, keypoints, end_s=times[-1]), "coco17")
    assert clip.end_s == clip.times[-1] < 2.2 and clip.times[0] > 0.6 and len(clip.keypoints) == len(clip.times)
