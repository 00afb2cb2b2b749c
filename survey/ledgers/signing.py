"""Files of an export and their signature: Ed25519 over the manifest, which holds the SHA-256 of every file. Pure."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from survey.exceptions import PolicyDenied
from survey.ledgers.content import LEDGERS, linked
from survey.ledgers.export import messages
from survey.sentences import Sentence

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"


def private_key() -> Ed25519PrivateKey:
    """The key of AUDIT_EXPORT_KEY. Raises PolicyDenied when there is none."""
    try:
        return Ed25519PrivateKey.from_private_bytes(
            base64.b64decode(settings.AUDIT_EXPORT_KEY, validate=True)
        )
    except (binascii.Error, ValueError):
        raise PolicyDenied(messages.NO_KEY()) from None


def public_key() -> str:
    """The public key of AUDIT_EXPORT_KEY, in base 64. Raises PolicyDenied when there is none."""
    return base64.b64encode(private_key().public_key().public_bytes_raw()).decode()


def sign(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the manifest with the facts and the hashes of all files, and its signature."""
    files = {path.name: digest(path) for path in sorted(folder.iterdir())}
    text = json.dumps({**facts, "files": files}, ensure_ascii=False, indent=1, sort_keys=True).encode()
    (folder / MANIFEST).write_bytes(text)
    (folder / SIGNATURE).write_text(
        base64.b64encode(private_key().sign(text)).decode() + "\n", encoding="ascii"
    )


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def faults_of(folder: Path, public: str) -> Iterator[Sentence]:
    """What is wrong with an export, by its files and a public key (base 64) alone."""
    try:
        text = (folder / MANIFEST).read_bytes()
        stored = base64.b64decode((folder / SIGNATURE).read_text(encoding="ascii"))
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public)).verify(stored, text)
        files: Mapping[str, str] = json.loads(text)["files"]
    except OSError as error:
        yield messages.FILE_MISSING(name=Path(str(error.filename)).name)
        return
    except (InvalidSignature, ValueError, KeyError, TypeError):
        yield messages.NOT_SIGNED()
        return
    wrong = [name for name in files if not (folder / name).is_file()]
    yield from (messages.FILE_MISSING(name=name) for name in wrong)
    present = {path.name for path in folder.iterdir()} - {MANIFEST, SIGNATURE}
    changed = [name for name in files if name not in wrong and digest(folder / name) != files[name]]
    for name in sorted({*changed, *(present - files.keys())}):
        yield messages.FILE_CHANGED(name=name)
    if not wrong:
        for name in LEDGERS:
            yield from _chain_faults(folder, name)


def _chain_faults(folder: Path, name: str) -> Iterator[Sentence]:
    """Blocks whose rows do not lead to their hash, or that do not continue the block before them."""
    before: Mapping[str, Any] | None = None
    with (
        (folder / f"{name}.jsonl").open(encoding="utf-8", newline="\n") as rows,
        (folder / f"{name}.blocks.jsonl").open(encoding="utf-8", newline="\n") as blocks,
    ):
        for line in blocks:
            block = json.loads(line)
            if before and (block["number"], block["predecessor"]) != (before["number"] + 1, before["hash"]):
                yield messages.EXPORTED_CHAIN(ledger=name, block=block["number"])
            before = block
            if block["removed"]:
                continue
            own = [row.removesuffix("\n") for row in islice(rows, block["count"])]
            if (
                len(own) != block["count"]
                or linked(block["predecessor"], own, block["algorithm"]) != block["hash"]
            ):
                yield messages.EXPORTED_ROWS(ledger=name, block=block["number"])
