"""How good and how dear networks are: `python -m stgcn.evaluate CONFIG CHECKPOINT [CHECKPOINT ...]
[--weights W ...] [--views] [-o FOLDER]`.

Every checkpoint is tested on each test part of the config, as training tests it. Several are streams of one
decision: besides each alone, the weighted mean of their probabilities is tested, "fused". Where several test parts
hold the same recordings, as several pose estimators saw them, the mean over these is tested too, "together". The folder
receives results.json and confusion_PART_MODEL.png.
"""

import argparse
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stgcn import exit_codes, plots
from stgcn.checkpoint import Checkpoint, load
from stgcn.cost import count_parameters, inference_ms, multiply_adds
from stgcn.data import Part, SkeletonDataset
from stgcn.experiment import classes_to_learn, parts_to_test
from stgcn.graph import get_layout
from stgcn.results import predict, results
from stgcn.settings import Settings, read_settings
from stgcn.streams import WEIGHTS, fuse, members
from stgcn.views import VIEWS, views

COMMAND = "python -m stgcn.evaluate"
FUSED, TOGETHER = "fused", "together"
RESULTS = "results.json"  # in the folder
HEADINGS = (
    "test part", "model", "top-1 %", "top-5 %", "class mean %", "parameters", "multiply-adds", "clips/s"
)  # fmt: skip
NAMES = 2  # the first columns hold text, the others numbers


@dataclass(frozen=True, eq=False)
class Model:
    """A checkpoint under test. name: no other model's; weight: in the fusion, see `stgcn.streams.fuse`."""

    name: str
    path: Path
    checkpoint: Checkpoint
    weight: float


@dataclass(frozen=True)
class Expense:
    """What it costs to decide. multiply_adds: of one clip. clips_per_s: one by one, CPU, one thread."""

    parameters: int
    multiply_adds: int
    clips_per_s: float


def read_models(paths: Sequence[Path], weights: Sequence[float] | None = None) -> list[Model]:
    """Load checkpoints; each is called by its stream, with a number where several have the same.

    weights: None for `stgcn.streams.WEIGHTS`, those of the PYSKL paper.
    ValueError: a checkpoint cannot be read or comes without preprocessing, or the number of weights differs.
    """
    checkpoints = [load(path) for path in paths]
    for path, checkpoint in zip(paths, checkpoints):
        if checkpoint.preprocess is None:
            raise ValueError(f"{path} comes without preprocessing, as official checkpoints do: it does not "
                             "say how clips become its input")
    streams = [checkpoint.preprocess.stream for checkpoint in checkpoints]
    weights = weights or [max(WEIGHTS[member] for member in members(stream)) for stream in streams]
    if len(weights) != len(paths):
        raise ValueError(f"{len(paths)} checkpoints need as many weights, got {len(weights)}")
    names = [stream if streams.count(stream) == 1 else f"{stream}_{streams[:i].count(stream) + 1}"
             for i, stream in enumerate(streams)]  # fmt: skip
    return [Model(*values) for values in zip(names, paths, checkpoints, weights)]


def evaluate(settings: Settings, models: Sequence[Model], several_views: bool = False) -> dict[str, Any]:
    """Test models; with several, also their fusion. several_views: on the mean over `stgcn.views.views`.

    Returns plain values: "models", a list of {"name", "checkpoint", "weight"}; "cost", {name: the fields of
    `Expense`}; and "parts", {test part, or "together": {name: see `stgcn.results.results`}}.
    ValueError: the config has no test data or it cannot be read, or a model or the weights do not fit.
    """
    parts = parts_to_test(settings)
    if not parts:
        raise ValueError("the config has nothing to test on: data.test is empty")
    if TOGETHER in parts:
        raise ValueError(f"no test part may be called {TOGETHER!r}, the name of all of them")
    classes = classes_to_learn(settings, parts.values())
    for model in models:
        _check(model, settings, classes)
    scores = {name: _scores(part, models, several_views) for name, part in parts.items()}
    labels = {name: torch.tensor([clip.label for clip in part.clips]) for name, part in parts.items()}
    alike = _of_the_same_recordings(parts)
    if len(alike) > 1:
        scores[TOGETHER] = {model: sum(scores[name][model] for name in alike) / len(alike)
                            for model in scores[alike[0]]}  # fmt: skip
        labels[TOGETHER] = labels[alike[0]]
    cost = {model.name: _expense(model.checkpoint) for model in models}
    if len(models) > 1:
        cost[FUSED] = _together(cost.values())
    return {
        "models": [{"name": m.name, "checkpoint": str(m.path), "weight": m.weight} for m in models],
        "cost": {name: asdict(expense) for name, expense in cost.items()},
        "parts": {part: {model: results(score, labels[part], classes) for model, score in of_part.items()}
                  for part, of_part in scores.items()},
    }


