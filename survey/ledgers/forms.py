"""Form of a signed export."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey.access.forms import PlainForm


class ExportForm(PlainForm):
    """First and last day of an export."""

    since = forms.DateField(
        label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean(self) -> dict[str, Any]:
        """Days become moments; the last day belongs to the export."""
        data: dict[str, Any] = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until:
            if until < since:
                self.add_error("until", _("The end lies before the beginning."))
                return data
            zone = timezone.get_current_timezone()
            data["since"] = dt.datetime.combine(since, dt.time(), tzinfo=zone)
            data["until"] = dt.datetime.combine(until, dt.time(), tzinfo=zone) + dt.timedelta(days=1)
        return data
