"""The pure core: deterministic, and the same from poses, from skeletons, and in another joint layout refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.errors import UserError
from app.pipeline import ActionClassifier, Recogniser
from stgcn import STGCN, Checkpoint
from stgcn.preprocess import Preprocess
from tests.app.people import person

CLASSES = ("wave", "stand")
EAGER = {"on": 0.4, "off": 0.3}


def checkpoint(layout: str = "coco17") -> Checkpoint:
    torch.manual_seed(0)
    model = STGCN(len(CLASSES), layout=layout, width=8).eval()
    return Checkpoint(model, Preprocess(layout=layout), CLASSES, decisions=EAGER)


def run(fps=30, seconds=3.0, people=2):
    recogniser = Recogniser(checkpoint())
    times = np.arange(round(fps * seconds)) / fps
    results = [
        recogniser.recognise(index, time_s, [person(time_s, 100 + 250 * who, waves=who == 0) for who in range(people)])
        for index, time_s in enumerate(times)
    ]
    return results, [event for result in results for event in result.events] + recogniser.finish()


def test_a_checkpoint_for_another_skeleton_is_refused():
    with pytest.raises(UserError, match="openpose18.*coco17"):
        Recogniser(checkpoint("openpose18"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"preprocess": None}, "how its input is prepared"),
     ({"preprocess": Preprocess(people=2)}, "judges 2 people together"),
     ({"preprocess": Preprocess(whole_clips=True)}, "cut to one action"), ({"decisions": {"louder": 1}}, "louder"),
     ({"decisions": {"on": 3}}, "on <= 1"), ({"decisions": {"on_by_class": {"fly": 0.5}}}, "names fly")],
)  # fmt: skip
def test_a_checkpoint_without_what_live_use_needs_is_refused(change, reason):
    with pytest.raises(UserError, match=reason):
        Recogniser(replace(checkpoint(), **change))


def test_the_temperature_of_the_checkpoint_makes_scores_less_sure():
    recogniser, windows = Recogniser(checkpoint()), None
    for index in range(45):
        windows = recogniser.collect(recogniser.track(index, index / 30, [person(index / 30, 100)])) or windows
    usual = ActionClassifier(checkpoint()).scores(windows)
    cooler = ActionClassifier(replace(checkpoint(), decisions={"temperature": 2.0})).scores(windows)
    np.testing.assert_allclose(np.log(usual[:, 0] / usual[:, 1]), 2 * np.log(cooler[:, 0] / cooler[:, 1]), rtol=1e-4)
    np.testing.assert_allclose(cooler.sum(axis=1), 1, rtol=1e-5)


def test_what_came_before_counts_half_and_nothing_of_somebody_who_has_just_come_into_view():
    recogniser, windows = Recogniser(checkpoint()), None
    for index in range(60):
        poses = [person(index / 30, 100, waves=True)]
        windows = recogniser.collect(recogniser.track(index, index / 30, poses)) or windows
    before = windows.inputs.shape[2] // 3
    came_in = replace(windows, inputs=windows.inputs.copy())
    came_in.inputs[:, :, :before] = 0

    def odds(scores):
        return float(np.log(scores[0, 0] / scores[0, 1]))

    def network(windows):
        with torch.no_grad():
            return odds(checkpoint().model(torch.from_numpy(windows.inputs)[..., None]).softmax(dim=1).numpy())

    whole, end = (odds(ActionClassifier(checkpoint()).scores(seen)) for seen in (windows, came_in))
    assert abs(network(windows) - network(came_in)) > 1e-4
    assert end == pytest.approx(network(came_in), abs=3e-6)
    assert whole - end == pytest.approx((network(windows) - network(came_in)) / 2, abs=3e-6)


def test_everybody_gets_a_state_and_every_start_an_end():
    results, events = run()
    assert results[-1].states.keys() == {1, 2}
    assert events and len(events) % 2 == 0
    starts = {(event.track, event.start_s) for event in events if event.event == "start"}
    assert starts == {(event.track, event.start_s) for event in events if event.event == "end"}


def test_the_same_input_gives_the_same_output():
    assert run()[1] == run()[1]


def test_skeletons_alone_give_the_same_events_as_the_poses_they_came_from():
    results, events = run()
    recogniser = Recogniser(checkpoint())
    replayed = [event for result in results for event in recogniser.recognise_skeletons(result.skeletons).events]
    assert replayed + recogniser.finish() == events


@pytest.mark.parametrize(("fps", "every"), [(10, 1), (15, 1), (25, 2), (30, 2), (60, 4)])
def test_a_slow_camera_is_judged_at_every_frame_and_a_fast_one_about_as_often(fps, every):
    recogniser, judged = Recogniser(checkpoint()), []
    for index in range(fps):
        frame = recogniser.track(index, index / fps, [person(index / fps, 100)])
        if recogniser.collect(frame) and frame.tracks:
            judged.append(index)
    assert set(np.diff(judged)) == {every}


@pytest.mark.parametrize("smoothing", [True, False])
def test_keypoints_are_smoothed_unless_told_otherwise(smoothing):
    recogniser, rng = Recogniser(checkpoint(), smoothing=smoothing), np.random.default_rng(0)
    raw, got = [], []
    for index, time_s in enumerate(np.arange(60) / 30):
        pose = person(time_s)
        pose.keypoints[:, :2] += rng.normal(0, 2, (17, 2)).round(2)
        raw.append(pose.keypoints)
        got.append(recogniser.track(index, time_s, [pose]).tracks[0].pose.keypoints)
    spread = np.std(got, axis=0)[:, :2].mean() / np.std(raw, axis=0)[:, :2].mean()
    assert spread < 0.7 if smoothing else spread == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("company", [0, 1])
@pytest.mark.parametrize("missed", range(3))
def test_a_person_who_is_missed_in_every_third_frame_is_judged_and_keeps_the_state(missed, company):
    recogniser, judged = Recogniser(checkpoint()), []
    for index in range(60):
        others = [person(index / 30, 500)] * company
        mine = [person(index / 30, 100)] * (index % 3 != missed)
        recognition = recogniser.recognise(index, index / 30, others + mine)
        judged.append(len(recognition.states) == 1 + company)
    assert any(judged) and all(judged[judged.index(True) :])


def test_an_empty_room_is_no_error():
    results, events = run(people=0)
    assert events == [] and results[-1].states == {} and results[-1].skeletons.tracks == ()
