"""PDF of forms, receipts and letters, typeset by Typst from template files and JSON data.

Fonts come from packages (``survey.fonts``), so that the same content gives the same document on every machine.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typst
from django.conf import settings

from survey import fonts

if TYPE_CHECKING:  # the package names it in its stubs only
    from typst import PDFStandard

TEMPLATES = Path(settings.BASE_DIR) / "templates" / "print"
ARCHIVE: "Sequence[PDFStandard]" = ("a-2a",)


@lru_cache(maxsize=4)
def _fonts(folders: tuple[Path, ...]) -> Any:
    paths = [str(folder) for folder in folders]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=paths)


def typeset(template: str, content: Mapping[str, Any], *, moment: int = 0) -> bytes:
    """A tagged PDF of ``templates/print/<template>.typ``.

    ``content`` is read by the template as JSON, never as markup; ``moment`` (seconds since 1970) is the creation
    time in the document: a property of the content, not the current time, so that equal content gives equal files.
    """
    source = (TEMPLATES / f"{template}.typ").read_bytes()
    return typeset_source(source, {**content, "font": fonts.SANS}, moment=moment)


def typeset_source(
    source: bytes,
    content: Mapping[str, Any],
    *,
    standards: "Sequence[PDFStandard]" = ARCHIVE,
    folders: Sequence[Path] = (),
    moment: int = 0,
) -> bytes:
    """A PDF of a template that reads ``sys.inputs.content``. ``folders`` hold further fonts.

    Text that no font can print becomes a visible substitute, so that no text stops a document.
    """
    try:
        return _compiled(source, fonts.printable(content), standards, folders, moment)
    except typst.TypstError:
        # A sequence of characters that every font holds alone, and none together.
        return _compiled(source, fonts.printable(content, fallback=False), standards, folders, moment)


def _compiled(
    source: bytes,
    content: Mapping[str, Any],
    standards: "Sequence[PDFStandard]",
    folders: Sequence[Path],
    moment: int,
) -> bytes:
    compiler = typst.Compiler(
        input=source,
        font_paths=_fonts((*folders, *fonts.folders())),
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps(content, ensure_ascii=False)},
    )
    pdf = compiler.compile(format="pdf", pdf_standards=list(standards), timestamp=moment)
    if not isinstance(pdf, bytes):
        raise TypeError("the typesetter gave no single document")
    return pdf
