"""Decisions against the truth: matched, counted, timed."""

import numpy as np
import pytest

from app import scoring
from app.scoring import ALL, Case, Counts, Decision
from app.streams import Interval, Stream
from tests.app.people import skeletons

WAVE = Interval("wave", 2.0, 4.0, person=1)
LABELS = ("wave", "clap", "jump")


def said(label="wave", start_s=2.0, end_s=4.0, person=1, delay_s=0.5):
    return Decision(label, start_s, end_s, start_s + delay_s, end_s + delay_s, person)


def case(intervals=(WAVE,), decisions=(), group="actions", persons=(1,), duration_s=60.0):
    return Case("made up", group, duration_s, persons, LABELS, tuple(intervals), tuple(decisions))


@pytest.mark.parametrize(
    ("decision", "expected"),
    [(said(), 1.0), (said(start_s=3.0, end_s=5.0), 1 / 3), (said(start_s=4.0, end_s=5.0), 0.0), (said("clap"), 0.0),
     (said(person=2), 0.0), (said(person=None), 0.0), (said(start_s=2.5, end_s=3.5), 0.5)],
)  # fmt: skip
def test_iou_is_of_the_same_label_and_person(decision, expected):
    assert scoring.iou(WAVE, decision) == pytest.approx(expected)


def test_what_is_anybodys_may_be_said_of_anybody():
    assert scoring.iou(Interval("wave", 2.0, 4.0), said(person=7)) == 1.0
    assert scoring.iou(Interval("wave", 2.0, 4.0), said(person=None)) == 1.0


def test_an_event_is_matched_once_and_as_many_as_possible_are():
    intervals = (Interval("wave", 0, 4, 1), Interval("wave", 4, 6, 1))
    both = case(intervals, [said(start_s=0, end_s=5.5), said(start_s=1, end_s=3)])
    assert {(i.start_s, d.start_s) for i, d in scoring.matches(both, 0.1)} == {(0, 1), (4, 0)}
    assert scoring.event_counts([both], 0.1)["wave"] == Counts(hits=2)
    twice = case(decisions=[said(), said(start_s=2.1)])
    assert scoring.event_counts([twice], 0.5)["wave"] == Counts(hits=1, false=1)


def test_counts_are_by_label_and_together():
    counts = scoring.event_counts([case(decisions=[said("clap")])], 0.5)
    assert counts["wave"] == Counts(misses=1) and counts["clap"] == Counts(false=1)
    assert counts[ALL] == Counts(0, 1, 1) and counts[ALL].f1 == 0
    assert counts["jump"].f1 is counts["jump"].recall is counts["jump"].precision is None


@pytest.mark.parametrize(("minimum", "hits"), [(0.1, 1), (0.25, 1), (0.5, 0)])
def test_a_higher_iou_asks_for_more(minimum, hits):
    assert scoring.event_counts([case(decisions=[said(start_s=3.0, end_s=5.0)])], minimum)["wave"].hits == hits


def test_delays_are_of_what_was_said_and_not_of_what_is_meant():
    onset, release = scoring.delays([case(decisions=[said(delay_s=0.5), said(start_s=3.5, end_s=4.4, delay_s=0.2)])])
    assert onset == {"wave": [0.5], ALL: [0.5]}
    assert release == {"wave": [pytest.approx(0.6)], ALL: [pytest.approx(0.6)]}


def test_missed_events_and_decisions_from_before_have_no_delay():
    assert scoring.delays([case()]) == ({}, {})
    onset, release = scoring.delays([case(decisions=[said(start_s=0.5, delay_s=0.2)])])
    assert onset == {} and release[ALL] == [pytest.approx(0.2)]


def test_false_is_what_is_said_while_nothing_happens():
    late, wrong = said(start_s=3.9, end_s=4.6), said("clap", 2.5, 3.5)
    assert scoring.false_events([case(decisions=[late, wrong])]) == (0, pytest.approx(58 / 60))
    assert scoring.false_events([case(decisions=[said(start_s=10, end_s=11)])])[0] == 1
    assert scoring.false_events([case((), [said()], persons=())]) == (1, 1.0)


def test_time_of_nothing_counts_for_every_person_and_no_interval_twice():
    overlapping = (WAVE, Interval("clap", 3.0, 5.0, 1))
    assert scoring.false_events([case(overlapping, persons=(1, 2))]) == (0, pytest.approx((57 + 60) / 60))


def test_label_changes_count_every_beginning_during_events():
    flickering = [said(end_s=2.6), said("clap", 2.7, 3.2), said(start_s=3.3, end_s=3.9), said(start_s=20, end_s=21)]
    assert scoring.label_changes([case(decisions=flickering)]) == 3
    assert scoring.label_changes([case(())]) is None


def test_all_counts_but_what_means_nothing_whatever_it_is_called():
    assert scoring.announceable(("sit", "dab", "idle", "stand up"), ("idle",)) == ("sit down", "dab", "stand up")


def test_a_case_speaks_canonical_names_knows_what_the_model_says_and_forgives_what_is_allowed():
    intervals = (Interval("sit", 0, 1, 1), Interval("golf", 2, 3, 1), WAVE)
    frames = tuple(skeletons(np.arange(5) / 30))
    stream = Stream("made up", "actions", (320, 240), frames, intervals, allowed=("kick_ball",))
    made = scoring.case(stream, [said("kick"), said()], ("sit down", "wave"))
    assert made.labels == ("sit down", "wave")
    assert [interval.label for interval in made.intervals] == ["sit down", "wave"]
    assert [decision.label for decision in made.decisions] == ["wave"]


@pytest.mark.parametrize(
    ("scores", "truth", "expected"),
    [((0.9, 0.8, 0.1), (1, 1, 0), 1.0), ((0.1, 0.9), (1, 0), 0.5), ((0.5, 0.5, 0.5, 0.5), (1, 0, 0, 0), 0.25),
     ((0.9, 0.8, 0.7), (1, 0, 1), (1 + 2 / 3) / 2), ((0.5,), (0,), None)],
)  # fmt: skip
def test_average_precision(scores, truth, expected):
    found = scoring.average_precision(np.array(scores), np.array(truth, bool), np.ones(len(scores)))
    assert found == (None if expected is None else pytest.approx(expected))


def test_average_precision_does_not_hang_on_the_order():
    rng = np.random.default_rng(0)
    scores, truth = rng.integers(0, 5, 200) / 5, rng.random(200) < 0.3
    order, weights = rng.permutation(200), rng.random(200)
    assert scoring.average_precision(scores, truth, weights) == pytest.approx(
        scoring.average_precision(scores[order], truth[order], weights[order]))


def test_average_precision_of_what_counts_twice_is_that_of_two():
    rng = np.random.default_rng(0)
    scores, truth, times = rng.random(50), rng.random(50) < 0.3, rng.integers(0, 4, 50)
    assert scoring.average_precision(scores, truth, times) == pytest.approx(scoring.average_precision(
        np.repeat(scores, times), np.repeat(truth, times), np.ones(times.sum())))
