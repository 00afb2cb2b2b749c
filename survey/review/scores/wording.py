"""Descriptions of scores in the language of the request. Pure."""

from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _

from survey.questionnaires.answering.units import with_label


class Scored(Protocol):
    """The numbers of a scored item."""

    value: float
    expected: float
    suspicion: float
    national: float | None
    regional: float | None
    slip_base: int
    slip_power: int


@dataclass(frozen=True, slots=True)
class Effect:
    """The description of a scored item."""

    item: str
    rank: int
    is_unusual: bool
    moves: str
    slip: str
    distance: str
    expected: str


def number(value: float) -> str:
    """Grouped digits with as many decimals as four significant digits need."""
    size = abs(value)
    decimals = 0 if size >= 1000 or value == 0 else 1 if size >= 100 else 2 if size >= 1 else 4
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(value: float) -> str:
    """The size of a share as a percentage with two decimals, at least in words."""
    percent = abs(value) * 100
    if percent < 0.005:
        return _("less than 0.01%")
    return f"{percent:,.2f}%" if percent < 1000 else f"{percent:,.0f}%"


def moves(scored: Scored, *, unit: str, source: str, region: str) -> str:
    """The change of the national and regional total caused by the difference from the expected value."""
    rises = scored.value >= scored.expected
    national = None if scored.national is None else share(scored.national)
    regional = None if scored.regional is None else share(scored.regional)
    values = {
        "expected": with_label(number(scored.expected), unit),
        "source": source,
        "national": national,
        "regional": regional,
        "region": region,
    }
    if national and regional:
        sentence = (
            _(
                "Instead of the expected %(expected)s (%(source)s), this value raises the national total by "
                "%(national)s and that of %(region)s by %(regional)s."
            )
            if rises
            else _(
                "Instead of the expected %(expected)s (%(source)s), this value lowers the national total by "
                "%(national)s and that of %(region)s by %(regional)s."
            )
        )
    elif national:
        sentence = (
            _(
                "Instead of the expected %(expected)s (%(source)s), this value raises the national total by "
                "%(national)s. %(region)s has no total of this item yet."
            )
            if rises
            else _(
                "Instead of the expected %(expected)s (%(source)s), this value lowers the national total by "
                "%(national)s. %(region)s has no total of this item yet."
            )
        )
    else:
        sentence = _("Expected were %(expected)s (%(source)s). There is no total of this item yet.")
    return sentence % values


def slip(scored: Scored) -> str:
    """The factor of a probable unit error; empty without one."""
    if not scored.slip_base or not scored.slip_power:
        return ""
    factor = f"{scored.slip_base ** abs(scored.slip_power):,}"
    if scored.slip_power > 0:
        return _("The value is about %(factor)s times the expected one: probably a wrong unit.") % {
            "factor": factor
        }
    return _("The value is about 1/%(factor)s of the expected one: probably a wrong unit.") % {
        "factor": factor
    }


def distance(scored: Scored) -> str:
    """The distance from similar units."""
    return _("%(spread)s robust standard deviations away from similar units") % {
        "spread": f"{scored.suspicion:,.1f}"
    }
