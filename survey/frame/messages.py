"""Sentences about faults of frame files, and the names of columns, in the active language."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from survey.frame.columns import COLUMNS
from survey.questionnaires.answering.errors import MESSAGES, AnswerError
from survey.sentences import Sentence, define
from survey.spreadsheets import messages as spreadsheets

FILE: dict[str, Promise] = {
    **spreadsheets.FILE,
    "no_rows": _("The file has a header but no rows."),
    "too_large": _("The file is larger than %(limit)s MB."),
    "too_many_rows": _("The file has more than %(limit)s rows. Split it."),
    "too_many_columns": _("The file has more than %(limit)s columns."),
    "missing_columns": _("Required columns are missing: %(columns)s. The file has: %(found)s."),
    # Stored by earlier versions, which did not read these files.
    "old_excel": _("This is an old Excel file (.xls). Save it as .xlsx and upload it again."),
    "frame_changed": _("The frame has changed since the check. Check the file again before applying it."),
}
# The same texts as stored sentences.
REFUSALS = {code: define(f"frame_file_{code}", text) for code, text in FILE.items()}
STOPPED = define(
    "frame_file_crashed", _("The import stopped because of a fault of the program. Nothing was changed.")
)
LOST = define(
    "frame_file_lost",
    _("The worker stopped while it worked on this file. Nothing was changed; upload the file again."),
)
CELL: dict[str, Promise] = {
    **spreadsheets.CELL,
    "invisible": _("Character %(position)s is invisible: %(character)s. Delete it."),
    "needed": _("A value is needed here."),
    "needed_of_enterprises": _("Enterprises need a value here."),
    "only_enterprises": _("Only enterprises (CAT06 to CAT13) have a size class."),
    "only_platforms": _("Only platform enterprises (CAT08) can be leading platforms."),
    "too_long": _("The text is longer than %(limit)s characters."),
    "formula": _("This looks like a spreadsheet formula. Write the value itself."),
    "characters": _("The text holds control characters or angle brackets."),
    "code_as_number": _("The spreadsheet has turned the code into a number. Format the column as text."),
    "code_length": _("A credit code has 18 characters, this has %(length)s."),
    "check_digit": _("The check character of the credit code is wrong."),
    "duplicate": _("The same key stands in line %(line)s already."),
    "unknown_category": _("Unknown category. Use CAT01 to CAT14."),
    "unknown_region": _("Unknown region. Use the six-digit provincial code."),
    "unknown_division": _("Not in the list of divisions (GB/T 2260, county level and above)."),
    "near_division": _("Not in the list of divisions, or not clear. Near to it: %(near)s."),
    "division_elsewhere": _("The area code lies outside region %(region)s."),
    "unknown_industry": _("Unknown industry. Use a four-digit class of GB/T 4754."),
    "near_industry": _("No class of GB/T 4754, or not clear. Near to it: %(near)s."),
    "unknown_section": _("Unknown industry section. Use A to R."),
    "unknown_size": _("Unknown size class. Use large, medium, small or micro."),
    "unknown_institution": _("Unknown kind of institution."),
    "negative": _("The number must not be negative."),
    "too_big": _("The number is larger than %(limit)s."),
    "not_whole": _("A whole number is needed."),
    "bad_date": _("This is not a date. Write 2012-05-01."),
    "not_a_flag": _("Write 1 for yes or 0 for no."),
    "not_counted": _("Only categories CAT03, CAT04 and CAT08 are counted by category."),
    "either_category_or_cell": _("A row has either a category, or a section and a size class."),
}


def sentence(code: str, parameters: dict[str, Any]) -> str:
    """The sentence of a fault of a cell or a file."""
    if code in MESSAGES and code not in CELL:  # numbers are read as on the pages of the questionnaire
        return AnswerError.restored(code, parameters).message(get_language() or "")
    text = CELL.get(code) or FILE.get(code) or code
    filled = {
        name: ", ".join(column_name(str(column)) for column in value) if isinstance(value, list) else value
        for name, value in parameters.items()
    }
    return str(text) % filled if filled else str(text)


def failure(error: Sentence) -> str:
    """The sentence of a refused file, with the names of columns in the active language."""
    code = error.code.removeprefix("frame_file_")
    return sentence(code, dict(error.params)) if code in FILE else str(error)


def column_name(code: str) -> str:
    """The name of a column in the active language; an unknown code is returned."""
    english = (get_language() or "").startswith("en")
    for column in (*COLUMNS["units"], *COLUMNS["counts"]):
        if column.code == code:
            return column.en if english else column.zh
    return code
