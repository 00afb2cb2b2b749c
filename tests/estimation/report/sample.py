"""A content for tests: the published numbers of 2025, passages of our own, invented errors. Synthetic."""

import json
import re
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from estimation.releases.content.content import (
    Block,
    CellStatus,
    Content,
    FrozenCell,
    FrozenFigure,
    FrozenRow,
    FrozenTable,
    Point,
    Text,
)
from estimation.releases.content.registry import registry
from estimation.releases.selectors import labels

PASSAGES: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("passages.yaml").read_text(encoding="utf-8")
)
DATA: dict[str, Any] = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))
GROUPS = {
    "supply": "数据资源供给主要指标",
    "circulation": "数据要素流通主要指标",
    "use": "数据资源开发利用主要指标",
}
GROUPS_EN = {
    "supply": "Supply of data resources",
    "circulation": "Circulation of data",
    "use": "Development and use of data",
}
UNITS = {
    "万个": "10,000",
    "万亿个": "trillion",
    "亿次": "100 million calls",
    "TB/人": "TB per head",
    "家": "units",
}
UNITS |= {"个": "units", "万亿": "trillion", "百分点": "points", "倍": "times", "亿元": "CNY 100 million"}
WITHHELD = "T2.H.flow_eb"


def unit_of(zh: str) -> Text:
    return Text(zh, UNITS.get(zh, zh))


def shown(
    key: str, label: Text, unit: str, printed: str, *, sampled: bool = True, n: int = 900
) -> FrozenCell:
    """A cell with errors that are made up from its key, always the same."""
    text = printed.lstrip(">")
    value, decimals = float(text), len(text.partition(".")[2])
    cv = (zlib.crc32(key.encode()) % 900 + 60) / 10000 if sampled else None
    se = abs(value) * cv if cv is not None else None
    grades = ((0.02, "A"), (0.05, "B"), (1.0, "C"))
    return FrozenCell(
        key=key,
        label=label,
        unit=unit_of(unit),
        printed=printed,
        value=value,
        decimals=decimals,
        se=se,
        cv=cv,
        lower=value - 1.96 * se if se is not None else None,
        upper=value + 1.96 * se if se is not None else None,
        n=n if sampled else None,
        grade=next(g for limit, g in grades if cv < limit) if cv is not None else "",
        estimator="total" if sampled else "external",
        lineage=(f"{key}/test",),
    )


def absent(key: str, label: Text, unit: str, reason: str) -> FrozenCell:
    return FrozenCell(
        key=key, label=label, unit=unit_of(unit), printed="—", status=CellStatus.ABSENT, reason=reason
    )


