import math
from dataclasses import replace

import numpy as np
import pytest

from app.pose.base import JOINT_COUNT, Pose
from app.tracking import Tracker

FRAME_RATES = [5, 10, 30, 60]  # fps
METRE = 200  # pixels

# A standing person in metres, feet at the origin, y down, in COCO-17 order.
STANDING = np.array([
    [0, -1.62], [.03, -1.65], [-.03, -1.65], [.08, -1.62], [-.08, -1.62],  # head
    [.19, -1.40], [-.19, -1.40], [.25, -1.12], [-.25, -1.12], [.27, -.88], [-.27, -.88],  # arms
    [.12, -.92], [-.12, -.92], [.13, -.48], [-.13, -.48], [.13, -.04], [-.13, -.04],  # legs
])  # fmt: skip


def person(x_m: float, y_m=2.0, size=1.0, score=0.6, confidence=0.8) -> Pose:
    """Somebody who stands at (x_m, y_m) metres, `size` times as tall as an adult."""
    joints = (STANDING * size + [x_m, y_m]) * METRE
    keypoints = np.column_stack([joints, np.full(JOINT_COUNT, confidence)]).astype(np.float32)
    box = np.concatenate([joints.min(0) - 10, joints.max(0) + 10]).astype(np.float32)
    return Pose(keypoints, box, score)


def shaken(pose: Pose, rng: np.random.Generator, spread_m: float = 0.03) -> Pose:
    """The pose as an estimator sees it: every joint a little beside the truth."""
    keypoints = pose.keypoints.copy()
    keypoints[:, :2] += rng.normal(0, spread_m * METRE, (JOINT_COUNT, 2))
    return replace(pose, keypoints=keypoints)


def times(fps: float, duration_s: float, start_s: float = 0.0) -> np.ndarray:
    return start_s + np.arange(round(fps * duration_s)) / fps


def follow(tracker: Tracker, scene, seconds) -> list[dict[str, int]]:
    """Ids by name in each frame. scene(time_s) -> {name: pose}, only of those who are detected."""
    frames = []
    for time_s in seconds:
        poses = scene(time_s)
        tracks = tracker.update(list(poses.values()), time_s)
        frames.append({name: t.id for name, pose in poses.items() for t in tracks if t.pose is pose})
        assert len(frames[-1]) == len(tracks), "every track holds one of the poses given"
    return frames


def ids_of(frames: list[dict[str, int]], name: str) -> set[int]:
    return {frame[name] for frame in frames if name in frame}


class TestRefusals:
    @pytest.mark.parametrize("memory_s", [0, -1, math.nan, math.inf])
    def test_memory_must_be_positive_and_finite(self, memory_s):
        with pytest.raises(ValueError, match="memory_s"):
            Tracker(memory_s=memory_s)

    @pytest.mark.parametrize("confirm_s", [-0.1, math.nan, math.inf])
    def test_confirmation_must_not_be_negative(self, confirm_s):
        with pytest.raises(ValueError, match="confirm_s"):
            Tracker(confirm_s=confirm_s)

    def test_time_must_not_go_back(self):
        tracker = Tracker()
        tracker.update([person(0)], 2.0)
        with pytest.raises(ValueError, match="goes back"):
            tracker.update([person(0)], 1.9)

    @pytest.mark.parametrize("time_s", [math.nan, math.inf])
    def test_time_must_be_finite(self, time_s):
        with pytest.raises(ValueError, match="time_s"):
            Tracker().update([], time_s)

    @pytest.mark.parametrize("shape", [(17, 2), (17,), (1, 17, 3)])
    def test_keypoints_of_another_shape(self, shape):
        with pytest.raises(ValueError, match="keypoints"):
            Tracker().update([replace(person(0), keypoints=np.ones(shape, np.float32))], 0.0)

    def test_box_of_another_shape(self):
        with pytest.raises(ValueError, match="box"):
            Tracker().update([replace(person(0), box=np.ones(5, np.float32))], 0.0)

    def test_another_layout_in_the_middle_of_a_run(self):
        tracker = Tracker()
        tracker.update([person(0)], 0.0)
        with pytest.raises(ValueError, match="joints"):
            tracker.update([replace(person(0), keypoints=person(0).keypoints[:15])], 0.1)

    @pytest.mark.parametrize("field", ["keypoints", "box"])
    def test_numbers_that_are_not_finite(self, field):
        pose = person(0)
        getattr(pose, field)[0] = math.nan
        with pytest.raises(ValueError, match="finite"):
            Tracker().update([pose], 0.0)

    def test_a_refused_frame_leaves_the_tracker_as_it_was(self):
        tracker = Tracker()
        before = tracker.update([person(0)], 0.0)
        with pytest.raises(ValueError):
            tracker.update([replace(person(0), box=np.ones(5, np.float32))], 5.0)
        assert [t.id for t in tracker.update([person(0)], 0.1)] == [before[0].id]


