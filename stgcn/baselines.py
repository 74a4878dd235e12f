"""Other ways to recognise actions from skeletons, to compare ST-GCN with.

All have its contract, (N, C, T, V, M) -> (N, num_classes) logits, its normalisation of the input and its
average over persons; width means the same too: the classifier sees 4 * width features.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from stgcn.graph import adjacency, get_layout
from stgcn.layers import SpatialGraphConv, temporal_conv

LSTM_LAYERS = 2
GNN_LAYERS = 3  # a joint hears of those up to three bones away: an elbow of the whole upper body
TEMPORAL_KERNEL = 9  # frames, as in the paper
NO_TORCH_GEOMETRIC = "the frame-wise GNN needs torch_geometric: pip install torch_geometric"


class Baseline(nn.Module, ABC):
    """What the alternatives share; each defines `describe`.

    num_classes, layout, in_channels, width: as of `stgcn.model.STGCN`.
    dropout: probability of setting a feature to zero before the classifier.

    ValueError: an unknown layout, or a number out of its range.
    """

    def __init__(self, num_classes: int, layout: str = "coco17", in_channels: int = 3, width: int = 64,
                 dropout: float = 0.5):  # fmt: skip
        super().__init__()
        for name, value in dict(num_classes=num_classes, in_channels=in_channels, width=width).items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is a probability from 0 to below 1, got {dropout}")
        self.in_channels, self.num_joints = in_channels, len(get_layout(layout).joints)
        self.data_norm = nn.BatchNorm1d(self.num_joints * in_channels)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(4 * width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V, M) float -> (N, num_classes) logits, averaged over all M persons.

        ValueError: any other shape.
        """
        x = self.features(x).mean(dim=(3, 4))  # (N, M, C')
        return self.classifier(self.dropout(x.mean(dim=1)))  # (N, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(N, C, T, V, M) -> (N, M, C', T', V'), what is averaged over moments and joints; both may be 1."""
        wanted = (self.in_channels, self.num_joints)
        if x.ndim != 5 or (x.shape[1], x.shape[3]) != wanted or 0 in x.shape:
            raise ValueError(
                f"expected skeletons of shape (N, C={wanted[0]}, T, V={wanted[1]}, M), all at least 1; "
                f"got {tuple(x.shape)}"
            )
        n, c, t, v, m = x.shape
        x = x.permute(0, 4, 3, 1, 2).reshape(n * m, v * c, t)  # (N*M, V*C, T)
        x = self.data_norm(x).reshape(n * m, v, c, t)
        x = self.describe(x.permute(0, 2, 3, 1).contiguous())  # (N*M, C', T', V')
        return x.unflatten(0, (n, m))  # (N, M, C', T', V')

    @abstractmethod
    def describe(self, x: Tensor) -> Tensor:
        """Each person alone: (N*M, C, T, V) -> (N*M, C', T', V') with C' = 4 * width."""


class LSTM(Baseline):
    """Joints as one long vector, read by an LSTM; its state after the last frame decides."""

    def __init__(self, num_classes: int, layout: str = "coco17", in_channels: int = 3, width: int = 64,
                 dropout: float = 0.5):  # fmt: skip
        super().__init__(num_classes, layout, in_channels, width, dropout)
        self.lstm = nn.LSTM(
            self.num_joints * in_channels, 4 * width, LSTM_LAYERS, batch_first=True, dropout=dropout
        )

    def describe(self, x: Tensor) -> Tensor:
        """(N*M, C, T, V) -> (N*M, C', 1, 1)."""
        states, _ = self.lstm(x.permute(0, 2, 3, 1).flatten(2))  # (N*M, T, V*C) -> (N*M, T, C')
        return states[:, -1, :, None, None]


class FrameGNN(Baseline):
    """Graph convolutions (Kipf and Welling, arXiv 1609.02907) in each frame, averaged over frames.

    The layers are torch_geometric's GCNConv; ValueError where it is not installed. The order of the frames
    has no influence.
    """

    def __init__(self, num_classes: int, layout: str = "coco17", in_channels: int = 3, width: int = 64,
                 dropout: float = 0.5):  # fmt: skip
        super().__init__(num_classes, layout, in_channels, width, dropout)
        try:
            from torch_geometric.nn import GCNConv
            from torch_geometric.nn.conv.gcn_conv import gcn_norm
        except ImportError as error:
            raise ValueError(NO_TORCH_GEOMETRIC) from error
        # The graph never changes, so it is normalised here and not in every call.
        links, weights = gcn_norm(_links(layout), num_nodes=self.num_joints)
        self.register_buffer("links", links, persistent=False)  # (2, E)
        self.register_buffer("weights", weights, persistent=False)  # (E,)
        inputs = [in_channels] + [4 * width] * (GNN_LAYERS - 1)
        self.convs = nn.ModuleList(GCNConv(size, 4 * width, normalize=False) for size in inputs)
        self.norms = nn.ModuleList(nn.BatchNorm1d(4 * width) for _ in inputs)

    def describe(self, x: Tensor) -> Tensor:
        """(N*M, C, T, V) -> (N*M, C', T, V)."""
        persons, _, t, v = x.shape
        x = x.permute(0, 2, 3, 1).flatten(0, 1)  # (N*M*T, V, C)
        for conv, norm in zip(self.convs, self.norms):
            x = conv(x, self.links, self.weights)  # (N*M*T, V, C')
            x = torch.relu(norm(x.flatten(0, 1))).unflatten(0, (-1, v))
        return x.unflatten(0, (persons, t)).permute(0, 3, 1, 2)  # (N*M, C', T, V)


def _links(layout: str) -> Tensor:
    """(2, 2 * bones) indices of joints: from and to, each bone in both directions."""
    skeleton = get_layout(layout)
    bones = torch.tensor([[skeleton.index(a), skeleton.index(b)] for a, b in skeleton.edges]).T
    return torch.cat([bones, bones.flip(0)], dim=1)


class SimplifiedSTGCN(Baseline):
    """ST-GCN as tutorials shorten it: two blocks, no partition, no edge importance, no residual, no stride.

    connected: with the skeleton's graph, every joint receiving the average of its neighbourhood; otherwise
        with the identity matrix, which leaves every joint to itself.
    """

    def __init__(self, num_classes: int, layout: str = "coco17", in_channels: int = 3, width: int = 64,
                 dropout: float = 0.5, connected: bool = True):  # fmt: skip
        super().__init__(num_classes, layout, in_channels, width, dropout)
        graph = torch.from_numpy(adjacency(layout, "uniform"))  # (1, V, V)
        if not connected:
            graph = torch.eye(self.num_joints).unsqueeze(0)
        self.blocks = nn.Sequential(
            SimpleBlock(in_channels, 2 * width, graph), SimpleBlock(2 * width, 4 * width, graph)
        )

    def describe(self, x: Tensor) -> Tensor:
        """(N*M, C, T, V) -> (N*M, C', T, V)."""
        return self.blocks(x)


class SimpleBlock(nn.Module):
    """Graph convolution, then temporal convolution: (N, C, T, V) -> (N, C', T, V)."""

    def __init__(self, in_channels: int, out_channels: int, graph: Tensor):
        super().__init__()
        self.spatial = SpatialGraphConv(in_channels, out_channels, graph, edge_importance=False)
        self.spatial_norm = nn.BatchNorm2d(out_channels)
        self.temporal = temporal_conv(out_channels, TEMPORAL_KERNEL, stride=1)
        self.temporal_norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.spatial_norm(self.spatial(x)))
        return torch.relu(self.temporal_norm(self.temporal(x)))
