"""Exchange with the estimation: undecided sheets to score, and the scores and totals that it returns.

The estimation reads the undecided sheets as numbers, computes the effect of each on the totals, and stores the
result through ``receive_scores`` and ``receive_background``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction

from survey.collection.models import CollectionRound, Disposition
from survey.microdata import projection
from survey.microdata.models import MicrodataLayout
from survey.microdata.services import classification_of
from survey.microdata.variables import Variable
from survey.questionnaires.selectors import definition_for
from survey.review.scores.limits import UNUSUAL, province_code
from survey.review.scores.models import (
    ExpectedShare,
    ItemScore,
    PeerQuantiles,
    SamplingError,
    SheetScore,
    TotalCell,
)
from survey.submissions.lifecycle.states import EDITABLE
from survey.submissions.models import Filing, Submission

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Undecided:
    """One filed sheet that waits for a decision, as numbers in the order of a microdata layout."""

    submission: int
    filing_number: int
    unit: int
    category: str
    region: str
    section: str
    size_class: str
    values: list[float]


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """One item of a scored sheet; the fields of ``ItemScore``."""

    item: str
    value: float
    expected: float
    source: str
    suspicion: float
    national: float | None
    regional: float | None
    slip_base: int = 0
    slip_power: int = 0


@dataclass(frozen=True, slots=True)
class ScoredSheet:
    """One scored sheet; ``items`` come in the order of their part in the score."""

    submission: int
    filing_number: int
    value: float
    stratum: str
    region: str
    population: float
    respondents: int
    amounts: dict[str, float] = field(default_factory=dict)
    items: tuple[ScoredItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Unfiled:
    """A unit that has not filed, with the fields that determine its class."""

    submission: int
    unit: int
    category: str
    region: str
    section: str


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected contribution of such a unit in the item where it is largest."""

    submission: int
    item: str
    expected: float
    source: str
    national: float
    regional: float | None


# Data for the estimation ------------------------------------------------------------------------
_UNSCORED = """
    SELECT sheet.id FROM survey_submission sheet
    JOIN LATERAL (
        SELECT max(number) AS number FROM survey_filing WHERE submission_id = sheet.id
    ) latest ON latest.number IS NOT NULL
    LEFT JOIN survey_sheetscore score ON score.submission_id = sheet.id
    WHERE sheet.round_id = %(round)s AND sheet.state IN ('submitted', 'national_review')
      AND (score.submission_id IS NULL OR score.run <> %(run)s OR score.filing_number <> latest.number)
    ORDER BY sheet.id
"""


def unscored(round_: CollectionRound, run: int) -> list[int]:
    """Undecided sheets whose latest filing this run has not scored."""
    with connection.cursor() as cursor:
        cursor.execute(_UNSCORED, {"round": round_.pk, "run": run})
        return [row[0] for row in cursor.fetchall()]


def unfiled(round_: CollectionRound) -> list[Unfiled]:
    """Every eligible unit of a round whose sheet is not filed, in the whole country."""
    rows = Submission.objects.filter(
        round=round_, state__in=EDITABLE, assignment__disposition=Disposition.ELIGIBLE
    ).values_list("pk", "unit_id", "unit__category", "unit__region__path", "unit__section")
    return [
        Unfiled(pk, unit, category, province_code(path), section)
        for pk, unit, category, path, section in rows.order_by("pk")
    ]


def background_run(round_: CollectionRound) -> int | None:
    """The run whose peers and totals are stored for a round."""
    cell = TotalCell.objects.filter(round=round_).only("run").first()
    return cell.run if cell else None


def undecided(ids: Sequence[int], layout: MicrodataLayout) -> Iterator[Undecided]:
    """The latest filings of these sheets, projected as acceptance would project them."""
    variables = tuple(Variable.from_json(entry) for entry in layout.variables)
    for start in range(0, len(ids), CHUNK):
        filings = (
            Filing.objects.filter(submission_id__in=ids[start : start + CHUNK])
            .order_by("submission_id", "-number")
            .distinct("submission_id")
            .select_related("version", "submission__unit__region")
            .defer("version__document", "submission__answers", "submission__item_revisions", "explanations")
        )
        for filing in filings:
            facts = classification_of(filing)
            yield Undecided(
                submission=filing.submission_id,
                filing_number=filing.number,
                unit=filing.submission.unit_id,
                category=facts["category"],
                region=facts["region"],
                section=facts["section"],
                size_class=facts["size_class"],
                values=projection.project(variables, definition_for(filing.version), filing.answers),
            )


