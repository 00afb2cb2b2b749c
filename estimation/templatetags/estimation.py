"""Filters and tags that format estimates, domains and grades on the result pages."""

import math
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from estimation.releases.listing.selectors import COMPARISON_LABELS, METHOD_LABELS
from estimation.releases.models import Release
from estimation.releases.selectors import labels
from estimation.runs.forms import RunForm
from estimation.runs.models import EstimationRun
from estimation.runs.selectors import CHAINED_LABELS, KIND_LABELS, REASON_LABELS, STATISTIC_LABELS
from estimation.units import english
from survey.templatetags.survey import grouped

register = template.Library()

DOMAIN_LABELS = {
    "all": _("All respondents"), "enterprise": _("Enterprises"), "public": _("Public bodies and others"),
    "primary": _("Primary sector"), "secondary": _("Secondary sector"), "tertiary": _("Tertiary sector"),
    "industry": _("Industry (B to D)"), "large": _("Large"), "medium": _("Medium"),
    "small": _("Small and micro"), "head_platform": _("Leading platforms"), "other_ent": _("Other enterprises"),
    "central_soe": _("Central SOEs"), "data_ent": _("Data enterprises"), "sample_ent": _("All sampled enterprises"),
    "pilot_space": _("National pilot data spaces"), "head_central": _("Leading platforms and central SOEs"),
}  # fmt: skip
_LISTS = {
    "region": "regions",
    "region_enterprise": "regions",
    "section": "industry_sections",
    "category": "categories",
}
TONES = {"A": "good", "B": "good", "C": "info", "D": "warn", "E": "bad"}
REGION_PART_LABELS = {
    "east": _("East"),
    "central": _("Centre"),
    "west": _("West"),
    "northeast": _("North-east"),
    "nation": _("Nation"),
    "certainty": _("taken with certainty"),
    "outside the design": _("outside the design"),
}
GROUP_LABELS = {
    "government": _("Government"),
    "institution": _("Public institutions"),
    "research": _("Research"),
    "central": _("Central SOEs"),
    "data": _("Data enterprises"),
    "other": _("Other enterprises"),
    "association": _("Associations"),
}
STEP_LABELS = {"macro_region": _("Macro-region"), "nation": _("Nation"), "size": _("Size")}
WEIGHT_PARTS = {"entropy": _("Entropy"), "critic": "CRITIC", "importance": _("Importance")}
REASONS = {
    "no_estimate": _("There is no estimate in this run."),
    "imprecise": _("The error is too large to publish this number."),
    "no_external": _("The external series has no value for this year."),
    "no_previous": _("There is no comparable level of the year before."),
    "not_printed": _("The report prints no growth here."),
    "external": _("An external series: no sampling error."),
    "combined": _("Made of several estimates: their joint error is not known."),
}


@register.filter
def domain_label(code: str, kind: str) -> Any:
    """The name of a domain in the language of the page."""
    if kind == "region_section":
        region, _dot, section = code.partition(".")
        return f"{domain_label(region, 'region')} · {domain_label(section, 'section')}"
    if kind == "section_size":
        section, _dot, size = code.partition(".")
        return f"{domain_label(section, 'section')} · {domain_label(size, 'size')}"
    if kind in _LISTS:
        label = labels(_LISTS[kind]).get(code)
        return code if label is None else label.get(get_language() or "zh")
    return DOMAIN_LABELS.get(code, code)


@register.filter
def figure(value: Any, percent: Any = False) -> str:
    """A number with readable digits: two decimals, or three significant digits when small.

    A dash for a number that is missing, also where a document has no such entry: the template then gives "".
    """
    if value is None or value == "" or not math.isfinite(value):
        return "—"
    number = value * 100 if percent else value
    size = abs(number)
    if percent or size == 0 or 1 <= size < 1000:
        return grouped(number, 2)
    if size >= 1000:
        return grouped(number, 0)
    return f"{number:.3g}"


