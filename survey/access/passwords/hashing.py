"""Passwords are hashed in one process beside each web process, with low priority and one after the other.

Hashing is meant to be costly. When hundreds of people sign in at the same time, their hashes would take the
processors from everybody who is filling a form; here they wait in a short queue instead. A request that finds the
queue full, or waits too long, is refused with ``QueueFull`` and can be repeated.

A hash is computed by as many threads as it has lanes (eight), and each of them counts as a competitor: a little
politeness is not enough. All of them share one processor, with a low priority.

Run as a program, this module is that process: a request in a line of JSON on standard input, its answer on standard
output. It ends with the web process, whose end closes its standard input.
"""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

NICENESS = 15
# The C library keeps the memory of a hash (100 MB) for the next one. Asking the system for it anew, page by page, takes
# half as long as the hash itself. Other C libraries do not read these variables.
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**28)}
REFUSED_PERIOD = 30.0  # seconds; who was refused in them is expected to come again
SHORTEST_WAIT, LONGEST_WAIT = 5, 60  # seconds that a refused request is asked to wait
ROOT = Path(__file__).resolve().parents[3]


class QueueFull(Exception):
    """Too many passwords are waiting to be hashed; ``seconds`` says after how long another attempt makes sense."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class HashingError(Exception):
    """The process could not do what was asked."""


class HashingProcess:
    """The process beside this one, started at its first use and again after it has died.

    ``slots`` requests may be in work or waiting, each for at most ``seconds``.
    """

    def __init__(self, slots: int, seconds: float) -> None:
        self.seconds = seconds
        self._slots = BoundedSemaphore(slots)
        self._refused: deque[float] = deque(maxlen=1000)
        self._duration = 0.2  # seconds that a request takes, as a moving average
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, **request: Any) -> Any:
        """The answer to one request. Raises QueueFull and HashingError."""
        if not self._slots.acquire(blocking=False):
            raise self._full()
        try:
            if not self._lock.acquire(timeout=self.seconds):
                raise self._full()
            began = time.monotonic()
            try:
                return self._exchange(request)
            finally:
                self._duration += 0.1 * (time.monotonic() - began - self._duration)
                self._lock.release()
        finally:
            self._slots.release()

    def check(self) -> None:
        """Raise QueueFull when a request would be refused now, before anything else is done for it."""
        if not self._slots.acquire(blocking=False):
            raise self._full()
        self._slots.release()

    def _full(self) -> QueueFull:
        """The refusal; the more requests were refused, the later they should come again."""
        now = time.monotonic()
        self._refused.append(now)
        waiting = sum(moment > now - REFUSED_PERIOD for moment in self._refused)
        return QueueFull(int(min(LONGEST_WAIT, max(SHORTEST_WAIT, waiting * self._duration))))

    def stop(self) -> None:
        """End the process; the next request starts a new one."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # what it holds for the dead process cannot be written
                        pipe.close()

    def _exchange(self, request: dict[str, Any]) -> Any:
        for attempt in (1, 2):
            try:
                answer = self._send(self._running(), request)
            except OSError:
                self.stop()
                if attempt == 2:
                    raise HashingError("the process for passwords does not stay alive") from None
                continue
            if "error" in answer:
                raise HashingError(answer["error"])
            return answer["result"]
        raise AssertionError("unreachable")

    def _running(self) -> subprocess.Popen[bytes]:
        """The process, started unless it runs. One that was inherited by a fork belongs to the parent."""
        process = self._process
        if process is None or process.poll() is not None or self._owner != os.getpid():
            self.stop()
            program = [sys.executable, "-m", __name__]
            process = subprocess.Popen(  # noqa: S603 this module, no user input
                program,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                env=os.environ | KEPT_MEMORY,
            )
            self._process, self._owner = process, os.getpid()
        return process

    def _send(self, process: subprocess.Popen[bytes], request: dict[str, Any]) -> Any:
        """One request and its answer. Raises OSError when the process has died or does not answer."""
        if process.stdin is None or process.stdout is None:
            raise OSError("the process has no pipes")
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        line, end = b"", time.monotonic() + 60
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise OSError("no answer")
                part = os.read(process.stdout.fileno(), 65_536)
                if not part:
                    raise OSError("the process has ended")
                line += part
        return json.loads(line)


def _answer(request: dict[str, Any]) -> Any:
    """Do what a request asks, in the process."""
    from argon2 import low_level
    from argon2.exceptions import InvalidHashError, VerificationError

    password = request["password"].encode(errors="surrogatepass")
    if request["act"] == "verify":
        kind = low_level.Type[request["type"]]
        try:
            return low_level.verify_secret(request["encoded"].encode(), password, kind)
        except (VerificationError, InvalidHashError):
            return False
    return low_level.hash_secret(
        password,
        request["salt"].encode(),
        time_cost=request["time_cost"],
        memory_cost=request["memory_cost"],
        parallelism=request["parallelism"],
        hash_len=request["hash_len"],
        type=low_level.Type[request["type"]],
    ).decode()


def serve() -> None:
    """Answer requests until standard input ends."""
    os.nice(NICENESS)
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for line in sys.stdin:
        try:
            answer = {"result": _answer(json.loads(line))}
        except Exception as error:  # whatever it was, the other process hears about it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve()
