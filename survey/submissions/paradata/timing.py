"""Working time per section, from the times at which values were stored. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

IDLE = 600  # seconds; a longer gap is a pause


def seconds_by_section(
    events: Iterable[tuple[datetime, str]], sections: Mapping[str, str], *, idle: int = IDLE
) -> dict[str, int]:
    """Seconds of work by section code, the sum under "".

    ``events`` are (when, item) of one sheet in the order of time, ``sections`` maps items to sections. The
    time since the event before counts for the section of the later one; longer pauses than ``idle`` count
    for none, nor does the time before the first event. People who work at the same time count once.
    """
    spent: dict[str, float] = {}
    last: datetime | None = None
    for at, item in events:
        section = sections.get(item)
        gap = (at - last).total_seconds() if last else 0.0
        last = at
        if section is not None and 0 < gap <= idle:
            spent[section] = spent.get(section, 0.0) + gap
    if not spent:
        return {}
    return {**{section: round(value) for section, value in spent.items()}, "": round(sum(spent.values()))}
