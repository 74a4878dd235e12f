"""`python -m app.record`: what is refused, when is recorded, and which clips stay."""

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from app.cameras import FileCamera
from app.capture import Frame, VideoReader
from app.record import FIRST_READY_S, READY_S, Recorder, Schedule, record
from tests.app.media import every, make_video
from tests.app.test_live import ROOT, until, xdotool

SIZE, FPS = (64, 48), Fraction(30)
WHOLE_S = FIRST_READY_S + 2 * 1.0 + READY_S  # of two takes of a second


def command(*arguments):
    result = subprocess.run([sys.executable, "-m", "app.record", *map(str, arguments)], cwd=ROOT, text=True,
                            capture_output=True, env={"PATH": ""})  # fmt: skip
    return result.returncode, result.stderr.splitlines()


def test_without_a_screen_one_line_says_so(tmp_path):
    code, [line] = command(tmp_path / "clips/dab")
    assert code == 2 and line.startswith("error: ") and "no window can be opened" in line


@pytest.mark.parametrize(("arguments", "reason"), [
    (["dab", "--takes", "0"], "at least one take"), (["dab", "--seconds", "0.1"], "of 0.5 to 60 seconds"),
    (["file/dab"], "cannot make the folder"),
])  # fmt: skip
def test_what_cannot_be_is_one_clear_line(tmp_path, monkeypatch, refused, arguments, reason):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    [line] = refused("app.record", *arguments)[1].splitlines()
    assert line.startswith("error: ") and reason in line


def test_takes_follow_one_another_with_time_to_get_ready():
    schedule, times = Schedule(2, 1.0), np.arange(0, 15, 0.01)
    recording = [(phase.take, time_s) for time_s in times if (phase := schedule.at(time_s)) and phase.recording]
    begins = [min(time_s for other, time_s in recording if other == take) for take in (0, 1)]
    assert begins == pytest.approx([FIRST_READY_S, FIRST_READY_S + 1 + READY_S], abs=0.011)
    assert len(recording) * 0.01 == pytest.approx(2.0, abs=0.03)
    assert schedule.at(0).left_s == FIRST_READY_S and schedule.at(WHOLE_S + 0.01) is None
    assert [schedule.at(t).take for t in (0.1, FIRST_READY_S + 0.5, FIRST_READY_S + 1.5)] == [0, 0, 1]


@pytest.fixture
def recorder(tmp_path):
    return Recorder(tmp_path, Schedule(2, 1.0), SIZE, FPS)


def feed(recorder, seconds, begin_s=100.0):
    for i in range(round(seconds * 30)):
        recorder.add(Frame(np.full((48, 64, 3), i % 200, np.uint8), i, begin_s + i / 30))


def test_whole_takes_become_clips_with_the_next_free_names(tmp_path, recorder):
    (tmp_path / "1.avi").touch()
    recorder.start(100.0)
    feed(recorder, WHOLE_S + 1)
    assert [clip.name for clip in recorder.clips] == ["2.mp4", "3.mp4"] and not recorder.running
    for clip in recorder.clips:
        with VideoReader(clip) as video:
            assert len(list(video)) == pytest.approx(30, abs=1)
    recorder.start(200.0)
    feed(recorder, FIRST_READY_S + 1.5, begin_s=200.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.avi", "2.mp4", "3.mp4", "4.mp4"]


def test_of_a_take_that_was_broken_off_nothing_stays(tmp_path, recorder):
    recorder.start(100.0)
    feed(recorder, FIRST_READY_S + 0.5)
    assert [path.name for path in tmp_path.iterdir()] == ["1.partial.mp4"]
    recorder.stop()
    assert not recorder.running and not list(tmp_path.iterdir())


def test_space_begins_and_breaks_off_and_q_quits(tmp_path, recorder):
    camera = FileCamera(make_video(tmp_path / "camera.mp4", every(30, 90)), sleep=lambda _: None)
    running, shown, keys = [], [], {3: " ", 6: " ", 20: "q"}

    def show(picture):
        running.append(recorder.running)
        shown.append(picture)
        return keys.get(len(shown) - 1, "")

    with camera:
        record(camera, recorder, show)
    assert len(shown) == 21 and running == [4 <= i <= 6 for i in range(21)]
    assert shown[0][40, 5, 2] > shown[0][40, 60, 2] + 50, "red is right in the picture, and left in a mirror"


def test_in_a_window_clips_are_recorded(tmp_path, screen):
    camera = make_video(tmp_path / "camera.mp4", every(30, 1800), size=(320, 240))
    process = subprocess.Popen(
        [sys.executable, "-m", "app.record", tmp_path / "clips/dab", "--camera", camera, "--takes", "1",
         "--seconds", "0.5"],
        cwd=ROOT, env={**os.environ, "DISPLAY": screen}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    window = until(lambda: xdotool(screen, "search", "--name", "skeleton actions"), "window")

    def press(key):
        xdotool(screen, "windowfocus", "--sync", window, "key", key)

    press("space")
    until((tmp_path / "clips/dab/1.mp4").exists, "clip")
    press("q")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and f"python -m app.teach {tmp_path / 'clips'}" in out and "recorded: " in err
