"""Kinetics-skeleton's JSON: broken files, and some made to the format."""

import json

import numpy as np
import pytest

from stgcn.readers import kinetics, read_part
from stgcn.settings import Data


def person(x=0.5, score=0.8, joints=18):
    return {"pose": [x, 0.25] * joints, "score": [score] * joints}


def clip(frames, label=1, **changes):
    """frames: list of lists of persons."""
    data = [{"frame_index": i, "skeleton": people} for i, people in enumerate(frames, start=1)]
    return {"data": data, "label": "waving", "label_index": label} | changes


@pytest.fixture
def folder(tmp_path):
    """A folder for clips with its list of two classes."""
    labels = {"a": (0, "abseiling"), "b": (1, "waving hand")}
    listed = {k: {"has_skeleton": True, "label": name, "label_index": i} for k, (i, name) in labels.items()}
    (tmp_path / "kinetics_train_label.json").write_text(json.dumps(listed))
    (tmp_path / "kinetics_train").mkdir()
    return tmp_path / "kinetics_train"


def write(folder, content, name="a"):
    (folder / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))


def refusal(folder, layout="openpose18", split=1):
    with pytest.raises(ValueError) as caught:
        kinetics.read(folder, layout, "train", split)
    return str(caught.value)


def test_missing_and_empty_folder(tmp_path, folder):
    assert "cannot read" in refusal(tmp_path / "none") and "none_label.json" in refusal(tmp_path / "none")
    assert "holds no files *.json" in refusal(folder)
    folder.rmdir()
    assert "there is no folder" in refusal(folder)
    assert "one split, 1, not 'xsub'" in refusal(folder, split="xsub")


@pytest.mark.parametrize("text, reason", [
    ("", "not JSON"), ("[]", "not a list"), ("{}", "without a gap"), ('{"a": {"label": "x"}}', "not a list"),
    ('{"a": {"label": "x", "label_index": 1}}', "without a gap"),
])  # fmt: skip
def test_bad_list_of_clips(folder, text, reason):
    (folder.parent / "kinetics_train_label.json").write_text(text)
    assert reason in refusal(folder)


@pytest.mark.parametrize("content, reason", [
    ("hello", "not JSON"),
    ([], "not a Kinetics-skeleton clip"),
    ({"data": []}, "not a Kinetics-skeleton clip (KeyError('label_index'))"),
    (clip([]), "has no frames"),
    (clip([[person()]], label=2), "label 2 is outside 0..1"),
    (clip([[person()]], label=-1), "label -1 is outside 0..1"),
    (clip([[person(joints=17)]]), "17 joints with 2 coordinates; openpose18 has 18 with 2"),
    (clip([[{"pose": [0.5] * 36}]]), "KeyError('score')"),
    (clip([[{"pose": [0.5] * 35, "score": [1] * 18}]]), "not a Kinetics-skeleton clip"),
    (clip([[person(x=float("nan"))]]), "a: a joint or a time is NaN"),
    (clip([], data=[{"frame_index": 2, "skeleton": [person()]}] * 2), "a: its times do not ascend"),
])  # fmt: skip
def test_bad_clips(folder, content, reason):
    write(folder, content)
    message = refusal(folder)
    assert reason in message and "\n" not in message


def test_nobody_in_any_clip(folder):
    write(folder, clip([[], []]))
    with pytest.raises(ValueError, match="nobody is in view in any of the 1 clips"):
        read_part(Data([], {}, format="kinetics"), folder, "openpose18", "train")


def test_reads_what_was_written(folder):
    write(folder, clip([[person(0.25)], [], [person(0.75, score=0.5), person(0.5, score=0.6)], []]), "b")
    write(folder, clip([[], []], label=0), "a")
    part = kinetics.read(folder, "openpose18", "train", 1)
    nobody, somebody = part.clips
    assert part.classes == ("abseiling", "waving hand")
    assert (nobody.name, nobody.label, nobody.keypoints.shape) == ("a", 0, (0, 18, 3))
    assert (somebody.name, somebody.label, somebody.size) == ("b", 1, (340, 256))
    np.testing.assert_allclose(somebody.times, [1 / 30, 3 / 30])
    assert somebody.end_s == pytest.approx(4 / 30)
    np.testing.assert_allclose(somebody.keypoints[:, 5], [(85, 64, 0.8), (170, 64, 0.6)], rtol=1e-6)


def test_the_surest_people_of_every_frame_side_by_side(folder):
    write(folder, clip([[person(0.25, 0.3), person(0.5, 0.9), person(0.75, 0.6)], [], [person(0.25)]]))
    (pair,) = kinetics.read(folder, "openpose18*2", "train", 1).clips
    assert pair.keypoints.shape == (2, 36, 3)
    np.testing.assert_allclose(pair.keypoints[0, [0, 18]], [(170, 64, 0.9), (255, 64, 0.6)], rtol=1e-6)
    assert (pair.keypoints[1, :18, 0] == 85).all() and not pair.keypoints[1, 18:].any()


def test_a_clip_of_one_frame_is_no_error(folder):
    write(folder, clip([[person()]]))
    (still,) = kinetics.read(folder, "openpose18", "train", 1).clips
    assert still.keypoints.shape == (1, 18, 3)
