"""A province's or the nation's own data as CSV, XLSX or Parquet, with a codebook inside.

The sheets are exactly those of the queue under the same filter, read with the same scope. Every version of
a questionnaire that was filed contributes its columns, so that a removed question does not vanish.
"""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from survey.questionnaires.definition import Column, Item
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.selectors import definition_for
from survey.review.filters import QueueFilter
from survey.review.models import DeskJob
from survey.review.selectors import matching
from survey.submissions.models import Filing

CHUNK = 500
NUMBERS = frozenset({"quantity", "money", "count", "ratio"})
FACTS = (
    ("uscc", "统一社会信用代码", "Unified social credit code"), ("name", "单位名称", "Full legal name"),
    ("category", "填报类别", "Category"), ("region", "地区代码", "Region code"), ("section", "行业门类", "Section"),
    ("size_class", "规模", "Size class"), ("state", "报表状态", "State of the sheet"),
    ("filing", "报送次数", "Number of the filing"), ("filed_at", "报送时间", "Filed at (Beijing time)"),
)  # fmt: skip
HEADS = ("column", "type", "unit", "zh", "en")
# A spreadsheet takes a text that begins so for a formula.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
type Report = Callable[[int, int], None]
type Field = tuple[str, str, Item | Column, str]  # key, item code, what it is, names of table row and column


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def make(job: DeskJob, path: Path, report: Report) -> tuple[str, int]:
    """Write the file of an export job; returns the name for the download and the number of sheets."""
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
    {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}[format_](path, fields, rows)
    label = "synthetic-" if settings.SYNTHETIC_BANNER else ""
    suffix = "xlsx" if format_ == "xlsx" else "zip"
    return f"{label}ndrs-{job.round.year}-{format_}-{timezone.localtime():%Y%m%d-%H%M}.{suffix}", len(ids)


def fields_of(ids: Sequence[int]) -> Iterator[Field]:
    """Columns of all versions in which these sheets were filed; a fixed table has one column a cell."""
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


def _rows(ids: Sequence[int], fields: Sequence[Field], report: Report) -> Iterator[list[Any]]:
    report(0, len(ids))
    for start in range(0, len(ids), CHUNK):
        filings = (
            Filing.objects.filter(submission_id__in=ids[start : start + CHUNK])
            .order_by("submission_id", "-number")
            .distinct("submission_id")
            .select_related("submission__unit")
            .defer("explanations", "submission__answers", "submission__item_revisions")
        )
        for filing in filings:
            yield [*_facts(filing), *(_value(field, filing.answers) for field in fields)]
        report(min(start + CHUNK, len(ids)), len(ids))


def _facts(filing: Filing) -> list[Any]:
    unit = filing.submission.unit
    return [
        unit.uscc, unit.name, unit.category, unit.region_id, unit.section, unit.size_class,
        filing.submission.state, str(filing.number), timezone.localtime(filing.filed_at).isoformat(" ", "minutes"),
    ]  # fmt: skip


def _value(field: Field, answers: dict[str, Any]) -> Any:
    """A number as its exact decimal text, everything else as text; None for a blank."""
    key, code, item, _names = field
    cell = answers.get(code)
    if "/" in key:
        _code, row, column = key.split("/")
        cell = ((cell or {}).get("rows", {}).get(row) or {}).get(column)
    if not cell:
        return None
    if "missing" in cell:
        return cell["missing"] if item.type not in NUMBERS else None
    if "rows" in cell:
        return json.dumps(cell["rows"], ensure_ascii=False, sort_keys=True)
    value = cell.get("value")
    if isinstance(value, list):
        return ";".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def codebook(fields: Sequence[Field]) -> Iterator[tuple[str, str, str, str, str]]:
    """What each column is: name, type, unit, Chinese, English."""
    for name, zh, en in FACTS:
        yield name, "text", "", zh, en
    for key, _code, item, names in fields:
        label = item.label
        kind = "number" if item.type in NUMBERS else item.type
        zh, en = (f"{names} · {label.zh}", f"{names} · {label.en}") if names else (label.zh, label.en)
        yield key, kind, item.unit or "", zh, en