class TestIds:
    def test_count_from_one_in_the_first_frame(self):
        tracks = Tracker().update([person(0), person(1), person(2)], 10.0)
        assert [t.id for t in tracks] == [1, 2, 3]
        assert {t.time_s for t in tracks} == {10.0}

    def test_nobody_is_not_an_error(self):
        tracker = Tracker()
        assert tracker.update([], 0.0) == []
        assert tracker.update([], 0.1) == []

    def test_the_pose_comes_back_as_it_was_given(self):
        pose = person(0)
        before = pose.keypoints.copy()
        assert Tracker().update([pose], 0.0)[0].pose is pose
        assert np.array_equal(pose.keypoints, before)

    @pytest.mark.parametrize("fps", FRAME_RATES)
    def test_a_newcomer_has_an_id_within_a_fifth_of_a_second(self, fps):
        frames = follow(Tracker(), lambda t: {"a": person(0)} if t >= 1 else {}, times(fps, 2))
        first_s = times(fps, 2)[[i for i, frame in enumerate(frames) if frame][0]]
        assert 1.0 < first_s <= 1.2 + 1e-9

    @pytest.mark.parametrize("fps", FRAME_RATES)
    def test_false_detections_of_one_frame_get_none(self, fps):
        flashes = {round(i): i / 10 for i in np.linspace(2, fps * 4, 6, endpoint=False)}
        tracker, found = Tracker(), set()
        for index, time_s in enumerate(times(fps, 4)):
            poses = [person(0)] + ([person(1 + 3 * flashes[index])] if index in flashes else [])
            found |= {t.id for t in tracker.update(poses, time_s)}
        assert found == {1}

    def test_a_pose_without_a_known_joint_gets_none(self):
        tracker = Tracker()
        assert all(not tracker.update([person(0, confidence=0)], t) for t in times(30, 1))

    def test_two_frames_of_one_time_keep_the_ids(self):
        tracker = Tracker()
        scene = [tracker.update([person(0), person(1)], 1.0) for _ in range(3)]
        assert [[t.id for t in tracks] for tracks in scene] == [[1, 2]] * 3
        assert [t.id for t in tracker.update([person(1)], 1.0)] == [2], "only who is observed now"


