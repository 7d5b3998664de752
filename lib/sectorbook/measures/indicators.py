"""What happened to participants and firms, before and after: described, never called an effect.

Medians and means are kept apart: each row says which statistic it is, and no function turns one into the other.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.effects import interval, numbers

STATISTICS = ("mean", "median")
MCNEMAR = ("exact", "chi-square", "chi-square uncorrected")
COLUMNS = [
    "indicator",
    "statistic",
    "before",
    "after",
    "change",
    "change_pct",
    "standard_error",
    "ci_low",
    "ci_high",
    "p_value",
    "test",
    "test_statistic",
    "n",
    "n_missing",
]


def _pairs(frame: pd.DataFrame, before: str, after: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Return both values of everyone who has both, and how many have not."""
    for name in (before, after):
        if name not in frame.columns:
            raise unknown("column", name, [str(c) for c in frame.columns])
    kept = frame[[before, after]].dropna()
    if len(kept) < 2:
        raise SectorbookError(
            f"{len(kept)} people have both {before!r} and {after!r}; a change needs two or more."
        )
    values = numbers(kept, [before, after])
    return values[:, 0], values[:, 1], len(frame) - len(kept)


def _row(
    indicator: str,
    statistic: str,
    first: float,
    second: float,
    test: str,
    n: int,
    n_missing: int,
    **more: float,
) -> dict:
    change = second - first
    row = dict.fromkeys(COLUMNS, np.nan) | {
        "indicator": indicator,
        "statistic": statistic,
        "before": first,
        "after": second,
        "change": change,
        "change_pct": 100 * change / first if first > 0 else np.nan,
        "test": test,
        "n": n,
        "n_missing": n_missing,
    }
    return row | more


def paired_change(
    frame: pd.DataFrame, before: str, after: str, indicator: str, statistic: str = "mean", level: float = 0.95
) -> pd.DataFrame:
    """Return one row (`COLUMNS`) on how an amount changed, among people with both values.

    "mean": paired t (n − 1 degrees of freedom). "median": medians before and after, `change` their difference, p from the
    Wilcoxon signed-rank test with continuity correction (zeros dropped, normal approximation); no standard error, for the
    test is of the people's changes. `n_missing` had only one value or none. `change_pct` is missing when `before` is 0.
    """
    first, second, missing = _pairs(frame, before, after)
    if statistic not in STATISTICS:
        raise unknown("statistic", statistic, STATISTICS)
    gain = second - first
    if statistic == "mean":
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        low, high, p = interval(gain.mean(), error, len(gain) - 1, level)
        more = {"standard_error": error, "ci_low": low, "ci_high": high, "p_value": p}
        more["test_statistic"] = gain.mean() / error if error > 0 else np.nan
        row = _row(indicator, "mean", first.mean(), second.mean(), "paired t", len(gain), missing, **more)
    else:
        moved = gain[gain != 0]
        p, positive_ranks = 1.0, 0.0
        if len(moved):
            p = float(stats.wilcoxon(moved, correction=True, method="asymptotic").pvalue)
            positive_ranks = float(stats.rankdata(np.abs(moved))[moved > 0].sum())
        row = _row(
            indicator,
            "median",
            np.median(first),
            np.median(second),
            "Wilcoxon signed-rank",
            len(gain),
            missing,
            p_value=p,
            test_statistic=positive_ranks,
        )
    return pd.DataFrame([row], columns=COLUMNS)


def paired_share(
    frame: pd.DataFrame, before: str, after: str, indicator: str, test: str = "exact", level: float = 0.95
) -> pd.DataFrame:
    """Return one row (`COLUMNS`; shares 0–1) on how many have something (a job, insurance), before and after.

    McNemar's test on those who changed: "exact" binomial, "chi-square" with continuity correction, or "chi-square
    uncorrected"; `test_statistic` is the smaller count of changes, or chi-square. Interval of the
    difference: Wald for paired shares (Agresti 2013, section 11.1). `change_pct` is the relative change; `change` × 100 the
    percentage points.
    """
    first, second, missing = _pairs(frame, before, after)
    if test not in MCNEMAR:
        raise unknown("test", test, MCNEMAR)
    if not np.isin(np.concatenate([first, second]), (0, 1)).all():
        raise SectorbookError(f"{before!r} and {after!r} must hold 1 (has it) or 0 (has it not).")
    table = np.array([[np.sum((first == a) & (second == b)) for b in (1, 0)] for a in (1, 0)])
    gain = second - first
    error = np.sqrt(max(gain.var(ddof=0), 0) / len(gain))
    low, high, _ = interval(gain.mean(), error, np.inf, level)
    p, statistic = 1.0, 0.0
    if table[0, 1] + table[1, 0]:
        found = mcnemar(table, exact=test == "exact", correction=test != "chi-square uncorrected")
        p, statistic = float(found.pvalue), float(found.statistic)
    more = {"standard_error": error, "ci_low": low, "ci_high": high, "p_value": p}
    more["test_statistic"] = statistic
    row = _row(
        indicator, "share", first.mean(), second.mean(), f"McNemar, {test}", len(gain), missing, **more
    )
    return pd.DataFrame([row], columns=COLUMNS)


