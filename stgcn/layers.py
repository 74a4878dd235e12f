"""The parts of ST-GCN: convolution over the skeleton graph, convolution over time, and the unit of both."""

import torch
from torch import Tensor, nn


class SpatialGraphConv(nn.Module):
    """Graph convolution over the joints of each frame: sum over k of (A_k * M_k) f W_k.

    Equation 10 of the paper, with the learnable edge importance M_k of section 3.5: one factor for each
    edge of each subset, 1 at the start. W_1 ... W_K are one 1x1 convolution with K * out_channels outputs.

    adjacency: (K, V, V), see `stgcn.graph.adjacency`.
    """

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor, edge_importance: bool):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels * len(adjacency), kernel_size=1)
        self.register_buffer("adjacency", adjacency, persistent=False)  # follows from layout and strategy
        self.edge_importance = nn.Parameter(torch.ones_like(adjacency)) if edge_importance else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', T, V)."""
        weights = self.adjacency
        if self.edge_importance is not None:
            weights = weights * self.edge_importance  # (K, V, V)
        x = self.conv(x).unflatten(1, (len(weights), -1))  # (N, K, C', T, V)
        return torch.einsum("nkctv,kvw->nctw", x, weights)  # (N, C', T, V)


def temporal_conv(channels: int, kernel: int, stride: int) -> nn.Conv2d:
    """Convolution of each joint over time: (N, C, T, V) -> (N, C, ceil(T / stride), V)."""
    padding = (kernel - 1) // 2
    return nn.Conv2d(channels, channels, (kernel, 1), (stride, 1), (padding, 0))


class Unit(nn.Module):
    """One spatial temporal unit: graph convolution, then temporal convolution, beside a residual path.

    residual: "none", "identity" (input and output have the same shape), or "conv" (1x1, with the stride).
    dropout: probability of setting a feature to zero at the end of the main path while training.
    """

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor, *, temporal_kernel: int,
                 stride: int, residual: str, dropout: float, edge_importance: bool):  # fmt: skip
        super().__init__()
        self.spatial = SpatialGraphConv(in_channels, out_channels, adjacency, edge_importance)
        self.spatial_norm = nn.BatchNorm2d(out_channels)
        self.temporal = temporal_conv(out_channels, temporal_kernel, stride)
        self.temporal_norm = nn.BatchNorm2d(out_channels)
        self.dropout = nn.Dropout(dropout)
        self.has_residual = residual != "none"
        self.residual = nn.Identity()
        if residual == "conv":
            self.residual = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=(stride, 1)),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', ceil(T / stride), V)."""
        y = torch.relu(self.spatial_norm(self.spatial(x)))  # (N, C', T, V)
        y = self.dropout(self.temporal_norm(self.temporal(y)))  # (N, C', ceil(T / stride), V)
        return torch.relu(y + self.residual(x) if self.has_residual else y)
