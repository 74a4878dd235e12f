"""Reading videos and cameras: what is refused, and that every frame comes, upright and at its time."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.capture import VideoReader
from app.errors import UserError
from tests.app.media import every, make_sound, make_video, picture, shorten


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as error, VideoReader(path):
        pass
    message = str(error.value)
    assert "\n" not in message and str(path) in message
    return message


def times(path: Path) -> list[float]:
    with VideoReader(path) as reader:
        return [frame.time_s for frame in reader]


def test_missing_file_is_refused(tmp_path):
    assert "no such file; check the path" in refusal(tmp_path / "none.mp4")


def test_folder_is_refused(tmp_path):
    assert "is a folder; name a video file" in refusal(tmp_path)


def test_file_used_as_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "cannot be read (not a directory)" in refusal(tmp_path / "file" / "clip.mp4")


def test_unreadable_file_is_refused():
    assert "cannot be read" in refusal(Path("/proc/self/mem"))


def test_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.mp4"
    path.touch()
    assert "is empty (0 bytes)" in refusal(path)


@pytest.mark.parametrize("content", [b"Dear diary, today I waved.\n" * 20, bytes(range(256)) * 400])
def test_what_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    assert "not a video" in refusal(path)


@pytest.mark.parametrize("suffix, codec", [(".png", "png"), (".jpg", "mjpeg")])
def test_picture_is_refused(tmp_path, suffix, codec):
    path = tmp_path / f"picture{suffix}"
    cv2.imwrite(str(path), picture(0))
    assert "is a picture" in refusal(path)
    assert "is a picture" in refusal(path.rename(tmp_path / "picture.mp4"))


@pytest.mark.parametrize("name, codec", [("sound.mp4", "aac"), ("sound.mp3", "libmp3lame")])
def test_sound_without_picture_is_refused(tmp_path, name, codec):
    assert "holds sound only" in refusal(make_sound(tmp_path / name, codec))


def test_video_without_frames_is_refused(tmp_path):
    path = make_video(tmp_path / "none.mkv", [])
    refusal(path)


def test_mp4_that_lost_its_index_is_refused(tmp_path):
    whole = make_video(tmp_path / "whole.mp4", every(30, 30))
    assert "cut short" in refusal(shorten(whole, tmp_path / "half.mp4", 0.5))


@pytest.mark.parametrize("name, movflags", [("clip.mp4", "+faststart"), ("clip.mkv", ""), ("clip.avi", "")])
def test_truncated_video_gives_its_good_frames_then_says_so(tmp_path, name, movflags):
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    whole = make_video(tmp_path / name, every(30, 90), movflags=movflags, codec=codec)
    half = shorten(whole, tmp_path / f"half_{name}", 0.6)
    frames = []
    with VideoReader(half) as reader, pytest.raises(UserError) as error:
        for frame in reader:
            frames.append(frame.index)
    assert frames == list(range(len(frames))) and 10 < len(frames) < 90
    assert f"after {len(frames)} good frames; copy or download it again" in str(error.value)


def test_damage_inside_a_video_never_ends_in_a_traceback(tmp_path):
    data = bytearray(make_video(tmp_path / "whole.mkv", every(30, 60)).read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(len(data) // 4, len(data), 60):
        data[place] = rng.integers(256)
    path = tmp_path / "damaged.mkv"
    path.write_bytes(data)
    try:
        assert len(times(path)) <= 60
    except UserError as error:
        assert str(path) in str(error)


def test_libraries_print_nothing(tmp_path):
    path = make_video(tmp_path / "whole.mp4", every(30, 60), movflags="+faststart")
    half = shorten(path, tmp_path / "half.mp4", 0.6)
    code = (
        "import sys; from app.cameras import open_camera; from app.capture import VideoReader\n"
        "from app.errors import UserError\n"
        "for act in (lambda: list(VideoReader(sys.argv[1])), lambda: open_camera('63'),\n"
        "            lambda: open_camera('http://127.0.0.1:9/video')):\n"
        "    try: act()\n"
        "    except UserError: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, half], capture_output=True, text=True)
    assert done.stdout == "refused\n" * 3 and done.stderr == ""


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(60), Fraction(25), Fraction(30000, 1001)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_constant_rates_come_exactly(tmp_path, rate, suffix):
    path = make_video(tmp_path / f"clip{suffix}", every(rate, 40), rate=rate)
    with VideoReader(path) as reader:
        frames = list(reader)
        assert reader.info.fps == rate and reader.info.size == (64, 48) and not reader.info.has_audio
    assert [frame.index for frame in frames] == list(range(40))
    tolerance = 0.001 if suffix == ".mkv" and rate.denominator != 1 else 2e-5
    expected = [float(t) for t in every(rate, 40)]
    assert np.allclose([frame.time_s for frame in frames], expected, atol=tolerance)


def test_variable_rate_keeps_its_times(tmp_path):
    given = [0.0, 0.033, 0.1, 0.104, 0.3, 0.317, 0.75, 1.5]
    assert np.allclose(times(make_video(tmp_path / "vfr.mp4", given)), given, atol=2e-5)


def test_time_starts_at_zero_wherever_the_file_starts(tmp_path):
    late = [2.5 + float(t) for t in every(30, 20)]
    path = make_video(tmp_path / "late.mkv", late, sound="aac")
    with VideoReader(path) as reader:
        assert reader.info.start_s == pytest.approx(2.5, abs=0.03)
    assert np.allclose(times(path), [float(t) for t in every(30, 20)], atol=1e-3)


def test_times_always_ascend_where_the_file_has_none(tmp_path):
    stamps = times(make_video(tmp_path / "raw.h264", every(30, 20)))
    assert len(stamps) == 20 and stamps[0] == 0 and (np.diff(stamps) > 0).all()


def test_single_frame_and_odd_and_tall_videos(tmp_path):
    for name, size in ("one", (64, 48)), ("odd", (65, 47)), ("tall", (16, 1600)):
        with VideoReader(make_video(tmp_path / f"{name}.mp4", [0], size=size)) as reader:
            (frame,) = reader
            assert reader.info.size == size and frame.image.shape == (size[1], size[0], 3)
            assert frame.image.dtype == np.uint8 and frame.time_s == 0


def test_images_are_bgr(tmp_path):
    with VideoReader(make_video(tmp_path / "clip.mp4", every(30, 3), size=(128, 96))) as reader:
        for frame in reader:
            error = np.abs(frame.image.astype(int) - picture(frame.index, (128, 96)))
            assert np.median(error) <= 4


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_phone_videos_come_upright(tmp_path, degrees):
    """The file asks to be turned counter-clockwise by `degrees` for viewing."""
    with VideoReader(make_video(tmp_path / "phone.mp4", every(30, 5), rotation=degrees)) as reader:
        upright = np.rot90(picture(0), degrees // 90)
        frame = next(iter(reader))
        assert reader.info.size == upright.shape[1::-1] and frame.image.shape == upright.shape
        assert np.median(np.abs(frame.image.astype(int) - upright)) <= 4
        assert frame.image.flags.c_contiguous


def test_shared_videos_decode_to_their_last_frame(shared):
    for name, count in ("asl_book.mkv", 109), ("asl_brother.mkv", 65), ("arm_wrestling.mp4", 280):
        stamps = times(shared(f"videos/{name}"))
        assert len(stamps) == count and (np.diff(stamps) > 0).all()
