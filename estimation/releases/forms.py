"""Forms of the releases: an act on a release, a passage, an external value. They parse input; services apply the rules."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from estimation.releases.states import Action


class PrepareForm(forms.Form):
    """The run, and the note of a correction."""

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

    action = forms.ChoiceField(choices=[(action.value, action.value) for action in Action])
    reason = forms.CharField(required=False, max_length=1000)
    embargo = forms.DateTimeField(required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])

    def moment(self) -> datetime | None:
        """The embargo without seconds."""
        embargo: datetime | None = self.cleaned_data["embargo"]
        return embargo.replace(second=0, microsecond=0) if embargo else None


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


# The preview is updated while typing; without JavaScript the button updates it.
_LIVE = {
    "hx-post": "",
    "hx-trigger": "input changed delay:700ms",
    "hx-target": "#preview",
    "hx-vals": '{"preview": "1"}',
    "hx-sync": "closest form:replace",
}
