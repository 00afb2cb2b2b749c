"""The states and transitions of a release as one table. Pure: no database, no Django.

An entry has the target state of an action, the required permission and the policies that must hold. ``system`` marks
transitions that no user may request.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The state of a release."""

    DRAFT = "draft"
    VALIDATED = "validated"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    CORRECTED = "corrected"  # published, and replaced by a later release
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """An action on a release."""

    REBUILD = "rebuild"  # fill the draft again, with the passages as they are now
    VALIDATE = "validate"
    RETURN = "return"
    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    PUBLISH = "publish"
    CORRECT = "correct"
    WITHDRAW = "withdraw"


PUBLIC = frozenset({State.PUBLISHED, State.CORRECTED})


@dataclass(frozen=True, slots=True)
class Transition:
    """One legal transition."""

    target: State
    permission: str
    policies: tuple[str, ...] = ()
    system: bool = False


_S, _A = State, Action
_checked = ("content_unchanged", "no_fault", "nothing_recoverable")
_second = ("not_who_ran",)
TRANSITIONS: dict[tuple[State, Action], Transition] = {
    (_S.DRAFT, _A.REBUILD): Transition(_S.DRAFT, "publish"),
    (_S.DRAFT, _A.VALIDATE): Transition(_S.VALIDATED, "publish", (*_checked, "not_who_prepared")),
    (_S.VALIDATED, _A.RETURN): Transition(_S.DRAFT, "publish", ("reason_given",)),
    (_S.VALIDATED, _A.SCHEDULE): Transition(
        _S.SCHEDULED, "publish", (*_checked, *_second, "embargo_ahead", "replaces_what_is_public")
    ),
    (_S.VALIDATED, _A.PUBLISH): Transition(
        _S.PUBLISHED, "publish", (*_checked, *_second, "replaces_what_is_public")
    ),
    (_S.SCHEDULED, _A.UNSCHEDULE): Transition(_S.VALIDATED, "publish", ("reason_given",)),
    (_S.SCHEDULED, _A.PUBLISH): Transition(
        _S.PUBLISHED, "publish", (*_checked, "embargo_over", "replaces_what_is_public"), system=True
    ),
    (_S.PUBLISHED, _A.CORRECT): Transition(_S.CORRECTED, "publish", ("successor_public",), system=True),
    (_S.PUBLISHED, _A.WITHDRAW): Transition(_S.WITHDRAWN, "publish", ("reason_given",)),
    (_S.CORRECTED, _A.WITHDRAW): Transition(_S.WITHDRAWN, "publish", ("reason_given",)),
}


def legal_actions(state: State) -> tuple[Action, ...]:
    """Actions that a person may take in a state, by the table of transitions."""
    return tuple(
        action for (origin, action), move in TRANSITIONS.items() if origin is state and not move.system
    )
