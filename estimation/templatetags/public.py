"""Filters that format frozen cells on public pages."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from estimation.releases.content.content import FrozenCell, Text
from estimation.releases.models import Release
from survey.templatetags.survey import grouped

register = template.Library()

STATUS_WORDS = {"withheld": _("withheld to protect respondents"), "absent": _("not available")}
ESTIMATOR_WORDS = {
    "total": _("weighted total"), "mean": _("mean"), "ratio": _("ratio of two totals"),
    "proportion": _("share of units, weighted by strata"), "panel_growth": _("growth on the fixed panel"),
    "level_growth": _("growth between two published levels"), "external": _("series from outside the survey"),
    "derived": _("computed from other published figures"), "count": _("count of units"),
    "multiple": _("ratio of two means"), "forecast": _("damped growth of the known years"),
    "ranking": _("order of the estimates"),
}  # fmt: skip


@register.filter
def words(text: Text | Mapping[str, str], language: str) -> str:
    """A wording in the language of the page."""
    return text.get(language) if isinstance(text, Text) else str(text.get(language, ""))


@register.filter
def signed(printed: str) -> str:
    """A growth with its sign."""
    return printed if printed.startswith(("-", "−")) else f"+{printed}"


@register.filter
def bounds(cell: FrozenCell) -> str:
    """The interval of a cell with its decimals."""
    if cell.lower is None or cell.upper is None:
        return "—"
    return f"{grouped(cell.lower, cell.decimals)} – {grouped(cell.upper, cell.decimals)}"


@register.filter
def hundredths(share: float | None) -> str:
    """A share in percent with two decimals."""
    return "—" if share is None else str(grouped(share * 100, 2))


@register.filter
def counted(number: Any) -> str:
    """A count with separators."""
    return str(grouped(number))


@register.filter
def status_words(status: str) -> Any:
    """Why a cell shows no number."""
    return STATUS_WORDS.get(status, "")


@register.filter
def estimator_words(code: str) -> Any:
    """The name of an estimator."""
    return ESTIMATOR_WORDS.get(code, code)


@register.filter
def edition_name(release: Release) -> str:
    """``2025-1``: the part of the permanent address of a release."""
    return f"{release.round.year}-{release.number}"


@register.filter
def identity_words(identity: Mapping[str, Any], language: str) -> str:
    """Result of an arithmetic check as a sentence."""
    wording = identity.get("words", "")
    return (
        str(wording.get(language, ""))
        if isinstance(wording, Mapping)
        else str(wording or identity.get("code", ""))
    )
