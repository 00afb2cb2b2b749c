"""What a score says in words, in the language of the request. Pure: numbers in, sentences out."""

from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _

from survey.questionnaires.answering.units import with_label


class Scored(Protocol):
    """The numbers of one scored item, wherever they are stored."""

    value: float
    expected: float
    suspicion: float
    national: float | None
    regional: float | None
    slip_base: int
    slip_power: int


@dataclass(frozen=True, slots=True)
class Effect:
    """One scored item as the page tells it."""

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


def moves(one: Scored, *, unit: str, source: str, region: str) -> str:
    """How far the national and the regional total move because this value is not the expected one."""
    rises = one.value >= one.expected
    national = None if one.national is None else share(one.national)
    regional = None if one.regional is None else share(one.regional)
    values = {
        "expected": with_label(number(one.expected), unit),
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


def slip(one: Scored) -> str:
    """A probable unit slip by its factor; empty when there is none."""
    if not one.slip_base or not one.slip_power:
        return ""
    factor = f"{one.slip_base ** abs(one.slip_power):,}"
    if one.slip_power > 0:
        return _("The value is about %(factor)s times the expected one: probably a wrong unit.") % {
            "factor": factor
        }
    return _("The value is about 1/%(factor)s of the expected one: probably a wrong unit.") % {
        "factor": factor
    }


def distance(one: Scored) -> str:
    """How unusual the distance is."""
    return _("%(spread)s robust standard deviations away from similar units") % {
        "spread": f"{one.suspicion:,.1f}"
    }
