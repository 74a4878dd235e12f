"""Train a network: `python -m stgcn.train CONFIG [--work-dir DIR] [--seed N] [--resume] [--cfg-options ...]`,
or with several processes, `torchrun --nproc-per-node 2 -m stgcn.train CONFIG ...`.

A config is a Python file, see `stgcn.settings.Settings` and configs/actions. The work folder receives

    config.py             the config as it was used, with the options of the command line in it
    train.log             mmengine's log; its numbers for other programs are in the folder with the date
    curves.png            loss and accuracy, epoch by epoch
    last.pth              the state of training, from which --resume goes on
    model.pth             the network of the last epoch: a project checkpoint, with its test results inside
    best.pth              likewise the best epoch, if the config holds recordings out (`data.val`)
    confusion_PART.png    of model.pth on each part of the test data; best_confusion_PART.png of best.pth

The test clips have no influence on the training, nor on which epoch is the best.
"""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from mmengine.config import Config, DictAction
from mmengine.dataset import DefaultSampler
from mmengine.dist import barrier, get_world_size, is_distributed, is_main_process
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from stgcn import exit_codes, plots, runner
from stgcn.checkpoint import Checkpoint, load, save
from stgcn.experiment import CLASSIFIER, Experiment, prepare
from stgcn.model import STGCN
from stgcn.results import measure
from stgcn.settings import VAL, Settings, Training, read_settings
from stgcn.trusted import MMENGINE_GLOBALS

COMMAND = "python -m stgcn.train"
MODEL = "model.pth"  # in the work folder


def ready(settings: Settings, work_dir: Path, seed: int = 0, resume: bool = False) -> Experiment:
    """The experiment, with nothing left that could be wrong with it, and its work folder made.

    ValueError: see `stgcn.experiment.prepare`, `batch_of_a_process` and `check_resumable`. OSError: of the folder.
    """
    experiment = prepare(settings, seed)
    batch_of_a_process(settings.training)
    if resume:
        check_resumable(experiment, work_dir)
    work_dir.mkdir(parents=True, exist_ok=True)
    return experiment


def train(experiment: Experiment, work_dir: Path, resume: bool = False) -> STGCN:
    """Train to the last epoch, with `resume` from the last one in `work_dir`, if there is any.

    Returns the experiment's network, in eval mode, on the CPU; in every process the same.
    Before going on, ask `check_resumable`. ValueError: see `batch_of_a_process`.
    """
    last = work_dir / runner.LAST
    if not resume and is_main_process():
        for name in (runner.LAST, runner.BEST, runner.LOG):  # of an earlier training
            (work_dir / name).unlink(missing_ok=True)
    with torch.serialization.safe_globals(MMENGINE_GLOBALS):
        _runner(experiment, work_dir, last if resume and last.is_file() else None).train()
        barrier()  # until the main process has written
        state = torch.load(last, map_location="cpu", weights_only=True)
    learner = runner.Learner(experiment.network.cpu(), experiment.settings.training)
    learner.load_state_dict(state["state_dict"])  # with a moving average, this is the average
    return experiment.network.eval()


def check_resumable(experiment: Experiment, work_dir: Path) -> None:
    """ValueError: what is in `work_dir` cannot be read, or belongs to another config or seed."""
    last = work_dir / runner.LAST
    if not last.is_file():
        return
    try:
        with torch.serialization.safe_globals(MMENGINE_GLOBALS):
            before = torch.load(last, map_location="cpu", weights_only=True)["meta"]
    except Exception as error:  # torch names no closed set of errors for files that are not its own
        raise ValueError(f"{last} cannot be read; train without --resume") from error
    if before["seed"] != experiment.seed:
        raise ValueError(f"{last} was trained with --seed {before['seed']}, not {experiment.seed}")
    if before["cfg"] != _resolved(experiment).pretty_text:
        raise ValueError(f"{last} was trained with another config; train without --resume")


def batch_of_a_process(training: Training) -> int:
    """Clips that each process sees in a step. ValueError: they cannot be shared out, two or more for each."""
    processes = get_world_size()
    if training.batch_size % processes or training.batch_size < 2 * processes:
        raise ValueError(f"batches of {training.batch_size} clips cannot be shared by {processes} processes; "
                         "batch_size is a multiple of their number, and twice it or more")
    return training.batch_size // processes


def _resolved(experiment: Experiment) -> Config:
    return Config(asdict(experiment.settings))


