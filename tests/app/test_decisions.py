"""Decisions in time: nothing by default, two thresholds, a minimum duration."""

import numpy as np
import pytest

from app.decisions import GONE_S, ActionDecider, DecisionSettings
from app.skeletons import Windows

CLASSES = ("idle", "wave", "clap")
SETTINGS = DecisionSettings(nothing=("idle",))
IDLE, WAVE, CLAP, UNSURE = (0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.05, 0.05, 0.9), (0.3, 0.4, 0.3)


def windows(frame: int, time_s: float, *tracks: int) -> Windows:
    return Windows(frame, time_s, tracks, np.zeros((len(tracks), 3, 1, 17), np.float32), tracks)


def decide(scores_over_time, step_s=0.1, settings=SETTINGS):
    """One person; returns the decider, the states and all events."""
    decider = ActionDecider(CLASSES, settings)
    states, events = [], []
    for frame, scores in enumerate(scores_over_time):
        now, happened = decider.update(windows(frame, frame * step_s, 1), np.array([scores], np.float32))
        states.append(now[1])
        events += happened
    return decider, states, events


@pytest.mark.parametrize(
    "wrong", [{"on": 0.3, "off": 0.5}, {"on": 1.2}, {"off": 0}, {"hold_s": -1}, {"smoothing_s": 0}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        DecisionSettings(**wrong)


@pytest.mark.parametrize("scores", [IDLE, UNSURE])
def test_nothing_is_said_when_nothing_happens(scores):
    _, states, events = decide([scores] * 50)
    assert events == []
    assert all(state.action is None for state in states)


def test_an_action_starts_once_and_ends_once():
    _, states, events = decide([IDLE] * 10 + [WAVE] * 20 + [IDLE] * 20)
    assert [(event.event, event.action) for event in events] == [("start", "wave"), ("end", "wave")]
    start, end = events
    assert start.end_s is None and end.start_s == start.start_s
    assert 1.0 <= start.start_s <= 1.5 and 3.0 <= end.end_s <= 3.5
    assert [state.action for state in states].count("wave") == end.frame - start.frame
    assert 0.5 < start.score <= end.score <= 1


def test_a_flash_of_an_action_is_not_an_action():
    assert decide([IDLE] * 10 + [WAVE] + [IDLE] * 10)[2] == []


def test_a_dip_between_the_thresholds_does_not_end_an_action():
    _, _, events = decide([WAVE] * 20 + [(0.5, 0.45, 0.05)] * 20 + [WAVE] * 20)
    assert [event.event for event in events] == ["start"]


def test_one_action_follows_another():
    _, _, events = decide([WAVE] * 20 + [CLAP] * 20)
    assert [(event.event, event.action) for event in events] == [
        ("start", "wave"), ("end", "wave"), ("start", "clap"),
    ]  # fmt: skip


def test_the_bar_fills_before_the_decision_and_is_full_after_it():
    _, states, _ = decide([IDLE] * 5 + [WAVE] * 20)
    progress = [state.progress for state in states[5:]]
    assert progress == sorted(progress) and progress[-1] == 1.0
    assert any(0 < state.progress < 1 and state.candidate == "wave" for state in states)


@pytest.mark.parametrize("step_s", [0.05, 0.2])
def test_how_often_the_network_is_asked_moves_a_decision_by_little(step_s):
    seconds = 3.0
    _, _, usual = decide([IDLE] * 10 + [WAVE] * 30)
    _, _, other = decide([IDLE] * round(1 / step_s) + [WAVE] * round(seconds / step_s), step_s)
    assert other[0].start_s == pytest.approx(usual[0].start_s, abs=0.25)


def test_an_action_ends_when_its_person_is_gone_and_at_the_end():
    decider, _, events = decide([WAVE] * 20)
    assert decider.update(windows(20, 1.9 + GONE_S / 2), np.zeros((0, 3)))[1] == []
    _, gone = decider.update(windows(21, 2.0 + GONE_S), np.zeros((0, 3)))
    assert [event.event for event in gone] == ["end"] and gone[0].end_s == pytest.approx(1.9)
    assert decider.finish(22) == []
    decider, _, _ = decide([WAVE] * 20)
    assert [event.event for event in decider.finish(20)] == ["end"]


def test_people_do_not_influence_one_another():
    decider = ActionDecider(CLASSES, SETTINGS)
    for frame in range(20):
        states, _ = decider.update(windows(frame, frame * 0.1, 1, 2), np.array([WAVE, CLAP]))
    assert (states[1].action, states[2].action) == ("wave", "clap")
