"""Decisions in time: nothing by default, two thresholds, a minimum duration."""

from dataclasses import replace

import numpy as np
import pytest

from app.decisions import GONE_S, ActionDecider, DecisionSettings
from app.skeletons import Windows

CLASSES = ("idle", "wave", "clap")
SETTINGS = DecisionSettings(nothing=("idle",))
IDLE, WAVE, CLAP, UNSURE = (0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.05, 0.05, 0.9), (0.3, 0.4, 0.3)


def windows(frame: int, time_s: float, *tracks: int, motion: float = 1.0, size: float = 1.0) -> Windows:
    inputs = np.zeros((len(tracks), 3, 1, 17), np.float32)
    motion, size = (np.full(len(tracks), value, np.float32) for value in (motion, size))
    return Windows(frame, time_s, tracks, inputs, tracks, motion, size)


def decide(scores_over_time, step_s=0.1, settings=SETTINGS, **observed):
    """One person; returns the decider, the states and all events."""
    decider = ActionDecider(CLASSES, settings)
    states, events = [], []
    for frame, scores in enumerate(scores_over_time):
        now, happened = decider.update(windows(frame, frame * step_s, 1, **observed), np.array([scores], np.float32))
        states.append(now[1])
        events += happened
    return decider, states, events


def said(events):
    return [(event.event, event.action) for event in events]


@pytest.mark.parametrize(
    "wrong",
    [{"on": 0.3, "off": 0.5}, {"on": 1.2}, {"off": 0}, {"hold_s": -1}, {"smoothing_s": 0}, {"temperature": 0},
     {"temperature": float("nan")}, {"margin": -0.1}, {"margin": 1}, {"min_motion": -1}, {"lag_s": -1},
     {"min_size": -0.1},
     {"on_by_class": {"wave": 0}}, {"on_by_class": {"wave": 0.5, "clap": 1.1}}],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        DecisionSettings(**wrong)


def test_a_threshold_for_a_class_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="names fly, which"):
        ActionDecider(CLASSES, DecisionSettings(on_by_class={"fly": 0.5, "wave": 0.5}))


@pytest.mark.parametrize("scores", [IDLE, UNSURE])
def test_nothing_is_said_when_nothing_happens(scores):
    _, states, events = decide([scores] * 50)
    assert events == []
    assert all(state.action is None for state in states)


def test_an_action_starts_once_and_ends_once():
    _, states, events = decide([IDLE] * 10 + [WAVE] * 20 + [IDLE] * 20)
    assert said(events) == [("start", "wave"), ("end", "wave")]
    start, end = events
    assert start.end_s is None and end.start_s == start.start_s
    assert 1.0 <= start.start_s <= 1.5 and 3.0 <= end.end_s <= 3.5
    assert [state.action for state in states].count("wave") == end.frame - start.frame
    assert 0.5 < start.score <= end.score <= 1


def test_a_flash_of_an_action_is_not_an_action():
    assert decide([IDLE] * 10 + [WAVE] + [IDLE] * 10)[2] == []


def test_what_is_surer_is_said_sooner():
    """A score of 1 needs no time, one at the threshold hold_s."""
    settings = replace(SETTINGS, on=0.5, hold_s=1.0, smoothing_s=1e-3)
    starts = [decide([IDLE, *[(1 - score, score, 0)] * 30], settings=settings)[2][0].frame for score in (1, 0.75, 0.51)]
    assert starts == [1, 6, 11]


def test_an_action_has_lasted_since_its_score_rose_above_the_lower_threshold():
    settings = replace(SETTINGS, on=0.6, off=0.3, hold_s=0, smoothing_s=1e-3)
    _, _, events = decide([IDLE] * 10 + [(0.6, 0.4, 0)] * 10 + [WAVE] * 10 + [IDLE] * 10, settings=settings)
    start, end = events
    assert start.frame == 20 and start.start_s == end.start_s == 1.0 and end.end_s == 3.0


def test_a_dip_between_the_thresholds_does_not_end_an_action():
    _, _, events = decide([WAVE] * 20 + [(0.5, 0.45, 0.05)] * 20 + [WAVE] * 20)
    assert [event.event for event in events] == ["start"]


def test_one_action_follows_another():
    _, _, events = decide([WAVE] * 20 + [CLAP] * 20)
    assert said(events) == [("start", "wave"), ("end", "wave"), ("start", "clap")]


def test_an_action_that_takes_over_ends_the_other_at_once():
    still_alive = (0.05, 0.36, 0.59)  # the wave stays above `off`
    _, states, events = decide([WAVE] * 20 + [still_alive] * 30)
    assert said(events) == [("start", "wave"), ("end", "wave"), ("start", "clap")]
    _, end, start = events
    assert end.frame == start.frame and end.end_s == start.start_s
    assert {state.action for state in states[10:]} == {"wave", "clap"}  # never nothing in between


def test_a_lag_moves_what_is_said_about_the_past_and_not_when_it_is_said():
    scores = [IDLE] * 10 + [WAVE] * 20 + [IDLE] * 20
    usual, earlier = (decide(scores, settings=replace(SETTINGS, lag_s=lag_s))[2] for lag_s in (0.0, 0.3))
    assert [event.frame for event in usual] == [event.frame for event in earlier]
    assert [event.start_s - 0.3 for event in usual] == pytest.approx([event.start_s for event in earlier])
    assert usual[1].end_s - 0.3 == pytest.approx(earlier[1].end_s)


