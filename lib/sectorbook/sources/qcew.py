"""Quarterly Census of Employment and Wages (QCEW), US Bureau of Labor Statistics.

Slices: https://data.bls.gov/cew/data/api/YEAR/QTR/area/CODE.csv and …/industry/CODE.csv, QTR 1 to 4 or "a" for
annual averages; industry codes with "_" for "-" (31_33). Layout (38 columns annual, 42 quarterly):
https://www.bls.gov/cew/additional-resources/open-data/csv-data-slices.htm
Zips: https://data.bls.gov/cew/data/files/YEAR/csv/YEAR_annual_by_area.zip, …_qtrly_by_area.zip (one file an area,
43 and 47 columns: titles added and `estabs` named `estabs_count`), …_annual_singlefile.zip (38 columns).
Layouts: https://www.bls.gov/cew/about-data/downloadable-file-layouts/

A row with disclosure_code "N" holds zeros that are not zeros: employment and wages are withheld there, the number of
establishments is not. `lq_disclosure_code` and `oty_disclosure_code` say the same of the location quotients
(base: total covered employment, own_code 0) and of the changes over the year.
Industries are coded by the NAICS in force: NAICS 2012 from first quarter 2011, 2017 from 2017, 2022 from 2022
(https://www.bls.gov/cew/classifications/industry/naics-2012.htm, …/naics-2017.htm,
https://www.bls.gov/bls/naics-implementation-schedule.htm). A row carries its vintage.
"""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import duckdb

from sectorbook import archives, tabular
from sectorbook.errors import SectorbookError
from sectorbook.paths import shown
from sectorbook.provenance import Fetch, Publication, Request, Sidecar, describe, files_of
from sectorbook.tabular import Field

ADDRESS = "https://data.bls.gov/cew/data/"
NATION = "US000"

TABLES = {
    "qcew": "One row per area, ownership, industry, size class and period: establishments, employment, wages."
}

ABOUT = Publication(
    source="qcew",
    title="Quarterly Census of Employment and Wages",
    publisher="US Bureau of Labor Statistics",
    licence="Public domain (US government work)",
    citation=f"US Bureau of Labor Statistics, Quarterly Census of Employment and Wages, {ADDRESS}",
)

# NAICS vintage -> the first year QCEW used it. Nobody knows yet what the years from 2027 on will use.
NAICS_FROM = {2022: "2022", 2017: "2017", 2011: "2012", 2007: "2007", 1990: "2002"}
LAST_YEAR = 2026

# One table for all years that were fetched: change needs two.
YEARS_TOGETHER = True

ORDER = "area_fips, year, quarter, own_code, industry_code, size_code"
KEYS = ("area_fips", "own_code", "industry_code", "size_code", "year", "quarter")
_CODES = (
    Field("area_fips", ("area_fips",), pattern=r"\d{5}|US[0-9A-Z]{3}|C\d{4}|CS\d{3}", filled=True,
          shown="an area code of 5 characters like '01001', 'C1814' or 'US000' (a spreadsheet may have dropped a zero)"),
    Field("own_code", ("own_code",), pattern=r"\d", filled=True, shown="an ownership code of 1 digit"),
    Field("industry_code", ("industry_code",), pattern=r"\d{2,6}|31-33|44-45|48-49", filled=True,
          shown="an industry code of 2 to 6 digits, or 31-33, 44-45, 48-49"),
    Field("agglvl_code", ("agglvl_code",), pattern=r"\d{2}", filled=True, shown="an aggregation level of 2 digits"),
    Field("size_code", ("size_code",), pattern=r"\d", filled=True, shown="a size class of 1 digit"),
    Field("year", ("year",), "integer", minimum=1990, maximum=LAST_YEAR, filled=True,
          shown=f"a year from 1990 to {LAST_YEAR}, whose NAICS vintage is known"),
    Field("quarter", ("qtr",), pattern="[1-4A]", filled=True, shown="a quarter 1 to 4, or A for annual"),
    Field("disclosure", ("disclosure_code",), pattern="[N-]", shown="N, or nothing"),
    Field("lq_disclosure", ("lq_disclosure_code",), pattern="[N-]", shown="N, or nothing"),
    Field("oty_disclosure", ("oty_disclosure_code",), pattern="[N-]", shown="N, or nothing"),
)  # fmt: skip


