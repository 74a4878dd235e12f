import numpy as np
import pytest
import torch

from stgcn.augment import Augment
from stgcn.data import Clip, SkeletonDataset
from stgcn.preprocess import Preprocess


def clip(frames=20, **changes):
    rng = np.random.default_rng(0)
    keypoints = rng.uniform((0, 0, 0.5), (320, 240, 1), (frames, 17, 3)).astype(np.float32)
    times = np.arange(frames) / 30
    values = dict(name="a", label=0, times=times, keypoints=keypoints, end_s=times[-1] if frames else 0.0)
    return Clip(**(values | changes))


@pytest.mark.parametrize("changes, reason", [
    (dict(keypoints=np.full((20, 17, 3), np.nan, np.float32)), "a: a joint or a time is NaN"),
    (dict(keypoints=np.zeros((19, 17, 3), np.float32)), "a: 20 times for keypoints of"),
    (dict(keypoints=np.zeros((20, 17), np.float32)), "a: 20 times for keypoints of"),
    (dict(times=np.full(20, np.inf)), "a: a joint or a time is NaN or infinite"),
    (dict(times=np.zeros(20)), "a: its times do not ascend"),
])  # fmt: skip
def test_bad_clips(changes, reason):
    with pytest.raises(ValueError, match=reason):
        clip(**changes)


@pytest.mark.parametrize("changes, reason", [
    (dict(label=3), "a: label 3 is outside 0..2"),
    (dict(label=-1), "a: label -1 is outside 0..2"),
    (dict(keypoints=np.zeros((20, 18, 3), np.float32)), r"\(20, 18, 3\) instead of \(20, 17, 3\)"),
    (dict(keypoints=np.zeros((20, 17, 4), np.float32)), r"\(20, 17, 4\) instead of \(20, 17, 3\)"),
])  # fmt: skip
def test_clips_that_do_not_fit_the_network(changes, reason):
    with pytest.raises(ValueError, match=reason):
        SkeletonDataset([clip(), clip(**changes)], Preprocess(), 3)


def test_no_clips():
    with pytest.raises(ValueError, match="at least one clip"):
        SkeletonDataset([], Preprocess(), 3)


def test_test_window_ends_at_the_last_frame():
    dataset = SkeletonDataset([clip(label=2), clip(end_s=24 / 30)], Preprocess(fps=30, frames=40), 3)
    window, label = dataset[0]
    assert (window.shape, label) == ((3, 40, 17, 1), 2)
    observed = window[2, :, :, 0].any(dim=1)
    assert observed.tolist() == [False] * 20 + [True] * 20
    earlier, _ = dataset[1]
    assert earlier[2, :, :, 0].any(dim=1).tolist() == [False] * 15 + [True] * 20 + [False] * 5


@pytest.mark.parametrize("frames", [2, 7, 20, 90])
def test_a_whole_clip_fills_the_window(frames):
    preprocess = Preprocess(frames=40, max_gap_s=10, whole_clips=True)
    whole = SkeletonDataset([clip(frames)], preprocess, 1)[0][0]
    assert whole[2].all()
    own = SkeletonDataset([clip(frames)], Preprocess(frames=frames), 1)[0][0]
    np.testing.assert_allclose(whole[:, [0, -1], :, 0][2], own[:, [0, -1], :, 0][2], atol=1e-6)


@pytest.mark.parametrize("whole_clips, observed", [(False, 1), (True, 40)])
def test_a_clip_of_one_frame_is_no_error(whole_clips, observed):
    preprocess = Preprocess(frames=40, max_gap_s=10, whole_clips=whole_clips)
    for augment in (None, Augment(confidence_noise=0, drop_joint=0, hide_legs=0)):
        window, _ = SkeletonDataset([clip(1)], preprocess, 1, augment)[0]
        assert window.isfinite().all()
        assert window[2].any(dim=1).sum() == observed


@pytest.mark.parametrize("whole_clips", [False, True])
def test_nobody_in_the_clip_is_no_error(whole_clips):
    window, _ = SkeletonDataset([clip(0)], Preprocess(whole_clips=whole_clips), 1)[0]
    assert not window.any()


def test_clips_in_space():
    rng = np.random.default_rng(0)
    keypoints = np.ones((20, 20, 4), np.float32)
    keypoints[..., :3] = rng.normal(size=(20, 20, 3))
    preprocess = Preprocess("kinect20", frames=30)
    for augment in (None, Augment()):
        window, _ = SkeletonDataset([clip(keypoints=keypoints)], preprocess, 1, augment)[0]
        assert window.shape == (4, 30, 20, 1) and window.isfinite().all() and window.any()


def test_training_window_differs_by_epoch_and_repeats_with_the_seed():
    first, again = (SkeletonDataset([clip()] * 2, Preprocess(), 3, Augment(), seed=4) for _ in range(2))
    assert first[0][0].equal(again[0][0])
    assert not first[0][0].equal(first[1][0])
    again.epoch = 1
    assert not first[0][0].equal(again[0][0])


def test_several_people_of_a_clip():
    first, second = clip().keypoints, clip().keypoints[::-1] + np.array([200, 0, 0], np.float32)
    pair = clip(keypoints=np.concatenate([first, second], axis=1))
    together = Preprocess(people=2)
    with pytest.raises(ValueError, match=r"\(20, 34, 3\) instead of \(20, 17, 3\)"):
        SkeletonDataset([pair], Preprocess(), 3)
    window = SkeletonDataset([pair], together, 3)[0][0]
    assert window.shape == (3, 40, 17, 2)
    torch.testing.assert_close(window[..., 0], SkeletonDataset([clip()], Preprocess(), 3)[0][0][..., 0])
    assert window[..., 1].any()


def test_people_who_are_seen_together_are_varied_together():
    """Who stands exactly beside somebody else still does, seen by another camera, mirrored, faster."""
    person = clip().keypoints
    beside = clip(keypoints=np.concatenate([person, person + np.array([500, 0, 0], np.float32)], axis=1))
    camera = Augment(position_noise=0, confidence_noise=0, drop_joint=0, hide_legs=0)
    dataset = SkeletonDataset([beside], Preprocess(people=2), 3, camera)
    for dataset.epoch in range(10):
        window = dataset[0][0]  # (C, T, V, M)
        seen = window[2].bool().all(dim=-1)  # (T, V)
        apart = (window[:2, ..., 1] - window[:2, ..., 0])[:, seen]
        assert seen.any() and apart.std(dim=1).max() < 1e-4 < apart.norm(dim=0).min()
