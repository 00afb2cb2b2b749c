"""SDMX: structure as SDMX-JSON 2.0 and data as SDMX-CSV 2.0. Pure.

Written by hand because names are needed in two languages; tests validate the structure against the official
schema and read it back. Dimensions: FREQ, INDICATOR, BREAKDOWN (row of a table, _T for the total), TIME_PERIOD.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from estimation.releases.content.content import CellStatus, Content, Text
from estimation.releases.content.freezing import as_printed
from estimation.report.files.observations import number_of, short, shown_cells, year_of

AGENCY, VERSION = "NDRS", "1.0.0"
FLOW = f"{AGENCY}:DF_NDRS({VERSION})"
DIMENSIONS = {
    "FREQ": Text("频率", "Frequency"),
    "INDICATOR": Text("指标", "Indicator"),
    "BREAKDOWN": Text("分组", "Breakdown"),
    "TIME_PERIOD": Text("时期", "Time period"),
}
ATTRIBUTES = {
    "UNIT_MEASURE": Text("计量单位", "Unit of measure"), "DECIMALS": Text("小数位数", "Decimals"),
    "OBS_STATUS": Text("观测状态", "Observation status"), "STD_ERROR": Text("标准误", "Standard error"),
    "CV": Text("变异系数", "Coefficient of variation"), "LOWER_BOUND": Text("95%下限", "Lower bound, 95 %"),
    "UPPER_BOUND": Text("95%上限", "Upper bound, 95 %"), "QUALITY_GRADE": Text("质量等级", "Quality grade"),
}  # fmt: skip
STATUSES = {
    "A": Text("正常", "Normal value"),
    "Q": Text("依保密要求不公布", "Missing; suppressed"),
    "M": Text("无数据", "Missing; data cannot exist or cannot be computed"),
}
_STATUS_OF = {
    CellStatus.SHOWN: "A",
    CellStatus.NIL: "A",
    CellStatus.WITHHELD: "Q",
    CellStatus.ABSENT: "M",
}


@dataclass(frozen=True, slots=True)
class Key:
    """The dimensions of a cell."""

    indicator: str
    breakdown: str
    period: int


def identifier(text: str) -> str:
    """A code as SDMX writes it."""
    return re.sub(r"[^A-Za-z0-9_@$-]", "_", text)


def keys_of(content: Content) -> dict[str, Key]:
    """The dimensions of every cell. A cell without a label and a unit is a blank of the layout and has none."""
    rows = {table.code: {row.code for row in table.rows} for table in content.every_table}
    keys = {}
    for cell in shown_cells(content):
        if not cell.label.zh:
            continue
        parts = [part for part in cell.key.split(".") if not (len(part) == 4 and part.isdecimal())]
        period = year_of(cell, content.year)
        if len(parts) == 3 and parts[1] in rows.get(parts[0], ()):
            keys[cell.key] = Key(identifier(f"{parts[0]}_{parts[2]}"), identifier(parts[1]), period)
        else:
            keys[cell.key] = Key(identifier("_".join(parts)), "_T", period)
    return keys


def data_csv(content: Content) -> bytes:
    """SDMX-CSV 2.0: one line an observation."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(("STRUCTURE", "STRUCTURE_ID", "ACTION", *DIMENSIONS, "OBS_VALUE", *ATTRIBUTES))
    keys = keys_of(content)
    for name, key in sorted(
        keys.items(), key=lambda pair: (pair[1].indicator, pair[1].breakdown, pair[1].period)
    ):
        cell = as_printed(content.cells[name])
        value = number_of(cell)
        decimals = str(cell.decimals) if value is not None else ""
        writer.writerow(
            (
                "dataflow",
                FLOW,
                "I",
                "A",
                key.indicator,
                key.breakdown,
                str(key.period),
                "" if value is None else f"{value:.15g}",
                cell.unit.en,
                decimals,
                _STATUS_OF[cell.status],
                short(cell.se),
                short(cell.cv),
                short(cell.lower),
                short(cell.upper),
                cell.grade,
            )
        )
    return buffer.getvalue().encode()


