"""Disclosure control of a release, once, on its cells: sensitive ones, those that protect them, and the attack.

A stored estimate is withheld when it is sensitive (few or dominating contributors), or when published sums would
give a sensitive one away. Then every cell that was made of it is withheld, whatever table, text or figure it
stands in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from estimation.design.strata import Floats
from estimation.methods import SuppressionError, audit_suppression, suppress, table_relations
from estimation.releases.content import CellStatus, FrozenCell
from estimation.releases.contributors import Concentration
from estimation.releases.tables import Key, Stored

FEW, ONE, TWO, LINKED, SAME = "few", "one_dominates", "two_dominate", "secondary", "follows"
_WHOLE = frozenset({"nation"})
# Items of the government bureaus: they tell of public tasks and not of a respondent's own affairs, and a province
# has one bureau, so that a rule for contributors would withhold every one of them.
PUBLIC_ITEMS = ("MG", "MR")
_SECTIONS = tuple("ABCDEFGHIJKLMNOPQR")
# Sums between published domains of one variable: parts, whole. A kind without codes stands for all of its codes.
_SUMS: tuple[tuple[str, tuple[str, ...], tuple[str, str]], ...] = (
    ("section", ("A",), ("industry_group", "primary")),
    ("section", ("B", "C", "D"), ("industry_group", "industry")),
    ("section", ("B", "C", "D", "E"), ("industry_group", "secondary")),
    ("section", _SECTIONS[5:], ("industry_group", "tertiary")),
    ("section", (), ("nation", "enterprise")),
    ("region_enterprise", (), ("nation", "enterprise")),
    ("category", (), ("nation", "all")),
    ("region", (), ("nation", "all")),
)


@dataclass(frozen=True, slots=True)
class Rules:
    """Fewest contributors; largest share of one and of two; share within which nobody may bound a withheld value."""

    minimum: int = 3
    one: float = 0.70
    two: float = 0.85
    protection: float = 0.1

    def why(self, found: Concentration) -> str:
        """The reason why a total is sensitive, or nothing."""
        if 0 < found.units < self.minimum:
            return FEW
        if found.largest > self.one:
            return ONE
        return TWO if found.two_largest > self.two else ""


@dataclass
class Verdict:
    """Withheld estimates with their reason, and what the auditor found. For the office only."""

    withheld: dict[str, str] = field(default_factory=dict)  # lineage -> reason
    systems: list[dict[str, Any]] = field(default_factory=list)

    @property
    def leaks(self) -> int:
        """Sensitive cells that published cells give away."""
        return sum(len(one["recovered"]) for one in self.systems)

    def to_json(self) -> dict[str, Any]:
        """As stored with the release."""
        return {"withheld": self.withheld, "systems": self.systems, "leaks": self.leaks}


def protect(
    cells: Mapping[str, FrozenCell],
    estimates: Mapping[Key, Stored],
    concentration: Mapping[tuple[str, str, str], Concentration],
    rules: Rules,
    *,
    withheld_before: frozenset[str] = frozenset(),
) -> tuple[dict[str, FrozenCell], Verdict]:
    """The cells with what must be withheld taken out, and why. ``withheld_before``: lineages of earlier releases."""
    verdict = Verdict()
    lines = {line: key for cell in cells.values() for line in cell.lineage if (key := _key(line))}
    for line, key in lines.items():
        reason = _sensitive(key, estimates.get(key), concentration, rules)
        if reason:
            verdict.withheld[line] = reason
    # A single number that is published by itself can enter a sum of the reader's.
    single = {cell.lineage[0] for cell in cells.values() if len(cell.lineage) == 1}
    for year, variable, statistic in sorted({(k.year, k.variable, k.statistic) for k in lines.values()}):
        if statistic in ("total", "count"):
            system = [
                key for line, key in lines.items()
                if (key.year, key.variable, key.statistic) == (year, variable, statistic)
                and (line in single or key.kind in _WHOLE)
            ]  # fmt: skip
            _protect_system(system, estimates, rules, verdict, withheld_before)
    _follow(lines, verdict)
    return {name: _masked(cell, verdict) for name, cell in cells.items()}, verdict


def _key(line: str) -> Key | None:
    parts = line.rsplit("/", 4)
    return Key(int(parts[4]), parts[0], parts[1], parts[2], parts[3]) if len(parts) == 5 else None


def line_of(key: Key) -> str:
    """The lineage of an estimate."""
    return f"{key.variable}/{key.statistic}/{key.kind}/{key.code}/{key.year}"


def _sensitive(
    key: Key, stored: Stored | None, concentration: Mapping[tuple[str, str, str], Concentration], rules: Rules
) -> str:
    if key.kind in _WHOLE or stored is None or stored.value is None or key.variable.startswith(PUBLIC_ITEMS):
        return ""
    if key.statistic == "count":
        return FEW if 0 < stored.value < rules.minimum else ""
    if 0 < stored.n < rules.minimum:
        return FEW
    if key.statistic == "proportion":
        return ""
    for variable in key.variable.replace("+", "/").split("/"):
        found = concentration.get((variable, key.kind, key.code))
        if found is not None and (why := rules.why(found)):
            return why
    return ""


def _protect_system(
    keys: Sequence[Key],
    estimates: Mapping[Key, Stored],
    rules: Rules,
    verdict: Verdict,
    before: frozenset[str],
) -> None:
    """One variable: its published totals, the sums that bind them, the cheapest protecting pattern, the attack."""
    known = [key for key in keys if key in estimates and estimates[key].value is not None]
    place = {(key.kind, key.code): number for number, key in enumerate(known)}
    values = [max(float(estimates[key].value or 0.0), 0.0) for key in known]
    sums = _relations(place, values)
    if not sums:
        return
    value = np.array(values)
    relations = table_relations(sums, len(value))
    names = [line_of(key) for key in known] + [""] * (len(value) - len(known))
    primary = np.array([name in verdict.withheld for name in names])
    never = np.array([not name or known[i].kind in _WHOLE or value[i] == 0 for i, name in enumerate(names)])
    old = np.array([name in before and bool(name) for name in names])
    primary &= ~never
    pattern, optimal = primary | (old & ~never), True
    if primary.any():
        try:
            found = suppress(
                value, relations, primary, never=never, withheld_before=old & ~never, protection=rules.protection,
                seconds_per_round=10.0,
            )  # fmt: skip
            pattern, optimal = found.withheld, found.optimal
        except SuppressionError:
            pattern, optimal = ~never, False  # nothing cheaper protects: the whole classification goes
    for i in np.flatnonzero(pattern & ~primary):
        verdict.withheld.setdefault(names[i], LINKED)
    verdict.systems.append(_report(known[0], names, value, relations, primary, pattern, optimal))


def _relations(place: Mapping[tuple[str, str], int], values: list[float]) -> list[list[int]]:
    """Sums whose parts are all published, as lists of places ending with the whole; appends what is left over."""
    sums = []
    for kind, codes, whole in _SUMS:
        chosen = codes or tuple(code for one, code in place if one == kind)
        if whole not in place or not chosen or any((kind, code) not in place for code in chosen):
            continue
        parts = [place[kind, code] for code in chosen]
        rest = values[place[whole]] - sum(values[part] for part in parts)
        if abs(rest) > 1e-7 * max(values[place[whole]], 1.0):
            if rest < 0:
                continue  # overlapping parts: no sum that a reader could use
            values.append(rest)
            parts.append(len(values) - 1)
        sums.append([*parts, place[whole]])
    return sums


def _report(
    first: Key, names: list[str], value: Floats, relations: Any, primary: Any, pattern: Any, optimal: bool
) -> dict[str, Any]:
    audit = audit_suppression(value, relations, pattern)
    width = np.where(value > 0, (audit.upper - audit.lower) / np.where(value > 0, value, 1.0), np.inf)
    held = np.flatnonzero(pattern)
    narrow = float(width[held].min()) if len(held) else None
    return {
        "variable": first.variable, "statistic": first.statistic, "year": first.year,
        "cells": sum(1 for name in names if name), "sums": int(relations.shape[0]),
        "primary": int(primary.sum()), "secondary": int((pattern & ~primary).sum()), "optimal": optimal,
        "recovered": [names[int(i)] for i in np.flatnonzero(audit.recovered & primary)],
        "narrowest": None if narrow is None or not np.isfinite(narrow) else round(narrow, 4),
    }  # fmt: skip


def _follow(lines: Mapping[str, Key], verdict: Verdict) -> None:
    """The growth of a withheld level, with last year's published level, is the level."""
    held = {
        (key.variable, key.kind, key.code)
        for line, key in lines.items()
        if key.statistic == "total" and line in verdict.withheld
    }
    for line, key in lines.items():
        if key.statistic.endswith("growth") and (key.variable, key.kind, key.code) in held:
            verdict.withheld.setdefault(line, SAME)


def _masked(cell: FrozenCell, verdict: Verdict) -> FrozenCell:
    if cell.status is CellStatus.ABSENT or not any(line in verdict.withheld for line in cell.lineage):
        return cell
    return replace(
        cell, printed="×", status=CellStatus.WITHHELD, value=None, se=None, cv=None, lower=None, upper=None, n=None,
        grade="", reason="withheld", note=None, words=None,
    )  # fmt: skip
