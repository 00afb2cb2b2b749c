"""Parameters of a run: frozen, with a canonical form and its hash. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

# Ratios of two totals that the report or the result pages print: numerator, denominator.
RATIOS: tuple[tuple[str, str], ...] = (
    ("D01", "S02"),  # development rate: T1-DEV, T2
    ("A02", "S02"),  # share used for AI: T2
    ("F04", "F01"),  # public share of circulation: T2
    ("S06", "S02"),  # activity of stored data
    ("S03", "S02"),
    ("S05", "S02"),
    ("S02", "S01"),
    ("S02", "P01"),
    ("P02", "P01"),
    ("P04", "P01"),
    ("P05", "P01"),  # industrial equipment data
    ("A05", "A03"),  # external data in training: USE-05
    ("A04", "A02"),
    ("A07", "A06"),
    ("F05", "F01"),
    ("F06", "F01"),
    ("T02", "B10"),
    ("T03", "F03"),
    ("V01", "B10"),
    ("V08", "B11"),
    ("V06", "B10"),
    ("B17", "B09"),
    ("MS04", "MS01"),  # scientific data used for AI
    ("MD02", "F01"),  # public data of local data groups
    ("MG04", "MG10"),
)
# Sums of items that an indicator publishes as one number: summed by unit, so that standard errors are correct.
DERIVED: dict[str, tuple[str, ...]] = {
    "P03+P04": ("P03", "P04"),  # systems, software and AI: SUP-03
    "A02+MG15": ("A02", "MG15"),  # data used for AI: USE-01
    "MG10+MU02": ("MG10", "MU02"),  # circulated public data: CIR-04
}
# Items whose totals are also crossed by region and section.
CROSSED: tuple[str, ...] = ("P01", "S02", "F01", "D01", "A02", "V01", "T02", "T07")
DOMAINS: tuple[str, ...] = (
    "nation",
    "region",
    "region_enterprise",
    "section",
    "industry_group",
    "size",
    "category",
    "group",
)
COLLAPSING: tuple[str, ...] = ("macro_region", "nation", "size")
LARGEST_COUNT = 1_000_000
FLOW_BASIS = {"both": "F01", "provided": "F02", "obtained": "F03"}


@dataclass(frozen=True, slots=True)
class Winsorization:
    """Treatment of extreme values per item and class.

    `optimal` takes one-sided cutoffs that are best for the national total of the item (Kokic and Bell); the quantiles
    and their minimum count do not apply to it.
    The defaults had the smallest errors in `manage.py simulate`; README of the methods, "What simulation says".
    """

    method: Literal["winsorize", "optimal", "trim", "none"] = "winsorize"
    lower: float = 0.001
    upper: float = 0.999
    minimum: int = 20  # minimum of positive values of a class; below it the parent is used
    weighted: bool = False

    def __post_init__(self) -> None:
        _check_types(self)
        if not 0.0 <= self.lower < self.upper <= 1.0:
            raise ValueError("the lower cutoff must lie below the upper one, both between 0 and 1")
        if not 1 <= self.minimum <= LARGEST_COUNT:
            raise ValueError("minimum counts must be at least 1, and no larger than a million")


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Parameters of a run. Two specs define the same run exactly when ``canonical()`` is the same text."""

    variables: tuple[str, ...] = ()  # empty: every variable of the layout
    domains: tuple[str, ...] = DOMAINS
    crossed: tuple[str, ...] = CROSSED
    winsorization: Winsorization = field(default_factory=Winsorization)
    lonely: Literal["certainty", "adjust", "average", "fail"] = "adjust"
    collapse_path: tuple[str, ...] = COLLAPSING
    minimum_respondents: int = 2
    # Nonrespondents of take-all strata are represented by the respondents of their region, or of the nation.
    response_classes: Literal["region", "stratum"] = "region"
    response_largest: float = 3.0  # weight from which a response class is joined to its neighbours
    item_nonresponse: Literal["stratum_mean", "zero"] = "stratum_mean"
    flow_basis: Literal["both", "provided", "obtained"] = "both"
    data_enterprises: Literal["categories", "section"] = "categories"
    growth_form: Literal["stratified", "combined"] = "stratified"
    use_edited: bool = True
    use_imputed: bool = False
    level: float = 0.95

    def __post_init__(self) -> None:
        _check_types(self)
        if not 0.5 < self.level < 1.0:
            raise ValueError("the interval level must lie between 0.5 and 1")
        if not 1 <= self.minimum_respondents <= LARGEST_COUNT:
            raise ValueError("minimum counts must be at least 1, and no larger than a million")
        if not 1.0 <= self.response_largest <= LARGEST_COUNT:
            raise ValueError("the largest weight is at least 1, and no larger than a million")
        for name, values, known in (
            ("domain", self.domains, DOMAINS),
            ("step of collapsing", self.collapse_path, COLLAPSING),
        ):
            if unknown := set(values) - set(known):
                raise ValueError(f"unknown {name}: {min(unknown)}")

    def to_json(self) -> dict[str, Any]:
        """The spec as a JSON document."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The spec of a stored document. Raises ValueError for unknown or impossible parameters."""
        names = {field.name for field in fields(cls)}
        unknown = set(document) - names
        if unknown:
            raise ValueError(f"unknown parameter: {min(unknown)}")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
        }
        if "winsorization" in values:
            try:
                values["winsorization"] = Winsorization(**values["winsorization"])
            except TypeError as error:
                raise ValueError("unknown parameter of winsorization") from error
        return cls(**values)

    def canonical(self) -> str:
        """The canonical JSON text: sorted keys, no spaces."""
        return canonical(self.to_json())


def _check_types(parameters: Any) -> None:
    """Raises ValueError for a parameter that has not the type, or is none of the choices, of its field."""
    for name, expected in get_type_hints(type(parameters)).items():
        value = getattr(parameters, name)
        if get_origin(expected) is Literal:
            fits = value in get_args(expected)
        elif get_origin(expected) is tuple:
            fits = isinstance(value, tuple) and all(isinstance(entry, str) for entry in value)
        elif expected in (int, float):
            # JSON has one kind of number; true is none of them.
            fits = isinstance(value, (int, expected)) and not isinstance(value, bool)
        else:
            fits = isinstance(value, expected)
        if not fits:
            raise ValueError(f"impossible value of {name}")


def canonical(document: Any) -> str:
    """Canonical JSON text of a document."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(document: Any) -> str:
    """SHA-256 of the canonical JSON text, in hex."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()
