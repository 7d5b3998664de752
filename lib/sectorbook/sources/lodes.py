"""LEHD Origin-Destination Employment Statistics (LODES), version 8, US Census Bureau.

Address: https://lehd.ces.census.gov/data/lodes/LODES8/ST/od/ST_od_main_JT00_YEAR.csv.gz (home and work in the state),
…_od_aux_… (home elsewhere), …/wac/ST_wac_S000_JT00_YEAR.csv.gz (by workplace), …/rac/… (by residence) and
…/ST_xwalk.csv.gz (block to county). Layout: https://lehd.ces.census.gov/doc/help/onthemap/LODESTechDoc.pdf
A row is a 2020 census block (15 digits) or a pair of blocks; JT00 are all jobs, S000 all workers. The counts carry noise
added for confidentiality, so small counties' small cells are not exact.

Blocks become counties by the state's own crosswalk. Homes in other states (aux) are not in it: there the first five
digits of the block are the county, which is the same except in Connecticut.
"""

import re
from pathlib import Path

import duckdb

from sectorbook import tabular
from sectorbook.errors import SectorbookError
from sectorbook.paths import shown
from sectorbook.provenance import SIDECAR, Fetch, Publication, Request, Sidecar, describe
from sectorbook.tabular import Field

ADDRESS = "https://lehd.ces.census.gov/data/lodes/LODES8/"

TABLES = {
    "lodes_flows": "One row per county of residence and county of work: jobs, by age, pay and kind of industry.",
    "lodes_jobs": "One row per county, side (work or home), characteristic and category: jobs.",
}

ABOUT = Publication(
    source="lodes",
    title="LEHD Origin-Destination Employment Statistics, version 8",
    publisher="US Census Bureau",
    licence="Public domain (US government work)",
    citation=f"US Census Bureau, LEHD Origin-Destination Employment Statistics (LODES 8), {ADDRESS}",
)

# `requests` names states by two letters, not by code.
STATES_BY_LETTERS = True

# A region may lie in several states, each fetched into a folder of its own.
YEARS_TOGETHER = True

FLOWS = {
    "S000": "jobs",
    "SA01": "jobs_age_29_or_younger",
    "SA02": "jobs_age_30_to_54",
    "SA03": "jobs_age_55_or_older",
    "SE01": "jobs_paying_1250_usd_or_less",
    "SE02": "jobs_paying_1251_to_3333_usd",
    "SE03": "jobs_paying_over_3333_usd",
    "SI01": "jobs_goods",
    "SI02": "jobs_trade_transport_utilities",
    "SI03": "jobs_other_services",
}
_SECTORS = "11 21 22 23 31-33 42 44-45 48-49 51 52 53 54 55 56 61 62 71 72 81 92"
# Column of the area files -> characteristic and category. Pay is by the month, of the job in the reference quarter.
CATEGORIES = {
    "C000": ("total", "All jobs"),
    "CA01": ("age", "29 or younger"), "CA02": ("age", "30 to 54"), "CA03": ("age", "55 or older"),
    "CE01": ("monthly_pay", "$1,250 or less"), "CE02": ("monthly_pay", "$1,251 to $3,333"),
    "CE03": ("monthly_pay", "over $3,333"),
    **{f"CNS{i:02d}": ("naics_sector", code) for i, code in enumerate(_SECTORS.split(), 1)},
    "CR01": ("race", "White alone"), "CR02": ("race", "Black or African American alone"),
    "CR03": ("race", "American Indian or Alaska Native alone"), "CR04": ("race", "Asian alone"),
    "CR05": ("race", "Native Hawaiian or Other Pacific Islander alone"), "CR07": ("race", "Two or more race groups"),
    "CT01": ("ethnicity", "Not Hispanic or Latino"), "CT02": ("ethnicity", "Hispanic or Latino"),
    "CD01": ("education_30_or_older", "Less than high school"), "CD02": ("education_30_or_older", "High school or equivalent"),
    "CD03": ("education_30_or_older", "Some college or associate degree"),
    "CD04": ("education_30_or_older", "Bachelor's degree or advanced degree"),
    "CS01": ("sex", "Male"), "CS02": ("sex", "Female"),
}  # fmt: skip

