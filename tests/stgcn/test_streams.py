"""Streams and their fusion: refusals, then what each stream is made of."""

import pytest
import torch

from stgcn.graph import LAYOUTS
from stgcn.streams import STREAMS, WEIGHTS, channels, fuse, stream

COCO17 = LAYOUTS["coco17"]
WRIST, ELBOW, NOSE = (COCO17.index(joint) for joint in ("left_wrist", "left_elbow", "nose"))
every_stream = pytest.mark.parametrize("name", (*STREAMS, "joint+bone", "distance+bone"))


def window(layout=COCO17, frames=6, channels=3):
    """(C, T, V): everything observed, with confidences 0.5..1."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(channels, frames, len(layout.joints), generator=generator)
    x[-1] = 0.5 + 0.5 * torch.rand(x[-1].shape, generator=generator)
    return x


def test_an_unknown_stream_or_layout_names_the_known_ones():
    with pytest.raises(ValueError, match="'limb'.*joint, bone, joint_motion, bone_motion, distance"):
        stream(window(), "limb", "coco17")
    with pytest.raises(ValueError, match="'limb'.*joined by \\+"):
        stream(window(), "joint+limb", "coco17")
    with pytest.raises(ValueError, match="coco18.*coco17"):
        stream(window(), "bone", "coco18")


@pytest.mark.parametrize("shape", [
    (17,), (6, 17), (1, 6, 17), (3, 6, 18), (2, 3, 6, 17), (2, 3, 6, 18, 1), (2, 1, 6, 17, 1),
    (0, 3, 6, 17, 1),
])  # fmt: skip
@every_stream
def test_another_shape_is_refused(shape, name):
    with pytest.raises(ValueError, match="expected a window"):
        stream(torch.zeros(shape), name, "coco17")


@pytest.mark.parametrize("scores, weights, reason", [
    ({}, {}, "no streams"),
    ({"joint": torch.ones(1, 2)}, {"bone": 1}, "joint.*bone"),
    ({"joint": torch.ones(1, 2)}, {"joint": 1, "bone": 1}, "just these"),
    ({"joint": torch.ones(1, 2), "bone": torch.ones(1, 3)}, {"joint": 1, "bone": 1}, "different shapes"),
    ({"joint": torch.ones(1, 2), "bone": torch.ones(1, 2)}, {"joint": 2, "bone": -1}, "0 or more"),
    ({"joint": torch.ones(1, 2)}, {"joint": 0}, "0 or more"),
    ({"joint": torch.ones(1, 2)}, {"joint": float("nan")}, "0 or more"),
])  # fmt: skip
def test_scores_that_cannot_be_fused(scores, weights, reason):
    with pytest.raises(ValueError, match=reason):
        fuse(scores, weights)


@pytest.mark.parametrize("layout", LAYOUTS)
@every_stream
def test_frames_and_joints_stay_and_the_input_is_not_changed(name, layout):
    x = window(LAYOUTS[layout], channels=LAYOUTS[layout].axes + 1)
    before = x.clone()
    made = stream(x, name, layout)
    assert made.shape == (channels(name, LAYOUTS[layout]), 6, len(LAYOUTS[layout].joints)) and torch.equal(x, before)


@every_stream
def test_a_batch_is_its_windows(name):
    windows = [[window() + n + m for m in range(2)] for n in range(3)]
    batch = torch.stack([torch.stack(persons, dim=-1) for persons in windows])  # (N, C, T, V, M)
    made = stream(batch, name, "coco17")
    for n, persons in enumerate(windows):
        for m, person in enumerate(persons):
            assert torch.equal(made[n, ..., m], stream(person, name, "coco17"))


def test_joint_is_the_window_itself():
    assert torch.equal(stream(window(), "joint", "coco17"), window())


def test_bones_point_from_the_next_joint_towards_the_centre():
    x = window()
    bone = stream(x, "bone", "coco17")
    assert torch.equal(bone[:2, :, WRIST], x[:2, :, WRIST] - x[:2, :, ELBOW])
    assert torch.equal(bone[2, :, WRIST], torch.minimum(x[2, :, WRIST], x[2, :, ELBOW]))
    assert not bone[:, :, NOSE].any(), "the centre has no bone"


def test_bones_lead_back_to_the_joints():
    """Summed from the centre outwards, bones give every joint's place relative to the centre."""
    x = window()
    bone = stream(x, "bone", "coco17")
    place = bone[:2, :, WRIST].clone()
    joint = WRIST
    while joint != NOSE:
        joint = COCO17.parents[joint]
        place += bone[:2, :, joint]
    torch.testing.assert_close(place, x[:2, :, WRIST] - x[:2, :, NOSE])


