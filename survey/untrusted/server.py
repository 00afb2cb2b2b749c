"""Forks a child with limits for every untrusted file.

``python -m survey.untrusted.server`` is started by ``survey.untrusted.reading`` beside a process that reads files. It
has loaded the parsers, so that a fork costs milliseconds and not the half second of a new Python. It gets requests
on standard input, a Unix socket, each with two file descriptors: the connection on which the child receives the file
and sends what it has read, and a pipe on which this process says how the child ended. It ends when the socket is
closed. It has neither the environment nor the open files of the process that started it.
"""

import gc
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

from survey.untrusted.protocol import MEBIBYTE, FileRefusedError, encoded, receive, send

NICENESS = 10
PARSERS = ("survey.spreadsheets.parsing", "openpyxl")  # a child opens no file, so it cannot load a module
LARGEST_FILE = 64 * MEBIBYTE
LONGEST_REQUEST = 4096


@dataclass(slots=True)
class Child:
    """A running child: its process, the pipe for its end, and when it is killed."""

    pid: int
    handle: int  # a file descriptor of the process, ready when it has ended
    status: int
    deadline: float
    late: bool = False


def serve(control: socket.socket) -> None:
    """Fork children until the socket is closed; then kill those that still run."""
    children: dict[int, Child] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            deadlines = [child.deadline for child in children.values() if not child.late]
            next_deadline = min(deadlines, default=None)
            wait = None if next_deadline is None else max(0.0, next_deadline - time.monotonic())
            for key, _events in selector.select(wait):
                if key.fileobj is control:
                    child = _accept(control, selector, children)
                    if child is None:
                        _kill_all(children)
                        return
                    children[child.handle] = child
                    selector.register(child.handle, selectors.EVENT_READ)
                else:
                    child = children.pop(key.fd)
                    selector.unregister(child.handle)
                    _report(child)
            _kill_late(children)


def _accept(
    control: socket.socket, selector: selectors.BaseSelector, children: dict[int, Child]
) -> Child | None:
    """Fork the child of the next request; None at the end."""
    message, descriptors, _flags, _address = socket.recv_fds(control, LONGEST_REQUEST, 2)
    if not message:
        return None
    request = json.loads(message)
    connection, status = descriptors
    function = _function(request["function"])
    pid = os.fork()
    if pid == 0:
        selector.close()
        for descriptor in [
            control.fileno(),
            status,
            *(part for child in children.values() for part in (child.handle, child.status)),
        ]:
            os.close(descriptor)
        _work(function, connection, request)
    os.close(connection)
    return Child(pid, os.pidfd_open(pid), status, time.monotonic() + request["seconds"])


def _function(name: str) -> Callable[..., Iterator[Any]]:
    """The parser of a dotted name; loaded before the fork, so that the next file finds it loaded."""
    module, _colon, function = name.partition(":")
    loaded: Callable[..., Iterator[Any]] = getattr(importlib.import_module(module), function)
    gc.freeze()  # children do not copy pages only because the collector visits them
    return loaded


def _report(child: Child) -> None:
    """Collect an ended child and say how it ended."""
    _pid, status = os.waitpid(child.pid, 0)
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    with suppress(OSError):  # nobody waits for it any longer
        os.write(child.status, encoded({"signal": number, "late": child.late}))
    os.close(child.status)
    os.close(child.handle)


def _kill_late(children: dict[int, Child]) -> None:
    for child in children.values():
        if not child.late and child.deadline <= time.monotonic():
            child.late = True
            signal.pidfd_send_signal(child.handle, signal.SIGKILL)


def _kill_all(children: dict[int, Child]) -> None:
    for child in children.values():
        signal.pidfd_send_signal(child.handle, signal.SIGKILL)
        _report(child)


# ---- In the child --------------------------------------------------------------------------------------


def _work(function: Callable[..., Iterator[Any]], descriptor: int, request: dict[str, Any]) -> NoReturn:
    """Receive the file, send what the parser yields, and end."""
    connection = socket.socket(fileno=descriptor)
    try:
        _limit(request)
        parameters = json.loads(receive(connection, LARGEST_FILE))
        content = receive(connection, LARGEST_FILE)
        for document in function(content, **parameters):
            send(connection, encoded({"value": document}))
        send(connection, encoded({"end": True}))
    except FileRefusedError as refusal:
        send(connection, encoded({"refused": refusal.code, "parameters": refusal.parameters}))
    except (MemoryError, RecursionError):
        send(connection, b'{"failed":"memory"}')
    except BrokenPipeError:
        os._exit(1)
    except BaseException as error:  # parsers raise errors of many types for damaged files
        send(connection, encoded({"failed": "damaged", "error": f"{type(error).__name__}: {error}"[:300]}))
    os._exit(0)


def _limit(request: dict[str, Any]) -> None:
    """Set the limits of this process. Without a further descriptor it opens no file and no connection."""
    processor = request["processor_seconds"]
    memory = _virtual_size() + request["memory"]
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # the first process that a machine without memory kills
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, request["seconds"])  # also when the server is gone
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor + 1))  # SIGXCPU, then SIGKILL
    for name, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(name, (limit, limit))


def _virtual_size() -> int:
    with open("/proc/self/statm") as sizes:
        return int(sizes.read().split()[0]) * resource.getpagesize()


def _load() -> None:
    """Load the parsers of spreadsheets and, for other readers of workbooks, openpyxl."""
    for name in PARSERS:
        importlib.import_module(name)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def main() -> None:
    """Serve the socket on standard input."""
    os.nice(NICENESS)
    signal.signal(signal.SIGTERM, _end)
    control = socket.socket(fileno=os.dup(0))
    _load()
    serve(control)


if __name__ == "__main__":
    main()
