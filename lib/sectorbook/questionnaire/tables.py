"""An exported file as rows of text, whatever its encoding, separator or workbook."""

import csv
import datetime
import io
import zipfile

import openpyxl

from sectorbook.errors import SectorbookError

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def rows_of(content: bytes, name: str) -> tuple[list[list[str]], list[str]]:
    """Return the rows of a CSV text or of an XLSX workbook's first sheet, and the names of its other filled sheets.

    Each cell is text; blank rows are left out.
    CSV may be separated by comma, semicolon or tab, in UTF-8 or UTF-16. `name` is how messages call the file.
    Raises SectorbookError when it cannot be read, is empty, or a row has more or fewer cells than the header.
    """
    rows, others = all_rows(content, name)
    numbered = [(number, row) for number, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]
    if not numbered:
        raise SectorbookError(f"{name} is empty.")
    width = len(numbered[0][1])
    for number, row in numbered:
        if len(row) != width:
            raise SectorbookError(f"{name}, row {number}: found {len(row)} cells; the header has {width}.")
    return [row for _, row in numbered], others


def all_rows(content: bytes, name: str) -> tuple[list[list[str]], list[str]]:
    """Return every row as it stands, blank and ragged ones too, and the names of the other filled sheets."""
    return _workbook(content, name) if content[:4] == b"PK\x03\x04" else (_text(content, name), [])


def _text(content: bytes, name: str) -> list[list[str]]:
    encoding = next((code for mark, code in _BOMS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise SectorbookError(
            f"{name} is not UTF-8 text (byte {error.start}). Export it again as UTF-8 CSV or as XLSX."
        ) from error
    if "\0" in text:
        raise SectorbookError(f"{name} is neither a CSV text nor an XLSX workbook.")
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise SectorbookError(f"{name} is not a CSV table that can be read: {error}.") from error


def _workbook(content: bytes, name: str) -> tuple[list[list[str]], list[str]]:
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise SectorbookError(f"{name} is not an XLSX workbook that can be read: {error}") from error
    first, *rest = book.worksheets
    others = [sheet.title for sheet in rest if sheet.max_row > 1 or sheet["A1"].value is not None]
    return [[_cell(value) for value in row] for row in first.iter_rows(values_only=True)], others


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat(sep=" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
