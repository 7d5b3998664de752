"""A folder of an initiative's files as typed frames. Nothing is half-read: a table with a problem gives no rows."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pandas as pd

from sectorbook import config, paths, provenance
from sectorbook.config.shapes import LocalColumn, LocalTable
from sectorbook.errors import SectorbookError, nearest
from sectorbook.local import layout, participants, private
from sectorbook.local.cells import DTYPES, BadCell, Problem, key, parts, value
from sectorbook.local.rows import across, repeats
from sectorbook.questionnaire.answers import Answers, read_answers
from sectorbook.questionnaire.tables import all_rows

DICTIONARY = "dictionary.md"
ANSWERS = "answers.json"  # what `findings` keeps of the exercises
ENDINGS = (".csv", ".xlsx")
OWN_REPORT = "business-value-"  # what `report` writes for one employer
# What takes more than one cell to see, by table.
CHECKS = {"participants": participants.check, "pirl": participants.check_pirl, "pirl_layout": layout.check}


@dataclass
class Folder:
    """What a region's folder holds: a frame per table (empty when there is no file), its problems and notes.

    `rows` counts what each file there is holds, before any problem.
    """

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    def problems_of(self, tables: Iterable[str]) -> list[Problem]:
        """Return the problems in the files of `tables`."""
        wanted = set(tables)
        return [p for p in self.problems if p.file.rpartition(".")[0] in wanted]


def files(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each table that are there; more than one is a problem."""
    if not folder.is_dir():
        return {}
    found = {name: [folder / f"{name}{end}" for end in ENDINGS] for name in config.local()}
    return {name: there for name, both in found.items() if (there := [p for p in both if p.is_file()])}


def empty(name: str) -> pd.DataFrame:
    """Return a table without rows, with its columns and types."""
    return _empty(name).copy(deep=False)


@cache
def _empty(name: str) -> pd.DataFrame:
    table = config.local()[name]
    return _no_answers(table) if table.questionnaire else _typed(table, [])


def read(folder: Path) -> Folder:
    """Return everything in `folder`, with all problems and notes. A missing folder is one without files."""
    out = Folder()
    here = files(folder)
    _strangers(folder, out)
    raw: dict[str, list[dict]] = {}
    for name, table in config.local().items():
        if name not in here:
            out.frames[name] = empty(name)
            continue
        path = here[name][0]
        if len(here[name]) > 1:
            out.problems.append(
                Problem(path.name, None, None, "also " + here[name][1].name, "one file for a table")
            )
        if table.questionnaire:
            out.frames[name] = _survey(path, table, out)
        else:
            raw[name] = _records(path, table, out, here, raw.get(table.layout, []))
    for name, records in raw.items():
        table, file = config.local()[name], here[name][0].name
        records = raw[name] = _lines(file, table, records, out)
        out.problems += repeats(file, table, records)
        out.problems += across(file, table, records, {(p.row, p.column) for p in out.problems_of([name])})
        _references(file, table, records, here, raw, out)
        if name in CHECKS:
            problems, notes = CHECKS[name](file, records)
            told = {(p.row, p.column) for p in out.problems_of([name])}
            out.problems += [p for p in problems if (p.row, p.column) not in told]
            out.notes += notes
        out.rows[name] = len(records)
        if table.private and records and not out.problems_of([name]):
            records = private.hide(table, records, private.secret(folder))
        out.frames[name] = _typed(table, records) if not out.problems_of([name]) else empty(name)
    _codes_of_answers(here, out)
    return out


def _strangers(folder: Path, out: Folder) -> None:
    known = [f"{name}{end}" for name in config.local() for end in ENDINGS]
    allowed = {*known, DICTIONARY, ANSWERS, provenance.SIDECAR, private.KEY, paths.PRIVATE}
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if path.name not in allowed and not path.name.startswith((".", "~$", "disclosure_log", OWN_REPORT)):
            close = next(iter(nearest(path.name, known, 1)), None)
            out.problems.append(
                Problem(
                    path.name,
                    None,
                    None,
                    "a file that no table has",
                    "one of the files in " + DICTIONARY,
                    close,
                )
            )


