"""Bulk acceptance: the transition table applied to sets of sheets.

``transition_many`` is the set version of ``transition``; a test accepts the same sheets both ways and compares
all written rows.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from config.monitoring.metrics import count_actions
from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission, Role
from survey.access.scope import Level, grants_with
from survey.classification import NATIONAL_CATEGORIES
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied, StaleRevision
from survey.microdata.models import Observation
from survey.microdata.projection import project as values_of
from survey.microdata.projection import reasons as reasons_of
from survey.microdata.projection import values_hash
from survey.microdata.selectors import CLASSIFICATION
from survey.microdata.services import classification_of, current_layout
from survey.microdata.variables import Variable
from survey.questionnaires.selectors import definition_for
from survey.review.bulk.models import BulkAcceptance, BulkMember
from survey.review.filters import QueueFilter
from survey.review.selectors import desk_of, matching, province_of
from survey.review.sheet.services import accept_reasons, count_unjudged
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.lifecycle.states import TRANSITIONS, Action, Owner, State
from survey.submissions.models import Filing, Submission

CHUNK = 2_000
ACTIONS = {State.SUBMITTED: Action.ACCEPT, State.NATIONAL_REVIEW: Action.ACCEPT_FINALLY}
# The policies of the two acceptances that ``acceptable`` implements in SQL. A new one must be added there.
_POLICIES_IN_SQL = {"not_own_sheet", "no_open_query"}
CHANGED = _("The sheets that match have changed since you saw the count. Look at the preview again.")


@dataclass(frozen=True, slots=True)
class Preview:
    """The preview of a bulk acceptance; ``mark`` is a checksum by which the confirmation detects changes."""

    round: CollectionRound
    setting: QueueFilter
    action: Action
    matched: int
    expected: int
    mark: str
    by_category: dict[str, int]
    by_region: dict[str, int]
    excluded: list[tuple[Any, int]]  # (sentence, how many): open comments, refused reasons, own sheets
    reasons: int  # without a verdict: they are accepted with their sheets
    ids: tuple[int, ...]


def action_of(user: User, setting: QueueFilter) -> tuple[State, Action]:
    """The state and acceptance of a filter. Raises PolicyDenied when the filter has not exactly one state."""
    desk = desk_of(user)
    states = setting.states(desk)
    if len(states) != 1 or not states <= desk:
        raise PolicyDenied(_("Only sheets that wait for your own decision can be accepted together."))
    (state,) = states
    return state, ACTIONS[state]


def acceptable(rows: "QuerySet[Submission]", action: Action, by: User) -> "QuerySet[Submission]":
    """The subset of sheets that ``transition`` and the rule on refused explanations would accept."""
    move = next(move for (_state, other), move in TRANSITIONS.items() if other is action)
    if set(move.policies) != _POLICIES_IN_SQL:
        raise NotImplementedError(f"policies of {action} changed: {move.policies}")
    states = [state.value for (state, other) in TRANSITIONS if other is action]
    visible = Submission.objects.visible_to(by, Permission(move.permission)).values("pk")
    rows = rows.filter(pk__in=visible, state__in=states, unexplained_count=0)
    if move.level is Owner.NATION:
        categories = national_categories(by, Permission(move.permission))
        rows = rows if "" in categories else rows.filter(unit__category__in=categories)
    else:
        rows = rows.exclude(unit__category__in=NATIONAL_CATEGORIES)
    return rows.filter(~Exists(_open_queries())).exclude(unit_id__in=_own_units(by))


def national_categories(by: User, permission: Permission) -> set[str]:
    """Categories of the national grants with a permission; "" for all."""
    return {grant.category for grant in grants_with(by, permission, Level.NATION)}


def _own_units(by: User) -> list[int]:
    return [
        grant.unit_id for grant in by.grants() if grant.unit_id is not None and grant.role == Role.RESPONDENT
    ]


def _open_queries() -> "QuerySet[ReviewQuery]":
    return ReviewQuery.objects.filter(submission=OuterRef("pk"), state=ReviewQuery.State.OPEN)


def preview(user: User, round_: CollectionRound, setting: QueueFilter) -> Preview:
    """Count the sheets that would be accepted. Raises PolicyDenied when the user does not decide on the filter."""
    state, action = action_of(user, setting)
    rows = matching(user, round_, setting.but(state=state.value))
    matched = rows.count()
    eligible = acceptable(rows, action, user).order_by("pk")
    sheets = list(eligible.values_list("pk", "revision", "unit__category", "unit__region__path"))
    own = rows.filter(unit_id__in=_own_units(user)).count() if _own_units(user) else 0
    with_comments = rows.filter(Exists(_open_queries())).count()
    refused = rows.filter(~Exists(_open_queries()), unexplained_count__gt=0).count()
    other = matched - len(sheets) - own - with_comments - refused
    reasons = [
        (_("with open comments"), with_comments),
        (_("with a refused explanation"), refused),
        (_("of your own unit"), own),
        (_("that you may not decide on"), max(other, 0)),
    ]
    return Preview(
        round_,
        setting,
        action,
        matched,
        len(sheets),
        _checksum((pk, revision) for pk, revision, *_rest in sheets),
        dict(sorted(Counter(row[2] for row in sheets).items())),
        dict(sorted(Counter(province_of(row[3]) for row in sheets).items())),
        [(sentence, count) for sentence, count in reasons if count],
        count_unjudged([row[0] for row in sheets]),
        tuple(row[0] for row in sheets),
    )


def _checksum(pairs: Iterable[tuple[int, int]]) -> str:
    """A checksum of the counted sheets and their revisions: 16 hexadecimal digits."""
    return sha256(";".join(f"{pk}:{revision}" for pk, revision in pairs).encode()).hexdigest()[:16]


@transaction.atomic
def bulk_accept(
    *,
    by: User,
    round: CollectionRound,
    setting: QueueFilter,
    expected: int,
    mark: str = "",
    channel: str = "page",
) -> BulkAcceptance:
    """Accept every sheet that matches and may be accepted, if they are still the ones that were previewed.

    ``expected`` is the count that was shown, ``mark`` the checksum of the preview (optional in the API). Raises
    PolicyDenied, StaleRevision; then nothing is accepted.
    """
    state, action = action_of(by, setting)
    setting = setting.but(state=state.value)
    rows = matching(by, round, setting)
    matched = rows.count()
    eligible = acceptable(rows, action, by).order_by("pk").values_list("pk", "revision")
    locked = list(eligible.select_for_update(of=("self",)))
    if not locked:
        raise PolicyDenied(_("No sheet of this filter can be accepted."))
    # A transaction that held a lock may have added a comment in another table: only a statement that begins
    # after all locks are acquired sees it.
    if len(locked) != expected or (mark and mark != _checksum(locked)) or list(eligible) != locked:
        raise StaleRevision(CHANGED)
    act = BulkAcceptance.objects.create(
        round=round,
        filter=setting.written(),
        expected=expected,
        accepted=len(locked),
        skipped=matched - len(locked),
        by=by,
        action=action.value,
        undo_until=clock.present() + timedelta(hours=settings.BULK_UNDO_HOURS),
    )
    ids = [pk for pk, _revision in locked]
    now = clock.present()
    reasons = accept_reasons(ids, by=by, at=now, channel=channel)
    transition_many(ids, action, by=by, reason=f"#{act.pk}", channel=channel, now=now)
    BulkMember.objects.bulk_create(
        (BulkMember(act=act, submission_id=pk, decided_at=now) for pk in ids), batch_size=CHUNK
    )
    audit.record(
        by=by,
        action="bulk_accept",
        subject=act,
        year=round.year,
        filter=act.filter,
        accepted=act.accepted,
        skipped=act.skipped,
        reasons=reasons,
        move=action.value,
        channel=channel,
    )
    return act


def transition_many(
    ids: list[int],
    action: Action,
    *,
    by: User,
    origin: State | None = None,
    reason: str = "",
    channel: str = "page",
    now: datetime,
) -> None:
    """Apply a transition to locked sheets that pass the policies: state, events, audit, observations.

    ``origin`` is required when the action starts from several states; ``now`` is the stored time.
    Raises StaleRevision when a sheet is no longer in the state that the action starts from.
    """
    (origin, move) = next(
        (state, move)
        for (state, other), move in TRANSITIONS.items()
        if other is action and origin in {None, state}
    )
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        values = {
            "ids": chunk,
            "origin": origin.value,
            "target": move.target.value,
            "now": now,
            "by": by.pk,
            "action": action.value,
            "reason": reason,
            "channel": channel,
            "decided": None if action is Action.UNDO_ACCEPT else now,
        }
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, values)
            if cursor.rowcount != len(chunk):
                raise StaleRevision(CHANGED)
            cursor.execute(_EVENTS, values)
        transaction.on_commit(partial(count_actions, action.value, len(chunk)), robust=True)
        audit.record_each(
            by=by, action=f"sheet_{action}", subject=Submission, at=now, rows=_AUDITED, params=values
        )
        if move.target is State.ACCEPTED:
            _project_many(chunk)


_MOVE = """
    UPDATE survey_submission
    SET state = %(target)s, decided_at = %(decided)s, updated_at = %(now)s,
        review_started_at = coalesce(review_started_at, %(now)s)
    WHERE id = ANY(%(ids)s) AND state = %(origin)s
