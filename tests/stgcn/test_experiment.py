import re
from pathlib import Path

import pytest

from stgcn.checkpoint import Checkpoint, save
from stgcn.data import Part
from stgcn.experiment import classes_to_learn, held_out, parts_to_test, prepare
from stgcn.readers.skeletons import read_splits
from stgcn.settings import read_settings
from stgcn.taught import Taught
from tests.stgcn.made_up import TEST_CLIPS, TRAINING_CLIPS, write_config


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Path of a config for a small made-up data set."""
    return write_config(tmp_path_factory.mktemp("made_up"))


def names(dataset):
    return [clip.name for clip in dataset.clips]


def test_parts_of_different_classes_are_refused(config):
    with pytest.raises(ValueError, match="do not have the same classes"):
        classes_to_learn(read_settings(config), [Part(("nod", "wave"), []), Part(("nod",), [])])


def test_nothing_to_hold_out_is_refused(config):
    with pytest.raises(ValueError, match="holds out none of 24"):
        prepare(read_settings(config, {"data.val": 1e-9}), 0)


def test_a_recording_is_held_out_whoever_saw_it_and_whatever_the_seed(config):
    settings = read_settings(config, {"data.val": 0.3})
    twice = read_settings(config, {"data.val": 0.3, "data.train": 2 * list(settings.data.train)})
    one, both = prepare(settings, 0), prepare(twice, 1)
    assert names(one.val) * 2 == names(both.val)
    assert not set(names(both.val)) & set(names(both.train))
    assert len(one.val) + len(one.train) == TRAINING_CLIPS
    assert one.val.augment is None and one.train.augment is not None


def test_whole_sources_are_held_out_and_of_every_class_no_more_than_was_asked(shared):
    splits = read_splits(shared("data/jhmdb/splits.csv"), 1)
    labels = {name: splits.labels[name] for name in splits.train}
    names = held_out(labels, 0.2)
    assert 0.15 < len(names) / len(labels) <= 0.2
    for label in range(len(splits.classes)):
        of_class = [name for name in labels if labels[name] == label]
        assert len(names.intersection(of_class)) <= 0.2 * len(of_class)
    kept = {re.split(r"_\d+\.mp4", name)[0] for name in labels if name not in names}
    assert not kept & {re.split(r"_\d+\.mp4", name)[0] for name in names}


def test_the_same_are_held_out_where_the_network_has_fewer_classes(shared):
    splits = read_splits(shared("data/jhmdb/splits.csv"), 1)
    labels = {name: splits.labels[name] for name in splits.train}
    merged = {name: min(label, 5) for name, label in labels.items()}
    assert held_out(merged, 0.2) == held_out(labels, 0.2)


def test_whoever_is_held_out_is_so_in_all_data_even_where_these_are_only_some_of_the_clips(config, tmp_path):
    data = read_settings(config).data
    header, *rows = Path(data.splits).read_text().splitlines()
    (tmp_path / "some.csv").write_text("\n".join([header, *rows[::2]]))
    some = {"path": data.train[0], "splits": str(tmp_path / "some.csv")}
    experiment = prepare(read_settings(config, {"data.val": 0.3, "data.train": [data.train[0], some]}), 0)
    alone = prepare(read_settings(config, {"data.val": 0.3}), 0)
    assert set(names(experiment.val)) == set(names(alone.val))
    assert not set(names(experiment.val)) & set(names(experiment.train))
    assert len(names(experiment.val)) > len(names(alone.val)), "some are held out twice"


def test_a_larger_share_holds_out_more_and_tests_stay(config):
    few, many = (prepare(read_settings(config, {"data.val": share}), 0) for share in (0.2, 0.6))
    assert set(names(few.val)) < set(names(many.val))
    assert names(few.test["made_up"]) == names(many.test["made_up"])
    assert not set(names(many.test["made_up"])) & set(names(many.val))


def test_tests_need_no_training_data(config):
    settings = read_settings(config, {"data.train": ["none"]})
    assert len(parts_to_test(settings)["made_up"].clips) == TEST_CLIPS


def test_a_network_for_a_live_view_also_learns_that_nothing_happens(config):
    experiment = prepare(read_settings(config, {"moments.repeated": ["wave"]}), 0)
    assert experiment.classes == ("nod", "wave", "idle", "other")
    assert experiment.network.arguments["num_classes"] == 4
    labels = [experiment.train[i][1] for experiment.train.epoch in range(4) for i in range(len(experiment.train))]
    assert set(labels) == {0, 1, 2, 3}


def test_training_starts_from_a_network_of_the_same_kind_only(config, tmp_path):
    wide = prepare(read_settings(config, {"model.width": 8}), 0)
    save(tmp_path / "wide.pth", Checkpoint(wide.network.eval(), wide.settings.preprocess, wide.classes))
    for start, words in ((str(tmp_path / "wide.pth"), "another kind or width"), ("none.pth", "no checkpoint none.pth")):
        with pytest.raises(ValueError, match=words):
            prepare(read_settings(config, {"training.start": start}), 0)


def test_training_starts_from_what_another_network_has_learned(config, tmp_path):
    known = prepare(read_settings(config), 1)
    save(tmp_path / "a.pth", Checkpoint(known.network.eval(), known.settings.preprocess, known.classes), half=False)
    options = {"training.start": str(tmp_path / "a.pth"), "moments.repeated": []}  # two classes more
    started, anew = (prepare(read_settings(config, given), 0).network for given in (options, {}))
    before, weights, random = (net.units[3].temporal.weight for net in (known.network, started, anew))
    assert (weights == before).all() and not (random == before).all()
    assert len(started.classifier.bias) == 4


def test_what_a_network_knows_of_a_class_is_taken_over_wherever_it_stands(config, tmp_path):
    known = prepare(read_settings(config), 1)
    save(tmp_path / "a.pth", Checkpoint(known.network.eval(), known.settings.preprocess, ("wave", "walk")), half=False)
    options = {"training.start": str(tmp_path / "a.pth")}
    started, anew = (prepare(read_settings(config, given), 0) for given in (options, {}))
    assert started.classes == ("nod", "wave")
    before, weights, random = (net.classifier.weight for net in (known.network, started.network, anew.network))
    assert (weights[1] == before[0]).all() and (weights[0] == random[0]).all()


def test_a_network_goes_on_telling_what_puppets_can_play(config):
    options = {"moments.repeated": [], "moments.puppets": 0.5, "moments.known": ["wave", "jump"]}
    experiment = prepare(read_settings(config, options), 0)
    assert experiment.classes == ("nod", "wave", "jump", "idle", "other")
    assert experiment.decisions["nothing"] == ("idle", "other")
    labels = [experiment.train[i][1] for experiment.train.epoch in range(4) for i in range(len(experiment.train))]
    assert set(labels) == set(range(5))


@pytest.mark.parametrize(("samples", "expected"), [(0, 24), (24, 24), (25, 48), (100, 120)])
def test_few_clips_are_shown_several_times_in_an_epoch_each_time_otherwise(config, samples, expected):
    train = prepare(read_settings(config, {"training.samples": samples}), 0).train
    assert len(train) == expected
    assert expected == 24 or not (train[0][0] == train[24][0]).all()


def test_a_network_decides_as_the_one_it_starts_from_but_for_thresholds_of_classes(config, tmp_path):
    known = prepare(read_settings(config), 1)
    decisions = {"on": 0.8, "temperature": 0.7, "on_by_class": {"nod": 0.9}, "nothing": ("nod",)}
    save(tmp_path / "a.pth", Checkpoint(known.network.eval(), known.settings.preprocess, known.classes,
                                        decisions=decisions))  # fmt: skip
    start, moments = {"training.start": str(tmp_path / "a.pth")}, {"moments.repeated": []}
    nothing = {"nothing": ("idle", "other")}
    found = [prepare(read_settings(config, options), 0).decisions for options in (start | moments, moments, start)]
    assert found == [{"on": 0.8, "temperature": 0.7} | nothing, nothing, {}]


@pytest.fixture
def start(config, tmp_path):
    """Path of a network for a live view that tells waving and jumping."""
    options = {"moments.repeated": [], "moments.puppets": 0.5, "moments.known": ["jump"]}
    known = prepare(read_settings(config, options), 1)
    path = tmp_path / "start.pth"
    save(path, Checkpoint(known.network.eval(), known.settings.preprocess, known.classes, decisions=known.decisions))
    return str(path)


def test_beside_another_network_only_one_for_a_live_view_that_sees_the_same(config, start):
    for options in ({}, {"moments.repeated": [], "preprocess.frames": 10}):
        with pytest.raises(ValueError, match="start.pth can only stay beside one for a live .*Preprocess"):
            prepare(read_settings(config, {"training.start": start, "training.beside": True} | options), 0)


def test_the_network_that_knew_stays_beside_the_one_that_was_taught(config, start, tmp_path):
    options = {"training.start": start, "training.beside": True, "moments.repeated": []}
    experiment = prepare(read_settings(config, options), 0)
    both = experiment.result(experiment.network.eval())
    assert isinstance(both, Taught) and experiment.result(both) is both
    assert experiment.classes == ("nod", "wave", "idle", "other")
    assert both.arguments["places"] == [0, 1, 3, 2, 3], "a jump is something else now"
    assert set(both.alike[:, :2].flatten().tolist()) <= {0.0, 1.0}, "announced: fully or not at all"
    assert both.arguments["taught"] == [0, 1] and both.alike[:, 2:].min() > 0, "a jump is nothing now, as keeping still"
    save(tmp_path / "taught.pth", Checkpoint(both, experiment.settings.preprocess, experiment.classes))
    with pytest.raises(ValueError, match="was taught already; start from what it was taught from"):
        prepare(read_settings(config, options | {"training.start": str(tmp_path / "taught.pth")}), 0)
