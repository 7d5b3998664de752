"""What ledgers declare to the gate: the cells behind numbers and tables, their sums and their shares."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sectorbook import writing
from sectorbook.disclosure.tables import (
    ADDITIVE,
    COUNT,
    DIFFERENCE,
    ESTIMATE,
    MAGNITUDE,
    QUANTILE,
    Cell,
    Ratio,
    Relation,
)
from sectorbook.errors import SectorbookError, unknown

SHARE, MEAN = "share", "mean"
KEYS = ("contributors", "largest", "statistic", "quantile", "of", "public", "relations")
STATISTICS = (COUNT, MAGNITUDE, DIFFERENCE, QUANTILE, ESTIMATE, SHARE, MEAN)
# A share is recorded in percent and to six digits; its numerator is the nearest whole number of people.
PERCENT = 100.0

# What an item may hold, by kind. The gate knows how to take a number out of these and of nothing else.
PUBLISHED = {
    "number": ("key", "label", "value", "unit", "source", "low", "high", "interval_pct", "estimated"),
    "table": ("title", "source", "columns", "rows", "cells"),
    "figure": ("title", "alt", "file", "width", "source", "uses"),
    "sentence": ("text", "uses"),
    "caveat": ("text", "uses"),
    "check": ("text",),
}
# What a chapter declares for the gate. None of it is published.
DECLARATIONS = ("contributors", "largest", "statistic", "quantile", "of", "public", "disclosure", "parts")


@dataclass
class Declared:
    """What the ledgers declare."""

    cells: list[Cell] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    # The cell behind an address: its own, or the numerator made for a share or mean that came without one.
    behind: dict[str, str] = field(default_factory=dict)
    names: dict[tuple, list[str]] = field(default_factory=dict)


def cell_address(table: str, row: int, column: str) -> str:
    """Return the address of a table's cell: the table's address, the row from 0 and the column's name."""
    return f"{table}#{row}/{column}"


def person_level(ledger: Mapping) -> bool:
    """Return whether a ledger is under the gate: it says so, or one of its items has contributors."""
    return bool(ledger.get("person_level")) or any(
        item.get("contributors") is not None or "disclosure" in item for item in ledger["items"]
    )


def _one(
    found: Declared, address: str, value: float | None, region: str, name: str, item: str, said: Mapping
) -> None:
    """Add one declared number to `found`."""
    if value is None:
        return
    statistic = said.get("statistic", COUNT)
    if statistic not in STATISTICS:
        raise unknown(f"statistic of {address}", str(statistic), STATISTICS)
    n, of = said["contributors"], said.get("of")
    if n is None or n != int(n):
        raise SectorbookError(f"{address} has no whole number of contributors.")
    largest = tuple(said.get("largest") or ())
    if statistic not in (SHARE, MEAN):
        found.cells.append(Cell(address, value, int(n), statistic, largest, said.get("quantile"), region))
        found.behind[address] = address
        found.names.setdefault((region, name, statistic, value, int(n)), []).append((item, address))
        return
    if not of or len(of) != 2 or not of[1]:
        raise SectorbookError(f"{address} is a {statistic}: declare of = [numerator or None, denominator].")
    numerator, denominator = of
    if numerator is None:
        numerator = f"{address}~numerator"
        amount = round(value * n / PERCENT) if statistic == SHARE else value * n
        kind, people = (
            (COUNT, amount) if statistic == SHARE else (MAGNITUDE if value >= 0 else DIFFERENCE, int(n))
        )
        found.cells.append(Cell(numerator, amount, people, kind, largest, None, region))
    found.behind[address] = numerator
    found.ratios.append(Ratio(address, numerator, denominator, PERCENT if statistic == SHARE else 1.0))


