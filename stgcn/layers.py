"""The parts of ST-GCN and ST-GCN++: convolution over the skeleton graph, over time, and the unit of both.

ST-GCN++: Duan, Wang, Chen, Lin, "PYSKL: Towards Good Practices for Skeleton Action Recognition" (arXiv
2205.09443), called "the PYSKL paper" in this package.
"""

import torch
from torch import Tensor, nn

DILATIONS = (1, 2, 3, 4)  # frames between the taps of the multi-scale convolution's first four branches
BRANCHES = len(DILATIONS) + 2  # then one of maxima and one of single moments
BRANCH_KERNEL = 3  # frames, dilated or not


class SpatialGraphConv(nn.Module):
    """Graph convolution over the joints of each frame: sum over k of (A_k * M_k) f W_k.

    Equation 10 of the paper, with the learnable edge importance M_k of section 3.5: one factor for each
    edge of each subset, 1 at the start. W_1 ... W_K are one 1x1 convolution with K * out_channels outputs.

    adjacency: (K, V, V), see `stgcn.graph.adjacency`.
    adaptive: A_k is only where learning starts: every entry is a weight, also between joints that no bone
        connects (spatial module of ST-GCN++ in the PYSKL paper).
    """

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor, edge_importance: bool,
                 adaptive: bool = False):  # fmt: skip
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels * len(adjacency), kernel_size=1)
        if adaptive:
            self.adjacency = nn.Parameter(adjacency.clone())
        else:
            self.register_buffer("adjacency", adjacency, persistent=False)  # follows from layout and strategy
        self.edge_importance = nn.Parameter(torch.ones_like(adjacency)) if edge_importance else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', T, V)."""
        weights = self.adjacency
        if self.edge_importance is not None:
            weights = weights * self.edge_importance  # (K, V, V)
        x = self.conv(x).unflatten(1, (len(weights), -1))  # (N, K, C', T, V)
        return torch.einsum("nkctv,kvw->nctw", x, weights)  # (N, C', T, V)


def temporal_conv(channels: int, kernel: int, stride: int, dilation: int = 1) -> nn.Conv2d:
    """Convolution of each joint over time: (N, C, T, V) -> (N, C, ceil(T / stride), V)."""
    padding = dilation * (kernel - 1) // 2
    return nn.Conv2d(channels, channels, (kernel, 1), (stride, 1), (padding, 0), (dilation, 1))


def projection(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """A residual path between different shapes: (N, C, T, V) -> (N, C', ceil(T / stride), V)."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=(stride, 1)), nn.BatchNorm2d(out_channels)
    )


class MultiScaleTemporalConv(nn.Module):
    """Six branches that look at a joint's past and future in different ways, then mixed by a 1x1 convolution.

    Temporal module of ST-GCN++ in the PYSKL paper: four convolutions over three frames that lie 1, 2, 3 and
    4 frames apart, the maximum of three frames, and the moment alone. Each branch has a sixth of the
    channels; the first has what remains besides.

    channels: at least 6.
    """

    def __init__(self, channels: int, stride: int):
        super().__init__()
        share = channels // BRANCHES
        first = channels - share * (BRANCHES - 1)
        self.branches = nn.ModuleList(
            [
                *(
                    self._branch(channels, size, temporal_conv(size, BRANCH_KERNEL, stride, dilation))
                    for size, dilation in zip((first, share, share, share), DILATIONS)
                ),
                self._branch(channels, share, nn.MaxPool2d((BRANCH_KERNEL, 1), (stride, 1), (1, 0))),
                nn.Conv2d(channels, share, kernel_size=1, stride=(stride, 1)),
            ]
        )
        self.merge = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 1))

    @staticmethod
    def _branch(channels: int, size: int, over_time: nn.Module) -> nn.Sequential:
        reduce = nn.Conv2d(channels, size, kernel_size=1)
        return nn.Sequential(reduce, nn.BatchNorm2d(size), nn.ReLU(), over_time)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C, ceil(T / stride), V)."""
        x = torch.cat([branch(x) for branch in self.branches], dim=1)  # (N, C, ceil(T / stride), V)
        return self.merge(x)


class Unit(nn.Module):
    """One spatial temporal unit: graph convolution, then temporal convolution, beside a residual path.

    residual: "none", "identity" (input and output have the same shape), or "conv" (1x1, with the stride).
    dropout: probability of setting a feature to zero at the end of the main path while training.
    edge_importance, adaptive: see `SpatialGraphConv`.
    graph_residual: a second residual path, beside the graph convolution alone (ST-GCN++).
    multi_scale: `MultiScaleTemporalConv` (ST-GCN++) instead of one convolution of `temporal_kernel` frames.
    """

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor, *, temporal_kernel: int,
                 stride: int, residual: str, dropout: float, edge_importance: bool, adaptive: bool = False,
                 graph_residual: bool = False, multi_scale: bool = False):  # fmt: skip
        super().__init__()
        self.spatial = SpatialGraphConv(in_channels, out_channels, adjacency, edge_importance, adaptive)
        self.spatial_norm = nn.BatchNorm2d(out_channels)
        self.has_graph_residual = graph_residual
        self.spatial_residual = nn.Identity()
        if graph_residual and in_channels != out_channels:
            self.spatial_residual = projection(in_channels, out_channels)
        if multi_scale:
            self.temporal = MultiScaleTemporalConv(out_channels, stride)
        else:
            self.temporal = temporal_conv(out_channels, temporal_kernel, stride)
        self.temporal_norm = nn.BatchNorm2d(out_channels)
        self.dropout = nn.Dropout(dropout)
        self.has_residual = residual != "none"
        self.residual = nn.Identity()
        if residual == "conv":
            self.residual = projection(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', ceil(T / stride), V)."""
        y = self.spatial_norm(self.spatial(x))  # (N, C', T, V)
        y = torch.relu(y + self.spatial_residual(x) if self.has_graph_residual else y)
        y = self.dropout(self.temporal_norm(self.temporal(y)))  # (N, C', ceil(T / stride), V)
        return torch.relu(y + self.residual(x) if self.has_residual else y)
