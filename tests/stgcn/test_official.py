"""Official checkpoints: what is refused and how it is said, and the logits of those that are read."""

import os
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch

import stgcn
from stgcn.checkpoint import CheckpointError, load, save
from stgcn.model import STGCN
from stgcn.official import MMACTION2, ORIGINAL, PYSKL, input_from_mmaction2
from stgcn.preprocess import Preprocess

PLUS_PLUS = dict(edge_importance=False, adaptive=True, graph_residual=True, multi_scale=True)
REFERENCES = {
    "yysijie_openpose_spatial": (ORIGINAL, dict(num_classes=10, layout="openpose18", strategy="spatial")),
    "yysijie_ntu_distance": (ORIGINAL, dict(num_classes=7, layout="ntu25", strategy="distance")),
    "mmaction2_stgcn_coco": (MMACTION2, dict(num_classes=9, width=16)),
    "mmaction2_stgcnpp_coco": (MMACTION2, dict(num_classes=9, width=16, strategy="directed") | PLUS_PLUS),
    "pyskl_stgcn_coco": (PYSKL, dict(num_classes=9, width=16)),
}
every_reference = pytest.mark.parametrize("name", REFERENCES)
SOURCES = {"original": ORIGINAL, "mmaction2": MMACTION2, "pyskl": PYSKL}
every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


def official_weights(source, **arguments):
    """A small network's weights, named and shaped as in a checkpoint of `source`; and the network."""
    torch.manual_seed(0)
    network = STGCN(**(dict(num_classes=4, width=6) | arguments)).eval()
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor += 0.1 * torch.rand_like(tensor)
    weights = {source.key(key): tensor.clone() for key, tensor in network.state_dict().items()}
    for i, unit in enumerate(network.units):
        weights[source.key(f"units.{i}.spatial.adjacency")] = unit.spatial.adjacency.detach().clone()
    if source is ORIGINAL:
        weights["fcn.weight"] = weights["fcn.weight"][:, :, None, None]
    return weights, network


def write(path, source, weights):
    torch.save(weights if source is ORIGINAL else {"meta": {"epoch": 1}, "state_dict": weights}, path)
    return path


def assert_refused(path, *words):
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    for word in words:
        assert word in message


class Attack:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@every_source
def test_code_in_an_official_checkpoint_is_refused_unexecuted(tmp_path, source):
    weights, _ = official_weights(source)
    target = tmp_path / "executed"
    path = write(tmp_path / "evil.pth", source, weights | {"extra": Attack(target)})
    assert_refused(path, "read safely")
    assert not target.exists()
    with suppress(Exception):
        torch.load(path, weights_only=False)
    assert target.exists(), "the attack is real: loading that trusts the file runs it"


@every_source
def test_missing_extra_and_misshapen_keys_are_listed_by_their_names_in_the_file(tmp_path, source):
    weights, _ = official_weights(source)
    missing, misshapen = source.key("units.3.temporal.bias"), source.key("units.4.residual.0.weight")
    del weights[missing]
    weights[misshapen] = torch.zeros(12, 5, 1, 1)
    weights["data_bn.more"] = torch.zeros(1)
    path = write(tmp_path / "a.pth", source, weights)
    assert_refused(path, f"missing: {missing}", "unknown: data_bn.more",
                   f"{misshapen} (12, 5, 1, 1) instead of (12, 6, 1, 1)")  # fmt: skip


@every_source
@pytest.mark.parametrize("ours", [
    "classifier.weight", "units.0.spatial.conv.weight", "units.0.temporal.weight",
    "units.0.spatial.adjacency",
])  # fmt: skip
@pytest.mark.parametrize("value", [None, 3, torch.zeros(2), torch.zeros(0, 0, 0, 0)], ids=repr)
def test_what_the_arguments_follow_from_must_be_there(tmp_path, source, ours, value):
    weights, _ = official_weights(source)
    key = source.key(ours)
    weights[key] = value
    assert_refused(write(tmp_path / "a.pth", source, weights), key, "no tensor with")
    del weights[key]
    assert_refused(write(tmp_path / "b.pth", source, weights), f"missing: {key}")


def test_another_number_of_units_is_said(tmp_path):
    weights, _ = official_weights(MMACTION2)
    fewer = {key: tensor for key, tensor in weights.items() if ".8." not in key and ".9." not in key}
    assert_refused(write(tmp_path / "a.pth", MMACTION2, fewer), "missing: backbone.gcn.8.gcn.A")
    more = weights | {key.replace(".9.", ".10."): tensor for key, tensor in weights.items() if ".9." in key}
    assert_refused(write(tmp_path / "b.pth", MMACTION2, more), "unknown: backbone.gcn.10", "more")


