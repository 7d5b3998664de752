"""What the disclosed cells of the QCEW say about the suppressed ones: bounds that hold.

BLS withholds a cell that would reveal an employer (`disclosure_code` "N"; the file then prints zeros, which are not
zeros) but prints its number of establishments, and every sum it belongs to that is not itself withheld. Three kinds
of sums tie cells together: the NAICS tree with BLS's sectors, supersectors and domains above it, ownerships, and
counties within areas. Each suppressed cell's smallest and largest value under all of them at once is a linear program
(Cox 1995, Journal of the American Statistical Association 90:1453-1462).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.concentration import location_quotient

KEY = ["area_fips", "own_code", "industry_code"]
COLUMNS = [*KEY, "establishments", "employment", "suppressed"]
ALL_OWNERSHIPS = "0"
OWNERSHIPS = {"1": "federal", "2": "state", "3": "local government", "5": "private"}

# BLS, QCEW, "NAICS supersectors": sector -> supersector. A supersector's first three characters are its domain.
SUPERSECTOR = {
    "11": "1011", "21": "1011", "23": "1012", "31-33": "1013",
    "22": "1021", "42": "1021", "44-45": "1021", "48-49": "1021", "51": "1022", "52": "1023", "53": "1023",
    "54": "1024", "55": "1024", "56": "1024", "61": "1025", "62": "1025", "71": "1026", "72": "1026",
    "81": "1027", "92": "1028", "99": "1029",
}  # fmt: skip
SECTOR_OF_TWO_DIGITS = {
    "31": "31-33", "32": "31-33", "33": "31-33", "44": "44-45", "45": "44-45", "48": "48-49", "49": "48-49",
}  # fmt: skip

SOLVER_TOLERANCE = 1e-4  # jobs: HiGHS meets rows within 1e-7 of their scale, and jobs are whole numbers


@cache
def industry_parent(industry_code: str) -> str | None:
    """Return the QCEW industry code one level up, and None for "10", all industries.

    The tree is BLS's: 10 total, 101 and 102 domains, 1011 to 1029 supersectors, sectors (two digits, "31-33",
    "44-45", "48-49"), then NAICS of three to six digits. Raises SectorbookError on a code outside it.
    """
    code = industry_code
    if code == "10":
        return None
    if code in ("101", "102"):
        return "10"
    if code in SUPERSECTOR.values():
        return code[:3]
    if code in SUPERSECTOR:
        return SUPERSECTOR[code]
    sector = SECTOR_OF_TWO_DIGITS.get(code[:2], code[:2])
    if code.isdigit() and 3 <= len(code) <= 6 and sector in SUPERSECTOR:
        return sector if len(code) == 3 else code[:-1]
    raise unknown("QCEW industry code", code, SUPERSECTOR, "Valid: 10, 101, 1011, 11, 31-33, 311 … 311111.")


@cache
def industry_level(industry_code: str) -> int:
    """Return how deep a QCEW code lies: 0 total, 1 domain, 2 supersector, 3 sector, 4 three-digit NAICS, to 7 six-digit."""
    above = industry_parent(industry_code)
    return 0 if above is None else 1 + industry_level(above)


@dataclass(frozen=True)
class Accounts:
    """The sums that suppressed cells belong to: `low` <= matrix @ jobs <= `high`, one column per suppressed cell.

    `matrix` holds 1 for a part and -1 for the whole (one at most); `position` are the suppressed cells' rows in the
    table; `kind` names each sum's kind, "ownership", "industry 3" (the whole's level) or "area C1814". Sums of one
    kind share no cell.
    """

    matrix: csr_array
    low: np.ndarray
    high: np.ndarray
    position: np.ndarray
    kind: np.ndarray


def accounts(
    cells: pd.DataFrame, area_members: Mapping[str, Sequence[str]] | None = None, rounding: float = 0.0
) -> Accounts:
    """Write down every sum that ties suppressed cells to disclosed ones.

    `cells` is one period of the QCEW with the columns area_fips, own_code, industry_code (text), establishments,
    employment (jobs) and suppressed (bool); what a suppressed row holds as employment is not read. It must have
    every cell BLS lists for the areas: a cell that is not there counts as no jobs, unless the establishments of the
    parts fall short of the whole's. Then the list is read as incomplete and the parts as at most the whole.

    `area_members` says which areas of the table lie in which, for example {"C1814": ["39041", …]}. If the members'
    establishments reach the area's, they partition it; if not, they are part of it (a state and some counties).

    `rounding` is by how much a printed figure may differ from the true one: 0 for monthly jobs, 0.5 for annual
    averages, which BLS rounds, so that their sums differ by a few jobs.

    Raises SectorbookError on missing columns, unknown ownerships or industries, duplicate rows, and on disclosed
    cells or establishments that do not add up.
    """
    cells = _checked(cells)
    suppressed = cells["suppressed"].to_numpy()
    position = np.flatnonzero(suppressed)
    column = np.full(len(cells), -1)
    column[position] = np.arange(len(position))
    jobs = np.where(suppressed, 0.0, cells["employment"].to_numpy(dtype=float))
    sites = cells["establishments"].to_numpy(dtype=float)

    rows, columns, signs, low, high, kinds = [], [], [], [], [], []
    for kind, whole, parts, name, partition in _sums(cells, area_members or {}, rounding):
        members = np.append(parts, whole)
        sign = np.append(np.ones(len(parts)), -1.0)
        hidden = suppressed[members]
        known = -(sign * jobs[members]).sum()
        slack = rounding * np.count_nonzero(~hidden)
        if partition is None:
            reach = sites[parts].sum() - sites[whole]
            allowed = 0.5 * (len(members)) if rounding else 0.0
            if reach > allowed:
                raise SectorbookError(
                    f"{name}: the parts have {sites[parts].sum():g} establishments, the whole {sites[whole]:g}."
                )
            partition = reach >= -allowed
        if not hidden.any():
            if known < -slack or (partition and known > slack):
                raise SectorbookError(
                    f"{name}: the disclosed parts have {jobs[parts].sum():g} jobs, the whole {jobs[whole]:g}."
                )
            continue
        at = len(low)
        rows += [at] * int(hidden.sum())
        columns += column[members[hidden]].tolist()
        signs += sign[hidden].tolist()
        low.append(known - slack if partition else -np.inf)
        high.append(known + slack)
        kinds.append(kind)
    matrix = csr_array((signs, (rows, columns)), shape=(len(low), len(position)), dtype=float)
    return Accounts(matrix, np.array(low), np.array(high), position, np.array(kinds, dtype=str))


def suppressed_bounds(
    cells: pd.DataFrame, area_members: Mapping[str, Sequence[str]] | None = None, rounding: float = 0.0
) -> pd.DataFrame:
    """Give each cell the fewest and the most jobs it can have, given every disclosed cell and sum.

    Arguments are those of `accounts`. Returns `cells` with employment_lower and employment_upper (whole jobs; for a
    disclosed cell both are its employment) and with NaN as the employment of suppressed cells. One pair of linear
    programs per cell (HiGHS by scipy.optimize.linprog); cells that share no sum are solved side by side in one
    program.

    Raises SectorbookError as `accounts` does, on a suppressed cell under no disclosed total (nothing bounds it), and
    where no jobs at all satisfy every sum.
    """
    books = accounts(cells, area_members, rounding)
    out = cells.assign(employment=cells["employment"].astype(float).mask(cells["suppressed"]))
    out["employment_lower"] = out["employment_upper"] = out["employment"]
    if len(books.position) == 0:
        return out
    outer = _propagate(books)
    if np.isinf(outer[1]).any():
        key = " ".join(cells[KEY].iloc[books.position[np.isinf(outer[1])][0]].astype(str))
        raise SectorbookError(
            f"Nothing bounds the suppressed cell {key}: no disclosed cell above it is in the table. Include the totals "
            "(industry 10) of every area and ownership."
        )
    lower, upper = _solve(books, outer)
    at = out.index[books.position]
    lower = np.maximum(0.0, np.ceil(lower - rounding - SOLVER_TOLERANCE))
    upper = np.floor(upper + rounding + SOLVER_TOLERANCE)
    out.loc[at, "employment_lower"], out.loc[at, "employment_upper"] = lower, upper
    return out


def region_bounds(bounds: pd.DataFrame, counties: Sequence[str]) -> pd.DataFrame:
    """Sum the bounds of `suppressed_bounds` over the counties of a region.

    Returns one row per own_code and industry_code: establishments, employment (NaN where a county is suppressed),
    employment_lower, employment_upper, and employment_estimate where `bounds` has it, all summed; suppressed, and
    is_estimated where `bounds` has it, true where they are of any county. The bounds of the sum are exact where
    counties share no sum of the table; with area_members they hold, and may be wider than need be. Raises
    SectorbookError on a county the table lacks.
    """
    present = set(bounds["area_fips"])
    for county in counties:
        if county not in present:
            raise unknown("county_fips", county, present)
    inside = bounds[bounds["area_fips"].isin(list(counties))]
    sums = {
        name: (name, lambda jobs: jobs.sum(skipna=False)) for name in inside if name.startswith("employment")
    }
    flags = {name: (name, "any") for name in ("suppressed", "is_estimated") if name in inside}
    return inside.groupby(["own_code", "industry_code"], as_index=False, sort=False).agg(
        establishments=("establishments", "sum"), **flags, **sums
    )


def location_quotient_bounds(
    bounds: pd.DataFrame, total: float, us_employment: pd.Series, us_total: float
) -> pd.DataFrame:
    """Bounds of a location quotient from bounds of jobs: location_quotient_lower and location_quotient_upper.

    `bounds` has employment_lower and employment_upper (jobs), one row per industry; `us_employment` the same rows.
    The quotient rises with the region's jobs, so its ends are the quotients of the ends. See `location_quotient`.
    """
    return pd.DataFrame(
        {
            f"location_quotient_{end}": location_quotient(
                bounds[f"employment_{end}"], total, us_employment, us_total
            )
            for end in ("lower", "upper")
        }
    )


def rank_bounds(lower: pd.Series, upper: pd.Series) -> pd.DataFrame:
    """Best and worst rank each row can have (1 = largest) when values are known only as bounds.

    A row is surely behind those whose lower bound is above its upper bound, and surely ahead of those whose upper
    bound is below its lower bound. Returns rank_best and rank_worst on the index of `lower`. Raises SectorbookError
    on a missing bound and on a lower bound above the upper.
    """
    if lower.isna().any() or upper.isna().any():
        raise SectorbookError(f"A bound is missing for {(lower.isna() | upper.isna()).idxmax()!r}.")
    if (lower > upper).any():
        raise SectorbookError(f"The lower bound is above the upper for {(lower > upper).idxmax()!r}.")
    low, high = np.sort(lower.to_numpy()), np.sort(upper.to_numpy())
    ahead = len(low) - np.searchsorted(low, upper.to_numpy(), side="right")
    behind = np.searchsorted(high, lower.to_numpy(), side="left")
    return pd.DataFrame({"rank_best": 1 + ahead, "rank_worst": len(low) - behind}, index=lower.index)


def _sums(
    cells: pd.DataFrame, area_members: Mapping[str, Sequence[str]], rounding: float
) -> Iterator[tuple[str, int, np.ndarray, str, bool | None]]:
    """Yield each sum: its kind, the row of the whole, the rows of the parts, its name, and whether it is a partition.

    Sums of one kind share no cell. None: let the establishments tell.
    """
    row = {key: i for i, key in enumerate(cells[KEY].itertuples(index=False, name=None))}
    parts: dict[tuple[str, int], list[int]] = {}
    for (area, own, industry), i in row.items():
        above = industry_parent(industry)
        while above is not None and (area, own, above) not in row:
            above = industry_parent(above)
        if above is not None:
            parts.setdefault((f"industry {industry_level(above)}", row[area, own, above]), []).append(i)
        if own != ALL_OWNERSHIPS and (area, ALL_OWNERSHIPS, industry) in row:
            parts.setdefault(("ownership", row[area, ALL_OWNERSHIPS, industry]), []).append(i)
    keys = cells[KEY].agg(" ".join, axis=1)
    for (kind, whole), members in parts.items():
        yield kind, whole, np.array(members), f"{keys.iloc[whole]} by {kind.split()[0]}", None

    for area, members in area_members.items():
        present = set(cells["area_fips"])
        for code in (area, *members):
            if code not in present:
                raise unknown("area_fips", code, present)
        sites = cells.groupby("area_fips")["establishments"].max()
        missing = sites[area] - sites[list(members)].sum()
        partition = abs(missing) <= (0.5 * (1 + len(members)) if rounding else 0)
        inside = {a: cells[cells["area_fips"] == a].set_index(KEY[1:]).index for a in (area, *members)}
        for own, industry in inside[area]:
            found = [row[m, own, industry] for m in members if (m, own, industry) in row]
            if found:
                whole = row[area, own, industry]
                yield f"area {area}", whole, np.array(found), f"{keys.iloc[whole]} by county", bool(partition)


def _propagate(books: Accounts) -> tuple[np.ndarray, np.ndarray]:
    """Bounds by each sum alone, repeated until nothing moves: wider than the linear program's, and at once there.

    A part is at most its whole less the least of the other parts, and so on. Infinite where nothing bounds a cell.
    """
    n = len(books.position)
    entries = books.matrix.tocoo()
    is_part = entries.data > 0
    r, i = entries.coords[0][is_part], entries.coords[1][is_part]
    r_whole, whole = entries.coords[0][~is_part], entries.coords[1][~is_part]
    lower, upper = np.zeros(n), np.full(n, np.inf)
    while True:
        before = lower.copy(), upper.copy()
        whole_low, whole_high = np.zeros(len(books.low)), np.zeros(len(books.low))
        whole_low[r_whole], whole_high[r_whole] = lower[whole], upper[whole]
        parts_low = np.bincount(r, lower[i], minlength=len(books.low))
        open_parts = np.bincount(r, np.isinf(upper[i]), minlength=len(books.low))
        finite = np.where(np.isinf(upper), 0.0, upper)
        parts_high = np.bincount(r, finite[i], minlength=len(books.low))
        np.minimum.at(upper, i, (books.high + whole_high)[r] - (parts_low[r] - before[0][i]))
        closed = open_parts[r] - np.isinf(before[1][i]) == 0
        others_high = parts_high[r] - finite[i]
        np.maximum.at(lower, i[closed], (books.low + whole_low)[r[closed]] - others_high[closed])
        closed = open_parts[r_whole] == 0
        np.minimum.at(upper, whole[closed], (parts_high - books.low)[r_whole[closed]])
        np.maximum.at(lower, whole, (parts_low - books.high)[r_whole])
        if (lower <= before[0] + SOLVER_TOLERANCE).all() and (
            (upper >= before[1] - SOLVER_TOLERANCE) | np.isinf(before[1]) & np.isinf(upper)
        ).all():
            return lower, upper


def _solve(books: Accounts, outer: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Tighten the `outer` bounds by linear programs. A bound that some found solution reaches is not asked for."""
    _, block = connected_components(books.matrix.T @ books.matrix, directed=False)
    everywhere = np.ones(len(block), dtype=bool)
    any_jobs = _optimum(np.zeros(len(block)), everywhere, _program(books, everywhere))
    found = [any_jobs.copy(), any_jobs.copy()]
    for sign, side in ((1.0, 0), (-1.0, 1)):
        asked = np.zeros(len(block), dtype=bool)
        inside, program = everywhere, _program(books, everywhere)
        while True:
            wanted = np.flatnonzero(~asked & (np.abs(found[side] - outer[side]) > SOLVER_TOLERANCE))
            if len(wanted) == 0:
                break
            # One cell of every block is asked about in the same program: blocks do not touch each other.
            turn = wanted[np.unique(block[wanted], return_index=True)[1]]
            left = np.isin(block, block[turn])
            if left.sum() < 0.8 * inside.sum():
                inside, program = left, _program(books, left)
            objective = np.zeros(len(block))
            objective[turn] = sign
            jobs = _optimum(objective, inside, program)
            found = [np.fmin(found[0], jobs), np.fmax(found[1], jobs)]
            asked[turn] = True
    return found[0], found[1]