def _check(model: Model, settings: Settings, classes: tuple[str, ...]) -> None:
    """ValueError: the model cannot be tested on this data."""
    own, needed = model.checkpoint.preprocess.group, settings.preprocess.group
    if own != needed:
        raise ValueError(f"{model.path} is for {own} skeletons, the config for {needed} ones")
    for i, (own, needed) in enumerate(zip_longest(model.checkpoint.classes, classes)):
        if own != needed:
            raise ValueError(f"{model.path} has other classes than the config's data; the first that differs "
                             f"is number {i}, {own or 'none'} instead of {needed or 'none'}")


def _of_the_same_recordings(parts: Mapping[str, Part]) -> list[str]:
    """Names of the largest group of parts that hold the same recordings."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, part in parts.items():
        groups.setdefault(tuple(clip.name for clip in part.clips), []).append(name)
    return max(groups.values(), key=len)


def _scores(part: Part, models: Sequence[Model], several_views: bool) -> dict[str, Tensor]:
    """Probabilities (clips, classes), by model."""
    scores: dict[str, Tensor] = {}
    for model in models:
        checkpoint, clips = model.checkpoint, part.clips
        if several_views:
            clips = [view for clip in clips for view in views(clip, get_layout(checkpoint.preprocess.group))]
        data = SkeletonDataset(clips, checkpoint.preprocess, len(part.classes))
        answers, _ = predict(checkpoint.model, data)
        scores[model.name] = answers.unflatten(0, (-1, VIEWS if several_views else 1)).mean(dim=1)
    if len(models) > 1:
        scores[FUSED] = fuse(scores, {model.name: model.weight for model in models})
    return scores


def _expense(checkpoint: Checkpoint) -> Expense:
    model, preprocess = checkpoint.model, checkpoint.preprocess
    shape = (1, model.in_channels, preprocess.frames, model.num_joints, preprocess.people)  # (N, C, T, V, M)
    return Expense(count_parameters(model), multiply_adds(model, shape), 1000 / inference_ms(model, shape))


def _together(expenses: Collection[Expense]) -> Expense:
    """Of networks that all see every clip, one after another."""
    return Expense(
        parameters=sum(expense.parameters for expense in expenses),
        multiply_adds=sum(expense.multiply_adds for expense in expenses),
        clips_per_s=1 / sum(1 / expense.clips_per_s for expense in expenses),
    )


def table(found: Mapping[str, Any]) -> str:
    """What `evaluate` found, to be read: a line for each part and model."""
    rows = [HEADINGS]
    for part, models in found["parts"].items():
        for name, result in models.items():
            shares = (f"{100 * result[key]:.1f}" for key in ("top1", "top5", "mean_class"))
            cost = Expense(**found["cost"][name])
            rows.append((part, name, *shares, f"{cost.parameters:,}", f"{cost.multiply_adds / 1e6:,.1f} M",
                         f"{cost.clips_per_s:.0f}"))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows)]
    aligned = [str.ljust] * NAMES + [str.rjust] * (len(HEADINGS) - NAMES)
    return "\n".join("  ".join(align(*cell) for align, *cell in zip(aligned, row, widths)) for row in rows)


def write(folder: Path, found: Mapping[str, Any]) -> None:
    """results.json and the confusion matrices. OSError: the folder cannot be written to."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULTS).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for part, models in found["parts"].items():
        for name, result in models.items():
            title = f"{part}, {name}: top-1 {100 * result['top1']:.1f} % of {result['clips']} clips"
            classes = list(result["recall"])
            plots.confusion(folder / f"confusion_{part}_{name}.png", result["confusion"], classes, title)


def add_views(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--views", action="store_true",
                        help="average over the whole clip, its beginning, its end, and their mirror images")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Test checkpoints, alone and fused.")
    parser.add_argument("config", type=Path, help="Python config with the test data, see configs/actions")
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="checkpoint",
                        help="what python -m stgcn.train wrote; several are fused")  # fmt: skip
    parser.add_argument("--weights", type=float, nargs="+", metavar="W",
                        help="of each in the fusion (default: joints and bones 2, motions 1)")  # fmt: skip
    add_views(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER",
                        help="(default: work_dirs/NAME_OF_CONFIG/evaluation)")  # fmt: skip
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. Exits with 2 and one line on bad input."""
    options = _parse(arguments)
    folder = options.output or Path("work_dirs") / options.config.stem / "evaluation"
    try:
        models = read_models(options.checkpoints, options.weights)
        found = {"config": str(options.config)} | evaluate(read_settings(options.config), models, options.views)
        write(folder, found)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(exit_codes.BAD_INPUT)
    print(table(found))
    print(f"results: {folder / RESULTS}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(exit_codes.INTERRUPTED)
