"""Timelines are drawn whatever there is to draw."""

import cv2
import pytest

from app import timelines
from app.scoring import Decision
from tests.app.test_streams import stream

SAID = [Decision("wave", 0.6, 1.4, 0.9, 1.6, 1), Decision("fly", 0, 1, 0, 1, None)]


@pytest.mark.parametrize("decisions", [[], SAID])
def test_a_timeline_is_a_picture(tmp_path, decisions):
    timelines.draw(tmp_path / "x.png", stream(), {"old": decisions, "new": []}, ("wave",))
    picture = cv2.imread(str(tmp_path / "x.png"))
    assert picture is not None and picture.min() < 100


def test_every_person_and_model_has_a_row(tmp_path):
    heights = []
    for announced in ({"a": []}, {"a": [], "b": []}, {"a": [Decision("wave", 0, 1, 0, 1, None)], "b": []}):
        timelines.draw(tmp_path / "x.png", stream(), announced, ("wave",))
        heights.append(cv2.imread(str(tmp_path / "x.png")).shape[0])
    assert heights == sorted(set(heights))


def test_the_same_stream_gives_the_same_picture(tmp_path):
    for name in ("a.png", "b.png"):
        timelines.draw(tmp_path / name, stream(), {"m": []}, ())
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
