"""The key of an estimate and what its computation reads."""

from dataclasses import dataclass

from estimation.runs.compute.spec import DERIVED, FLOW_BASIS, RunSpec

LEVELS = ("total", "mean", "proportion", "ratio", "multiple")
GROWTHS = ("level_growth", "panel_growth", "panel_simple")


@dataclass(frozen=True)
class Cell:
    """The key of an estimate."""

    year: int
    variable: str
    statistic: str
    kind: str
    code: str

    @property
    def is_growth(self) -> bool:
        """True where the year before is required as well."""
        return self.statistic in GROWTHS

    @property
    def is_quotient(self) -> bool:
        """True where the estimate has a denominator."""
        return self.statistic in ("mean", "proportion", "ratio", "multiple")

    def variables(self, spec: RunSpec) -> tuple[str, ...]:
        """Items that its computation reads."""
        parts = DERIVED.get(self.variable) or tuple(self.variable.split("/"))
        basis = FLOW_BASIS[spec.flow_basis]
        return (*parts, basis) if "F01" in parts and basis not in parts else parts
