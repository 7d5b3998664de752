"""Projected openings within reach as a line of demand, and how many to enroll by each view of demand.

Openings: jobs here x the nation's projected openings per job of the occupation (US Bureau of Labor Statistics, Employment
Projections: growth, exits and transfers). Regional rates are not published for all regions, so the nation's stands in.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.measures import cohort
from sectorbook.measures.programs import VIEWS, ready_share

NO_MATCH, NOT_HERE = "no match", "not fetched"
# The middle eighty percent of a normal, as the bands of the flow.
BAND = 0.8

ASSUMPTIONS = {
    "hires": "Hires in a year",
    "hires_se": "Standard error of the hires",
    "openings_annual": "Projected openings in a year",
    "share_reachable": "Share of the openings within reach, percent",
    "openings_rse": "Standard error of the openings, percent",
    "yield_share": "Share of those enrolled who come ready, percent",
    "cost_unplaced_usd": "Cost of a trainee without a job",
    "cost_unfilled_usd": "Cost of a job without a trainee",
}


def target_openings(
    occupations: pd.DataFrame, cohorts: pd.DataFrame, projected: pd.DataFrame, rate: float
) -> pd.DataFrame:
    """Return the occupations the programs train for, with their jobs here and the openings to expect in a year.

    `occupations`: the region's (`occupation_code`, `employment`, ...); `cohorts`: `occupation_code`; `projected`: the nation's
    (`occupation_code`, `employment_base`, `openings_annual`). A `rate` above 0 stands in for the nation's openings per job.
    Adds `openings_per_job`, `openings` and `openings_status`: "published", "no match" (no projection of that code: the
    sources may use different editions of the SOC), or "not fetched".
    """
    codes = cohorts["occupation_code"].dropna().unique()
    targets = occupations[occupations["occupation_code"].isin(codes)].reset_index(drop=True)
    rows = projected.drop_duplicates("occupation_code").set_index("occupation_code")
    if rate > 0:
        per_job = pd.Series(float(rate), targets.index)
    elif len(rows):
        base = rows["employment_base"].astype(float)
        own = rows["openings_annual"].astype(float) / base.where(base > 0)
        per_job = targets["occupation_code"].map(own).astype(float)
    else:
        per_job = pd.Series(np.nan, targets.index)
    found = targets["employment"].astype(float) * per_job
    lacking = NO_MATCH if len(rows) else NOT_HERE
    return targets.assign(
        openings_per_job=per_job,
        openings=found,
        openings_status=found.isna().map({True: lacking, False: "published"}),
    )


def openings_total(targets: pd.DataFrame) -> float:
    """Return the openings in a year of `target_openings`, those without a projection left out; missing when none has one."""
    known = targets["openings"].dropna()
    return float(known.sum()) if len(known) else np.nan


def view_lines(hires: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Return every known view of demand by quarter beside the trainees expected to come ready, for a chart.

    `hires` is what `programs.demand` returns, `expected` what `programs.flow` does. Returns `quarter_label`, `ready`, and per
    view its hires with `_low` and `_high` (the middle eighty percent of a normal, not below 0). A view that is not known has no
    column.
    """
    if hires.empty:
        return pd.DataFrame(columns=["quarter_label", "ready"])
    ready = expected.set_index("quarter")["certified"].astype(float)
    quarters = hires["quarter"].drop_duplicates()
    out = pd.DataFrame(
        {"quarter_label": quarters.astype(str).to_numpy(), "ready": ready.reindex(quarters).to_numpy()}
    )
    half = stats.norm.ppf((1 + BAND) / 2)
    for name in VIEWS:
        view = hires[hires["source"] == name].set_index("quarter").reindex(quarters)
        if view["hires"].notna().all():
            middle, spread = view["hires"].to_numpy(float), half * view["se"].to_numpy(float)
            out[name] = middle
            out[f"{name}_low"], out[f"{name}_high"] = np.maximum(middle - spread, 0), middle + spread
    return out


