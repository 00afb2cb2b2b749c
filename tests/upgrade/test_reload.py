"""``config.web.reload`` replaces web processes while people ask them: no request fails, a broken program changes nothing."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import psutil
import pytest

from config.web.pools import pools
from config.web.reload import ReloadError, reload, successor_of
from tests.architecture.source import ROOT
from tests.drills.system import wait_for
from tests.upgrade.hosts import Visitor, WebHost

pytestmark = pytest.mark.slow
PROGRAM = ("config", "survey", "estimation", "templates", "pyproject.toml")
# Pools, hooks and settings are the true ones; pages, which take long to load, are tried by python -m tests.upgrade.
PAGES = """
import django

django.setup()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
"""


@pytest.fixture
def host() -> Iterator[WebHost]:
    """Three releases; the third is broken."""
    with tempfile.TemporaryDirectory(prefix="upgrade-") as name:  # paths of sockets are short
        folder = Path(name)
        for release in ("1", "2", "3"):
            (folder / release).mkdir()
            (folder / release / ".venv").symlink_to(sys.prefix)
            for part in PROGRAM:
                (folder / release / part).symlink_to(ROOT / part)
            (folder / release / "pages.py").write_text(PAGES)
        (folder / "3" / "pages.py").write_text("raise RuntimeError")
        releases = {release: folder / release for release in ("1", "2", "3")}
        host = WebHost(folder / "host", releases, os.environ, "pages:application")
        try:
            host.wait()
            yield host
        finally:
            host.stop()


def test_no_request_fails_while_a_release_replaces_another(
    host: WebHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = Event()
    visitors = [Visitor(path, stop) for path in host.sockets]
    assert len(visitors) == len(pools()) == 3
    for visitor in visitors:
        visitor.start()
    assert host.running() == {"1"}
    host.switch("3")
    with pytest.raises(ReloadError, match="ended while it started"):
        reload(host.master)
    assert successor_of(psutil.Process(host.master)) is None
    assert host.running() == {"1"}
    host.switch("2")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:  # in the place of systemd
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        former, host.master = host.master, reload(host.master)
        assert manager.recv(100) == f"MAINPID={host.master}".encode()
    assert former != host.master
    assert host.running() == {"2"}
    asked = [visitor.answered for visitor in visitors]
    wait_for(lambda: all(v.answered > n + 5 for v, n in zip(visitors, asked, strict=True)), "no answers")
    assert [visitor.failures for visitor in visitors] == [[], [], []]
    # The plant: a host that is stopped refuses, and the visitors notice.
    os.kill(host.master, 15)
    wait_for(lambda: all(visitor.failures for visitor in visitors), "nothing failed")
    stop.set()


def test_reload_says_what_is_wrong() -> None:
    command = [sys.executable, "-m", "config.web.reload"]
    for arguments, code, text in (([], 2, "PID"), (["4194300"], 1, "no process 4194300")):
        done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, text in done.stderr) == (code, True)
