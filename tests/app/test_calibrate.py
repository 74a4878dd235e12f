"""Calibration: scores that can be believed, and thresholds better than before, but none without reason."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import stgcn
from app import calibrate as command
from app import streams
from app.calibrate import (
    DELAY_PRICE,
    FALSE_EVENT_PRICE,
    SETTLING_S,
    Outcome,
    answers,
    believe,
    calibrate,
    choose,
    load_streams,
    outcome,
)
from app.decisions import DecisionSettings
from app.errors import UserError
from app.replay import Moment
from app.skeletons import SkeletonFrame, Windows
from app.streams import Interval, Stream
from stgcn import Checkpoint
from stgcn.model import STGCN
from tests.app.people import skeletons
from tests.app.test_pipeline import checkpoint

CLASSES = ("idle", "other", "wave", "sit")
NOTHING = ("idle", "other")
STEP_S = 0.2
START = DecisionSettings(nothing=NOTHING, temperature=1.3)
WAVE, SIT = Interval("wave", 2.0, 5.0, 1), Interval("sit down", 7.0, 9.0, 1)


def stream(*intervals, name="name", group="actions", seconds=10.0, allowed=(), part=""):
    frames = tuple(SkeletonFrame(i, i * STEP_S, ()) for i in range(round(seconds / STEP_S) + 1))
    return Stream(name, group, (640, 480), frames, intervals, allowed, part)


def moments(seconds=10.0, says=lambda now: "idle", score=0.9, persons={1: 1}):
    """What a network says that gives `score` to one class at every moment."""
    made = []
    for i in range(round(seconds / STEP_S) + 1):
        row = np.full(len(CLASSES), (1 - score) / (len(CLASSES) - 1))
        row[CLASSES.index(says(i * STEP_S))] = score
        one = np.ones(1, np.float32)
        windows = Windows(i, i * STEP_S, (1,), np.zeros((0, 3, 1, 17)), (1,), motion=one, size=one)
        made.append(Moment(windows, np.log(row)[None], persons))
    return made


def waves(now):
    return "wave" if 2.3 <= now < 5.3 else "idle"


_sure, _unsure = moments(says=waves, score=0.99), moments(says=lambda now: "sit", score=0.7)
_SIT = slice(round(7.0 / STEP_S), round(9.2 / STEP_S))
SURE_WAVE_UNSURE_SIT = [*_sure[: _SIT.start], *_unsure[_SIT], *_sure[_SIT.stop :]]
FALSE_WAVE = moments(20.0, says=waves, score=0.8)  # a threshold for all that stops it misses sitting down


def quiet_streams(*said):
    """Nothing happens in them; one of each of these answers of a network."""
    return [(stream(name=f"quiet {i}", group="negative", seconds=20.0), answer) for i, answer in enumerate(said)]


def wish(**wanted):
    """An objective that is highest at the settings that are wanted."""
    return lambda settings: -sum(abs(getattr(settings, name) - value) for name, value in wanted.items())


@pytest.fixture
def folder(tmp_path):
    """Two streams: somebody waves, and somebody keeps still."""
    for name, group, seconds, intervals in (
        ("acts", "actions", 3.0, (Interval("wave", 0.5, 2.0, 1),)), ("still", "negative", 2.0, ()),
    ):  # fmt: skip
        frames = tuple(skeletons(np.arange(round(seconds * 30)) / 30, waves=bool(intervals)))
        streams.save(tmp_path / "streams", Stream(name, group, (640, 480), frames, intervals))
    return str(tmp_path / "streams")


@pytest.mark.parametrize("arguments", [["--streams", "empty"], ["missing.pth", "--streams", "empty"]])
def test_bad_input_is_refused_before_the_work(arguments, actions, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    arguments = arguments if len(arguments) == 3 else [str(actions), *arguments]
    with pytest.raises(UserError, match="no checkpoint missing.pth|empty holds no annotated streams"):
        command.main(arguments)


def test_of_several_networks_none_gets_the_settings_unasked(actions, folder):
    with pytest.raises(UserError, match="name it with --into"):
        command.main([str(actions), str(actions), "--streams", folder])


def test_a_class_threshold_has_to_help_in_each_half_and_a_common_one_need_not():
    def on_wave(settings):
        return settings.on_by_class.get("wave", settings.on)

    common, helpful, harmful = replace(START, on=0.55), lambda settings: -on_wave(settings), on_wave
    assert choose([common], lambda s: -abs(s.on - 0.55) + helpful(s), ["wave"], [helpful, helpful]).on_by_class
    assert not choose([common], lambda s: -abs(s.on - 0.55) + helpful(s), ["wave"], [helpful, harmful]).on_by_class
    assert choose([common], helpful, [], [helpful, harmful]).on < 0.55


def calibrated(recorded):
    """The settings of a network that said all this."""
    named = Checkpoint(STGCN(len(CLASSES), width=8), None, CLASSES, decisions={"nothing": NOTHING})
    return DecisionSettings(**calibrate(named, recorded)[0].decisions)


def test_a_class_gets_a_higher_threshold_for_what_both_halves_show_to_be_false():
    recorded = [(stream(WAVE, SIT, name=name), SURE_WAVE_UNSURE_SIT) for name in "abcdef"]
    recorded += quiet_streams(FALSE_WAVE, FALSE_WAVE)
    found = calibrated(recorded)
    assert found.on_by_class.get("wave", found.on) > found.on_by_class.get("sit", found.on)
    assert outcome(recorded, CLASSES, found).false_per_minute == 0


def test_a_class_gets_no_threshold_for_what_a_single_stream_shows_to_be_false():
    recorded = [(stream(WAVE, SIT, name=name), SURE_WAVE_UNSURE_SIT) for name in "abcdef"]
    assert calibrated(recorded + quiet_streams(FALSE_WAVE, moments(20.0))).on_by_class == {}


@pytest.mark.parametrize(("parts", "own"), [(("", ""), True), (("one clip", "another"), False)])
def test_no_class_gets_a_threshold_that_helps_in_one_part_of_the_streams_alone(parts, own):
    """What several estimators saw of one clip is one part, and does not show twice that a threshold helps."""
    helped = [(stream(WAVE, SIT, name=name, part=parts[0]), SURE_WAVE_UNSURE_SIT) for name in "abefgh"]
    harmed = [(stream(WAVE, name=name, part=parts[1]), moments(says=waves, score=0.8)) for name in "cd"]
    recorded = [*helped[:2], *harmed, *helped[2:], *quiet_streams(FALSE_WAVE, FALSE_WAVE)]
    assert bool(calibrated(recorded).on_by_class) == own


def test_a_network_of_another_recipe_gets_no_settings(actions, folder, tmp_path):
    known = stgcn.load(actions)
    stgcn.save(tmp_path / "other.pth", replace(known, preprocess=replace(known.preprocess, fps=12.0)))
    with pytest.raises(UserError, match="other.pth was trained in another way.*same config"):
        command.main([str(actions), "--streams", folder, "--into", str(tmp_path / "other.pth")])


def test_streams_that_do_not_say_enough_are_refused(tmp_path):
    frames = tuple(skeletons(np.arange(9) / 30))
    streams.save(tmp_path, Stream("acts", "actions", (640, 480), frames, (Interval("wave", 0.1, 0.2, 1),)))
    with pytest.raises(UserError, match="none of the streams is of the group 'negative'"):
        load_streams([tmp_path])
    untrained = replace(checkpoint(), decisions={})
    with pytest.raises(UserError, match="nothing in these streams"):
        calibrate(untrained, [(stream(group="negative", allowed=("walk",)), [])])


def test_answers_are_labelled_with_what_is_true_and_where_it_changes_left_out():
    log_scores, labels = answers(stream(WAVE, SIT), moments(), CLASSES, NOTHING)
    assert log_scores.shape == (len(labels), len(CLASSES))
    names = [CLASSES[label] for label in labels]
    settling = math.ceil(SETTLING_S / STEP_S)
    assert {name: names.count(name) for name in names} == {
        "idle": 51 - 25 - 2 * settling, "wave": 15 - settling, "sit": 10 - settling,
    }  # fmt: skip


def test_what_has_no_class_is_the_likelier_of_nothing_and_other():
    juggles = replace(WAVE, label="juggle")
    _, labels = answers(stream(juggles), moments(says=lambda now: "other"), CLASSES, NOTHING)
    assert set(labels) == {CLASSES.index("other")}
    _, labels = answers(stream(juggles, SIT), moments(), CLASSES[2:], ())
    assert set(labels) == {CLASSES[2:].index("sit")}  # a network without such classes cannot be right there


def test_streams_of_which_the_truth_is_not_known_give_no_answers():
    for unknown in (stream(replace(WAVE, person=None)), stream(allowed=("walk",))):
        assert len(answers(unknown, moments(), CLASSES, NOTHING)[1]) == 0


def test_somebody_else_is_not_the_person_who_acts():
    _, labels = answers(stream(WAVE), moments(persons={1: 2}), CLASSES, NOTHING)
    assert set(labels) == {CLASSES.index("idle")}


def test_a_network_that_is_too_sure_is_cooled():
    half_right = [(stream(WAVE), moments(says=lambda now: "wave", score=0.99))]
    temperature, found = believe(half_right, CLASSES, NOTHING)
    before, after = found.values()
    assert temperature > 1 and after.error < before.error


def test_an_outcome_is_better_with_more_found_and_less_invented():
    assert Outcome((0.8, 0.6), 0.0, 0.0).value == pytest.approx(0.7)
    assert Outcome((0.8, 0.6), 2.0, 0.0).value == pytest.approx(0.7 - 2 * FALSE_EVENT_PRICE)
    assert Outcome((0.8, 0.6), 0.0, 1.5).value == pytest.approx(0.7 - 1.5 * DELAY_PRICE)
    seen = [(stream(WAVE), moments(says=waves)), (stream(group="negative"), moments())]
    invented = [seen[0], (seen[1][0], moments(says=waves))]
    good, bad = (outcome(recorded, CLASSES, replace(START, temperature=1)) for recorded in (seen, invented))
    assert good.f1 == (1.0, 1.0) and good.false_per_minute == 0 and "F1 100.0 % at IoU 0.5" in str(good)
    assert good.detect_s == bad.detect_s == pytest.approx(0.7, abs=0.11), "0.3 s late, smoothed, and held"
    quiet_s = sum(one.duration_s for one, _ in seen) - (WAVE.end_s - WAVE.start_s)
    assert bad.f1 == pytest.approx((2 / 3, 2 / 3)) and bad.false_per_minute == pytest.approx(60 / quiet_s)


def test_what_is_invented_between_actions_counts_too():
    late = WAVE.end_s + 2.0
    again = moments(says=lambda now: "wave" if now > late else waves(now))
    seen = [(stream(WAVE), again), (stream(group="negative"), [])]
    assert outcome(seen, CLASSES, replace(START, temperature=1)).false_per_minute > 0


def test_nothing_is_changed_for_nothing():
    assert choose([START], lambda settings: 0.5, ["wave"]) == START
    assert choose([START], lambda settings: 0.5 + 0.001 * settings.hold_s, ["wave"]) == START


def test_every_setting_is_found_where_each_counts_for_itself():
    wanted = {"on": 0.7, "hold_s": 0.3, "smoothing_s": 0.1, "margin": 0.2, "min_motion": 0.02}
    found = choose([START], wish(**wanted), [])
    assert {name: getattr(found, name) for name in wanted} == pytest.approx(wanted)
    assert (found.nothing, found.temperature, found.on_by_class) == (START.nothing, START.temperature, {})


def test_of_equally_good_values_the_nearest_is_chosen():
    assert choose([START], lambda settings: float(settings.on > 0.6), []).on == 0.65
    found = choose([START], lambda settings: float(settings.on_by_class.get("wave", 0.55) > 0.6), ["wave"])
    assert found.on_by_class == {"wave": 0.65}


def test_nothing_is_said_before_it_is_likelier_than_not_and_the_thresholds_keep_their_order():
    found = choose([START], lambda s: -s.on - s.on_by_class.get("wave", 1) + s.off, ["wave"])
    assert found.on == found.on_by_class["wave"] == 0.5 and found.off <= found.on


def test_of_several_starts_the_best_one_goes_on_and_none_was_better():
    def two_hills(settings):
        """The higher one is out of reach of single changes from below."""
        return 1.0 * (settings.lag_s == 0.5 and settings.smoothing_s == 0.1) + 0.5 * (settings.lag_s == 0)

    far = replace(START, lag_s=0.5, smoothing_s=0.1)
    assert choose([START], two_hills, []) == START
    for starts in ([START, far], [far, START]):
        assert choose(starts, two_hills, ["wave"]) == far


def test_the_same_settings_are_tried_once():
    tried = []
    choose([START, START], lambda settings: tried.append(repr(settings)) or settings.lag_s, ["wave"])
    assert len(tried) == len(set(tried)) > 20


def test_a_class_gets_a_threshold_of_its_own_only_where_it_helps():
    def objective(settings):
        wave, clap = (settings.on_by_class.get(name, settings.on) for name in ("wave", "clap"))
        return -abs(settings.on - 0.55) - abs(wave - 0.7) - abs(clap - 0.55)

    found = choose([replace(START, on=0.55)], objective, ["wave", "clap"])
    assert (found.on, found.on_by_class) == (0.55, {"wave": 0.7})


def test_a_calibrated_checkpoint_is_written_with_its_picture(actions, folder, tmp_path, capsys):
    target = tmp_path / "calibrated.pth"
    command.main([str(actions), "--streams", folder, "-o", str(target)])
    settings = DecisionSettings(**stgcn.load(target).decisions)
    assert settings.temperature != 1
    assert (tmp_path / "calibrated.reliability.png").stat().st_size > 0
    assert "after: F1" in capsys.readouterr().out


@pytest.mark.parametrize("networks", [1, 2])
def test_another_network_of_the_same_recipe_can_get_the_settings(networks, actions, folder, tmp_path):
    everything, target, known = tmp_path / "everything.pth", tmp_path / "target.pth", stgcn.load(actions)
    known.model.classifier.bias.data += 1
    stgcn.save(everything, known)
    command.main([*[str(actions)] * networks, "--streams", folder, "--into", str(everything), "-o", str(target)])
    made = stgcn.load(target)
    assert made.decisions != known.decisions and "temperature" in made.decisions
    assert torch.equal(made.model.classifier.bias, stgcn.load(everything).model.classifier.bias)
