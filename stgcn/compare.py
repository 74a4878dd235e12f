"""Compare networks: `python -m stgcn.compare CONFIG [--seeds 3] [--work-dir DIR] [--output FILE] ...`.

Every contender is trained with the same data, budget and seeds, by `stgcn.train`. The config is like those
for training, see configs/compare; of the network it sets only what all share, width and dropout. A run that
is complete is not repeated, one that was interrupted goes on where it stopped.
"""

import argparse
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import DictAction
from torch import nn
from tqdm import tqdm

from stgcn import exit_codes
from stgcn.baselines import LSTM, FrameGNN, SimplifiedSTGCN
from stgcn.compare_page import Claim, Comparison, Row, as_values, page
from stgcn.cost import measure_cost
from stgcn.experiment import Experiment, prepare
from stgcn.graph import get_layout
from stgcn.model import STGCN
from stgcn.results import measure
from stgcn.settings import Network, Settings, read_settings
from stgcn.train import train

COMMAND = "python -m stgcn.compare"
PAGE = Path("docs/comparison.md")
SHARED_BY_ALL = ("width", "dropout")  # what a config says about the network; the rest is compared
PLUS_PLUS = dict(
    strategy="directed", edge_importance=False, adaptive=True, graph_residual=True, multi_scale=True
)


@dataclass(frozen=True)
class Contender:
    """A network to compare. name: of its folders. build: called with what all networks have in common."""

    name: str
    title: str
    build: Callable[..., nn.Module]


CONTENDERS = (
    Contender("lstm", "LSTM on flattened joints", LSTM),
    Contender("frame_gnn", "frame-wise GNN (GCNConv)", FrameGNN),
    Contender("simple_identity", "simplified ST-GCN, identity matrix",
              partial(SimplifiedSTGCN, connected=False)),
    Contender("simple", "simplified ST-GCN, skeleton graph", SimplifiedSTGCN),
    Contender("uniform", "ST-GCN, uniform partition", partial(STGCN, strategy="uniform")),
    Contender("distance", "ST-GCN, distance partition", partial(STGCN, strategy="distance")),
    Contender("spatial", "ST-GCN, spatial partition", partial(STGCN, strategy="spatial")),
    Contender("unweighted", "ST-GCN, spatial, no edge importance",
              partial(STGCN, strategy="spatial", edge_importance=False)),
    Contender("plus_plus", "ST-GCN++", partial(STGCN, **PLUS_PLUS)),
)  # fmt: skip

CLAIMS = (
    Claim("ST-GCN beats an LSTM on the same joints", "spatial", "lstm"),
    Claim("single frames are not enough", "simple", "frame_gnn"),
    Claim("the skeleton's graph helps", "simple", "simple_identity"),
    Claim("ten units beat two", "spatial", "simple"),
    Claim("the distance partition beats the uniform one", "distance", "uniform"),
    Claim("the spatial partition beats the uniform one", "spatial", "uniform"),
    Claim("the spatial partition beats the distance one", "spatial", "distance"),
    Claim("learned edge importance helps", "spatial", "unweighted"),
    Claim("ST-GCN++ beats ST-GCN", "plus_plus", "spatial"),
)


def check(settings: Settings) -> None:
    """ValueError: the config sets what is compared, has not exactly one test set, or holds clips out."""
    for name, default in asdict(Network()).items():
        if name not in SHARED_BY_ALL and getattr(settings.model, name) != default:
            raise ValueError(
                f"model.{name} is part of what is compared; of the network, the config sets only "
                f"{' and '.join(SHARED_BY_ALL)}"
            )
    if len(settings.data.test) != 1:
        raise ValueError(f"data.test has {len(settings.data.test)} parts; networks are compared on one")
    if settings.data.val:
        raise ValueError("data.val holds clips out to choose an epoch; networks are compared after the last")


def build(contender: Contender, settings: Settings, num_classes: int, seed: int) -> nn.Module:
    """A network with new weights. ValueError: see the networks."""
    layout = settings.preprocess.layout
    shared = {name: getattr(settings.model, name) for name in SHARED_BY_ALL}
    torch.manual_seed(seed)
    return contender.build(num_classes, layout, in_channels=get_layout(layout).shape[1], **shared)


def claim_folder(work_dir: Path, settings: Settings) -> None:
    """Make the work folder and note the settings there. ValueError: it holds runs with other settings."""
    wanted = json.loads(json.dumps(asdict(settings)))
    noted = work_dir / "settings.json"
    if noted.is_file():
        found = json.loads(noted.read_text(encoding="utf-8"))
        other = [key for key in wanted if found.get(key) != wanted[key]]
        if other:
            raise ValueError(
                f"{work_dir} holds runs with other settings of {', '.join(other)}; choose another --work-dir"
            )
    else:
        _write_json(noted, wanted)


