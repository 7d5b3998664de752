"""NAICS concordances: which industries of one edition hold those of the edition before, US Census Bureau.

Addresses: https://www.census.gov/naics/concordances/2017_to_2022_NAICS.xlsx and …/2012_to_2017_NAICS.xlsx, listed at
https://www.census.gov/naics/?68967. Layout: one sheet, a title and a note, the header on row 3 ("2017 NAICS Code", its title,
"2022 NAICS Code", its title; empty columns behind), then one row per pair of six-digit industries that share content. An
industry that was split has several rows, and so has one that was put together; how much of it goes where is not said.
"""

import re
from pathlib import Path

import duckdb

from sectorbook import tabular
from sectorbook.errors import SectorbookError, unknown
from sectorbook.paths import shown
from sectorbook.provenance import Fetch, Publication, Request, Sidecar, describe, files_of
from sectorbook.tabular import Field

ADDRESS = "https://www.census.gov/naics/concordances/"
BEFORE = {2017: 2012, 2022: 2017}

# A change from 2012 to 2022 needs both files.
YEARS_TOGETHER = True

TABLES = {
    "naics_concordance": "One row per six-digit industry of an edition of NAICS and industry of the next that shares content."
}

ABOUT = Publication(
    source="concordances",
    title="North American Industry Classification System, concordances",
    publisher="US Census Bureau",
    licence="Public domain (US government work)",
    citation=f"US Census Bureau, North American Industry Classification System, concordances, {ADDRESS}",
)

_SIX = {"pattern": r"\d{6}", "shown": "a code of 6 digits", "filled": True}


def requests(year: int = 2022) -> Fetch:
    """List the concordance to one edition from the one before. Raises SectorbookError for a year that is no edition."""
    if year not in BEFORE:
        raise unknown("NAICS edition", str(year), map(str, BEFORE))
    name = f"{BEFORE[year]}_to_{year}_NAICS.xlsx"
    return Fetch(
        about=ABOUT,
        vintage=str(year),
        edition=str(year),
        files=(Request(name=name, url=ADDRESS + name),),
    )


def _years(path: Path, rows: list) -> tuple[int, int]:
    """Return the two editions a sheet joins, from its header."""
    for row in rows[:6]:
        found = [re.fullmatch(r"(\d{4}) NAICS Code", " ".join(tabular.text(cell).split())) for cell in row]
        years = [int(match[1]) for match in found if match]
        if len(years) == 2 and years[1] in BEFORE and BEFORE[years[1]] == years[0]:
            return years[0], years[1]
    texts = [" ".join(tabular.text(cell).split()) for row in rows[:6] for cell in row]
    first = ", ".join(text for text in texts if text)[:200] or "nothing"
    raise SectorbookError(
        f"{shown(path)}, row 1: found {first}; expected the columns '2017 NAICS Code' and '2022 NAICS Code', or those of 2012 "
        "and 2017."
    )


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the table `naics_concordance` as Parquet into `folder` and return its sidecar (not yet written).

    `origin` is one workbook, or a folder with one for each edition. Raises SectorbookError with file, row, column, found
    and expected, also for a pair that stands twice.
    """
    if not origin.exists():
        raise SectorbookError(f"{shown(origin)} does not exist. Fetch it with: sectorbook fetch concordances")
    paths = [path for path in files_of(origin) if path.suffix == ".xlsx"]
    if not paths:
        raise SectorbookError(
            f"{shown(origin)} holds no concordance (.xlsx). Fetch it with: sectorbook fetch concordances"
        )
    target = folder / "naics_concordance.parquet"
    editions, queries = [], []
    with duckdb.connect() as db:
        for number, path in enumerate(paths):
            rows = tabular.sheet(path)
            old, new = _years(path, rows)
            if (old, new) in editions:
                raise SectorbookError(f"{shown(path)}: the concordance {old} to {new} is there twice.")
            editions.append((old, new))
            top = tabular.header_row(path, rows, f"{new} NAICS Code", within=6)
            fields = (
                Field("naics_code", (f"{old} NAICS Code",), **_SIX),
                Field("next_naics_code", (f"{new} NAICS Code",), **_SIX),
            )
            names = [" ".join(tabular.text(cell).split()) for cell in rows[top]]
            plain = [Field(f.name, f.headers) for f in fields]
            tabular.load_rows(db, "every", path, rows, names, top + 1, plain)
            table = f"pairs{number}"
            db.execute(
                f"CREATE TABLE {table} AS SELECT * FROM every WHERE naics_code <> '' OR next_naics_code <> ''"
            )
            tabular.check(db, table, path, fields)
            tabular.unique(db, table, path, ["naics_code", "next_naics_code"])
            queries.append(
                f"SELECT naics_code, '{old}' AS naics_vintage, next_naics_code, '{new}' AS next_naics_vintage FROM {table}"
            )
        query = f"SELECT * FROM ({' UNION ALL '.join(queries)}) ORDER BY ALL"
        count = tabular.write(db, query, target)
    steps = ", ".join(f"{old} to {new}" for old, new in sorted(editions))
    return ABOUT.processed(
        origin, vintage=steps, edition=str(max(editions)[1]), files=[describe(target, rows=count)]
    )
