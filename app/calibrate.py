"""Teach a checkpoint when to speak: `python -m app.calibrate CKPT [CKPT ...] --streams FOLDER`.

The network is asked once about every stream. First the temperature is fitted, which makes its scores mean what they
say, and a diagram of that is drawn beside the checkpoint. Then the thresholds are chosen with which it decides best on
the streams. What is maximised is

    the mean of the event F1 at IoU 0.25 and at 0.5, minus 0.25 for every false event per minute in which nothing
    happens, minus 0.2 for every second of the median time to detect an event

by changing one setting at a time: those of all classes, from several starts, since each ends where no single change is
better; then from the best one also the threshold of each class, which has to help in both halves of the streams. All
of it is stored in the checkpoint. The streams have to show clips on which the network was not trained: of the others
it is too sure. A network that was trained in the same way on all clips, on these too, can be given the settings with
--into. Settings that suit several such networks suit the next one better than those made for the errors of one.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from statistics import median

import numpy as np
from tqdm import tqdm

import stgcn
from app import streams
from app.decisions import DecisionSettings
from app.errors import UserError, run
from app.replay import Moment, Recorded, decide, record, scores_at
from app.scoring import ALL, announceable, canonical, case, delays, event_counts, false_events
from app.streams import Stream
from stgcn import Checkpoint, plots
from stgcn.calibration import Reliability, fit_temperature, reliability

FALSE_EVENT_PRICE = 0.25  # F1 that one false event per minute costs
DELAY_PRICE = 0.2  # F1 that a second until an event is detected costs
NEVER_S = 2.0  # counts as the time to detect where nothing is detected
IOUS = (0.25, 0.5)
NEGATIVE = "negative"  # the group of streams in which nothing happens

SETTLING_S = 0.5  # after something has begun or ended, a window shows as much of the one as of the other
ROUNDS = 3  # through all settings
MIN_GAIN = 0.002  # a setting is changed for more than that, or chance would choose
MIN_EVENTS = 5  # a class that occurs less often keeps the common threshold

# Which thresholds are good depends on by how much events are dated back, and on how long scores are smoothed.
STARTS = [dict(lag_s=lag_s) | thresholds for lag_s, thresholds in product(
    (0.0, 0.5), (dict(on=0.55, off=0.35, smoothing_s=0.25), dict(on=0.85, off=0.35, smoothing_s=0.1))
)]  # fmt: skip
ONS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.985)  # from likelier than not
OFF_SHARES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # of `on`
OTHERS = {
    "smoothing_s": (0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5),
    "hold_s": (0.2, 0.3, 0.4, 0.5),  # less, and a score that just reaches `on` once would be enough
    "margin": (0.0, 0.05, 0.1, 0.2, 0.3),
    "lag_s": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
    "min_motion": (0.0, 0.01, 0.015, 0.02),  # above that, real waves are taken for stillness
}
DIGITS = 3  # of numbers that follow from others

Objective = Callable[[DecisionSettings], float]
Variations = Callable[[DecisionSettings], list[DecisionSettings]]


@dataclass(frozen=True)
class Outcome:
    """How well was decided: event F1 at each of IOUS, false events per minute in which nothing happens, and the median
    of seconds from an event's onset to its announcement."""

    f1: tuple[float, ...]
    false_per_minute: float
    detect_s: float

    @property
    def value(self) -> float:
        """What is maximised, at most 1."""
        found = sum(self.f1) / len(self.f1)
        return found - FALSE_EVENT_PRICE * self.false_per_minute - DELAY_PRICE * self.detect_s

    def __str__(self) -> str:
        shares = ", ".join(f"F1 {100 * f1:.1f} % at IoU {iou}" for iou, f1 in zip(IOUS, self.f1))
        return (f"{shares}, {self.false_per_minute:.2f} false events per minute, detected after {self.detect_s:.2f} s "
                f"(objective {self.value:.3f})")


def load_streams(paths: Sequence[Path]) -> list[Stream]:
    """All streams in folders or files. UserError: one cannot be read, or none is negative."""
    loaded = [streams.load(path) for path in streams.find(paths)]
    if not any(stream.group == NEGATIVE and stream.duration_s > 0 for stream in loaded):
        raise UserError(f"none of the streams is of the group {NEGATIVE!r}; add some in which nothing happens")
    return loaded


def outcome(recorded: Recorded, classes: tuple[str, ...], settings: DecisionSettings) -> Outcome:
    """Decide about recorded streams under `settings`, and score it. At least one stream is negative."""
    labels = announceable(classes, settings.nothing)
    cases = [case(stream, decide(moments, classes, settings)[0], labels) for stream, moments in recorded]
    f1 = tuple(event_counts(cases, iou)[ALL].f1 or 0.0 for iou in IOUS)
    count, minutes = false_events(cases)
    onset, _ = delays(cases)
    return Outcome(f1, count / minutes, median(onset.get(ALL, [NEVER_S])))


