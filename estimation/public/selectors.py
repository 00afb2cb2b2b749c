"""Reads of the public site: published releases and nothing else, by their frozen content."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.db.models import QuerySet

from estimation.releases.checks import Rules
from estimation.releases.content.content import Content
from estimation.releases.models import Release
from estimation.runs.compute.spec import RunSpec
from estimation.runs.models import EstimationRun

State = Release.State
# Released editions remain readable, marked as replaced or withdrawn; drafts and embargoed releases are not public.
SHOWN = (State.PUBLISHED, State.CORRECTED)
EVER_PUBLIC = (*SHOWN, State.WITHDRAWN)


def editions() -> QuerySet[Release]:
    """Everything that has been public, newest first, without the content."""
    rows = Release.objects.filter(state__in=EVER_PUBLIC, published_at__isnull=False)
    return rows.select_related("round").defer("content").order_by("-round__year", "-number")


def current(year: int | None = None) -> Release | None:
    """The release in force of a year, or of the newest published year."""
    rows = editions().filter(state=State.PUBLISHED)
    return (rows.filter(round__year=year) if year is not None else rows).first()


def numbered(year: int, number: int) -> Release | None:
    """One release of a year, also when it has been replaced or withdrawn."""
    return editions().filter(round__year=year, number=number).first()


def years() -> list[int]:
    """Years with a release in force, newest first."""
    rows = editions().filter(state=State.PUBLISHED)
    return list(rows.values_list("round__year", flat=True).distinct())


def content_of(release: Release) -> Content:
    """The frozen content; cached in memory, since it never changes under its hash."""
    return _content(release.pk, release.content_hash)


@lru_cache(maxsize=8)
def _content(pk: int, digest: str) -> Content:
    return Content.from_document(Release.objects.values_list("content", flat=True).get(pk=pk))


@dataclass(frozen=True, slots=True)
class Choices:
    """The parameters of one release for the page on methods, shares in percent.

    treatment : of extreme values, as named by the run; lower, upper : its quantiles; minimum, largest, two_largest :
    rules of disclosure. All but the count as they are printed.
    """

    treatment: str
    lower: str
    upper: str
    minimum: int
    largest: str
    two_largest: str


def choices_of(release: Release) -> Choices:
    """How extreme values were treated in the run of a release, and the rules by which its cells were withheld."""
    spec = RunSpec.from_json(EstimationRun.objects.values_list("spec", flat=True).get(pk=release.run_id))
    rules = release.checks.rules or Rules(
        settings.DISCLOSURE_MINIMUM, settings.DISCLOSURE_ONE, settings.DISCLOSURE_TWO
    )
    chosen = spec.winsorization
    return Choices(
        chosen.method,
        _percent(chosen.lower),
        _percent(chosen.upper),
        rules.minimum,
        _percent(rules.one),
        _percent(rules.two),
    )


def _percent(share: float) -> str:
    return f"{100 * share:g}"


def fingerprint() -> tuple[str, datetime | None]:
    """A fingerprint that changes with any public page, and the time when the next release comes out of embargo.

    A hash over number, state and content hash of all editions: a page kept under it is never out of date.
    """
    rows = (
        Release.objects.filter(state__in=EVER_PUBLIC)
        .order_by("pk")
        .values_list("pk", "state", "content_hash")
    )
    upcoming = Release.objects.filter(state=State.SCHEDULED).order_by("embargo_until")
    digest = hashlib.sha256(repr(list(rows)).encode()).hexdigest()
    return digest, upcoming.values_list("embargo_until", flat=True).first()