"""
_EVENTS = """
    INSERT INTO survey_submissionevent
        (submission_id, at, actor_id, kind, action, item, old, new, revision, reason, channel)
    SELECT id, %(now)s, %(by)s, 'state', %(action)s, '', to_jsonb(%(origin)s::text),
           to_jsonb(%(target)s::text), revision, %(reason)s, %(channel)s
    FROM survey_submission WHERE id = ANY(%(ids)s) ORDER BY id
"""
_AUDITED = """
    SELECT sheet.id::text AS subject_id, region.path AS region_path,
           jsonb_build_object('channel', %(channel)s::text, 'old', %(origin)s::text, 'new', %(target)s::text,
                              'reason', %(reason)s::text, 'unit', unit.uscc, 'year', round.year,
                              'revision', sheet.revision) AS details
    FROM survey_submission sheet
    JOIN survey_reportingunit unit ON unit.id = sheet.unit_id
    JOIN survey_region region ON region.code = unit.review_region_id
    JOIN survey_collectionround round ON round.id = sheet.round_id
    WHERE sheet.id = ANY(%(ids)s) ORDER BY sheet.id
"""


def _project_many(ids: list[int]) -> None:
    """``survey.microdata.services.project`` for the latest filing of each sheet, in one INSERT per chunk."""
    layout = current_layout()
    variables = tuple(Variable.from_json(entry) for entry in layout.variables)
    filings = (
        Filing.objects.filter(submission_id__in=ids)
        .order_by("submission_id", "-number")
        .distinct("submission_id")
        .select_related("version", "submission__unit__region")
        .defer("version__document", "submission__answers", "submission__item_revisions", "explanations")
    )
    observations = []
    for filing in filings.iterator(chunk_size=CHUNK):
        facts = classification_of(filing)
        form = definition_for(filing.version)
        values = values_of(variables, form, filing.answers)
        observations.append(
            Observation(
                filing=filing,
                layout=layout,
                unit_id=filing.submission.unit_id,
                round_id=filing.submission.round_id,
                collected=values,
                reasons=reasons_of(variables, form, filing.answers),
                values_hash=values_hash(list(facts.values()), values),
                **facts,
            )
        )
    fields = ["layout", "unit", "round", *CLASSIFICATION, "collected", "reasons", "values_hash"]
    Observation.objects.bulk_create(
        observations, update_conflicts=True, unique_fields=["filing"], update_fields=fields
    )
