"""The strata of a design and the drawn sample as arrays, as the computation reads them."""

from dataclasses import dataclass

import numpy as np
from django.db import connection

from estimation.design.models import SampleDesign, Stratum
from estimation.design.strata import KINDS, Strata
from estimation.methods.arrays import Bools, Ints
from survey.classification import CATEGORIES, REGIONS, SECTIONS, SIZES


def strata_of(design: SampleDesign) -> Strata:
    """The strata of a design in ascending order of their key; the counts by region are still zero."""
    rows = list(
        Stratum.objects.filter(design=design)
        .order_by("pk")
        .values_list("pk", "kind", "category", "region", "section", "size", "population", "take_all")
    )
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    indices = index_of
    return Strata(
        id=np.array(columns[0], dtype=np.int64),
        kind=indices(columns[1], KINDS),
        category=indices(columns[2], CATEGORIES, first=1),
        region=indices(columns[3], REGIONS),
        section=indices(columns[4], SECTIONS),
        size=indices(columns[5], SIZES),
        population=np.array(columns[6], dtype=np.float64),
        take_all=np.array(columns[7], dtype=bool),
        by_region=np.zeros((len(rows), len(REGIONS))),
    )


def index_of(codes: tuple[str, ...], codelist: tuple[str, ...], first: int = 0) -> Ints:
    table = {code: number for number, code in enumerate(codelist, start=first)}
    return np.array([table.get(code, -1) for code in codes], dtype=np.int64)


@dataclass(frozen=True)
class Selection:
    """Drawn units in ascending order, (m,) each.

    stratum : key of the stratum; region : index of the region in which it was drawn, -1 unknown; newly_founded : in
    the survey year or later
    """

    unit: Ints
    stratum: Ints
    region: Ints
    newly_founded: Bools

    def rows_of(self, unit: Ints) -> Ints:
        """Position of each of the units in this selection, -1 for a unit that was not drawn."""
        if not len(self.unit):
            return np.full(len(unit), -1, dtype=np.int64)
        position = np.clip(np.searchsorted(self.unit, unit), 0, len(self.unit) - 1)
        return np.where(self.unit[position] == unit, position, -1)


def selection_of(design: SampleDesign) -> Selection:
    """The drawn units. The database packs the rows into one value: reading 50,000 single rows is slower."""
    row = np.dtype([("unit", ">i8"), ("stratum", ">i8"), ("region", ">i8")])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(int8send(unit_id) || int8send(stratum_id)"
            " || int8send(coalesce(nullif(region, '')::int8, 0)), ''::bytea)"
            " FROM estimation_selectedunit WHERE design_id = %s",
            [design.pk],
        )
        rows = np.frombuffer(cursor.fetchone()[0] or b"", dtype=row)
        cursor.execute(
            "SELECT s.unit_id FROM survey_reportingunit u JOIN estimation_selectedunit s ON s.unit_id = u.id"
            " WHERE u.founded_on >= make_date(%s, 1, 1) AND s.design_id = %s",
            [design.round.year, design.pk],
        )
        newly = np.array([unit for (unit,) in cursor.fetchall()], np.int64)
    rows = rows[np.argsort(rows["unit"])]
    unit, region = rows["unit"].astype(np.int64), rows["region"].astype(np.int64)
    codes = np.array([int(code) for code in REGIONS])
    position = np.minimum(np.searchsorted(codes, region), len(codes) - 1)
    return Selection(
        unit,
        rows["stratum"].astype(np.int64),
        np.where(codes[position] == region, position, -1),
        np.isin(unit, newly),
    )
