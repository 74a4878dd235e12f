"""A trained network in one file, with everything that is needed to use it and to say where it comes from."""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stgcn import official
from stgcn.graph import get_layout
from stgcn.model import STGCN
from stgcn.preprocess import Preprocess
from stgcn.streams import channels
from stgcn.taught import Taught
from stgcn.weights import listed, load_weights

FORMAT = "stgcn-checkpoint-1"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used. The message is one line."""


@dataclass(frozen=True)
class Checkpoint:
    """A network ready to use, and what belongs to it.

    model: in eval mode, float32.
    preprocess: how observations become its input; None where that is not known (official checkpoints).
    classes: the name of each logit.
    metrics: test results, by name of the test data.
    decisions: numbers with which the application decides (thresholds, ...); may be empty.
    about: where it comes from: data, licence, date, command, ...

    metrics, decisions and about hold plain values only: str, numbers, None, lists, tuples, dicts.
    """

    model: STGCN | Taught
    preprocess: Preprocess | None
    classes: tuple[str, ...]
    metrics: dict[str, Any] = field(default_factory=dict)
    decisions: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        outputs, names = self.model.num_classes, len(self.classes)
        if names != outputs:
            raise CheckpointError(f"the network has {outputs} outputs, but there are {names} class names")
        if self.preprocess is not None and self.preprocess.layout != self.model.layout:
            raise CheckpointError(
                f"the network expects {self.model.layout} skeletons, its preprocessing makes "
                f"{self.preprocess.layout} ones"
            )
        if self.preprocess is not None:
            made = channels(self.preprocess.stream, get_layout(self.preprocess.layout))
            if self.model.in_channels != made:
                raise CheckpointError(f"the network expects {self.model.in_channels} channels, its preprocessing "
                                      f"({self.preprocess.stream}) makes {made}")


def save(path: str | Path, checkpoint: Checkpoint, half: bool = True) -> None:
    """Write a checkpoint; it appears under its name only when it is complete and has been read back.

    half: store weights as float16, half the size; logits change in the third digit.
    CheckpointError: a weight beyond the range of float16, or values in it that are not plain.
    """
    path = Path(path)
    content = dict(
        format=FORMAT,
        model=checkpoint.model.arguments,
        preprocess=asdict(checkpoint.preprocess) if checkpoint.preprocess else None,
        classes=tuple(checkpoint.classes),
        metrics=checkpoint.metrics,
        decisions=checkpoint.decisions,
        about=checkpoint.about,
        state_dict={key: _stored(key, tensor, half) for key, tensor in checkpoint.model.state_dict().items()},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.save(content, partial)
        load(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load(path: str | Path, device: str | torch.device = "cpu") -> Checkpoint:
    """Read a checkpoint that `save` wrote, or an official one (`stgcn.official`). Nothing in it is executed.

    An official checkpoint comes without preprocessing (None: its input has to be prepared as its authors did)
    and with the classes "class 0", "class 1", ...; `dataclasses.replace` gives it both.

    CheckpointError: the file is missing, unreadable, of another kind, or does not fit together.
    """
    content = _read(Path(path), device)
    try:
        checkpoint = _from_official(content) or _from_own(content)
    except KeyError as error:
        raise CheckpointError(f"checkpoint {path} lacks its part {error}") from error
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"checkpoint {path} does not fit together: {error}") from error
    if checkpoint is None:
        holds = f"; it holds {listed(content)}" if isinstance(content, dict) else ""
        raise CheckpointError(f"{path} is a checkpoint of another kind, not one of this program{holds}")
    checkpoint.model.to(device).eval()
    return checkpoint


def _read(path: Path, device: str | torch.device) -> Any:
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path}")
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch names no closed set of errors for files that are not its own
        raise CheckpointError(
            f"{path} is not a checkpoint that can be read safely (tensors and plain values only)"
        ) from error


def _from_own(content: Any) -> Checkpoint | None:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    arguments = content["model"]
    model = Taught.build(**arguments) if "learned" in arguments else STGCN(**arguments)
    load_weights(model, content["state_dict"])
    preprocess = content["preprocess"]
    return Checkpoint(
        model=model,
        preprocess=None if preprocess is None else Preprocess(**preprocess),
        classes=tuple(content["classes"]),
        metrics=content["metrics"],
        decisions=content["decisions"],
        about=content["about"],
    )


def _from_official(content: Any) -> Checkpoint | None:
    recognised = official.recognise(content)
    if recognised is None:
        return None
    source, weights = recognised
    model = official.build(source, weights)
    classes = tuple(f"class {i}" for i in range(model.num_classes))
    return Checkpoint(model, preprocess=None, classes=classes, about={"source": source.title})


def _stored(key: str, tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().cpu()
    if not (half and tensor.is_floating_point()):
        return tensor
    if (tensor.abs() > torch.finfo(torch.float16).max).any():
        raise CheckpointError(f"{key} does not fit into half precision; save with half=False")
    return tensor.half()