_BLOCK = {
    "pattern": r"\d{15}",
    "shown": "a block of 15 digits (a spreadsheet may have rounded it or dropped a zero)",
    "filled": True,
}
_CROSSWALK = (
    Field("block", ("tabblk2020",), **_BLOCK),
    Field("county_fips", ("cty",), pattern=tabular.COUNTY, shown=tabular.COUNTY_SHOWN, filled=True),
)


def _count(name: str, needed: bool = True) -> Field:
    return Field(name, (name,), "integer", minimum=0, filled=needed, needed=needed)


_FLOW_FIELDS = (
    Field("work", ("w_geocode",), **_BLOCK),
    Field("home", ("h_geocode",), **_BLOCK),
    *map(_count, FLOWS),
)
_NAME = re.compile(r"([a-z]{2})_(od_main|od_aux|wac_S000|rac_S000)_JT00_(\d{4})\.csv(\.gz)?")


def requests(state: str, year: int) -> Fetch:
    """List one state's files ("oh") of one year: flows, workplaces, residences, crosswalk."""
    st = state.lower()
    if not re.fullmatch("[a-z]{2}", st) or not 2002 <= year <= 2100:
        raise SectorbookError(
            f"LODES: found state {state!r}, year {year}; expected two letters like 'oh' and a year from 2002."
        )
    names = [f"{st}_od_main", f"{st}_od_aux", f"{st}_wac_S000", f"{st}_rac_S000"]
    files = [
        Request(name=f"{n}_JT00_{year}.csv.gz", url=f"{ADDRESS}{st}/{n.split('_')[1]}/{n}_JT00_{year}.csv.gz")
        for n in names
    ]
    files.append(Request(name=f"{st}_xwalk.csv.gz", url=f"{ADDRESS}{st}/{st}_xwalk.csv.gz"))
    return Fetch(about=ABOUT, vintage=f"{year}, {st.upper()}", edition=f"{year}-{st}", files=tuple(files))


def _newest(origin: Path) -> list[Path]:
    """Return the files of `origin`; where it holds fetched releases, those of the newest year, of every state."""
    releases = [sidecar.parent for sidecar in origin.glob(f"*/{SIDECAR}")] if origin.is_dir() else []
    if not releases:
        return sorted(origin.iterdir()) if origin.is_dir() else [origin]
    last = max(folder.name[:4] for folder in releases)
    return sorted(p for folder in releases if folder.name.startswith(last) for p in folder.iterdir())


def _files(origin: Path) -> tuple[dict[str, list[Path]], list[Path], int]:
    """Return the files by kind, the crosswalks, and the one year they are of."""
    kinds: dict[str, list[Path]] = {}
    crosswalks, years = [], set()
    for path in _newest(origin):
        if found := _NAME.fullmatch(path.name):
            kinds.setdefault(found[2], []).append(path)
            years.add(int(found[3]))
        elif re.fullmatch(r"[a-z]{2}_xwalk\.csv(\.gz)?", path.name):
            crosswalks.append(path)
        elif path.name != SIDECAR and not path.name.startswith("."):
            raise SectorbookError(
                f"{shown(path)} is not a LODES file; expected a name like 'oh_od_main_JT00_2022.csv.gz'."
            )
    if not kinds or not crosswalks:
        raise SectorbookError(
            f"{shown(origin)}: expected LODES files and their crosswalk 'oh_xwalk.csv.gz'. Fetch them."
        )
    if len(years) > 1:
        raise SectorbookError(f"{shown(origin)}: found the years {sorted(years)}; expected one.")
    return kinds, crosswalks, years.pop()


