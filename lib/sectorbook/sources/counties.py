"""Counties and county equivalents by code and name, US Census Bureau.

Address: https://www2.census.gov/geo/docs/reference/codes2020/national_county2020.txt, described at
https://www.census.gov/library/reference/code-lists/ansi.html
Layout: separated by "|": STATE, STATEFP, COUNTYFP, COUNTYNS, COUNTYNAME, CLASSFP, FUNCSTAT. Connecticut has its eight counties
of 2020 here; flows and areas after 2022 use its planning regions.
"""

from pathlib import Path

import duckdb

from sectorbook import tabular
from sectorbook.provenance import Fetch, Publication, Request, Sidecar, describe
from sectorbook.tabular import Field

ADDRESS = "https://www2.census.gov/geo/docs/reference/codes2020/national_county2020.txt"

TABLES = {"counties": "One row per county or county equivalent of 2020: code, name, state."}

ABOUT = Publication(
    source="counties",
    title="Counties and county equivalents",
    publisher="US Census Bureau",
    licence="Public domain (US government work)",
    citation=f"US Census Bureau, 2020 FIPS codes for counties, {ADDRESS}",
)

_FIELDS = (
    Field("state", ("STATE",), pattern="[A-Z]{2}", shown="two capitals", filled=True),
    Field(
        "state_fips",
        ("STATEFP",),
        pattern=r"\d{2}",
        shown="2 digits with leading zeros, like '01'",
        filled=True,
    ),
    Field(
        "county",
        ("COUNTYFP",),
        pattern=r"\d{3}",
        shown="3 digits with leading zeros, like '001'",
        filled=True,
    ),
    Field("county_name", ("COUNTYNAME",), filled=True),
)


def requests() -> Fetch:
    """List the national list of 2020."""
    files = (Request(name="national_county2020.txt", url=ADDRESS),)
    return Fetch(about=ABOUT, vintage="2020", edition="2020", files=files)


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the table `counties` as Parquet into `folder` and return its sidecar (not yet written).

    `origin` is the national list, or a folder with it alone. Raises SectorbookError with file, row, column,
    found and expected.
    """
    path = tabular.only(origin, ".txt", "sectorbook fetch counties")
    target = folder / "counties.parquet"
    with duckdb.connect() as db:
        tabular.load_text(db, "cells", path, _FIELDS, delimiter="|", quote="")
        tabular.unique(db, "cells", path, ["state_fips", "county"])
        query = (
            "SELECT state_fips || county AS county_fips, county_name, state, state_fips FROM cells ORDER BY 1"
        )
        rows = tabular.write(db, query, target)
    return ABOUT.processed(origin, vintage="2020", edition="2020", files=[describe(target, rows=rows)])
