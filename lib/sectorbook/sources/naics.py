"""North American Industry Classification System (NAICS): the structure, US Census Bureau.

Addresses: https://www.census.gov/naics/2022NAICS/2022_NAICS_Structure.xlsx and …/2017NAICS/2017_NAICS_Structure.xlsx
Layout: a header with "2022 NAICS Code" and "2022 NAICS Title" (2017: on row 3, behind a change indicator), one row per
sector, subsector, group and industry, blank rows between. Sectors of two numbers are written "31-33". A "T" at the end of
a title marks classes that Canada, Mexico and the United States share; it is no part of the title.
"""

import re
from pathlib import Path

import duckdb

from sectorbook import tabular
from sectorbook.errors import SectorbookError, unknown
from sectorbook.paths import shown
from sectorbook.provenance import Fetch, Publication, Request, Sidecar, describe
from sectorbook.tabular import Field

ADDRESS = "https://www.census.gov/naics/"
YEARS = (2017, 2022)

TABLES = {
    "naics_industries": "One row per NAICS sector, subsector, group and industry: code, title, level, parent."
}

ABOUT = Publication(
    source="naics",
    title="North American Industry Classification System, structure",
    publisher="US Census Bureau",
    licence="Public domain (US government work)",
    citation=f"US Census Bureau, North American Industry Classification System, {ADDRESS}",
)


def requests(year: int = 2022) -> Fetch:
    """List the structure of one vintage. Raises SectorbookError for a year that is not one."""
    if year not in YEARS:
        raise unknown("NAICS vintage", str(year), map(str, YEARS))
    name = f"{year}_NAICS_Structure.xlsx"
    files = (Request(name=name, url=f"{ADDRESS}{year}NAICS/{name}"),)
    return Fetch(about=ABOUT, vintage=str(year), edition=str(year), files=files)


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the table `naics_industries` as Parquet into `folder` and return its sidecar (not yet written).

    `origin` is the structure's workbook, or a folder with it alone. Raises SectorbookError with file, row,
    column, found and expected, also for an industry whose parent is not in the list.
    """
    path = tabular.only(origin, ".xlsx", "sectorbook fetch naics")
    target = folder / "naics_industries.parquet"
    rows = tabular.sheet(path)
    top, year = next(
        (
            (i, found[1])
            for i, row in enumerate(rows[:6])
            for c in row
            if (found := re.match(r"(\d{4}) NAICS Code", tabular.text(c)))
        ),
        (None, None),
    )
    if year is None:
        listed = (
            ", ".join(text for row in rows[:6] for c in row if (text := tabular.text(c)))[:200] or "nothing"
        )
        raise SectorbookError(f"{shown(path)}, row 1: found {listed}; expected a column '2022 NAICS Code'.")
    shape = "a code of 2 to 6 digits, or like '31-33'"
    fields = (
        Field(
            "naics_code", (f"{year} NAICS Code",), pattern=r"\d{2,6}|\d{2}-\d{2}", shown=shape, filled=True
        ),
        Field("title", (f"{year} NAICS Title",), filled=True),
    )
    with duckdb.connect() as db:
        names = [tabular.text(cell) for cell in rows[top]]
        tabular.load_rows(db, "every", path, rows, names, top + 1, [Field(f.name, f.headers) for f in fields])
        db.execute("CREATE TABLE cells AS SELECT * FROM every WHERE naics_code <> '' OR title <> ''")
        tabular.check(db, "cells", path, fields)
        tabular.unique(db, "cells", path, ["naics_code"])
        db.execute("""CREATE TABLE sectors AS SELECT naics_code AS sector_code,
            unnest(range(left(naics_code, 2)::INTEGER, right(naics_code, 2)::INTEGER + 1))::VARCHAR AS prefix
            FROM cells WHERE length(naics_code) = 2 OR naics_code LIKE '%-%'""")
        query = f"""SELECT naics_code, regexp_replace(trim(title), '([^A-Z])T$', '\\1') AS naics_title,
            CASE WHEN naics_code LIKE '%-%' THEN 2 ELSE length(naics_code) END AS naics_level,
            CASE WHEN naics_code LIKE '%-%' OR length(naics_code) = 2 THEN NULL
                WHEN length(naics_code) = 3 THEN sector_code ELSE left(naics_code, -1) END AS parent_code,
            sector_code, '{year}' AS naics_vintage, {tabular.ROW}
            FROM cells LEFT JOIN sectors ON prefix = left(naics_code, 2)"""
        orphan = db.execute(f"""SELECT {tabular.ROW}, naics_code, parent_code FROM ({query}) child
            WHERE naics_level > 2 AND NOT EXISTS (SELECT 1 FROM cells p WHERE p.naics_code = child.parent_code)
            ORDER BY 1 LIMIT 1""").fetchone()
        if orphan:
            raise tabular.wrong_cell(
                path,
                orphan[0],
                fields[0].headers[0],
                orphan[1],
                f"its parent {orphan[2] or orphan[1][:2]} in the list",
            )
        count = tabular.write(
            db, f"SELECT * EXCLUDE ({tabular.ROW}) FROM ({query}) ORDER BY {tabular.ROW}", target
        )
    return ABOUT.processed(origin, vintage=str(year), edition=str(year), files=[describe(target, rows=count)])
