"""What the parts of decisions bring: one line where it cannot be measured, then what is taken away."""

from dataclasses import replace

from app import streams
from app.ablate import COLUMNS, ablate, variants
from app.decisions import DecisionSettings
from app.evaluate import measures, outcome
from tests.app.test_pipeline import checkpoint
from tests.app.test_replay import stream

CALIBRATED = DecisionSettings(on=0.7, off=0.3, hold_s=0.3, temperature=0.8, lag_s=0.4,
                              on_by_class={"wave": 0.9}, nothing=("idle",))  # fmt: skip


def test_bad_input_ends_with_one_line(tmp_path, actions, refused):
    good = streams.save(tmp_path / "good", stream(1.0))
    for arguments, reason in (((tmp_path / "nowhere",), "nowhere"), ((good, "--actions", good), "cannot be used")):
        _, err = refused("app.ablate", *arguments)
        assert reason in err and "Traceback" not in err


def test_one_part_is_missing_at_a_time():
    changed = variants(CALIBRATED)
    assert changed["all of it"] == CALIBRATED
    assert changed["no hysteresis: ends where it begins"] == replace(CALIBRATED, off=0.7)
    assert len(set(map(str, changed.values()))) == len(changed), "each differs"


def test_what_is_not_in_use_is_not_taken_away():
    assert list(variants(DecisionSettings())) == [
        "all of it", "no hysteresis: ends where it begins", "no minimum duration", "nobody too small to be judged",
        "with a motion gate at 0.02 body heights/s"]  # fmt: skip
    assert "no margin" in variants(replace(CALIBRATED, margin=0.1))


def test_the_whole_scores_as_the_evaluation_does():
    lines = ablate(checkpoint(), [stream()]).splitlines()
    found = measures([outcome(stream(), checkpoint())])
    expected = ["-" if found[key] is None else f"{found[key]:.2f}" for key in COLUMNS.values()]
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["all of it", *expected]
