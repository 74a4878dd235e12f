"""How good decisions over time are: what is true against what was announced.

An event is an interval in which somebody does something; it is detected by a decision of the same label about the
same person. Everything here is pure, and takes canonical names.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from app.streams import Interval, Stream

ALIASES = {"sit": "sit down", "stand": "stand up", "pick": "pick up", "kick_ball": "kick"}  # J-HMDB's own names
ALL = "all"  # the row of all labels together


def canonical(label: str) -> str:
    """The name under which an action is scored, whatever a model or data set calls it."""
    return ALIASES.get(label, label)


def announceable(classes: Iterable[str], nothing: Iterable[str]) -> tuple[str, ...]:
    """Canonical names of what a model with these classes says, which is all but `nothing`."""
    nothing = set(nothing)
    return tuple(dict.fromkeys(canonical(name) for name in classes if name not in nothing))


@dataclass(frozen=True)
class Decision:
    """An action that was announced. Seconds of stream time.

    start_s, end_s: when it is said to have begun and ended. announced_s, released_s: when that was said.
    person: whom it is about; None: a track that is none of the annotated persons.
    """

    label: str
    start_s: float
    end_s: float
    announced_s: float
    released_s: float
    person: int | None


@dataclass(frozen=True, eq=False)
class Case:
    """What is true of a stream and what was announced there.

    labels: that the model may announce. intervals: with these labels; whatever else happens is nothing to it.
    """

    name: str
    group: str
    duration_s: float
    persons: tuple[int, ...]
    labels: tuple[str, ...]
    intervals: tuple[Interval, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class Counts:
    """Events detected, missed and wrongly announced."""

    hits: int = 0
    misses: int = 0
    false: int = 0

    @property
    def recall(self) -> float | None:
        """None where nothing happened."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else None

    @property
    def precision(self) -> float | None:
        """None where nothing was announced."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of recall and precision; None where nothing happened and nothing was announced."""
        total = 2 * self.hits + self.misses + self.false
        return 2 * self.hits / total if total else None


def case(stream: Stream, decisions: Iterable[Decision], labels: Iterable[str]) -> Case:
    """A stream and the decisions about it, by a model that may announce `labels`.

    Decisions for which the stream is no judge (`allowed`) are left out.
    """
    labels, allowed = tuple(labels), set(map(canonical, stream.allowed))
    intervals = tuple(Interval(canonical(i.label), i.start_s, i.end_s, i.person)
                      for i in stream.intervals if canonical(i.label) in labels)  # fmt: skip
    judged = tuple(decision for decision in decisions if decision.label not in allowed)
    return Case(stream.name, stream.group, stream.duration_s, stream.persons, labels, intervals, judged)


def overlap_s(interval: Interval, decision: Decision) -> float:
    """Seconds that both have in common if they are of one label and may be about one person, else 0."""
    if interval.label != decision.label or interval.person not in (None, decision.person):
        return 0.0
    return max(min(interval.end_s, decision.end_s) - max(interval.start_s, decision.start_s), 0.0)


def iou(interval: Interval, decision: Decision) -> float:
    """Intersection over union in time, 0..1; 0 where label or person differ."""
    common = overlap_s(interval, decision)
    union = interval.end_s - interval.start_s + decision.end_s - decision.start_s - common
    return common / union if common else 0.0


def matches(case: Case, min_iou: float) -> list[tuple[Interval, Decision]]:
    """As many pairs as there can be of an event and a decision of at least that IoU (> 0), each in one pair."""
    if not (case.intervals and case.decisions):
        return []
    overlaps = np.array([[iou(interval, decision) for decision in case.decisions] for interval in case.intervals])
    enough = (overlaps >= min_iou) & (overlaps > 0)
    pairs = zip(*linear_sum_assignment(np.where(enough, 1 + overlaps, 0), maximize=True))
    return [(case.intervals[i], case.decisions[j]) for i, j in pairs if enough[i, j]]


def event_counts(cases: Sequence[Case], min_iou: float) -> dict[str, Counts]:
    """Counts of each label of the cases, and of ALL of them together."""
    happened = Counter(interval.label for case in cases for interval in case.intervals)
    announced = Counter(decision.label for case in cases for decision in case.decisions)
    hits = Counter(interval.label for case in cases for interval, _ in matches(case, min_iou))
    labels = dict.fromkeys(label for case in cases for label in case.labels)
    for counted in (happened, announced, hits):
        counted[ALL] = counted.total()
    return {label: Counts(hits[label], happened[label] - hits[label], announced[label] - hits[label])
            for label in (*labels, ALL)}  # fmt: skip


def delays(cases: Iterable[Case]) -> tuple[dict[str, list], dict[str, list]]:
    """Seconds from the onset of detected events to their announcement, and from their end to its release, by label.

    What was announced before the onset, being about something else, detects nothing.
    """
    onset, release = defaultdict(list), defaultdict(list)
    for case in cases:
        for interval in case.intervals:
            found = [decision for decision in case.decisions if overlap_s(interval, decision) > 0]
            detecting = [decision for decision in found if decision.announced_s >= interval.start_s]
            for label in (interval.label, ALL):
                if detecting:
                    onset[label].append(detecting[0].announced_s - interval.start_s)
                if found:
                    release[label].append(found[-1].released_s - interval.end_s)
    return dict(onset), dict(release)


def false_events(cases: Iterable[Case]) -> tuple[int, float]:
    """How often something was announced while nothing happened, and for how many minutes nothing happened.

    Decisions that overlap an event of their own label are right, if late; those made while something else happens
    are errors of another kind. Time counts once for every annotated person.
    """
    count, seconds = 0, 0.0
    for case in cases:
        for decision in case.decisions:
            busy = any(interval.person in (None, decision.person)
                       and interval.start_s <= decision.announced_s <= interval.end_s for interval in case.intervals)
            right = any(overlap_s(interval, decision) > 0 for interval in case.intervals)
            count += not (busy or right)
        for person in case.persons or (None,):
            mine = [interval for interval in case.intervals if interval.person in (None, person)]
            seconds += case.duration_s - _covered_s(mine)
    return count, seconds / 60


def label_changes(cases: Iterable[Case]) -> float | None:
    """Decisions begun during events, whatever their label, for each event; 1 is ideal. None without events."""
    begun = events = 0
    for case in cases:
        events += len(case.intervals)
        begun += sum(any(interval.person in (None, decision.person) and decision.start_s < interval.end_s
                         and decision.end_s > interval.start_s for interval in case.intervals)
                     for decision in case.decisions)  # fmt: skip
    return begun / events if events else None


def average_precision(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float | None:
    """Area under precision over recall of scores (n,) for truth (n,) bool; None where nothing is true.

    weights: (n,), not negative; how much each counts. Equal scores are one step, so the order in which they stand does
    not matter.
    """
    if not weights[truth].any():
        return None
    order = np.argsort(-scores, kind="stable")
    ranked, hits, all_said = scores[order], np.cumsum((weights * truth)[order]), np.cumsum(weights[order])
    last = np.append(np.diff(ranked) != 0, True) & (all_said > 0)  # of each group of equal scores
    precision = hits[last] / all_said[last]
    recall = hits[last] / hits[-1]
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def _covered_s(intervals: Sequence[Interval]) -> float:
    """Seconds that at least one interval covers."""
    covered, reached = 0.0, -np.inf
    for interval in sorted(intervals, key=lambda interval: interval.start_s):
        covered += max(interval.end_s - max(interval.start_s, reached), 0.0)
        reached = max(reached, interval.end_s)
    return covered
