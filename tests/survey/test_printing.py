"""No text stops a document: fonts of packages for every script of the country, and a substitute for what is left."""

import io

import pytest
from django.urls import reverse
from pypdf import PdfReader

from survey import fonts, printing
from survey.fieldwork.exports.letters.services import typeset as letters
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission
from tests.factories import SIGNATORIES, make_sheet

NAMES = {
    "ballot box": "☑已核实",
    "emoji": "李四😀",
    "family of joined emoji": "👨\u200d👩\u200d👧 之家",
    "flag": "🇨🇳",
    "Tibetan": "བོད་སྐད",
    "Uyghur": "ئۇيغۇرچە",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ",
    "Yi": "ꆈꌠꉙ",
    "rare character of a name": "𠮷野\U00030edd",
    "private use": "甲\ue000乙",
    "no character": "a\ufffeb",
    "unassigned": "x\u0378y",
    "mathematical": "𝒳",
    "lone mark": "\u0301",
    "line separator": "a\u2028b",
}
LETTER = dict.fromkeys(
    ("name", "uscc", "code", "year", "due", "until", "office", "address", "authority", "synthetic"), "甲"
)
SOURCE = b"""#let c = json(bytes(sys.inputs.content))
#set document(title: "x")
#set text(font: c.font)
#c.text"""


def text_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_every_text_is_printed(name: str) -> None:
    assert printing.typeset_source(SOURCE, {"text": name, "font": fonts.SANS}).startswith(b"%PDF")


def test_what_no_font_holds_becomes_its_number() -> None:
    assert fonts.printable({"name": ["甲\ue000乙", 3, None]}) == {"name": ["甲〔U+E000〕乙", 3, None]}
    pdf = printing.typeset_source(SOURCE, {"text": "甲\ue000乙", "font": fonts.SANS})
    assert "U+E000" in text_of(pdf)


@pytest.mark.parametrize("script", ["བོད", "ئۇ", "ᠮᠣ", "ꆈꌠ", "😀", "☑", "한국", "ไทย"])
def test_scripts_of_the_country_and_symbols_have_a_font(script: str) -> None:
    assert fonts.printable(script) == script


def test_the_fonts_of_the_machine_are_not_used() -> None:
    pdf = PdfReader(io.BytesIO(printing.typeset_source(SOURCE, {"text": "甲b", "font": fonts.SANS})))
    embedded, _missing = pdf.pages[0]._get_fonts()
    assert embedded and all("NotoSansCJK" in name for name in embedded)


def test_letters_are_printed_for_every_name() -> None:
    pages = [{**LETTER, "name": name, "authority": name} for name in NAMES.values()]
    assert len(PdfReader(io.BytesIO(letters(pages))).pages) == len(pages)


def test_form_and_receipt_are_printed_with_every_name(client, world) -> None:
    world.unit.name = " ".join(NAMES.values())
    world.unit.save()
    respondent = world.users["respondent"]
    row = make_sheet(world.unit, State.IN_PROGRESS)
    services.autosave(
        row,
        by=respondent,
        changes={"B03": {"value": world.unit.name}},
        base_revision=row.revision,
    )
    row = Submission.objects.get(pk=row.pk)
    services.submit(
        row,
        by=respondent,
        signatories={**SIGNATORIES, "filler": "李四😀"},
        shown_revision=row.revision,
    )
    client.force_login(respondent)
    for address in (
        reverse("sheet_pdf", args=[row.pk]),
        reverse("sheet_pdf", args=[row.pk]) + "?filled",
        reverse("filed_pdf", args=[row.pk, 1]),
    ):
        answer = client.get(address)
        assert answer.status_code == 200 and answer.content.startswith(b"%PDF"), address
