"""What a config asks for, made real: its clips read and checked, its network built."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any
from zlib import crc32

import torch

from stgcn.checkpoint import Checkpoint, load
from stgcn.data import Clip, Part, SkeletonDataset
from stgcn.graph import get_layout
from stgcn.model import STGCN
from stgcn.moments import MomentDataset
from stgcn.readers import read_part
from stgcn.settings import Settings
from stgcn.streams import channels
from stgcn.taught import Taught

CLASSIFIER = "classifier."  # names of the weights that a network has for each class begin with it


@dataclass(frozen=True)
class Experiment:
    """Everything that a training needs.

    decisions: with which a network trained in it decides in a live view, before it is calibrated: as the network does
        that training starts from, if any, but for its thresholds of single classes; empty for clips as they are.
    start: from which training starts, if any.
    val: recordings held out of `train`, where the config asks for it.
    """

    settings: Settings
    seed: int
    classes: tuple[str, ...]
    train: SkeletonDataset
    test: dict[str, SkeletonDataset]
    network: STGCN
    decisions: dict[str, Any]
    start: Checkpoint | None = None
    val: SkeletonDataset | None = None

    @property
    def about(self) -> dict[str, Any]:
        """Where a network trained in it comes from, plain values for its checkpoint."""
        return self.settings.about | dict(
            seed=self.seed,
            training=asdict(self.settings.training),
            training_samples=len(self.train),
        )

    def result(self, network: STGCN | Taught) -> STGCN | Taught:
        """What a training that ends with `network`, in eval mode, gives: see `stgcn.settings.Training.beside`."""
        if not self.settings.training.beside or isinstance(network, Taught):
            return network
        clips = list(dict.fromkeys(self.train.clips))  # few are shown several times in an epoch
        windows = SkeletonDataset(clips, self.settings.preprocess, len(self.classes))
        inputs = torch.stack([window for window, _ in windows])  # (N, C, T, V, M)
        labels = torch.tensor([clip.label for clip in clips])
        # What the network knew and this one has no name for is something else.
        names = [name if name in self.classes else self.settings.moments.other for name in self.start.classes]
        both = Taught(self.start.model, network, taught=labels.unique().tolist(),
                      places=[self.classes.index(name) for name in names],
                      temperature=self.start.decisions.get("temperature", 1.0))  # fmt: skip
        both.compare(inputs, labels, [i for i, name in enumerate(names) if name in self.settings.moments.nothing])
        return both


def prepare(settings: Settings, seed: int) -> Experiment:
    """Read the data and build the network.

    ValueError: see `stgcn.readers`, `stgcn.data`, `stgcn.model` and `stgcn.checkpoint`; or the parts name different
    classes, or nothing is left to hold out.
    """
    data, preprocess = settings.data, settings.preprocess
    parts = [read_part(data, path, preprocess.group, "train") for path in data.train]
    test = parts_to_test(settings)
    classes = classes_to_learn(settings, [*parts, *test.values()])
    clips = [clip for part in parts for clip in part.clips]
    names = held_out({clip.name: clip.label for clip in clips}, data.val)
    # A clip in which nobody was found teaches nothing, but it counts in a test.
    known = [clip for clip in clips if clip.name not in names and len(clip.times)]
    repeated = known * max(math.ceil(settings.training.samples / max(len(known), 1)), 1)
    val = [clip for clip in clips if clip.name in names]
    if data.val and not val:
        raise ValueError(f"data.val={data.val} holds out none of {len(known)} training clips")
    shared = dict(preprocess=preprocess, num_classes=len(classes))
    in_channels = channels(preprocess.stream, get_layout(preprocess.layout))
    torch.manual_seed(seed)
    network = STGCN(len(classes), preprocess.layout, in_channels=in_channels, **asdict(settings.model))
    start = _start(settings)
    if start is not None:
        _take_over(network, classes, start, settings.training.start)
    return Experiment(
        settings=settings,
        seed=seed,
        classes=classes,
        train=_training_samples(settings, repeated, classes, seed),
        test={name: SkeletonDataset(part.clips, **shared) for name, part in test.items()},
        network=network,
        decisions=_decisions(settings, start),
        start=start,
        val=SkeletonDataset(val, **shared) if val else None,
    )


def _start(settings: Settings) -> Checkpoint | None:
    """The checkpoint that training starts from, if any. ValueError: it cannot be started from."""
    path = settings.training.start
    start = load(path) if path else None
    if start is not None and not isinstance(start.model, STGCN):
        raise ValueError(f"{path} was taught already; start from what it was taught from, with the clips of both times")
    if settings.training.beside and (settings.moments is None or start.preprocess != settings.preprocess):
        raise ValueError(f"the network of {path} can only stay beside one for a live view (moments) that sees the same "
                         f"({start.preprocess})")
    return start


def _take_over(network: STGCN, classes: Sequence[str], start: Checkpoint, path: str) -> None:
    """Give a network all weights of a checkpoint that fit, and of the classifier those of classes that both have.

    ValueError: none of its units fits.
    """
    known, own = start.model.state_dict(), network.state_dict()
    fitting = {name: weight for name, weight in known.items()
               if name in own and weight.shape == own[name].shape and not name.startswith(CLASSIFIER)}  # fmt: skip
    if not any(name.startswith("units.1.") and weight.ndim == 4 for name, weight in fitting.items()):  # convolutions
        raise ValueError(f"training cannot start from {path}: its network is of another kind or width")
    both = [label for label in classes if label in start.classes]
    here, there = ([names.index(label) for label in both] for names in (classes, start.classes))
    for name, weight in own.items():
        if name.startswith(CLASSIFIER):
            weight[here] = known[name][there]
    network.load_state_dict(own | fitting)


def _decisions(settings: Settings, start: Checkpoint | None) -> dict[str, Any]:
    if settings.moments is None:
        return {}
    inherited = {} if start is None else {key: value for key, value in start.decisions.items() if key != "on_by_class"}
    return inherited | {"nothing": settings.moments.nothing}


def _training_samples(settings: Settings, clips: list[Clip], classes: tuple[str, ...], seed: int) -> SkeletonDataset:
    preprocess, augment = settings.preprocess, settings.augment
    if settings.moments is None:
        return SkeletonDataset(clips, preprocess, len(classes), augment, seed)
    return MomentDataset(clips, preprocess, classes, augment, seed, settings.moments)


def parts_to_test(settings: Settings) -> dict[str, Part]:
    """What the config tests on, by name. ValueError: see `stgcn.readers`."""
    data, layout = settings.data, settings.preprocess.group
    return {name: read_part(data, path, layout, "test") for name, path in data.test.items()}


def classes_to_learn(settings: Settings, parts: Iterable[Part]) -> tuple[str, ...]:
    """The classes of all the parts, then those that `settings.moments` adds. ValueError: parts of different ones."""
    found = {part.classes for part in parts}
    if len(found) > 1:
        raise ValueError("the parts of the data, to train on and to test on, do not have the same classes")
    classes = found.pop() if found else ()
    moments = settings.moments
    added = (*moments.known, moments.idle, moments.other) if moments else ()
    return tuple(dict.fromkeys((*classes, *added)))


def held_out(labels: Mapping[str, int], share: float) -> frozenset[str]:
    """Names of the recordings that are held out: of every class at most `share`, only whole sources.

    labels: name of each recording to the index of its class. By these alone, so the same for every seed, and for all
    who saw the same recordings: several pose estimators, or one that saw them smaller, and not all of them. Recordings
    of one source stay together: "wave/PARTY_wave_far_3.mp4" and "wave/PARTY_wave_near_4.mp4" (HMDB's names), or
    "party_3.mp4" and "party_4.mp4". Classes that are one to the network stay several where folders tell them apart.
    """
    classes: defaultdict[tuple, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, label in labels.items():
        classes[label, PurePath(name).parent][_source(name)].add(name)
    chosen: set[str] = set()
    for sources in classes.values():
        left = share * sum(map(len, sources.values()))
        for source in sorted(sources, key=lambda source: crc32(source.encode())):
            if len(sources[source]) <= left:
                chosen |= sources[source]
                left -= len(sources[source])
    return frozenset(chosen)


def _source(name: str) -> str:
    path = PurePath(name)
    return re.sub(r"_\d+$", "", path.stem.partition(f"_{path.parent.name}_")[0])
