"""Assets: what is refused, what is left behind, where verified files come from. All without the internet."""

import hashlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app import assets
from app.assets import ASSETS, Asset, get, is_available
from app.errors import UserError
from app.sources import Url, WheelMember
from tests.app.test_sources import CONTENT

SHA256 = hashlib.sha256(CONTENT).hexdigest()
ROOT = Path(assets.__file__).parent.parent


class Server:
    """A web server on this machine for one folder; `requests` counts what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests = 0
        server = self

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests += 1
                if self.path == "/cut":
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(CONTENT)))
                    self.end_headers()
                    self.wfile.write(CONTENT[:1000])
                elif self.path == "/slow":
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(CONTENT[:1000])
                    self.wfile.flush()
                    time.sleep(30)
                else:
                    super().do_GET()

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.http.daemon_threads = True
        self.http.block_on_close = False
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str) -> Url:
        return Url(f"http://127.0.0.1:{self.http.server_port}/{path}")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "thing.bin").write_bytes(CONTENT)
    server = Server(folder)
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "here"


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch):
    """`add(*tried)` puts an asset called "thing" into the table for one test."""

    def _add(*tried: Url | WheelMember, **changes: object) -> Asset:
        thing = replace(Asset("thing.bin", SHA256, "CC0-1.0", tried, len(CONTENT)), **changes)
        monkeypatch.setitem(ASSETS, "thing", thing)
        return thing

    return _add


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        get("thing", [folder])
    message = str(caught.value)
    assert "\n" not in message
    return message


def assert_empty(folder: Path) -> None:
    assert list(folder.iterdir()) == []


# --- refusals


@pytest.mark.parametrize("ask", [get, is_available])
def test_an_unknown_name_lists_the_known_ones(ask) -> None:
    with pytest.raises(UserError, match="no asset is called 'rtmpose'; there are .*movenet-multipose"):
        ask("rtmpose")


def test_when_every_source_fails_one_line_names_each_and_the_place_to_put_it(server, folder, add) -> None:
    refused = Url(f"http://127.0.0.1:{closed_port()}/thing.bin")
    add(server.url("missing.bin"), refused)
    message = refusal(folder)
    assert f"{server.url('missing.bin')} (HTTP 404" in message
    assert f"{refused} ([Errno" in message and "refused" in message
    assert str(folder / "thing.bin") in message and SHA256 in message and f"{len(CONTENT):,} bytes" in message
    assert_empty(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "instead of 00000000"),
        ({"sha256": "0" * 8, "size_bytes": None}, "instead of 00000000"),
        ({"size_bytes": 7}, f"{len(CONTENT):,} bytes instead of 7"),
    ],
)
def test_other_contents_than_named_are_refused(server, folder, add, changes, reason) -> None:
    add(server.url("thing.bin"), **changes)
    assert reason in refusal(folder)
    assert_empty(folder)


def test_a_download_that_breaks_off_leaves_nothing(server, folder, add) -> None:
    add(server.url("cut"))
    assert f"1,000 bytes instead of {len(CONTENT):,}" in refusal(folder)
    assert_empty(folder)


def test_ctrl_c_in_a_download_leaves_nothing_and_exits_130(server, folder) -> None:
    program = (
        "from pathlib import Path; from app import assets; from app.errors import run; from app.sources import Url\n"
        f"source = Url({str(server.url('slow'))!r})\n"
        f"assets.ASSETS['thing'] = assets.Asset('thing.bin', {SHA256!r}, 'CC0-1.0', (source,))\n"
        f"run(lambda: assets.get('thing', [Path({str(folder)!r})]))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline_s = time.monotonic() + 20
    while not list(folder.glob(".fetch-*/thing.bin")) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert not (folder / "thing.bin").exists()
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=20) == 130
    assert child.stderr.read() == "stopped\n"
    assert_empty(folder)


def test_no_folder_to_write_to_is_a_refusal_that_names_them_all(tmp_path, server, add) -> None:
    (tmp_path / "file").write_text("not a folder")
    closed = [tmp_path / "file" / "a", tmp_path / "file" / "b"]
    add(server.url("thing.bin"))
    with pytest.raises(UserError, match="writable") as caught:
        get("thing", closed)
    assert all(str(folder) in str(caught.value) for folder in closed)
    assert server.requests == 0


def test_a_wheel_that_fails_is_named_beside_its_reason(folder, add, wheels) -> None:
    add(WheelMember("no-such-parcel==1.0", "thing.bin"), WheelMember("parcel==1.0", "elsewhere.bin"))
    message = refusal(folder)
    assert "the wheel no-such-parcel==1.0 (No matching distribution" in message
    assert "the wheel parcel==1.0 (" in message and "elsewhere.bin" in message
    assert_empty(folder)


# --- what arrives


def test_a_download_is_kept_and_the_second_call_asks_nobody(server, folder, add) -> None:
    add(server.url("thing.bin"))
    assert not is_available("thing", [folder])
    path = get("thing", [folder])
    assert path == folder / "thing.bin" and path.read_bytes() == CONTENT
    assert [entry.name for entry in folder.iterdir()] == ["thing.bin"]
    assert is_available("thing", [folder]) and get("thing", [folder]) == path
    assert server.requests == 1


def test_eight_digits_and_no_size_are_enough_to_verify(server, folder, add) -> None:
    add(server.url("thing.bin"), sha256=SHA256[:8], size_bytes=None)
    assert get("thing", [folder]).read_bytes() == CONTENT


def test_sources_are_tried_in_order(server, folder, add) -> None:
    (server.folder / "other.bin").write_bytes(CONTENT[::-1])
    add(server.url("missing.bin"), server.url("other.bin"), server.url("thing.bin"), server.url("thing.bin"))
    assert get("thing", [folder]).read_bytes() == CONTENT
    assert server.requests == 3


def test_a_file_put_there_by_hand_is_taken(folder, add) -> None:
    add(Url(f"http://127.0.0.1:{closed_port()}/thing.bin"))
    folder.mkdir(parents=True)
    (folder / "thing.bin").write_bytes(CONTENT)
    assert is_available("thing", [folder]) and get("thing", [folder]) == folder / "thing.bin"


@pytest.mark.parametrize("damaged", [CONTENT[:-1], CONTENT[:-1] + b"x"])
def test_a_damaged_copy_is_replaced_by_a_verified_one(server, folder, add, damaged) -> None:
    add(server.url("thing.bin"))
    get("thing", [folder]).write_bytes(damaged)
    assert not is_available("thing", [folder])
    assert get("thing", [folder]).read_bytes() == CONTENT


def test_a_damaged_copy_stays_and_is_named_when_nothing_replaces_it(server, folder, add) -> None:
    add(server.url("missing.bin"))
    folder.mkdir(parents=True)
    (folder / "thing.bin").write_bytes(b"other")
    assert f"{folder / 'thing.bin'} (5 bytes instead of" in refusal(folder)
    assert (folder / "thing.bin").read_bytes() == b"other"


def test_an_unwritable_folder_is_read_and_the_next_one_written(tmp_path, server, add) -> None:
    (tmp_path / "file").write_text("not a folder")
    closed, open_folder = tmp_path / "file" / "checkpoints", tmp_path / "cache"
    add(server.url("thing.bin"))
    assert get("thing", [closed, open_folder]) == open_folder / "thing.bin"
    assert get("thing", [tmp_path / "elsewhere", open_folder]) == open_folder / "thing.bin"
    assert server.requests == 1


def test_the_default_folders_are_the_checkout_and_the_users_cache(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    checkpoints, cache = assets.default_folders()
    assert checkpoints == ROOT / "checkpoints" and cache.parent == tmp_path
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert assets.default_folders()[1].parent == tmp_path / ".cache"


def _get_in_process(folder: Path, source: Url) -> bytes:
    ASSETS["thing"] = Asset("thing.bin", SHA256, "CC0-1.0", (source,), len(CONTENT))
    return get("thing", [folder]).read_bytes()


def test_processes_that_fetch_at_once_all_get_the_whole_file(server, folder) -> None:
    with ProcessPoolExecutor(4) as pool:
        results = list(pool.map(_get_in_process, [folder] * 8, [server.url("thing.bin")] * 8))
    assert results == [CONTENT] * 8
    assert [entry.name for entry in folder.iterdir()] == ["thing.bin"]


def test_the_wheel_is_the_second_source_where_the_address_fails(server, folder, add, wheels) -> None:
    add(server.url("missing.bin"), WheelMember("parcel==1.0", "parcel/thing.bin"))
    assert get("thing", [folder]).read_bytes() == CONTENT


# --- the table


def test_the_table_holds_what_the_programs_ask_for() -> None:
    assert set(ASSETS) >= {
        *("rtmdet-nano", "rtmpose-t", "rtmpose-s", "rtmpose-m", "rtmo-s", "movenet-multipose", "sample-clip")
    }
    assert len({asset.file for asset in ASSETS.values()}) == len(ASSETS)


@pytest.mark.parametrize("name", ASSETS)
def test_every_entry_can_be_verified_and_has_a_licence_and_a_source(name: str) -> None:
    asset = ASSETS[name]
    assert asset.licence and asset.sources and Path(asset.file).name == asset.file
    assert len(asset.sha256) in (8, 64) and set(asset.sha256) <= set("0123456789abcdef")
    assert len(asset.sha256) == 64 or f"-{asset.sha256}" in asset.file
    for source in asset.sources:
        if isinstance(source, Url):
            assert source.address.startswith("https://")
        else:
            assert "==" in source.requirement


@pytest.mark.parametrize("name", [name for name, asset in ASSETS.items() if asset.config])
def test_the_config_of_an_entry_is_packaged_with_mmpose(name: str) -> None:
    spec = importlib.util.find_spec("mmpose")
    if spec is None:
        pytest.skip("mmpose is not installed")
    assert (Path(spec.origin).parent / ".mim" / ASSETS[name].config).is_file()


# --- the command


def run_command(*arguments: str, cache: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "app.assets", *arguments]
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_the_command_refuses_an_unknown_name_in_one_line(tmp_path) -> None:
    done = run_command("nothing", cache=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: no asset is called 'nothing'") and done.stderr.count("\n") == 1


def test_the_command_lists_every_asset_with_its_licence(tmp_path) -> None:
    done = run_command(cache=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert rows.keys() == ASSETS.keys()
    assert all(ASSETS[name].licence in row for name, row in rows.items())
