"""Sheets of the open round that are being filled or reviewed; the frozen data do not hold them."""

import json
from dataclasses import replace

import numpy as np
from django.db import connection

from estimation.methods.arrays import Bools, Ints
from estimation.rehearsal.sheets.filing_rows import FILING_COLUMNS
from estimation.rehearsal.sheets.sheets import SheetBatch
from estimation.rehearsal.sheets.slips import SHARE, slipped
from estimation.rehearsal.storage import members as casting
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

REVIEWED = (casting.SUBMITTED, casting.NATIONAL_REVIEW, casting.RETURNED)
DAY = 86_400  # seconds
_PARTS = (("B",), ("B", "P"), ("B", "P", "S"), ("B", "P", "S", "F"))


def live_mask(writer: SheetWriter) -> Bools:
    """Units (d,) whose sheet of the open round is in process."""
    return np.isin(writer.cast.play, (*REVIEWED, casting.IN_PROGRESS))


def settled_mask(writer: SheetWriter, year: int) -> Bools:
    """Units (d,) whose sheet is not in process: decided, or never filed."""
    return ~live_mask(writer) if year else writer.cast.asked[0]


def write_live(writer: SheetWriter, reviewer: int) -> None:
    """Filings, states, events, reasons and comments of the sheets in process; `reviewer` raised the comments."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    lines: list[str] = []
    for category in range(1, 15):
        mine = writer.category == category
        filed = np.flatnonzero(np.isin(writer.cast.play, REVIEWED) & mine)
        if len(filed):
            batch, unexplained = _with_slips(writer, filed, category)
            lines += file_batch(writer, batch, filed, 1, category, certain=unexplained)
        started = np.flatnonzero((writer.cast.play == casting.IN_PROGRESS) & mine)
        if len(started):
            _start(writer, started, category)
    copy_lines("survey_filing", FILING_COLUMNS, lines)
    live = live_mask(writer)
    write_submissions(writer, 1, live)
    copy_lines("survey_explanation", EXPLANATION_COLUMNS, writer.explanations)
    copy_lines("survey_findingtrace", TRACE_COLUMNS, writer.traces)
    write_events(writer, 1, live, reviewer)
    write_queries(writer, reviewer)


def _with_slips(writer: SheetWriter, places: Ints, category: int) -> tuple[SheetBatch, Bools]:
    """The sheets with slips in some that can be compared with last year, and a mask of those (n,)."""
    batch = writer.batch(places, 1, category)
    texts, touched = list(batch.texts), np.zeros(len(places), bool)
    for k, previous in _comparable(writer, places, category).items():
        place = int(places[k])
        form, context = writer.forms[f"CAT{category:02d}"], writer.context(place, 1)
        text, _ = slipped(form, texts[k], previous, context, place)
        touched[k] = text != texts[k]
        texts[k] = text
    return replace(batch, texts=texts), touched


def _comparable(writer: SheetWriter, places: Ints, category: int) -> dict[int, str]:
    """Last year's accepted sheets of the units that make a slip, by their index in `places`."""
    rng = writer.country.streams(f"slips {category} {len(places)}")
    chosen = np.flatnonzero((rng.random(len(places)) < SHARE) & accepted_mask(writer.cast, 0)[places])
    if len(chosen) == 0:
        return {}
    return dict(zip(chosen.tolist(), writer.batch(places[chosen], 0, category).texts, strict=True))


def _start(writer: SheetWriter, places: Ints, category: int) -> None:
    """Sheets of which some sections are filled, with the counts that the rules give."""
    form = writer.forms[f"CAT{category:02d}"]
    known = accepted_mask(writer.cast, 0)[places]
    before = dict.fromkeys(range(len(places)), "")
    if known.any():
        chosen = np.flatnonzero(known)
        before |= dict(zip(chosen.tolist(), writer.batch(places[chosen], 0, category).texts, strict=True))
    for k, text in enumerate(writer.batch(places, 1, category).texts):
        place, key = int(places[k]), int(writer.keys[1, places[k]])
        context = writer.context(place, 1)
        parts = _PARTS[key % 4]
        if before[k] and key % 3 == 0:
            text = slipped(form, text, before[k], context, place, blocks=parts[1:])[0]
        writer.partial[key] = part = partial_answers(text, parts)
        previous = json.loads(before[k]) if before[k] else None
        findings = run_edits(form, json.loads(part), previous=previous, context=context)
        writer.counts[key] = _counted(findings)
        writer.trace(key, 1, category, findings, writer.facts[1].opens + DAY)


def _counted(findings: tuple[Finding, ...]) -> Counts:
    hard = sum(finding.severity == "hard" for finding in findings)
    soft = sum(finding.severity == "soft" for finding in findings)
    return Counts(hard, soft, soft)
