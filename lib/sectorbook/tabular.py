"""Publishers' tables as text columns with row numbers, and the checks that say which cell is wrong.

A reader states its `Field`s once; this module finds them in the header, loads the cells as text and turns the
first cell that does not fit into one message: file, row, column, found, expected.
"""

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import python_calamine

from sectorbook.errors import SectorbookError, nearest
from sectorbook.paths import shown

ROW = "_row"  # the row number in the publisher's file, counted from 1, header included
COUNTY = r"\d{5}"
COUNTY_SHOWN = "5 digits with leading zeros, like '01001' (a spreadsheet may have dropped a zero)"
SOC = r"\d{2}-\d{4}"
SOC_SHOWN = "a SOC code like '29-1141'"

_MAGIC = {
    b"PK\x03\x04": "a zip or Excel file",
    b"\x1f\x8b": "a gzip file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"%PDF": "a PDF",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


@dataclass(frozen=True)
class Field:
    """One column: our name, the publisher's headers for it (all releases), and what a cell may hold.

    `kind` is text, integer or number. `pattern` (a full match) and `shown` say what a text looks like;
    `minimum` and `maximum` bound a number. A cell that equals one of `absent` is not there. `needed` columns
    must be in the header, `filled` cells must not be empty.
    """

    name: str
    headers: tuple[str, ...]
    kind: str = "text"
    pattern: str | None = None
    shown: str = ""
    minimum: float | None = None
    maximum: float | None = None
    absent: tuple[str, ...] = ()
    needed: bool = True
    filled: bool = False

    def sql(self) -> str:
        """Return the SQL of the typed value of this column."""
        types = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE"}
        return f'TRY_CAST({self.cell()} AS {types[self.kind]}) AS "{self.name}"'

    def cell(self) -> str:
        """Return the SQL of the cell's text: trimmed, NULL where it is empty or marked absent."""
        text = f"nullif(trim(\"{self.name}\"), '')"
        for mark in self.absent:
            text = f"nullif({text}, {_quoted(mark)})"
        return text

    def expected(self) -> str:
        """Return what a cell must hold, as a message says it."""
        if self.shown:
            return self.shown
        if self.pattern:
            return f"text that matches {self.pattern}"
        if self.kind == "text":
            return "text"
        words = "a whole number" if self.kind == "integer" else "a number"
        if self.minimum is not None and self.maximum is not None:
            words += f" from {self.minimum:g} to {self.maximum:g}"
        elif self.minimum is not None:
            words += f" of {self.minimum:g} or more"
        marks = f", or one of {', '.join(map(repr, self.absent))}" if self.absent else ""
        return f"{words} without thousands separators{marks}"

    def wrong(self) -> str | None:
        """Return the SQL condition that is true for a cell that does not fit."""
        cell, rules = self.cell(), []
        if self.filled:
            rules.append(f"{cell} IS NULL")
        if self.pattern:
            rules.append(f"NOT regexp_full_match({cell}, {_quoted(self.pattern)})")
        if self.kind != "text":
            number = f"TRY_CAST({cell} AS DOUBLE)"
            rules.append(f"({cell} IS NOT NULL AND ({number} IS NULL OR NOT isfinite({number})))")
            if self.kind == "integer":
                rules.append(f"{number} <> floor({number})")
            if self.minimum is not None:
                rules.append(f"{number} < {self.minimum}")
            if self.maximum is not None:
                rules.append(f"{number} > {self.maximum}")
        return " OR ".join(rules) or None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def wrong_cell(path: Path, row: int, column: str, found: object, expected: str) -> SectorbookError:
    """Build the one message for a cell that cannot be used."""
    what = "nothing" if found is None or found == "" else repr(found)
    return SectorbookError(f"{shown(path)}, row {row:,}, column {column}: found {what}; expected {expected}.")


def _head(path: Path, bytes_wanted: int = 1 << 16) -> bytes:
    """Return the beginning of a text file, unpacked. Raises SectorbookError for what is not text at all."""
    if not path.exists():
        raise SectorbookError(f"{shown(path)} does not exist.")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(bytes_wanted)
    except (gzip.BadGzipFile, EOFError) as error:
        raise SectorbookError(f"{shown(path)} is damaged or not a gzip file ({error}).") from error
    if not head.strip():
        raise SectorbookError(f"{shown(path)}, row 1: the file is empty; expected a header.")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise SectorbookError(f"{shown(path)}, row 1: found a web page; expected a table. Download it again.")
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise SectorbookError(f"{shown(path)}, row 1: found {what}; expected plain text in UTF-8.")
    return head


def header(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> list[str]:
    """Return the column names in the first row of a text file; a byte order mark is dropped."""
    line = _head(path).split(b"\n", 1)[0].removeprefix(b"\xef\xbb\xbf").rstrip(b"\r")
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError as error:
        raise _encoding(path, 1, encoding) from error
    return [name.strip() for name in next(csv.reader(io.StringIO(text), delimiter=delimiter))]


def _encoding(path: Path, row: int, encoding: str) -> SectorbookError:
    return SectorbookError(
        f"{shown(path)}, row {row:,}: found bytes that are not {encoding.upper()} text; expected {encoding.upper()}. "
        "Save the file again in that encoding, or take the publisher's own."
    )


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())


def match(path: Path, names: Sequence[str], fields: Iterable[Field], row: int = 1) -> dict[str, int]:
    """Return where each field stands in a header. Raises SectorbookError for a missing or doubled column."""
    plain = [_plain(name) for name in names]
    places = {}
    for field in fields:
        wanted = [_plain(h) for h in field.headers]
        found = [i for i, name in enumerate(plain) if name in wanted]
        if len(found) > 1:
            raise SectorbookError(
                f"{shown(path)}, row {row:,}: column {names[found[0]]!r} is there twice; expected once."
            )
        if found:
            places[field.name] = found[0]
        elif field.needed:
            close = nearest(field.headers[0], [n for n in names if n], n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            listed = ", ".join(n for n in names if n) or "nothing"
            raise SectorbookError(
                f"{shown(path)}, row {row:,}, column {field.headers[0]}: it is missing.{hint} Found: {listed[:400]}; "
                f"expected also {field.headers[0]!r}."
            )
    return places


def read_error(path: Path, error: duckdb.Error, encoding: str = "utf-8") -> SectorbookError:
    """Turn DuckDB's account of an unreadable text file into our message."""
    lines = str(error).splitlines()
    row = next((s.split("Line:")[1].strip() for s in lines if "Line:" in s), "")
    if (
        "unicode" in str(error).lower()
        or "utf-8" in str(error).lower()
        or "byte sequence" in str(error).lower()
    ):
        return _encoding(path, int(row) if row.isdigit() else 1, encoding)
    detail = next((s.strip() for s in lines if "Columns" in s or "quote" in s.lower()), lines[0])
    place = f", row {int(row):,}" if row.isdigit() else ""
    return SectorbookError(
        f"{shown(path)}{place}: the row cannot be read ({detail}); expected one cell per column."
    )


def csv_sql(
    files: Sequence[Path],
    names: Sequence[str],
    delimiter: str = ",",
    quote: str = '"',
    encoding: str = "utf-8",
) -> str:
    """Return the SQL that reads text files of one header as text columns `c0`, `c1`, …, and `filename`."""
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(names)))
    listed = ", ".join(_quoted(str(path)) for path in files)
    return (
        f"read_csv([{listed}], columns = {{{columns}}}, auto_detect = false, header = true, delim = {_quoted(delimiter)}, "
        f"quote = {_quoted(quote)}, escape = {_quoted(quote)}, encoding = {_quoted(encoding)}, nullstr = '', filename = true)"
    )


