"""Templates of an initiative's files: a header, one commented example row, and a data dictionary for all of them."""

import csv
import io
from pathlib import Path

import pandas as pd

from sectorbook import config, paths
from sectorbook.config.shapes import LocalColumn, LocalTable
from sectorbook.errors import unknown
from sectorbook.local import files

_TYPES = {
    "text": "text", "integer": "whole number", "number": "number", "date": "date (2026-03-31)",
    "date8": "date (20260331)", "month": "month (2027-03)",
    "quarter": "quarter (2027Q1)", "yes_no": "yes or no", "choice": "one answer", "several": "answers with semicolons",
}  # fmt: skip


def header(table: LocalTable) -> list[str]:
    """Return the columns of a template: the table's own, or those of a KoBo export of its questionnaire."""
    if table.questionnaire is None:
        return [column.name for column in table.columns]
    asked = config.questionnaire(table.questionnaire).questions
    return [
        "_uuid",
        "_submission_time",
        *(name for q in asked for name in ([q.id, f"{q.id}_other"] if q.other else [q.id])),
    ]


def _example(table: LocalTable) -> list[str]:
    if table.questionnaire is None:
        return [column.example for column in table.columns]
    form = config.questionnaire(table.questionnaire)
    given = {"_uuid": "example", "_submission_time": "2026-05-04T10:00:00", "employer_code": "E001"}
    for q in form.questions:
        first = form.choices[q.choices][0].id if q.choices else ""
        given.setdefault(q.id, first or {"integer": "3", "number": "21.50"}.get(q.type, ""))
    return [given.get(name, "") for name in header(table)]


def _csv(rows: list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def template(table: LocalTable) -> str:
    """Return the CSV text of one template: its columns, a commented example, and the lines of a form."""
    example = _example(table)
    names = header(table)
    lines = [
        [{"section": section, "item": item, "question": question}.get(name, "") for name in names]
        for section, item, question, _ in config.lines_of(table)
    ]
    return _csv([names, [f"# {example[0]}", *example[1:]], *lines])


def lines(name: str) -> pd.DataFrame:
    """Return every line of a form: section, item, question, and the instrument's note; no rows for other tables.

    Raises SectorbookError for an unknown table.
    """
    if name not in config.local():
        raise unknown("table of an initiative", name, config.local())
    return pd.DataFrame(
        config.lines_of(config.local()[name]), columns=["section", "item", "question", "note"]
    )


def _valid(column: LocalColumn) -> str:
    if column.refers:
        return f"a row of `{column.refers.partition('.')[0]}.csv`"
    answers = config.local_choices(column)
    if answers:
        return ", ".join(f"`{answer}`" for answer in answers)
    low, high = column.minimum, column.maximum
    return " to ".join(f"{bound:g}" for bound in (low, high) if bound is not None) + (
        " or more" if low is not None and high is None else ""
    )


def dictionary() -> str:
    """Return the data dictionary of all tables as Markdown."""
    lines = [
        "# Data dictionary", "",
        "Fill in the files beside this one, in any spreadsheet, as CSV (UTF-8) or XLSX. Leave a cell empty where something",
        "is not known; write 0 only for none. A row whose first cell starts with `# ` is a remark and is not read. These",
        "files never enter a commit. Check them with `sectorbook check` and the region's name.", "",
    ]  # fmt: skip
    for name, table in config.local().items():
        lines += [f"## {name}.csv: {table.title}", "", f"Chapter {table.chapter}. A row: {table.row}", ""]
        if table.questionnaire:
            lines += [
                "Put the survey tool's export here as it is, under this name. The columns of the template are one way to",
                f"type answers in; the questions and their answers are in `config/questionnaires/{table.questionnaire}.yml`.", "",
            ]  # fmt: skip
            continue
        if table.lines:
            lines += ["The template has a row for every line: fill in the ones you can.", ""]
        if table.unique:
            lines += [f"Stands once: {', '.join(table.unique)}.", ""]
        lines += ["| Column | Holds | Needed | Valid | What it is |", "| --- | --- | --- | --- | --- |"]
        for column in table.columns:
            holds = _TYPES.get(column.type, "a name")
            needed = "yes" if column.required else ""
            lines.append(f"| {column.name} | {holds} | {needed} | {_valid(column)} | {column.description} |")
        lines.append("")
    return "\n".join(lines)


def write(folder: Path) -> list[Path]:
    """Write the templates that are not there yet, and the dictionary, into `folder`; return what was written."""
    written = []
    here = files.files(folder)
    for name, table in config.local().items():
        if name not in here:
            written.append(folder / f"{name}.csv")
            with paths.write_atomic(written[-1]) as file:
                file.write(template(table))
    written.append(folder / files.DICTIONARY)
    with paths.write_atomic(written[-1]) as file:
        file.write(dictionary())
    return written
