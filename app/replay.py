"""The network is asked once about a stream; what it says can then be decided upon again and again.

    recorded = record(stream, checkpoint)
    decisions, states = decide(recorded, checkpoint.classes, settings)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from app.decisions import ActionDecider, ActionState, DecisionSettings
from app.pipeline import ActionClassifier, Recogniser
from app.scoring import Decision, canonical
from app.skeletons import SkeletonFrame, Windows
from app.streams import Stream
from app.tracking import Track
from stgcn import Checkpoint

BATCH = 32  # windows, each of which is asked about twice; of more, a CPU takes longer for each
NEAR = 0.25  # a track is a person whose joints lie within this many box diagonals of it, on average
TINY = np.finfo(np.float32).tiny


class Moment(NamedTuple):
    """What the network said at one moment.

    windows: without their inputs. log_scores: (N, classes), logarithms of the scores at temperature 1, a row for
    each of `windows.tracks`. persons: of the annotated stream, by track.
    """

    windows: Windows
    log_scores: np.ndarray
    persons: dict[int, int]


Recorded = Sequence[tuple[Stream, list[Moment]]]  # streams, and what the network said about each


@dataclass
class _Begun:
    """A decision that has not ended yet."""

    person: int | None
    announced_s: float


def record(stream: Stream, checkpoint: Checkpoint, device: str = "cpu") -> list[Moment]:
    """Run a stream through tracker, windows and network, as `Recogniser` does. UserError: the checkpoint does not fit.

    The tracks of the stream are forgotten and found anew. Its keypoints were smoothed when they were recorded, once.
    """
    neutral = replace(checkpoint, decisions={**checkpoint.decisions, "temperature": 1.0})
    recogniser = Recogniser(neutral, device, picture_height=stream.size[1], smoothing=False)
    asked = []
    for frame in stream.frames:
        skeletons = recogniser.track(frame.index, frame.time_s, [track.pose for track in frame.tracks])
        windows = recogniser.collect(skeletons)
        if windows is not None:
            asked.append((windows, _persons(skeletons, frame)))
    scores = _ask(recogniser.classifier, [windows for windows, _ in asked])
    return [Moment(replace(windows, inputs=windows.inputs[:0]), log_scores, persons)
            for (windows, persons), log_scores in zip(asked, scores)]


def scores_at(log_scores: np.ndarray, temperature: float) -> np.ndarray:
    """(N, classes) softmax scores at another temperature than 1."""
    scaled = log_scores / temperature
    scaled = np.exp(scaled - scaled.max(axis=-1, keepdims=True, initial=-np.inf))
    return scaled / scaled.sum(axis=-1, keepdims=True)


def decide(
    recorded: list[Moment], classes: tuple[str, ...], settings: DecisionSettings
) -> tuple[list[Decision], list[dict[int, ActionState]]]:
    """What is announced under `settings`, under canonical names, and the states at every moment."""
    decider = ActionDecider(classes, settings)
    decisions, states, begun, times = [], [], {}, {}

    def take(events, persons):
        for event in events:
            if event.event == "start":
                begun[event.track] = _Begun(persons.get(event.track), times[event.frame])
            else:
                first = begun.pop(event.track)
                decisions.append(Decision(canonical(event.action), event.start_s, event.end_s, first.announced_s,
                                          times[event.frame], first.person))  # fmt: skip

    for windows, log_scores, persons in recorded:
        times[windows.frame] = windows.time_s
        now, events = decider.update(windows, scores_at(log_scores, settings.temperature))
        states.append(now)
        take(events, persons)
    if recorded:
        take(decider.finish(recorded[-1].windows.frame), {})
    return sorted(decisions, key=lambda decision: decision.announced_s), states


def _ask(classifier: ActionClassifier, asked: list[Windows]) -> list[np.ndarray]:
    """Logarithms of the scores of all windows, asked in batches across moments."""
    counts = [len(windows.tracks) for windows in asked]
    filled = [windows for windows in asked if windows.tracks]
    if not filled:
        return [np.zeros((0, 0), np.float32) for _ in asked]
    inputs = np.concatenate([windows.inputs for windows in filled])  # (sum of N, C, T, V)
    rows = []
    for start in range(0, len(inputs), BATCH):
        batch = inputs[start : start + BATCH]
        rows.append(classifier.scores(replace(filled[0], inputs=batch, tracks=tuple(range(len(batch))))))
    log_scores = np.log(np.maximum(np.concatenate(rows), TINY))
    return np.split(log_scores, np.cumsum(counts)[:-1])


def _persons(skeletons: SkeletonFrame, frame: SkeletonFrame) -> dict[int, int]:
    """The annotated person whom each track shows, by where the joints are; a track may show nobody."""
    persons = {}
    for track in skeletons.tracks:
        distances = {other.id: _distance(track, other) for other in frame.tracks}
        nearest = min(distances, key=distances.get, default=None)
        if nearest is not None and distances[nearest] < NEAR:
            persons[track.id] = nearest
    return persons


def _distance(track: Track, other: Track) -> float:
    """Mean distance of joints that both have, in box diagonals."""
    a, b = track.pose, other.pose
    seen = (a.keypoints[:, 2] > 0) & (b.keypoints[:, 2] > 0)
    if not seen.any():
        return np.inf
    apart = np.linalg.norm(a.keypoints[seen, :2] - b.keypoints[seen, :2], axis=1).mean()
    return float(apart / max(np.linalg.norm(b.box[2:] - b.box[:2]), 1.0))


def frame_scores(
    stream: Stream, recorded: list[Moment], states: list[dict[int, ActionState]], classes: tuple[str, ...],
    labels: tuple[str, ...],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores and truth of every person at every moment, (S, len(labels)) both, and for how long (S,).

    labels: canonical names of some of `classes`. Scores: 0 where the person is not judged. Truth: 1, 0, or -1 where
    the stream does not say. Seconds: since the moment before, so that it does not matter how often people are judged.
    """
    names = list(map(canonical, classes))
    columns = [names.index(label) for label in labels]
    people = stream.persons or (None,)
    scores = np.zeros((len(recorded) * len(people), len(labels)), np.float32)
    truth = np.zeros(scores.shape, np.int8)
    truth[:, np.isin(labels, [canonical(label) for label in stream.allowed])] = -1
    shown: dict[int, int] = {}  # the person whom a track shows, or last showed
    samples = ((moment, now, person) for moment, now in zip(recorded, states) for person in people)
    for row, (moment, now, person) in enumerate(samples):
        shown |= moment.persons
        mine = [state.scores for track, state in now.items() if person in (None, shown.get(track))]
        if mine:
            scores[row] = np.max(mine, axis=0)[columns]
        for interval in stream.intervals:
            label = canonical(interval.label)
            lasts = interval.start_s <= moment.windows.time_s <= interval.end_s
            if lasts and interval.person in (None, person) and label in labels:
                truth[row, labels.index(label)] = 1
    times = [moment.windows.time_s for moment in recorded]
    return scores, truth, np.repeat(np.diff(times, prepend=0.0), len(people))


def clip_labels(stream: Stream, recorded: list[Moment], classes: tuple[str, ...]) -> list[tuple[str, str | None]]:
    """For each interval of a known person, its label and what the network, unasked for decisions, calls it.

    That is the best class on average over the interval's second half; None: the person was not judged then.
    """
    found = []
    for interval in stream.intervals:
        if interval.person is None:
            continue
        middle_s = (interval.start_s + interval.end_s) / 2
        rows = [np.exp(row) for windows, log_scores, persons in recorded
                if middle_s <= windows.time_s <= interval.end_s
                for track, row in zip(windows.tracks, log_scores) if persons.get(track) == interval.person]
        best = canonical(classes[int(np.mean(rows, axis=0).argmax())]) if rows else None
        found.append((canonical(interval.label), best))
    return found
