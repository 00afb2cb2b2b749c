"""Summary of a run beside its estimates, as it is stored with the run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ExternalValue:
    """An external value that the run used. ``value`` is a decimal as text, ``version`` that of its series."""

    code: str
    year: int
    version: int
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """An identity that holds for any data. ``gap`` is relative to the total."""

    check: str  # weights, region adds up, category adds up, nation adds up
    year: int
    detail: str
    gap: float
    holds: bool


@dataclass(frozen=True, slots=True)
class YearSummary:
    """Counts of one year of a run."""

    year: int
    units: int
    population: float
    strata: int
    estimation_strata: int
    collapsed: int
    alone: int
    outside_design: int
    unrepresented: float
    excess: int
    moved: int  # values that winsorization changed
    left_alone: int  # values outside the cutoffs that it did not change
    filled: int
    response_classes: int = 0  # not counted by the first programs


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of every stage of a run and the peak memory of its process in MB; None before its end."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    total_seconds: float | None = None
    peak_mb: float | None = None

    def to_document(self) -> dict[str, Any]:
        """The stored form."""
        return {} if self.total_seconds is None else asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any], /) -> "Measured":
        """What a stored form says."""
        return cls(document.get("seconds", {}), document.get("total_seconds"), document.get("peak_mb"))


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The summary of a run. Before it is computed only ``external`` is set.

    grades : number of estimates by letter; years : the year of the run first
    """

    external: tuple[ExternalValue, ...] = ()
    estimates: int = 0
    variables: int = 0
    grades: Mapping[str, int] = field(default_factory=dict)
    checks: tuple[IdentityCheck, ...] = ()
    years: tuple[YearSummary, ...] = ()

    def of_year(self, year: int) -> YearSummary:
        """The counts of a year. Raises StopIteration when the run has no such year."""
        return next(counts for counts in self.years if counts.year == year)

    def external_of(self, year: int) -> dict[str, float]:
        """The external values of a year by code."""
        return {entry.code: float(entry.value) for entry in self.external if entry.year == year}

    def to_document(self) -> dict[str, Any]:
        """The stored form."""
        document: dict[str, Any] = {"external": [asdict(entry) for entry in self.external]}
        if self.years:
            document |= {
                "estimates": self.estimates,
                "variables": self.variables,
                "grades": dict(self.grades),
                "checks": [asdict(entry) for entry in self.checks],
                "years": [asdict(entry) for entry in self.years],
            }
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any], /) -> "RunSummary":
        """The summary of a stored form."""
        return cls(
            external=tuple(ExternalValue(**entry) for entry in document.get("external", ())),
            estimates=document.get("estimates", 0),
            variables=document.get("variables", 0),
            grades=document.get("grades", {}),
            checks=tuple(IdentityCheck(**entry) for entry in document.get("checks", ())),
            years=tuple(YearSummary(**entry) for entry in document.get("years", ())),
        )
