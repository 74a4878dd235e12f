"""`python -m app.video`, as a user runs it: what is refused, what comes out, and that it comes out again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from app import video
from app.capture import VideoReader
from app.errors import run
from tests.app.media import every, make_sound, make_video, shorten

ROOT = Path(__file__).parent.parent.parent
WAVE = "data/jhmdb/videos/wave/wave_and_say_hi_wave_u_nm_np1_fr_med_0.mp4"
SKELETONS = '{"skeletons": 1, "layout": "coco17", "fps": 30, "size": [64, 48], "source": ""}\n'


@pytest.fixture
def call(monkeypatch, capsys, tmp_path, actions):
    """Run the command in `tmp_path`: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, models=("--actions", actions, "--pose", "movenet")):
        monkeypatch.setattr(sys, "argv", ["video", *map(str, (*models, *arguments))])
        with pytest.raises(SystemExit) as exit_:
            run(video.main)
        return exit_.value.code, *capsys.readouterr()

    return call


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


BAD_INPUTS = {
    "missing.mp4": lambda path: None,
    "folder.mp4": lambda path: path.mkdir(),
    "empty.mp4": lambda path: path.touch(),
    "text.mp4": lambda path: path.write_text("hello, this is no video"),
    "sound.mp4": lambda path: make_sound(path, "aac"),
    "cut.mp4": lambda path: shorten(make_video(path.with_name("whole.mp4"), every(30, 30)), path, 0.5),
    "text.jsonl": lambda path: path.write_text("no skeletons\n"),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_is_one_clear_line_and_leaves_nothing(name, call, tmp_path, movenet):
    BAD_INPUTS[name](tmp_path / name)
    before = files(tmp_path)
    targets = [] if name.endswith(".jsonl") else ["-o", "out.mp4"]
    code, out, err = call(name, *targets, "--events", "e.jsonl", "--skeletons", "s.jsonl")
    assert (code, out) == (2, "")
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and name in lines[0] and "Traceback" not in err
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["clip.mp4", "-o", "no/such/folder/out.mp4"], "folder"),
        (["clip.mp4", "--events", "no/such/folder/e.jsonl"], "existing folder"),
        (["clip.mp4", "-o", "clip.mp4"], "clip.mp4"),
        (["clip.mp4", "--pose", "kinect"], "auto, mmpose, movenet"),
        (["clip.mp4", "--device", "abacus"], "auto, cpu, cuda"),
        (["clip.mp4", "--actions", "none.pth"], "none.pth"),
        (["clip.mp4", "--actions", "clip.mp4"], "clip.mp4"),
        (["s.jsonl", "-o", "out.mp4"], "leave out -o"),
    ],
)
def test_bad_options_are_one_clear_line(arguments, reason, call, tmp_path, movenet):
    make_video(tmp_path / "clip.mp4", every(30, 3))
    (tmp_path / "s.jsonl").write_text(SKELETONS)
    before = files(tmp_path)
    code, _, err = call(*arguments)
    assert code == 2 and reason in err and err.count("\n") == 1
    assert files(tmp_path) == before


def test_a_video_in_which_nobody_appears_is_no_error(call, tmp_path, movenet):
    make_video(tmp_path / "empty room.mp4", every(30, 12))
    code, _, err = call("empty room.mp4", "--events", "e.jsonl", "--skeletons", "s.jsonl")
    assert code == 0 and "nobody in view" in err
    assert json_lines(tmp_path / "e.jsonl") == []
    assert [frame["people"] for frame in json_lines(tmp_path / "s.jsonl")[1:]] == [[]] * 12
    assert (tmp_path / "empty room.annotated.mp4").exists()


def test_a_clip_too_short_to_tell_an_action_says_so(call, tmp_path):
    person = {"track": 1, "score": 0.9, "box": [10, 5, 40, 45], "keypoints": [[20 + j, 10 + j, 0.9] for j in range(17)]}
    for name, frames, told in (("short", 15, False), ("long", 45, True)):
        lines = [json.dumps({"frame": i, "time_s": i / 30, "people": [person]}) + "\n" for i in range(frames)]
        (tmp_path / f"{name}.jsonl").write_text(SKELETONS + "".join(lines))
        code, _, err = call(f"{name}.jsonl")
        assert code == 0 and ("nobody in view for 1 s" in err) is not told


