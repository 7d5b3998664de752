"""What takes two cells of a row, or two rows, to see."""

from collections.abc import Iterator

from sectorbook.config.shapes import LocalColumn, LocalTable
from sectorbook.local.cells import Problem, key, parts


def across(file: str, table: LocalTable, records: list[dict], told: set[tuple]) -> list[Problem]:
    """Return the problems of a table's rules `any_of`, `when` and `same_for`.

    A record holds only cells that were read; `told` are row and column of those that could not be, told already.
    """
    found = []
    for record in records if table.any_of else []:
        bad = any((record["row"], name) in told for name in table.any_of)
        if not set(table.any_of) & set(record) and not bad:
            where = " + ".join(table.any_of)
            found.append(Problem(file, record["row"], where, "nothing", "one of these columns filled in"))
    for column in table.columns:
        found += [*_when(file, column, records, told), *_alike(file, column, records)]
    return found


def _when(file: str, column: LocalColumn, records: list[dict], told: set[tuple]) -> Iterator[Problem]:
    for record in records if column.when else []:
        said = record.get(column.when)
        if said is True and column.name not in record and (record["row"], column.name) not in told:
            yield Problem(
                file, record["row"], column.name, "nothing", f"a value, as {column.when!r} says yes"
            )
        if said is False and column.name in record:
            found = repr(record[column.name])
            yield Problem(
                file, record["row"], column.name, found, f"an empty cell, as {column.when!r} says no"
            )


def _alike(file: str, column: LocalColumn, records: list[dict]) -> Iterator[Problem]:
    first: dict[str, tuple[object, int]] = {}
    for record in records if column.same_for else []:
        if column.same_for not in record or column.name not in record:
            continue
        value, row = first.setdefault(key(str(record[column.same_for])), (record[column.name], record["row"]))
        if value != record[column.name]:
            same = f"{value!r}, as in row {row} for the same {column.same_for!r}"
            yield Problem(file, record["row"], column.name, repr(record[column.name]), same)


def repeats(file: str, table: LocalTable, records: list[dict]) -> Iterator[Problem]:
    """Yield the rows that are there twice, and other spellings that two rows claim."""
    first: dict[tuple, int] = {}
    for record in records if table.unique else []:
        if not set(table.unique) <= set(record):
            continue
        same = tuple(key(str(record[name])) for name in table.unique)
        row = first.setdefault(same, record["row"])
        if row != record["row"]:
            shown = "the same" if table.private else ", ".join(repr(record[name]) for name in table.unique)
            where = " + ".join(table.unique)
            yield Problem(file, record["row"], where, f"{shown} again", f"it once; it is in row {row}")
    if table.also_called:
        yield from _alias_clashes(file, table, records)


def _alias_clashes(file: str, table: LocalTable, records: list[dict]) -> Iterator[Problem]:
    own = table.columns[0].name
    names = {key(r[own]): r["row"] for r in records if own in r}
    for record in records:
        for other in parts(record.get(table.also_called, "")):
            row = names.setdefault(key(other), record["row"])
            if row != record["row"]:
                expected = f"a spelling of this row only; row {row} has it too"
                yield Problem(file, record["row"], table.also_called, repr(other), expected)
