"""Streams made from clips: every clip once, truth where the action is, and never a clip of the other side."""

import numpy as np
import pytest

from app import make_streams, streams
from app.make_streams import webcam_is_val
from stgcn.data import Clip
from stgcn.readers import webcam
from stgcn.readers.skeletons import Splits
from tests.app.people import skeletons

CLASSES = ("clap", "golf", "jump", "sit", "walk", "wave")


def clip(label, seconds=1.0, name="x"):
    frames = skeletons(np.arange(round(30 * seconds)) / 30, waves=True)
    keypoints = np.stack([frame.tracks[0].pose.keypoints for frame in frames])
    times = np.array([frame.time_s for frame in frames])
    return Clip(name, CLASSES.index(label), times, keypoints, times[-1], (320, 240))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_command_refuses_what_is_missing_with_one_line(tmp_path, refused):
    _, err = refused("app.make_streams", tmp_path / "out", "--splits", "nowhere.csv")
    [line] = [line for line in err.splitlines() if line.startswith("error:")]
    assert "nowhere.csv" in line


def test_a_seed_below_zero_is_refused(tmp_path):
    with pytest.raises(ValueError, match="the seed is 0 or more, not -1"):
        list(make_streams.make("test", tmp_path, tmp_path, tmp_path, seed=-1))


def test_every_action_is_in_the_truth_once_and_distractors_join_them(rng):
    clips = [clip(label) for label in ("clap", "jump", "sit", "walk", "wave") * 4 + ("golf",) * 9]
    made = make_streams.action_streams(clips, CLASSES, rng, "actions")
    labels = [interval.label for stream in made for interval in stream.intervals]
    assert {label: labels.count(label) for label in set(labels)} == {
        "clap": 4, "jump": 4, "sit down": 4, "walk": 4, "wave": 4, "golf": 5}  # fmt: skip
    assert any(stream.persons == (1, 2) for stream in made)
    for stream in made:
        assert len(stream.intervals) <= 12
        for interval in stream.intervals:
            length_s = interval.end_s - interval.start_s
            assert 1.4 < length_s < 3.1 if interval.label in ("wave", "clap") else length_s == pytest.approx(1, abs=0.1)


def test_one_person_does_one_thing_at_a_time_and_rests_in_between(rng):
    for stream in make_streams.action_streams([clip("jump") for _ in range(20)], CLASSES, rng, "actions"):
        for person in stream.persons:
            mine = sorted((i.start_s, i.end_s) for i in stream.intervals if i.person == person)
            assert all(start - end > 1 for (_, end), (start, _) in zip(mine, mine[1:]))
            assert mine[0][0] >= 0.5 and stream.duration_s - mine[-1][1] >= 0.4


def test_two_people_stand_side_by_side(rng):
    made = make_streams.action_streams([clip("jump") for _ in range(40)], CLASSES, rng, "actions")
    stream = next(stream for stream in made if stream.persons == (1, 2))
    left, right = next(frame.tracks for frame in stream.frames if len(frame.tracks) == 2)
    assert left.pose.keypoints[:, 0].max() < right.pose.keypoints[:, 0].min()


def test_nothing_happens_in_idle_streams(rng):
    for stream in make_streams.idle_streams([clip("wave"), clip("jump")], rng, "idle"):
        assert stream.intervals == () and stream.group == "negative" and stream.duration_s > 50
        assert {len(frame.tracks) for frame in stream.frames} == {0, 1}


def test_the_same_seed_gives_the_same_stream():
    first, second = (make_streams.action_streams([clip("wave") for _ in range(4)], CLASSES, np.random.default_rng(1),
                                                 "actions") for _ in range(2))  # fmt: skip
    assert [stream.intervals for stream in first] == [stream.intervals for stream in second]
    for a, b in zip(first[0].frames, second[0].frames, strict=True):
        for one, other in zip(a.tracks, b.tracks, strict=True):
            np.testing.assert_array_equal(one.pose.keypoints, other.pose.keypoints)


def test_who_stands_in_front_of_a_webcam_does_nothing(rng):
    classes = ("stand", "wave")
    recordings = [Clip(name, label, np.arange(80) / 10, np.repeat(clip("wave", 0.1).keypoints[:1], 80, axis=0), 7.9)
                  for label, name in enumerate(("01_stand", "19_wave"))]
    made = {stream.name: stream for stream in make_streams.webcam_streams(recordings, classes, rng)}
    assert made["webcam_01_stand"].group == "negative" and made["webcam_01_stand"].intervals == ()
    [whole] = made["webcam_19_wave"].intervals
    assert (whole.label, whole.start_s, whole.end_s) == ("wave", 0, pytest.approx(7.9))
    [piece] = made["webcam_mix_0"].intervals
    assert piece.label == "wave" and piece.end_s - piece.start_s == pytest.approx(4, abs=0.15)


def test_between_the_pictures_of_a_slow_webcam_nobody_vanishes(rng):
    """Otherwise every question to the network could fall between two of them."""
    classes = ("stand", "wave")
    slow = [Clip(name, label, np.arange(60) / 10, np.repeat(clip("wave").keypoints[:1], 60, axis=0), 5.9)
            for name, label in (("01_stand", 0), ("19_wave", 1))]  # fmt: skip
    made = {stream.name: stream for stream in make_streams.webcam_streams(slow, classes, rng)}
    assert all(frame.tracks for frame in made["webcam_mix_0"].frames)


def test_no_source_is_in_both_parts_of_the_validation_streams():
    names = [f"{label}/film{film}_{label}_far_{take}.mp4" for label in CLASSES for film in range(30) for take in (1, 2)]
    division = Splits(CLASSES, {name: CLASSES.index(name.split("/")[0]) for name in names}, tuple(names), ())
    first, second = make_streams.val_parts(division).values()
    assert len(first) == len(second) == 0.1 * len(names) and not set(first) & set(second)
    films = [{name.split("_")[0] for name in part} for part in (first, second)]
    assert not films[0] & films[1]


def test_no_recording_is_on_two_sides():
    assert not any(webcam.is_test(i) and webcam_is_val(i) for i in range(23))


def test_made_streams_are_read_back(tmp_path, rng):
    [stream, *_] = make_streams.action_streams([clip("wave"), clip("jump")], CLASSES, rng, "actions")
    read = streams.load(streams.save(tmp_path, stream))
    assert read.intervals == stream.intervals and read.size == (320, 240)
