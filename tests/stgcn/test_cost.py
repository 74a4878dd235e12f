import pytest
import torch
from torch import nn

from stgcn import cost
from stgcn.baselines import LSTM, FrameGNN, SimplifiedSTGCN
from stgcn.model import STGCN

PLUS_PLUS = dict(
    strategy="directed", width=8, edge_importance=False, adaptive=True, graph_residual=True, multi_scale=True
)


def gnn(**arguments):
    pytest.importorskip("torch_geometric", reason="torch_geometric, an optional extra, is not installed")
    return FrameGNN(5, **arguments)


@pytest.mark.parametrize("shape", [(1, 3, 8, 18, 1), (1, 3, 0, 17, 1)])
def test_a_shape_that_the_network_refuses(shape):
    for measure in (cost.multiply_adds, cost.inference_ms, cost.training_clips_per_s):
        with pytest.raises(ValueError, match="expected skeletons"):
            measure(STGCN(5, width=4), shape)


def test_parameters_are_those_that_learn():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    assert cost.count_parameters(network) == 3 * 4 + 4 + 2 * 4
    network[0].bias.requires_grad_(False)
    assert cost.count_parameters(network) == 3 * 4 + 2 * 4


def test_multiply_adds_of_the_lstm_are_those_of_its_gates():
    frames, inputs, hidden, classes = 10, 51, 16, 5
    layers = frames * 4 * hidden * ((inputs + hidden) + (hidden + hidden))
    assert cost.multiply_adds(LSTM(classes, width=4), (1, 3, frames, 17, 1)) == layers + hidden * classes


def test_multiply_adds_of_the_simplified_network():
    t, v, a, b, classes = 10, 17, 8, 16, 5
    spatial = t * v * (3 * a + a * b) + t * v * v * (a + b)
    temporal = t * v * 9 * (a * a + b * b)
    counted = cost.multiply_adds(SimplifiedSTGCN(classes, width=4), (1, 3, t, v, 1))
    assert counted == spatial + temporal + b * classes


def test_multiply_adds_of_the_frame_wise_network_are_without_sums_over_neighbours():
    f = 16
    assert cost.multiply_adds(gnn(width=4), (1, 3, 10, 17, 1)) == 10 * 17 * (3 * f + 2 * f * f) + f * 5


@pytest.mark.parametrize("options", [dict(width=4), PLUS_PLUS], ids=["ST-GCN", "ST-GCN++"])
def test_multiply_adds_grow_with_clips_and_persons(options):
    network = STGCN(5, **options)
    one, two, persons = (cost.multiply_adds(network, (n, 3, 8, 17, m)) for n, m in ((1, 1), (2, 1), (1, 2)))
    classifier = 4 * options["width"] * 5
    assert two == 2 * one and persons == 2 * one - classifier


@pytest.mark.parametrize("build, frames", [
    (lambda: LSTM(5, width=4), None),
    (gnn, 1),
    (lambda: SimplifiedSTGCN(5, width=4), 17),
    (lambda: STGCN(5, width=4), 153),
    (lambda: STGCN(5, **PLUS_PLUS), 153),  # its widest branch spans nine frames, too
    (lambda: STGCN(5, width=4, temporal_kernel=1), 1),
])  # fmt: skip
def test_receptive_field(build, frames):
    assert cost.receptive_field(build()) == frames


def positive(network):
    """Weights, statistics and inputs above 0: every path through the network then carries every change."""
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.abs_().add_(0.01)
            if name.endswith("running_mean"):
                tensor.zero_()
    return network.double().eval()


@pytest.mark.parametrize("build, stride", [
    (lambda: SimplifiedSTGCN(5, width=4), 1),
    (lambda: STGCN(5, width=2), 4),
    (lambda: STGCN(5, width=2, temporal_kernel=3), 4),
    (lambda: STGCN(5, **PLUS_PLUS | dict(width=6)), 4),
], ids=["simplified", "kernel 9", "kernel 3", "multi-scale"])  # fmt: skip
@torch.no_grad()
def test_features_see_exactly_the_receptive_field(build, stride):
    torch.manual_seed(0)
    network = positive(build())
    reach = (cost.receptive_field(network) - 1) // 2
    position = reach // stride + 2  # of a feature far enough from both ends
    x = torch.rand(1, 3, 2 * position * stride + 1, 17, 1, dtype=torch.float64)

    def feature(clip):
        return network.features(clip)[..., position, :]

    for offset in (reach, -reach, reach + 1, -reach - 1):
        changed = x.clone()
        changed[:, :, position * stride + offset] += 100
        difference = (feature(changed) - feature(x)).abs().max() / feature(x).abs().max()
        assert (difference > 0) == (abs(offset) == reach), offset


@torch.no_grad()
def test_the_lstm_sees_the_first_frame_at_the_last():
    network, x = LSTM(5, width=4).double().eval(), torch.rand(1, 3, 30, 17, 1, dtype=torch.float64)
    changed = x.clone()
    changed[:, :, 0] += 100
    assert not torch.equal(network.features(changed), network.features(x))


def test_measuring_leaves_the_network_and_the_threads_alone():
    network = STGCN(5, width=4).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.set_num_threads(2)
    result = cost.measure_cost(network, (3, 8, 17, 1), batch_size=4)
    assert torch.get_num_threads() == 2 and network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert result.inference_ms > 0 and result.training_clips_per_s > 0
    assert result.parameters == cost.count_parameters(network)


def test_times_follow_the_work():
    network = STGCN(5, width=8)
    short, long = (cost.inference_ms(network, (1, 3, frames, 17, 1)) for frames in (8, 256))
    assert long > 2 * short