def test_statistics_of_each_person_are_not_supported(tmp_path):
    """data_bn_type='MVC': the two persons are normalised apart."""
    weights, _ = official_weights(MMACTION2)
    for name in ("weight", "bias", "running_mean", "running_var"):
        weights[f"backbone.data_bn.{name}"] = torch.ones(102)
    path = write(tmp_path / "a.pth", MMACTION2, weights)
    assert_refused(path, "backbone.data_bn.weight (102,) instead of (51,)")


@pytest.mark.parametrize("unit", [0, 7])
def test_an_unknown_graph_is_refused(tmp_path, unit):
    weights, _ = official_weights(MMACTION2)
    weights[f"backbone.gcn.{unit}.gcn.A"][1, 3, 4] = 0.5
    assert_refused(write(tmp_path / "a.pth", MMACTION2, weights), "3 subsets of 17 joints", "coco17")


def test_a_learned_graph_of_an_unknown_skeleton_is_refused(tmp_path):
    weights, _ = official_weights(MMACTION2, layout="kinect20", strategy="directed", **PLUS_PLUS)
    assert_refused(write(tmp_path / "a.pth", MMACTION2, weights), "3 subsets of 20 joints")


def test_masks_that_are_added_to_the_graph_are_told_from_factors(tmp_path):
    weights, _ = official_weights(MMACTION2)
    for i in range(10):
        weights[f"backbone.gcn.{i}.gcn.PA"].uniform_(-1e-6, 1e-6)
    assert_refused(write(tmp_path / "a.pth", MMACTION2, weights), "backbone.gcn.0.gcn.PA", "offset")


@every_reference
@torch.no_grad()
def test_reproduces_the_official_logits(shared, name):
    checkpoint = stgcn.load(shared(f"reference/{name}.pth"))
    record = np.load(shared(f"reference/{name}.npz"))
    x = torch.from_numpy(record["input"])
    x = x if REFERENCES[name][0] is ORIGINAL else input_from_mmaction2(x)
    assert not checkpoint.model.training
    np.testing.assert_allclose(checkpoint.model(x).numpy(), record["logits"], rtol=0, atol=1e-4)
    exact = checkpoint.model.double()(x.double())
    np.testing.assert_allclose(exact.numpy(), record["logits"], rtol=0, atol=1e-10)


@every_reference
def test_arguments_follow_from_the_weights(shared, name):
    source, arguments = REFERENCES[name]
    checkpoint = load(shared(f"reference/{name}.pth"))
    assert checkpoint.model.arguments == STGCN(**arguments).arguments
    assert checkpoint.preprocess is None and checkpoint.about == {"source": source.title}
    assert checkpoint.classes == tuple(f"class {i}" for i in range(arguments["num_classes"]))


@pytest.mark.parametrize("source, arguments", [
    (ORIGINAL, dict(layout="ntu24", strategy="uniform")),
    (ORIGINAL, dict(layout="ntu25", edge_importance=False, temporal_kernel=5, in_channels=2)),
    (MMACTION2, dict(layout="ntu25_mmaction2", strategy="spatial")),
    (MMACTION2, dict(layout="openpose18", strategy="directed") | PLUS_PLUS),
    (PYSKL, dict(layout="ntu25_mmaction2", strategy="directed", width=13) | PLUS_PLUS),
    (PYSKL, dict(strategy="directed") | PLUS_PLUS | dict(multi_scale=False)),
    (PYSKL, dict(strategy="directed") | PLUS_PLUS | dict(graph_residual=False)),
    (MMACTION2, dict(edge_importance=False)),  # gcn_adaptive=None
])  # fmt: skip
@torch.no_grad()
def test_every_member_of_the_family_is_told_by_its_weights(tmp_path, source, arguments):
    weights, network = official_weights(source, **arguments)
    model = load(write(tmp_path / "a.pth", source, weights)).model
    assert model.arguments == network.arguments
    x = torch.randn(2, network.in_channels, 12, network.num_joints, 2)
    assert torch.equal(model(x), network(x))


@torch.no_grad()
def test_an_official_checkpoint_can_be_kept_as_one_of_ours(tmp_path):
    weights, network = official_weights(PYSKL)
    official = load(write(tmp_path / "a.pth", PYSKL, weights))
    save(tmp_path / "b.pth", official, half=False)
    x = torch.randn(1, 3, 12, 17, 1)
    ours = load(tmp_path / "b.pth")
    assert torch.equal(ours.model(x), network(x)) and ours.preprocess is None
    completed = replace(ours, preprocess=Preprocess(), classes=("walk", "run", "sit", "wave"))
    save(tmp_path / "b.pth", completed)
    assert load(tmp_path / "b.pth").preprocess == Preprocess()
    with pytest.raises(CheckpointError, match="ntu25"):
        replace(ours, preprocess=Preprocess(layout="ntu25"))


def test_input_order():
    x = torch.rand(2, 3, 5, 17, 4)  # (N, M, T, V, C)
    ours = input_from_mmaction2(x)
    assert ours.shape == (2, 4, 5, 17, 3)
    assert ours[1, 3, 4, 16, 2] == x[1, 2, 4, 16, 3]
