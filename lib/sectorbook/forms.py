"""The outcome chapters' own files: their templates, and one reading that finds every problem.

A file is described in `config/outcomes.yml`. Reading collects all problems and raises them together; a file is never half
read. Messages about a `private` file name rows and columns and say what kind of thing was found, never the value itself.
"""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from sectorbook import config
from sectorbook.errors import SectorbookError, nearest
from sectorbook.questionnaire import tables

SHOWN = 40
"""Problems printed in one message; the rest are counted."""
YES_NO = {"yes": 1, "y": 1, "true": 1, "1": 1, "no": 0, "n": 0, "false": 0, "0": 0}
NAMES = (
    "name", "first_name", "last_name", "middle_name", "full_name", "ssn", "social_security_number", "date_of_birth", "dob",
    "birth_date", "address", "street", "email", "phone", "telephone", "notes", "note", "comment", "comments", "case_notes",
)  # fmt: skip
"""Columns that identify people or hold free text: left out of a private file without being read."""


@dataclass
class Problems:
    """What is wrong with one file, by row and column."""

    file: str
    private: bool = False
    found: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, row: int, column: str, text: str) -> None:
        """Add one problem. `text` says what was found and what is valid."""
        self.found.append((row, column, text))

    def told(self, value: str) -> str:
        """Return how a cell may be named in a message."""
        return kind_of(value) if self.private else repr(value[:60])

    def close(self) -> None:
        """Raise SectorbookError with every problem, when there is one."""
        if not self.found:
            return
        lines = [
            f"row {row}, column {column}: {text}" if row else f"column {column}: {text}"
            for row, column, text in sorted(self.found, key=lambda p: (p[0], p[1]))
        ]
        more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"
        raise SectorbookError(f"{self.file}: {count}.\n  " + "\n  ".join([*lines[:SHOWN], *more]))


def kind_of(value: str) -> str:
    """Return what kind of thing a cell holds, and nothing of it."""
    text = value.strip()
    if text.lstrip("-+").replace(".", "", 1).isdigit():
        return "a number below 0" if text.startswith("-") else "a number"
    if any(c.isdigit() for c in text):
        return f"a text of {len(text)} characters with digits"
    return f"a text of {len(text)} characters"


def template(name: str) -> str:
    """Return the template of a file as CSV text: a header and one example row that starts with #."""
    columns = _form(name).columns
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([c.name for c in columns])
    writer.writerow([f"# {c.example}" if i == 0 else c.example for i, c in enumerate(columns)])
    return text.getvalue()


def title(name: str) -> str:
    """Return the title of a file."""
    return _form(name).title


def empty(name: str) -> pd.DataFrame:
    """Return the file's table without a row, each column of the type it would have."""
    return pd.DataFrame({c.name: _typed(pd.Series([], dtype=object), c.type) for c in _form(name).columns})


def _form(name: str) -> config.Form:
    if name not in config.forms():
        raise SectorbookError(f"Unknown file {name!r}. Valid: {', '.join(config.forms())}.")
    return config.forms()[name]


def read(
    name: str,
    content: bytes,
    file: str,
    private: bool = False,
    absent: str | None = None,
    check: Callable[[pd.DataFrame, Problems], None] | None = None,
) -> pd.DataFrame:
    """Return a filled-in file as a typed table, one row per row of the file, with `row_number` in the index.

    `file` is how messages call it. Dates become datetimes, yes/no 1 and 0, numbers floats; empty stays missing. A cell that
    equals `absent` is missing too, and the column `<name>_status` says so. `check` may add problems that take more than one
    cell to see. Raises SectorbookError with every problem.
    """
    form, problems = _form(name), Problems(file, private)
    numbered = [
        (i, row)
        for i, row in enumerate(tables.all_rows(content, file)[0], 1)
        if any(c.strip() for c in row) and not row[0].lstrip().startswith("#")
    ]
    if not numbered:
        raise SectorbookError(f"{file} is empty; its header is: {', '.join(c.name for c in form.columns)}.")
    (_, header), *body = numbered
    places = _header(form, header, problems)
    body = [(i, row) for i, row in body if _whole(i, row, header, problems)]
    columns, index = {}, pd.Index([i for i, _ in body], name="row_number")
    for column in form.columns:
        place = places.get(column.name)
        cells = [row[place].strip() if place is not None else "" for _, row in body]
        if absent is not None and column.name.startswith("earnings_"):
            late = [_equal(cell, absent) for cell in cells]
            status = ["not-yet-available" if late_one else "missing" if not cell else "published"
                      for cell, late_one in zip(cells, late, strict=True)]  # fmt: skip
            columns[f"{column.name.removesuffix('_usd')}_status"] = pd.Series(
                status, index=index, dtype=object
            )
            cells = ["" if late_one else cell for cell, late_one in zip(cells, late, strict=True)]
        values = [_value(column, cell, i, problems) for (i, _), cell in zip(body, cells, strict=True)]
        columns[column.name] = _typed(pd.Series(values, index=index, dtype=object), column.type)
    frame = pd.DataFrame(columns, index=index)
    frame = frame[[c.name for c in form.columns] + [c for c in frame if c.endswith("_status")]]
    _across(form, frame, problems)
    if check is not None:
        check(frame, problems)
    problems.close()
    return frame


