"""mmengine's Runner, fitted: our loss, one log, a training that survives a kill, one process or several."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from logging import ERROR, FileHandler
from pathlib import Path
from typing import Self

import numpy as np
import torch
from mmengine.dist import get_rank, get_world_size, is_main_process, master_only
from mmengine.hooks import EMAHook, Hook
from mmengine.logging import MMLogger
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.runner import Runner
from torch import Tensor, distributed, nn
from torch.nn.functional import cross_entropy, one_hot
from tqdm import tqdm

from stgcn import plots
from stgcn.checkpoint import Checkpoint, save
from stgcn.experiment import Experiment
from stgcn.mixup import Mixture
from stgcn.results import measure
from stgcn.settings import VAL, Training

# In the work folder:
CONFIG, LOG, CURVES, LAST, BEST = "config.py", "train.log", "curves.png", "last.pth", "best.pth"
EPOCHS_OF_A_SEED, SEEDS_OF_A_PROCESS = 1_000_003, 7_919  # so that no two streams of random numbers meet


class Learner(BaseModel):
    """The network with its loss, as mmengine's Runner wants it."""

    def __init__(self, network: nn.Module, training: Training):
        super().__init__()
        self.network, self.training_settings = network, training

    def train(self, mode: bool = True) -> Self:
        """As usual, but batch norms keep the statistics of the network that training starts from, if it says so."""
        super().train(mode)
        if self.training_settings.trunk_rate < 1:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                    module.eval()
        return self

    def init_weights(self) -> None:
        """The network is initialised when it is built."""

    def forward(self, inputs: Tensor, labels: Tensor, mode: str = "loss") -> dict[str, Tensor]:
        """inputs (N, C, T, V, M), labels (N,) -> loss, and for the log top1 in percent, of mixed clips if so."""
        settings = self.training_settings
        mixture = Mixture.draw(len(inputs), settings.mixup) if settings.mixup else None
        fast = settings.amp and has_bfloat16(inputs.device.type)
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=fast):
            logits = self.network(mixture(inputs) if mixture else inputs).float()  # (N, classes)
        right = one_hot(labels, logits.shape[1]).float()
        loss = cross_entropy(logits, mixture(right) if mixture else right, label_smoothing=settings.label_smoothing)
        return {"loss": loss, "top1": 100 * (logits.argmax(dim=1) == labels).float().mean()}


@cache
def has_bfloat16(device_type: str) -> bool:
    """Whether the GPU ("cuda") or the processor ("cpu") computes in bfloat16 itself. One that has to imitate it needs
    several times as long as for float32."""
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


class PlainRunner(Runner):
    """mmengine's Runner with one log and one config in its folder and nothing on the screen.

    It works with several processes on CPUs too, and goes without a survey of the system, which fails where
    torchvision was built for other hardware.
    """

    def build_logger(self, *args, **kwargs) -> MMLogger:
        logger = super().build_logger(*args, log_file=str(Path(self.work_dir) / LOG), **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, FileHandler):
                handler.setLevel(ERROR)
        return logger

    def _log_env(self, env_cfg: dict) -> None:
        self.logger.info(f"torch {torch.__version__}, {get_world_size()} processes of "
                         f"{torch.get_num_threads()} threads, seed {self.seed}")

    @master_only
    def dump_config(self) -> None:
        self.cfg.dump(Path(self.work_dir) / CONFIG)

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        if self.distributed and not torch.cuda.is_available():  # mmengine would name a GPU
            return MMDistributedDataParallel(model, broadcast_buffers=False)
        return super().wrap_model(model_wrapper_cfg, model)


