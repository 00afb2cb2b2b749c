"""Disclosure control of a release on its cells: primary and secondary suppression, and the audit.

A stored estimate is withheld when it is sensitive (few or dominating contributors), or when published sums would
disclose a sensitive one. Then every cell derived from it is withheld, in all tables, text and figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from estimation.methods import (
    SuppressionError,
    audit_suppression,
    suppress,
    suppress_in_turn,
    table_relations,
)
from estimation.methods.arrays import Bools, Floats
from estimation.releases.checks import AuditedSystem, Disclosure, Rules
from estimation.releases.content.content import CellStatus, FrozenCell
from estimation.releases.content.crossings import CROSSED
from estimation.releases.content.estimates import Key, Stored
from estimation.runs.compute.contributors import Concentration
from survey.classification import INDUSTRY, PRIMARY, SECONDARY, TERTIARY

FEW, ONE_DOMINATES, TWO_DOMINATE, LINKED, SAME = (
    "few",
    "one_dominates",
    "two_dominate",
    "secondary",
    "follows",
)
EXACT, IN_TURN, ALL_CELLS = "integer_program", "in_turn", "everything"  # how the further cells were chosen
_MARGIN_PRICE, _UNCERTAIN_PRICE = (
    1e3,
    1e-2,
)  # price of a margin, and of a cell that is too uncertain to be published anyway
_NATIONAL = frozenset({"nation"})
# Items of the government bureaus: they describe public tasks and not of a respondent's own affairs, and a province
# has one bureau, so that a rule for contributors would withhold every one of them.
PUBLIC_ITEMS = ("MG", "MR")
# Sums between published domains of one variable: parts, whole. A kind without codes stands for all of its codes.
_SUMS: tuple[tuple[str, tuple[str, ...], tuple[str, str]], ...] = (
    ("section", PRIMARY, ("industry_group", "primary")),
    ("section", INDUSTRY, ("industry_group", "industry")),
    ("section", SECONDARY, ("industry_group", "secondary")),
    ("section", TERTIARY, ("industry_group", "tertiary")),
    ("section", (), ("nation", "enterprise")),
    ("region_enterprise", (), ("nation", "enterprise")),
    ("category", (), ("nation", "all")),
    ("region", (), ("nation", "all")),
)


def sensitivity(rules: Rules, concentration: Concentration) -> str:
    """The reason why a total is sensitive, or ""."""
    if 0 < concentration.units < rules.minimum:
        return FEW
    if concentration.largest > rules.one:
        return ONE_DOMINATES
    return TWO_DOMINATE if concentration.two_largest > rules.two else ""


@dataclass
class Verdict:
    """Withheld estimates with their reason, and the result of the audit. For the office only."""

    withheld: dict[str, str] = field(default_factory=dict)  # lineage -> reason
    systems: list[AuditedSystem] = field(default_factory=list)

    @property
    def leaks(self) -> int:
        """Number of sensitive cells that published cells disclose."""
        return sum(len(system.recovered) for system in self.systems)

    def record(self) -> Disclosure:
        """As stored with the release."""
        return Disclosure(dict(self.withheld), tuple(self.systems), self.leaks)


def protect(
    cells: Mapping[str, FrozenCell],
    estimates: Mapping[Key, Stored],
    concentration: Mapping[tuple[str, str, str], Concentration],
    rules: Rules,
    *,
    withheld_before: frozenset[str] = frozenset(),
) -> tuple[dict[str, FrozenCell], Verdict]:
    """The cells after suppression, and the verdict. ``withheld_before``: lineages of earlier releases."""
    verdict = Verdict()
    lines = {line: key for cell in cells.values() for line in cell.lineage if (key := _key(line))}
    for line, key in lines.items():
        reason = _sensitive(key, estimates.get(key), concentration, rules)
        if reason:
            verdict.withheld[line] = reason
    # Single published numbers can be used in sums by a reader.
    single = {cell.lineage[0] for cell in cells.values() if len(cell.lineage) == 1}
    for year, variable, statistic in sorted({(k.year, k.variable, k.statistic) for k in lines.values()}):
        if statistic in ("total", "count"):
            system = [
                key
                for line, key in lines.items()
                if (key.year, key.variable, key.statistic) == (year, variable, statistic)
                and (line in single or key.kind in _NATIONAL)
            ]
            margins = [key for key in system if key.kind != CROSSED]
            _protect_system(margins, estimates, rules, verdict, withheld_before)
            if len(margins) < len(system):
                _protect_crossing(system, estimates, rules, verdict, withheld_before)
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
    if (
        key.kind in _NATIONAL
        or stored is None
        or stored.value is None
        or key.variable.startswith(PUBLIC_ITEMS)
    ):
        return ""
    if key.statistic == "count":
        return FEW if 0 < stored.value < rules.minimum else ""
    if 0 < stored.n < rules.minimum:
        return FEW
    if key.statistic == "proportion":
        return ""
    for variable in key.variable.replace("+", "/").split("/"):
        shares = concentration.get((variable, key.kind, key.code))
        if shares is not None and (reason := sensitivity(rules, shares)):
            return reason
    return ""


@dataclass(frozen=True)
class _System:
    """The published totals of one variable and the sums that bind them, arrays (C,).

    keys, names : of the first cells; further cells are the residuals of sums, which are neither published nor withheld
    """

    keys: list[Key]
    names: list[str]
    value: Floats
    relations: Any
    primary: Bools
    never: Bools
    before: Bools

    def kinds(self, *chosen: str) -> Bools:
        """Cells of some kinds of domains."""
        count = len(self.value) - len(self.keys)
        return np.array([key.kind in chosen for key in self.keys] + [False] * count)


def _system(
    keys: Sequence[Key], estimates: Mapping[Key, Stored], verdict: Verdict, before: frozenset[str]
) -> _System | None:
    published = [key for key in keys if key in estimates and estimates[key].value is not None]
    index = {(key.kind, key.code): number for number, key in enumerate(published)}
    values = [max(float(estimates[key].value or 0.0), 0.0) for key in published]
    sums = _relations(index, values)
    if not sums:
        return None
    value = np.array(values)
    names = [line_of(key) for key in published] + [""] * (len(value) - len(published))
    never = np.array(
        [not name or published[i].kind in _NATIONAL or value[i] == 0 for i, name in enumerate(names)]
    )
    primary = np.array([verdict.withheld.get(name, LINKED) != LINKED for name in names]) & ~never
    old = np.array([bool(name) and (name in before or name in verdict.withheld) for name in names]) & ~never
    return _System(published, names, value, table_relations(sums, len(value)), primary, never, old)


def _protect_system(
    keys: Sequence[Key],
    estimates: Mapping[Key, Stored],
    rules: Rules,
    verdict: Verdict,
    before: frozenset[str],
) -> None:
    """One variable: its published totals, the sums that bind them, the cheapest protecting pattern, the attack."""
    system = _system(keys, estimates, verdict, before)
    if system is None:
        return
    pattern, optimal = system.primary | system.before, True
    if system.primary.any():
        try:
            solution = suppress(
                system.value,
                system.relations,
                system.primary,
                never=system.never,
                withheld_before=system.before,
                protection=rules.protection,
                seconds_per_round=10.0,
            )
            pattern, optimal = solution.withheld, solution.optimal
        except SuppressionError:
            pattern, optimal = (
                ~system.never,
                False,
            )  # no smaller pattern protects: the whole classification is withheld
    _settle(system, pattern, verdict, EXACT, optimal=optimal)


def _protect_crossing(
    keys: Sequence[Key],
    estimates: Mapping[Key, Stored],
    rules: Rules,
    verdict: Verdict,
    before: frozenset[str],
) -> None:
    """The same with the table of regions by sections, whose margins keep their decisions.

    Hundreds of cells are too many for the integer program in the time of a release; they are protected in turn.
    """
    system = _system(keys, estimates, verdict, before)
    if system is None:
        return
    inner = system.kinds(CROSSED)
    pattern, method = system.primary | system.before, IN_TURN
    if system.primary.any():
        positive = system.value[system.value > 0]
        price = 1.0 + np.log1p(system.value / (positive.min() if len(positive) else 1.0))
        weak = [estimates[key].grade == "E" for key in system.keys] + [False] * (
            len(price) - len(system.keys)
        )
        price = np.where(inner, np.where(weak, _UNCERTAIN_PRICE, 1.0), _MARGIN_PRICE) * price
        try:
            pattern = suppress_in_turn(
                system.value,
                system.relations,
                system.primary,
                cost=price,
                never=system.never,
                withheld_before=system.before,
                protection=rules.protection,
            ).withheld
        except SuppressionError:
            pattern, method = pattern | (inner & ~system.never), ALL_CELLS
    _settle(system, pattern, verdict, method, optimal=False)


def _settle(system: _System, pattern: Bools, verdict: Verdict, method: str, *, optimal: bool) -> None:
    for i in np.flatnonzero(pattern & ~system.primary):
        verdict.withheld.setdefault(system.names[i], LINKED)
    verdict.systems.append(_report(system, pattern, method, optimal))


def _relations(index: Mapping[tuple[str, str], int], values: list[float]) -> list[list[int]]:
    """Sums whose parts are all published, as lists of indices ending with the total; appends the residuals."""
    sums = []
    for kind, codes, total in (*_SUMS, *_crossed_sums(index)):
        chosen = codes or tuple(code for domain_kind, code in index if domain_kind == kind)
        if total not in index or not chosen or any((kind, code) not in index for code in chosen):
            continue
        parts = [index[kind, code] for code in chosen]
        rest = values[index[total]] - sum(values[part] for part in parts)
        if abs(rest) > 1e-7 * max(values[index[total]], 1.0):
            if rest < 0:
                continue  # overlapping parts do not sum to the total
            values.append(rest)
            parts.append(len(values) - 1)
        sums.append([*parts, index[total]])
    return sums


def _crossed_sums(
    index: Mapping[tuple[str, str], int],
) -> list[tuple[str, tuple[str, ...], tuple[str, str]]]:
    """Rows and columns of the table of regions by sections; a missing cell has no respondent and adds 0."""
    lines: dict[tuple[str, str], list[str]] = {}
    for kind, code in index:
        if kind == CROSSED:
            region, _dot, section = code.partition(".")
            lines.setdefault(("region_enterprise", region), []).append(code)
            lines.setdefault(("section", section), []).append(code)
    return [(CROSSED, tuple(codes), total) for total, codes in lines.items()]


def _report(system: _System, pattern: Bools, method: str, optimal: bool) -> AuditedSystem:
    """Attack the sensitive cells with all published cells, and report the result."""
    audit = audit_suppression(system.value, system.relations, pattern, targets=system.primary)
    sensitive = np.flatnonzero(system.primary)
    width = (audit.upper - audit.lower)[sensitive] / system.value[sensitive]  # a cell of 0 is never sensitive
    narrow = float(width.min()) if len(sensitive) else None
    first = system.keys[0]
    return AuditedSystem(
        variable=first.variable,
        statistic=first.statistic,
        year=first.year,
        method=method,
        crossed=bool(system.kinds(CROSSED).any()),
        cells=sum(1 for name in system.names if name),
        sums=int(system.relations.shape[0]),
        primary=int(system.primary.sum()),
        secondary=int((pattern & ~system.primary).sum()),
        optimal=optimal,
        recovered=tuple(system.names[int(i)] for i in np.flatnonzero(audit.recovered)),
        narrowest=None if narrow is None or not np.isfinite(narrow) else round(narrow, 4),
    )


def _follow(lines: Mapping[str, Key], verdict: Verdict) -> None:
    """Estimates from which a withheld level could be derived are withheld with it.

    A level follows from a growth with last year's level, or from a ratio with the other total.
    """
    sensitive = {
        (key.variable, key.kind, key.code)
        for line, key in lines.items()
        if key.statistic == "total" and line in verdict.withheld
    }
    for line, key in lines.items():
        levels = key.variable.split("/") if key.statistic == "ratio" else [key.variable]
        if not (key.statistic == "ratio" or key.statistic.endswith("growth")):
            continue
        if any((variable, key.kind, key.code) in sensitive for variable in levels):
            verdict.withheld.setdefault(line, SAME)


def _masked(cell: FrozenCell, verdict: Verdict) -> FrozenCell:
    if cell.status is CellStatus.ABSENT or not any(line in verdict.withheld for line in cell.lineage):
        return cell
    return replace(
        cell,
        printed="×",
        status=CellStatus.WITHHELD,
        value=None,
        se=None,
        cv=None,
        lower=None,
        upper=None,
        n=None,
        grade="",
        reason="withheld",
        note=None,
        words=None,
    )
