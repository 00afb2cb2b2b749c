"""Clients that keep a connection busy by saying little: a line of the header, or a byte of the body, now and then."""

import contextlib
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["headers", "bodies"]
PAUSE = 2.0  # seconds between two parts that a slow client sends
BEGIN: dict[Kind, bytes] = {
    "headers": b"GET /health/ HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "bodies": (
        b"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\n"
    ),
}
MORE: dict[Kind, bytes] = {"headers": b"X-Slow: 1\r\n", "bodies": b"x"}


@dataclass
class SlowClients:
    """Holds ``count`` slow connections while it is entered; a connection that is closed is opened again."""

    host: str
    port: int
    count: int
    kind: Kind
    opened: int = 0
    _open: list[socket.socket] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "SlowClients":
        while len(self._open) < self.count:
            self._connect()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for client in self._open:
            client.close()

    def held(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    def _connect(self) -> None:
        client = socket.socket()
        if self.host == "127.0.0.1":
            # Many offices, not one: the proxy limits the connections of an address.
            with contextlib.suppress(OSError):  # systems that give the loopback interface one address only
                client.bind((f"127.0.1.{1 + self.opened % 100}", 0))
        client.settimeout(10)
        client.connect((self.host, self.port))
        client.sendall(BEGIN[self.kind])
        self.opened += 1
        self._open.append(client)

    def _go_on(self) -> None:
        while not self._stop.wait(PAUSE):
            with selectors.DefaultSelector() as answered:
                for client in self._open:
                    answered.register(client, selectors.EVENT_READ)
                closed = {key.fileobj for key, _mask in answered.select(0)}
            for client in list(self._open):
                try:
                    if client in closed:
                        raise OSError  # an answer (or the end) came: the server wants to be rid of it
                    client.sendall(MORE[self.kind])
                except OSError:
                    client.close()
                    self._open.remove(client)
            while len(self._open) < self.count and not self._stop.is_set():
                try:
                    self._connect()
                except OSError:
                    time.sleep(PAUSE)
                    break
