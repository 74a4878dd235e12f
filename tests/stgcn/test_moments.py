"""Moments of made-up performances: refusals, then what they are called and when."""

import numpy as np
import pytest

from stgcn.augment import Augment
from stgcn.data import Clip
from stgcn.experiment import prepare
from stgcn.graph import COCO17, get_layout
from stgcn.moments import MomentDataset, Moments
from stgcn.preprocess import Preprocess
from stgcn.settings import read_settings
from tests.stgcn.made_up import write_config
from tests.stgcn.test_preprocess import WRIST, waving

CLASSES = ("walk", "wave", "idle", "other")
PLAIN = Augment(mirror=0, crop=0, speed=(1, 1), thin=0, rotation_deg=0, aspect=(1, 1), shear=0, position_noise=0,
                confidence_noise=0, hide_legs=0, drop_joint=0)  # fmt: skip
ALONE = dict(alone=0, still_before=0, other_before=0, still_after=0, gesture=0)


def clip(label: int = 1, seconds: float = 1.2) -> Clip:
    times = np.arange(round(seconds * 30) + 1) / 30
    return Clip("somebody", label, times, waving(times), end_s=times[-1])


def samples(count: int = 60, clips=None, classes=CLASSES, **moments) -> list:
    dataset = MomentDataset(clips or [clip()], Preprocess(frames=45), classes, PLAIN, 0,
                            Moments(**({"repeated": ["wave"]} | ALONE | moments)))  # fmt: skip
    found = []
    for dataset.epoch in range(count):
        found.append(dataset[0])
    return found


@pytest.mark.parametrize("wrong", [{"alone": 1.1}, {"still_after": -0.1}, {"puppets": 2}, {"lag_s": -1},
                                   {"gesture": 0.5, "made_up": 0.3}, {"hold_s": (0, 1)}, {"hold_s": (2, 1)},
                                   {"balanced": 2},
                                   {"alone": 0.5, "still_before": 0.4, "other_before": 0.2}])  # fmt: skip
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        Moments(**wrong)


@pytest.mark.parametrize("moments", [Moments(idle="nothing"), Moments(other="nothing"), Moments(silent=["golf"]),
                                     Moments(by_legs=["squat"]), Moments(by_hands=["clap"]), Moments(enters=["run"]),
                                     Moments(repeated=["clap"])])  # fmt: skip
def test_classes_that_the_network_lacks_are_refused(moments):
    with pytest.raises(ValueError, match="the network has walk, wave, idle, other"):
        MomentDataset([clip()], Preprocess(), CLASSES, PLAIN, 0, moments)


@pytest.mark.parametrize("preprocess, classes", [(Preprocess(), ("golf", "idle", "unnamed")),
                                                 (Preprocess(layout="openpose18"), CLASSES)])  # fmt: skip
def test_puppets_of_another_kind_than_the_network_are_refused(preprocess, classes):
    keypoints = np.ones((5, len(get_layout(preprocess.layout).joints), 3), np.float32)
    somebody = Clip("somebody", 0, np.arange(5) / 30, keypoints, end_s=4 / 30)
    moments = Moments(other=classes[2], idle=classes[1], repeated=[], puppets=0.5)
    with pytest.raises(ValueError, match="in the layout coco17; the network has the layout"):
        MomentDataset([somebody], preprocess, classes, PLAIN, 0, moments)


def test_several_people_are_refused():
    pair = Clip("pair", 1, np.arange(5) / 30, np.ones((5, 34, 3), np.float32), end_s=4 / 30)
    with pytest.raises(ValueError, match="moments are those of one person; preprocess.people is 2"):
        MomentDataset([pair], Preprocess(people=2), CLASSES, PLAIN, 0, Moments())


def test_puppets_do_what_the_network_knows_in_place_of_the_recorded_person():
    labels = [label for _, label in samples(80, puppets=1, lag_s=0)]
    assert {CLASSES[label] for label in labels} == {"wave", "walk", "other"}
    labels = [label for _, label in samples(80, puppets=0.5, lag_s=0)]
    assert 40 < labels.count(CLASSES.index("wave")) < 70, "half as recorded, and a quarter of the puppets"


def test_rare_classes_are_seen_as_often_as_frequent_ones_if_it_is_said():
    clips = [clip(1)] * 9 + [clip(0)]

    def share_of_the_rare_one(balanced):
        return np.mean([label == 0 for _, label in samples(200, clips=clips, balanced=balanced, lag_s=0)])

    assert share_of_the_rare_one(0) == 0, "it is the turn of the first clip"
    assert share_of_the_rare_one(1) == pytest.approx(0.5, abs=0.1)


def test_who_walks_may_come_into_the_picture_and_is_said_to_walk():
    def seen_at_first(**moments):
        found = samples(40, clips=[clip(0, seconds=2)], lag_s=0, **moments)
        assert {label for _, label in found} == {0}
        return np.mean([window[2].any(dim=-1).sum(dim=-1)[window[2].flatten(1).any(dim=1)][0] for window, _ in found])

    assert seen_at_first(enters=["walk"]) < 14 < 16 < seen_at_first()


