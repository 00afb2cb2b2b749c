"""Forms of the unit pages. They parse; the services decide."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey.collection.models import Disposition


class DispositionForm(forms.Form):
    """What became of asking the unit."""

    disposition = forms.ChoiceField(label=_("Disposition"), choices=Disposition.choices)
    reason = forms.CharField(label=_("Reason"), max_length=300)
    evidence = forms.CharField(label=_("Evidence"), max_length=300, required=False)


class ExtensionForm(forms.Form):
    """More time for one unit: the last day, Beijing time."""

    until = forms.DateField(label=_("New last day"), widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def until_moment(self) -> dt.datetime:
        """The end of that day in Beijing."""
        day: Any = self.cleaned_data["until"]
        return timezone.make_aware(dt.datetime.combine(day, dt.time(23, 59, 59)))


class ExemptionForm(forms.Form):
    """Why the unit need not answer; the codes come from the survey's own list."""

    reason_code = forms.ChoiceField(label=_("Reason"), choices=[])
    reason = forms.CharField(label=_("Remark"), max_length=300, required=False)

    def __init__(self, *args: Any, codes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["reason_code"]
        field.choices = codes
