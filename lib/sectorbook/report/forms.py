"""A form as a book: the lines a funder or a state asks for, from the findings of one chapter."""

from dataclasses import replace

from sectorbook import chapters, register
from sectorbook.config.shapes import FormPart
from sectorbook.errors import SectorbookError, unknown
from sectorbook.report.book import Book, Section, bind, gated

ENTERED, PART, LINE, ANSWER = "not entered", "form_part", "form_line", "form_answer"
# What a form prints of its chapter's table, where the table has it.
SHOWN = ("form_line", "form_first", "form_answer", "form_as_of")


def names() -> list[str]:
    """Return the forms that can be printed."""
    return [name for name, form in register.layouts().items() if form.printed]


def gather(region_slug: str, name: str) -> Book:
    """Return the form `name` of a region as a book, from saved findings alone, after the disclosure gate.

    Every line has its answer or says that none is entered; `missing` lists those lines. Raises SectorbookError for an
    unknown form, and where the form's chapter was not run for the region.
    """
    if name not in names():
        raise unknown("form", name, names())
    form, ledgers = register.layouts()[name], gated([region_slug]).ledgers[region_slug]
    if form.chapter not in ledgers:
        number = next(c.number for c in chapters.discover() if c.name == form.chapter)
        raise SectorbookError(
            f"The form is made from chapter {number}, which was not run for {region_slug}. Run it with: "
            f"sectorbook run {region_slug} --chapters {number}"
        )
    ledger = ledgers[form.chapter]
    whole = bind(region_slug, {form.chapter: ledger})
    (chapter,) = [*whole.sections, *([whole.summary] if whole.summary else [])]
    own = {item["address"].rpartition("/")[2]: item for item in ledger["items"] if "address" in item}
    lines = own.get(f"form_{name}")
    sections, missing = [], []
    for place, part in enumerate(form.parts, 1):
        items = [] if lines is None else _lines(lines, part)
        for key in part.findings:
            items += _found(own, ledger["items"], key, form.chapter)
        sections.append(Section(f"part_{place}", part.title, items, chapter.folder))
        missing += [
            {"why": "form_line", "part": part.title, "line": row[LINE]}
            for row in ([] if lines is None else _rows(lines, part))
            if row[ANSWER] == ENTERED
        ]
    return replace(whole, summary=None, sections=sections, missing=missing, form=form.title)


def _rows(table: dict, part: FormPart) -> list[dict]:
    columns = [column["name"] for column in table["columns"]]
    rows = [dict(zip(columns, row, strict=True)) for row in table["rows"]]
    return [row for row in rows if row[PART] == part.title]


def _lines(table: dict, part: FormPart) -> list[dict]:
    """Return the part's lines as a table item, or nothing for a part that asks for none."""
    columns = [column["name"] for column in table["columns"]]
    kept = [columns.index(name) for name in SHOWN if name in columns]
    rows = [place for place, row in enumerate(table["rows"]) if row[columns.index(PART)] == part.title]
    if not rows:
        return []
    return [
        {
            **table,
            "title": part.title,
            "columns": [table["columns"][place] for place in kept],
            "rows": [[table["rows"][row][place] for place in kept] for row in rows],
            "cells": [[table["cells"][row][place] for place in kept] for row in rows],
        }
    ]


def _found(own: dict[str, dict], items: list[dict], key: str, chapter: str) -> list[dict]:
    """Return a finding by its key; a number with the sentences that use it; for "caveats", what the chapter does not show."""
    if key == "caveats":
        return [item for item in items if item["kind"] == "caveat"]
    if key not in own:
        raise SectorbookError(f"config/forms.yml names {key!r}, which chapter {chapter} did not record.")
    item = own[key]
    if item["kind"] != "number":
        return [item]
    used = [i for i in items if i["kind"] in ("sentence", "caveat") and item["address"] in i["uses"]]
    numbers = [i for i in items if i["kind"] == "number" and any(i["address"] in s["uses"] for s in used)]
    return [*numbers, *used]
