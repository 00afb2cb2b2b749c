"""PDF of forms and receipts, typeset by Typst from template files and JSON data.

Fonts come from a package, so that the same content gives the same document on every machine.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import manimgx_fonts_cjk
import typst
from django.conf import settings

TEMPLATES = Path(settings.BASE_DIR) / "templates" / "print"
FONT = "Noto Sans CJK SC"


@lru_cache(maxsize=1)
def _fonts() -> Any:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(Path(manimgx_fonts_cjk.__file__).parent)],
    )


def typeset(template: str, content: Mapping[str, Any], *, moment: int = 0) -> bytes:
    """A tagged PDF of ``templates/print/<template>.typ``.

    ``content`` is read by the template as JSON, never as markup; ``moment`` (seconds since 1970) is the creation
    time in the document: a property of the content, not the current time, so that equal content gives equal files.
    """
    compiler = typst.Compiler(
        input=(TEMPLATES / f"{template}.typ").read_bytes(),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps({**content, "font": FONT}, ensure_ascii=False)},
    )
    pdf = compiler.compile(format="pdf", pdf_standards=["a-2a"], timestamp=moment)
    if not isinstance(pdf, bytes):
        raise TypeError("the typesetter gave no single document")
    return pdf