class TestAbsence:
    @pytest.mark.parametrize("fps", FRAME_RATES)
    @pytest.mark.parametrize("pace", [0.0, 1.4])
    def test_an_id_survives_half_a_second(self, fps, pace):
        def scene(t):
            return {} if 1.0 <= t < 1.5 else {"a": person(pace * t)}

        frames = follow(Tracker(), scene, times(fps, 3))
        assert ids_of(frames, "a") == {1}
        assert all(not frame for frame, t in zip(frames, times(fps, 3), strict=True) if 1.0 <= t < 1.5)

    def test_a_neighbour_does_not_take_over_who_is_missed(self):
        def scene(t):
            poses = {"left": person(0.2 * t), "right": person(0.7 + 0.2 * t)}
            if 1.0 <= t < 1.5:
                del poses["left"]
            return poses

        frames = follow(Tracker(), scene, times(30, 3))
        assert len(ids_of(frames, "left")) == len(ids_of(frames, "right")) == 1

    def test_a_long_absence_ends_an_id_and_it_is_not_used_again(self):
        def scene(t):
            return {} if 1.0 <= t < 4.0 else {"a": person(0)}

        frames = follow(Tracker(memory_s=1.5), scene, times(10, 6))
        assert ids_of(frames[:10], "a") == {1}
        assert ids_of(frames[40:], "a") == {2}

    def test_memory_is_the_callers_choice(self):
        def scene(t):
            return {} if 1.0 <= t < 4.0 else {"a": person(0)}

        assert ids_of(follow(Tracker(memory_s=4), scene, times(10, 6)), "a") == {1}


class TestReturn:
    """Who comes back within two seconds keeps the id where build and place allow."""

    @pytest.mark.parametrize("fps", FRAME_RATES)
    @pytest.mark.parametrize("away_s", [0.3, 1.0, 2.0])
    @pytest.mark.parametrize("beside_m", [0.0, 0.5])
    def test_an_id_survives_an_absence(self, fps, away_s, beside_m):
        rng = np.random.default_rng(5)

        def scene(t):
            if 2.0 <= t < 2.0 + away_s:
                return {}
            return {"a": shaken(person(beside_m if t >= 2.0 else 0.0), rng)}

        assert ids_of(follow(Tracker(), scene, times(fps, 5)), "a") == {1}

    @pytest.mark.parametrize("fps", FRAME_RATES)
    def test_who_walks_out_of_the_picture_and_turns_round_keeps_the_id(self, fps):
        def scene(t):  # at 1.3 m/s past the edge at x = 2 m, and back from t = 2.5 s on
            x = 2 - 1.3 * (1.7 - t) if t < 2.5 else 2 - 1.3 * (t - 3.3)
            return {"a": person(x)} if x < 2 else {}

        assert ids_of(follow(Tracker(), scene, times(fps, 5)), "a") == {1}

    def test_two_who_are_away_together_are_not_mixed_up(self):
        def scene(t):
            return {} if 1.0 <= t < 2.5 else {"adult": person(0), "child": person(0.8, size=0.6)}

        frames = follow(Tracker(), scene, times(30, 4))
        assert len(ids_of(frames, "adult")) == len(ids_of(frames, "child")) == 1

    @pytest.mark.parametrize("other", [{"x_m": 3.0}, {"x_m": 0.0, "size": 0.5}], ids=["out of reach", "a child"])
    def test_somebody_else_gets_an_id_of_their_own(self, other):
        def scene(t):
            return {"a": person(0)} if t < 2 else {"b": person(**other)} if t >= 3.8 else {}

        frames = follow(Tracker(), scene, times(30, 5))
        assert (ids_of(frames, "a"), ids_of(frames, "b")) == ({1}, {2})

    def test_nobody_inherits_from_who_is_still_in_view(self):
        def scene(t):
            return {"a": person(0)} | ({"b": person(0.6)} if t >= 1 else {})

        frames = follow(Tracker(), scene, times(30, 2))
        assert (ids_of(frames, "a"), ids_of(frames, "b")) == ({1}, {2})

    def test_a_false_detection_takes_no_id_from_who_is_away(self):
        def scene(t):
            flash = {"flash": person(1.0)} if round(t * 30) == 45 else {}
            return flash | ({"a": person(0)} if not 1.0 <= t < 2.5 else {})

        frames = follow(Tracker(), scene, times(30, 4))
        assert (ids_of(frames, "a"), ids_of(frames, "flash")) == ({1}, set())