def _heads(fields: Sequence[Field]) -> list[str]:
    return [*(name for name, _zh, _en in FACTS), *(field[0] for field in fields)]


def _numeric(fields: Sequence[Field]) -> list[bool]:
    return [*(False for _fact in FACTS), *(field[2].type in NUMBERS for field in fields)]


def _note() -> str:
    return "演练数据，全部为模拟生成。 Synthetic data of a rehearsal.\n" if settings.SYNTHETIC_BANNER else ""


def _csv_text(rows: Iterator[Sequence[Any]], numeric: Sequence[bool], out: Any) -> None:
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL)
    for row in rows:
        writer.writerow(
            [
                "" if one is None else one if number else harmless(str(one))
                for one, number in zip(row, numeric, strict=True)
            ]
        )


def _codebook_csv(fields: Sequence[Field], bundle: zipfile.ZipFile) -> None:
    with io.TextIOWrapper(bundle.open("codebook.csv", "w"), "utf-8-sig", newline="") as out:
        _csv_text(iter([HEADS]), [False] * len(HEADS), out)
        _csv_text(codebook(fields), [False] * len(HEADS), out)
    if _note():
        bundle.writestr("SYNTHETIC.txt", _note())


def _csv(path: Path, fields: Sequence[Field], rows: Iterator[list[Any]]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        with io.TextIOWrapper(bundle.open("data.csv", "w", force_zip64=True), "utf-8-sig", newline="") as out:
            _csv_text(iter([_heads(fields)]), [False] * len(_heads(fields)), out)
            _csv_text(rows, _numeric(fields), out)
        _codebook_csv(fields, bundle)


def _xlsx(path: Path, fields: Sequence[Field], rows: Iterator[list[Any]]) -> None:
    book = Workbook(write_only=True)
    data, numeric = book.create_sheet("data"), _numeric(fields)
    data.freeze_panes = "C2"
    data.append(_heads(fields))

    def cell(value: Any, number: bool) -> Any:
        if value is None:
            return None
        # Fifteen digits are what a spreadsheet keeps: a longer number stays text rather than being rounded.
        if number and len(value.replace(".", "").lstrip("-0")) <= 15:
            return float(value) if "." in value else int(value)
        made = WriteOnlyCell(data, value=str(value))
        made.data_type, made.number_format = "s", "@"
        return made

    for row in rows:
        data.append([cell(value, number) for value, number in zip(row, numeric, strict=True)])
    told = book.create_sheet("codebook")
    if _note():
        told.append([_note().strip()])
    told.append(HEADS)
    for entry in codebook(fields):
        told.append([cell(one, False) for one in entry])
    book.save(path)


def _parquet(path: Path, fields: Sequence[Field], rows: Iterator[list[Any]]) -> None:
    heads, numeric = _heads(fields), _numeric(fields)
    kinds = [pa.float64() if number else pa.string() for number in numeric]
    meta = {"note": _note().strip(), "codebook": json.dumps(list(codebook(fields)), ensure_ascii=False)}
    schema = pa.schema(list(zip(heads, kinds, strict=True)), metadata=meta)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        with (
            bundle.open("data.parquet", "w", force_zip64=True) as out,
            pq.ParquetWriter(out, schema) as writer,
        ):
            for block in _blocks(rows):
                columns = [
                    pa.array([None if v is None else float(v) if number else v for v in column], kind)
                    for column, number, kind in zip(zip(*block, strict=True), numeric, kinds, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        _codebook_csv(fields, bundle)


def _blocks(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    block: list[list[Any]] = []
    for row in rows:
        block.append(row)
        if len(block) == CHUNK:
            yield block
            block = []
    if block:
        yield block
