"""Locks by name, for limits whose rows do not exist yet and can therefore not be locked themselves."""

from django.db import connection


def hold(name: str) -> None:
    """Wait until no other transaction holds the lock of this name, and hold it to the end of the present one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