def _placed(db: duckdb.DuckDBPyConnection, path: Path, side: str, column: str) -> None:
    """Raise SectorbookError for the first block of `view` that its state's crosswalk does not know."""
    lost = db.execute(
        f"SELECT {tabular.ROW}, {side} FROM view WHERE NOT EXISTS (SELECT 1 FROM blocks WHERE block = {side}) ORDER BY 1 LIMIT 1"
    ).fetchone()
    if lost:
        raise tabular.wrong_cell(path, lost[0], column, lost[1], "a block of the crosswalk beside it")


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the tables `lodes_flows` and `lodes_jobs`, by county, as Parquet into `folder`; return their sidecar.

    `origin` is a folder with one or more states' files of one year and their crosswalks. Raises SectorbookError
    with file, row, column, found and expected, and for a block that the crosswalk does not know.
    """
    if not origin.exists():
        raise SectorbookError(
            f"{shown(origin)} does not exist. Fetch it with: sectorbook fetch lodes --year YEAR"
        )
    kinds, crosswalks, year = _files(origin)
    written = []
    with duckdb.connect() as db:
        db.execute("CREATE TABLE blocks (block VARCHAR, county_fips VARCHAR)")
        for path in crosswalks:
            tabular.load_text(db, "cells", path, _CROSSWALK)
            tabular.unique(db, "cells", path, ["block"])
            db.execute("INSERT INTO blocks SELECT block, county_fips FROM cells")
        totals = ", ".join(f"sum(CAST({code} AS BIGINT)) AS {code}" for code in FLOWS)
        parts = []
        for path in (*kinds.get("od_main", ()), *kinds.get("od_aux", ())):
            tabular.load_text(db, "view", path, _FLOW_FIELDS, kept=False)
            _placed(db, path, "work", "w_geocode")
            if "_od_main_" in path.name:
                _placed(db, path, "home", "h_geocode")
            table = f"flows_{len(parts)}"
            db.execute(f"""CREATE TABLE {table} AS SELECT coalesce(h.county_fips, left(home, 5)) AS residence_county_fips,
                w.county_fips AS work_county_fips, {totals}
                FROM view JOIN blocks w ON w.block = work LEFT JOIN blocks h ON h.block = home GROUP BY ALL""")
            parts.append(f"SELECT * FROM {table}")
        if parts:
            named = ", ".join(f"CAST(sum({code}) AS BIGINT) AS {name}" for code, name in FLOWS.items())
            query = f"""SELECT residence_county_fips, work_county_fips, {named}
                FROM ({" UNION ALL ".join(parts)}) GROUP BY ALL ORDER BY 1, 2"""
            target = folder / "lodes_flows.parquet"
            written.append(describe(target, rows=tabular.write(db, query, target)))
        parts = []
        for kind, side, column in (("wac_S000", "work", "w_geocode"), ("rac_S000", "home", "h_geocode")):
            for path in kinds.get(kind, ()):
                fields = (
                    Field("place", (column,), **_BLOCK),
                    *(_count(code, needed=code == "C000") for code in CATEGORIES),
                )
                tabular.load_text(db, "view", path, fields, kept=False)
                _placed(db, path, "place", column)
                rows = ", ".join(
                    f"('{code}', '{a}', '{b.replace(chr(39), chr(39) * 2)}', CAST({code} AS BIGINT))"
                    for code, (a, b) in CATEGORIES.items()
                )
                table = f"jobs_{len(parts)}"
                db.execute(f"""CREATE TABLE {table} AS SELECT county_fips, '{side}' AS job_side,
                    v.job_characteristic, v.job_category, v.code, sum(v.jobs) AS jobs FROM view JOIN blocks ON block = place,
                    LATERAL (VALUES {rows}) v(code, job_characteristic, job_category, jobs)
                    WHERE v.jobs IS NOT NULL GROUP BY ALL""")
                parts.append(f"SELECT * FROM {table}")
        if parts:
            union = " UNION ALL ".join(parts)
            query = f"""SELECT county_fips, job_side, job_characteristic, job_category, code AS lodes_code,
                CAST(sum(jobs) AS BIGINT) AS jobs FROM ({union}) GROUP BY ALL ORDER BY county_fips, job_side, code"""
            target = folder / "lodes_jobs.parquet"
            written.append(describe(target, rows=tabular.write(db, query, target)))
    states = ", ".join(sorted({p.name[:2].upper() for p in crosswalks}))
    return ABOUT.processed(origin, vintage=f"{year}, {states}", edition=str(year), files=written)
