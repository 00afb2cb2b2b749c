"""What is kept how long, and why: the only table of periods. Pure.

A setting ``RETENTION_DAYS`` ("kind:days" separated by commas) lengthens a period; none can be shortened below the
table. A kind without days is not removed by the sweep; the reason says who removes it, or why nobody does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from survey.exceptions import DefinitionError

YEAR = 365


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of data, the days for which it is kept, and the reason."""

    code: str
    label: str | Promise
    days: int | None
    reason: str | Promise
    swept: bool = True  # removed by the sweep of this package


_RECORDS = _(
    "Statistics Law and its regulations: source records at least two years; "
    "with them the proof who changed what"
)
_LOGS = _(
    "Cybersecurity Law: network logs at least six months; "
    "regulations on network data: records of handling three years"
)
_PERSONAL = _("Personal Information Protection Law: removed when the purpose has been fulfilled")
KINDS: tuple[Kind, ...] = (
    Kind(
        "answers",
        _("Answers, filings, microdata"),
        None,
        _("Statistical source records: handed over to the archive by its rules, never removed by the sweep"),
        False,
    ),
    Kind("events", _("Events of the answers"), 3 * YEAR, _RECORDS),
    Kind("audit", _("Audit trail"), 3 * YEAR, _LOGS),
    Kind("sessions", _("Sessions"), 1, _("Ended sessions are deleted every night"), False),
    Kind("contacts", _("Contact persons of units that left the frame"), 2 * YEAR, _PERSONAL),
    Kind("contact_notes", _("Notes about contacts with units"), 3 * YEAR, _RECORDS),
    Kind("invitations", _("Invitations of colleagues: names and e-mail addresses"), YEAR, _PERSONAL),
    Kind(
        "uploaded",
        _("Uploaded files that were removed from their sheet"),
        30,
        _("Kept for a month, in case of a mistake"),
    ),
    Kind(
        "produced",
        _("Exports, letters and other produced files"),
        7,
        _("Each file names its own time; removed by the sweep of jobs"),
        False,
    ),
    Kind("jobs", _("Background work that has ended, also mails"), 180, _LOGS),
    Kind("notices", _("Notices on the site"), YEAR, _PERSONAL),
    Kind("reminders", _("Reminders that were sent"), 3 * YEAR, _RECORDS),
    Kind(
        "logs",
        _("Logs of the machines"),
        180,
        _("Cybersecurity Law: network logs at least six months; kept by the machines"),
        False,
    ),
)
CODES = frozenset(kind.code for kind in KINDS)


def longer() -> Mapping[str, int]:
    """Days of RETENTION_DAYS by kind. Raises DefinitionError for unknown kinds and shorter periods."""
    days: dict[str, int] = {}
    table = {kind.code: kind.days for kind in KINDS}
    for part in filter(None, (part.strip() for part in settings.RETENTION_DAYS.split(","))):
        code, _colon, text = part.partition(":")
        least = table.get(code)
        if least is None or not (text.isascii() and text.isdigit()) or int(text) < least:
            raise DefinitionError(
                "period",
                "RETENTION_DAYS",
                f"{part!r} is no kind with a period, or shorter than the table allows",
            )
        days[code] = int(text)
    return days


def days_of(kind: Kind) -> int | None:
    """The days for which a kind is kept on this site."""
    return longer().get(kind.code, kind.days)