def assumptions(
    hires: pd.DataFrame,
    view: str,
    rates: pd.DataFrame,
    costs_usd: tuple[float, float],
    openings: tuple[float, float, float] | None = None,
) -> dict[str, float] | None:
    """Return the assumptions of the best size for a year, by one view of demand; None where one is not known.

    `costs_usd`: of a trainee without a job, and of a job without a trainee. `openings`: those of a year, their relative
    standard error, and the share within reach; given for the view "projected", which then hangs on each of them.
    """
    own = hires[hires["source"] == view].head(4)
    if view == "projected" and openings is not None:
        known = hires.empty or own["hires"].isna().any()
        demand = dict(zip(("openings_annual", "openings_rse", "share_reachable"), openings, strict=True))
        demand |= {"openings_annual": np.nan} if known else {}
    else:
        demand = {"hires": own["hires"].mean() * 4, "hires_se": own["se"].mean() * 4}
    base = {
        **demand,
        "yield_share": ready_share(rates),
        "cost_unplaced_usd": costs_usd[0],
        "cost_unfilled_usd": costs_usd[1],
    }
    return None if any(pd.isna(v) for v in base.values()) else {k: float(v) for k, v in base.items()}


def _size(**given: float) -> float:
    """Return `cohort.cohort_size`, of hires or of openings within reach."""
    if "openings_annual" in given:
        reached = given.pop("openings_annual") * given.pop("share_reachable")
        given |= {"hires": reached, "hires_se": reached * given.pop("openings_rse")}
    return cohort.cohort_size(**given)


def best_size(base: dict[str, float] | None) -> float:
    """Return the best number to enroll in a year, missing without assumptions."""
    return _size(**base) if base else np.nan


def size_by_view(
    hires: pd.DataFrame, rates: pd.DataFrame, costs_usd: tuple[float, float], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return the best number to enroll in a year by every view of demand.

    Columns `view_label`, `hires_year`, `hires_year_se`, `enroll_year`. Commitments are taken as sure, and as all the demand
    there is. Missing where the view is not known.
    """
    rows = []
    for name in VIEWS if len(hires) else ():
        base = assumptions(hires, name, rates, costs_usd)
        own = hires[hires["source"] == name].head(4)
        rows.append((labels[name], own["hires"].mean() * 4, own["se"].mean() * 4, best_size(base)))
    return pd.DataFrame(rows, columns=["view_label", "hires_year", "hires_year_se", "enroll_year"])


def size_tornado(base: dict[str, float] | None, rates: pd.DataFrame, swing: float) -> pd.DataFrame:
    """Return how the best number to enroll moves with each assumption: `cohort.tornado`, with `assumption_label`.

    Hires and openings move by one standard error, the share who come ready over its Wilson interval, the others by `swing` of
    their value (a share to 1 at most). Shares and relative errors come back in percent. No rows without assumptions.
    """
    columns = ["assumption_label", "low", "high", "at_low", "at_high", "at_base", "swing"]
    if base is None:
        return pd.DataFrame(columns=columns)
    ranges = {name: (value * (1 - swing), value * (1 + swing)) for name, value in base.items() if value > 0}
    if "share_reachable" in ranges:
        low, high = ranges["share_reachable"]
        ranges["share_reachable"] = (low, min(high, 1.0))
    for amount, error in (("hires", "hires_se"), ("openings_annual", "openings_rse")):
        if base.get(error, 0) > 0:
            one = base[error] * (base[amount] if error == "openings_rse" else 1)
            ranges[amount] = (max(base[amount] - one, 0.0), base[amount] + one)
    first, through = int(rates["trials"].iloc[0]), int(rates["successes"].iloc[1])
    interval = stats.binomtest(through, first).proportion_ci(method="wilson")
    ranges["yield_share"] = (interval.low, interval.high)
    table = cohort.tornado(_size, base, ranges)
    percent = table["assumption"].isin(["openings_rse", "share_reachable", "yield_share"])
    table[["low", "high"]] *= np.where(percent, 100.0, 1.0)[:, None]
    return table.assign(assumption_label=table["assumption"].map(ASSUMPTIONS))
