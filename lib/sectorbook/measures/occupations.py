"""The jobs of a sector in a region: how many, what they pay, against what, and on which rung they stand."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures.concentration import location_quotient
from sectorbook.measures.staffing import ALL_INDUSTRIES, ALL_OCCUPATIONS, DETAILED, total_jobs

PERCENTILES = (10, 25, 50, 75, 90)
RUNGS = ("entry", "middle", "upper", "not ranked")


def sector_occupations(
    regional: pd.DataFrame, national: pd.DataFrame, staffing: pd.DataFrame, industries: tuple[str, ...]
) -> pd.DataFrame:
    """Return the sector's detailed occupations in the region, most national sector jobs first.

    `regional` and `national` are the OEWS occupations of the region and of the nation; `staffing` the national
    industry table. Adds to the regional columns:

    * sector_employment_us: the sector's jobs in the occupation, nation;
    * sector_pattern_pct: the occupation's share of the sector's published detailed jobs, nation;
    * in_sector_pct: the share of the occupation's national jobs that the sector holds;
    * sector_employment: regional jobs x in_sector_pct, an estimate of the sector's jobs here;
    * location_quotient_computed: from the jobs, to set beside the publisher's own;
    * wage_annual_p50_us_usd and wage_gap_pct: the national median and the region's distance from it.

    An occupation the region does not publish keeps its row, with NaN and status "withheld".
    """
    cells = staffing[staffing.industry_code.isin(industries) & (staffing.occupation_level == DETAILED)]
    inside = cells.groupby("occupation_code").employment.sum(min_count=1).dropna()
    if inside.empty:
        raise SectorbookError("OEWS publishes no staffing pattern for the industries of this sector.")
    us = national[national.occupation_level == DETAILED].set_index("occupation_code")
    everywhere = staffing[staffing.industry_code == ALL_INDUSTRIES].set_index("occupation_code").employment
    base = pd.DataFrame(
        {
            "sector_employment_us": inside,
            "sector_pattern_pct": 100 * inside / inside.sum(),
            "in_sector_pct": (100 * inside / everywhere.reindex(inside.index)).clip(upper=100),
            "wage_annual_p50_us_usd": us.wage_annual_p50_usd.reindex(inside.index),
            "title_us": us.occupation_title.reindex(inside.index),
        }
    )
    here = regional.set_index("occupation_code")
    joined = base.join(here.drop(columns=["area_code"]), how="left")
    joined["occupation_title"] = joined.occupation_title.fillna(joined.pop("title_us"))
    statuses = [column for column in joined.columns if column.endswith("_status")]
    joined[statuses] = joined[statuses].fillna("withheld")
    total, us_total = total_jobs(regional), total_jobs(national)
    joined["sector_employment"] = joined.employment * joined.in_sector_pct / 100
    joined["location_quotient_computed"] = location_quotient(
        joined.employment, total, us.employment.reindex(joined.index), us_total
    )
    joined["wage_gap_pct"] = 100 * (joined.wage_annual_p50_usd / joined.wage_annual_p50_us_usd - 1)
    ordered = joined.sort_values(["sector_employment_us"], ascending=False, kind="stable")
    return ordered.reset_index(names="occupation_code")


def wages_with_top_codes(frame: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return the five wage percentiles in `unit` ("hourly" or "annual"), top-coded ones as the top code.

    A top-coded wage is the top code or more, so the value is a lower bound; the status column tells.
    """
    wages = pd.DataFrame(index=frame.index)
    for p in PERCENTILES:
        column = f"wage_{unit}_p{p}_usd"
        coded = frame[f"wage_{unit}_p{p}_status"] == "top-coded"
        wages[f"p{p}"] = frame[column].where(~coded, frame[f"top_code_{unit}_usd"])
    return wages


