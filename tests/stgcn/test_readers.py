"""From a config to samples and a checkpoint: the sets that the configs name, and a made-up one in space."""

import json
from pathlib import Path

import numpy as np
import pytest

from stgcn.checkpoint import load
from stgcn.readers import webcam
from stgcn.settings import read_settings
from stgcn.train import main, prepare

CONFIGS = Path(__file__).parents[2] / "configs/actions"
TINY = """
data = dict(format="nwucla", train=[{path!r}], test=dict(made_up={path!r}))
model = dict(width=4)
preprocess = dict(layout="kinect20", frames=16, max_gap_s=9, whole_clips=True)
training = dict(epochs=1, warmup_epochs=0, batch_size=4)
"""


@pytest.fixture
def tiny(tmp_path):
    """A config for eight clips in space of 1 to 8 frames, and their archive."""
    path = tmp_path / "tiny.npz"
    np.savez(
        path,
        keypoints=np.random.default_rng(0).normal(size=(36, 20, 3)).astype(np.float32),
        offsets=np.cumsum(range(9)),
        label=np.arange(8) % 2,
        class_names=np.array(["sit", "wave"]),
        split=np.array(["train", "val"] * 4),
        name=np.array(list("abcdefgh")),
    )
    config = tmp_path / "tiny.py"
    config.write_text(TINY.format(path=str(path)))
    return config, path


@pytest.mark.parametrize("option, words", [
    ("data.format=nwulca", "unknown data format 'nwulca'; known: skeletons, jhmdb, kinetics"),
    ("data.split=2", "has one split, 1, not 2"),
    ("data.train=[none.npz]", "there is no file none.npz"),
    ("preprocess.layout=coco17", "20 joints with 3 coordinates; coco17 has 17 with 2"),
    ("preprocess.frames=1", "2 frames or more"),
    ("data.classes=[stand,wave]", "the class 'sit' of the data is none of data.classes: stand, wave"),
])  # fmt: skip
def test_bad_input_is_one_line_and_exit_2(tiny, tmp_path, capsys, option, words):
    with pytest.raises(SystemExit, match="2"):
        main([str(tiny[0]), "--work-dir", str(tmp_path / "work"), "--cfg-options", option])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and words in line


def test_parts_with_different_classes_are_refused(tiny, tmp_path):
    arrays = dict(np.load(tiny[1])) | dict(class_names=np.array(["stand", "wave"]))
    np.savez(tmp_path / "other.npz", **arrays)
    settings = read_settings(tiny[0], {"data.test": {"other": str(tmp_path / "other.npz")}})
    with pytest.raises(ValueError, match="do not have the same classes"):
        prepare(settings, 0)


def test_sources_with_other_names_share_the_classes_of_the_network(tiny, tmp_path):
    arrays = dict(np.load(tiny[1])) | dict(class_names=np.array(["rest", "hello"]))
    other = str(tmp_path / "other.npz")
    np.savez(other, **arrays)
    train = [str(tiny[1]), dict(path=other, names={"rest": "idle", "hello": "wave"})]
    settings = read_settings(tiny[0], {"data.train": train, "data.classes": ["idle", "sit", "wave"]})
    experiment = prepare(settings, 0)
    assert experiment.classes == ("idle", "sit", "wave")
    assert sorted(label for _, label in experiment.train) == [0] * 4 + [1] * 4
    assert {label for _, label in experiment.test["made_up"]} == {2}


def test_classes_of_one_name_become_one(tiny):
    settings = read_settings(tiny[0], {"data.names": {"sit": "something", "wave": "something"}})
    assert prepare(settings, 0).classes == ("something",)


def test_the_real_webcam_recordings(shared):
    path = shared("data/webcam_lzq/webcam_lzq.npz")
    train, test = (webcam.read(path, "coco17", side, 1) for side in ("train", "test"))
    assert (len(train.clips), len(test.clips)) == (12, 11)
    for part in (train, test):
        assert {part.classes[clip.label] for clip in part.clips} == {"stand", "walk", "squat", "wave"}
    with pytest.raises(ValueError, match="one split, 1, not 2"):
        webcam.read(path, "coco17", "train", 2)


def test_trains_on_clips_in_space(tiny, tmp_path, capsys):
    main([str(tiny[0]), "--work-dir", str(tmp_path / "work")])
    assert "made_up: top-1" in capsys.readouterr().out
    checkpoint = load(tmp_path / "work/model.pth")
    assert checkpoint.classes == ("sit", "wave")
    assert json.loads(json.dumps(checkpoint.metrics))["made_up"]["clips"] == 4


@pytest.mark.parametrize("config, source, sizes", [
    ("jhmdb_gt", "data/jhmdb/jhmdb_gt.npz", (536, 268, 21, (3, 20, 15, 1))),
    ("nwucla", "data/nwucla/nwucla.npz", (1020, 464, 10, (4, 32, 20, 1))),
])  # fmt: skip
def test_the_committed_configs_read_their_sets(shared, config, source, sizes):
    path = str(shared(source))
    options = {"data.train": [path], "data.test": {"_delete_": True, "test": path}}
    experiment = prepare(read_settings(CONFIGS / f"{config}.py", options), 0)
    test = experiment.test["test"]
    assert (len(experiment.train), len(test), len(experiment.classes), tuple(test[0][0].shape)) == sizes
    for dataset in (experiment.train, test):
        assert all(dataset[i][0].isfinite().all() and dataset[i][0].any() for i in range(0, len(dataset), 20))
