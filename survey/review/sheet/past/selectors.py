"""The history of an item of a unit: rounds, filed versions, events, comments."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from survey.questionnaires.definition import Item
from survey.review.sheet.selectors import Thread, threads_of
from survey.submissions.comments.selectors import queries_of
from survey.submissions.models import Filing, Submission, SubmissionEvent
from survey.submissions.page.figures import answer_number, shown

LATEST = 200


@dataclass(frozen=True, slots=True)
class Version:
    """The answer in one filed version; ``change`` is relative to the preceding version."""

    year: int
    number: int
    filed_at: Any
    state: str
    value: str
    change: Decimal | None


@dataclass(frozen=True, slots=True)
class Past:
    """The history of an item of a unit."""

    rounds: list[Version]  # the latest filing of every year, newest first
    versions: list[Version]  # every filing of this round, newest first
    events: list[SubmissionEvent]
    threads: list[Thread]


def of_item(submission: Submission, item: Item) -> Past:
    """The history of an item, including the unit's filings of other years."""
    filings = list(
        Filing.objects.filter(submission__unit_id=submission.unit_id, submission__filed_at__isnull=False)
        .select_related("submission__round")
        .defer("explanations", "submission__answers", "submission__item_revisions")
        .order_by("submission__round__year", "number")
    )
    latest = {filing.submission.round.year: filing for filing in filings}
    current_filings = [filing for filing in filings if filing.submission_id == submission.pk]
    events = submission.events.filter(item__startswith=item.code).select_related("actor").order_by("-pk")
    own = [event for event in events[:LATEST] if event.item.split("/", 1)[0] == item.code]
    queries = [q for q in queries_of(submission) if q.item.split("/", 1)[0] == item.code]
    return Past(
        _versions(list(latest.values()), item),
        _versions(current_filings, item),
        own,
        threads_of(submission, queries),
    )


def _versions(filings: list[Filing], item: Item) -> list[Version]:
    rows: list[Version] = []
    before: Decimal | None = None
    for filing in filings:
        cell = filing.answers.get(item.code)
        now = answer_number(item, cell)
        change = (now - before) / abs(before) if now is not None and before else None
        rows.append(
            Version(
                filing.submission.round.year,
                filing.number,
                filing.filed_at,
                filing.submission.state,
                shown(item, cell),
                change,
            )
        )
        before = now
    return rows[::-1]
