"""Participants files that tests make, fill with canaries and break."""

import csv
import io

from sectorbook import config

CANARY = "ZZ-4471-Quetzal"
COLUMNS = [column.name for column in config.local()["participants"].columns]
GOOD = {column.name: column.example for column in config.local()["participants"].columns} | {"id": CANARY}


def written(rows: list[dict[str, str]], header: list[str] | None = None) -> bytes:
    """Return rows as a CSV file."""
    header = header or COLUMNS
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([[row.get(name, "") for name in header] for row in rows])
    return out.getvalue().encode()
