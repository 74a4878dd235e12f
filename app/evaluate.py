"""Measure decisions over time on annotated streams: `python -m app.evaluate work_dirs/streams/test`.

Every stream runs through tracker, windows, network and decisions as a video would; what is announced is compared with
what is true. Streams are made with python -m app.make_streams, or by hand: a skeleton file (python -m app.video VIDEO
--skeletons FILE) and beside it a JSON file *.stream.json:

  {"stream": "kitchen", "skeletons": "kitchen.skeletons.jsonl", "group": "actions",
   "intervals": [{"label": "wave", "start_s": 2.1, "end_s": 4.0, "person": 1}]}

group: actions, webcam or negative (nothing happens). person: a track of the skeleton file; left out, anybody.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import stgcn
from app import options, scoring, streams, timelines
from app.decisions import DecisionSettings
from app.errors import UserError, run
from app.pipeline import require_fit
from app.replay import Moment, clip_labels, decide, frame_scores, record
from app.scoring import ALL, Case, Counts, announceable
from app.streams import IDLE, LEGS, RIGHT_ARM, Stream
from stgcn import Checkpoint

IOUS = (0.1, 0.25, 0.5)
AS_IT_IS = "as recorded"
CONDITIONS: dict[str, Callable[[Stream], Stream]] = {
    "10 fps": partial(streams.at_rate, fps=10.0),
    "15 fps": partial(streams.at_rate, fps=15.0),
    "60 fps": partial(streams.at_rate, fps=60.0),
    "legs hidden": partial(streams.hide, joints=LEGS),
    "right arm hidden": partial(streams.hide, joints=RIGHT_ARM),
}
UNDER_CONDITIONS = ("wave", "clap", ALL)  # what is reported of each
NOTHING = "-"  # in a table
EXAMPLES = """examples:
  python -m app.make_streams work_dirs/streams/test
  python -m app.evaluate work_dirs/streams/test
  python -m app.evaluate work_dirs/streams/test --quick --actions old.pth new.pth -o work_dirs/comparison
"""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a model did with one stream: the case, frame-wise scores, truth and seconds (see `frame_scores`), clip
    labels."""

    case: Case
    scores: np.ndarray
    truth: np.ndarray
    seconds: np.ndarray
    clips: list[tuple[str, str | None]]


def outcome(stream: Stream, checkpoint: Checkpoint, device: str = "cpu") -> Outcome:
    """Run one stream. UserError: the checkpoint does not fit."""
    settings = DecisionSettings(**checkpoint.decisions)
    return outcome_of(stream, record(stream, checkpoint, device), checkpoint.classes, settings)


def outcome_of(stream: Stream, recorded: list[Moment], classes: tuple[str, ...], settings: DecisionSettings) -> Outcome:
    """Decide, with `settings`, upon what the network said about one stream."""
    decisions, states = decide(recorded, classes, settings)
    labels = announceable(classes, settings.nothing)
    frames = frame_scores(stream, recorded, states, classes, labels)
    return Outcome(scoring.case(stream, decisions, labels), *frames, clip_labels(stream, recorded, classes))


