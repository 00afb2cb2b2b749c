"""The set of figures of a report: those of the content, and those derived from its tables. Pure.

The points of a figure reference cells, so a derived figure selects existing numbers and adds none.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from estimation.releases.content.content import Content, FrozenCell, FrozenFigure, FrozenTable, Point, Text
from estimation.report.annex import chief_cells
from estimation.report.grid import names_of, position_label, printed

STORAGE = ("SUP-07", "SUP-10", "SUP-08", "SUP-09")
FLOWS = ("CIR-03", "CIR-05", "CIR-04", "CIR-01", "CIR-02")


def complete(content: Content) -> tuple[FrozenFigure, ...]:
    """The content's own figures, then the rest of the set, each with an alternative text."""
    figures = {figure.code: figure for figure in content.figures}
    for derived in (
        _pair(content, "storage", STORAGE, Text("数据存储结构", "What is stored")),
        _pair(content, "flows", FLOWS, Text("数据流通规模", "How much data circulate")),
        _sections(content),
        _growth_size(content),
        _regions(content),
        _quality(content),
    ):
        if derived is None:
            continue
        own = figures.setdefault(derived.code, derived)
        if not own.notes:  # how to read a figure is the same wherever its points come from
            figures[derived.code] = replace(own, notes=derived.notes)
    return tuple(_described(content, figure) for figure in figures.values() if _shown(content, figure))


def _shown(content: Content, figure: FrozenFigure) -> list[tuple[Point, FrozenCell]]:
    pairs = ((point, content.cells.get(point.key)) for point in figure.points)
    return [(point, cell) for point, cell in pairs if cell is not None and cell.value is not None]


def _table(content: Content, code: str) -> FrozenTable | None:
    return next((table for table in content.tables if table.code == code), None)


def _pair(content: Content, code: str, indicators: Iterable[str], title: Text) -> FrozenFigure | None:
    """Levels of two years side by side."""
    years = (content.year - 1, content.year)
    points = tuple(
        Point(Text(f"{year}年", str(year)), indicator, f"{indicator}.{year}")
        for year in years
        for indicator in indicators
        if f"{indicator}.{year}" in content.cells
    )
    if not points:
        return None
    title = Text(f"{years[0]}—{years[1]}年{title.zh}", f"{title.en}, {years[0]} and {years[1]}")
    return FrozenFigure(code, title, content.cells[points[-1].key].unit, points, Text("", ""))


def _bare(text: Text) -> Text:
    """A head without its unit."""
    return Text(
        *(
            re.sub(r"\s*[（(][^（()）]*[)）]\s*$", "", label).replace(" · ", " ")
            for label in (text.zh, text.en)
        )
    )


def _sections(content: Content) -> FrozenFigure | None:
    table = _table(content, "T2")
    if table is None:
        return None
    rows = [row for row in table.rows if len(row.code) == 1 and not row.is_total]
    if not rows:
        return None
    name = _bare(table.columns[0])
    points = tuple(Point(name, row.code, row.keys[0]) for row in rows)
    title = Text(f"{content.year}年各行业{name.zh}", f"{name.en} by industry, {content.year}")
    note = Text("横线为95%置信区间。", "Lines are 95% confidence intervals.")
    return FrozenFigure("sections", title, content.cells[points[0].key].unit, points, Text("", ""), (note,))


def _growth_size(content: Content) -> FrozenFigure | None:
    table = _table(content, "T2")
    if table is None or len(table.columns) < 3:
        return None
    rows = [row for row in table.rows if len(row.code) == 1 and not row.is_total]
    size, growth = _bare(table.columns[1]), _bare(table.columns[2])
    points = tuple(
        Point(name, row.code, row.keys[index]) for index, name in ((1, size), (2, growth)) for row in rows
    )
    if not points:
        return None
    title = Text("各行业数据流通规模与增速", "Size and growth of circulation by industry")
    units = [content.cells[row.keys[1]].unit for row in rows]
    codes = [
        joint.join(f"{row.code} {row.label.get(language)}" for row in rows)
        for language, joint in (("zh", "；"), ("en", "; "))
    ]
    note = Text(
        f"横轴为对数刻度，虚线为中位数。{codes[0]}。",
        f"The horizontal scale is logarithmic, broken lines are medians. {codes[1]}.",
    )
    return FrozenFigure("growth_size", title, units[0], points, Text("", ""), (note,))


def _regions(content: Content) -> FrozenFigure | None:
    table = _table(content, "T4")
    if table is None:
        return None
    name = _bare(table.columns[-1])
    points = tuple(
        Point(name, row.code, row.keys[-1]) for row in table.rows if row.code.isdecimal() and not row.is_total
    )
    if not points:
        return None
    title = Text(f"各地区{name.zh}", f"{name.en} sheets by region")
    note = Text(
        "每格为一个地区，位置只示意方位，不代表边界和面积。",
        "A tile is a region; tiles show rough position, neither borders nor area.",
    )
    return FrozenFigure("regions", title, content.cells[points[0].key].unit, points, Text("", ""), (note,))


def _quality(content: Content) -> FrozenFigure | None:
    cells = chief_cells(content)
    if not cells:
        return None
    name = Text("变异系数", "Coefficient of variation")
    points = tuple(Point(name, cell.key.rsplit(".", 1)[0], cell.key) for cell in cells)
    title = Text("主要指标的变异系数", "Coefficients of variation of the chief indicators")
    return FrozenFigure("quality", title, Text("%", "%"), points, Text("", ""))


def _described(content: Content, figure: FrozenFigure) -> FrozenFigure:
    if figure.alternative.zh and figure.alternative.en:
        return figure
    text = Text(_sentence(content, figure, "zh"), _sentence(content, figure, "en"))
    return replace(figure, alternative=text)


def _sentence(content: Content, figure: FrozenFigure, language: str) -> str:
    """Title, size and the outstanding points of a figure in a sentence."""
    pairs = _shown(content, figure)
    names = names_of(content, language)
    unit = figure.unit.get(language)
    title = figure.title.get(language)
    parts = []
    for series in dict.fromkeys(point.series for point, _ in pairs):
        own = [(point, cell) for point, cell in pairs if point.series == series]
        if figure.code == "quality":
            own.sort(key=lambda pair: pair[1].cv or 0.0)
            ends = [
                f"{position_label(names, point.x, cell, language)} {(cell.cv or 0) * 100:.2f}%"
                for point, cell in (own[0], own[-1])
            ]
        else:
            low, high = (pick(own, key=lambda pair: pair[1].value or 0.0) for pick in (min, max))
            ends = [
                f"{position_label(names, point.x, cell, language)} {printed(cell)} {cell.unit.get(language)}"
                for point, cell in (low, high)
            ]
        name = series.get(language)
        if language == "en":
            parts.append(f"{name}: {len(own)} points, lowest {ends[0]}, highest {ends[1]}")
        else:
            parts.append(f"{name}共{len(own)}个点，最低为{ends[0]}，最高为{ends[1]}")
    if language == "en":
        return f"{title} ({unit}). {'; '.join(parts)}. All values are in the table of the figure."
    return f"{title}（{unit}）。{'；'.join(parts)}。全部数值见图中数据。"
