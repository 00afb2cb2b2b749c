"""Forms of the sample design: they parse input, the services apply the rules."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from estimation.design.allocation import ALL, METHODS, Request
from estimation.design.messages import METHOD_LABELS
from estimation.design.stratify import ALWAYS, Rules
from survey.collection.models import CollectionRound
from survey.questionnaires.loader import load_codelist

LARGEST_SAMPLE = 5_000_000


def _style(form: forms.Form) -> None:
    for name, field in form.fields.items():
        if not isinstance(field.widget, (forms.CheckboxInput, forms.CheckboxSelectMultiple)):
            field.widget.attrs["class"] = (
                "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
            )
        if form.is_bound and name in form.errors:
            key = form.add_prefix(name)
            field.widget.attrs.update({"aria-invalid": "true", "aria-describedby": f"id_{key}_error"})


class RulesForm(forms.Form):
    """The round and the rules of its take-all units."""

    round = forms.ChoiceField(label=_("Round"))
    categories = forms.MultipleChoiceField(
        label=_("Categories taken with certainty"), required=False, widget=forms.CheckboxSelectMultiple
    )
    leading_platforms = forms.BooleanField(
        label=_("Leading platforms are taken with certainty"), required=False
    )
    employees = forms.IntegerField(
        label=_("Employees, at or above"),
        required=False,
        min_value=1,
        max_value=10_000_000,
        help_text=_("Sampled enterprises of this size are taken with certainty. Blank: no threshold."),
    )
    turnover = forms.IntegerField(
        label=_("Turnover in 10,000 yuan, at or above"),
        required=False,
        min_value=1,
        max_value=10**12,
        help_text=_("Either threshold is enough. Blank: no threshold."),
    )

    def __init__(self, *args: Any, rounds: list[CollectionRound], **kwargs: Any) -> None:
        defaults: dict[str, Any] = {**Rules().to_json(), "categories": list(ALWAYS)}
        kwargs["initial"] = defaults | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.rounds = {str(entry.year): entry for entry in rounds}
        chosen: Any = self.fields["round"]
        chosen.choices = [(year, year) for year in self.rounds]
        categories: Any = self.fields["categories"]
        categories.choices = [
            (entry.code, f"{entry.code} {entry.label.get(get_language() or '')}")
            for entry in load_codelist("categories").entries
        ]
        _style(self)

    def rules(self) -> Rules:
        """The cleaned rules that the strata are built by."""
        data: Any = self.cleaned_data
        return Rules(
            tuple(sorted(data["categories"])), data["leading_platforms"], data["employees"], data["turnover"]
        )


class AlternativeForm(forms.Form):
    """One alternative of the allocation; a blank ``method`` means that it is not used."""

    method = forms.ChoiceField(label=_("Method"), required=False)
    n = forms.IntegerField(label=_("Units in all"), required=False, min_value=1, max_value=LARGEST_SAMPLE)
    minimum = forms.IntegerField(label=_("At least per stratum"), min_value=0, max_value=1000)
    item = forms.ChoiceField(label=_("Steered by"))
    power = forms.FloatField(label=_("Power"), min_value=0, max_value=1)
    nation = forms.FloatField(label=_("CV nation, %"), required=False, min_value=0.01, max_value=100)
    region = forms.FloatField(label=_("CV regions, %"), required=False, min_value=0.01, max_value=100)
    section = forms.FloatField(label=_("CV sections, %"), required=False, min_value=0.01, max_value=100)

    def __init__(self, *args: Any, items: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        method: Any = self.fields["method"]
        methods = METHODS if items else METHODS[:1]
        method.choices = [
            ("", _("not used")),
            *((method_code, METHOD_LABELS[method_code]) for method_code in methods),
        ]
        item: Any = self.fields["item"]
        item.choices = [(ALL, _("all chief items")), *items]
        _style(self)

    def clean(self) -> dict[str, Any]:
        """Require a sample size for every method but the one that computes it."""
        data = super().clean() or {}
        if data.get("method") not in ("", "targets", None) and not data.get("n") and "n" not in self.errors:
            self.add_error("n", _("Give the number of units."))
        return data

    def request(self) -> Request | None:
        """The alternative, or None when it is not used."""
        data: Any = self.cleaned_data
        if not data["method"]:
            return None
        share = {name: data[name] / 100 if data[name] else None for name in ("nation", "region", "section")}
        if data["method"] != "targets":
            share = dict.fromkeys(share)
        return Request(
            method=data["method"],
            n=data["n"] or 0 if data["method"] != "targets" else 0,
            minimum=data["minimum"],
            item=data["item"],
            power=data["power"],
            **share,
        )


class DrawForm(forms.Form):
    """Parameters of a draw besides its allocation."""

    response = forms.FloatField(label=_("Expected valid share, %"), min_value=1, max_value=100)
    start = forms.FloatField(
        label=_("Start point"),
        min_value=0,
        max_value=0.999999,
        initial=0.0,
        help_text=_(
            "0 keeps as many of last year's units as the design allows; another point spreads the burden."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _style(self)
