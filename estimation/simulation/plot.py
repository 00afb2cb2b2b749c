"""The main results of a study as one SVG: bias, mean squared error and coverage of the national totals."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import altair as alt
import vl_convert

from estimation.simulation.report import Line

# Grey for the raw values, an accent for the default of a run, and shapes for the other variants.
_RAW, _ACCENT, _REST = "#5b6470", "#1f4e8c", "#9aa7b5"


def draw(lines: Sequence[Line], *, variants: Sequence[str], default: str, samples: int) -> str:
    """SVG text. `variants` are drawn in this order, the first as raw values; `default` has the accent."""
    rows = [
        {**asdict(line), "low": line.bias - 2 * line.bias_error, "high": line.bias + 2 * line.bias_error}
        for line in lines
        if line.scope == "nation" and line.statistic == "total" and line.variant in variants
    ]
    data: Any = alt.Data(values=rows)  # type: ignore[no-untyped-call]  # not typed in Altair
    colours = [_RAW if v == variants[0] else _ACCENT if v == default else _REST for v in variants]
    shapes = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "stroke"]
    colour = alt.Color("variant:N", sort=list(variants), title=None).scale(
        domain=list(variants), range=colours
    )
    shape = alt.Shape("variant:N", sort=list(variants), title=None).scale(
        domain=list(variants), range=[shapes[i % len(shapes)] for i in range(len(variants))]
    )
    items = alt.Y("variable:N", title=None, sort=None)
    offset = alt.YOffset("variant:N", sort=list(variants))

    def points(field: str, title: str, form: str) -> Any:
        x = alt.X(f"{field}:Q", title=title).axis(format=form).scale(zero=False)
        return alt.Chart(data).mark_point(filled=True, size=46).encode(items, offset, x, colour, shape)

    def rule(at: float) -> Any:
        line: Any = alt.Data(values=[{"at": at}])  # type: ignore[no-untyped-call]  # not typed in Altair
        return alt.Chart(line).mark_rule(color="#c3cad3").encode(x="at:Q")

    spread = alt.Chart(data).mark_rule().encode(items, offset, alt.X("low:Q"), alt.X2("high:Q"), colour)
    panels = [
        alt.layer(rule(0.0), spread, points("bias", "bias, share of the true total", "+.1%")),
        alt.layer(rule(1.0), points("mse_ratio", "mean squared error, raw = 1", ".1f")),
        alt.layer(rule(0.95), points("coverage", "coverage of 95 % intervals", ".0%")),
    ]
    chart = (
        alt.hconcat(
            *(panel.properties(width=250, height=44 * len({r["variable"] for r in rows})) for panel in panels)
        )
        .properties(
            title=f"National totals over {samples} samples of the rehearsal population (synthetic data)"
        )
        .configure(font="Noto Sans CJK SC, sans-serif")
        .configure_view(stroke="#e3e7ec")
        .configure_axis(
            grid=False, domainColor="#c3cad3", tickColor="#c3cad3", labelFontSize=11, titleFontSize=11
        )
        .configure_legend(orient="bottom", columns=4, labelLimit=260)
        .configure_title(anchor="start", fontSize=13, fontWeight="normal")
    )
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))
