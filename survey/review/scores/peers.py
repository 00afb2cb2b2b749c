"""A value among its peers as a small box plot on a logarithmic scale: geometry and words. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from survey.questionnaires.answering.units import with_label
from survey.review.scores.wording import number

WIDTH, MARGIN = 132, 6


@dataclass(frozen=True, slots=True)
class Box:
    """Places in pixels of a drawing ``WIDTH`` wide, and the sentence that says the same."""

    low: float
    left: float
    middle: float
    right: float
    high: float
    value: float
    is_outside: bool
    words: str

    @property
    def breadth(self) -> float:
        """Width of the box, at least one pixel."""
        return max(1.0, self.right - self.left)


def box(value: float, quantiles: Sequence[float], size: int, unit: str) -> Box | None:
    """The box of one positive value, or None when there is nothing to compare."""
    low, left, middle, right, high = quantiles
    if value <= 0 or low <= 0:
        return None
    first, last = math.log(min(low, value)), math.log(max(high, value))
    span = (last - first) or 1.0

    def place(one: float) -> float:
        return round(MARGIN + (math.log(one) - first) / span * (WIDTH - 2 * MARGIN), 1)

    words = _(
        "Of %(size)s similar units half lie between %(left)s and %(right)s %(unit)s, nine in ten between "
        "%(low)s and %(high)s; the median is %(middle)s. This value is %(ratio)s times the median."
    ) % {
        "size": f"{size:,}",
        "left": number(left),
        "right": number(right),
        "unit": with_label("", unit),
        "low": number(low),
        "high": number(high),
        "middle": number(middle),
        "ratio": number(value / middle),
    }
    return Box(
        place(low),
        place(left),
        place(middle),
        place(right),
        place(high),
        place(value),
        not low <= value <= high,
        " ".join(words.split()),
    )
