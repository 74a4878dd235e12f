"""Fixtures of the application's tests."""

import importlib.util
import io
import os
import runpy
import shutil
import subprocess
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import stgcn
from app import pose
from app.errors import EXIT_BAD_INPUT, UserError
from tests.app.test_pipeline import checkpoint
from tests.app.test_sources import CONTENT


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


@pytest.fixture(scope="session")
def screen():
    """The display of a virtual screen, with xdotool at hand to press keys."""
    for tool in ("Xvfb", "xdotool"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed (apt install xvfb xdotool)")
    server = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "1024x768x24"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield f":{server.stdout.readline().strip()}"
    server.terminate()
    server.wait()


@pytest.fixture
def refused(monkeypatch, capfd) -> Callable[..., tuple[str, str]]:
    """`refused("app.ablate", *arguments)`: run as `python -m app.ablate` would be, a command ends with exit code 2.

    In this process, because Python takes seconds to start with torch. Returns what the command wrote to standard output
    and to standard error.
    """

    def run(module: str, *arguments) -> tuple[str, str]:
        monkeypatch.setattr("sys.argv", [module, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended, warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)  # other tests import it
            runpy.run_module(module, run_name="__main__")
        assert ended.value.code == EXIT_BAD_INPUT
        return tuple(capfd.readouterr())

    return run


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index of one wheel, `parcel==1.0`, which holds the content as a file and inside a zip."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not installed")
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as inner:
        inner.writestr("models/thing.bin", CONTENT)
    links = tmp_path / "links"
    links.mkdir()
    info = "parcel-1.0.dist-info"
    with zipfile.ZipFile(links / "parcel-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("parcel/thing.bin", CONTENT)
        wheel.writestr("parcel/bundle.zip", bundle.getvalue())
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        requires = "Requires-Python: >=99\nRequires-Dist: no-such-parcel"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n{requires}\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    return links
