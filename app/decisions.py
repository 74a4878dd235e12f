"""From scores to decisions: an action begins and ends at a moment, and most of the time there is none.

A softmax always has a maximum, so the best class alone means nothing. An action begins when its smoothed
score has led all others, above one threshold, for a while, the shorter the surer it is, and the person has
moved; it ends when the score falls below a lower threshold (hysteresis), when another action has begun, or
when the person is gone.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from app.events import ActionEvent
from app.skeletons import MIN_SPAN_S, Windows

GONE_S = 0.6  # an action ends when its person has been out of view for longer


@dataclass(frozen=True)
class DecisionSettings:
    """When a score becomes an action. Stored in the checkpoint (`decisions`), chosen by `app.calibrate`.

    on, off: smoothed scores (0..1) at which an action begins and ends; higher `on`, fewer false actions.
    hold_s: seconds for which a score that just reaches `on` must last; a higher one needs less, and one of 1 no time.
        Longer, fewer flickers and later labels.
    smoothing_s: time constant of the smoothing; longer, steadier and later.
    nothing: classes that mean that nothing happens; they are never announced.
    temperature: logits are divided by it before the softmax; above 1, scores are less sure of themselves.
    margin: smoothed score by which a class must lead every other one, those of `nothing` included.
    on_by_class: `on` of single classes, by name; their `off` keeps the ratio off / on.
    min_motion: body heights per second; nothing begins while the person moves less (`Windows.motion`).
    min_size: share of the picture's height; nothing begins while a person appears smaller (`Windows.size`): there, a
        pose estimator sees few pixels, and its keypoints walk by themselves.
    lag_s: seconds by which scores follow what people do. An action is said to have lasted from when its score rose
        above `off` to when it fell below, both that much earlier. When it is said does not change.

    ValueError: numbers out of range.
    """

    on: float = 0.55
    off: float = 0.35
    hold_s: float = 0.2
    smoothing_s: float = 0.25
    nothing: tuple[str, ...] = ()
    temperature: float = 1.0
    margin: float = 0.0
    on_by_class: dict[str, float] = field(default_factory=dict)
    min_motion: float = 0.0
    min_size: float = 0.33
    lag_s: float = 0.0

    def __post_init__(self):
        if not (0 < self.off <= self.on <= 1 and self.hold_s >= 0 and self.smoothing_s > 0):
            raise ValueError(f"decision settings need 0 < off <= on <= 1, hold_s >= 0, smoothing_s > 0: {self}")
        if not (0 < self.temperature < math.inf and 0 <= self.margin < 1 and 0 <= self.min_motion < math.inf
                and 0 <= self.min_size < math.inf and 0 <= self.lag_s < math.inf):  # fmt: skip
            raise ValueError("decision settings need temperature > 0, 0 <= margin < 1, min_motion >= 0, "
                             f"min_size >= 0 and lag_s >= 0: {self}")
        if not all(0 < on <= 1 for on in self.on_by_class.values()):
            raise ValueError(f"decision settings need every value of on_by_class in 0..1, and above 0: {self}")


@dataclass(frozen=True)
class ActionState:
    """What one person does now.

    action: the decided action, or None: nothing happens.
    score: smoothed score of `action`, or of `candidate` when there is none, 0..1.
    candidate: the class that comes nearest to being decided.
    progress: how far the decision for `candidate` has formed, 0..1; 1 while an action lasts.
    scores: (classes,) smoothed scores of all classes, 0..1.
    too_small: nothing lasts, and nothing can begin while the person appears so small; there is no candidate then.
    """

    track: int
    action: str | None
    score: float
    start_s: float | None
    candidate: str | None
    progress: float
    scores: np.ndarray = field(repr=False, compare=False)
    too_small: bool = False


@dataclass
class _Person:
    """Memory of one track."""

    smoothed: np.ndarray  # (classes,)
    updated_s: float
    free_since_s: float  # in view, and the last action ended
    above_since_s: np.ndarray  # (classes,): since when a score has not been below `off`; infinity where it is
    leader: int | None = None  # the class that meets every condition of an action but its duration
    leading_since_s: float = 0.0
    action: int | None = None
    start_s: float = 0.0
    best_score: float = 0.0
    too_small: bool = False


class ActionDecider:
    """Turns the scores of every window into states (what is) and events (what began and ended).

    Pure: time comes with the windows. ValueError: settings for classes that are not among `classes`.
    """

    def __init__(self, classes: tuple[str, ...], settings: DecisionSettings):
        if unknown := sorted(settings.on_by_class.keys() - set(classes)):
            raise ValueError(f"on_by_class names {', '.join(unknown)}, which the network does not know")
        self._classes = classes
        self._settings = settings
        self._candidates = [index for index, name in enumerate(classes) if name not in settings.nothing]
        self._on = np.array([settings.on_by_class.get(name, settings.on) for name in classes])  # (classes,)
        self._off = self._on * (settings.off / settings.on)  # (classes,)
        self._people: dict[int, _Person] = {}

    def update(self, windows: Windows, scores: np.ndarray) -> tuple[dict[int, ActionState], list[ActionEvent]]:
        """scores: (N, classes), softmax with the temperature applied, a row for each of `windows.tracks`.

        Returns the states by track id, and the events of this moment. Who is missed for a moment keeps the state.
        """
        events = self._forget(windows.frame, (track for track, person in self._people.items()
                                              if windows.time_s - person.updated_s > GONE_S))
        moves, too_small = windows.motion >= self._settings.min_motion, windows.size < self._settings.min_size
        for track, row, is_moving, is_small in zip(windows.tracks, scores, moves, too_small):
            person = self._smooth(track, row, windows.time_s)
            person.too_small = bool(is_small)
            self._lead(person, is_moving and not is_small)
            events += self._judge(track, person, windows.frame)
        return {track: self._state(track) for track in self._people}, events

    def finish(self, frame: int) -> list[ActionEvent]:
        """End every action that lasts: the source is at its end."""
        return self._forget(frame, self._people)

    def _smooth(self, track: int, scores: np.ndarray, now: float) -> _Person:
        if track not in self._people:
            never = np.full(len(scores), np.inf)
            self._people[track] = _Person(np.array(scores), now, now - MIN_SPAN_S, never)
        person = self._people[track]
        weight = -math.expm1(-(now - person.updated_s) / self._settings.smoothing_s)
        person.smoothed = person.smoothed + weight * (scores - person.smoothed)
        person.updated_s = now
        person.above_since_s = np.where(person.smoothed >= self._off, np.minimum(person.above_since_s, now), np.inf)
        return person

    def _lead(self, person: _Person, may_begin: bool) -> None:
        """Find the class that could begin now, and since when it could."""
        best = int(person.smoothed.argmax())
        leads = (may_begin and best in self._candidates and person.smoothed[best] >= self._on[best]
                 and _ahead(person.smoothed) >= self._settings.margin)  # fmt: skip
        leader = best if leads else None
        if leader != person.leader:
            person.leader, person.leading_since_s = leader, person.updated_s

    def _judge(self, track: int, person: _Person, frame: int) -> list[ActionEvent]:
        now, events = person.updated_s, []
        formed = person.leader is not None and now - person.leading_since_s >= self._wait_s(person, person.leader)
        if person.action is not None:
            score = float(person.smoothed[person.action])
            person.best_score = max(person.best_score, score)
            rivalled = person.leader not in (None, person.action)
            if (rivalled and formed) or score < self._off[person.action]:
                until_s = person.leading_since_s if rivalled else now
                person.free_since_s = self._earlier(person, until_s)
                events.append(self._end(track, frame, person.free_since_s))
        if formed and person.action is None:
            person.action, person.start_s = person.leader, self._earlier(person, person.above_since_s[person.leader])
            person.best_score = float(person.smoothed[person.action])
            events.append(self._event("start", track, frame, None))
        return events

    def _wait_s(self, person: _Person, index: int) -> float:
        """For how long a class must have led until it begins, seen from its score now."""
        on = self._on[index]
        return self._settings.hold_s * float((1 - person.smoothed[index]) / (1 - on)) if on < 1 else 0.0

    def _earlier(self, person: _Person, time_s: float) -> float:
        """When that happened of which the scores speak at time_s."""
        return round(float(max(time_s - self._settings.lag_s, person.free_since_s)), 3)

    def _forget(self, frame: int, tracks: Iterable[int]) -> list[ActionEvent]:
        """Forget people; whatever they were doing has ended when they were last judged."""
        tracks = list(tracks)
        events = [self._end(track, frame, round(self._people[track].updated_s, 3))
                  for track in tracks if self._people[track].action is not None]  # fmt: skip
        for track in tracks:
            del self._people[track]
        return events

    def _end(self, track: int, frame: int, end_s: float) -> ActionEvent:
        event = self._event("end", track, frame, end_s)
        self._people[track].action = None
        return event

    def _event(self, kind: str, track: int, frame: int, end_s: float | None) -> ActionEvent:
        person = self._people[track]
        return ActionEvent(kind, track, self._classes[person.action], round(person.best_score, 3),
                           person.start_s, end_s, frame)

    def _state(self, track: int) -> ActionState:
        person = self._people[track]
        scores = person.smoothed
        if person.action is not None:
            name = self._classes[person.action]
            return ActionState(track, name, float(scores[person.action]), person.start_s, name, 1.0, scores)
        if person.too_small or not self._candidates:
            return ActionState(track, None, 0.0, None, None, 0.0, scores, person.too_small)
        best = max(self._candidates, key=lambda index: scores[index] / self._on[index])
        # Half of the way is reaching the threshold, the other half staying above it.
        reached = min(float(scores[best] / self._on[best]), 1.0)
        wait_s = self._wait_s(person, best)
        held = (person.updated_s - person.leading_since_s) / wait_s if wait_s and best == person.leader else 0.0
        return ActionState(track, None, float(scores[best]), None, self._classes[best], (reached + held) / 2, scores)


def _ahead(scores: np.ndarray) -> float:
    """How far the best of some scores (classes,) is ahead of the next; a single class is ahead of nothing else."""
    return float(scores.max() - np.sort(scores)[-2:-1].sum())