def _numbers(annual: bool) -> tuple[Field, ...]:
    """Return the value columns of an annual or a quarterly layout."""
    period, level = ("annual_avg", "annual_avg_emplvl") if annual else ("qtrly", "month3_emplvl")
    wages, weekly = (
        ("total_annual_wages", "annual_avg_wkly_wage") if annual else ("total_qtrly_wages", "avg_wkly_wage")
    )
    estabs = (f"{period}_estabs", f"{period}_estabs_count")
    months = () if annual else ("month1_emplvl", "month2_emplvl")
    return (
        Field("establishments", estabs, "integer", minimum=0),
        Field("employment", (level,), "integer", minimum=0),
        Field("employment_month1", months[:1] or ("month1_emplvl",), "integer", minimum=0, needed=not annual),
        Field("employment_month2", months[1:] or ("month2_emplvl",), "integer", minimum=0, needed=not annual),
        Field("total_wages_usd", (wages,), "integer", minimum=0),
        Field("wage_weekly_mean_usd", (weekly,), "integer", minimum=0),
        Field("wage_annual_mean_usd", ("avg_annual_pay",), "integer", minimum=0, needed=annual),
        Field("location_quotient", (f"lq_{level}",), "number", minimum=0),
        Field("location_quotient_establishments", tuple(f"lq_{e}" for e in estabs), "number", minimum=0),
        Field("location_quotient_wages", (f"lq_{wages}",), "number", minimum=0),
        Field("establishments_change", tuple(f"oty_{e}_chg" for e in estabs), "integer"),
        Field("employment_change", (f"oty_{level}_chg",), "integer"),
        Field("employment_change_pct", (f"oty_{level}_pct_chg", f"oty_{level}_pct"), "number"),
        Field("total_wages_change_pct", (f"oty_{wages}_pct_chg", f"oty_{wages}_pct"), "number"),
    )


# Value column -> the flag that governs it, and the type that holds its digits.
_VALUES = {
    "establishments": (None, "INTEGER"),
    "employment": ("disclosure", "INTEGER"),
    "employment_month1": ("disclosure", "INTEGER"),
    "employment_month2": ("disclosure", "INTEGER"),
    "total_wages_usd": ("disclosure", "BIGINT"),
    "wage_weekly_mean_usd": ("disclosure", "INTEGER"),
    "wage_annual_mean_usd": ("disclosure", "INTEGER"),
    "location_quotient": ("lq_disclosure", "DECIMAL(10,2)"),
    "location_quotient_establishments": (None, "DECIMAL(10,2)"),
    "location_quotient_wages": ("lq_disclosure", "DECIMAL(10,2)"),
    "establishments_change": (None, "INTEGER"),
    "employment_change": ("oty_disclosure", "INTEGER"),
    "employment_change_pct": ("oty_disclosure", "DECIMAL(12,1)"),
    "total_wages_change_pct": ("oty_disclosure", "DECIMAL(12,1)"),
}
_STATUSES = {
    "employment": "disclosure",
    "location_quotient": "lq_disclosure",
    "employment_change": "oty_disclosure",
}

# Sorting 3.6 million rows may spill to disk; it must not take a laptop's memory.
MEMORY = "500MB"
THREADS = min(os.cpu_count() or 1, 4)
PARQUET = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 61440"


