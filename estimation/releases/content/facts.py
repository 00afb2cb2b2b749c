"""Facts: the numbers of the text, computed by formulas over assembled cells, with their errors. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from estimation.releases.content.content import FrozenCell, Text
from estimation.releases.content.draft import absent, freeze_cell
from estimation.releases.content.estimates import Z95, Cell, formatted, grade_of, key_of, rounded
from estimation.releases.content.evaluation import Component, Evaluator, Missing, steady
from estimation.releases.content.formulas import Formula, Quantity, Reference, parse_formula, parse_reference
from estimation.units import unit_of
from survey.exceptions import DefinitionError


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the text. ``formula`` None: the survey cannot give it, ``absent`` is the reason."""

    code: str
    label: Text
    unit: str
    place: tuple[str, ...]
    formula: Formula | None = None
    decimals: int = 2
    year: int = 0
    step: float = 0.0
    error: Reference | None = None
    absent: Text | None = None


def parse_fact(values: dict[str, Any]) -> Fact:
    formula, error, reason = (values.pop(name, None) for name in ("formula", "error", "absent"))
    if (formula is None) == (reason is None):
        raise DefinitionError(
            "formula_or_reason", values["code"], "a fact has either a formula or a reason why it has none"
        )
    return Fact(
        **{**values, "label": Text(**values["label"]), "place": tuple(values["place"])},
        formula=parse_formula(formula) if formula else None,
        error=parse_reference(error) if error else None,
        absent=Text(**reason) if reason else None,
    )


def ordered_facts(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Facts after the facts that they refer to. Raises DefinitionError for a circle, naming it."""
    by_code = {fact.code: fact for fact in facts}
    done: dict[str, Fact] = {}

    def visit(code: str, path: tuple[str, ...]) -> None:
        if code in path:
            raise DefinitionError(
                "circle", code, f"a circle: {' > '.join((*path[path.index(code) :], code))}"
            )
        fact = by_code.get(code)
        if fact is None or code in done:
            return
        for reference in fact.formula.references if fact.formula else ():
            if reference.kind == "number":
                visit(reference.name.removesuffix(".growth"), (*path, code))
        done[code] = fact

    for code in by_code:
        visit(code, ())
    return tuple(done.values())


def add_facts(evaluator: Evaluator, facts: Sequence[Fact]) -> None:
    """The cell of every fact, in the order of their references."""
    for fact in ordered_facts(facts):
        evaluator.draft.add(fact_cell(evaluator, fact))


def fact_cell(evaluator: Evaluator, fact: Fact) -> FrozenCell:
    """A number of the text, or the reason why there is none."""
    key, label = f"{fact.code}.{evaluator.year + fact.year}", fact.label
    if fact.formula is None:
        why = fact.absent if fact.absent else None
        return replace(absent(key, label, fact.unit, fact.decimals, "not_collected"), note=why)
    try:
        quantity, parts = evaluator.evaluate(fact.formula)
    except Missing as missing:
        return absent(key, label, fact.unit, fact.decimals, missing.reason)
    factor = unit_of(fact.unit).factor
    value = steady(quantity.value / factor)
    se, note = _error(evaluator, fact, quantity, parts, factor)
    cell = _with_error(value, fact.decimals, se, _least(parts.values()))
    lineage = dict.fromkeys(line for part in parts.values() for line in part.lineage)
    frozen = freeze_cell(key, label, fact.unit, cell, fact.decimals, _estimator(parts), lineage, note)
    return replace(frozen, words=about(value, fact.step)) if fact.step else frozen


def _error(
    evaluator: Evaluator, fact: Fact, quantity: Quantity, parts: dict[Reference, Component], factor: float
) -> tuple[float | None, str]:
    """Standard error in the printed unit, and the note on the kind of error."""
    if fact.error is not None:
        stored = evaluator.material.source.estimates.get(key_of(fact.error, evaluator.year))
        if stored is not None and stored.se is not None:
            return stored.se / factor, ""
    if all(part.estimator == "external" for part in parts.values()):
        return None, "external"
    if any(part.se is None for part in parts.values()):
        return None, "combined"
    paired = _of_two_years(evaluator, quantity, parts)
    if paired is not None:
        return paired / factor, ""
    shares = [abs(quantity.slopes[ref]) * (part.se or 0.0) / factor for ref, part in parts.items()]
    sampled = sum(1 for share in shares if share > 0)
    return sum(shares), "bounded" if sampled > 1 else ""


def _of_two_years(
    evaluator: Evaluator, quantity: Quantity, parts: dict[Reference, Component]
) -> float | None:
    """Standard error in base units when the only sampled component is one total of two years.

    The stored growth of that total gives the covariance: V(R) X0^2 = V1 + R^2 V0 - 2 R C.
    """
    pair = sorted((ref for ref, part in parts.items() if part.se), key=lambda ref: -ref.offset)
    if len(pair) != 2 or pair[0].kind != "estimate" or pair[0].name != pair[1].name:
        return None
    if [ref.offset for ref in pair] != [0, -1] or pair[0].estimate[1] != "total":
        return None
    now, before = parts[pair[0]], parts[pair[1]]
    rate = evaluator.material.source.estimates.get(
        replace(key_of(pair[0], evaluator.year), statistic="level_growth")
    )
    if rate is None or rate.se is None or not before.value or not now.value:
        return None
    first, second, ratio = now.se or 0.0, before.se or 0.0, now.value / before.value
    common = (first**2 + ratio**2 * second**2 - (rate.se * before.value) ** 2) / (2.0 * ratio)
    common = max(-first * second, min(common, first * second))
    a, b = (quantity.slopes[ref] for ref in pair)
    return math.sqrt(max(a**2 * first**2 + b**2 * second**2 + 2.0 * a * b * common, 0.0))


def about(value: float, step: float) -> Text | None:
    """The number rounded to a multiple of a step with a qualifier that holds: 79.6 is 近80, 143 is 超140."""
    nearest = float(rounded(value / step, 0)) * step
    if nearest == 0:
        return None
    printed = formatted(nearest, 0)
    if abs(value - nearest) < 1e-9:
        return Text(printed, printed)
    return (
        Text(f"近{printed}", f"nearly {printed}")
        if value < nearest
        else Text(f"超{printed}", f"over {printed}")
    )


def _with_error(value: float, decimals: int, se: float | None, n: int | None) -> Cell:
    text = formatted(value, decimals)
    if se is None or se == 0.0:
        return Cell(text, value, n=n)
    cv = se / abs(value) if value else None
    reach = Z95 * se
    return Cell(text, value, se, cv, value - reach, value + reach, grade_of(cv, se), n)


def _least(parts: Iterable[Component]) -> int | None:
    counts = [part.n for part in parts if part.n is not None]
    return min(counts) if counts else None


def _estimator(parts: dict[Reference, Component]) -> str:
    kinds = {part.estimator for part in parts.values()}
    return kinds.pop() if len(parts) == 1 else "external" if kinds == {"external"} else "derived"
