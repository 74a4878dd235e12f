"""A benchmark's protocol: refusals, the figures, and a run on made-up data."""

import json

import pytest

import stgcn
from stgcn.protocol import main, summary, table
from tests.stgcn.made_up import write_config

QUICK = "\ntraining['epochs'] = 2\n"


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = write_config(tmp_path_factory.mktemp("made_up"))
    path.write_text(path.read_text() + QUICK)
    return path


@pytest.mark.parametrize("wrong", [["--splits", "7"], ["--streams", "limb"], ["--streams", "joint", "joint"]])
def test_bad_input_is_one_line_and_exit_2(config, tmp_path, capsys, wrong):
    with pytest.raises(SystemExit, match="2"):
        main([str(config), "-o", str(tmp_path), "--seeds", "0", *wrong])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")


def result(split, seed, top1):
    return {"split": split, "seed": seed, "top1": {"part": {"joint": top1}}}


def test_the_figure_is_the_mean_of_the_splits_and_its_spread_that_of_the_seeds():
    (row,) = summary([result("1", 0, 0.7), result("2", 0, 0.9), result("1", 1, 0.6), result("2", 1, 0.8)])
    assert row["by_split"] == pytest.approx({"1": 0.65, "2": 0.85})
    assert row["mean"] == pytest.approx(0.75)
    assert row["sd"] == pytest.approx(0.05 * 2**0.5)
    assert "| part | joint | 65.0 | 85.0 | 75.0 ± 7.1 |" in table([row])


def test_one_seed_has_no_spread():
    (row,) = summary([result("1", 0, 0.5)])
    assert row["sd"] is None and "| 50.0 |" in table([row]) and "±" not in table([row]).splitlines()[-1]


def test_every_stream_and_seed_is_trained_once_and_fused(config, tmp_path, capsys):
    arguments = [str(config), "-o", str(tmp_path), "--seeds", "3", "4", "--streams", "joint", "bone"]
    main(arguments)
    capsys.readouterr()
    models = sorted(tmp_path.glob("tiny/*/model.pth"))
    assert [path.parent.name for path in models] == [
        "bone_split1_seed3", "bone_split1_seed4", "joint_split1_seed3", "joint_split1_seed4"
    ]  # fmt: skip
    before = [path.stat().st_mtime_ns for path in models]
    main(arguments)
    assert [path.stat().st_mtime_ns for path in models] == before
    assert "| made_up | fused |" in capsys.readouterr().out
    rows = json.loads((tmp_path / "tiny.json").read_text())["rows"]
    assert [row["model"] for row in rows] == ["joint", "bone", "fused"]


def test_networks_of_several_configs_are_fused_on_the_test_data_of_the_first(config, tmp_path):
    whole = config.with_name("whole.py")
    whole.write_text("_base_ = 'tiny.py'\npreprocess = dict(whole_clips=True)\ndata = dict(test=dict(_delete_=True))\n")
    main([str(config), str(whole), "-o", str(tmp_path), "--seeds", "0"])
    rows = json.loads((tmp_path / "tiny+whole.json").read_text())["rows"]
    assert [(row["part"], row["model"]) for row in rows] == [
        ("made_up", "tiny joint"), ("made_up", "whole joint"), ("made_up", "fused")
    ]  # fmt: skip
    kinds = [stgcn.load(tmp_path / name / "joint_split1_seed0/model.pth").preprocess for name in ("tiny", "whole")]
    assert [kind.whole_clips for kind in kinds] == [False, True]


@pytest.mark.parametrize("name, content, why", [
    ("tiny.py", "", "different file names"),
    ("other.py", "preprocess = dict(layout='jhmdb15')", "same joints"),
    ("other.py", "model = dict(length=1)", "length"),
])  # fmt: skip
def test_configs_that_do_not_fit_are_refused_before_anything_is_trained(config, tmp_path, capsys, name, content, why):
    other = tmp_path / name
    other.write_text(f"_base_ = {str(config)!r}\n{content}\n")
    with pytest.raises(SystemExit, match="2"):
        main([str(config), str(other), "-o", str(tmp_path / "networks")])
    (line,) = capsys.readouterr().err.splitlines()
    assert why in line
    assert not (tmp_path / "networks").exists()