def naics_vintage(year: int) -> str:
    """Return the NAICS vintage of QCEW's industry codes in a year. Raises SectorbookError where it is not known."""
    if not 1990 <= year <= LAST_YEAR:
        raise SectorbookError(
            f"QCEW by NAICS: the year {year} is not known here. Valid: 1990 to {LAST_YEAR}."
        )
    return next(vintage for first, vintage in NAICS_FROM.items() if year >= first)


def metropolitan(cbsa: str) -> str:
    """Return QCEW's code of a metropolitan area: "18140" (Columbus, OH) is "C1814"."""
    return f"C{cbsa[:4]}"


def requests(
    year: int, quarter: int | None = None, areas: Sequence[str] = (), industries: Sequence[str] = ()
) -> Fetch:
    """List the slices of these areas (county, state "39000", "C1814") and industries, with the nation's slice.

    Annual averages, or one `quarter`. Without areas and industries: the whole country in one zip file.
    Raises SectorbookError for a year or a quarter that cannot be.
    """
    naics_vintage(year)
    if quarter not in (None, 1, 2, 3, 4):
        raise SectorbookError(
            f"Quarter {quarter} does not exist. Valid: 1 to 4, or none for annual averages."
        )
    if year > date.today().year:
        raise SectorbookError(f"QCEW for {year} is not published yet.")
    part, label = ("a", str(year)) if quarter is None else (str(quarter), f"{year}-q{quarter}")
    wanted = [("area", a) for a in dict.fromkeys([*areas, *([NATION] if areas else [])])]
    wanted += [("industry", i.replace("-", "_")) for i in dict.fromkeys(industries)]
    files = [
        Request(name=f"{label}-{kind}-{code}.csv", url=f"{ADDRESS}api/{year}/{part}/{kind}/{code}.csv")
        for kind, code in wanted
    ]
    if not files:
        name = f"{year}_{'annual' if quarter is None else 'qtrly'}_singlefile.zip"
        files = [Request(name=name, url=f"{ADDRESS}files/{year}/csv/{name}")]
    return Fetch(about=ABOUT, vintage=label, edition=label, files=tuple(files))


# -- reading ----------------------------------------------------------------------------------------------


def _files(origin: Path, scratch: Path) -> Iterator[Path]:
    """Yield the text files of `origin` (a file, or a folder with its releases), zip files opened into `scratch`."""
    for number, path in enumerate(files_of(origin)):
        if path.suffix == ".zip":
            inside = scratch / str(number)
            inside.mkdir()
            yield from archives.unzip(path, inside, lambda name: name.lower().endswith(".csv"))
        elif path.name.endswith((".csv", ".csv.gz")):
            yield path
        else:
            raise SectorbookError(f"{shown(path)} is not a QCEW file. Expected .csv, .csv.gz or .zip.")


def _layout(path: Path, names: Sequence[str]) -> tuple[Field, ...]:
    """Return the fields of a file, annual or quarterly by its header."""
    annual = (
        "annual_avg_emplvl" in names or "annual_avg_estabs" in names or "annual_avg_estabs_count" in names
    )
    fields = (*_CODES, *_numbers(annual))
    tabular.match(path, names, fields)
    return fields


def _typed(fields: Sequence[Field], places: dict[str, int], source: str) -> str:
    """Return the SQL that turns text columns into the table's columns; a cell that does not fit raises in DuckDB."""

    def cell(name: str) -> str:
        return f"c{places[name]}" if name in places else "NULL::VARCHAR"

    def value(name: str) -> str:
        flag, kind = _VALUES[name]
        kept = (
            cell(name) if flag is None else f"CASE WHEN coalesce({cell(flag)}, '') = '' THEN {cell(name)} END"
        )
        return f"CAST({kept} AS {kind}) AS {name}"

    codes = ", ".join(f"{cell(f.name)} AS {f.name}" for f in fields if f.name in KEYS and f.name != "year")
    vintages = " ".join(f"WHEN y >= {first} THEN '{vintage}'" for first, vintage in NAICS_FROM.items())
    statuses = ", ".join(
        f"""CASE coalesce({cell(flag)}, '') WHEN 'N' THEN 'withheld' WHEN '-' THEN 'withheld'
            WHEN '' THEN CASE WHEN {cell(of)} IS NULL THEN 'missing' ELSE 'published' END
            ELSE error('unknown disclosure code') END AS {of}_status"""
        for of, flag in _STATUSES.items()
    )
    return f"""SELECT {codes}, {cell("agglvl_code")} AS agglvl_code, y AS year, CASE {vintages} END AS naics_vintage,
        {", ".join(value(name) for name in _VALUES)}, {statuses}, filename AS _file
        FROM (SELECT *, CAST({cell("year")} AS SMALLINT) AS y FROM {source})"""


