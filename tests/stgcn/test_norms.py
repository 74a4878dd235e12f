"""Statistics of batch norms after training."""

import numpy as np
import pytest
import torch

from stgcn.data import Clip, SkeletonDataset
from stgcn.model import STGCN
from stgcn.norms import settle
from stgcn.preprocess import Preprocess

PREPROCESS = Preprocess(layout="coco17", fps=15.0, frames=8)


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    times = np.arange(10) / 15
    clips = [Clip(f"{i}", i % 2, times, rng.random((10, 17, 3), np.float32), times[-1]) for i in range(8)]
    return SkeletonDataset(clips, PREPROCESS, num_classes=2)


def network(dropout=0.0):
    torch.manual_seed(0)
    return STGCN(2, width=4, dropout=dropout).eval()


def test_statistics_are_those_of_the_samples(samples):
    settled = network()
    settle(settled, samples, batch_size=8)
    windows = torch.stack([window for window, _ in samples])  # (N, C, T, V, M)
    of_joints = windows.mean(dim=(0, 2, 4)).T.flatten()  # (V*C,)
    torch.testing.assert_close(settled.data_norm.running_mean, of_joints)


def test_nothing_else_changes(samples):
    before, after = network(), network()
    settle(after, samples, batch_size=4)
    assert not after.training
    old = before.state_dict()
    changed = {name for name, value in after.state_dict().items() if not torch.equal(value, old[name])}
    assert changed == {name for name in old if name.endswith(("running_mean", "running_var", "num_batches_tracked"))}


def test_neither_dropout_nor_what_was_measured_before_matters(samples):
    once, twice, dropping = network(), network(), network(dropout=0.5)
    for settled in (once, twice, twice, dropping):
        settle(settled, samples, batch_size=4)
    for name, value in once.state_dict().items():
        assert torch.equal(twice.state_dict()[name], value), name
        assert torch.equal(dropping.state_dict()[name], value), name
    assert dropping.arguments["dropout"] == 0.5 and dropping.units[0].dropout.p == 0.5
