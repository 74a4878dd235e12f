"""Steadier keypoints: still joints are held, moving ones followed in time, and nothing else is changed."""

import math
from dataclasses import replace

import numpy as np
import pytest

from app.smoothing import FORGET_S, Smoother
from app.tracking import Track, body_size
from tests.app.people import RIGHT_WRIST, person

JITTER = 0.012  # of a joint seen by an estimator, in body sizes
WAVE_HZ = 2.0


def track(time_s: float, shake: np.ndarray | float = 0.0, confidence: float = 1.0, id_: int = 1, **kwargs) -> Track:
    """Somebody whose joints lie `shake` (17, 2) px beside the truth."""
    pose = person(time_s, **kwargs)
    keypoints = pose.keypoints.copy()
    keypoints[:, :2] += shake
    keypoints[:, 2] = confidence
    return Track(id_, replace(pose, keypoints=keypoints), time_s)


def follow(tracks: list[Track], smoother: Smoother | None = None) -> np.ndarray:
    """(frames, V, 3) keypoints as smoothed."""
    smoother = smoother or Smoother()
    return np.array([smoother.update([track], track.time_s)[0].pose.keypoints for track in tracks])


def still(fps: float, seconds: float = 4.0, **kwargs) -> list[Track]:
    rng = np.random.default_rng(0)
    spread_px = JITTER * body_size(person(0, height=kwargs.get("height", 200.0)))
    times = np.arange(round(fps * seconds)) / fps
    return [track(time_s, rng.normal(0, spread_px, (17, 2)), **kwargs) for time_s in times]


def jitter_left(tracks: list[Track]) -> float:
    """The share of the jitter that smoothing leaves, once it has settled."""
    raw = np.array([track.pose.keypoints for track in tracks])
    half = len(tracks) // 4
    return (follow(tracks)[half:, :, :2].std(axis=0) / raw[half:, :, :2].std(axis=0)).mean()


class TestRefusals:
    @pytest.mark.parametrize("min_cutoff_hz", [0, -1, math.nan, math.inf])
    def test_the_lowest_cutoff_must_be_positive_and_finite(self, min_cutoff_hz):
        with pytest.raises(ValueError, match="min_cutoff_hz"):
            Smoother(min_cutoff_hz=min_cutoff_hz)

    @pytest.mark.parametrize("beta", [-1, math.nan, math.inf])
    def test_beta_must_not_be_negative(self, beta):
        with pytest.raises(ValueError, match="beta"):
            Smoother(beta=beta)

    @pytest.mark.parametrize("time_s", [0.9, math.nan, math.inf])
    def test_time_must_be_finite_and_not_go_back(self, time_s):
        smoother = Smoother()
        smoother.update([track(1.0)], 1.0)
        with pytest.raises(ValueError, match="goes back"):
            smoother.update([track(time_s)], time_s)


class TestWhatStays:
    def test_a_joint_at_rest_stays_where_it_is(self):
        tracks = [track(time_s) for time_s in np.arange(30) / 30]
        assert np.allclose(follow(tracks), tracks[0].pose.keypoints, atol=1e-3)

    def test_ids_boxes_scores_and_confidences_stay_and_the_input_is_not_written_to(self):
        smoother, rng = Smoother(), np.random.default_rng(1)
        for index in range(10):
            given = track(index / 30, rng.normal(0, 5, (17, 2)), confidence=0.7, id_=4)
            before = given.pose.keypoints.copy()
            (got,) = smoother.update([given], given.time_s)
            assert (got.id, got.time_s, got.pose.score) == (4, given.time_s, given.pose.score)
            assert np.array_equal(got.pose.box, given.pose.box)
            assert np.array_equal(got.pose.keypoints[:, 2], before[:, 2]) and got.pose.keypoints.dtype == np.float32
            assert np.array_equal(given.pose.keypoints, before)

    def test_a_joint_that_is_not_seen_is_passed_on_and_does_not_drag_what_comes_after(self):
        smoother = Smoother()
        follow([track(index / 30) for index in range(10)], smoother)
        hidden = track(10 / 30)
        hidden.pose.keypoints[RIGHT_WRIST] = 0
        (got,) = smoother.update([hidden], hidden.time_s)
        assert np.array_equal(got.pose.keypoints[RIGHT_WRIST], np.zeros(3))
        (after,) = smoother.update([track(11 / 30)], 11 / 30)
        assert np.allclose(after.pose.keypoints, track(0).pose.keypoints, atol=1e-3)

    def test_two_frames_of_one_time_are_no_error(self):
        smoother = Smoother()
        assert all(np.isfinite(smoother.update([track(1.0)], 1.0)[0].pose.keypoints).all() for _ in range(3))

    def test_nobody_is_no_error(self):
        assert Smoother().update([], 0.0) == []


class TestJitter:
    @pytest.mark.parametrize(("fps", "most"), [(10, 0.7), (15, 0.65), (30, 0.55), (60, 0.45)])
    def test_somebody_still_is_steadier(self, fps, most):
        assert jitter_left(still(fps)) < most

    def test_near_and_far_are_smoothed_alike(self):
        assert jitter_left(still(30, height=80.0)) == pytest.approx(jitter_left(still(30, height=800.0)), rel=1e-3)

    def test_unsure_joints_are_held_more_firmly(self):
        assert jitter_left(still(30, confidence=0.1)) < 0.8 * jitter_left(still(30, confidence=0.9))


class TestDelay:
    @pytest.mark.parametrize("fps", [10, 15, 30, 60])
    def test_a_waving_hand_is_followed_a_frame_later(self, fps):
        times = np.arange(round(fps * 6)) / fps
        wrist = follow([track(time_s, waves=True) for time_s in times])[:, RIGHT_WRIST, 0]  # swings at WAVE_HZ
        angle = 2 * np.pi * WAVE_HZ * times
        waves = np.column_stack([np.sin(angle), np.cos(angle), np.ones_like(times)])
        sine, cosine, _ = np.linalg.lstsq(waves[times > 1], wrist[times > 1], rcond=None)[0]
        assert math.atan2(-cosine, sine) / (2 * np.pi * WAVE_HZ) < 0.035  # seconds
        assert math.hypot(sine, cosine) > 0.85 * 20  # px, of the 20 it swings


class TestAbsence:
    def test_after_an_absence_joints_start_where_they_are(self):
        smoother = Smoother()
        follow([track(index / 30) for index in range(10)], smoother)
        later = 9 / 30 + FORGET_S + 0.05
        moved = track(later, shake=80.0)
        (got,) = smoother.update([moved], later)
        assert np.array_equal(got.pose.keypoints, moved.pose.keypoints)

    def test_a_missed_frame_does_not_interrupt(self):
        smoother = Smoother()
        follow([track(index / 30) for index in range(10)], smoother)
        jumped = track(11 / 30, shake=3.0)
        (got,) = smoother.update([jumped], jumped.time_s)
        assert (got.pose.keypoints[:, :2] < jumped.pose.keypoints[:, :2]).all()

    def test_people_are_smoothed_apart(self):
        rng = np.random.default_rng(2)
        shakes = rng.normal(0, 3, (20, 17, 2))
        alone = follow([track(index / 30, shake) for index, shake in enumerate(shakes)])
        smoother = Smoother()
        for index, shake in enumerate(shakes):
            pair = [track(index / 30, shake), track(index / 30, x=400.0, id_=2)]
            together = smoother.update(pair, index / 30)
            assert np.array_equal(together[0].pose.keypoints, alone[index])
