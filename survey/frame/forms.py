"""The upload form of frame files. It validates input; the services apply the policies."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from survey.frame.models import FrameImport
from survey.frame.parsing import LARGEST_FILE


class UploadForm(forms.Form):
    """A file, its kind, and whether it is complete."""

    kind = forms.ChoiceField(label=_("What the file holds"), choices=FrameImport.Kind.choices)
    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,
        help_text=_(
            "XLSX, XLS, ET, ODS, CSV (UTF-8, GB18030, Big5 or UTF-16) or Parquet, at most 40 MB and 300,000 rows."
        ),
    )
    complete = forms.BooleanField(
        label=_("The file is the whole frame"),
        required=False,
        help_text=_(
            "What it does not hold leaves the frame. The check shows the count before anything happens."
        ),
    )

    def clean_file(self) -> Any:
        """Refuse a file that is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(
                _("The file is larger than %(limit)s MB."), params={"limit": LARGEST_FILE // 1024 // 1024}
            )
        return file
