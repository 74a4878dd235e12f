"""NTU RGB+D's text files: broken ones, and some made to the format."""

import numpy as np
import pytest

from stgcn.data import SkeletonDataset
from stgcn.preprocess import Preprocess
from stgcn.readers import ntu

NAME = "S001C002P003R002A013"


def body(number, positions, tracked=2):
    """Text of a body with the (25, 3) positions."""
    lines = [f"720575940{number} 0 1 1 1 1 0 0.02 -0.3 2", "25"]
    more = f"250.1 190.2 940.3 500.4 0.1 0.2 0.3 0.9 {tracked}"  # depth, colour, orientation, state
    lines += [f"{x} {y} {z} {more}" for x, y, z in positions.tolist()]
    return "\n".join(lines)


def write(folder, frames, name=NAME):
    """frames: list of lists of bodies."""
    lines = [str(len(frames))] + [text for bodies in frames for text in (str(len(bodies)), *bodies)]
    path = folder / f"{name}.skeleton"
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


def standing(height=1.0):
    return height * np.random.default_rng(0).uniform((-0.3, -0.8, 2), (0.3, 0.8, 2.2), (25, 3)).round(4)


def refusal(call, *arguments):
    with pytest.raises(ValueError) as caught:
        call(*arguments)
    return str(caught.value)


def test_missing_and_empty_folder(tmp_path):
    assert "there is no folder" in refusal(ntu.read, tmp_path / "none", "ntu25", "train", "xsub")
    (tmp_path / "a.txt").touch()
    assert "holds no files *.skeleton" in refusal(ntu.read, tmp_path, "ntu25", "train", "xsub")


def test_unknown_split_other_layout_and_empty_side(tmp_path):
    write(tmp_path, [[body(1, standing())]])
    assert "xsub and xview, not 1" in refusal(ntu.read, tmp_path, "ntu25", "train", 1)
    assert "coco17 has 17 with 2" in refusal(ntu.read, tmp_path, "coco17", "train", "xsub")
    assert "no recordings that train" in refusal(ntu.read, tmp_path, "ntu25", "train", "xsub")


@pytest.mark.parametrize("name, reason", [
    ("walk", "not named as in NTU RGB+D"),
    ("S001C001P001R001A001x", "not named as in NTU RGB+D"),
    ("S001C001P001R001A000", "action 0 is outside 1..60"),
    ("S001C001P001R001A061", "action 61 is outside 1..60"),
    ("S018C001P041R001A001", "performer 41 is outside 1..40"),
    ("S001C004P001R001A001", "camera 4 is outside 1..3"),
])  # fmt: skip
def test_bad_names(tmp_path, name, reason):
    write(tmp_path, [[body(1, standing())]], name)
    assert reason in refusal(ntu.read, tmp_path, "ntu25", "train", "xsub")


@pytest.mark.parametrize("text, reason", [
    ("", "ends too early"),
    ("hello", "invalid literal"),
    ("\u00e9", "ascii"),
    ("0", "no frames"),
    ("-1", "no frames"),
    ("2 0", "ends too early"),
    ("1 0 0", "goes on after its last frame"),
    ("1 1 7 0 0 0 0 0 0 0 0 2 20 " + "0 " * 240, "20 joints instead of 25"),
    ("1 1 7 0 0 0 0 0 0 0 0 2 25 " + "0 " * 299, "reshape"),
    ("1 1 7 0 0 0 0 0 0 0 0 2 25 " + "x " * 300, "could not convert"),
    ("1 1 7 0 0 0 0 0 0 0 0 2 25 " + "nan " * 300, "NaN"),
])  # fmt: skip
def test_bad_files(tmp_path, text, reason):
    path = tmp_path / f"{NAME}.skeleton"
    path.write_text(text, encoding="utf-8")
    message = refusal(ntu.read_clip, path)
    assert reason in message and NAME in message


def test_reads_what_was_written(tmp_path):
    positions = standing()
    path = write(tmp_path, [[body(1, positions)], [], [body(1, positions + 0.125, tracked=1)], []])
    clip = ntu.read_clip(path)
    assert (clip.name, clip.label, clip.size) == (NAME, 12, None)
    np.testing.assert_allclose(clip.times, [0, 2 / 30])
    assert clip.end_s == pytest.approx(3 / 30)
    assert clip.keypoints.shape == (2, 25, 4) and clip.keypoints.dtype == np.float32
    np.testing.assert_allclose(clip.keypoints[0, :, :3], positions, rtol=1e-6)
    np.testing.assert_allclose(clip.keypoints[1, :, :3], positions + 0.125, rtol=1e-5)
    assert (clip.keypoints[..., 3] == [[1.0], [0.5]]).all()


def test_main_person_is_the_body_that_is_there_most(tmp_path):
    main, other = standing(), standing(0.9)
    first, second = body(1, main), body(2, other)
    path = write(tmp_path, [[second, first], [first, second], [first]])
    clip = ntu.read_clip(path)
    assert len(clip.times) == 3
    np.testing.assert_allclose(clip.keypoints[..., :3], np.stack([main] * 3), rtol=1e-6)


def test_two_bodies_side_by_side_even_where_they_are_not_there_together(tmp_path):
    main, other = standing(), standing(0.9)
    path = write(tmp_path, [[body(2, other)], [body(2, other), body(1, main)], [body(1, main)], [body(1, main)]])
    clip = ntu.read_clip(path, "ntu25*2")
    assert clip.keypoints.shape == (4, 50, 4)
    first, second = np.split(clip.keypoints, 2, axis=1)
    assert [frame.any() for frame in first] == [False, True, True, True]
    assert [frame.any() for frame in second] == [True, True, False, False]
    np.testing.assert_allclose(first[1, :, :3], main, rtol=1e-6)
    np.testing.assert_allclose(second[1, :, :3], other, rtol=1e-6)
    (alone,) = ntu.read(write(tmp_path, [[body(1, main)]]).parent, "ntu25*2", "test", "xsub").clips
    assert alone.keypoints.shape == (1, 50, 4) and not alone.keypoints[:, 25:].any()


def test_a_recording_without_bodies_and_one_of_a_single_frame_are_no_errors(tmp_path):
    nobody = ntu.read_clip(write(tmp_path, [[], []]))
    still = ntu.read_clip(write(tmp_path, [[body(1, standing())]]))
    assert nobody.keypoints.shape == (0, 25, 4) and still.keypoints.shape == (1, 25, 4)
    dataset = SkeletonDataset([nobody, still], Preprocess("ntu25", max_gap_s=9, whole_clips=True), 60)
    assert not dataset[0][0].any() and dataset[1][0].any(dim=0).all()


@pytest.mark.parametrize("split, training", [
    ("xsub", ["C001P001", "C002P038"]), ("xview", ["C002P003", "C002P038", "C003P040"]),
])  # fmt: skip
def test_official_splits(tmp_path, split, training):
    everyone = ["C001P001", "C001P039", "C002P003", "C002P038", "C003P040"]
    for who in everyone:
        write(tmp_path, [[body(1, standing())]], f"S001{who}R001A060")
    train, test = (ntu.read(tmp_path, "ntu25", side, split) for side in ("train", "test"))
    assert [clip.name[4:12] for clip in train.clips] == training
    assert [clip.name[4:12] for clip in test.clips] == [who for who in everyone if who not in training]
    assert len(train.classes) == 60 and {clip.label for clip in train.clips} == {59}


def test_half_of_the_performers_train():
    assert len(ntu.TRAINING["xsub"][1]) == ntu.PERFORMERS / 2
