import numpy as np
import pytest

from stgcn.graph import LAYOUTS, STRATEGIES, adjacency, get_layout

OFFICIAL = [
    *[("openpose18", strategy, f"yysijie.openpose.{strategy}.A") for strategy in STRATEGIES],
    *[("ntu25", strategy, f"yysijie.ntu-rgb+d.{strategy}.A") for strategy in STRATEGIES],
    ("openpose18", "spatial", "mmaction2.openpose.stgcn_spatial.A"),
    ("coco17", "spatial", "mmaction2.coco.stgcn_spatial.A"),
]
every_graph = pytest.mark.parametrize(
    "layout, strategy", [(layout, strategy) for layout in LAYOUTS for strategy in STRATEGIES]
)
every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def test_unknown_layout_names_the_known_ones():
    with pytest.raises(ValueError, match="coco18.*coco17, openpose18, ntu25"):
        adjacency("coco18")


def test_unknown_strategy_names_the_known_ones():
    with pytest.raises(ValueError, match="spacial.*uniform, distance, spatial"):
        adjacency("coco17", "spacial")


def test_unknown_joint_names_the_layout():
    with pytest.raises(ValueError, match="coco17 has no joint 'neck'"):
        get_layout("coco17").index("neck")


@pytest.mark.parametrize("layout, strategy, key", OFFICIAL)
def test_equals_the_official_stacks(shared, layout, strategy, key):
    official = np.load(shared("reference/graphs.npz"))[key]
    np.testing.assert_array_equal(adjacency(layout, strategy), official.astype(np.float32))


@every_graph
def test_every_joint_receives_an_average(layout, strategy):
    graph = adjacency(layout, strategy)
    assert graph.shape == (1 + STRATEGIES.index(strategy), *2 * [len(LAYOUTS[layout].joints)])
    assert graph.dtype == np.float32
    np.testing.assert_allclose(graph.sum(axis=(0, 1)), 1, rtol=1e-6)


@every_graph
def test_subsets_divide_the_neighbourhood(layout, strategy):
    graph = adjacency(layout, strategy)
    np.testing.assert_array_equal(graph.sum(axis=0), adjacency(layout, "uniform")[0])
    assert ((graph > 0).sum(axis=0) <= 1).all()


@every_layout
def test_centre_sends_outwards_only(layout):
    to_centre = adjacency(layout, "spatial")[:, :, layout.index(layout.centre)]
    assert not to_centre[2].any(), "no neighbour is nearer to the centre than the centre"


@every_layout
def test_layout_is_a_tree_of_known_joints(layout):
    assert len(set(layout.joints)) == len(layout.joints)
    assert len(layout.edges) == len(layout.joints) - 1
    reached = {layout.centre}
    for _ in layout.edges:
        reached |= {joint for edge in layout.edges if reached & set(edge) for joint in edge}
    assert reached == set(layout.joints)


@every_layout
def test_mirror_exchanges_sides_and_keeps_the_graph(layout):
    order = list(layout.mirrored)
    assert [order[i] for i in order] == list(range(len(order)))
    assert layout.joints[order[layout.index("left_knee")]] == "right_knee"
    graph = adjacency(layout, "spatial")
    np.testing.assert_array_equal(graph[:, order][:, :, order], graph)
