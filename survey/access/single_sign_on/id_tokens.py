"""Checks of the ID token that a provider of OpenID Connect gives for a code (OpenID Connect Core 1.0, 3.1.3.7)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import jwt

# Signatures with a private key of the provider. None with a shared secret: whoever may check it could make it.
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
LEEWAY_SECONDS = 30  # that the clock of the provider may differ from ours


class InvalidToken(Exception):
    """A token that is not what this sign-in asked the provider for."""


def nonce_of(code_verifier: str) -> str:
    """The nonce of the request whose proof key (PKCE) has this verifier.

    The verifier is random, kept in the session of the browser and used once; the nonce does not reveal it.
    """
    return _text(hashlib.sha256(f"nonce of an ID token:{code_verifier}".encode()).digest())


def verified(
    token: str, keys: Mapping[str, Any], *, issuer: str, audience: str, nonce: str
) -> dict[str, Any]:
    """The claims of a token that the issuer signed for this client and this request.

    ``keys`` is the provider's set of public keys (JWKS). Raises InvalidToken.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_of(token, keys),
            algorithms=ALGORITHMS,
            issuer=issuer,
            audience=audience,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED, "enforce_minimum_key_length": True},
        )
    except jwt.PyJWTError as error:
        raise InvalidToken(type(error).__name__) from error
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise InvalidToken("nonce")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims.get("azp", audience if len(audiences) == 1 else "") != audience:
        raise InvalidToken("azp")
    return claims


def _key_of(token: str, keys: Mapping[str, Any]) -> jwt.PyJWK:
    """The key of the set that the token names; without a name the only one. It decides about the algorithm."""
    header = jwt.get_unverified_header(token)
    matches = [key for key in keys["keys"] if key.get("use", "sig") == "sig"]
    if "kid" in header:
        matches = [key for key in matches if key.get("kid") == header["kid"]]
    if len(matches) != 1 or header["alg"] not in ALGORITHMS:
        raise InvalidToken("key")
    return jwt.PyJWK(matches[0], matches[0].get("alg") or header["alg"])


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
