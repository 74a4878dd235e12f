"""What several formats need."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stgcn.graph import get_layout


def files_in(folder: str | Path, suffix: str) -> list[Path]:
    """The folder's files of that suffix, sorted; ValueError: there is no such folder, or none in it."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    paths = sorted(folder.glob(f"*{suffix}"))
    if not paths:
        raise ValueError(f"folder {folder} holds no files *{suffix}")
    return paths


def check_layout(path: str | Path, shape: tuple[int, int], layout: str) -> None:
    """ValueError where (V, D), a person's joints and the values per joint with confidence, are not the layout's."""
    everybody = get_layout(layout)
    joints, values = len(everybody.joints) // everybody.people, everybody.axes + 1
    if shape != (joints, values):
        raise ValueError(
            f"{path} holds {shape[0]} joints with {shape[1] - 1} coordinates; {layout} has {joints} with "
            f"{values - 1}"
        )


def side_by_side(people: Sequence[np.ndarray], layout: str) -> np.ndarray:
    """As `joined`, the most prominent people first. All in the same frames, n >= 0: (n, V, D) each -> (n, M * V, D).

    Who is not in view has confidence 0 there.
    """
    return joined(sorted(people, key=prominence, reverse=True), layout)


def joined(people: Sequence[np.ndarray], layout: str) -> np.ndarray:
    """The joints of the first M people, one's after another's: (..., V, D) each, at least one -> (..., M * V, D).

    M is how many the layout is for; who is missing is all zeros.
    """
    missing = get_layout(layout).people - len(people)
    everybody = [*people, *[np.zeros_like(people[0])] * missing]
    return np.concatenate(everybody[: get_layout(layout).people], axis=-2)


def check_label(name: str, label: int, classes: int) -> None:
    """ValueError where a label is no index of a class."""
    if not 0 <= label < classes:
        raise ValueError(f"{name}: label {label} is outside 0..{classes - 1}")


def prominence(person: np.ndarray) -> float:
    """How much somebody is in view, from (n, V, D), confidence last: the sum over frames of the joints' mean
    confidence x the diagonal of the box around those in view."""
    person = person[(person[..., -1] > 0).any(axis=1)]  # (n', V, D)
    positions, confidence = person[..., :-1], person[..., -1]
    seen = confidence[..., None] > 0
    lowest = np.where(seen, positions, np.inf).min(axis=1)  # (n', D - 1)
    highest = np.where(seen, positions, -np.inf).max(axis=1)
    return float((confidence.mean(axis=1) * np.linalg.norm(highest - lowest, axis=1)).sum())
