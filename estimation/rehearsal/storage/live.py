"""Sheets of the open round that are being filled or reviewed; the frozen data do not hold them."""

import json
from dataclasses import replace

import numpy as np
from django.db import connection

from estimation.methods.arrays import Bools, Ints
from estimation.rehearsal.sheets.filing_rows import FILING_COLUMNS
from estimation.rehearsal.sheets.sheets import SheetBatch
from estimation.rehearsal.sheets.slips import SHARE, slipped
from estimation.rehearsal.storage import outcomes
from estimation.rehearsal.storage.bulk import copy_lines
from estimation.rehearsal.storage.sheets import (
    EXPLANATION_COLUMNS,
    TRACE_COLUMNS,
    Counts,
    SheetWriter,
    accepted_mask,
    file_batch,
)
from estimation.rehearsal.storage.states import (
    partial_answers,
    write_events,
    write_queries,
    write_submissions,
)
from survey.questionnaires.edits import Finding, run_edits

REVIEWED = (outcomes.SUBMITTED, outcomes.NATIONAL_REVIEW, outcomes.RETURNED)
DAY = 86_400  # seconds
_PARTS = (("B",), ("B", "P"), ("B", "P", "S"), ("B", "P", "S", "F"))


def live_mask(writer: SheetWriter) -> Bools:
    """Units (d,) whose sheet of the open round is in process."""
    return np.isin(writer.members.outcome, (*REVIEWED, outcomes.IN_PROGRESS))


def settled_mask(writer: SheetWriter, year: int) -> Bools:
    """Units (d,) whose sheet is not in process: decided, or never filed."""
    return ~live_mask(writer) if year else writer.members.asked[0]


def write_live(writer: SheetWriter, reviewer: int) -> None:
    """Filings, states, events, reasons and comments of the sheets in process; `reviewer` raised the comments."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    lines: list[str] = []
    for category in range(1, 15):
        in_category = writer.category == category
        filed = np.flatnonzero(np.isin(writer.members.outcome, REVIEWED) & in_category)
        if len(filed):
            batch, unexplained = _with_slips(writer, filed, category)
            lines += file_batch(writer, batch, filed, 1, category, certain=unexplained)
        started = np.flatnonzero((writer.members.outcome == outcomes.IN_PROGRESS) & in_category)
        if len(started):
            _start(writer, started, category)
    copy_lines("survey_filing", FILING_COLUMNS, lines)
    live = live_mask(writer)
    write_submissions(writer, 1, live)
    copy_lines("survey_explanation", EXPLANATION_COLUMNS, writer.explanations)
    copy_lines("survey_findingtrace", TRACE_COLUMNS, writer.traces)
    write_events(writer, 1, live, reviewer)
    write_queries(writer, reviewer)


def _with_slips(writer: SheetWriter, positions: Ints, category: int) -> tuple[SheetBatch, Bools]:
    """The sheets with slips in some that can be compared with last year, and a mask of those (n,)."""
    batch = writer.batch(positions, 1, category)
    texts, touched = list(batch.texts), np.zeros(len(positions), bool)
    for k, previous in _comparable(writer, positions, category).items():
        position = int(positions[k])
        form, context = writer.forms[f"CAT{category:02d}"], writer.context(position, 1)
        text, _ = slipped(form, texts[k], previous, context, position)
        touched[k] = text != texts[k]
        texts[k] = text
    return replace(batch, texts=texts), touched


def _comparable(writer: SheetWriter, positions: Ints, category: int) -> dict[int, str]:
    """Last year's accepted sheets of the units that make a slip, by their index in `positions`."""
    rng = writer.country.streams(f"slips {category} {len(positions)}")
    chosen = np.flatnonzero(
        (rng.random(len(positions)) < SHARE) & accepted_mask(writer.members, 0)[positions]
    )
    if len(chosen) == 0:
        return {}
    return dict(zip(chosen.tolist(), writer.batch(positions[chosen], 0, category).texts, strict=True))


def _start(writer: SheetWriter, positions: Ints, category: int) -> None:
    """Sheets of which some sections are filled, with the counts that the rules give."""
    form = writer.forms[f"CAT{category:02d}"]
    accepted_before = accepted_mask(writer.members, 0)[positions]
    before = dict.fromkeys(range(len(positions)), "")
    if accepted_before.any():
        chosen = np.flatnonzero(accepted_before)
        before |= dict(zip(chosen.tolist(), writer.batch(positions[chosen], 0, category).texts, strict=True))
    for k, text in enumerate(writer.batch(positions, 1, category).texts):
        position, key = int(positions[k]), int(writer.keys[1, positions[k]])
        context = writer.context(position, 1)
        parts = _PARTS[key % 4]
        if before[k] and key % 3 == 0:
            text = slipped(form, text, before[k], context, position, blocks=parts[1:])[0]
        writer.partial[key] = part = partial_answers(text, parts)
        previous = json.loads(before[k]) if before[k] else None
        findings = run_edits(form, json.loads(part), previous=previous, context=context)
        writer.counts[key] = _counted(findings)
        writer.trace(key, 1, category, findings, writer.facts[1].opens + DAY)


def _counted(findings: tuple[Finding, ...]) -> Counts:
    hard = sum(finding.severity == "hard" for finding in findings)
    soft = sum(finding.severity == "soft" for finding in findings)
    return Counts(hard, soft, soft)
