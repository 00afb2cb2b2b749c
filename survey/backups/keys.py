"""Keys are never part of a backup: fingerprints in its manifest tell which ones it needs. Pure."""

import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.conf import settings

from survey.backups import messages
from survey.encryption import named_keys
from survey.sentences import Sentence

NAMED = ("FIELD_KEYS", "AUDIT_KEYS")  # lists of named keys, without which nothing can be read or verified
SINGLE = ("AUDIT_EXPORT_KEY", "SECRET_KEY")
FINGERPRINT_DIGITS = 16


def fingerprints() -> dict[str, dict[str, str]]:
    """Setting -> name of a key -> fingerprint, of the keys in use. A key cannot be found from its fingerprint."""
    named = {
        setting: {
            name: _fingerprint(key) for name, key in named_keys(getattr(settings, setting), setting).items()
        }
        for setting in NAMED
    }
    single = {setting: getattr(settings, setting) for setting in SINGLE}
    return named | {setting: {"": _fingerprint(key.encode())} for setting, key in single.items() if key}


def missing(needed: Mapping[str, Mapping[str, str]]) -> Iterator[Sentence]:
    """Keys of a backup that FIELD_KEYS and AUDIT_KEYS do not have."""
    present = fingerprints()
    for setting in NAMED:
        for name, fingerprint in needed.get(setting, {}).items():
            if present[setting].get(name) != fingerprint:
                yield messages.KEY_DIFFERS(setting=setting, key=name, fingerprint=fingerprint)


def changed(needed: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Other secrets that are no longer those of the backup: names of settings."""
    present = fingerprints()
    return [setting for setting in SINGLE if needed.get(setting, {}) != present.get(setting, {})]


def write(folder: Path) -> list[Path]:
    """Write every secret to a file of its own that only this account reads, in the form of NAME_FILE."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = []
    for setting in (*NAMED, *SINGLE):
        if value := getattr(settings, setting):
            path = folder / setting.lower()
            part = path.with_suffix(".part")
            part.unlink(missing_ok=True)
            with open(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            written.append(path)
    return written


def _fingerprint(key: bytes) -> str:
    return hmac.digest(key, b"fingerprint", hashlib.sha256).hex()[:FINGERPRINT_DIGITS]
