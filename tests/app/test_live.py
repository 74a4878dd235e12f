"""`python -m app.live`, as a user runs it: refusals, a file as the camera, the window and its keys."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.capture import VideoReader
from tests.app.media import every, make_video

ROOT = Path(__file__).parent.parent.parent
DESK = "videos/asl_book.mkv"
START_TIMEOUT_S = 60


def start(*arguments, cwd, actions, display=None):
    """Start `python -m app.live` with the fallback estimator."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("DISPLAY", None)
    environment.pop("WAYLAND_DISPLAY", None)
    if display:
        environment["DISPLAY"] = display
    line = [sys.executable, "-m", "app.live", "--pose", "movenet", "--actions", actions, *arguments]
    return subprocess.Popen(list(map(str, line)), cwd=cwd, env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def live(*arguments, **kwargs):
    """Run it to its end: exit code, standard output, standard error."""
    process = start(*arguments, **kwargs)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def until(condition, what):
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (result := condition()):
        assert time.monotonic() < deadline, f"no {what} in {START_TIMEOUT_S} s"
        time.sleep(0.1)
    return result


def xdotool(display, *arguments):
    environment = {**os.environ, "DISPLAY": display}
    return subprocess.run(["xdotool", *arguments], env=environment, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--camera", "none.mp4", "--headless"], "none.mp4"),
        (["--camera", "99", "--headless"], "--camera FILE"),
        (["--camera", "clip.mp4"], "--headless"),  # no display
    ],
)
def test_what_cannot_be_is_one_clear_line(arguments, reason, tmp_path, actions, movenet):
    make_video(tmp_path / "clip.mp4", every(30, 10))
    code, out, err = live(*arguments, cwd=tmp_path, actions=actions)
    assert (code, out) == (2, "")
    assert reason in err and err.count("\n") == 1 and "Traceback" not in err


@pytest.mark.parametrize(("arguments", "reason"), [
    (["--events", "no/folder/e.jsonl"], "existing folder"), (["--record", "clip.mp4/folder"], "--record"),
])  # fmt: skip
def test_files_that_cannot_be_written_are_one_clear_line(
    arguments, reason, tmp_path, monkeypatch, actions, movenet, refused
):
    make_video(tmp_path / "clip.mp4", every(30, 10))
    monkeypatch.chdir(tmp_path)
    line = ("--camera", "clip.mp4", "--headless", "--pose", "movenet", "--actions", actions, *arguments)
    out, err = refused("app.live", *line)
    assert out == "" and reason in err and err.count("\n") == 1 and "Traceback" not in err


def test_a_display_that_is_not_there_is_one_clear_line(tmp_path, actions, movenet):
    make_video(tmp_path / "clip.mp4", every(30, 10))
    code, _, err = live("--camera", "clip.mp4", cwd=tmp_path, actions=actions, display=":4242")
    assert code == 2 and ":4242" in err and err.count("\n") == 1


def test_a_file_plays_as_a_camera_and_is_recorded_at_its_true_rate(tmp_path, actions, movenet, shared):
    source = shared(DESK)
    options = ("--headless", "--record", "rec", "--events", "-")
    code, out, _ = live("--camera", source, *options, cwd=tmp_path, actions=actions)
    assert code == 0
    events = [json.loads(line) for line in out.splitlines()]
    assert events and len(events) % 2 == 0, "the untrained checkpoint decides easily"
    (clip,) = (tmp_path / "rec").iterdir()
    with VideoReader(source) as before, VideoReader(clip) as after:
        assert after.info.size == before.info.size
        expected, times = ([frame.time_s for frame in reader] for reader in (before, after))
    # A busy machine may drop frames, but what is there lies at its own time.
    assert len(times) > len(expected) / 3
    assert times[-1] - times[0] == pytest.approx(expected[-1], abs=0.7)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl_c", "service"])
def test_asked_to_stop_it_leaves_a_playable_recording(tmp_path, actions, movenet, number, code):
    make_video(tmp_path / "long.mp4", every(30, 1800), size=(160, 90))  # pose networks are made for the usual 4:3 first
    process = start("--camera", "long.mp4", "--headless", "--record", "rec", cwd=tmp_path, actions=actions)
    until(lambda: list(tmp_path.glob("rec/*")), "recording")
    time.sleep(3)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code and "Traceback" not in err
    (clip,) = (tmp_path / "rec").iterdir()
    with VideoReader(clip) as reader:
        assert len(list(reader)) > 5


def test_keys_record_take_snapshots_and_quit(tmp_path, actions, movenet, screen):
    make_video(tmp_path / "long.mp4", every(30, 3600), size=(320, 240))
    process = start("--camera", "long.mp4", cwd=tmp_path, actions=actions, display=screen)
    window = until(lambda: xdotool(screen, "search", "--name", "skeleton actions"), "window")

    def press(key):
        xdotool(screen, "windowfocus", "--sync", window, "key", key)
        time.sleep(0.3)  # as fast as a finger; OpenCV keeps one of two keys that fall between two pictures

    recordings = tmp_path / "recordings"
    # While the models load there is nothing to take a snapshot of, so the key is pressed until there is one.
    snapshot = until(lambda: press("s") or list(recordings.glob("snapshot-*.png")), "snapshot")[0]
    press("r")
    until(lambda: list(recordings.glob("clip-*.partial.mp4")), "recording")
    for key in ("k", "h", "space", "space"):
        press(key)
    time.sleep(1)
    press("r")
    (clip,) = until(lambda: [path for path in recordings.glob("clip-*.mp4") if "partial" not in path.name], "clip")
    press("q")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert snapshot.stat().st_size > 0
    with VideoReader(clip) as reader:
        times = [frame.time_s for frame in reader]
    assert len(times) > 3 and 0.5 < times[-1] < 10
