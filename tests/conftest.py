"""Fixtures that all tests share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """`shared("videos/asl_book.mkv")`: a file of the shared test material, or a skip that says where it was sought."""
    folder = Path(os.environ.get("STGCN_SHARED", ROOT.parent / "shared"))

    def find(relative: str) -> Path:
        path = folder / relative
        if not path.exists():
            pytest.skip(f"test material {path} is missing (set STGCN_SHARED to the folder that holds it)")
        return path

    return find
