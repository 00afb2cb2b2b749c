"""Microdata and design as arrays: binary rows are decoded here and strings become integer codes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from estimation.design.drawn.selectors import Selection, selection_of, strata_of
from estimation.design.models import SampleDesign
from estimation.design.strata import Strata, counted_by_region
from estimation.methods.arrays import Floats, Ints
from estimation.runs.compute.arrays import Item, Year
from survey.classification import CATEGORIES, REGIONS, SECTIONS
from survey.microdata.columns import selectors as microdata
from survey.microdata.models import MicrodataVersion
from survey.microdata.variables import Variable

_SMALL = 2  # small and micro are one estimation size


def read_year(
    version: MicrodataVersion,
    design: SampleDesign,
    *,
    variables: Sequence[str] = (),
    use_edited: bool = True,
    use_imputed: bool = False,
) -> Year:
    """One frozen year with its design as arrays. Peak memory is the result plus a few megabytes.

    Raises ValueError when the rows do not have the expected width (a damaged observation).
    """
    columns = microdata.columns(version, variables or None)
    integers, values, others = (*_decode(columns), True) if columns.complete else _unpack(columns)
    for changed_unit, edited, imputed in columns.changes() if others else ():
        row = int(np.searchsorted(integers[:, 0], changed_unit))
        for requested, changed in ((use_imputed, imputed), (use_edited, edited)):
            if requested and changed is not None:
                new = np.array(changed, dtype=np.float64)[list(columns.positions)]
                values[row] = np.where(np.isnan(new), values[row], new)
    unit = integers[:, 0]
    drawn, strata = _design(design)
    # A unit that was not drawn has the position -1: the element appended at the end.
    position = drawn.rows_of(unit)
    return Year(
        year=version.round.year,
        unit=unit,
        category=integers[:, 1],
        region=_positions(integers[:, 2], np.array([int(code) for code in REGIONS])),
        section=_positions(integers[:, 3], np.array([ord(letter) for letter in SECTIONS])),
        size=np.where(integers[:, 4] > 0, np.minimum(integers[:, 4] - 1, _SMALL), -1),
        head=integers[:, 5] == 1,
        pilot=integers[:, 6] == 1,
        newly_founded=np.append(drawn.newly_founded, False)[position],
        stratum=np.append(np.searchsorted(strata.id, drawn.stratum), -1)[position],
        drawn_in=np.append(drawn.region, -1)[position],
        strata=strata,
        items=tuple(_item(variable) for variable in columns.variables),
        values=values,
    )


def _item(variable: Variable) -> Item:
    asked = np.zeros(len(CATEGORIES) + 1, dtype=bool)
    asked[[CATEGORIES.index(category) + 1 for category in variable.categories]] = True
    return Item(variable.code, variable.unit, variable.kind, variable.required, asked)


def _decode(columns: microdata.MicrodataColumns) -> tuple[Ints, Floats]:
    """Integers (n, 7) and values (n, k) from the binary rows, block by block."""
    integer = np.dtype([("length", ">i4"), ("value", ">i8")])
    element = np.dtype([("length", ">i4"), ("value", ">f8")])
    row = np.dtype(
        [
            ("fields", ">i2"),
            ("integers", integer, (len(columns.integers),)),
            ("array_length", ">i4"),
            ("array_header", "V", columns.array_header),
            ("values", element, (columns.width,)),
        ]
    )
    integers = np.empty((columns.size, len(columns.integers)), dtype=np.int64)
    values = np.empty((columns.size, len(columns.positions)), dtype=np.float64)
    start = 0
    for block in columns.blocks():
        rows = np.frombuffer(block, dtype=row)
        if (rows["array_length"] != columns.array_header + 12 * columns.width).any():
            raise ValueError(f"an observation of version {columns.version} has another width than its layout")
        stop = start + len(rows)
        integers[start:stop] = rows["integers"]["value"]
        values[start:stop] = rows["values"]["value"]
        start = stop
    if start != columns.size:
        raise ValueError(f"version {columns.version} has {start} rows where {columns.size} were frozen")
    return integers, values


def _unpack(columns: microdata.MicrodataColumns) -> tuple[Ints, Floats, bool]:
    """The same from one packed value with a few items, and whether any unit has edited or imputed values."""
    k = len(columns.positions)
    row = np.dtype([("integers", ">i8", (len(columns.integers),)), ("values", ">f8", (k,))])
    data, changed = columns.packed()
    rows = np.frombuffer(data, dtype=row)
    if len(rows) != columns.size:
        raise ValueError(
            f"version {columns.version} has {len(rows)} rows where {columns.size} were frozen, or a damaged one"
        )
    rows = rows[np.argsort(rows["integers"][:, 0], kind="stable")]
    return rows["integers"].astype(np.int64), rows["values"].astype(np.float64), changed


def _positions(codes: Ints, codelist: Ints) -> Ints:
    """Position of each code in ``codelist`` (ascending), -1 where missing."""
    position = np.clip(np.searchsorted(codelist, codes), 0, len(codelist) - 1)
    return np.where(codelist[position] == codes, position, -1)


def _design(design: SampleDesign) -> tuple[Selection, Strata]:
    """The drawn units, and the strata with the counts by region of take-all strata."""
    drawn, strata = selection_of(design), strata_of(design)
    row = np.searchsorted(strata.id, drawn.stratum)
    counted = counted_by_region(row, drawn.region, strata.take_all)
    return drawn, replace(strata, by_region=counted)
