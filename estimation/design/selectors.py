"""Reads of the sample design of a round, also as arrays."""

import numpy as np
from django.db import connection

from estimation.design.models import SampleDesign, Stratum
from estimation.design.strata import CATEGORIES, KINDS, REGIONS, SECTIONS, SIZES, Bools, Ints, Strata
from survey.collection.models import CollectionRound


def latest_design(round: CollectionRound) -> SampleDesign | None:
    """The design that a new run of the round uses."""
    return SampleDesign.objects.filter(round=round).order_by("-number").first()


def strata_of(design: SampleDesign) -> Strata:
    """The strata of a design in ascending order of their key."""
    rows = list(
        Stratum.objects.filter(design=design)
        .order_by("pk")
        .values_list("pk", "kind", "category", "region", "section", "size", "population", "take_all")
    )
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    place = _place
    return Strata(
        id=np.array(columns[0], dtype=np.int64),
        kind=place(columns[1], KINDS),
        category=place(columns[2], CATEGORIES, first=1),
        region=place(columns[3], REGIONS),
        section=place(columns[4], SECTIONS),
        size=place(columns[5], SIZES),
        population=np.array(columns[6], dtype=np.float64),
        take_all=np.array(columns[7], dtype=bool),
    )


def _place(codes: tuple[str, ...], known: tuple[str, ...], first: int = 0) -> Ints:
    table = {code: number for number, code in enumerate(known, start=first)}
    return np.array([table.get(code, -1) for code in codes], dtype=np.int64)


def selection_of(design: SampleDesign) -> tuple[Ints, Ints, Bools]:
    """Drawn units in ascending order: unit, stratum key, founded in the survey year or later; (m,) each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.unit_id, s.stratum_id, coalesce(u.founded_on >= make_date(%s, 1, 1), false)"
            " FROM estimation_selectedunit s JOIN survey_reportingunit u ON u.id = s.unit_id"
            " WHERE s.design_id = %s ORDER BY s.unit_id",
            [design.round.year, design.pk],
        )
        rows = cursor.fetchall()
    if not rows:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool)
    unit, stratum, newly = zip(*rows, strict=True)
    return np.array(unit, np.int64), np.array(stratum, np.int64), np.array(newly, bool)
