"""Kinds of background jobs: function, name, lease, retries.

The package that owns a kind registers it in its ``tasks`` module, which Celery imports; this package does not import
the packages above it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from survey.jobs.messages import LOST, STOPPED
from survey.sentences import Sentence

if TYPE_CHECKING:
    from survey.jobs.models import Job
    from survey.jobs.services import Work

# Messages to users: retried for about five hours; the rows are deleted after a month.
MESSAGE: Mapping[str, Any] = {"attempts": 12, "lease": 300, "time_limit": 240, "keep": timedelta(days=30)}


class Cancelled(Exception):
    """Cancellation of the job was requested."""


class LostClaim(Exception):
    """The job was claimed by another worker or has ended; this attempt must not store results."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Function, name and options of a kind of job."""

    do: "Callable[[Work], None]"
    label: Promise  # its name in the language of the reader
    ended: "Callable[[Job], None] | None" = None  # called in the transaction that ends a job without a result
    waits: "Callable[[Job], None] | None" = None  # called in the transaction that requeues a job
    lease: int = field(default_factory=lambda: settings.RUN_LOST_SECONDS)  # seconds between heartbeats
    attempts: int = 3
    time_limit: int = 1800  # seconds; then the worker process is killed
    retry_on: tuple[type[Exception], ...] = ()  # retried later; any other exception ends the job
    lost: Callable[..., Sentence] = LOST  # stored when the workers were killed, with their ``count``
    stopped: Callable[..., Sentence] = STOPPED  # stored for an exception, with its ``error``
    keep: timedelta | None = None  # retention of finished rows; None: unlimited


_KINDS: dict[str, Kind] = {}


def register(name: str, do: "Callable[[Work], None]", *, label: Promise, **options: Any) -> None:
    """Register the function and the name of a kind. ``options`` are the other fields of ``Kind``."""
    _KINDS[name] = Kind(do, label, **options)


@cache
def _import_task_modules() -> None:
    """Import what registers kinds: web processes and commands have not done it. Once: Celery checks all models, too."""
    current_app.loader.import_default_modules()


def kind_of(name: str) -> Kind:
    """The registered kind of a name. Raises KeyError when there is none."""
    if name not in _KINDS:
        _import_task_modules()
    return _KINDS[name]


def registered() -> Mapping[str, Kind]:
    """All registered kinds by name."""
    _import_task_modules()
    return _KINDS


def label_of(name: str) -> str:
    """The name of a kind in the active language. Rows of earlier versions may have kinds that no longer exist."""
    kind = registered().get(name)
    return str(kind.label) if kind else _("work of an earlier version (%(code)s)") % {"code": name}
