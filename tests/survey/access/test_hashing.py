"""Hashing beside the web process: same results, a short queue, a process that may die."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.test import Client
from django.urls import reverse

from survey.access.models import AttemptCounter, User
from survey.access.passwords import hashers
from survey.access.passwords.hashing import NICENESS, HashingProcess, QueueFull
from tests.factories import World, make_unit, make_user

PASSWORD = "Rehearsal-2026-ok"
COSTS = {"time_cost": 1, "memory_cost": 1024, "parallelism": 1, "hash_len": 32, "type": "ID"}
SLOW = {**COSTS, "time_cost": 40, "memory_cost": 65_536}


@pytest.fixture
def process() -> Iterator[HashingProcess]:
    process = HashingProcess(slots=2, seconds=0.2)
    yield process
    process.stop()


@pytest.fixture
def in_web_process(settings: Any) -> Iterator[HashingProcess]:
    settings.PASSWORD_HASHERS = ["survey.access.passwords.hashers.QueuedArgon2PasswordHasher"]
    settings.PASSWORD_PROCESS = True
    hashers.hashing_process.cache_clear()
    yield hashers.hashing_process()
    hashers.hashing_process().stop()
    hashers.hashing_process.cache_clear()


def encode(process: HashingProcess, **costs: Any) -> Any:
    return process.ask(act="encode", password="p", salt="saltsalt", **{**COSTS, **costs})


def test_hashes_are_those_of_django(in_web_process: HashingProcess) -> None:
    ours = Argon2PasswordHasher().encode("口令-2031", "saltsaltsaltsaltsaltsa")
    assert hashers.QueuedArgon2PasswordHasher().encode("口令-2031", "saltsaltsaltsaltsaltsa") == ours
    assert check_password("口令-2031", make_password("口令-2031"))
    assert check_password("口令-2031", ours) and not check_password("口令-2032", ours)
    assert not check_password("\ud800", ours)


def test_the_process_has_a_low_priority_and_ends_with_its_parent(process: HashingProcess) -> None:
    encode(process)
    child: Any = process._process
    assert os.getpriority(os.PRIO_PROCESS, child.pid) == min(
        19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS
    )
    assert len(os.sched_getaffinity(child.pid)) == 1  # the threads of a hash share a processor
    child.stdin.close()  # what the end of this process does
    assert child.wait(10) == 0


def test_the_memory_of_a_hash_is_kept_for_the_next_one(process: HashingProcess) -> None:
    pages = {**COSTS, "memory_cost": 65_536}
    for _first in range(2):
        encode(process, **pages)
    child = psutil.Process(process._process.pid)  # type: ignore[union-attr]  # started by the line above
    before = faults(child)
    for _number in range(4):
        encode(process, **pages)
    assert faults(child) - before < 65_536 / 4 / 2  # four hashes ask for less than half the pages of one


def faults(process: psutil.Process) -> int:
    """Pages that the system has given the process so far (minflt of proc(5))."""
    after_name = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[7])


def test_a_process_that_was_killed_is_started_again(process: HashingProcess) -> None:
    first = encode(process)
    pid = process._process.pid  # type: ignore[union-attr]  # started by the line above
    os.kill(pid, signal.SIGKILL)
    assert encode(process) == first and process._process.pid != pid  # type: ignore[union-attr]  # started again


def test_a_full_queue_refuses_at_once_and_a_waiting_request_after_a_while(process: HashingProcess) -> None:
    encode(process)
    with ThreadPoolExecutor(3) as pool:
        working = pool.submit(encode, process, **SLOW)
        time.sleep(0.05)
        waiting = pool.submit(encode, process)
        time.sleep(0.05)
        began = time.monotonic()
        with pytest.raises(QueueFull):
            encode(process)
        assert time.monotonic() - began < 0.1
        with pytest.raises(QueueFull):
            waiting.result()
        assert working.result().startswith("$argon2id$")
    encode(process)


def test_a_full_queue_is_a_page_that_asks_for_another_attempt(
    client: Client, world: World, in_web_process: HashingProcess
) -> None:
    make_user("respondent", unit=make_unit(), username="filler-one", password=PASSWORD)
    form = {"username": "filler-one", "password": PASSWORD, "next": "/notice/"}
    taken = [in_web_process._slots.acquire(blocking=False) for _slot in range(2)]
    assert taken == [True, True]
    refused = client.post(reverse("sign_in"), form)
    assert refused.status_code == 503 and refused.headers["Retry-After"] == "5"
    assert f'href="{reverse("sign_in")}?next=%2Fnotice%2F"' in refused.content.decode()
    assert not AttemptCounter.objects.exists()
    in_web_process._slots.release()
    assert client.post(reverse("sign_in"), form)["Location"] == "/notice/"
    assert User.objects.get(username="filler-one").last_login


def test_the_more_are_refused_the_later_they_come_again(process: HashingProcess) -> None:
    for _place in range(2):
        process._slots.acquire()
    waits = []
    for _attempt in range(400):
        with pytest.raises(QueueFull) as refused:
            process.check()
        waits.append(refused.value.seconds)
    assert waits[0] == 5 and waits == sorted(waits) and waits[-1] == 60


def test_only_web_processes_have_one(settings: Any) -> None:
    program = Path("config/wsgi.py").read_text(encoding="utf-8")
    assert not settings.PASSWORD_PROCESS and 'os.environ["WEB_PROCESS"] = "1"' in program
