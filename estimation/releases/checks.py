"""What the office needs to know of a release and the public never sees: stored with it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong or remarkable. ``kind`` has its sentence in ``selectors.FAULTS``, ``where`` is a passage or cell."""

    kind: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Fewest contributors; largest share of one and of two; share within which nobody may bound a withheld value."""

    minimum: int = 3
    one: float = 0.70
    two: float = 0.85
    protection: float = 0.1


@dataclass(frozen=True, slots=True)
class AuditedSystem:
    """The published sums of a variable and year, and what an attack on them found.

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
    """Withheld estimates (lineage -> reason) and the audited systems; ``leaks`` None when no audit has run."""

    withheld: Mapping[str, str] = field(default_factory=dict)
    systems: tuple[AuditedSystem, ...] = ()
    leaks: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseChecks:
    """Faults stop a release, remarks do not. ``rules`` None: stored by a program that did not write them down."""

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
