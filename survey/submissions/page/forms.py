"""Parses the form data of section pages, without validating it."""

import secrets
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from survey.notation.telephones import TELEPHONE
from survey.questionnaires.definition import Questionnaire
from survey.request_values import whole_number
from survey.submissions import cells
from survey.submissions.lifecycle.policies import SIGNATORIES

LIMIT = 3000  # cells of one post: the largest section has a few hundred
NOTE = "note."


def read_cells(post: QueryDict, definition: Questionnaire) -> dict[str, dict[str, Any]]:
    """Raw values by key. A hidden ``cell`` field lists every cell of the page.

    An unticked group of checkboxes is therefore a blank, and a cell that was not on the page is absent.
    """
    changes: dict[str, dict[str, Any]] = {}
    for key in post.getlist("cell")[:LIMIT]:
        item = cells.field_of(definition, key)
        if item is None:
            continue
        value: Any = post.getlist(f"{key}.value") if item.type == "multi" else post.get(f"{key}.value", "")
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
    """Drops table keys without a missing reason; the numbers of a table have keys of their own."""
    result = {}
    for key, raw in changes.items():
        table = "/" not in key and definition.items[key].type == "table"
        if table and not raw["missing"]:
            continue
        result[key] = {"missing": raw["missing"]} if table else raw
    shells = {key for key in result if "/" not in key and definition.items[key].type == "table"}
    # Numbers take precedence: a table with any number is not "not applicable".
    for key in shells:
        inner = [address for address in result if address.startswith(f"{key}/")]
        if any(str(result[address]["value"] or "").strip() for address in inner):
            del result[key]
        else:
            for address in inner:
                del result[address]
    return result


def discarded(post: QueryDict) -> list[str]:
    """Keys of the cells whose refused value is given up."""
    return [key[:80] for key in post.getlist("discard")[:LIMIT]]


def read_notes(post: QueryDict) -> dict[str, str]:
    """Remarks at items, by item code: fields named ``note.ITEM``."""
    names = [name for name in post if name.startswith(NOTE)][:LIMIT]
    return {name.removeprefix(NOTE): post.get(name, "") for name in names}


def read_bases(post: QueryDict) -> dict[str, int]:
    """Revision that each cell was shown at, where the page says so."""
    return {
        key: revision
        for key in post.getlist("cell")[:LIMIT]
        if (revision := whole_number(post.get(f"{key}.base"))) is not None
    }


def read_revision(post: QueryDict, name: str = "revision") -> int:
    """The revision that the page showed; -1 without one, which is older than every revision."""
    number = whole_number(post.get(name))
    return -1 if number is None else number


def new_row_ids(count: int) -> list[str]:
    """Random ids for new rows, so that rows added by two people do not collide."""
    return [f"r{secrets.token_hex(4)}" for _number in range(count)]


class SignOffForm(forms.Form):
    """The signatories and the statutory statement."""

    unit_head = forms.CharField(label=_("Head of the unit"), max_length=60)
    stat_head = forms.CharField(label=_("Head of statistics"), max_length=60)
    filler = forms.CharField(label=_("Filled in by"), max_length=60)
    phone = forms.RegexField(
        TELEPHONE,
        label=_("Telephone"),
        error_messages={
            "invalid": _("Enter a telephone number, for example 010-12345678 or 010-12345678转802.")
        },
    )
    statement = forms.BooleanField(
        label=_(
            "We answer for the truth of these data under the Statistics Law. "
            "They were checked by the persons named here."
        ),
        error_messages={"required": _("Confirm the statement before you submit.")},
    )

    def __init__(self, *args: Any, signed: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        """``signed`` are names of valid signatures: shown, and not read from the request."""
        kwargs["initial"] = {**kwargs.get("initial", {}), **(signed or {})}
        super().__init__(*args, **kwargs)
        for name in signed or {}:
            self.fields[name].disabled = True
        for name, field in self.fields.items():
            css = "form-check-input" if name == "statement" else "form-control"
            field.widget.attrs |= {"class": css, "autocomplete": "off"}
            if self.is_bound and name in self.errors:
                field.widget.attrs |= {"aria-invalid": "true", "class": f"{css} is-invalid"}

    def signatories(self) -> dict[str, str]:
        """The names, once the form is valid."""
        return {name: self.cleaned_data[name] for name in SIGNATORIES}

    def error_list(self) -> list[dict[str, str]]:
        """For the error summary."""
        return [
            {"href": f"#id_{name}", "text": f"{self.fields[name].label}: {message}"}
            for name, messages in self.errors.items()
            for message in messages
        ]
