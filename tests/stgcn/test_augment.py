import numpy as np
import pytest

from stgcn import augment
from stgcn.augment import Augment
from stgcn.body import standing
from stgcn.graph import LAYOUTS

COCO17, KINECT20 = LAYOUTS["coco17"], LAYOUTS["kinect20"]
FRAMES = 30


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def times():
    return np.arange(FRAMES) / 30


@pytest.fixture
def keypoints(rng):
    """(30, 17, 3): a random person, in view throughout except for the right ankle."""
    keypoints = rng.uniform((0, 0, 0.3), (320, 240, 1), (FRAMES, 17, 3)).astype(np.float32)
    keypoints[:, COCO17.index("right_ankle")] = 0
    return keypoints


@pytest.fixture
def in_space(rng):
    """(30, 20, 4): a random person with a depth, in view throughout except for the right foot."""
    keypoints = rng.uniform((-0.4, -0.9, 2, 0.3), (0.4, 0.9, 2.4, 1), (FRAMES, 20, 4)).astype(np.float32)
    keypoints[:, KINECT20.index("right_foot")] = 0
    return keypoints


@pytest.mark.parametrize("name, value", [
    ("mirror", 1.5), ("crop", -0.1), ("hide_legs", 2), ("close", 2), ("drop_joint", 1.01), ("pan", -1),
    ("speed", (0, 1)), ("speed", (1.2, 0.8)), ("crop_share", (0.5, 1.5)), ("thin_fps", (-10, 15)), ("rotation_deg", -1),
    ("turn_deg", -1), ("tilt_deg", -1), ("position_noise", -0.1), ("noise_memory_s", -1),
])  # fmt: skip
def test_numbers_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"augmentation {name}"):
        Augment(**{name: value})


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_mirror_twice_is_identity(rng, layout):
    keypoints = rng.normal(size=(5, len(layout.joints), 3)).astype(np.float32)
    np.testing.assert_array_equal(augment.mirror(augment.mirror(keypoints, layout), layout), keypoints)


def test_mirror_moves_a_raised_hand_to_the_other_side(keypoints):
    left, right = COCO17.index("left_wrist"), COCO17.index("right_wrist")
    mirrored = augment.mirror(keypoints, COCO17)
    np.testing.assert_array_equal(mirrored[:, right], keypoints[:, left] * (-1, 1, 1))
    np.testing.assert_array_equal(mirrored[:, left], keypoints[:, right] * (-1, 1, 1))


def test_speed_keeps_the_end_and_scales_the_duration(times):
    faster = augment.change_speed(times, 2)
    assert faster[-1] == times[-1]
    np.testing.assert_allclose(np.ptp(faster), np.ptp(times) / 2)
    np.testing.assert_allclose(augment.change_speed(faster, 0.5), times)


@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
def test_crop_keeps_a_stretch_of_that_duration(times, keypoints, share):
    starts = set()
    for seed in range(20):
        kept_times, kept = augment.crop(np.random.default_rng(seed), times, keypoints, share)
        assert abs(np.ptp(kept_times) - share * np.ptp(times)) <= 1.01 / 30
        frames = np.flatnonzero(np.isin(times, kept_times))
        assert len(kept_times) == len(kept) == np.ptp(frames) + 1
        np.testing.assert_array_equal(kept, keypoints[frames])
        starts.add(frames[0])
    assert len(starts) == 1 if share == 1 else len(starts) > 5


@pytest.mark.parametrize("fps", [10, 15, 60])
def test_thinned_to_a_slower_camera(rng, times, keypoints, fps):
    kept_times, kept = augment.thin(rng, times, keypoints, fps)
    assert len(kept) == len(kept_times) == pytest.approx(min(fps, 30), abs=1)
    assert kept_times[0] == times[0]
    np.testing.assert_array_equal(kept, keypoints[np.isin(times, kept_times)])


def test_turning_back_and_forth_is_identity(keypoints):
    turned = augment.transform(keypoints, rotation_rad=0.7)
    assert np.abs(turned - keypoints).max() > 10
    np.testing.assert_allclose(augment.transform(turned, rotation_rad=-0.7), keypoints, atol=1e-3)


def test_rotation_keeps_distances_and_stretching_changes_proportions(keypoints):
    def distance(points):
        return np.linalg.norm(points[:, 5, :2] - points[:, 9, :2], axis=1)

    turned = augment.transform(keypoints, rotation_rad=1)
    np.testing.assert_allclose(distance(turned), distance(keypoints), rtol=1e-4)
    wide = augment.transform(keypoints, scale=(2, 1))
    apart, wider = (np.diff(points[:, :16], axis=1) for points in (keypoints, wide))
    np.testing.assert_allclose(wider[..., :2], apart[..., :2] * (2, 1), atol=1e-3)