# Results of the estimation ------------------------------------------------------------------------
@transaction.atomic
def receive_scores(*, run: int, sheets: Iterable[ScoredSheet]) -> int:
    """Replace the scores of these sheets. Sheets that were decided meanwhile are skipped."""
    by_submission = {sheet.submission: sheet for sheet in sheets}
    still = set(
        Submission.objects.filter(pk__in=by_submission, state__in=["submitted", "national_review"])
        .select_for_update(of=("self",), skip_locked=True)
        .values_list("pk", flat=True)
    )
    SheetScore.objects.filter(pk__in=still).delete()
    rows, items = [], []
    for sheet in (by_submission[pk] for pk in sorted(still)):
        row = _row(sheet, run)
        rows.append(row)
        items += [
            ItemScore(
                sheet=row,
                item=scored.item,
                rank=rank,
                value=scored.value,
                expected=scored.expected,
                source=scored.source,
                suspicion=scored.suspicion,
                national=scored.national,
                regional=scored.regional,
                slip_base=scored.slip_base,
                slip_power=scored.slip_power,
            )
            for rank, scored in enumerate(sheet.items, start=1)
        ]
    SheetScore.objects.bulk_create(rows, batch_size=CHUNK)
    ItemScore.objects.bulk_create(items, batch_size=CHUNK)
    return len(rows)


def _row(sheet: ScoredSheet, run: int) -> SheetScore:
    unusual = [scored for scored in sheet.items if scored.suspicion >= UNUSUAL]
    shares = [
        abs(share) for scored in unusual for share in (scored.national, scored.regional) if share is not None
    ]
    return SheetScore(
        submission_id=sheet.submission,
        filing_number=sheet.filing_number,
        run=run,
        value=sheet.value,
        reach=max(shares, default=0.0),
        has_slip=any(scored.slip_base for scored in sheet.items),
        stratum=sheet.stratum,
        region=sheet.region,
        population=sheet.population,
        respondents=sheet.respondents,
        amounts=sheet.amounts,
    )


@transaction.atomic
def receive_background(
    *,
    round_: CollectionRound,
    run: int,
    peers: Iterable[tuple[str, str, int, Sequence[float]]],
    cells: Iterable[tuple[str, str, float, int, dict[str, float]]],
    errors: Iterable[tuple[str, str, float]],
) -> None:
    """Replace the peer quantiles, total cells and sampling errors of a round.

    peers : group, item, size, five quantiles; cells : stratum, region, N, n, sums; errors : region ("" the nation), item,
    relative standard error of the total, positive
    """
    PeerQuantiles.objects.filter(round=round_).delete()
    TotalCell.objects.filter(round=round_).delete()
    SamplingError.objects.filter(round=round_).delete()
    SamplingError.objects.bulk_create(
        SamplingError(round=round_, run=run, region=region, item=item, relative=relative)
        for region, item, relative in errors
    )
    PeerQuantiles.objects.bulk_create(
        (
            PeerQuantiles(round=round_, run=run, group=group, item=item, size=size, quantiles=list(values))
            for group, item, size, values in peers
        ),
        batch_size=CHUNK,
    )
    TotalCell.objects.bulk_create(
        (
            TotalCell(
                round=round_,
                run=run,
                stratum=stratum,
                region=region,
                population=population,
                respondents=respondents,
                sums=sums,
            )
            for stratum, region, population, respondents, sums in cells
        ),
        batch_size=CHUNK,
    )


@transaction.atomic
def receive_expected(*, round_: CollectionRound, run: int, shares: Iterable[Expected]) -> None:
    """Replace the expected contributions of the units that have not filed in a round."""
    ExpectedShare.objects.filter(round=round_).delete()
    ExpectedShare.objects.bulk_create(
        (
            ExpectedShare(
                submission_id=share.submission,
                round=round_,
                run=run,
                item=share.item,
                expected=share.expected,
                source=share.source,
                national=share.national,
                regional=share.regional,
            )
            for share in shares
        ),
        batch_size=CHUNK,
    )
