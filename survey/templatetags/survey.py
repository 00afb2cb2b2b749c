"""Template filters and tags for numbers, times and names."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from survey.access import navigation
from survey.access.models import Region
from survey.questionnaires.answering.units import unit_label
from survey.questionnaires.definition import Questionnaire
from survey.questionnaires.loader import load_codelist
from survey.questionnaires.statutory import statutory_header as header_of
from survey.submissions.lifecycle.states import State
from survey.submissions.models import STATE_LABELS

register = template.Library()


DATA_UNITS = ("GB", "TB", "PB", "EB", "ZB")
TONES = {
    State.NOT_STARTED: "neutral",
    State.IN_PROGRESS: "info",
    State.RETURNED: "bad",
    State.SUBMITTED: "warn",
    State.NATIONAL_REVIEW: "warn",
    State.ACCEPTED: "good",
    State.EXEMPTED: "neutral",
    State.INVALIDATED: "bad",
}
_regions: dict[str, Region] = {}


def _english() -> bool:
    return (get_language() or "").startswith("en")


@register.simple_tag
def linked(name: str, *args: Any) -> str:
    """``{% linked "review.progress" %}``: the address of a link that an upper package has registered."""
    return navigation.linked(name, *args)


@register.filter
def grouped(value: Any, decimals: int = 0) -> str:
    """Thousands separators and fixed decimals, rounded half up as the report rounds; a dash for None."""
    if value is None or value == "":
        return "—"
    number = Decimal(str(value))
    if not number.is_finite():
        return "—"
    return f"{number.quantize(Decimal(1).scaleb(-int(decimals)), rounding=ROUND_HALF_UP):,}"


@register.filter
def percent(value: Any, decimals: int = 2) -> str:
    """A share (0.125) as a percentage (12.50%)."""
    return "—" if value is None else f"{grouped(Decimal(str(value)) * 100, decimals)}%"


@register.filter
def signed_share(value: Any) -> str:
    """A share with its sign as a percentage; "<0.01%" for a very small one, a dash for None."""
    if value is None:
        return "—"
    size = abs(Decimal(str(value))) * 100
    if 0 < size < Decimal("0.005"):
        return "<0.01%"
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{grouped(size, 2)}%"


@register.simple_tag
def amount(value: Any, unit: str = "", decimals: int = 2, scale: bool = False) -> str:
    """A quantity with its unit; with ``scale`` data volumes are converted to the largest unit with a value of at least 1."""
    if value is None:
        return "—"
    number = Decimal(str(value))
    if scale and unit in DATA_UNITS:
        index = DATA_UNITS.index(unit)
        while abs(number) >= 1024 and index < len(DATA_UNITS) - 1:
            number, index = number / 1024, index + 1
        unit = DATA_UNITS[index]
    return f"{grouped(number, decimals)} {unit}".rstrip()


@register.filter
def unit_name(unit: str) -> str:
    """A unit of measurement in the language of the page."""
    return unit_label(unit, "en" if _english() else "zh")


@register.filter
def beijing(value: Any) -> str:
    """A moment as Beijing time, to the minute; a dash for none."""
    return "—" if not value else timezone.localtime(value).strftime("%Y-%m-%d %H:%M")


@register.filter
def text(value: Any) -> str:
    """A bilingual text of a definition in the language of the page."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return str(value.get("en" if _english() else "zh") or value.get("zh", ""))
    return str(value.get("en" if _english() else "zh"))


@register.filter
def state_label(value: str) -> Any:
    """The name of a sheet's state."""
    return STATE_LABELS[State(value)]


@register.filter
def state_tone(value: str) -> str:
    """The tone of the pill of a state; its label has the same information without colour."""
    return TONES[State(value)]


@register.filter
def days_left_text(days: int) -> str:
    """The time until a deadline in words; a negative number is overdue."""
    if days > 0:
        return ngettext("%(n)s day left", "%(n)s days left", days) % {"n": days}
    return _("ends today") if days == 0 else _("overdue")


@register.filter
def severity_tone(severity: str) -> str:
    """The tone of the pill of an edit rule or a finding: hard, soft, or a notice."""
    return {"hard": "bad", "soft": "warn"}.get(severity, "info")


@register.filter
def code_label(code: str, codelist: str) -> str:
    """The label of a code in a code list, or the code itself."""
    for entry in load_codelist(codelist).entries:
        if entry.code == code:
            return text(entry.label)
    return code


@register.filter
def category_name(code: str) -> str:
    """The name of one of the 14 categories."""
    return code_label(code, "categories")


@register.filter
def region_name(code: str) -> str:
    """The name of a region by code, read once per process."""
    if not _regions:
        _regions.update({region.code: region for region in Region.objects.all()})
    return str(_regions.get(code, code))


@register.filter
def statutory_header(definition: Questionnaire) -> list[tuple[str, str]]:
    """Form number, authority, approval and validity as (name, text)."""
    return header_of(definition, get_language() or "zh-hans")
