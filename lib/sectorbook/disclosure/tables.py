"""What the gate works on: cells with their contributors, and how cells are linked."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from sectorbook.errors import SectorbookError, unknown

COUNT, MAGNITUDE, DIFFERENCE, QUANTILE, ESTIMATE = "count", "magnitude", "difference", "quantile", "estimate"
KINDS = (COUNT, MAGNITUDE, DIFFERENCE, QUANTILE, ESTIMATE)
ADDITIVE = (COUNT, MAGNITUDE, DIFFERENCE)

# A ledger holds six significant digits, so a sum of recorded values may be off in the sixth.
SUM_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Cell:
    """One number that describes people or firms.

    `contributors` is how many of them stand behind it. `largest` holds the largest single contributions to a
    magnitude, biggest first, as many as the dominance rule asks for. `quantile` is the share below a quantile
    (0.5 for a median). `region` chooses the rules. A cell that is not `shown` is printed nowhere but can be
    worked out from cells that are.
    """

    address: str
    value: float
    contributors: int
    kind: str = COUNT
    largest: tuple[float, ...] = ()
    quantile: float | None = None
    region: str = ""
    shown: bool = True


@dataclass(frozen=True)
class Relation:
    """`total` is the sum of `parts`. With one part, two addresses hold the same number."""

    total: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Ratio:
    """A published percentage or mean: `scale` x `numerator` / `denominator`. It is hidden when either one is."""

    address: str
    numerator: str
    denominator: str
    scale: float = 1.0


def frame(cells: Iterable[Cell]) -> pd.DataFrame:
    """Return `cells` as a frame by address, one row each, with the columns of `Cell`.

    Raises SectorbookError for an address given twice, an unknown kind, a missing value, a count that is not a
    whole number of at least 0, and a quantile without its share. No message holds a value.
    """
    found = pd.DataFrame([asdict(cell) for cell in cells], columns=list(Cell.__dataclass_fields__))
    found = found.set_index("address")
    if found.index.has_duplicates:
        raise SectorbookError(f"Cell {found.index[found.index.duplicated()][0]} is declared twice.")
    for kind in found["kind"]:
        if kind not in KINDS:
            raise unknown("kind of cell", kind, KINDS)
    value = found["value"].astype("float64")
    wrong = {
        "has no value": ~np.isfinite(value),
        "is a count and not a whole number of at least 0": (found["kind"] == COUNT)
        & ((value < 0) | (value % 1 != 0)),
        "is a magnitude below 0; declare it as a difference": (found["kind"] == MAGNITUDE) & (value < 0),
        "is a quantile without its share": (found["kind"] == QUANTILE) & found["quantile"].isna(),
        "has fewer than 0 contributors": found["contributors"].isna() | (found["contributors"] < 0),
    }
    for problem, where in wrong.items():
        if where.any():
            raise SectorbookError(f"Cell {found.index[where][0]} {problem}.")
    return found.assign(value=value, contributors=found["contributors"].astype("int64"))


def matrix(cells: pd.DataFrame, relations: Sequence[Relation]) -> sparse.csr_array:
    """Return the relations as rows over the cells: 1 at each part, -1 at the total, so that rows times values is 0.

    Raises SectorbookError for an address without a cell, a cell that cannot be added (a median, an estimate), and
    a relation that the values do not fulfil.
    """
    places = {address: place for place, address in enumerate(cells.index)}
    rows, columns, signs = [], [], []
    for row, relation in enumerate(relations):
        for address, sign in [(relation.total, -1.0), *((part, 1.0) for part in relation.parts)]:
            if address not in places:
                raise unknown("cell in a relation", address, places, listing="It is not in any table given.")
            if cells["kind"].iat[places[address]] not in ADDITIVE:
                raise SectorbookError(f"Cell {address} is in a sum, but its kind cannot be added.")
            rows.append(row)
            columns.append(places[address])
            signs.append(sign)
    found = sparse.coo_array((signs, (rows, columns)), shape=(len(relations), len(cells))).tocsr()
    value = cells["value"].to_numpy()
    off = np.abs(found @ value) > SUM_TOLERANCE * (abs(found) @ np.abs(value))
    if off.any():
        relation = relations[int(np.flatnonzero(off)[0])]
        raise SectorbookError(
            f"The parts declared for {relation.total} do not add up to it. Declare all of them, and no others."
        )
    return found


def margins(keys: pd.DataFrame, total: str = "All") -> list[Relation]:
    """Return the relations of cells that are keyed by their breakdown.

    `keys` has one row for each cell (index: its address) and one column for each dimension; `total` marks the sum
    over a dimension. Several tables in one frame are linked by the margins they share. A cell at `total` is the
    sum of the cells that differ from it in that one dimension, where there are any. Frames from several tables
    may hold the same key twice: the two cells are then the same number.
    """
    places: dict[tuple, list[str]] = {}
    for address, *key in keys.itertuples(name=None):
        places.setdefault(tuple(key), []).append(address)
    sums: dict[tuple, list[str]] = {}
    for key, addresses in places.items():
        for dimension, level in enumerate(key):
            if level != total:
                above = (*key[:dimension], total, *key[dimension + 1 :])
                sums.setdefault((dimension, above), []).append(addresses[0])
    found = [
        Relation(places[above][0], tuple(parts)) for (_, above), parts in sums.items() if above in places
    ]
    found += [Relation(first, (other,)) for first, *others in places.values() for other in others]
    return found
