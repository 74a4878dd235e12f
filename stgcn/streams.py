"""Six views of the same movement, for a network each, whose scores are made one, or several for one network.

Joints and bones: Shi, Zhang, Cheng, Lu, "Two-Stream Adaptive Graph Convolutional Networks for Skeleton-Based
Action Recognition" (arXiv 1805.07694). With the motion of both, they are the four streams of the PYSKL paper
(arXiv 2205.09443). Distances between all joints, which do not depend on where the camera stands: Yang, Sakti, Wu,
Nakamura, "Make Skeleton-based Action Recognition Model Smaller, Faster and Better" (DD-Net, arXiv 1907.09658),
section 3.1; here they are channels of the joints, for a network on the graph.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from stgcn.graph import Layout, get_layout

STREAMS = ("joint", "bone", "joint_motion", "bone_motion", "distance", "distance_motion")
DISTANCE = "distance"
TOGETHER = "+"  # between the names of streams that one network sees side by side, as further channels
# In a fusion: the PYSKL paper's, and for distances likewise.
WEIGHTS = {name: 1.0 if name.endswith("motion") else 2.0 for name in STREAMS}


def stream(x: Tensor, name: str, layout: str | Layout) -> Tensor:
    """One of STREAMS, in the shape of what it is made of; or several, such as "joint+bone", one after another in C.

    x: a window (C, T, V) or a batch (N, C, T, V, M) of joints. The last channel is confidence, the others are
    positions; a joint that was not observed is all zeros.

    "bone": each joint as seen from the next one towards the layout's centre; the centre, which has none, is
    zeros. "distance": how far each joint is from every joint, V channels in the layout's order, and its confidence.
    "..._motion": the change since the moment before; zeros at the first. Whatever lacks one of its two ends is zeros,
    and the confidence of bones and of motion is that of the less certain end.

    ValueError: an unknown stream or layout, or x of another shape.
    """
    layout = get_layout(layout) if isinstance(layout, str) else layout
    check_name(name)
    _check_shape(x, layout)
    batch = x.ndim == 5
    if batch:
        x = x.movedim(-1, 1)  # (N, M, C, T, V)
    x = torch.cat([_single(x, part, layout) for part in members(name)], dim=-3)
    return x.movedim(1, -1) if batch else x  # (N, C, T, V, M) or (C, T, V)


def check_name(stream: str) -> None:
    """ValueError: a stream that is not in STREAMS, nor several of them."""
    for part in members(stream):
        if part not in STREAMS:
            raise ValueError(f"unknown stream {part!r}; known: {', '.join(STREAMS)}, or several joined by {TOGETHER}")


def members(stream: str) -> list[str]:
    """The names in it: one, or several."""
    return stream.split(TOGETHER)


def channels(stream: str, layout: Layout) -> int:
    """Of the network that sees `stream`."""
    joints, of_a_joint = layout.shape
    return sum(joints + 1 if name.startswith(DISTANCE) else of_a_joint for name in members(stream))


def fuse(scores: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Mean of the streams' scores, weighted: {stream: (N, classes)} -> (N, classes).

    weights: not negative, for exactly the same streams; only their ratios count. Probabilities stay
    probabilities.

    ValueError: no streams, other streams in one than in the other, scores of different shapes, or weights
    that are negative or all 0.
    """
    if not scores or set(scores) != set(weights):
        raise ValueError(f"scores of {', '.join(scores) or 'no streams'} need weights for just these, got "
                         f"{', '.join(weights) or 'none'}")
    shapes = {name: tuple(score.shape) for name, score in scores.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"scores of different shapes cannot be fused: {shapes}")
    total = sum(weights.values())
    if min(weights.values()) < 0 or not total > 0:
        raise ValueError(f"weights of streams are 0 or more, and one is more; got {dict(weights)}")
    return sum(scores[name] * (weights[name] / total) for name in scores)


def _single(x: Tensor, name: str, layout: Layout) -> Tensor:
    """(..., C, T, V) -> (..., C', T, V): one of STREAMS."""
    if name.startswith(DISTANCE):
        x = _distances(x)
    if name.startswith("bone"):
        x = _difference(x, _parents(x, layout))
    if not name.endswith("motion"):
        return x
    before = _moment_before(x)
    change = _difference(x, before)
    if name.startswith(DISTANCE):  # each of them lacks an end where the other joint was missing, now or before
        change[..., :-1, :, :] *= ((x > 0) & (before > 0))[..., :-1, :, :]
    return change


def _distances(x: Tensor) -> Tensor:
    """(..., C, T, V) -> (..., V + 1, T, V): from each joint to all joints, 0 where one is missing; and confidence."""
    positions, seen = x[..., :-1, :, :].movedim(-3, -1), x[..., -1, :, :] > 0  # (..., T, V, C - 1), (..., T, V)
    apart = torch.cdist(positions, positions, compute_mode="donot_use_mm_for_euclid_dist")  # (..., T, V, V)
    apart = apart * seen[..., None, :] * seen[..., :, None]
    return torch.cat([apart.movedim(-1, -3), x[..., -1:, :, :]], dim=-3)


def _check_shape(x: Tensor, layout: Layout) -> None:
    joints = len(layout.joints)
    window = x if x.ndim == 3 else x[0, ..., 0] if x.ndim == 5 and x.numel() else None  # (C, T, V)
    if window is None or len(window) < 2 or window.shape[-1] != joints:
        raise ValueError(f"expected a window (C, T, V={joints}) or a batch (N, C, T, V={joints}, M), C being "
                         f"positions and confidence; got {tuple(x.shape)}")


def _parents(x: Tensor, layout: Layout) -> Tensor:
    """(..., T, V) -> (..., T, V): of each joint, the next one towards the centre; of the centre, nothing."""
    parents = x[..., list(layout.parents)]  # (..., T, V), a copy
    parents[..., layout.index(layout.centre)] = 0
    return parents


def _moment_before(x: Tensor) -> Tensor:
    """(..., T, V) -> (..., T, V): one moment later, with nothing at the first."""
    before = torch.zeros_like(x)
    before[..., 1:, :] = x[..., :-1, :]
    return before


def _difference(x: Tensor, reference: Tensor) -> Tensor:
    """(..., C, T, V) twice -> (..., C, T, V): positions of x relative to those of the reference."""
    confidence = torch.minimum(x[..., -1:, :, :], reference[..., -1:, :, :])  # (..., 1, T, V)
    positions = x[..., :-1, :, :] - reference[..., :-1, :, :]  # (..., C - 1, T, V)
    difference = torch.cat([positions, confidence], dim=-3)  # (..., C, T, V)
    return torch.where(confidence > 0, difference, 0)
