"""Fixtures with committed rows, which other connections and processes can see."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils.translation import gettext_lazy

from survey.jobs import kinds


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """Run the test without a transaction; its rows are deleted afterwards."""
    yield
    connection.close()


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Registers a kind for one test."""

    def add(name: str, do: Callable[[Any], None], **options: Any) -> None:
        monkeypatch.setitem(kinds._KINDS, name, kinds.Kind(do, gettext_lazy("Kind of a test"), **options))

    return add


CHILD = """
import io, os, time
import django
from django.utils.translation import gettext_lazy
django.setup()
from survey.jobs import kinds, services

def hang(work):
    work.keep(io.BytesIO(b"half"))
    time.sleep(60)

def finish(work):
    work.keep(io.BytesIO(b"half"))
    while not os.path.exists(os.path.join(os.environ["JOB_FOLDER"], "go")):
        time.sleep(0.05)
    with work.store():
        services.enqueue("result", send=False)

label = gettext_lazy("Kind of a test")
kinds.register("finish", finish, label=label, lease=1)
kinds.register("hang", hang, label=label, lease=1, attempts=3)
kinds.register("crash", lambda work: os._exit(9), label=label, lease=1, attempts=3)
services.run({job})
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[[int], "subprocess.Popen[bytes]"]]:
    """Start a process that runs one job in the database of this test."""
    processes: list[subprocess.Popen[bytes]] = []
    address = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"

    def start(job: int) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "DATABASE_URL": address, "JOB_FOLDER": str(tmp_path)}
        processes.append(subprocess.Popen([sys.executable, "-c", CHILD.format(job=job)], env=environment))
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def wait_until(what: Callable[[], Any]) -> None:
    """Wait for a true value. Raises TimeoutError after a minute."""
    end = time.monotonic() + 60
    while not what():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)
