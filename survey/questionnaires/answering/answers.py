"""Canonical encoding of answers: parses text to cells and formats cells as text.

A cell is JSON: {"value": ...} with numbers as exact decimal strings, or {"missing": reason}. Blank is
the absence of a cell, never a cell with an empty value. Nothing here uses floating point.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from survey.questionnaires.answering import units
from survey.questionnaires.answering.errors import AnswerError
from survey.questionnaires.answering.special_values import MISSING_REASONS, missing_cell, missing_reason_in
from survey.questionnaires.answering.text import (
    clean_text,
    parse_bool,
    parse_month,
    parse_number,
    split_codes,
)
from survey.questionnaires.definition import NUMERIC_TYPES, Column, Item, Text
from survey.questionnaires.lists.lookup import lookup_in

__all__ = [
    "MISSING_REASONS",
    "AnswerError",
    "Cell",
    "canonical_value",
    "format_cell",
    "format_value",
    "is_blank",
    "normalise",
    "number_of",
    "parse",
    "parse_cell",
    "parse_table",
]

Cell = dict[str, Any]

TEXT_LIMIT = 2000
LARGEST = Decimal(10) ** 24
# Digits without leading or trailing zeros: at most 10^24 - 1, so that the limit needs no arithmetic.
_CANONICAL = re.compile(r"(?:0|[1-9][0-9]{0,23})(?:\.([0-9]{0,11}[1-9]))?")
_REFUSALS = {
    "unknown": "not_in_list_near",
    "ambiguous": "ambiguous_name",
    "retired": "retired_code",
    "differs": "code_and_name",
}
DEFAULT_DECIMALS = {"money": 2, "ratio": 4, "count": 0}


def parse(
    item: Item | Column, text: str, unit: str | None = None, *, shown_units: Collection[str] = ()
) -> Cell | None:
    """What a person typed as a cell; None for a blank. The notations of both languages are always accepted.

    `unit` is the unit chosen beside the field, `shown_units` what may have stood there before. A unit written in the
    text takes precedence over the one that stood there; another one that was chosen contradicts it.
    Raises AnswerError.
    """
    if item.type == "table":
        raise AnswerError("malformed")
    if item.type == "text":
        return _text_cell(text)
    if item.type in NUMERIC_TYPES and clean_text(text.strip(), multiline=True):
        reason = missing_reason_in(text)
        return missing_cell(item, reason) if reason else _parsed_number(item, text, unit, shown_units)
    cleaned = clean_text(text)
    if not cleaned:
        return None
    if item.type == "yesno":
        return {"value": parse_bool(cleaned)}
    if item.type == "choice":
        return {"value": _checked_code(item, cleaned)}
    if item.type == "multi":
        return _multi_cell(item, split_codes(cleaned))
    if item.type == "date":
        return {"value": parse_month(cleaned)}
    return None


def parse_cell(item: Item | Column, raw: Mapping[str, Any], shown_units: Collection[str] = ()) -> Cell | None:
    """A raw form or API value {"value", "unit", "missing"} as a cell; None for a blank.

    `shown_units` are units that may have stood beside the field before, as far as that is known.

    A value takes precedence over a missing reason, so that typing a number clears "not known". Raises AnswerError.
    """
    value = raw.get("value")
    if isinstance(item, Item) and item.type == "table":
        cell = None if raw.get("missing") else parse_table(item, raw)
    elif item.type == "multi" and isinstance(value, list | tuple):
        cell = _multi_cell(item, [clean_text(str(code)) for code in value])
    elif isinstance(value, bool):
        cell = parse(item, "true" if value else "false")
    else:
        text = "" if value is None else str(value)
        cell = parse(item, text, _text_or_none(raw.get("unit")), shown_units=shown_units)
    if cell is not None:
        return cell
    reason = raw.get("missing")
    if not reason:
        return None
    return missing_cell(item, reason)


def parse_table(item: Item, raw: Mapping[str, Any]) -> Cell | None:
    """Raw rows {"rows": {row id: {column code: raw}}} as a table cell without blank cells and rows.

    Raises AnswerError "table" whose `children` hold one error per faulty cell, keyed (row, column).
    """
    return _table_cell(item, raw, parse_cell)


def normalise(item: Item | Column, cell: Any) -> Cell | None:
    """Validate a stored or API cell and return its canonical form; None for a blank.

    Raises AnswerError, also when `entered` and `unit` do not give `value`.
    """
    if cell is None:
        return None
    if not isinstance(cell, Mapping):
        raise AnswerError("malformed")
    if "missing" in cell:
        if len(cell) > 1:
            raise AnswerError("malformed")
        return missing_cell(item, cell["missing"])
    if isinstance(item, Item) and item.type == "table":
        return _table_cell(item, cell, normalise)
    if set(cell) - {"value", "entered", "unit"}:
        raise AnswerError("malformed")
    return _normalised_value(item, cell)


def _normalised_value(item: Item | Column, cell: Mapping[str, Any]) -> Cell | None:
    value = cell.get("value")
    if item.type in NUMERIC_TYPES and _is_canonical(item, value, cell):
        return dict(cell)
    if item.type == "choice" and isinstance(value, str) and item.choices and item.choices.get(value):
        return {"value": value}
    if item.type == "multi":
        if not isinstance(value, list | tuple):
            raise AnswerError("malformed")
        return _multi_cell(item, [str(code) for code in value])
    if item.type == "yesno":
        if not isinstance(value, bool):
            raise AnswerError("not_yes_no")
        return {"value": value}
    if item.type in {"quantity", "money"} and cell.get("entered") is not None:
        result = parse(item, _number_text(cell["entered"]), _text_or_none(cell.get("unit")))
        if (
            result
            and value is not None
            and parse_number(_number_text(value)).number != Decimal(result["value"])
        ):
            raise AnswerError("inconsistent", entered=result["entered"], unit=result["unit"])
        return result
    if value is None:
        return None
    text = _number_text(value) if item.type not in {"choice", "date", "text"} else value
    if not isinstance(text, str):
        raise AnswerError("malformed")
    return parse(item, text, _text_or_none(cell.get("unit")))


def _is_canonical(item: Item | Column, value: Any, cell: Mapping[str, Any]) -> bool:
    """Whether a stored number is already canonical; this nearly always holds and saves parsing it again."""
    match = _CANONICAL.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return False
    decimals = len(match[1] or "")
    if item.type != "quantity":
        return len(cell) == 1 and decimals <= (_decimal_places(item) if item.type != "count" else 0)
    entered, unit = cell.get("entered"), cell.get("unit")
    if len(cell) != 3 or decimals > units.STORED_DECIMALS or not isinstance(entered, str):
        return False
    if unit == item.unit:
        return bool(entered == value)
    convertible = unit in item.units and _CANONICAL.fullmatch(entered) is not None
    return convertible and units.plain(units.convert(Decimal(entered), str(unit), item.unit)) == value


def _number_text(value: Any) -> str:
    # Floats are refused: they are not exact decimals.
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise AnswerError("malformed")
    return str(value)


def _text_or_none(value: Any) -> str | None:
    return str(value) if value else None


def _text_cell(text: str) -> Cell | None:
    cleaned = clean_text(text, multiline=True)
    if len(cleaned) > TEXT_LIMIT:
        raise AnswerError("too_long", limit=TEXT_LIMIT)
    return {"value": cleaned} if cleaned else None


def _checked_code(item: Item | Column, text: str) -> str:
    """The code that `text` means: a code of the list, a name in it, or both. Raises AnswerError."""
    if item.choices is None or item.choices.accepts(text):
        return text
    lookup = lookup_in(item.choices)
    resolution = lookup.resolve(text)
    if resolution.code:
        return resolution.code
    if not resolution.candidates:
        raise AnswerError("not_in_list", code=text[:40])
    candidates = Text(*(lookup.describe(resolution.candidates, language) for language in ("zh", "en")))
    raise AnswerError(_REFUSALS[resolution.reason], code=text[:40], candidates=candidates)


def _multi_cell(item: Item | Column, codes: list[str]) -> Cell | None:
    chosen = list(dict.fromkeys(code for code in codes if code))
    for code in chosen:
        _checked_code(item, code)
    if item.choices is not None:
        order = {entry.code: position for position, entry in enumerate(item.choices.entries)}
        chosen.sort(key=lambda code: order.get(code, len(order)))
    return {"value": chosen} if chosen else None


def _parsed_number(item: Item | Column, text: str, unit: str | None, shown_units: Collection[str]) -> Cell:
    parsed = parse_number(text, item.unit, item.units, chosen=unit, shown=shown_units)
    number = parsed.number
    if number < 0 and not item.signed:
        raise AnswerError("negative")
    canonical = units.convert(number, parsed.unit, item.unit) if parsed.unit else number
    if abs(canonical) > LARGEST:
        raise AnswerError("too_large")
    if item.type == "count" and canonical != canonical.to_integral_value():
        raise AnswerError("not_an_integer")
    allowed = units.STORED_DECIMALS if item.type == "quantity" else _decimal_places(item)
    if units.decimals_of(canonical) > allowed:
        raise AnswerError("too_many_decimals", decimals=allowed)
    # The field shows an amount in a unit that it offers.
    entered, own = (number, parsed.unit) if parsed.unit in item.units else (canonical, item.unit)
    cell: Cell = {"value": units.plain(canonical)}
    if item.type == "quantity" or (item.type == "money" and own != item.unit):
        cell |= {"entered": units.plain(entered), "unit": own}
    return cell


def _decimal_places(item: Item | Column) -> int:
    return (
        item.decimals if item.decimals is not None else DEFAULT_DECIMALS.get(item.type, units.STORED_DECIMALS)
    )


def _table_cell(item: Item, raw: Mapping[str, Any], convert: Any) -> Cell | None:
    rows = raw.get("rows")
    if not isinstance(rows, Mapping) or item.rows is None or set(raw) - {"rows", "missing", "value", "unit"}:
        raise AnswerError("malformed")
    if item.rows.kind == "open" and len(rows) > item.rows.max_rows:
        raise AnswerError("too_many_rows", limit=item.rows.max_rows)
    fixed = set(item.rows.ids) if item.rows.kind == "fixed" else None
    result: dict[str, dict[str, Cell]] = {}
    faults: dict[tuple[str, str], AnswerError] = {}
    for row_id, cells in rows.items():
        if (
            (fixed is not None and row_id not in fixed)
            or not _valid_row_id(row_id)
            or not isinstance(cells, Mapping)
        ):
            raise AnswerError("unknown_row", row=str(row_id)[:40])
        row = _row_cells(item, row_id, cells, convert, faults)
        if row:
            result[row_id] = row
    if faults:
        raise AnswerError("table", children=faults, count=len(faults))
    if not result:
        return None
    if fixed is not None:
        result = {row_id: result[row_id] for row_id in item.rows.ids if row_id in result}
    return {"rows": result}


def _valid_row_id(row_id: Any) -> bool:
    return (
        isinstance(row_id, str)
        and 0 < len(row_id) <= 64
        and row_id.replace("-", "").replace("_", "").isalnum()
    )


def _row_cells(
    item: Item,
    row_id: str,
    cells: Mapping[str, Any],
    convert: Any,
    faults: dict[tuple[str, str], AnswerError],
) -> dict[str, Cell]:
    row: dict[str, Cell] = {}
    for code in cells:
        if item.column(str(code)) is None:
            raise AnswerError("unknown_column", column=str(code)[:40])
    for column in item.columns:
        if cells.get(column.code) is None:
            continue
        try:
            cell = convert(column, cells[column.code])
        except AnswerError as error:
            faults[(row_id, column.code)] = error
            continue
        if cell is not None:
            row[column.code] = cell
    return row


def is_blank(cell: Any) -> bool:
    """Whether the cell is no answer (a missing reason is an answer)."""
    return not cell


def number_of(item: Item | Column, cell: Mapping[str, Any] | None) -> Decimal | None:
    """The canonical number of a cell: yes = 1, no = 0; None for blank, missing and other types."""
    if not cell or "missing" in cell or "value" not in cell:
        return None
    value = cell["value"]
    if item.type == "yesno":
        return Decimal(1) if value else Decimal(0)
    if item.type in NUMERIC_TYPES:
        return Decimal(value)
    return None


def canonical_value(item: Item | Column, cell: Mapping[str, Any] | None) -> Any:
    """The answer's value, independent of the unit it was entered in: 3.2 PB and 3276.8 TB give the same."""
    if not cell:
        return None
    if "missing" in cell:
        return {"missing": cell["missing"]}
    if "rows" in cell and isinstance(item, Item):
        columns = {column.code: column for column in item.columns}
        return {
            row_id: {code: canonical_value(columns[code], inner) for code, inner in cells.items()}
            for row_id, cells in cell["rows"].items()
        }
    return cell.get("value")


