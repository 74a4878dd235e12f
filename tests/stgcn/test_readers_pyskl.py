"""PYSKL's pickles: malicious ones, broken ones, and some made to the format."""

import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

from stgcn.graph import get_layout
from stgcn.readers import pyskl, safe_pickle


class Attack:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def annotation(name, label=0, people=1, frames=6, joints=17, coordinates=2, **changes):
    rng = np.random.default_rng(len(name))
    made = dict(
        frame_dir=name, total_frames=frames, label=label,
        keypoint=rng.uniform(1, 200, (people, frames, joints, coordinates)).astype(np.float16),
    )  # fmt: skip
    if coordinates == 2:
        score = np.full((people, frames, joints), 0.75, np.float16)
        made |= dict(keypoint_score=score, img_shape=(240, 320), original_shape=(240, 320))
    return made | changes


def content(*annotations, **splits):
    annotations = annotations or (annotation("a"), annotation("b", label=2))
    splits = splits or dict(train1=[annotations[0]["frame_dir"]], test1=[annotations[-1]["frame_dir"]])
    return dict(split=splits, annotations=list(annotations))


def write(path, value, protocol=pickle.DEFAULT_PROTOCOL):
    path.write_bytes(pickle.dumps(value, protocol))
    return path


def refusal(path, layout="coco17", side="train", split=1):
    with pytest.raises(ValueError) as caught:
        pyskl.read(path, layout, side, split)
    return str(caught.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("attack", [
    lambda path: Attack(os.system, f"touch {path}"),
    lambda path: Attack(subprocess.getoutput, f"touch {path}"),
    lambda path: Attack(exec, f"open({str(path)!r}, 'w')"),
    lambda path: Attack(Path.touch, path),
    lambda path: Attack(open, str(path), "w"),
    lambda path: Attack(np.ndarray.tofile, np.zeros(1), str(path)),
], ids=["system", "subprocess", "exec", "method", "open", "numpy"])  # fmt: skip
def test_a_pickle_that_executes_something_is_refused(tmp_path, attack, protocol):
    executed = tmp_path / "executed"
    path = write(tmp_path / "a.pkl", content(annotation("a", label=attack(executed))), protocol)
    pickle.loads(path.read_bytes())
    assert executed.exists(), "the attack works where nobody prevents it"
    executed.unlink()
    assert "is not a pickle that can be read safely: it asks for" in refusal(path)
    assert not executed.exists()


def test_a_pickle_by_hand_is_refused(tmp_path):
    """Names that look like allowed ones, in the opcodes of the first protocol."""
    for module, name in (("numpy", "ndarray.tofile"), ("numpy.f2py", "compile"), ("builtins", "getattr")):
        path = tmp_path / "a.pkl"
        path.write_bytes(f"c{module}\n{name}\n.".encode())
        assert f"asks for {module}.{name}" in refusal(path)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x80\x04", pickle.dumps(list(range(99)))[:-5]])
def test_other_files(tmp_path, data):
    (tmp_path / "a.pkl").write_bytes(data)
    assert "a.pkl is not a pickle" in refusal(tmp_path / "a.pkl")


def test_missing_file_and_folder(tmp_path):
    assert "cannot read" in refusal(tmp_path / "none.pkl")
    assert "cannot read" in refusal(tmp_path)


@pytest.mark.parametrize("value, reason", [
    ([], "is not a PYSKL data set"),
    ({}, "there is no 'split'"),
    (dict(split={}, annotations=[]), "no split 1_train or train1"),
    (dict(split={}, annotations=[{}]), "there is no 'frame_dir'"),
    (content(annotation("a"), train1=[], test1=["a"]), "no clips train"),
    (content(annotation("a"), train1=["a", "b"]), "lacks the annotations of 1 clips, first b"),
    (content(annotation("a", label=-1)), "a: label -1"),
    (content(annotation("a", label="wave")), "a: label 'wave'"),
    (content(annotation("a", total_frames=9)), "a: not an annotation as PYSKL has them: 6 frames"),
    (content(annotation("a", keypoint=np.zeros((6, 17, 2)))), "a: not an annotation"),
    (content(annotation("a", keypoint_score=np.ones((1, 6, 2)))), "keypoint_score has the shape (1, 6, 2)"),
    (content(annotation("a", people=0)), "a: zero people"),
    (content(annotation("a", frames=0)), "a: zero people or zero frames"),
    (content(annotation("a", joints=18)), "a holds 18 joints with 2 coordinates; coco17 has 17 with 2"),
    (content(annotation("a", keypoint=np.full((1, 6, 17, 2), np.nan))), "a: a joint or a time is NaN"),
])  # fmt: skip
def test_bad_data_sets(tmp_path, value, reason):
    assert reason in refusal(write(tmp_path / "a.pkl", value))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_containers_come_back(tmp_path, protocol):
    value = dict(a=np.arange(6.0).reshape(2, 3), b=[(1, 2.5, None, True), "ü", b"\xff"], c=np.float32(3))
    back = safe_pickle.load(write(tmp_path / "a.pkl", value, protocol))
    np.testing.assert_array_equal(back.pop("a"), value.pop("a"))
    assert back == value


def test_as_numpy_1_names_its_parts(tmp_path):
    path = write(tmp_path / "a.pkl", np.arange(3), 2)
    path.write_bytes(path.read_bytes().replace(b"numpy._core", b"numpy.core"))
    assert safe_pickle.load(path).tolist() == [0, 1, 2]


def test_reads_what_was_written(tmp_path):
    path = write(tmp_path / "a.pkl", content())
    train, test = (pyskl.read(path, "coco17", side, 1) for side in ("train", "test"))
    assert train.classes == test.classes == ("0", "1", "2")
    (clip,) = test.clips
    assert (clip.name, clip.label, clip.size) == ("b", 2, (320, 240))
    np.testing.assert_allclose(clip.times, np.arange(6) / 30)
    np.testing.assert_array_equal(clip.keypoints[..., :2], annotation("b")["keypoint"][0])
    assert (clip.keypoints[..., 2] == 0.75).all() and clip.keypoints.dtype == np.float32


@pytest.mark.parametrize("coordinates, layout", [(2, "coco17"), (3, "ntu25")])
def test_the_most_prominent_people_side_by_side(tmp_path, coordinates, layout):
    joints = get_layout(layout).shape[0]
    made = annotation("abc", people=3, joints=joints, coordinates=coordinates)
    near, far, absent = made["keypoint"]
    far[:] = near * 0.5
    absent[:] = 0
    made["keypoint"] = np.stack([absent, far, near])
    if coordinates == 2:
        made["keypoint_score"][0] = 0
    path = write(tmp_path / "a.pkl", content(made, annotation("b", joints=joints, coordinates=coordinates)))
    (pair,), (alone,) = (pyskl.read(path, f"{layout}*2", side, 1).clips for side in ("train", "test"))
    np.testing.assert_array_equal(pair.keypoints[..., :-1], np.concatenate([near, far], axis=1))
    assert alone.keypoints.shape == pair.keypoints.shape and (pair.keypoints[..., -1] > 0).all()
    assert alone.keypoints[:, :joints].any() and not alone.keypoints[:, joints:].any()


@pytest.mark.parametrize("split, names", [
    ("xsub", ("xsub_train", "xsub_val")), (2, ("train2", "test2")),
    ("", ("train", "val")), ("", ("train", "test")),
])  # fmt: skip
def test_names_of_splits(tmp_path, split, names):
    both = content(annotation("a"), annotation("b"), **{names[0]: ["a"], names[1]: ["b"]})
    path = write(tmp_path / "a.pkl", both)
    assert [pyskl.read(path, "coco17", side, split).clips[0].name for side in ("train", "test")] == ["a", "b"]


def test_in_space_the_person_who_stays_and_the_frames_with_nobody(tmp_path):
    keypoint = np.random.default_rng(0).normal(size=(2, 5, 25, 3))
    keypoint[0, :4] = 0
    keypoint[1, 2] = 0
    value = content(annotation("a", 0, 2, 5, 25, 3, keypoint=keypoint), xsub_train=["a"])
    path = write(tmp_path / "a.pkl", value)
    (clip,) = pyskl.read(path, "ntu25", "train", "xsub").clips
    np.testing.assert_allclose(clip.times, np.array([0, 1, 3, 4]) / 30)
    np.testing.assert_allclose(clip.keypoints[..., :3], keypoint[1, [0, 1, 3, 4]], rtol=1e-6)
    assert (clip.keypoints[..., 3] == 1).all() and clip.size is None