class TestSeveralPeople:
    @pytest.mark.parametrize("fps", FRAME_RATES)
    @pytest.mark.parametrize("hidden", [False, True], ids=["both seen", "the one behind hidden"])
    def test_two_who_cross_keep_their_ids(self, fps, hidden):
        def scene(t):
            left, right = -2.0 + 1.3 * t, 2.0 - 1.3 * t
            poses = {"front": person(left), "behind": person(right, 1.9, size=0.9)}
            if hidden and abs(left - right) < 0.5:
                del poses["behind"]
            return {name: shaken(pose, rng) for name, pose in poses.items()}

        rng = np.random.default_rng(0)
        frames = follow(Tracker(), scene, times(fps, 3.2))
        before = {name: frames[0][name] for name in ("front", "behind")}
        assert frames[-1] == before
        if hidden:
            assert all(frame.get(name, id_) == id_ for frame in frames for name, id_ in before.items())

    def test_the_order_of_the_poses_does_not_matter(self):
        rng = np.random.default_rng(1)
        given, turned = Tracker(), Tracker()
        for t in times(15, 3):
            poses = [person(-1 + t, score=0.5), person(1 - t, 1.9, 0.9, score=0.6), person(3, score=0.7)]
            poses = [shaken(pose, rng) for pose in poses]
            one, other = given.update(poses, t), turned.update(poses[::-1], t)
            assert [(a.id, a.pose) for a in one] == [(b.id, b.pose) for b in other]

    def test_a_camera_that_jitters_and_misses_people_changes_nothing(self):
        rng = np.random.default_rng(2)
        seconds = np.cumsum(rng.uniform(1 / 60, 1 / 8, 120))

        def scene(t):
            people = {"a": person(-2 + 0.2 * t), "b": person(1), "c": person(2.2 + 0.3 * math.sin(3 * t))}
            return {name: shaken(pose, rng) for name, pose in people.items() if rng.random() > 0.15}

        frames = follow(Tracker(), scene, seconds)
        assert all(len(ids_of(frames, name)) == 1 for name in "abc")
        assert set().union(*(ids_of(frames, name) for name in "abc")) == {1, 2, 3}

    def test_identities_do_not_hang_on_the_frame_rate(self):
        def scene(t):
            poses = {"a": person(-2 + 1.2 * t, score=0.5), "b": person(2 - 1.2 * t, 1.9, 0.9, score=0.6)}
            if t >= 1:
                poses["c"] = person(3, score=0.7)
            if 2.0 <= t < 2.5:
                del poses["a"]
            return poses

        endings = [follow(Tracker(), scene, times(fps, 4))[-1] for fps in (10, 30, 60)]
        assert endings[0] == endings[1] == endings[2] == {"a": 2, "b": 1, "c": 3}

    def test_the_same_input_gives_the_same_ids(self):
        def run():
            rng = np.random.default_rng(3)

            def restless(_):
                return {name: person(name + rng.uniform(-1, 1)) for name in range(4)}

            return follow(Tracker(), restless, times(10, 3))

        assert run() == run()


class TestDuplicates:
    def test_two_poses_of_one_person_are_one_track_with_the_surer_pose(self):
        rng = np.random.default_rng(4)
        tracker = Tracker()
        for t in times(30, 1):
            sure, doubtful = person(0, score=0.8), shaken(person(0, score=0.4), rng)
            tracks = tracker.update([doubtful, sure], t)
            assert [(track.id, track.pose) for track in tracks] == [(1, sure)]

    def test_a_pose_of_the_upper_body_alone_is_a_duplicate_too(self):
        whole, half = person(0, score=0.8), person(0, score=0.4)
        half.keypoints[11:, 2] = 0
        half.box[3] = half.keypoints[:11, 1].max()
        assert [track.pose for track in Tracker().update([half, whole], 0.0)] == [whole]

    def test_people_side_by_side_are_two(self):
        assert len(Tracker().update([person(0), person(0.45)], 0.0)) == 2

    def test_a_child_before_an_adult_is_two(self):
        assert len(Tracker().update([person(0), person(0, size=0.6)], 0.0)) == 2
