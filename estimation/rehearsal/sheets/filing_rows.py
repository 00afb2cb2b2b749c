"""Rows of filings, submissions and events, made of sheets; plain data, no database."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field

import numpy as np

from estimation.methods.arrays import Floats, Ints

SIGNATORIES = {
    "filler": "演练填表人",
    "phone": "010-00000000",
    "stat_head": "演练统计负责人",
    "unit_head": "演练单位负责人",
}
_SIGNED = json.dumps(SIGNATORIES, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class RoundFacts:
    """Facts of a round that rows contain: its key, year, and when sheets were filed (seconds since 1970)."""

    key: int
    year: int
    opens: int
    last: int  # nothing was filed or decided after this moment


@dataclass(slots=True)
class Filed:
    """One filed sheet."""

    key: int  # of the submission and of its first filing
    position: int  # of the unit in the members
    answers: str
    filed_at: int
    decided_at: int
    explanations: list[dict[str, str]] = field(default_factory=list)


def stamp(seconds: int) -> str:
    """UTC time as PostgreSQL and the content hash write it."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="microseconds")


def canonical(value: object) -> str:
    """Canonical JSON text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def draw_times(count: int, facts: RoundFacts, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """When sheets were filed and decided: a slow start, a rush before the end."""
    span = facts.last - facts.opens
    filed = facts.opens + (span * (0.05 + 0.7 * rng.beta(2.0, 1.4, count))).astype(np.int64)
    decided = filed + ((facts.last - filed) * (0.1 + 0.8 * rng.random(count))).astype(np.int64)
    return filed, decided


def filing_line(
    sheet: Filed,
    version: int,
    form_no: str,
    definition: str,
    year: int,
    uscc: str,
    revision: int,
    signatories: str,
) -> str:
    """A line for the table of filings, with the hash of the content in its canonical spelling.

    ``signatories`` is the stored form of SIGNATORIES, which is encrypted; the hash is that of the content.
    """
    reasons = canonical(sheet.explanations) if sheet.explanations else "[]"
    filed = stamp(sheet.filed_at)
    content = (
        f'{{"answers":{sheet.answers},"definition":"{definition}","explanations":{reasons},"filed_at":"{filed}",'
        f'"filed_by":null,"form":"{form_no}","number":1,"revision":{revision},"signatories":{_SIGNED},'
        f'"unit":"{uscc}","year":{year}}}'
    )
    digest = hashlib.sha256(content.encode()).hexdigest()
    answers, reasons = sheet.answers.replace("\\", "\\\\"), reasons.replace("\\", "\\\\")
    return f"{sheet.key}\t{sheet.key}\t1\t{version}\t{answers}\t{reasons}\t{signatories}\t{revision}\t{digest}\t{filed}\t\\N"


FILING_COLUMNS = (
    "id",
    "submission_id",
    "number",
    "version_id",
    "answers",
    "explanations",
    "signatories",
    "revision",
    "content_hash",
    "filed_at",
    "filed_by_id",
)


def observation_hashes(classification: list[str], numbers: Floats) -> list[str]:
    """SHA-256 over classification and values, as the projection makes it; every NaN counts as the same."""
    clean = np.where(np.isnan(numbers), np.nan, numbers + 0.0).astype(">f8")
    width = clean.shape[1] * 8
    data = clean.tobytes()
    return [
        hashlib.sha256(head.encode() + data[k * width : (k + 1) * width]).hexdigest()
        for k, head in enumerate(classification)
    ]
