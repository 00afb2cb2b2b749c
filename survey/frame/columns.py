"""Columns of frame files with their names in both languages, and file templates. Pure."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a frame file. Its header may be the code or a name, the Chinese one in traditional characters, too."""

    code: str
    zh: str
    hant: str
    en: str
    required: bool
    example: str


UNIT_COLUMNS: tuple[Column, ...] = (
    Column(
        "uscc",
        "统一社会信用代码",
        "統一社會信用代碼",
        "Unified social credit code",
        True,
        "91350100M000100Y43",
    ),
    Column("name", "单位详细名称", "單位詳細名稱", "Full legal name", True, "示例数据有限公司"),
    Column("category", "调查对象类别", "調查對象類別", "Category", True, "CAT13"),
    Column("region", "省级地区代码", "省級地區代碼", "Region", True, "350000"),
    Column("division_code", "区划代码", "區劃代碼", "Division code", False, "350000"),
    Column("industry", "行业代码", "行業代碼", "Industry class", False, "6513"),
    Column("size_class", "单位规模", "單位規模", "Size class", False, "small"),
    Column("institution_type", "机构类型", "機構類型", "Institution type", False, "10"),
    Column("employees", "从业人员", "從業人員", "Employees", False, "120"),
    Column("turnover", "营业收入（万元）", "營業收入（萬元）", "Turnover (10k yuan)", False, "5600.00"),
    Column("assets", "资产总计（万元）", "資產總計（萬元）", "Assets (10k yuan)", False, "9000.00"),
    Column("founded_on", "成立日期", "成立日期", "Founded on", False, "2012-05-01"),
    Column("is_head_platform", "头部平台", "頭部平台", "Leading platform", False, "0"),
    Column("is_pilot_space", "国家试点数据空间", "國家試點數據空間", "National pilot data space", False, "0"),
)
COUNT_COLUMNS: tuple[Column, ...] = (
    Column("category", "调查对象类别", "調查對象類別", "Category", False, ""),
    Column("region", "省级地区代码", "省級地區代碼", "Region", True, "350000"),
    Column("section", "行业门类", "行業門類", "Industry section", False, "I"),
    Column("size_class", "单位规模", "單位規模", "Size class", False, "small"),
    Column("units", "单位数", "單位數", "Number of units", True, "35210"),
)
COLUMNS: Mapping[str, tuple[Column, ...]] = {"units": UNIT_COLUMNS, "counts": COUNT_COLUMNS}


def normalised_text(text: str) -> str:
    """Text normalised for comparison: NFKC, without surrounding whitespace."""
    return unicodedata.normalize("NFKC", text).strip()


def _key(header: str) -> str:
    return "".join(normalised_text(header).replace("*", "").lower().split())


def column_positions(kind: str, header: Sequence[str]) -> tuple[dict[str, int], list[str], list[str]]:
    """Positions in the file by column code; missing required columns; unknown or repeated headers."""
    names: dict[str, str] = {}
    for column in COLUMNS[kind]:
        names |= {_key(name): column.code for name in (column.code, column.zh, column.hant, column.en)}
    positions: dict[str, int] = {}
    unknown: list[str] = []
    for position, title in enumerate(header):
        code = names.get(_key(title))
        if code is None or code in positions:
            unknown += [title] if title.strip() else []
        else:
            positions[code] = position
    missing = [column.code for column in COLUMNS[kind] if column.required and column.code not in positions]
    return positions, missing, unknown


def template_rows(kind: str) -> list[list[str]]:
    """The header of column codes and one example row."""
    columns = COLUMNS[kind]
    return [[column.code for column in columns], [column.example for column in columns]]
