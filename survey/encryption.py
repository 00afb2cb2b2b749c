"""Encryption of texts that are stored in the database, with keys from the environment.

A stored text is ``algorithm:key:data``: the name of the algorithm, the name of the key, and nonce and ciphertext in
base 64. ``FIELD_KEYS`` lists the keys, the current one first; the others only decrypt.
``FIELD_ALGORITHM`` is the algorithm of new texts; stored texts contain the name of theirs. Both can therefore be
replaced while texts of earlier ones exist: ``needs_rotation`` detects these.

The context (table, column, row ...) is authenticated with the text: a text that is copied to another row or column
is not decrypted there.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE_BYTES = 12
TAG_BYTES = 16
MIN_KEY_BYTES = 32


class EncryptionError(Exception):
    """A text cannot be decrypted, or the keys of the settings cannot be used."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A block cipher in Galois/Counter Mode, and the hash that derives its key from a key of the settings."""

    cipher: Callable[[bytes], CipherAlgorithm]
    key_bytes: int
    digest: Callable[[], hashes.HashAlgorithm]


ALGORITHMS: Mapping[str, Algorithm] = {
    "AES-256-GCM": Algorithm(algorithms.AES, 32, hashes.SHA256),
    # For offices that must use the national algorithms (GB/T 32907, GB/T 32905).
    "SM4-GCM": Algorithm(algorithms.SM4, 16, hashes.SM3),
}


def encrypt(text: str, context: str) -> str:
    """The stored form of a text, with the current key and algorithm; different with every call."""
    keys, algorithm = named_keys(settings.FIELD_KEYS), _algorithm(settings.FIELD_ALGORITHM)
    name = next(iter(keys))
    nonce = secrets.token_bytes(NONCE_BYTES)
    cipher = Cipher(_cipher(algorithm, keys[name]), modes.GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(_header(algorithm, name, context))
    data = nonce + cipher.update(text.encode()) + cipher.finalize() + cipher.tag
    return f"{algorithm}:{name}:{base64.b64encode(data).decode()}"


def decrypt(stored: str, context: str) -> str:
    """The text of a stored form.

    Raises EncryptionError for another context, an altered text, and a key or algorithm that is not known.
    """
    algorithm, name, data = _parts(stored)
    key = named_keys(settings.FIELD_KEYS).get(name)
    if key is None:
        raise EncryptionError(f"FIELD_KEYS has no key {name!r}")
    nonce, tag = data[:NONCE_BYTES], data[-TAG_BYTES:]
    cipher = Cipher(_cipher(algorithm, key), modes.GCM(nonce, tag)).decryptor()
    cipher.authenticate_additional_data(_header(algorithm, name, context))
    try:
        return (cipher.update(data[NONCE_BYTES:-TAG_BYTES]) + cipher.finalize()).decode()
    except InvalidTag:
        raise EncryptionError("the text was altered, or belongs to another context or key") from None


def needs_rotation(stored: str) -> bool:
    """True when a text was not encrypted with the current key and algorithm, or not at all."""
    try:
        algorithm, name, _data = _parts(stored)
    except EncryptionError:
        return True
    return (algorithm, name) != (settings.FIELD_ALGORITHM, next(iter(named_keys(settings.FIELD_KEYS))))


def is_encrypted(stored: str) -> bool:
    """True when this is the stored form of a text, with any key."""
    try:
        _parts(stored)
    except EncryptionError:
        return False
    return True


def new_key() -> str:
    """A random key in the format of FIELD_KEYS and AUDIT_KEYS."""
    return base64.b64encode(secrets.token_bytes(MIN_KEY_BYTES)).decode()


def check_settings() -> None:
    """Raise EncryptionError when FIELD_KEYS or FIELD_ALGORITHM cannot be used."""
    named_keys(settings.FIELD_KEYS)
    _algorithm(settings.FIELD_ALGORITHM)


@lru_cache(maxsize=8)
def named_keys(value: str, setting: str = "FIELD_KEYS") -> Mapping[str, bytes]:
    """Keys of a setting by name, the current one first. Raises EncryptionError when it cannot be used."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (part.strip() for part in value.split(","))):
        name, colon, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not (name and colon) or name in keys or len(key) < MIN_KEY_BYTES:
            raise EncryptionError(
                f"{setting} is a list of name:key, each name once, each key at least {MIN_KEY_BYTES} bytes"
                " in base 64"
            )
        keys[name] = key
    if not keys:
        raise EncryptionError(f"{setting} names no key")
    return keys


def _algorithm(name: str) -> str:
    if name not in ALGORITHMS:
        raise EncryptionError(f"FIELD_ALGORITHM {name!r} is none of {', '.join(ALGORITHMS)}")
    return name


def _parts(stored: str) -> tuple[str, str, bytes]:
    """Algorithm, name of the key and data of a stored form."""
    algorithm, _, rest = stored.partition(":")
    name, _, encoded = rest.partition(":")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if algorithm not in ALGORITHMS or not name or len(data) < NONCE_BYTES + TAG_BYTES:
        raise EncryptionError("this is no encrypted text")
    return algorithm, name, data


def _cipher(algorithm: str, key: bytes) -> CipherAlgorithm:
    return ALGORITHMS[algorithm].cipher(_derived(algorithm, key))


@lru_cache(maxsize=32)
def _derived(algorithm: str, key: bytes) -> bytes:
    """A separate key for each algorithm, so that no key is used by two."""
    used = ALGORITHMS[algorithm]
    return HKDF(used.digest(), used.key_bytes, None, f"field encryption {algorithm}".encode()).derive(key)


def _header(algorithm: str, name: str, context: str) -> bytes:
    return f"{algorithm}:{name}:{context}".encode()
