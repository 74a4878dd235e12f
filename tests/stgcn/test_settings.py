"""Configs: what is refused, what may differ from the defaults, and how one builds on another."""

from pathlib import Path

import pytest

from stgcn.settings import Settings, read_settings

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = "data = dict(splits='s.csv', train=['a'], test=dict(b='b'))\n"


@pytest.fixture
def read(tmp_path):
    """Reads settings from the text of a config."""

    def read(text: str, options=None) -> Settings:
        (tmp_path / "config.py").write_text(text)
        return read_settings(tmp_path / "config.py", options)

    return read


def test_a_config_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="none.py cannot be read"):
        read_settings(tmp_path / "none.py")


@pytest.mark.parametrize("text, reason", [
    ("data = dict(", "cannot be read"), ("data = 1 / 0", "cannot be read: division"),
    ("model = dict()", "data"), ("data = 3", "data is a dict"), ("data = dict(split=1)", "missing"),
    ("data = dict(train=['a'], test={})", "data.splits is missing"),
    ("data = dict(splits='s', train=[], test={'a/b': 'c'})", "letters, digits"),
    ("data = dict(splits='s', train=[], test=dict(val='c'), val=0.1)", "may be called 'val'"),
    (TINY + "augment = dict(flip=1)", "unknown key 'flip' at augment; known: mirror"),
    (TINY + "depth = 3", "unknown key 'depth' at top level"),
    (TINY + "augment = dict(pan=2)", "pan is a probability"),
    (TINY + "moments = dict(alone=0.9)", "more than 1 together"),
    (TINY + "preprocess = dict(layout='coco18')", "coco18"),
    (TINY + "training = dict(batch_size=1)", "at least 2 clips"),
    (TINY + "training = dict(samples=-1)", "samples is not negative"),
    (TINY + "training = dict(trunk_rate=2)", "trunk_rate a share from 0 to 1"),
    (TINY + "training = dict(mixup=-0.1)", "mixup is 0 for clips as they are"),
    (TINY + "training = dict(beside=True)", "beside keeps the network of training.start, which is missing"),
    (TINY + "moments = dict(known=['golf'], puppets=0.1)", "puppets play: wave, clap, .*; got 'golf'"),
    (TINY + "moments = dict(known=['walk'])", "puppets play: none without them; got 'walk'"),
])  # fmt: skip
def test_a_config_that_makes_no_sense_is_refused_by_name(read, text, reason):
    with pytest.raises(ValueError, match="config.py.*" + reason):
        read(text)


@pytest.mark.parametrize("source", [{"format": "nwucla"}, {"path": "a.npz", "layout": "coco17"}])
def test_a_source_is_a_path_with_what_differs(read, source):
    with pytest.raises(ValueError, match="a path or a dict with path and any of format, split"):
        read(TINY, {"data.train": [source]})


def test_what_a_config_does_not_say_is_as_usual(read):
    settings = read(TINY)
    assert settings == Settings(settings.data) and settings.moments is None


def test_options_replace_single_values(read):
    settings = read(TINY + "training = dict(epochs=7, amp=True)", {"training.epochs": 9, "model.width": 4})
    assert (settings.training.epochs, settings.training.amp, settings.model.width) == (9, True, 4)


def test_the_committed_configs_are_valid():
    for path in sorted(CONFIGS.glob("actions/*.py")):
        assert read_settings(path).data.test, path


def test_sports_kept_apart_differ_from_the_default_in_classes_alone():
    default, kept = (read_settings(CONFIGS / f"actions/{name}.py") for name in ("webcam", "webcam_sports"))
    sports = set(kept.data.classes) - set(default.data.classes)
    assert sports == set(kept.moments.silent) == {name for name, to in default.data.names.items() if to == "other"}
    assert (kept.model, kept.preprocess, kept.augment, kept.training, kept.data.train) == (
        default.model, default.preprocess, default.augment, default.training, default.data.train)  # fmt: skip
