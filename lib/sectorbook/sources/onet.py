"""O*NET Database, US Department of Labor, Employment and Training Administration.

Address: https://www.onetcenter.org/dl_files/database/db_30_0_text.zip (and …_excel.zip), one zip a release; releases and
licence: https://www.onetcenter.org/database.html; layout: https://www.onetcenter.org/dictionary/27.0/text/ and so on.
The text files are tab-separated without quotes, the Excel files have one sheet with the same columns and the titles of
codes beside them. Columns that came or went: "In Demand" of the technology skills, "Element Name" and "Title" in
Excel only for some files, "Not Relevant" in the skills only. "n/a" means not applicable.
A cell with "Recommend Suppress" Y has too little precision; it is kept and flagged.
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

ADDRESS = "https://www.onetcenter.org/dl_files/database/"
CODE = r"\d{2}-\d{4}\.\d{2}"
CODE_SHOWN = "an O*NET-SOC code like '29-1141.00'"

TABLES = {
    "onet_occupations": "One row per O*NET occupation: title and description.",
    "onet_job_zones": "One row per O*NET occupation: its job zone, 1 (little preparation) to 5 (extensive).",
    "onet_skills": "One row per O*NET occupation, skill and scale (IM importance 1-5, LV level 0-7), with standard error and n.",
    "onet_knowledge": "One row per O*NET occupation, field of knowledge and scale, with standard error and n.",
    "onet_education": "One row per O*NET occupation and category of education, experience or training: percent of workers.",
    "onet_related": "One row per O*NET occupation and related occupation, with tier and rank.",
    "onet_technology": "One row per O*NET occupation and technology example, with its category.",
}

ABOUT = Publication(
    source="onet",
    title="O*NET Database",
    publisher="US Department of Labor, Employment and Training Administration",
    licence="CC BY 4.0, https://www.onetcenter.org/license_db.html",
    citation="O*NET Database by the US Department of Labor, Employment and Training Administration (USDOL/ETA), CC BY 4.0. "
    "Sectorbook has rearranged the tables",
)

_NA = ("n/a",)
_OCCUPATION = Field("onet_soc_code", ("O*NET-SOC Code",), pattern=CODE, shown=CODE_SHOWN, filled=True)
_DATE = Field("rated_month", ("Date",), pattern=r"\d{2}/\d{4}", shown="a month like '08/2023'")
_BY = Field("domain_source", ("Domain Source",))
_ELEMENT = (
    Field("element_id", ("Element ID",), pattern=r"\d(\.\w+)+", shown="an element like '2.A.1.a'", filled=True),
    Field("element_name", ("Element Name",), filled=True),
    Field("scale_id", ("Scale ID",), pattern=r"[A-Z0-9]{2,3}", shown="a scale of 2 or 3 capitals like 'IM'", filled=True),
)  # fmt: skip
_ESTIMATE = (
    Field("onet_n", ("N",), "integer", minimum=0, absent=_NA),
    Field("onet_se", ("Standard Error",), "number", minimum=0, absent=_NA),
    Field("onet_low", ("Lower CI Bound",), "number", absent=_NA),
    Field("onet_high", ("Upper CI Bound",), "number", absent=_NA),
    Field("onet_suppress", ("Recommend Suppress",), pattern="[YN]", absent=_NA, shown="Y, N or nothing"),
)
_RATED = (
    _OCCUPATION,
    *_ELEMENT,
    Field("onet_value", ("Data Value",), "number", minimum=0, maximum=7, filled=True),
    *_ESTIMATE,
    Field(
        "not_relevant", ("Not Relevant",), pattern="[YN]", absent=_NA, shown="Y, N or nothing", needed=False
    ),
    _DATE,
    _BY,
)
_YES = Field("hot_technology", ("Hot Technology",), pattern="[YN]", shown="Y or N")

# Table -> the publisher's file, its fields, and what makes a row one of a kind.
FILES: dict[str, tuple[str, tuple[Field, ...], tuple[str, ...]]] = {
    "onet_occupations": (
        "Occupation Data",
        (_OCCUPATION, Field("occupation_title", ("Title",), filled=True), Field("occupation_description", ("Description",))),
        ("onet_soc_code",),
    ),
    "onet_job_zones": (
        "Job Zones",
        (_OCCUPATION, Field("job_zone", ("Job Zone",), "integer", minimum=1, maximum=5, filled=True), _DATE, _BY),
        ("onet_soc_code",),
    ),
    "onet_skills": ("Skills", _RATED, ("onet_soc_code", "element_id", "scale_id")),
    "onet_knowledge": ("Knowledge", _RATED, ("onet_soc_code", "element_id", "scale_id")),
    "onet_education": (
        "Education, Training, and Experience",
        (
            _OCCUPATION,
            *_ELEMENT,
            Field("category_number", ("Category",), "integer", minimum=1, maximum=12, absent=_NA),
            Field("onet_value", ("Data Value",), "number", minimum=0, maximum=100, filled=True),
            *_ESTIMATE,
            _DATE,
            _BY,
        ),
        ("onet_soc_code", "element_id", "scale_id", "category_number"),
    ),
    "onet_related": (
        "Related Occupations",
        (
            _OCCUPATION,
            Field("related_onet_soc_code", ("Related O*NET-SOC Code",), pattern=CODE, shown=CODE_SHOWN, filled=True),
            Field("related_tier", ("Relatedness Tier",), pattern="Primary-Short|Primary-Long|Supplemental", filled=True),
            Field("related_rank", ("Index",), "integer", minimum=1, filled=True),
        ),
        ("onet_soc_code", "related_onet_soc_code"),
    ),
    "onet_technology": (
        "Technology Skills",
        (
            _OCCUPATION,
            Field("technology_example", ("Example",), filled=True),
            Field("commodity_code", ("Commodity Code",), pattern=r"\d{8}", shown="a code of 8 digits", filled=True),
            Field("commodity_title", ("Commodity Title",), filled=True),
            _YES,
            Field("in_demand", ("In Demand",), pattern="[YN]", shown="Y or N", needed=False),
        ),
        ("onet_soc_code", "technology_example", "commodity_code"),
    ),
}  # fmt: skip
_CATEGORIES = (
    "Education, Training, and Experience Categories",
    (
        Field("element_id", ("Element ID",), filled=True),
        Field("scale_id", ("Scale ID",), filled=True),
        Field("category_number", ("Category",), "integer", filled=True),
        Field("category_name", ("Category Description",), filled=True),
    ),
)
_WANTED = {*(name for name, _, _ in FILES.values()), _CATEGORIES[0], "Read Me"}


def requests(release: str) -> Fetch:
    """List the zip of one release ("27.0", "30.1") in its text form. Raises SectorbookError for an unlikely release."""
    if not re.fullmatch(r"\d{2}\.\d", release):
        raise SectorbookError(f"O*NET release {release!r} does not exist. Give it like '29.3'.")
    name = f"db_{release.replace('.', '_')}_text.zip"
    return Fetch(
        about=ABOUT, vintage=release, edition=release, files=(Request(name=name, url=ADDRESS + name),)
    )


def _locate(origin: Path, scratch: Path) -> dict[str, Path]:
    """Return the files of a release by their stem, from a folder or a zip file."""
    found = sorted(origin.iterdir()) if origin.is_dir() else [origin]
    files = [p for p in found if p.suffix in (".txt", ".xlsx")]
    for path in (p for p in found if p.suffix == ".zip"):
        files += archives.unzip(path, scratch, lambda name: Path(name).stem in _WANTED)
    return {p.stem: p for p in files if p.stem in _WANTED}


def _release(origin: Path, files: dict[str, Path]) -> tuple[str, str]:
    """Return the number and month of the release, from its Read Me, else the number from the name of the zip file."""
    if "Read Me" in files:
        text = files["Read Me"].read_text(encoding="utf-8-sig", errors="replace")
        number, month = (
            re.search(r"O\*NET (\d+\.\d+) Database", text),
            re.search(r"(\w+ \d{4}) Release", text),
        )
        if number:
            return number[1], month[1] if month else ""
    found = re.search(r"(\d{2})[._](\d)", " ".join([origin.name, *(p.name for p in origin.glob("*.zip"))]))
    if not found:
        raise SectorbookError(
            f"{shown(origin)}: which release is it? Found no 'Read Me.txt' with a line 'O*NET 29.3 Database'."
        )
    return f"{found[1]}.{found[2]}", ""


def _load(db: duckdb.DuckDBPyConnection, table: str, path: Path, fields: tuple[Field, ...]) -> None:
    if path.suffix == ".txt":
        tabular.load_text(db, table, path, fields, delimiter="\t", quote="")
    else:
        rows = tabular.sheet(path)
        top = tabular.header_row(path, rows, fields[0].headers[0], within=3)
        tabular.load_rows(db, table, path, rows, [tabular.text(c) for c in rows[top]], top + 1, fields)


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the tables of one release as Parquet into `folder` and return their sidecar (not yet written).

    `origin` is the zip file of a release (text or Excel) or a folder with its files; tables whose file is not
    there are not written. Raises SectorbookError with file, row, column, found and expected.
    """
    if not origin.exists():
        raise SectorbookError(f"{shown(origin)} does not exist. Fetch it with: sectorbook fetch onet")
    written = []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".onet.") as scratch, duckdb.connect() as db:
        files = _locate(origin, Path(scratch))
        if not any(name in files for name, _, _ in FILES.values()):
            raise SectorbookError(
                f"{shown(origin)} holds none of the O*NET files. Expected: {', '.join(n for n, _, _ in FILES.values())}."
            )
        release, month = _release(origin, files)
        if _CATEGORIES[0] in files:
            _load(db, "categories", files[_CATEGORIES[0]], _CATEGORIES[1])
        for table, (name, fields, keys) in FILES.items():
            if name not in files:
                continue
            _load(db, "cells", files[name], fields)
            tabular.unique(db, "cells", files[name], keys)
            columns = ", ".join(field.sql() for field in fields)
            query = (
                f"SELECT left(onet_soc_code, 7) AS soc_code, {columns} FROM cells ORDER BY {', '.join(keys)}"
            )
            if table == "onet_education" and _CATEGORIES[0] in files:
                number = "CAST(category_number AS BIGINT) AS category_number"
                kinds = f"SELECT element_id, scale_id, {number}, category_name FROM categories"
                joined = f"({query}) LEFT JOIN ({kinds}) USING (element_id, scale_id, category_number)"
                query = f"SELECT * FROM {joined} ORDER BY {', '.join(keys)}"
            path = folder / f"{table}.parquet"
            written.append(describe(path, rows=tabular.write(db, query, path)))
    absent = [name for name, _, _ in FILES.values() if name not in files]
    return ABOUT.processed(
        origin,
        vintage=f"{release} ({month})" if month else release,
        edition=release,
        files=written,
        facts={"files_not_in_this_copy": ", ".join(absent) or "none"},
    )
