"""A box plot of a value among its peers on a logarithmic scale: geometry and description. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from survey.questionnaires.answering.units import with_label
from survey.review.scores.wording import number

WIDTH, MARGIN = 132, 6


@dataclass(frozen=True, slots=True)
class Box:
    """Positions in pixels in a drawing of ``WIDTH``, and the text alternative."""

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
    """The box of one positive value, or None when it cannot be compared."""
    low, left, middle, right, high = quantiles
    if value <= 0 or low <= 0:
        return None
    first, last = math.log(min(low, value)), math.log(max(high, value))
    span = (last - first) or 1.0

    def position(amount: float) -> float:
        return round(MARGIN + (math.log(amount) - first) / span * (WIDTH - 2 * MARGIN), 1)

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
        position(low),
        position(left),
        position(middle),
        position(right),
        position(high),
        position(value),
        not low <= value <= high,
        " ".join(words.split()),
    )
