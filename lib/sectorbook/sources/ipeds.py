"""Completions of postsecondary programs (IPEDS) and the CIP-SOC crosswalk, National Center for Education Statistics.

Addresses: https://nces.ed.gov/ipeds/datacenter/data/C2023_A.zip (awards by institution, six-digit CIP and level; from 1 July
of the year before to 30 June; a revised file `…_rv.csv` inside counts before the first), …/HD2023.zip (directory) and
https://nces.ed.gov/ipeds/cipcode/Files/CIP2020_SOC2018_Crosswalk.xlsx (sheet "CIP-SOC"; many to many).
Dictionaries: …/C2023_A_Dict.zip. Rows for totals (CIP 99 or of two digits, award levels 12, 13 and 15) are left out: with
them every award would count twice. A second major (MAJORNUM 2) is the same graduate again.
"""

import re
import tempfile
from pathlib import Path

import duckdb

from sectorbook import archives, tabular
from sectorbook.errors import SectorbookError
from sectorbook.paths import shown
from sectorbook.provenance import Fetch, Publication, Request, Sidecar, describe
from sectorbook.tabular import Field

ADDRESS = "https://nces.ed.gov/ipeds/datacenter/data/"
CROSSWALK = "https://nces.ed.gov/ipeds/cipcode/Files/CIP2020_SOC2018_Crosswalk.xlsx"

TABLES = {
    "ipeds_completions": "One row per institution, program (CIP), major number and award level: awards.",
    "ipeds_institutions": "One row per institution: name and place.",
    "cip_soc": "One row per program (CIP 2020) and occupation (SOC 2018) that belong together; many to many.",
}

ABOUT = Publication(
    source="ipeds",
    title="IPEDS completions and CIP-SOC crosswalk",
    publisher="US Department of Education, National Center for Education Statistics",
    licence="Public domain (US government work)",
    citation=f"National Center for Education Statistics, Integrated Postsecondary Education Data System, {ADDRESS}",
)

TOTAL_LEVELS = (12, 13, 15)
_UNIT = Field("unit_id", ("UNITID",), pattern=r"\d{6}", shown="an institution of 6 digits", filled=True)
_COMPLETIONS = (
    _UNIT,
    Field("cip_code", ("CIPCODE",), pattern=r"\d{2}(\.\d{4})?", filled=True,
          shown="a CIP code like '51.3801' (a spreadsheet may have dropped zeros)"),
    Field("major_number", ("MAJORNUM",), "integer", minimum=1, maximum=2, filled=True),
    Field("award_level", ("AWLEVEL",), "integer", minimum=1, maximum=21, filled=True),
    Field("awards", ("CTOTALT",), "integer", minimum=0, filled=True),
)  # fmt: skip
_INSTITUTIONS = (
    _UNIT,
    Field("institution_name", ("INSTNM",), filled=True),
    Field("city", ("CITY",)),
    Field("state", ("STABBR",), pattern="[A-Z]{2}", shown="two capitals"),
    Field("county_fips", ("COUNTYCD",), pattern=r"\d{4,5}|-2", shown="a county of 4 or 5 digits, or -2"),
    Field("cbsa_code", ("CBSA",), pattern=r"\d{5}|-2", shown="an area of 5 digits, or -2"),
)
_LINKS = (
    Field("cip_code", ("CIP2020Code",), pattern=r"\d{2}\.\d{4}", filled=True,
          shown="a CIP code like '01.0101' (a spreadsheet may have dropped zeros)"),
    Field("cip_title", ("CIP2020Title",), filled=True),
    Field("soc_code", ("SOC2018Code",), pattern=tabular.SOC, shown=tabular.SOC_SHOWN, filled=True),
    Field("soc_title", ("SOC2018Title",)),
)  # fmt: skip


def requests(year: int) -> Fetch:
    """List the completions of the academic year that ends in `year`, the directory, and the crosswalk."""
    if not 2010 <= year <= 2100:
        raise SectorbookError(f"IPEDS: found the year {year}; expected one from 2010 on.")
    files = [Request(name=name, url=ADDRESS + name) for name in (f"C{year}_A.zip", f"HD{year}.zip")]
    files.append(Request(name=CROSSWALK.rsplit("/", 1)[1], url=CROSSWALK))
    return Fetch(about=ABOUT, vintage=f"{year - 1}-{year % 100:02d}", edition=str(year), files=tuple(files))


