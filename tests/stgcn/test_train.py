import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from stgcn.checkpoint import load
from stgcn.data import SkeletonDataset
from stgcn.graph import LAYOUTS
from stgcn.settings import read_settings
from stgcn.train import main, measure, prepare, train

ROOT = Path(__file__).parents[2]
ACTIONS = {"nod": "nose", "wave": "left_wrist"}  # action -> the joint that swings
CLIPS, FRAMES = 18, 20  # clips of each action, frames of each clip
RNG = np.random.default_rng(0)
STANDING = RNG.uniform((100, 50), (200, 200), (17, 2))

CONFIG = """
data = dict(splits={splits!r}, split=1, train=[{folder!r}], test=dict(made_up={folder!r}))
model = dict(width=4, dropout=0.0)
preprocess = dict(frames=20)
augment = dict(mirror=0.0, drop_joint=0.0, hide_legs=0.0)
training = dict(epochs=25, warmup_epochs=1, batch_size=8, learning_rate=0.05)
about = dict(licence="none needed")
"""


def write_clip(path, joint):
    """A standing person, somewhere in the picture, who swings one joint to and fro."""
    moving = LAYOUTS["coco17"].index(joint)
    place, phase = RNG.uniform(-50, 50, 2), RNG.uniform(0, 6)
    lines = [{"skeletons": 1, "layout": "coco17", "fps": 30, "size": [320, 240], "source": path.stem}]
    for i in range(FRAMES):
        positions = STANDING + place + RNG.normal(0, 1, (17, 2))
        positions[moving, 0] += 30 * np.sin(phase + i)
        keypoints = np.column_stack([positions, np.full(17, 0.9)]).tolist()
        person = {"track": 1, "score": 0.9, "box": [50, 0, 250, 240], "keypoints": keypoints}
        lines.append({"frame": i, "time_s": i / 30, "people": [person]})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Path of a config for a small made-up data set."""
    root = tmp_path_factory.mktemp("made_up")
    rows = ["video,class,split1"]
    for action, joint in ACTIONS.items():
        for i in range(CLIPS):
            rows.append(f"{action}/{i}.mp4,{action},{'test' if i % 3 == 0 else 'train'}")
            write_clip(root / f"skeletons/{action}/{i}.skeletons.jsonl", joint)
    (root / "splits.csv").write_text("\n".join(rows) + "\n")
    path = root / "tiny.py"
    path.write_text(CONFIG.format(splits=str(root / "splits.csv"), folder=str(root / "skeletons")))
    return path


@pytest.mark.parametrize("option, words", [
    ("training.epoch=3", ["unknown key 'epoch' at training", "epochs"]),
    ("depth=3", ["unknown key 'depth' at top level"]),
    ("augment.flip=1", ["unknown key 'flip' at augment", "mirror"]),
    ("augment.mirror=2", ["mirror is a probability"]),
    ("preprocess.layout=coco18", ["coco18", "coco17"]),
    ("preprocess.layout=ntu25", ["holds coco17 skeletons in format 1; ntu25"]),
    ("model.strategy=none", ["unknown partition strategy", "spatial"]),
    ("model.width=0", ["width must be at least 1"]),
    ("training.epochs=0", ["at least 1 epoch"]),
    ("training.warmup_epochs=25", ["warmup_epochs is 0..24"]),
    ("data.split=4", ["no column split4"]),
    ("data.splits=none.csv", ["none.csv cannot be read"]),
    ("data.train=[none]", ["there is no folder none"]),
    ("data.train=[]", ["at least one clip"]),
])  # fmt: skip
def test_bad_input_is_one_line_and_exit_2(config, tmp_path, capsys, option, words):
    with pytest.raises(SystemExit) as caught:
        main([str(config), "--work-dir", str(tmp_path / "work"), "--cfg-options", option])
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    for word in words:
        assert word in line
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("text, word", [
    ("data = dict(", "cannot be read"), ("model = dict()", "data"), ("data = 1 / 0", "division"),
    ("data = dict(split=1)", "missing"), ("data = 3", "data"),
])  # fmt: skip
def test_bad_config(tmp_path, capsys, text, word):
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "bad.py")])
    (line,) = capsys.readouterr().err.splitlines()
    assert "bad.py" in line and word in line


def test_missing_config_on_the_command_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "stgcn.train", str(tmp_path / "none.py")], capture_output=True, text=True
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and "none.py" in line


def test_the_committed_configs_are_valid():
    for path in sorted(ROOT.glob("configs/actions/*.py")):
        assert read_settings(path).data.test, path


def test_learns_to_tell_two_motions_apart(config, tmp_path, capsys):
    main([str(config), "--work-dir", str(tmp_path), "--seed", "3"])
    assert "made_up: top-1" in capsys.readouterr().out
    checkpoint = load(tmp_path / "model.pth")
    result = checkpoint.metrics["made_up"]
    assert checkpoint.classes == ("nod", "wave")
    assert checkpoint.preprocess.frames == 20
    assert result["clips"] == 12 and result["top1"] >= 0.9
    assert checkpoint.about["licence"] == "none needed"
    assert checkpoint.about["seed"] == 3 and "--seed 3" in checkpoint.about["command"]
    again = measure(checkpoint.model, prepare(read_settings(config), 3).test["made_up"], checkpoint.classes)
    assert again == result, "half precision changes no decision here"


def weights_after(config, work_dir, resume=False, **options):
    settings = read_settings(config, {"training.epochs": 3, "training.ema_momentum": 0.1} | options)
    return train(prepare(settings, seed=5), work_dir, resume).state_dict()


def test_resumed_equals_uninterrupted(config, tmp_path, monkeypatch):
    straight = weights_after(config, tmp_path / "straight")

    get = SkeletonDataset.__getitem__

    def killed(dataset, i):
        if dataset.epoch == 2:
            raise KeyboardInterrupt
        return get(dataset, i)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(SkeletonDataset, "__getitem__", killed)
        weights_after(config, tmp_path / "resumed")
    resumed = weights_after(config, tmp_path / "resumed", resume=True)
    for key, tensor in straight.items():
        assert torch.equal(resumed[key], tensor), key


def test_half_precision_arithmetic_stays_close(config, tmp_path):
    exact = weights_after(config, tmp_path / "exact")
    mixed = weights_after(config, tmp_path / "mixed", **{"training.amp": True})
    assert not torch.equal(exact["classifier.weight"], mixed["classifier.weight"])
    torch.testing.assert_close(mixed["classifier.weight"], exact["classifier.weight"], rtol=0, atol=0.1)


def test_measure_counts(config):
    experiment = prepare(read_settings(config), 0)

    def always_nod(inputs):
        return torch.tensor([[1.0, 0.0]]).expand(len(inputs), 2)

    result = measure(always_nod, experiment.test["made_up"], experiment.classes)
    assert result == {
        "clips": 12, "top1": 0.5, "confusion": [[6, 0], [6, 0]],
        "recall": {"nod": 1.0, "wave": 0.0}, "precision": {"nod": 0.5, "wave": None},
    }  # fmt: skip
