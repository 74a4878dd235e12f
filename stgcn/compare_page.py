"""What a comparison of networks found, as a page and as plain values; all follows from the figures."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stgcn.cost import Cost
from stgcn.settings import Settings

HOLDS = "holds here"


@dataclass(frozen=True)
class Row:
    """One network. accuracies: share of test clips that are right, 0..1, of each seed."""

    title: str
    accuracies: Sequence[float]
    cost: Cost

    @property
    def mean(self) -> float:
        """Mean accuracy in percent."""
        return 100 * statistics.mean(self.accuracies)

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation between seeds in points; None with one seed."""
        return 100 * statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None

    def __str__(self) -> str:
        return f"{self.mean:.1f}" + ("" if self.deviation is None else f" ± {self.deviation:.1f}")


@dataclass(frozen=True)
class Claim:
    """What is usually said: that the network named `better` is more accurate than the one named `worse`."""

    text: str
    better: str
    worse: str


@dataclass(frozen=True)
class Comparison:
    """Networks by name, and what they have in common.

    classes, train_clips, test_clips: how many. machine, date, command: words.
    """

    settings: Settings
    classes: int
    train_clips: int
    test_clips: int
    machine: str
    date: str
    command: str
    rows: Mapping[str, Row]


def as_values(comparison: Comparison) -> dict[str, Any]:
    """Plain values for a JSON file; with mean (percent) and deviation (points) of every row."""
    rows = {
        name: asdict(row) | dict(mean_percent=row.mean, deviation_points=row.deviation)
        for name, row in comparison.rows.items()
    }
    return asdict(comparison) | dict(rows=rows)


def page(comparison: Comparison, claims: Sequence[Claim]) -> str:
    """The page in Markdown."""
    sections = (_setting(comparison), _table(comparison), _findings(comparison), _claims(comparison, claims))
    return "# Networks compared\n\n" + "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def verdict(better: Row, worse: Row) -> str:
    """Whether `better` is: only a difference beyond both standard deviations together counts."""
    if better.deviation is None or worse.deviation is None:
        return "one seed does not tell"
    if abs(better.mean - worse.mean) <= better.deviation + worse.deviation:
        return "not shown here: within the spread"
    return HOLDS if better.mean > worse.mean else "the opposite holds here"


def _setting(comparison: Comparison) -> list[str]:
    settings, training = comparison.settings, comparison.settings.training
    seeds = len(next(iter(comparison.rows.values())).accuracies)
    people = settings.preprocess.people
    varied = ", ".join(f"{name} {value}" for name, value in asdict(settings.augment).items())
    return [
        f"Written by `{comparison.command}` on {comparison.date}; changes made by hand are lost.",
        "",
        f"- Data: {settings.about.get('data', 'see the config')}; split {settings.data.split}, "
        f"{comparison.classes} classes, {comparison.train_clips} training samples, "
        f"{comparison.test_clips} test clips; {settings.preprocess.frames} frames at "
        f"{settings.preprocess.fps:g} a second, layout {settings.preprocess.layout}, "
        f"{'one person' if people == 1 else f'{people} people'}.",
        f"- Budget, the same for all: {training.epochs} epochs in batches of {training.batch_size}, SGD with "
        f"Nesterov momentum 0.9, learning rate {training.learning_rate} after {training.warmup_epochs} "
        f"epochs of warm-up, cosine to zero, weight decay {training.weight_decay}, label smoothing "
        f"{training.label_smoothing}, {'bfloat16 where safe' if training.amp else 'float32'}. A network that "
        "would need other values is at a disadvantage.",
        f"- Augmentation, the same for all: {varied}.",
        f"- Size: width {settings.model.width} and dropout {settings.model.dropout} for all; the classifier "
        f"sees {4 * settings.model.width} features of each.",
        f"- Seeds: {', '.join(map(str, range(seeds)))}. Accuracy is top-1 after the last epoch; behind ± the "
        "sample standard deviation between seeds. The test clips have no influence on the training.",
        f"- Machine: {comparison.machine}. The columns of times are of its processor, on one thread.",
    ]


def _table(comparison: Comparison) -> list[str]:
    lines = [
        "| network | top-1, % | parameters | multiply-adds a clip | training clips/s | inference ms "
        "| receptive field |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in comparison.rows.values():
        cost = row.cost
        field = "unlimited" if cost.receptive_field is None else _frames(cost.receptive_field)
        lines.append(
            f"| {row.title} | {row} | {_short(cost.parameters)} | {_short(cost.multiply_adds)} "
            f"| {cost.training_clips_per_s:.0f} | {cost.inference_ms:.1f} | {field} |"
        )
    return [
        *lines,
        "",
        "Multiply-adds are those of convolutions, matrix products and the LSTM, as torch counts them; not "
        "those of batch norm, activations, pooling, and GCNConv's sums over neighbours. Training clips/s: "
        "forward, backward and the optimiser's step on batches of "
        f"{comparison.settings.training.batch_size}, without preparing them. Inference: one clip. Receptive "
        "field: what one feature of the last layer sees before the average over the clip; it may be longer "
        "than the clip.",
    ]


def _findings(comparison: Comparison) -> list[str]:
    rows = list(comparison.rows.values())
    best = max(rows, key=lambda row: row.mean)
    lines = ["## What it says", "", f"- Most accurate: {best.title}, {best} %."]
    if best.deviation is not None:
        equals = [row for row in rows if row is not best and verdict(best, row) != HOLDS]
        titles = "; ".join(f"{row.title} ({row} %)" for row in equals) or "none"
        lines.append(f"- Not told apart from it, within both standard deviations together: {titles}.")
        lightest = min([best, *equals], key=lambda row: row.cost.multiply_adds)
        lines.append(
            f"- Of these, {lightest.title} needs the fewest multiply-adds: "
            f"{_short(lightest.cost.multiply_adds)}, {lightest.cost.inference_ms:.1f} ms a clip."
        )
    share = best.mean / 100
    chance = 100 * (share * (1 - share) / comparison.test_clips) ** 0.5
    lines.append(
        f"- The spread between seeds is not all: an accuracy of {best.mean:.0f} % on {comparison.test_clips} "
        f"test clips has a standard deviation of {chance:.1f} points from the choice of these clips. It "
        "weighs less in differences, since all networks were tested on the same ones."
    )
    return lines


def _claims(comparison: Comparison, claims: Sequence[Claim]) -> list[str]:
    lines = ["## Common claims", ""]
    lines += ["| claim | compared | difference, points | verdict |", "|---|---|---|---|"]
    for claim in claims:
        better, worse = comparison.rows[claim.better], comparison.rows[claim.worse]
        lines.append(
            f"| {claim.text} | {better.title} − {worse.title} | {better.mean - worse.mean:+.1f} "
            f"| {verdict(better, worse)} |"
        )
    return [*lines, "", "A difference counts where it exceeds both standard deviations together."]


def _frames(count: int) -> str:
    return f"{count} frame" + "s" * (count != 1)


def _short(count: int) -> str:
    """1234567 -> "1.23 M"."""
    return f"{count / 1e6:.3g} M" if count >= 1e6 else f"{count / 1e3:.3g} k"
