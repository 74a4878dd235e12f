"""`python -m app.teach`: what is refused, how clips are divided, and a network that comes out."""

import os
import shutil
import subprocess
import sys

import pytest

import stgcn
from app import teach
from app.errors import UserError
from stgcn.readers.skeletons import path_of
from stgcn.settings import read_settings
from stgcn.taught import Taught
from tests.app.media import every, make_video, shorten
from tests.conftest import ROOT
from tests.stgcn.made_up import write_config

TINY = """
data = dict(splits="-", train=[], test={})
model = dict(width=8)
moments = dict(known=["jump"], puppets=0.3, repeated=[])
training = dict(epochs=1, warmup_epochs=0, samples=16, batch_size=8, beside=True)
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A recipe that takes no time."""
    (tmp_path / "tiny.py").write_text(TINY)
    monkeypatch.setattr(teach, "RECIPE", tmp_path / "tiny.py")


def files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("no video")
    return folder


@pytest.mark.parametrize(("names", "reason"), [
    ([], "is no folder; make one"), (["1.mp4", ".git/x"], "holds no folders; make one"),
    ([f"dab/{i}.mp4" for i in range(3)], "dab holds 3 clips; record 4 or more"),
    ([*(f"dab/{i}.mp4" for i in range(4)), "dab/3.avi"], "two clips in .*dab are called 3"),
])  # fmt: skip
def test_folders_that_are_not_clips_of_actions_are_refused(tmp_path, names, reason):
    with pytest.raises(UserError, match=reason):
        teach.find(files(tmp_path / "clips", *names))


def test_what_is_no_video_is_refused_before_the_work_begins(tmp_path, actions):
    clips = files(tmp_path / "clips", *(f"dab/{i}.txt" for i in range(4)))
    with pytest.raises(UserError, match="0.txt is not a video"):
        teach.main([str(clips), "-o", str(tmp_path / "out"), "--actions", str(actions)])
    assert not list((tmp_path / "out").rglob("*.jsonl"))


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, actions):
    clips = files(tmp_path / "clips", *(f"dab/{i}.mp4" for i in range(4)))
    with pytest.raises(UserError, match="cannot write to .*0.mp4 .*name another folder"):
        teach.main([str(clips), "-o", str(clips / "dab/0.mp4"), "--actions", str(actions)])


@pytest.mark.parametrize("count", [4, 5, 7, 8, 21])
def test_of_every_action_most_clips_train_and_some_test(tmp_path, count):
    found = teach.find(files(tmp_path, *(f"{name}/{i}.mp4" for name in ("dab", "nod") for i in range(count))))
    rows = teach.divide(found)
    assert [tmp_path / name for name, _, _ in rows] == sorted(tmp_path.rglob("*.mp4"))
    for action in ("dab", "nod"):
        sides = [side for _, of, side in rows if of == action]
        assert len(sides) == count and 1 <= sides.count("test") == count // 4


def test_the_recipe_starts_from_the_network_that_comes_along_and_keeps_what_that_announces():
    recipe, default = read_settings(teach.RECIPE), stgcn.load(teach.options.DEFAULT_ACTIONS)
    assert recipe.preprocess == default.preprocess
    assert {*recipe.moments.known, "idle", "other"} == set(default.classes)
    assert recipe.model.width == default.model.arguments["width"]


def test_clips_become_a_network_and_skeletons_that_are_there_are_not_sought_again(tmp_path, tiny, actions, capsys):
    write_config(tmp_path / "made")  # skeletons of people who nod or wave
    shutil.copytree(tmp_path / "made/skeletons", tmp_path / "out/skeletons")
    clips = files(tmp_path / "clips", *(f"{name}/{i}.mp4" for name in ("nod", "wave") for i in range(6)))
    for clip in clips.rglob("*.mp4"):  # older than their skeletons; they would be refused if they were looked at
        os.utime(clip, (1, 1))
    teach.main([str(clips), "-o", str(tmp_path / "out"), "--actions", str(actions)])
    taught = stgcn.load(tmp_path / "out/model.pth")
    assert isinstance(taught.model, Taught)
    assert taught.classes == ("nod", "wave", "jump", "idle", "other")
    assert taught.decisions["nothing"] == ("idle", "other") and taught.metrics["clips"]["clips"] == 2
    assert taught.about["command"] == f"python -m app.teach {clips} -o {tmp_path / 'out'} --actions {actions}"
    assert f"app.live --actions {tmp_path / 'out/model.pth'}" in capsys.readouterr().out


def test_a_checkpoint_that_training_cannot_start_from_is_refused_before_the_work_begins(tmp_path):
    clips = files(tmp_path / "clips", *(f"dab/{i}.mp4" for i in range(4)))
    with pytest.raises(UserError, match="no checkpoint none.pth"):
        teach.main([str(clips), "-o", str(tmp_path / "out"), "--actions", "none.pth"])
    assert not (tmp_path / "out").exists()


def test_a_clip_that_breaks_off_leaves_no_skeletons(tmp_path, actions, movenet):
    clips = tmp_path / "clips/dab"
    clips.mkdir(parents=True)
    whole = make_video(tmp_path / "whole.mp4", every(30, 30))
    for i in range(4):
        shorten(whole, clips / f"{i}.mp4", 1.0 if i < 3 else 0.7)
    with pytest.raises(UserError, match="3.mp4"):
        teach.main([str(clips.parent), "-o", str(tmp_path / "out"), "--actions", str(actions), "--pose", "movenet"])
    assert not (tmp_path / "out/skeletons/dab/3.skeletons.jsonl").exists()


def test_recorded_people_are_found_in_clips(tmp_path, tiny, actions, movenet, shared):
    waves, claps = (sorted(shared(f"data/jhmdb/videos/{action}").iterdir())[:4] for action in ("wave", "clap"))
    for clip in [*waves, *claps]:
        (tmp_path / "clips" / clip.parent.name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "clips" / clip.parent.name / clip.name).symlink_to(clip)
    arguments = [str(tmp_path / "clips"), "-o", str(tmp_path / "out"), "--actions", str(actions), "--pose", "movenet"]
    teach.main(arguments)
    found = {path: path.stat().st_mtime for path in (tmp_path / "out/skeletons").rglob("*.skeletons.jsonl")}
    assert len(found) == 8
    teach.main(arguments)
    assert found == {path: path.stat().st_mtime for path in found}
    by_video = subprocess.run(
        [sys.executable, "-m", "app.video", "--no-video", "--pose", "movenet", "--actions", actions,
         "--skeletons", tmp_path / "same.jsonl", tmp_path / "clips/wave" / waves[0].name],
        cwd=ROOT, capture_output=True,
    )  # fmt: skip
    assert by_video.returncode == 0
    assert (tmp_path / "same.jsonl").read_text() == path_of(tmp_path / "out/skeletons/wave", waves[0].name).read_text()
    assert set(stgcn.load(tmp_path / "out/model.pth").classes) == {"wave", "clap", "jump", "idle", "other"}
