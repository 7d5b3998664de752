"""The local files of chapters 01 and 05: what a team decided on, and the support services it found."""

import csv
from collections.abc import Callable
from datetime import date

import pandas as pd

from sectorbook import config, paths, warehouse
from sectorbook.errors import SectorbookError, unknown

# Local file -> its columns. All are text; `score` is 0 (not at all) to 4 (fully), `date` is YYYY-MM-DD.
COLUMNS = {
    "deciding": ("section", "item", "question", "answer", "evidence", "score", "date"),
    "support_services": ("service", "provider", "population", "capacity", "payment", "gap"),
}

# Sections of the canvas: the instrument, and its groups (all of them where none are named).
_SECTIONS = {
    "statement": ("deciding", ("statement",)), "challenge": ("deciding", ("challenge",)), "factor": ("deciding", ("factor",)),
    "contrast": ("deciding", ("contrast",)), "fidelity": ("characteristics", ()), "intermediary": ("intermediary_scorecard", ()),
    "resource_question": ("funding", ("question",)), "resource": ("funding", ("resource",)),
}  # fmt: skip
HIGHEST = 4


def items() -> pd.DataFrame:
    """Return every line of the deciding canvas: section, item, question, and the instrument's note."""
    rows = [
        (section, item.id, item.label, item.note or "")
        for section, (name, groups) in _SECTIONS.items()
        for item in config.framework(name).items
        if not groups or item.group in groups
    ]
    return pd.DataFrame(rows, columns=["section", "item", "question", "note"])


def template(table: str, region: warehouse.Region) -> str:
    """Write the empty file of `table` for a region, unless it is there, and return its path as messages show it."""
    path = paths.local(region.slug, f"{table}.csv")
    if not path.exists():
        columns = COLUMNS[table]
        rows = items()[["section", "item", "question"]].to_numpy().tolist() if table == "deciding" else []
        with paths.write_atomic(path) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([columns, *([*row, *[""] * (len(columns) - len(row))] for row in rows)])
    return paths.shown(path)


def _rows(table: str, region: warehouse.Region) -> pd.DataFrame:
    """Return a local file as text, empty cells as ""; no rows where it is not there. `line` is its line in the file."""
    columns = COLUMNS[table]
    path = paths.local(region.slug, f"{table}.csv")
    if not path.exists():
        return pd.DataFrame(columns=[*columns, "line"])
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != columns:
                raise SectorbookError(
                    f"{paths.shown(path)}, row 1: found the columns {', '.join(reader.fieldnames or ()) or 'none'}; expected "
                    f"{', '.join(columns)}."
                )
            rows = []
            for row in reader:
                if None in row or None in row.values():
                    raise SectorbookError(
                        f"{paths.shown(path)}, row {reader.line_num}: expected {len(columns)} cells. A text with a comma "
                        "stands in quotes."
                    )
                rows.append({**{k: v.strip() for k, v in row.items()}, "line": reader.line_num})
    except UnicodeDecodeError as error:
        raise SectorbookError(f"{paths.shown(path)} is not UTF-8 text. Save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise SectorbookError(f"{paths.shown(path)} is not readable as CSV: {error}.") from error
    return pd.DataFrame(rows, columns=[*columns, "line"])


def _checked(
    rows: pd.DataFrame, column: str, expected: str, convert: Callable, region: warehouse.Region
) -> list:
    """Return a column's cells converted, "" as None. Raises SectorbookError with the row of a cell that does not fit."""
    out = []
    for row in rows.itertuples():
        cell = getattr(row, column)
        try:
            out.append(convert(cell) if cell else None)
        except ValueError as error:
            path = paths.shown(paths.local(region.slug, "deciding.csv"))
            raise SectorbookError(
                f"{path}, row {row.line}, column {column}: found {cell!r}; expected {expected}, or nothing."
            ) from error
    return out


def _score(text: str) -> float:
    value = float(text)
    if not 0 <= value <= HIGHEST:
        raise ValueError(text)
    return value


def deciding(region: warehouse.Region) -> pd.DataFrame:
    """Return the deciding canvas of a region: every line with the team's answer, evidence, score (0 to 4) and date.

    Lines not answered, all of them where there is no file, have "" and missing values. Raises SectorbookError with file,
    row, column, found and expected for a line that is not in the canvas or stands twice, a score or a date that is none.
    """
    lines, rows = items(), _rows("deciding", region)
    valid = set(zip(lines.section, lines.item, strict=True))
    seen = set()
    for row in rows.itertuples():
        where = f"{paths.shown(paths.local(region.slug, 'deciding.csv'))}, row {row.line}"
        if (row.section, row.item) not in valid:
            raise unknown(
                f"line ({where})",
                f"{row.section} {row.item}",
                {" ".join(v) for v in valid},
                "See the template.",
            )
        if (row.section, row.item) in seen:
            raise SectorbookError(f"{where}: {row.section} {row.item} stands twice; expected each line once.")
        seen.add((row.section, row.item))
    scores = _checked(rows, "score", f"a number from 0 to {HIGHEST}", _score, region)
    dates = _checked(rows, "date", "a date like 2027-03-01", date.fromisoformat, region)
    rows = rows.assign(
        score=pd.Series(scores, dtype=float, index=rows.index),
        date=pd.Series(dates, dtype=object, index=rows.index),
    )
    kept = ["section", "item", "answer", "evidence", "score", "date"]
    joined = lines.merge(rows[kept], on=["section", "item"], how="left")
    return joined.fillna({"answer": "", "evidence": ""})


def support_services(region: warehouse.Region) -> pd.DataFrame:
    """Return the support services a team wrote down for a region: service, provider, population, capacity, payment, gap."""
    rows = _rows("support_services", region)
    for row in rows.itertuples():
        if not row.service:
            path = paths.shown(paths.local(region.slug, "support_services.csv"))
            raise SectorbookError(
                f"{path}, row {row.line}, column service: found nothing; expected the service's name."
            )
    return rows.drop(columns="line")
