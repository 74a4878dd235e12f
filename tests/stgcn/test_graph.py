import numpy as np
import pytest

from stgcn.graph import LAYOUTS, PARTITIONS, STRATEGIES, adjacency, get_layout

ORIGINAL = {"openpose": "openpose18", "ntu-rgb+d": "ntu25", "ntu_edge": "ntu24"}  # theirs: ours
MMACTION2 = {"openpose": "openpose18", "coco": "coco17", "nturgb+d": "ntu25_mmaction2"}
MODES = {"stgcn_spatial": "spatial", "spatial": "directed"}
OFFICIAL = [
    *[(ours, name, f"yysijie.{layout}.{name}.A") for layout, ours in ORIGINAL.items() for name in PARTITIONS],
    *[
        (ours, strategy, f"mmaction2.{layout}.{mode}.A")
        for layout, ours in MMACTION2.items()
        for mode, strategy in MODES.items()
    ],
]
every_graph = pytest.mark.parametrize(
    "layout, strategy", [(layout, strategy) for layout in LAYOUTS for strategy in STRATEGIES]
)
every_partition = pytest.mark.parametrize(
    "layout, strategy", [(layout, strategy) for layout in LAYOUTS for strategy in PARTITIONS]
)
every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def test_unknown_layout_names_the_known_ones():
    with pytest.raises(ValueError, match="coco18.*coco17, openpose18, ntu25"):
        adjacency("coco18")


def test_unknown_strategy_names_the_known_ones():
    with pytest.raises(ValueError, match="spacial.*uniform, distance, spatial, directed"):
        adjacency("coco17", "spacial")


def test_unknown_joint_names_the_layout():
    with pytest.raises(ValueError, match="coco17 has no joint 'neck'"):
        get_layout("coco17").index("neck")


@pytest.mark.parametrize("layout, strategy, key", OFFICIAL)
def test_equals_the_official_stacks(shared, layout, strategy, key):
    official = np.load(shared("reference/graphs.npz"))[key]
    np.testing.assert_array_equal(adjacency(layout, strategy), official.astype(np.float32))


def test_no_official_stack_is_left_out(shared):
    stacks = {key for key in np.load(shared("reference/graphs.npz")) if key.endswith(".A")}
    assert stacks == {key for _, _, key in OFFICIAL}


@every_partition
def test_every_joint_receives_an_average(layout, strategy):
    graph = adjacency(layout, strategy)
    assert graph.shape == (1 + PARTITIONS.index(strategy), *2 * [len(LAYOUTS[layout].joints)])
    np.testing.assert_allclose(graph.sum(axis=(0, 1)), 1, rtol=1e-6)


@every_partition
def test_subsets_divide_the_neighbourhood(layout, strategy):
    graph = adjacency(layout, strategy)
    np.testing.assert_array_equal(graph.sum(axis=0), adjacency(layout, "uniform")[0])
    assert ((graph > 0).sum(axis=0) <= 1).all()


@every_graph
def test_all_graphs_have_the_same_form(layout, strategy):
    graph, joints = adjacency(layout, strategy), len(LAYOUTS[layout].joints)
    assert graph.dtype == np.float32 and graph.shape[1:] == (joints, joints)
    neighbourhood = adjacency(layout, "uniform")[0] > 0
    np.testing.assert_array_equal((graph > 0).any(axis=0), neighbourhood)
    np.testing.assert_array_equal(graph[0], np.diag(graph[0].diagonal()) if len(graph) > 1 else graph[0])


@every_layout
def test_directed_averages_itself_parent_and_children(layout):
    itself, parent, children = adjacency(layout, "directed")
    np.testing.assert_array_equal(itself, np.eye(len(layout.joints)))
    centre = layout.index(layout.centre)
    for joint, above in enumerate(layout.parents):
        assert np.flatnonzero(parent[:, joint]).tolist() == ([] if joint == centre else [above])
        below = [j for j, p in enumerate(layout.parents) if p == joint != j]
        assert np.flatnonzero(children[:, joint]).tolist() == below
    assert set(parent.sum(axis=0)) <= {0, 1}
    np.testing.assert_allclose(children.sum(axis=0)[children.any(axis=0)], 1, rtol=1e-6)


@every_layout
def test_parents_lead_to_the_centre_along_bones(layout):
    assert layout.parents[layout.index(layout.centre)] == layout.index(layout.centre)
    bones = {frozenset((joint, parent)) for joint, parent in enumerate(layout.parents) if joint != parent}
    assert bones == {frozenset(map(layout.index, edge)) for edge in layout.edges}
    for joint in range(len(layout.joints)):
        for _ in layout.edges:
            joint = layout.parents[joint]
        assert layout.joints[joint] == layout.centre


def test_official_bones_point_to_our_parents(shared):
    graphs = np.load(shared("reference/graphs.npz"))
    for theirs, ours in MMACTION2.items():
        inward = graphs[f"mmaction2.{theirs}.edges"].tolist()
        assert [LAYOUTS[ours].parents[joint] for joint, _ in inward] == [parent for _, parent in inward]


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
    for strategy in STRATEGIES:
        graph = adjacency(layout, strategy)
        np.testing.assert_array_equal(graph[:, order][:, :, order], graph)


@pytest.mark.parametrize("name", ["coco17*0", "coco17*-1", "coco17*x", "coco17*2*2", "*2"])
def test_layouts_of_no_number_of_people_are_refused(name):
    with pytest.raises(ValueError, match="layout"):
        get_layout(name)


@every_layout
def test_several_people_stand_side_by_side(layout):
    three, joints = get_layout(f"{layout.name}*3"), len(layout.joints)
    assert (three.people, three.shape) == (3, (3 * joints, layout.axes + 1))
    assert layout.several(1) == get_layout(f"{layout.name}*1") == layout
    assert [three.index(joint) for joint in layout.joints] == list(range(joints)), "the first is called as if alone"
    together = np.array(three.mirrored).reshape(3, joints)
    np.testing.assert_array_equal(together, np.array(layout.mirrored) + joints * np.arange(3)[:, None])
