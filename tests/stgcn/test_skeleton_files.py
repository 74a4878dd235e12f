"""Reading skeleton files: what is refused, by its line, and what comes out."""

import json

import numpy as np
import pytest

from stgcn.skeleton_files import SkeletonHeader, read

HEADER = {"skeletons": 1, "layout": "coco17", "fps": None, "size": [640, 480], "source": "clip.mp4"}


def person(**changes):
    return {"track": 1, "score": 0.9, "box": [1, 2, 3, 4], "keypoints": [[5, 6, 0.5]] * 17} | changes


def frame(index, *people):
    return {"frame": index, "time_s": index / 30, "people": list(people)}


def write(path, *lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no header"),
        ("hello\n", "line 1 is not JSON"),
        ("\x00", "line 1 is not JSON"),
        ('{"frame": 0}\n', "no header"),
        ("[1, 2]\n", "no header"),
        (json.dumps(HEADER | {"skeletons": 2}), "format 2"),
        (json.dumps(HEADER | {"layout": "ntu25"}), "ntu25 skeletons.*coco17"),
        (json.dumps(HEADER | {"surprise": 1}), "no header"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, text, reason):
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(ValueError, match=reason):
        read(tmp_path / "a.jsonl", "coco17")


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot read"):
        read(tmp_path / "none.jsonl", "coco17")
    (tmp_path / "binary.jsonl").write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match="not text"):
        read(tmp_path / "binary.jsonl", "coco17")


@pytest.mark.parametrize(
    "bad",
    [
        person(keypoints=[[1, float("nan"), 0.5]] * 17),
        person(keypoints=[[1, float("inf"), 0.5]] * 17),
        person(keypoints=[[1, 1, 0.5]] * 18),
        person(keypoints=[[1, 1]] * 17),
        person(keypoints=[[1, 1, 1]] * 16 + [[1]]),
        person(keypoints="none"),
        person(box=[1, 2]),
        person(box=[1, 2, 3, float("nan")]),
        person(track="first"),
        {"track": 1, "score": 1, "box": [1, 2, 3, 4]},
        "somebody",
    ],
)
def test_a_bad_person_is_refused_by_the_line(tmp_path, bad):
    path = write(tmp_path / "a.jsonl", HEADER, frame(0, person()), frame(1, bad))
    frames = read(path, "coco17")[1]
    assert next(frames).index == 0
    with pytest.raises(ValueError, match="line 3"):
        next(frames)


@pytest.mark.parametrize("time_s", [0.0, -1.0, float("nan"), float("inf")])
def test_times_that_do_not_ascend_are_refused(tmp_path, time_s):
    path = write(tmp_path / "a.jsonl", HEADER, frame(0), frame(1) | {"time_s": time_s})
    with pytest.raises(ValueError, match="line 3.*ascend"):
        list(read(path, "coco17")[1])


def test_a_file_that_is_cut_off_gives_its_good_frames_first(tmp_path):
    path = write(tmp_path / "a.jsonl", HEADER, *(frame(index, person()) for index in range(5)))
    path.write_text(path.read_text()[:-40])
    frames = read(path, "coco17")[1]
    assert [next(frames).index for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="line 6 is not JSON"):
        next(frames)


def test_header_and_people_come_out_as_written(tmp_path):
    header, frames = read(write(tmp_path / "a.jsonl", HEADER, frame(7), frame(8, person(track=3))), "coco17")
    assert header == SkeletonHeader(None, (640, 480), "clip.mp4")
    empty, full = frames
    assert (empty.index, empty.people) == (7, ())
    (somebody,) = full.people
    assert (somebody.track, somebody.score, full.time_s) == (3, 0.9, 8 / 30)
    np.testing.assert_array_equal(somebody.box, [1, 2, 3, 4])
    assert somebody.keypoints.shape == (17, 3) and somebody.keypoints.dtype == np.float32