def share(frame: pd.DataFrame, column: str, indicator: str, level: float = 0.95) -> pd.DataFrame:
    """Return `indicator`, `count`, `n`, `n_missing`, `share`, `ci_low`, `ci_high` (Wilson 1927) of those with a 1."""
    if column not in frame.columns:
        raise unknown("column", column, [str(c) for c in frame.columns])
    known = frame[column].dropna()
    if not known.isin([0, 1]).all():
        raise SectorbookError(f"{column!r} must hold 1, 0 or missing.")
    n, count = len(known), int(known.sum())
    row = {"indicator": indicator, "count": count, "n": n, "n_missing": len(frame) - n}
    low, high = proportion_confint(count, n, alpha=1 - level, method="wilson") if n else (np.nan, np.nan)
    return pd.DataFrame([row | {"share": count / n if n else np.nan, "ci_low": low, "ci_high": high}])


def distribution(
    frame: pd.DataFrame, column: str, indicator: str, quantiles: Sequence[float] = (0.25, 0.5, 0.75)
) -> pd.DataFrame:
    """Return the mean and quantiles of an amount (wage at placement), one `statistic` a row: `value`, `ci_low`, `ci_high`, `n`.

    Mean with its t interval; quantiles with distribution-free intervals from order statistics (Conover 1999, section 3.2;
    missing where n is too small for 95 %).
    """
    if column not in frame.columns:
        raise unknown("column", column, [str(c) for c in frame.columns])
    known = frame[[column]].dropna()
    missing = len(frame) - len(known)
    if len(known) < 2:
        raise SectorbookError(
            f"{column!r} is known for {len(known)} people; a distribution needs two or more."
        )
    y = np.sort(numbers(known, [column])[:, 0])
    n = len(y)
    low, high, _ = interval(y.mean(), y.std(ddof=1) / np.sqrt(n), n - 1)
    rows = [(indicator, "mean", y.mean(), low, high, n, missing)]
    for q in quantiles:
        a, b = int(stats.binom.ppf(0.025, n, q)), int(stats.binom.ppf(0.975, n, q)) + 1
        name = "median" if q == 0.5 else f"quantile {q:g}"
        bounds = (y[a - 1] if a >= 1 else np.nan, y[b - 1] if b <= n else np.nan)
        rows.append((indicator, name, float(np.quantile(y, q)), *bounds, n, missing))
    return pd.DataFrame(
        rows, columns=["indicator", "statistic", "value", "ci_low", "ci_high", "n", "n_missing"]
    )


def compare_shares(count: tuple[int, int], n: tuple[int, int], level: float = 0.95) -> dict[str, float]:
    """Return two shares' difference and its tests.

    Counts and n are (treated, comparison). Keys: `share_treated`, `share_comparison`, `difference`, `ci_low`, `ci_high`,
    `chi_square` and `p_value` (Pearson, no continuity correction), `exact_p_value` (Fisher), `odds_ratio`
    (conditional maximum likelihood, as R's fisher.test).
    """
    for c, m in zip(count, n, strict=True):
        if not 0 <= c <= m or m == 0:
            raise SectorbookError(f"{c} of {m} is not a share.")
    shares = [c / m for c, m in zip(count, n, strict=True)]
    table = np.array([[c, m - c] for c, m in zip(count, n, strict=True)])
    gap = shares[0] - shares[1]
    inverse = 1 / n[0] + 1 / n[1]
    width = stats.norm.ppf(0.5 + level / 2) * np.sqrt(
        sum(s * (1 - s) / m for s, m in zip(shares, n, strict=True))
    )
    pooled = sum(count) / sum(n)
    statistic = np.nan
    if 0 < pooled < 1:
        statistic = gap**2 / (pooled * (1 - pooled) * inverse)
    return {
        "share_treated": shares[0],
        "share_comparison": shares[1],
        "difference": gap,
        "ci_low": max(gap - width, -1.0),
        "ci_high": min(gap + width, 1.0),
        "chi_square": float(statistic),
        "p_value": float(stats.chi2.sf(statistic, 1)),
        "exact_p_value": float(stats.fisher_exact(table).pvalue),
        "odds_ratio": float(stats.contingency.odds_ratio(table, kind="conditional").statistic),
    }