def test_the_same_seed_and_epoch_give_the_same_moment():
    for (one, label), (other, same) in zip(samples(5, still_after=1), samples(5, still_after=1)):
        assert label == same and np.array_equal(one, other)
    assert len({window.numpy().tobytes() for window, _ in samples(5, still_after=1)}) == 5


def test_a_moment_is_called_by_what_happened_a_little_before():
    """Whoever has just begun to keep still still waves; a little later, they do nothing."""
    found = samples(still_after=1, lag_s=0.2)
    acting = [np.flatnonzero((window[2, :, :, 0] == 1).all(dim=1)) for window, _ in found]  # else confidence trembles
    still_s = np.array([44 - frames[-1] if len(frames) else 45 for frames in acting]) / 30
    labels = np.array([label for _, label in found])
    assert set(labels) == {1, 2}
    assert (labels[still_s > 0.25] == 2).all() and (labels[still_s < 0.15] == 1).all()


def test_what_is_done_first_is_called_by_its_own_name():
    labels = {label for _, label in samples(other_before=1, clips=[clip(1), clip(0)])}
    assert labels >= {0, 1}


def test_arms_that_do_what_has_no_name_are_called_other():
    for window, label in samples(20, gesture=1, lag_s=0):
        assert label == 3
    window = max((window for window, _ in samples(20, gesture=1)), key=lambda window: window[2].any(dim=1).sum())
    moved = (window[:2].amax(dim=1) - window[:2].amin(dim=1)).norm(dim=0)[:, 0]  # (V,)
    assert moved[WRIST] > 2 * moved[[5, 6, 11, 12]].max(), "arms move, shoulders and hips hardly"


def test_made_up_waving_has_the_name_of_waving():
    labels = {label for _, label in samples(20, clips=[clip(0)], made_up=0.5, lag_s=0, classes=(*CLASSES, "clap"))}
    assert labels == {1, 4}
    with pytest.raises(ValueError, match="'clap'"):
        samples(1, made_up=0.1)


@pytest.mark.parametrize("label, goes_on", [(3, True), (0, False)])
def test_only_what_has_no_name_may_go_on_while_somebody_waves(label, goes_on):
    somebody = clip(label)
    hips = [COCO17.index(f"{side}_hip") for side in ("left", "right")]
    somebody.keypoints[:, hips, 0] += 40 * np.sin(6 * somebody.times)[:, None]  # dances
    found = samples(clips=[somebody], classes=("walk", "wave", "clap", "other", "idle"), made_up=0.5)
    assert {label for _, label in found} <= {1, 2, 4}
    far = [np.ptp(window[0, window[2, :, hips[0], 0] > 0, hips[0], 0].numpy()) for window, _ in found]
    assert any(way < 0.1 for way in far) and any(way > 0.2 for way in far) == goes_on


@pytest.mark.parametrize("alone", [0, 1])
@pytest.mark.parametrize("by, parts", [("by_legs", ["knee", "ankle"]), ("by_hands", ["wrist"])])
def test_what_only_legs_or_hands_tell_is_keeping_still_where_they_are_hidden(by, parts, alone):
    hidden = clip()
    hidden.keypoints[:, [any(part in joint for part in parts) for joint in COCO17.joints]] = 0
    for person, expected in ((clip(), 1), (hidden, 2)):
        assert {label for _, label in samples(5, [person], lag_s=0, alone=alone, **{by: ["wave"]})} == {expected}


def test_a_clip_alone_is_a_plain_training_sample():
    for window, label in samples(5, alone=1):
        assert label == 1
        plain = Preprocess(frames=45)(clip().times, clip().keypoints, 1.2)
        np.testing.assert_allclose(window[..., 0], plain, atol=1e-5)


def test_keypoints_that_preprocessing_ignores_have_no_say_in_size_or_place():
    wild = clip()
    wild.keypoints[:, 15:] = (1e4, -1e4, 0.1)
    for (window, _), (expected, _) in zip(samples(10, clips=[wild]), samples(10)):
        seen = window[2] > 0
        np.testing.assert_allclose(window[0][seen], expected[0][seen], atol=1e-4)


def test_a_window_always_shows_somebody():
    for moments in (dict(still_before=1), dict(other_before=1), dict(still_after=1), {}):
        for window, _ in samples(30, clips=[clip(0, 0.1), clip(2, 9.0)], **moments):
            assert window.isfinite().all() and window[2].any()


def test_a_network_for_a_live_view_knows_which_classes_mean_nothing(tmp_path):
    config = write_config(tmp_path)
    options = {"moments.idle": "nod", "moments.other": "nod", "moments.silent": ["wave"], "moments.repeated": []}
    assert prepare(read_settings(config, options), 0).decisions["nothing"] == ("nod", "nod", "wave")
    assert prepare(read_settings(config), 0).decisions == {}
