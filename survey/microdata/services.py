"""Changes of the microdata: project a filing, freeze a round."""

from functools import lru_cache
from itertools import batched
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from survey import audit
from survey.access.models import User
from survey.collection.models import CollectionRound
from survey.microdata import projection
from survey.microdata.models import (
    ItemResponse,
    MicrodataLayout,
    MicrodataVersion,
    Observation,
    RoundCoverage,
)
from survey.microdata.projection import Reason, layout_hash, layout_variables, values_hash
from survey.microdata.variables import Variable
from survey.questionnaires.loader import load_all
from survey.questionnaires.selectors import definition_for
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Filing

# The latest filing of every accepted sheet.
_ACCEPTED = """
    SELECT DISTINCT ON (filing.submission_id) filing.id AS filing_id, submission.unit_id
    FROM survey_filing filing JOIN survey_submission submission ON submission.id = filing.submission_id
    WHERE submission.round_id = %(round)s AND submission.state = 'accepted'
    ORDER BY filing.submission_id, filing.number DESC
"""


@lru_cache(maxsize=1)
def _current_variables() -> tuple[tuple[Variable, ...], str]:
    variables = layout_variables(load_all().values())
    return variables, layout_hash(variables)


def current_layout() -> MicrodataLayout:
    """The layout of the forms of this version of the program; created when first used."""
    variables, content_hash = _current_variables()
    layout, _ = MicrodataLayout.objects.get_or_create(
        content_hash=content_hash, defaults={"variables": [variable.to_json() for variable in variables]}
    )
    return layout


def classification_of(filing: Filing) -> dict[str, Any]:
    """The classification of the unit in the register, as stored with an observation."""
    unit = filing.submission.unit
    codes = unit.region.path.strip("/").split("/")
    return {
        "category": unit.category,
        "region": codes[1] if len(codes) > 1 else codes[0],
        "section": unit.section,
        "size_class": unit.size_class,
        "is_head_platform": unit.is_head_platform,
        "is_pilot_space": unit.is_pilot_space,
    }


def project(filing: Filing, layout: MicrodataLayout | None = None) -> Observation:
    """Store the observation of a filing. Idempotent."""
    layout = layout or current_layout()
    variables, form = _variables(layout), definition_for(filing.version)
    values = projection.project(variables, form, filing.answers)
    facts = classification_of(filing)
    observation, _ = Observation.objects.update_or_create(
        filing=filing,
        defaults={
            **facts,
            "layout": layout,
            "unit_id": filing.submission.unit_id,
            "round_id": filing.submission.round_id,
            "collected": values,
            "reasons": projection.reasons(variables, form, filing.answers),
            "values_hash": values_hash(list(facts.values()), values),
        },
    )
    return observation


def _variables(layout: MicrodataLayout) -> tuple[Variable, ...]:
    variables, content_hash = _current_variables()
    if layout.content_hash == content_hash:
        return variables
    return tuple(Variable.from_json(entry) for entry in layout.variables)


@transaction.atomic
def freeze_version(*, round: CollectionRound, by: User | None) -> MicrodataVersion:
    """Freeze the accepted sheets of a round. For unchanged data the existing version is returned.

    Accepted filings without an observation of the current layout are projected first. The content hash
    covers layout, units, values and the counts of tables 3 and 4; item response is counted with it.
    """
    # One freeze of a round at a time: two would take the same number.
    CollectionRound.objects.select_for_update().get(pk=round.pk)
    layout = current_layout()
    _project_missing(round, layout)
    size, content_hash = _content_hash(round, layout)
    existing = MicrodataVersion.objects.filter(round=round, content_hash=content_hash).first()
    if existing is not None:
        if not existing.item_responses.exists():  # frozen before item response was counted
            _count_responses(existing)
        return existing
    coverage = _coverage(round)
    number = (MicrodataVersion.objects.filter(round=round).aggregate(last=Max("number"))["last"] or 0) + 1
    version = MicrodataVersion.objects.create(
        round=round,
        number=number,
        layout=layout,
        size=size,
        content_hash=content_hash,
        frozen_by=by,
        filed_count=sum(row[3] for row in coverage),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO survey_microdatamember (version_id, observation_id)"  # noqa: S608 constant text
            f" SELECT %(version)s, filing_id FROM ({_ACCEPTED}) accepted ORDER BY unit_id",
            {"version": version.pk, "round": round.pk},
        )
    RoundCoverage.objects.bulk_create(
        RoundCoverage(
            version=version, category=category, region=region, is_city_bureau=city, filed=filed, valid=valid
        )
        for category, region, city, filed, valid in coverage
    )
    _count_responses(version)
    audit.record(
        by=by,
        action="freeze_microdata",
        subject=version,
        round=round.year,
        number=number,
        size=size,
        content_hash=content_hash,
    )
    return version