def structure_json(content: Content) -> bytes:
    """SDMX-JSON 2.0: code lists, concepts, data structure and dataflow with names in both languages."""
    keys = keys_of(content)
    indicators = {key.indicator: _indicator_name(content, name, key) for name, key in keys.items()}
    breakdowns = {"_T": Text("总计", "Total")}
    for table in content.every_table:
        breakdowns |= {identifier(row.code): row.label for row in table.rows}
    used = {key.breakdown for key in keys.values()} | {"_T"}
    breakdowns = {code: label for code, label in breakdowns.items() if code in used}
    document = {
        "meta": {
            "schema": "https://json.sdmx.org/2.0.0/sdmx-json-structure-schema.json",
            "id": f"NDRS-{content.year}",
            "test": content.is_synthetic,
            "prepared": f"{content.year + 1}-01-01T00:00:00Z",
            "contentLanguages": ["zh", "en"],
            "sender": {"id": AGENCY},
        },
        "data": {
            "codelists": [
                _codelist("CL_FREQ", Text("频率", "Frequency"), {"A": Text("年", "Annual")}),
                _codelist("CL_INDICATOR", DIMENSIONS["INDICATOR"], indicators),
                _codelist("CL_BREAKDOWN", DIMENSIONS["BREAKDOWN"], breakdowns),
                _codelist("CL_OBS_STATUS", ATTRIBUTES["OBS_STATUS"], STATUSES),
            ],
            "conceptSchemes": [_concepts()],
            "dataStructures": [_structure()],
            "dataflows": [
                {
                    "id": "DF_NDRS",
                    "version": VERSION,
                    "agencyID": AGENCY,
                    "isExternalReference": False,
                    **_names(content.title),
                    "structure": _urn("datastructure.DataStructure", "DSD_NDRS"),
                }
            ],
        },
    }
    # Readers recognise the version by the first lines, so that the head stays in front.
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _indicator_name(content: Content, name: str, key: Key) -> Text:
    cell = content.cells[name]
    if key.breakdown == "_T":
        return cell.label
    table = next(candidate for candidate in content.every_table if candidate.code == name.split(".", 1)[0])
    at = next((row.keys.index(name) for row in table.rows if name in row.keys), None)
    column = table.columns[at] if at is not None else cell.label
    return Text(f"{table.title.zh}：{column.zh}", f"{table.title.en}: {column.en}")


def _names(text: Text) -> dict[str, Any]:
    return {"name": text.en or text.zh, "names": {"zh": text.zh, "en": text.en or text.zh}}


def _urn(kind: str, name: str, item: str = "") -> str:
    return f"urn:sdmx:org.sdmx.infomodel.{kind}={AGENCY}:{name}({VERSION}){'.' + item if item else ''}"


def _codelist(name: str, text: Text, codes: Mapping[str, Text]) -> dict[str, Any]:
    return {
        "id": name,
        "version": VERSION,
        "agencyID": AGENCY,
        "isExternalReference": False,
        **_names(text),
        "codes": [{"id": code, **_names(label)} for code, label in sorted(codes.items())],
    }


def _concepts() -> dict[str, Any]:
    names = {**DIMENSIONS, "OBS_VALUE": Text("观测值", "Observation value"), **ATTRIBUTES}
    return {
        "id": "CS_NDRS",
        "version": VERSION,
        "agencyID": AGENCY,
        "isExternalReference": False,
        **_names(Text("概念", "Concepts")),
        "concepts": [{"id": code, **_names(label)} for code, label in names.items()],
    }


def _component(name: str, **local: Any) -> dict[str, Any]:
    concept = _urn("conceptscheme.Concept", "CS_NDRS", name)
    return {"id": name, "conceptIdentity": concept, "localRepresentation": local}


def _enumeration(name: str) -> dict[str, Any]:
    return {"enumeration": _urn("codelist.Codelist", name)}


def _format(kind: str) -> dict[str, Any]:
    return {"format": {"dataType": kind}}


def _structure() -> dict[str, Any]:
    lists = {"FREQ": "CL_FREQ", "INDICATOR": "CL_INDICATOR", "BREAKDOWN": "CL_BREAKDOWN"}
    kinds = {"DECIMALS": "Integer", "UNIT_MEASURE": "String", "QUALITY_GRADE": "String"}
    attributes: Iterable[dict[str, Any]] = (
        {
            **_component(
                name,
                **(
                    _enumeration("CL_OBS_STATUS")
                    if name == "OBS_STATUS"
                    else _format(kinds.get(name, "Double"))
                ),
            ),
            "usage": "optional",
            "attributeRelationship": {"observation": {}},
        }
        for name in ATTRIBUTES
    )
    return {
        "id": "DSD_NDRS",
        "version": VERSION,
        "agencyID": AGENCY,
        "isExternalReference": False,
        **_names(Text("全国数据资源调查结果", "Results of the National Data Resource Survey")),
        "dataStructureComponents": {
            "dimensionList": {
                "id": "DimensionDescriptor",
                "dimensions": [
                    {**_component(name, **_enumeration(codes)), "position": at}
                    for at, (name, codes) in enumerate(lists.items())
                ],
                "timeDimension": {**_component("TIME_PERIOD", **_format("ObservationalTimePeriod"))},
            },
            "measureList": {
                "id": "MeasureDescriptor",
                "measures": [{**_component("OBS_VALUE", **_format("Double")), "usage": "optional"}],
            },
            "attributeList": {"id": "AttributeDescriptor", "attributes": list(attributes)},
        },
    }


def sdmx_files(content: Content) -> dict[str, bytes]:
    """The folder: structure and data."""
    return {"structure.json": structure_json(content), "data.csv": data_csv(content)}
