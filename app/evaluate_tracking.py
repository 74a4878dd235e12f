"""How well people keep their ids: `python -m app.evaluate_tracking`.

Follows made-up people of whom it is known who is who (`app.crowds`) at several frame rates. For each rate and scene:
switches, a person whose id differs from the one before; surplus ids, more than there are people; poses without an id,
more than 0.21 s after the person was first seen; and poses of nobody that were given an id.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from operator import add

import numpy as np
from tqdm import tqdm

from app.crowds import Seen, filmed, scenes
from app.errors import UserError, run
from app.tracking import Tracker

FPS = (5, 10, 15, 30, 60)
DRAWS = 10
LATE_S = 0.21  # by then, somebody in view has an id
ALL = "all"


@dataclass(frozen=True)
class Count:
    """What a tracker did. Everything is a number of cases but update_s, the seconds that all updates took."""

    switches: int = 0
    surplus: int = 0
    without: int = 0
    false: int = 0
    poses: int = 0
    updates: int = 0
    update_s: float = 0.0

    def __add__(self, other: "Count") -> "Count":
        return Count(*map(add, astuple(self), astuple(other)))


def follow(frames: Sequence[tuple[float, list[Seen]]], tracker: Tracker) -> Count:
    """Let a new tracker follow what was seen: (seconds, poses) of each frame, see `app.crowds.filmed`."""
    last: dict[int, int] = {}  # person -> id
    first_s: dict[int, float] = {}
    ids: set[int] = set()
    count = Count(updates=len(frames))
    for time_s, frame in frames:
        start_s = time.perf_counter()
        tracks = tracker.update([seen.pose for seen in frame], time_s)
        count += Count(update_s=time.perf_counter() - start_s)
        given = {id(track.pose): track.id for track in tracks}
        ids.update(given.values())
        for seen in frame:
            track = given.get(id(seen.pose))
            if seen.person is None:
                count += Count(false=track is not None)
            elif seen.first:
                count += Count(poses=1)
                first_s.setdefault(seen.person, time_s)
                if track is None:
                    count += Count(without=time_s - first_s[seen.person] > LATE_S)
                else:
                    count += Count(switches=last.get(seen.person, track) != track)
                    last[seen.person] = track
    return count + Count(surplus=max(len(ids) - len(first_s), 0))


def measure(fps: Sequence[float], draws: int) -> dict[str, Count]:
    """What the tracker does in `draws` draws of every scene at each rate: in all, by rate, and by scene."""
    counts = {name: Count() for name in (ALL, *map(_row, fps), *scenes(np.random.default_rng()))}
    with tqdm(total=len(fps) * draws, desc="scenes", unit="draw", disable=None) as bar:
        for rate in fps:
            for draw in range(draws):
                for name, scene in scenes(np.random.default_rng((draw, 0))).items():
                    count = follow(filmed(scene, rate, np.random.default_rng((draw, 1))), Tracker())
                    for row in (ALL, _row(rate), name):
                        counts[row] += count
                bar.update()
    return counts


def _row(rate: float) -> str:
    return f"{rate:g} fps"


def table(counts: dict[str, Count]) -> str:
    """`measure` as a Markdown table."""
    lines = ["| | switches | surplus ids | without an id | false | ms an update |", "|---|---:|---:|---:|---:|---:|"]
    for name, count in counts.items():
        without = 100 * count.without / max(count.poses, 1)
        update_ms = 1000 * count.update_s / max(count.updates, 1)
        lines.append(f"| {name} | {count.switches} | {count.surplus} | {without:.1f} % | {count.false} | "
                     f"{update_ms:.2f} |")  # fmt: skip
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. UserError: fewer draws than one."""
    parser = argparse.ArgumentParser(prog="python -m app.evaluate_tracking", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--draws", type=int, default=DRAWS, metavar="N",
                        help="how often the noise is drawn anew (default: %(default)s)")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.draws < 1:
        raise UserError(f"--draws is 1 or more, not {options.draws}")
    print(table(measure(FPS, options.draws)))


if __name__ == "__main__":
    run(main)
