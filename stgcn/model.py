"""ST-GCN, the whole network of the paper: ten units, global average pooling, a linear classifier.

ST-GCN++ is the same network with other parts in its units, see `STGCN`.
"""

import torch
from torch import Tensor, nn

from stgcn.graph import adjacency
from stgcn.layers import BRANCHES, Unit

# (output channels in multiples of the width, temporal stride) of each unit. The paper's text counts nine
# units; its code has one more in front, without a residual path, that lifts the input to the first width.
UNITS = ((1, 1), (1, 1), (1, 1), (1, 1), (2, 2), (2, 1), (2, 1), (4, 2), (4, 1), (4, 1))


class STGCN(nn.Module):
    """Skeleton sequences in, one logit per action class out.

    num_classes: number of action classes.
    layout, strategy: names of the skeleton and of the partition of neighbourhoods, see `stgcn.graph`.
    in_channels: values per joint and frame; 3 for x, y, confidence.
    width: channels of the first four units; the others have two and four times as many. 64 in the paper.
    temporal_kernel: frames that one temporal convolution sees; odd. 9 in the paper.
    dropout: probability, in every unit. 0.5 in the paper.
    edge_importance: learn a factor for every edge (section 3.5).
    adaptive: learn the graph itself, starting from the layout's; leaves nothing to edge_importance.
    graph_residual: a residual path beside every graph convolution.
    multi_scale: six temporal branches instead of one convolution of temporal_kernel frames; width >= 6.

    ST-GCN++ (the PYSKL paper, see `stgcn.layers`) is strategy="directed", edge_importance=False, and the
    last three True.

    ValueError: an unknown layout or strategy, a number out of its range, or options that exclude each other.
    """

    def __init__(self, num_classes: int, layout: str = "coco17", strategy: str = "spatial",
                 in_channels: int = 3, width: int = 64, temporal_kernel: int = 9, dropout: float = 0.5,
                 edge_importance: bool = True, adaptive: bool = False, graph_residual: bool = False,
                 multi_scale: bool = False):  # fmt: skip
        super().__init__()
        unit_options = dict(
            temporal_kernel=temporal_kernel, dropout=dropout, edge_importance=edge_importance,
            adaptive=adaptive, graph_residual=graph_residual, multi_scale=multi_scale,
        )  # fmt: skip
        self.arguments = unit_options | dict(
            num_classes=num_classes, layout=layout, strategy=strategy, in_channels=in_channels, width=width
        )
        _check(self.arguments)
        graph = torch.from_numpy(adjacency(layout, strategy))  # (K, V, V)
        self.num_joints = graph.shape[-1]
        self.num_classes, self.layout, self.in_channels = num_classes, layout, in_channels
        self.data_norm = nn.BatchNorm1d(self.num_joints * in_channels)
        units, channels = [], in_channels
        for multiple, stride in UNITS:
            out = width * multiple
            residual = "none" if not units else "identity" if (channels, stride) == (out, 1) else "conv"
            units.append(Unit(channels, out, graph, stride=stride, residual=residual, **unit_options))
            channels = out
        self.units = nn.ModuleList(units)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V, M) float -> (N, num_classes) logits.

        N clips of M persons, averaged over all M. An absent joint or person is all zeros. ValueError: any
        other shape.
        """
        x = self.features(x).mean(dim=(3, 4))  # (N, M, C')
        return self.classifier(x.mean(dim=1))  # (N, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(N, C, T, V, M) -> (N, M, C', T', V): what the last unit says of each person, joint and moment."""
        self._check_input(x)
        n, c, t, v, m = x.shape
        x = x.permute(0, 4, 3, 1, 2)  # (N, M, V, C, T)
        x = self.data_norm(x.reshape(n * m, v * c, t))  # (N*M, V*C, T), joint-major
        x = x.reshape(n * m, v, c, t).permute(0, 2, 3, 1).contiguous()  # (N*M, C, T, V)
        for unit in self.units:
            x = unit(x)
        return x.unflatten(0, (n, m))  # (N, M, C', T', V)

    def _check_input(self, x: Tensor) -> None:
        wanted = (self.in_channels, self.num_joints)
        if x.ndim != 5 or (x.shape[1], x.shape[3]) != wanted or 0 in x.shape:
            raise ValueError(
                f"expected skeletons of shape (N, C={wanted[0]}, T, V={wanted[1]}, M), all at least 1; "
                f"got {tuple(x.shape)}"
            )


def _check(arguments: dict) -> None:
    for name in ("num_classes", "in_channels", "width"):
        if arguments[name] < 1:
            raise ValueError(f"{name} must be at least 1, got {arguments[name]}")
    if arguments["temporal_kernel"] < 1 or arguments["temporal_kernel"] % 2 == 0:
        raise ValueError(f"temporal_kernel must be odd, to have a middle; got {arguments['temporal_kernel']}")
    if not 0 <= arguments["dropout"] < 1:
        raise ValueError(f"dropout is a probability from 0 to below 1, got {arguments['dropout']}")
    if arguments["adaptive"] and arguments["edge_importance"]:
        raise ValueError("adaptive learns the graph itself; it needs edge_importance=False")
    if arguments["multi_scale"] and arguments["width"] < BRANCHES:
        raise ValueError(f"width must be at least {BRANCHES}, one channel for each branch of multi_scale")
