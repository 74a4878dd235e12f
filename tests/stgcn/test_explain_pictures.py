"""Pictures of an explanation: they are written, not empty, and show what they should."""

from dataclasses import replace
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from stgcn.explain_pictures import draw_maps, draw_moments, video_frames, write_video
from stgcn.explanation import explain
from tests.stgcn.people import checkpoint, waving_clip


def explanation(frames=12):
    return explain(checkpoint(frames), waving_clip())


def body_part(image):
    """Between title and curve, int."""
    return image[40:350].astype(int)


@pytest.mark.parametrize("draw, name", [
    (draw_maps, "a.png"), (draw_moments, "a.png"), (write_video, "a.mp4"),
])  # fmt: skip
def test_a_folder_that_is_not_there_is_refused(draw, name, tmp_path):
    with pytest.raises(OSError):
        draw(tmp_path / "missing" / name, explanation(2))


@pytest.mark.parametrize("frames", [1, 12])
@pytest.mark.parametrize("draw", [draw_maps, draw_moments])
def test_a_small_picture_that_is_not_empty(draw, frames, tmp_path):
    path = tmp_path / "picture.png"
    draw(path, explanation(frames))
    image = cv2.imread(str(path))
    assert (image < 250).any(axis=2).mean() > 0.01
    assert path.stat().st_size < 100_000


def test_the_same_explanation_gives_the_same_picture(tmp_path):
    paths = [tmp_path / name for name in ("a.png", "b.png")]
    for path in paths:
        draw_maps(path, explanation())
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("frames", [1, 12])
def test_the_video_has_a_frame_for_each_of_the_window(frames, tmp_path):
    path = tmp_path / "waving.mp4"
    write_video(path, explanation(frames))
    assert [file.name for file in tmp_path.iterdir()] == ["waving.mp4"]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        images = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.average_rate == Fraction(30 if frames > 1 else 1)
    assert len(images) == frames
    assert all((image < 200).any(axis=2).mean() > 0.005 for image in images)


def test_a_joint_is_red_where_it_speaks_for_the_class_and_blue_where_against():
    whole = explanation(4)
    for sign, strong, weak in ((1, 0, 2), (-1, 2, 0)):
        activation = np.full_like(whole.responses.activation, sign)
        one = replace(whole, responses=replace(whole.responses, activation=activation))
        picture = body_part(next(video_frames(one)))
        assert (picture[..., strong] - picture[..., weak]).max() > 100
        assert (picture[..., weak] - picture[..., strong]).max() < 20


def test_somebody_who_enters_late_is_drawn_from_then_on():
    clip = waving_clip()
    late = replace(clip, times=clip.times[-6:], keypoints=clip.keypoints[-6:])
    images = list(video_frames(explain(checkpoint(12), late)))
    coloured = [(np.ptp(body_part(image), axis=2) > 30).any() for image in images]
    assert coloured == [False] * 6 + [True] * 6