def test_what_a_video_held_before_it_broke_is_kept_under_a_name_that_says_so(call, tmp_path, movenet):
    whole = make_video(tmp_path / "whole.mp4", every(30, 90), movflags="faststart")
    shorten(whole, tmp_path / "cut.mp4", 0.7)
    code, _, err = call("cut.mp4", "-o", "out.mp4", "--skeletons", "s.jsonl")
    assert code == 2 and "out.partial.mp4" in err
    assert files(tmp_path) == {"whole.mp4", "cut.mp4", "out.partial.mp4", "s.partial.jsonl"}
    with VideoReader(tmp_path / "out.partial.mp4") as reader:
        assert len(list(reader)) == len(json_lines(tmp_path / "s.partial.jsonl")) - 1 > 30


@pytest.fixture(scope="module")
def waved(tmp_path_factory, shared, movenet, actions):
    """The folder with what the command made of a real clip."""
    folder = tmp_path_factory.mktemp("waved")
    line = [sys.executable, "-m", "app.video", shared(WAVE), "-o", "wave.mp4", "--events", "e.jsonl",
            "--skeletons", "wave.skeletons.jsonl", "--actions", actions, "--pose", "movenet", "--timings"]
    done = subprocess.run(list(map(str, line)), cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder / "stderr.txt").write_text(done.stderr)
    return folder


def test_the_annotated_video_is_h264_of_the_same_size_rate_and_frames(waved, shared):
    with VideoReader(shared(WAVE)) as source, VideoReader(waved / "wave.mp4") as result:
        assert (result.info.size, result.info.fps) == (source.info.size, source.info.fps)
        assert [frame.time_s for frame in result] == pytest.approx([frame.time_s for frame in source], abs=1e-4)
    with av.open(str(waved / "wave.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_skeleton_and_event_files_keep_their_contract(waved):
    header, *frames = json_lines(waved / "wave.skeletons.jsonl")
    assert header == {"skeletons": 1, "layout": "coco17", "fps": pytest.approx(25.53, abs=0.01), "size": [320, 240],
                      "source": Path(WAVE).name}
    assert [frame["frame"] for frame in frames] == list(range(len(frames)))
    assert sum(bool(frame["people"]) for frame in frames) >= 0.95 * len(frames)
    assert {len(person["keypoints"]) for frame in frames for person in frame["people"]} == {17}
    events = json_lines(waved / "e.jsonl")
    assert events, "the untrained checkpoint decides easily"
    for event in events:
        assert list(event) == ["event", "track", "action", "score", "start_s", "end_s", "frame"]
        assert (event["end_s"] is None) == (event["event"] == "start")


def test_timings_name_every_part(waved):
    report = (waved / "stderr.txt").read_text()
    assert all(part in report for part in ("decode", "pose", "track", "window", "action", "draw", "encode"))


def test_a_second_run_and_the_skeletons_alone_give_the_same(waved, call, tmp_path, shared):
    code, _, _ = call(shared(WAVE), "--no-video", "--events", "e.jsonl", "--skeletons", "s.jsonl")
    assert code == 0
    assert (tmp_path / "s.jsonl").read_text() == (waved / "wave.skeletons.jsonl").read_text()
    code, out, _ = call(waved / "wave.skeletons.jsonl", "--events", "-")
    assert code == 0
    assert out == (waved / "e.jsonl").read_text() == (tmp_path / "e.jsonl").read_text()
    assert not list(tmp_path.glob("*.mp4"))


def test_several_inputs_go_into_folders_arranged_like_them(call, tmp_path, movenet):
    for name in ("a/x.mp4", "b/x.mp4"):
        (tmp_path / name).parent.mkdir()
        make_video(tmp_path / name, every(30, 3))
    assert call("a/x.mp4", "b/x.mp4", "-o", "out", "--skeletons", "s")[0] == 0
    results = {"out/a/x.annotated.mp4", "out/b/x.annotated.mp4", "s/a/x.skeletons.jsonl", "s/b/x.skeletons.jsonl"}
    assert files(tmp_path) == results | {"a/x.mp4", "b/x.mp4"}


def test_ctrl_c_leaves_playable_files(tmp_path, movenet, actions):
    make_video(tmp_path / "long.mp4", every(30, 1000), sound="aac")
    line = [sys.executable, "-m", "app.video", "long.mp4", "-o", "out.mp4", "--skeletons", "s.jsonl",
            "--actions", actions, "--pose", "movenet"]
    process = subprocess.Popen(list(map(str, line)), cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
                               stderr=subprocess.PIPE, text=True)
    partial = tmp_path / "s.partial.jsonl"
    while process.poll() is None and not (partial.exists() and partial.stat().st_size > 8_000):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    with VideoReader(tmp_path / "out.mp4") as reader:
        count = len(list(reader))
    assert 30 < count < 1000
    assert abs(len(json_lines(tmp_path / "s.jsonl")) - 1 - count) <= 1