def run_all(settings: Settings, seeds: int, work_dir: Path) -> dict[str, list[dict[str, Any]]]:
    """Train and test every contender with every seed that is missing: results by name, in order of seeds.

    Results are plain values: accuracy (0..1 on the test clips), classes, train_clips, test_clips (counts).
    """
    results: dict[str, list] = {contender.name: [] for contender in CONTENDERS}
    with tqdm(total=seeds * len(CONTENDERS), unit="run", desc="comparison") as bar:
        for seed in range(seeds):
            experiment = None
            for contender in CONTENDERS:
                folder = work_dir / f"{contender.name}_seed{seed}"
                result = folder / "result.json"
                if not result.is_file():
                    bar.set_postfix_str(folder.name)
                    experiment = experiment or prepare(settings, seed)  # its clips serve all contenders
                    _write_json(result, run_one(contender, experiment, folder))
                results[contender.name].append(json.loads(result.read_text(encoding="utf-8")))
                bar.update()
    return results


def run_one(contender: Contender, experiment: Experiment, folder: Path) -> dict[str, Any]:
    """Train and test one contender with the experiment's seed, going on where an earlier attempt stopped."""
    network = build(contender, experiment.settings, len(experiment.classes), experiment.seed)
    folder.mkdir(parents=True, exist_ok=True)
    network = train(replace(experiment, network=network), folder, resume=True)
    (test,) = experiment.test.values()
    return dict(
        accuracy=measure(network, test, experiment.classes)["top1"],
        classes=len(experiment.classes),
        train_clips=len(experiment.train),
        test_clips=len(test),
    )


def prepare_all(settings: Settings, seeds: int, work_dir: Path) -> None:
    """Find out before hours of training whether anything is in its way, and claim the work folder.

    ValueError: see `check`, `claim_folder` and `stgcn.experiment.prepare`; fewer than one seed; a network
    that cannot be built.
    """
    check(settings)
    if seeds < 1:
        raise ValueError(f"--seeds must be at least 1, got {seeds}")
    experiment = prepare(settings, seed=0)
    for contender in CONTENDERS:
        build(contender, settings, len(experiment.classes), seed=0)
    claim_folder(work_dir, settings)


def compare(settings: Settings, seeds: int, work_dir: Path, command: str) -> Comparison:
    """Run what is missing, then measure each contender's cost, one after another. First: `prepare_all`."""
    results = run_all(settings, seeds, work_dir)
    facts = {key: value for key, value in results[CONTENDERS[0].name][0].items() if key != "accuracy"}
    return Comparison(
        settings=settings,
        machine=_machine(),
        date=time.strftime("%Y-%m-%d"),
        command=command,
        rows={c.name: _row(c, settings, results[c.name]) for c in tqdm(CONTENDERS, desc="costs")},
        **facts,
    )


def _row(contender: Contender, settings: Settings, results: Sequence[dict[str, Any]]) -> Row:
    joints, channels = get_layout(settings.preprocess.layout).shape
    network = build(contender, settings, results[0]["classes"], seed=0)
    clip = (channels, settings.preprocess.frames, joints, settings.preprocess.people)  # (C, T, V, M)
    cost = measure_cost(network, clip, settings.training.batch_size)
    return Row(contender.title, tuple(result["accuracy"] for result in results), cost)


def _machine() -> str:
    trained_on = torch.cuda.get_device_name() if torch.cuda.is_available() else "the processor"
    return (
        f"{os.cpu_count()} processor cores ({platform.machine()}), torch {torch.__version__}; "
        f"training ran on {trained_on}"
    )


def _write_json(path: Path, values: Any) -> None:
    """The file appears only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_path = path.with_name(f".{path.name}.{os.getpid()}")
    partial_path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    os.replace(partial_path, path)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Compare networks on equal terms.")
    parser.add_argument("config", type=Path, help="Python config, see configs/compare")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network (default: 3)")
    parser.add_argument("--work-dir", type=Path, help="runs (default: work_dirs/compare/NAME_OF_CONFIG)")
    parser.add_argument("--output", type=Path, default=PAGE, help=f"the page (default: {PAGE})")
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, metavar="KEY=VALUE",
                        help="values that replace the config's, such as training.epochs=5")  # fmt: skip
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. Exits with 2 and one line on bad input."""
    options = _parse(arguments)
    work_dir = options.work_dir or Path("work_dirs/compare") / options.config.stem
    command = f"{COMMAND} {shlex.join(sys.argv[1:] if arguments is None else arguments)}"
    try:
        settings = read_settings(options.config, options.cfg_options)
        if options.output.is_dir():
            raise ValueError(f"--output {options.output} is a folder; it has to be a file")
        prepare_all(settings, options.seeds, work_dir)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(exit_codes.BAD_INPUT)
    comparison = compare(settings, options.seeds, work_dir, command)
    _write_json(work_dir / "comparison.json", as_values(comparison))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(page(comparison, CLAIMS), encoding="utf-8")
    print(f"page: {options.output}\nfigures: {work_dir / 'comparison.json'}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        sys.exit(exit_codes.INTERRUPTED)
