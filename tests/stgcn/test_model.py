import re
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from stgcn.graph import LAYOUTS, STRATEGIES
from stgcn.model import STGCN
from stgcn.settings import Network

PLUS_PLUS = dict(
    strategy="directed", width=8, edge_importance=False, adaptive=True, graph_residual=True, multi_scale=True
)
both_networks = pytest.mark.parametrize("options", [{}, PLUS_PLUS], ids=["ST-GCN", "ST-GCN++"])


def make(seed=0, **arguments):
    """A small network with random statistics and edge weights, so that nothing is neutral by accident."""
    torch.manual_seed(seed)
    model = STGCN(**(dict(num_classes=5, width=4) | arguments)).eval()
    for name, tensor in model.state_dict().items():
        if tensor.ndim == 1 or name.endswith("edge_importance"):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith("adjacency"):
            tensor *= torch.empty_like(tensor).uniform_(0.5, 1.5)
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


def test_options_that_exclude_each_other():
    with pytest.raises(ValueError, match="edge_importance=False"):
        STGCN(5, adaptive=True)
    with pytest.raises(ValueError, match="width must be at least 6"):
        STGCN(5, multi_scale=True, width=5)


@pytest.mark.parametrize("shape", [
    (3, 8, 17), (2, 3, 8, 17), (2, 2, 8, 17, 1), (2, 3, 8, 18, 1), (2, 17, 8, 3, 1), (0, 3, 8, 17, 1),
    (2, 3, 0, 17, 1), (2, 3, 8, 17, 0),
])  # fmt: skip
def test_wrong_shape_says_what_was_expected(shape):
    with pytest.raises(ValueError, match=re.escape(f"(N, C=3, T, V=17, M), all at least 1; got {shape}")):
        make()(torch.zeros(shape))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("layout", LAYOUTS)
@torch.no_grad()
def test_shapes(layout, strategy):
    joints = len(LAYOUTS[layout].joints)
    model = make(layout=layout, strategy=strategy, in_channels=2)
    x = skeletons(2, 2, 13, joints, 3)
    assert model(x).shape == (2, 5)
    assert model.features(x).shape == (2, 3, 16, 4, joints)


@pytest.mark.parametrize("frames", [1, 2, 3, 300])
@both_networks
@torch.no_grad()
def test_any_length(frames, options):
    assert make(**options)(skeletons(1, 3, frames, 17, 1)).isfinite().all()


def test_is_the_network_of_the_paper():
    model = STGCN(num_classes=60, layout="ntu25")
    assert [unit.temporal.out_channels for unit in model.units] == [64] * 4 + [128] * 3 + [256] * 3
    assert [unit.temporal.stride[0] for unit in model.units] == [1] * 4 + [2] + [1] * 2 + [2] + [1] * 2
    assert [unit.has_residual for unit in model.units] == [False] + [True] * 9
    assert {unit.temporal.kernel_size for unit in model.units} == {(9, 1)}


def test_plus_plus_has_the_units_of_the_network_it_improves():
    plain, improved = STGCN(5), STGCN(5, **PLUS_PLUS | {"width": 64})
    x = torch.rand(1, 3, 16, 17, 1)
    assert improved.features(x).shape == plain.features(x).shape
    size, plain_size = (sum(p.numel() for p in model.parameters()) for model in (improved, plain))
    assert size < plain_size / 2


@both_networks
def test_every_weight_learns(options):
    model = make(**options | {"dropout": 0.0, "width": 24})  # wide enough that no branch is without a live channel
    biases = {f"{name}.bias" for name, module in model.named_modules() if isinstance(module, torch.nn.Conv2d)}
    for by_batch in (True, False):
        model.zero_grad()
        model.train(by_batch)(skeletons(4, 3, 16, 17, 2)).square().sum().backward()
        for name, weight in model.named_parameters():
            assert weight.grad is not None and weight.grad.isfinite().all(), name
            # Normalised by the batch, a convolution's bias is taken away again: its gradient is rounding, or nothing.
            assert weight.grad.any() or by_batch and name in biases, name


@both_networks
def test_learns_a_movement(options):
    """From settings, as training builds it: whether the left wrist goes up or down."""
    torch.manual_seed(0)
    network = Network(**dict(width=4, dropout=0.0) | options)
    model, labels = STGCN(2, **asdict(network)), torch.arange(16) % 2
    x = skeletons(16, 3, 8, 17, 1)
    x[:, 1, :, 9, 0] += 3 * torch.outer(1 - 2.0 * labels, torch.linspace(-1, 1, 8))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(20):
        loss = torch.nn.functional.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.2


def test_the_options_that_make_a_network_are_stored_with_it():
    model = STGCN(5, **PLUS_PLUS)
    again = STGCN(**model.arguments)
    again.load_state_dict(model.state_dict())
    assert again.arguments == model.arguments


@both_networks
@torch.no_grad()
def test_order_of_persons_does_not_matter(options):
    model, x = make(**options), skeletons(2, 3, 8, 17, 3)
    torch.testing.assert_close(model(x[..., [2, 0, 1]]), model(x))


@torch.no_grad()
def test_persons_are_averaged():
    model, x = make(), skeletons(1, 3, 8, 17, 2)
    alone = model(x[..., :1]) + model(x[..., 1:])
    torch.testing.assert_close(model(x), alone / 2)


@both_networks
@torch.no_grad()
def test_clips_of_a_batch_do_not_touch(options):
    model, x = make(**options), skeletons(3, 3, 8, 17, 1)
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
