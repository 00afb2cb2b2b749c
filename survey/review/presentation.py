"""The filter bar of the queue: each select with its options and their counts."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from survey.questionnaires.loader import load_codelist
from survey.review.filters import AGAIN, DESK, EFFECTS, EVERY, FILED_GROUP, FINDINGS, ORDERS, QUERIES
from survey.review.selectors import Queue
from survey.submissions.lifecycle.states import FILED, State
from survey.submissions.models import STATE_LABELS

type Label = str | Promise


@dataclass(frozen=True, slots=True)
class Option:
    """One option; ``count`` is None where counts do not apply."""

    value: str
    label: Label
    count: int | None
    selected: bool


@dataclass(frozen=True, slots=True)
class Select:
    """One labelled select of the filter bar."""

    name: str
    label: Label
    options: list[Option]


LABELS: dict[str, dict[str, Label]] = {
    "findings": {
        "none": _("No unusual values"),
        "soft": _("Unusual values, explained"),
        "refused": _("Explanation refused"),
    },
    "queries": {
        "none": _("No open comment"),
        "open": _("Open comments"),
        "answered": _("Answered comments to look at"),
    },
    "again": {"first": _("Filed once"), "again": _("Filed again after correction")},
    "effect": {
        "little": _("Moves no figure by 1%"),
        "moves": _("May move a figure by 1% or more"),
        "slip": _("Probably a wrong unit"),
    },
    "order": {
        "score": _("Largest effect on the figures first"),
        "oldest": _("Longest waiting first"),
        "findings": _("Most unusual values first"),
        "change": _("Largest change first"),
    },
}


def filters(result: Queue) -> list[Select]:
    """Every select of the filter bar with live counts."""
    facets, setting = result.facets, result.setting
    plain = [
        _select(name, label, [(value, LABELS[name][value]) for value in values], facets[name], setting)
        for name, label, values in (
            ("effect", _("Effect on the figures"), EFFECTS),
            ("findings", _("Findings"), FINDINGS),
            ("queries", _("Comments"), QUERIES),
            ("again", _("Filings"), AGAIN),
        )
    ]
    orders = [Option(value, LABELS["order"][value], None, setting.order == value) for value in ORDERS]
    return [
        _states(result),
        _select(
            "category",
            _("Category"),
            _coded("categories", facets["category"], setting.category),
            facets["category"],
            setting,
        ),
        _select(
            "region",
            _("Region"),
            _coded("regions", facets["region"], setting.region),
            facets["region"],
            setting,
        ),
        *plain,
        Select("order", _("Order"), orders),
    ]


def _select(
    name: str, label: Label, values: list[tuple[str, Label]], counted: "Counter[str]", setting: Any
) -> Select:
    chosen = getattr(setting, name)
    everything = Option("", _("All"), sum(counted.values()), not chosen)
    options = [Option(value, text, counted[value], chosen == value) for value, text in values]
    return Select(name, label, [everything, *options])


def _states(result: Queue) -> Select:
    counted, chosen = result.facets["state"], result.setting.state
    options = []
    if result.desk:
        waiting = sum(counted[state.value] for state in result.desk)
        options.append(Option(DESK, _("Waiting for my decision"), waiting, chosen == DESK))
    options.extend(
        Option(state.value, STATE_LABELS[state], counted[state.value], chosen == state.value)
        for state in State
    )
    filed = sum(counted[state.value] for state in FILED)
    options.append(Option(FILED_GROUP, _("Everything filed"), filed, chosen == FILED_GROUP))
    options.append(Option(EVERY, _("All"), sum(counted.values()), chosen == EVERY))
    return Select("state", _("State"), options)


def _coded(name: str, counted: "Counter[str]", chosen: str) -> list[tuple[str, Label]]:
    """Codes of a list that have sheets, and the selected one."""
    language = get_language() or "zh-hans"
    entries = load_codelist(name).entries
    return [
        (entry.code, entry.label.get(language))
        for entry in entries
        if entry.code in counted or entry.code == chosen
    ]
