"""Folders of the project's own skeleton files."""

import json

import numpy as np
import pytest

from stgcn.data import SkeletonDataset
from stgcn.preprocess import Preprocess
from stgcn.readers import read_part
from stgcn.readers.skeletons import read_clip, read_folder, read_splits
from stgcn.settings import Data


def person(track=1, score=0.9, box=(0, 0, 10, 20), value=1.0):
    return {"track": track, "score": score, "box": box, "keypoints": [[value, value, 0.8]] * 17}


def write(path, frames, **header):
    """frames: list of lists of persons."""
    header = {"skeletons": 1, "layout": "coco17", "fps": 30, "size": [320, 240], "source": "x.mp4"} | header
    lines = [header] + [{"frame": i, "time_s": i / 30, "people": people} for i, people in enumerate(frames)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "splits.csv"
    path.write_text("video,class,split1,split2\nwave/a.mp4,wave,train,test\nclap/b.mp4,clap,test,\n")
    return path


def refusal(call, *arguments):
    with pytest.raises(ValueError) as caught:
        call(*arguments)
    return str(caught.value)


def test_missing_list_of_splits(tmp_path):
    assert "none.csv cannot be read" in refusal(read_splits, tmp_path / "none.csv", 1)
    with pytest.raises(ValueError, match="data.splits is missing"):
        Data(train=["folder"], test={})


@pytest.mark.parametrize("text, reason", [
    ("", "no column video"),
    ("video,class\na,b\n", "no column split1"),
    ("video,class,split1\n", "no rows"),
    ("video,class,split1\na,b,maybe\n", "'maybe'"),
    ("video,class,split1\na,b,train\n", "0 test"),
    ("video,class,split1\na,b,test\n", "0 training"),
])  # fmt: skip
def test_bad_list_of_splits(tmp_path, text, reason):
    (tmp_path / "splits.csv").write_text(text)
    assert reason in refusal(read_splits, tmp_path / "splits.csv", 1)


def test_missing_empty_and_incomplete_folder(tmp_path, csv):
    splits = read_splits(csv, 1)
    names = splits.train + splits.test
    folder = tmp_path / "skeletons"
    assert "there is no folder" in refusal(read_folder, folder, names, splits, "coco17")
    folder.mkdir()
    (folder / "notes.txt").touch()
    assert "holds no skeleton files" in refusal(read_folder, folder, names, splits, "coco17")
    write(folder / "wave/a.skeletons.jsonl", [[person()]])
    assert "lacks 1 of 2 clips, first clap/b.mp4" in refusal(read_folder, folder, names, splits, "coco17")


def test_a_bad_skeleton_file_is_refused(tmp_path):
    path = tmp_path / "a.skeletons.jsonl"
    path.write_text("hello")
    assert f"{path} line 1 is not JSON" in refusal(read_clip, path, "a", 0, "coco17")


def test_nobody_in_any_clip_is_refused(tmp_path, csv):
    write(tmp_path / "wave/a.skeletons.jsonl", [[], []])
    write(tmp_path / "clap/b.skeletons.jsonl", [[person()]])
    data = Data(train=[], test={}, splits=str(csv))
    assert "nobody is in view in any of the 1 clips" in refusal(read_part, data, tmp_path, "coco17", "train")
    assert len(read_part(data, tmp_path, "coco17", "test").clips) == 1


def test_splits(csv):
    splits = read_splits(csv, 1)
    assert splits.classes == ("clap", "wave")
    assert splits.labels == {"wave/a.mp4": 1, "clap/b.mp4": 0}
    assert (splits.train, splits.test) == (("wave/a.mp4",), ("clap/b.mp4",))


def test_official_splits(shared):
    path = shared("data/jhmdb/splits.csv")
    sizes = [(len(s.train), len(s.test), len(s.classes)) for s in (read_splits(path, n) for n in (1, 2, 3))]
    assert sizes == [(660, 268, 21), (658, 270, 21), (663, 265, 21)]


def test_main_person_is_the_most_prominent_track(tmp_path):
    """A large person for most of the time, before a larger one who passes and a small one who stays."""
    large, passing, small = (
        person(track=7, box=(0, 0, 10, 20), value=7.0),
        person(track=3, box=(0, 0, 20, 20), value=3.0),
        person(track=5, box=(0, 0, 5, 5), score=1.0, value=5.0),
    )
    path = write(tmp_path / "a.skeletons.jsonl", [[small, large]] * 3 + [[passing, small]] + [[small]])
    main = read_clip(path, "wave/a.mp4", 1, "coco17")
    np.testing.assert_allclose(main.times, [0, 1 / 30, 2 / 30])
    assert main.keypoints.shape == (3, 17, 3) and main.keypoints.dtype == np.float32
    assert (main.keypoints[..., 0] == 7).all()
    assert (main.name, main.label, main.size) == ("wave/a.mp4", 1, (320, 240))
    assert main.end_s == pytest.approx(4 / 30)


def test_main_people_side_by_side_even_where_they_are_not_there_together(tmp_path):
    large, small, tiny = (person(track=track, box=(0, 0, track, track), value=float(track)) for track in (9, 5, 1))
    path = write(tmp_path / "a.skeletons.jsonl", [[tiny, small], [small, large], [tiny], [large]])
    pair = read_clip(path, "a", 0, "coco17*2")
    np.testing.assert_allclose(pair.times, [0, 1 / 30, 3 / 30])
    assert pair.keypoints.shape == (3, 34, 3)
    assert pair.keypoints[:, [0, 17], 0].tolist() == [[0, 5], [9, 5], [9, 0]]
    assert read_clip(path, "a", 0, "jhmdb15*2").keypoints.shape == (3, 30, 3)
    alone = read_clip(write(tmp_path / "b.skeletons.jsonl", [[tiny]]), "b", 0, "coco17*2")
    assert alone.keypoints[:, :17].any() and not alone.keypoints[:, 17:].any()


@pytest.mark.parametrize("frames", [[], [[], []]])
def test_nobody_in_a_clip_is_no_error(tmp_path, frames):
    empty = read_clip(write(tmp_path / "a.skeletons.jsonl", frames), "a", 0, "coco17")
    assert empty.keypoints.shape == (0, 17, 3)
    window, _ = SkeletonDataset([empty], Preprocess(), 1)[0]
    assert not window.any()


def test_ground_truth_and_what_was_estimated_train_together(tmp_path, csv):
    """Joints that no estimator finds are made from those it finds; nobody in view stays nobody."""
    write(tmp_path / "wave" / "a.skeletons.jsonl", [[person()], [person()]])
    clip = read_clip(tmp_path / "wave" / "a.skeletons.jsonl", "wave/a.mp4", 1, "jhmdb15")
    assert clip.keypoints.shape == (2, 15, 3) and (clip.keypoints[..., 2] == 1).all()
    empty = read_clip(write(tmp_path / "e.skeletons.jsonl", [[]]), "e", 1, "jhmdb15")
    assert empty.keypoints.shape == (0, 15, 3)
