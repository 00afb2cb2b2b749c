"""Sentences about spreadsheets that are not read, and about cells without a value."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FILE: dict[str, Promise] = {
    "empty": _("The file is empty."),
    "not_a_table": _("This is not a spreadsheet. Upload .xlsx, .xls, .et, .ods or CSV."),
    "damaged": _("The file is damaged and cannot be opened."),
    "unpacks_too_large": _("The file would unpack to more than %(limit)s MB and is not opened."),
    "too_many_parts": _("The file consists of more than %(limit)s parts and is not opened."),
    "document_type": _("The file is no ordinary workbook: its XML declares a document type. Save it anew."),
    "macros": _("The workbook holds macros. Save it as a workbook without macros (.xlsx)."),
    "external_links": _("The workbook has links to other files. Break the links, or paste the values only."),
    "binary_workbook": _("This is a binary workbook (.xlsb). Save it as .xlsx and upload it again."),
    "encrypted": _("The file is protected by a password. Save it without a password and upload it again."),
    "markup": _("This is a web page or an XML file, not a spreadsheet. Open it and save it as .xlsx."),
    "encoding": _("The text is neither UTF-8, UTF-16, GB18030 nor Big5. Save the file as CSV UTF-8."),
    "broken_csv": _("The row that begins in line %(line)s cannot be read: a quotation mark is not closed."),
}
CELL: dict[str, Promise] = {
    "uncalculated": _(
        "The formula has no stored result. Open the file in a spreadsheet program and save it, or type the number."
    ),
    "cell_error": _("The cell shows the error %(error)s. Correct the formula, or type the value."),
}