def _table(found: Declared, item: Mapping, region: str) -> None:
    """Add a table's declared columns to `found`. Refuses what it cannot check."""
    address, said = item["address"], item.get("disclosure")
    if said is None:
        raise SectorbookError(
            f"{address} is a table in a chapter on people or firms and declares no contributors. Give the table "
            "disclosure = {...}, or disclosure = {'public': [columns]} for a publisher's own figures."
        )
    for key in said:
        if key not in KEYS:
            raise unknown(f"key in the disclosure of {address}", key, KEYS)
    behind, names = said.get("contributors", {}), [column["name"] for column in item["columns"]]
    for column in {**behind, **said.get("statistic", {}), **dict.fromkeys(said.get("public", ()))}:
        if column not in names:
            raise unknown(f"column in the disclosure of {address}", column, names)
    if behind and "relations" not in said:
        raise SectorbookError(
            f"{address} gives contributors but not how its cells add up. Declare relations, [] where none do."
        )
    for name in names:
        if name not in behind and name not in said.get("public", ()):
            raise SectorbookError(
                f"Column {name!r} of {address} has neither contributors nor a place in public."
            )
    if len(item["rows"]) > 1 and behind and max(max(counts) for counts in behind.values()) == 1:
        raise SectorbookError(f"{address} lists people or firms one by one; only groups can be published.")
    for name, counts in behind.items():
        place = names.index(name)
        if len(counts) != len(item["rows"]):
            raise SectorbookError(f"Column {name!r} of {address} needs one contributor count for each row.")
        of = said.get("of", {}).get(name)
        for row, values in enumerate(item["rows"]):
            own = {
                "contributors": counts[row],
                "statistic": said.get("statistic", {}).get(name, COUNT),
                "largest": (said.get("largest", {}).get(name) or {row: ()})[row],
                "quantile": said.get("quantile", {}).get(name),
                "of": of and [part and cell_address(address, row, part) for part in of],
            }
            _one(found, cell_address(address, row, name), values[place], region, name, address, own)


def _sentence(item: Mapping, numbers: Mapping[str, Mapping]) -> None:
    """Refuse a sentence that holds a number it does not name: the gate could not take it out."""
    text = item["text"]
    for address in item.get("uses", ()):
        number = numbers.get(address, {})
        for part in ("value", "low", "high"):
            if number.get(part) is not None:
                text = text.replace(writing.shown(number[part], number["unit"]), "")
    if re.search(r"\d", text):
        raise SectorbookError(
            f"{item['address']} holds a number that is not among the recorded ones it uses. Record it, or mark the "
            "sentence public when no person's data are in it."
        )


def collect(ledgers: Mapping[str, Mapping]) -> Declared:
    """Return everything the ledgers declare. Raises SectorbookError where a declaration is missing or wrong."""
    found, links = Declared(), []
    values = {
        item["address"]: item
        for ledger in ledgers.values() for item in ledger["items"] if item["kind"] == "number"
    }  # fmt: skip
    for ledger in ledgers.values():
        links += ledger.get("relations", [])
        if not person_level(ledger):
            continue
        region = ledger["region"]["slug"]
        for item in ledger["items"]:
            if item["kind"] not in PUBLISHED:
                raise unknown("kind of item in a chapter on people or firms", item["kind"], PUBLISHED)
            valid = ("kind", "address", *PUBLISHED[item["kind"]], *DECLARATIONS)
            for key in item:
                if key not in valid:
                    raise unknown(f"key of {item.get('address', 'a check')}", key, valid)
            if item["kind"] == "number" and not item.get("public"):
                if item.get("contributors") is None:
                    raise SectorbookError(
                        f"{item['address']} is in a chapter on people or firms and has no contributors. Give them, "
                        "or record it with public=True when a publisher printed it."
                    )
                _one(found, item["address"], item["value"], region, item["key"], item["address"], item)
            elif item["kind"] == "table":
                _table(found, item, region)
                links += item["disclosure"].get("relations", [])
            elif item["kind"] == "figure" and not item.get("public") and not item.get("uses"):
                raise SectorbookError(
                    f"{item['address']} is a figure in a chapter on people or firms; name the numbers or tables it "
                    "draws in uses, or record it with public=True."
                )
            elif item["kind"] in ("sentence", "caveat") and not item.get("public"):
                _sentence(item, values)
    known = found.behind
    for link in links:
        for address in (link["total"], *link["parts"]):
            if address not in known:
                raise unknown("cell in a relation", address, known, listing="It is not in any ledger given.")
        found.relations.append(Relation(known[link["total"]], tuple(known[part] for part in link["parts"])))
    return found


def same(found: Declared) -> Iterator[Relation]:
    """Yield that cells of one region, name, kind, value and size in several items are one number, said or not.

    Only of kinds that add up: an estimate or a quantile is in no sum, and the same size keeps or loses it everywhere.
    """
    for (_, _, statistic, *_), places in found.names.items():
        if statistic not in ADDITIVE:
            continue
        by_item = {}
        for item, address in places:
            by_item.setdefault(item, address)
        first, *others = by_item.values()
        yield from (Relation(first, (other,)) for other in others)
