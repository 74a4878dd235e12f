"""`python -m stgcn.explain`: what it refuses, what it prints and writes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stgcn.checkpoint import save
from stgcn.explain import main
from stgcn.taught import Taught
from tests.stgcn.people import checkpoint, waving_clip, write_skeletons

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def weights(tmp_path):
    save(tmp_path / "model.pth", checkpoint(12))
    return tmp_path / "model.pth"


@pytest.fixture
def clip(tmp_path):
    return write_skeletons(tmp_path / "waving.skeletons.jsonl", waving_clip())


def refusal(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert (caught.value.code, out, err.count("\n")) == (2, "", 1) and err.startswith("error: ")
    return err


def test_files_that_are_missing_or_of_another_kind(weights, clip, tmp_path, capsys):
    assert "there is no checkpoint" in refusal(capsys, tmp_path / "none.pth", clip)
    assert "not a checkpoint" in refusal(capsys, clip, clip)
    assert "none.jsonl" in refusal(capsys, weights, tmp_path / "none.jsonl")
    assert "as a skeleton file" in refusal(capsys, weights, weights)
    assert "as a skeleton file" in refusal(capsys, weights, tmp_path)


def test_an_unknown_class(weights, clip, capsys):
    assert "known: stand, wave, put on a hat/cap" in refusal(capsys, weights, clip, "--class", "hop")


def test_nobody_in_the_clip(weights, clip, capsys):
    empty = replace(waving_clip(), keypoints=np.zeros((48, 17, 3), np.float32))
    assert "nobody is in view" in refusal(capsys, weights, write_skeletons(clip, empty))


def test_a_checkpoint_without_preprocessing(clip, tmp_path, capsys):
    path = tmp_path / "official.pth"
    save(path, replace(checkpoint(), preprocess=None))
    assert "stgcn.train" in refusal(capsys, path, clip)


def test_an_official_checkpoint(shared, clip, capsys):
    assert "stgcn.train" in refusal(capsys, shared("reference/mmaction2_stgcn_coco.pth"), clip)


def test_a_folder_that_cannot_be_written(weights, clip, capsys):
    assert "choose another folder with -o" in refusal(capsys, weights, clip, "-o", weights)


def test_pictures_video_and_a_few_lines(weights, clip, tmp_path, capsys):
    main([str(weights), str(clip), "--class", "put on a hat/cap", "-o", str(tmp_path / "out")])
    lines = capsys.readouterr().out.splitlines()
    suffixes = (".png", ".moments.png", ".mp4")
    written = [tmp_path / "out" / f"waving.put_on_a_hat_cap{suffix}" for suffix in suffixes]
    assert sorted((tmp_path / "out").iterdir()) == sorted(written)
    assert lines[-3:] == [str(path) for path in written]
    assert [line.split(":")[0] for line in lines[:-3]] == [
        "classes", "logit of put on a hat/cap", "joints that spoke most for it", "time that spoke most for it"
    ]  # fmt: skip


def test_the_walk_is_printed_and_nothing_written(weights, clip, tmp_path, capsys):
    before = sorted(tmp_path.iterdir())
    main([str(weights), str(clip), "--walk", "-o", str(tmp_path / "out")])
    assert capsys.readouterr().out.startswith("### 1. Keypoints\n")
    assert sorted(tmp_path.iterdir()) == before


def test_of_two_networks_the_one_that_was_taught_is_explained(weights, clip, tmp_path, capsys):
    one = checkpoint(12)
    both = Taught(one.model, one.model, taught=[1], places=[0, 1, 2], temperature=1.0)
    save(tmp_path / "taught.pth", replace(one, model=both))
    main([str(weights), str(clip), "--walk"])
    alone = capsys.readouterr()
    main([str(tmp_path / "taught.pth"), str(clip), "--walk"])
    of_two = capsys.readouterr()
    assert of_two.out == alone.out and "the one that was taught" in of_two.err


def test_the_page_shows_small_pictures_and_its_commands():
    page = (DOCS / "explain.md").read_text()
    pictures = list((DOCS / "explain").glob("*.png"))
    assert pictures and all(f"(explain/{path.name})" in page for path in pictures)
    assert all(path.stat().st_size < 100_000 for path in pictures)
    assert "python -m stgcn.explain checkpoints/stgcn-jhmdb-coco17.pth" in page and "CC BY 4.0" in page
