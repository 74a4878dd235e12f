import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from stgcn import runner
from stgcn.checkpoint import load
from stgcn.data import SkeletonDataset
from stgcn.experiment import prepare
from stgcn.results import measure
from stgcn.settings import read_settings
from stgcn.train import batch_of_a_process, check_resumable, main, train
from tests.stgcn.made_up import STANDING, TEST_CLIPS, TRAINING_CLIPS, write_config

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120  # before a program that a test started counts as stuck
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
# A moving average, chance and held-out recordings: all that a resumed training has to bring back.
OPTIONS = {"data.val": 0.2, "training.ema_momentum": 0.3, "training.mixup": 0.2, "training.batch_size": 6}
TRAINED = ["--seed", "3", "--cfg-options", *(f"{key}={value}" for key, value in OPTIONS.items())]
PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Path of a config for a small made-up data set."""
    return write_config(tmp_path_factory.mktemp("made_up"))


@pytest.fixture(scope="module")
def trained(config, tmp_path_factory):
    """Work folder of a whole training."""
    folder = tmp_path_factory.mktemp("trained")
    torch.set_num_threads(1)
    main([str(config), "--work-dir", str(folder), *TRAINED])
    return folder


@pytest.mark.parametrize("option, words", [
    ("training.epoch=3", ["unknown key 'epoch' at training", "epochs"]),
    ("depth=3", ["unknown key 'depth' at top level"]),
    ("augment.flip=1", ["unknown key 'flip' at augment", "mirror"]),
    ("augment.mirror=2", ["mirror is a probability"]),
    ("preprocess.layout=coco18", ["coco18", "coco17"]),
    ("preprocess.layout=ntu25", ["holds coco17 skeletons in format 1; ntu25"]),
    ("preprocess.stream=limb", ["unknown stream 'limb'", "bone_motion"]),
    ("model.strategy=none", ["unknown partition strategy", "spatial"]),
    ("model.width=0", ["width must be at least 1"]),
    ("training.epochs=0", ["at least 1 epoch"]),
    ("training.warmup_epochs=25", ["warmup_epochs is 0..24"]),
    ("data.split=4", ["no column split4"]),
    ("data.splits=none.csv", ["none.csv cannot be read"]),
    ("data.train=[none]", ["there is no folder none"]),
    ("data.train=[]", ["at least one clip"]),
    ("data.val=1", ["data.val is a share from 0 to below 1"]),
    ("data.val=1e-9", ["holds out none of 24 training clips"]),
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


def test_missing_config(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "none.py")])
    assert "none.py" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, word", [
    (["--seed", "4", *TRAINED[2:]], "--seed 3, not 4"), (TRAINED[:2], "another config"),
])  # fmt: skip
def test_a_folder_of_another_training_is_not_resumed(config, trained, capsys, arguments, word):
    before = (trained / "last.pth").read_bytes()
    with pytest.raises(SystemExit, match="2"):
        main([str(config), "--work-dir", str(trained), "--resume", *arguments])
    assert word in capsys.readouterr().err
    assert (trained / "last.pth").read_bytes() == before


def test_a_broken_state_is_not_resumed(config, tmp_path):
    experiment = prepare(read_settings(config), 0)
    check_resumable(experiment, tmp_path)  # nothing there: training begins
    (tmp_path / "last.pth").write_bytes(b"half a fi")
    with pytest.raises(ValueError, match="last.pth cannot be read"):
        check_resumable(experiment, tmp_path)


@pytest.mark.parametrize("clips, processes", [(8, 3), (2, 2)])
def test_a_batch_that_cannot_be_shared_out(config, monkeypatch, clips, processes):
    monkeypatch.setattr("stgcn.train.get_world_size", lambda: processes)
    with pytest.raises(ValueError, match=f"shared by {processes} processes"):
        batch_of_a_process(read_settings(config, {"training.batch_size": clips}).training)


def test_a_trunk_that_may_not_change_stays_and_the_classifier_learns(config, tmp_path):
    options = {"training.trunk_rate": 0, "training.epochs": 2, "training.learning_rate": 0.1}
    before, after = (prepare(read_settings(config, options), 0) for _ in range(2))
    train(after, tmp_path)
    changed = {name for name, weight in after.network.state_dict().items()
               if not torch.equal(weight, before.network.state_dict()[name])}  # fmt: skip
    assert changed == {"classifier.weight", "classifier.bias"}


def test_learns_to_tell_two_motions_apart(config, trained):
    checkpoint = load(trained / "model.pth")
    result = checkpoint.metrics["made_up"]
    assert checkpoint.classes == ("nod", "wave")
    assert checkpoint.preprocess.frames == 20
    assert result["clips"] == TEST_CLIPS and result["top1"] >= 0.9
    assert checkpoint.about["licence"] == "none needed"
    assert checkpoint.about["seed"] == 3 and "--seed 3" in checkpoint.about["command"]
    again = measure(checkpoint.model, prepare(read_settings(config), 3).test["made_up"], checkpoint.classes)
    assert again == result, "half precision changes no decision here"


def approach_or_part(folder):
    """Path of a config for a PYSKL pickle: somebody stands, somebody smaller comes nearer or leaves, at either side."""
    rng = np.random.default_rng(0)
    annotations, frames = [], 20
    for i in range(48):
        first = np.tile(STANDING, (frames, 1, 1)) + rng.normal(0, 1, (frames, 17, 2))
        second = 0.8 * first + np.array([0, 40])
        way = np.linspace(250, 120, frames)[:: 1 if i % 2 else -1] * (1 if rng.random() < 0.5 else -1)
        second[..., 0] += way[:, None] + 40
        annotations.append(dict(frame_dir=str(i), total_frames=frames, label=i % 2, img_shape=(240, 640),
                                keypoint=np.stack([first, second]), keypoint_score=np.ones((2, frames, 17))))
    names = [annotation["frame_dir"] for annotation in annotations]
    content = dict(split=dict(train=names[:32], test=names[32:]), annotations=annotations)
    (folder / "pairs.pkl").write_bytes(pickle.dumps(content))
    path, pairs = folder / "pairs.py", str(folder / "pairs.pkl")
    path.write_text(f"""
