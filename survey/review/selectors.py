"""The review queue: states to decide on, counts by filter, a page of rows, the neighbours of a sheet."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FloatField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    SmallIntegerField,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import get_language

from survey.access.models import User
from survey.access.roles import Permission
from survey.access.scope import Level, acts_at, grants_with
from survey.classification import NATION, entries, name_of
from survey.collection.models import CollectionRound
from survey.review.filters import AGAIN, EFFECTS, FINDINGS, QUERIES, QueueFilter
from survey.review.scores.limits import MOVES
from survey.review.scores.models import ItemScore
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Filing, Submission

PAGE_SIZE = 50
# Ordering by size of change reads answers; above this many sheets the filter has to be narrowed first.
CHANGE_LIMIT = 3_000
# The main items whose change against last year is shown (levels of production, stock, flow, use).
MAIN_ITEMS = ["P01", "S02", "F01", "D01", "MG02", "MO01", "MP04", "MX01", "MS01", "MU02"]
DIMENSIONS = ("state", "category", "region", "findings", "queries", "again", "effect")

type Cube = list[tuple[tuple[str, ...], int]]


def desk_of(user: User) -> frozenset[State]:
    """The states that this user decides on: those of the province, of the nation, or none."""
    return frozenset(
        State.NATIONAL_REVIEW if acts_at(grant, Level.NATION) else State.SUBMITTED
        for grant in grants_with(user, Permission.REVIEW, Level.REGION)
    )


def rounds() -> list[CollectionRound]:
    """Every round that has opened, newest first."""
    return list(CollectionRound.objects.exclude(state=CollectionRound.State.PLANNED))


def round_of(setting: QueueFilter, candidates: list[CollectionRound]) -> CollectionRound | None:
    """The round that the filter names, else the open one, else the newest."""
    for round_ in candidates:
        if setting.year and str(round_.year) == setting.year:
            return round_
    is_open = [round_ for round_ in candidates if round_.state == CollectionRound.State.OPEN]
    return next(iter(is_open or candidates), None)


def named_round(year: str) -> CollectionRound | None:
    """The round that a program names: of this year, or of no particular one. None when there is none."""
    candidates = rounds()
    if year:
        return next((round_ for round_ in candidates if str(round_.year) == year), None)
    return round_of(QueueFilter(), candidates)


def province_of(path: str) -> str:
    """The province in the path of a region: ``000000/320000/320200/`` gives 320000."""
    codes = path.strip("/").split("/")
    return codes[1] if len(codes) > 1 else codes[0]


def region_name(code: str) -> str:
    """The name of a region in the language of the request."""
    return name_of("regions", code, get_language() or "")


def province_above(code: str) -> str:
    """The province of a region by the code list: a separately planned city gives its province."""
    parent = next((entry.parent for entry in entries("regions") if entry.code == code), "")
    return parent if parent and parent != NATION else code


def _base(user: User, round_: CollectionRound, setting: QueueFilter) -> "QuerySet[Submission]":
    rows = Submission.objects.visible_to(user, Permission.VIEW_SHEETS).filter(round=round_)
    text = setting.search
    if not text:
        return rows
    condition = Q(unit__name__icontains=text)
    if text.isascii() and text.isalnum():
        condition |= Q(unit__uscc__startswith=text.upper())
    return rows.filter(condition)


def _flagged(rows: "QuerySet[Submission]") -> "QuerySet[Submission]":
    """Annotates flags as indexes into FINDINGS, QUERIES, AGAIN and EFFECTS: small integers group quickly."""
    queries = ReviewQuery.objects.filter(submission=OuterRef("pk"))
    again = Filing.objects.filter(submission=OuterRef("pk"), number__gt=1)
    return rows.annotate(
        findings=_first((Q(unexplained_count__gt=0), 2), (Q(soft_count__gt=0), 1)),
        query_state=_first(
            (Exists(queries.filter(state=ReviewQuery.State.OPEN)), 1),
            (Exists(queries.filter(state=ReviewQuery.State.ANSWERED)), 2),
        ),
        again=_first((Exists(again), 1)),
        effect=_first((Q(score__has_slip=True), 2), (Q(score__reach__gte=MOVES), 1)),
    )


def _first(*conditions: tuple[Any, int]) -> Case:
    cases = (When(condition, then=Value(index)) for condition, index in conditions)
    return Case(*cases, default=Value(0), output_field=SmallIntegerField())


def cube(user: User, round_: CollectionRound, setting: QueueFilter) -> Cube:
    """Counts of sheets by every filter dimension at once (one GROUP BY), after the search only.

    A cell is (values in the order of DIMENSIONS, count).
    """
    flagged: Any = _flagged(_base(user, round_, setting))
    rows = (
        flagged.values_list(
            "state", "unit__category", "unit__region_id", "findings", "query_state", "again", "effect"
        )
        .annotate(size=Count("pk"))
        .order_by()
    )
    return [
        (
            (
                state,
                category,
                province_above(region),
                FINDINGS[findings],
                QUERIES[queries],
                AGAIN[again],
                EFFECTS[effect],
            ),
            size,
        )
        for state, category, region, findings, queries, again, effect, size in rows
    ]


def counts(cells: Cube, setting: QueueFilter, desk: frozenset[State]) -> tuple[dict[str, Counter[str]], int]:
    """For each dimension the counts under all *other* filters, and the total under all of them."""
    allowed: list[frozenset[str] | None] = [frozenset(state.value for state in setting.states(desk))]
    for name in DIMENSIONS[1:]:
        value = getattr(setting, name)
        allowed.append(frozenset({value}) if value else None)
    facets: dict[str, Counter[str]] = {name: Counter() for name in DIMENSIONS}
    total = 0
    for values, size in cells:
        failing = [
            index
            for index, value in enumerate(values)
            if (choices := allowed[index]) is not None and value not in choices
        ]
        if not failing:
            total += size
            for name, value in zip(DIMENSIONS, values, strict=True):
                facets[name][value] += size
        elif len(failing) == 1:
            facets[DIMENSIONS[failing[0]]][values[failing[0]]] += size
    return facets, total


def matching(user: User, round_: CollectionRound, setting: QueueFilter) -> "QuerySet[Submission]":
    """The sheets of the queue, unordered; bulk acceptance uses the same set."""
    states = [state.value for state in setting.states(desk_of(user))]
    rows = _base(user, round_, setting).filter(state__in=states)
    if setting.category:
        rows = rows.filter(unit__category=setting.category)
    if setting.region:
        prefix = f"{NATION}/" if setting.region == NATION else f"{NATION}/{setting.region}/"
        rows = rows.filter(unit__region__path__startswith=prefix)
        rows = rows.filter(unit__region_id=NATION) if setting.region == NATION else rows
    flags = (
        ("findings", setting.findings, FINDINGS),
        ("query_state", setting.queries, QUERIES),
        ("again", setting.again, AGAIN),
        ("effect", setting.effect, EFFECTS),
    )
    conditions = {name: options.index(value) for name, value, options in flags if value}
    return _flagged(rows).filter(**conditions) if conditions else rows


_OLDEST: tuple[tuple[str, bool], ...] = (("filed_at", False), ("pk", False))
_KEYS: dict[str, tuple[tuple[str, bool], ...]] = {
    "score": (("rank", True), *_OLDEST),
    "oldest": _OLDEST,
    "findings": (("unexplained_count", True), ("soft_count", True), *_OLDEST),
}


def _ordered(rows: "QuerySet[Submission]", order: str, *, backwards: bool = False) -> "QuerySet[Submission]":
    """In the given order, or in its exact reverse; sheets that were never filed come last (first in reverse)."""
    rows = _ranked(rows)
    ends: dict[str, Any] = {"nulls_first": True} if backwards else {"nulls_last": True}
    return rows.order_by(
        *(
            F(name).desc(**ends) if down != backwards else F(name).asc(**ends)
            for name, down in _KEYS.get(order, _OLDEST)
        )
    )


def _ranked(rows: "QuerySet[Submission]") -> "QuerySet[Submission]":
    """Annotates ``rank``, the score; sheets that the latest run has not scored come last."""
    ranked: Any = rows.annotate(rank=Coalesce(F("score__value"), Value(-1.0), output_field=FloatField()))
    result: QuerySet[Submission] = ranked
    return result


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of the queue with its filter and counts."""

    round: CollectionRound
    setting: QueueFilter
    desk: frozenset[State]
    page: "Page[Any]"
    facets: dict[str, Counter[str]]
    total: int
    change_refused: bool  # ordering by change was requested but too many sheets match

    @property
    def is_own_desk(self) -> bool:
        """True when every sheet of this filter waits for this user's decision."""
        states = self.setting.states(self.desk)
        return bool(states) and states <= self.desk and len(states) == 1


