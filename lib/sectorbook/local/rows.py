"""What takes two cells of a row, or two rows, to see."""

from collections.abc import Iterator

from sectorbook.config.shapes import LocalColumn, LocalTable
from sectorbook.local.cells import Problem, key


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
