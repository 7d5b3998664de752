"""How concentrated industries are in a region: location quotients and whole-economy specialization indices.

The base is total covered employment of all ownerships, also for private industries, as in the location quotients
that BLS publishes with the QCEW (area cell / area own_code 0 total) / (US cell / US own_code 0 total).
"""

from typing import TypeVar

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError

Numbers = TypeVar("Numbers", float, np.ndarray, pd.Series)

SHARE_SLACK = 1e-9  # relative: parts that sum to a total within floating-point error are not larger than it


def location_quotient(
    employment: Numbers, total: Numbers, us_employment: Numbers, us_total: Numbers
) -> Numbers:
    """Share of an industry in the region over its share in the nation.

    LQ = (employment / total) / (us_employment / us_total). Source: BLS, QCEW, "Location
    quotient details". Each argument is jobs (or establishments, or wages in dollars: any one unit throughout), as a number,
    an array or a Series; `total` and `us_total` are of all ownerships and industries. Arrays broadcast. Returns a
    float, an array, or a Series where one came in, unrounded; BLS prints 2 decimals.

    NaN where an input is NaN (missing or suppressed: see `measures.suppression` for bounds) and where the industry
    has no national employment. Raises SectorbookError on a negative number, a total of zero, a part larger than its
    total, or Series that are not about the same rows.
    """
    values, index = _aligned(
        employment=employment, total=total, us_employment=us_employment, us_total=us_total
    )
    part, whole, us_part, us_whole = values
    _check_parts("employment", part, "total", whole)
    _check_parts("us_employment", us_part, "us_total", us_whole)
    quotient = np.full(part.shape, np.nan)
    np.divide(part * us_whole, whole * us_part, out=quotient, where=us_part > 0)
    return _like(quotient, index)


def location_quotient_interval(
    employment: Numbers,
    total: Numbers,
    us_employment: Numbers,
    us_total: Numbers,
    level: float = 0.95,
    employment_rse_pct: Numbers | None = None,
    us_employment_rse_pct: Numbers | None = None,
) -> tuple[Numbers, Numbers]:
    """Lower and upper end of an interval for a location quotient.

    Without relative standard errors (a census such as the QCEW) the counts are read as draws: each job falls in the
    industry with the region's or the nation's probability, and the interval is that of a ratio of two proportions,
    on the log scale with half a job added, so that zero jobs still give an interval (Beyene and Moineddin 2005, BMC
    Medical Research Methodology 5:32; Agresti's adjustment, statsmodels `confint_proportions_2indep`). It says how
    much an LQ on few jobs may mean. Jobs arrive by whole establishments, so it is too narrow rather than too wide.

    With `employment_rse_pct` (a survey such as the OEWS, in percent) the standard error of log LQ is the root of the
    summed squares of the given relative standard errors (delta method); totals count as known.

    `level` is the confidence level. Shapes and errors are those of `location_quotient`.
    """
    if not 0 < level < 1:
        raise SectorbookError(f"level must lie between 0 and 1, for example 0.95; got {level}.")
    if us_employment_rse_pct is not None and employment_rse_pct is None:
        raise SectorbookError(
            "us_employment_rse_pct needs employment_rse_pct: give both, or the region's alone."
        )
    quotient = location_quotient(employment, total, us_employment, us_total)
    (part, whole, us_part, us_whole), index = _aligned(
        employment=employment, total=total, us_employment=us_employment, us_total=us_total
    )
    if employment_rse_pct is None:
        # Loaded here: it costs a second, and only this interval needs it.
        from statsmodels.stats.proportion import confint_proportions_2indep

        known = ~np.isnan(np.asarray(quotient, dtype=float))
        low, high = np.full(part.shape, np.nan), np.full(part.shape, np.nan)
        low[known], high[known] = confint_proportions_2indep(
            part[known], whole[known], us_part[known], us_whole[known],
            method="log-adjusted", compare="ratio", alpha=1 - level,
        )  # fmt: skip
        low = np.where(part == 0, 0.0, low)
        return _like(low, index), _like(high, index)

    from scipy.stats import norm

    us_rse = 0.0 if us_employment_rse_pct is None else us_employment_rse_pct
    (rse, us_rse_pct), _ = _aligned(employment_rse_pct=employment_rse_pct, us_employment_rse_pct=us_rse)
    reach = np.exp(norm.ppf((1 + level) / 2) * np.hypot(rse, us_rse_pct) / 100)
    point = np.asarray(quotient, dtype=float)
    return _like(point / reach, index), _like(point * reach, index)


def cluster_location_quotient(
    employment: pd.Series, cluster: pd.Series, total: float, us_employment: pd.Series, us_total: float
) -> pd.Series:
    """Location quotient of groups of industries, one value per label in `cluster`.

    Sums jobs over the group in the region and in the nation, then takes the quotient: the mean of the members' own
    quotients would give a tiny industry as much say as a large one. `employment`, `us_employment` (jobs) and
    `cluster` (labels) have one row per industry and the same index. A cluster with a missing or suppressed member is
    NaN, never a sum that leaves the member out. Errors are those of `location_quotient`.
    """
    _aligned(employment=employment, us_employment=us_employment, cluster=cluster)
    sums = pd.DataFrame({"employment": employment, "us_employment": us_employment}).groupby(cluster)
    summed = sums.agg(lambda jobs: jobs.sum(skipna=False))
    return location_quotient(summed["employment"], total, summed["us_employment"], us_total).rename(
        "location_quotient"
    )


