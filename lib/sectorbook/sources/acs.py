"""American Community Survey (ACS), data profiles, five years, US Census Bureau.

Address: https://api.census.gov/data/YEAR/acs/acs5/profile?get=group(DP03)&for=county:*&in=state:39 (rows of JSON, the first
the header) with labels at …/profile/groups/DP03.json; the same tables as text from https://data.census.gov
(`ACSDP5Y2022.DP03-Data.csv`: a row of codes, a row of labels). DP02 social, DP03 economic, DP05 demographic.
A variable DP03_0062 has an estimate (…E) and its margin of error at 90 % (…M), and as a percent …PE and …PM.
Instead of a number stand, in JSON, large negative numbers, in text, signs; their meaning:
https://www.census.gov/data/developers/data-sets/acs-1year/notes-on-acs-estimate-and-annotation-values.html
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from sectorbook import tabular
from sectorbook.errors import SectorbookError
from sectorbook.paths import shown
from sectorbook.provenance import SIDECAR, Fetch, Publication, Request, Sidecar, describe
from sectorbook.tabular import Field

ADDRESS = "https://api.census.gov/data/"
PROFILES = ("DP02", "DP03", "DP05")

TABLES = {
    "acs_profiles": "One row per area and profile variable: estimate and percent, each with its margin of error."
}

ABOUT = Publication(
    source="acs",
    title="American Community Survey, five-year data profiles",
    publisher="US Census Bureau",
    licence="Public domain (US government work)",
    citation=f"US Census Bureau, American Community Survey, five-year data profiles, {ADDRESS}",
)

# What stands instead of a number, in JSON and in text -> why. A controlled estimate has no sampling error.
MARKS = {
    "-666666666": "too-few-cases", "-": "too-few-cases", "-999999999": "too-few-cases", "N": "too-few-cases",
    "-222222222": "too-few-cases", "**": "too-few-cases", "-888888888": "not-applicable", "(X)": "not-applicable",
    "-333333333": "open-ended", "***": "open-ended", "-555555555": "controlled", "*****": "controlled",
}  # fmt: skip
_CODE = re.compile(r"(DP\d{2}_\d{4})(E|M|PE|PM)")
_PARTS = {"E": "estimate", "M": "estimate_moe", "PE": "percent", "PM": "percent_moe"}
_FIELDS = (
    Field("geo_id", ("GEO_ID",), pattern=r"\d{7}US\w*", shown="an area like '0500000US39049'", filled=True),
    Field("area_name", ("NAME",), filled=True),
)


def requests(year: int, state: str) -> Fetch:
    """List the profiles of all counties of a state ("39"), with their labels, of the five years that end in `year`."""
    if not re.fullmatch(r"\d{2}", state) or not 2010 <= year <= 2100:
        raise SectorbookError(
            f"ACS: found state {state!r}, year {year}; expected a state code like '39' and a year from 2010 on."
        )
    base = f"{ADDRESS}{year}/acs/acs5/profile"
    files = []
    for table in PROFILES:
        query = f"?get=group({table})&for=county:*&in=state:{state}"
        files.append(Request(name=f"acs5-{year}-{state}-{table}.json", url=base + query))
        files.append(Request(name=f"acs5-{year}-labels-{table}.json", url=f"{base}/groups/{table}.json"))
    return Fetch(
        about=ABOUT,
        vintage=f"{year - 4}-{year}, state {state}",
        edition=f"{year}-{state}",
        files=tuple(files),
    )


def _rows(path: Path) -> tuple[list[str], list[list[str]], dict[str, str], int]:
    """Return header, rows, labels and the file row of the first of the rows, of a JSON or a text file."""
    if path.suffix == ".csv":
        names = tabular.header(path)
        with duckdb.connect() as db:
            try:
                rows = db.execute(
                    f"SELECT * EXCLUDE (filename) FROM {tabular.csv_sql([path], names)}"
                ).fetchall()
            except duckdb.Error as error:
                raise tabular.read_error(path, error) from error
        labels = dict(zip(names, rows[0], strict=True)) if rows and rows[0][0] == "Geography" else {}
        return names, [list(r) for r in rows[bool(labels) :]], labels, 3 if labels else 2
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SectorbookError(
            f"{shown(path)} is not JSON ({error}); expected rows. Does the API ask for a key?"
        ) from error
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and len(row) == len(rows[0]) for row in rows
    ):
        raise SectorbookError(f"{shown(path)}, row 1: expected rows of one length, the first the header.")
    return rows[0], rows[1:], {}, 2


def _number(path: Path, row: int, column: str, cell: object) -> tuple[float | None, str]:
    """Return the number of a cell and its status. An open-ended median ("250,000+") is its bound."""
    text = "" if cell is None else str(cell).strip()
    if text in MARKS or not text:
        return None, MARKS.get(text, "missing")
    if found := re.fullmatch(r"([\d,]+)([+-])", text):
        return float(found[1].replace(",", "")), "top-coded" if found[2] == "+" else "bottom-coded"
    try:
        value = float(text)
    except ValueError as error:
        expected = f"a number without thousands separators, or one of {', '.join(MARKS)}"
        raise tabular.wrong_cell(path, row, column, cell, expected) from error
    if value <= -100_000_000:
        raise tabular.wrong_cell(path, row, column, cell, f"a number, or one of {', '.join(MARKS)}")
    return value, "published"


def _long(
    path: Path, names: Sequence[str], rows: Sequence[Sequence[str]], labels: dict[str, str], first: int
) -> list[tuple]:
    """Return one tuple per area and variable."""
    places = tabular.match(path, names, _FIELDS)
    variables: dict[str, dict[str, int]] = {}
    for i, name in enumerate(names):
        if found := _CODE.fullmatch(name):
            variables.setdefault(found[1], {})[found[2]] = i
    if not variables:
        raise SectorbookError(
            f"{shown(path)}, row 1: found no profile variable; expected columns like 'DP03_0062E'."
        )
    if alone := [v for v, parts in variables.items() if "M" not in parts or "E" not in parts]:
        missing = f"{alone[0]}{'M' if 'M' not in variables[alone[0]] else 'E'}"
        raise SectorbookError(
            f"{shown(path)}, row 1, column {missing}: it is missing; expected every estimate with its margin of error."
        )
    out = []
    for number, row in enumerate(rows, start=first):
        geo = str(row[places["geo_id"]])
        if not re.fullmatch(_FIELDS[0].pattern, geo):
            raise tabular.wrong_cell(path, number, "GEO_ID", geo, _FIELDS[0].shown)
        for variable, parts in variables.items():
            cells = {
                p: _number(path, number, f"{variable}{p}", row[parts[p]]) if p in parts else (None, "missing")
                for p in _PARTS
            }
            if (cells["M"][0] or 0) < 0:
                raise tabular.wrong_cell(
                    path, number, f"{variable}M", row[parts["M"]], "a margin of error of 0 or more"
                )
            label = labels.get(f"{variable}E", "").removeprefix("Estimate!!").replace("!!", ": ") or None
            flat = [value for p in _PARTS for value in cells[p]]
            out.append((geo, geo.split("US")[1], row[places["area_name"]], variable, label, *flat))
    return out


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the table `acs_profiles` as Parquet into `folder` and return its sidecar (not yet written).

    `origin` is a folder with the API's answers or with files from data.census.gov, of one five-year period. Each
    value has a status: published, top-coded, bottom-coded, controlled, open-ended, too-few-cases, not-applicable or
    missing. Raises SectorbookError with file, row, column, found and expected, also for an estimate without its
    margin of error.
    """
    if not origin.exists():
        raise SectorbookError(
            f"{shown(origin)} does not exist. Fetch it with: sectorbook fetch acs --year YEAR"
        )
    found = sorted(
        p for p in (origin.iterdir() if origin.is_dir() else [origin]) if p.suffix in (".json", ".csv")
    )
    files = [p for p in found if p.name != SIDECAR and "-labels-" not in p.name]
    if not files:
        raise SectorbookError(
            f"{shown(origin)} holds no profile; expected files like 'ACSDP5Y2022.DP03-Data.csv'."
        )
    years = {y[1] for p in files if (y := re.search(r"(?:acs5-|ACSDP5Y)(\d{4})", p.name))}
    if len(years) != 1:
        raise SectorbookError(
            f"{shown(origin)}: found the years {sorted(years) or 'none'} in the names; expected one."
        )
    shared = {}
    for path in (p for p in found if "-labels-" in p.name):
        shared |= {
            name: entry["label"]
            for name, entry in json.loads(path.read_text(encoding="utf-8"))["variables"].items()
        }
    columns = [
        "geo_id VARCHAR",
        "area_fips VARCHAR",
        "area_name VARCHAR",
        "profile_variable VARCHAR",
        "profile_label VARCHAR",
    ]
    columns += [f"{name} DOUBLE, {name}_status VARCHAR" for name in _PARTS.values()]
    target = folder / "acs_profiles.parquet"
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE cells ({', '.join(columns)})")
        for path in files:
            names, rows, labels, first = _rows(path)
            turned = list(zip(*_long(path, names, rows, labels or shared, first), strict=True))
            if turned:
                db.execute(
                    f"INSERT INTO cells SELECT {', '.join('unnest(?)' for _ in turned)}",
                    [list(c) for c in turned],
                )
        twice = db.execute(
            "SELECT geo_id, profile_variable FROM cells GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"
        ).fetchone()
        if twice:
            raise SectorbookError(
                f"{shown(origin)}: found {twice[1]} of {twice[0]} twice; expected each once. Remove a file."
            )
        rows = tabular.write(db, "SELECT * FROM cells ORDER BY geo_id, profile_variable", target)
    year = int(years.pop())
    return ABOUT.processed(
        origin, vintage=f"{year - 4}-{year}", edition=str(year), files=[describe(target, rows=rows)]
    )
