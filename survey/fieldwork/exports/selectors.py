"""Exports of sheets in the user's scope as CSV, XLSX or Parquet, with a codebook.

The sheets are exactly those of the queue under the same filter, read with the same scope. Every version of
a questionnaire that was filed contributes its columns, so that items removed in later versions are included.

A missing value is empty in its column; the column ``ITEM__status`` has the reason as a code of the codebook, and
``cell_marks`` the reasons of table cells: "not known" is distinct from a blank and from zero.
CSV has no types, and a spreadsheet that opens one rounds an all-digit credit code to 15 digits. The code itself
is unchanged, for programs; ``uscc_grouped`` repeats it in its parts with spaces, which no program reads as a
number, and ``data.csv-metadata.json`` (W3C CSV on the Web) declares the types. Texts that a spreadsheet would
evaluate as formulas are escaped.
"""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import batched
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from survey.fieldwork.models import DeskJob
from survey.frame.files import escape_formula
from survey.microdata.projection import REASONS, Reason, reason_of
from survey.questionnaires.answering.special_values import missing_reasons_in_table
from survey.questionnaires.definition import Column, Item
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.selectors import definition_for
from survey.review.filters import QueueFilter
from survey.review.selectors import matching
from survey.submissions.models import Filing

CHUNK = 500
NUMBERS = frozenset({"quantity", "money", "count", "ratio"})
UNIT_COLUMNS = (
    ("uscc", "统一社会信用代码", "Unified social credit code"), ("name", "单位名称", "Full legal name"),
    ("category", "填报类别", "Category"), ("region", "地区代码", "Region code"), ("section", "行业门类", "Section"),
    ("size_class", "规模", "Size class"), ("state", "报表状态", "State of the sheet"),
    ("filing", "报送次数", "Number of the filing"), ("filed_at", "报送时间", "Filed at (Beijing time)"),
)  # fmt: skip
CODEBOOK_HEADER = ("column", "type", "unit", "zh", "en", "note")
STATUS, CELL_MARKS, GROUPED = "__status", "cell_marks", "uscc_grouped"
_CODES = "; ".join(f"{int(code)} {text.zh} {text.en}" for code, text in REASONS.items())
_GROUPED_ENTRY = (
    GROUPED,
    "text",
    "",
    "统一社会信用代码（分段）",
    "Credit code in its parts",
    "电子表格软件会把全数字代码按数值读入并舍入到15位；本列不会。去掉空格即为 uscc。 Spreadsheets read an all-digit code"
    " as a number and round it to 15 digits; not this one. Without its spaces it is uscc.",
)
type Report = Callable[[int, int], None]
type Field = tuple[str, str, Item | Column, str]  # key, item code, definition, names of table row and column
type Row = list[str | None]


