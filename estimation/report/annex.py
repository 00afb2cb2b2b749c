"""Tables of the quality annex: sampling errors of the chief indicators and checks of the arithmetic. Pure."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from estimation.releases.content.content import CellStatus, Content, FrozenCell
from estimation.report.grid import Grid, GridCell, GridRow, grouped, printed
from estimation.report.wording import word


def annex_parts(content: Content, language: str) -> list[tuple[int, str | Grid]]:
    """Sentences and tables in order; a table comes with its number."""
    parts: list[tuple[int, str | Grid]] = [(0, word("quality_lede", language))]
    if quality := quality_grid(content, language):
        parts.append((1, quality))
    if content.identities:
        parts.append((2 if quality else 1, identity_grid(content, language)))
    parts.append((0, word("symbols", language)))
    return parts


def chief_cells(content: Content) -> list[FrozenCell]:
    """The levels of the year in the tables of chapter 1 that were estimated from the sample."""
    keys = [
        key
        for table in content.tables
        if table.code.startswith("C1.")
        for row in table.rows
        for key in row.keys
    ]
    selected = [
        content.cells[key] for key in keys if key.endswith(f".{content.year}") and key in content.cells
    ]
    return [cell for cell in selected if cell.cv is not None and cell.status is CellStatus.SHOWN]


def quality_grid(content: Content, language: str) -> Grid | None:
    """Value, CV, interval, sample and grade of every estimated indicator; None when there is none."""
    cells = chief_cells(content)
    if not cells:
        return None
    rows = tuple(
        GridRow(f"{cell.label.get(language)} ({cell.unit.get(language)})", _quality(cell), code=cell.key)
        for cell in cells
    )
    heads = tuple(word(name, language) for name in ("value", "cv", "lower", "upper", "sample", "grade"))
    interval = word("interval", language)
    spans = (("", 1), ("", 1), (interval, 2), ("", 1), ("", 1))
    return Grid("Q1", word("quality_table", language), word("indicator", language), heads, rows, spans)


def _quality(cell: FrozenCell) -> tuple[GridCell, ...]:
    texts = (
        printed(cell),
        rounded(cell.cv, 2, 100),
        rounded(cell.lower, cell.decimals),
        rounded(cell.upper, cell.decimals),
        f"{cell.n:,}" if cell.n is not None else "—",
    )
    return (
        *(GridCell(text, cell.key) for text in texts),
        GridCell(cell.grade or "—", cell.key, is_word=True),
    )


def rounded(value: float | None, decimals: int, factor: int = 1) -> str:
    """A number rounded half up, — for None."""
    if value is None:
        return "—"
    number = Decimal(repr(value)) * factor
    return grouped(str(number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)))


def identity_grid(content: Content, language: str) -> Grid:
    """Every identity of the report with its outcome."""
    rows = tuple(_identity(identity, language) for identity in content.identities)
    heads = (word("result", language), word("difference", language))
    return Grid("Q2", word("identity_table", language), word("identity", language), heads, rows)


def _identity(identity: Any, language: str) -> GridRow:
    words = identity.get("words", "")
    text = words.get(language) or words.get("zh", "") if isinstance(words, dict) else str(words)
    difference = identity.get("difference")
    shown = (
        "—"
        if difference is None
        else rounded(difference, 4)
        if isinstance(difference, float)
        else str(difference)
    )
    holds = identity.get("holds")
    result = word("unchecked" if holds is None else "holds" if holds else "differs", language)
    return GridRow(
        text or str(identity.get("code", "")),
        (GridCell(result, is_word=True), GridCell(shown)),
        code=str(identity.get("code", "")),
    )