def _project_missing(round: CollectionRound, layout: MicrodataLayout) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT filing_id, o.filing_id IS NOT NULL AND o.layout_id = %(layout)s"  # noqa: S608 constant text
            f" FROM ({_ACCEPTED}) accepted LEFT JOIN survey_observation o USING (filing_id)"
            " WHERE o.filing_id IS NULL OR o.layout_id <> %(layout)s OR o.reasons IS NULL ORDER BY filing_id",
            {"round": round.pk, "layout": layout.pk},
        )
        missing = dict(cursor.fetchall())
    filings = Filing.objects.select_related("version", "submission__unit__region").defer("version__document")
    for chunk in batched(missing, 500, strict=False):
        for filing in filings.filter(pk__in=chunk):
            if missing[filing.pk]:
                _store_reasons(filing, layout)
            else:
                project(filing, layout)


def _store_reasons(filing: Filing, layout: MicrodataLayout) -> None:
    """Store the reasons of an observation that was created without them; values and classification are unchanged."""
    reasons = projection.reasons(_variables(layout), definition_for(filing.version), filing.answers)
    Observation.objects.filter(filing=filing).update(reasons=reasons)


def _count_responses(version: MicrodataVersion) -> None:
    """Count the item response of a frozen set by category."""
    variables = _variables(version.layout)
    packed: dict[str, bytearray] = {}
    members = Observation.objects.filter(pk__in=version.members.values("observation_id"))
    rows = members.exclude(reasons=None).values_list("category", "reasons").iterator(chunk_size=5000)
    for category, reasons in rows:
        packed.setdefault(category, bytearray()).extend(reasons or b"")
    zeros = _zeros(version)
    ItemResponse.objects.bulk_create(
        ItemResponse(
            version=version,
            category=category,
            variable=variable.code,
            answered=count[Reason.VALUE],
            # Amounts that do not apply are stored as 0, too: only answered zeros are counted.
            zero=zeros.get((category, position), 0)
            - (count[Reason.NOT_APPLICABLE] + count[Reason.NOT_ASKED]) * variable.is_amount,
            not_applicable=count[Reason.NOT_APPLICABLE],
            unknown=count[Reason.UNKNOWN],
            blank=count[Reason.BLANK],
            not_asked=count[Reason.NOT_ASKED],
            not_computed=count[Reason.NOT_COMPUTED],
        )
        for category, data in sorted(packed.items())
        for position, variable in enumerate(variables)
        if not (count := _counted(data[position :: len(variables)]))[Reason.NOT_ON_FORM]
    )


def _counted(codes: bytearray) -> dict[Reason, int]:
    return {reason: codes.count(reason) for reason in Reason}


def _zeros(version: MicrodataVersion) -> dict[tuple[str, int], int]:
    """Numbers of zeros among the collected values, by category and index in the layout."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.category, value.place, count(*) FROM survey_microdatamember m"
            " JOIN survey_observation o ON o.filing_id = m.observation_id"
            " CROSS JOIN LATERAL unnest(o.collected) WITH ORDINALITY AS value(number, place)"
            " WHERE m.version_id = %s AND value.number = 0 GROUP BY 1, 2",
            [version.pk],
        )
        return {(category, position - 1): count for category, position, count in cursor.fetchall()}


def _content_hash(round: CollectionRound, layout: MicrodataLayout) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), encode(sha256((%(layout)s || coalesce(string_agg("  # noqa: S608 constant text
            "   accepted.unit_id || ':' || o.values_hash, '|' ORDER BY accepted.unit_id), '')"
            "   || %(coverage)s)::bytea), 'hex')"
            f" FROM ({_ACCEPTED}) accepted JOIN survey_observation o USING (filing_id)",
            {"layout": layout.content_hash, "round": round.pk, "coverage": str(_coverage(round))},
        )
        size, content_hash = cursor.fetchone()
    return int(size), str(content_hash)


def _coverage(round: CollectionRound) -> list[tuple[str, str, bool, int, int]]:
    """(category, province, bureau of a separately planned city, filed, valid) of every cell that is not empty.

    Sheets that are still under review at the freeze are neither valid nor invalid and do not count.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT unit.category, coalesce(nullif(split_part(region.path, '/', 2), ''), region.code) AS province,
                   unit.category = 'CAT02' AND division.level = 2 AS city,
                   count(*), count(*) FILTER (WHERE submission.state = %(accepted)s)
            FROM survey_submission submission
            JOIN survey_reportingunit unit ON unit.id = submission.unit_id
            JOIN survey_region region ON region.code = unit.region_id
            LEFT JOIN survey_region division ON division.code = unit.division_code
            WHERE submission.round_id = %(round)s AND submission.state = ANY(%(decided)s)
            GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """,
            {
                "round": round.pk,
                "accepted": State.ACCEPTED.value,
                "decided": [State.ACCEPTED.value, State.INVALIDATED.value],
            },
        )
        return [
            (category, province, bool(city), filed, valid)
            for category, province, city, filed, valid in cursor.fetchall()
        ]