def hachman_index(employment: Numbers, us_employment: Numbers) -> float:
    """How alike the region's industry mix is to the nation's: 1 the same, towards 0 the more different.

    H = 1 / sum(LQ_i * s_i) = 1 / sum(s_i ** 2 / S_i), with s and S the shares of industry i in the region and the
    nation (Kem C. Gardner Policy Institute, University of Utah, Measuring Economic Diversity: The Hachman Index, 2020,
    which prints it times 100). Both arguments are
    jobs by industry, one value each for every industry of one level of the classification, so that they sum to the
    whole economy. Raises SectorbookError on missing values (an index over part of the economy is another index) and
    on an industry that the region has and the nation does not.
    """
    share, us_share = _shares(employment, us_employment)
    alone = (us_share == 0) & (share > 0)
    if alone.any():
        raise SectorbookError(
            f"Industry {_label(employment, int(np.flatnonzero(alone)[0]))} has jobs in the region and none in the nation."
        )
    present = us_share > 0
    return float(1 / np.sum(share[present] ** 2 / us_share[present]))


def krugman_specialization(employment: Numbers, us_employment: Numbers) -> float:
    """Krugman's specialization index: the sum over industries of |s_i - S_i|, from 0 (same mix) to 2 (nothing shared).

    Half of it is the share of the region's jobs that would have to change industry to copy the nation (Krugman 1991,
    Geography and Trade, pp. 75-76). Arguments and errors as in `hachman_index`.
    """
    share, us_share = _shares(employment, us_employment)
    return float(np.abs(share - us_share).sum())


def herfindahl_index(employment: Numbers) -> float:
    """Herfindahl-Hirschman index of the region's jobs over industries: the sum of squared shares.

    From 1 / n (n equal industries) to 1 (all jobs in one industry). It depends on how finely industries are cut, so
    compare only within one level of the classification. Errors as in `hachman_index`.
    """
    (share,) = _shares(employment)
    return float(np.sum(share**2))


def _shares(*columns: Numbers) -> list[np.ndarray]:
    named = dict(zip(("employment", "us_employment"), columns, strict=False))
    values, _ = _aligned(**named)
    shares = []
    for (name, given), jobs in zip(named.items(), values, strict=True):
        missing = np.isnan(jobs)
        if missing.any():
            raise SectorbookError(
                f"{name} is missing for industry {_label(given, int(np.flatnonzero(missing)[0]))}: the index needs "
                "every industry. Use a coarser level, or estimates that carry their bounds (measures.suppression)."
            )
        _check_parts(name, jobs, "its sum", jobs.sum())
        shares.append(jobs / jobs.sum())
    return shares


def _aligned(**given: object) -> tuple[list[np.ndarray], pd.Index | None]:
    """Return broadcast float arrays and the Series' common index; refuse Series about different rows."""
    index, first = None, ""
    for name, value in given.items():
        if isinstance(value, pd.Series):
            if index is None:
                index, first = value.index, name
            elif not value.index.equals(index):
                raise SectorbookError(
                    f"{name} and {first} are not about the same rows in the same order: {name} has {len(value)} rows, "
                    f"{first} has {len(index)}. Merge them into one table first."
                )
    numeric = {k: v for k, v in given.items() if k != "cluster"}
    try:
        arrays = [np.asarray(value, dtype=float) for value in numeric.values()]
        return [a.copy() for a in np.broadcast_arrays(*arrays)], index
    except (TypeError, ValueError) as error:
        raise SectorbookError(f"{', '.join(numeric)} must be numbers of matching shape: {error}.") from error


def _check_parts(part_name: str, part: np.ndarray, whole_name: str, whole: np.ndarray) -> None:
    whole = np.broadcast_to(whole, part.shape)
    for bad, problem in (
        (part < 0, f"{part_name} is negative"),
        (whole <= 0, f"{whole_name} is not above zero"),
        (part > whole * (1 + SHARE_SLACK), f"{part_name} is larger than {whole_name}"),
    ):
        if bad.any():
            at = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(bad)))
            shown = f"{np.atleast_1d(part)[at]:g} of {np.atleast_1d(whole)[at]:g}"
            place = f" in row {at[0]}" if bad.ndim else ""
            raise SectorbookError(
                f"{problem}{place}: {shown}. Both must count the same thing in the same place."
            )


def _label(given: object, position: int) -> str:
    return repr(given.index[position]) if isinstance(given, pd.Series) else f"number {position}"


def _like(values: np.ndarray, index: pd.Index | None) -> Numbers:
    if index is not None:
        return pd.Series(values, index=index)
    return float(values) if values.ndim == 0 else values
