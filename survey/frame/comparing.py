"""What a checked file would change in the frame, and the hash that names exactly these changes. Pure."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from survey.frame.checking import CountRow, UnitRow

SHOWN = 500  # changes that the page and the file of changes can list
# Field of a unit -> kind of the change that is recorded; other fields are measures and only updated.
RECORDED: Mapping[str, str] = {
    "region": "move",
    "division_code": "move",
    "category": "category",
    "section": "section",
    "size_class": "size",
    "name": "name",
}


@dataclass
class Plan:
    """New rows, changed rows with (field, old, new), rows that come back, keys that are missing from the file."""

    new: list[Any] = field(default_factory=list)
    changed: list[tuple[Any, list[tuple[str, Any, Any]]]] = field(default_factory=list)
    back: list[Any] = field(default_factory=list)
    unchanged: int = 0
    missing: list[Any] = field(default_factory=list)

    def fields(self) -> dict[str, int]:
        """How many rows change in each field."""
        return dict(
            Counter(name for _row, fields in self.changed for name, _old, _new in fields).most_common()
        )

    def content_hash(self) -> str:
        """SHA-256 over every change: another frame or another file gives another one."""
        parts = [
            [list(map(str, row)) for row in self.new],
            [
                [list(map(str, row)), [[n, str(o), str(v)] for n, o, v in fields]]
                for row, fields in self.changed
            ],
            [list(map(str, row)) for row in self.back],
            sorted(map(str, self.missing)),
        ]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()

    def shown(self) -> list[list[Any]]:
        """The first changes as JSON: key, name, fields with old and new."""
        return [
            [_key_text(row), getattr(row, "name", ""), [[n, _text(o), _text(v)] for n, o, v in fields]]
            for row, fields in self.changed[:SHOWN]
        ]


def compare_units(
    rows: Iterable[UnitRow],
    known: Mapping[str, tuple[UnitRow, bool]],
    *,
    complete: bool,
    given: frozenset[str] = frozenset(UnitRow._fields),
) -> Plan:
    """``known``: credit code -> the unit as the frame has it, and whether it is in the frame now.

    Columns that are not ``given`` in the file stay as the frame has them.
    """
    plan, seen = Plan(), set()
    silent = [name for name in UnitRow._fields if name not in given]
    for row in rows:
        seen.add(row.uscc)
        if row.uscc not in known:
            plan.new.append(row)
            continue
        old, inside = known[row.uscc]
        if silent:
            row = _kept(old, row, silent)
        fields = _differences(old, row)
        if not inside:
            plan.back.append(row)
        if fields:
            plan.changed.append((row, fields))
        elif inside:
            plan.unchanged += 1
    plan.missing = (
        [code for code, (_row, inside) in known.items() if inside and code not in seen] if complete else []
    )
    return plan


def compare_counts(rows: Iterable[CountRow], known: Mapping[tuple[str, ...], int], *, complete: bool) -> Plan:
    """``known``: (category, region, section, size) -> units."""
    plan, seen = Plan(), set()
    for row in rows:
        key = tuple(row[:4])
        seen.add(key)
        if key not in known:
            plan.new.append(row)
        elif known[key] != row.units:
            plan.changed.append((row, [("units", known[key], row.units)]))
        else:
            plan.unchanged += 1
    plan.missing = [key for key in known if key not in seen] if complete else []
    return plan


def _kept(old: UnitRow, new: UnitRow, silent: list[str]) -> UnitRow:
    values = {name: getattr(old, name) for name in silent}
    if new.region != old.region:  # a division of the former region would be wrong
        values.pop("division_code", None)
    return new._replace(**values)


def _differences(old: UnitRow, new: UnitRow) -> list[tuple[str, Any, Any]]:
    if old == new:
        return []
    return [
        (name, before, after)
        for name, before, after in zip(UnitRow._fields, old, new, strict=True)
        if before != after
    ]


def _key_text(row: Any) -> str:
    return row.uscc if isinstance(row, UnitRow) else " ".join(part for part in row[:4] if part)


def _text(value: Any) -> str:
    if value is None or value == "":
        return "—"
    return {True: "1", False: "0"}[value] if isinstance(value, bool) else str(value)