def measures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All figures of a model on some streams; plain values, None where there is nothing to measure.

    They are about what the model may announce: an event of another label is nothing to it.
    """
    cases = [outcome.case for outcome in outcomes]
    counts = {iou: scoring.event_counts(cases, iou) for iou in IOUS}
    onset, release = scoring.delays(cases)
    precisions = _average_precisions(outcomes)
    found = {"streams": len(cases), "events": counts[IOUS[0]][ALL].hits + counts[IOUS[0]][ALL].misses,
             "frame_map": _mean(precisions.values())}
    for iou in IOUS:
        overall = counts[iou][ALL]
        found |= {f"f1_{iou}": overall.f1, f"precision_{iou}": overall.precision, f"recall_{iou}": overall.recall}
    found |= _spread("detect", onset.get(ALL)) | _spread("detect_wave", onset.get("wave"))
    found |= _spread("release", release.get(ALL))
    negative = [case for case in cases if case.group == "negative"]
    found["false_per_min_negative"] = _rate(*scoring.false_events(negative))
    recorded = [case for case in negative if not case.name.startswith(IDLE)]
    found["false_per_min_negative_recorded"] = _rate(*scoring.false_events(recorded))
    found["false_per_min"] = _rate(*scoring.false_events(cases))
    found["label_changes_per_event"] = scoring.label_changes(cases)
    clips = [clip for outcome in outcomes for clip in outcome.clips]
    wave = Counts(*(sum((true == "wave", said == "wave") == kind for true, said in clips)
                    for kind in ((True, True), (True, False), (False, True))))
    found |= {"clips_wave_recall": wave.recall, "clips_wave_precision": wave.precision}
    webcam = [clip for outcome in outcomes if outcome.case.group == "webcam" for clip in outcome.clips]
    found["clips_webcam_top1"] = _mean(true == said for true, said in webcam)
    found["classes"] = {
        label: {"events": counts[0.5][label].hits + counts[0.5][label].misses,
                "average_precision": precisions.get(label)}
        | {f"f1_{iou}": counts[iou][label].f1 for iou in IOUS}
        | {"precision_0.5": counts[0.5][label].precision, "recall_0.5": counts[0.5][label].recall}
        | _spread("detect", onset.get(label)) | _spread("release", release.get(label))
        for label in counts[0.5] if label != ALL
    }  # fmt: skip
    found["by_stream"] = {case.name: _of_stream(case) for case in cases}
    return found


def _of_stream(case: Case) -> dict[str, Any]:
    counts = scoring.event_counts([case], 0.5)[ALL]
    false, minutes = scoring.false_events([case])
    return {"group": case.group, "events": counts.hits + counts.misses, "hits": counts.hits,
            "announced": len(case.decisions), "false": false, "idle_minutes": round(minutes, 3)}


def under_conditions(cases: Sequence[Case]) -> dict[str, float | None]:
    """Event F1 at IoU 0.5 of what is compared between conditions."""
    counts = scoring.event_counts(cases, 0.5)
    return {label: counts.get(label, Counts()).f1 for label in UNDER_CONDITIONS}


def _average_precisions(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Of each label that the model may announce and that occurs."""
    scores = np.concatenate([outcome.scores for outcome in outcomes])  # (S, labels)
    truth = np.concatenate([outcome.truth for outcome in outcomes])
    seconds = np.concatenate([outcome.seconds for outcome in outcomes])
    found = {}
    for i, label in enumerate(outcomes[0].case.labels):
        judged = truth[:, i] >= 0
        found[label] = scoring.average_precision(scores[judged, i], truth[judged, i] == 1, seconds[judged])
    return {label: value for label, value in found.items() if value is not None}


def _spread(name: str, values: Sequence[float] | None) -> dict[str, float | None]:
    """Median and 95th percentile of some seconds."""
    middle, late = np.percentile(values, (50, 95)) if values else (None, None)
    return {f"{name}_median_s": None if middle is None else float(middle),
            f"{name}_p95_s": None if late is None else float(late)}  # fmt: skip


def _rate(count: int, minutes: float) -> float | None:
    return count / minutes if minutes else None


def _mean(values: Iterable[float]) -> float | None:
    values = list(values)
    return float(np.mean(values)) if values else None


def table(columns: dict[str, dict[str, Any]]) -> str:
    """Figures side by side, a line each: by column, nested dicts of the same keys."""
    names = list(columns)
    rows = [("", *names)] + [(path, *(_shown(_at(columns[name], path)) for name in names))
                             for path in _paths(columns[names[0]])]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:]))])
                     for row in rows)  # fmt: skip


def _paths(content: dict[str, Any], before: str = "") -> list[str]:
    return [path for key, value in content.items()
            for path in (_paths(value, f"{before}{key}/") if isinstance(value, dict) else [f"{before}{key}"])]


def _at(content: dict[str, Any], path: str) -> Any:
    for key in path.split("/"):
        content = content[key]
    return content


