"""Is a region a labour market? Self-containment, what a county more or less does to it, and two ways to draw areas.

`flows` has the columns res_fips, work_fips (text) and workers: who lives where and works where, within a county too.
A county is any elementary area with such codes. Flows to places without a row of their own count as leaving.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_array
from scipy.spatial.distance import squareform

from sectorbook.errors import SectorbookError, unknown

COLUMNS = ["res_fips", "work_fips", "workers"]

# Fowler 2024: flows of more than all workers count as this much, so that no two counties are at no distance.
STRONGEST_FLOW = 0.999


@dataclass(frozen=True)
class TravelToWorkRule:
    """When an area is fit to be a labour-market area: the trade-off between its size and its self-containment.

    Sizes in resident workers, containments as shares. An area of `size_target` or more must hold `containment_least`
    of its workers and of its jobs, one of `size_least` must hold `containment_target`, and the demand falls in a
    straight line between. The defaults are those of the UK's travel-to-work areas 2011.
    """

    size_least: float = 3_500
    size_target: float = 25_000
    containment_least: float = 2 / 3
    containment_target: float = 0.75

    def __post_init__(self) -> None:
        """Refuse limits that are out of order."""
        if not 0 < self.containment_least <= self.containment_target < 1:
            raise SectorbookError(
                f"Containments must be shares in order: 0 < {self.containment_least:g} <= {self.containment_target:g} < 1."
            )
        if not 0 <= self.size_least < self.size_target:
            raise SectorbookError(f"Sizes must be in order: 0 <= {self.size_least:g} < {self.size_target:g}.")

    @property
    def fit(self) -> float:
        """Validity from which on an area is fit."""
        return self.containment_least / self.containment_target

    def validity(self, residents: np.ndarray, jobs: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """Rate areas by the X-equation of Coombes and Bond 2008; fit from `fit` on, 1 at best.

        (1 - (1 - c / C) max(0, (S - s) / (S - s0))) min(SC, C) / C, with the area's resident workers s, the lower of its
        two self-containments SC, and the limits s0, S (sizes) and c, C (containments).
        """
        short = np.clip((self.size_target - residents) / (self.size_target - self.size_least), 0, None)
        larger = np.maximum(residents, jobs)
        containment = np.divide(inside, larger, out=np.zeros(len(inside)), where=larger > 0)
        return (
            (1 - (1 - self.fit) * short)
            * np.minimum(containment, self.containment_target)
            / self.containment_target
        )


def self_containment(flows: pd.DataFrame, counties: Sequence[str]) -> pd.Series:
    """How far a set of counties is one labour market.

    Returns resident_workers (who live there), jobs (held there by anyone), live_and_work (both there), and in percent
    supply_side_pct = live_and_work / resident_workers (residents who find their work inside) and demand_side_pct =
    live_and_work / jobs (jobs filled from inside). Source of the terms: Goodman 1970, British Journal of
    Industrial Relations 8:179-196.
    Raises SectorbookError on a county without flows and on malformed flows.
    """
    codes, matrix = _matrix(flows)
    inside = _mask(codes, counties)
    return _contained(matrix, inside)


def boundary_changes(flows: pd.DataFrame, counties: Sequence[str], at_least_pct: float = 5.0) -> pd.DataFrame:
    """What adding each outside county, or dropping each inside one, would do to self-containment.

    Returns one row per inside county, and per outside county that exchanges at least `at_least_pct` of its resident
    workers and jobs with the region: a large, self-contained county far away raises both percentages too, by weight
    alone. Columns: county_fips, action ("add", "drop"), workers_exchanged with the rest of the region, exchange_pct of the
    county's resident workers and jobs, resident_workers and jobs of the county, supply_side_pct and demand_side_pct
    after the change, their changes in percentage points (…_change_points), and lower_side_change_points, that of the
    lower of the two: the first row helps the weaker side most. Errors as in `self_containment`.
    """
    codes, matrix = _matrix(flows)
    inside = _mask(codes, counties)
    now = _contained(matrix, inside)
    residents, jobs, own = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    weight = inside.astype(float)
    exchanged = matrix @ weight + matrix.T @ weight - np.where(inside, 2 * own, 0)
    step = np.where(inside, -1.0, 1.0)
    live_and_work = now["live_and_work"] + step * (own + exchanged)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Dropping the only county leaves nothing to divide by: NaN.
        after = {
            "supply_side_pct": 100 * live_and_work / (now["resident_workers"] + step * residents),
            "demand_side_pct": 100 * live_and_work / (now["jobs"] + step * jobs),
        }
        exchange_pct = 100 * exchanged / (residents + jobs)
    table = pd.DataFrame(
        {
            "county_fips": codes,
            "action": np.where(inside, "drop", "add"),
            "workers_exchanged": exchanged,
            "exchange_pct": exchange_pct,
            "resident_workers": residents,
            "jobs": jobs,
            **after,
            **{f"{side.removesuffix('_pct')}_change_points": after[side] - now[side] for side in after},
        }
    )
    lower = np.minimum(after["supply_side_pct"], after["demand_side_pct"])
    table["lower_side_change_points"] = lower - min(now["supply_side_pct"], now["demand_side_pct"])
    linked = inside | ((exchanged > 0) & (exchange_pct >= at_least_pct))
    return table[linked].sort_values("lower_side_change_points", ascending=False, ignore_index=True)


def commuting_zones(flows: pd.DataFrame, cut: float = 0.977) -> pd.DataFrame:
    """Draw areas as the US commuting zones of 1980 to 2020 were drawn: hierarchical clustering of counties.

    Two counties are the closer the larger P = (f_ij + f_ji) / min(w_i, w_j) is, the flows both ways over the smaller
    one's resident workers; the distance is 1 - min(P, 0.999). Average linkage (scipy.cluster.hierarchy), cut at `cut`:
    0.977 for the 2010 and 2020 zones, 0.98 for 1990. Sources: Tolbert and Sizer 1996, USDA ERS Staff Paper 9614;
    Fowler 2024, Scientific Data 11:975. Those add hand corrections and contiguity checks; this does not.

    Returns county_fips and area, which is the code of the area's county with the most jobs.
    """
    if not 0 < cut < 1:
        raise SectorbookError(f"cut must lie between 0 and 1, for example 0.977; got {cut}.")
    codes, matrix = _matrix(flows)
    if len(codes) == 1:
        return pd.DataFrame({"county_fips": codes, "area": codes})
    both = (matrix + matrix.T).toarray()
    residents = np.maximum(
        matrix.sum(axis=1), 1.0
    )  # a county nobody works from has no flows either way to divide
    tie = np.minimum(both / np.minimum.outer(residents, residents), STRONGEST_FLOW)
    distance = 1 - tie
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    return _named(codes, fcluster(tree, cut, criterion="distance"), matrix)


def travel_to_work_areas(flows: pd.DataFrame, rule: TravelToWorkRule | None = None) -> pd.DataFrame:
    """Draw areas as the UK's travel-to-work areas are drawn: dissolve the least fit until all are fit.

    Each county starts as an area. The area least fit by `rule` is dissolved, and each of its counties, those with the
    most resident workers first, joins the other area it is tied to most by f_hk^2 / (R_h W_k) + f_kh^2 / (R_k W_h),
    with f the flows both ways, R resident workers and W jobs. Each turn leaves one area less, so it ends. Sources:
    Coombes, Green and Openshaw 1986, Journal of the Operational Research Society 37:943-953; Coombes and Bond 2008,
    Travel-to-Work Areas: the 2007 review (ONS).

    Returns county_fips, area (the code of its county with the most jobs) and is_fit: false for areas that fall short
    and exchange no workers with any other.
    """
    rule = rule or TravelToWorkRule()
    codes, matrix = _matrix(flows)
    n = len(codes)
    area = np.arange(n)
    counties = np.array([matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()])
    areas = counties.copy()  # rows: resident workers, jobs, both inside
    validity = rule.validity(*areas)
    directions = matrix.tocsr(), matrix.T.tocsr()

    def choose(county: int) -> tuple[int, float, float]:
        """Return the area a county that is in none is tied to most, the tie, and the flows between them."""
        sent, received = (_by_area(side, county, area, n) for side in directions)
        tie = sent**2 * _inverse(counties[0, county] * areas[1]) + received**2 * _inverse(
            areas[0] * counties[1, county]
        )
        best = int(np.argmax(tie))
        return best, tie[best], sent[best] + received[best]

    while validity.min() < rule.fit:
        worst = int(np.argmin(validity))
        waiting = np.flatnonzero(area == worst)
        waiting = list(waiting[np.argsort(-counties[0, waiting], kind="stable")])
        area[waiting] = n  # in no area
        areas[:, worst] = 0
        validity[worst] = np.inf
        while waiting:
            found = ((county, *choose(county)) for county in waiting)
            county, target, _, between = next((f for f in found if f[2] > 0), (None, worst, 0.0, 0.0))
            if county is None:
                # What is left exchanges workers with no other area: it stays one area, short of the rule.
                left = np.isin(np.arange(n), waiting).astype(float)
                area[waiting] = worst
                areas[:, worst] = counties[0] @ left, counties[1] @ left, left @ (matrix @ left)
                break
            area[county] = target
            areas[:, target] += counties[:, county] + np.array([0, 0, between])
            if np.isfinite(validity[target]):
                validity[target] = rule.validity(*areas[:, [target]])[0]
            waiting.remove(county)
    return _named(codes, area, matrix).assign(is_fit=(rule.validity(*areas) >= rule.fit)[area])


def _by_area(side: csr_array, county: int, area: np.ndarray, n: int) -> np.ndarray:
    entries = slice(side.indptr[county], side.indptr[county + 1])
    return np.bincount(area[side.indices[entries]], side.data[entries], minlength=n + 1)[:n]


def _inverse(size: np.ndarray) -> np.ndarray:
    return np.divide(1.0, size, out=np.zeros(len(size)), where=size > 0)


def area_summary(flows: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Self-containment of each area of a delineation: one row per area, with the columns of `self_containment`.

    `areas` has county_fips and area, one row per county of `flows`. Adds counties, the number of counties.
    """
    codes, matrix = _matrix(flows)
    of = areas.set_index("county_fips")["area"]
    if of.index.has_duplicates or set(of.index) != set(codes):
        raise SectorbookError("areas must have each county of the flows once, and no other.")
    labels, position = np.unique(of.loc[codes].to_numpy(), return_inverse=True)
    member = csr_array(
        (np.ones(len(codes)), (position, np.arange(len(codes)))), shape=(len(labels), len(codes))
    )
    between = member @ matrix @ member.T
    table = pd.DataFrame(
        {
            "area": labels,
            "counties": np.bincount(position),
            "resident_workers": between.sum(axis=1),
            "jobs": between.sum(axis=0),
            "live_and_work": between.diagonal(),
        }
    )
    table["supply_side_pct"] = 100 * table["live_and_work"] / table["resident_workers"]
    table["demand_side_pct"] = 100 * table["live_and_work"] / table["jobs"]
    return table


