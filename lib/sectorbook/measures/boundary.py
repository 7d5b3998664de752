"""Two more views of a region's bounds: areas that published rules draw over the whole nation, and who commutes for which jobs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sectorbook.measures import commuting
from sectorbook.measures.region import known, named

# Column of LODES flows -> what its jobs are. Pay is by the month.
KINDS = {
    "jobs": "All jobs",
    "jobs_age_29_or_younger": "Workers of 29 or younger", "jobs_age_30_to_54": "Workers of 30 to 54",
    "jobs_age_55_or_older": "Workers of 55 or older",
    "jobs_paying_1250_usd_or_less": "Paying $1,250 a month or less", "jobs_paying_1251_to_3333_usd": "Paying $1,251 to $3,333",
    "jobs_paying_over_3333_usd": "Paying over $3,333",
    "jobs_goods": "Goods producing", "jobs_trade_transport_utilities": "Trade, transportation, utilities",
    "jobs_other_services": "All other services",
}  # fmt: skip
FLOWS = ["residence_county_fips", "work_county_fips", *KINDS]
RULES = {"commuting_zone": "US commuting zones", "travel_to_work": "Britain's travel-to-work areas"}


def inflow_outflow(flows: pd.DataFrame, counties: Sequence[str]) -> pd.DataFrame:
    """Return who lives and who works in a region, by kind of job; no rows where the flows do not know every county.

    `flows` are LODES jobs by county of residence and of work (`FLOWS`). Columns: job_kind; live_and_work, commute_in, commute_out
    (jobs); commute_in_pct of the jobs here, and commute_out_pct of the residents' jobs. A state's files hold the jobs in that
    state: residents who work in a state whose files are not built are missing from commute_out.
    """
    columns = ["job_kind", "live_and_work", "commute_in", "commute_out", "commute_in_pct", "commute_out_pct"]
    home, work = (flows[f"{side}_county_fips"].isin(counties) for side in ("residence", "work"))
    if not known(flows, counties):
        return pd.DataFrame(columns=columns)
    found = pd.DataFrame(
        {
            "live_and_work": flows.loc[home & work, list(KINDS)].sum(),
            "commute_in": flows.loc[~home & work, list(KINDS)].sum(),
            "commute_out": flows.loc[home & ~work, list(KINDS)].sum(),
        }
    ).astype(float)
    here, residents = found.live_and_work + found.commute_in, found.live_and_work + found.commute_out
    return found.assign(
        job_kind=list(KINDS.values()),
        commute_in_pct=100 * found.commute_in / here.where(here > 0),
        commute_out_pct=100 * found.commute_out / residents.where(residents > 0),
    ).reset_index(drop=True)[columns]


def delineated(flows: pd.DataFrame, counties: Sequence[str], names: pd.Series) -> pd.DataFrame:
    """Return how two published rules, run over the whole nation, would draw the region; no rows without the flows.

    `flows` are the warehouse's county-to-county flows of the whole nation. Of the areas each rule draws
    (`commuting.commuting_zones`, `commuting.travel_to_work_areas`) the one with most of the region's resident workers counts.
    One row per county that is in the region or in either area: county_name, county_fips, drawn, commuting_zone, travel_to_work
    ("yes" or "no"), resident_workers, and agree (all three say the same). Most workers first.
    """
    columns = ["county_name", "county_fips", "drawn", *RULES, "resident_workers", "agree"]
    if not known(flows, counties):
        return pd.DataFrame(columns=columns)
    own = named(flows)
    living = own.groupby("res_fips").workers.sum()
    areas = {
        "commuting_zone": commuting.commuting_zones(own),
        "travel_to_work": commuting.travel_to_work_areas(own),
    }
    inside = {"drawn": set(counties)}
    for rule, table in areas.items():
        of = table.set_index("county_fips").area
        main = living.reindex(list(counties)).groupby(of.reindex(list(counties))).sum().idxmax()
        inside[rule] = set(of.index[of == main])
    every = sorted(set().union(*inside.values()))
    found = pd.DataFrame({"county_fips": every})
    for name, members in inside.items():
        found[name] = np.where(found.county_fips.isin(members), "yes", "no")
    found["county_name"] = found.county_fips.map(names).fillna(found.county_fips)
    found["resident_workers"] = found.county_fips.map(living)
    found["agree"] = found[["drawn", *RULES]].nunique(axis=1).eq(1)
    return found.sort_values("resident_workers", ascending=False, ignore_index=True)[columns]


def listed(table: pd.DataFrame, rule: str, drawn: bool) -> str:
    """Return the counties on which a rule and the region as drawn differ, as words: those only drawn, or only by the rule."""
    told = table[(table["drawn"] == ("yes" if drawn else "no")) & (table[rule] == ("no" if drawn else "yes"))]
    names = list(told.county_name)
    if not names:
        return "no county"
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])} and others"
