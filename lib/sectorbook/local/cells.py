"""One cell of an initiative's file as a value, or what is wrong with it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from sectorbook import config
from sectorbook.config.shapes import LocalColumn
from sectorbook.errors import nearest


@dataclass(frozen=True)
class Problem:
    """Something in a file that cannot be used, or (a note) that was read in another way than it stands."""

    file: str
    row: int | None
    column: str | None
    found: str
    expected: str
    close: str | None = None

    def __str__(self) -> str:
        where = self.file
        if self.row is not None:
            where += f", row {self.row}"
        if self.column is not None:
            where += f", column {self.column!r}"
        hint = f" Nearest: {self.close!r}." if self.close else ""
        return f"{where}: found {self.found}; expected {self.expected}.{hint}"


class BadCell(Exception):
    """A cell that is not what its column takes."""

    def __init__(self, expected: str, close: str | None = None) -> None:
        self.expected, self.close = expected, close


_YES, _NO = {"yes", "y", "true", "1", "sí", "si"}, {"no", "n", "false", "0"}
# Words people and spreadsheets write where nothing is known. Empty is the only way to say so here.
_NOT_KNOWN = {"na", "n/a", "nan", "null", "none known", "unknown", "?", "-", "--", "tbd"}
_BROKEN = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!)", re.IGNORECASE)
_DAMAGED = ("\ufffd", "Ã©", "Ã³", "Ã±", "â€")
DTYPES = {
    "integer": "Int64",
    "number": "Float64",
    "yes_no": "boolean",
    "date": "datetime64[us]",
    "date8": "datetime64[us]",
    "several": "object",
}


def key(text: str) -> str:
    """Return a name as it is compared: without case, punctuation and extra blanks."""
    return " ".join(re.sub(r"[^\w]+", " ", text.casefold()).split())


def parts(text: str) -> list[str]:
    """Return the entries of a cell with semicolons."""
    return [part.strip() for part in text.split(";") if part.strip()]


def value(column: LocalColumn, text: str) -> object:
    """Return the value of a filled cell. Raises BadCell; a reference comes back as it is written."""
    if _BROKEN.search(text):
        raise BadCell("a value; the spreadsheet wrote an error of a formula here")
    if text.casefold() in _NOT_KNOWN:
        raise BadCell("an empty cell where it is not known")
    if any(mark in text for mark in _DAMAGED):
        raise BadCell("readable text; the file was saved in another encoding, save it as UTF-8")
    found = _READ[column.type](column, text)
    if column.type in ("integer", "number"):
        _check_range(column, found)
    return found


def _check_range(column: LocalColumn, number: float) -> None:
    low, high = column.minimum, column.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        bounds = f"{low:g} to {high:g}" if high is not None and low is not None else f"{low:g} or more"
        raise BadCell(f"a number of {bounds}")


def _text(column: LocalColumn, text: str) -> str:
    return " ".join(text.split())


def _number(column: LocalColumn, text: str) -> float:
    plain = text.removeprefix("$").strip()
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    if not re.fullmatch(r"-?(\d+\.?\d*|\.\d+)", plain):
        raise BadCell("a number such as 1250.50, without words, unit or percent sign")
    return float(plain)


def _integer(column: LocalColumn, text: str) -> int:
    try:
        number = _number(column, text)
    except BadCell:
        raise BadCell("a whole number") from None
    if number != int(number):
        raise BadCell("a whole number")
    return int(number)


def _date(column: LocalColumn, text: str) -> pd.Timestamp:
    match = re.fullmatch(r"(\d{4}-\d{2}-\d{2})( 00:00:00)?", text)
    try:
        if match:
            return pd.Timestamp(match[1]).as_unit("us")
    except ValueError:
        raise BadCell("a date that exists, such as 2026-03-31") from None
    raise BadCell("a date as year-month-day, such as 2026-03-31")


def _date8(column: LocalColumn, text: str) -> pd.Timestamp:
    if not re.fullmatch(r"\d{8}", text):
        raise BadCell("a date as eight digits, such as 20260331")
    return _date(column, f"{text[:4]}-{text[4:6]}-{text[6:]}")


def _month(column: LocalColumn, text: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise BadCell("a month as year-month, such as 2027-03")
    return text


def _quarter(column: LocalColumn, text: str) -> str:
    match = re.fullmatch(r"(\d{4})[ -]?[Qq]([1-4])", text)
    if not match:
        raise BadCell("a quarter such as 2027Q3")
    return f"{match[1]}Q{match[2]}"


def _yes_no(column: LocalColumn, text: str) -> bool:
    if text.casefold() in _YES | _NO:
        return text.casefold() in _YES
    raise BadCell("yes or no")


def _choice(column: LocalColumn, text: str) -> str:
    valid = config.local_choices(column)
    found = {key(answer): answer for answer in valid}.get(key(text.replace("_", " ").replace("-", " ")))
    found = found or {key(answer.replace("_", " ")): answer for answer in valid}.get(
        key(text.replace("_", " "))
    )
    if found is None:
        raise BadCell(f"one of {', '.join(valid)}", next(iter(nearest(text, valid, 1)), None))
    return found


def _several(column: LocalColumn, text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_choice(column, part) for part in parts(text)))


_READ: dict[str, Callable[[LocalColumn, str], object]] = {
    "text": _text, "reference": _text, "number": _number, "integer": _integer, "date": _date, "date8": _date8, "month": _month,
    "quarter": _quarter, "yes_no": _yes_no, "choice": _choice, "several": _several,
}  # fmt: skip