def load_text(
    db: duckdb.DuckDBPyConnection,
    table: str,
    path: Path,
    fields: Sequence[Field],
    *,
    delimiter: str = ",",
    quote: str = '"',
    encoding: str = "utf-8",
    kept: bool = True,
) -> None:
    """Load a text file's fields as text columns of `table`, with their row numbers, and check every cell.

    A file too large to keep in memory becomes a view that reads it anew each time (`kept=False`).
    """
    names = header(path, delimiter, encoding)
    places = match(path, names, fields)
    picked = ", ".join(
        f'c{places[f.name]} AS "{f.name}"' if f.name in places else f'NULL::VARCHAR AS "{f.name}"'
        for f in fields
    )
    source = csv_sql([path], names, delimiter, quote, encoding)
    try:
        db.execute(
            f"CREATE OR REPLACE {'TABLE' if kept else 'VIEW'} {table} AS "
            f"SELECT row_number() OVER () + 1 AS {ROW}, {picked} FROM {source}"
        )
        check(db, table, path, fields)
    except duckdb.Error as error:
        raise read_error(path, error, encoding) from error


def only(origin: Path, suffixes: str | tuple[str, ...], command: str) -> Path:
    """Return `origin`, or the one file in it with such a suffix. Raises SectorbookError when there is not just one."""
    if not origin.exists():
        raise SectorbookError(f"{shown(origin)} does not exist. Fetch it with: {command}")
    if origin.is_file():
        return origin
    found = sorted(
        p for p in origin.iterdir() if p.name.lower().endswith(suffixes) and not p.name.startswith(".")
    )
    if len(found) != 1:
        listed = ", ".join(p.name for p in found) or "none"
        raise SectorbookError(
            f"{shown(origin)}: expected one file ({suffixes}), found {listed}. Fetch it with: {command}"
        )
    return found[0]


def _book(path: Path) -> python_calamine.CalamineWorkbook:
    if not path.exists():
        raise SectorbookError(f"{shown(path)} does not exist.")
    try:
        return python_calamine.CalamineWorkbook.from_path(path)
    except (python_calamine.CalamineError, OSError) as error:
        raise SectorbookError(f"{shown(path)} cannot be read as an Excel file ({error}).") from error


