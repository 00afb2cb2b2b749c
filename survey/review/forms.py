"""Forms of the reviewer; the services check permissions and policies."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from survey.questionnaires.loader import load_codelist
from survey.review.services import LONGEST, end_of_day

DAYS = 7  # the usual time for a correction


class ReturnForm(forms.Form):
    """A reason and the day until which the sheet is to be corrected."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST,
        error_messages={"required": _("Give a reason.")},
        widget=forms.Textarea(attrs={"rows": 3, "class": "form-control"}),
    )
    due_on = forms.DateField(
        label=_("To be corrected by"),
        error_messages={
            "required": _("Give a date until which the sheet is to be corrected."),
            "invalid": _("Enter the date as year-month-day, for example 2026-03-15."),
        },
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"due_on": timezone.localdate() + dt.timedelta(days=DAYS)})
        super().__init__(*args, **kwargs)

    def clean_due_on(self) -> dt.date:
        """The day must not have passed."""
        day: dt.date = self.cleaned_data["due_on"]
        if day < timezone.localdate():
            raise forms.ValidationError(_("The date must lie in the future."))
        return day

    @property
    def due_at(self) -> dt.datetime:
        """The end of the chosen day."""
        return end_of_day(self.cleaned_data["due_on"])


class InvalidateForm(forms.Form):
    """A coded reason."""

    reason_code = forms.ChoiceField(label=_("Reason"), widget=forms.Select(attrs={"class": "form-select"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "zh-hans"
        entries = load_codelist("invalid_reasons").entries
        choices = [(entry.code, entry.label.get(language)) for entry in entries]
        self.fields["reason_code"].choices = [("", _("Choose a reason")), *choices]  # type: ignore[attr-defined]  # a ChoiceField
