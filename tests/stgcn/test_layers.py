import pytest
import torch

from stgcn.graph import adjacency
from stgcn.layers import MultiScaleTemporalConv, SpatialGraphConv, Unit, temporal_conv


@pytest.fixture
def graph():
    return torch.from_numpy(adjacency("coco17", "spatial"))


def unit(graph, stride=1, residual="identity", in_channels=4, out_channels=4, **options):
    options = dict(edge_importance=True) | options
    return Unit(in_channels, out_channels, graph, temporal_kernel=9, stride=stride, residual=residual,
                dropout=0.5, **options).eval()  # fmt: skip


@torch.no_grad()
def test_graph_convolution_is_the_sum_over_neighbours(graph):
    """Equation 10 written out joint by joint."""
    layer = SpatialGraphConv(2, 5, graph, edge_importance=True)
    layer.edge_importance.uniform_(0.5, 1.5)
    x = torch.randn(1, 2, 1, 17)
    weights = layer.conv.weight.reshape(3, 5, 2)
    biases = layer.conv.bias.reshape(3, 5)
    expected = torch.zeros(5, 17)
    for k in range(3):
        for source in range(17):
            message = weights[k] @ x[0, :, 0, source] + biases[k]
            for receiver in range(17):
                edge = graph[k, source, receiver] * layer.edge_importance[k, source, receiver]
                expected[:, receiver] += edge * message
    torch.testing.assert_close(layer(x)[0, :, 0], expected)


def test_edge_importance_starts_without_effect_and_learns(graph):
    layer = SpatialGraphConv(2, 5, graph, edge_importance=True)
    plain = SpatialGraphConv(2, 5, graph, edge_importance=False)
    plain.conv.load_state_dict(layer.conv.state_dict())
    x = torch.randn(2, 2, 3, 17)
    torch.testing.assert_close(layer(x), plain(x))
    layer(x).square().sum().backward()
    assert (layer.edge_importance.grad[graph > 0] != 0).all()
    assert (layer.edge_importance.grad[graph == 0] == 0).all()


def test_an_adaptive_graph_starts_as_the_skeleton_and_learns_new_edges(graph):
    layer = SpatialGraphConv(2, 5, graph, edge_importance=False, adaptive=True)
    plain = SpatialGraphConv(2, 5, graph, edge_importance=False)
    plain.conv.load_state_dict(layer.conv.state_dict())
    x = torch.randn(2, 2, 3, 17)
    torch.testing.assert_close(layer(x), plain(x))
    layer(x).square().sum().backward()
    assert (layer.adjacency.grad != 0).all()
    assert "adjacency" in layer.state_dict() and "adjacency" not in plain.state_dict()
    before = graph.clone()
    torch.optim.SGD(layer.parameters(), 0.1).step()
    assert torch.equal(graph, before), "layers do not learn one another's graph"


def test_only_neighbours_are_mixed(graph):
    """A change at one joint reaches exactly the joints one bone away; time is untouched."""
    layer = SpatialGraphConv(2, 5, graph, edge_importance=True)
    x = torch.randn(1, 2, 4, 17)
    moved = x.clone()
    moved[:, :, 2, 9] += 1  # left wrist
    changed = (layer(moved) - layer(x)).abs().amax(dim=(0, 1)) > 1e-6  # (T, V)
    assert changed.nonzero().tolist() == [[2, 7], [2, 9]]


@pytest.mark.parametrize("frames", [1, 2, 7, 8])
@pytest.mark.parametrize("stride", [1, 2])
def test_temporal_convolution_length(frames, stride):
    y = temporal_conv(4, kernel=9, stride=stride)(torch.zeros(1, 4, frames, 17))
    assert y.shape == (1, 4, -(-frames // stride), 17)


@pytest.mark.parametrize("frames", [1, 2, 7, 8])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [6, 16, 64])
def test_multi_scale_convolution_shape(channels, stride, frames):
    layer = MultiScaleTemporalConv(channels, stride)
    assert layer(torch.randn(2, channels, frames, 3)).shape == (2, channels, -(-frames // stride), 3)
    share = channels // 6
    sizes = [branch[0].out_channels for branch in layer.branches[:5]]
    assert sizes == [channels - 5 * share] + 4 * [share]


@torch.no_grad()
def test_multi_scale_branches_see_the_frames_they_should():
    """A change at frame 10 reaches each branch at that frame and its own distance before and after."""
    layer = MultiScaleTemporalConv(12, stride=1).eval()
    for branch in layer.branches[:5]:
        branch[1].bias.fill_(5)  # keep the rectifier open
    x = torch.randn(1, 12, 21, 1)
    changed = x.clone()
    changed[:, :, 10] += 10 * torch.rand(12, 1)
    reached = [
        (branch(changed) - branch(x)).abs().amax(dim=(0, 1, 3)).gt(1e-4).nonzero().flatten().tolist()
        for branch in layer.branches
    ]
    assert reached[:4] == [[10 - distance, 10, 10 + distance] for distance in (1, 2, 3, 4)]
    assert set(reached[4]) <= {9, 10, 11} and reached[5] == [10]


@torch.no_grad()
def test_residual_in_the_graph_convolution(graph):
    """With the graph convolution silenced, its residual is what the temporal convolution receives."""
    x, seen = torch.rand(2, 4, 6, 17), []
    layer = unit(graph, graph_residual=True)
    layer.temporal.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    layer.spatial_norm.weight.zero_()
    layer(x)
    torch.testing.assert_close(seen[0], x)
    widened = unit(graph, graph_residual=True, residual="conv", stride=2, out_channels=8)
    assert widened(x).shape == (2, 8, 3, 17)


@torch.no_grad()
def test_residual_paths(graph):
    """With the main path silenced, the residual is what remains."""
    x = torch.rand(2, 4, 6, 17)
    for residual, expected in [("none", torch.zeros_like(x)), ("identity", x)]:
        layer = unit(graph, residual=residual)
        layer.temporal_norm.weight.zero_()
        torch.testing.assert_close(layer(x), expected)
    assert unit(graph, stride=2, residual="conv", out_channels=8)(x).shape == (2, 8, 3, 17)


def test_dropout_only_while_training(graph):
    layer, x = unit(graph), torch.rand(1, 4, 6, 17)
    assert torch.equal(layer(x), layer(x))
    layer.train()
    assert not torch.equal(layer(x), layer(x))