def published_wages(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with its annual wages as p10 … p90, only the rows that publish all five."""
    wages = wages_with_top_codes(frame, "annual")
    return frame.join(wages).dropna(subset=list(wages.columns))


def share_at_or_above(frame: pd.DataFrame, threshold_annual_usd: float) -> pd.DataFrame:
    """Return the bounds, in percent, on the share of each occupation's workers who earn the threshold or more.

    From the published percentiles alone: a threshold between the 25th percentile and the median is reached by
    50 to 75 percent. No shape is assumed between percentiles. Columns: at_least_low_pct, at_least_high_pct; NaN
    where no percentile is published.
    """
    wages = wages_with_top_codes(frame, "annual").to_numpy(float)
    coded = (frame[[f"wage_annual_p{p}_status" for p in PERCENTILES]] == "top-coded").to_numpy()
    below = np.array([0, *PERCENTILES, 100])
    known = ~np.isnan(wages).any(axis=1)
    surely_below = ((wages < threshold_annual_usd) & ~coded).sum(axis=1)
    perhaps_below = (wages < threshold_annual_usd).sum(axis=1)
    low = np.where(known, 100 - below[np.minimum(perhaps_below + 1, len(below) - 1)], np.nan)
    high = np.where(known, 100 - below[surely_below], np.nan)
    return pd.DataFrame({"at_least_low_pct": low, "at_least_high_pct": high}, index=frame.index)


def rungs(
    frame: pd.DataFrame, reference_wage_annual_usd: float, entry_below: float, upper_from: float
) -> pd.Series:
    """Return each occupation's rung: entry, middle, upper, or not ranked where no median is published.

    Entry: median annual wage under `entry_below` times the reference wage. Upper: `upper_from` times or more.
    A top-coded median is upper when the top code already reaches that line. Raises SectorbookError unless
    0 < entry_below <= upper_from.
    """
    if not 0 < entry_below <= upper_from:
        raise SectorbookError(
            f"The rungs need 0 < entry_below <= upper_from; found {entry_below} and {upper_from}."
        )
    median = wages_with_top_codes(frame, "annual")["p50"]
    ratio = median / reference_wage_annual_usd
    rung = np.select(
        [ratio.isna(), ratio < entry_below, ratio >= upper_from], ["not ranked", "entry", "upper"], "middle"
    )
    return pd.Series(pd.Categorical(rung, categories=RUNGS, ordered=True), index=frame.index, name="rung")


def rung_table(frame: pd.DataFrame, group_titles: dict[str, str]) -> pd.DataFrame:
    """Return the sector's estimated regional jobs by occupation group (SOC major group) and rung.

    `frame` needs occupation_code, sector_employment and rung; `group_titles` maps "29-0000" to its title.
    Columns: occupation_group, one per rung, employment (their sum). Occupations without a published number of
    jobs add nothing.
    """
    group = (frame.occupation_code.str[:2] + "-0000").map(group_titles).rename("occupation_group")
    counts = frame.groupby([group, "rung"], observed=False).sector_employment.sum().unstack(fill_value=0.0)
    counts = counts.reindex(columns=list(RUNGS), fill_value=0.0)
    counts.columns = counts.columns.astype(str)
    counts["employment"] = counts.sum(axis=1)
    kept = counts[counts.employment > 0].sort_values("employment", ascending=False)
    return kept.reset_index()


def publication(frame: pd.DataFrame) -> pd.Series:
    """Return how many occupations publish, withhold or top-code their jobs and median annual wage.

    Index: employment_published, employment_withheld, wage_published, wage_withheld, wage_top_coded,
    wage_hourly_only.
    """
    wage = frame.wage_annual_p50_status
    return pd.Series(
        {
            "employment_published": int((frame.employment_status == "published").sum()),
            "employment_withheld": int((frame.employment_status == "withheld").sum()),
            "wage_published": int((wage == "published").sum()),
            "wage_withheld": int((wage == "withheld").sum()),
            "wage_top_coded": int((wage == "top-coded").sum()),
            "wage_hourly_only": int((wage == "hourly-only").sum()),
        }
    )


def publication_table(counts: pd.Series) -> pd.DataFrame:
    """Return `publication` as a table: status, jobs_count, wage_count."""
    return pd.DataFrame(
        {
            "status": ["published", "withheld", "top-coded", "hourly only"],
            "jobs_count": [counts.employment_published, counts.employment_withheld, 0, 0],
            "wage_count": [
                counts.wage_published, counts.wage_withheld, counts.wage_top_coded, counts.wage_hourly_only,
            ],
        }
    )  # fmt: skip


def first(frame: pd.DataFrame) -> pd.Series:
    """Return the first row, or one of missing values where there is none."""
    return frame.iloc[0] if len(frame) else pd.Series(np.nan, index=frame.columns)


def median_wage(occupations: pd.DataFrame) -> float:
    """Return the median annual wage of all jobs in USD; the top code where it is top-coded, NaN where withheld."""
    whole = occupations[occupations.occupation_code == ALL_OCCUPATIONS]
    return float(wages_with_top_codes(whole, "annual")["p50"].iloc[0]) if len(whole) else float("nan")


def group_titles(national: pd.DataFrame) -> dict[str, str]:
    """Return the title of each SOC major group by its code, without the word "Occupations"."""
    groups = national[(national.occupation_level == 0) & (national.occupation_code != ALL_OCCUPATIONS)]
    titles = groups.occupation_title.str.removesuffix(" Occupations")
    return dict(zip(groups.occupation_code, titles, strict=True))


def rung_shares(table: pd.DataFrame) -> pd.Series:
    """Return the share of all jobs of `rung_table` on each rung, in percent; NaN where there are none."""
    sums = table[list(RUNGS)].sum()
    return 100 * sums / sums.sum() if sums.sum() else sums * np.nan


@dataclass(frozen=True)
class Agreement:
    """How many location quotients were compared, how many agree within rounding, and the largest difference."""

    compared: int
    within: int
    largest: float


def location_quotient_agreement(frame: pd.DataFrame, total: float) -> Agreement:
    """Compare computed location quotients with the publisher's own.

    A published quotient is rounded to 0.01 and published jobs to 10, in the numerator and the region's total, so
    a quotient q from e jobs may differ by 0.005 + q x (5/e + 5/total).
    """
    both = frame.dropna(subset=["location_quotient", "location_quotient_computed", "employment"])
    both = both[both.location_quotient_status == "published"]
    difference = (both.location_quotient - both.location_quotient_computed).abs()
    allowed = 0.005 + both.location_quotient_computed * (5 / both.employment + 5 / total)
    within = int((difference <= allowed * (1 + 1e-9)).sum())
    return Agreement(len(both), within, float(difference.max()) if len(both) else float("nan"))