def _queries(files: Iterable[Path]) -> tuple[str, list[tuple[Path, tuple[Field, ...]]]]:
    """Return one SQL query over all files and each file's fields. Files of one header are read together."""
    groups: dict[tuple[str, ...], list[Path]] = {}
    for path in files:
        groups.setdefault(tuple(tabular.header(path)), []).append(path)
    queries, known = [], []
    for names, paths in groups.items():
        fields = _layout(paths[0], names)
        places = tabular.match(paths[0], names, fields)
        queries.append(_typed(fields, places, tabular.csv_sql(paths, names)))
        known += [(path, fields) for path in paths]
    return " UNION ALL ".join(queries), known


def _diagnose(
    db: duckdb.DuckDBPyConnection, known: list[tuple[Path, tuple[Field, ...]]], problem: str
) -> None:
    """Read file by file until the cell behind `problem` is found, and raise with its row and column."""
    for path, fields in known:
        tabular.load_text(db, "diagnosed", path, fields)
        first = db.execute("SELECT year FROM diagnosed LIMIT 1").fetchone()
        if first is None:
            raise SectorbookError(f"{shown(path)}, row 2: found no rows; expected rows below the header.")
        other = db.execute(
            f"SELECT {tabular.ROW}, year FROM diagnosed WHERE year <> ? ORDER BY 1 LIMIT 1", first
        ).fetchone()
        if other:
            raise tabular.wrong_cell(
                path,
                other[0],
                "year",
                other[1],
                f"{first[0]} as in row 2: one year, one NAICS vintage, a file",
            )
        tabular.unique(db, "diagnosed", path, KEYS)
    raise SectorbookError(f"QCEW: {problem}")


def _check(db: duckdb.DuckDBPyConnection, stage: str, file: str) -> str | None:
    """Return what is wrong with the staged rows, in a few words, or None."""
    lowest, highest, rows = db.execute(f"SELECT min(year), max(year), count(*) FROM {stage}").fetchone()
    if not rows:
        return "the files hold no rows."
    if lowest < 1990 or highest > LAST_YEAR:
        return "a year is out of range."
    # One pass over the rows: the least of every count, and each code's distinct values (few, so a list of them is small).
    counts = [name for name in _VALUES if "change" not in name]
    coded = [f for f in _CODES if f.pattern and f.name in (*KEYS, "agglvl_code")]
    asked = [
        *(f"min({name}) < 0" for name in counts),
        *(f"list(DISTINCT {f.name})" for f in coded),
        *(f"count({f.name})" for f in coded),
    ]
    found = db.execute(f"SELECT {', '.join(asked)} FROM {stage}").fetchone()
    if any(found[: len(counts)]):
        return "a count is negative."
    lists, filled = found[len(counts) : -len(coded)], found[-len(coded) :]
    for field, codes, number in zip(coded, lists, filled, strict=True):
        if number < rows or not all(re.fullmatch(field.pattern, code) for code in codes):
            return f"a code in {field.name} is not valid."
    if db.execute(f"SELECT 1 FROM {stage} GROUP BY {file} HAVING min(year) <> max(year) LIMIT 1").fetchone():
        return "a file holds more than one year."
    twice = f"SELECT 1 FROM (SELECT hash({file}, {', '.join(KEYS)}) AS h FROM {stage}) GROUP BY h HAVING count(*) > 1 LIMIT 1"
    return "a file holds a row twice." if db.execute(twice).fetchone() else None


