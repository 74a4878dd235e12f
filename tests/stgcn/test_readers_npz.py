"""J-HMDB's ground truth and Northwestern-UCLA, real ones and broken ones."""

from pathlib import Path

import numpy as np
import pytest

from stgcn.data import SkeletonDataset
from stgcn.graph import JHMDB15
from stgcn.preprocess import Preprocess
from stgcn.readers import jhmdb, nwucla, read_part
from stgcn.settings import Data

LAYOUTS = {jhmdb: "jhmdb15", nwucla: "kinect20"}
both = pytest.mark.parametrize("reader", LAYOUTS, ids=lambda reader: reader.__name__.split(".")[-1])


def write(path, reader, **changes):
    """Three clips of 4, 1 and 3 frames, two that train and one that tests."""
    joints, coordinates = (15, 2) if reader is jhmdb else (20, 3)
    rng = np.random.default_rng(0)
    arrays = dict(
        keypoints=rng.normal(size=(8, joints, coordinates)).astype(np.float32),
        offsets=np.array([0, 4, 5, 8]),
        label=np.array([1, 0, 1]),
        class_names=np.array(["sit", "wave"]),
        splits=np.array([[1, 2], [1, 1], [2, 1]]),
        video=np.array(["wave/a.avi", "", "wave/b.avi"]),
        split=np.array(["train", "train", "val"]),
        name=np.array(["a", "b", "c"]),
    )
    np.savez(path, **(arrays | changes))
    return path


def refusal(reader, path, split=1, layout=None, side="train"):
    with pytest.raises(ValueError) as caught:
        reader.read(path, layout or LAYOUTS[reader], side, split)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@both
def test_missing_empty_and_other_files(tmp_path, reader):
    assert "there is no file" in refusal(reader, tmp_path / "none.npz")
    assert "there is no file" in refusal(reader, tmp_path)
    for content in (b"", b"hello", b"PK\3\4 cut off"):
        (tmp_path / "bad.npz").write_bytes(content)
        assert "bad.npz is not a usable archive" in refusal(reader, tmp_path / "bad.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    assert "no array keypoints" in refusal(reader, tmp_path / "other.npz")


class Attack:
    """Unpickling this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@both
def test_objects_in_an_archive_are_not_executed(tmp_path, reader):
    path = write(tmp_path / "a.npz", reader, class_names=np.array([Attack(tmp_path / "executed")], object))
    assert "is not a usable archive" in refusal(reader, path)
    assert not (tmp_path / "executed").exists()


@both
@pytest.mark.parametrize("changes, reason", [
    (dict(offsets=np.array([0, 4, 5])), "do not fit together"),
    (dict(offsets=np.array([0, 5, 4, 8])), "do not fit together"),
    (dict(offsets=np.array([0, 4, 5, 9])), "do not fit together"),
    (dict(offsets=np.array([0, 0, 5, 8])), "has no frames"),
    (dict(label=np.array([2, 0, 1])), "label 2 is outside 0..1"),
    (dict(label=np.array([-1, 0, 1])), "label -1 is outside 0..1"),
    (dict(splits=np.array([[2, 1]] * 3), split=np.array(["val"] * 3)), "no clips on that side"),
    (dict(splits=np.ones((2, 2)), split=np.array(["train"])), "do not fit together"),
])  # fmt: skip
def test_bad_archives(tmp_path, reader, changes, reason):
    assert reason in refusal(reader, write(tmp_path / "a.npz", reader, **changes))


@both
def test_nan_joints_other_layouts_and_unknown_splits(tmp_path, reader):
    keypoints = np.full((8, 15, 2) if reader is jhmdb else (8, 20, 3), np.nan)
    assert "NaN" in refusal(reader, write(tmp_path / "a.npz", reader, keypoints=keypoints))
    path = write(tmp_path / "a.npz", reader)
    assert "coco17 has 17 with 2" in refusal(reader, path, layout="coco17")
    for split in (0, 4, "xsub"):
        assert f"not {split!r}" in refusal(reader, path, split=split)


def test_unknown_format_and_side(tmp_path):
    with pytest.raises(ValueError, match="'jhmbd'; known: skeletons, jhmdb, "):
        read_part(Data([], {}, format="jhmbd"), tmp_path, "jhmdb15", "train")
    with pytest.raises(ValueError, match="train and test, not 'val'"):
        read_part(Data([], {}, format="jhmdb"), tmp_path, "jhmdb15", "val")


@both
def test_reads_what_was_written(tmp_path, reader):
    path = write(tmp_path / "a.npz", reader)
    train, test = (reader.read(path, LAYOUTS[reader], side, 1) for side in ("train", "test"))
    assert train.classes == test.classes == ("sit", "wave")
    assert [(len(clip.times), clip.label) for clip in train.clips + test.clips] == [(4, 1), (1, 0), (3, 1)]
    names = ["wave/a.avi", "clip 1", "wave/b.avi"] if reader is jhmdb else ["a", "b", "c"]
    assert [clip.name for clip in train.clips + test.clips] == names
    (clip,) = test.clips
    np.testing.assert_allclose(clip.times, [0, 1 / 30, 2 / 30])
    assert clip.end_s == clip.times[-1] and clip.keypoints.dtype == np.float32
    np.testing.assert_array_equal(clip.keypoints[..., :-1], np.load(path)["keypoints"][5:])
    assert (clip.keypoints[..., -1] == 1).all()


def test_the_real_jhmdb(shared):
    path = shared("data/jhmdb/jhmdb_gt.npz")
    assert JHMDB15.joints == tuple(np.load(path)["joint_names"])
    sizes = []
    for split in (1, 2, 3):
        train, test = (jhmdb.read(path, "jhmdb15", side, split) for side in ("train", "test"))
        assert len(train.classes) == 21 and train.classes == test.classes
        sizes.append((len(train.clips), len(test.clips)))
    assert sizes == [(536, 268), (534, 270), (539, 265)]
    window, _ = SkeletonDataset(test.clips, Preprocess("jhmdb15", frames=40), 21)[0]
    assert window[2, -15:].all()


def test_the_real_nwucla(shared):
    path = shared("data/nwucla/nwucla.npz")
    train, test = (nwucla.read(path, "kinect20", side, 1) for side in ("train", "test"))
    assert (len(train.clips), len(test.clips), len(train.classes)) == (1020, 464, 10)
    assert sum(len(clip.times) == 1 for clip in train.clips + test.clips) == 2
    preprocess = Preprocess("kinect20", frames=64, max_gap_s=10, whole_clips=True)
    dataset = SkeletonDataset(test.clips, preprocess, 10)
    head = dataset[0][0][1, :, 3, 0] - dataset[0][0][1, :, 15, 0]
    assert (head > 0.5).all(), "y is up, and the head is more than half a body above the foot"


@both
def test_where_only_one_is_recorded_the_others_are_nobody(tmp_path, reader):
    path, layout = write(tmp_path / "a.npz", reader), LAYOUTS[reader]
    (alone,), (pair,) = (reader.read(path, name, "test", 1).clips for name in (layout, f"{layout}*2"))
    joints = alone.keypoints.shape[1]
    np.testing.assert_array_equal(pair.keypoints[:, :joints], alone.keypoints)
    assert pair.keypoints.shape[1] == 2 * joints and not pair.keypoints[:, joints:].any()
