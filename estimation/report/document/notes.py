"""Footnotes of the Word edition, which the library does not support: their part, styles and references. Pure."""

from collections.abc import Sequence
from typing import Any

from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import XmlPart
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt

from estimation.report.outline import Footnote

_TEXT, _CALL = "Footnote Text", "Footnote Reference"
_SEPARATORS = (("separator", "-1"), ("continuationSeparator", "0"))


def add_styles(document: Any, fonts: tuple[str, str]) -> None:
    """The styles of a note and of its call. ``fonts`` : for Latin and for Chinese letters."""
    call = document.styles.add_style(_CALL, WD_STYLE_TYPE.CHARACTER)
    call.font.superscript = True
    note = document.styles.add_style(_TEXT, WD_STYLE_TYPE.PARAGRAPH)
    note.base_style = document.styles["Normal"]
    note.font.name, note.font.size = fonts[0], Pt(8.5)
    note.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), fonts[1])
    note.paragraph_format.line_spacing, note.paragraph_format.space_after = 1.1, Pt(2)


def add_part(document: Any, notes: Sequence[Footnote]) -> None:
    """The part that holds the notes, related to the document."""
    if not notes:
        return
    root = parse_xml(f"<w:footnotes {nsdecls('w')}/>")
    for kind, number in _SEPARATORS:
        root.append(
            parse_xml(
                f'<w:footnote {nsdecls("w")} w:type="{kind}" w:id="{number}"><w:p><w:pPr>'
                f'<w:spacing w:after="0" w:line="240" w:lineRule="auto"/></w:pPr><w:r><w:{kind}/></w:r></w:p></w:footnote>'
            )
        )
    for note in notes:
        element = parse_xml(
            f'<w:footnote {nsdecls("w")} w:id="{note.number}"><w:p><w:pPr><w:pStyle w:val="FootnoteText"/></w:pPr>'
            '<w:r><w:rPr><w:rStyle w:val="FootnoteReference"/></w:rPr><w:footnoteRef/></w:r>'
            '<w:r><w:t xml:space="preserve"/></w:r></w:p></w:footnote>'
        )
        element.find(f".//{qn('w:t')}").text = f" {note.text}"
        root.append(element)
    name, package = PackURI("/word/footnotes.xml"), document.part.package
    part = XmlPart(name, CONTENT_TYPE.WML_FOOTNOTES, root, package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)


def call(paragraph: Any, number: int, nth: int) -> None:
    """A reference to a note: the first creates it, later ones refer to the first and show its number."""
    if nth > 1:
        _refer(paragraph, number)
        return
    bookmark = {"w:id": str(1000 + number), "w:name": f"note{number}"}
    paragraph._p.append(_element("w:bookmarkStart", bookmark))
    run = paragraph.add_run(style=_CALL)
    run._r.append(_element("w:footnoteReference", {"w:id": str(number)}))
    paragraph._p.append(_element("w:bookmarkEnd", {"w:id": bookmark["w:id"]}))


def _refer(paragraph: Any, number: int) -> None:
    field = _element("w:fldSimple", {"w:instr": f" NOTEREF note{number} \\f \\h "})
    run = paragraph.add_run(str(number), style=_CALL)
    field.append(run._r)
    paragraph._p.append(field)


def _element(name: str, attributes: dict[str, str]) -> Any:
    element = OxmlElement(name)
    for key, value in attributes.items():
        element.set(qn(key), value)
    return element
