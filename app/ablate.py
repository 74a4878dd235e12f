"""What each part of a checkpoint's decisions brings: `python -m app.ablate work_dirs/streams/test`.

The network is asked once about every stream; then the decisions are made again with one setting of the checkpoint
changed at a time, and scored as `app.evaluate` does. Prints a Markdown table.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from app import options, streams
from app.decisions import DecisionSettings
from app.errors import run
from app.evaluate import load_checkpoints, measures, outcome_of
from app.replay import Recorded, record
from app.streams import Stream
from stgcn import Checkpoint

MOTION_GATE = 0.02  # body heights a second
COLUMNS = {
    "F1 at IoU 0.25": "f1_0.25", "F1 at IoU 0.5": "f1_0.5", "precision": "precision_0.5", "recall": "recall_0.5",
    "false events a minute, negative": "false_per_min_negative", "label changes": "label_changes_per_event",
    "time to detect, s": "detect_median_s", "release, s": "release_median_s",
}  # fmt: skip


def variants(settings: DecisionSettings) -> dict[str, DecisionSettings]:
    """By name, the settings themselves and each with one part of them missing; what changes nothing is left out."""
    plain = DecisionSettings(nothing=settings.nothing)
    changed = {
        f"not calibrated: thresholds {plain.on} / {plain.off} for all, temperature 1": plain,
        "temperature 1": replace(settings, temperature=1.0),
        "no hysteresis: ends where it begins": replace(settings, off=settings.on),
        "no minimum duration": replace(settings, hold_s=0.0),
        "one threshold for all classes": replace(settings, on_by_class={}),
        "no margin": replace(settings, margin=0.0),
        "nobody too small to be judged": replace(settings, min_size=0.0),
        "no motion gate": replace(settings, min_motion=0.0),
        f"with a motion gate at {MOTION_GATE} body heights/s": replace(settings, min_motion=MOTION_GATE),
        "events not dated back": replace(settings, lag_s=0.0),
    }
    return {"all of it": settings} | {name: other for name, other in changed.items() if other != settings}


def row(recorded: Recorded, checkpoint: Checkpoint, settings: DecisionSettings) -> list[float | None]:
    """The figures of COLUMNS under `settings`."""
    found = measures([outcome_of(stream, moments, checkpoint.classes, settings) for stream, moments in recorded])
    return [found[key] for key in COLUMNS.values()]


def ablate(checkpoint: Checkpoint, loaded: Sequence[Stream], device: str = "cpu") -> str:
    """The table, in Markdown. UserError: the checkpoint does not fit."""
    chosen = variants(DecisionSettings(**checkpoint.decisions))
    recorded = [(stream, record(stream, checkpoint, device)) for stream in tqdm(loaded, unit="stream", disable=None)]
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" + "|---:" * len(COLUMNS) + "|"]
    for name, settings in tqdm(chosen.items(), unit="variant", disable=None):
        figures = row(recorded, checkpoint, settings)
        lines.append(f"| {name} | " + " | ".join("-" if x is None else f"{x:.2f}" for x in figures) + " |")
    return "\n".join(lines)


def main() -> None:
    args = _parser().parse_args()
    [checkpoint] = load_checkpoints([args.actions]).values()
    print(ablate(checkpoint, [streams.load(path) for path in streams.find(args.streams)], options.load_device(args)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.ablate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streams", nargs="+", type=Path, metavar="STREAM",
                        help="annotated streams (*.stream.json), or folders of them")
    parser.add_argument("--actions", type=Path, default=options.DEFAULT_ACTIONS, metavar="CKPT",
                        help="action checkpoint (default: the one that comes along)")
    parser.add_argument("--device", default="auto", metavar="auto|cpu|cuda[:N]",
                        help="where the network runs (default: auto, the GPU when there is one)")
    return parser


if __name__ == "__main__":
    run(main)
