"""Made-up people: who is found, who is not, and as whom."""

from dataclasses import replace

import numpy as np
import pytest

from app.crowds import LEGS, MOVEMENTS, PIXELS_PER_M, Person, Scene, filmed, scenes, walker

FPS = 30


def still(x: float = 0.0, size: float = 1.0, does: str = "stand") -> Person:
    return Person(lambda time_s: x, size, does)


def film(scene: Scene, seed: int = 0):
    return filmed(scene, FPS, np.random.default_rng(seed))


@pytest.mark.parametrize("fps", [5, 30, 60])
def test_every_scene_has_a_frame_for_each_interval_and_people_in_it(fps):
    for name, scene in scenes(np.random.default_rng(0)).items():
        frames = filmed(scene, fps, np.random.default_rng(1))
        times = [time_s for time_s, _ in frames]
        assert len(frames) == int(scene.duration_s * fps) and (np.diff(times) > 0).all(), name
        assert {seen.person for _, frame in frames for seen in frame} - {None} == set(range(len(scene.people))), name


def test_the_same_seed_gives_the_same_film():
    scene = scenes(np.random.default_rng(0))["noisy, with doubles and nobodies"]
    for (time_s, frame), (other_s, other) in zip(film(scene), film(scene), strict=True):
        assert time_s == other_s and [seen.person for seen in frame] == [seen.person for seen in other]
        for a, b in zip(frame, other):
            np.testing.assert_array_equal(a.pose.keypoints, b.pose.keypoints)


def test_who_is_absent_or_behind_somebody_is_not_found():
    scene = Scene((still(0), still(0.1, size=0.9), still(3)), 1.0, hides_above=0.3, absences=((2, 0.4, 0.6),))
    for time_s, frame in film(scene):
        assert sorted(seen.person for seen in frame) == ([0] if 0.4 <= time_s < 0.6 else [0, 2])


def test_doubles_and_nobodies_are_marked_as_such():
    frames = film(Scene((still(),), 2.0, doubled=0.5, false_per_s=10))
    poses = [seen for _, frame in frames for seen in frame]
    assert sum(seen.first for seen in poses if seen.person == 0) == len(frames)
    assert 10 < sum(not seen.first for seen in poses) < 50
    assert 8 < sum(seen.person is None for seen in poses) < 40


def test_noise_is_in_metres_of_the_person_and_a_desk_hides_legs():
    scene = Scene((still(size=0.5),), 4.0, noise=0.02, desk=True)
    keypoints = np.array([frame[0].pose.keypoints for _, frame in film(scene)])  # (n, V, 3)
    assert keypoints[..., :2].std(axis=0).mean() == pytest.approx(0.02 * 0.5 * PIXELS_PER_M, rel=0.1)
    assert (keypoints[:, LEGS, 2] < 0.1).all() and (np.delete(keypoints, LEGS, axis=1)[..., 2] >= 0.5).all()
    whole = film(replace(scene, desk=False))[0][1][0].pose
    assert np.ptp(whole.box[1::2]) > np.ptp(film(scene)[0][1][0].pose.box[1::2])


@pytest.mark.parametrize("does", MOVEMENTS)
def test_people_move_and_keep_their_joints_together(does):
    frames = film(Scene((still(does=does),), 2.0, noise=0))
    keypoints = np.array([frame[0].pose.keypoints for _, frame in frames])[..., :2] / PIXELS_PER_M  # (n, V, 2)
    assert np.ptp(keypoints, axis=0).max() > 0.2
    assert np.abs(np.diff(keypoints, axis=0)).max() < 0.3, "nobody jumps from frame to frame"


def test_a_walker_crosses_the_picture_at_the_speed_given():
    frames = film(Scene((walker(-2, 1.5),), 2.0, noise=0, jitter=0))
    x = [frame[0].pose.keypoints[0, 0] for _, frame in frames]
    assert (x[-1] - x[0]) / PIXELS_PER_M == pytest.approx(1.5 * 59 / FPS, rel=1e-3)
