"""Forms of rounds and of unit pages. They validate input; the services apply the policies."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey.access.forms import PlainForm
from survey.collection.models import ContactNote, Disposition
from survey.frame.models import UnitContact


class RoundForm(forms.Form):
    """A new round: its year and calendar, days in Beijing time."""

    year = forms.IntegerField(label=_("Reference year"), min_value=2020, max_value=2100)
    opens = forms.DateField(label=_("Opening day"), widget=forms.DateInput(attrs={"type": "date"}))
    due = forms.DateField(label=_("Last day to file"), widget=forms.DateInput(attrs={"type": "date"}))
    closes = forms.DateField(label=_("Closing day"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-control"
            if self.is_bound and name in self.errors:
                field.widget.attrs.update({"aria-invalid": "true", "aria-describedby": f"id_{name}_error"})

    def calendar(self) -> dict[str, Any]:
        """Arguments of ``plan_round``: year, reference date, and datetimes in Beijing time."""
        data: Any = self.cleaned_data
        return {
            "year": data["year"],
            "reference_date": dt.date(data["year"], 12, 31),
            "opens_at": timezone.make_aware(dt.datetime.combine(data["opens"], dt.time(0, 0))),
            "due_at": timezone.make_aware(dt.datetime.combine(data["due"], dt.time(23, 59, 59))),
            "closes_at": timezone.make_aware(dt.datetime.combine(data["closes"], dt.time(23, 59, 59))),
        }


class DispositionForm(PlainForm):
    """The disposition of a unit, with reason and evidence."""

    disposition = forms.ChoiceField(label=_("Disposition"), choices=Disposition.choices)
    reason = forms.CharField(label=_("Reason"), max_length=300)
    evidence = forms.CharField(
        label=_("Document: name, number, where it is kept"),
        max_length=300,
        required=False,
        help_text=_("Closed, out of scope or duplicate: name the document here, or attach it below."),
    )


class ExtensionForm(PlainForm):
    """Extension of the deadline of a unit: the last day, in Beijing time."""

    until = forms.DateField(label=_("New last day"), widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def until_moment(self) -> dt.datetime:
        """The end of that day in Beijing time."""
        day: Any = self.cleaned_data["until"]
        return timezone.make_aware(dt.datetime.combine(day, dt.time(23, 59, 59)))


class ExemptionForm(PlainForm):
    """Exemption of a unit, with a reason of the code list."""

    reason_code = forms.ChoiceField(label=_("Reason"), choices=[])
    reason = forms.CharField(label=_("Remark"), max_length=300, required=False)

    def __init__(self, *args: Any, codes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["reason_code"]
        field.choices = codes


class ContactNoteForm(PlainForm):
    """A contact with the unit; its time is in Beijing time, now when empty."""

    channel = forms.ChoiceField(label=_("How"), choices=ContactNote.Channel.choices)
    direction = forms.ChoiceField(label=_("Who asked"), choices=ContactNote.Direction.choices)
    role = forms.ChoiceField(
        label=_("With whom"), choices=[("", _("Nobody named")), *UnitContact.Role.choices], required=False
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"), choices=[("", _("Choose …")), *ContactNote.Outcome.choices]
    )
    at = forms.DateTimeField(
        label=_("When (empty: now)"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    follow_up_on = forms.DateField(
        label=_("Ask again on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    text = forms.CharField(
        label=_("Note (no names)"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
