"""Submissions with their states, and the events that led there."""

import json
from collections.abc import Iterator

import numpy as np
from django.db import connection

from estimation.methods.arrays import Bools, Ints
from estimation.rehearsal.population.units import INVALID, VALID
from estimation.rehearsal.sheets.filing_rows import SIGNATORIES, canonical, stamp
from estimation.rehearsal.sheets.reasons import (
    EXEMPT_REASONS,
    INVALID_REASONS,
    INVALID_WEIGHTS,
    QUERIES,
    RETURN_TEXTS,
)
from estimation.rehearsal.storage import outcomes
from estimation.rehearsal.storage.bulk import copy_lines, escaped
from estimation.rehearsal.storage.sheets import Counts, SheetWriter
from survey.classification import NATIONAL_CATEGORIES, category_numbers
from survey.encrypted_fields import stored_form
from survey.submissions.models import Submission

_STAGE_COLUMNS = (
    "id", "assignment_id", "unit_id", "round_id", "state", "revision", "answers", "hard_count", "soft_count",
    "unexplained_count", "signatories", "filed_at", "review_started_at", "decided_at", "return_due_at", "return_reason",
    "invalid_reason", "exempt_reason", "updated_at",
)  # fmt: skip
_STATES = {
    outcomes.ACCEPTED: "accepted",
    outcomes.INVALIDATED: "invalidated",
    outcomes.IN_PROGRESS: "in_progress",
    outcomes.SUBMITTED: "submitted",
    outcomes.NATIONAL_REVIEW: "national_review",
    outcomes.RETURNED: "returned",
    outcomes.EXEMPTED: "exempted",
}
_EVENT_COLUMNS = (
    "submission_id",
    "at",
    "actor_id",
    "kind",
    "action",
    "item",
    "old",
    "new",
    "revision",
    "reason",
    "channel",
)
_DAY = 86_400


def states(writer: SheetWriter, year: int) -> list[str]:
    """State of the sheet of each unit of the members; "" for units without one."""
    members = writer.members
    if year == 0:
        names = {VALID: "accepted", INVALID: "invalidated"}
        result = [names.get(int(status), "not_started") for status in members.last]
    else:
        result = [_STATES.get(int(outcome), "not_started") for outcome in members.outcome]
    return [name if asked else "" for name, asked in zip(result, members.asked[year], strict=True)]


