"""Pose networks run by OpenVINO: what it cannot run stays with torch, the rest gives the same, and is kept."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from app.pose import compiled, mmpose, openmmlab  # noqa: F401
from app.pose.compiled import speed_up

from mmengine.config import Config  # isort: skip
from mmpose.apis import init_model  # isort: skip

RTMPOSE = mmpose.MMPOSE_CONFIGS / "configs/body_2d_keypoint/rtmpose/body8/rtmpose-t_8xb256-420e_body8-256x192.py"


def rtmpose(seed=0):
    """A real network with random weights."""
    torch.manual_seed(seed)
    return init_model(Config.fromfile(RTMPOSE), None, device="cpu")


def given(model, pictures):
    with torch.no_grad():
        return model.head.forward(model.extract_feat(pictures))


class Eigenvalues(nn.Module):
    """What OpenVINO has no operation for."""

    decoder = SimpleNamespace(input_size=(192, 256))

    def forward(self, features):
        return torch.linalg.eigvals(features[-1][:, 0, :4, :4]).real


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


def test_what_openvino_cannot_run_stays_with_torch(tmp_path, capsys):
    model = rtmpose()
    model.head = Eigenvalues()
    pictures = torch.rand(2, 3, 256, 192)
    before = given(model, pictures)
    speed_up(model, [tmp_path])
    assert "torch runs the network" in capsys.readouterr().err
    assert torch.equal(given(model, pictures), before)


@pytest.mark.parametrize("count", [1, 3])
def test_the_same_people_are_found(folder, count):
    pictures = torch.randn(count, 3, 256, 192)
    model = rtmpose()
    before = given(model, pictures)
    speed_up(model, [folder])
    for ours, theirs in zip(given(model, pictures), before):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=1e-4 * theirs.abs().max())


def test_a_network_is_prepared_once_and_others_are_others(folder, capsys):
    speed_up(rtmpose(), [folder])
    capsys.readouterr()
    speed_up(rtmpose(), [folder])
    assert capsys.readouterr().err == ""
    (kept,) = (folder / compiled.FOLDER).iterdir()
    assert kept.name == compiled.fingerprint(rtmpose()) != compiled.fingerprint(rtmpose(seed=1))


def test_where_nothing_can_be_kept_it_still_runs(tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    model, pictures = rtmpose(), torch.randn(1, 3, 256, 192)
    before = given(model, pictures)
    speed_up(model, [tmp_path / "file"])
    np.testing.assert_allclose(given(model, pictures)[0], before[0], atol=1e-4 * before[0].abs().max())


def test_a_damaged_copy_is_made_anew(tmp_path, capsys):
    damaged = tmp_path / compiled.FOLDER / compiled.fingerprint(rtmpose()) / compiled.FILE
    damaged.parent.mkdir(parents=True)
    damaged.write_text("no network")
    for said in ("preparing", ""):
        model, pictures = rtmpose(), torch.randn(1, 3, 256, 192)
        before = given(model, pictures)
        speed_up(model, [tmp_path])
        err = capsys.readouterr().err
        assert said in err and bool(said) == bool(err)
        np.testing.assert_allclose(given(model, pictures)[0], before[0], atol=1e-4 * before[0].abs().max())
