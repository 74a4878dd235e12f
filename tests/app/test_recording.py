"""Writing videos: what is refused, and that frames, times and sound arrive as they were."""

import signal
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.capture import VideoReader
from app.errors import UserError
from app.recording import VideoWriter
from tests.app.media import every, make_video, picture

RATE = Fraction(30)


def copy(source: Path, path: Path) -> Path:
    with VideoReader(source) as reader:
        info = reader.info
        with VideoWriter(path, info.size, info.fps, source, info.pixel_aspect) as writer:
            for frame in reader:
                writer.write(frame.image, frame.time_s)
    return path


def record(path: Path, count: int) -> VideoWriter:
    """A writer that has been given some frames."""
    writer = VideoWriter(path, (64, 48), RATE)
    for index, time_s in enumerate(every(30, count)):
        writer.write(picture(index), float(time_s))
    return writer


def times(path: Path) -> list[float]:
    with VideoReader(path) as reader:
        return [frame.time_s for frame in reader]


def sound(path: Path) -> tuple[str, float, float]:
    """Codec, seconds from the first frame to the first sample of the tone, and seconds of tone."""
    with VideoReader(path) as reader:
        start_s = reader.info.start_s
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        rate = stream.codec_context.sample_rate
        loud = []
        for frame in container.decode(stream):
            samples = frame.to_ndarray().reshape(-1).astype(float)
            samples /= np.iinfo(np.int16).max if frame.format.name == "s16" else 1.0
            loud.append(frame.time + np.flatnonzero(np.abs(samples) > 0.1) / rate)
        loud = np.concatenate(loud)
        return stream.codec_context.codec.canonical_name, loud[0] - start_s, loud[-1] - loud[0]


def test_unwritable_outputs_are_refused_before_any_work(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.mp4").mkdir()
    for path, words in (
        (tmp_path / "none" / "out.mp4", "no folder .*create it first"),
        (tmp_path / "file" / "out.mp4", "cannot be written .*not a directory.*choose another folder"),
        (tmp_path / "folder.mp4", "is a folder; name a file in it"),
        (Path("/proc/out.mp4"), "cannot be written .*choose another folder"),
        (tmp_path / "out.gif", "name it out.mp4"),
        (tmp_path / "out", "name it out.mp4"),
    ):
        with pytest.raises(UserError, match=words):
            VideoWriter(path, (64, 48), RATE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.mp4"]


def test_the_source_is_not_overwritten(tmp_path):
    source = make_video(tmp_path / "clip.mp4", every(30, 3))
    before = source.read_bytes()
    with pytest.raises(UserError, match="is also the input; write to another file"):
        VideoWriter(source, (64, 48), RATE, audio_from=source)
    assert source.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_image_of_another_size_is_refused(tmp_path):
    with VideoWriter(tmp_path / "out.mp4", (64, 48), RATE) as writer:
        with pytest.raises(ValueError, match="64"):
            writer.write(picture(0, (48, 64)), 0.0)


def test_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path):
    code = (
        "import resource, sys; from fractions import Fraction; import numpy as np\n"
        "from app.errors import run; from app.recording import VideoWriter\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "def main():\n"
        "    with VideoWriter(sys.argv[1], (320, 240), Fraction(30)) as writer:\n"
        "        noise = np.random.default_rng(0)\n"
        "        for k in range(60):\n"
        "            writer.write(noise.integers(256, size=(240, 320, 3), dtype=np.uint8), k / 30)\n"
        "run(main)\n"
    )
    path = tmp_path / "out.mp4"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr == f"error: {path} cannot be written (file too large); is the disk full?\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [Fraction(10), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_copy_keeps_frames_rate_size_and_times(tmp_path, rate, suffix):
    source = make_video(tmp_path / f"clip{suffix}", every(rate, 40), rate=rate)
    out = copy(source, tmp_path / "out.mp4")
    assert np.allclose(times(out), times(source), atol=2e-5) and len(times(out)) == 40
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.format.name) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.frames, stream.start_time) == (64, 48, 40, 0)
        assert stream.guessed_rate == rate
        assert stream.average_rate == pytest.approx(rate, rel=1e-3 if suffix == ".mkv" else 1e-9)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [source.name, "out.mp4"]


