"""Train a network: `python -m stgcn.train CONFIG [--work-dir DIR] [--seed N] [--resume] [--cfg-options ...]`.

A config is a Python file, see `stgcn.settings.Settings` and configs/actions. The work folder receives
mmengine's log and training checkpoints, and at the end `model.pth`, a project checkpoint of the last epoch
with its test results inside. The test clips have no influence on the training.
"""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from logging import ERROR, FileHandler
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, DictAction
from mmengine.dataset import DefaultSampler
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.runner import Runner, find_latest_checkpoint
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from tqdm import tqdm

from stgcn.checkpoint import Checkpoint, save
from stgcn.clips import joint_shape
from stgcn.data import Part, SkeletonDataset
from stgcn.model import STGCN
from stgcn.readers import read_part
from stgcn.settings import Settings, Training, read_settings
from stgcn.trusted import MMENGINE_GLOBALS

COMMAND = "python -m stgcn.train"
EXIT_BAD_INPUT, EXIT_INTERRUPTED = 2, 130
TEST_BATCH = 64  # clips


class Learner(BaseModel):
    """The network with its loss, as mmengine's Runner wants it."""

    def __init__(self, network: STGCN, training: Training):
        super().__init__()
        self.network, self.training_settings = network, training

    def init_weights(self) -> None:
        """The network is initialised when it is built."""

    def forward(self, inputs: Tensor, labels: Tensor, mode: str = "loss") -> dict[str, Tensor]:
        """inputs (N, C, T, V, M), labels (N,) -> loss, and top1 in percent for the log."""
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=self.training_settings.amp):
            logits = self.network(inputs).float()  # (N, classes)
        loss = cross_entropy(logits, labels, label_smoothing=self.training_settings.label_smoothing)
        return {"loss": loss, "top1": 100 * (logits.argmax(dim=1) == labels).float().mean()}


class PlainRunner(Runner):
    """mmengine's Runner with its log in the log file only, and without its survey of the system, which fails
    where torchvision was built for other hardware."""

    def build_logger(self, *args, **kwargs) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, FileHandler):
                handler.setLevel(ERROR)
        return logger

    def _log_env(self, env_cfg: dict) -> None:
        self.logger.info(f"torch {torch.__version__}, {torch.get_num_threads()} threads, seed {self.seed}")


class Progress(Hook):
    """A progress bar with the loss and the training accuracy of the last epoch."""

    def before_train(self, runner: Runner) -> None:
        quiet = not is_main_process()
        self.bar = tqdm(total=runner.max_epochs, initial=runner.epoch, unit="epoch", disable=quiet)

    def after_train_epoch(self, runner: Runner) -> None:
        steps = len(runner.train_dataloader)
        loss, top1 = (runner.message_hub.get_scalar(f"train/{name}").mean(steps) for name in ("loss", "top1"))
        self.bar.set_postfix_str(f"loss {loss:.3f}, top-1 {top1:.1f} %")
        self.bar.update()

    def after_train(self, runner: Runner) -> None:
        self.bar.close()


class EpochSeed(Hook):
    """Makes an epoch depend on the seed and its number alone, so that resumed training goes the same way."""

    def before_train_epoch(self, runner: Runner) -> None:
        runner.train_dataloader.dataset.epoch = runner.epoch
        torch.manual_seed(runner.seed * 1_000_003 + runner.epoch)


@dataclass(frozen=True)
class Experiment:
    """Everything that a training needs, read and checked."""

    settings: Settings
    seed: int
    classes: tuple[str, ...]
    train: SkeletonDataset
    test: dict[str, SkeletonDataset]
    network: STGCN


def prepare(settings: Settings, seed: int) -> Experiment:
    """Read the data and build the network.

    ValueError: see `stgcn.readers`, `stgcn.data` and `stgcn.model`; or the parts name different classes.
    """
    data, preprocess = settings.data, settings.preprocess
    train = [read_part(data, path, preprocess.layout, "train") for path in data.train]
    test = {name: read_part(data, path, preprocess.layout, "test") for name, path in data.test.items()}
    classes = _common_classes([*train, *test.values()])
    # A clip in which nobody was found teaches nothing, but it counts in a test.
    seen = [clip for part in train for clip in part.clips if len(clip.times)]
    shared = dict(preprocess=preprocess, num_classes=len(classes), whole_clips=data.whole_clips)
    _, channels = joint_shape(preprocess.layout)
    torch.manual_seed(seed)
    return Experiment(
        settings=settings,
        seed=seed,
        classes=classes,
        train=SkeletonDataset(seen, augment=settings.augment, seed=seed, **shared),
        test={name: SkeletonDataset(part.clips, **shared) for name, part in test.items()},
        network=STGCN(len(classes), preprocess.layout, in_channels=channels, **asdict(settings.model)),
    )


