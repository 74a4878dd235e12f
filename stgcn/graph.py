"""Skeletons as graphs: which joints there are, what connects them, and how neighbours are told apart.

Source: Yan, Xiong, Lin, "Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action
Recognition" (arXiv 1801.07455), called "the paper" in this package.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

SEVERAL = "*"  # between the name of a layout and a number of people
MAX_HOP = 1  # joints; the paper's D: a joint's neighbourhood is the joint itself and those it is connected to


@dataclass(frozen=True)
class Layout:
    """The joints of one skeleton, by name, in the order in which they are stored.

    name: what checkpoints and skeleton files call it.
    joints: V names. Those of the two sides start with "left_" and "right_".
    edges: pairs of joints that a bone connects; direction has no meaning.
    centre: the joint that stands for the body's centre of gravity in the spatial partition.
    axes: 2 in a picture, 3 in space, as depth cameras measure joints.
    people: whose joints they are, one person's after another's, see `several`.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    centre: str
    axes: int = 2
    people: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """(V, D): of a pose; a joint's positions along the axes and, last, its confidence."""
        return len(self.joints), self.axes + 1

    def several(self, people: int) -> "Layout":
        """The joints of so many people side by side: the first has this layout's names, the second left_hip*2, ...

        What holds for a body holds for all of them together (`mirrored`), and its place and size are those of the
        first. They are not connected: it is no graph for a network. ValueError: fewer people than one.
        """
        if people < 1:
            raise ValueError(f"a layout is of one person or more, not of {people}")
        if people == 1:
            return self
        joints = self.joints + tuple(f"{joint}{SEVERAL}{i}" for i in range(2, people + 1) for joint in self.joints)
        return replace(self, name=f"{self.name}{SEVERAL}{people}", joints=joints, people=people)

    def index(self, joint: str) -> int:
        """Position of a joint in arrays; ValueError if this skeleton has no such joint."""
        if joint not in self.joints:
            raise ValueError(f"layout {self.name} has no joint {joint!r}; it has {', '.join(self.joints)}")
        return self.joints.index(joint)

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(left, right) names of the joints that change places in a mirror."""
        lefts = (joint for joint in self.joints if joint.startswith("left_"))
        return tuple((left, left.replace("left_", "right_", 1)) for left in lefts)

    @cached_property
    def mirrored(self) -> tuple[int, ...]:
        """V indices: `keypoints[..., mirrored, :]` has left and right joints exchanged."""
        partner = {a: b for pair in self.pairs for a, b in (pair, pair[::-1])}
        return tuple(self.index(partner.get(joint, joint)) for joint in self.joints)

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """V indices: the joint at the other end of the bone towards the centre; the centre is its own."""
        parents = {self.centre: self.centre}
        for _ in self.edges:  # each round reaches at least one bone farther out
            for a, b in self.edges + tuple(edge[::-1] for edge in self.edges):
                if a in parents:
                    parents.setdefault(b, a)
        return tuple(self.index(parents[joint]) for joint in self.joints)


def _both_sides(*edges: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Edges written for the left side, followed by their twins on the right."""
    return edges + tuple((a.replace("left_", "right_"), b.replace("left_", "right_")) for a, b in edges)


COCO17 = Layout(
    name="coco17",
    joints=(
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
        "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
        "left_knee", "right_knee", "left_ankle", "right_ankle",
    ),
    edges=_both_sides(
        ("left_ankle", "left_knee"), ("left_knee", "left_hip"), ("left_hip", "left_shoulder"),
        ("left_wrist", "left_elbow"), ("left_elbow", "left_shoulder"), ("left_shoulder", "nose"),
        ("left_eye", "nose"), ("left_ear", "left_eye"),
    ),
    centre="nose",
)  # fmt: skip

OPENPOSE18 = Layout(
    name="openpose18",
    joints=(
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
        "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
        "right_eye", "left_eye", "right_ear", "left_ear",
    ),
    edges=(("nose", "neck"),) + _both_sides(
        ("left_wrist", "left_elbow"), ("left_elbow", "left_shoulder"), ("left_shoulder", "neck"),
        ("left_ankle", "left_knee"), ("left_knee", "left_hip"), ("left_hip", "left_shoulder"),
        ("left_eye", "nose"), ("left_ear", "left_eye"),
    ),
    centre="neck",
)  # fmt: skip

