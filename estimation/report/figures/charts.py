"""Figures as Vega-Lite: one chart per code, from the points of a figure only. Pure.

Every label of a value is the printed number of its cell, so pictures and tables show the same numbers.
"""

import re
from collections.abc import Callable
from typing import Any

import altair as alt

from estimation.releases.content.content import CellStatus, Content, FrozenFigure
from estimation.report.figures.theme import ACCENT, CONFIG, INK, LINE, SECOND, SEQUENCE, SOFT, THIRD, WIDTH
from estimation.report.figures.tiles import TILES
from estimation.report.grid import names_of, position_label, printed

type Datum = dict[str, Any]
COLOURS = [ACCENT, SECOND, THIRD, "#7a5195", "#2f8f6b"]


def chart(content: Content, figure: FrozenFigure, language: str) -> dict[str, Any]:
    """The Vega-Lite document of a figure in a language. Points without a number are omitted, their tiles are empty."""
    data = _data(content, figure, language)
    build = _BUILDERS.get(figure.code, _columns)
    if build is not _tiles:
        data = [datum for datum in data if datum["value"] is not None]
    if build is _scatter and len({datum["series"] for datum in data}) != 2:
        build = _bars
    spec = build(data, figure.unit.get(language), language)
    fitted = spec.properties(width=WIDTH, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    document: dict[str, Any] = fitted.configure(**CONFIG).to_dict()
    return document


def _data(content: Content, figure: FrozenFigure, language: str) -> list[Datum]:
    names = names_of(content, language)
    data: list[Datum] = []
    for order, point in enumerate(figure.points):
        cell = content.cells.get(point.key)
        if cell is None:
            continue
        shown = cell.status in (CellStatus.SHOWN, CellStatus.NIL)
        label = _wrapped(position_label(names, point.x, cell, language))
        value, lower, upper = (cell.value, cell.lower, cell.upper) if shown else (None, None, None)
        data.append(
            {
                "x": point.x,
                "label": label,
                "order": order,
                "series": point.series.get(language),
                "value": value,
                "printed": printed(cell),
                "lower": lower,
                "upper": upper,
                "unit": cell.unit.get(language),
                "cv": (cell.cv or 0.0) * 100 if shown else 0.0,
                "grade": cell.grade or "—",
            }
        )
    return data


def _wrapped(label: str) -> str:
    """A long label in two lines, separated by | at the break opportunity nearest to its middle."""
    wide = bool(re.search(r"[\u4e00-\u9fff]", label))
    if len(label) <= (19 if wide else 42):
        return label
    breaks = [m.end() for m in re.finditer(r"[、，/ ]", label)] or ([len(label) // 2] if wide else [])
    if not breaks:
        return label
    at = min(breaks, key=lambda index: abs(index - len(label) / 2))
    return f"{label[:at].rstrip()}|{label[at:]}"


def _pitch(data: list[Datum]) -> int:
    """Pixels a row: more where a label takes two lines."""
    return 31 if any("|" in point["label"] for point in data) else 20


_BARE = {"domain": False, "ticks": False}


def _value_axis(title: str, **rest: Any) -> Any:
    """An axis of numbers: light grid, no line of its own."""
    return alt.Axis(**{"title": title, "tickCount": 5, **_BARE, **rest})


def _upright_axis(title: str, **rest: Any) -> Any:
    """The same for numbers that go up: its title is horizontal above it."""
    flat = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleY": -7, "titleX": -32}
    return _value_axis(title, **{**flat, **rest})


def _row_axis(size: float = 12, **rest: Any) -> Any:
    look = {"labelFontSize": size, "labelLineHeight": size * 1.1, "labelLimit": 300}
    return alt.Axis(**{"title": None, **_BARE, "labelExpr": "split(datum.label, '|')", **look, **rest})


def _values(data: list[Datum]) -> alt.Data:
    return alt.Data(values=[dict(point) for point in data])  # type: ignore[no-untyped-call]  # not typed in Altair


def _order(data: list[Datum], field: str = "label") -> list[str]:
    return list(dict.fromkeys(point[field] for point in data))


def _colour(series: list[str], colours: list[str] = COLOURS) -> Any:
    legend = alt.Legend(title=None) if len(series) > 1 else None
    return alt.Color("series:N", scale=alt.Scale(domain=series, range=colours[: len(series)]), legend=legend)


def _top(data: list[Datum], share: float = 1.15) -> float:
    return float(max((point["upper"] or point["value"] for point in data), default=1.0)) * share


def _columns(data: list[Datum], unit: str, language: str) -> Any:
    """Columns over dates, the number on each."""
    series, dates = _order(data, "series"), _order(data)
    base = alt.Chart(_values(data)).encode(
        x=alt.X(
            "label:N", sort=dates, axis=alt.Axis(labelAngle=0, title=None, ticks=False, labelFontSize=13)
        ),
        xOffset=alt.XOffset("series:N", sort=series),
    )
    y = alt.Y("value:Q", scale=alt.Scale(domain=[0, _top(data)]), axis=_upright_axis(unit))
    width = 84 if len(series) == 1 else 62
    bars = base.mark_bar(width=width, cornerRadiusEnd=2).encode(y=y, color=_colour(series))
    text = base.mark_text(dy=-9, fontSize=14, color=INK).encode(y=y, text="printed:N")
    return (bars + text).properties(height=250)


def _line(data: list[Datum], unit: str, language: str) -> Any:
    """A line over uneven dates on a logarithmic scale, for a series that grows by powers."""
    dated = [{**point, "at": _month(point["x"], index)} for index, point in enumerate(data)]
    low, high = min(point["value"] for point in data), max(point["value"] for point in data)
    log = low > 0 and high / low > 50
    ticks = [value for value in (0.1, 1, 10, 100, 1000) if low <= value <= high * 2] if log else None
    x = alt.X(
        "at:Q",
        axis=alt.Axis(
            title=None,
            values=[point["at"] for point in dated],
            grid=False,
            labelAngle=0,
            labelExpr=_names(dated),
            labelFontSize=13,
        ),
        scale=alt.Scale(nice=False, padding=46),
    )
    note = ("对数刻度" if language == "zh" else "logarithmic") if log else ""
    title = f"{unit}（{note}）" if note and language == "zh" else f"{unit}, {note}" if note else unit
    scale = alt.Scale(type="log", domain=[low * 0.7, high * 2.2]) if log else alt.Scale(zero=True)
    y = alt.Y("value:Q", scale=scale, axis=_upright_axis(title, **({"values": ticks} if ticks else {})))
    base = alt.Chart(_values(dated)).encode(x=x, y=y)
    line = base.mark_line(color=ACCENT, strokeWidth=2.5)
    dots = base.mark_point(filled=True, size=70, color=ACCENT, opacity=1)
    text = base.mark_text(dy=-16, fontSize=14, color=INK).encode(text="printed:N")
    return (line + dots + text).properties(height=250)


def _month(x: str, index: int) -> float:
    """A year as a number, 2025-06 as 2025.5; anything else by its position."""
    match = re.match(r"(\d{4})(?:-(\d{1,2}))?", x)
    if match is None:
        return float(index)
    return int(match[1]) + (int(match[2]) if match[2] else 1) / 12


def _names(dated: list[Datum]) -> str:
    words = " : ".join(
        f"abs(datum.value - {point['at']!r}) < 1e-6 ? '{_quoted(point['label'])}'" for point in dated
    )
    return f"{words} : ''"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _pair(data: list[Datum], unit: str, language: str) -> Any:
    """A bar for this year and a tick for the last: what grew, and how far."""
    if all(
        re.fullmatch(r"\d{4}", point["x"]) for point in data
    ):  # years were given as positions: turn them round
        data = [
            {**point, "label": point["series"], "x": point["series"], "series": point["x"]} for point in data
        ]
        data.sort(key=lambda point: (point["series"], point["order"]))
    series, rows = _order(data, "series"), _order(data)
    older = series[:-1]
    now = [point for point in data if point["series"] == series[-1]]
    before = [point for point in data if point["series"] in older[-1:]]
    y = alt.Y("label:N", sort=rows, axis=_row_axis(13))
    x = alt.X("value:Q", scale=alt.Scale(domain=[0, _top(data, 1.12)]), axis=_value_axis(unit))
    bars = (
        alt.Chart(_values(now))
        .mark_bar(height=20, cornerRadiusEnd=2, opacity=1)
        .encode(y=y, x=x, color=_colour(series[::-1]))
    )
    ends = [
        {**point, "end": max(point["value"], *(b["value"] for b in before if b["x"] == point["x"]), 0)}
        for point in now
    ]
    text = (
        alt.Chart(_values(ends))
        .mark_text(align="left", dx=8, fontSize=13)
        .encode(y=y, x=alt.X("end:Q"), text="printed:N")
    )
    ticks = (
        alt.Chart(_values(before))
        .mark_tick(thickness=3.5, size=30, opacity=1)
        .encode(y=y, x=x, color=_colour(series[::-1]))
    )
    return (bars + ticks + text).properties(height=60 + 36 * len(rows))


def _bars(data: list[Datum], unit: str, language: str) -> Any:
    """Sorted bars with 95 % intervals."""
    rows = [point["label"] for point in sorted(data, key=lambda point: -point["value"])]
    y = alt.Y("label:N", sort=rows, axis=_row_axis(11))
    x = alt.X("value:Q", scale=alt.Scale(domain=[0, _top(data, 1.1)]), axis=_value_axis(unit))
    base = alt.Chart(_values(data)).encode(y=y)
    bars = base.mark_bar(height=13, cornerRadiusEnd=1.5, color=THIRD).encode(x=x)
    ranges = [point for point in data if point["lower"] is not None]
    rules = (
        alt.Chart(_values(ranges))
        .mark_rule(color=ACCENT, strokeWidth=1.6, clip=True)
        .encode(y=y, x="lower:Q", x2="upper:Q")
    )
    text = (
        alt.Chart(_values([{**point, "end": point["upper"] or point["value"]} for point in data]))
        .mark_text(align="left", dx=7, fontSize=11.5)
        .encode(y=y, x="end:Q", text="printed:N")
    )
    return (bars + rules + text).properties(height=50 + _pitch(data) * len(rows))


def _scatter(data: list[Datum], unit: str, language: str) -> Any:
    """Growth against size, a letter a section, the middle of both as thin lines."""
    size, growth = _order(data, "series")
    by = {(point["series"], point["x"]): point for point in data}
    points = [
        {
            "x": x,
            "label": by[size, x]["label"],
            "size": by[size, x]["value"],
            "growth": by[growth, x]["value"],
        }
        for x in _order(data, "x")
        if (size, x) in by and (growth, x) in by and by[size, x]["value"] > 0
    ]
    units = next(point["unit"] for point in data if point["series"] == growth)
    across_axis = alt.Axis(title=f"{size} ({unit})", tickCount=5, format=",~g", grid=False)
    x = alt.X("size:Q", scale=alt.Scale(type="log", nice=True, padding=18), axis=across_axis)
    y = alt.Y(
        "growth:Q",
        scale=alt.Scale(zero=False, nice=True, padding=14),
        axis=_upright_axis(f"{growth} ({units})"),
    )
    base = alt.Chart(_values(points)).encode(x=x, y=y)
    dots = base.mark_point(filled=True, size=330, color=ACCENT, opacity=1, stroke="white", strokeWidth=1.5)
    text = base.mark_text(color="white", fontSize=11, fontWeight="bold").encode(text="x:N")
    middles = alt.Chart(_values(points)).mark_rule(color=SOFT, strokeDash=[3, 3], strokeWidth=0.8)
    across = middles.encode(y="median(growth):Q")
    down = middles.encode(x="median(size):Q")
    return (across + down + dots + text).properties(height=360)


def _tiles(data: list[Datum], unit: str, language: str) -> Any:
    """A tile a region at its rough position, shaded in five classes of equal count."""
    regions = [
        {**point, "column": tile.column, "row": tile.row, "name": tile.name.get(language)}
        for point in data
        if (tile := TILES.get(point["x"])) is not None
    ]
    values = sorted(point["value"] for point in regions if point["value"] is not None)
    cuts = [values[min(len(values) * step // 5, len(values) - 1)] for step in range(1, 5)]
    for point in regions:
        empty = point["value"] is None
        point["rank"] = -1 if empty else sum(point["value"] >= cut for cut in cuts)
        point["ink"] = SOFT if empty else "white" if point["rank"] >= 3 else INK
    base = alt.Chart(_values(regions)).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(paddingInner=0.06)),
        y=alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.06)),
    )
    classes = []
    for rank in range(5):
        inside = sorted(
            (point for point in regions if point["rank"] == rank), key=lambda point: point["value"]
        )
        classes.append(f"{inside[0]['printed']} – {inside[-1]['printed']}" if inside else "—")
    ranks = [rank for rank in range(5) if classes[rank] != "—"]
    expression = "[" + ",".join(f"'{name}'" for name in classes) + "][datum.value]"
    legend = alt.Legend(
        title=unit,
        values=ranks,
        orient="none",
        legendX=0,
        legendY=0,
        symbolType="square",
        labelExpr=expression,
        direction="vertical",
        titleColor=SOFT,
        titleFontWeight="normal",
    )
    tiles = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color(
            "rank:O",
            scale=alt.Scale(domain=[*range(5), -1], range=[*SEQUENCE, "#f4f5f6"]),
            legend=legend,
        )
    )
    ink = alt.Color("ink:N", scale=None)
    names = base.mark_text(dy=-8, fontSize=13 if language == "zh" else 11).encode(text="name:N", color=ink)
    numbers = base.mark_text(dy=10, fontSize=11).encode(text="printed:N", color=ink)
    return alt.layer(tiles, names, numbers).resolve_scale(color="independent").properties(height=430)


def _dots(data: list[Datum], unit: str, language: str) -> Any:
    """Coefficients of variation as dots on a common scale, sorted."""
    # Labels of one line: there are many rows, and the figure stands on a page with its heading.
    data = [
        {**point, "label": point["label"].replace("|", " " if language == "en" else "")} for point in data
    ]
    rows = [point["label"] for point in sorted(data, key=lambda point: point["cv"])]
    look = {"grid": True, "gridColor": LINE, "gridDash": [1, 3], "labelLimit": 400}
    y = alt.Y("label:N", sort=rows, axis=_row_axis(10.5, **look))
    title = "变异系数 (%)" if language == "zh" else "Coefficient of variation (%)"
    x = alt.X("cv:Q", scale=alt.Scale(domainMin=0, nice=True), axis=_value_axis(title))
    grades = sorted(_order(data, "grade"))
    legend = alt.Legend(title="等级" if language == "zh" else "Grade", symbolType="circle")
    colours = [ACCENT, THIRD, SECOND, "#a51d2d", "#7a5195"][: len(grades)]
    shapes = ["circle", "diamond", "triangle-up", "square", "cross"][: len(grades)]
    colour = alt.Color("grade:N", scale=alt.Scale(domain=grades, range=colours), legend=legend)
    shape = alt.Shape("grade:N", scale=alt.Scale(domain=grades, range=shapes), legend=legend)
    dots = (
        alt.Chart(_values(data))
        .mark_point(filled=True, size=80, opacity=1)
        .encode(y=y, x=x, color=colour, shape=shape)
    )
    return dots.properties(height=70 + 18 * len(rows))


_BUILDERS: dict[str, Callable[[list[Datum], str, str], Any]] = {
    "FIG1": _columns,
    "FIG2": _columns,
    "FIG3": _line,
    "storage": _pair,
    "flows": _pair,
    "sections": _bars,
    "growth_size": _scatter,
    "regions": _tiles,
    "quality": _dots,
}
