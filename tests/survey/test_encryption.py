"""Encrypted texts: other contexts, altered texts, replaced keys and algorithms."""

import base64
from typing import Any

import pytest

from survey import encryption
from survey.encryption import EncryptionError, decrypt, encrypt, needs_rotation

OLD, NEW = (f"{name}:{base64.b64encode(name.encode() * 8).decode()}" for name in ("2026", "2027"))
TEXTS = ["", "JBSWY3DPEHPK3PXP", "填报员 张三\n010-12345678", "x" * 10_000]


@pytest.fixture(autouse=True, params=encryption.ALGORITHMS)
def algorithm(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.FIELD_KEYS = OLD
    settings.FIELD_ALGORITHM = request.param
    return str(request.param)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_decrypted_in_its_context(text: str, algorithm: str) -> None:
    stored = encrypt(text, "user.phone:7")
    assert stored.startswith(f"{algorithm}:2026:") and (not text or text not in stored)
    assert decrypt(stored, "user.phone:7") == text
    assert encrypt(text, "user.phone:7") != stored
    with pytest.raises(EncryptionError):
        decrypt(stored, "user.phone:8")


def test_every_altered_character_is_detected() -> None:
    stored = encrypt("JBSWY3DPEHPK3PXP", "seed")
    body = stored.rindex(":") + 1
    for place in range(body, len(stored) - 2, 5):
        other = "A" if stored[place] != "A" else "B"
        with pytest.raises(EncryptionError):
            decrypt(stored[:place] + other + stored[place + 1 :], "seed")


def test_the_names_of_algorithm_and_key_are_authenticated(settings: Any) -> None:
    stored = encrypt("text", "context")
    settings.FIELD_KEYS = f"{OLD},twin:{OLD.partition(':')[2]}"
    with pytest.raises(EncryptionError):
        decrypt(stored.replace(":2026:", ":twin:"), "context")


def test_a_new_key_encrypts_and_earlier_keys_still_decrypt(settings: Any) -> None:
    stored = encrypt("text", "context")
    assert not needs_rotation(stored)
    settings.FIELD_KEYS = f"{NEW}, {OLD}"
    assert needs_rotation(stored) and decrypt(stored, "context") == "text"
    rotated = encrypt(decrypt(stored, "context"), "context")
    assert not needs_rotation(rotated)
    settings.FIELD_KEYS = NEW
    assert decrypt(rotated, "context") == "text"
    with pytest.raises(EncryptionError, match="2026"):
        decrypt(stored, "context")


def test_another_algorithm_encrypts_and_the_earlier_one_still_decrypts(settings: Any, algorithm: str) -> None:
    stored = encrypt("text", "context")
    settings.FIELD_ALGORITHM = next(name for name in encryption.ALGORITHMS if name != algorithm)
    assert needs_rotation(stored) and decrypt(stored, "context") == "text"
    assert encrypt("text", "context").startswith(settings.FIELD_ALGORITHM)


@pytest.mark.parametrize("plain", ["", "JBSWY3DP", "a:b:c", "AES-256-GCM:2026:", "AES-256-GCM:2026:AAAA"])
def test_plain_texts_are_detected(plain: str) -> None:
    assert needs_rotation(plain) and not encryption.is_encrypted(plain)
    with pytest.raises(EncryptionError):
        decrypt(plain, "context")
    assert encryption.is_encrypted(encrypt(plain, "context"))


@pytest.mark.parametrize(
    "keys", ["", ",", "2026", "2026:", "2026:short", "2026:c2hvcnQ=", f"{OLD},{OLD}", f":{OLD}"]
)
def test_unusable_keys_are_an_error(settings: Any, keys: str) -> None:
    settings.FIELD_KEYS = keys
    with pytest.raises(EncryptionError, match="FIELD_KEYS"):
        encryption.check_settings()


def test_an_unknown_algorithm_is_an_error(settings: Any) -> None:
    settings.FIELD_ALGORITHM = "ROT13"
    with pytest.raises(EncryptionError, match="FIELD_ALGORITHM"):
        encryption.check_settings()
