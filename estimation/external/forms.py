"""Forms of the external series: they parse input, the services apply the rules."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from estimation.external.catalogue import all_series
from estimation.units import english


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
                (
                    series["code"],
                    f"{series['code']} {series['label'][name]} ({unit_text(series['unit'], name)})",
                )
                for series in all_series()
            ]
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select" if field is choice else "form-control"


def unit_text(unit: str, language: str) -> str:
    """A unit of an external series in the language of the page."""
    return english(unit) if language == "en" else unit


class ImportForm(forms.Form):
    """A file of external values."""

    file = forms.FileField(label=_("CSV or Excel file"))
