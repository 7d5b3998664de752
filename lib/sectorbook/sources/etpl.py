"""Eligible Training Provider List (ETPL): training programs that WIOA funds may pay for, by state.

Each state publishes its own list; this module reads the layout of the Texas Workforce Commission
(https://www.twc.texas.gov/programs/wioa/eligible-training-providers, published under the Texas Public Information Act), one
row per program with CIP code, up to three O*NET codes without punctuation ("47211100"), length and costs.
Texas prints "ERROR" and "INVALID CODE" where its own system could not; these count as not there. Some of its CIP codes have
lost their leading zero; it is put back, and the sidecar says how often.
"""

import re
from pathlib import Path

import duckdb

from sectorbook import tabular
from sectorbook.errors import SectorbookError
from sectorbook.paths import shown
from sectorbook.provenance import Publication, Sidecar, describe
from sectorbook.tabular import Field

TABLES = {
    "training_programs": "One row per program of an Eligible Training Provider List: provider, place, CIP, length, cost.",
    "training_program_occupations": "One row per program and occupation it prepares for.",
}

ABOUT = Publication(
    source="etpl",
    title="Eligible Training Provider List, Texas",
    publisher="Texas Workforce Commission",
    licence="Public record of the State of Texas",
    citation="Texas Workforce Commission, Statewide Eligible Training Provider List",
)

_BAD = ("ERROR", "INVALID CODE")
_ONET = {
    "pattern": r"\d{8}",
    "shown": "an O*NET code of 8 digits like '47211100', or nothing",
    "absent": _BAD,
}
_FIELDS = (
    Field("provider_id", ("Provider ID",), pattern=r"\d+", shown="a number", filled=True),
    Field("program_id", ("Program ID",), pattern=r"\d+", shown="a number", filled=True),
    Field("program_status", ("Program Status",), filled=True),
    Field("provider_name", ("ProviderName", "Provider Name"), filled=True),
    Field("institution_type", ("Institution Type",), absent=_BAD),
    Field("campus_name", ("Campus Name",)),
    Field("city", ("Campus City",)),
    Field("state", ("Campus State",)),
    Field("county_name", ("Campus County",)),
    Field("zip_code", ("Campus Zip Code",), pattern=r"\d{5}(-?\d{4})?", shown="a ZIP code of 5 digits"),
    Field("program_name", ("Program Name",), filled=True),
    Field("cip", ("Instructional Program (CIP) Code",), pattern=r"\d{5,6}|\d{2}\.\d{4}", absent=_BAD,
          shown="a CIP code of 5 or 6 digits like '460000'"),
    Field("pell_eligible", ("Pell Eligible",), pattern="Yes|No|Pending", shown="Yes, No, Pending or nothing"),
    Field("program_outcome", ("Program Outcome",), absent=_BAD),
    Field("credential_name", ("Associted Credential Name", "Associated Credential Name"), needed=False),
    Field("length_hours", ("Length: Contact Hours",), "number", minimum=0, absent=_BAD),
    Field("length_weeks", ("Length: Weeks",), "number", minimum=0, absent=_BAD),
    Field("delivery", ("Delivery Method",), absent=_BAD),
    Field("onet_1", ("Occupation Code (ONET 1)",), **_ONET),
    Field("onet_2", ("Occupation Code (ONET 2)",), **_ONET),
    Field("onet_3", ("Occupation Code (ONET 3)",), **_ONET),
    Field("tuition_usd", ("Required Cost: Tuition & Fees",), "number", minimum=0, absent=_BAD),
    Field("books_usd", ("Required Cost: Books & Supplies",), "number", minimum=0, absent=_BAD),
    Field("optional_cost_usd", ("Optional Cost",), "number", minimum=0, absent=_BAD),
    Field("apprentices", ("Number Of Apprentices",), "integer", minimum=0, needed=False),
)  # fmt: skip


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the tables of one state's list as Parquet into `folder` and return their sidecar (not yet written).

    `origin` is the list (.csv or .csv.gz) with its date in the name, or a folder with that file alone. There is no
    address to fetch it from: ask the state, or take it from its website. Raises SectorbookError with file, row,
    column, found and expected.
    """
    path = tabular.only(
        origin, (".csv", ".csv.gz"), "your browser: states offer these lists on their websites"
    )
    date = re.search(r"(\d{4})-?(\d{2})-?(\d{2})", path.name)
    if not date:
        raise SectorbookError(
            f"{shown(path)}: of which day? Found no date in its name; expected one like 'etpl_2024-03-20.csv'."
        )
    edition = "-".join(date.groups())
    files = []
    with duckdb.connect() as db:
        tabular.load_text(db, "cells", path, _FIELDS)
        tabular.unique(db, "cells", path, ["program_id"])
        kept = [f for f in _FIELDS if f.name not in ("cip", "onet_1", "onet_2", "onet_3")]
        by_name = {f.name: f for f in _FIELDS}
        cip = f"lpad(replace({by_name['cip'].cell()}, '.', ''), 6, '0')"
        programs = f"""SELECT {", ".join(f.sql() for f in kept)}, left({cip}, 2) || '.' || right({cip}, 4) AS cip_code
            FROM cells ORDER BY program_id"""
        restored = db.execute(
            f"SELECT count(*) FROM cells WHERE length({by_name['cip'].cell()}) = 5"
        ).fetchone()[0]
        codes = " UNION ".join(
            f"SELECT program_id, {by_name[f'onet_{i}'].cell()} AS code FROM cells" for i in (1, 2, 3)
        )
        occupations = f"""SELECT program_id, left(code, 2) || '-' || substr(code, 3, 4) || '.' || right(code, 2) AS onet_soc_code,
            left(code, 2) || '-' || substr(code, 3, 4) AS soc_code FROM ({codes}) WHERE code IS NOT NULL ORDER BY 1, 2"""
        for table, query in zip(TABLES, (programs, occupations), strict=True):
            target = folder / f"{table}.parquet"
            files.append(describe(target, rows=tabular.write(db, query, target)))
    facts = {"cip_codes_with_zero_restored": float(restored)}
    return ABOUT.processed(origin, vintage=edition, edition=edition, files=files, facts=facts)
