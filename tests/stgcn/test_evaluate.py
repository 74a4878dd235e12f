import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stgcn.checkpoint import Checkpoint, save
from stgcn.evaluate import evaluate, main, read_models, table
from stgcn.experiment import parts_to_test
from stgcn.model import STGCN
from stgcn.preprocess import Preprocess
from stgcn.settings import read_settings
from stgcn.streams import stream
from tests.stgcn.made_up import TEST_CLIPS, write_config

CLASSES = ("nod", "wave")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Path of a config for a small made-up data set."""
    return write_config(tmp_path_factory.mktemp("made_up"))


@pytest.fixture(scope="module")
def trained_on(tmp_path_factory):
    """Path of an untrained network's checkpoint for a stream, classes and a layout."""
    folder = tmp_path_factory.mktemp("checkpoints")

    def make(name="joint", classes=CLASSES, layout="coco17", known=True, people=1):
        torch.manual_seed(len(name))
        model = STGCN(len(classes), layout, width=4).eval()
        preprocess = Preprocess(layout=layout, frames=20, stream=name, people=people) if known else None
        path = folder / f"{name}-{'-'.join(classes)}-{layout}-{known}-{people}.pth"
        save(path, Checkpoint(model, preprocess, classes))
        return str(path)

    return make


@pytest.mark.parametrize("made, words", [
    (dict(classes=("nod", "jump")), ["other classes", "number 1, jump instead of wave"]),
    (dict(classes=("nod", "wave", "sit")), ["number 2, sit instead of none"]),
    (dict(layout="jhmdb15"), ["is for jhmdb15 skeletons, the config for coco17"]),
    (dict(people=2), ["is for coco17*2 skeletons, the config for coco17"]),
    (dict(known=False), ["without preprocessing"]),
])  # fmt: skip
def test_a_checkpoint_that_does_not_fit(config, trained_on, tmp_path, capsys, made, words):
    with pytest.raises(SystemExit) as caught:
        main([str(config), trained_on(), trained_on(**made), "-o", str(tmp_path / "out")])
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and all(word in line for word in words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("weights, words", [
    (["1"], "2 checkpoints need as many weights, got 1"), (["0", "0"], "one is more"),
    (["1", "-1"], "0 or more"),
])  # fmt: skip
def test_weights_that_do_not_fit(config, trained_on, capsys, weights, words):
    with pytest.raises(SystemExit, match="2"):
        main([str(config), trained_on(), trained_on("bone"), "--weights", *weights])
    assert words in capsys.readouterr().err


def test_missing_or_unusable_files(config, trained_on, tmp_path, capsys):
    (tmp_path / "text.pth").write_text("no checkpoint")
    (tmp_path / "empty.py").write_text("data = dict(splits='none.csv', train=[], test={})")
    for files, words in (
        ([tmp_path / "none.py", trained_on()], "none.py cannot be read"),
        ([config, tmp_path / "none.pth"], "there is no checkpoint"),
        ([config, tmp_path / "text.pth"], "text.pth is not a checkpoint"),
        ([tmp_path / "empty.py", trained_on()], "data.test is empty"),
        ([config, trained_on(), "-o", config], "exists"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main([str(file) for file in files])
        (line,) = capsys.readouterr().err.splitlines()
        assert words in line


def test_one_checkpoint(config, trained_on, tmp_path, capsys):
    main([str(config), trained_on(), "-o", str(tmp_path)])
    heading, line, _ = capsys.readouterr().out.splitlines()
    assert heading.startswith("test part") and line.startswith("made_up") and "joint" in line
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["parts"].keys() == {"made_up"} and found["cost"].keys() == {"joint"}
    assert found["parts"]["made_up"]["joint"]["clips"] == TEST_CLIPS
    assert min(found["cost"]["joint"].values()) > 0
    assert {path.name for path in tmp_path.iterdir()} == {"results.json", "confusion_made_up_joint.png"}


def test_streams_alone_and_fused(config, trained_on):
    settings = read_settings(config)
    paths = [trained_on("joint"), trained_on("bone")]
    found = evaluate(settings, read_models(paths))
    assert [model["weight"] for model in found["models"]] == [2, 2]
    assert list(found["parts"]["made_up"]) == ["joint", "bone", "fused"]
    cost = found["cost"]
    for key in ("parameters", "multiply_adds"):
        assert cost["fused"][key] == cost["joint"][key] + cost["bone"][key]
    assert cost["fused"]["clips_per_s"] < min(cost["joint"]["clips_per_s"], cost["bone"]["clips_per_s"])
    assert len(table(found).splitlines()) == 4
    only_bone = evaluate(settings, read_models(paths, [0, 1]))["parts"]["made_up"]
    assert only_bone["fused"] == only_bone["bone"] == found["parts"]["made_up"]["bone"]


def test_two_of_the_same_stream_have_numbers(trained_on):
    models = read_models([trained_on(), trained_on("bone_motion"), trained_on()])
    assert [model.name for model in models] == ["joint_1", "bone_motion", "joint_2"]
    assert [model.weight for model in models] == [2, 1, 2]


@pytest.mark.parametrize("name", ["joint", "bone_motion"])
def test_a_network_sees_its_own_stream(config, trained_on, name):
    settings = read_settings(config, {"preprocess.frames": 31})
    (model,) = read_models([trained_on(name)])
    preprocess = replace(model.checkpoint.preprocess, stream="joint")
    predicted = []
    for clip in parts_to_test(settings)["made_up"].clips:
        window = torch.from_numpy(preprocess(clip.times, clip.keypoints, clip.end_s))[None, ..., None]  # NCTVM
        predicted.append(model.checkpoint.model(stream(window, name, "coco17")).argmax().item())
    found = evaluate(settings, [model])["parts"]["made_up"][name]
    assert torch.tensor(found["confusion"]).sum(dim=0).tolist() == [predicted.count(0), predicted.count(1)]


def test_estimators_that_saw_the_same_recordings_decide_together(config, trained_on):
    part = read_settings(config).data.test["made_up"]
    models = read_models([trained_on()])
    found = evaluate(read_settings(config, {"data.test": {"one": part, "same": part}}), models)["parts"]
    assert found["together"] == found["one"] == found["same"]
    assert set(evaluate(read_settings(config), models)["parts"]) == {"made_up"}
    with pytest.raises(ValueError, match="may be called 'together'"):
        evaluate(read_settings(config, {"data.test": {"together": part}}), models)


def test_views_are_averaged_for_every_clip(config, trained_on):
    models = read_models([trained_on()])
    one, several = (evaluate(read_settings(config), models, several)["parts"]["made_up"]["joint"]
                    for several in (False, True))  # fmt: skip
    assert one["clips"] == several["clips"] and sum(map(sum, several["confusion"])) == several["clips"]


@pytest.mark.parametrize("name, config", [("stgcn-webcam", "webcam"), ("stgcn-jhmdb-coco17", "jhmdb_coco17")])
def test_the_committed_checkpoints_are_as_good_as_their_cards_say(shared, monkeypatch, name, config):
    shared("data/jhmdb/splits.csv")
    monkeypatch.chdir(ROOT)
    settings = read_settings(f"configs/actions/{config}.py")
    for source in settings.data.test.values():
        path = Path(source["path"] if isinstance(source, Mapping) else source)
        if not path.exists():
            pytest.skip(f"there is no {path}; the model card says how to make the skeletons of J-HMDB")
    (model,) = read_models([f"checkpoints/{name}.pth"])
    found = {part: of_streams[model.checkpoint.preprocess.stream]
             for part, of_streams in evaluate(settings, [model])["parts"].items()}
    card = (ROOT / f"checkpoints/{name}.md").read_text()
    for part, skeletons_by in (("mmpose", "PP-TinyPose through MMPose"), ("movenet", "MoveNet MultiPose")):
        stated = re.search(rf"^\| {skeletons_by} \| ([\d.]+) %", card, re.MULTILINE)[1]
        assert 100 * found[part]["top1"] == pytest.approx(float(stated), abs=0.05)
    for part, stored in model.checkpoint.metrics.items():
        assert found[part]["confusion"] == stored["confusion"]
