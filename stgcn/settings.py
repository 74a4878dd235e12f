"""Training configs: what they may say, and how one is read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mmengine.config import Config

from stgcn.augment import Augment
from stgcn.moments import Moments
from stgcn.preprocess import Preprocess

PART_NAME = r"[\w-]+"
SOURCE_KEYS = ("path", "format", "split", "splits", "names")  # of a path that differs from the rest
VAL = "val"  # name of the results on what is held out


@dataclass(frozen=True)
class Network:
    """Arguments of `STGCN`; the layout comes from the preprocessing, the number of classes from the data."""

    strategy: str = "spatial"
    width: int = 64
    temporal_kernel: int = 9
    dropout: float = 0.5
    edge_importance: bool = True
    adaptive: bool = False
    graph_residual: bool = False
    multi_scale: bool = False


@dataclass(frozen=True)
class Data:
    """What to learn from: all of `train` are training samples; each of `test`, by name, is tested on its own.

    train, test: paths, in a format that `stgcn.readers` knows; "skeletons" are folders of skeleton files. A path that
        is of another kind than the rest is a dict of SOURCE_KEYS.
    names: what the network calls a class of the data; the others keep their name. Classes of one name become one.
    classes: of the network, in this order; without, those of the data, which are then the same in all paths.
    split: which official division of the data, a number or a name that the format has.
    splits: CSV with the divisions of skeleton files, see `stgcn.readers.skeletons.read_splits`.
    trim: leave out what comes before and after the action in every recording, where that is clear (`stgcn.trim`).
    val: share of the training recordings, 0..1, that are held out to find the best epoch; 0 holds none out,
        and there is only the last epoch. Test clips never decide.

    ValueError: skeleton files without a list of splits, a share outside 0..1, or a test part whose name
    cannot be that of a file, or is "val" beside what is held out.
    """

    train: Sequence[str | Mapping[str, Any]]
    test: dict[str, str | Mapping[str, Any]]
    format: str = "skeletons"
    split: int | str = 1
    splits: str = ""
    names: dict[str, str] = field(default_factory=dict)
    classes: Sequence[str] = ()
    trim: bool = False
    val: float = 0.0

    def __post_init__(self):
        for source in (*self.train, *self.test.values()):
            if not isinstance(source, str) and ("path" not in source or set(source) - set(SOURCE_KEYS)):
                raise ValueError(f"a source of data is a path or a dict with path and any of "
                                 f"{', '.join(SOURCE_KEYS[1:])}; got {dict(source)}")
        if self.format == "skeletons" and not self.splits:
            raise ValueError("data.splits is missing: the CSV that divides the skeleton files")
        if not 0 <= self.val < 1:
            raise ValueError(f"data.val is a share from 0 to below 1, got {self.val}")
        for name in self.test:
            if not re.fullmatch(PART_NAME, name):
                raise ValueError(f"the test part {name!r} names files: letters, digits, _ and - only")
        if self.val and VAL in self.test:
            raise ValueError(f"no test part may be called {VAL!r} beside what data.val holds out")


@dataclass(frozen=True)
class Training:
    """SGD with Nesterov momentum 0.9, a linear warm-up, then a cosine to zero, stepped with every batch.

    samples: an epoch has at least so many; of fewer clips, each is shown several times, and every time otherwise.
    batch_size: clips a step, of all processes together.
    mixup: above 0, the clips of a batch are mixed by so much, see `stgcn.mixup.Mixture`.
    ema_momentum: above 0, the result is a moving average of the weights that takes up this share a step.
    amp: compute in bfloat16 where that is safe, on processors and GPUs that have it: faster.
    start: checkpoint from whose network training starts, instead of random weights; what it does not have, such as
        other classes, starts anew.
    trunk_rate: learning rate of all but the classifier, as a share of its: the lower, the less of `start` is forgotten.
        Below 1, batch norms also keep its statistics.
    beside: the network of `start` stays and judges what it knows, see `stgcn.taught`; for a live view.
    workers: processes that prepare batches; 0 prepares them between steps.
    """

    epochs: int = 60
    samples: int = 0
    batch_size: int = 32
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    mixup: float = 0.0
    warmup_epochs: int = 3
    ema_momentum: float = 0.0
    amp: bool = False
    start: str = ""
    trunk_rate: float = 1.0
    beside: bool = False
    workers: int = 0

    def __post_init__(self):
        if self.epochs < 1 or self.batch_size < 2:
            raise ValueError("training needs at least 1 epoch and batches of at least 2 clips")
        if self.samples < 0 or not 0 <= self.trunk_rate <= 1:
            raise ValueError("training.samples is not negative, and training.trunk_rate a share from 0 to 1")
        if self.mixup < 0:
            raise ValueError(f"training.mixup is 0 for clips as they are, or above it, got {self.mixup}")
        if self.beside and not self.start:
            raise ValueError("training.beside keeps the network of training.start, which is missing")
        if not 0 <= self.warmup_epochs < self.epochs:
            raise ValueError(f"warmup_epochs is 0..{self.epochs - 1} here, got {self.warmup_epochs}")


@dataclass(frozen=True)
class Settings:
    """A whole config. `about` goes into the checkpoint: data, licence, ...

    moments: for a network that judges a live view, see `stgcn.moments`; None trains on clips as they are.
    """

    data: Data
    model: Network = Network()
    preprocess: Preprocess = Preprocess()
    augment: Augment = Augment()
    moments: Moments | None = None
    training: Training = Training()
    about: dict[str, str] = field(default_factory=dict)


def read_settings(path: str | Path, options: dict[str, Any] | None = None) -> Settings:
    """Read a config, with single values replaced by `options` ("training.epochs": 5).

    ValueError: it cannot be read, has an unknown key, lacks one, or a value is out of range.
    """
    try:
        config = Config.fromfile(path)
        config.merge_from_dict(options or {})
        sections = config.to_dict()
    except Exception as error:  # a config is a program: anything may go wrong in it
        raise ValueError(f"config {path} cannot be read: {str(error) or type(error).__name__}") from error
    kinds = dict(data=Data, model=Network, preprocess=Preprocess, augment=Augment, moments=Moments,
                 training=Training)  # fmt: skip
    try:
        given = {name: kind for name, kind in kinds.items() if sections.get(name) is not None}
        built = {name: _build(kind, sections[name], name) for name, kind in given.items()}
        return _build(Settings, sections | built, "top level")
    except (TypeError, ValueError) as error:
        raise ValueError(f"config {path}: {error}") from error


def _build(kind: type, values: Any, where: str):
    if not isinstance(values, dict):
        raise ValueError(f"{where} is a dict(...), not {values!r}")
    known = [f.name for f in fields(kind)]
    unknown = [key for key in values if key not in known]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r} at {where}; known: {', '.join(known)}")
    return kind(**values)
