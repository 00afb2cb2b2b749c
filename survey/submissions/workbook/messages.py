"""Sentences about workbooks and about cells that are not read."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from survey.spreadsheets import messages as spreadsheets

FILE: dict[str, Promise] = {
    **spreadsheets.FILE,
    "foreign": _("This is another workbook. Download the questionnaire here and fill that file."),
    "other_layout": _("This workbook was made by another version of this site. Download it again."),
    "other_definition": _("The questionnaire has changed since this workbook was made. Download it again."),
    "no_form": _("The worksheet with the questions is missing, or its first column was removed."),
    "no_column": _(
        "The column “%(column)s” of the worksheet “%(sheet)s” is missing. Download the workbook again and copy your "
        "figures into it."
    ),
}
CELL: dict[str, Promise] = {
    **spreadsheets.CELL,
    "is_date": _(
        "The spreadsheet program has made the date %(value)s of this. Format the cell as a number and type it again."
    ),
    "not_a_tick": _("Write ✓ to choose this option and leave the cell blank otherwise."),
    "mixed_row": _(
        "The hidden key of this row belongs to item %(code)s: cells were moved. This row is not read."
    ),
    "repeated_row": _("This row stands in the worksheet twice. Only the first one is read."),
    "stray": _("The value “%(value)s” stands beside no question and is not read."),
}
COLUMNS: Mapping[str, Promise] = {"code": _("Code"), "answer": _("Answer"), "unit": _("Unit")}


def cell_sentence(code: str, parameters: Mapping[str, Any]) -> str:
    """The sentence about a cell in the active language."""
    text = str(CELL[code])
    return text % parameters if parameters else text
