"""Checks of a release for the office, never public: stored with the release. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault or a remark. ``kind`` has its message in ``selectors.FAULTS``, ``where`` is a passage or cell."""

    kind: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Minimum of contributors; maximum share of one and of two; minimum width of the bounds of a withheld value."""

    minimum: int = 3
    one: float = 0.70
    two: float = 0.85
    protection: float = 0.1


@dataclass(frozen=True, slots=True)
class AuditedSystem:
    """The published sums of a variable and year, and the result of an attack on them.

    cells, sums, primary, secondary : counts; optimal : the further cells are the cheapest ones; recovered :
    lineages of sensitive cells that were found; narrowest : smallest interval by its value, None without one
    """

    variable: str
    statistic: str
    year: int
    primary: int
    secondary: int
    recovered: tuple[str, ...] = ()
    cells: int = 0
    sums: int = 0
    method: str = ""
    crossed: bool = False
    optimal: bool = False
    narrowest: float | None = None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Withheld estimates (lineage -> reason) and the audited systems; ``leaks`` None without an audit."""

    withheld: Mapping[str, str] = field(default_factory=dict)
    systems: tuple[AuditedSystem, ...] = ()
    leaks: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseChecks:
    """Faults stop a release, remarks do not. ``rules`` None: stored by a program that did not record them."""

    faults: tuple[Fault, ...] = ()
    remarks: tuple[Fault, ...] = ()
    disclosure: Disclosure = field(default_factory=Disclosure)
    rules: Rules | None = None

    def to_document(self) -> dict[str, Any]:
        """The stored form: JSON values."""
        document = asdict(self)
        document["disclosure"]["systems"] = [
            {**system, "recovered": list(system["recovered"])} for system in document["disclosure"]["systems"]
        ]
        return {
            "faults": list(document["faults"]),
            "remarks": list(document["remarks"]),
            "disclosure": document["disclosure"],
            **({"rules": document["rules"]} if self.rules else {}),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], /) -> "ReleaseChecks":
        """The checks of a stored form."""
        disclosure = document.get("disclosure", {})
        return cls(
            faults=tuple(Fault(**fault) for fault in document.get("faults", ())),
            remarks=tuple(Fault(**fault) for fault in document.get("remarks", ())),
            disclosure=Disclosure(
                disclosure.get("withheld", {}),
                tuple(
                    AuditedSystem(**{**system, "recovered": tuple(system["recovered"])})
                    for system in disclosure.get("systems", ())
                ),
                disclosure.get("leaks"),
            ),
            rules=Rules(**document["rules"]) if document.get("rules") else None,
        )