def is_comment(row: list[str]) -> bool:
    """Return whether a row is an example or a remark: its first cell starts with "# "."""
    return bool(row) and row[0].lstrip().startswith("# ")


def _rows(path: Path, out: Folder, hidden: bool = False) -> list[tuple[int, list[str]]] | None:
    """Return the filled rows that are no comment, each with its number in the file; None when it cannot be read."""
    try:
        rows, others = all_rows(path.read_bytes(), path.name)
    except SectorbookError as error:
        out.problems.append(
            Problem(
                path.name, None, None, str(error).removeprefix(path.name).strip(), "a table that can be read"
            )
        )
        return None
    except OSError as error:
        out.problems.append(
            Problem(path.name, None, None, error.strerror or str(error), "a file that can be read")
        )
        return None
    for sheet in others:
        told = "another sheet" if hidden else f"the sheet {sheet!r}"
        out.notes.append(Problem(path.name, None, None, f"{told}, not read", "one sheet"))
    kept = [
        (number, [cell.strip() for cell in row])
        for number, row in enumerate(rows, 1)
        if any(cell.strip() for cell in row) and not is_comment(row)
    ]
    if not kept:
        out.problems.append(Problem(path.name, None, None, "nothing", "a header row"))
        return None
    return kept


def _name(cell: str, table: LocalTable) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", cell.casefold()).strip("_")
    element = table.elements and re.fullmatch(rf"(?:{table.elements}_?)?0*(\d{{3,4}})(?:_.*)?", name)
    return f"{table.elements}{element[1]}" if element else name


def _header(
    file: str, row: int | None, cells: list[str], table: LocalTable, out: Folder
) -> list[LocalColumn | None]:
    columns = {column.name: column for column in table.columns}
    while cells and not cells[-1]:
        cells.pop()
    if not any(_name(cell, table) in columns for cell in cells):
        expected = f"a header row with columns among {', '.join(columns)}"
        if table.layout:
            expected = f"a header row of element numbers, or their order in {table.layout}.csv, one a row"
        out.problems.append(Problem(file, row, None, "no column of the template", expected))
        return []
    placed: list[LocalColumn | None] = []
    for place, cell in enumerate(cells, 1):
        name = _name(cell, table)
        column = columns.get(name)
        if table.elements and column is None:
            pass  # one of the layout's elements that is not used
        elif table.private and name in private.NAMES:
            out.notes.append(Problem(file, row, None, f"the column {name!r}, not read: it names people", ""))
        elif column is None:
            close = next(iter(nearest(cell, columns, 1)), None)
            found = f"the column {cell!r}" if cell else "a column without a name"
            if table.private and cell:
                found = f"column {place}, which is not in the template"
            out.problems.append(Problem(file, row, None, found, f"columns among {', '.join(columns)}", close))
        elif column in placed:
            out.problems.append(Problem(file, row, column.name, "the column twice", "each column once"))
        elif name != cell and not table.elements:
            out.notes.append(Problem(file, row, None, f"{cell!r}, read as {name!r}", f"{name!r}"))
        placed.append(None if column in placed else column)
    hint = f"; a file without a header row needs {table.layout}.csv" if table.layout else ""
    lacking = False
    for name, column in columns.items():
        if column.required and column not in placed:
            out.problems.append(
                Problem(file, row, name, "no such column", f"the column {name!r}, which is required{hint}")
            )
            lacking = bool(table.layout)
    return [] if lacking else placed