def format_cell(item: Item | Column, cell: Mapping[str, Any] | None, language: str) -> str:
    """The answer for people, unit included; "" for a blank; a table as its count of rows."""
    if not cell:
        return ""
    if "missing" in cell:
        return MISSING_REASONS[cell["missing"]].get(language)
    if "rows" in cell:
        count = len(cell["rows"])
        return f"{count} rows" if language.startswith("en") else f"{count}行"
    return format_value(item, cell.get("value"), language)


def format_as_entered(item: Item | Column, cell: Mapping[str, Any] | None, language: str) -> str:
    """The answer for the person who typed it: an amount in the unit that was chosen, else as ``format_cell``."""
    unit = str((cell or {}).get("unit") or item.unit)
    if not cell or "missing" in cell or not cell.get("entered") or unit == item.unit:
        return format_cell(item, cell, language)
    shown = units.format_number(Decimal(cell["entered"]))
    return units.with_label(shown, units.unit_label(unit, language))


def format_value(item: Item | Column, value: Any, language: str) -> str:
    """A canonical value for people: "3,276.8 TB", "是", "2019年5月", code labels."""
    english = language.startswith("en")
    if item.type == "yesno":
        return ("Yes" if value else "No") if english else ("是" if value else "否")
    if item.type == "choice":
        return item.choices.label(value, language) if item.choices else str(value)
    if item.type == "multi":
        names = [item.choices.label(code, language) if item.choices else code for code in value]
        return ("; " if english else "；").join(names)
    if item.type == "date":
        year, month = value.split("-")
        return f"{year}-{month}" if english else f"{year}年{int(month)}月"
    if item.type == "text":
        return str(value)
    return _formatted_number(item, Decimal(value), language)


def _formatted_number(item: Item | Column, number: Decimal, language: str) -> str:
    decimals = item.decimals if item.type == "quantity" else _decimal_places(item)
    shown = units.format_number(number, decimals, fixed=item.type == "money")
    label = units.unit_label(item.unit, language)
    if not label or item.unit in {"-", "—"}:
        return shown
    return f"{shown}%" if label == "%" else units.with_label(shown, label)
