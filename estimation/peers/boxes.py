"""Position of a unit in its group: its quarter, and the geometry of a small box plot. Pure."""

import math
from dataclasses import dataclass

WIDTH, MARGIN = 240.0, 12.0


@dataclass(frozen=True, slots=True)
class Box:
    """Coordinates on the axis, 0 to ``WIDTH``; ``own`` None when the unit reports nothing."""

    lower: float
    middle: float
    upper: float
    own: float | None
    width: float = WIDTH

    @property
    def span(self) -> float:
        """Length of the box, at least the smallest visible length."""
        return max(self.upper - self.lower, 2.0)


def quarter(own: float, quartiles: tuple[float, float, float]) -> int:
    """1 to 4, from the lowest quarter to the highest; 0 for a unit that reports nothing."""
    if own <= 0:
        return 0
    return 1 + sum(own > quartile for quartile in quartiles)


def box(own: float, quartiles: tuple[float, float, float]) -> Box:
    """The box on a logarithmic axis that holds the quartiles and the unit's own value."""
    logs = [math.log10(quartile) for quartile in quartiles]
    own_log = math.log10(own) if own > 0 else None
    shown = logs if own_log is None else [*logs, own_log]
    first, length = min(shown), (max(shown) - min(shown)) or 1.0

    def scaled(log: float) -> float:
        return MARGIN + (log - first) / length * (WIDTH - 2 * MARGIN)

    lower, middle, upper = (scaled(log) for log in logs)
    return Box(lower, middle, upper, None if own_log is None else scaled(own_log))
