import os
import pickle
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import stgcn
from stgcn.checkpoint import Checkpoint, CheckpointError, load, save
from stgcn.model import STGCN
from stgcn.preprocess import Preprocess


@pytest.fixture
def checkpoint():
    torch.manual_seed(0)
    return Checkpoint(
        model=STGCN(num_classes=2, width=4).eval(),
        preprocess=Preprocess(frames=32),
        classes=("walk", "wave"),
        metrics={"test": {"top1": 0.5, "recall": {"wave": 0.25}}},
        decisions={"threshold": 0.6},
        about={"data": "made up", "seed": 1},
    )


@pytest.fixture
def path(checkpoint, tmp_path):
    path = tmp_path / "model.pth"
    save(path, checkpoint)
    return path


def edited(path, edit):
    content = torch.load(path, weights_only=True)
    edit(content)
    torch.save(content, path)
    return path


def assert_refused(path, *words):
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    for word in words:
        assert word in message


def test_missing_file_and_folder(tmp_path):
    assert_refused(tmp_path / "none.pth", "no checkpoint")
    assert_refused(tmp_path, "no checkpoint")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02garbage", b"PK\x03\x04 broken zip"])
def test_not_a_torch_file(tmp_path, content):
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    assert_refused(path, "read safely")


def test_truncated(path):
    path.write_bytes(path.read_bytes()[:5000])
    assert_refused(path, "read safely")


def test_checkpoint_of_another_kind(shared):
    assert_refused(shared("weights/rtmdet-nano_person_320.pth"), "another kind", "it holds")


@pytest.mark.parametrize("content", [
    {}, {"state_dict": {}}, {"state_dict": [1]}, {"state_dict": None}, {1: 2}, [1, 2], torch.zeros(3), None,
])  # fmt: skip
def test_plain_file_of_another_kind(tmp_path, content):
    torch.save(content, tmp_path / "other.pth")
    assert_refused(tmp_path / "other.pth", "another kind")


class Attack:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("write", [
    lambda attack, path: torch.save({"format": attack}, path),
    lambda attack, path: path.write_bytes(pickle.dumps(attack, protocol=2)),
])  # fmt: skip
def test_malicious_pickle_is_refused_unexecuted(tmp_path, write):
    target, path = tmp_path / "executed", tmp_path / "evil.pth"
    write(Attack(target), path)
    assert_refused(path, "read safely")
    assert not target.exists()
    with suppress(RuntimeError):
        torch.load(path, weights_only=False)
    assert target.exists(), "the attack is real: loading that trusts the file runs it"


def test_missing_extra_and_misshapen_keys_are_listed(path):
    def edit(content):
        weights = content["state_dict"]
        weights["unit.bias"] = weights.pop("classifier.bias")
        weights["classifier.weight"] = torch.zeros(3, 16)

    assert_refused(
        edited(path, edit),
        "missing: classifier.bias", "unknown: unit.bias", "classifier.weight (3, 16) instead of (2, 16)",
    )  # fmt: skip


def test_a_long_list_of_keys_is_cut(path):
    assert_refused(edited(path, lambda content: content["state_dict"].clear()), "data_norm.weight", "more")


@pytest.mark.parametrize("edit, words", [
    (lambda c: c["model"].update(layout="coco18"), ["coco18", "coco17"]),
    (lambda c: c["model"].update(depth=3), ["depth"]),
    (lambda c: c["preprocess"].update(layout="openpose18"), ["coco17", "openpose18"]),
    (lambda c: c["preprocess"].update(stream="joint+bone"), ["expects 3 channels", "joint+bone", "makes 6"]),
    (lambda c: c["preprocess"].update(zoom=3), ["zoom"]),
    (lambda c: c.update(classes=("wave",)), ["2 outputs", "1 class names"]),
    (lambda c: c.pop("preprocess"), ["preprocess"]),
    (lambda c: c.update(state_dict=3), ["does not fit"]),
    (lambda c: c["state_dict"].update({"classifier.bias": 3}), ["classifier.bias int instead of (2,)"]),
    (lambda c: c["model"].update(adaptive=True), ["edge_importance=False"]),
])  # fmt: skip
def test_parts_that_do_not_fit_together(path, edit, words):
    assert_refused(edited(path, edit), *words)


def test_classes_must_match_the_network(checkpoint):
    with pytest.raises(CheckpointError, match="2 outputs, but there are 1 class names"):
        Checkpoint(checkpoint.model, checkpoint.preprocess, ("wave",))


def test_failed_save_leaves_the_old_file(checkpoint, path):
    before = path.read_bytes()
    checkpoint.about["odd"] = object()
    with pytest.raises(CheckpointError):
        save(path, checkpoint)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_weights_beyond_half_precision_are_refused(checkpoint, path):
    checkpoint.model.data_norm.running_var.fill_(1e6)
    with pytest.raises(CheckpointError, match="running_var.*half=False"):
        save(path, checkpoint)
    save(path, checkpoint, half=False)
    assert load(path).model.data_norm.running_var[0] == 1e6


@torch.no_grad()
def test_round_trip(checkpoint, path):
    again = stgcn.load(path)
    assert (again.preprocess, again.classes) == (checkpoint.preprocess, checkpoint.classes)
    assert (again.metrics, again.decisions, again.about) == (
        checkpoint.metrics, checkpoint.decisions, checkpoint.about
    )  # fmt: skip
    assert not again.model.training
    assert {t.dtype for t in again.model.state_dict().values()} == {torch.float32, torch.int64}
    x = torch.randn(2, 3, 32, 17, 1)
    torch.testing.assert_close(again.model(x), checkpoint.model(x), rtol=0, atol=0.01)


@torch.no_grad()
def test_full_precision_round_trip_is_exact(checkpoint, tmp_path):
    save(tmp_path / "full.pth", checkpoint, half=False)
    x = torch.randn(2, 3, 32, 17, 1)
    assert torch.equal(load(tmp_path / "full.pth").model(x), checkpoint.model(x))


@torch.no_grad()
def test_plus_plus_round_trip(checkpoint, tmp_path):
    options = dict(edge_importance=False, adaptive=True, graph_residual=True, multi_scale=True)
    model = STGCN(num_classes=2, width=6, strategy="directed", **options).eval()
    model.units[3].spatial.adjacency.uniform_(0, 0.3)
    save(tmp_path / "model.pth", replace(checkpoint, model=model), half=False)
    x = torch.randn(2, 3, 32, 17, 1)
    assert torch.equal(load(tmp_path / "model.pth").model(x), model(x))


def test_the_committed_checkpoints_load():
    for path in (Path(__file__).parents[2] / "checkpoints").glob("stgcn-*.pth"):
        checkpoint = load(path)
        assert checkpoint.preprocess.layout == checkpoint.model.arguments["layout"]


def test_saving_twice_is_stable(checkpoint, path, tmp_path):
    first = load(path)
    save(tmp_path / "again.pth", first)
    second = load(tmp_path / "again.pth").model.state_dict()
    for key, tensor in first.model.state_dict().items():
        assert torch.equal(second[key], tensor), key