def _common_classes(parts: Sequence[Part]) -> tuple[str, ...]:
    found = {part.classes for part in parts}
    if len(found) > 1:
        raise ValueError("the data to train on and to test on do not have the same classes")
    return found.pop() if found else ()


def train(experiment: Experiment, work_dir: Path, resume: bool = False) -> STGCN:
    """Train to the last epoch, with `resume` from the last one in `work_dir`. Eval mode, on the CPU."""
    runner = _runner(experiment, work_dir, resume)
    with torch.serialization.safe_globals(MMENGINE_GLOBALS):
        runner.train()
        last = torch.load(find_latest_checkpoint(str(work_dir)), map_location="cpu", weights_only=True)
    learner = Learner(experiment.network.cpu(), experiment.settings.training)
    learner.load_state_dict(last["state_dict"])  # with a moving average, this is the average
    return experiment.network.eval()


def _runner(experiment: Experiment, work_dir: Path, resume: bool) -> Runner:
    options = experiment.settings.training
    loader = DataLoader(
        experiment.train,
        batch_size=options.batch_size,
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
    hooks: list[Hook | dict] = [EpochSeed(), Progress()]
    if options.ema_momentum > 0:
        hooks.append(dict(type="EMAHook", momentum=options.ema_momentum, update_buffers=True))
    return PlainRunner(
        model=Learner(experiment.network, options),
        work_dir=str(work_dir),
        experiment_name=work_dir.name,
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=options.epochs),
        optim_wrapper=dict(optimizer=optimizer),
        param_scheduler=schedule,
        default_hooks=dict(
            logger=dict(type="LoggerHook", interval=len(loader), ignore_last=False),
            checkpoint=dict(type="CheckpointHook", interval=1, max_keep_ckpts=1),
        ),
        custom_hooks=hooks,
        resume=resume,
        randomness=dict(seed=experiment.seed),
        cfg=Config(asdict(experiment.settings)),
    )


@torch.no_grad()
def measure(network: STGCN, dataset: SkeletonDataset, classes: Sequence[str]) -> dict[str, Any]:
    """Results on test clips, plain values.

    clips: how many; top1: share of correct ones, 0..1; recall and precision by class name, 0..1, None where
    the class never occurs or is never predicted; confusion: rows true, columns predicted, counts.
    """
    confusion = np.zeros((len(classes), len(classes)), int)
    for inputs, labels in DataLoader(dataset, batch_size=TEST_BATCH):
        np.add.at(confusion, (labels.numpy(), network(inputs).argmax(dim=1).numpy()), 1)
    return {
        "clips": len(dataset),
        "top1": float(confusion.trace() / confusion.sum()),
        "recall": _shares(confusion.diagonal(), confusion.sum(axis=1), classes),
        "precision": _shares(confusion.diagonal(), confusion.sum(axis=0), classes),
        "confusion": confusion.tolist(),
    }


def _shares(hits: np.ndarray, totals: np.ndarray, classes: Sequence[str]) -> dict[str, float | None]:
    return {name: float(hit / total) if total else None for name, hit, total in zip(classes, hits, totals)}


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
    work_dir = options.work_dir or Path("work_dirs") / options.config.stem
    try:
        experiment = prepare(read_settings(options.config, options.cfg_options), options.seed)
        work_dir.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
    network = train(experiment, work_dir, options.resume)
    classes, settings = experiment.classes, experiment.settings
    metrics = {name: measure(network, dataset, classes) for name, dataset in experiment.test.items()}
    about = settings.about | dict(
        date=time.strftime("%Y-%m-%d"),
        command=f"{COMMAND} {shlex.join(sys.argv[1:] if arguments is None else arguments)}",
        seed=experiment.seed,
        training=asdict(settings.training),
        training_samples=len(experiment.train),
        whole_clips=settings.data.whole_clips,
    )
    save(work_dir / "model.pth", Checkpoint(network, settings.preprocess, classes, metrics, about=about))
    for name, result in metrics.items():
        print(f"{name}: top-1 {100 * result['top1']:.1f} % of {result['clips']} test clips")
    print(f"checkpoint: {work_dir / 'model.pth'}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped; --resume goes on", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