def _optimum(objective: np.ndarray, inside: np.ndarray, program: dict) -> np.ndarray:
    solved = linprog(objective[inside], bounds=(0, None), method="highs", **program)
    if solved.status != 0:
        raise SectorbookError(
            f"No numbers of jobs satisfy every sum of the table ({solved.message.strip()}). The cells may be of "
            "different periods, or rounded (annual averages need rounding=0.5)."
        )
    jobs = np.full(len(inside), np.nan)
    jobs[inside] = solved.x
    return jobs


def _program(books: Accounts, inside: np.ndarray) -> dict:
    matrix = books.matrix[:, inside]
    used = np.diff(matrix.indptr) > 0
    equal = used & (books.low == books.high)
    below, above = used & ~equal, used & ~equal & np.isfinite(books.low)
    program = {}
    if equal.any():
        program |= {"A_eq": matrix[equal], "b_eq": books.high[equal]}
    if below.any():
        program["A_ub"] = vstack([matrix[below], -matrix[above]], format="csr")
        program["b_ub"] = np.append(books.high[below], -books.low[above])
    return program


def _require(cells: pd.DataFrame) -> None:
    for name in COLUMNS:
        if name not in cells:
            raise SectorbookError(f"The cells lack the column {name!r}. Needed: {', '.join(COLUMNS)}.")


def _checked(cells: pd.DataFrame) -> pd.DataFrame:
    _require(cells)
    cells = cells[COLUMNS].assign(**{name: cells[name].astype(str) for name in KEY})
    for own in cells["own_code"].unique():
        if own not in OWNERSHIPS and own != ALL_OWNERSHIPS:
            raise unknown("own_code", own, [ALL_OWNERSHIPS, *OWNERSHIPS])
    twice = cells.duplicated(KEY)
    if twice.any():
        raise SectorbookError(f"Cell {' '.join(cells.loc[twice, KEY].iloc[0])} stands in more than one row.")
    disclosed = ~cells["suppressed"].astype(bool)
    for name, where in (("employment", disclosed), ("establishments", disclosed | True)):
        wrong = where & ~(cells[name] >= 0)
        if wrong.any():
            key = " ".join(cells.loc[wrong, KEY].iloc[0])
            raise SectorbookError(
                f"{name} of cell {key} is {cells.loc[wrong, name].iloc[0]}: not a number from 0 up."
            )
    return cells.assign(suppressed=~disclosed)