def make(job: DeskJob, file: IO[bytes], report: Report) -> tuple[str, int]:
    """Write the file of an export job. Returns the file name of the download and the number of sheets."""
    setting = QueueFilter.read(job.filter)
    ids = list(
        matching(job.by, job.round, setting)
        .exclude(filed_at=None)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    fields = list(fields_of(ids))
    rows = _rows(ids, fields, report)
    format_ = job.kind.removeprefix("export_")
    {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}[format_](file, fields, rows)
    label = "synthetic-" if settings.SYNTHETIC_BANNER else ""
    suffix = "xlsx" if format_ == "xlsx" else "zip"
    return f"{label}ndrs-{job.round.year}-{format_}-{timezone.localtime():%Y%m%d-%H%M}.{suffix}", len(ids)


def fields_of(ids: Sequence[int]) -> Iterator[Field]:
    """Columns of all versions in which these sheets were filed; one column per cell of a fixed table."""
    versions = QuestionnaireVersion.objects.filter(
        pk__in=Filing.objects.filter(submission_id__in=ids).values("version")
    ).defer("document")
    seen: set[str] = set()
    for version in versions.order_by("category", "year", "number"):
        for code, item in definition_for(version).items.items():
            for field in _fields(code, item):
                if field[0] not in seen:
                    seen.add(field[0])
                    yield field


def _fields(code: str, item: Item) -> Iterator[Field]:
    if item.type == "table" and item.rows is not None and item.rows.kind == "fixed":
        for row in item.rows.entries:
            for column in item.columns:
                yield f"{code}/{row.id}/{column.code}", code, column, f"{row.label.zh} · {row.label.en}"
    else:
        yield code, code, item, ""


def items_of(fields: Sequence[Field]) -> list[str]:
    """Item codes of the columns, each once."""
    return list(dict.fromkeys(code for _key, code, _item, _names in fields))


def _rows(ids: Sequence[int], fields: Sequence[Field], report: Report) -> Iterator[Row]:
    items = items_of(fields)
    report(0, len(ids))
    for start in range(0, len(ids), CHUNK):
        filings = (
            Filing.objects.filter(submission_id__in=ids[start : start + CHUNK])
            .order_by("submission_id", "-number")
            .distinct("submission_id")
            .select_related("submission__unit", "version")
            .defer("explanations", "version__document", "submission__answers", "submission__item_revisions")
        )
        for filing in filings:
            form, answers = definition_for(filing.version).items, filing.answers
            values = (_value(field, answers) for field in fields)
            status = (str(int(reason_of(form.get(code), answers.get(code)))) for code in items)
            yield [*_unit_values(filing), *values, *status, _cell_marks(answers, items)]
        report(min(start + CHUNK, len(ids)), len(ids))


def _cell_marks(answers: Mapping[str, Any], items: Sequence[str]) -> str | None:
    """Reasons of table cells without a figure, as "K07/110000/a=2; ..."; None when there are none."""
    codes = {"not_applicable": int(Reason.NOT_APPLICABLE), "unknown": int(Reason.UNKNOWN)}
    marked = (
        f"{code}/{position}={codes[reason]}"
        for code in items
        for position, reason in missing_reasons_in_table(answers.get(code)).items()
    )
    return "; ".join(marked) or None


def _unit_values(filing: Filing) -> Row:
    unit = filing.submission.unit
    return [
        unit.uscc,
        unit.name,
        unit.category,
        unit.region_id,
        unit.section,
        unit.size_class,
        filing.submission.state,
        str(filing.number),
        timezone.localtime(filing.filed_at).isoformat(" ", "minutes"),
    ]


def _value(field: Field, answers: dict[str, Any]) -> str | None:
    """A value as text, numbers as exact decimals; None for a missing value."""
    key, code, _item, _names = field
    cell = answers.get(code)
    if "/" in key:
        _code, row, column = key.split("/")
        cell = ((cell or {}).get("rows", {}).get(row) or {}).get(column)
    if not cell or "missing" in cell:
        return None
    if "rows" in cell:
        return json.dumps(cell["rows"], ensure_ascii=False, sort_keys=True)
    value = cell.get("value")
    if isinstance(value, list):
        return ";".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def codebook(fields: Sequence[Field]) -> Iterator[tuple[str, ...]]:
    """The rows of the codebook: name, type, unit, Chinese, English, note."""
    for name, zh, en in UNIT_COLUMNS:
        yield name, "text", "", zh, en, ""
    labels: dict[str, tuple[str, str]] = {}
    for key, code, item, names in fields:
        label = item.label
        kind = "number" if item.type in NUMBERS else item.type
        zh, en = (f"{names} · {label.zh}", f"{names} · {label.en}") if names else (label.zh, label.en)
        yield key, kind, item.unit or "", zh, en, ""
        labels.setdefault(code, (code, code) if names else (label.zh, label.en))
    for code, (zh, en) in labels.items():
        yield code + STATUS, "code", "", f"{zh}：填报状态", f"{en}: status", _CODES
    yield (
        CELL_MARKS,
        "text",
        "",
        "表格中标记的单元格",
        "Marked cells of tables",
        f"ITEM/row/column=code. {_CODES}",
    )


def _header(fields: Sequence[Field]) -> list[str]:
    return [entry[0] for entry in codebook(fields)]


def _column_types(fields: Sequence[Field]) -> list[str]:
    """The type of each column: number, code or text."""
    return [entry[1] if entry[1] in {"number", "code"} else "text" for entry in codebook(fields)]


def _synthetic_notice() -> str:
    return "演练数据，全部为模拟生成。 Synthetic data of a rehearsal.\n" if settings.SYNTHETIC_BANNER else ""


def _csv_text(rows: Iterator[Sequence[Any]], kinds: Sequence[str], out: Any) -> None:
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL)
    for row in rows:
        writer.writerow(
            [
                "" if value is None else escape_formula(str(value)) if kind == "text" else value
                for value, kind in zip(row, kinds, strict=True)
            ]
        )


