"""Is the region one labour market? Its self-containment with margins of error, what to add or drop, and who is near."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sectorbook.measures import commuting

FLOWS = ["residence_county_fips", "work_county_fips", "workers", "workers_moe"]
NEIGHBOURS = 20
LEAST_GAIN_POINTS = 0.1  # a county that helps less is not worth a partner more


def named(flows: pd.DataFrame) -> pd.DataFrame:
    """Return the warehouse's commuting flows with the columns `measures.commuting` takes."""
    return flows.rename(columns={"residence_county_fips": "res_fips", "work_county_fips": "work_fips"})


def known(flows: pd.DataFrame, counties: Sequence[str]) -> bool:
    """Return whether the flows speak of every county of the region (codes change: Connecticut's did in 2022)."""
    return bool(counties) and set(counties) <= set(flows.residence_county_fips) | set(flows.work_county_fips)


def _moe(workers: pd.DataFrame) -> float:
    """Return the margin of error of a sum of flows: the root of the summed squares; NaN where one is not published."""
    return float(np.sqrt((workers.workers_moe**2).sum(skipna=False)))


def containment(flows: pd.DataFrame, counties: Sequence[str]) -> pd.Series:
    """Return the self-containment of a region's counties with margins of error at 90 percent.

    `flows` are the warehouse's (`FLOWS`). The columns of `commuting.self_containment`, and supply_side_moe and
    demand_side_moe in percentage points: for a part x of a whole y, p = x / y, MOE(p) = sqrt(MOE(x)^2 - p^2 MOE(y)^2) / y, with
    a plus sign where the root would be of a negative number (Census Bureau, Understanding and Using ACS Data, 2020,
    chapter 8). NaN where margins are not published. All NaN where the flows do not know every county.
    """
    columns = ["resident_workers", "jobs", "live_and_work", "supply_side_pct", "demand_side_pct"]
    if not known(flows, counties):
        return pd.Series(np.nan, index=[*columns, "supply_side_moe", "demand_side_moe"])
    found = commuting.self_containment(named(flows), counties)
    home, work = (flows[f"{side}_county_fips"].isin(counties) for side in ("residence", "work"))
    part = _moe(flows[home & work])
    for side, whole, of in (("supply", "resident_workers", home), ("demand", "jobs", work)):
        share, error = found[f"{side}_side_pct"] / 100, _moe(flows[of])
        inner = part**2 - share**2 * error**2
        root = inner if not inner < 0 else part**2 + share**2 * error**2
        found[f"{side}_side_moe"] = 100 * np.sqrt(root) / found[whole]
    return found


def names(shapes: pd.DataFrame) -> pd.Series:
    """Return the name of each county by its code."""
    return shapes.drop_duplicates("county_fips").set_index("county_fips").county_name


def covered_jobs(records: pd.DataFrame, year: int | None, names: pd.Series) -> pd.DataFrame:
    """Return each county's covered jobs in a year as the publisher prints them, largest first; no rows without records.

    `records` are QCEW rows of the region (`industry.COLUMNS`). Columns: county_name, county_fips, establishments,
    employment_counted (all ownerships), and employment_gap: that total less the sum of private, federal, state and local jobs.
    0 says that the table ties out to the publisher's total; NaN, status "withheld", where an ownership is withheld.
    """
    kept = records[
        records.year.eq(year) & records.quarter.eq("A") & records.size_code.eq("0")
        & records.industry_code.eq("10") & records.area_fips.str.fullmatch(r"\d{5}")
    ]  # fmt: skip
    whole = kept[kept.own_code.eq("0")].set_index("area_fips")
    owners = kept[kept.own_code.isin(["1", "2", "3", "5"])]
    withheld = owners.employment_status.eq("withheld").groupby(owners.area_fips).any()
    summed = owners.groupby("area_fips").employment.sum()
    gap = (whole.employment - summed.reindex(whole.index)).mask(
        withheld.reindex(whole.index, fill_value=True)
    )
    found = whole[["establishments", "employment"]].assign(
        employment_gap=gap, employment_gap_status=gap.isna().map({True: "withheld", False: "published"})
    )
    found = found.rename(columns={"employment": "employment_counted"})
    found.insert(0, "county_name", [names.get(code, code) for code in found.index])
    return found.rename_axis("county_fips").reset_index().sort_values("employment_counted", ascending=False)