@pytest.mark.parametrize("hold_s", [0.1, 0.4, 0.8])
def test_actions_of_one_person_do_not_overlap(hold_s):
    scores = np.random.default_rng(1).dirichlet((0.2, 0.5, 0.5), 100).repeat(12, axis=0)
    _, _, events = decide(scores, settings=replace(SETTINGS, hold_s=hold_s))
    spans = [(event.start_s, event.end_s) for event in events if event.event == "end"]
    assert len(spans) > 5 and all(start < end for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:]))


def test_an_action_must_lead_by_the_margin_nothing_included():
    close = (0.38, 0.6, 0.02)
    assert said(decide([close] * 30)[2]) == [("start", "wave")]
    assert said(decide([close] * 30, settings=replace(SETTINGS, margin=0.2))[2]) == [("start", "wave")]
    assert decide([close] * 30, settings=replace(SETTINGS, margin=0.25))[2] == []


def test_what_is_not_the_likeliest_is_never_said_however_low_its_threshold():
    assert decide([(0.5, 0.4, 0.1)] * 30, settings=replace(SETTINGS, on=0.3, off=0.2))[2] == []


def test_a_class_has_its_own_thresholds():
    settings = replace(SETTINGS, on_by_class={"clap": 0.8})
    unsure_wave, unsure_clap = (0.2, 0.7, 0.1), (0.2, 0.1, 0.7)
    assert said(decide([unsure_wave] * 30, settings=settings)[2]) == [("start", "wave")]
    assert decide([unsure_clap] * 30, settings=settings)[2] == []
    # Its threshold for the end is higher by as much: 0.35 * 0.8 / 0.55 = 0.51.
    fading = [CLAP] * 20 + [(0.5, 0.05, 0.45)] * 20
    assert said(decide(fading, settings=settings)[2]) == [("start", "clap"), ("end", "clap")]
    assert said(decide(fading)[2]) == [("start", "clap")]


def test_nothing_begins_without_movement_but_what_began_may_go_on():
    settings = replace(SETTINGS, min_motion=0.1)
    assert decide([WAVE] * 30, settings=settings, motion=0.09)[2] == []
    decider, _, events = decide([WAVE] * 30, settings=settings, motion=0.11)
    assert said(events) == [("start", "wave")]
    states, events = decider.update(windows(30, 3.0, 1, motion=0.0), np.array([WAVE]))
    assert states[1].action == "wave" and events == []


def test_nothing_is_said_of_somebody_too_small_to_be_judged():
    settings = replace(SETTINGS, min_size=0.4)
    decider, states, events = decide([WAVE] * 30, settings=settings, size=0.39)
    assert events == [] and all(state.too_small and state.candidate is None and not state.progress for state in states)
    nearer, events = decider.update(windows(30, 3.0, 1, size=0.41), np.array([WAVE], np.float32))
    assert nearer[1].candidate == "wave" and not nearer[1].too_small
    decider, _, events = decide([WAVE] * 30, settings=settings, size=0.41)
    assert said(events) == [("start", "wave")]
    farther, events = decider.update(windows(30, 3.0, 1, size=0.39), np.array([WAVE], np.float32))
    assert farther[1].action == "wave" and not farther[1].too_small and events == []  # what has begun goes on


def test_stricter_settings_never_say_more():
    scores = np.random.default_rng(0).dirichlet((0.6, 0.5, 0.5), 100).repeat(6, axis=0)

    def starts(**change):
        return sum(event.event == "start" for event in decide(scores, settings=replace(SETTINGS, **change))[2])

    usual = starts()
    assert usual > 5
    for stricter in ({"on": 0.7}, {"hold_s": 0.5}, {"margin": 0.4}, {"min_motion": 2.0}, {"on_by_class": {"wave": 1}}):
        assert starts(**stricter) < usual


def test_a_state_shows_the_smoothed_scores_of_all_classes():
    _, states, _ = decide([IDLE] * 10 + [WAVE] * 10)
    scores = np.array([state.scores for state in states])
    assert scores.shape == (20, len(CLASSES))
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert (np.diff(scores[10:, 1]) > 0).all()
    assert states[-1].score == pytest.approx(scores[-1, 1])


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


@pytest.mark.parametrize("last", [[], [IDLE] * 10])
def test_times_are_told_in_thousandths_of_a_second(last):
    decider, _, events = decide([WAVE] * 20 + last, step_s=1 / 7)
    events += decider.finish(30)
    assert [event.event for event in events] == ["start", "end"]
    assert all(time_s == round(time_s, 3) for event in events for time_s in (event.start_s, event.end_s or 0.0))


def test_people_do_not_influence_one_another():
    decider = ActionDecider(CLASSES, SETTINGS)
    for frame in range(20):
        states, _ = decider.update(windows(frame, frame * 0.1, 1, 2), np.array([WAVE, CLAP]))
    assert (states[1].action, states[2].action) == ("wave", "clap")


def test_somebody_missed_for_a_moment_keeps_the_state():
    decider, states, _ = decide([WAVE] * 20)
    last_s, nobody = 1.9, np.zeros((0, 0), np.float32)
    assert decider.update(windows(20, last_s + 0.1), nobody)[0] == {1: states[-1]}
    assert decider.update(windows(40, last_s + GONE_S + 0.1), nobody)[0] == {}