data = dict(format="pyskl", split="", train=[{pairs!r}], test=dict(pairs={pairs!r}))
model = dict(width=4, dropout=0.0)
preprocess = dict(frames=20, people=2)
training = dict(epochs=12, warmup_epochs=1, batch_size=8, learning_rate=0.05)
""")
    return path


@pytest.mark.parametrize("people", [1, 2])
def test_what_two_people_do_is_learned_where_both_are_seen(tmp_path, people):
    path = approach_or_part(tmp_path)
    main([str(path), "--work-dir", str(tmp_path / "out"), "--cfg-options", f"preprocess.people={people}"])
    checkpoint = load(tmp_path / "out" / "model.pth")
    accuracy = checkpoint.metrics["pairs"]["top1"]
    assert checkpoint.preprocess.people == people
    assert accuracy >= 0.9 if people == 2 else accuracy < 0.8


def test_the_results_folder(config, trained):
    pictures = {f"{name}.png" for name in (
        "curves", "confusion_made_up", "confusion_val", "best_confusion_made_up", "best_confusion_val"
    )}  # fmt: skip
    files = {path.name for path in trained.iterdir() if path.is_file()}
    assert files == pictures | {"config.py", "train.log", "last.pth", "model.pth", "best.pth"}
    assert all((trained / name).read_bytes().startswith(PNG) for name in pictures)
    used = read_settings(trained / "config.py")
    assert used == read_settings(config, OPTIONS)
    assert (trained / "train.log").read_text().count("Epoch(train)") == used.training.epochs


def test_the_best_epoch_is_that_of_the_held_out_recordings(trained):
    best, last = load(trained / "best.pth"), load(trained / "model.pth")
    assert best.metrics["val"]["top1"] >= last.metrics["val"]["top1"]
    assert best.metrics.keys() == last.metrics.keys() == {"made_up", "val"}
    assert 1 <= best.about["epoch"] <= 25
    experiment = prepare(read_settings(trained / "config.py"), 3)
    assert measure(best.model, experiment.val, best.classes) == best.metrics["val"]
    assert best.metrics["val"]["clips"] + len(experiment.train) == TRAINING_CLIPS


def test_without_held_out_recordings_there_is_only_the_last_epoch(config, tmp_path):
    train(prepare(read_settings(config, {"training.epochs": 2}), 0), tmp_path)
    assert (tmp_path / "last.pth").is_file() and not (tmp_path / "best.pth").exists()


def test_a_stream_is_part_of_the_checkpoint(config, tmp_path):
    main([str(config), "--work-dir", str(tmp_path),
          "--cfg-options", "preprocess.stream=bone_motion", "training.epochs=2"])  # fmt: skip
    assert load(tmp_path / "model.pth").preprocess.stream == "bone_motion"


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


def test_killed_and_resumed_equals_uninterrupted(config, trained, tmp_path):
    arguments = [str(config), "--work-dir", str(tmp_path), *TRAINED]
    running = subprocess.Popen([sys.executable, "-m", "stgcn.train", *arguments], env=ONE_THREAD,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    until = time.monotonic() + PATIENCE_S
    while not (tmp_path / "last.pth").exists() and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.2)  # somewhere in a later epoch
    running.kill()
    assert running.wait() == -signal.SIGKILL
    assert (tmp_path / "last.pth").exists() and not (tmp_path / "model.pth").exists()
    main([*arguments[:3], "--resume", *TRAINED])
    for file in ("model.pth", "best.pth"):
        straight, resumed = load(trained / file), load(tmp_path / file)
        assert resumed.metrics == straight.metrics
        for key, tensor in straight.model.state_dict().items():
            assert torch.equal(resumed.model.state_dict()[key], tensor), f"{file}: {key}"
    assert (tmp_path / "curves.png").read_bytes() == (trained / "curves.png").read_bytes()


def test_two_processes_train_one_network(config, tmp_path):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "-m", "stgcn.train", str(config), "--work-dir", str(tmp_path),
         "--cfg-options", "training.epochs=25", "training.batch_size=12"],
        env=ONE_THREAD, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("checkpoint:") == done.stdout.count("made_up: top-1") == 1
    log = (tmp_path / "train.log").read_text()
    assert "2 processes" in log and log.count("Epoch(train)") == 25
    (scalars,) = tmp_path.glob("*/vis_data/scalars.json")  # one folder, by the main process
    losses = [json.loads(line)["loss"] for line in scalars.read_text().splitlines()]
    assert len(losses) == 25 and sum(losses[-3:]) < sum(losses[:3])
    files = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert files == {
        "config.py", "train.log", "last.pth", "model.pth", "curves.png", "confusion_made_up.png"
    }  # fmt: skip
    assert load(tmp_path / "model.pth").metrics["made_up"]["clips"] == TEST_CLIPS


def test_half_precision_arithmetic_stays_close(config, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "has_bfloat16", lambda device: True)
    exact = weights_after(config, tmp_path / "exact")
    mixed = weights_after(config, tmp_path / "mixed", **{"training.amp": True})
    assert not torch.equal(exact["classifier.weight"], mixed["classifier.weight"])
    torch.testing.assert_close(mixed["classifier.weight"], exact["classifier.weight"], rtol=0, atol=0.1)


def test_a_processor_without_half_precision_does_not_imitate_it(config, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "has_bfloat16", lambda device: False)
    exact, asked = (weights_after(config, tmp_path / str(amp), **{"training.amp": amp}) for amp in (False, True))
    assert all(torch.equal(exact[name], asked[name]) for name in exact)
