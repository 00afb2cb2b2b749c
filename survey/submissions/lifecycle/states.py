"""The states of a sheet and its transition table. Pure: no database, no Django.

An entry gives the target state of an action, the required permission and the policies that the sheet must
satisfy. The owner of a state is the party that has to act next.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """State of a sheet."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    RETURNED = "returned"
    SUBMITTED = "submitted"  # with the province
    NATIONAL_REVIEW = "national_review"  # with the nation
    ACCEPTED = "accepted"
    EXEMPTED = "exempted"
    INVALIDATED = "invalidated"


class Action(StrEnum):
    """Action on a sheet."""

    SAVE = "save"
    SUBMIT = "submit"
    SUBMIT_NATIONAL = "submit_national"  # the same for units that are reviewed nationally only
    RECALL = "recall"
    RETURN = "return"
    ACCEPT = "accept"  # province: passes the sheet to the national review
    ACCEPT_FINALLY = "accept_finally"  # nation: into the valid sample
    SEND_BACK = "send_back"  # nation: back to the province
    REOPEN = "reopen"
    EXEMPT = "exempt"
    UNEXEMPT = "unexempt"
    INVALIDATE = "invalidate"
    REINSTATE = "reinstate"
    UNDO_ACCEPT = "undo_accept"  # reverses the acceptance of many sheets, as one operation


class Owner(StrEnum):
    """Who has to act next."""

    RESPONDENT = "respondent"
    PROVINCE = "province"
    NATION = "nation"
    NOBODY = "nobody"


OWNERS: dict[State, Owner] = {
    State.NOT_STARTED: Owner.RESPONDENT,
    State.IN_PROGRESS: Owner.RESPONDENT,
    State.RETURNED: Owner.RESPONDENT,
    State.SUBMITTED: Owner.PROVINCE,
    State.NATIONAL_REVIEW: Owner.NATION,
    State.ACCEPTED: Owner.NOBODY,
    State.EXEMPTED: Owner.NOBODY,
    State.INVALIDATED: Owner.NOBODY,
}

EDITABLE = frozenset({State.NOT_STARTED, State.IN_PROGRESS, State.RETURNED})
FILED = frozenset({State.SUBMITTED, State.NATIONAL_REVIEW, State.ACCEPTED, State.INVALIDATED})


@dataclass(frozen=True, slots=True)
class Transition:
    """A legal transition. ``level`` is the level that the actor's grant must have: unit, province or nation."""

    target: State
    permission: str
    level: Owner
    policies: tuple[str, ...] = ()


_S, _A = State, Action
_fill = ("accepts_answers",)
_file = ("accepts_answers", "revision_shown", "hard_edits_pass", "soft_edits_explained", "signed")
_review = ("not_own_sheet",)
_exempt = ("reason_coded", "evidence_given")
TRANSITIONS: dict[tuple[State, Action], Transition] = {
    (_S.NOT_STARTED, _A.SAVE): Transition(_S.IN_PROGRESS, "respond", Owner.RESPONDENT, _fill),
    (_S.IN_PROGRESS, _A.SAVE): Transition(_S.IN_PROGRESS, "respond", Owner.RESPONDENT, _fill),
    (_S.RETURNED, _A.SAVE): Transition(_S.RETURNED, "respond", Owner.RESPONDENT, _fill),
    (_S.IN_PROGRESS, _A.SUBMIT): Transition(
        _S.SUBMITTED, "respond", Owner.RESPONDENT, (*_file, "reviewed_by_province")
    ),
    (_S.RETURNED, _A.SUBMIT): Transition(
        _S.SUBMITTED, "respond", Owner.RESPONDENT, (*_file, "reviewed_by_province", "queries_answered")
    ),
    (_S.IN_PROGRESS, _A.SUBMIT_NATIONAL): Transition(
        _S.NATIONAL_REVIEW, "respond", Owner.RESPONDENT, (*_file, "reviewed_by_nation")
    ),
    (_S.RETURNED, _A.SUBMIT_NATIONAL): Transition(
        _S.NATIONAL_REVIEW, "respond", Owner.RESPONDENT, (*_file, "reviewed_by_nation", "queries_answered")
    ),
    (_S.SUBMITTED, _A.RECALL): Transition(
        _S.IN_PROGRESS, "respond", Owner.RESPONDENT, (*_fill, "review_not_begun")
    ),
    (_S.NATIONAL_REVIEW, _A.RECALL): Transition(
        _S.IN_PROGRESS, "respond", Owner.RESPONDENT, (*_fill, "reviewed_by_nation", "review_not_begun")
    ),
    (_S.SUBMITTED, _A.RETURN): Transition(
        _S.RETURNED, "review", Owner.PROVINCE, (*_review, "reason_given", "due_date_given")
    ),
    (_S.SUBMITTED, _A.ACCEPT): Transition(
        _S.NATIONAL_REVIEW, "review", Owner.PROVINCE, (*_review, "no_open_query")
    ),
    (_S.NATIONAL_REVIEW, _A.RETURN): Transition(
        _S.RETURNED, "review", Owner.NATION, (*_review, "reason_given", "due_date_given")
    ),
    (_S.NATIONAL_REVIEW, _A.SEND_BACK): Transition(
        _S.SUBMITTED, "review", Owner.NATION, (*_review, "reviewed_by_province", "reason_given")
    ),
    (_S.NATIONAL_REVIEW, _A.ACCEPT_FINALLY): Transition(
        _S.ACCEPTED, "review", Owner.NATION, (*_review, "no_open_query")
    ),
    (_S.ACCEPTED, _A.REOPEN): Transition(
        _S.RETURNED, "reopen", Owner.NATION, ("round_open", "reason_given", "due_date_given")
    ),
    (_S.NOT_STARTED, _A.EXEMPT): Transition(_S.EXEMPTED, "manage_units", Owner.PROVINCE, _exempt),
    (_S.IN_PROGRESS, _A.EXEMPT): Transition(_S.EXEMPTED, "manage_units", Owner.PROVINCE, _exempt),
    (_S.EXEMPTED, _A.UNEXEMPT): Transition(_S.NOT_STARTED, "manage_units", Owner.PROVINCE, ("round_open",)),
    (_S.SUBMITTED, _A.INVALIDATE): Transition(_S.INVALIDATED, "invalidate", Owner.NATION, ("reason_coded",)),
    (_S.NATIONAL_REVIEW, _A.INVALIDATE): Transition(
        _S.INVALIDATED, "invalidate", Owner.NATION, ("reason_coded",)
    ),
    (_S.ACCEPTED, _A.INVALIDATE): Transition(_S.INVALIDATED, "invalidate", Owner.NATION, ("reason_coded",)),
    (_S.INVALIDATED, _A.REINSTATE): Transition(
        _S.NATIONAL_REVIEW, "invalidate", Owner.NATION, ("reason_given",)
    ),
    (_S.NATIONAL_REVIEW, _A.UNDO_ACCEPT): Transition(
        _S.SUBMITTED, "review", Owner.PROVINCE, ("accepted_with_others", "reason_given")
    ),
    (_S.ACCEPTED, _A.UNDO_ACCEPT): Transition(
        _S.NATIONAL_REVIEW, "review", Owner.NATION, ("accepted_with_others", "reason_given")
    ),
}


def legal_actions(state: State) -> tuple[Action, ...]:
    """Actions that the table has for a state, for any actor."""
    return tuple(action for (origin, action) in TRANSITIONS if origin is state)
