"""How far probabilities can be believed: of all answers given with 0.8, are eight in ten right?

Temperature scaling and the expected calibration error: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern
Neural Networks" (arXiv 1706.04599).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

TEMPERATURES = (0.05, 20.0)  # sought between these
BINS = 10


@dataclass(frozen=True, eq=False)
class Reliability:
    """Answers by how sure they were: bin i holds confidences from i / bins to (i + 1) / bins.

    counts: (bins,) answers. confidence, accuracy: (bins,) their mean confidence and the share that is right,
    0..1; NaN in empty bins.
    """

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error, 0..1: how far confidence and accuracy lie apart, over all answers."""
        return float(np.nansum(self.counts * np.abs(self.confidence - self.accuracy)) / self.counts.sum())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The number by which to divide logits, so that their softmax gives the labels the highest likelihood.

    logits: (N, classes); logarithms of a softmax serve as well. labels: (N,) indices of classes.
    ValueError: shapes that do not fit, nothing given, logits that are not finite, labels of no class.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels)
    _check(logits, labels)

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(logits, labels, np.exp(log_temperature))

    # Convex in 1 / temperature, hence with a single lowest point in its logarithm.
    return float(np.exp(minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded").x))


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean over N of -log(probability of the label), in nats; arguments as in `fit_temperature`."""
    return float(-log_softmax(logits / temperature, axis=1)[np.arange(len(labels)), labels].mean())


def reliability(scores: np.ndarray, labels: np.ndarray, bins: int = BINS) -> Reliability:
    """Sort the answers (the best class of each row) into `bins` of equal width by their confidence.

    scores: (N, classes) probabilities. labels: (N,) indices of classes.
    ValueError: as in `fit_temperature`, scores outside 0..1, or no bins.
    """
    scores, labels = np.asarray(scores, np.float64), np.asarray(labels)
    _check(scores, labels)
    if bins < 1 or scores.min() < 0 or scores.max() > 1 + 1e-6:
        raise ValueError("a reliability needs a bin or more and scores in 0..1")
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)  # (N,)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):  # 0 / 0 in an empty bin is the NaN that is promised
        return Reliability(counts, np.bincount(place, confidence, bins) / counts,
                           np.bincount(place, right, bins) / counts)  # fmt: skip


def _check(scores: np.ndarray, labels: np.ndarray) -> None:
    if scores.ndim != 2 or not len(scores) or labels.shape != scores.shape[:1]:
        raise ValueError(f"scores (N, classes) and labels (N,) are needed, not {scores.shape} and {labels.shape}")
    if not np.isfinite(scores).all():
        raise ValueError("scores hold NaN or infinity")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise ValueError(f"labels are indices of {scores.shape[1]} classes")
