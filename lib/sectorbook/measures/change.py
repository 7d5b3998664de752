"""How employment changed and why: shift-share in three forms, volatility, and a guard on NAICS vintages."""

from itertools import pairwise

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError

# First reference year of each NAICS vintage in the QCEW (BLS, "Industry classification systems used by QCEW";
# 1990 to 2000 were recoded from SIC to NAICS 2002; NAICS 2022 began with the first quarter of 2022).
NAICS_FIRST_YEAR = {2002: 1990, 2007: 2007, 2012: 2011, 2017: 2017, 2022: 2022}


def naics_vintage(year: int) -> int:
    """Return the NAICS vintage in which the QCEW publishes a year: 2012 for 2011-2016, 2017 for 2017-2021, and so on.

    Raises SectorbookError before 1990, where the QCEW exists by SIC only.
    """
    started = [vintage for vintage, first in NAICS_FIRST_YEAR.items() if first <= year]
    if not started:
        raise SectorbookError(f"No NAICS vintage for {year}: the QCEW exists by NAICS since 1990.")
    return started[-1]


def check_vintages(years: list[int], industries: pd.Index, unchanged: set[str] | None = None) -> None:
    """Refuse to compare years coded in different NAICS vintages.

    A code may keep its number and lose part of what it covered, which reads as a loss of jobs. `industries` are the
    NAICS codes to be compared. `unchanged` are codes the caller knows to cover the same in every vintage at hand
    (from the Census concordances); with it, only the other codes are refused. Raises SectorbookError naming the
    vintages and the first codes concerned.
    """
    vintages = {year: naics_vintage(year) for year in sorted(years)}
    if len(set(vintages.values())) < 2:
        return
    doubtful = [str(code) for code in industries if str(code) not in (unchanged or set())]
    if doubtful:
        spans = ", ".join(f"{year} is NAICS {vintage}" for year, vintage in vintages.items())
        raise SectorbookError(
            f"These years are coded in different NAICS vintages: {spans}. {len(doubtful)} of {len(industries)} codes may "
            f"not cover the same thing: {', '.join(doubtful[:5])}{'…' if len(doubtful) > 5 else ''}. Compare years of "
            "one vintage, or pass the codes known to be `unchanged`."
        )


def shift_share(table: pd.DataFrame) -> pd.DataFrame:
    """Classic shift-share: why each industry's jobs in the region changed.

    `table` has one row per industry and the columns employment_start, employment_end (region), us_employment_start
    and us_employment_end, in jobs; the rows are one level of the classification and sum to the whole economy. With e
    the region's jobs at the start, G the nation's growth and G_i, g_i the industry's in nation and region:

        national_growth = e G,  industry_mix = e (G_i - G),  competitive_shift = e (g_i - G_i)

    Returns those three and `change`, in jobs, on the same index. They add up to the change for every row and so for
    every sum of rows. An industry new to the region has its whole change as competitive shift. Source: Dunn 1960,
    Papers of the Regional Science Association 6:97-112.

    Raises SectorbookError on a missing column, missing or negative jobs (use `shift_share_bounds` for suppressed
    cells), and an industry without national jobs at the start but with regional jobs then.
    """
    start, end, growth, industry_growth = _growth(table)
    parts = {
        "national_growth": start * growth,
        "industry_mix": start * (industry_growth - growth),
        "competitive_shift": end - start * (1 + industry_growth),
    }
    return pd.DataFrame(parts | {"change": end - start}, index=table.index)


def shift_share_esteban(table: pd.DataFrame) -> pd.DataFrame:
    """Shift-share with the competitive effect freed of the region's industry mix.

    With e'_i = e S_i the jobs the region would have in industry i if its mix were the nation's (homothetic
    employment; e the region's total, S_i the nation's share at the start):

        net_competitive = e'_i (g_i - G_i),  allocation = (e_i - e'_i) (g_i - G_i)

    The two add up to the classic competitive shift. Allocation is positive where the region is specialized in what
    it does well, or does little of what it does badly. Source: Esteban-Marquillas 1972, Regional and Urban Economics
    2(3):249-261. Arguments and errors as in `shift_share`. An industry without jobs in the region at the start has
    no growth rate there: its jobs gained are all allocation.
    """
    start, end, growth, industry_growth = _growth(table)
    homothetic = start.sum() * table["us_employment_start"] / table["us_employment_start"].sum()
    competitive = end - start * (1 + industry_growth)
    rate = np.zeros(len(table))
    np.divide(competitive.to_numpy(), start.to_numpy(), out=rate, where=start.to_numpy() > 0)
    net = homothetic * rate
    parts = {
        "national_growth": start * growth,
        "industry_mix": start * (industry_growth - growth),
        "net_competitive": net,
        "allocation": competitive - net,
    }
    return pd.DataFrame(
        parts | {"homothetic_employment": homothetic, "change": end - start}, index=table.index
    )