def _add_codebook(entries: Sequence[Sequence[str]], bundle: zipfile.ZipFile) -> None:
    with io.TextIOWrapper(bundle.open("codebook.csv", "w"), "utf-8-sig", newline="") as out:
        _csv_text(iter([CODEBOOK_HEADER, *entries]), ["text"] * len(CODEBOOK_HEADER), out)
    if _synthetic_notice():
        bundle.writestr("SYNTHETIC.txt", _synthetic_notice())


def grouped(uscc: str) -> str:
    """A credit code with spaces between its parts: authority and kind, division, organisation, check character."""
    return " ".join(part for part in (uscc[:2], uscc[2:8], uscc[8:17], uscc[17:]) if part)


def _csv(file: IO[bytes], fields: Sequence[Field], rows: Iterator[Row]) -> None:
    """Write CSV files; the grouped code follows the code, the other columns are those of every format."""
    entries = list(codebook(fields))
    entries.insert(1, _GROUPED_ENTRY)
    kinds = _column_types(fields)
    kinds.insert(1, "text")
    lines = ([row[0], grouped(row[0] or ""), *row[1:]] for row in rows)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        with io.TextIOWrapper(bundle.open("data.csv", "w", force_zip64=True), "utf-8-sig", newline="") as out:
            _csv_text(iter([[entry[0] for entry in entries]]), ["text"] * len(entries), out)
            _csv_text(lines, kinds, out)
        bundle.writestr("data.csv-metadata.json", _metadata(entries, kinds))
        _add_codebook(entries, bundle)


def _metadata(entries: Sequence[Sequence[str]], kinds: Sequence[str]) -> str:
    """Types and titles of the columns in the W3C metadata vocabulary for tabular data."""
    types = {"text": "string", "number": "decimal", "code": "integer"}
    columns = [
        {
            "name": entry[0].replace("/", "_"),
            "titles": [entry[0]],
            "datatype": types[kind],
            "dc:description": [
                {"@value": entry[3], "@language": "zh"},
                {"@value": entry[4], "@language": "en"},
            ],
        }
        for entry, kind in zip(entries, kinds, strict=True)
    ]
    document = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": "data.csv",
        "dialect": {"encoding": "utf-8", "header": True},
        "tableSchema": {"columns": columns},
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def _xlsx(file: IO[bytes], fields: Sequence[Field], rows: Iterator[Row]) -> None:
    book = Workbook(write_only=True)
    data, kinds = book.create_sheet("data"), _column_types(fields)
    data.freeze_panes = "C2"
    data.append(_header(fields))

    def cell(value: str | None, kind: str) -> Any:
        if value is None:
            return None
        # A spreadsheet stores 15 digits: a longer number is written as text and so not rounded.
        if kind != "text" and len(value.replace(".", "").lstrip("-0")) <= 15:
            return float(value) if "." in value else int(value)
        text_cell = WriteOnlyCell(data, value=str(value))
        text_cell.data_type, text_cell.number_format = "s", "@"
        return text_cell

    for row in rows:
        data.append([cell(value, kind) for value, kind in zip(row, kinds, strict=True)])
    codebook_sheet = book.create_sheet("codebook")
    if _synthetic_notice():
        codebook_sheet.append([_synthetic_notice().strip()])
    codebook_sheet.append(CODEBOOK_HEADER)
    for entry in codebook(fields):
        codebook_sheet.append([cell(entry_text, "text") for entry_text in entry])
    book.save(file)


def _parquet(file: IO[bytes], fields: Sequence[Field], rows: Iterator[Row]) -> None:
    entries, kinds = list(codebook(fields)), _column_types(fields)
    types = {"text": pa.string(), "number": pa.float64(), "code": pa.int8()}
    reads: dict[str, Callable[[str], Any]] = {"text": str, "number": float, "code": int}
    meta = {"note": _synthetic_notice().strip(), "codebook": json.dumps(entries, ensure_ascii=False)}
    schema = pa.schema(
        [(entry[0], types[kind]) for entry, kind in zip(entries, kinds, strict=True)], metadata=meta
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as bundle:
        with (
            bundle.open("data.parquet", "w", force_zip64=True) as out,
            pq.ParquetWriter(out, schema) as writer,
        ):
            for block in batched(rows, CHUNK, strict=False):
                columns = [
                    pa.array([None if v is None else reads[kind](v) for v in column], types[kind])
                    for column, kind in zip(zip(*block, strict=True), kinds, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        _add_codebook(entries, bundle)
