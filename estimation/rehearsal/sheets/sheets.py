"""Whole answer sheets as canonical JSON texts, with the row of numbers that the projection makes of each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.rehearsal.country import Country
from estimation.rehearsal.population.sizes import SIZE_CODES
from estimation.rehearsal.population.units import Units
from estimation.rehearsal.sheets import tables as tables
from estimation.rehearsal.sheets.choices import People, coded_answers
from estimation.rehearsal.sheets.numbers import PETABYTE_TICKS, SheetNumbers, build_numbers, plain_texts
from survey.microdata.projection import Reason
from survey.questionnaires.definition import Questionnaire

# Item -> the yes/no item, or the amount, without which it does not apply.
_GATES: dict[str, tuple[str, ...]] = {
    "A01": ("A02", "A03", "A04", "A05", "A06", "A07", "A08"),
    "T01": ("T02", "T03", "T04", "T05"),
    "K01": ("K02", "K03", "K04", "K06"),
    "K03": ("K07",),
    "V05": ("V06",),
    "V07": ("V08", "V09", "V10", "V11"),
    "F01": ("F09", "F10"),
    "F05": ("F11",),
    "MG10": ("MG11",),
    "MP01": ("MP02",),
    "MX01": ("MX04",),
    "MO02": ("MO03",),
}
_GATE_OF = {item: gate for gate, items in _GATES.items() for item in items}
_INDUSTRIAL = (1, 2, 3)  # sections B, C, D: P05 applies there only


@dataclass(frozen=True, slots=True)
class Layout:
    """Which variable stands where in the row of numbers: code, kind, and whether a blank is owed."""

    codes: tuple[str, ...]
    kinds: tuple[str, ...]
    required: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class SheetBatch:
    """Sheets of one category and year: unit rows (n,), JSON texts (n), numbers and reasons (n, k) in layout order."""

    rows: Ints
    texts: list[str]
    numbers: Floats
    reasons: NDArray[np.uint8]
    unknown: Bools  # sheets with an item marked "not known"


def build_sheets(
    country: Country, form: Questionnaire, layout: Layout, rows: Ints, year: int, people: People
) -> SheetBatch:
    """Complete sheets of the units `rows`, all of the category of `form`, in year 0 (2024) or 1 (2025)."""
    units = country.units
    numbers = build_numbers(country.values, rows, year)
    applies = _applicability(form, units, rows, numbers)
    unknown = _unknown(country, rows, year)
    cells = _cells(country, form, rows, year, people, numbers, applies)
    for code, marked in unknown.items():
        if code in cells:
            cells[code] = [
                '{"missing":"unknown"}' if m else c for m, c in zip(marked, cells[code], strict=True)
            ]
        for item in _GATES.get(code, ()):  # what hangs on an unknown yes/no does not apply
            applies[item] = applies.get(item, np.ones(len(rows), bool)) & ~marked
            if item in cells:
                cells[item] = [None if m else c for m, c in zip(marked, cells[item], strict=True)]
    texts = _assemble(cells, len(rows))
    matrix = _projection(form, layout, rows, numbers, applies, unknown)
    reasons = _reasons(form, layout, len(rows), applies, unknown)
    flagged = np.any(list(unknown.values()), axis=0) if unknown else np.zeros(len(rows), bool)
    return SheetBatch(rows, texts, matrix, reasons, flagged)


def _applicability(form: Questionnaire, units: Units, rows: Ints, numbers: SheetNumbers) -> dict[str, Bools]:
    """For items with a condition: where it holds."""
    result: dict[str, Bools] = {}
    for item, gate in _GATE_OF.items():
        if item in form.items and gate in form.items:
            result[item] = numbers.ticks[gate] > 0
    if "K07" in result:
        result["K07"] &= numbers.ticks["K01"] > 0
    if "P05" in form.items:
        result["P05"] = np.isin(units.section[rows], _INDUSTRIAL)
    return result


def _unknown(country: Country, rows: Ints, year: int) -> dict[str, Bools]:
    masks = {code: mask[rows] for code, mask in country.unknown_answers.items()} if year else {}
    return {code: marked for code, marked in masks.items() if marked.any()}


def _cells(
    country: Country,
    form: Questionnaire,
    rows: Ints,
    year: int,
    people: People,
    numbers: SheetNumbers,
    applies: Mapping[str, Bools],
) -> dict[str, list[str | None]]:
    """JSON text of every cell, None where blank or not applicable."""
    coded = coded_answers(country.units, rows, year, people, numbers, country.streams)
    grids = _tables(country, form, rows, numbers)
    cells: dict[str, list[str | None]] = {}
    column: list[str | None] | None
    for code, item in form.items.items():
        if item.type == "table":
            column = list(grids[code]) if code in grids else None
        elif code in coded:
            column = [
                None
                if value is None
                else f'{{"value":{json.dumps(value, ensure_ascii=False, separators=(",", ":"))}}}'
                for value in coded[code]
            ]
        elif code in ("B12", "D02"):
            column = _computed(code, country.units, rows, numbers)
        elif item.type == "yesno":
            column = ['{"value":true}' if t else '{"value":false}' for t in numbers.ticks[code] > 0]
        elif code in numbers.ticks:
            column = _number_cells(code, item.type, item.unit, numbers)
        else:
            column = None
        if column is None:
            continue
        if code in applies:
            column = [c if a else None for c, a in zip(column, applies[code], strict=True)]
        cells[code] = column
    return cells


def _number_cells(code: str, kind: str, unit: str, numbers: SheetNumbers) -> list[str | None]:
    ticks = numbers.ticks[code]
    texts = plain_texts(ticks, numbers.decimals[code])
    if kind != "quantity":
        return [f'{{"value":"{text}"}}' for text in texts]
    result: list[str | None] = [f'{{"entered":"{t}","unit":"{unit}","value":"{t}"}}' for t in texts]
    if unit == "TB":
        large = np.flatnonzero(numbers.petabytes & (ticks % PETABYTE_TICKS == 0) & (ticks > 0))
        entered = plain_texts(ticks[large] // PETABYTE_TICKS, 3)
        for index, text in zip(large.tolist(), entered, strict=True):
            result[index] = f'{{"entered":"{text}","unit":"PB","value":"{texts[index]}"}}'
    return result


def _computed(code: str, units: Units, rows: Ints, numbers: SheetNumbers) -> list[str | None]:
    if code == "B12":
        return [f'{{"value":"{SIZE_CODES[size]}"}}' for size in units.size[rows].tolist()]
    stored = numbers.value("S02")
    rate = np.divide(numbers.value("D01"), stored, out=np.zeros(len(rows)), where=stored > 0) * 100.0
    return [f'{{"value":"{text}"}}' for text in plain_texts(np.floor(rate * 1e4 + 0.5).astype(np.int64), 4)]


def _tables(country: Country, form: Questionnaire, rows: Ints, numbers: SheetNumbers) -> dict[str, list[str]]:
    ticks, units = numbers.ticks, country.units
    n = len(rows)

    def rng(name: str) -> np.random.Generator:
        return country.streams(f"table {name} {form.category} {n}")

    def counts(name: str, middle: float) -> Ints:
        return np.floor(middle * np.exp(0.6 * rng(name).standard_normal(n))).astype(np.int64)

    builders = {
        "F10": lambda: tables.counterparties(ticks["F01"], ticks["F06"], rng("F10")),
        "F11": lambda: tables.provinces(ticks["F05"], units.region[rows], rng("F11")),
        "K07": lambda: tables.computing(
            ticks["K03"], units.region[rows], units.category[rows] == 2, rng("K07")
        ),
        "MG11": lambda: tables.directions(ticks["MG10"], rng("MG11")),
        "MO03": lambda: tables.matrix(ticks["MO02"], rng("MO03")),
        "MP02": lambda: tables.monthly_tokens(ticks["MP01"], numbers.decimals["MP01"]),
        "MP05": lambda: tables.total_row(
            {
                "interfaces": (counts("MP05", 400), 0, ""),
                "calls": (counts("calls", 9e8), 2, "万次"),
            }
        ),
        "MR03": lambda: tables.total_row(
            {
                "exchanges": (1 + counts("MR03", 0.6), 0, ""),
                "turnover": (counts("MR03 t", 4e6), 2, ""),
            }
        ),
        "MS05": lambda: tables.purposes(n, rng("MS05")),
        "MS06": lambda: tables.total_row(
            {
                "users": (counts("MS06", 3000), 0, ""),
                "downloads": (counts("MS06 d", 9e5), 3, "TB"),
            }
        ),
        "MT01": lambda: tables.spaces(n, rng("MT01")),
        "MX03": lambda: tables.total_row(
            {
                "products": (np.minimum(counts("MX03", 120), ticks["MX02"]), 0, ""),
                "deals": (counts("deals", 900), 0, ""),
            }
        ),
        "MX04": lambda: tables.exchange_types(ticks["MX01"], rng("MX04")),
        "MX05": lambda: tables.total_row(
            {
                "datasets": (counts("MX05", 90), 0, ""),
                "volume": (counts("MX05 v", 4e5), 3, "TB"),
            }
        ),
    }
    return {
        code: builders[code]()
        for code, item in form.items.items()
        if item.type == "table" and code in builders
    }


def _assemble(cells: Mapping[str, list[str | None]], count: int) -> list[str]:
    order = sorted(cells)
    heads = [f'"{code}":' for code in order]
    if not order:
        return ["{}"] * count
    return [
        "{" + ",".join([head + cell for head, cell in zip(heads, row, strict=True) if cell is not None]) + "}"
        for row in zip(*(cells[code] for code in order), strict=True)
    ]


def _projection(
    form: Questionnaire,
    layout: Layout,
    rows: Ints,
    numbers: SheetNumbers,
    applies: Mapping[str, Bools],
    unknown: Mapping[str, Bools],
) -> Floats:
    """The row of numbers of each sheet, by the rules of the microdata projection."""
    matrix = np.full((len(rows), len(layout.codes)), np.nan)
    for column, (code, kind, owed) in enumerate(
        zip(layout.codes, layout.kinds, layout.required, strict=True)
    ):
        item = form.items.get(code)
        if item is None:
            continue
        amount = kind in ("quantity", "money", "count")
        if code == "D02":
            stored = numbers.value("S02")
            rate = np.divide(numbers.value("D01"), stored, out=np.zeros(len(rows)), where=stored > 0) * 100.0
            values = np.floor(rate * 1e4 + 0.5) / 1e4
        elif code in numbers.ticks:
            values = (numbers.ticks[code] > 0).astype(float) if kind == "yesno" else numbers.value(code)
        else:
            continue
        if code in applies:
            values = np.where(applies[code], values, 0.0 if amount and owed else np.nan)
        if code in unknown:
            values = np.where(unknown[code], np.nan, values)
        matrix[:, column] = values
    return matrix


def _reasons(
    form: Questionnaire,
    layout: Layout,
    count: int,
    applies: Mapping[str, Bools],
    unknown: Mapping[str, Bools],
) -> NDArray[np.uint8]:
    """The reason code of each place, by the rules of the microdata projection."""
    matrix = np.full((count, len(layout.codes)), Reason.NOT_ON_FORM, np.uint8)
    for column, code in enumerate(layout.codes):
        if code not in form.items:
            continue
        matrix[:, column] = Reason.VALUE
        if code in applies:
            matrix[~applies[code], column] = Reason.NOT_ASKED
        if code in unknown:
            matrix[unknown[code], column] = Reason.UNKNOWN
    return matrix
