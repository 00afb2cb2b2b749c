"""Many people who sign in at the same moment, as their browsers do. Knows HTTP and nothing else."""

import http.client
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

TOKEN = "d" * 32  # CSRF: cookie and header agree


@dataclass(slots=True)
class SignIn:
    """How long one person needed from the first attempt to the session, and how often the page asked to try again."""

    seconds: float = 0.0
    retries: int = 0
    done: bool = False
    status: int = 0


def sign_in_together(
    host: str, port: int, accounts: Sequence[str], password: str, patience: float
) -> list[SignIn]:
    """Sign all accounts in at the same time; each tries again as the page asks, for at most ``patience`` seconds."""
    with ThreadPoolExecutor(len(accounts)) as pool:
        return list(pool.map(lambda account: _sign_in(host, port, account, password, patience), accounts))


def _sign_in(host: str, port: int, account: str, password: str, patience: float) -> SignIn:
    result, began = SignIn(), time.monotonic()
    body = urlencode({"username": account, "password": password})
    headers = {
        "Cookie": f"csrftoken={TOKEN}",
        "X-CSRFToken": TOKEN,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    while time.monotonic() - began < patience:
        connection = http.client.HTTPConnection(host, port, timeout=60)
        pause = 1.0
        try:
            connection.request("POST", "/sign-in/", body, headers)
            answer = connection.getresponse()
            answer.read()
            result.status = answer.status
            pause = float(answer.headers.get("Retry-After") or 1)
        except (OSError, http.client.HTTPException):
            result.status = 0
        finally:
            connection.close()
        result.seconds = time.monotonic() - began
        if result.status not in {0, 503}:
            result.done = result.status == 302
            break
        result.retries += 1
        time.sleep(pause * random.uniform(0.5, 1.5))
    return result