def _shown(value: Any) -> str:
    return NOTHING if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def main() -> None:
    args = _parser().parse_args()
    checkpoints = load_checkpoints(args.actions)
    loaded = [streams.load(path) for path in streams.find(args.streams)]
    names = [stream.name for stream in loaded]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"two streams are called {twice}; give each a name of its own")
    device = options.load_device(args)
    varied = [] if args.quick else [stream for stream in loaded if stream.group == "actions"]
    total = len(checkpoints) * (len(loaded) + len(varied) * len(CONDITIONS))
    results: dict[str, dict[str, Any]] = {}
    labels: dict[str, None] = {}  # that any of the models may announce
    announced: dict[str, dict[str, Sequence[scoring.Decision]]] = {stream.name: {} for stream in loaded}
    with tqdm(total=total, unit="stream", disable=None) as bar:

        def ran(checkpoint: Checkpoint, stream: Stream) -> Outcome:
            bar.update()
            return outcome(stream, checkpoint, device)

        for name, checkpoint in checkpoints.items():
            outcomes = [ran(checkpoint, stream) for stream in loaded]
            for stream, found in zip(loaded, outcomes):
                announced[stream.name][name] = found.case.decisions
            results[name] = measures(outcomes)
            labels |= dict.fromkeys(outcomes[0].case.labels)
            if varied:
                actions = [found.case for found in outcomes if found.case.group == "actions"]
                by_condition = {AS_IT_IS: under_conditions(actions)}
                for condition, change in CONDITIONS.items():
                    cases = [ran(checkpoint, change(stream)).case for stream in varied]
                    by_condition[condition] = under_conditions(cases)
                results[name]["conditions"] = by_condition
    _write(args.output, results, loaded, announced, list(labels))
    print(table({name: {key: value for key, value in found.items() if key not in ("classes", "by_stream")}
                 for name, found in results.items()}))
    for name, found in results.items():
        print(f"\n{name}, by class\n{table(_by_column(found['classes']))}")
    print(f"\nresults: {args.output / 'results.json'}; timelines: {args.output}/*.png")


def _by_column(classes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """{label: {measure: value}} -> {measure: {label: value}}"""
    measured = next(iter(classes.values()), {})
    return {measure: {label: row[measure] for label, row in classes.items()} for measure in measured}


def load_checkpoints(paths: Sequence[Path]) -> dict[str, Checkpoint]:
    """Checkpoints by name; those of one name go by their path. UserError: one cannot be used."""
    stems = [path.stem for path in paths]
    loaded = {}
    for path in paths:
        try:
            checkpoint = stgcn.load(path)
            DecisionSettings(**checkpoint.decisions)
        except (TypeError, ValueError) as error:
            raise UserError(f"{path} cannot be used: {error}") from None
        require_fit(checkpoint)
        loaded[path.stem if stems.count(path.stem) == 1 else str(path)] = checkpoint
    return loaded


def _write(folder: Path, results: dict[str, Any], loaded: Sequence[Stream], announced: dict[str, dict],
           labels: Sequence[str]) -> None:  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        for stream in tqdm(loaded, desc="timelines", unit="picture", disable=None):
            timelines.draw(folder / f"{stream.name}.png", stream, announced[stream.name], labels)
    except OSError as error:
        raise UserError(f"cannot write to {folder} ({error.strerror.lower()}); name another folder with -o") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.evaluate", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streams", nargs="+", type=Path, metavar="STREAM",
                        help="annotated streams (*.stream.json), or folders of them")
    parser.add_argument("--actions", nargs="+", type=Path, default=[options.DEFAULT_ACTIONS], metavar="CKPT",
                        help="action checkpoints, compared side by side (default: the one that comes along)")
    parser.add_argument("-o", "--output", type=Path, default=Path("work_dirs/evaluation"), metavar="FOLDER",
                        help="results.json and a timeline of each stream go there (default: %(default)s)")
    parser.add_argument("--quick", action="store_true",
                        help="leave out the other frame rates and hidden joints: a sixth of the time")
    parser.add_argument("--device", default="auto", metavar="auto|cpu|cuda[:N]",
                        help="where the network runs (default: auto, the GPU when there is one)")
    return parser


if __name__ == "__main__":
    run(main)
