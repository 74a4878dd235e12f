from pathlib import Path

import cv2
import pytest

from stgcn import augment
from stgcn.augment_pictures import PUPPETS, draw_all, main, waving
from stgcn.graph import COCO17

DOCS = Path(__file__).parents[2] / "docs"


def test_unknown_options_are_refused():
    with pytest.raises(SystemExit) as ended:
        main(["--colour"])
    assert ended.value.code == 2


def test_the_figure_waves():
    times, keypoints = waving()
    assert keypoints.shape == (len(times), 17, 4)
    moved = keypoints.std(axis=0).max(axis=1) > 0.01
    assert [joint for joint, moves in zip(COCO17.joints, moved) if moves] == ["right_wrist"]


def test_every_augmentation_has_a_small_picture_in_the_docs(tmp_path):
    paths = draw_all(tmp_path)
    public = {name for name, value in vars(augment).items()
              if callable(value) and getattr(value, "__module__", "") == augment.__name__
              and not name.startswith("_") and name != "Augment"}  # fmt: skip
    of_puppets = {f"puppet_{label.replace(' ', '_')}" for label in PUPPETS}
    assert {path.stem for path in paths} == public | {"wave", "clap", "enter"} | of_puppets
    page = (DOCS / "augmentation.md").read_text()
    for path in paths:
        assert f"(augmentation/{path.name})" in page
        assert (DOCS / "augmentation" / path.name).stat().st_size < 30_000
        image = cv2.imread(str(path))
        assert (image < 250).any(axis=2).mean() > 0.01, "it is not empty"


@pytest.mark.parametrize("number", augment.Augment.__dataclass_fields__)
def test_every_number_is_explained(number):
    assert f"`{number}`" in (DOCS / "augmentation.md").read_text()