# The hand tip hangs on the thumb, and the thumb on the hand, as in the graph of the paper's own code.
NTU25 = Layout(
    name="ntu25",
    axes=3,
    joints=(
        "spine_base", "spine_middle", "neck", "head",
        "left_shoulder", "left_elbow", "left_wrist", "left_hand",
        "right_shoulder", "right_elbow", "right_wrist", "right_hand",
        "left_hip", "left_knee", "left_ankle", "left_foot",
        "right_hip", "right_knee", "right_ankle", "right_foot",
        "spine_top", "left_hand_tip", "left_thumb", "right_hand_tip", "right_thumb",
    ),
    edges=(
        ("spine_base", "spine_middle"), ("spine_middle", "spine_top"), ("neck", "spine_top"),
        ("head", "neck"),
    ) + _both_sides(
        ("left_shoulder", "spine_top"), ("left_elbow", "left_shoulder"), ("left_wrist", "left_elbow"),
        ("left_hand", "left_wrist"), ("left_hand_tip", "left_thumb"), ("left_thumb", "left_hand"),
        ("left_hip", "spine_base"), ("left_knee", "left_hip"), ("left_ankle", "left_knee"),
        ("left_foot", "left_ankle"),
    ),
    centre="spine_top",
)  # fmt: skip

# J-HMDB's own joints, in the set's order.
JHMDB15 = Layout(
    name="jhmdb15",
    joints=(
        "neck", "belly", "face", "right_shoulder", "left_shoulder", "right_hip", "left_hip",
        "right_elbow", "left_elbow", "right_knee", "left_knee", "right_wrist", "left_wrist",
        "right_ankle", "left_ankle",
    ),
    edges=(("neck", "belly"), ("face", "neck")) + _both_sides(
        ("left_shoulder", "neck"), ("left_elbow", "left_shoulder"), ("left_wrist", "left_elbow"),
        ("left_hip", "belly"), ("left_knee", "left_hip"), ("left_ankle", "left_knee"),
    ),
    centre="belly",
)  # fmt: skip

# The first Kinect's joints, under the names that NTU25 has for the second's.
KINECT20 = Layout(
    name="kinect20",
    axes=3,
    joints=(
        "spine_base", "spine_middle", "spine_top", "head",
        "left_shoulder", "left_elbow", "left_wrist", "left_hand",
        "right_shoulder", "right_elbow", "right_wrist", "right_hand",
        "left_hip", "left_knee", "left_ankle", "left_foot",
        "right_hip", "right_knee", "right_ankle", "right_foot",
    ),
    edges=(
        ("spine_base", "spine_middle"), ("spine_middle", "spine_top"), ("head", "spine_top"),
    ) + _both_sides(
        ("left_shoulder", "spine_top"), ("left_elbow", "left_shoulder"), ("left_wrist", "left_elbow"),
        ("left_hand", "left_wrist"), ("left_hip", "spine_base"), ("left_knee", "left_hip"),
        ("left_ankle", "left_knee"), ("left_foot", "left_ankle"),
    ),
    centre="spine_middle",
)  # fmt: skip

# NTU25's joints as mmaction2 and PYSKL connect them: hand tip and thumb both hang on the hand.
NTU25_MMACTION2 = replace(
    NTU25, name="ntu25_mmaction2", edges=tuple((a, b.replace("thumb", "hand")) for a, b in NTU25.edges)
)

# The paper's own code has this one too ("ntu_edge"): without spine_top, spine_middle takes its place.
NTU24 = Layout(
    name="ntu24",
    axes=3,
    joints=tuple(joint for joint in NTU25.joints if joint != "spine_top"),
    edges=tuple((a, b.replace("spine_top", "spine_middle")) for a, b in NTU25.edges if a != "spine_middle"),
    centre="neck",
)

