"""People at the proxy: browsers over HTTPS that sign in and repeat what was not answered, as the pages do."""

import base64
import hmac
import http.client
import socket
import ssl
import threading
import time
from typing import Any
from urllib.parse import urlencode

from tests.drills.people import TOKEN, Client
from tests.hosts.data import PASSWORD

SECONDS = 20  # without an answer, then a browser tries again


def code_of(secret: str, step: int) -> str:
    """What an authenticator shows (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8), "sha1")
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF
    return f"{number % 10**6:06}"


class Connection(http.client.HTTPSConnection):
    """Connects to the proxy's address under the name of the site, whose certificate it checks."""

    def __init__(self, name: str, address: str, context: ssl.SSLContext) -> None:
        super().__init__(name, 443, timeout=SECONDS, context=context)
        self.address, self.checked = address, context

    def connect(self) -> None:
        """Called by ``request``."""
        plain = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = self.checked.wrap_socket(plain, server_hostname=self.host)


class Browser(Client):
    """One person's browser. ``longest`` is the longest time between a first attempt and its answer."""

    def __init__(self, name: str, address: str, certificate: str, stop: threading.Event) -> None:
        super().__init__(443, "", stop)
        self.name, self.address = name, address
        self.context = ssl.create_default_context(cafile=certificate)
        self.longest = 0.0
        self.body = b""

    def _send(self, path: str, body: str, script: bool) -> tuple[int, dict[str, str]]:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": TOKEN}
        return self._ask("POST", path, body, headers | ({"HX-Request": "true"} if script else {}))

    def _ask(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str]]:
        connection = Connection(self.name, self.address, self.context)
        cookies = f"__Host-csrftoken={TOKEN}" + (f"; __Host-sessionid={self.session}" if self.session else "")
        headers = {**headers, "Cookie": cookies, "Origin": f"https://{self.name}", "Accept-Language": "zh"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            self.body = answer.read()
        except (OSError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = cookie.partition("=")
            if name == "__Host-sessionid":
                self.session = rest.partition(";")[0]
        return answer.status, dict(answer.headers)

    def post(self, path: str, fields: dict[str, Any], *, script: bool = False) -> tuple[int, dict[str, str]]:
        """Status and headers of the first answer that is no outage."""
        began = time.monotonic()
        response = super().post(path, fields, script=script)
        self.longest = max(self.longest, time.monotonic() - began)
        return response

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a page; the last attempt's."""
        began, status = time.monotonic(), 0
        while not self.stop.is_set():
            status, _headers = self._ask("GET", path, None, {})
            if status and status < 500 and status != 429:
                break
            self.repeats += 1
            time.sleep(0.5)
        self.longest = max(self.longest, time.monotonic() - began)
        return status, self.body

    def act(self, path: str, **fields: Any) -> str:
        """Send a form that must be accepted; where it leads. Raises RuntimeError with the page that refuses."""
        status, headers = self.post(path, fields)
        if status != 302:
            raise RuntimeError(f"{path}: {status} {urlencode(fields)[:200]}\n{self.body.decode()[-6000:]}")
        return headers["Location"]

    def sign_in(self, known: dict[str, Any]) -> "Browser":
        """Account and password, and the code of the authenticator of those who have one."""
        self.act("/sign-in/", username=known["username"], password=PASSWORD)
        if "secret" in known:
            self.act("/second-factor/", code=code_of(known["secret"], int(time.time()) // 30))
        return self
