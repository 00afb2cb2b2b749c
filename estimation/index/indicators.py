"""Definitions of the indicators of the composite index. Pure."""

from dataclasses import dataclass

KINDS = ("region", "section")


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator of the index: a stored estimate of every region and industry. ``direction`` 1: more is better."""

    variable: str
    statistic: str
    pillar: str
    direction: int = 1


INDICATORS = (
    Indicator("P01", "total", "supply"),
    Indicator("S02", "total", "supply"),
    Indicator("F01", "total", "circulation"),
    Indicator("T07", "total", "circulation"),
    Indicator("T01", "proportion", "circulation"),
    Indicator("D01/S02", "ratio", "use"),
    Indicator("A02", "total", "use"),
    Indicator("A01", "proportion", "use"),
    Indicator("V01", "total", "value"),
    Indicator("V05", "proportion", "value"),
)
# Revenue per employee of a respondent: a measure of development that no indicator of the index contains.
OUTSIDE = ("B10", "B09")
THIN = 10  # answering units below which a domain is flagged


def variables() -> tuple[str, ...]:
    """Items that the respondent-level model reads."""
    parts = [part for indicator in INDICATORS for part in indicator.variable.split("/")]
    return tuple(dict.fromkeys([*parts, *OUTSIDE]))
