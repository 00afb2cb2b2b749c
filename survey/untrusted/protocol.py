"""What a process and its parsing children send each other: JSON documents, each after its length. Pure.

JSON and never pickle: the parser of an untrusted file may have been taken over, so its output is not trusted.
"""

import json
import socket
import struct
from dataclasses import dataclass
from typing import Any

_LENGTH = struct.Struct(">I")
MEBIBYTE = 1024 * 1024


class FileRefusedError(Exception):
    """A parser cannot read the file; ``code`` names the sentence of its caller."""

    def __init__(self, code: str, **parameters: Any) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use for one file: seconds of processor time and in total, and bytes."""

    processor_seconds: int
    seconds: int
    memory: int  # in addition to what the process has before it reads the file
    output: int


class TooLongError(Exception):
    """A document is longer than allowed."""


def send(connection: socket.socket, content: bytes) -> None:
    """Send bytes after their length."""
    connection.sendall(_LENGTH.pack(len(content)))
    connection.sendall(content)


def receive(connection: socket.socket, most: int) -> bytes:
    """The next bytes. Raises EOFError at the end, TooLongError when they are more than ``most``."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > most:
        raise TooLongError
    return _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    content = bytearray()
    while len(content) < length:
        part = connection.recv(min(length - len(content), MEBIBYTE))
        if not part:
            raise EOFError
        content += part
    return bytes(content)


def encoded(document: Any) -> bytes:
    """A document as JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


def decoded(content: bytes) -> Any:
    """The document of JSON. Raises ValueError, also for one that is nested too deeply."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
