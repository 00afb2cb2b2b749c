"""Parsers that misbehave, for the tests of the children that read files."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

from survey.untrusted.protocol import FileRefusedError


def length(content: bytes, **parameters: Any) -> Iterator[Any]:
    yield {"length": len(content), **parameters}


def count(content: bytes, numbers: int) -> Iterator[Any]:
    yield from range(numbers)


def loop(content: bytes) -> Iterator[Any]:
    while True:
        pass
    yield


def sleep(content: bytes) -> Iterator[Any]:
    time.sleep(600)
    yield


def allocate(content: bytes, size: int) -> Iterator[Any]:
    yield len(bytearray(size))


def endless(content: bytes) -> Iterator[Any]:
    while True:
        yield "x" * 100_000


def refuse(content: bytes) -> Iterator[Any]:
    raise FileRefusedError("too_many_rows", limit=3)
    yield


def fail(content: bytes) -> Iterator[Any]:
    raise ZeroDivisionError
    yield


def end_by_signal(content: bytes, number: int) -> Iterator[Any]:
    os.kill(os.getpid(), number)
    time.sleep(600)
    yield


def facts(content: bytes) -> Iterator[Any]:
    """What this process has and can reach."""
    answers: dict[str, Any] = {"environment": sorted(os.environ), "nice": os.nice(0), "pid": os.getpid()}
    answers["session"] = os.getsid(0)
    for name, act in (
        ("file", lambda: open("/etc/passwd")),  # noqa: SIM115 the process ends at once
        ("connection", lambda: socket.socket()),
        ("program", lambda: os.pipe()),
    ):
        try:
            act()
            answers[name] = True
        except OSError:
            answers[name] = False
    open_files = []
    for number in range(3, 64):
        try:
            os.fstat(number)
            open_files.append(number)
        except OSError:
            continue
    answers["open"] = open_files
    answers["alarm"] = signal.getitimer(signal.ITIMER_REAL)[0]
    yield answers
