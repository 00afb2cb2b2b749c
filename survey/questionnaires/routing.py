"""Decides which items apply to a sheet's answers and evaluates computed items.

Answers of items that do not apply are not relevant: they stay in the document, rules and totals ignore them,
and they count again when the item applies again. Relevance that cannot be decided (its input is blank)
counts as "does not apply".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from survey.questionnaires.answering import units
from survey.questionnaires.answering.answers import DEFAULT_DECIMALS, AnswerError, Cell, normalise, number_of
from survey.questionnaires.definition import NUMERIC_TYPES, Column, Item, Questionnaire, UnitContext
from survey.questionnaires.rules.expressions import NOT_EVALUATED, Environment, evaluate
from survey.questionnaires.rules.plan import Plan, plan_of

type Answers = Mapping[str, Any]

COMPUTED_DECIMALS = 4
_WHOLE_SHEET_TYPES = frozenset({"quantity", "money"})
_YES_CODES = ("1", "yes", "true", "Y")
_NO_CODES = ("0", "2", "no", "false", "N")


@dataclass(slots=True)
class Sheet:
    """A sheet after routing: relevant items, computed values and unreadable cells.

    `cells`: item -> canonical cell of every relevant item, computed ones included.
    `invalid`: item -> error of a stored cell that cannot be read. `not_relevant`: answered but not relevant.
    """

    questionnaire: Questionnaire
    environment: Environment
    cells: dict[str, Cell] = field(default_factory=dict)
    computed: dict[str, Cell] = field(default_factory=dict)
    relevant: set[str] = field(default_factory=set)
    not_relevant: set[str] = field(default_factory=set)
    invalid: dict[str, AnswerError] = field(default_factory=dict)
    previous_cells: dict[str, Cell] = field(default_factory=dict)


def relevant_items(questionnaire: Questionnaire, answers: Answers, context: UnitContext) -> frozenset[str]:
    """Codes of the items that apply."""
    return frozenset(evaluate_sheet(questionnaire, answers, context).relevant)


def relevant_sections(
    questionnaire: Questionnaire, answers: Answers, context: UnitContext
) -> tuple[str, ...]:
    """Codes of the sections with at least one item that applies, in form order."""
    relevant = relevant_items(questionnaire, answers, context)
    return tuple(s.code for s in questionnaire.sections if any(code in relevant for code in s.items))


def computed_values(
    questionnaire: Questionnaire,
    answers: Answers,
    context: UnitContext,
    previous: Answers | None = None,
) -> dict[str, Cell]:
    """Cells of computed items and of read-only items that the register fills; blanks are absent."""
    return evaluate_sheet(questionnaire, answers, context, previous).computed


def evaluate_sheet(
    questionnaire: Questionnaire,
    answers: Answers,
    context: UnitContext,
    previous: Answers | None = None,
    *,
    from_register: bool = True,
) -> Sheet:
    """Route a sheet: read cells, decide relevance, compute, in the order of dependencies.

    `from_register` lets the register fill read-only items; last year's sheet is read as it was.
    """
    plan = plan_of(questionnaire)
    before = None
    if previous is not None and plan.previous_codes:
        last_year = {code: previous[code] for code in plan.previous_codes if code in previous}
        before = evaluate_sheet(questionnaire, last_year, context, from_register=False)
    cells, invalid = _read_cells(questionnaire, answers, context if from_register else None)
    sheet = _open_sheet(plan, questionnaire, cells, context, before)
    sheet.invalid = invalid
    for code in plan.order:
        _evaluate_item(plan, sheet, questionnaire.items[code], cells)
    for code, item in questionnaire.items.items():
        register_fills = from_register and item.read_only and item.prefilled
        if register_fills and code in sheet.cells and code not in sheet.computed:
            sheet.computed[code] = sheet.cells[code]
    return sheet


def _read_cells(
    questionnaire: Questionnaire, answers: Answers, context: UnitContext | None
) -> tuple[dict[str, Cell], dict[str, AnswerError]]:
    cells: dict[str, Cell] = {}
    invalid: dict[str, AnswerError] = {}
    for code, item in questionnaire.items.items():
        if item.computed:
            continue
        try:
            cell = _register_cell(item, context) if context and item.read_only and item.prefilled else None
            if cell is None:
                cell = normalise(item, answers.get(code))
        except AnswerError as error:
            invalid[code] = error
            continue
        if cell is not None:
            cells[code] = cell
    return cells, invalid


def prefilled_cells(questionnaire: Questionnaire, context: UnitContext) -> dict[str, Cell]:
    """Cells that the register fills in on a new sheet, read-only or not; items without a register value are absent."""
    cells: dict[str, Cell] = {}
    for code, item in questionnaire.items.items():
        try:
            cell = _register_cell(item, context)
        except AnswerError:
            continue  # an outdated register code must not block the sheet; the respondent chooses
        if cell is not None:
            cells[code] = cell
    return cells


def _register_cell(item: Item, context: UnitContext) -> Cell | None:
    value = getattr(context, item.prefilled, None) if item.prefilled else None
    if value is None or value == "":
        return None
    if isinstance(value, bool) and item.type == "choice" and item.choices is not None:
        codes = _YES_CODES if value else _NO_CODES
        value = next((code for code in codes if item.choices.get(code)), None)
        return {"value": value} if value else None
    return normalise(item, {"value": value})


def _open_sheet(
    plan: Plan,
    questionnaire: Questionnaire,
    cells: Mapping[str, Cell],
    context: UnitContext,
    before: Sheet | None,
) -> Sheet:
    """A sheet with the items that depend on no rule."""
    unconditional = [item for code, item in questionnaire.items.items() if code not in plan.relevance]
    values: dict[str, Any] = context.variables()
    tables: dict[str, Any] = {}
    numbers: dict[str, Decimal] = {}
    for item in unconditional:
        cell = cells.get(item.code)
        if cell is None:
            continue
        if item.type == "table":
            if "rows" in cell:
                tables[item.code] = table_numbers(item, cell)
        elif (value := expression_value(item, cell)) is not None:
            values[item.code] = value
            if _counts_for_sheet(item, plan):
                numbers[item.code] = Decimal(cell["value"])
    environment = Environment(
        values,
        tables,
        before.environment.values if before else None,
        before.environment.tables if before else None,
        numbers,
        context.year,
    )
    sheet = Sheet(questionnaire, environment)
    sheet.relevant = {item.code for item in unconditional}
    sheet.cells = {code: cell for code, cell in cells.items() if code in sheet.relevant}
    sheet.previous_cells = before.cells if before else {}
    return sheet


def _evaluate_item(plan: Plan, sheet: Sheet, item: Item, cells: Mapping[str, Cell]) -> None:
    """Evaluate an item that has a relevance rule or a computation."""
    rule = plan.relevance.get(item.code)
    cell = cells.get(item.code)
    if rule is not None and evaluate(rule, sheet.environment) is not True:
        if cell is not None:
            sheet.not_relevant.add(item.code)
        sheet.relevant.discard(item.code)
        return
    sheet.relevant.add(item.code)
    if item.code in plan.computed:
        cell = computed_cell(item, evaluate(plan.computed[item.code], sheet.environment))
        if cell is not None:
            sheet.computed[item.code] = cell
    if cell is None:
        return
    sheet.cells[item.code] = cell
    if item.type == "table":
        if "rows" in cell:
            sheet.environment.add_table(item.code, table_numbers(item, cell))
    elif (value := expression_value(item, cell)) is not None:
        number = Decimal(cell["value"]) if _counts_for_sheet(item, plan) else None
        sheet.environment.add(item.code, value, number)


def _counts_for_sheet(item: Item, plan: Plan) -> bool:
    # Employees and turnover (section B) describe the unit; "no data activity at all" ignores them.
    return item.type in _WHOLE_SHEET_TYPES and plan.section_of.get(item.code) != "B"


def expression_value(item: Item, cell: Cell) -> Any:
    """The value that rules read: float, bool, str, list of str; None for a missing reason."""
    if "missing" in cell:
        return None
    number = number_of(item, cell) if item.is_numeric else None
    return float(number) if number is not None else cell.get("value")


def table_numbers(item: Item, cell: Cell) -> dict[str, dict[str, Decimal]]:
    """Numeric cells of a table: row -> column -> Decimal; empty rows are kept so that they count.

    A cell answered "not known" is NaN, so that sums over it are undefined. "Not applicable" cells are absent.
    """
    columns = {column.code: column for column in item.columns}
    result: dict[str, dict[str, Decimal]] = {}
    for row_id, cells in cell.get("rows", {}).items():
        numbers = {
            code: _table_number(columns[code], cell) for code, cell in cells.items() if code in columns
        }
        result[row_id] = {code: number for code, number in numbers.items() if number is not None}
    return result


def _table_number(column: Column, cell: Cell) -> Decimal | None:
    if cell.get("missing") == "unknown" and column.type in NUMERIC_TYPES:
        return Decimal("NaN")
    return number_of(column, cell)


def computed_cell(item: Item, result: Any) -> Cell | None:
    """A computed value as a cell; amounts are rounded half up to the item's decimals."""
    if result is NOT_EVALUATED or result is None:
        return None
    if item.is_numeric:
        if isinstance(result, bool) or not isinstance(result, int | float) or abs(result) == float("inf"):
            return None
        decimals = item.decimals if item.decimals is not None else _computed_decimals(item)
        text = units.plain(units.rounded(Decimal(repr(float(result))), decimals))
        return (
            {"value": text, "entered": text, "unit": item.unit}
            if item.type == "quantity"
            else {"value": text}
        )
    return {"value": result}


def _computed_decimals(item: Item) -> int:
    return DEFAULT_DECIMALS.get(item.type, COMPUTED_DECIMALS)
