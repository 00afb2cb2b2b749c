"""Coded, multiple and text answers of the sheets, one list of values per item."""

from dataclasses import dataclass

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.rehearsal.population.streams import Streams
from estimation.rehearsal.population.units import CENTRAL, Units
from estimation.rehearsal.sheets.numbers import SheetNumbers

_REGISTRATIONS = ("102", "103", "111", "101", "201", "301", "131", "132")
_REGISTRATION_WEIGHTS = np.array([0.52, 0.14, 0.11, 0.05, 0.06, 0.07, 0.03, 0.02])
_HOLDING_OF = {"101": "1", "103": "1", "201": "4", "301": "5"}
# Code lists of multiple answers with the share of units that tick each code.
_MULTI: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "F09": (("api", "file", "space", "privacy", "exchange", "blockchain", "other"),
            (0.7, 0.6, 0.12, 0.08, 0.07, 0.04, 0.05)),
    "T04": (("exchange", "direct", "platform", "space", "other"), (0.18, 0.62, 0.45, 0.08, 0.06)),
    "T05": (("ai", "marketing", "risk", "rd", "management", "other"), (0.4, 0.4, 0.3, 0.3, 0.35, 0.05)),
    "D04": (("rd", "production", "marketing", "risk", "supply", "management", "service", "other"),
            (0.4, 0.45, 0.4, 0.25, 0.3, 0.6, 0.2, 0.04)),
    "D05": (("lakehouse", "governance", "privacy", "blockchain", "annotation", "synthesis", "other"),
            (0.4, 0.6, 0.15, 0.1, 0.25, 0.1, 0.04)),
    "MA05": (("rights", "standards", "security", "price", "technology", "demand", "other"),
             (0.5, 0.55, 0.6, 0.45, 0.3, 0.25, 0.05)),
}  # fmt: skip
_OUTBOUND = ("assessment", "contract", "certification", "exempt")
_FIELDS = ("education", "health", "weather", "transport", "utilities", "culture", "research", "other")
_COMMENTS = (
    "部分历史数据存放在旧系统中，存储量按台账估算。",
    "建议明确人工智能生成数据与系统数据的划分口径。",
    "集团内部流通量与对外流通量的区分需要更多时间。",
    "希望提供分单位的批量导入模板。",
)


@dataclass(frozen=True, slots=True)
class People:
    """Facts of the chosen units (n,) that are not numbers of the population."""

    uscc: list[str]
    name: list[str]
    person: list[str]
    division: list[str]
    institution_type: list[str]
    founded: list[str]  # "2015-06"


def coded_answers(
    units: Units, rows: Ints, year: int, people: People, numbers: SheetNumbers, streams: Streams
) -> dict[str, list[str | list[str] | None]]:
    """Answers (n) of every coded, multiple, date and text item; None is blank.

    Draws are tied to units, not to years: a unit gives the same kinds of answer in both years.
    """
    n = len(rows)

    def uniform(name: str) -> Floats:
        return streams("answer " + name).random(units.count)[rows]

    enterprise = units.group[rows] <= 3
    central = units.group[rows] == CENTRAL
    registration = _pick(uniform("B07"), _REGISTRATIONS, _REGISTRATION_WEIGHTS)
    registration = [("101" if c else r) for c, r in zip(central, registration, strict=True)]
    wide = central | (uniform("B18") < 0.04)
    answers: dict[str, list[str | list[str] | None]] = {
        "B01": list(people.uscc),
        "B02": list(people.name),
        "B03": list(people.person),
        "B04": list(people.division),
        "B05": [f"{code:04d}" for code in units.industry[rows].tolist()],
        "B06": list(people.institution_type),
        "B07": [r if e else None for r, e in zip(registration, enterprise, strict=True)],
        "B08": list(people.founded),
        "B13": [_HOLDING_OF.get(r, "3") for r in registration],
        "B14": [u if c else None for u, c in zip(people.uscc, central, strict=True)],
        "B18": ["2" if w else "1" for w in wide],
        "P10": list(_pick(uniform("P10"), ("1", "2", "3", "4"), np.array([0.52, 0.36, 0.11, 0.01]))),
        "S09": replicas(uniform("S09"), year),
        "G02": list(_pick(uniform("G02"), "012345", np.array([0.86, 0.04, 0.06, 0.03, 0.008, 0.002]))),
        "G06": _outbound(numbers.ticks["F07"] > 0, uniform("G06")),
        "G07": [
            _COMMENTS[int(u * 4e4) % len(_COMMENTS)] if u < 0.03 else None for u in uniform("G07").tolist()
        ],
        "MU01": list(_pick(uniform("MU01"), _FIELDS, np.ones(len(_FIELDS)))),
        "MP06": ["true" if g else "false" for g in units.group[rows] == 0],
        "MT02": ["true" if p else "false" for p in units.pilot[rows]],
    }
    for code, (codes, shares) in _MULTI.items():
        ticked = streams("answer " + code).random((units.count, len(codes)), dtype=np.float32)[rows] < shares
        ticked[np.arange(n), np.argmax(ticked, axis=1) * 0] |= ~ticked.any(1)
        answers[code] = [[codes[k] for k in np.flatnonzero(row)] for row in ticked]
    return answers


def replicas(draw: Floats, year: int) -> list[str | list[str] | None]:
    """S09; a few units change their way of counting in 2025."""
    changed = (draw > 0.996) & (year == 1)
    return ["1" if (value < 0.7) ^ bool(c) else "2" for value, c in zip(draw, changed, strict=True)]


def odd_choices(units: Units, rows: Ints, streams: Streams) -> Bools:
    """Units whose coded answers call for a reason: volumes estimated, or replicas counted differently."""
    estimated = streams("answer P10").random(units.count)[rows] >= 0.99
    return estimated | (streams("answer S09").random(units.count)[rows] > 0.996)


def _pick(draw: Floats, codes: tuple[str, ...] | str, weights: Floats) -> list[str]:
    bounds = np.cumsum(weights / weights.sum())
    return [codes[k] for k in np.minimum(np.searchsorted(bounds, draw, side="right"), len(codes) - 1)]


def _outbound(leaves: Bools, draw: Floats) -> list[str | list[str] | None]:
    return [
        [_OUTBOUND[int(u * len(_OUTBOUND))]] if out else ["none"] for out, u in zip(leaves, draw, strict=True)
    ]