@pytest.mark.parametrize("given", [[0.0, 0.033, 0.1, 0.104, 0.3, 0.317, 0.75, 1.5], [0.0], [0.0, 20.0]])
def test_variable_times_are_kept(tmp_path, given):
    source = make_video(tmp_path / "vfr.mp4", given)
    assert np.allclose(times(copy(source, tmp_path / "out.mp4")), given, atol=2e-5)


def test_clock_times_of_a_camera_start_at_zero(tmp_path):
    jitter = np.random.default_rng(1).uniform(0.005, 0.08, 50).cumsum()
    with VideoWriter(tmp_path / "out.mp4", (64, 48), RATE) as writer:
        for index, time_s in enumerate(jitter):
            writer.write(picture(index), 54321.0 + time_s)
    assert np.allclose(times(tmp_path / "out.mp4"), jitter - jitter[0], atol=2e-5)


def test_images_keep_their_colours(tmp_path):
    with VideoWriter(tmp_path / "out.mp4", (128, 96), RATE) as writer:
        for index in range(10):
            writer.write(picture(index, (128, 96)), index / 30)
    with VideoReader(tmp_path / "out.mp4") as reader:
        for frame in reader:
            assert np.median(np.abs(frame.image.astype(int) - picture(frame.index, (128, 96)))) <= 3


def test_odd_sizes_grow_by_a_copy_of_the_edge(tmp_path):
    image = picture(0, (65, 47))
    with VideoWriter(tmp_path / "out.mp4", (65, 47), RATE) as writer:
        writer.write(image, 0.0)
    with VideoReader(tmp_path / "out.mp4") as reader:
        (frame,) = reader
    assert frame.image.shape == (48, 66, 3)
    grown = np.pad(image, ((0, 1), (0, 1), (0, 0)), mode="edge")
    assert np.median(np.abs(frame.image.astype(int) - grown)) <= 3


def test_wide_pixels_stay_wide(tmp_path):
    with VideoWriter(tmp_path / "wide.mp4", (64, 48), RATE, pixel_aspect=Fraction(64, 51)) as writer:
        writer.write(picture(0), 0.0)
    with VideoReader(copy(tmp_path / "wide.mp4", tmp_path / "out.mp4")) as reader:
        assert reader.info.pixel_aspect == Fraction(64, 51)


@pytest.mark.parametrize(
    "suffix, codec, expected",
    [
        (".mp4", "aac", "aac"),
        (".mkv", "aac", "aac"),
        (".ts", "aac", "aac"),
        (".mkv", "libopus", "opus"),
        (".mkv", "libmp3lame", "mp3"),
        (".mkv", "ac3", "aac"),
        (".mov", "pcm_s16le", "aac"),
        (".avi", "pcm_s16le", "aac"),
    ],
)
@pytest.mark.parametrize("sound_s", [0.0, 0.4])
def test_sound_is_kept_in_step(tmp_path, suffix, codec, expected, sound_s):
    video = "mpeg4" if suffix == ".avi" else "libx264"
    source = make_video(tmp_path / f"clip{suffix}", every(30, 45), sound=codec, sound_s=sound_s, codec=video)
    out = copy(source, tmp_path / "out.mp4")
    _, start_s, length_s = sound(source)
    codec_out, out_start_s, out_length_s = sound(out)
    assert codec_out == expected
    assert out_start_s == pytest.approx(start_s, abs=0.003)
    assert out_length_s == pytest.approx(length_s, abs=0.003)
    assert len(times(out)) == 45


