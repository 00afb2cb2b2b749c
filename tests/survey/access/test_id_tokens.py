"""Keys of ID tokens; forged tokens are in test_single_sign_on.py."""

import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from survey.access.single_sign_on.id_tokens import InvalidToken, verified


def signed(bits: int) -> tuple[str, dict[str, Any]]:
    """A token signed with an RSA key of this length, and the provider's set of keys."""
    key = rsa.generate_private_key(65537, bits)
    now = int(time.time())
    claims = {"iss": "https://id.example", "sub": "1", "aud": "us", "exp": now + 60, "iat": now, "nonce": "n"}
    public = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return jwt.encode(claims, key, "RS256"), {"keys": [{**public, "alg": "RS256"}]}


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits long")
@pytest.mark.parametrize(("bits", "accepted"), [(1024, False), (2048, True)])
def test_a_key_that_others_can_compute_is_refused(bits: int, accepted: bool) -> None:
    token, keys = signed(bits)
    expected = {"issuer": "https://id.example", "audience": "us", "nonce": "n"}
    if accepted:
        assert verified(token, keys, **expected)["sub"] == "1"
    else:
        with pytest.raises(InvalidToken, match="InvalidKeyError"):
            verified(token, keys, **expected)
