"""Form of a legal hold."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey.access.forms import PlainForm
from survey.retention.periods import KINDS


class HoldForm(PlainForm):
    """Reason, and optionally a kind, a unit and an end."""

    reason = forms.CharField(label=_("Reason"), max_length=2000)
    kind = forms.ChoiceField(label=_("Kind"), required=False)
    credit_code = forms.CharField(label=_("Credit code; blank: all units"), max_length=18, required=False)
    until = forms.DateField(
        label=_("Until; blank: until it is ended"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(kind.code, kind.label) for kind in KINDS if kind.swept]
        self.fields["kind"].choices = [("", _("All")), *choices]  # type: ignore[attr-defined]  # a ChoiceField

    def clean_until(self) -> dt.datetime | None:
        """The end of the chosen day."""
        day: dt.date | None = self.cleaned_data["until"]
        if day is None:
            return None
        return dt.datetime.combine(day, dt.time(23, 59, 59), tzinfo=timezone.get_current_timezone())
