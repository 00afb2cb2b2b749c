"""Evaluation of formulas over the cells that are already assembled. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from estimation.releases.content.content import FrozenCell
from estimation.releases.content.draft import Draft, Material
from estimation.releases.content.estimates import estimate_unit, key_of, lineage_of, rounded
from estimation.releases.content.formulas import Formula, Quantity, Reference
from estimation.units import Unit, unit_of


class Missing(Exception):
    """A component is missing; ``reason`` is the code of the cause."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Component:
    """A value that a formula reads. ``se`` None: its error is unknown."""

    value: float
    unit: Unit
    se: float | None
    n: int | None
    lineage: tuple[str, ...]
    estimator: str


class Evaluator:
    """Evaluates formulas over a draft.

    offsets : years between a fact and its release, by the code of the fact; headline : codes of the indicators
    """

    def __init__(
        self, draft: Draft, material: Material, offsets: Mapping[str, int], headline: Collection[str]
    ) -> None:
        self.draft, self.material, self.year = draft, material, material.year
        self.offsets, self.headline = offsets, frozenset(headline)

    def key(self, reference: Reference) -> str:
        """The key of the cell that a reference to a published number names."""
        name, year = reference.name, self.year + reference.offset
        if name.endswith(".growth"):
            return f"{name.removesuffix('.growth')}.{year}.growth"
        if name in self.offsets:
            return f"{name}.{year + self.offsets[name]}"
        return f"{name}.{year}" if name in self.headline else name

    def component(self, reference: Reference) -> Component:
        """A value with its unit, error and lineage. Raises Missing."""
        if reference.kind == "number":
            return self._published(self.draft.cells.get(self.key(reference)))
        if reference.kind == "external":
            year = self.year + reference.offset
            value = self.material.source.external.get((reference.name, year))
            if value is None:
                raise Missing("no_external")
            unit = unit_of(self.material.external_units[reference.name])
            return Component(value, unit, 0.0, None, (f"{reference.name}/{year}",), "external")
        key = key_of(reference, self.year)
        stored = self.material.source.estimates.get(key)
        if stored is None or stored.value is None:
            raise Missing("no_estimate")
        unit = estimate_unit(key.variable, key.statistic, self.material.units)
        se = 0.0 if key.statistic == "count" else stored.se
        return Component(stored.value, unit, se, stored.n, (lineage_of(key),), key.statistic)

    def _published(self, cell: FrozenCell | None) -> Component:
        if cell is None or cell.value is None:
            raise Missing(cell.reason if cell else "no_estimate")
        value = float(rounded(cell.value, cell.decimals))
        se = 0.0 if cell.is_external or cell.estimator == "count" else cell.se
        return Component(value, unit_of(cell.unit.zh), se, cell.n, cell.lineage, "derived")

    def evaluate(self, formula: Formula) -> tuple[Quantity, dict[Reference, Component]]:
        """The value in base units with the components it was made of. Raises Missing."""
        parts = {reference: self.component(reference) for reference in formula.references}
        try:
            quantity = formula.evaluate(lambda reference: (parts[reference].value, parts[reference].unit))
        except ZeroDivisionError:
            raise Missing("no_previous") from None
        return quantity, parts


def steady(value: float) -> float:
    """The value without binary rounding errors: 53.12499999999999 is 53.125 and rounds up."""
    return float(f"{value:.12g}")