def shift_share_dynamic(
    employment: pd.DataFrame, us_employment: pd.DataFrame, unchanged: set[str] | None = None
) -> pd.DataFrame:
    """Shift-share year by year, then summed: the mix and the growth rates move with the years.

    Both tables have one row per industry (NAICS code as index) and one column per year (integers, any order), in
    jobs, with the same index and years. Each pair of following years is split as in `shift_share`; the parts of a
    row are summed over the pairs and add up to its whole change. Source: Barff and Knight 1988, Growth and Change
    19(2):1-10.

    Returns one row per industry and pair of years with the columns industry, year_start, year_end, the three parts
    and change. Raises SectorbookError on fewer than two years, on tables that differ in rows or years, and when the
    years span NAICS vintages (see `check_vintages` for `unchanged`).
    """
    years = sorted(employment.columns)
    if len(years) < 2:
        raise SectorbookError(f"Shift-share needs at least two years; got {years}.")
    if sorted(us_employment.columns) != years or not us_employment.index.equals(employment.index):
        raise SectorbookError(
            "employment and us_employment must have the same industries (rows) and years (columns)."
        )
    check_vintages(years, employment.index, unchanged)
    pairs = []
    for first, last in pairwise(years):
        columns = {
            "employment_start": employment[first],
            "employment_end": employment[last],
            "us_employment_start": us_employment[first],
            "us_employment_end": us_employment[last],
        }
        parts = shift_share(pd.DataFrame(columns)).rename_axis("industry").reset_index()
        parts.insert(1, "year_start", first)
        parts.insert(2, "year_end", last)
        pairs.append(parts)
    return pd.concat(pairs, ignore_index=True)


def shift_share_bounds(table: pd.DataFrame) -> pd.DataFrame:
    """Bounds of the classic shift-share parts where the region's jobs are known only as bounds.

    `table` is that of `shift_share` with employment_start_lower, employment_start_upper, employment_end_lower and
    employment_end_upper in place of the region's two columns (equal where disclosed; see `measures.suppression`).
    Returns each part and the change with _lower and _upper. Each end of each interval is reached by some jobs within
    the bounds; the parts of one row are not reached all at once.
    """
    low, high = (
        table.rename(columns={f"employment_{when}_{end}": f"employment_{when}" for when in ("start", "end")})
        for end in ("lower", "upper")
    )
    start_low, end_low, growth, industry_growth = _growth(low)
    start_high, end_high, _, _ = _growth(high)
    for when, lower, upper in (("start", start_low, start_high), ("end", end_low, end_high)):
        crossed = lower > upper
        if crossed.any():
            raise SectorbookError(
                f"employment_{when}_lower is above the upper bound for {table.index[crossed][0]!r}."
            )
    out = {}
    for part, rate in (("national_growth", growth), ("industry_mix", industry_growth - growth)):
        ends = np.array([start_low * rate, start_high * rate])
        out[f"{part}_lower"], out[f"{part}_upper"] = ends.min(axis=0), ends.max(axis=0)
    out["competitive_shift_lower"] = end_low - start_high * (1 + industry_growth)
    out["competitive_shift_upper"] = end_high - start_low * (1 + industry_growth)
    out["change_lower"], out["change_upper"] = end_low - start_high, end_high - start_low
    return pd.DataFrame(out, index=table.index)


def volatility(employment: pd.DataFrame) -> pd.Series:
    """Standard deviation, in percentage points, of an industry's yearly growth: how bumpy its path is.

    `employment` has one row per industry and one column per year (integers, consecutive), in jobs. The sample
    standard deviation (n - 1) of 100 (e_t / e_(t-1) - 1). NaN where a year is missing, suppressed or zero before the
    last. Raises SectorbookError on fewer than three years or a gap between years.
    """
    years = sorted(employment.columns)
    if len(years) < 3:
        raise SectorbookError(f"Volatility needs at least three years; got {years}.")
    gaps = [year for year, following in pairwise(years) if following != year + 1]
    if gaps:
        raise SectorbookError(
            f"Volatility needs consecutive years; nothing follows {gaps[0]} directly: {years}."
        )
    jobs = employment[years].astype(float)
    before = jobs[years[:-1]].to_numpy()
    growth_pct = np.full(before.shape, np.nan)
    np.divide(100 * np.diff(jobs.to_numpy(), axis=1), before, out=growth_pct, where=before > 0)
    return pd.Series(growth_pct.std(axis=1, ddof=1), index=employment.index, name="volatility_pct")


def _growth(table: pd.DataFrame) -> tuple[pd.Series, pd.Series, float, pd.Series]:
    needed = ["employment_start", "employment_end", "us_employment_start", "us_employment_end"]
    absent = [column for column in needed if column not in table]
    if absent:
        raise SectorbookError(f"Shift-share lacks the column {absent[0]!r}. Needed: {', '.join(needed)}.")
    if table.index.has_duplicates:
        raise SectorbookError(
            f"Industry {table.index[table.index.duplicated()][0]!r} stands in more than one row."
        )
    jobs = table[needed].astype(float)
    for wrong, problem in ((jobs.isna(), "is missing"), (jobs < 0, "is negative")):
        if wrong.any(axis=None):
            row, column = np.argwhere(wrong.to_numpy())[0]
            raise SectorbookError(
                f"{needed[column]} {problem} for industry {table.index[row]!r}. Missing or suppressed jobs are not zero: "
                "use bounds (shift_share_bounds) or a coarser level."
            )
    start, end, us_start, us_end = (jobs[column] for column in needed)
    if us_start.sum() == 0:
        raise SectorbookError("us_employment_start sums to zero: there is no nation to compare with.")
    unmatched = (us_start == 0) & (start > 0)
    if unmatched.any():
        raise SectorbookError(
            f"Industry {table.index[unmatched][0]!r} has jobs in the region and none in the nation."
        )
    industry_growth = np.zeros(len(jobs))
    np.divide(
        (us_end - us_start).to_numpy(),
        us_start.to_numpy(),
        out=industry_growth,
        where=us_start.to_numpy() > 0,
    )
    growth = us_end.sum() / us_start.sum() - 1
    return start, end, growth, pd.Series(industry_growth, index=table.index)
