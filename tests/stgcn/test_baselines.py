import builtins
import re

import pytest
import torch

from stgcn.baselines import LSTM, FrameGNN, SimplifiedSTGCN
from stgcn.graph import LAYOUTS, Layout

IDENTITY = dict(connected=False)


def make(kind, seed=0, **arguments):
    """A small network with random statistics, so that nothing is neutral by accident."""
    if kind is FrameGNN:
        pytest.importorskip("torch_geometric", reason="torch_geometric, an optional extra, is not installed")
    torch.manual_seed(seed)
    network = kind(**(dict(num_classes=5, width=4) | arguments)).eval()
    for name, tensor in network.state_dict().items():
        if "norm" in name and tensor.ndim:
            tensor.uniform_(0.5, 1.5)
    return network


def skeletons(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


every_network = pytest.mark.parametrize("kind, options", [
    (LSTM, {}), (FrameGNN, {}), (SimplifiedSTGCN, {}), (SimplifiedSTGCN, IDENTITY),
], ids=["LSTM", "FrameGNN", "SimplifiedSTGCN", "identity"])  # fmt: skip


@every_network
@pytest.mark.parametrize("argument, value", [
    ("num_classes", 0), ("in_channels", 0), ("width", 0), ("dropout", 1.0), ("layout", "coco"),
])  # fmt: skip
def test_bad_arguments_are_named(kind, options, argument, value):
    with pytest.raises(ValueError, match=argument):
        make(kind, **options | {argument: value})


@every_network
@pytest.mark.parametrize("shape", [(3, 8, 17), (2, 2, 8, 17, 1), (2, 3, 8, 18, 1), (2, 3, 0, 17, 1)])
def test_wrong_shape_says_what_was_expected(kind, options, shape):
    with pytest.raises(ValueError, match=re.escape(f"(N, C=3, T, V=17, M), all at least 1; got {shape}")):
        make(kind, **options)(torch.zeros(shape))


def test_without_torch_geometric_one_line_says_what_to_install(monkeypatch):
    real_import = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("torch_geometric"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match="pip install torch_geometric") as caught:
        FrameGNN(5)
    assert "\n" not in str(caught.value)


@every_network
@pytest.mark.parametrize("layout, frames", [("coco17", 13), ("kinect20", 1)])
@torch.no_grad()
def test_shapes(kind, options, layout, frames):
    joints = len(LAYOUTS[layout].joints)
    network, x = make(kind, layout=layout, in_channels=2, **options), skeletons(2, 2, frames, joints, 3)
    assert network(x).shape == (2, 5)
    assert network.features(x).shape[:3] == (2, 3, 16)


@every_network
@torch.no_grad()
def test_order_of_persons_does_not_matter(kind, options):
    network, x = make(kind, **options), skeletons(2, 3, 8, 17, 3)
    torch.testing.assert_close(network(x[..., [2, 0, 1]]), network(x))


@every_network
@torch.no_grad()
def test_clips_of_a_batch_do_not_touch(kind, options):
    network, x = make(kind, **options), skeletons(3, 3, 8, 17, 2)
    torch.testing.assert_close(network(x)[1:2], network(x[1:2]), rtol=1e-4, atol=1e-5)


@every_network
def test_learns_a_pose(kind, options):
    """Whether the left wrist is up or down."""
    network, labels = make(kind, num_classes=2, dropout=0.0, **options).train(), torch.arange(16) % 2
    x = skeletons(16, 3, 8, 17, 1)
    x[:, 1, :, 9, 0] += 3 * (1 - 2.0 * labels)[:, None]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(network(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.2
    assert all(weight.grad.any() for weight in network.parameters() if weight.ndim > 1)


@pytest.mark.parametrize("kind, reads_order", [(LSTM, True), (SimplifiedSTGCN, True), (FrameGNN, False)])
@torch.no_grad()
def test_only_the_frame_wise_network_ignores_the_order_of_frames(kind, reads_order):
    network, x = make(kind), skeletons(1, 3, 12, 17, 1)
    shuffled = x[:, :, torch.randperm(12, generator=torch.Generator().manual_seed(0))]
    changed = (network(shuffled) - network(x)).abs().max() > 1e-4
    assert changed == reads_order


def touched_joints(network):
    """Joints whose features change with the left elbow's input."""
    x = skeletons(1, 3, 12, 17, 1)
    moved = x.clone()
    moved[:, :, :, LAYOUTS["coco17"].index("left_elbow")] += 1
    change = (network.features(moved) - network.features(x)).abs().amax(dim=(0, 1, 2, 3))  # (V,)
    return {joint for joint, size in zip(LAYOUTS["coco17"].joints, change) if size > 1e-6}


@torch.no_grad()
def test_features_travel_along_bones_only_where_the_network_has_the_graph():
    two_bones = {"left_elbow", "left_wrist", "left_shoulder", "left_hip", "nose"}
    assert touched_joints(make(SimplifiedSTGCN, width=16, connected=False)) == {"left_elbow"}
    assert touched_joints(make(SimplifiedSTGCN, width=16)) == two_bones
    three_bones = two_bones | {"left_knee", "right_shoulder", "left_eye", "right_eye"}
    assert touched_joints(make(FrameGNN, width=16)) == three_bones


@pytest.mark.parametrize("kind, options, uses_graph", [
    (LSTM, {}, False), (SimplifiedSTGCN, IDENTITY, False), (SimplifiedSTGCN, {}, True), (FrameGNN, {}, True),
])  # fmt: skip
@torch.no_grad()
def test_other_bones_change_only_networks_that_use_the_graph(monkeypatch, kind, options, uses_graph):
    coco = LAYOUTS["coco17"]
    partner = dict(zip(coco.joints, coco.joints[5:] + coco.joints[:5]))
    rewired = tuple((partner[a], partner[b]) for a, b in coco.edges)
    monkeypatch.setitem(LAYOUTS, "rewired", Layout("rewired", coco.joints, rewired, coco.centre))
    x = skeletons(2, 3, 8, 17, 1)
    same = torch.equal(make(kind, **options)(x), make(kind, layout="rewired", **options)(x))
    assert same != uses_graph


@torch.no_grad()
def test_frame_gnn_averages_neighbours_like_kipf_and_welling():
    """Against D^-1/2 (A + I) D^-1/2 X W + b, written with dense matrices."""
    network, coco = make(FrameGNN), LAYOUTS["coco17"]
    graph = torch.eye(17)
    for a, b in coco.edges:
        graph[coco.index(a), coco.index(b)] = graph[coco.index(b), coco.index(a)] = 1
    scale = graph.sum(0).rsqrt()
    conv, x = network.convs[0], skeletons(6, 17, 3)
    expected = (scale[:, None] * graph * scale) @ x @ conv.lin.weight.T + conv.bias
    torch.testing.assert_close(conv(x, network.links, network.weights), expected)
