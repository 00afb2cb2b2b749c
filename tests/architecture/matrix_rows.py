"""``Row``, one row of the permission matrix, and functions that build rows of the same kind."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from survey.access.roles import Permission
from survey.submissions.models import Submission
from tests.architecture.matrix_data import Body, MatrixData, RegionData


@dataclass(frozen=True)
class Row:
    """How a URL is filled and requested, and which permissions it needs beyond the access rule of its view.

    ``body`` is None for a view that takes no POST. ``may`` is the permission that writing needs, ``reads`` that reading needs.
    """

    args: Callable[[MatrixData, RegionData], tuple[Any, ...]] = lambda data, region: ()
    scoped: bool = False  # names a row of a unit, which gives 404 outside the actor's scope
    body: Body | None = None
    may: Permission | None = None
    reads: Permission | None = None  # None: as the access rule says
    nation: bool = False  # only a grant for the whole nation allows the write
    area: bool = False  # the write covers all sheets in the actor's scope
    owner: str = ""  # name of the only actor that may see the row
    writes: bool = True  # a permitted POST changes the database apart from the audit row
    method: str = "post"
    headers: Callable[[RegionData], dict[str, str]] = field(default=lambda region: {})
    query: str = ""


def sheet(name: str, *more: Any, body: Body | None = None, **rest: Any) -> Row:
    """A URL of a sheet, by its name in ``STATES``."""
    return Row(lambda data, region: (region[name].pk, *more), scoped=True, body=body, **rest)


def unit(name: str, body: Body | None = None) -> Row:
    """A URL of an assignment."""
    return Row(lambda data, region: (region[name].assignment_id,), scoped=True, body=body)


def run(kind: str, body: Body | None = None, **rest: Any) -> Row:
    """A URL of a run: national, so not scoped."""
    return Row(lambda data, region: (getattr(data, kind).pk,), body=body, **rest)


def published(*more: Any) -> Row:
    """A page of the public site, in Chinese."""
    return Row(lambda data, region: ("zh", *more))


def release(kind: str, body: Body | None = None, **rest: Any) -> Row:
    """A page of a release: national, so not scoped."""
    return Row(lambda data, region: (getattr(data, kind).pk,), body=body, **rest)


def open_release(*more: Any) -> Row:
    """An API endpoint of the published release."""
    return Row(lambda data, region: (2025, data.published.number, *more))


def design(kind: str, body: Body | None = None, **rest: Any) -> Row:
    """A URL of a sample design: national, so not scoped."""
    return Row(lambda data, region: (data.designs[kind].pk,), body=body, **rest)


def post(**body: Any) -> Body:
    """The same body for every actor."""
    return lambda data, region, actor: body


def at_revision(name: str) -> dict[str, Any]:
    """Headers of an API client that has read the current revision of a sheet."""
    return {"headers": lambda region: {"If-Match": f'"{revision_of(region[name])}"'}}


def revision_of(row: Submission) -> int:
    return Submission.objects.values_list("revision", flat=True).get(pk=row.pk)


def decide(name: str, action: str, body: dict[str, Any] | None = None, **rest: Any) -> Row:
    """A decision on a sheet through the API."""
    return sheet(name, body=post(action=action, **(body or {})), **rest)
