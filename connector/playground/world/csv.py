"""Reading a file of leads: every value as text, every fault with its line and its mending."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from connector.errors import InputError

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_table(path: Path, of: Literal["leads", "events"] = "leads") -> pa.Table:
    """A Parquet file, or a CSV file (UTF-8, or UTF-16 with its mark), gzipped or not, separated by comma, semicolon, tab or
    bar, as a table of text columns (blanks are empty texts). `of`: what its rows are, for messages."""
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path.name} can't be read: {error}.", fix="Check the path, or export it again."
        ) from error
    if data.startswith(_PARQUET):
        return _parquet(path.name, data, of)
    if data.startswith(_UTF16):
        data = _from_utf16(path.name, data)
    names, separator = _header(path.name, data)
    bad: list[pa_csv.InvalidRow] = []

    def keep(row: pa_csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    try:
        table = pa_csv.read_csv(
            io.BytesIO(data),
            read_options=pa_csv.ReadOptions(use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, invalid_row_handler=keep
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError(f"{path.name} is not a table: {error}", fix="Save it as CSV in UTF-8.") from error
    if bad:
        row = bad[0]
        more = f" ({len(bad)} such lines)" if len(bad) > 1 else ""
        raise InputError(
            f"{path.name}, line {row.number}: {row.actual_columns} values where the header has "
            f"{row.expected_columns}{more}.",
            fix="Quote values that hold the separator, or mend the line.",
        )
    if table.num_rows == 0:
        raise InputError(f"{path.name} has a header and no rows.", fix=f"Export it again, with its {of}.")
    if len(names) == 1:
        raise InputError(
            f"{path.name} has one column, {names[0].strip()!r}.",
            fix=f"Export {of} with their fields, separated by comma, semicolon, tab or bar.",
        )
    return table.replace_schema_metadata({"file": path.name})


def _from_utf16(name: str, data: bytes) -> bytes:
    try:
        return data.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is cut off: UTF-16 that ends in the middle.", fix="Save it as CSV in UTF-8."
        ) from error


def _parquet(name: str, data: bytes, of: str) -> pa.Table:
    try:
        table = pq.read_table(io.BytesIO(data))
        columns = {column: table[column].cast(pa.string()).fill_null("") for column in table.column_names}
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{name} can't be read as Parquet: {str(error).splitlines()[0]}",
            fix="Export it again, with plain columns only (numbers, texts, times).",
        ) from error
    if table.num_rows == 0:
        raise InputError(f"{name} has no rows.", fix=f"Export it again, with its {of}.")
    return pa.table(columns).replace_schema_metadata({"file": name})


def file_of(table: pa.Table) -> str:
    """The name of the file that a table was read from, for messages."""
    return ((table.schema.metadata or {}).get(b"file") or b"The file").decode()


def line_of(table: pa.Table, row: int) -> int:
    """The line on which a row (0 is the first) begins: a quoted value may hold line breaks."""
    above = table.slice(0, row)
    texts = [*table.column_names, *(text for column in above.columns for text in column.to_pylist())]
    return row + 2 + sum(str(text).count("\n") for text in texts)


def _header(name: str, data: bytes) -> tuple[list[str], str]:
    if b"\0" in data or data.startswith(b"PK\x03\x04"):
        raise InputError(
            f"{name} is not text: a spreadsheet or another binary file.", fix="Save it as CSV in UTF-8."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{name}, line {line}: not UTF-8.", fix="Save it as CSV in UTF-8.") from error
    first = text.split("\n", 1)[0]
    if not first.strip():
        raise InputError(f"{name} is empty, or its first line is.", fix="The first line names the columns.")
    separator = max(",;\t|", key=first.count)
    names = next(csv.reader(io.StringIO(text), delimiter=separator))
    blank = [str(i) for i, column in enumerate(names, start=1) if not column.strip()]
    twice = sorted({column for column in names if names.count(column) > 1})
    if blank:
        raise InputError(f"{name}, line 1: column {', '.join(blank)} has no name.", fix="Name or remove it.")
    if twice:
        raise InputError(f"{name}, line 1: two columns named {', '.join(twice)}.", fix="Rename one.")
    return names, separator
