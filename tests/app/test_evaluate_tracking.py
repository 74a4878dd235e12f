"""What counts as a mistake of a tracker, and the command."""

import numpy as np
import pytest

from app import evaluate_tracking
from app.crowds import Person, Scene, filmed, walker
from app.errors import UserError
from app.evaluate_tracking import Count, follow, measure, table
from app.tracking import Tracker


def count(scene: Scene, **tracker) -> Count:
    return follow(filmed(scene, 30, np.random.default_rng(0)), Tracker(**tracker))


def test_fewer_draws_than_one_are_refused():
    with pytest.raises(UserError, match="--draws is 1 or more, not 0"):
        evaluate_tracking.main(["--draws", "0"])


def test_a_person_in_full_view_keeps_the_id():
    found = count(Scene((walker(-1, 1),), 2.0))
    assert (found.switches, found.surplus, found.without, found.false) == (0, 0, 0, 0)
    assert found.poses == found.updates == 60 and found.update_s > 0


def test_who_is_forgotten_and_comes_back_is_a_switch_and_a_surplus_id():
    scene = Scene((Person(lambda time_s: 0.0),), 2.0, absences=((0, 0.5, 1.0),))
    forgotten, remembered = count(scene, memory_s=0.1), count(scene)
    assert (forgotten.switches, forgotten.surplus) == (1, 1)
    assert (remembered.switches, remembered.surplus) == (0, 0)


def test_who_waits_long_for_an_id_is_without_one():
    late = Scene((walker(-2, 0), walker(1, 0)), 2.0, absences=((1, 0, 0.5),))
    assert count(late, confirm_s=0.1).without == 0
    assert count(late, confirm_s=0.6).without == pytest.approx(0.4 * 30, abs=2)


def test_nobodies_with_an_id_are_counted():
    empty = Scene((), 1.0, false_per_s=30)
    found = count(empty, confirm_s=0)
    assert found.poses == 0 and found.false > 0 and found.surplus > 0


def test_rows_add_up_and_are_in_the_table():
    counts = measure([10, 30], draws=1)
    rates, scenes = counts["10 fps"] + counts["30 fps"], [counts[name] for name in counts if "fps" not in name][1:]
    assert counts["all"].poses == rates.poses == sum(row.poses for row in scenes) > 0
    assert counts["all"].switches == rates.switches == sum(row.switches for row in scenes)
    lines = table(counts).splitlines()
    assert len(lines) == 2 + len(counts) and lines[2].startswith(f"| all | {counts['all'].switches} |")