class Progress(Hook):
    """A progress bar with the loss and the training accuracy of the last epoch."""

    def before_train(self, runner: Runner) -> None:
        quiet = not is_main_process()
        self.bar = tqdm(total=runner.max_epochs, initial=runner.epoch, unit="epoch", leave=None, disable=quiet)

    def after_train_epoch(self, runner: Runner) -> None:
        loss, top1 = (_by_epoch(runner, f"train/{name}", runner.epoch + 1)[-1] for name in ("loss", "top1"))
        self.bar.set_postfix_str(f"loss {loss:.3f}, top-1 {top1:.1f} %")
        self.bar.update()

    def after_train(self, runner: Runner) -> None:
        self.bar.close()


class EpochSeed(Hook):
    """Makes an epoch depend on the seed, its number and the process alone, so that resumed training goes the
    same way."""

    def before_train_epoch(self, runner: Runner) -> None:
        runner.train_dataloader.dataset.epoch = runner.epoch
        seed = runner.seed + get_rank() * SEEDS_OF_A_PROCESS
        torch.manual_seed(seed * EPOCHS_OF_A_SEED + runner.epoch)


class KeepLast(Hook):
    """Writes the state of training after every epoch. A kill, whenever it comes, leaves a whole file."""

    priority = "VERY_LOW"  # after all that belongs into the state

    def after_train_epoch(self, runner: Runner) -> None:
        if is_main_process():
            partial = f".{LAST}.partial"
            runner.save_checkpoint(runner.work_dir, partial)
            os.replace(Path(runner.work_dir) / partial, Path(runner.work_dir) / LAST)


class KeepBest(Hook):
    """After every epoch, measures the network on the held-out recordings, and keeps the best so far.

    average: where there is one, its moving average of the weights is the network that counts.
    """

    def __init__(self, experiment: Experiment, average: EMAHook | None):
        self.experiment, self.average = experiment, average
        self.windows = list(experiment.val)  # always the same ones: prepared once

    def after_train_epoch(self, runner: Runner) -> None:
        if not is_main_process():
            return
        network, classes = self.experiment.network, self.experiment.classes
        with self._averaged(runner):
            result = measure(network.eval(), self.windows, classes)
            network.train()
            runner.message_hub.update_scalar("val/top1", 100 * result["top1"])
            history = _by_epoch(runner, "val/top1", runner.epoch + 1)
            if (history[-1] > history[:-1]).all():
                save(Path(runner.work_dir) / BEST, Checkpoint(
                    deepcopy(network).cpu().eval(), self.experiment.settings.preprocess, classes,
                    metrics={VAL: result}, decisions=self.experiment.decisions,
                    about=self.experiment.about | {"epoch": runner.epoch + 1},
                ))  # fmt: skip

    @contextmanager
    def _averaged(self, runner: Runner) -> Iterator[None]:
        if self.average is not None:
            self.average.before_val_epoch(runner)  # averages in,
        yield
        if self.average is not None:
            self.average.after_val_epoch(runner)  # and out again


class Curves(Hook):
    """Draws the learning curves, over all epochs, those before an interruption too."""

    def after_train(self, runner: Runner) -> None:
        if not is_main_process():
            return
        names = {"training": "train/top1", "held out": "val/top1"}
        plots.curves(
            Path(runner.work_dir) / CURVES,
            _by_epoch(runner, "train/loss", runner.epoch),
            {name: _by_epoch(runner, key, runner.epoch) for name, key in names.items()
             if key in runner.message_hub.log_scalars},
        )  # fmt: skip


def _by_epoch(runner: Runner, name: str, epochs: int) -> np.ndarray:
    """(epochs,): means of what was logged in each of the epochs so far, once or with every step."""
    logged, _ = runner.message_hub.get_scalar(name).data
    each = len(runner.train_dataloader) if name.startswith("train/") else 1
    return logged[-epochs * each :].reshape(epochs, each).mean(axis=1)


@contextmanager
def joined_processes() -> Iterator[None]:
    """Joins the processes that torchrun started, on GPUs where there are some; alone without torchrun."""
    if not distributed.is_torchelastic_launched():
        yield
        return
    gpus = torch.cuda.is_available()
    if gpus:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if gpus else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()