@pytest.mark.parametrize("move, axis", [(augment.turn, 0), (augment.tilt, 1)], ids=["turn", "tilt"])
def test_seen_from_another_side(in_space, move, axis):
    moved = move(in_space, np.pi / 2)
    seen = in_space[..., 3] > 0
    middle = in_space[seen].mean(axis=0)
    before, after = in_space - middle, moved - middle
    np.testing.assert_allclose(after[seen][:, 2], before[seen][:, axis], atol=1e-4)
    np.testing.assert_allclose(after[seen][:, axis], -before[seen][:, 2], atol=1e-4)
    np.testing.assert_array_equal(moved[..., [1 - axis, 3]], in_space[..., [1 - axis, 3]])
    np.testing.assert_allclose(move(moved, -np.pi / 2), in_space, atol=1e-4)


def test_mirror_in_space_keeps_height_and_depth(in_space):
    mirrored = augment.mirror(in_space, KINECT20)
    left, right = KINECT20.index("left_hand"), KINECT20.index("right_hand")
    np.testing.assert_array_equal(mirrored[:, right], in_space[:, left] * (-1, 1, 1, 1))


def test_noise_in_space_has_the_given_size(rng, times, in_space):
    noisy = augment.add_noise(rng, times, in_space, position=0.01, confidence=0)
    seen = in_space[..., 3] > 0
    extent = np.median([np.ptp(frame[seen[0], :3], axis=0).max() for frame in in_space])
    np.testing.assert_allclose((noisy - in_space)[seen][:, :3].std(axis=0), 0.01 * extent, rtol=0.2)


@pytest.mark.parametrize("move", ["turn_deg", "tilt_deg"])
def test_only_joints_in_space_are_seen_from_another_side(times, keypoints, in_space, move):
    still = dict(mirror=0, crop=0, thin=0, hide_legs=0, drop_joint=0, rotation_deg=0, shear=0, aspect=(1, 1),
                 position_noise=0, confidence_noise=0, turn_deg=0, tilt_deg=0)  # fmt: skip
    moved = Augment(**still | {move: 45})
    _, flat = moved(np.random.default_rng(0), "coco17", times, keypoints)
    np.testing.assert_allclose(flat, keypoints, atol=1e-3)
    _, solid = moved(np.random.default_rng(0), "kinect20", times, in_space)
    assert np.abs(solid - in_space).max() > 0.05
    _, same = Augment(**still)(np.random.default_rng(0), "kinect20", times, in_space)
    np.testing.assert_allclose(same, in_space, atol=1e-5)


@pytest.mark.parametrize("axes", [2, 3])
def test_a_moving_camera_shifts_everybody_in_view_alike(times, keypoints, in_space, axes):
    recorded = {2: keypoints, 3: in_space}[axes]
    panned = augment.pan(times, recorded, (0.1, -0.2, 0.3)[:axes])
    shift = (panned - recorded)[..., :-1]  # (n, V, D - 1)
    np.testing.assert_allclose(shift, shift[:, :1] * (recorded[..., -1:] > 0), atol=1e-4)
    np.testing.assert_allclose(shift[-1], 0)
    assert (shift[0, 0] * (-1, 1, -1)[:axes] > 0).all()
    np.testing.assert_array_equal(panned[..., -1], recorded[..., -1])


def test_bones_do_not_see_the_camera_move(times, keypoints):
    still, moving = Augment(position_noise=0, pan=0), Augment(position_noise=0, pan=1)
    (_, seen), (_, drifting) = (variant(np.random.default_rng(4), "coco17", times, keypoints)
                                for variant in (still, moving))  # fmt: skip
    bones = [np.diff(recorded[..., :2][recorded[..., 2].all(axis=1)], axis=1) for recorded in (seen, drifting)]
    assert np.abs(drifting - seen).max() > 1
    np.testing.assert_allclose(bones[1], bones[0], atol=1e-2)


@pytest.mark.parametrize("memory_s", [0, 0.1])
def test_noise_has_the_given_size(rng, times, keypoints, memory_s):
    noisy = augment.add_noise(rng, times, keypoints, position=0.01, confidence=0, memory_s=memory_s)
    extent = np.median([np.ptp(frame[:16, :2], axis=0).max() for frame in keypoints])
    assert (noisy - keypoints)[:, :16, :2].std() == pytest.approx(0.01 * extent, rel=0.1)


def test_noise_that_lasts_changes_less_from_frame_to_frame(rng, times, keypoints):
    changes = []
    for memory_s in (0, 0.2):
        noisy = augment.add_noise(rng, times, keypoints, position=0.01, confidence=0, memory_s=memory_s)
        changes.append(np.abs(np.diff((noisy - keypoints)[:, :16, :2], axis=0)).mean())
    assert changes[1] < 0.5 * changes[0]


@pytest.mark.parametrize("change", [
    lambda rng, k: augment.transform(k, 0.3, (1.2, 0.9), 0.1),
    lambda rng, k: augment.add_noise(rng, np.arange(FRAMES) / 30, k, 0.05, 0.5),
    lambda rng, k: augment.drop_joints(rng, k, 0.5),
    lambda rng, k: augment.hide_legs(k, COCO17, hips=False),
    lambda rng, k: augment.cut(k, COCO17, (0.3, 0.5, 0.3, 0.2)),
])  # fmt: skip
def test_joints_out_of_view_stay_so_and_the_input_is_untouched(rng, keypoints, change):
    before = keypoints.copy()
    changed = change(rng, keypoints)
    assert not changed[:, COCO17.index("right_ankle")].any()
    assert 0 <= changed[..., 2].min() and changed[..., 2].max() <= 1
    np.testing.assert_array_equal(keypoints, before)


