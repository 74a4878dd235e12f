"""Cameras, and files played as if they were cameras."""

import pytest

from app.cameras import FileCamera, open_camera
from app.errors import UserError
from tests.app.media import every, make_video


class Clock:
    """Time that passes only by sleeping, as an injected clock."""

    def __init__(self):
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now_s += seconds


def test_file_camera_keeps_real_time(tmp_path):
    clock = Clock()
    path = make_video(tmp_path / "clip.mp4", every(30, 10))
    with FileCamera(path, clock, clock.sleep) as camera:
        assert camera.size == (64, 48) and camera.fps == 30
        for index in range(10):
            frame = camera.read()
            assert frame.index == index
            assert frame.time_s == pytest.approx(clock.now_s) == pytest.approx(1000 + index / 30)
        assert camera.read() is None


def test_file_camera_gives_late_frames_at_once_and_leaves_none_out(tmp_path):
    clock = Clock()
    with FileCamera(make_video(tmp_path / "clip.mp4", every(30, 10)), clock, clock.sleep) as camera:
        camera.read()
        clock.now_s += 0.2
        late = [camera.read() for _ in range(6)]
        assert clock.now_s == pytest.approx(1000.2)
        assert [frame.time_s for frame in late] == pytest.approx([1000 + k / 30 for k in range(1, 7)])


@pytest.mark.parametrize("camera", ["63", "/dev/video63"])
def test_camera_that_is_not_there_is_refused(camera):
    with pytest.raises(UserError, match="camera 63 cannot be opened .*--camera FILE"):
        open_camera(camera)


def test_network_camera_that_does_not_answer_is_refused():
    with pytest.raises(UserError, match="rtsp://127.0.0.1:9/live does not answer.*--camera FILE"):
        open_camera("rtsp://127.0.0.1:9/live")


def test_open_camera_plays_files_and_refuses_missing_ones(tmp_path):
    with open_camera(str(make_video(tmp_path / "clip.mp4", every(30, 2)))) as camera:
        assert camera.read().index == 0
    with pytest.raises(UserError, match="no such file"):
        open_camera(str(tmp_path / "none.mp4"))
