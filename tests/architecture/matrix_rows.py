"""What a line of the permission matrix says, and the kinds of lines that many URLs share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from survey.access.roles import Permission
from survey.submissions.models import Submission
from tests.architecture.matrix_stage import Body, Place, Stage


@dataclass(frozen=True)
class Row:
    """``body`` None says that the view takes no POST. ``may`` and ``level`` tell what the write needs more."""

    args: Callable[[Stage, Place], tuple[Any, ...]] = lambda stage, place: ()
    scoped: bool = False  # names a row of a unit, so outside it is not found
    body: Body | None = None
    may: Permission | None = None
    reads: Permission | None = None  # what reading this row takes beyond the mark
    nation: bool = False  # the act is the nation's alone
    area: bool = False  # the act takes whatever lies in the actor's area
    owner: str = ""  # the row belongs to this actor, and nobody else may see it
    writes: bool = True  # a permitted POST leaves something in the database besides the audit row
    method: str = "post"
    headers: Callable[[Place], dict[str, str]] = field(default=lambda place: {})
    query: str = ""


def sheet(name: str, *more: Any, body: Body | None = None, **rest: Any) -> Row:
    """A URL of the sheet in a state."""
    return Row(lambda stage, place: (place[name].pk, *more), scoped=True, body=body, **rest)


def unit(name: str, body: Body | None = None) -> Row:
    """A URL of an assignment."""
    return Row(lambda stage, place: (place[name].assignment_id,), scoped=True, body=body)


def run(kind: str, body: Body | None = None, **rest: Any) -> Row:
    """A URL of a run: national, so there is no outside."""
    return Row(lambda stage, place: (getattr(stage, kind).pk,), body=body, **rest)


def published(*more: Any) -> Row:
    """A page of the public site."""
    return Row(lambda stage, place: ("zh", *more))


def release(kind: str, body: Body | None = None, **rest: Any) -> Row:
    """A page of a release: national, so there is no outside."""
    return Row(lambda stage, place: (getattr(stage, kind).pk,), body=body, **rest)


def open_release(*more: Any) -> Row:
    """An endpoint of the published release."""
    return Row(lambda stage, place: (2025, stage.published.number, *more))


def design(kind: str, body: Body | None = None, **rest: Any) -> Row:
    """A URL of a sample design: national, so there is no outside."""
    return Row(lambda stage, place: (stage.designs[kind].pk,), body=body, **rest)


def post(**body: Any) -> Body:
    """The same body for everybody."""
    return lambda stage, place, actor: body


def at_revision(name: str) -> dict[str, Any]:
    """Headers of a machine that has read a sheet."""
    return {"headers": lambda place: {"If-Match": f'"{revision_of(place[name])}"'}}


def revision_of(row: Submission) -> int:
    return Submission.objects.values_list("revision", flat=True).get(pk=row.pk)


def decide(name: str, action: str, body: dict[str, Any] | None = None, **rest: Any) -> Row:
    """A decision of a machine on a sheet."""
    return sheet(name, body=post(action=action, **(body or {})), **rest)
