"""A region's jobs by industry from employers' records (QCEW): suppressed cells as bounds, quotients, change.

The economy is split into the private sectors and the three kinds of government. BLS publishes a location quotient for
each of these cells, and they add up to total covered employment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures import change, suppression, suppression_fill
from sectorbook.measures.concentration import location_quotient

# What of the QCEW this module reads.
COLUMNS = [
    "area_fips", "own_code", "industry_code", "size_code", "quarter", "agglvl_code", "year", "establishments",
    "employment", "employment_status", "location_quotient", "location_quotient_status",
]  # fmt: skip
CELL = ["own_code", "industry_code"]

# Short names of the NAICS sectors, ours. "99" are establishments that BLS could not yet classify.
SECTORS = {
    "11": "Agriculture, forestry, fishing", "21": "Mining, oil and gas", "22": "Utilities", "23": "Construction",
    "31-33": "Manufacturing", "42": "Wholesale trade", "44-45": "Retail trade", "48-49": "Transportation and warehousing",
    "51": "Information", "52": "Finance and insurance", "53": "Real estate and rental", "54": "Professional, technical services",
    "55": "Management of companies", "56": "Administrative and waste services", "61": "Education, private",
    "62": "Health care and social assistance, private", "71": "Arts, entertainment, recreation",
    "72": "Accommodation and food services", "81": "Other services", "99": "Unclassified",
}  # fmt: skip
GOVERNMENT = {"1": "Federal government", "2": "State government", "3": "Local government"}
PRIVATE = "5"

# Sectors whose content NAICS 2022 changed, so that part of a change between 2021 and 2022 is a new label. Source: BLS, Current
# Employment Statistics, "Update to the 2022 NAICS", 2022 (mining, manufacturing, wholesale, retail, information,
# financial activities, other services).
RECODED_2022 = ("21", "31-33", "42", "44-45", "51", "52", "53", "81")

ROUNDING = 0.5  # jobs: annual averages are printed as whole jobs
PRINTED = 0.005  # BLS prints quotients with 2 decimals
SLACK = 1e-9  # arithmetic
ADDS_UP_JOBS = (
    1e-9  # how far the parts of a sector's change may miss it: floating-point error of some thousand jobs
)


def years(rows: pd.DataFrame) -> list[int]:
    """Return the years of annual averages in QCEW rows, in order."""
    return sorted(int(year) for year in rows.loc[rows.quarter == "A", "year"].unique())


def _annual(rows: pd.DataFrame, year: int, digits: int) -> pd.DataFrame:
    """Return one year's annual averages of all size classes, down to `digits` of NAICS."""
    deepest = {2: "4", 3: "5", 4: "6", 5: "7", 6: "8"}[digits]
    kept = rows[
        (rows.year == year)
        & (rows.quarter == "A")
        & (rows.size_code == "0")
        & (rows.agglvl_code.str[1] <= deepest)
    ]
    return kept.assign(suppressed=kept.employment_status == "withheld").reset_index(drop=True)


def region_jobs(rows: pd.DataFrame, year: int, digits: int = 3) -> pd.DataFrame:
    """Return the region's jobs by ownership and industry in one year: bounds, an estimate, and what is suppressed.

    `rows` are the QCEW rows (`COLUMNS`) of the region's counties and perhaps of its metropolitan area, or of one state or
    the nation; `digits` is how deep in NAICS to go (2 to 6). Where the counties' establishments add up to the area's, the
    area's own cells bound the region. Columns: own_code, industry_code, establishments, employment (NaN where
    suppressed), employment_lower, employment_upper, employment_estimate (jobs), suppressed, is_estimated.
    Methods: `suppression.suppressed_bounds`, `suppression_fill.estimate_suppressed`. Raises SectorbookError for a year
    that is not there.
    """
    cells = _annual(rows, year, digits)
    if cells.empty:
        raise SectorbookError(
            f"QCEW: no annual averages of {year} here. There: {', '.join(map(str, years(rows))) or 'none'}."
        )
    whole = cells[cells.industry_code.eq("10") & cells.own_code.eq("0")].set_index("area_fips").establishments
    metro = [area for area in whole.index if area.startswith("C")]
    counties = [area for area in whole.index if area not in metro]
    joined = bool(metro and counties) and abs(whole[counties].sum() - whole[metro[0]]) <= len(counties)
    if metro and counties and not joined:
        cells = cells[~cells.area_fips.isin(metro)]
    members = {metro[0]: counties} if joined else None
    columns = ["area_fips", *CELL, "establishments", "employment", "suppressed"]
    bounds = suppression.suppressed_bounds(cells[columns].reset_index(drop=True), members, ROUNDING)
    filled = suppression_fill.estimate_suppressed(bounds, members, ROUNDING)
    return suppression.region_bounds(filled, metro[:1] if joined or not counties else counties)


