import cv2
import numpy as np
import pytest

from stgcn import plots
from stgcn.calibration import reliability


def test_a_matrix_needs_its_classes(tmp_path):
    with pytest.raises(ValueError, match="2 by 2 .* 1 classes"):
        plots.confusion(tmp_path / "matrix.png", [[1, 0], [0, 1]], ("a",), "title")


def test_a_large_matrix_is_a_large_picture_and_twice_the_same(tmp_path):
    for name, size in (("small", 2), ("large", 12), ("again", 12)):
        matrix = [[i * j for i in range(size)] for j in range(size)]
        plots.confusion(tmp_path / f"{name}.png", matrix, [f"class {i}" for i in range(size)], "title")
    small, large = (cv2.imread(str(tmp_path / f"{name}.png")).shape[0] for name in ("small", "large"))
    assert small < large
    assert (tmp_path / "large.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_curves_of_a_single_epoch_and_of_many(tmp_path):
    plots.curves(tmp_path / "one.png", [1.0], {"training": [50.0]})
    plots.curves(tmp_path / "many.png", [1.0, 0.5], {"training": [50.0, 60.0], "held out": [40.0, 45.0]})
    one, many = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("one", "many"))
    assert one.shape == many.shape and (one != many).any()


def test_a_reliability_plot_needs_something_to_draw(tmp_path):
    with pytest.raises(ValueError, match="needs a reliability"):
        plots.reliability(tmp_path / "nothing.png", {})


def test_reliabilities_stand_side_by_side_empty_bins_or_not(tmp_path):
    scores = np.random.default_rng(0).dirichlet((1, 1, 1), 200)
    before, after = reliability(scores, scores.argmax(axis=1)), reliability(np.eye(3), np.arange(3))
    plots.reliability(tmp_path / "one.png", {"before": before})
    plots.reliability(tmp_path / "two.png", {"before": before, "after": after})
    one, two = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("one", "two"))
    assert two.shape[1] == 2 * one.shape[1] and two.shape[0] == one.shape[0]