def _matrix(flows: pd.DataFrame) -> tuple[np.ndarray, csr_array]:
    for name in COLUMNS:
        if name not in flows:
            raise SectorbookError(f"The flows lack the column {name!r}. Needed: {', '.join(COLUMNS)}.")
    workers = pd.to_numeric(flows["workers"], errors="coerce").to_numpy(dtype=float)
    wrong = ~(workers >= 0)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise SectorbookError(
            f"workers in row {at} of the flows is {flows['workers'].iloc[at]}: not a number from 0 up."
        )
    for name in COLUMNS[:2]:
        if not pd.api.types.is_string_dtype(flows[name]) or flows[name].isna().any():
            raise SectorbookError(
                f"{name} must be text without gaps: read codes as text, or leading zeros are lost."
            )
    twice = flows.duplicated(COLUMNS[:2])
    if twice.any():
        pair = " to ".join(flows.loc[twice, COLUMNS[:2]].iloc[0])
        raise SectorbookError(f"The flow {pair} stands in more than one row.")
    codes = np.unique(np.concatenate([flows[name].to_numpy(dtype=str) for name in COLUMNS[:2]]))
    at = [np.searchsorted(codes, flows[name].to_numpy(dtype=str)) for name in COLUMNS[:2]]
    return codes, csr_array((workers, tuple(at)), shape=(len(codes), len(codes)))


