"""How good a network's answers are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

Sample = tuple[Tensor, int]  # a window (C, T, V, M) and its label
BATCH = 64  # clips
TOP = 5  # a clip counts in top5 if its class is among this many best ones


def measure(network: nn.Module, dataset: Sequence[Sample], classes: Sequence[str]) -> dict[str, Any]:
    """Results of a network in eval mode on a `SkeletonDataset`, or a list of its samples, see `results`."""
    return results(*predict(network, dataset), classes)


@torch.no_grad()
def predict(network: nn.Module, dataset: Sequence[Sample]) -> tuple[Tensor, Tensor]:
    """Probabilities (N, classes) and labels (N,) of all clips, in the data set's order, on the CPU."""
    device = next((weight.device for weight in network.parameters()), "cpu")
    batches = [
        (network(inputs.to(device)).float().softmax(dim=1).cpu(), labels)
        for inputs, labels in DataLoader(dataset, batch_size=BATCH)
    ]
    probabilities, labels = zip(*batches)
    return torch.cat(probabilities), torch.cat(labels)


def results(scores: Tensor, labels: Tensor, classes: Sequence[str]) -> dict[str, Any]:
    """Results from scores (N, classes), the higher the better, and labels (N,); plain values.

    clips: N; top1, top5: share of clips whose class is the best one, or among the best five, 0..1;
    mean_class: mean of the recalls, so that every class that occurs counts the same; recall and precision by
    class name, 0..1, None where the class never occurs or is never predicted; confusion: rows true, columns
    predicted, counts.
    """
    confusion = np.zeros((len(classes), len(classes)), int)
    np.add.at(confusion, (labels.numpy(), scores.argmax(dim=1).numpy()), 1)
    best = scores.topk(min(TOP, len(classes)), dim=1).indices  # (N, 5)
    recall = _shares(confusion.diagonal(), confusion.sum(axis=1), classes)
    return {
        "clips": len(labels),
        "top1": float(confusion.trace() / confusion.sum()),
        "top5": float((best == labels[:, None]).any(dim=1).double().mean()),
        "mean_class": float(np.mean([share for share in recall.values() if share is not None])),
        "recall": recall,
        "precision": _shares(confusion.diagonal(), confusion.sum(axis=0), classes),
        "confusion": confusion.tolist(),
    }


def _shares(hits: np.ndarray, totals: np.ndarray, classes: Sequence[str]) -> dict[str, float | None]:
    return {name: float(hit / total) if total else None for name, hit, total in zip(classes, hits, totals)}
