"""Pictures of what happened and what was announced, over time."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.scoring import Decision, canonical
from app.streams import Interval, Stream

DOTS_PER_INCH = 90
SECOND_INCHES, ROW_INCHES, MARGIN_INCHES = 0.35, 0.34, 1.1
SHORTEST_INCHES, LONGEST_INCHES = 8, 32
COLOURS = colormaps["tab20"].colors
OTHER_COLOUR = (0.75, 0.75, 0.75)  # of what no model may announce
TRUTH = "true"


def draw(path: Path, stream: Stream, announced: Mapping[str, Sequence[Decision]], labels: Sequence[str]) -> None:
    """PNG: for each person, what is true above, and below what each model announced, by the model's name.

    A bar reaches from when an action is said to have begun to when it is said to have ended; a mark on it shows when
    it was announced. Where nothing is said, there is nothing. labels: those that have a colour, 20 in all.
    """
    rows = [row for person in _people(stream, announced) for row in _rows(stream, announced, person)]
    width = min(max(stream.duration_s * SECOND_INCHES, SHORTEST_INCHES), LONGEST_INCHES)
    figure = Figure((width, len(rows) * ROW_INCHES + MARGIN_INCHES), DOTS_PER_INCH, layout="tight")
    axes = figure.add_subplot()
    for place, (_, bars) in enumerate(rows):
        for bar in bars:
            _bar(axes, place, bar, labels)
    first_s = stream.frames[0].time_s
    axes.set(xlim=(first_s, first_s + stream.duration_s), ylim=(len(rows) - 0.4, -0.6), xlabel="seconds")
    note = f" (also happens: {', '.join(stream.allowed)})" if stream.allowed else ""
    axes.set_title(f"{stream.name}{note}", fontsize=10)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=8)
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(path, metadata={"Software": None})


def _people(stream: Stream, announced: Mapping[str, Sequence[Decision]]) -> list[int | None]:
    """Those with rows of their own. None, last: everybody else, if something is said or nobody is known."""
    strangers = any(decision.person not in stream.persons for found in announced.values() for decision in found)
    return [*stream.persons, *([None] if strangers or not stream.persons else [])]


def _rows(stream: Stream, announced: Mapping[str, Sequence[Decision]], person: int | None):
    who = "anybody" if person is None else f"person {person}"
    yield f"{who}: {TRUTH}", [interval for interval in stream.intervals if interval.person == person]
    for name, decisions in announced.items():
        mine = [decision for decision in decisions
                if decision.person == person or (person is None and decision.person not in stream.persons)]
        yield name, mine


def _bar(axes: Axes, place: int, bar: Interval | Decision, labels: Sequence[str]) -> None:
    label = canonical(bar.label)
    colour = COLOURS[labels.index(label) % len(COLOURS)] if label in labels else OTHER_COLOUR
    axes.barh(place, bar.end_s - bar.start_s, left=bar.start_s, height=0.8, color=colour, alpha=0.85)
    axes.text(bar.start_s + 0.03, place, label, va="center", fontsize=7, clip_on=True)
    if isinstance(bar, Decision):
        axes.plot([bar.announced_s] * 2, [place - 0.4, place + 0.4], color="black", linewidth=1.2)