def write_submissions(writer: SheetWriter, year: int, chosen: Bools) -> None:
    """Submissions of the chosen units (d,). Filed ones take their answers from the filing, on the server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE stage (id bigint, assignment_id bigint, unit_id bigint, round_id bigint, state text,"
            " revision int, answers jsonb, hard_count int, soft_count int, unexplained_count int, signatories jsonb,"
            " filed_at timestamptz, review_started_at timestamptz, decided_at timestamptz, return_due_at timestamptz,"
            " return_reason text, invalid_reason text, exempt_reason text, updated_at timestamptz) ON COMMIT DROP"
        )
        copy_lines("stage", _STAGE_COLUMNS, _lines(writer, year, chosen))
        cursor.execute(
            "INSERT INTO survey_submission (id, assignment_id, unit_id, round_id, state, revision, answers,"
            " item_revisions, hard_count, soft_count, unexplained_count, signatories, filed_at, review_started_at,"
            " decided_at, return_due_at, return_reason, invalid_reason, exempt_reason, updated_at)"
            " SELECT s.id, s.assignment_id, s.unit_id, s.round_id, s.state, s.revision,"
            " coalesce(s.answers, f.answers, '{}'), '{}', s.hard_count, s.soft_count, s.unexplained_count,"
            " s.signatories, s.filed_at, s.review_started_at, s.decided_at, s.return_due_at, s.return_reason,"
            " s.invalid_reason, s.exempt_reason, s.updated_at"
            " FROM stage s LEFT JOIN survey_filing f ON f.submission_id = s.id ORDER BY s.id"
        )
        cursor.execute("DROP TABLE stage")


def _lines(writer: SheetWriter, year: int, chosen: Bools) -> Iterator[str]:
    facts = writer.facts[year]
    names = states(writer, year)
    rng = writer.country.streams(f"rulings {year}")
    ruling = rng.choice(len(INVALID_REASONS), size=writer.members.count, p=INVALID_WEIGHTS)
    signed = stored_form(Submission, "signatories", SIGNATORIES)
    for position in np.flatnonzero(chosen & writer.members.asked[year]).tolist():
        key, state = int(writer.keys[year, position]), names[position]
        filed, decided = writer.filed_at.get(key), writer.decided_at.get(key)
        answers = escaped(writer.partial[key]) if key in writer.partial else "\\N"
        counts = writer.counts.get(key, Counts())
        ended = state in ("accepted", "invalidated", "returned")
        last = decided if ended else filed
        fields = [
            str(key),
            str(key),
            str(position + 1),
            str(facts.key),
            state,
            str(20 + key % 90) if filed else ("12" if key in writer.partial else "0"),
            answers,
            str(counts.hard),
            str(counts.soft),
            str(counts.unexplained),
            signed if filed else "{}",
            stamp(filed) if filed else "\\N",
            stamp(decided) if filed and decided and ended else "\\N",
            stamp(decided) if filed and decided and ended else "\\N",
            stamp(facts.last + 12 * _DAY) if state == "returned" else "\\N",
            RETURN_TEXTS[key % len(RETURN_TEXTS)] if state == "returned" else "",
            INVALID_REASONS[ruling[position]] if state == "invalidated" else "",
            EXEMPT_REASONS[key % len(EXEMPT_REASONS)] if state == "exempted" else "",
            stamp(last or facts.opens),
        ]
        yield "\t".join(fields)


def write_events(writer: SheetWriter, year: int, chosen: Bools, actor: int) -> None:
    """State events of the chosen units; `actor` is the national reviewer who decided."""
    copy_lines("survey_submissionevent", _EVENT_COLUMNS, _events(writer, year, chosen, actor))


def _events(writer: SheetWriter, year: int, chosen: Bools, actor: int) -> Iterator[str]:
    names = states(writer, year)
    national = set(category_numbers(NATIONAL_CATEGORIES))
    category = writer.category
    for position in np.flatnonzero(chosen & writer.members.asked[year]).tolist():
        key, state = int(writer.keys[year, position]), names[position]
        filed, decided = writer.filed_at.get(key), writer.decided_at.get(key)
        revision = 20 + key % 90

        def event(at: int, action: str, old: str, new: str, reason: str = "", by: str = "\\N") -> str:
            return f'{key}\t{stamp(at)}\t{by}\tstate\t{action}\t\t"{old}"\t"{new}"\t{revision}\t{reason}\trehearsal'  # noqa: B023 called in the same pass of the loop

        if filed is None or decided is None:
            if state == "in_progress":
                yield event(writer.facts[year].opens + _DAY, "save", "not_started", "in_progress")
            continue
        direct = int(category[position]) in national
        first = "national_review" if direct else "submitted"
        yield event(filed, "submit_national" if direct else "submit", "in_progress", first)
        if not direct and state in ("accepted", "national_review", "invalidated"):
            yield event((filed + decided) // 2, "accept", "submitted", "national_review")
        reviewer = str(actor)
        if state == "accepted":
            yield event(decided, "accept_finally", "national_review", "accepted", by=reviewer)
        elif state == "invalidated":
            yield event(decided, "invalidate", "national_review", "invalidated", by=reviewer)
        elif state == "returned":
            yield event(decided, "return", first, "returned", RETURN_TEXTS[key % len(RETURN_TEXTS)], reviewer)


QUERY_COLUMNS = (
    "submission_id",
    "item",
    "text",
    "state",
    "raised_by_id",
    "raised_at",
    "reply",
    "corrected",
    "replied_by_id",
    "replied_at",
    "closed_by_id",
    "closed_at",
)


def write_queries(writer: SheetWriter, actor: int) -> None:
    """Comments on sheets in review: open ones on returned sheets, answered ones on some that came back."""
    copy_lines("survey_reviewquery", QUERY_COLUMNS, _queries(writer, actor))


def _queries(writer: SheetWriter, actor: int) -> Iterator[str]:
    members = writer.members
    for position in np.flatnonzero(
        np.isin(members.outcome, (outcomes.RETURNED, outcomes.SUBMITTED))
    ).tolist():
        key = int(writer.keys[1, position])
        decided = stamp(writer.decided_at[key])
        form = writer.forms[f"CAT{int(writer.category[position]):02d}"]
        queries = [(item, text) for item, text in QUERIES if item in form.items]
        if members.outcome[position] == outcomes.RETURNED:
            for step in range(1 + key % 2):
                item, text = queries[(key + step) % len(queries)]
                yield f"{key}\t{item}\t{text}\topen\t{actor}\t{decided}\t\tf\t\\N\t\\N\t\\N\t\\N"
        elif key % 6 == 0:
            item, text = queries[key % len(queries)]
            filed = stamp(writer.filed_at[key])
            yield (
                f"{key}\t{item}\t{text}\tanswered\t{actor}\t{filed}\t已按台账更正，并补充了系统清单。\tt\t\\N\t{filed}\t\\N\t\\N"
            )


def partial_answers(text: str, sections: tuple[str, ...]) -> str:
    """A sheet of which only the items of some sections are filled."""
    answers = json.loads(text)
    return canonical(
        {code: cell for code, cell in answers.items() if code.rstrip("0123456789abc") in sections}
    )


def keys_of(asked: Bools) -> Ints:
    """Keys of the submissions, (2, d): first the earlier round, then the later one."""
    keys = np.zeros(asked.shape, np.int64)
    first = int(asked[0].sum())
    keys[0, asked[0]] = np.arange(1, first + 1)
    keys[1, asked[1]] = np.arange(first + 1, first + 1 + int(asked[1].sum()))
    return keys
