"""Rows that are really committed, so that other connections and other processes see them."""

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

from survey.jobs import kinds
from survey.jobs.models import Job


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """No transaction around the test; its jobs are deleted afterwards."""
    with django_db_blocker.unblock():
        yield
        Job.objects.all().delete()
        connection.close()


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Registers a kind for one test."""

    def add(name: str, do: Callable[[Any], None], **options: Any) -> None:
        monkeypatch.setitem(kinds._KINDS, name, kinds.Kind(do, **options))

    return add


CHILD = """
import os, time
import django
django.setup()
from survey.jobs import kinds, services

def hang(work):
    work.file().write_text("half")
    time.sleep(60)

kinds.register("hang", hang, lease=1, attempts=3)
kinds.register("crash", lambda work: os._exit(9), lease=1, attempts=3)
services.run({job})
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[[int], "subprocess.Popen[bytes]"]]:
    """Starts a process that does one job, in the database of this test."""
    begun: list[subprocess.Popen[bytes]] = []
    address = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"

    def start(job: int) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "DATABASE_URL": address, "JOB_FOLDER": str(tmp_path)}
        begun.append(subprocess.Popen([sys.executable, "-c", CHILD.format(job=job)], env=environment))
        return begun[-1]

    yield start
    for one in begun:
        if one.poll() is None:
            one.send_signal(signal.SIGKILL)
        one.wait()


def wait_until(what: Callable[[], Any]) -> None:
    """Wait for a true value. Raises TimeoutError after a minute."""
    end = time.monotonic() + 60
    while not what():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)
