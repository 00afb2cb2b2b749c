"""Stored estimates and the numbers that are printed from them: keys, units, rounding, grades. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from estimation.releases.content.content import Text
from estimation.releases.content.formulas import Reference
from estimation.units import Unit, unit_of

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored estimate."""

    value: float | None
    se: float | None = None
    cv: float | None = None
    lower: float | None = None
    upper: float | None = None
    grade: str = ""
    n: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """The name of a stored estimate."""

    year: int
    variable: str
    statistic: str
    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class Source:
    """The source of cells: stored estimates, and external values by (code, year)."""

    estimates: Mapping[Key, Stored]
    external: Mapping[tuple[str, int], float]


@dataclass(frozen=True, slots=True)
class Cell:
    """One number with its quality, or the reason why it is missing.

    value, se, lower, upper : in the printed unit; text : rounded; reason : code of why the cell is empty:
    no_estimate, no_external, no_previous; note : why there is no error although there is a number:
    external, combined
    """

    text: str
    value: float | None = None
    se: float | None = None
    cv: float | None = None
    lower: float | None = None
    upper: float | None = None
    grade: str = ""
    n: int | None = None
    reason: str = ""
    note: str = ""
    key: Key | None = None  # the stored estimate that it is, where it is one


def rounded(value: float, decimals: int) -> Decimal:
    """Half up, as the report rounds: 53.125 gives 53.13."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def formatted(value: float, decimals: int) -> str:
    """Rounded, with thousands separators."""
    return f"{rounded(value, decimals):,}"


def empty(reason: str) -> Cell:
    """A cell without a number."""
    return Cell(text="—", reason=reason)


def grade_of(cv: float | None, se: float | None) -> str:
    """A below 5 %, B below 10 %, C below 20 %, D below 35 %, else E; A without sampling error."""
    if se == 0:
        return "A"
    if cv is None:
        return "E"
    for letter, bound in zip("ABCD", (0.05, 0.10, 0.20, 0.35), strict=True):
        if cv < bound:
            return letter
    return "E"


def cell_of(stored: Stored | None, scale: float = 1.0, decimals: int = 2, key: Key | None = None) -> Cell:
    """A stored estimate in the printed unit."""
    if stored is None or stored.value is None:
        return empty("no_estimate")

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * scale

    return Cell(
        formatted(stored.value * scale, decimals),
        stored.value * scale,
        scaled(stored.se),
        stored.cv,
        scaled(stored.lower),
        scaled(stored.upper),
        stored.grade,
        stored.n,
        key=key,
    )


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """Filed and valid units of a category or region."""

    code: str
    label: Text
    filed: int
    valid: int
    is_total: bool = False

    @property
    def rate(self) -> float | None:
        """Valid over filed."""
        return self.valid / self.filed if self.filed else None


def estimate_unit(variable: str, statistic: str, units: Mapping[str, str]) -> Unit:
    """The unit in which an estimate is stored. Raises KeyError for an unknown item, ValueError for its unit."""
    if statistic == "count":
        return unit_of("家")
    if statistic == "ratio":
        top, _, bottom = variable.partition("/")
        return unit_of(units[top]).times(unit_of(units[bottom]), -1)
    if statistic in ("total", "mean"):
        return unit_of(units[variable.partition("+")[0]])
    return unit_of("")


def lineage_of(key: Key) -> str:
    """``P01/total/nation/all/2025``."""
    return f"{key.variable}/{key.statistic}/{key.kind}/{key.code}/{key.year}"


def key_of(reference: Reference, year: int) -> Key:
    """The stored estimate that a reference names in a release of a year."""
    variable, statistic, kind, code = reference.estimate
    return Key(year + reference.offset, variable, statistic, kind, code)
