"""Arithmetic identities between printed numbers of a release, which a reader can verify. Pure.

Each compares printed values. The tolerance is the possible rounding error: half a last digit for every printed term.
An identity whose cells are withheld or absent is reported as not checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from estimation.releases.content.content import CellStatus, FrozenCell, Text
from estimation.releases.content.estimates import rounded
from survey.classification import SECTIONS

TB_PER_ZB = Decimal(1024) ** 3


@dataclass(frozen=True, slots=True)
class Sum:
    """``whole`` is the sum of ``parts``; ``differ`` : a difference is expected and registered."""

    code: str
    words: Text
    whole: str
    parts: tuple[str, ...]
    differ: Text | None = None


def check_identities(
    cells: Mapping[str, FrozenCell], year: int, external: Mapping[tuple[str, int], float]
) -> tuple[dict[str, Any], ...]:
    """All identities of a release: code, words, holds (None: not checkable), left, right, difference, tolerance."""
    rows = [_sum(cells, definition) for definition in _sums(cells, year)]
    rows += [_growth(cells, code, year) for code in _growing(cells, year)]
    for y in (year - 1, year):
        rows.append(_per_capita(cells, y, external.get(("EXT-POP", y))))
    rows += [_share(cells, year, *share) for share in _SHARES]
    rows += [_filed(cells, table) for table in ("T3", "T4")]
    return tuple(rows)


_SHARES = (
    ("TXT-022", "SUP-07", "SUP-06", Text("存储空间利用率", "use of storage capacity")),
    ("TXT-024", "SUP-08", "SUP-07", Text("云存储占比", "cloud share")),
    ("TXT-010", "SUP-09", "SUP-07", Text("结构化占比", "structured share")),
    ("TXT-021", "SUP-05", "SUP-01", Text("企业占数据生产总量", "enterprises in data production")),
)  # fmt: skip


def _sums(cells: Mapping[str, FrozenCell], year: int) -> list[Sum]:

    def t2(rows: tuple[str, ...], column: str) -> tuple[str, ...]:
        return tuple(f"T2.{row}.{column}" for row in rows)

    def counted(table: str, column: str) -> tuple[str, ...]:
        total = f"{table}.total.{column}"
        return tuple(
            k for k in cells if k.startswith(f"{table}.") and k.endswith(f".{column}") and k != total
        )

    adjusted = Text(
        "流通总量含登记的口径调整项，差额即该项",
        "the total holds a registered adjustment; the difference is that",
    )
    sums = [
        Sum(
            "production",
            Text(f"{y}年：物联感知+系统软件AI=数据生产总量", f"{y}: sensed + computed = all data produced"),
            f"SUP-01.{y}",
            (f"SUP-02.{y}", f"SUP-03.{y}"),
        )
        for y in (year - 1, year)
    ]
    sums += [
        Sum(
            "t2_production",
            Text("表2生产量合计=企业数据生产总量", "sections of table 2 = enterprise production"),
            f"SUP-05.{year}",
            t2(SECTIONS, "production_zb"),
        ),
        Sum(
            "t2_sectors",
            Text("三次产业合计=企业数据生产总量", "three sectors = enterprise production"),
            f"SUP-05.{year}",
            t2(("primary", "secondary", "tertiary"), "production_zb"),
        ),
        Sum(
            "t2_flow",
            Text("表2流通量合计与企业流通总量", "sections of table 2 and enterprise flow"),
            f"CIR-05.{year}",
            t2(SECTIONS, "flow_eb"),
            adjusted,
        ),
        Sum(
            "t3",
            Text("表3各类之和=合计", "categories of table 3 = total"),
            "T3.total.valid",
            counted("T3", "valid"),
        ),
        Sum(
            "t4",
            Text("表4各地区之和=合计", "regions of table 4 = total"),
            "T4.total.valid",
            counted("T4", "valid"),
        ),
        Sum(
            "t3_t4",
            Text("表3合计=表4合计", "total of table 3 = total of table 4"),
            "T3.total.valid",
            ("T4.total.valid",),
        ),
        Sum(
            "t3_t4_filed",
            Text("表3填报合计=表4填报合计", "filed in table 3 = filed in table 4"),
            "T3.total.filed",
            ("T4.total.filed",),
        ),
    ]
    return sums


def _printed(cell: FrozenCell | None) -> Decimal | None:
    if cell is None or cell.value is None or cell.status in (CellStatus.WITHHELD, CellStatus.ABSENT):
        return None
    return rounded(cell.value, cell.decimals)


def _half(cells: Mapping[str, FrozenCell], keys: tuple[str, ...]) -> Decimal:
    return sum((Decimal(5).scaleb(-cells[key].decimals - 1) for key in keys), Decimal(0))


def _verdict(
    code: str,
    words: Text,
    left: Decimal | None,
    right: Decimal | None,
    tolerance: Decimal,
    differ: Text | None = None,
) -> dict[str, Any]:
    both = left is not None and right is not None
    gap = left - right if left is not None and right is not None else None
    return {
        "code": code,
        "words": {"zh": words.zh, "en": words.en},
        "holds": (abs(gap) <= tolerance or differ is not None) if gap is not None else None,
        "left": str(left) if both else None,
        "right": str(right) if both else None,
        "difference": str(gap) if gap is not None else None,
        "tolerance": str(tolerance.quantize(Decimal("0.0001")).normalize()),
        "registered": {"zh": differ.zh, "en": differ.en} if differ is not None else None,
    }


def _sum(cells: Mapping[str, FrozenCell], definition: Sum) -> dict[str, Any]:
    values = [_printed(cells.get(key)) for key in definition.parts]
    shown = [value for value in values if value is not None]
    right = sum(shown, Decimal(0)) if len(shown) == len(values) and values else None
    keys = tuple(key for key in (definition.whole, *definition.parts) if key in cells)
    return _verdict(
        f"{definition.code}:{definition.whole}",
        definition.words,
        _printed(cells.get(definition.whole)),
        right,
        _half(cells, keys),
        definition.differ,
    )


def _growing(cells: Mapping[str, FrozenCell], year: int) -> list[str]:
    ends = f".{year}.growth"
    return [
        key.removesuffix(ends) for key, cell in cells.items() if key.endswith(ends) and cell.value is not None
    ]


def _growth(cells: Mapping[str, FrozenCell], code: str, year: int) -> dict[str, Any]:
    """The printed rate is the ratio of the printed levels, half up."""
    now, before = _printed(cells.get(f"{code}.{year}")), _printed(cells.get(f"{code}.{year - 1}"))
    right = None
    if now is not None and before:
        right = rounded(float((now / before - 1) * 100), 2)
    words = Text(f"{code}：增长率=水平值之比", f"{code}: growth = ratio of the levels")
    return _verdict(f"growth:{code}", words, _printed(cells.get(f"{code}.{year}.growth")), right, Decimal(0))


def _per_capita(cells: Mapping[str, FrozenCell], year: int, population: float | None) -> dict[str, Any]:
    """TB per person; the tolerance allows for the total being printed to a hundredth of a ZB."""
    total = _printed(cells.get(f"SUP-01.{year}"))
    people = Decimal(str(population)) * 10000 if population else None
    right = total * TB_PER_ZB / people if total is not None and people else None
    tolerance = Decimal("0.005") + (Decimal("0.005") * TB_PER_ZB / people if people else Decimal(0))
    left = _printed(cells.get(f"SUP-04.{year}"))
    shown = right.quantize(Decimal("0.0001")) if right is not None else None
    words = Text(f"{year}年人均=总量×1024³÷人口", f"per capita {year} = total × 1024³ / population")
    return _verdict(f"per_capita:{year}", words, left, shown, tolerance)


def _share(
    cells: Mapping[str, FrozenCell], year: int, fact: str, top: str, bottom: str, words: Text
) -> dict[str, Any]:
    a, b = _printed(cells.get(f"{top}.{year}")), _printed(cells.get(f"{bottom}.{year}"))
    right = rounded(float(a / b * 100), 2) if a is not None and b else None
    return _verdict(f"share:{fact}", words, _printed(cells.get(f"{fact}.{year}")), right, Decimal(0))


def _filed(cells: Mapping[str, FrozenCell], table: str) -> dict[str, Any]:
    """Check that valid units do not exceed filed units."""
    keys = [k for k in cells if k.startswith(f"{table}.") and k.endswith(".valid")]
    worst = Decimal(0)
    for key in keys:
        valid, filed = _printed(cells.get(key)), _printed(cells.get(key.replace(".valid", ".filed")))
        if valid is not None and filed is not None:
            worst = max(worst, valid - filed)
    words = Text(f"表{table[1]}：有效不超过填报", f"table {table[1]}: valid at most filed")
    return _verdict(f"filed:{table}", words, worst, Decimal(0), Decimal(0))


def failing(identities: tuple[Mapping[str, Any], ...]) -> list[Mapping[str, Any]]:
    """The identities that do not hold."""
    return [identity for identity in identities if identity["holds"] is False]
