"""A benchmark's figure by its protocol: `python -m stgcn.protocol CONFIG... [--splits 1 2 3] [--seeds 0 1 2]
[--streams joint bone] [--views] [-o FOLDER]`.

Trains a network for every config, split, seed and stream, each as `python -m stgcn.train` does, in a folder of its own;
what is there already is not trained again, and what was interrupted goes on. Then every network, and several fused,
are tested after the last epoch, on the test data of the first config. The figure is the mean over the splits; over
seeds, its mean and standard deviation. FOLDER receives a JSON file named after the configs.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from stgcn import exit_codes, train
from stgcn.evaluate import add_views, evaluate, read_models
from stgcn.settings import read_settings
from stgcn.streams import STREAMS

COMMAND = "python -m stgcn.protocol"


@dataclass(frozen=True)
class Run:
    """Of the protocol: one split and one seed, with a network for each config and stream."""

    configs: tuple[Path, ...]
    folder: Path
    split: str
    seed: int
    streams: tuple[str, ...]

    @property
    def networks(self) -> list[tuple[Path, str]]:
        """The config and the stream of each."""
        return list(product(self.configs, self.streams))

    def options(self, stream: str) -> list[str]:
        """What differs from the config."""
        return [f"data.split={self.split}", f"preprocess.stream={stream}"]

    def work_dir(self, config: Path, stream: str) -> Path:
        return self.folder / config.stem / f"{stream}_split{self.split}_seed{self.seed}"

    def name(self, config: Path, stream: str) -> str:
        """Of a network in the table."""
        return stream if len(self.configs) == 1 else f"{config.stem} {stream}"

    def train(self) -> None:
        """Train what is not trained yet. SystemExit: as of `stgcn.train`."""
        for config, stream in self.networks:
            work_dir = self.work_dir(config, stream)
            if not (work_dir / train.MODEL).is_file():
                print(f"{config.stem} {work_dir.name}:", flush=True)
                train.main([str(config), "--work-dir", str(work_dir), "--seed", str(self.seed), "--resume",
                            "--cfg-options", *self.options(stream)])  # fmt: skip

    def test(self, several_views: bool) -> dict[str, dict[str, float]]:
        """Top-1, 0..1, as {test part: {network or "fused": top-1}}. several_views, ValueError: see `stgcn.evaluate`."""
        settings = read_settings(self.configs[0], {"data.split": _number(self.split)})
        models = read_models([self.work_dir(*network) / train.MODEL for network in self.networks])
        models = [replace(model, name=self.name(*network)) for model, network in zip(models, self.networks)]
        parts = evaluate(settings, models, several_views)["parts"]
        return {part: {name: result["top1"] for name, result in models.items()} for part, models in parts.items()}


def summary(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each test part and network: its top-1 (0..1) by split, and over seeds of the mean of the splits.

    results: {"split", "seed", "top1": see `Run.test`} of every split and seed.
    sd is None where there is one seed.
    """
    splits = sorted({result["split"] for result in results})
    seeds = sorted({result["seed"] for result in results})
    found = {(result["split"], result["seed"]): result["top1"] for result in results}
    rows = []
    for part, models in results[0]["top1"].items():
        for name in models:
            by_split = {split: mean(found[split, seed][part][name] for seed in seeds) for split in splits}
            by_seed = [mean(found[split, seed][part][name] for split in splits) for seed in seeds]
            rows.append(dict(part=part, model=name, by_split=by_split, mean=mean(by_seed),
                             sd=stdev(by_seed) if len(by_seed) > 1 else None))  # fmt: skip
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """`summary` as a Markdown table, in percent."""
    splits = list(rows[0]["by_split"])
    headings = ["test part", "model", *(f"split {split}" for split in splits), "mean ± sd"]
    lines = [headings, ["---"] * 2 + ["---:"] * (len(splits) + 1)]
    for row in rows:
        spread = "" if row["sd"] is None else f" ± {100 * row['sd']:.1f}"
        shares = [f"{100 * share:.1f}" for share in row["by_split"].values()]
        lines.append([row["part"], row["model"], *shares, f"{100 * row['mean']:.1f}{spread}"])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _check(configs: Sequence[Path], streams: Sequence[str]) -> None:
    """ValueError: two networks would have the same name, a config cannot be read, or its networks see other joints
    than those of the first, whose test data they are tested on."""
    for names in ([config.stem for config in configs], streams):
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"{twice[0]} is there twice; give each stream once, and configs of different file names")
    needed, *others = [read_settings(config).preprocess.group for config in configs]
    for config, layout in zip(configs[1:], others):
        if layout != needed:
            raise ValueError(f"{config} is for {layout} skeletons, {configs[0]} for {needed} ones; only networks of "
                             "the same joints can be fused")


def _number(split: str) -> int | str:
    return int(split) if split.isdecimal() else split


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Train and test by a benchmark's protocol.")
    parser.add_argument("configs", type=Path, nargs="+", metavar="config",
                        help="Python config, see configs/actions; of several, all networks are fused")  # fmt: skip
    parser.add_argument("--splits", nargs="+", default=["1"], metavar="S", help="official splits (default: 1)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="(default: 0 1 2)")
    parser.add_argument("--streams", nargs="+", default=["joint"], metavar="NAME",
                        help=f"{', '.join(STREAMS)}, or several in one network, such as joint+bone; several "
                             "networks are fused too (default: joint)")
    add_views(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER",
                        default=Path("work_dirs/protocol"), help="(default: %(default)s)")  # fmt: skip
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. Exits with 2 and one line on bad input."""
    options = _parse(arguments)
    try:
        _check(options.configs, options.streams)
        runs = [Run(tuple(options.configs), options.output, split, seed, tuple(options.streams))
                for split, seed in product(options.splits, options.seeds)]  # fmt: skip
        for run in runs:
            run.train()
        results = [{"split": run.split, "seed": run.seed, "top1": run.test(options.views)} for run in runs]
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(exit_codes.BAD_INPUT)
    rows = summary(results)
    path = options.output / f"{'+'.join(config.stem for config in options.configs)}.json"
    path.write_text(json.dumps({"runs": results, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    print(f"{table(rows)}\nresults: {path}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        sys.exit(exit_codes.INTERRUPTED)
