"""A small content with everything that a public page can show: totals, withheld and absent cells, a passage."""

import json
from dataclasses import replace
from typing import Any

from django.utils import timezone

from estimation.releases.content.content import (
    Block,
    CellStatus,
    Content,
    FrozenCell,
    FrozenRow,
    FrozenTable,
    Text,
)
from estimation.releases.models import Release
from estimation.runs.models import EstimationRun


def text(zh: str, en: str) -> Text:
    return Text(zh, en)


def cell(key: str, printed: str, value: float | None, **more: Any) -> FrozenCell:
    """A cell with an interval of plus and minus one tenth."""
    bounds: dict[str, Any] = (
        {} if value is None else {"lower": value * 0.9, "upper": value * 1.1, "se": value * 0.05}
    )
    return FrozenCell(
        key, text(f"指标{key}", f"Figure {key}"), text("EB", "EB"), printed, value=value, **bounds, **more
    )


def small_content(year: int = 2025) -> Content:
    """Two tables, a withheld cell, an absent one, a passage."""
    cells = [
        cell(
            f"SUP-01.{year}",
            "52.26",
            52.2612,
            cv=0.05,
            grade="B",
            n=42,
            estimator="total",
            lineage=("P01/total/nation/all/2025",),
        ),
        cell(f"SUP-01.{year}.growth", "27.28", 27.2772, cv=0.02, grade="A"),
        cell("T2.A.flow", "32.08", 32.0812),
        cell("T2.C.flow", "540.58", 540.5812),
        cell("T2.D.flow", "×", None, status=CellStatus.WITHHELD, reason="dominance"),
        cell("T2.total.flow", "1,930.73", 1930.7312),
        cell("T4.110000.valid", "1,956", 1956.0),
        cell("T4.540000.valid", "—", None, status=CellStatus.ABSENT, reason="no_estimate"),
    ]
    flow = FrozenTable(
        "T2",
        text("行业数据分布", "Data by industry"),
        text("门类", "Section"),
        (text("流通量", "Flow"),),
        (
            FrozenRow("A", text("农业", "Agriculture"), ("T2.A.flow",)),
            FrozenRow("D", text("电力", "Electricity"), ("T2.D.flow",)),
            FrozenRow("C", text("制造业", "Manufacturing"), ("T2.C.flow",)),
            FrozenRow("total", text("合计", "Total"), ("T2.total.flow",), is_total=True),
        ),
    )
    positions = FrozenTable(
        "T4",
        text("各省样本", "Sample by region"),
        text("地区", "Region"),
        (text("有效", "Valid"),),
        (
            FrozenRow("110000", text("北京", "Beijing"), ("T4.110000.valid",)),
            FrozenRow("540000", text("西藏", "Tibet (Xizang)"), ("T4.540000.valid",)),
        ),
    )
    chapter = FrozenTable(
        "C1.supply",
        text("供给", "Supply"),
        text("指标", "Indicator"),
        (text("2025", "2025"), text("增长率", "Growth")),
        (FrozenRow("SUP-01", text("生产总量", "Production"), (f"SUP-01.{year}", f"SUP-01.{year}.growth")),),
    )
    crossed = {"A": ("1.50", 1.5), "C": ("30.00", 30.0), "D": ("×", None), "total": ("31.50", 31.5)}
    region_names = {"110000": text("北京", "Beijing"), "540000": text("西藏", "Tibet (Xizang)")}
    cells += [
        cell(
            f"RS-P01.{region}.{section}",
            printed,
            value,
            cv=None if value is None else 0.0512,
            grade="" if value is None else "B",
            n=None if value is None else 40,
            status=CellStatus.SHOWN if value else CellStatus.WITHHELD,
        )
        for region in (*region_names, "total")
        for section, (printed, value) in crossed.items()
    ]
    by_industry = FrozenTable(
        "RS-P01",
        text("分地区分行业数据生产量（EB）", "Data produced by region and industry (EB)"),
        text("地区", "Region"),
        (
            text("农业", "Agriculture"),
            text("制造业", "Manufacturing"),
            text("电力", "Electricity"),
            text("全行业", "All industries"),
        ),
        tuple(
            FrozenRow(
                region,
                region_names.get(region, text("全国", "All regions")),
                tuple(f"RS-P01.{region}.{section}" for section in crossed),
                is_total=region == "total",
            )
            for region in (*region_names, "total")
        ),
        (text("口径为企业。", "Enterprises only."),),
    )
    foreword = Block(
        "FW",
        "foreword",
        text("前言", "Foreword"),
        text("总量为52.26。", "Production was 52.26."),
        (f"SUP-01.{year}",),
    )
    return Content(
        year=year,
        title=text("调查报告", "Survey report"),
        is_synthetic=True,
        run="a" * 64,
        code_version="b" * 64,
        cells={entry.key: entry for entry in cells},
        tables=(chapter, flow, positions),
        blocks=(foreword,),
        crossings=(by_industry,),
        identities=({"code": "ID-1", "holds": True, "words": {"zh": "合计成立", "en": "The sum holds"}},),
    )


def put_out(run: EstimationRun, content: Content | None = None, *, number: int = 1, **fields: Any) -> Release:
    """A release of a run, published unless ``fields`` say otherwise."""
    shown = content or small_content()
    values = {"state": "published", "published_at": timezone.now(), **fields}
    return Release.objects.create(
        round=run.round,
        run=run,
        number=number,
        content=json.loads(shown.to_json()),
        content_hash=shown.digest(),
        **values,
    )


def corrected(content: Content, key: str, printed: str) -> Content:
    """The same content with another number in a cell."""
    changed = replace(content.cells[key], printed=printed)
    return replace(content, cells={**content.cells, key: changed})
