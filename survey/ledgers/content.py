"""What is hashed of a row, how rows and blocks are linked, and how a block is signed. Pure.

A line is the canonical text of a row: a JSON array of its columns that PostgreSQL makes from numbers, texts and
``jsonb`` only, so that no setting of a session changes it. h = hash(h of the row before || line), on from block to
block; a signature is the HMAC of what a block says, with a key that the database does not hold.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings

from survey.encryption import EncryptionError, named_keys

LAYOUT = 1
ALGORITHMS: Mapping[str, str] = {"SHA-256": "sha256", "SM3": "sm3"}  # SM3: GB/T 32905
DIGEST_BYTES = 8
NOTHING = "0" * 64  # predecessor of the first block
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AT = "(extract(epoch FROM at) * 1000000)::bigint"


@dataclass(frozen=True, slots=True)
class Ledger:
    """A table whose rows are only ever added, and the columns of its lines by layout; the id is the first."""

    name: str
    table: str
    layouts: Mapping[int, tuple[str, ...]]

    def line(self, layout: int) -> str:
        """SQL expression of the line of a row."""
        return f"jsonb_build_array({', '.join(self.layouts[layout])})::text"


LEDGERS: Mapping[str, Ledger] = {
    "audit": Ledger(
        "audit",
        "survey_auditevent",
        {
            1: (
                *("id", _AT, "actor_id", "actor_name", "action", "subject_type", "subject_id", "region_path"),
                *("succeeded", "details", "address::text"),
            )
        },
    ),
    "answers": Ledger(
        "answers",
        "survey_submissionevent",
        {
            1: (
                *("id", _AT, "submission_id", "actor_id", "kind", "action", "item", "old", "new", "revision"),
                *("reason", "channel"),
            )
        },
    ),
}
# Tables that the application's database role may only read and add to.
APPEND_ONLY = (
    *(ledger.table for ledger in LEDGERS.values()),
    "survey_ledgerblock",
    "survey_ledgerremoval",
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a signature covers: a block, the removal of its rows, a restore of the database, or a backup."""

    subject: str  # "block", "removal", "restore" or "backup"
    fields: tuple[object, ...]

    def text(self) -> bytes:
        """The signed bytes."""
        return json.dumps([self.subject, *self.fields], separators=(",", ":"), ensure_ascii=True).encode()


def block_statement(block: Any) -> Statement:
    """Everything that a block says: a row of the table, or a line of an export with the same attributes."""
    short = hashlib.new(ALGORITHMS[block.algorithm], bytes(block.row_digests)).hexdigest()
    return Statement(
        "block",
        (
            *(block.ledger, block.number, block.layout, list(block.row_ids), short, block.count, block.high),
            *(block.opening, block.caught_up, micros(block.sealed_at), block.predecessor, block.hash),
            *(block.algorithm, block.key),
        ),
    )


def removal_statement(removal: Any) -> Statement:
    """Everything that a removal says."""
    return Statement(
        "removal",
        (
            *(removal.ledger, removal.number, removal.count, removal.hash, removal.reason),
            *(micros(removal.removed_at), removal.algorithm, removal.key),
        ),
    )


def restore_statement(details: Mapping[str, Any]) -> Statement:
    """Everything that the record of a restore says: the details of its audit row. Raises KeyError for others."""
    heads = [
        [name, *(head[part] for part in ("block", "hash", "lost", "lost_hash"))]
        for name, head in sorted(details["ledgers"].items())
    ]
    named = ("restored_at", "operator", "reason", "source", "algorithm", "key")
    return Statement("restore", (*(details[name] for name in named), heads))


def micros(moment: datetime) -> int:
    """Microseconds since 1970, in UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def linked(predecessor: str, lines: Iterable[str], algorithm: str) -> str:
    """The hash of the last of these lines, each linked to the one before."""
    new, chain = _constructor(algorithm), bytes.fromhex(predecessor)
    for line in lines:
        chain = new(chain + line.encode()).digest()
    return chain.hex()


def digests(lines: Iterable[str], algorithm: str, key: str) -> bytes:
    """A short keyed digest of each line without its id, one after the other."""
    secret, name = known_keys()[key], ALGORITHMS[algorithm]
    return b"".join(
        hmac.digest(secret, b"row:" + line.partition(", ")[2].encode(), name)[:DIGEST_BYTES] for line in lines
    )


def split(row_digests: bytes | memoryview) -> list[bytes]:
    """The digests of a block, one for each row."""
    data = bytes(row_digests)
    return [data[start : start + DIGEST_BYTES] for start in range(0, len(data), DIGEST_BYTES)]


def signature(statement: Statement, algorithm: str, key: str) -> str:
    """HMAC of a statement. Raises KeyError for a key that AUDIT_KEYS does not name."""
    return hmac.digest(known_keys()[key], statement.text(), ALGORITHMS[algorithm]).hex()


def is_signed(statement: Statement, algorithm: str, key: str, given: str) -> bool:
    """Whether a signature is that of the named key. Raises KeyError for a key that AUDIT_KEYS does not name."""
    return algorithm in ALGORITHMS and hmac.compare_digest(signature(statement, algorithm, key), given)


def known_keys() -> Mapping[str, bytes]:
    """Name -> key of AUDIT_KEYS, the present one first."""
    return named_keys(settings.AUDIT_KEYS, "AUDIT_KEYS")


def present() -> tuple[str, str]:
    """Algorithm and name of the key of new blocks."""
    return settings.AUDIT_ALGORITHM, next(iter(known_keys()))


def check_settings() -> None:
    """Raise EncryptionError when AUDIT_KEYS or AUDIT_ALGORITHM cannot be used."""
    known_keys()
    if settings.AUDIT_ALGORITHM not in ALGORITHMS:
        raise EncryptionError(
            f"AUDIT_ALGORITHM {settings.AUDIT_ALGORITHM!r} is none of {', '.join(ALGORITHMS)}"
        )


def _constructor(algorithm: str) -> Callable[[bytes], Any]:
    name = ALGORITHMS[algorithm]
    return hashlib.sha256 if name == "sha256" else partial(hashlib.new, name)