def _convert(db: duckdb.DuckDBPyConnection, origin: Path, scratch: Path, target: Path) -> None:
    """Write the table of all files of `origin` to `target`, in the order of the areas."""
    query, known = _queries(_files(origin, scratch))
    if not known:
        raise SectorbookError(f"{shown(origin)} holds no QCEW file (.csv, .csv.gz or .zip).")
    many = len(known) > 1
    stage = scratch / "stage.parquet"
    try:
        staged = query if many else f"SELECT * EXCLUDE (_file) FROM ({query})"
        db.execute(f"COPY ({staged}) TO '{stage}' ({PARQUET})")
    except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
        _diagnose(db, known, str(error).splitlines()[0])
    if problem := _check(db, f"'{stage}'", "_file" if many else "''"):
        _diagnose(db, known, problem)
    back = f"SELECT area_fips < lag(area_fips) OVER () AS back FROM '{stage}'"
    if not many and not db.execute(f"SELECT 1 FROM ({back}) WHERE back LIMIT 1").fetchone():
        stage.replace(target)  # BLS's single files come sorted by area
        return
    picked = f"SELECT {'DISTINCT * EXCLUDE (_file)' if many else '*'} FROM '{stage}'"
    db.execute(f"COPY ({picked} ORDER BY {ORDER}) TO '{target}' ({PARQUET})")
    twice = db.execute(
        f"SELECT {', '.join(KEYS)} FROM '{target}' GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"
    ).fetchone()
    if twice:
        raise SectorbookError(
            f"{shown(origin)}: two files give different values for {dict(zip(KEYS, twice, strict=True))}; expected one "
            "release. Remove the older files."
        )


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the table `qcew` as Parquet, sorted by area, into `folder` and return its sidecar (not yet written).

    `origin` is a file or a folder of slices, by-area files or single files, plain, .gz or .zip, annual or
    quarterly; a row that stands in two files alike counts once. Quarterly `employment` is that of the third
    month. Withheld values are NULL, never 0. Raises SectorbookError with file, row, column, found and expected
    for anything that does not fit the layout, and for more than one year in one file.
    """
    if not origin.exists():
        raise SectorbookError(
            f"{shown(origin)} does not exist. Fetch it with: sectorbook fetch qcew --year YEAR"
        )
    target = folder / "qcew.parquet"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".qcew.") as scratch, duckdb.connect() as db:
        db.execute(
            f"SET memory_limit = '{MEMORY}'; SET threads = {THREADS}; SET temp_directory = '{scratch}/spill'; "
            "SET enable_progress_bar = false"
        )
        _convert(db, origin, Path(scratch), target)
        rows, first, last = db.execute(f"SELECT count(*), min(year), max(year) FROM '{target}'").fetchone()
        vintages = db.execute(f"SELECT DISTINCT naics_vintage FROM '{target}' ORDER BY 1").fetchall()
        quarters = db.execute(f"SELECT DISTINCT quarter FROM '{target}' ORDER BY 1").fetchall()
    years = str(last) if first == last else f"{first} to {last}"
    annual = quarters == [("A",)]
    kind = "annual averages" if annual else f"quarters {', '.join(q for (q,) in quarters)}"
    return ABOUT.processed(
        origin,
        vintage=f"{years}, {kind}",
        edition=f"{last}{'' if annual else '-q' + max(q for (q,) in quarters if q != 'A')}",
        files=[describe(target, rows=rows)],
        facts={
            "naics_vintages": ", ".join(v for (v,) in vintages),
            "first_year": str(first),
            "last_year": str(last),
        },
    )