def queue(user: User, round_: CollectionRound, setting: QueueFilter, number: Any = 1) -> Queue:
    """One page of the sheets that match, in the given order; four queries for any number of sheets."""
    desk = desk_of(user)
    facets, total = counts(cube(user, round_, setting), setting, desk)
    rows = matching(user, round_, setting)
    refused = setting.order == "change" and total > CHANGE_LIMIT
    if setting.order == "change" and not refused:
        ids: Any = _by_change(rows, round_)
    else:
        ids = _ordered(rows, setting.order).values_list("pk", flat=True)
    paginator = Paginator(ids, PAGE_SIZE)
    paginator.count = total
    page = paginator.get_page(number)
    page.object_list = _rows(list(page.object_list), round_)
    return Queue(round_, setting, desk, page, facets, total, refused)


def _rows(ids: list[int], round_: CollectionRound) -> list[Submission]:
    queries = ReviewQuery.objects.filter(submission=OuterRef("pk"))
    by_pk = (
        Submission.objects.filter(pk__in=ids)
        .select_related("unit__region", "score")
        .prefetch_related(Prefetch("score__items", ItemScore.objects.filter(rank=1)))
        .defer("answers", "item_revisions", "signatories")
        .annotate(
            open_queries=_number_of(queries.filter(state=ReviewQuery.State.OPEN)),
            answered_queries=_number_of(queries.filter(state=ReviewQuery.State.ANSWERED)),
            filing_count=_number_of(Filing.objects.filter(submission=OuterRef("pk"))),
        )
        .in_bulk()
    )
    changes = changes_of(ids, round_)
    rows: list[Any] = [by_pk[pk] for pk in ids if pk in by_pk]
    for row in rows:
        row.change = changes.get(row.pk)
    return rows


