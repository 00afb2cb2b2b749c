"""Content of the printed form and the receipt, as plain data for typesetting."""

from collections.abc import Collection
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.questionnaires.answering import units
from survey.questionnaires.answering.answers import format_as_entered
from survey.questionnaires.definition import Item
from survey.questionnaires.guidance.formulas import formula_in_words
from survey.questionnaires.guidance.paragraphs import heading_before, paragraphs
from survey.questionnaires.statutory import statutory_header
from survey.submissions import cells
from survey.submissions.lifecycle.filing.selectors import receipt_number
from survey.submissions.models import Filing
from survey.submissions.page.remarks import change_text
from survey.submissions.selectors import Sheet

SYNTHETIC = gettext_lazy("Rehearsal: all units, people and data of this site are synthetic.")
MOST_CHOICES = 20
WIDE = 6  # columns of a table that fit across a page


def form_content(
    sheet: Sheet, language: str, *, filled: bool, synthetic: bool, filing: Filing | None = None
) -> dict[str, Any]:
    """The complete questionnaire of a unit: blank with definitions, or filled with the answers.

    A filled form omits items that are not relevant; ``filing`` adds the receipt.
    """
    submission, definition = sheet.submission, sheet.definition
    codes = sheet.effective if filled else definition.items
    sections = [
        (section, [definition.items[code] for code in section.items if code in codes])
        for section in definition.sections
    ]
    return {
        "language": "en" if language.startswith("en") else "zh",
        "title": definition.title.get(language),
        "header": statutory_header(definition, language),
        "unit": submission.unit.name,
        "uscc": submission.unit.uscc,
        "year": submission.round.year,
        "filled": filled,
        "synthetic": str(SYNTHETIC) if synthetic else "",
        "secret": _(
            "Do not enter state secrets. Answers are used for statistics only and are protected by the "
            "Statistics Law."
        ),
        "words": _words(submission.round.year),
        "receipt": receipt_facts(filing) if filing else [],
        "sections": [
            {
                "code": section.code,
                "title": section.title.get(language),
                "items": [_item(sheet, item, language, filled, codes) for item in items],
            }
            for section, items in sections
            if items
        ],
    }


def _words(year: int) -> dict[str, str]:
    return {
        "organisation": _("Organisation"),
        "code": _("Credit code"),
        "year": _("Year"),
        "item": _("Item"),
        "unit": _("Unit of measurement"),
        "this_year": str(year),
        "last_year": _("Last year"),
        "reason": _("Reason"),
        "receipt": _("Receipt"),
        "page": _("Page"),
        "required": _(
            "* must be answered. 0 is a figure; a blank means not answered. Where there is no figure, "
            "write “not applicable” or “not known”."
        ),
        "unit_head": _("Head of the unit"),
        "stat_head": _("Head of statistics"),
        "filler": _("Filled in by"),
        "phone": _("Telephone"),
        "date": _("Date"),
        "hash": _("The hash belongs to the content shown here: whoever changes a figure changes the hash."),
        "wide": _("This table has one column for each destination. Fill it on the page or in the workbook."),
    }


def receipt_facts(filing: Filing) -> list[tuple[str, str]]:
    """Number, time, signatories, extent and hash of a filing, by name."""
    names = filing.signatories
    moment = timezone.localtime(filing.filed_at).strftime("%Y-%m-%d %H:%M:%S")
    return [
        (_("Receipt number"), receipt_number(filing)),
        (_("Filed"), _("%(at)s (Beijing time)") % {"at": moment}),
        (_("Head of the unit"), names.get("unit_head", "")),
        (_("Head of statistics"), names.get("stat_head", "")),
        (_("Filled in by"), " · ".join(filter(None, (names.get("filler"), names.get("phone"))))),
        (
            _("Content"),
            _("%(count)s items, version %(revision)s")
            % {"count": len(filing.answers), "revision": filing.revision},
        ),
        ("SHA-256", filing.content_hash),
    ]


def _item(sheet: Sheet, item: Item, language: str, filled: bool, shown: Collection[str]) -> dict[str, Any]:
    last = (sheet.previous or {}).get(item.code)
    cell = sheet.cell(item.code) if filled else None
    return {
        "code": item.code,
        "label": item.label.get(language) + (" *" if item.required and not item.computed else ""),
        "unit": units.unit_label(item.unit, language),
        "heading": heading_before(sheet.definition, item, shown, language),
        "paragraphs": []
        if filled
        else [
            {"lead": paragraph.lead, "text": paragraph.text}
            for paragraph in paragraphs(sheet.definition, item, language)
        ],
        "choices": "" if filled else _choices(item, language),
        "formula": "" if filled else formula_in_words(sheet.definition, item, language),
        "answer": ""
        if item.type == "table" and cell and "rows" in cell
        else format_as_entered(item, cell, language),
        "last": format_as_entered(item, last, language) if last and "rows" not in last else "",
        "change": change_text(item, cell, last) if filled else "",
        "reasons": reasons_of(sheet, item) if filled else [],
        "table": _table(item, cell, language, filled),
    }


def reasons_of(sheet: Sheet, item: Item) -> list[str]:
    """Reasons for unusual values whose rule names the item first, each with the reviewer's verdict."""
    reasons = []
    for finding in sheet.findings_of(item.code):
        explanation = sheet.explanation_of(finding)
        if explanation is not None and finding.items[0] == item.code:
            verdict = f" ({explanation.get_verdict_display()})" if explanation.verdict else ""
            reasons.append(f"{explanation.text}{verdict}")
    return reasons


def _choices(item: Item, language: str) -> str:
    if item.type == "yesno":
        return f"□ {_('Yes')}　□ {_('No')}"
    if item.choices is None or len(item.choices.entries) > MOST_CHOICES:
        return ""
    return "　".join(f"□ {entry.label.get(language)}" for entry in item.choices.entries)


def _table(item: Item, cell: Any, language: str, filled: bool) -> dict[str, Any] | None:
    """Heads and rows; a wide table as a list of its filled cells, or as a note when it is blank."""
    if item.rows is None:
        return None
    heads = []
    for column in item.columns:
        unit = units.unit_label(column.unit, language)
        heads.append(column.label.get(language) + (f" ({unit})" if unit else ""))
    answers = (cell or {}).get("rows", {})
    labels = {row.id: row.label.get(language) for row in item.rows.entries}
    if len(item.columns) > WIDE:
        return {"wide": True, "heads": [], "rows": _list_of(item, cell, labels, language)}
    if filled:
        shown = [row for row in (labels or answers) if row in answers]
    else:
        shown = list(labels) or [str(number) for number in range(1, 6)]
    rows = [
        [
            labels.get(row, str(line)),
            *(
                format_as_entered(column, answers.get(row, {}).get(column.code), language)
                for column in item.columns
            ),
        ]
        for line, row in enumerate(shown, 1)
    ]
    return {"wide": False, "heads": heads, "rows": rows}


def _list_of(item: Item, cell: Any, labels: dict[str, str], language: str) -> list[list[str]]:
    rows = []
    for key, inner in cells.flatten(item.code, cell).items():
        _code, row, code = cells.split(key)
        column = item.column(code or "")
        if column is not None:
            name = f"{labels.get(row or '', row or '')} → {column.label.get(language)}"
            rows.append([name, format_as_entered(column, inner, language)])
    return rows