@register.filter
def external_unit(unit: str) -> str:
    """The unit of an external series, which may not be one of the questionnaires, in the language of the page."""
    return english(unit) if (get_language() or "").startswith("en") else unit


@register.filter
def times(value: float | None, factor: float) -> float | None:
    """A number in another unit."""
    return None if value is None else value * factor


@register.filter
def interval(cell: Any, decimals: int = 2) -> str:
    """The bounds of a cell with the decimals of its number, so that a column has one format."""
    if cell.lower is None or cell.upper is None:
        return "—"
    return f"{grouped(cell.lower, decimals)} – {grouped(cell.upper, decimals)}"


@register.filter
def grade_tone(grade: str) -> str:
    """Tone of a quality grade; the letter has the same meaning without colour."""
    return TONES.get(grade, "neutral")


@register.filter
def reason_text(code: str) -> Any:
    """Why a cell has no number, or no error."""
    return REASONS.get(code, "")


@register.filter
def release_reason(code: str) -> Any:
    """Why a cell of a release has no number."""
    return COMPARISON_LABELS.get(code, REASONS.get(code, code))


@register.filter
def suppression_method(code: str) -> Any:
    """How the cells that protect others were chosen; releases of earlier programs used the integer program only."""
    return METHOD_LABELS.get(code, METHOD_LABELS["integer_program"])


@register.filter
def release_tone(state: str) -> str:
    """Tone of the state of a release."""
    states = Release.State
    return {
        states.PUBLISHED: "good",
        states.WITHDRAWN: "bad",
        states.SCHEDULED: "info",
        states.DRAFT: "warn",
    }.get(states(state), "neutral")


@register.filter
def statistic_label(code: str) -> Any:
    """The name of a statistic."""
    return STATISTIC_LABELS.get(code) or CHAINED_LABELS.get(code) or COUNT_LABELS.get(code, code)


COUNT_LABELS = {"filed": _("filed sheets"), "valid": _("valid sheets"), "count": _("count")}


@register.filter
def counted_label(variable: str) -> Any:
    """The name of a count of sheets; the code of an item is returned, because pages show items by it."""
    return COUNT_LABELS.get(variable, variable)


@register.filter
def estimate_name(key: str) -> str:
    """A key of an estimate ("P01/total/section/I/2025") in words; any other key is returned."""
    *variables, statistic, kind, code, year = key.split("/") if key.count("/") >= 4 else ("", "", "", "", "")
    if kind not in {*KIND_LABELS, "section_size"}:
        return key
    variable = "/".join(str(counted_label(part)) for part in variables)
    return f"{variable} · {statistic_label(statistic)} · {domain_label(code, kind)} · {year}"


@register.filter
def kind_label(code: str) -> Any:
    """The name of a kind of domain."""
    return KIND_LABELS.get(code, code)


@register.filter
def weight_part(name: str) -> Any:
    """The name of a part of an index weight."""
    return WEIGHT_PARTS.get(name, name)


@register.filter
def treatment_label(code: str) -> Any:
    """Why a value outside the cutoffs was or was not treated."""
    return REASON_LABELS.get(code, code)


@register.filter
def parameter_label(value: str, name: str) -> Any:
    """A parameter of a run with its label on the form."""
    field: Any = RunForm.base_fields[name]
    return dict(field.choices).get(value, value)


@register.filter
def class_label(name: str) -> str:
    """A class of treatment, such as "other/C", as text: group of categories and section."""
    group, _slash, section = name.partition("/")
    words = str(GROUP_LABELS.get(group, group))
    return words if section in ("", "-") else f"{words} · {domain_label(section, 'section')}"


@register.filter
def stratum_label(name: str) -> str:
    """The name of an estimation stratum, such as "C · east · small (3)", as text."""
    parts, _bracket, count = name.partition(" (")
    words = " · ".join(str(_part_label(part)) for part in parts.split(" · "))
    return f"{words} ({count}" if count else words


