"""Files without a header row, whose columns another file lists in their order."""

import re
from collections.abc import Sequence

from sectorbook.local.cells import Problem

NOT_READ = "skip"
"""Stands in a layout for a column that is in the file and has no element number, or shall not be read."""
_ELEMENT = re.compile(r"(?:pirl[ _]?)?0*(\d{3,4})", re.IGNORECASE)


def check(file: str, records: Sequence[dict]) -> tuple[list[Problem], list[Problem]]:
    """Return the lines of a layout that are no element number, or one that stands there already."""
    problems, first = [], {}
    for record in records:
        text, row = record.get("element"), record["row"]
        if text is None or text == NOT_READ:
            continue
        match = _ELEMENT.fullmatch(text)
        if match is None:
            expected = (
                f"the number of an element, such as 1602, or {NOT_READ!r} for a column that is not read"
            )
            problems.append(Problem(file, row, "element", repr(text), expected))
        elif first.setdefault(match[1], row) != row:
            expected = f"each element once; it is in row {first[match[1]]}"
            problems.append(Problem(file, row, "element", f"{text!r} again", expected))
    return problems, []


def columns(
    file: str, rows: Sequence[tuple[int, Sequence[str]]], listed: Sequence[dict], source: str, prefix: str
) -> tuple[list[str], list[Problem]]:
    """Return the columns of a file in their order, as a header would name them, and what keeps its rows from fitting them.

    `rows`: number and cells of each; `listed`: the records of the layout `source`. When the first row does not fit, it is the
    layout that is wrong, and no other row is told of.
    """
    if check(source, listed)[0] or any("element" not in record for record in listed):
        expected = f"records in the order of {source}, which has problems"
        return [], [Problem(file, None, None, "records without a header row", expected)]
    found = [_ELEMENT.fullmatch(record["element"]) for record in listed]
    names = [f"{prefix}{match[1]}" if match else NOT_READ for match in found]
    number, first = rows[0]
    if set(names) - {NOT_READ} <= {cell.casefold() for cell in first}:
        expected = f"records from the first row on, as {source} is there"
        return [], [Problem(file, number, None, "a header row", expected)]
    expected = f"{len(names)}, one for each line of {source}"
    wrong = [
        Problem(file, n, None, f"{len(row)} cells", expected) for n, row in rows if len(row) != len(names)
    ]
    return names, wrong[:1] if len(first) != len(names) else wrong
