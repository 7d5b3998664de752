"""A tiny OEWS release in both of its forms: BLS flat files, and the SQLite file of the package."""

import sqlite3
from pathlib import Path

CODES = [f"{i:02d}" for i in range(1, 18)]
FOOTNOTES = {
    "4": "Wages for some occupations that do not generally work year-round, full time, are reported either way.",
    "5": "This wage is equal to or greater than $115.00 per hour or $239,200 per year.",
    "8": "Estimate not released.",
}
AREAS = [("0000000", "N", "00", "National"), ("0041860", "M", "06", "San Francisco-Oakland-Fremont, CA"),
         ("3900000", "S", "39", "Ohio"), ("0500001", "M", "05", "North Arkansas nonmetropolitan area")]  # fmt: skip
INDUSTRIES = [("000000", "Cross-Industry", 0), ("62--63", "Sector 62 - Health Care and Social Assistance", 2)]
OCCUPATIONS = [("000000", "All Occupations", 0), ("291141", "Registered Nurses", 3), ("272011", "Actors", 3),
               ("291215", "Family Medicine Physicians", 3), ("252021", "Elementary School Teachers", 3)]  # fmt: skip

FULL = ["41750", "1.2", "84.41", "175570", "0.4", "57.35", "79.02", "89.72", "100.43", "107.58",
        "119290", "164360", "186610", "208890", "223770", "17.587", "0.81"]  # fmt: skip


def cell(**changed: tuple[str | None, str | None]) -> list[tuple[str | None, str | None]]:
    """Return the 17 (value, footnotes) of a cell, some of them changed: cell(c13=("-", "5"))."""
    return [changed.get(f"c{code}", (value, None)) for code, value in zip(CODES, FULL, strict=True)]


HOURLY = {f"c{c}": ("-", "4") for c in ("04", "11", "12", "13", "14", "15")}
ANNUAL = {f"c{c}": ("-", "4") for c in ("03", "06", "07", "08", "09", "10")}
NATIONAL = {"c16": (None, None), "c17": (None, None)}
CELLS = {
    "OEUN0000000000000000000": cell(**NATIONAL),
    "OEUN0000000" + "62--63" + "291141": cell(**NATIONAL),
    "OEUM0041860000000000000": cell(),
    "OEUM0041860000000291141": cell(),
    "OEUM0041860000000272011": cell(**HOURLY),
    "OEUM0041860000000252021": cell(**ANNUAL),
    "OEUM0041860000000291215": cell(c13=("-", "5"), c14=("-", "5"), c15=("-", "5"), c10=("-", "5")),
    "OEUS3900000000000291141": cell(c01=("-", "8"), c02=("-", "8"), c16=("-", "8"), c17=("-", "8")),
    "OEUM0500001000000000000": cell(),
}


def write_flat(folder: Path) -> Path:
    """Write the release as BLS prints it: padded, tab-separated, carriage returns at the ends of lines."""
    folder.mkdir(parents=True)

    def put(name: str, header: list[str], rows: list[tuple]) -> None:
        lines = ["\t".join(header), *("\t".join(str(value) for value in row) for row in rows)]
        (folder / name).write_text("\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")

    put(
        "oe.area",
        ["state_code", "area_code", "areatype_code", "area_name"],
        [(s, a, t, n) for a, t, s, n in AREAS],
    )
    extra = ("T", "1")
    put("oe.industry", ["industry_code", "industry_name", "display_level", "selectable", "sort_sequence"],
        [(*row, *extra) for row in INDUSTRIES])  # fmt: skip
    put("oe.occupation",
        ["occupation_code", "occupation_name", "occupation_description", "display_level", "selectable", "sort_sequence"],
        [(code, name, 'Has a "quoted" word', level, *extra) for code, name, level in OCCUPATIONS])  # fmt: skip
    put("oe.datatype", ["datatype_code", "datatype_name"], [("01", "Employment")])
    put("oe.footnote", ["footnote_code", "footnote_text"], list(FOOTNOTES.items()))
    put("oe.release", ["release_date", "description"], [("2025A01", "May 2025")])
    rows = [
        (f"{key}{code}".ljust(30), "2025", "A01", value.rjust(12), notes or "")
        for key, values in CELLS.items()
        for code, (value, notes) in zip(CODES, values, strict=True)
        if value is not None
    ]
    put(
        "oe.data.0.Current",
        ["series_id".ljust(30), "year", "period", "value".rjust(12), "footnote_codes"],
        rows,
    )
    return folder


def write_sqlite(path: Path) -> Path:
    """Write the release as the package's SQLite file."""
    columns = [f"v{c}" for c in CODES] + [f"f{c}" for c in CODES]
    with sqlite3.connect(path) as db:
        db.execute(f"CREATE TABLE cell (key TEXT PRIMARY KEY, {', '.join(f'{c} TEXT' for c in columns)})")
        for key, values in CELLS.items():
            row = [key, *(value for value, _ in values), *(notes for _, notes in values)]
            db.execute(f"INSERT INTO cell VALUES ({', '.join('?' * 35)})", row)
        for table, names, rows in (
            ("area", "area_code, areatype_code, state_code, area_name", AREAS),
            ("industry", "industry_code, industry_name, display_level", INDUSTRIES),
            ("occupation", "occupation_code, occupation_name, display_level", OCCUPATIONS),
            ("datatype", "datatype_code, datatype_name", [("01", "Employment")]),
            ("footnote", "footnote_code, footnote_text", list(FOOTNOTES.items())),
            ("meta", "name, value", [("release", "May 2025")]),
        ):
            db.execute(f"CREATE TABLE {table} ({names})")
            db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    db.close()
    return path
