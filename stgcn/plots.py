"""Pictures of a training and of its results."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from stgcn.calibration import Reliability

DOTS_PER_INCH = 100
CURVES_INCHES = (9, 3.5)
RELIABILITY_INCHES = (4, 4.4)  # of each of several side by side
CELL_INCHES, MARGIN_INCHES = 0.33, 2.2  # of a confusion matrix: one class, and the names beside them
SMALLEST_INCHES = 5  # or the title would not fit
FAINT = 0.5  # below this share of its row a cell is light, and its number dark


def curves(path: str | Path, loss: Sequence[float], accuracy: Mapping[str, Sequence[float]]) -> None:
    """PNG of the loss, and of accuracies in percent by name; one value an epoch."""
    figure = Figure(CURVES_INCHES, DOTS_PER_INCH, layout="tight")
    left, right = figure.subplots(1, 2)
    left.plot(_epochs(loss), loss, color="tab:orange")
    left.set(xlabel="epoch", ylabel="training loss")
    for name, values in accuracy.items():
        right.plot(_epochs(values), values, label=name)
    right.set(xlabel="epoch", ylabel="top-1, %", ylim=(0, 102))
    right.legend(loc="lower right")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    _save(figure, path)


def confusion(path: str | Path, matrix: Sequence[Sequence[int]], classes: Sequence[str], title: str) -> None:
    """PNG of a confusion matrix of counts, rows true and columns predicted; shades are shares of the row.

    ValueError: it is of another size than there are classes.
    """
    counts = np.asarray(matrix)
    if counts.shape != (len(classes), len(classes)):
        size = " by ".join(map(str, counts.shape))
        raise ValueError(f"a confusion matrix of {size} for {len(classes)} classes")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(SMALLEST_INCHES, MARGIN_INCHES + CELL_INCHES * len(classes))
    figure = Figure((side, side), DOTS_PER_INCH, layout="tight")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (true, predicted), count in np.ndenumerate(counts):
        if count:
            colour = "black" if shares[true, predicted] < FAINT else "white"
            axes.text(predicted, true, str(count), ha="center", va="center", fontsize=8, color=colour)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    axes.set_xticks(range(len(classes)), classes, rotation=90)
    axes.set_yticks(range(len(classes)), classes)
    _save(figure, path)


def reliability(path: str | Path, found: Mapping[str, Reliability]) -> None:
    """PNG of accuracy over confidence, a diagram for each name; on the diagonal, confidence can be believed.

    The bars behind tell how many of the answers were that sure. ValueError: nothing to draw.
    """
    if not found:
        raise ValueError("a reliability plot needs a reliability")
    width, height = RELIABILITY_INCHES
    figure = Figure((width * len(found), height), DOTS_PER_INCH, layout="tight")
    for axes, (name, result) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items()):
        bins = len(result.counts)
        axes.bar((np.arange(bins) + 0.5) / bins, result.counts / result.counts.sum(), 0.9 / bins,
                 color="lightsteelblue", label="share of answers")  # fmt: skip
        axes.plot((0, 1), (0, 1), color="grey", linestyle="--", linewidth=1)
        filled = result.counts > 0
        axes.plot(result.confidence[filled], result.accuracy[filled], "o-", color="tab:orange", label="accuracy")
        axes.set(xlabel="confidence", xlim=(0, 1), ylim=(0, 1.02), aspect="equal",
                 title=f"{name}: calibration error {100 * result.error:.1f} %")  # fmt: skip
        axes.legend(loc="upper left")
        axes.grid(alpha=0.3)
    _save(figure, path)


def _epochs(values: Sequence[float]) -> range:
    return range(1, len(values) + 1)


def _save(figure: Figure, path: str | Path) -> None:
    figure.savefig(path, metadata={"Software": None})  # nothing in it that changes by itself
