"""From scores to decisions: an action begins and ends at a moment, and most of the time there is none.

A softmax always has a maximum, so the best class alone means nothing. An action begins when its smoothed
score has stayed above one threshold for a while, and ends when it falls below a lower one (hysteresis), or
when the person is gone.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from app.events import ActionEvent
from app.skeletons import Windows

GONE_S = 0.6  # an action ends when its person has been out of view for longer


@dataclass(frozen=True)
class DecisionSettings:
    """When a score becomes an action. Stored in the checkpoint (`decisions`).

    on, off: smoothed scores (0..1) at which an action begins and ends; higher `on`, fewer false actions.
    hold_s: seconds for which a score must stay above `on`; longer, fewer flickers and later labels.
    smoothing_s: time constant of the smoothing; longer, steadier and later.
    nothing: classes that mean that nothing happens; they are never announced.
    """

    on: float = 0.55
    off: float = 0.35
    hold_s: float = 0.2
    smoothing_s: float = 0.25
    nothing: tuple[str, ...] = ()

    def __post_init__(self):
        if not (0 < self.off <= self.on <= 1 and self.hold_s >= 0 and self.smoothing_s > 0):
            raise ValueError(f"decision settings need 0 < off <= on <= 1, hold_s >= 0, smoothing_s > 0: {self}")


@dataclass(frozen=True)
class ActionState:
    """What one person does now.

    action: the decided action, or None: nothing happens.
    score: smoothed score of `action`, or of `candidate` when there is none, 0..1.
    candidate: the class that comes nearest to being decided.
    progress: how far the decision for `candidate` has formed, 0..1; 1 while an action lasts.
    """

    track: int
    action: str | None
    score: float
    start_s: float | None
    candidate: str | None
    progress: float


@dataclass
class _Person:
    """Memory of one track."""

    smoothed: np.ndarray  # (classes,)
    updated_s: float
    above_since: dict[int, float]  # class -> since when its smoothed score is above `on`
    action: int | None = None
    start_s: float = 0.0
    best_score: float = 0.0


class ActionDecider:
    """Turns the scores of every window into states (what is) and events (what began and ended).

    Pure: time comes with the windows.
    """

    def __init__(self, classes: tuple[str, ...], settings: DecisionSettings):
        self._classes = classes
        self._settings = settings
        self._candidates = [index for index, name in enumerate(classes) if name not in settings.nothing]
        self._people: dict[int, _Person] = {}

    def update(self, windows: Windows, scores: np.ndarray) -> tuple[dict[int, ActionState], list[ActionEvent]]:
        """scores: (N, classes), softmax, a row for each of `windows.tracks`.

        Returns the state of each judged track by id, and the events of this moment.
        """
        events = self._end(windows.frame, (track for track, person in self._people.items()
                                           if windows.time_s - person.updated_s > GONE_S))
        for track, row in zip(windows.tracks, scores):
            events += self._judge(track, row, windows)
        return {track: self._state(track, windows.time_s) for track in windows.tracks}, events

    def finish(self, frame: int) -> list[ActionEvent]:
        """End every action that lasts: the source is at its end."""
        return self._end(frame, self._people)

    def _judge(self, track: int, scores: np.ndarray, windows: Windows) -> list[ActionEvent]:
        now, settings = windows.time_s, self._settings
        person = self._people.setdefault(track, _Person(np.array(scores), now, {}))
        weight = -math.expm1(-(now - person.updated_s) / settings.smoothing_s)
        person.smoothed = person.smoothed + weight * (scores - person.smoothed)
        person.updated_s = now
        above = [index for index in self._candidates if person.smoothed[index] >= settings.on]
        person.above_since = {index: person.above_since.get(index, now) for index in above}

        events = []
        if person.action is not None:
            person.best_score = max(person.best_score, float(person.smoothed[person.action]))
            if person.smoothed[person.action] < settings.off:
                events.append(self._ended(track, windows.frame))
        formed = [index for index, since in person.above_since.items() if now - since >= settings.hold_s]
        if formed and person.action is None:
            person.action = max(formed, key=lambda index: person.smoothed[index])
            person.start_s = person.above_since[person.action]
            person.best_score = float(person.smoothed[person.action])
            events.append(self._event("start", track, windows.frame, None))
        return events

    def _end(self, frame: int, tracks: Iterable[int]) -> list[ActionEvent]:
        """Forget people; whatever they were doing has ended when they were last judged."""
        tracks = list(tracks)
        events = [self._ended(track, frame) for track in tracks if self._people[track].action is not None]
        for track in tracks:
            del self._people[track]
        return events

    def _ended(self, track: int, frame: int) -> ActionEvent:
        event = self._event("end", track, frame, self._people[track].updated_s)
        self._people[track].action = None
        return event

    def _event(self, kind: str, track: int, frame: int, end_s: float | None) -> ActionEvent:
        person = self._people[track]
        return ActionEvent(kind, track, self._classes[person.action], round(person.best_score, 3),
                           person.start_s, end_s, frame)

    def _state(self, track: int, now: float) -> ActionState:
        person, settings = self._people[track], self._settings
        best = max(self._candidates, key=lambda index: person.smoothed[index], default=None)
        if person.action is not None:
            name = self._classes[person.action]
            return ActionState(track, name, float(person.smoothed[person.action]), person.start_s, name, 1.0)
        if best is None:
            return ActionState(track, None, 0.0, None, None, 0.0)
        # Half of the way is reaching the threshold, the other half staying above it.
        reached = min(float(person.smoothed[best]) / settings.on, 1.0)
        held = (now - person.above_since.get(best, now)) / settings.hold_s if settings.hold_s else 0.0
        return ActionState(track, None, float(person.smoothed[best]), None, self._classes[best], (reached + held) / 2)
