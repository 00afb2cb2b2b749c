"""The changes of a checked file to the frame, and a hash over them. Pure."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from survey.frame.checking import CountRow, UnitRow
from survey.notation.characters import folded

SHOWN = 500  # changes that are stored and shown
# Kind of the recorded change by field of a unit; other fields are updated without a record.
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
    """New rows, changed rows with (field, old, new), rows that return to the frame, keys missing from the file."""

    new: list[Any] = field(default_factory=list)
    changed: list[tuple[Any, list[tuple[str, Any, Any]]]] = field(default_factory=list)
    back: list[Any] = field(default_factory=list)
    unchanged: int = 0
    missing: list[Any] = field(default_factory=list)
    respelled: list[Any] = field(default_factory=list)  # names that differ in width, case or blanks only

    def fields(self) -> dict[str, int]:
        """Number of changed rows by field."""
        return dict(
            Counter(name for _row, fields in self.changed for name, _old, _new in fields).most_common()
        )

    def content_hash(self) -> str:
        """SHA-256 over all changes; it differs for another frame or another file."""
        parts = [
            [list(map(str, row)) for row in self.new],
            [
                [list(map(str, row)), [[n, str(o), str(v)] for n, o, v in fields]]
                for row, fields in self.changed
            ],
            [list(map(str, row)) for row in self.back],
            sorted(map(str, self.missing)),
            [[row.uscc, row.name] for row in self.respelled],
        ]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()

    def shown(self) -> list[list[Any]]:
        """The first SHOWN changes as JSON: key, name, fields with old and new."""
        return [
            [_key_text(row), getattr(row, "name", ""), [[n, _text(o), _text(v)] for n, o, v in fields]]
            for row, fields in self.changed[:SHOWN]
        ]


def compare_units(
    rows: Iterable[UnitRow],
    existing: Mapping[str, tuple[UnitRow, bool]],
    *,
    complete: bool,
    columns: frozenset[str] = frozenset(UnitRow._fields),
) -> Plan:
    """Compare units with the frame. ``existing`` maps credit codes to the unit and whether it is in the frame now.

    Fields that are not in ``columns`` of the file keep the value of the frame.
    """
    plan, seen = Plan(), set()
    absent = [name for name in UnitRow._fields if name not in columns]
    for row in rows:
        seen.add(row.uscc)
        if row.uscc not in existing:
            plan.new.append(row)
            continue
        old, inside = existing[row.uscc]
        if absent:
            row = _with_existing(old, row, absent)
        fields = _differences(old, row)
        if row.name != old.name and folded(row.name) == folded(old.name):
            plan.respelled.append(row)
        if not inside:
            plan.back.append(row)
        if fields:
            plan.changed.append((row, fields))
        elif inside:
            plan.unchanged += 1
    plan.missing = (
        [code for code, (_row, inside) in existing.items() if inside and code not in seen] if complete else []
    )
    return plan


def compare_counts(
    rows: Iterable[CountRow], existing: Mapping[tuple[str, ...], int], *, complete: bool
) -> Plan:
    """Compare counts with the frame. ``existing`` maps (category, region, section, size) to the number of units."""
    plan, seen = Plan(), set()
    for row in rows:
        key = tuple(row[:4])
        seen.add(key)
        if key not in existing:
            plan.new.append(row)
        elif existing[key] != row.units:
            plan.changed.append((row, [("units", existing[key], row.units)]))
        else:
            plan.unchanged += 1
    plan.missing = [key for key in existing if key not in seen] if complete else []
    return plan


def _with_existing(old: UnitRow, new: UnitRow, absent: list[str]) -> UnitRow:
    values = {name: getattr(old, name) for name in absent}
    if new.region != old.region:  # a division of the former region would be wrong
        values.pop("division_code", None)
    return new._replace(**values)


def _differences(old: UnitRow, new: UnitRow) -> list[tuple[str, Any, Any]]:
    if old == new:
        return []
    return [
        (name, before, after)
        for name, before, after in zip(UnitRow._fields, old, new, strict=True)
        if before != after and not (name == "name" and folded(str(before)) == folded(str(after)))
    ]


def _key_text(row: Any) -> str:
    return row.uscc if isinstance(row, UnitRow) else " ".join(part for part in row[:4] if part)


def _text(value: Any) -> str:
    if value is None or value == "":
        return "—"
    return {True: "1", False: "0"}[value] if isinstance(value, bool) else str(value)
