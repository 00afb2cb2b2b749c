"""All files of a release in both languages, and the manifest that names their hashes."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from estimation.releases.content.content import CellStatus, Content
from estimation.report.document.page import html_document
from estimation.report.document.typeset import typeset
from estimation.report.document.word import word_document
from estimation.report.figures.charts import chart
from estimation.report.figures.drawing import draw, rasterise
from estimation.report.figures.figures import complete
from estimation.report.files.names import MANIFEST, media_type
from estimation.report.files.sdmx import sdmx_files
from estimation.report.files.tabular import csv_files
from estimation.report.files.workbook import workbook
from estimation.report.outline import outline
from estimation.report.wording import LANGUAGES, SYMBOLS


def build(content: Content, *, issuer: Mapping[str, str] | None = None, moment: int = 0) -> dict[str, bytes]:
    """Every file by its path, the manifest last.

    issuer : authority on the cover by language; moment : seconds since 1970 that the PDF calls its date
    Raises ValueError for a withheld cell that still carries a number.
    """
    guard(content)
    named = issuer or {}
    figures = complete(content)
    files: dict[str, bytes] = {}
    for language in LANGUAGES:
        document = outline(content, figures, language)
        svg = {figure.code: draw(chart(content, figure, language)) for figure in figures}
        png = {code: rasterise(picture) for code, picture in svg.items()}
        stem = f"{language}/report-{content.year}"
        by = named.get(language, "")
        files[f"{stem}.pdf"] = typeset(content, document, svg, issuer=by, moment=moment)
        files[f"{stem}.html"] = html_document(document, svg, issuer=by)
        files[f"{stem}.docx"] = word_document(document, png, issuer=by)
        files[f"{stem}.xlsx"] = workbook(content, document)
        for code in svg:
            name = re.sub(r"[^A-Za-z0-9_-]", "_", code)
            files[f"figures/{name}.{language}.svg"] = svg[code].encode()
            files[f"figures/{name}.{language}.png"] = png[code]
    files |= {f"csv/{name}": data for name, data in csv_files(content).items()}
    files |= {f"sdmx/{name}": data for name, data in sdmx_files(content).items()}
    files["content.json"] = content.to_json().encode()
    files[MANIFEST] = manifest(content, files)
    return files


def guard(content: Content) -> None:
    """Raises ValueError when a withheld cell carries anything from which its number could be known."""
    for cell in content.cells.values():
        if cell.status is CellStatus.WITHHELD and (
            cell.printed != SYMBOLS["withheld"]
            or any(value is not None for value in (cell.value, cell.se, cell.cv, cell.lower, cell.upper))
        ):
            raise ValueError(f"the withheld cell {cell.key} still carries a number")


def manifest(content: Content, files: Mapping[str, bytes]) -> bytes:
    """Hash, size and media type of every file, and what they were made from."""
    document: dict[str, Any] = {
        "title": {"zh": content.title.zh, "en": content.title.en},
        "year": content.year,
        "synthetic": content.is_synthetic,
        "content_sha256": content.digest(),
        "run": content.run,
        "code_version": content.code_version,
        "files": [
            {
                "path": path,
                "sha256": hashlib.sha256(data).hexdigest(),
                "bytes": len(data),
                "media_type": media_type(path),
            }
            for path, data in sorted(files.items())
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()