def _number_of(rows: "QuerySet[Any]") -> Coalesce:
    counted = rows.order_by().values("submission").annotate(size=Count("pk")).values("size")
    return Coalesce(Subquery(counted), 0)


def changes_of(ids: Iterable[int], round_: CollectionRound) -> dict[int, float]:
    """Largest change of a main item against last year's accepted sheet, as this year over last year.

    The ratio furthest from 1 in logarithms is returned; sheets without a pair of positive values are absent.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (now.id) now.id, (this_year.value / last_year.value)::float8
            FROM survey_submission now
            JOIN survey_collectionround last ON last.year = %(year)s
            JOIN survey_submission before
              ON before.unit_id = now.unit_id AND before.round_id = last.id AND before.state = 'accepted'
            CROSS JOIN unnest(%(items)s::text[]) AS item
            CROSS JOIN LATERAL (SELECT (now.answers #>> ARRAY[item, 'value'])::numeric AS value) this_year
            CROSS JOIN LATERAL (SELECT (before.answers #>> ARRAY[item, 'value'])::numeric AS value) last_year
            WHERE now.id = ANY(%(ids)s) AND this_year.value > 0 AND last_year.value > 0
            ORDER BY now.id, abs(ln(this_year.value / last_year.value)) DESC
            """,
            {"year": round_.year - 1, "items": MAIN_ITEMS, "ids": list(ids)},
        )
        return dict(cursor.fetchall())


def _by_change(rows: "QuerySet[Submission]", round_: CollectionRound) -> list[int]:
    ids = list(_ordered(rows, "oldest").values_list("pk", flat=True))
    changes = changes_of(ids, round_)
    size = {pk: max(ratio, 1 / ratio) for pk, ratio in changes.items()}
    return sorted(ids, key=lambda pk: -size.get(pk, 0.0))  # stable: equal changes stay oldest first


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The sheets before and after one sheet in a queue; None at the ends."""

    previous: int | None
    next: int | None


def neighbours(user: User, setting: QueueFilter, submission: Submission) -> Neighbours:
    """The neighbours of a sheet in the queue, also of one that has just left it."""
    rows = matching(user, submission.round, setting).exclude(filed_at=None).exclude(pk=submission.pk)
    if setting.order == "change" and rows.count() <= CHANGE_LIMIT:
        return _among([*_by_change(rows, submission.round)], submission)
    _set_rank(submission)
    rows = _ranked(rows)
    return Neighbours(
        _ordered(rows.filter(_beyond(submission, setting.order, -1)), setting.order, backwards=True)
        .values_list("pk", flat=True)
        .first(),
        _ordered(rows.filter(_beyond(submission, setting.order, 1)), setting.order)
        .values_list("pk", flat=True)
        .first(),
    )


def _among(ids: list[int], submission: Submission) -> Neighbours:
    size = {pk: max(ratio, 1 / ratio) for pk, ratio in changes_of(ids, submission.round).items()}
    own = changes_of([submission.pk], submission.round).get(submission.pk)
    own_size = max(own, 1 / own) if own else 0.0
    before = [pk for pk in ids if size.get(pk, 0.0) >= own_size]
    after = ids[len(before) :]
    return Neighbours(before[-1] if before else None, after[0] if after else None)


def _set_rank(submission: Any) -> None:
    """Give a sheet the rank that it has in the queue."""
    score = getattr(submission, "score", None)
    submission.rank = -1.0 if score is None else score.value


def _beyond(submission: Submission, order: str, direction: int) -> Q:
    """Rows that come after (1) or before (-1) this one: the key tuple compared column by column."""
    beyond, equal = Q(), Q()
    for name, down in _KEYS.get(order, _OLDEST):
        value = getattr(submission, name)
        sign = "lt" if down == (direction > 0) else "gt"
        beyond |= equal & Q(**{f"{name}__{sign}": value})
        equal &= Q(**{name: value})
    return beyond
