"""Fixtures of the application's tests."""

import pytest

import stgcn
from app import pose
from app.errors import UserError
from tests.app.test_pipeline import checkpoint


@pytest.fixture(scope="session")
def movenet():
    """The fallback estimator; its weights come by pip, so without an index the test is skipped."""
    try:
        return pose.create("movenet")
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def actions(tmp_path_factory):
    """A checkpoint file whose network is untrained and whose decisions come easily."""
    path = tmp_path_factory.mktemp("actions") / "untrained.pth"
    stgcn.save(path, checkpoint())
    return path
