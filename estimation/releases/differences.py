"""Comparison of two releases, or of a release and the published report, by number. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path

from estimation.releases.content.content import CellStatus, FrozenCell, Text

_FOLDER = Path(__file__).parent / "content" / "registry"


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that two releases show differently. ``kind``: new, gone, withheld, shown, changed, quality."""

    key: str
    label: Text
    unit: Text
    before: str
    after: str
    kind: str
    change: float | None = None  # relative


def compare_cells(
    before: Mapping[str, FrozenCell], after: Mapping[str, FrozenCell]
) -> tuple[Difference, ...]:
    """Every cell that differs, in the order of the later release."""
    changes = []
    for key in dict.fromkeys((*after, *before)):
        old, new = before.get(key), after.get(key)
        kind = _kind(old, new)
        cell = new or old
        if kind and cell is not None:
            changes.append(
                Difference(
                    key,
                    cell.label,
                    cell.unit,
                    old.printed if old else "",
                    new.printed if new else "",
                    kind,
                    _relative(old, new),
                )
            )
    return tuple(changes)


def _kind(old: FrozenCell | None, new: FrozenCell | None) -> str:
    if old is None or new is None:
        return "new" if old is None else "gone"
    if old.status != new.status and CellStatus.WITHHELD in (old.status, new.status):
        return "withheld" if new.status is CellStatus.WITHHELD else "shown"
    if old.printed != new.printed:
        return "changed"
    return "quality" if (old.se, old.n, old.grade) != (new.se, new.n, new.grade) else ""


def _relative(old: FrozenCell | None, new: FrozenCell | None) -> float | None:
    if old is None or new is None or not old.value or new.value is None:
        return None
    return new.value / old.value - 1.0


@dataclass(frozen=True, slots=True)
class Published:
    """A number of the published report. ``qualifier`` : 超, 约 and the like; ``note`` : a known oddity of it."""

    value: str
    qualifier: str = ""
    note: Text | None = None


@lru_cache(maxsize=4)
def published_report(year: int) -> Mapping[str, Published]:
    """The numbers of the published report of a year by our keys; empty when there is none."""
    path = _FOLDER / f"published_{year}.json"
    if not path.exists():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    return {
        key: Published(
            entry["value"], entry.get("qualifier", ""), Text(**entry["note"]) if entry.get("note") else None
        )
        for key, entry in document["cells"].items()
    }


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published number beside ours. ``why`` is a code of the explanation, ``note`` a remark on the number."""

    key: str
    cell: FrozenCell | None
    published: Published
    why: str
    relative: float | None

    @property
    def inside(self) -> bool:
        """Whether the published number lies in our interval or equals ours."""
        return self.why in ("same", "inside")


def compare_with_report(
    cells: Mapping[str, FrozenCell], year: int, *, synthetic: bool
) -> tuple[Comparison, ...]:
    """Every published number with ours and the explanation of the difference."""
    comparisons = []
    for key, published in published_report(year).items():
        cell = cells.get(key)
        why, relative = _explain(cell, published, synthetic=synthetic)
        comparisons.append(Comparison(key, cell, published, why, relative))
    return tuple(comparisons)


def _explain(cell: FrozenCell | None, published: Published, *, synthetic: bool) -> tuple[str, float | None]:
    if cell is None:
        return "not_made", None
    if cell.status in (CellStatus.WITHHELD, CellStatus.ABSENT):
        return cell.reason, None
    try:
        published_value = Decimal(published.value)
    except InvalidOperation:
        return ("same" if cell.printed == published.value else "order"), None
    if cell.value is None:
        return "no_estimate", None
    digits = -int(published_value.as_tuple().exponent)
    computed = Decimal(repr(cell.value))
    relative = float(computed / published_value - 1) if published_value else None
    if abs(computed - published_value) <= Decimal(5).scaleb(-digits - 1):
        return "same", relative
    if published.qualifier:
        return (
            "qualified" if _satisfies(computed, published_value, published.qualifier) else "sampling"
        ), relative
    if (
        cell.lower is not None
        and cell.upper is not None
        and cell.lower <= float(published_value) <= cell.upper
    ):
        return "inside", relative
    if cell.estimator == "forecast":
        return "method", relative
    if cell.estimator == "count":
        return "sample_size", relative
    return ("synthetic" if synthetic else "beyond"), relative


def _satisfies(computed: Decimal, published_value: Decimal, qualifier: str) -> bool:
    """Whether our number satisfies the published wording (超, 以上, 多: above; 近: below; 约: near)?"""
    if any(word in qualifier for word in ("超", ">", "以上", "多", "≥")):
        return computed >= published_value
    if "近" in qualifier:
        return published_value * Decimal("0.9") <= computed < published_value
    return abs(computed / published_value - 1) <= Decimal("0.1")