def changes(flows: pd.DataFrame, counties: Sequence[str], names: pd.Series) -> pd.DataFrame:
    """Return what adding or dropping each county would do (`commuting.boundary_changes`), with county_name; or no rows.

    `names` gives the county's name by its code; a code without one stays a code.
    """
    if not known(flows, counties):
        columns = ["county_fips", "county_name", "action", "exchange_pct", "lower_side_change_points"]
        return pd.DataFrame(columns=columns)
    found = commuting.boundary_changes(named(flows), counties)
    return found.assign(county_name=found.county_fips.map(names).fillna(found.county_fips))


def best(table: pd.DataFrame, action: str) -> pd.Series:
    """Return the county whose adding ("add") or dropping ("drop") helps the weaker side most; missing where none helps."""
    helps = table[(table.action == action) & (table.lower_side_change_points >= LEAST_GAIN_POINTS)]
    return helps.iloc[0] if len(helps) else pd.Series(np.nan, index=table.columns)


def codes(table: pd.DataFrame, action: str) -> list[str]:
    """Return the counties whose adding or dropping helps the weaker side by `LEAST_GAIN_POINTS` or more."""
    return list(
        table.county_fips[(table.action == action) & (table.lower_side_change_points >= LEAST_GAIN_POINTS)]
    )


def neighbours(areas: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return the largest areas a region's workers might also look to, highest median wage first, the region among them.

    `areas` are all OEWS areas. For a metropolitan area: those with a state in common, by their names; for a
    nonmetropolitan one: the others of its state; for a state, or the nation: the states.
    """
    here = areas[areas.area_code == code].iloc[0]
    if here.area_type == "metropolitan":
        states = areas.area_name.str.rpartition(", ")[2].str.split("-")
        own = set(here.area_name.rpartition(", ")[2].split("-"))
        near = (areas.area_type == "metropolitan") & states.map(lambda s: bool(own & set(s)))
    elif here.area_type == "nonmetropolitan":
        near = (areas.area_type == "nonmetropolitan") & (areas.area_code.str[:2] == code[:2])
    else:
        near = areas.area_type == "state"
    others = areas[near & (areas.area_code != code)].nlargest(NEIGHBOURS - 1, "employment")
    both = pd.concat([areas[areas.area_code == code], others])
    shown = both.dropna(subset=["wage_annual_p50_usd"]).sort_values("wage_annual_p50_usd", ascending=False)
    return shown.assign(wage_thousand_usd=shown.wage_annual_p50_usd / 1000).reset_index(drop=True)


def that_pay_more(others: pd.DataFrame, code: str) -> float:
    """Return how many of `neighbours` have a higher median wage than the region; NaN where its own is not published."""
    own = others.loc[others.area_code == code, "wage_annual_p50_usd"]
    return float((others.wage_annual_p50_usd > own.iloc[0]).sum()) if len(own) else np.nan


def verdict(inside: pd.Series, enough_pct: float) -> str:
    """Return in words whether both sides of `containment` reach what a labor market is asked for."""
    reached = [inside[f"{side}_side_pct"] >= enough_pct for side in ("supply", "demand")]
    if all(reached):
        return "Both reach what this chapter asks of a labor market."
    if any(reached):
        return "Only one reaches what this chapter asks of a labor market: look at the counties to add."
    return "Neither reaches what this chapter asks of a labor market: it is a part of a larger one."


def around(shapes: pd.DataFrame, counties: Sequence[str], reach: float = 0.55) -> pd.DataFrame:
    """Return the county shapes in and near a region: those with a point in its box widened by `reach` of its size; or none."""
    own = shapes[shapes.county_fips.isin(counties)]
    if own.empty:
        return own
    box = {}
    for side in ("longitude", "latitude"):
        low, high = min(map(min, own[side])), max(map(max, own[side]))
        pad = max(reach * (high - low), 0.6)
        box[side] = (low - pad, high + pad)
    touches = [
        any(box["longitude"][0] <= x <= box["longitude"][1] and box["latitude"][0] <= y <= box["latitude"][1]
            for x, y in zip(row.longitude, row.latitude, strict=True))
        for row in shapes.itertuples()
    ]  # fmt: skip
    return shapes[touches]


FACTORS = pd.DataFrame(
    [
        ("Where people live and work", "commuting_flows", "county-to-county commuting"),
        ("Closeness to airports and main roads", "", "local knowledge: ask employers and carriers"),
        (
            "Where firms of one industry cluster",
            "qcew",
            "jobs by county and industry, and employers' addresses",
        ),
    ],
    columns=["factor", "table", "answered_from"],
)


def factors(present: Sequence[str]) -> pd.DataFrame:
    """Return the three things that make a labour market's bounds (E04), and whether data here answer each."""
    told = {True: "data here", False: "not here"}
    given = [told[t in present] if t else "to be asked" for t in FACTORS.table]
    return FACTORS.assign(given_by=given)