def _part_label(part: str) -> Any:
    if part in REGION_PART_LABELS:
        return REGION_PART_LABELS[part]
    if "+" in part:
        return "+".join(str(_part_label(piece)) for piece in part.split("+"))
    for codelist in ("industry_sections", "regions", "categories"):
        if (label := labels(codelist).get(part)) is not None:
            return label.get(get_language() or "zh")
    return DOMAIN_LABELS.get(part, part)


@register.filter
def step_label(code: str) -> Any:
    """How far a stratum was collapsed."""
    return STEP_LABELS.get(code, code)


@register.filter
def run_tone(state: str) -> str:
    """Tone of the state of a run."""
    states = EstimationRun.State
    return {states.FINISHED: "good", states.FAILED: "bad", states.RUNNING: "info", states.QUEUED: "warn"}.get(
        states(state), "neutral"
    )


@register.simple_tag
def units_url(run: EstimationRun, of: Any, year: Any = None) -> str:
    """Address of the units behind a stored estimate, a cell's key, or a part of an indicator."""
    kind = getattr(of, "domain_kind", None) or of.kind
    code = getattr(of, "domain_code", None) or of.code
    query = {
        "variable": of.variable,
        "statistic": of.statistic,
        "kind": kind,
        "code": code,
        "year": year or getattr(of, "year", ""),
    }
    return f"{reverse('run_units', args=[run.pk])}?{urlencode(query)}"


@register.simple_tag
def cell_units_url(run: EstimationRun, variable: str, code: str, year: Any) -> str:
    """Address of the units behind the total of a region and section, ``code``."""
    query = {"variable": variable, "statistic": "total", "kind": "region_section", "code": code, "year": year}
    return f"{reverse('run_units', args=[run.pk])}?{urlencode(query)}"


@register.simple_tag
def compare_url(first: EstimationRun, second: EstimationRun, cell: Any = None) -> str:
    """Address of the comparison of two runs; with ``cell``, of its statistic and kind of domain."""
    query = {"a": first.pk, "b": second.pk}
    if cell is not None:
        query |= {"statistic": cell.statistic, "kind": cell.kind}
    return f"{reverse('run_compare')}?{urlencode(query)}"


@register.simple_tag
def compare_cell_url(first: EstimationRun, second: EstimationRun, cell: Any) -> str:
    """Address of the page that explains why a number differs between two runs."""
    query = {
        "variable": cell.variable,
        "statistic": cell.statistic,
        "kind": cell.kind,
        "code": cell.code,
        "year": cell.year,
    }
    return f"{reverse('run_compare_cell', args=[first.pk, second.pk])}?{urlencode(query)}"


@register.filter
def magnitude(value: Any) -> float:
    """Length of a bar."""
    return 0.0 if value is None or not math.isfinite(value) else abs(float(value))


@register.filter
def cv_percent(value: Any) -> str:
    """A coefficient of variation in percent with one decimal; the header has the unit."""
    return "—" if value is None or not math.isfinite(value) else grouped(value * 100, 1)


@register.filter
def cv_class(value: Any) -> str:
    """Class of a coefficient of variation: below 10 %, below 20 %, above."""
    if value is None or not math.isfinite(value):
        return ""
    return "cv-good" if value < 0.1 else "cv-warn" if value < 0.2 else "cv-bad"


@register.filter
def tenth(value: Any) -> str:
    """Whole thousandths as percent with one decimal."""
    return grouped(float(value) / 10, 1)


VARIANT_PARTS = {
    "minmax": _("min to max"), "zscore": _("standard scores"), "rank": _("ranks"), "equal": _("equal weights"),
    "entropy": _("entropy"), "critic": "CRITIC", "importance": _("importance"), "final": _("final weights"),
    "arithmetic": _("arithmetic mean"), "geometric": _("geometric mean"),
}  # fmt: skip


@register.filter
def variant_label(name: str) -> str:
    """A variant of the index as text: scaling, weights, mean."""
    return " · ".join(str(VARIANT_PARTS.get(part, part)) for part in name.split("/"))
