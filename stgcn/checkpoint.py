"""A trained network in one file, with everything that is needed to use it and to say where it comes from."""

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stgcn.model import STGCN
from stgcn.preprocess import Preprocess

FORMAT = "stgcn-checkpoint-1"
LISTED_KEYS = 3  # an error lists this many keys of each kind


class CheckpointError(ValueError):
    """A checkpoint that cannot be used. The message is one line."""


@dataclass(frozen=True)
class Checkpoint:
    """A network ready to use, and what belongs to it.

    model: in eval mode, float32.
    preprocess: how observations become its input.
    classes: the name of each logit.
    metrics: test results, by name of the test data.
    decisions: numbers with which the application decides (thresholds, ...); may be empty.
    about: where it comes from: data, licence, date, command, ...

    metrics, decisions and about hold plain values only: str, numbers, None, lists, tuples, dicts.
    """

    model: STGCN
    preprocess: Preprocess
    classes: tuple[str, ...]
    metrics: dict[str, Any] = field(default_factory=dict)
    decisions: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        outputs, names = self.model.arguments["num_classes"], len(self.classes)
        if names != outputs:
            raise CheckpointError(f"the network has {outputs} outputs, but there are {names} class names")
        if self.preprocess.layout != self.model.arguments["layout"]:
            raise CheckpointError(
                f"the network expects {self.model.arguments['layout']} skeletons, its preprocessing makes "
                f"{self.preprocess.layout} ones"
            )


def save(path: str | Path, checkpoint: Checkpoint, half: bool = True) -> None:
    """Write a checkpoint; it appears under its name only when it is complete and has been read back.

    half: store weights as float16, half the size; logits change in the third digit.
    CheckpointError: a weight beyond the range of float16, or values in it that are not plain.
    """
    path = Path(path)
    content = dict(
        format=FORMAT,
        model=checkpoint.model.arguments,
        preprocess=asdict(checkpoint.preprocess),
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
    """Read a checkpoint that `save` wrote. Nothing in the file is executed.

    CheckpointError: the file is missing, unreadable, of another kind, or does not fit together.
    """
    content = _read(Path(path), device)
    try:
        model = STGCN(**content["model"])
        _check_weights(model.state_dict(), content["state_dict"])
        model.load_state_dict(content["state_dict"])
        return Checkpoint(
            model=model.to(device).eval(),
            preprocess=Preprocess(**content["preprocess"]),
            classes=tuple(content["classes"]),
            metrics=content["metrics"],
            decisions=content["decisions"],
            about=content["about"],
        )
    except KeyError as error:
        raise CheckpointError(f"checkpoint {path} lacks its part {error}") from error
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"checkpoint {path} does not fit together: {error}") from error


def _read(path: Path, device: str | torch.device) -> dict[str, Any]:
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path}")
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch names no closed set of errors for files that are not its own
        raise CheckpointError(
            f"{path} is not a checkpoint that can be read safely (tensors and plain values only)"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        holds = f"; it holds {_listed(content)}" if isinstance(content, dict) else ""
        raise CheckpointError(f"{path} is a checkpoint of another kind, not one of this program{holds}")
    return content


def _stored(key: str, tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().cpu()
    if not (half and tensor.is_floating_point()):
        return tensor
    if (tensor.abs() > torch.finfo(torch.float16).max).any():
        raise CheckpointError(f"{key} does not fit into half precision; save with half=False")
    return tensor.half()


def _check_weights(expected: dict[str, Tensor], given: dict[str, Tensor]) -> None:
    """ValueError that lists the first keys that are missing, unknown, or of another shape."""
    differences = {
        "missing": [key for key in expected if key not in given],
        "unknown": [key for key in given if key not in expected],
        "of another shape": [
            f"{key} {tuple(given[key].shape)} instead of {tuple(expected[key].shape)}"
            for key in expected
            if key in given and given[key].shape != expected[key].shape
        ],
    }
    if any(differences.values()):
        found = [f"{kind}: {_listed(keys)}" for kind, keys in differences.items() if keys]
        raise ValueError("weights " + "; ".join(found))


def _listed(keys: Iterable) -> str:
    keys = [str(key) for key in keys]
    more = f" and {len(keys) - LISTED_KEYS} more" if len(keys) > LISTED_KEYS else ""
    return ", ".join(keys[:LISTED_KEYS]) + more
