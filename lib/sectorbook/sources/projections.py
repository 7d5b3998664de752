"""Employment Projections: occupations, US Bureau of Labor Statistics.

Address: https://www.bls.gov/emp/ind-occ-matrix/occupation.xlsx (the current ten years; tables described at
https://www.bls.gov/emp/tables.htm). Two sheets are read: "Occupational projections … and worker characteristics" (table 1.7
until 2016-26, 1.2 since) and "Occupational separations and openings" (table 1.10). Old workbooks have headers of two or
three rows with merged cells ("Employment" over 2016 and 2026), new ones one row ("Employment, 2024"); numbers are in
thousands. "—" means not available. Median wages are of the OEWS survey and stop at a top.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from sectorbook import tabular
from sectorbook.errors import SectorbookError
from sectorbook.paths import shown
from sectorbook.provenance import Fetch, Publication, Request, Sidecar, describe
from sectorbook.tabular import Field

ADDRESS = "https://www.bls.gov/emp/ind-occ-matrix/occupation.xlsx"

TABLES = {
    "projections": "One row per national occupation: employment now and in ten years, openings, exits, education, training."
}

ABOUT = Publication(
    source="projections",
    title="Employment Projections, occupations",
    publisher="US Bureau of Labor Statistics",
    licence="Public domain (US government work)",
    citation=f"US Bureau of Labor Statistics, Employment Projections, {ADDRESS}",
)

_NONE = ("—", "–", "-")
_CODE = Field("occupation_code", ("code",), pattern=tabular.SOC, shown=tabular.SOC_SHOWN, filled=True)
_TYPES = Field(
    "occupation_type",
    ("occupation type",),
    pattern="Summary|Line item",
    shown="Summary or Line item",
    filled=True,
)
_PROSPECTS = (
    Field("occupation_title", ("title",), filled=True),
    _CODE,
    _TYPES,
    Field("employment_base", ("employment, base year",), "number", minimum=0, absent=_NONE, filled=True),
    Field("employment_projected", ("employment, projected year",), "number", minimum=0, absent=_NONE, filled=True),
    Field("employment_change", ("employment change, number",), "number", absent=_NONE),
    Field("employment_change_pct", ("employment change, percent",), "number", absent=_NONE),
    Field("self_employed_pct", ("percent self employed",), "number", minimum=0, maximum=100, absent=_NONE, needed=False),
    Field("openings_annual", ("occupational openings",), "number", minimum=0, absent=_NONE),
    Field("wage_printed", ("median annual wage",), pattern=r"\$?[\d.]+|[>≥]=? ?\$?[\d,]+", absent=_NONE, needed=False,
          shown="a wage in dollars without thousands separators, or '—'"),
    Field("education_entry", ("typical education needed for entry",), absent=_NONE, needed=False),
    Field("work_experience", ("work experience in a related occupation",), absent=_NONE, needed=False),
    Field("training_on_the_job", ("typical on-the-job training",), absent=_NONE, needed=False),
)  # fmt: skip
_OPENINGS = (
    _CODE,
    Field("exit_rate_pct", ("labor force exits, rate",), "number", minimum=0, absent=_NONE),
    Field("transfer_rate_pct", ("occupational transfers, rate",), "number", minimum=0, absent=_NONE),
    Field("exits_annual", ("labor force exits, number",), "number", minimum=0, absent=_NONE),
    Field("transfers_annual", ("occupational transfers, number",), "number", minimum=0, absent=_NONE),
)

# What a header says, old or new, once its rows are joined -> the name used here. The first that fits counts.
_NAMES = (
    (r"matrix (title|code)$", r"\1"),
    (r"^occupation type$", "occupation type"),
    (r"^employment,? (\d{4})$", r"employment \1"),
    (r"^(employment )?change,? (\d{4}-\d{2,4},? )?num(ber|eric)|^employment change, numeric", "employment change, number"),
    (r"^(employment )?change,? (\d{4}-\d{2,4},? )?percent|^employment change, percent|^percent employment change",
     "employment change, percent"),
    (r"^percent self[- ]employed", "percent self employed"),
    (r"^occupational openings", "occupational openings"),
    (r"^median annual wage", "median annual wage"),
    (r"^typical education needed for entry", "typical education needed for entry"),
    (r"^work experience in a related occupation", "work experience in a related occupation"),
    (r"^typical on-the-job training", "typical on-the-job training"),
    (r"rate.*labor force exits?|labor force exits? rate", "labor force exits, rate"),
    (r"rate.*occupational transfers?|occupational transfers? rate", "occupational transfers, rate"),
    (r"labor force exits?", "labor force exits, number"),
    (r"occupational transfers?", "occupational transfers, number"),
)  # fmt: skip


def requests() -> Fetch:
    """List the workbook of the current projections; BLS keeps only these at this address."""
    files = (Request(name="occupation.xlsx", url=ADDRESS),)
    return Fetch(about=ABOUT, vintage="current release", edition="current", files=files)


def _joined(rows: Sequence[Sequence[object]]) -> list[str]:
    """Return one name per column of a header of one to three rows, merged cells carried to the right."""
    carried = []
    for row in rows[:-1]:
        names, last = [], ""
        for cell in map(tabular.text, row):
            last = cell or last
            names.append(last)
        carried.append(names)
    carried.append([tabular.text(cell) for cell in rows[-1]])
    return [" ".join(dict.fromkeys(part for part in column if part)) for column in zip(*carried, strict=True)]


def _named(joined: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return our name of every column (empty where it is not used) and the years in the header, in order."""
    names, years = [], []
    for text in joined:
        plain = re.sub(r"\s+", " ", text.replace("–", "-").replace("—", "-")).strip().lower()
        if "matrix title and code" in plain:
            names.append("code" if "title" in names else "title")
            continue
        if re.search(r"distribution|^total|rate.* total$|average total$", plain):
            names.append("")
            continue
        for pattern, name in _NAMES:
            if found := re.search(pattern, plain):
                plain = found.expand(name)
                break
        else:
            plain = ""
        if year := re.fullmatch(r"employment (\d{4})", plain):
            years.append(int(year[1]))
        names.append(plain)
    order = sorted(set(years))
    known = {
        f"employment {y}": f"employment, {kind} year"
        for y, kind in zip(order, ("base", "projected"), strict=False)
    }
    return [known.get(name, name) for name in names], order


