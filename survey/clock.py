"""The time of the database: one clock for all web and worker machines, whose own clocks may be wrong."""

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """The present time of the database server; it goes on during a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
