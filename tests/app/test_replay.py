"""The network asked once, decisions made again: the same as live, and other ones under other settings."""

from dataclasses import replace

import numpy as np
import pytest

from app.decisions import DecisionSettings
from app.errors import UserError
from app.pipeline import Recogniser
from app.replay import clip_labels, decide, frame_scores, record, scores_at
from app.scoring import Decision
from app.skeletons import MIN_SPAN_S, SkeletonFrame
from app.streams import Interval, Stream
from app.tracking import Track
from tests.app.people import person
from tests.app.test_pipeline import CLASSES, EAGER, checkpoint

SETTINGS = DecisionSettings(**EAGER)


def stream(seconds=3.0, fps=30, allowed=()):
    """Person 7 waves on the right, person 3 stands on the left."""
    frames = []
    for index in range(round(seconds * fps)):
        time_s = index / fps
        tracks = [Track(3, person(time_s), time_s), Track(7, person(time_s, x=400, waves=True), time_s)]
        frames.append(SkeletonFrame.of(index, time_s, tracks))
    return Stream("made up", "actions", (640, 480), tuple(frames), (Interval("wave", 0.5, 2.5, 7),), allowed)


@pytest.fixture(scope="module")
def recorded():
    return record(stream(), checkpoint())


def test_a_checkpoint_for_another_skeleton_is_refused():
    with pytest.raises(UserError, match="openpose18"):
        record(stream(), checkpoint("openpose18"))


def test_tracks_are_told_to_be_the_persons_they_show(recorded):
    last = recorded[-1]
    assert sorted(last.persons.values()) == [3, 7] and set(last.persons) == set(last.windows.tracks)


def test_nobody_in_view_is_no_trouble():
    frames = tuple(SkeletonFrame(index, index / 30, ()) for index in range(30))
    empty = replace(stream(), frames=frames, intervals=())
    assert decide(record(empty, checkpoint()), CLASSES, SETTINGS)[0] == []


def test_replayed_decisions_are_those_of_the_recogniser(recorded):
    recogniser, events = Recogniser(checkpoint(), smoothing=False), []
    for frame in stream().frames:
        events += recogniser.recognise(frame.index, frame.time_s, [track.pose for track in frame.tracks]).events
    ends = [event for event in [*events, *recogniser.finish()] if event.event == "end"]
    decisions, states = decide(recorded, CLASSES, SETTINGS)
    names = {"stand": "stand up"}
    assert sorted((d.label, d.start_s, d.end_s) for d in decisions) == sorted(
        (names.get(e.action, e.action), e.start_s, e.end_s) for e in ends)  # fmt: skip
    assert decisions and len(states) == len(recorded)
    for decision in decisions:
        assert isinstance(decision, Decision) and decision.person in (3, 7)
        assert decision.start_s <= decision.announced_s <= decision.released_s


def test_keypoints_that_were_smoothed_when_they_were_recorded_are_not_smoothed_again():
    rng, frames = np.random.default_rng(0), []
    for frame in stream(1.5).frames:
        poses = [track.pose for track in frame.tracks]
        shaky = [replace(pose, keypoints=pose.keypoints + rng.normal(0, 4, (17, 3)) * (1, 1, 0)) for pose in poses]
        tracks = [replace(track, pose=pose) for track, pose in zip(frame.tracks, shaky)]
        frames.append(SkeletonFrame.of(frame.index, frame.time_s, tracks))
    recorded = record(replace(stream(1.5), frames=tuple(frames)), checkpoint())
    for smoothing in (False, True):
        recogniser = Recogniser(checkpoint(), smoothing=smoothing)
        asked = [recogniser.collect(recogniser.track(frame.index, frame.time_s, [track.pose for track in frame.tracks]))
                 for frame in frames]  # fmt: skip
        live = np.log(recogniser.classifier.scores([windows for windows in asked if windows][-1]))
        assert np.allclose(recorded[-1].log_scores, live, rtol=0, atol=1e-5) == (not smoothing)


def test_other_settings_give_other_decisions_from_the_same_recording(recorded):
    assert decide(recorded, CLASSES, DecisionSettings(on=1.0, off=0.99))[0] == []
    assert decide(recorded, CLASSES, replace(SETTINGS, nothing=CLASSES))[0] == []


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_temperature_can_be_tried_afterwards(recorded, temperature):
    warm = replace(checkpoint(), decisions={"temperature": temperature})
    asked, last = Recogniser(warm), None
    for frame in stream().frames:
        windows = asked.collect(asked.track(frame.index, frame.time_s, [track.pose for track in frame.tracks]))
        last = windows or last
    expected = asked.classifier.scores(last)
    np.testing.assert_allclose(scores_at(recorded[-1].log_scores, temperature), expected, atol=1e-4)
    assert record(stream(0.5), warm)[-1].log_scores == pytest.approx(record(stream(0.5), checkpoint())[-1].log_scores)


def test_frame_scores_have_a_row_for_every_person_and_moment(recorded):
    one = stream(allowed=("stand",))
    _, states = decide(recorded, CLASSES, SETTINGS)
    wave, stand, labels = 0, 1, ("wave", "stand up")
    scores, truth, seconds = frame_scores(one, recorded, states, CLASSES, labels)
    assert scores.shape == truth.shape == (len(recorded), 2)  # of the one annotated person
    times = np.array([moment.windows.time_s for moment in recorded])
    np.testing.assert_allclose(np.cumsum(seconds), times, atol=1e-9)
    np.testing.assert_array_equal(truth[:, wave] == 1, (times >= 0.5) & (times <= 2.5))
    assert (truth[:, stand] == -1).all()
    assert (scores[times < MIN_SPAN_S, wave] == 0).all() and (scores[times > MIN_SPAN_S + 0.2, wave] > 0).all()


def test_clips_are_named_by_the_network_alone(recorded):
    [(label, said)] = clip_labels(stream(), recorded, CLASSES)
    assert label == "wave" and said in ("wave", "stand up")
    unseen = replace(stream(), intervals=(Interval("wave", 10.0, 11.0, 7), Interval("wave", 0.5, 1.0)))
    assert clip_labels(unseen, recorded, CLASSES) == [("wave", None)]