def total(jobs: pd.DataFrame) -> float:
    """Return total covered employment of `region_jobs`."""
    return float(jobs.loc[jobs.own_code.eq("0") & jobs.industry_code.eq("10"), "employment"].iloc[0])


def economy(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `region_jobs` that split the whole economy: private sectors and kinds of government.

    Index: own_code and industry_code. Adds industry_title, ours.
    """
    private = jobs[jobs.own_code.eq(PRIVATE) & jobs.industry_code.isin(list(SECTORS))]
    public = jobs[jobs.own_code.isin(list(GOVERNMENT)) & jobs.industry_code.eq("10")]
    titles = [*private.industry_code.map(SECTORS), *public.own_code.map(GOVERNMENT)]
    return pd.concat([private, public]).assign(industry_title=titles).set_index(CELL)


def sector_jobs(jobs: pd.DataFrame, naics: Sequence[str]) -> pd.Series:
    """Return one sector's jobs of all ownerships: establishments, employment_lower, _upper and _estimate, summed.

    `naics` are codes of two digits or more ("31" stands for "31-33"); `jobs` must go as deep. An industry that
    the region does not have adds nothing.
    """
    codes = {suppression.SECTOR_OF_TWO_DIGITS.get(code, code) for code in naics}
    found = jobs[jobs.industry_code.isin(codes) & jobs.own_code.ne("0")]
    return found[["establishments", "employment_lower", "employment_upper", "employment_estimate"]].sum()


def digits(naics: Sequence[str]) -> int:
    """Return how deep in NAICS the codes of a sector go: at least 3, where bounds begin to be tight."""
    return max(3, *(len(code) for code in naics))


# -- the nation -------------------------------------------------------------------------------------------


def _quotient_ranges(rows: pd.DataFrame, year: int, digits: int) -> pd.DataFrame:
    """Return what each published quotient says of the nation's share: share_lower and share_upper by cell and area."""
    cells = _annual(rows, year, digits)
    whole = cells[cells.industry_code.eq("10") & cells.own_code.eq("0")].set_index("area_fips").employment
    told = cells[
        ~cells.suppressed & cells.location_quotient_status.eq("published") & (cells.location_quotient > 0)
        & (cells.employment > 0)
    ]  # fmt: skip
    base = told.area_fips.map(whole)
    least = (told.employment - ROUNDING) / (base + ROUNDING) / (told.location_quotient + PRINTED + SLACK)
    below = (told.location_quotient - PRINTED - SLACK).where(told.location_quotient > PRINTED + SLACK)
    most = ((told.employment + ROUNDING) / (base - ROUNDING) / below).fillna(np.inf)
    return told[["area_fips", *CELL, "employment", "location_quotient"]].assign(
        base=base, share_lower=least, share_upper=most
    )


def us_shares(rows: pd.DataFrame, nation: pd.DataFrame, year: int) -> pd.DataFrame:
    """Return the nation's share of jobs in each cell of `economy`: us_share, us_share_lower, us_share_upper.

    From the nation's own rows where `nation` has the year. Where it has not, from the quotients BLS prints for the
    region's areas: (area jobs / area total) / quotient is the nation's share within the rounding of the print, and the
    ranges of all areas meet. NaN where no area prints one. Index: own_code and industry_code.
    """
    if not nation.empty and year in years(nation):
        known = _annual(nation, year, 2).set_index(CELL).employment
        share = known / known[("0", "10")]
        return pd.DataFrame({"us_share": share, "us_share_lower": share, "us_share_upper": share})
    ranges = _quotient_ranges(rows, year, 2).groupby(CELL)
    ends = pd.DataFrame(
        {"us_share_lower": ranges.share_lower.max(), "us_share_upper": ranges.share_upper.min()}
    )
    return ends.assign(us_share=ends.mean(axis=1))[["us_share", "us_share_lower", "us_share_upper"]].replace(
        np.inf, np.nan
    )


def quotients(parts: pd.DataFrame, jobs_total: float, shares: pd.DataFrame) -> pd.DataFrame:
    """Return `economy` with location quotients and their bounds, most concentrated first.

    Adds share_pct, us_share_pct, location_quotient (from the estimate), location_quotient_low and _high (from the bounds
    of suppressed jobs and of the nation's share), rank_low and rank_high (best and worst place within the bounds). A
    cell whose national share is not known is left out.
    """
    both = parts.join(shares, how="inner").dropna(subset=["us_share", "us_share_lower", "us_share_upper"])
    both = both[both.us_share > 0]
    found = both.assign(
        share_pct=100 * both.employment_estimate / jobs_total,
        us_share_pct=100 * both.us_share,
        location_quotient=location_quotient(both.employment_estimate, jobs_total, both.us_share, 1.0),
        location_quotient_low=location_quotient(both.employment_lower, jobs_total, both.us_share_upper, 1.0),
        location_quotient_high=location_quotient(both.employment_upper, jobs_total, both.us_share_lower, 1.0),
    )
    ranks = suppression.rank_bounds(found.location_quotient_low, found.location_quotient_high)
    return found.assign(rank_low=ranks.rank_best, rank_high=ranks.rank_worst).sort_values(
        "location_quotient", ascending=False
    )


def quotient_agreement(rows: pd.DataFrame, nation: pd.DataFrame, year: int) -> pd.Series:
    """Return how many of the quotients BLS prints for the region's areas are met, down to six digits of NAICS.

    With the nation's rows each quotient is computed anew and compared with the print; without them, a quotient is met when
    one national share fits it and every other area's. compared, met, and met_pct (NaN where nothing can be compared).
    """
    ranges = _quotient_ranges(rows, year, 6)
    if not nation.empty and year in years(nation):
        known = _annual(nation, year, 6)
        us = known[~known.suppressed].set_index(CELL).employment
        ranges = ranges.join(us.rename("us_employment"), on=CELL, how="inner")
        share = ranges.us_employment / us[("0", "10")]
    else:
        groups = ranges.groupby(CELL)
        ranges = ranges[groups.area_fips.transform("nunique") > 1]
        share = ranges.groupby(CELL).share_lower.transform("max")
    met = (share >= ranges.share_lower * (1 - SLACK)) & (share <= ranges.share_upper * (1 + SLACK))
    return pd.Series(
        {"compared": len(met), "met": int(met.sum()), "met_pct": 100 * met.mean() if len(met) else np.nan}
    )


# -- change -----------------------------------------------------------------------------------------------


def _us_jobs(rows: pd.DataFrame, nation: pd.DataFrame, year: int) -> pd.Series:
    """Return the nation's jobs by cell; its shares alone where its rows are not there."""
    shares = us_shares(rows, nation, year).us_share
    known = not nation.empty and year in years(nation)
    return shares * total(_annual(nation, year, 2)) if known else shares


def knows_nation(nation: pd.DataFrame, first: int, last: int) -> bool:
    """Return whether the nation's own rows are there for both years."""
    return not nation.empty and {first, last} <= set(years(nation))


def sector_change(
    rows: pd.DataFrame, nation: pd.DataFrame, start: pd.DataFrame, end: pd.DataFrame, first: int, last: int
) -> pd.DataFrame:
    """Return why each sector's jobs changed between two years: shift-share, with bounds from suppressed cells.

    `start` and `end` are `region_jobs` of the years `first` and `last`. Columns: industry_title, employment_start,
    employment_end (estimates where suppressed), the parts of `change.shift_share` and `change`, in jobs, change_pct, the bounds
    of competitive_shift and change, is_estimated, recoded (its content changed with NAICS 2022 between the years).
    They add up to the change in every row.

    Where the nation's rows are not there for both years, only its shares are known (`us_shares`), not its growth:
    the nation is then taken to have grown as the region did, so national_growth is the region's own growth and
    competitive_shift says how a sector did beside its national share, whatever the nation's total did. A sector whose
    national share is not known in both years is left out.
    """
    parts, later = economy(start), economy(end)
    known = nation if knows_nation(nation, first, last) else nation.iloc[:0]
    table = parts[["industry_title"]].assign(
        employment_start=parts.employment_estimate,
        employment_start_lower=parts.employment_lower,
        employment_start_upper=parts.employment_upper,
        employment_end=later.employment_estimate,
        employment_end_lower=later.employment_lower,
        employment_end_upper=later.employment_upper,
        us_employment_start=_us_jobs(rows, known, first),
        us_employment_end=_us_jobs(rows, known, last),
        is_estimated=parts.is_estimated
        | later.is_estimated.reindex(parts.index, fill_value=False).astype(bool),
    )
    table = table.dropna(subset=[c for c in table if "employment" in c])
    if not knows_nation(nation, first, last):
        for when in ("start", "end"):
            us, own = table[f"us_employment_{when}"], table[f"employment_{when}"]
            table[f"us_employment_{when}"] = us * own.sum() / us.sum()
    split = change.shift_share(table)
    bounds = change.shift_share_bounds(table.drop(columns=["employment_start", "employment_end"]))
    crossing = first < 2022 <= last
    return table.join(split).assign(
        change_pct=100 * split.change / table.employment_start.where(table.employment_start > 0),
        change_lower=bounds.change_lower,
        change_upper=bounds.change_upper,
        competitive_shift_lower=bounds.competitive_shift_lower,
        competitive_shift_upper=bounds.competitive_shift_upper,
        recoded=[crossing and own == PRIVATE and code in RECODED_2022 for own, code in table.index],
    )


def largest_gap(changes: pd.DataFrame) -> float:
    """Return by how many jobs the parts of `sector_change` miss the change where they miss it most."""
    parts = changes[PARTS_ADDED].sum(axis=1)
    return float((parts - changes.change).abs().max())


# -- a region at a glance ---------------------------------------------------------------------------------

PARTS = {
    "national_growth": "General growth", "industry_mix": "Industry mix",
    "competitive_shift": "Regional shift", "change": "Change",
}  # fmt: skip


PARTS_ADDED = ["national_growth", "industry_mix", "competitive_shift"]


@dataclass(frozen=True)
class Counted:
    """What employers' records say of a region: years, jobs of the last one, quotients, change, agreement with BLS.

    Without records the years are None and every frame is empty; `changes` is empty where there is one year only.
    """

    first: int | None
    last: int | None
    jobs: pd.DataFrame
    quotients: pd.DataFrame
    changes: pd.DataFrame
    agreement: pd.Series
    from_nation: bool
    sector: pd.Series

    def sum(self, column: str) -> float:
        """Return the sum of a column of `changes`; NaN without changes."""
        return float(self.changes[column].sum()) if len(self.changes) else np.nan

    @property
    def total(self) -> float:
        """Return total covered employment of the last year; NaN without records."""
        return total(self.jobs) if self.last else np.nan

    @property
    def gap_pct(self) -> float:
        """Return by how much the parts of the economy miss its total, in percent; NaN without records."""
        return (
            100 * abs(economy(self.jobs).employment_estimate.sum() / self.total - 1) if self.last else np.nan
        )


def count(rows: pd.DataFrame, nation: pd.DataFrame, naics: Sequence[str]) -> Counted:
    """Return the region's jobs, quotients and change from QCEW rows of the region and the nation; either may be empty.

    `naics` are the chosen sector's codes; its jobs of all ownerships are the last year's.
    """
    known = years(rows)
    if not known:
        blank = {"establishments", "employment_lower", "employment_upper", "employment_estimate"}
        none = pd.DataFrame()
        nothing = pd.Series({"compared": 0, "met": 0, "met_pct": np.nan})
        return Counted(None, None, none, none, none, nothing, False, pd.Series(dict.fromkeys(blank, np.nan)))
    first, last = known[0], known[-1]
    end = region_jobs(rows, last, digits(naics))
    found = quotients(economy(end), total(end), us_shares(rows, nation, last))
    changes = pd.DataFrame()
    if first != last:
        changes = sector_change(rows, nation, region_jobs(rows, first), end, first, last)
    agreement = quotient_agreement(rows, nation, last)
    from_nation = not nation.empty and last in years(nation)
    return Counted(first, last, end, found, changes, agreement, from_nation, sector_jobs(end, naics))


def basis(is_estimated: pd.Series) -> pd.Series:
    """Return in words what a number rests on: "counted", or "estimated" where a part of it is withheld."""
    return is_estimated.map({True: "estimated", False: "counted"})


def holds(parts: pd.DataFrame, naics: Sequence[str]) -> pd.Series:
    """Return which rows of `quotients` hold any of a sector's NAICS codes, in the private sector."""
    codes = {suppression.SECTOR_OF_TWO_DIGITS.get(code[:2], code[:2]) for code in naics}
    return pd.Series([own == PRIVATE and code in codes for own, code in parts.index], index=parts.index)


def reading(nation: pd.DataFrame, counted: Counted) -> str:
    """Return in words what the first part of the change means: the nation's growth, or the region's where it is not known."""
    if counted.last and knows_nation(nation, counted.first, counted.last):
        return "The first part is what the nation's growth would have brought."
    return (
        "The nation's own rows are not here for both years, only its shares: the first part is the region's own growth, and the "
        "rest says how each sector did beside its share of the nation."
    )


def within(counted: Counted, mix: pd.DataFrame, percent: float) -> float:
    """Return in how many industries the estimate from occupations lies within `percent` of the count; NaN without a count."""
    if not counted.last:
        return np.nan
    return float((beside_occupations(counted.jobs, mix).difference_pct.abs() <= percent).sum())


def marked(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `quotients` or `sector_change` for a table: with `basis`, and a star at sectors with new content."""
    stars = frame.recoded.map({True: " *", False: ""}) if "recoded" in frame else ""
    return frame.assign(basis=basis(frame.is_estimated), industry_title=frame.industry_title + stars)


# -- beside the estimate from occupations -----------------------------------------------------------------


# OEWS counts public schools and state and local hospitals with their industries and the Postal Service with
# transportation; BLS, OEWS, "OEWS industry classification". (ownership, QCEW industry) to add to the private sector:
_PUBLIC = {"61": [("2", "61"), ("3", "61")], "62": [("2", "622"), ("3", "622")], "48-49": [("1", "491")]}


def beside_occupations(jobs: pd.DataFrame, mix: pd.DataFrame) -> pd.DataFrame:
    """Return jobs by sector from employers' records beside those estimated from occupations (`staffing.sector_mix`).

    Same sectors, public schools and hospitals included, government left out. Columns: industry_title,
    employment_counted, _low, _high (QCEW, bounds), employment, employment_low, employment_high (estimate and its
    interval), difference_pct of the estimate from the count. Agriculture is left out: OEWS covers little of it.
    """
    cells = jobs.set_index(CELL)[["employment_estimate", "employment_lower", "employment_upper"]]
    found = []
    for row in mix.itertuples():
        code = suppression.SECTOR_OF_TWO_DIGITS.get(row.industry_code[:2], row.industry_code[:2])
        if code not in SECTORS or code in ("11", "99"):
            continue
        wanted = [key for key in ((PRIVATE, code), *_PUBLIC.get(code, [])) if key in cells.index]
        counted, low, high = cells.loc[wanted].sum()
        found.append(
            {
                "industry_title": row.industry_title,
                "employment_counted": counted, "employment_counted_low": low, "employment_counted_high": high,
                "employment": row.employment, "employment_low": row.employment_low, "employment_high": row.employment_high,
                "difference_pct": 100 * (row.employment / counted - 1) if counted else np.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(found).sort_values("employment_counted", ascending=False, ignore_index=True)