def sheets(path: Path) -> list[str]:
    """Return the names of an Excel file's sheets."""
    return _book(path).sheet_names


def sheet(path: Path, name: str | None = None) -> list[list[object]]:
    """Return one sheet of an Excel file (.xls or .xlsx), the first unless named, row by row as it stands.

    Raises SectorbookError for a file that is not Excel and for a sheet that is not there.
    """
    book = _book(path)
    if name is not None and name not in book.sheet_names:
        close = nearest(name, book.sheet_names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise SectorbookError(
            f"{shown(path)} has no sheet {name!r}.{hint} Found: {', '.join(book.sheet_names)}."
        )
    return book.get_sheet_by_name(name or book.sheet_names[0]).to_python(skip_empty_area=False)


def text(cell: object) -> str:
    """Return a cell of a sheet as text: whole numbers without a decimal point, nothing as the empty text."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def header_row(path: Path, rows: Sequence[Sequence[object]], holds: str, within: int = 15) -> int:
    """Return the index of the first row with a cell that equals `holds`, but for case and spacing."""
    for index, row in enumerate(rows[:within]):
        if _plain(holds) in [_plain(text(cell)) for cell in row]:
            return index
    top = next((r for r in rows if any(text(c) for c in r)), [])
    raise SectorbookError(
        f"{shown(path)}, row 1: no header in the first {within} rows. Found: "
        f"{', '.join(text(c) for c in top if text(c))[:200] or 'nothing'}; expected a column {holds!r}."
    )


def load_rows(
    db: duckdb.DuckDBPyConnection,
    table: str,
    path: Path,
    rows: Sequence[Sequence[object]],
    names: Sequence[str],
    first: int,
    fields: Sequence[Field],
) -> None:
    """Load a sheet's rows from index `first` on as text columns of `table`, with row numbers, and check every cell."""
    places = match(path, names, fields, first)
    kept = [
        (number, *(text(row[places[f.name]]) if f.name in places else "" for f in fields))
        for number, row in enumerate(rows[first:], start=first + 1)
    ]
    columns = ", ".join(f'"{f.name}" VARCHAR' for f in fields)
    db.execute(f"CREATE OR REPLACE TABLE {table} ({ROW} BIGINT, {columns})")
    if not kept:
        raise SectorbookError(
            f"{shown(path)}, row {first + 1:,}: the table is empty; expected rows below the header."
        )
    turned = list(zip(*kept, strict=True))
    unnested = ", ".join("unnest(?)" for _ in turned)
    db.execute(f"INSERT INTO {table} SELECT {unnested}", [list(column) for column in turned])
    check(db, table, path, fields)


def check(db: duckdb.DuckDBPyConnection, table: str, path: Path, fields: Iterable[Field]) -> None:
    """Raise SectorbookError for the first cell of `table` that does not fit its field."""
    rules = [(field, wrong) for field in fields if (wrong := field.wrong())]
    if not rules:
        return
    bad = db.execute(
        f"SELECT * FROM {table} WHERE {' OR '.join(f'({wrong})' for _, wrong in rules)} ORDER BY {ROW} LIMIT 1"
    )
    names = [column[0] for column in bad.description]
    if (row := bad.fetchone()) is None:
        return
    cells = dict(zip(names, row, strict=True))
    for field, wrong in rules:
        if db.execute(f"SELECT {wrong} FROM {table} WHERE {ROW} = {cells[ROW]}").fetchone()[0]:
            raise wrong_cell(path, cells[ROW], field.headers[0], cells[field.name], field.expected())


def unique(db: duckdb.DuckDBPyConnection, table: str, path: Path, keys: Sequence[str]) -> None:
    """Raise SectorbookError when two rows of `table` have the same keys."""
    listed = ", ".join(f'"{key}"' for key in keys)
    twice = db.execute(
        f"SELECT {listed}, min({ROW}), max({ROW}) FROM {table} GROUP BY {listed} HAVING count(*) > 1 ORDER BY min({ROW}) LIMIT 1"
    ).fetchone()
    if twice:
        values = " ".join(str(value) for value in twice[:-2])
        raise SectorbookError(
            f"{shown(path)}, row {twice[-1]:,}, column {', '.join(keys)}: found {values!r} again, as in row {twice[-2]:,}; "
            "expected each once."
        )


def write(
    db: duckdb.DuckDBPyConnection, query: str, path: Path, options: str = "FORMAT parquet, COMPRESSION zstd"
) -> int:
    """Write a query's rows as Parquet and return how many there are."""
    db.execute(f"COPY ({query}) TO {_quoted(str(path))} ({options})")
    return db.execute(f"SELECT count(*) FROM {_quoted(str(path))}").fetchone()[0]
