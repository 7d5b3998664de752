"""Earlier releases of the Occupational Employment and Wage Statistics (OEWS), for a second period, US Bureau of Labor Statistics.

Address: https://www.bls.gov/oes/special-requests/oesm21ma.zip (metropolitan areas of May 2021; 2019 as oesm19ma.zip and so on),
listed at https://www.bls.gov/oes/tables.htm
Layout: one sheet (or text), header on row 1, one row per area and occupation: AREA, AREA_TITLE, OCC_CODE, OCC_TITLE, O_GROUP,
TOT_EMP, EMP_PRSE, JOBS_1000, LOC_QUOTIENT (LOC QUOTIENT in some years), wages, ANNUAL and HOURLY (TRUE where BLS gives pay in
that form only). "**" is employment that is not released, "*" a wage that is not released, "#" a wage above the top that BLS
prints, "~" a share that is not released.
"""

import re
import tempfile
from pathlib import Path

import duckdb

from sectorbook import archives, tabular
from sectorbook.errors import SectorbookError
from sectorbook.paths import shown
from sectorbook.provenance import Fetch, Publication, Request, Sidecar, describe
from sectorbook.sources.oews import status_column
from sectorbook.tabular import Field

ADDRESS = "https://www.bls.gov/oes/special-requests/"

TABLES = {
    "oews_earlier": "One row per metropolitan area and occupation of an earlier release: employment, wages, location quotient."
}

ABOUT = Publication(
    source="oews_earlier",
    title="Occupational Employment and Wage Statistics, earlier release",
    publisher="US Bureau of Labor Statistics",
    licence="Public domain (US government work)",
    citation=f"US Bureau of Labor Statistics, Occupational Employment and Wage Statistics, {ADDRESS}",
)

# Our column -> BLS's, and the decimals BLS prints (a spreadsheet may turn 2.2 into 2.2000000000000002).
VALUES = {
    "employment": ("TOT_EMP", 0),
    "employment_rse_pct": ("EMP_PRSE", 1),
    "jobs_per_1000": ("JOBS_1000", 3),
    "location_quotient": ("LOC_QUOTIENT", 2),
    "wage_hourly_mean_usd": ("H_MEAN", 2),
    "wage_annual_mean_usd": ("A_MEAN", 0),
    "wage_rse_pct": ("MEAN_PRSE", 1),
    **{f"wage_{form}_p{n}_usd": (f"{form[0].upper()}_{'MEDIAN' if n == 50 else f'PCT{n}'}", 2 if form == "hourly" else 0)
       for form in ("hourly", "annual") for n in (10, 25, 50, 75, 90)},
}  # fmt: skip
_MARKS = ("*", "**", "#", "~", "NA")
_CODES = (
    Field("area_code", ("AREA",), pattern=r"\d{5,7}", shown="an area code of 5 to 7 digits", filled=True),
    Field("area_name", ("AREA_TITLE", "AREA_NAME"), filled=True),
    Field("occupation_code", ("OCC_CODE",), pattern=tabular.SOC, shown=tabular.SOC_SHOWN, filled=True),
    Field("occupation_title", ("OCC_TITLE",), filled=True),
)
_FIELDS = (
    *_CODES,
    Field("only_annual", ("ANNUAL",), pattern="(?i)true|NA", shown="TRUE or nothing", needed=False),
    Field("only_hourly", ("HOURLY",), pattern="(?i)true|NA", shown="TRUE or nothing", needed=False),
    *(Field(name, (head,), "number", minimum=0, absent=_MARKS) for name, (head, _) in VALUES.items()),
)


def requests(year: int) -> Fetch:
    """List the zip file of the metropolitan areas of May of one year."""
    if not 2012 <= year <= 2100:
        raise SectorbookError(f"OEWS: found the year {year}; expected one from 2012 on.")
    name = f"oesm{year % 100:02d}ma.zip"
    return Fetch(
        about=ABOUT,
        vintage=f"May {year}",
        edition=f"{year}-05",
        files=(Request(name=name, url=ADDRESS + name),),
    )


def _value(field: Field) -> str:
    """Return the SQL of a value and of its status."""
    decimals = VALUES[field.name][1]
    mark = f'trim("{field.name}")'
    other = "annual" if "hourly" in field.name else "hourly"
    one_form = (
        f"WHEN {mark} = '*' AND lower(only_{other}) = 'true' THEN '{other}-only'"
        if "wage_" in field.name
        else ""
    )
    return f"""round(TRY_CAST({field.cell()} AS DOUBLE), {decimals}) AS {field.name},
        CASE WHEN {mark} = '#' THEN 'top-coded' {one_form} WHEN {mark} IN ('*', '**', '~') THEN 'withheld'
            WHEN {field.cell()} IS NULL THEN 'missing' ELSE 'published' END AS {status_column(field.name)}"""


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the table `oews_earlier` as Parquet into `folder` and return its sidecar (not yet written).

    `origin` is the zip file, or its workbook or text (.xlsx, .csv), or a folder with that alone; the year is read
    from its name. Raises SectorbookError with file, row, column, found and expected.
    """
    path = tabular.only(origin, (".zip", ".xlsx", ".csv"), "sectorbook fetch oews_earlier --year YEAR")
    target = folder / "oews_earlier.parquet"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".oews.") as scratch, duckdb.connect() as db:
        inside = path
        if path.suffix == ".zip":
            found = archives.unzip(
                path, Path(scratch), lambda name: "msa_m" in name.lower() and name.lower().endswith(".xlsx")
            )
            if len(found) != 1:
                raise SectorbookError(
                    f"{shown(path)}: found {len(found)} workbooks of metropolitan areas; expected one."
                )
            inside = found[0]
        year = re.search(r"(?:M|_)(?:20)?(\d{2})(?!\d)", inside.stem)
        if not year:
            raise SectorbookError(
                f"{shown(inside)}: which year? Found none in its name; expected one like 'MSA_M2021_dl.xlsx'."
            )
        if inside.suffix == ".csv":
            tabular.load_text(db, "cells", inside, _FIELDS)
        else:
            rows = tabular.sheet(inside)
            top = tabular.header_row(inside, rows, "OCC_CODE", within=3)
            tabular.load_rows(
                db, "cells", inside, rows, [tabular.text(c) for c in rows[top]], top + 1, _FIELDS
            )
        tabular.unique(db, "cells", inside, ["area_code", "occupation_code"])
        columns = ", ".join([*(f.sql() for f in _CODES), *(_value(f) for f in _FIELDS if f.name in VALUES)])
        count = tabular.write(db, f"SELECT {columns} FROM cells ORDER BY area_code, occupation_code", target)
    vintage = f"May 20{year[1]}"
    return ABOUT.processed(
        origin, vintage=vintage, edition=f"20{year[1]}-05", files=[describe(target, rows=count)]
    )
