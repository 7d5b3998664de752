"""County-to-county commuting flows, American Community Survey, US Census Bureau.

Addresses: https://www2.census.gov/programs-surveys/demo/tables/metro-micro/2020/commuting-flows-2020/table1.xlsx (and
…/2015/commuting-flows-2015/table1.xlsx), table 1 of https://www.census.gov/topics/employment/commuting/guidance/flows.html
Layout: a title that names the five years, a header of two rows, then state and county code and name of the
residence, the same of the workplace (the state with three digits, "042"), workers and the margin of error (90 %);
foreign workplaces have no county code. Connecticut has planning regions since 2016-2020.

The same flows are also read as text with the columns `res_fips, work_fips, workers` and, if there, `moe`.
"""

import re
from pathlib import Path

import duckdb

from sectorbook import tabular
from sectorbook.errors import SectorbookError, unknown
from sectorbook.paths import shown
from sectorbook.provenance import Fetch, Publication, Request, Sidecar, describe
from sectorbook.tabular import COUNTY, COUNTY_SHOWN, Field

ADDRESS = "https://www2.census.gov/programs-surveys/demo/tables/metro-micro/"
PERIODS = {
    "2011-2015": f"{ADDRESS}2015/commuting-flows-2015/table1.xlsx",
    "2016-2020": f"{ADDRESS}2020/commuting-flows-2020/table1.xlsx",
}

TABLES = {
    "commuting_flows": "One row per county of residence and county of work: workers who commute, with margin of error."
}

ABOUT = Publication(
    source="commuting",
    title="County-to-county commuting flows, American Community Survey",
    publisher="US Census Bureau",
    licence="Public domain (US government work)",
    citation=f"US Census Bureau, American Community Survey, county-to-county commuting flows, {ADDRESS}",
)

_COUNTS = (
    Field("workers", ("workers", "Workers in Commuting Flow"), "integer", minimum=0, filled=True),
    Field(
        "workers_moe", ("moe", "Margin of Error"), "number", minimum=0, absent=("*****", "**"), needed=False
    ),
)
_PLAIN = (
    Field("residence_county_fips", ("res_fips",), pattern=COUNTY, shown=COUNTY_SHOWN, filled=True),
    Field("work_county_fips", ("work_fips",), pattern=COUNTY, shown=COUNTY_SHOWN, filled=True),
    *_COUNTS,
)
_STATE, _PLACE = "2 digits with leading zeros, like '01'", "3 digits with leading zeros, like '001'"
_PUBLISHED = (
    Field("residence_state", ("residence State FIPS Code",), pattern=r"\d{2}", shown=_STATE, filled=True),
    Field("residence_county", ("residence County FIPS Code",), pattern=r"\d{3}", shown=_PLACE, filled=True),
    Field("work_state", ("workplace State FIPS Code",), pattern=r"\d{2,3}", shown="2 or 3 digits, like '042'", filled=True),
    Field("work_county", ("workplace County FIPS Code",), pattern=r"\d{3}", shown=_PLACE),
    *_COUNTS,
)  # fmt: skip


def requests(period: str = "2016-2020") -> Fetch:
    """List the published table of one five-year period. Raises SectorbookError for a period that has none."""
    if period not in PERIODS:
        raise unknown("period of commuting flows", period, PERIODS)
    files = (Request(name=f"commuting-flows-{period}.xlsx", url=PERIODS[period]),)
    return Fetch(about=ABOUT, vintage=period, edition=period, files=files)


def _published(db: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, float]:
    """Load the published workbook as `flows`; return its title and the workers with a workplace abroad."""
    rows = tabular.sheet(path)
    top = tabular.header_row(path, rows, "State FIPS Code")
    names, seen = [], set()
    for cell in map(tabular.text, rows[top]):
        place = "workplace" if cell in seen else "residence"
        seen.add(cell)
        names.append(f"{place} {cell}" if "FIPS" in cell or cell.endswith("Name") else cell)
    last = next((i for i in range(top + 1, len(rows)) if not tabular.text(rows[i][-2])), len(rows))
    tabular.load_rows(db, "cells", path, rows[:last], names, top + 1, _PUBLISHED)
    home = db.execute(
        f"SELECT {tabular.ROW}, work_state FROM cells WHERE coalesce(work_county, '') = '' AND work_state[1] = '0' LIMIT 1"
    ).fetchone()
    if home:
        raise tabular.wrong_cell(
            path, home[0], "workplace County FIPS Code", "", f"{_PLACE}, in state {home[1]}"
        )
    db.execute(f"""CREATE TABLE flows AS SELECT {tabular.ROW}, residence_state || residence_county AS residence_county_fips,
        right(work_state, 2) || work_county AS work_county_fips, workers, workers_moe
        FROM cells WHERE coalesce(work_county, '') <> ''""")
    abroad = db.execute(
        "SELECT sum(workers::BIGINT) FROM cells WHERE coalesce(work_county, '') = ''"
    ).fetchone()[0]
    return tabular.text(rows[0][0]), float(abroad or 0)


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the table `commuting_flows` as Parquet into `folder` and return its sidecar (not yet written).

    `origin` is the published workbook or the flows as text (.csv, .csv.gz), or a folder with that file alone.
    The period is read from the title, else from the file's name. Raises SectorbookError with file, row, column,
    found and expected.
    """
    path = tabular.only(origin, (".xlsx", ".csv", ".csv.gz"), "sectorbook fetch commuting")
    target = folder / "commuting_flows.parquet"
    with duckdb.connect() as db:
        title, abroad = "", None
        if path.suffix == ".xlsx":
            title, abroad = _published(db, path)
        else:
            tabular.load_text(db, "flows", path, _PLAIN)
        tabular.unique(db, "flows", path, ["residence_county_fips", "work_county_fips"])
        period = re.search(r"(\d{4})[-–_](\d{4})", f"{title} {path.name}")
        if not period:
            raise SectorbookError(
                f"{shown(path)}: which five years? Found no period in its title or name; expected one like '2016-2020'."
            )
        counts = ", ".join(field.sql() for field in _COUNTS)
        codes = (
            "trim(residence_county_fips) AS residence_county_fips, trim(work_county_fips) AS work_county_fips"
        )
        rows = tabular.write(db, f"SELECT {codes}, {counts} FROM flows ORDER BY 1, 2", target)
        workers = db.execute(f"SELECT sum(workers) FROM '{target}'").fetchone()[0]
    edition = f"{period[1]}-{period[2]}"
    return ABOUT.processed(
        origin,
        vintage=edition,
        edition=edition,
        files=[describe(target, rows=rows)],
        facts={"workers": float(workers), **({} if abroad is None else {"workers_abroad_left_out": abroad})},
    )