ALL_LAYOUTS = (COCO17, OPENPOSE18, NTU25, NTU25_MMACTION2, NTU24, JHMDB15, KINECT20)
LAYOUTS = {layout.name: layout for layout in ALL_LAYOUTS}
PARTITIONS = ("uniform", "distance", "spatial")  # the paper's
STRATEGIES = (*PARTITIONS, "directed")


@lru_cache
def get_layout(name: str) -> Layout:
    """The layout of that name, or, by "NAME*2", of two people; ValueError that names the known ones."""
    single, _, people = str(name).partition(SEVERAL)
    if single not in LAYOUTS or not (people or "1").isdecimal():
        raise ValueError(f"unknown skeleton layout {name!r}; known: {', '.join(LAYOUTS)}")
    return LAYOUTS[single].several(int(people or 1))


def adjacency(layout: str | Layout, strategy: str = "spatial") -> np.ndarray:
    """Normalised adjacency of each subset of the neighbourhood, (K, V, V) float32.

    A[k, v, w] is what joint v gives to joint w in subset k. The paper's strategies (section 3.4, "Partition
    Strategies"): "uniform" (K = 1): all neighbours alike; "distance" (K = 2): the joint itself, then its
    neighbours; "spatial" (K = 3, equation 8): the joint itself, then neighbours as far from the centre or
    farther, then neighbours nearer to it. The K matrices together are (A + I) with each column divided by
    its sum, so that every joint receives an average of its neighbourhood (equation 10, with one-sided
    instead of symmetric normalisation as in the paper's code).

    ST-GCN++'s strategy (mmaction2 and PYSKL call it "spatial" too): "directed" (K = 3): the joint itself,
    then its parent, then its children, parent being the neighbour towards the centre. Here a joint receives
    an average of each subset.

    ValueError: unknown layout or strategy.
    """
    layout = get_layout(layout) if isinstance(layout, str) else layout
    if strategy not in STRATEGIES:
        raise ValueError(f"unknown partition strategy {strategy!r}; known: {', '.join(STRATEGIES)}")
    stack = _directed(layout) if strategy == "directed" else _partition(layout, strategy)
    return stack.astype(np.float32)


def _partition(layout: Layout, strategy: str) -> np.ndarray:
    """(K, V, V): the averaging neighbourhood, divided into the paper's subsets."""
    hops = _hop_distance(layout)  # (V, V)
    connected = hops <= MAX_HOP
    weights = connected / connected.sum(axis=0)
    itself, neighbour = hops == 0, hops == 1
    subsets = {
        "uniform": [connected],
        "distance": [itself, neighbour],
        "spatial": [itself, neighbour & ~_nearer(layout, hops), neighbour & _nearer(layout, hops)],
    }
    return np.stack([np.where(subset, weights, 0) for subset in subsets[strategy]])


def _directed(layout: Layout) -> np.ndarray:
    """(3, V, V): itself, parent and children of each joint, every subset averaged for itself."""
    joints = np.arange(len(layout.joints))
    parent = np.zeros((len(joints), len(joints)))
    parent[list(layout.parents), joints] = 1
    parent[layout.index(layout.centre)] *= joints != layout.index(layout.centre)  # no parent of its own
    return np.stack([np.eye(len(joints)), parent, parent.T / parent.T.sum(axis=0).clip(min=1)])


def _hop_distance(layout: Layout) -> np.ndarray:
    """(V, V) number of bones between two joints, infinite beyond MAX_HOP."""
    hops = np.full((len(layout.joints),) * 2, np.inf)
    np.fill_diagonal(hops, 0)
    for a, b in layout.edges:
        hops[layout.index(a), layout.index(b)] = hops[layout.index(b), layout.index(a)] = 1
    return hops


def _nearer(layout: Layout, hops: np.ndarray) -> np.ndarray:
    """(V, V) whether joint v is nearer to the centre than joint w.

    Distances to the centre are as blind beyond MAX_HOP as all others: two joints out there are equally
    far. The paper measures true distances; its code, and every checkpoint trained with it, does this.
    """
    to_centre = hops[:, layout.index(layout.centre)]
    return to_centre[:, None] < to_centre[None, :]