def test_motion_is_the_change_since_the_moment_before():
    x = window()
    motion = stream(x, "joint_motion", "coco17")
    assert not motion[:, 0].any()
    assert torch.equal(motion[:2, 1:], x[:2, 1:] - x[:2, :-1])
    assert torch.equal(motion[2, 1:], torch.minimum(x[2, 1:], x[2, :-1]))
    bone = stream(x, "bone", "coco17")
    assert torch.equal(stream(x, "bone_motion", "coco17"), stream(bone, "joint_motion", "coco17"))


def test_the_future_has_no_influence():
    x = window()
    for name in STREAMS:
        assert torch.equal(stream(x, name, "coco17")[:, :4], stream(x[:, :4], name, "coco17"))


def test_place_does_not_matter_but_for_the_joints():
    x = window()
    elsewhere = x.clone()
    elsewhere[:2] += torch.tensor([5.0, -3.0])[:, None, None]
    for name in STREAMS[1:]:
        torch.testing.assert_close(
            stream(elsewhere, name, "coco17"), stream(x, name, "coco17"), rtol=0, atol=1e-5
        )


def test_what_lacks_an_end_is_missing():
    x = window()
    x[:, 3, ELBOW] = 0
    bone = stream(x, "bone", "coco17")
    assert not bone[:, 3, [ELBOW, WRIST]].any() and bone[2, [2, 4]][:, [ELBOW, WRIST]].all()
    motion = stream(x, "joint_motion", "coco17")
    assert not motion[:, [3, 4], ELBOW].any() and motion[2, [1, 2, 5], ELBOW].all()
    assert not stream(x, "bone_motion", "coco17")[:, [3, 4]][:, :, [ELBOW, WRIST]].any()


def test_distances_are_those_between_all_joints():
    x = window()
    distance = stream(x, "distance", "coco17")
    apart = torch.linalg.norm(x[:2, :, WRIST] - x[:2, :, NOSE], dim=0)
    torch.testing.assert_close(distance[WRIST, :, NOSE], apart)
    torch.testing.assert_close(distance[NOSE, :, WRIST], apart)
    assert not distance[WRIST, :, WRIST].any() and torch.equal(distance[-1], x[-1])
    motion = stream(x, "distance_motion", "coco17")[NOSE, 1:, WRIST]
    assert torch.equal(motion, distance[NOSE, 1:, WRIST] - distance[NOSE, :-1, WRIST])


def test_where_the_camera_stands_does_not_matter_to_distances():
    space = LAYOUTS["kinect20"]
    x = window(space, channels=4)
    angle = torch.tensor(0.7)
    turned = x.clone()
    turned[0], turned[2] = angle.cos() * x[0] - angle.sin() * x[2], angle.sin() * x[0] + angle.cos() * x[2]
    for name in ("distance", "distance_motion"):
        torch.testing.assert_close(stream(turned, name, space), stream(x, name, space), rtol=0, atol=1e-5)


def test_a_joint_that_is_missing_is_at_no_distance():
    x = window()
    x[:, 3, WRIST] = 0
    distance = stream(x, "distance", "coco17")
    assert not distance[:, 3, WRIST].any() and not distance[WRIST, 3].any() and distance[NOSE, 3, ELBOW] > 0
    motion = stream(x, "distance_motion", "coco17")
    assert not motion[WRIST, 3:5].any() and motion[WRIST, 2, NOSE] != 0 and motion[NOSE, 4, ELBOW] != 0


@every_stream
def test_nobody_stays_nobody(name):
    assert not stream(torch.zeros(3, 6, 17), name, "coco17").any()


def test_positions_may_have_depth():
    x = window(channels=4)
    assert torch.equal(stream(x, "bone", "coco17")[:3, :, WRIST], x[:3, :, WRIST] - x[:3, :, ELBOW])


@pytest.mark.parametrize("layout, values", [("coco17", 3), ("kinect20", 4)])
def test_streams_together_are_further_channels(layout, values):
    x = window(LAYOUTS[layout], channels=values)
    made = stream(x, "bone+joint", layout)
    assert len(made) == channels("bone+joint", LAYOUTS[layout]) == 2 * values
    assert torch.equal(made[:values], stream(x, "bone", layout)) and torch.equal(made[values:], x)


def test_fused_scores_are_a_weighted_mean():
    scores = {name: torch.rand(5, 3).softmax(dim=1) for name in STREAMS[:4]}
    fused = fuse(scores, {name: WEIGHTS[name] for name in scores})
    expected = (2 * scores["joint"] + 2 * scores["bone"] + scores["joint_motion"] + scores["bone_motion"]) / 6
    torch.testing.assert_close(fused, expected)
    torch.testing.assert_close(fused.sum(dim=1), torch.ones(5))
    torch.testing.assert_close(fuse(scores, {name: 10 * WEIGHTS[name] for name in scores}), fused)


def test_a_stream_without_weight_has_no_say():
    scores = {"joint": torch.rand(4, 3), "bone": torch.rand(4, 3)}
    assert torch.equal(fuse(scores, {"joint": 3, "bone": 0}), scores["joint"])
