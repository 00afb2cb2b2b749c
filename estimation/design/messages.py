"""Translated messages and labels of the sample design."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _

from estimation.design.allocation import AllocationError
from estimation.design.states import STATE_LABELS
from survey.exceptions import PolicyDenied
from survey.sentences import define

_lower: Callable[[object], Any] = lazy(lambda label: str(label).lower(), str)
METHOD_LABELS: dict[str, Promise] = {
    "proportional": _("Proportional to the population"),
    "neyman": _("Neyman, by last year's spread"),
    "power": _("Power, between regions and nation"),
    "targets": _("Smallest sample for CV targets (Bethel)"),
}
REFUSALS: dict[str, Promise] = {
    "out_of_bounds": _(
        "The sample must have between %(low)s units (minimum and take-all strata) and %(high)s (all listed units)."
    ),
    "no_basis": _(
        "There are no accepted sheets of an earlier year, so precision cannot be foreseen. Use proportional."
    ),
    "no_target": _("Give at least one CV target."),
    "not_reached": _("No allocation was found for these targets. Loosen one of them."),
    "impossible_target": _("These targets cannot be met: a domain has no total to be precise about."),
}
REASON_LABELS: dict[str, Promise] = {
    "category": _("The whole category is asked"),
    "platform": _("Leading platforms"),
    "employees": _("Employees at or above the threshold"),
    "turnover": _("Turnover at or above the threshold"),
}


HAND_OVER_LOST = define("hand_over_lost", _("The worker stopped %(count)s times during the hand-over."))
HAND_OVER_NOT_ALLOWED = define(
    "hand_over_not_allowed", _("Who asked for the hand-over may not do it any more.")
)
HAND_OVER_STOPPED = define("hand_over_stopped", _("The hand-over stopped: %(error)s"))
ROUND_HAS_BEGUN = define(
    "design_round_has_begun",
    _("Round %(year)s has begun. A sample is designed and handed over before a round opens."),
)
IN_ANOTHER_STATE = define("design_in_another_state", _("The design is %(state)s and does not allow this."))
STATES = {state: define(f"design_state_{state}", _lower(label)) for state, label in STATE_LABELS.items()}


def sentence(error: AllocationError) -> str:
    """The translated message of an allocation error."""
    numbers = {name: f"{value:,}" for name, value in error.parameters.items()}
    return str(REFUSALS[error.code]) % numbers if numbers else str(REFUSALS[error.code])


@contextmanager
def refusal() -> Iterator[None]:
    """Convert an AllocationError into PolicyDenied with its message."""
    try:
        yield
    except AllocationError as error:
        raise PolicyDenied(sentence(error)) from error
