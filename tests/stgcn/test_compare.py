import builtins
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stgcn import compare as module
from stgcn.compare import CLAIMS, CONTENDERS, build, check, main
from stgcn.compare_page import Claim, Comparison, Row, as_values, page, verdict
from stgcn.cost import Cost, count_parameters
from stgcn.model import STGCN
from stgcn.settings import read_settings
from tests.stgcn.made_up import write_config

ROOT = Path(__file__).parents[2]
QUICK = """
model = dict(width=6, dropout=0.1)
preprocess = dict(frames=8)
training = dict(epochs=1, warmup_epochs=0, batch_size=8, learning_rate=0.05)
"""

needs_torch_geometric = pytest.mark.usefixtures("torch_geometric")


@pytest.fixture
def torch_geometric():
    pytest.importorskip("torch_geometric", reason="torch_geometric, an optional extra, is not installed")


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Path of a config for a small made-up data set."""
    path = write_config(tmp_path_factory.mktemp("made_up"))
    path.write_text(path.read_text() + QUICK)
    return path


def refusal(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("option, words", [
    ("model.strategy=uniform", ["model.strategy is part of what is compared", "width and dropout"]),
    ("model.temporal_kernel=3", ["model.temporal_kernel is part of what is compared"]),
    ("model.multi_scale=True", ["model.multi_scale is part of what is compared"]),
    ("model.depth=3", ["unknown key 'depth' at model"]),
    ("data.val=0.2", ["data.val holds clips out"]),
    ("data.train=[none]", ["there is no folder none"]),
    ("training.epochs=0", ["at least 1 epoch"]),
])  # fmt: skip
def test_bad_configs_are_one_line_and_exit_2(config, tmp_path, capsys, option, words):
    line = refusal([config, "--work-dir", tmp_path / "work", "--cfg-options", option], capsys)
    for word in words:
        assert word in line
    assert not (tmp_path / "work").exists()


def test_a_comparison_has_one_test_set(config):
    settings = read_settings(config)
    for parts in ({}, {"one": "here", "other": "there"}):
        with pytest.raises(ValueError, match=f"data.test has {len(parts)} parts"):
            check(replace(settings, data=replace(settings.data, test=parts)))


def test_bad_arguments_are_one_line_and_exit_2(config, tmp_path, capsys):
    work = ["--work-dir", tmp_path / "work"]
    assert "none.py" in refusal([tmp_path / "none.py", *work], capsys)
    assert "--seeds must be at least 1" in refusal([config, "--seeds", 0, *work], capsys)
    assert "is a folder" in refusal([config, "--output", tmp_path, *work], capsys)
    assert not (tmp_path / "work").exists()


@needs_torch_geometric
def test_a_network_too_narrow_is_refused_before_any_training(config, tmp_path, capsys):
    line = refusal([config, "--work-dir", tmp_path / "work", "--cfg-options", "model.width=5"], capsys)
    assert "width must be at least 6" in line and not (tmp_path / "work").exists()


def test_without_torch_geometric_nothing_starts(config, tmp_path, capsys, monkeypatch):
    real_import = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("torch_geometric"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    line = refusal([config, "--work-dir", tmp_path / "work"], capsys)
    assert "pip install torch_geometric" in line and not (tmp_path / "work").exists()


def test_the_committed_configs_can_be_compared():
    for path in sorted(ROOT.glob("configs/compare/*.py")):
        check(read_settings(path))


@needs_torch_geometric
def test_contenders_differ_from_one_another(config):
    settings = read_settings(config)
    networks = {c.name: build(c, settings, num_classes=2, seed=0) for c in CONTENDERS}
    assert len(networks) == len(CONTENDERS) == 9
    graphs = {name: net.arguments["strategy"] for name, net in networks.items() if isinstance(net, STGCN)}
    assert graphs == {
        "uniform": "uniform", "distance": "distance", "spatial": "spatial", "unweighted": "spatial",
        "plus_plus": "directed",
    }  # fmt: skip
    assert count_parameters(networks["spatial"]) > count_parameters(networks["unweighted"])
    assert count_parameters(networks["simple"]) == count_parameters(networks["simple_identity"])
    assert all(network.classifier.in_features == 4 * 6 for network in networks.values())


@needs_torch_geometric
def test_compares_then_goes_on_where_it_stopped(config, tmp_path, monkeypatch, capsys):
    page_path, work = tmp_path / "docs/comparison.md", tmp_path / "work"
    arguments = [str(config), "--work-dir", str(work), "--output", str(page_path)]
    trained = []

    def counted(contender, experiment, folder):
        if len(trained) == 4:
            raise KeyboardInterrupt
        trained.append(folder.name)
        return run_one(contender, experiment, folder)

    run_one = module.run_one
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "run_one", counted)
        main([*arguments, "--seeds", "1"])
    assert not page_path.exists()

    first = (work / "lstm_seed0/result.json").read_bytes()
    (work / "frame_gnn_seed0/result.json").unlink()  # trained to the end, stopped before it was tested
    main([*arguments, "--seeds", "1"])
    assert (work / "lstm_seed0/result.json").read_bytes() == first
    figures = json.loads((work / "comparison.json").read_text())
    assert list(figures["rows"]) == [contender.name for contender in CONTENDERS]
    assert (figures["classes"], figures["train_clips"], figures["test_clips"]) == (2, 24, 12)
    text = page_path.read_text()
    for contender in CONTENDERS:
        assert f"| {contender.title} | " in text
    assert f"python -m stgcn.compare {config}" in text and "one seed does not tell" in text

    with monkeypatch.context() as patch:
        patch.setattr(module, "CONTENDERS", CONTENDERS[2:4])
        patch.setattr(module, "CLAIMS", (Claim("graph helps", "simple", "simple_identity"),))
        main([*arguments, "--seeds", "2"])
        main([*arguments, "--seeds", "2"])  # nothing is left to do but the page
    assert len(json.loads((work / "comparison.json").read_text())["rows"]["simple"]["accuracies"]) == 2
    assert len(list(work.glob("*_seed1"))) == 2

    capsys.readouterr()
    line = refusal([*arguments, "--cfg-options", "training.epochs=2"], capsys)
    assert "runs with other settings of training" in line


def test_a_run_that_was_killed_ends_like_one_that_was_not(config, tmp_path, monkeypatch):
    settings = read_settings(config, {"training.epochs": 3})
    weights, measure = [], module.measure

    def noted(network, *arguments):
        weights.append(network.state_dict())
        return measure(network, *arguments)

    monkeypatch.setattr(module, "measure", noted)
    straight = module.run_one(CONTENDERS[3], module.prepare(settings, 0), tmp_path / "straight")

    killed, experiment = tmp_path / "killed", module.prepare(settings, 0)
    get = type(experiment.train).__getitem__

    def stop(dataset, i):
        if dataset.epoch == 2:
            raise KeyboardInterrupt
        return get(dataset, i)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(experiment.train), "__getitem__", stop)
        module.run_one(CONTENDERS[3], experiment, killed)
    assert module.run_one(CONTENDERS[3], module.prepare(settings, 0), killed) == straight
    assert all(torch.equal(weights[1][key], tensor) for key, tensor in weights[0].items())


def row(title, *percent, multiply_adds=5_000_000):
    cost = Cost(12_345, multiply_adds, receptive_field=1, inference_ms=2.0, training_clips_per_s=100.0)
    return Row(title, [value / 100 for value in percent], cost)


@pytest.mark.parametrize("better, worse, expected", [
    ((70, 71, 72), (60, 61, 62), "holds here"),
    ((60, 61, 62), (70, 71, 72), "the opposite holds here"),
    ((60, 61, 62), (61, 62, 63), "not shown here: within the spread"),
    ((60, 60, 60), (60, 60, 60), "not shown here: within the spread"),
    ((70,), (60,), "one seed does not tell"),
])  # fmt: skip
def test_only_differences_beyond_the_spread_count(better, worse, expected):
    assert verdict(row("a", *better), row("b", *worse)) == expected


def made_up_comparison(config, **rows):
    return Comparison(
        settings=read_settings(config), classes=2, train_clips=8, test_clips=100, machine="two cores",
        date="2000-01-01", command="python -m stgcn.compare tiny.py", rows=rows,
    )  # fmt: skip


def test_the_page_says_what_the_figures_say(config):
    comparison = made_up_comparison(
        config, big=row("big", 80, 81, 82, multiply_adds=9_876_543), small=row("small", 79, 80, 81),
        bad=row("bad", 50, 50, 50),
    )  # fmt: skip
    text = page(comparison, [Claim("size helps", "big", "small"), Claim("bad is good", "bad", "big")])
    assert "| big | 81.0 ± 1.0 | 12.3 k | 9.88 M | 100 | 2.0 | 1 frame |" in text
    assert "Most accurate: big, 81.0 ± 1.0 %." in text
    assert "within both standard deviations together: small (80.0 ± 1.0 %)." in text
    assert "small needs the fewest multiply-adds: 5 M" in text
    assert "81 % on 100 test clips has a standard deviation of 3.9 points" in text
    assert "| size helps | big − small | +1.0 | not shown here: within the spread |" in text
    assert "| bad is good | bad − big | -31.0 | the opposite holds here |" in text
    for line in text.splitlines():
        assert not re.search(r"None|nan", line), line


def test_the_figures_are_plain_values(config):
    values = as_values(made_up_comparison(config, one=row("one", 80, 82), other=row("other", 50)))
    again = json.loads(json.dumps(values))
    assert again["rows"]["one"]["mean_percent"] == pytest.approx(81)
    assert again["rows"]["one"]["deviation_points"] == pytest.approx(2**0.5)
    assert again["rows"]["other"]["deviation_points"] is None
    assert again["settings"]["training"]["epochs"] == 1


def test_claims_name_contenders():
    names = {contender.name for contender in CONTENDERS}
    assert all({claim.better, claim.worse} <= names for claim in CLAIMS)
