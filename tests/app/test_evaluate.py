"""The evaluation: figures from streams, side by side, and one line where it cannot be done."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from app import evaluate, streams
from app.streams import Interval
from tests.app.test_pipeline import checkpoint
from tests.app.test_replay import stream
from tests.conftest import ROOT


def command(*arguments):
    return subprocess.run([sys.executable, "-m", "app.evaluate", *map(str, arguments)], cwd=ROOT, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True)  # fmt: skip


def test_bad_input_ends_with_one_line(tmp_path, actions, refused):
    bad = tmp_path / "bad.stream.json"
    bad.write_text("{}")
    good = streams.save(tmp_path / "good", stream(1.0))
    for arguments, reason in (((bad,), "not a stream"), ((tmp_path / "good", "--actions", bad), "cannot be used"),
                              ((good, good, "--actions", actions), "two streams are called"),
                              ((good, "--actions", actions, "--quick", "-o", bad), "cannot write")):  # fmt: skip
        _, err = refused("app.evaluate", *arguments)
        assert reason in err and "Traceback" not in err


def test_models_stand_side_by_side_under_all_conditions(tmp_path, actions):
    streams.save(tmp_path / "streams", stream(2.0))
    twin = tmp_path / "twin.pth"
    twin.write_bytes(actions.read_bytes())
    output = tmp_path / "out"
    result = command(tmp_path / "streams", "--actions", actions, twin, "-o", output)
    assert result.returncode == 0, result.stderr
    found = json.loads((output / "results.json").read_text())
    assert list(found) == ["untrained", "twin"] and found["untrained"] == found["twin"]
    assert set(found["twin"]["conditions"]) == {evaluate.AS_IT_IS, *evaluate.CONDITIONS}
    assert (output / "made up.png").exists()
    assert "conditions/legs hidden/wave" in result.stdout and "untrained, by class" in result.stdout


@pytest.fixture(scope="module")
def found():
    outcomes = [evaluate.outcome(stream(), checkpoint())]
    return evaluate.measures(outcomes)


def test_figures_of_an_untrained_network_are_in_range(found):
    assert found["streams"] == 1 and found["events"] == 1
    assert list(found["classes"]) == ["wave", "stand up"]
    for iou in evaluate.IOUS:
        assert 0 <= (found[f"recall_{iou}"] or 0) <= 1
    assert found["f1_0.1"] >= found["f1_0.25"] >= found["f1_0.5"]
    assert 0 <= found["frame_map"] <= 1
    assert found["false_per_min_negative"] is None and found["clips_webcam_top1"] is None
    json.dumps(found)


def test_an_action_counts_whatever_it_is_called_if_the_model_may_announce_it():
    dabs = replace(stream(), intervals=(Interval("dab", 0.5, 2.5, 7),))
    own = replace(checkpoint(), classes=("dab", "stand"))
    found = evaluate.measures([evaluate.outcome(dabs, own)])
    assert found["events"] == 1 and found["frame_map"] is not None and "dab" in found["classes"]
    silent = replace(own, decisions={"nothing": ("dab",)})
    found = evaluate.measures([evaluate.outcome(dabs, silent)])
    assert found["events"] == 0 and list(found["classes"]) == ["stand up"]


def test_a_table_has_a_line_for_each_figure_and_a_column_for_each_model():
    lines = evaluate.table({"a": {"x": 0.5, "deep": {"y": None}}, "b": {"x": 1, "deep": {"y": 0.25}}}).splitlines()
    assert [line.split() for line in lines] == [["a", "b"], ["x", "0.500", "1"], ["deep/y", "-", "0.250"]]