def _table(path: Path, words: Sequence[str]) -> tuple[str, list[list[object]]]:
    """Return the name and rows of the sheet whose first cell has all the `words`."""
    titles = {}
    for name in tabular.sheets(path):
        if name.lower().startswith("table"):
            rows = tabular.sheet(path, name)
            titles[name] = tabular.text(rows[0][0]).replace("\n", " ") if rows else ""
            if all(word in titles[name].lower() for word in words):
                return name, rows
    listed = "; ".join(titles.values())[:600] or "no sheet named Table"
    raise SectorbookError(f"{shown(path)}: no table about {' and '.join(words)}. Found: {listed}.")


def _load(
    db: duckdb.DuckDBPyConnection, table: str, path: Path, words: Sequence[str], fields: Sequence[Field]
) -> list[int]:
    """Load one sheet as checked text columns and return the years its header names."""
    name, rows = _table(path, words)
    label = path.with_name(f"{path.name} ({name})")
    first = next(
        (i for i, row in enumerate(rows) if re.match(r"total, all occ", tabular.text(row[0]).lower())), None
    )
    if first is None or first < 2:
        raise SectorbookError(
            f"{shown(label)}, column A: found no row 'Total, all occupations'; expected one below the header."
        )
    last = next(
        (
            i
            for i in range(first, len(rows))
            if re.match(r"(foot)?notes?\b|source|\[|\(|$", tabular.text(rows[i][0]).lower())
        ),
        len(rows),
    )
    names, years = _named(_joined(rows[1:first]))
    tabular.load_rows(db, table, label, rows[:last], names, first, fields)
    tabular.unique(db, table, label, ["occupation_code"])
    return years


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the table `projections` as Parquet into `folder` and return its sidecar (not yet written).

    `origin` is the workbook, or a folder that holds it alone. Employment, openings, exits and transfers are
    jobs (the workbook prints thousands). Raises SectorbookError with file, row, column, found and expected.
    """
    path = tabular.only(origin, ".xlsx", "sectorbook fetch projections")
    target = folder / "projections.parquet"
    with duckdb.connect() as db:
        years = _load(db, "prospects", path, ("projections", "characteristics"), _PROSPECTS)
        if len(years) != 2:
            raise SectorbookError(
                f"{shown(path)}: found the years {years or 'none'} in the header; expected two (base, projected)."
            )
        _load(db, "openings", path, ("separations", "openings"), _OPENINGS)
        jobs = (
            "employment_base",
            "employment_projected",
            "employment_change",
            "openings_annual",
            "exits_annual",
            "transfers_annual",
        )
        picked = [f for f in (*_PROSPECTS, *_OPENINGS[1:]) if f.name != "wage_printed"]
        columns = ", ".join(
            f"round(1000 * {f.name}) AS {f.name}" if f.name in jobs else f.name for f in picked
        )
        typed = ", ".join(f.sql() for f in (*_PROSPECTS, *_OPENINGS[1:]))
        wage = "regexp_extract(wage_printed, '[0-9.]+')"
        query = f"""SELECT {columns}, CAST({years[0]} AS SMALLINT) AS base_year, CAST({years[1]} AS SMALLINT) AS projected_year,
            CASE WHEN wage_printed NOT SIMILAR TO '[>≥].*' THEN CAST({wage} AS DOUBLE) END AS wage_annual_p50_usd,
            CASE WHEN wage_printed IS NULL THEN 'missing' WHEN wage_printed SIMILAR TO '[>≥].*' THEN 'top-coded'
                ELSE 'published' END AS wage_annual_p50_status
            FROM (SELECT {typed} FROM prospects LEFT JOIN openings USING (occupation_code)) ORDER BY occupation_code"""
        rows = tabular.write(db, query, target)
    vintage = f"{years[0]}–{years[1] % 100:02d}"
    return ABOUT.processed(
        origin, vintage=vintage, edition=vintage.replace("–", "-"), files=[describe(target, rows=rows)],
        facts={"base_year": str(years[0]), "projected_year": str(years[1])},
    )  # fmt: skip
