"""Variants that a simulation compares: treatments of extreme values and policies for lonely strata. Pure."""

from dataclasses import dataclass, field
from typing import Literal

from estimation.runs.compute.spec import RunSpec, Winsorization

# Growth and levels for these classifications suffice to evaluate a method.
DOMAINS = ("nation", "region", "section")


@dataclass(frozen=True)
class Variant:
    """One way to estimate."""

    name: str
    spec: RunSpec = field(default_factory=lambda: _spec(None))


def _spec(
    cutoffs: tuple[float, float] | None,
    *,
    optimal: bool = False,
    weighted: bool = False,
    lonely: Literal["certainty", "adjust", "average"] = "adjust",
    respondents: int = 2,
    response: Literal["region", "stratum"] = "region",
) -> RunSpec:
    lower, upper = cutoffs or (0.01, 0.99)
    method: Literal["winsorize", "optimal", "none"] = (
        "optimal" if optimal else "none" if cutoffs is None else "winsorize"
    )
    return RunSpec(
        domains=DOMAINS,
        crossed=(),
        winsorization=Winsorization(method, lower, upper, weighted=weighted),
        lonely=lonely,
        minimum_respondents=respondents,
        response_classes=response,
    )


RAW = Variant("raw")
# Two-sided and one-sided cutoffs of ordinary quantiles, the same with weighted quantiles, optimal ones.
TREATMENTS: tuple[Variant, ...] = (
    RAW,
    Variant("1 % and 99 %", _spec((0.01, 0.99))),
    Variant("0.5 % and 99.5 %", _spec((0.005, 0.995))),
    Variant("0.1 % and 99.9 %", _spec((0.001, 0.999))),
    Variant("2 % and 98 %", _spec((0.02, 0.98))),
    Variant("99 % above alone", _spec((0.0, 0.99))),
    Variant("99.9 % above alone", _spec((0.0, 0.999))),
    Variant("1 % and 99 %, weighted", _spec((0.01, 0.99), weighted=True)),
    Variant("MSE-optimal (Kokic and Bell)", _spec(None, optimal=True)),
)
# Without collapsing, strata with one respondent stay alone and the policy decides; raw values.
POLICIES: tuple[Variant, ...] = (
    Variant("certainty", _spec(None, lonely="certainty", respondents=1)),
    Variant("adjust", _spec(None, lonely="adjust", respondents=1)),
    Variant("average", _spec(None, lonely="average", respondents=1)),
)
# Nonrespondents of take-all strata are represented by the respondents of the whole nation; raw values.
CLASSES: tuple[Variant, ...] = (Variant("response of the nation", _spec(None, response="stratum")),)
# Variants in the figure of a study; the default of a run has the accent.
DEFAULT = "0.1 % and 99.9 %"
PLOTTED = (
    RAW.name,
    DEFAULT,
    "0.5 % and 99.5 %",
    "1 % and 99 %",
    "2 % and 98 %",
    TREATMENTS[-1].name,
)
