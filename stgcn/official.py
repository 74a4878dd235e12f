"""Checkpoints of the code bases that ST-GCN and ST-GCN++ come from, read into this project's network.

- the paper's own code, github.com/yysijie/st-gcn: a bare state dict
- mmaction2 and PYSKL, `RecognizerGCN` of `STGCN` and `GCNHead`: {"meta": ..., "state_dict": ...}

Such a file names no arguments; they follow from the shapes of its tensors, the layout from its graph.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stgcn.graph import LAYOUTS, STRATEGIES, adjacency
from stgcn.model import STGCN, UNITS
from stgcn.weights import listed, load_weights

GRAPH_TOLERANCE = 1e-6  # the same graph, rounded to float32 once or twice
# A graph that was learned tells its skeleton only by the number of joints.
LAYOUT_OF_JOINTS = {17: "coco17", 18: "openpose18", 25: "ntu25_mmaction2"}
UNIT = r"units\.(\d+)\."


@dataclass(frozen=True)
class Source:
    """A code base, and what it calls things.

    marks: starts of keys; all of them occur in its checkpoints.
    names: (pattern for the start of our key, theirs); the first that matches counts.
    """

    title: str
    marks: tuple[str, ...]
    names: tuple[tuple[str, str], ...]

    def key(self, ours: str) -> str:
        """Their name of the weight that `STGCN` calls `ours`; the same where they have no such weight."""
        for pattern, theirs in self.names:
            renamed, found = re.subn(rf"^{pattern}(?=\.|$)", theirs, ours)
            if found:
                return renamed
        return ours


ORIGINAL = Source(
    title="github.com/yysijie/st-gcn",
    marks=("st_gcn_networks.",),
    names=(
        ("data_norm", "data_bn"),
        ("classifier", "fcn"),
        (UNIT + r"spatial\.adjacency", "A"),
        (UNIT + r"spatial\.edge_importance", r"edge_importance.\1"),
        (UNIT + r"spatial\.conv", r"st_gcn_networks.\1.gcn.conv"),
        (UNIT + "spatial_norm", r"st_gcn_networks.\1.tcn.0"),
        (UNIT + "temporal", r"st_gcn_networks.\1.tcn.2"),
        (UNIT + "temporal_norm", r"st_gcn_networks.\1.tcn.3"),
        (UNIT + "residual", r"st_gcn_networks.\1.residual"),
    ),
)


def _recogniser_gcn(title: str, head: str, *marks: str) -> Source:
    unit = r"backbone.gcn.\1."
    return Source(
        title=title,
        marks=("backbone.gcn.", *marks),
        names=(
            ("data_norm", "backbone.data_bn"),
            ("classifier", head),
            (UNIT + r"spatial\.adjacency", unit + "gcn.A"),
            (UNIT + r"spatial\.edge_importance", unit + "gcn.PA"),
            (UNIT + r"spatial\.conv", unit + "gcn.conv"),
            (UNIT + "spatial_norm", unit + "gcn.bn"),
            (UNIT + "spatial_residual", unit + "gcn.down"),
            (UNIT + r"temporal\.branches\.(\d+)\.3", unit + r"tcn.branches.\2.3.conv"),
            (UNIT + r"temporal\.branches", unit + "tcn.branches"),
            (UNIT + r"temporal\.merge", unit + "tcn.transform"),
            (UNIT + "temporal", unit + "tcn.conv"),
            (UNIT + "temporal_norm", unit + "tcn.bn"),
            (UNIT + r"residual\.0", unit + "residual.conv"),
            (UNIT + r"residual\.1", unit + "residual.bn"),
        ),
    )


PYSKL = _recogniser_gcn("PYSKL", "cls_head.fc_cls", "cls_head.fc_cls.")
MMACTION2 = _recogniser_gcn("mmaction2", "cls_head.fc")
SOURCES = (ORIGINAL, PYSKL, MMACTION2)


def recognise(content: Any) -> tuple[Source, dict[str, Tensor]] | None:
    """What code base wrote this content of a file, and the weights in it; None if none that is known here."""
    weights = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(weights, dict):
        return None
    for source in SOURCES:
        if all(any(str(key).startswith(mark) for key in weights) for mark in source.marks):
            return source, weights
    return None


def build(source: Source, weights: Mapping[str, Tensor]) -> STGCN:
    """The network that these weights belong to, with the weights.

    It takes input as all networks here do: (N, C, T, V, M), see `input_from_mmaction2`. Dropout, which leaves
    no trace in weights, is the paper's.

    ValueError: a graph that is not known here, or another arrangement of units than `stgcn.model.UNITS`; it
    lists the first keys that are missing, unknown, or of another shape, under their names in the file.
    """
    weights, key = dict(weights), source.key
    head = key("classifier.weight")
    if isinstance(weights.get(head), Tensor) and weights[head].ndim == 4:
        weights[head] = weights[head].flatten(1)  # (classes, C, 1, 1) -> (classes, C)
    arguments = _arguments(source, weights)
    network = STGCN(**arguments)
    if not arguments["adaptive"]:
        for graph in _graph_keys(source):
            del weights[graph]  # follows from layout and strategy
    load_weights(network, weights, key)
    return network


def input_from_mmaction2(x: Tensor) -> Tensor:
    """(N, M, T, V, C), as mmaction2 and PYSKL have it after their axis of clips -> (N, C, T, V, M)."""
    return x.permute(0, 4, 2, 3, 1)  # (N, C, T, V, M)


def _arguments(source: Source, weights: Mapping[str, Tensor]) -> dict[str, Any]:
    key = source.key
    subsets, joints, _ = _shape(weights, _graph_keys(source)[0], axes=3)
    outputs, in_channels, _, _ = _shape(weights, key("units.0.spatial.conv.weight"), axes=4)
    num_classes, _ = _shape(weights, key("classifier.weight"), axes=2)
    edge_importance = key("units.0.spatial.edge_importance") in weights
    multi_scale = key("units.0.temporal.branches.0.0.weight") in weights
    known = _known_graph(source, weights)
    if known is None and (edge_importance or subsets != 3 or joints not in LAYOUT_OF_JOINTS):
        raise ValueError(f"its graph, {subsets} subsets of {joints} joints, is none of those known here: "
                         f"{', '.join(LAYOUTS)}, divided as {', '.join(STRATEGIES)}")
    if edge_importance:
        _check_importance(source, weights)
    layout, strategy = known or (LAYOUT_OF_JOINTS[joints], "directed")
    arguments = dict(
        num_classes=num_classes,
        layout=layout,
        strategy=strategy,
        in_channels=in_channels,
        width=outputs // subsets,
        edge_importance=edge_importance,
        adaptive=known is None,
        graph_residual=key("units.0.spatial_residual.0.weight") in weights,
        multi_scale=multi_scale,
    )
    if not multi_scale:
        arguments["temporal_kernel"] = _shape(weights, key("units.0.temporal.weight"), axes=4)[2]
    return arguments


def _known_graph(source: Source, weights: Mapping[str, Tensor]) -> tuple[str, str] | None:
    """Layout and strategy whose graph all units have, or None."""
    keys = _graph_keys(source)
    missing = [key for key in keys if key not in weights]
    if missing:
        raise ValueError(f"weights missing: {listed(missing)}")
    for key in keys:
        _shape(weights, key, axes=3)
    graphs = [weights[key].cpu().float() for key in keys]
    for layout in LAYOUTS:
        for strategy in STRATEGIES:
            known = torch.from_numpy(adjacency(layout, strategy))  # (K, V, V)
            if all(_equal(graph, known) for graph in graphs):
                return layout, strategy
    return None


def _equal(graph: Tensor, known: Tensor) -> bool:
    return graph.shape == known.shape and torch.allclose(graph, known, rtol=0, atol=GRAPH_TOLERANCE)


def _check_importance(source: Source, weights: Mapping[str, Tensor]) -> None:
    """ValueError if the edge importance is one that is added to the graph instead of multiplied with it.

    mmaction2 and PYSKL can do either (`gcn_adaptive`) and store both alike. Factors start at 1 and where
    there is no edge nothing moves them, but decay towards 0; terms move to both sides of 0.
    """
    key = source.key("units.0.spatial.edge_importance")
    graph = weights[_graph_keys(source)[0]]
    importance = weights[key]
    if _shape(weights, key, axes=3) == tuple(graph.shape) and (importance[graph == 0] < 0).any():
        raise ValueError(f"{key} is below 0 where there is no edge, so it is added to the graph "
                         "(gcn_adaptive='offset'); only factors ('importance') are supported")


def _graph_keys(source: Source) -> list[str]:
    """Theirs of the graph of every unit; one for all in the paper's own code."""
    return list(dict.fromkeys(source.key(f"units.{unit}.spatial.adjacency") for unit in range(len(UNITS))))


def _shape(weights: Mapping[str, Tensor], key: str, axes: int) -> tuple[int, ...]:
    """Shape of a weight without which nothing can be said of the network."""
    if key not in weights:
        raise ValueError(f"weights missing: {key}")
    tensor = weights[key]
    if not isinstance(tensor, Tensor) or tensor.ndim != axes or 0 in tensor.shape:
        raise ValueError(f"{key} is no tensor with {axes} axes")
    return tuple(tensor.shape)
