"""Forms of the releases: an act on a release, a passage, an external value. They parse; services decide."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from estimation.releases.content.facts import read_yaml
from estimation.releases.content.units import english
from estimation.releases.states import Action


class PrepareForm(forms.Form):
    """Which run, and the note of a correction."""

    run = forms.IntegerField(min_value=1, label=_("Run"))
    note_zh = forms.CharField(
        required=False,
        max_length=2000,
        label=_("What the correction changes, in Chinese"),
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )
    note_en = forms.CharField(
        required=False,
        max_length=2000,
        label=_("What the correction changes, in English"),
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )


class ActForm(forms.Form):
    """An act on a release; the moment of publication is Beijing time, to the minute."""

    action = forms.ChoiceField(choices=[(one.value, one.value) for one in Action])
    reason = forms.CharField(required=False, max_length=1000)
    embargo = forms.DateTimeField(required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])

    def moment(self) -> datetime | None:
        """The embargo without seconds."""
        given: datetime | None = self.cleaned_data["embargo"]
        return given.replace(second=0, microsecond=0) if given else None


class BlockForm(forms.Form):
    """A passage in both languages."""

    heading_zh = forms.CharField(max_length=100, label=_("Heading in Chinese"))
    heading_en = forms.CharField(max_length=200, label=_("Heading in English"))
    body_zh = forms.CharField(
        max_length=20000, label=_("Text in Chinese"), widget=forms.Textarea(attrs={"rows": 12})
    )
    body_en = forms.CharField(
        max_length=20000, label=_("Text in English"), widget=forms.Textarea(attrs={"rows": 12})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs |= {"class": "form-control", **_LIVE}


# The preview follows the typing; without JavaScript the button does the same.
_LIVE = {
    "hx-post": "",
    "hx-trigger": "input changed delay:700ms",
    "hx-target": "#preview",
    "hx-vals": '{"preview": "1"}',
    "hx-sync": "closest form:replace",
}


def known_series() -> list[dict[str, Any]]:
    """The external series that the registry reads."""
    series: list[dict[str, Any]] = read_yaml("external.yaml")["series"]
    return series


class ExternalForm(forms.Form):
    """A value of an external series."""

    code = forms.ChoiceField(label=_("Series"), choices=[])
    year = forms.IntegerField(min_value=1990, max_value=2100, label=_("Year"))
    value = forms.DecimalField(max_digits=30, decimal_places=6, label=_("Value"))
    source = forms.CharField(max_length=300, label=_("Source"))
    source_date = forms.DateField(
        required=False, label=_("Published by the source on"), widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, language: str = "zh", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = "en" if language.startswith("en") else "zh"
        choice = self.fields["code"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [
                (one["code"], f"{one['code']} {one['label'][name]} ({unit_text(one['unit'], name)})")
                for one in known_series()
            ]
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select" if field is choice else "form-control"


def unit_text(unit: str, language: str) -> str:
    """A unit of an external series in the language of the page."""
    return english(unit) if language == "en" else unit


class ImportForm(forms.Form):
    """A file of external values."""

    file = forms.FileField(label=_("CSV or Excel file"))