def _equal(cell: str, absent: str) -> bool:
    try:
        return float(cell) == float(absent)
    except ValueError:
        return False


def _header(form: config.Form, header: list[str], problems: Problems) -> dict[str, int]:
    """Return where each column stands. A strange header cell is named only when it reads like a column."""
    valid = [c.name for c in form.columns]
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        name = cell.strip().lower().replace(" ", "_")
        if problems.private and name in NAMES:
            continue
        if name not in valid:
            close = nearest(name, valid, n=1) if name else []
            told = f"Did you mean {close[0]!r}?" if close else f"Valid: {', '.join(valid[:8])}, …"
            what = "it has no name" if not name else "it is not in the template"
            known = close and not problems.private
            problems.add(1, cell.strip() if known else f"number {place + 1}", f"{what}. {told}")
        elif name in places:
            problems.add(1, name, "it stands twice in the header")
        else:
            places[name] = place
    for column in form.columns:
        if column.required and column.name not in places:
            problems.add(1, column.name, "it is missing from the header, and no row can do without it")
    return places


def _whole(number: int, row: list[str], header: list[str], problems: Problems) -> bool:
    if len(row) == len(header):
        return True
    problems.add(number, "all", f"found {len(row)} cells; the header has {len(header)}")
    return False


def _value(column: config.FormColumn, cell: str, row: int, problems: Problems) -> object:
    if not cell:
        if column.required:
            problems.add(row, column.name, "it is empty, and no row can do without it")
        return None
    try:
        return _PARSE[column.type](column, cell)
    except ValueError as error:
        problems.add(row, column.name, f"found {problems.told(cell)}; {error}")
        return None


def _number(column: config.FormColumn, cell: str) -> float:
    low, high = column.minimum, column.maximum
    between = {
        (False, False): "a number", (True, False): f"a number of {low or 0:g} or more",
        (False, True): f"a number up to {high or 0:g}", (True, True): f"a number from {low or 0:g} to {high or 0:g}",
    }[low is not None, high is not None]  # fmt: skip
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"expected {between}, without thousands separators or signs of money") from None
    if not math.isfinite(value) or (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"expected {between}")
    if column.type == "integer" and not value.is_integer():
        raise ValueError("expected a whole number")
    return value


def _date(column: config.FormColumn, cell: str) -> pd.Timestamp:
    month = column.type == "month"
    shown = "a month like 2026-03" if month else "a day like 2026-03-31"
    text = cell.removesuffix(" 00:00:00")
    try:
        found = date.fromisoformat(f"{text}-01" if month and len(text) == 7 else text)
    except ValueError:
        raise ValueError(f"expected {shown}") from None
    if not 1970 <= found.year <= 2099:
        raise ValueError(f"expected {shown}, between 1970 and 2099")
    return pd.Timestamp(found)


def _yes_no(_: config.FormColumn, cell: str) -> float:
    if cell.lower() not in YES_NO:
        raise ValueError("expected yes or no, or nothing when not known")
    return float(YES_NO[cell.lower()])


def _choice(column: config.FormColumn, cell: str) -> str:
    valid = column.answers
    name = cell.strip().lower().replace(" ", "_").replace("-", "_")
    if name not in valid:
        close = nearest(name, valid, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        listed = ", ".join(valid) if len(valid) <= 14 else f"one of {len(valid)} ids of {column.framework}"
        raise ValueError(f"{hint}expected {listed}")
    return name


def _several(column: config.FormColumn, cell: str) -> str:
    return "; ".join(_choice(column, part) for part in cell.split(";") if part.strip())


_PARSE = {
    "text": lambda _, cell: cell,
    "integer": _number,
    "number": _number,
    "date": _date,
    "month": _date,
    "yes_no": _yes_no,
    "choice": _choice,
    "several": _several,
}


def _typed(values: pd.Series, kind: str) -> pd.Series:
    if kind in ("integer", "number", "yes_no"):
        return values.astype("float64")
    if kind in ("date", "month"):
        return pd.to_datetime(values)
    return values.where(values.notna(), None).astype(object)


def _across(form: config.Form, frame: pd.DataFrame, problems: Problems) -> None:
    """Check what takes two columns or two rows to see."""
    for column in form.columns:
        if column.at_least is None:
            continue
        below = (frame[column.name] < frame[column.at_least]).fillna(False)
        for row in frame.index[below.astype(bool)]:
            problems.add(int(row), column.name, f"it lies before {column.at_least}")
    keys = list(form.unique)
    if keys and not frame.empty:
        known = frame[frame[keys].notna().all(axis=1)]
        first = known.groupby(keys, sort=False)[keys[0]].transform(lambda g: g.index[0])
        for row, original in first[first != first.index].items():
            problems.add(
                int(row),
                " + ".join(keys),
                f"it repeats row {original}; one row for each {' and '.join(keys)}",
            )
