"""Sentences and names of the sample design in the reader's language."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from estimation.design.allocation import AllocationError
from survey.exceptions import PolicyDenied

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


def sentence(error: AllocationError) -> str:
    """Why an allocation is not possible."""
    numbers = {name: f"{value:,}" for name, value in error.parameters.items()}
    return str(REFUSALS[error.code]) % numbers if numbers else str(REFUSALS[error.code])


@contextmanager
def refusal() -> Iterator[None]:
    """An impossible allocation becomes a refusal with its sentence."""
    try:
        yield
    except AllocationError as error:
        raise PolicyDenied(sentence(error)) from error
