"""Reads files that came from outside, each in a child process that is killed when it takes too much.

``read(function, content, limits)`` calls a parser, a generator of JSON values in a module named ``parsing``, in a
child that has limits of processor time, memory and output, opens no file and no connection, and has none of the
secrets of this process. This process never parses such a file itself. What a child sends is not trusted: callers
check its form.
"""

import atexit
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

from survey.exceptions import FileRefused, Overloaded
from survey.sentences import Sentence
from survey.untrusted.messages import BUSY, DAMAGED, TOO_COMPLEX, TOO_SLOW
from survey.untrusted.protocol import (
    MEBIBYTE,
    FileRefusedError,
    Limits,
    TooLongError,
    decoded,
    encoded,
    receive,
    send,
)

logger = logging.getLogger(__name__)
type Parser = Callable[..., Iterator[Any]]

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE, WAITING, WAIT_SECONDS = 2, 1, 3  # per process: the other threads of a web process serve other pages
GRACE_SECONDS = 5  # the child is killed before this process stops waiting for it
# The allocator and the threads of pyarrow would reserve more addresses than a child may have.
ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONUTF8": "1",
    "PYTHONWARNINGS": "ignore",
    "PYTHONDONTWRITEBYTECODE": "1",
}
DEFAULT = Limits(processor_seconds=10, seconds=30, memory=256 * MEBIBYTE, output=16 * MEBIBYTE)


class Server:
    """The process that forks the children of this process; started at its first use, and again when it has died."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._running = BoundedSemaphore(AT_ONCE)
        self._queued = BoundedSemaphore(AT_ONCE + WAITING)

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the places for files that are read at the same time. Raises Overloaded."""
        if not self._queued.acquire(blocking=False):
            raise Overloaded(BUSY(), retry_after=WAIT_SECONDS)
        try:
            if not self._running.acquire(timeout=WAIT_SECONDS):
                raise Overloaded(BUSY(), retry_after=WAIT_SECONDS)
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._queued.release()

    def start(self) -> socket.socket:
        """The socket of the running process."""
        with self._lock:
            if self._control is None or self._process is None or self._process.poll() is not None:
                self._stop()
                self._control, child_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "survey.untrusted.server"],
                    stdin=child_end.fileno(),
                    stdout=subprocess.DEVNULL,
                    cwd=ROOT,
                    env=ENVIRONMENT,
                    start_new_session=True,
                )
                child_end.close()
            return self._control

    def stop(self) -> None:
        """End the process and its children."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None

    def request(self, parser: Parser, limits: Limits, connection: socket.socket, status: int) -> None:
        """Have a child forked. Raises OSError when the process does not live."""
        message = encoded({"function": f"{parser.__module__}:{parser.__qualname__}"} | asdict(limits))
        for attempt in (1, 2):
            try:
                socket.send_fds(self.start(), [message], [connection.fileno(), status])
                return
            except OSError:
                if attempt == 2:
                    raise


_server = Server()


def _replace_server() -> None:
    """In a fork of this process: the server belongs to the parent."""
    global _server
    _server = Server()


def _stop() -> None:
    _server.stop()


os.register_at_fork(after_in_child=_replace_server)
atexit.register(_stop)


def start() -> None:
    """Start the server of this process, so that the first file does not wait for it."""
    _server.start()


def read(parser: Parser, content: bytes, limits: Limits = DEFAULT, **parameters: Any) -> Generator[Any]:
    """The values that ``parser(content, **parameters)`` yields in a child process.

    Raises FileRefusedError as the parser did; FileRefused when the child exceeded its limits or failed; Overloaded
    when too many files are being read.
    """
    with _server.place():
        parent_end, child_end = socket.socketpair()
        status, their_status = os.pipe()
        try:
            parent_end.settimeout(limits.seconds + GRACE_SECONDS)
            try:
                _server.request(parser, limits, child_end, their_status)
            finally:
                child_end.close()
                os.close(their_status)
            with suppress(BrokenPipeError, ConnectionResetError):  # the end of the child says why
                send(parent_end, encoded(parameters))
                send(parent_end, content)
            yield from _values(parent_end, status, limits)
        finally:
            parent_end.close()
            os.close(status)


def read_value(parser: Parser, content: bytes, limits: Limits = DEFAULT, **parameters: Any) -> Any:
    """The one value of a parser; raises as ``read``."""
    values = list(read(parser, content, limits, **parameters))
    if len(values) != 1:
        raise FileRefused(DAMAGED())
    return values[0]


def _values(connection: socket.socket, status: int, limits: Limits) -> Iterator[Any]:
    left = limits.output
    while True:
        try:
            content = receive(connection, left)
            document = decoded(content)
        except TooLongError:
            raise FileRefused(TOO_COMPLEX()) from None
        except TimeoutError:
            raise FileRefused(TOO_SLOW()) from None
        except (EOFError, ConnectionError):
            raise FileRefused(_reason(status)) from None
        except ValueError:
            raise FileRefused(DAMAGED()) from None
        left -= len(content)
        if not isinstance(document, dict):
            raise FileRefused(DAMAGED())
        if "end" in document:
            return
        if "value" not in document:
            raise _refusal(document)
        yield document["value"]


def _refusal(document: dict[str, Any]) -> Exception:
    """The exception of a document that ends the file."""
    code, parameters = document.get("refused"), document.get("parameters")
    if isinstance(code, str) and isinstance(parameters, dict):
        return FileRefusedError(code, **{str(name): value for name, value in parameters.items()})
    logger.info("a file was not read: %s", str(document)[:400])
    return FileRefused(TOO_COMPLEX() if document.get("failed") == "memory" else DAMAGED())


def _reason(status: int) -> Sentence:
    """Why a child ended before it had sent everything."""
    ready, _write, _error = select.select([status], [], [], GRACE_SECONDS)
    try:
        ended = json.loads(os.read(status, 4096)) if ready else {}
    except ValueError:  # the server has died, too
        ended = {}
    number = ended.get("signal", 0)
    logger.info("the child that read a file ended with signal %s", number)
    if ended.get("late") or number in (signal.SIGXCPU, signal.SIGALRM):
        return TOO_SLOW()
    # SIGKILL: the machine had no memory left; SIGABRT: a library in C could not get memory.
    return TOO_COMPLEX() if number in (signal.SIGKILL, signal.SIGABRT) else DAMAGED()