def _mask(codes: np.ndarray, counties: Sequence[str]) -> np.ndarray:
    present = set(codes)
    for county in counties:
        if county not in present:
            listing = "The flows have no row with it." if len(present) > 50 else None
            raise unknown("county_fips", str(county), present, listing)
    if len(counties) == 0:
        raise SectorbookError("A region needs at least one county.")
    return np.isin(codes, list(counties))


def _contained(matrix: csr_array, inside: np.ndarray) -> pd.Series:
    weight = inside.astype(float)
    residents, jobs = weight @ matrix.sum(axis=1), weight @ matrix.sum(axis=0)
    both = weight @ (matrix @ weight)
    if residents == 0 or jobs == 0:
        raise SectorbookError(
            f"The region has {residents:g} resident workers and {jobs:g} jobs in the flows."
        )
    return pd.Series(
        {
            "resident_workers": residents,
            "jobs": jobs,
            "live_and_work": both,
            "supply_side_pct": 100 * both / residents,
            "demand_side_pct": 100 * both / jobs,
        }
    )


def _named(codes: np.ndarray, label: np.ndarray, matrix: csr_array) -> pd.DataFrame:
    table = pd.DataFrame({"county_fips": codes, "label": label, "jobs": matrix.sum(axis=0)})
    largest = table.loc[table.groupby("label")["jobs"].idxmax()].set_index("label")["county_fips"]
    return pd.DataFrame({"county_fips": codes, "area": table["label"].map(largest).to_numpy()})
