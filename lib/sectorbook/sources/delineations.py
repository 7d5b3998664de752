"""Core based statistical areas: which counties belong to which metropolitan area, OMB and US Census Bureau.

Addresses: https://www2.census.gov/programs-surveys/metro-micro/geographies/reference-files/2023/delineation-files/list1_2023.xlsx
(July 2023) and …/2020/delineation-files/list1_2020.xls (March 2020), listed at
https://www.census.gov/geographies/reference-files/time-series/demo/metro-micro/delineation-files.html
Layout of list 1: header on row 3, one row per county, notes below the last.
"""

import re
from datetime import datetime
from pathlib import Path

import duckdb

from sectorbook import tabular
from sectorbook.errors import SectorbookError, unknown
from sectorbook.paths import shown
from sectorbook.provenance import Fetch, Publication, Request, Sidecar, describe
from sectorbook.tabular import Field

ADDRESS = "https://www2.census.gov/programs-surveys/metro-micro/geographies/reference-files/"
FILES = {2020: "2020/delineation-files/list1_2020.xls", 2023: "2023/delineation-files/list1_2023.xlsx"}

TABLES = {
    "delineation_counties": "One row per county of a metropolitan or micropolitan area, with its division and combined area."
}

ABOUT = Publication(
    source="delineations",
    title="Core based statistical areas, list 1",
    publisher="US Office of Management and Budget; US Census Bureau",
    licence="Public domain (US government work)",
    citation=f"US Census Bureau, delineation files of core based statistical areas, {ADDRESS}",
)

_AREA = r"\d{5}"
_FIELDS = (
    Field("cbsa_code", ("CBSA Code",), pattern=_AREA, shown="an area code of 5 digits", filled=True),
    Field("cbsa_title", ("CBSA Title",), filled=True),
    Field("cbsa_kind", ("Metropolitan/Micropolitan Statistical Area",), filled=True,
          pattern="(Metropolitan|Micropolitan) Statistical Area", shown="Metropolitan or Micropolitan Statistical Area"),
    Field("division_code", ("Metropolitan Division Code",), pattern=_AREA, shown="5 digits, or nothing"),
    Field("division_title", ("Metropolitan Division Title",)),
    Field("csa_code", ("CSA Code",), pattern=r"\d{3}", shown="3 digits, or nothing"),
    Field("csa_title", ("CSA Title",)),
    Field("state_fips", ("FIPS State Code",), pattern=r"\d{2}", filled=True,
          shown="2 digits with leading zeros, like '01' (a spreadsheet may have dropped a zero)"),
    Field("county", ("FIPS County Code",), pattern=r"\d{3}", filled=True,
          shown="3 digits with leading zeros, like '001' (a spreadsheet may have dropped a zero)"),
    Field("county_name", ("County/County Equivalent",), filled=True),
    Field("state_name", ("State Name",), filled=True),
    Field("county_role", ("Central/Outlying County",), pattern="Central|Outlying", shown="Central or Outlying", filled=True),
)  # fmt: skip


def requests(year: int = 2023) -> Fetch:
    """List the delineation of one year. Raises SectorbookError for a year that has none here."""
    if year not in FILES:
        raise unknown("year of delineations", str(year), map(str, FILES))
    files = (Request(name=FILES[year].rsplit("/", 1)[1], url=ADDRESS + FILES[year]),)
    return Fetch(about=ABOUT, vintage=str(year), edition=str(year), files=files)


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the table `delineation_counties` as Parquet into `folder` and return its sidecar (not yet written).

    `origin` is list 1 (.xls or .xlsx), or a folder with that file alone. Raises SectorbookError with file, row,
    column, found and expected, and when a county stands in two areas.
    """
    path = tabular.only(origin, (".xls", ".xlsx"), "sectorbook fetch delineations")
    target = folder / "delineation_counties.parquet"
    rows = tabular.sheet(path)
    top = tabular.header_row(path, rows, "CBSA Code")
    title = " ".join(tabular.text(cell) for row in rows[:top] for cell in row)
    month = re.search(
        r"(January|February|March|April|May|June|July|August|September|October|November|December) \d{4}",
        title,
        re.I,
    )
    if not month:
        raise SectorbookError(
            f"{shown(path)}, row 2: found no month in the title; expected one like 'MARCH 2020'."
        )
    issued = datetime.strptime(month[0].title(), "%B %Y")
    last = next(
        (
            i
            for i in range(top + 1, len(rows))
            if not any(map(tabular.text, rows[i])) or tabular.text(rows[i][0]).startswith("Note")
        ),
        len(rows),
    )
    with duckdb.connect() as db:
        tabular.load_rows(
            db, "cells", path, rows[:last], [tabular.text(c) for c in rows[top]], top + 1, _FIELDS
        )
        tabular.unique(db, "cells", path, ["state_fips", "county"])
        columns = ", ".join(field.sql() for field in _FIELDS if field.name not in ("county", "cbsa_kind"))
        query = f"""SELECT trim(state_fips) || trim(county) AS county_fips, {columns},
            lower(split_part(cbsa_kind, ' ', 1)) AS cbsa_kind FROM cells ORDER BY cbsa_code, county_fips"""
        count = tabular.write(db, query, target)
    return ABOUT.processed(
        origin, vintage=f"{issued:%B %Y}", edition=f"{issued:%Y-%m}", files=[describe(target, rows=count)]
    )
