import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from stgcn.graph import LAYOUTS
from stgcn.model import STGCN


def make(seed=0, **arguments):
    """A small network with random statistics and edge weights, so that nothing is neutral by accident."""
    torch.manual_seed(seed)
    model = STGCN(**(dict(num_classes=5, width=4) | arguments)).eval()
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not name.endswith("conv.weight"):
            tensor.uniform_(0.5, 1.5)
    return model


def skeletons(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("argument, value", [
    ("num_classes", 0), ("in_channels", 0), ("width", 0), ("temporal_kernel", 8), ("temporal_kernel", -1),
    ("dropout", 1.0), ("dropout", -0.1), ("layout", "coco"), ("strategy", "none"),
])  # fmt: skip
def test_bad_arguments_are_named(argument, value):
    with pytest.raises(ValueError, match=argument.replace("strategy", "partition strategy")):
        STGCN(**(dict(num_classes=5, width=4) | {argument: value}))


@pytest.mark.parametrize("shape", [
    (3, 8, 17), (2, 3, 8, 17), (2, 2, 8, 17, 1), (2, 3, 8, 18, 1), (2, 17, 8, 3, 1), (0, 3, 8, 17, 1),
    (2, 3, 0, 17, 1), (2, 3, 8, 17, 0),
])  # fmt: skip
def test_wrong_shape_says_what_was_expected(shape):
    with pytest.raises(ValueError, match=re.escape(f"(N, C=3, T, V=17, M), all at least 1; got {shape}")):
        make()(torch.zeros(shape))


@pytest.mark.parametrize("strategy", ["uniform", "distance", "spatial"])
@pytest.mark.parametrize("layout", LAYOUTS)
@torch.no_grad()
def test_shapes(layout, strategy):
    joints = len(LAYOUTS[layout].joints)
    model = make(layout=layout, strategy=strategy, in_channels=2)
    x = skeletons(2, 2, 13, joints, 3)
    assert model(x).shape == (2, 5)
    assert model.features(x).shape == (2, 3, 16, 4, joints)


@pytest.mark.parametrize("frames", [1, 2, 3, 300])
@torch.no_grad()
def test_any_length(frames):
    assert make()(skeletons(1, 3, frames, 17, 1)).isfinite().all()


def test_is_the_network_of_the_paper():
    model = STGCN(num_classes=60, layout="ntu25")
    assert [unit.temporal.out_channels for unit in model.units] == [64] * 4 + [128] * 3 + [256] * 3
    assert [unit.temporal.stride[0] for unit in model.units] == [1] * 4 + [2] + [1] * 2 + [2] + [1] * 2
    assert [unit.has_residual for unit in model.units] == [False] + [True] * 9
    assert {unit.temporal.kernel_size for unit in model.units} == {(9, 1)}


@torch.no_grad()
def test_order_of_persons_does_not_matter():
    model, x = make(), skeletons(2, 3, 8, 17, 3)
    torch.testing.assert_close(model(x[..., [2, 0, 1]]), model(x))


@torch.no_grad()
def test_persons_are_averaged():
    model, x = make(), skeletons(1, 3, 8, 17, 2)
    alone = model(x[..., :1]) + model(x[..., 1:])
    torch.testing.assert_close(model(x), alone / 2)


@torch.no_grad()
def test_clips_of_a_batch_do_not_touch():
    model, x = make(), skeletons(3, 3, 8, 17, 1)
    torch.testing.assert_close(model(x)[1:2], model(x[1:2]), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_order_of_joints_does_not_matter(monkeypatch):
    """The same skeleton stored in another order, with weights to match, gives the same logits."""
    layout = LAYOUTS["coco17"]
    order = np.random.default_rng(0).permutation(17).tolist()
    shuffled = replace(layout, name="shuffled", joints=tuple(layout.joints[i] for i in order))
    monkeypatch.setitem(LAYOUTS, "shuffled", shuffled)
    model, other = make(), make(layout="shuffled")
    weights = model.state_dict()
    for name, tensor in weights.items():
        if name.endswith("edge_importance"):
            weights[name] = tensor[:, order][:, :, order]
        elif name.startswith("data_norm") and tensor.ndim:
            weights[name] = tensor.unflatten(0, (17, 3))[order].flatten()
    other.load_state_dict(weights)
    x = skeletons(2, 3, 8, 17, 2)
    torch.testing.assert_close(other(x[:, :, :, order]), model(x))


OFFICIAL_NAMES = [
    (r"^data_bn\.", "data_norm."),
    (r"^fcn\.", "classifier."),
    (r"^edge_importance\.(\d+)$", r"units.\1.spatial.edge_importance"),
    (r"^st_gcn_networks\.(\d+)\.gcn\.", r"units.\1.spatial."),
    (r"^st_gcn_networks\.(\d+)\.tcn\.0\.", r"units.\1.spatial_norm."),
    (r"^st_gcn_networks\.(\d+)\.tcn\.2\.", r"units.\1.temporal."),
    (r"^st_gcn_networks\.(\d+)\.tcn\.3\.", r"units.\1.temporal_norm."),
    (r"^st_gcn_networks\.(\d+)\.residual\.", r"units.\1.residual."),
]


@pytest.mark.parametrize("name, layout, strategy", [
    ("yysijie_openpose_spatial", "openpose18", "spatial"),
    ("yysijie_ntu_distance", "ntu25", "distance"),
])  # fmt: skip
@torch.no_grad()
def test_reproduces_the_official_logits(shared, name, layout, strategy):
    official = torch.load(shared(f"reference/{name}.pth"), weights_only=True)
    record = np.load(shared(f"reference/{name}.npz"))
    model = STGCN(record["logits"].shape[1], layout=layout, strategy=strategy).eval()
    torch.testing.assert_close(official.pop("A"), model.units[0].spatial.adjacency, rtol=0, atol=0)
    official["fcn.weight"] = official["fcn.weight"].flatten(1)  # a 1x1 convolution there, linear here
    for pattern, ours in OFFICIAL_NAMES:
        official = {re.sub(pattern, ours, key): tensor for key, tensor in official.items()}
    model.load_state_dict(official)
    logits = model(torch.from_numpy(record["input"]))
    np.testing.assert_allclose(logits.numpy(), record["logits"], rtol=0, atol=1e-4)