class Build:
    """Collects cells while tables are laid out."""

    def __init__(self) -> None:
        self.cells: dict[str, FrozenCell] = {}

    def add(self, cell: FrozenCell) -> str:
        self.cells[cell.key] = cell
        return cell.key

    def number(self, key: str, label: Text, unit: str, printed: str | None, **rest: Any) -> str:
        if printed is None:
            return self.add(absent(key, label, unit, "not_collected"))
        return self.add(shown(key, label, unit, printed, **rest))

    def chapter1(self) -> list[FrozenTable]:
        by_code = {entry.code: entry for entry in registry().indicators}
        tables = []
        for group, title in GROUPS.items():
            rows = []
            for entry in DATA["indicators"]:
                indicator = by_code[entry["code"]]
                if indicator.group != group:
                    continue
                label = Text(indicator.label.zh, indicator.label.en)
                flow = entry["cum_2025"] is None
                keys = []
                for year in ("2024", "2025"):
                    value = entry[f"new_{year}"] if flow else entry[f"cum_{year}"]
                    mark = entry[f"qualifier_{year}"] or ""
                    keys.append(
                        self.number(
                            f"{entry['code']}.{year}",
                            label,
                            entry["unit"],
                            value and mark + value,
                            sampled=entry["code"] not in {"SUP-11", "USE-04", "USE-06"},
                        )
                    )
                growth = entry["growth_new_pct"] or entry["growth_cum_pct"]
                keys.append(self.number(f"{entry['code']}.2025.growth", label, "%", growth))
                blank = [self.add(absent(f"{key}.other", label, entry["unit"], "other_kind")) for key in keys]
                cells = keys + blank if flow else blank + keys
                rows.append(FrozenRow(entry["code"], label, tuple(cells), level=1 if indicator.parent else 0))
            columns = (
                Text("当年新增 · 2024年", "During the year · 2024"),
                Text("当年新增 · 2025年", "During the year · 2025"),
                Text("当年新增 · 增长率 (%)", "During the year · Growth (%)"),
                Text("累计 · 截至2024年", "At year end · 2024"),
                Text("累计 · 截至2025年", "At year end · 2025"),
                Text("累计 · 增长率 (%)", "At year end · Growth (%)"),
            )
            tables.append(
                FrozenTable(
                    f"C1.{group}",
                    Text(title, GROUPS_EN[group]),
                    Text("主要指标", "Indicator"),
                    columns,
                    tuple(rows),
                )
            )
        return tables

    def table1(self) -> FrozenTable:
        layout = registry().tables[1]
        rows = []
        for row in layout.rows:
            label = Text(row.label.zh, row.label.en)
            keys = [
                self.number(f"T1.{row.code}.{column.code}", label, "%", value)
                for column, value in zip(layout.columns, DATA["table1"][row.code], strict=True)
            ]
            rows.append(FrozenRow(row.code, label, tuple(keys)))
        columns = tuple(Text(column.label.zh, column.label.en) for column in layout.columns)
        title, stub = Text(layout.title.zh, layout.title.en), Text(layout.stub.zh, layout.stub.en)
        return FrozenTable("T1", title, stub, columns, tuple(rows))

    def table2(self) -> FrozenTable:
        layout, names = registry().tables[2], labels("industry_sections")
        units = {column.code: column.unit for column in layout.columns}
        rows = []
        for code, values in DATA["table2"].items():
            label = Text(names[code].zh, names[code].en)
            keys = [
                self.number(f"T2.{code}.{column.code}", label, units[column.code], value, n=180)
                for column, value in zip(layout.columns, values, strict=True)
            ]
            rows.append(FrozenRow(code, label, tuple(keys)))
        self.cells[WITHHELD] = FrozenCell(
            key=WITHHELD,
            label=Text("住宿和餐饮业", "Hotels and Catering Services"),
            unit=unit_of("EB"),
            printed="×",
            status=CellStatus.WITHHELD,
            reason="dominance",
        )
        columns = tuple(Text(f"{c.label.zh} ({c.unit})", f"{c.label.en} ({c.unit})") for c in layout.columns)
        note = Text(
            "门类按《国民经济行业分类》（GB/T 4754—2017）划分；第二产业包括工业和建筑业。",
            "Sections of GB/T 4754-2017. Secondary industry is industry and construction.",
        )
        return FrozenTable(
            "T2",
            Text("行业数据分布", "Data by industry"),
            Text("门类", "Section"),
            columns,
            tuple(rows),
            (note,),
        )

    def table3(self) -> FrozenTable:
        names, rows = labels("categories"), []
        for number, (code, zh, count) in enumerate(DATA["table3"], 1):
            city = zh.startswith("计划单列市")
            label = (
                Text(f"其中：{zh}", "of which separately planned cities")
                if city
                else Text(names[code].zh, names[code].en)
            )
            key = self.number(f"T3.{number}.valid", label, "个", str(count), sampled=False)
            rows.append(FrozenRow(f"{code}-city" if city else code, label, (key,), level=1 if city else 0))
        total = self.number("T3.total.valid", Text("合计", "Total"), "个", "42505", sampled=False)
        rows.append(FrozenRow("total", Text("合计", "Total"), (total,), is_total=True))
        return FrozenTable(
            "T3",
            Text("有效样本情况", "Valid sample by category"),
            Text("调查对象", "Respondents"),
            (Text("有效样本 (个)", "Valid sheets"),),
            tuple(rows),
        )

    def table4(self) -> FrozenTable:
        names, rows = labels("regions"), []
        for code, (filed, valid) in DATA["table4"].items():
            label = Text(names[code].zh, names[code].en)
            keys = [
                self.number(f"T4.{code}.{name}", label, "家", str(value), sampled=False)
                for name, value in (("filed", filed), ("valid", valid))
            ]
            rows.append(FrozenRow(code, label, tuple(keys)))
        return FrozenTable(
            "T4",
            Text("各省调查主体数量分布", "Respondents by province"),
            Text("地区", "Region"),
            (Text("填报完成 (家)", "Filed"), Text("有效样本 (家)", "Valid")),
            tuple(rows),
        )

    def figures(self) -> list[FrozenFigure]:
        def series(code: str, name: Text, values: dict[str, str], unit: str) -> tuple[Point, ...]:
            return tuple(
                Point(name, x, self.add(shown(f"{code}.{x}", name, unit, value, sampled=False)))
                for x, value in values.items()
            )

        stored, active = Text("数据存储总量", "Data stored"), Text("活跃数据量", "Active data")
        built = Text("全国年度数据生产总量", "Data produced in the year")
        tokens = Text("日均词元调用量", "Tokens a day")
        return [
            FrozenFigure(
                "FIG1",
                Text("2022—2025年全国年度数据生产总量", "Data produced, 2022 to 2025"),
                unit_of("ZB"),
                series("FIG1", built, DATA["production"], "ZB"),
                Text("", ""),
                (Text("2022年为推算值。", "2022 is derived from the growth of 2023."),),
            ),
            FrozenFigure(
                "FIG2",
                Text(
                    "2023—2025年全国数据存储总量及活跃数据总量", "Data stored and active data, 2023 to 2025"
                ),
                unit_of("ZB"),
                series("FIG2.stored", stored, DATA["stored"], "ZB")
                + series("FIG2.active", active, DATA["active"], "ZB"),
                Text("", ""),
            ),
            FrozenFigure(
                "FIG3",
                Text("2024—2025年日均词元（Token）调用量变化趋势", "Daily token calls, 2024 to 2025"),
                Text("万亿个/日", "trillion a day"),
                series("FIG3", tokens, DATA["tokens"], "万亿个"),
                Text("", ""),
            ),
        ]

    def facts(self) -> None:
        for code, (zh, value, unit) in DATA["facts"].items():
            self.number(code, Text(zh, zh), unit, value)

    def blocks(self) -> list[Block]:
        blocks = []
        for number, passage in enumerate(PASSAGES):
            body = Text(**passage["body"])
            keys = tuple(dict.fromkeys(re.findall(r"\{\{ ([^ ]+) \}\}", body.zh + body.en)))
            filled = (
                re.sub(r"\{\{ ([^ ]+) \}\}", lambda match: self.cells[match[1]].printed, text)
                for text in (body.zh, body.en)
            )
            blocks.append(
                Block(f"B{number:02d}", passage["place"], Text(**passage["heading"]), Text(*filled), keys)
            )
        return blocks


