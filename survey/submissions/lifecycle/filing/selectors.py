"""The content of a filing, its canonical text and its hash."""

import hashlib
import json
from datetime import UTC
from typing import Any

from survey.submissions.models import Filing


def content(filing: Filing) -> dict[str, Any]:
    """The content of a filing in the structure that is hashed."""
    submission = filing.submission
    return {
        "form": filing.version.form_no,
        "definition": filing.version.content_hash,
        "year": submission.round.year,
        "unit": submission.unit.uscc,
        "number": filing.number,
        "revision": filing.revision,
        "filed_at": filing.filed_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "filed_by": filing.filed_by_id,
        "answers": filing.answers,
        "explanations": filing.explanations,
        "signatories": filing.signatories,
    }


def canonical_text(filing: Filing) -> str:
    """The canonical JSON of a filing's content: sorted keys, no spaces, unescaped characters."""
    return json.dumps(content(filing), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def content_hash(filing: Filing) -> str:
    """SHA-256 of the canonical text, in hex; anybody with the content can verify the receipt."""
    return hashlib.sha256(canonical_text(filing).encode()).hexdigest()


def is_intact(filing: Filing) -> bool:
    """Whether the stored content has the stored hash."""
    return content_hash(filing) == filing.content_hash


def receipt_number(filing: Filing) -> str:
    """Number printed on the receipt: year, form, sheet, filing."""
    submission = filing.submission
    return f"{submission.round.year}-{filing.version.form_no}-{submission.pk:07d}-{filing.number:02d}"
