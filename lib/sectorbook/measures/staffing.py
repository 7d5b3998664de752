"""Industry employment implied by a region's occupations and the nation's staffing patterns.

OEWS publishes a region's jobs by occupation, and the nation's by industry and occupation. Each occupation's
regional jobs are spread over industries as the nation's are; the sum is an estimate of the region's industries
that needs no industry data. It assumes that local employers staff as the nation's do, which no interval here
covers. The recipe is the staffing pattern method in reverse (US Bureau of Labor Statistics, Employment
Projections: National Employment Matrix).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures.concentration import location_quotient

ALL_INDUSTRIES = "000000"
ALL_OCCUPATIONS = "00-0000"
DETAILED = 3

# What these functions need of the staffing table.
COLUMNS = (
    "industry_code", "industry_title", "industry_level", "occupation_code", "occupation_level", "employment",
    "employment_rse_pct",
)  # fmt: skip

# OEWS lists government twice: sector 99 without public schools, hospitals and the Postal Service, which stand in
# their own industries; and these groups with them. Only sector 99 belongs in a sum over sectors.
GOVERNMENT_WITH_SCHOOLS = ("999001", "999101", "999201", "999301")

CELLS_AT_ONCE = 1 << 16

# BLS rounds each cell to 10 jobs; 21 sectors can miss the total by this many.
ROUNDING_JOBS = 21 * 10


@dataclass(frozen=True)
class Implied:
    """Implied employment by group: the estimate, the random draws (draws x groups) and what stands behind it.

    `direct_pct` is the share of the region's jobs that comes from published detailed occupations; the rest was
    spread by the pattern of a whole occupation group.
    """

    employment: pd.Series
    draws: np.ndarray
    direct_pct: float


def sectors(staffing: pd.DataFrame) -> pd.DataFrame:
    """Return the industries that split all jobs into sectors, each job once: industry_code, industry_title, employment.

    Raises SectorbookError when they do not add up to all industries within the publisher's rounding.
    """
    totals = staffing[staffing.occupation_code == ALL_OCCUPATIONS]
    chosen = totals[(totals.industry_level == 2) & ~totals.industry_code.isin(GOVERNMENT_WITH_SCHOOLS)]
    whole = totals.loc[totals.industry_code == ALL_INDUSTRIES, "employment"].sum()
    if abs(chosen.employment.sum() - whole) > ROUNDING_JOBS:
        raise SectorbookError(
            f"The sectors of the staffing table add up to {chosen.employment.sum():,.0f} jobs; all industries have {whole:,.0f}."
        )
    named = chosen.industry_title.str.replace(r"^Sectors? [\d, and]+ - ", "", regex=True)
    named = named.str.replace(r", excl\. .*$", " (public schools and hospitals elsewhere)", regex=True)
    return chosen.assign(industry_title=named)[["industry_code", "industry_title", "employment"]].reset_index(
        drop=True
    )


def patterns(staffing: pd.DataFrame, groups: dict[str, tuple[str, ...]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the nation's jobs and their relative standard errors (percent), occupations x groups.

    `groups` maps a name to the OEWS industries it adds up. A cell that is not published adds nothing. Errors of
    added cells combine as for independent estimates.
    """
    owner = {code: name for name, codes in groups.items() for code in codes}
    cells = staffing[staffing.industry_code.isin(owner)].copy()
    cells["group"] = cells.industry_code.map(owner)
    cells["variance"] = (cells.employment * cells.employment_rse_pct / 100) ** 2
    summed = cells.groupby(["occupation_code", "group"])[["employment", "variance"]].sum()
    jobs = summed.employment.unstack(fill_value=0.0).reindex(columns=list(groups), fill_value=0.0)
    variance = summed.variance.unstack(fill_value=0.0).reindex_like(jobs).fillna(0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rse = (100 * np.sqrt(variance) / jobs).where(jobs > 0, 0.0)
    return jobs, rse


def _spread(rse_pct: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the logarithm of a lognormal with this relative standard error (percent)."""
    return np.sqrt(np.log1p((np.nan_to_num(rse_pct) / 100) ** 2))


def _factors(rng: np.random.Generator, spread: np.ndarray, draws: int) -> np.ndarray:
    """Return random factors, draws x the shape of `spread`, with mean 1 and never negative (lognormal)."""
    factors = rng.standard_normal((draws, *spread.shape))
    factors *= spread
    factors -= spread**2 / 2
    return np.exp(factors, out=factors)


def _cells(regional: pd.DataFrame, jobs: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, float]:
    """Split the region's jobs into pieces, each with a national pattern; return pieces, patterns and direct share.

    A piece is a published detailed occupation, or what is left of a published major group, or what is left of
    the whole, each with the national pattern of exactly what is left.
    """
    known = regional.dropna(subset=["employment"]).set_index("occupation_code")
    detailed = known[
        (known.occupation_level == DETAILED) & known.index.isin(jobs.index[jobs.sum(axis=1) > 0])
    ]
    major = known[(known.occupation_level == 0) & (known.index != ALL_OCCUPATIONS)]
    group = detailed.index.str[:2] + "-0000"

    left = major.employment - detailed.employment.groupby(group).sum().reindex(major.index, fill_value=0.0)
    left = left.clip(lower=0.0)
    used = jobs.loc[detailed.index].groupby(group).sum().reindex(major.index, fill_value=0.0)
    left_pattern = (jobs.reindex(major.index, fill_value=0.0) - used).clip(lower=0.0)
    left_pattern = left_pattern.where(left_pattern.sum(axis=1) > 0, jobs.reindex(major.index, fill_value=0.0))

    orphan = ~group.isin(major.index)
    total = known.employment.get(ALL_OCCUPATIONS, np.nan)
    rest = max(total - major.employment.sum() - detailed.employment[orphan].sum(), 0.0)
    covered = left_pattern.sum() + jobs.loc[detailed.index].sum()
    rest_pattern = (jobs.loc[ALL_OCCUPATIONS] - covered).clip(lower=0.0)
    if rest_pattern.sum() == 0:
        rest_pattern = jobs.loc[ALL_OCCUPATIONS]

    pieces = pd.concat(
        [
            detailed[["employment", "employment_rse_pct"]],
            pd.DataFrame({"employment": left, "employment_rse_pct": major.employment_rse_pct}),
            pd.DataFrame({"employment": [rest], "employment_rse_pct": [0.0]}, index=[ALL_OCCUPATIONS]),
        ]
    )
    pattern = np.vstack([jobs.loc[detailed.index], left_pattern, rest_pattern.to_numpy()[None, :]])
    direct = 100 * detailed.employment.sum() / max(pieces.employment.sum(), 1.0)
    return pieces, pattern, direct


def implied_employment(
    regional: pd.DataFrame, jobs: pd.DataFrame, rse_pct: pd.DataFrame, draws: int, seed: int
) -> Implied:
    """Return the region's jobs in each group implied by its occupations.

    `regional` has one row per occupation: occupation_code, occupation_level, employment, employment_rse_pct.
    `jobs` and `rse_pct` are national, occupations x groups, from `patterns`; the groups must cover all jobs.
    Formula: sum over occupations of regional jobs x the group's share of the occupation's national jobs. The
    draws carry the published relative standard errors of the region and of the nation, as independent errors.
    Raises SectorbookError when the region's total is not published.
    """
    total = regional.loc[regional.occupation_code == ALL_OCCUPATIONS, "employment"]
    if total.isna().all():
        raise SectorbookError("Too little is published: the region's total employment is withheld.")
    pieces, pattern, direct = _cells(regional, jobs)
    share = pattern / pattern.sum(axis=1, keepdims=True)
    point = pieces.employment.to_numpy() @ share

    rng = np.random.default_rng(seed)
    local = pieces.employment.to_numpy() * _factors(rng, _spread(pieces.employment_rse_pct.to_numpy()), draws)
    errors = np.vstack([rse_pct.reindex(pieces.index[:-1], fill_value=0.0), np.zeros((1, jobs.shape[1]))])
    spread, drawn = _spread(errors), np.empty((draws, jobs.shape[1]))
    # A cell without jobs, or without an error, is the same in every draw. A few draws at a time fit the cache.
    moves = (pattern > 0) & (spread > 0)
    step = max(1, CELLS_AT_ONCE // pattern.size)
    for start in range(0, draws, step):
        own = local[start : start + step]
        varied = np.repeat(pattern[None], len(own), axis=0)
        varied[:, moves] *= _factors(rng, spread[moves], len(own))
        drawn[start : start + step] = ((own / varied.sum(axis=2))[:, None, :] @ varied)[:, 0]
    return Implied(pd.Series(point, index=jobs.columns, name="employment"), drawn, float(direct))


def sector_mix(
    regional: pd.DataFrame, staffing: pd.DataFrame, draws: int, seed: int, interval_pct: float
) -> pd.DataFrame:
    """Return the region's sectors, largest location quotient first, estimated from occupations.

    Columns: industry_code, industry_title, employment, employment_low, employment_high, share_pct, us_share_pct,
    location_quotient, location_quotient_low, location_quotient_high, rank, rank_low, rank_high, direct_pct.
    The intervals hold `interval_pct` percent of the draws; they carry sampling error, not differences between
    local and national staffing.
    """
    listed = sectors(staffing)
    jobs, rse = patterns(staffing, {code: (code,) for code in listed.industry_code})
    implied = implied_employment(regional, jobs, rse, draws, seed)
    us = listed.employment.to_numpy()
    total = implied.employment.sum()
    lq = location_quotient(implied.employment.to_numpy(), total, us, us.sum())
    lq_draws = location_quotient(
        implied.draws, implied.draws.sum(axis=1, keepdims=True), us[None, :], us.sum()
    )
    rank_draws = (-lq_draws).argsort(axis=1).argsort(axis=1) + 1
    tail = (100 - interval_pct) / 2

    def bounds(values: np.ndarray, method: str = "linear") -> np.ndarray:
        return np.percentile(values, [tail, 100 - tail], axis=0, method=method)

    employment_low, employment_high = bounds(implied.draws)
    lq_low, lq_high = bounds(lq_draws)
    rank_low, rank_high = bounds(rank_draws, "inverted_cdf")
    mix = pd.DataFrame(
        {
            "industry_code": listed.industry_code,
            "industry_title": listed.industry_title,
            "employment": implied.employment.to_numpy(),
            "employment_low": employment_low,
            "employment_high": employment_high,
            "share_pct": 100 * implied.employment.to_numpy() / total,
            "us_share_pct": 100 * us / us.sum(),
            "location_quotient": lq,
            "location_quotient_low": lq_low,
            "location_quotient_high": lq_high,
            "rank": (-lq).argsort().argsort() + 1,
            "rank_low": rank_low,
            "rank_high": rank_high,
            "direct_pct": implied.direct_pct,
        }
    )
    return mix.sort_values("rank", ignore_index=True)


def sector_total(
    regional: pd.DataFrame,
    staffing: pd.DataFrame,
    industries: tuple[str, ...],
    draws: int,
    seed: int,
    interval_pct: float,
) -> pd.Series:
    """Return one sector's implied jobs, share and location quotient, with intervals, as `sector_mix` does.

    `industries` are the OEWS industries the sector adds up; everything else is the other group.
    """
    inside, inside_rse = patterns(staffing, {"sector": tuple(industries)})
    whole, whole_rse = patterns(staffing, {"rest": (ALL_INDUSTRIES,)})
    jobs = whole.join(inside).fillna(0.0)
    jobs["rest"] = (jobs.rest - jobs.sector).clip(lower=0.0)
    rse = whole_rse.join(inside_rse).fillna(0.0)
    implied = implied_employment(regional, jobs, rse, draws, seed)
    us = jobs.loc[ALL_OCCUPATIONS]
    total, drawn = implied.employment.sum(), implied.draws
    spot = jobs.columns.get_loc("sector")
    lq = location_quotient(implied.employment.sector, total, us.sector, us.sum())
    lq_draws = location_quotient(drawn[:, spot], drawn.sum(axis=1), us.sector, us.sum())
    tail = (100 - interval_pct) / 2
    low, high = np.percentile(drawn[:, spot], [tail, 100 - tail])
    lq_low, lq_high = np.percentile(lq_draws, [tail, 100 - tail])
    return pd.Series(
        {
            "employment": implied.employment.sector,
            "employment_low": low,
            "employment_high": high,
            "share_pct": 100 * implied.employment.sector / total,
            "us_share_pct": 100 * us.sector / us.sum(),
            "location_quotient": lq,
            "location_quotient_low": lq_low,
            "location_quotient_high": lq_high,
            "direct_pct": implied.direct_pct,
        }
    )


def total_jobs(occupations: pd.DataFrame) -> float:
    """Return all jobs in a region's table of occupations; NaN where they are withheld."""
    total = occupations.loc[occupations.occupation_code == ALL_OCCUPATIONS, "employment"]
    return float(total.iloc[0]) if len(total) else float("nan")


def _span(code: str) -> tuple[str, int]:
    """Return the NAICS stem of an OEWS industry and, for a sector range such as 31--34, the sector it ends before."""
    if code.isdigit():
        return code.rstrip("0") or "0", 0
    first, _, last = code.partition("-")
    return first, int(last.strip("-"))


def holds(industry_codes: pd.Series, industries: tuple[str, ...]) -> pd.Series:
    """Return which sectors hold any of the given industries."""

    def inside(sector: str, industry: str) -> bool:
        (first, end), (stem, _) = _span(sector), _span(industry)
        return sector == industry or (bool(end) and stem[:2].isdigit() and int(first) <= int(stem[:2]) < end)

    return industry_codes.map(lambda sector: any(inside(sector, industry) for industry in industries))