def test_sound_that_starts_before_the_picture_is_not_cut(tmp_path):
    late = [0.7 + float(t) for t in every(30, 30)]
    source = make_video(tmp_path / "late.mp4", late, sound="aac")
    out = copy(source, tmp_path / "out.mp4")
    assert sound(out)[1:] == pytest.approx(sound(source)[1:], abs=0.003)
    assert np.allclose(times(out), [float(t) for t in every(30, 30)], atol=2e-5)


def test_copied_sound_is_the_same_bytes(tmp_path):
    source = make_video(tmp_path / "clip.mp4", every(30, 30), sound="aac")
    out = copy(source, tmp_path / "out.mp4")
    packets = []
    for path in source, out:
        with av.open(str(path)) as container:
            packets.append([bytes(packet) for packet in container.demux(audio=0)])
    assert packets[0] == packets[1]


def test_nothing_is_under_the_final_name_before_close(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_text("an older video")
    writer = record(path, 20)
    assert path.read_text() == "an older video" and writer.partial.exists()
    assert writer.close() == path
    assert len(times(path)) == 20 and not writer.partial.exists()
    writer.close()  # again is no error


def test_no_frames_leave_nothing(tmp_path):
    VideoWriter(tmp_path / "out.mp4", (64, 48), RATE).close()
    assert not list(tmp_path.iterdir())


def test_abandon_keeps_a_playable_part_or_nothing(tmp_path):
    kept = record(tmp_path / "kept.mp4", 20).abandon(keep=True)
    assert kept == tmp_path / "kept.partial.mp4" and len(times(kept)) == 20
    assert record(tmp_path / "gone.mp4", 20).abandon(keep=False) is None
    assert list(tmp_path.iterdir()) == [kept]


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), VideoWriter(tmp_path / "out.mp4", (64, 48), RATE) as writer:
        writer.write(picture(0), 0.0)
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_ctrl_c_in_the_middle_leaves_a_playable_part(tmp_path):
    main = threading.get_ident()
    timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    path, written = tmp_path / "out.mp4", 0
    with pytest.raises(KeyboardInterrupt), VideoWriter(path, (320, 240), RATE) as writer:
        timer.start()
        while True:
            writer.write(picture(written, (320, 240)), written / 30)
            written += 1
    stamps = times(tmp_path / "out.partial.mp4")
    assert written <= len(stamps) <= written + 1
    assert np.allclose(stamps, np.arange(len(stamps)) / 30, atol=2e-5)
    assert not path.exists()


def test_a_killed_recording_still_plays(tmp_path):
    code = (
        "import os, sys; from fractions import Fraction; import numpy as np\n"
        "from app.recording import VideoWriter\n"
        "writer = VideoWriter(sys.argv[1], (320, 240), Fraction(30))\n"
        "noise = np.random.default_rng(0)\n"
        "for k in range(150): writer.write(noise.integers(256, size=(240, 320, 3), dtype=np.uint8), k / 30)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "out.mp4"], timeout=60)
    frames = []
    with VideoReader(tmp_path / "out.partial.mp4") as reader:
        try:
            frames.extend(frame.index for frame in reader)
        except UserError as error:  # its last fragment is not whole
            frames.extend(range(int(str(error).split(" good frames")[0].split()[-1])))
    assert len(set(frames)) >= 60


def test_shared_videos_come_out_as_they_went_in(shared, tmp_path):
    for name in "videos/asl_eat.mkv", "data/jhmdb/videos/wave/21_wave_u_nm_np1_fr_goo_5.mp4":
        source = shared(name)
        out = copy(source, tmp_path / "out.mp4")
        with VideoReader(source) as before, VideoReader(out) as after:
            assert (before.info.size, before.info.fps) == (after.info.size, after.info.fps)
            pairs = list(zip(before, after, strict=True))
        assert all(abs(a.time_s - b.time_s) < 2e-5 for a, b in pairs)
        assert max(np.abs(a.image.astype(int) - b.image).mean() for a, b in pairs) < 6
