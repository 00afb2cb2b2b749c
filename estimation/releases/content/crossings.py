"""Tables of regions by sections of industry: cells, and which of them are too uncertain to be published. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from estimation.releases.content.content import CellStatus, FrozenCell, FrozenRow, FrozenTable, Text
from estimation.releases.content.draft import Draft, Material, freeze_cell
from estimation.releases.content.estimates import Key, cell_of, estimate_unit, lineage_of
from estimation.units import english, unit_of

ALL = "total"  # the last row and the last column of a crossing
CROSSED = "region_section"
UNPUBLISHED = "E"  # the grade below which a number of a small domain is not published
NATION, INDUSTRIES = Text("全国", "All regions"), Text("全行业", "All industries")
STUB = Text("地区", "Region")
NOTES = (
    Text(
        "口径为企业。变异系数达到35%及以上的数值不公布，以“—”表示；依保密要求不公布的以“×”表示。",
        "Enterprises only. Figures with a coefficient of variation of 35 % or more are not published and show —; "
        "those withheld to protect respondents show ×.",
    ),
    Text(
        "层内没有有效样本时按大区或全国同行业的均值推算，因此地区间的细小差异不宜解读。",
        "Strata without a valid respondent take the mean of their macro-region or of the nation in the same industry, "
        "so that small differences between regions should not be read.",
    ),
)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A variable that is published by region and section: its printed unit and the code of its table."""

    code: str
    variable: str
    unit: str
    label: Text
    decimals: int = 2


def parse_crossing(values: dict[str, Any]) -> Crossing:
    return Crossing(**{**values, "label": Text(**values["label"])})


def crossed_key(variable: str, year: int, region: str, section: str) -> Key:
    """The stored total of a region and a section, of a whole region, of a whole section, or of all enterprises."""
    if region == ALL:
        kind, code = ("nation", "enterprise") if section == ALL else ("section", section)
    else:
        kind, code = ("region_enterprise", region) if section == ALL else (CROSSED, f"{region}.{section}")
    return Key(year, variable, "total", kind, code)


def add_crossing(
    draft: Draft, crossing: Crossing, material: Material, regions: Sequence[str], sections: Sequence[str]
) -> None:
    """A table of a variable with its margins; cells without a respondent have that reason."""
    scale = estimate_unit(crossing.variable, "total", material.units).factor / unit_of(crossing.unit).factor
    names = {ALL: INDUSTRIES} | {code: material.name("section", code) for code in sections}
    rows = []
    for region in (*regions, ALL):
        region_name = NATION if region == ALL else material.name("region", region)
        keys = []
        for section, industry in ((code, names[code]) for code in (*sections, ALL)):
            stored = crossed_key(crossing.variable, material.year, region, section)
            cell = cell_of(material.source.estimates.get(stored), scale, crossing.decimals)
            label = Text(
                f"{region_name.zh}·{industry.zh}：{crossing.label.zh}",
                f"{region_name.en}, {industry.en}: {crossing.label.en}",
            )
            key = f"{crossing.code}.{region}.{section}"
            keys.append(
                draft.add(
                    freeze_cell(
                        key, label, crossing.unit, cell, crossing.decimals, "total", (lineage_of(stored),)
                    )
                )
            )
        rows.append(FrozenRow(region, region_name, tuple(keys), is_total=region == ALL))
    title = Text(
        f"分地区分行业{crossing.label.zh}（{crossing.unit}）",
        f"{crossing.label.en} by region and industry ({english(crossing.unit)})",
    )
    columns = tuple(names[code] for code in (*sections, ALL))
    draft.crossings.append(FrozenTable(crossing.code, title, STUB, columns, tuple(rows), NOTES))


def keys_of(tables: Iterable[FrozenTable]) -> frozenset[str]:
    """The keys of all cells of some tables."""
    return frozenset(key for table in tables for row in table.rows for key in row.keys)


def without_weak(cells: Mapping[str, FrozenCell], crossings: Iterable[FrozenTable]) -> dict[str, FrozenCell]:
    """Replace inner cells of the crossings that are too uncertain by a dash with the reason."""
    crossed = {key for key in keys_of(crossings) if ALL not in key.split(".")}
    return {
        key: _unpublished(cell) if key in crossed and cell.grade == UNPUBLISHED else cell
        for key, cell in cells.items()
    }


def _unpublished(cell: FrozenCell) -> FrozenCell:
    return replace(
        cell,
        printed="—",
        status=CellStatus.ABSENT,
        value=None,
        se=None,
        cv=None,
        lower=None,
        upper=None,
        n=None,
        grade="",
        reason="imprecise",
        note=None,
    )


def crossing_keys(crossing: Crossing, year: int, regions: Sequence[str], sections: Sequence[str]) -> set[Key]:
    """The stored totals of a crossing with its margins."""
    return {
        crossed_key(crossing.variable, year, region, section)
        for region in (*regions, ALL)
        for section in (*sections, ALL)
    }
