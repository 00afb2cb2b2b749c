"""Reads what a section page posts. Forms parse; they do not decide."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from survey.questionnaires.definition import Questionnaire
from survey.submissions import cells
from survey.submissions.lifecycle.policies import SIGNATORIES

LIMIT = 3000  # cells of one post: the largest section has a few hundred
NOTE = "note."


def read_cells(post: QueryDict, definition: Questionnaire) -> dict[str, dict[str, Any]]:
    """Raw values by key. Every cell on the page names itself in a hidden ``cell`` field.

    So an unticked group of boxes arrives as a blank and a field that was not on the page as nothing.
    """
    changes: dict[str, dict[str, Any]] = {}
    for key in post.getlist("cell")[:LIMIT]:
        place = cells.field_of(definition, key)
        if place is None:
            continue
        value: Any = post.getlist(f"{key}.value") if place.type == "multi" else post.get(f"{key}.value", "")
        changes[key] = {
            "value": value,
            "unit": post.get(f"{key}.unit", ""),
            "missing": post.get(f"{key}.missing", ""),
        }
    _apply_suggestion(post, changes)
    return _without_table_shells(changes, definition)


def _apply_suggestion(post: QueryDict, changes: dict[str, dict[str, Any]]) -> None:
    """The button "did you mean 3.2 PB?" posts ``suggest=KEY|UNIT|FIGURE``."""
    key, unit, figure = [*post.get("suggest", "").split("|"), "", ""][:3]
    if figure and key in changes:
        changes[key] |= {"unit": unit, "value": figure}


def _without_table_shells(
    changes: dict[str, dict[str, Any]], definition: Questionnaire
) -> dict[str, dict[str, Any]]:
    """A table's own field only says "not applicable" or "not known"; its numbers have keys of their own."""
    result = {}
    for key, raw in changes.items():
        table = "/" not in key and definition.items[key].type == "table"
        if table and not raw["missing"]:
            continue
        result[key] = {"missing": raw["missing"]} if table else raw
    shells = {key for key in result if "/" not in key and definition.items[key].type == "table"}
    # Numbers beat the mark: a table with any number in it is not "not applicable".
    for key in shells:
        inner = [one for one in result if one.startswith(f"{key}/")]
        if any(str(result[one]["value"] or "").strip() for one in inner):
            del result[key]
        else:
            for one in inner:
                del result[one]
    return result


def read_notes(post: QueryDict) -> dict[str, str]:
    """Remarks at items, by item code: fields named ``note.ITEM``."""
    found = [name for name in post if name.startswith(NOTE)][:LIMIT]
    return {name.removeprefix(NOTE): post.get(name, "") for name in found}


def read_bases(post: QueryDict) -> dict[str, int]:
    """Revision that each cell was shown at, where the page says so."""
    return {
        key: int(value)
        for key in post.getlist("cell")[:LIMIT]
        if (value := post.get(f"{key}.base", "")).isascii() and value.isdigit() and len(value) < 10
    }


def read_revision(post: QueryDict, name: str = "revision") -> int:
    """The revision that the page showed; -1 when it says none, which is older than everything."""
    value = post.get(name, "")
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else -1


def new_row_ids(count: int) -> list[str]:
    """Ids for rows that somebody is about to fill: random, so that two people never meet in one row."""
    return [f"r{secrets.token_hex(4)}" for _number in range(count)]


class SignOffForm(forms.Form):
    """The people who answer for the figures, and the statement that the law asks for."""

    unit_head = forms.CharField(label=_("Head of the unit"), max_length=60)
    stat_head = forms.CharField(label=_("Head of statistics"), max_length=60)
    filler = forms.CharField(label=_("Filled in by"), max_length=60)
    phone = forms.RegexField(
        r"^[0-9+()\- ]{7,30}$",
        label=_("Telephone"),
        error_messages={"invalid": _("Enter a telephone number, for example 010-12345678.")},
    )
    statement = forms.BooleanField(
        label=_(
            "We answer for the truth of these data under the Statistics Law. "
            "They were checked by the persons named here."
        ),
        error_messages={"required": _("Confirm the statement before you submit.")},
    )

    def __init__(self, *args: Any, signed: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        """``signed`` are names that stand under a signature: shown, and not taken from the request."""
        kwargs["initial"] = {**kwargs.get("initial", {}), **(signed or {})}
        super().__init__(*args, **kwargs)
        for name in signed or {}:
            self.fields[name].disabled = True
        for name, one in self.fields.items():
            css = "form-check-input" if name == "statement" else "form-control"
            one.widget.attrs |= {"class": css, "autocomplete": "off"}
            if self.is_bound and name in self.errors:
                one.widget.attrs |= {"aria-invalid": "true", "class": f"{css} is-invalid"}

    def signatories(self) -> dict[str, str]:
        """The names, once the form is valid."""
        return {name: self.cleaned_data[name] for name in SIGNATORIES}

    def error_list(self) -> list[dict[str, str]]:
        """For the error summary."""
        return [
            {"href": f"#id_{name}", "text": f"{self.fields[name].label}: {message}"}
            for name, found in self.errors.items()
            for message in found
        ]
