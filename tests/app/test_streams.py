"""Annotated streams: written and read, seen by other cameras, and refused where they are wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app import streams
from app.errors import UserError
from app.streams import LEGS, Interval, Stream
from tests.app.people import skeletons

SIZE = (320, 240)


def stream(fps=30.0, seconds=2.0, name="made_up"):
    frames = tuple(skeletons(np.arange(round(fps * seconds)) / fps, waves=True))
    intervals = (Interval("wave", 0.5, 1.5, 1), Interval("clap", 0.1, 0.4))
    return Stream(name, "actions", SIZE, frames, intervals, ("walk",), part="these people")


def saved(folder, **changes):
    path = streams.save(folder, stream())
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"group": "party"}, "party"), ({"intervals": [{"label": "wave"}]}, "start_s"), ({"intervals": 3}, "intervals"),
     ({"intervals": [{"label": "wave", "start_s": 2, "end_s": 1}]}, "2.0 to 1.0"),
     ({"intervals": [{"label": "wave", "start_s": 0, "end_s": float("nan")}]}, "nan"),
     ({"intervals": [{"label": "wave", "start_s": 0, "end_s": 1, "person": 9}]}, "person 9"),
     ({"skeletons": "gone.jsonl"}, "gone.jsonl"), ({"skeletons": 7}, "not a stream"), ({"intervals": ["x"]}, "stream")],
)  # fmt: skip
def test_bad_annotations_are_refused_in_one_line(tmp_path, changes, reason):
    with pytest.raises(UserError, match=reason) as error:
        streams.load(saved(tmp_path, **changes))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["no json", "[]", '"text"', "{}"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "x.stream.json"
    path.write_text(content)
    with pytest.raises(UserError, match="not a stream"):
        streams.load(path)


def test_what_may_be_left_out_is_nothing(tmp_path):
    path = streams.save(tmp_path, stream())
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: content[key] for key in ("stream", "skeletons", "group", "intervals")}))
    assert (streams.load(path).allowed, streams.load(path).part) == ((), "")


def test_missing_files_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(UserError, match="cannot read"):
        streams.load(tmp_path / "x.stream.json")
    with pytest.raises(UserError, match="app.make_streams"):
        streams.find([tmp_path])


def test_a_stream_is_read_as_it_was_written(tmp_path):
    before = stream()
    path = streams.save(tmp_path, before)
    assert streams.find([tmp_path]) == streams.find([path]) == [path]
    after = streams.load(path)
    assert replace(after, frames=()).__dict__ == replace(before, frames=()).__dict__
    assert after.duration_s == before.duration_s and after.persons == (1,)
    for a, b in zip(before.frames, after.frames, strict=True):
        np.testing.assert_array_equal(a.tracks[0].pose.keypoints, b.tracks[0].pose.keypoints)


@pytest.mark.parametrize("fps", [10, 15, 30, 60])
def test_another_frame_rate_keeps_the_movement(fps):
    before, after = stream(), streams.at_rate(stream(), fps)
    assert after.fps == pytest.approx(fps, rel=1e-3)
    assert [frame.index for frame in after.frames] == list(range(len(after.frames)))
    times = [frame.time_s for frame in after.frames]
    wrist = [frame.tracks[0].pose.keypoints[10, 0] for frame in after.frames]
    expected = np.interp(times, [frame.time_s for frame in before.frames],
                         [frame.tracks[0].pose.keypoints[10, 0] for frame in before.frames])
    assert wrist == pytest.approx(expected, abs=0.01)


def test_a_stream_of_that_rate_stays_as_it_is_and_odd_ratios_are_met():
    usual = stream(fps=10)
    assert streams.at_rate(usual, 10).frames == usual.frames
    filled = streams.at_rate(stream(fps=10), 15)
    assert len(filled.frames) == pytest.approx(15 * filled.duration_s, abs=2)


def test_hidden_legs_are_gone_and_the_box_ends_where_the_body_does():
    before, after = stream(), streams.hide(stream(), LEGS)
    pose, whole = after.frames[0].tracks[0].pose, before.frames[0].tracks[0].pose
    assert (pose.keypoints[11:] == 0).all() and (pose.keypoints[:11] == whole.keypoints[:11]).all()
    assert pose.box[3] < whole.box[3] and pose.box[3] >= pose.keypoints[:11, 1].max()
    assert streams.hide(stream(), ("_",)).frames[0].tracks != ()  # the nose is left
    assert streams.hide(stream(), ("_", "nose")).frames[0].tracks == ()