def _runner(experiment: Experiment, work_dir: Path, resume_from: Path | None) -> Runner:
    options = experiment.settings.training
    loader = DataLoader(
        experiment.train,
        batch_size=batch_of_a_process(options),
        sampler=DefaultSampler(experiment.train, shuffle=True, seed=experiment.seed),
        num_workers=options.workers,
        drop_last=len(experiment.train) > options.batch_size,  # a last batch of one has no statistics
    )
    steps, warmup = options.epochs * len(loader), options.warmup_epochs * len(loader)
    schedule = [dict(type="CosineAnnealingLR", T_max=steps - warmup, begin=warmup, end=steps, by_epoch=False)]
    if warmup:
        schedule.insert(0, dict(type="LinearLR", start_factor=0.01, end=warmup, by_epoch=False))
    optimizer = dict(
        type="SGD", lr=options.learning_rate, momentum=0.9, nesterov=True, weight_decay=options.weight_decay
    )
    # Of the keys that a parameter's name contains, the longest counts.
    rates = {"network.": options.trunk_rate, f"network.{CLASSIFIER}": 1.0} if options.trunk_rate < 1 else {}
    paramwise = dict(custom_keys={name: dict(lr_mult=rate) for name, rate in rates.items()})
    return runner.PlainRunner(
        model=runner.Learner(experiment.network, options),
        work_dir=str(work_dir),
        experiment_name=work_dir.name,
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=options.epochs),
        optim_wrapper=dict(optimizer=optimizer, paramwise_cfg=paramwise),
        param_scheduler=schedule,
        default_hooks=dict(
            logger=dict(type="LoggerHook", interval=len(loader), ignore_last=False),
            checkpoint=None,  # KeepLast
        ),
        custom_hooks=_hooks(experiment),
        load_from=str(resume_from) if resume_from else None,
        resume=resume_from is not None,
        launcher="pytorch" if is_distributed() else "none",
        randomness=dict(seed=experiment.seed),
        cfg=_resolved(experiment),
    )


def _hooks(experiment: Experiment) -> list[Hook]:
    hooks: list[Hook] = [runner.EpochSeed(), runner.Progress(), runner.KeepLast(), runner.Curves()]
    average, momentum = None, experiment.settings.training.ema_momentum
    if momentum > 0:
        average = EMAHook(momentum=momentum, update_buffers=True)
        hooks.append(average)
    if experiment.val is not None:
        hooks.append(runner.KeepBest(experiment, average))
    return hooks


def _write_results(experiment: Experiment, network: STGCN, work_dir: Path, command: str) -> None:
    """The checkpoints with all their results inside, pictures of these, and a line for each on the screen."""
    about = {"date": time.strftime("%Y-%m-%d"), "command": command}
    classes, preprocess = experiment.classes, experiment.settings.preprocess
    about = experiment.about | about
    found = {MODEL: Checkpoint(network, preprocess, classes, decisions=experiment.decisions, about=about)}
    if experiment.val is not None:
        best = load(work_dir / runner.BEST)
        found[runner.BEST] = replace(best, about=best.about | about)
    parts = experiment.test | ({VAL: experiment.val} if experiment.val is not None else {})
    for file, checkpoint in found.items():
        save(work_dir / file, replace(checkpoint, model=experiment.result(checkpoint.model)))
        stored = load(work_dir / file)  # what is tested is what the file gives: half precision turns a clip or two
        metrics = {name: measure(stored.model, part, classes) for name, part in parts.items()}
        save(work_dir / file, replace(stored, metrics=metrics))
        for name, result in metrics.items():
            title = f"{name}: top-1 {100 * result['top1']:.1f} % of {result['clips']} clips"
            picture = f"{'' if file == MODEL else 'best_'}confusion_{name}.png"
            plots.confusion(work_dir / picture, result["confusion"], classes, title)
            print(title)
        print(f"checkpoint: {work_dir / file}")


def train_and_write(experiment: Experiment, work_dir: Path, command: str, resume: bool = False) -> None:
    """Train what is `ready`, and fill the work folder. command: what the checkpoints say that they were made with."""
    network = train(experiment, work_dir, resume)
    if is_main_process():
        _write_results(experiment, network, work_dir, command)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Train a skeleton action network.")
    parser.add_argument("config", type=Path, help="Python config, see configs/actions")
    parser.add_argument("--work-dir", type=Path, help="results (default: work_dirs/NAME_OF_CONFIG)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on where the work folder stopped")
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, metavar="KEY=VALUE",
                        help="values that replace the config's, such as training.epochs=5")  # fmt: skip
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. Exits with 2 and one line on bad input."""
    options = _parse(arguments)
    command = f"{COMMAND} {shlex.join(sys.argv[1:] if arguments is None else arguments)}"
    work_dir = options.work_dir or Path("work_dirs") / options.config.stem
    with runner.joined_processes():
        try:
            settings = read_settings(options.config, options.cfg_options)
            experiment = ready(settings, work_dir, options.seed, options.resume)
        except (ValueError, OSError) as error:
            if is_main_process():
                print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
            sys.exit(exit_codes.BAD_INPUT)
        train_and_write(experiment, work_dir, command, options.resume)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped; --resume goes on", file=sys.stderr)
        sys.exit(exit_codes.INTERRUPTED)