def identity(code: str, holds: bool, difference: str, zh: str, en: str) -> dict[str, Any]:
    return {"code": code, "holds": holds, "difference": difference, "words": {"zh": zh, "en": en}}


@lru_cache(maxsize=1)
def content() -> Content:
    """The content, always the same bytes."""
    build = Build()
    tables = (*build.chapter1(), build.table1(), build.table2(), build.table3(), build.table4())
    build.facts()
    figures = build.figures()
    return Content(
        year=2025,
        title=Text("全国数据资源调查报告（2025年）", "National Data Resource Survey Report 2025"),
        is_synthetic=True,
        run="8f3c" * 16,
        code_version="0.1.0",
        cells=build.cells,
        tables=tables,
        figures=tuple(figures),
        blocks=tuple(build.blocks()),
        identities=(
            identity(
                "I-01",
                True,
                "0.00",
                "物联网感知数据与系统数据之和等于生产总量",
                "Sensed and system data add up",
            ),
            identity(
                "I-02", False, "0.01", "各门类之和等于企业数据生产总量", "Sections add up to enterprises"
            ),
        ),
        footnotes=(
            Text(
                "年度数据生产总量，指一年内创建、复制、捕获和消费产生的数据总量。",
                "Created, copied, captured and consumed.",
            ),
            Text(
                "数据开发率，指经过加工、开发和复用的数据占存储数据的比重。",
                "Processed, developed and reused.",
            ),
        ),
    )
