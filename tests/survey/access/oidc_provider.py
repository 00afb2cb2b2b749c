"""A provider of OpenID Connect in a process of its own: ``python -m tests.survey.access.oidc_provider PORT``.

Discovery, keys, codes and tokens are those of the package; this adds what it does not check, the proof key (PKCE).
"""

import base64
import hashlib
import io
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit
from wsgiref.simple_server import make_server

from oidc_provider_mock import app

CHALLENGES: dict[str, str] = {}


def first(query: str, name: str) -> str:
    """The first value of a parameter, or an empty string."""
    return parse_qs(query).get(name, [""])[0]


class WithProofKey:
    """Keeps the challenge of every code that is given, and asks for its verifier when the code is exchanged."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """One request."""
        query = environ.get("QUERY_STRING", "")

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            code = first(urlsplit(dict(headers).get("Location", "")).query, "code")
            if code and first(query, "code_challenge_method") == "S256":
                CHALLENGES[code] = first(query, "code_challenge")
            return start_response(status, headers, *rest)

        if environ["PATH_INFO"] == "/oauth2/token":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            digest = hashlib.sha256(first(body.decode(), "code_verifier").encode()).digest()
            wanted = CHALLENGES.pop(first(body.decode(), "code"), "")
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != wanted:
                start_response("400 Bad Request", [("Content-Type", "application/json")])
                return [b'{"error": "invalid_grant"}']
        return self.inner(environ, start)


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), WithProofKey(app())).serve_forever()
