"""Query parameters of the comparison page and their result: alternatives, tables, precision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from estimation.design.allocation import AllocationError, Alternative, Base, Request, make_alternative
from estimation.design.forms import AlternativeForm, DrawForm
from estimation.design.messages import METHOD_LABELS, sentence
from estimation.design.models import SampleDesign
from estimation.design.selectors import base_of
from estimation.design.tables import Line, breakdown, grades, national_cv

LETTERS = ("a", "b", "c")
_DEFAULTS: dict[str, dict[str, Any]] = {
    "a": {"method": "proportional"},
    "b": {"method": "neyman"},
    "c": {"method": "power"},
}
_COMMON: dict[str, Any] = {
    "minimum": 2,
    "item": "all",
    "power": 0.5,
    "nation": 3,
    "region": 15,
    "section": 15,
}


@dataclass
class Column:
    """One alternative as a column: its form and its result, or the error that prevented one."""

    letter: str
    form: AlternativeForm
    label: str = ""
    result: Alternative | None = None
    error: str = ""
    grades: dict[str, int] = field(default_factory=dict)
    hidden: list[tuple[str, Any]] = field(default_factory=list)
    heaviest: float | None = None


@dataclass
class Comparison:
    """The content of the comparison page."""

    base: Base
    columns: list[Column]
    draw: DrawForm
    items: list[tuple[str, str]]
    item: str
    tables: list[tuple[str, str, list[Line]]]
    chief: list[tuple[str, str, list[float | None]]]
    errors: list[dict[str, Any]]
    low: int
    high: int

    @property
    def shown(self) -> list[Column]:
        """Columns with a result."""
        return [column for column in self.columns if column.result is not None]


def compare(design: SampleDesign, data: Mapping[str, str]) -> Comparison:
    """Allocate every alternative of the query parameters (or the defaults) and compare the results."""
    base = base_of(design)
    items = item_names(design)
    columns = [_column(base, design, letter, data, items) for letter in LETTERS]
    defaults = {"response": str(_response(design)), "start": "0"}
    draw = DrawForm({**defaults, **{name: data[name] for name in defaults if name in data}})
    share = (draw.cleaned_data["response"] if draw.is_valid() else _response(design)) / 100
    for column in columns:
        _fill(base, column, share)
    shown = [column for column in columns if column.result is not None]
    results = [column.result for column in shown if column.result is not None]
    chosen = data.get("show", "")
    index = base.items.index(chosen) if chosen in base.items else 0
    titles = (("region", _("Regions")), ("section", _("Industry sections")), ("size", _("Sizes")))
    names = dict(items)
    low, high = base.bounds(2)
    return Comparison(
        base=base,
        columns=columns,
        draw=draw,
        items=items,
        item=base.items[index] if base.items else "",
        tables=[(kind, title, breakdown(base, results, kind, index)) for kind, title in titles]
        if results
        else [],
        chief=[(code, names[code], values) for code, values in national_cv(base, results)],
        errors=_errors(columns, draw),
        low=low,
        high=high,
    )


def item_names(design: SampleDesign) -> list[tuple[str, str]]:
    """Chief items with their names in the language of the page."""
    english = (get_language() or "").startswith("en")
    named = zip(design.basis.items, design.basis.labels, strict=True)
    return [(code, f"{code} {labels[1 if english else 0]}") for code, labels in named]


def draw_request(design: SampleDesign, data: Mapping[str, str]) -> Request | None:
    """The allocation of a draw's form data, or None when it is not valid."""
    form = AlternativeForm(data, prefix="a", items=item_names(design))
    return form.request() if form.is_valid() else None


def _column(
    base: Base, design: SampleDesign, letter: str, data: Mapping[str, str], items: list[tuple[str, str]]
) -> Column:
    low, high = base.bounds(_COMMON["minimum"])
    last = design.basis.sample or low * 2
    # At the lowest bound every method gives the same sizes: the default lies above it.
    start = min(max(last, low + (high - low) // 5), high)
    defaults = {**_COMMON, **_DEFAULTS[letter], "n": start}
    if not base.items and letter != "a":
        defaults["method"] = ""
    fields: dict[str, Any] = {f"{letter}-{name}": value for name, value in defaults.items()}
    if any(f"{other}-method" in data for other in LETTERS):
        # A link may omit parameters: those of the unused alternatives have defaults.
        fields |= {f"{letter}-method": ""} | {
            name: data[name] for name in data if name.startswith(f"{letter}-")
        }
    return Column(letter, AlternativeForm(fields, prefix=letter, items=items))


def _fill(base: Base, column: Column, response: float) -> None:
    if not column.form.is_valid():
        return
    request = column.form.request()
    if request is None:
        return
    column.label = f"{column.letter.upper()} · {METHOD_LABELS[request.method]}"
    data: dict[str, Any] = column.form.cleaned_data
    column.hidden = [(f"a-{name}", "" if value is None else value) for name, value in data.items()]
    try:
        column.result = make_alternative(base, request, response=response)
    except AllocationError as error:
        column.error = sentence(error)
        return
    column.grades = grades(base, column.result) if base.items else {}
    column.heaviest = column.result.heaviest(base)


def _response(design: SampleDesign) -> float:
    return round(100 * float(design.basis.response), 2)


def _errors(columns: list[Column], draw: DrawForm) -> list[dict[str, Any]]:
    errors = [
        {
            "href": f"#id_{column.letter}-{name}",
            "text": f"{column.letter.upper()}: {column.form.fields[name].label}: {text}",
        }
        for column in columns
        for name, texts in column.form.errors.items()
        for text in texts
    ]
    errors += [
        {"href": f"#id_{column.letter}-n", "text": f"{column.letter.upper()}: {column.error}"}
        for column in columns
        if column.error
    ]
    return errors + [
        {"href": f"#id_{name}", "text": text} for name, texts in draw.errors.items() for text in texts
    ]
