"""What the program stores and decides is by the clock of the database, never by that of the machine it runs on."""

import ast

from tests.architecture.source import Source

HOST = {
    "timezone.now",
    "time.time",
    "datetime.now",
    "dt.datetime.now",
    "datetime.utcnow",
    "dt.datetime.utcnow",
    "timezone.localdate",
    "timezone.localtime",
    "date.today",
    "dt.date.today",
}
# survey/decisions/0042-one-clock.md
DAYS = "a day of the calendar, for which an hour counts at midnight only, and by which nothing ends"
ALLOWED = {
    "survey/access/models.py": "Django's checks make a user without a database",
    "survey/collection/selectors.py": DAYS,
    "survey/collection/services.py": DAYS,
    "survey/fieldwork/exports/letters/services.py": DAYS,
    "survey/fieldwork/exports/selectors.py": "the name of a file",
    "survey/fieldwork/progress/selectors.py": DAYS,
    "survey/fieldwork/progress/views.py": DAYS,
    "survey/fieldwork/reminders/services.py": DAYS,
    "survey/frame/storage.py": DAYS,
    "survey/review/forms.py": DAYS,
    "survey/submissions/selectors.py": DAYS,
}


def users_of_the_host_clock(source: Source) -> set[str]:
    """Files of the two apps that read the host's time; the rehearsal makes up times of its own."""
    return {
        path
        for path, tree in source.trees()
        if path.startswith(("survey/", "estimation/")) and not path.startswith("estimation/rehearsal/")
        if _reads(tree)
    }


def _reads(tree: ast.Module) -> bool:
    """True for a call or a reference; ``localtime(moment)`` converts, and ``now(zone)`` reads."""
    conversions = {
        call.func
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and call.args and ast.unparse(call.func).startswith("timezone.local")
    }
    return any(
        isinstance(node, ast.Attribute) and node not in conversions and ast.unparse(node) in HOST
        for node in ast.walk(tree)
    )


def test_only_named_files_read_the_host_clock() -> None:
    assert users_of_the_host_clock(Source.read()) == ALLOWED.keys()


def test_a_planted_reading_is_found() -> None:
    planted = Source.read().planted("survey/review/services.py", "def late():\n    return timezone.now()")
    assert users_of_the_host_clock(planted) - ALLOWED.keys() == {"survey/review/services.py"}
