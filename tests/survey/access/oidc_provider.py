"""A provider of OpenID Connect in a process of its own: ``python -m tests.survey.access.oidc_provider PORT``.

Discovery, keys, codes and tokens are those of the package; this adds what it does not check, the proof key (PKCE), and
turns the next ID token into a forged one when a test asks for it (``PUT /forge`` with the name of a way).
"""

import base64
import hashlib
import hmac
import io
import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from wsgiref.simple_server import make_server

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from oidc_provider_mock import _app, _storage, app

CHALLENGES: dict[str, str] = {}
STORAGES: list[_storage.Storage] = []
UNKNOWN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

type Claims = dict[str, Any]


def client_of(claims: Claims) -> str:
    """The client that the token is for."""
    return str(claims["aud"][0] if isinstance(claims["aud"], list) else claims["aud"])


# Way -> claims that are signed with the provider's own key instead of the true ones.
CHANGED: dict[str, Callable[[Claims], Claims]] = {
    "nothing": lambda claims: claims,
    "no kid": lambda claims: claims,
    "two audiences, ours authorised": lambda claims: {
        **claims,
        "aud": [client_of(claims), "other"],
        "azp": client_of(claims),
    },
    "wrong nonce": lambda claims: {**claims, "nonce": "x" * 43},
    "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "wrong audience": lambda claims: {**claims, "aud": "another-client"},
    "two audiences": lambda claims: {**claims, "aud": [client_of(claims), "other"]},
    "another authorised party": lambda claims: {**claims, "azp": "other"},
    "wrong issuer": lambda claims: {**claims, "iss": "https://elsewhere.example"},
    "expired": lambda claims: {**claims, "exp": claims["iat"] - 3600, "iat": claims["iat"] - 7200},
    "from the future": lambda claims: {**claims, "iat": claims["iat"] + 3600},
    "no expiry": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
    "another subject": lambda claims: {**claims, "sub": "somebody-else"},
}
# Ways that change the signature and leave the claims as they are.
SIGNED_OTHERWISE = (
    "wrong key",
    "unknown kid",
    "alg none",
    "no signature",
    "public key as secret",
    "no token",
)


class KeptStorage(_storage.Storage):
    """A storage of the package that can be reached from here, for the key that signs."""

    def __init__(self) -> None:
        super().__init__()
        STORAGES.append(self)


def forged(token: str, way: str) -> str:
    """The token changed in one way."""
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    own = STORAGES[0].jwk.as_pem(private=True)
    named = {"kid": header["kid"]}
    if way in CHANGED:
        return jwt.encode(CHANGED[way](claims), own, "RS256", headers={} if way == "no kid" else named)
    if way == "wrong key":
        return jwt.encode(claims, UNKNOWN_KEY, "RS256", headers=named)
    if way == "unknown kid":
        return jwt.encode(claims, UNKNOWN_KEY, "RS256", headers={"kid": "unknown"})
    if way == "alg none":
        return jwt.encode(claims, "", "none", headers=named)
    if way == "no signature":
        return token.rpartition(".")[0] + "."
    if way == "public key as secret":
        signed = ".".join(_part(part) for part in ({**named, "alg": "HS256", "typ": "JWT"}, claims))
        public = STORAGES[0].jwk.as_pem(private=False)
        return f"{signed}.{_text(hmac.digest(public, signed.encode(), 'sha256'))}"
    assert way == "no token"
    return ""


def _part(content: Claims) -> str:
    return _text(json.dumps(content).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def first(query: str, name: str) -> str:
    """The first value of a parameter, or an empty string."""
    return parse_qs(query).get(name, [""])[0]


class WithProofKey:
    """Keeps the challenge of every code that is given, and asks for its verifier when the code is exchanged."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.way = ""  # in which the next token is forged

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """One request."""
        query = environ.get("QUERY_STRING", "")

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            code = first(urlsplit(dict(headers).get("Location", "")).query, "code")
            if code and first(query, "code_challenge_method") == "S256":
                CHALLENGES[code] = first(query, "code_challenge")
            return start_response(status, headers, *rest)

        if environ["PATH_INFO"] == "/forge":
            self.way = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
            start_response("204 No Content", [])
            return []
        if environ["PATH_INFO"] == "/oauth2/token":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            digest = hashlib.sha256(first(body.decode(), "code_verifier").encode()).digest()
            wanted = CHALLENGES.pop(first(body.decode(), "code"), "")
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != wanted:
                start_response("400 Bad Request", [("Content-Type", "application/json")])
                return [b'{"error": "invalid_grant"}']
            way, self.way = self.way, ""
            if way:
                return self._forge(environ, start_response, way)
        return self.inner(environ, start)

    def _forge(self, environ: dict[str, Any], start_response: Any, way: str) -> list[bytes]:
        answer = json.loads(b"".join(self.inner(environ, lambda *status: None)))
        answer["id_token"] = forged(answer["id_token"], way)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]


if __name__ == "__main__":
    _app.Storage = KeptStorage  # type: ignore[misc]  # replaced on purpose
    make_server("127.0.0.1", int(sys.argv[1]), WithProofKey(app())).serve_forever()