def test_dropped_joints_vanish_whole_and_others_stay(rng, keypoints):
    assert np.array_equal(augment.drop_joints(rng, keypoints, 0), keypoints)
    dropped = augment.drop_joints(rng, keypoints, 1)
    gone = (dropped == 0).all(axis=-1)
    assert 0.1 < gone.mean() < 0.9
    np.testing.assert_array_equal(dropped[~gone], keypoints[~gone])


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("hips", [True, False])
def test_a_desk_hides_the_legs(layout, hips):
    seen = augment.hide_legs(np.ones((2, len(layout.joints), 3), np.float32), layout, hips)[0, :, 2] > 0
    hidden = {joint for joint, visible in zip(layout.joints, seen) if not visible}
    expected = {"left_knee", "right_knee", "left_ankle", "right_ankle"}
    expected |= {"left_foot", "right_foot"} & set(layout.joints)
    assert hidden == expected | (set() if hips else {"left_hip", "right_hip"})


def somebody():
    """(1, 17, 3): an adult who stands, 1.7 units tall."""
    return np.column_stack([standing()[:, :2], np.ones(17)])[None]


def test_close_to_a_camera_only_what_is_inside_the_picture_is_seen():
    seen = augment.cut(somebody(), COCO17, (0.3, 0.5, 0.3, 0.2))[0, :, 2] > 0
    shown = {joint for joint, visible in zip(COCO17.joints, seen) if visible}
    assert shown == {"nose"} | {f"{side}_{part}" for side in ("left", "right")
                                for part in ("eye", "ear", "shoulder", "elbow")}  # fmt: skip
    assert augment.cut(somebody(), COCO17, (9, 9, 9, 9)) == pytest.approx(somebody())
    left = augment.cut(somebody(), COCO17, (0, 9, 9, 9))[0]
    assert not left[[joint.startswith("right") for joint in COCO17.joints]].any() and left.any()


def test_the_edges_of_a_picture_do_not_move_and_are_as_far_as_the_body_is_large():
    walking = np.repeat(somebody(), 5, axis=0)
    walking[:, :, 0] += np.array([0, 0, 0, 0, 5.0])[:, None]
    seen = augment.cut(walking, COCO17, (0.3, 0.5, 0.3, 0.2))[..., 2]
    assert seen[:4].any(axis=1).all() and not seen[4].any()
    assert np.array_equal(augment.cut(100 * walking, COCO17, (0.3, 0.5, 0.3, 0.2))[..., 2] > 0, seen > 0)


def test_somebody_close_is_in_view_at_last(times):
    leaving = np.repeat(somebody(), FRAMES, axis=0)
    leaving[..., 0] += np.linspace(0, 9, FRAMES)[:, None]
    for seed in range(20):
        _, seen = Augment(close=1, drop_joint=0)(np.random.default_rng(seed), "coco17", times, leaving)
        assert seen[-1].any()


def test_same_seed_same_variant(times, keypoints):
    def variant(seed):
        return Augment()(np.random.default_rng(seed), "coco17", times, keypoints)

    for a, b in zip(variant(1), variant(1)):
        np.testing.assert_array_equal(a, b)
    assert any(a.shape != b.shape or (a != b).any() for a, b in zip(variant(1), variant(2)))


@pytest.mark.parametrize("frames", [1, 2, 30])
def test_every_variant_is_a_usable_recording(times, keypoints, frames):
    strong = Augment(crop=1, crop_share=(0.01, 1), thin=0.5, hide_legs=0.5, close=0.5, drop_joint=0.5)
    for seed in range(50):
        new_times, new = strong(np.random.default_rng(seed), "coco17", times[:frames], keypoints[:frames])
        assert new.shape == (len(new_times), 17, 3) and 1 <= len(new_times) <= frames
        assert (np.diff(new_times) > 0).all() and np.isfinite(new).all()


def test_every_variant_in_space_is_usable(times, in_space):
    strong = Augment(crop=1, thin=0.5, hide_legs=0.5, drop_joint=0.5, turn_deg=180)
    for seed in range(20):
        new_times, new = strong(np.random.default_rng(seed), "kinect20", times, in_space)
        assert new.shape == (len(new_times), 20, 4) and np.isfinite(new).all()
        assert 0 <= new[..., 3].min() and new[..., 3].max() <= 1


@pytest.mark.parametrize("layout, joint_shape", [("coco17", (17, 3)), ("kinect20", (20, 4))])
def test_nobody_in_view_is_no_error(times, layout, joint_shape):
    empty = np.zeros((FRAMES, *joint_shape), np.float32)
    _, varied = Augment(crop=0, thin=0)(np.random.default_rng(0), layout, times, empty)
    np.testing.assert_array_equal(varied, empty)