def _texts(origin: Path, scratch: Path) -> dict[str, Path]:
    """Return the text files by the survey they are of (C, HD), revised ones before first ones, and the year."""
    found = sorted(p for p in (origin.iterdir() if origin.is_dir() else [origin]) if p.is_file())
    texts = [p for p in found if p.suffix.lower() == ".csv"]
    for number, path in enumerate(p for p in found if p.suffix == ".zip"):
        inside = scratch / str(number)
        inside.mkdir()
        texts += archives.unzip(path, inside, lambda name: name.lower().endswith(".csv"))
    known: dict[str, Path] = {}
    for path in sorted(texts, key=lambda p: "_rv" in p.stem.lower()):
        name = re.fullmatch(r"(c|hd)(\d{4})(_a)?(_rv)?", path.stem.lower())
        if name is None:
            raise SectorbookError(
                f"{shown(path)} is not an IPEDS file; expected a name like 'c2023_a.csv' or 'hd2023.csv'."
            )
        if any(key[-4:] != name[2] for key in known):
            raise SectorbookError(
                f"{shown(origin)}: found the years {next(iter(known))[-4:]} and {name[2]}; expected one."
            )
        known[name[1] + name[2]] = path
    return known


def _encoding(path: Path) -> str:
    """Return UTF-8, or Latin-1 as the directories of earlier years are written."""
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the tables as Parquet into `folder` and return their sidecar (not yet written).

    `origin` is a folder with the zip files or their text files, and the crosswalk; tables whose file is not there
    are not written. Raises SectorbookError with file, row, column, found and expected.
    """
    if not origin.exists():
        raise SectorbookError(
            f"{shown(origin)} does not exist. Fetch it with: sectorbook fetch ipeds --year YEAR"
        )
    written, facts, year = [], {}, None
    with tempfile.TemporaryDirectory(dir=folder, prefix=".ipeds.") as scratch, duckdb.connect() as db:

        def save(table: str, query: str) -> None:
            path = folder / f"{table}.parquet"
            written.append(describe(path, rows=tabular.write(db, query, path)))

        for name, path in _texts(origin, Path(scratch)).items():
            year = name[-4:]
            if name.startswith("hd"):
                tabular.load_text(db, "cells", path, _INSTITUTIONS, encoding=_encoding(path))
                tabular.unique(db, "cells", path, ["unit_id"])
                columns = ", ".join(f.sql() for f in _INSTITUTIONS[:4])
                save(
                    "ipeds_institutions",
                    f"""SELECT {columns}, lpad(nullif(trim(county_fips), '-2'), 5, '0') AS county_fips,
                    nullif(trim(cbsa_code), '-2') AS cbsa_code FROM cells ORDER BY unit_id""",
                )
                continue
            tabular.load_text(db, "cells", path, _COMPLETIONS)
            tabular.unique(db, "cells", path, ["unit_id", "cip_code", "major_number", "award_level"])
            columns = ", ".join(f.sql() for f in _COMPLETIONS)
            single = f"length(trim(cip_code)) = 7 AND left(trim(cip_code), 2) <> '99' AND award_level::INT NOT IN {TOTAL_LEVELS}"
            save("ipeds_completions", f"SELECT {columns} FROM cells WHERE {single} ORDER BY ALL")
            facts["rows_of_totals_left_out"] = float(
                db.execute(f"SELECT count(*) FROM cells WHERE NOT ({single})").fetchone()[0]
            )
        books = sorted(p for p in (origin.iterdir() if origin.is_dir() else [origin]) if p.suffix == ".xlsx")
        for path in books:
            rows = tabular.sheet(path, "CIP-SOC")
            top = tabular.header_row(path, rows, "CIP2020Code")
            tabular.load_rows(db, "cells", path, rows, [tabular.text(c) for c in rows[top]], top + 1, _LINKS)
            tabular.unique(db, "cells", path, ["cip_code", "soc_code"])
            columns = ", ".join(f.sql() for f in _LINKS)
            save(
                "cip_soc",
                f"SELECT {columns} FROM cells WHERE soc_code <> '99-9999' AND cip_code <> '99.9999' ORDER BY ALL",
            )
    if not written:
        raise SectorbookError(
            f"{shown(origin)} holds no IPEDS file; expected C2023_A.zip, HD2023.zip or the crosswalk."
        )
    vintage = f"{int(year) - 1}-{year[2:]}" if year else "CIP 2020, SOC 2018"
    return ABOUT.processed(origin, vintage=vintage, edition=year or "2020", files=written, facts=facts)