def _records(path: Path, table: LocalTable, out: Folder, here: dict, listed: list[dict]) -> list[dict]:
    """Return the rows as values, by column, with "row", their place in the file.

    `listed`: the layout's records; where there are any the file has no header row.
    """
    kept = _rows(path, out, table.private)
    if kept is None:
        return []
    if listed:
        source = here[table.layout][0].name
        columns, misfits = layout.columns(path.name, kept, listed, source, table.elements)
        out.problems += misfits
        body, placed = kept, [] if misfits else _header(path.name, None, columns, table, out)
    else:
        (head, cells), *body = kept
        placed = _header(path.name, head, cells, table, out)
    if not placed:
        return []
    records = []
    for number, row in body:
        if len(row) > len(placed) and any(row[len(placed) :]):
            out.problems.append(
                Problem(path.name, number, None, f"{len(row)} cells", f"{len(placed)}, as in the header")
            )
            continue
        record: dict = {"row": number}
        for column, text in zip(placed, row + [""] * len(placed), strict=False):
            if column is None:
                continue
            if not text:
                if column.required:
                    out.problems.append(
                        Problem(path.name, number, column.name, "nothing", column.description)
                    )
                continue
            if column.not_yet and private.is_not_yet(text):
                record[private.status(column.name)] = private.NOT_YET
                continue
            try:
                record[column.name] = value(column, text)
            except BadCell as bad:
                out.problems.append(
                    Problem(path.name, number, column.name, _told(table, text), bad.expected, bad.close)
                )
        _bounds(path.name, table, record, out)
        records.append(record)
    return records


def _told(table: LocalTable, text: str) -> str:
    """Return a cell as a message shows it: as it stands, or what kind of thing it is where each row is a person."""
    return private.kind_of(text) if table.private else repr(text)


def _bounds(file: str, table: LocalTable, record: dict, out: Folder) -> None:
    for column in table.columns:
        for other, fits, word in (
            (column.at_most, lambda a, b: a <= b, "most"), (column.at_least, lambda a, b: a >= b, "least"),
        ):  # fmt: skip
            if other in record and column.name in record and not fits(record[column.name], record[other]):
                bound = "" if table.private else f"{record[other]!r}, "
                expected = f"at {word} {bound}the value of {other!r}"
                found = "a value beyond it" if table.private else repr(record[column.name])
                out.problems.append(Problem(file, record["row"], column.name, found, expected))


def _lines(file: str, table: LocalTable, records: list[dict], out: Folder) -> list[dict]:
    """Return the records of a form that say anything, once each names a line of it; other tables' as they are."""
    if not table.lines:
        return records
    known = {section: {} for section in table.lines}
    for section, item, _, _ in config.lines_of(table):
        known[section][item] = item
    for record in records:
        items = known.get(record.get("section"), {})
        if "item" in record and items and record["item"] not in items:
            close = next(iter(nearest(record["item"], items, 1)), None)
            out.problems.append(
                Problem(
                    file, record["row"], "item", repr(record["item"]), f"a line of {record['section']}", close
                )
            )
    return [r for r in records if set(r) - {"row", "section", "item", "question"}]


def _references(
    file: str, table: LocalTable, records: list[dict], here: dict, raw: dict[str, list[dict]], out: Folder
) -> None:
    for column in table.columns:
        if column.refers is None:
            continue
        target, _, name = column.refers.partition(".")
        spellings = config.local()[target].also_called
        known: dict[str, str] = {}
        for record in raw.get(target, []):
            if name in record:
                for text in [*parts(record.get(spellings, "")), record[name]]:
                    known[key(text)] = record[name]
        for record in records:
            text = record.get(column.name)
            if text is None:
                continue
            found = known.get(key(text))
            if found is None:
                names = sorted(set(known.values()))
                expected = f"a {name} of {target}" + ("" if names else ", which has no rows")
                out.problems.append(
                    Problem(
                        file,
                        record["row"],
                        column.name,
                        repr(text),
                        expected,
                        next(iter(nearest(text, names, 1)), None),
                    )
                )
            elif found != text:
                out.notes.append(
                    Problem(file, record["row"], column.name, f"{text!r}, read as {found!r}", repr(found))
                )
                record[column.name] = found
    ends = [c.name for c in table.columns if c.refers == "partners.partner" and c.required]
    for record in records if len(ends) == 2 else []:
        if all(end in record for end in ends) and record[ends[0]] == record[ends[1]]:
            out.problems.append(
                Problem(
                    file, record["row"], ends[1], repr(record[ends[1]]), "another partner than the source"
                )
            )


