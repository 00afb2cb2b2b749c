"""Large tables of an archive as typed Parquet beside their CSV, and the check that both are equal. Pure."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

TEXT, INTEGER, NUMBER = "text", "integer", "number"
_TYPES = {TEXT: pa.string(), INTEGER: pa.int64(), NUMBER: pa.float64()}


def parquet_bytes(csv_bytes: bytes, kinds: Mapping[str, str]) -> bytes:
    """A CSV with a head as Parquet. ``kinds`` : text, integer or number by column; an empty cell is a null.

    Raises ValueError for a cell that is not of its kind.
    """
    buffer = io.BytesIO()
    pq.write_table(_read(csv_bytes, kinds), buffer, compression="zstd", row_group_size=50_000)
    return buffer.getvalue()


def fault(csv_bytes: bytes, parquet: bytes, kinds: Mapping[str, str]) -> str:
    """The difference between a CSV and its Parquet as a sentence, or ""."""
    try:
        typed, text = pq.read_table(io.BytesIO(parquet)), _read(csv_bytes, kinds)
    except (pa.ArrowException, ValueError) as error:
        return f"cannot be read: {error}"
    if typed.schema.names != text.schema.names or typed.schema.types != text.schema.types:
        return "has other columns than its CSV"
    return "" if typed.equals(text) else "holds other values than its CSV"


def schema_lines(kinds: Mapping[str, str]) -> Sequence[str]:
    """The columns of a table for a reader, runs of one kind in one line."""
    lines: list[tuple[str, list[str]]] = []
    for name, kind in kinds.items():
        if lines and lines[-1][0] == kind:
            lines[-1][1].append(name)
        else:
            lines.append((kind, [name]))
    return [f"{kind}: {', '.join(names)}" for kind, names in lines]


def _read(csv_bytes: bytes, kinds: Mapping[str, str]) -> Any:
    options = pc.ConvertOptions(
        column_types={name: _TYPES[kind] for name, kind in kinds.items()},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    return pc.read_csv(io.BytesIO(csv_bytes), convert_options=options)
