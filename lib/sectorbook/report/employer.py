"""The business value report of one employer: its own figures beside those of all. It stays with the region's local files."""

import re
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from sectorbook import config, paths, warehouse
from sectorbook.errors import SectorbookError, unknown
from sectorbook.findings import Number
from sectorbook.local import files, origin
from sectorbook.measures import employer_outcomes, employer_returns
from sectorbook.report import forms
from sectorbook.report.book import Book, Section
from sectorbook.writing import cells, clean

FORM, CHAPTER = "business-value", "10_employer_outcomes"
# How far the cost of a replacement is moved to show what hangs on it.
HALF_AND_DOUBLE = (0.5, 1.0, 2.0)


def target(region_slug: str, employer_code: str, ending: str) -> Path:
    """Return the file of an employer's report: among the region's local files, which are never published."""
    safe = re.sub(r"[^A-Za-z0-9-]+", "_", employer_code)
    return paths.local(region_slug, f"{files.OWN_REPORT}{safe}.{ending}")


def gather(region_slug: str, employer_code: str) -> Book:
    """Return the report of one employer as a book: its own figures, then the findings on all employers.

    Chapter 10 has to be run first; its cost of a replacement is used. Raises SectorbookError for an employer that is in
    neither file of the chapter.
    """
    whole = forms.gather(region_slug, FORM)
    region, sector = warehouse.find_region(region_slug), whole.sector["slug"]
    own = origin.find(region.slug, sector, demonstration=whole.synthetic)
    outcomes = employer_outcomes.panel(warehouse.local("firm_outcomes", own))
    returns = warehouse.local("firm_returns", own)
    outcomes = outcomes[outcomes["takes_part"] == 1]
    codes = sorted({*outcomes["employer_code"], *returns["employer_code"]})
    if employer_code not in codes:
        if not codes:
            raise SectorbookError(f"No employer is on file for {region_slug}; see chapter 10.")
        raise unknown("employer", employer_code, codes, f"{len(codes)} employers are on file.")
    share = next(n["value"] for n in whole.numbers if n["key"] == "replacement_share") / 100
    head = f"{region_slug}/{CHAPTER}/own"
    sections = [
        Section("own_1", "What changed at your site", _changes(head, outcomes, employer_code), Path()),
        Section("own_2", "What came back to you", _returns(head, returns, employer_code, share), Path()),
    ]
    sections = [section for section in sections if section.items]
    title = f"{whole.form} for employer {employer_code}"
    return replace(whole, sections=[*sections, *whole.sections], form=title)


def _table(address: str, title: str, frame: pd.DataFrame, columns: list[str]) -> dict:
    known = config.columns()
    written = [cells(frame, column, known[column].unit, "not known") for column in columns]
    return {
        "kind": "table", "address": address, "title": title, "source": [],
        "columns": [
            {"name": c, "label": known[c].label, "unit": known[c].unit, "type": known[c].type} for c in columns
        ],
        "rows": [[clean(v) for v in row] for row in frame[columns].itertuples(index=False)],
        "cells": [list(row) for row in zip(*written, strict=True)],
    }  # fmt: skip


def _changes(head: str, outcomes: pd.DataFrame, employer_code: str) -> list[dict]:
    labels = warehouse.framework("employer_measures").set_index("id")["label"]
    own, rows = outcomes[outcomes["employer_code"] == employer_code], []
    for measure, part in own.groupby("measure", sort=False):
        for both in employer_outcomes.ends(part, employer_outcomes.start(outcomes)).itertuples():
            change = 100 * (both.after / both.before - 1) if both.before > 0 else float("nan")
            rows.append((labels[measure], both.before, both.after, change))
    if not rows:
        return []
    columns = ["firm_measure", "own_before", "own_after", "own_change_pct"]
    title = "Your own figures, before you took part and in the last year"
    text = "These changes are reported: they may have come without the partnership. The part on other employers below says more."
    caveat = {"kind": "caveat", "address": f"{head}_caveat", "text": text, "uses": []}
    return [_table(f"{head}_changes", title, pd.DataFrame(rows, columns=columns), columns), caveat]


def _returns(head: str, returns: pd.DataFrame, employer_code: str, share: float) -> list[dict]:
    table = employer_returns.for_one(returns, employer_code, tuple(share * f for f in HALF_AND_DOUBLE))
    if table.empty:
        return []
    table = table.assign(
        turnover_saved_usd=table["turnover_before_usd"] - table["turnover_after_usd"],
        vacancy_saved_usd=table["vacancy_before_usd"] - table["vacancy_after_usd"],
        spent_usd=table["cost_usd"],
    )
    middle = table.iloc[len(HALF_AND_DOUBLE) // 2]
    numbers = [
        Number(f"{head}_spent", "own_spent", "Spent by this employer", clean(middle["spent_usd"]), "USD", ()),
        Number(f"{head}_saved", "own_saved", "Saved by this employer in a year", clean(middle["benefit_usd"]), "USD", ()),
        Number(f"{head}_roi", "own_roi", "Return to this employer", clean(middle["roi_pct"]), "percent", (),
               clean(table["roi_pct"].min()), clean(table["roi_pct"].max()), None, True),
    ]  # fmt: skip
    spent, saved, roi = numbers
    text = (
        f"You spent {spent} and saved {saved} in a year: a return of {roi} ({roi:range} when a replacement costs half or twice "
        "as much). What is not known is left out."
    )
    uses = [number.address for number in numbers]
    sentence = {"kind": "sentence", "address": f"{head}_sentence", "text": text, "uses": uses}
    columns = [
        "replacement_pct",
        "turnover_saved_usd",
        "vacancy_saved_usd",
        "other_benefit_usd",
        "benefit_usd",
        "spent_usd",
        "roi_pct",
    ]
    title = "Your return, by what a replacement costs"
    return [*map(asdict, numbers), sentence, _table(f"{head}_returns", title, table, columns)]