def answers(
    stream: Stream, moments: Iterable[Moment], classes: Sequence[str], nothing: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """What the network said about a stream and what was true: log scores (n, classes), labels (n,).

    Where something begins or ends, and for SETTLING_S after that, no answer is right or wrong; nor is one where the
    truth is not known. What has no class of its own is one of the classes in `nothing`; which of them is not
    annotated, so it is the likelier one.
    """
    empty = np.zeros((0, len(classes)), np.float32), np.zeros(0, int)
    if stream.allowed or any(interval.person is None for interval in stream.intervals):
        return empty
    numbers = {canonical(name): index for index, name in enumerate(classes)}
    idle = [index for index, name in enumerate(classes) if name in nothing]
    rows, labels = [], []
    for windows, log_scores, persons in moments:
        for track, row in zip(windows.tracks, log_scores):
            mine = [interval for interval in stream.intervals if interval.person == persons.get(track)]
            now = windows.time_s
            if any(0 <= now - moment < SETTLING_S for i in mine for moment in (i.start_s, i.end_s)):
                continue
            label = next((numbers.get(canonical(i.label)) for i in mine if i.start_s <= now < i.end_s), None)
            if label is None and idle:
                label = max(idle, key=lambda index: row[index])
            if label is not None:
                rows.append(row)
                labels.append(label)
    return (np.array(rows), np.array(labels)) if rows else empty


def believe(recorded: Recorded, classes: Sequence[str], nothing: Sequence[str]) -> tuple[float, dict[str, Reliability]]:
    """The temperature that fits, and how far scores can be believed before and after. UserError: nothing to go by."""
    said = [answers(stream, moments, classes, nothing) for stream, moments in recorded]
    log_scores, labels = np.concatenate([rows for rows, _ in said]), np.concatenate([labels for _, labels in said])
    if not len(labels):
        raise UserError("nothing in these streams says whether the checkpoint is right; add streams whose intervals "
                        "name the person, with actions of the checkpoint")
    temperature = round(fit_temperature(log_scores, labels), DIGITS)
    return temperature, {
        "as trained": reliability(scores_at(log_scores, 1.0), labels),
        f"temperature {temperature:.2f}": reliability(scores_at(log_scores, temperature), labels),
    }


def choose(starts: Sequence[DecisionSettings], objective: Objective, classes: Iterable[str],
           halves: Sequence[Objective] = ()) -> DecisionSettings:  # fmt: skip
    """Settings of which none is better changed alone, as far as tried; never worse than any of `starts`.

    classes: those that get thresholds of their own where it helps.
    halves: the same objective for parts of the streams. A class happens seldom, so its own threshold has to help in
    each of them, or it would be made for a few events.
    """
    objective, halves = _remembered(objective), list(map(_remembered, halves))
    of_all = [(vary, ()) for vary in (_ons, _off_shares, *map(_values, OTHERS))]
    of_each = [(_ons_of(name), halves) for name in classes]
    with tqdm(desc="thresholds", unit="tried", disable=None) as bar:
        climbed = [_climb(start, objective, of_all, bar) for start in starts]
        return _climb(max(climbed, key=objective), objective, [*of_all, *of_each], bar)


def _remembered(objective: Objective) -> Objective:
    """The same, asked once about the same settings: climbing comes by them again and again."""
    known: dict[str, float] = {}

    def ask(settings: DecisionSettings) -> float:
        key = repr(settings)
        if key not in known:
            known[key] = objective(settings)
        return known[key]

    return ask


def _climb(best: DecisionSettings, objective: Objective, changes: Sequence[tuple[Variations, Sequence[Objective]]],
           bar: tqdm) -> DecisionSettings:  # fmt: skip
    """Uphill, one change at a time. changes: what is tried, and objectives that it has to improve each."""
    best_value = objective(best)
    for _ in range(ROUNDS):
        before = best
        for variations, parts in changes:
            value, settings = best_value + MIN_GAIN, None
            for candidate in variations(best):
                bar.update()
                found = objective(candidate)
                if found > value and all(part(candidate) > part(best) for part in parts):
                    value, settings = found, candidate
            if settings is not None:
                best, best_value = settings, value
                bar.set_postfix(objective=f"{best_value:.3f}")
        if best == before:
            break
    return best


def _nearest_first(values: Iterable[float], present: float) -> list[float]:
    """Of equally good values, the one found first stays: the one that changes least."""
    return sorted(values, key=lambda value: abs(value - present))


def _ons(settings: DecisionSettings) -> list[DecisionSettings]:
    share = settings.off / settings.on
    return [replace(settings, on=on, off=round(on * share, DIGITS)) for on in _nearest_first(ONS, settings.on)]


def _off_shares(settings: DecisionSettings) -> list[DecisionSettings]:
    shares = _nearest_first(OFF_SHARES, settings.off / settings.on)
    return [replace(settings, off=round(settings.on * share, DIGITS)) for share in shares]


def _values(name: str) -> Variations:
    return lambda settings: [replace(settings, **{name: value})
                             for value in _nearest_first(OTHERS[name], getattr(settings, name))]  # fmt: skip


def _ons_of(label: str) -> Variations:
    return lambda settings: [replace(settings, on_by_class=settings.on_by_class | {label: on})
                             for on in _nearest_first(ONS, settings.on_by_class.get(label, settings.on))]  # fmt: skip


def calibrate(checkpoint: Checkpoint, recorded: Recorded) -> tuple[Checkpoint, dict[str, Reliability]]:
    """The checkpoint with settings chosen on recorded streams, and its reliability before and after.

    recorded: by this network, or by several that were trained alike; at least one stream is negative.
    UserError: the streams do not say what is true.
    """
    start = DecisionSettings(**checkpoint.decisions)
    temperature, reliabilities = believe(recorded, checkpoint.classes, start.nothing)
    start = replace(start, temperature=temperature)
    annotated = {stream.name: stream for stream, _ in recorded}.values()  # once, however many networks saw it
    happened = Counter(canonical(interval.label) for stream in annotated for interval in stream.intervals)
    frequent = [name for name in checkpoint.classes
                if name not in start.nothing and happened[canonical(name)] >= MIN_EVENTS]  # fmt: skip

    def objective_on(streams: Recorded) -> Objective:
        return lambda settings: outcome(streams, checkpoint.classes, settings).value

    objective, halves = objective_on(recorded), [objective_on(half) for half in _halves(recorded)]
    chosen = choose([replace(start, **other) for other in STARTS], objective, frequent, halves)
    return replace(checkpoint, decisions=asdict(chosen)), reliabilities


def _halves(recorded: Recorded) -> list[Recorded]:
    """Every other part of the streams in which something happens, and of those in which nothing does."""
    parts = [(stream.group == NEGATIVE, stream.part or stream.name) for stream, _ in recorded]
    quiet, acting = ([part for part in dict.fromkeys(parts) if part[0] == kind] for kind in (True, False))
    halves = [{*quiet[i::2], *acting[i::2]} for i in range(2)]
    return [[one for part, one in zip(parts, recorded) if part in half] for half in halves]


def main(arguments: Sequence[str] | None = None) -> None:
    args = _parser().parse_args(arguments)
    if len(args.checkpoints) > 1 and not args.into:
        raise UserError("settings that were chosen with several networks need one that gets them; name it with --into")
    receives = args.into or args.checkpoints[0]
    target = args.output or receives
    try:
        checkpoints = [stgcn.load(path) for path in args.checkpoints]
        receiver = stgcn.load(args.into) if args.into else checkpoints[0]
    except ValueError as error:
        raise UserError(str(error)) from None
    for path, checkpoint in zip(args.checkpoints, checkpoints):
        if (receiver.classes, receiver.preprocess) != (checkpoint.classes, checkpoint.preprocess):
            raise UserError(f"{receives} was trained in another way than {path}: it has other classes or another "
                            "preprocessing; train both with the same config")
    asked = list(product(checkpoints, load_streams(args.streams)))
    recorded = [(stream, record(stream, checkpoint))
                for checkpoint, stream in tqdm(asked, desc="streams", unit="stream", disable=None)]  # fmt: skip
    calibrated, reliabilities = calibrate(checkpoints[0], recorded)
    picture = target.with_suffix(".reliability.png")
    try:
        stgcn.save(target, replace(receiver, decisions=calibrated.decisions))
        plots.reliability(picture, reliabilities)
    except OSError as error:
        raise UserError(f"cannot write {target} ({error.strerror.lower()}); name another file with -o") from None
    for name, decisions in (("before", checkpoints[0].decisions), ("after", calibrated.decisions)):
        print(f"{name}: {outcome(recorded, receiver.classes, DecisionSettings(**decisions))}")
    print(f"settings: {calibrated.decisions}\ncheckpoint: {target}\nreliability: {picture}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.calibrate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="CKPT",
                        help="what python -m stgcn.train wrote; several: networks that were trained alike")
    parser.add_argument("--streams", type=Path, nargs="+", required=True, metavar="FOLDER",
                        help="annotated streams to choose by, made with python -m app.make_streams FOLDER --side val")
    parser.add_argument("--into", type=Path, metavar="CKPT",
                        help="checkpoint that gets the settings instead: the same config, trained with data.val=0")
    parser.add_argument("-o", "--output", type=Path, metavar="CKPT",
                        help="where the calibrated checkpoint goes (default: in place of the one it is made from)")
    return parser


if __name__ == "__main__":
    run(main)
