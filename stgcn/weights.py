"""Weights from a file into a network, with a list of what does not fit."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor, nn

LISTED_KEYS = 3  # an error lists this many keys of each kind


def load_weights(
    network: nn.Module, weights: Mapping[str, Any], stored_name: Callable[[str], str] = str
) -> None:
    """Give `network` all its weights.

    stored_name: turns the network's name of a weight into that in `weights`.
    ValueError that lists the first names that are missing, unknown, or of another shape.
    """
    expected = {stored_name(key): tensor for key, tensor in network.state_dict().items()}
    differences = {
        "missing": [key for key in expected if key not in weights],
        "unknown": [key for key in weights if key not in expected],
        "of another shape": [
            f"{key} {_shape(weights[key])} instead of {_shape(tensor)}"
            for key, tensor in expected.items()
            if key in weights and _shape(weights[key]) != _shape(tensor)
        ],
    }
    if any(differences.values()):
        found = [f"{kind}: {listed(keys)}" for kind, keys in differences.items() if keys]
        raise ValueError("weights " + "; ".join(found))
    network.load_state_dict({key: weights[stored_name(key)] for key in network.state_dict()})


def listed(keys: Iterable) -> str:
    """The first few of them in one line, and how many there are besides."""
    keys = [str(key) for key in keys]
    more = f" and {len(keys) - LISTED_KEYS} more" if len(keys) > LISTED_KEYS else ""
    return ", ".join(keys[:LISTED_KEYS]) + more


def _shape(value: Any) -> tuple[int, ...] | str:
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