def _typed(table: LocalTable, records: list[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(index=range(len(records)))
    for column in table.columns:
        values = [record.get(column.name) for record in records]
        if column.type == "several":
            values = [entry or () for entry in values]
        if column.not_yet:
            frame[private.status(column.name)] = private.statuses(records, column.name)
        frame[column.name] = pd.Series(values, index=frame.index, dtype=DTYPES.get(column.type, "str"))
    return frame


# -- the answers of a survey tool ----------------------------------------------------------------------------


def _no_answers(table: LocalTable) -> pd.DataFrame:
    header = ",".join(
        ["_uuid", "_submission_time", *(q.id for q in config.questionnaire(table.questionnaire).questions)]
    )
    return _answers(header.encode(), "empty", table).frame.assign(in_frame=pd.Series(dtype=bool))


def _answers(content: bytes, name: str, table: LocalTable) -> Answers:
    return read_answers(content, name, config.questionnaire(table.questionnaire), unique=table.unique[0])


def _survey(path: Path, table: LocalTable, out: Folder) -> pd.DataFrame:
    kept = _rows(path, out)
    if kept is None:
        return _no_answers(table)
    numbers = dict(enumerate((number for number, _ in kept), 1))
    buffer = io.StringIO()
    csv.writer(buffer).writerows(row for _, row in kept)
    try:
        answers = _answers(buffer.getvalue().encode(), path.name, table)
    except SectorbookError as error:
        for line in str(error).splitlines():
            out.problems.append(_problem_of(path.name, line, numbers))
        out.rows[path.stem] = len(kept) - 1
        return _no_answers(table)
    frame = answers.frame.assign(row=answers.frame["row"].map(numbers))
    for note in answers.notes.itertuples():
        if note.kind != "absent":
            row = None if pd.isna(note.row) else numbers[int(note.row)]
            column = None if pd.isna(note.column) else note.column
            out.notes.append(Problem(path.name, row, column, f"{note.kind}: {note.text}", "a look at it"))
    out.rows[path.stem] = len(frame)
    return frame


def _problem_of(file: str, line: str, numbers: dict[int, int]) -> Problem:
    """Return one line of a reader's message as a problem, with the rows of the file."""
    match = re.fullmatch(
        r"(?:.*?)(?:, row (\d+))?(?:, column '(.*?)')?: found (.*?)(?:\. Did you mean '(.*)'\?|[;.])? ?"
        r"(?:expected |Valid: )(.*?)\.?",
        line,
    )
    if match:
        row = numbers.get(int(match[1])) if match[1] else None
        return Problem(file, row, match[2], match[3], match[5], match[4])
    return Problem(
        file, None, None, line.removeprefix(file).strip(" :,"), "an export of a survey tool that can be read"
    )


def _codes_of_answers(here: dict, out: Folder) -> None:
    """Give each answer the employer's code as the frame writes it; `in_frame` says whether it has one."""
    for name, table in config.local().items():
        if not table.questionnaire:
            continue
        frame, code = out.frames[name], table.unique[0]
        known = {key(c): c for c in out.frames["employers"][code]}
        found = frame[code].map(key, na_action="ignore").map(known)
        frame = frame.assign(in_frame=found.notna())
        for row, text, there in zip(frame["row"], frame[code], frame["in_frame"], strict=True):
            if not there and not pd.isna(text):
                close = next(iter(nearest(str(text), known.values(), 1)), None)
                out.notes.append(
                    Problem(
                        here[name][0].name,
                        int(row),
                        code,
                        f"{text!r}, not in employers",
                        "a code of employers",
                        close,
                    )
                )
        out.frames[name] = frame.assign(**{code: found.where(frame["in_frame"], frame[code]).astype("str")})
