"""The time of the database: one clock for all web and worker machines, whose own clocks may be wrong.

``now`` asks the database each time. ``present`` is for pages: it asks at most once a minute and adds the time for which
this machine has been running since, which goes on evenly when its clock is set forwards or backwards.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import connection

MEASURED_FOR = 60  # seconds for which a reading is carried on
# Linux counts the time in which the machine was suspended, too; elsewhere the nearest to it.
_running = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True)
class Reading:
    """The time of the database, and for how long the machine had been running before it was asked."""

    moment: datetime
    running: float


_last: Reading | None = None


def now() -> datetime:
    """The present time of the database server; it goes on during a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def present() -> datetime:
    """The present time of the database server, as the last reading says."""
    global _last
    began = _running()
    reading = _last
    if reading is None or began - reading.running > MEASURED_FOR:
        reading = _last = Reading(now(), began)
    return reading.moment + timedelta(seconds=_running() - reading.running)
