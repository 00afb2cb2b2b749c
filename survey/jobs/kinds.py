"""What each kind of background work is: who does it, for how long it is leased, when it is tried again.

The package that owns the work registers it in its ``tasks`` module, which Celery finds; so nothing here knows of
anybody above.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.conf import settings

from survey.jobs.messages import LOST, STOPPED
from survey.sentences import Sentence

if TYPE_CHECKING:
    from survey.jobs.models import Job
    from survey.jobs.services import Work

# Messages to people: tried again for about five hours; the rows go after a month.
MESSAGE: Mapping[str, Any] = {"attempts": 12, "lease": 300, "time_limit": 240, "keep": timedelta(days=30)}


class Cancelled(Exception):
    """Somebody asked the job to stop."""


class LostClaim(Exception):
    """The job belongs to another worker or is over; what was done here must not be stored."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of work is done."""

    do: "Callable[[Work], None]"
    ended: "Callable[[Job], None] | None" = None  # in the transaction that ends it without a result
    waits: "Callable[[Job], None] | None" = None  # in the transaction that puts it back
    lease: int = field(default_factory=lambda: settings.RUN_LOST_SECONDS)  # seconds between signs of life
    attempts: int = 3
    time_limit: int = 1800  # seconds; then the worker process is killed
    retry_on: tuple[type[Exception], ...] = ()  # tried again later; any other exception ends the job
    lost: Callable[..., Sentence] = LOST  # stored when its workers died, with their ``count``
    stopped: Callable[..., Sentence] = STOPPED  # stored for an exception, with its ``error``
    keep: timedelta | None = None  # how long a finished row stays; None: for ever


_KINDS: dict[str, Kind] = {}


def register(name: str, do: "Callable[[Work], None]", **options: Any) -> None:
    """Say who does a kind of work. ``options`` are the fields of ``Kind``."""
    _KINDS[name] = Kind(do, **options)


def kind_of(name: str) -> Kind:
    """What was registered under a name. Raises KeyError when no package has."""
    if name not in _KINDS:
        current_app.loader.import_default_modules()  # a web process or a command has not looked for tasks yet
    return _KINDS[name]


def known() -> Mapping[str, Kind]:
    """Every kind that is registered."""
    current_app.loader.import_default_modules()
    return _KINDS
