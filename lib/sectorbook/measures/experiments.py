"""Effects in a randomized trial: the offer (ITT), the take-up (TOT), by block, quantile and quarter."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError
from sectorbook.measures.clusters import cluster_robust
from sectorbook.measures.effects import (
    Data,
    Effect,
    effect,
    numbers,
    prepare,
    regress,
    side_by_side,
)
from sectorbook.measures.weighting import logit, standardized


def difference_in_means(
    frame: pd.DataFrame, outcome: str, treatment: str, se: str = "HC2", level: float = 0.95
) -> Effect:
    """Return the intention-to-treat difference in means.

    With `se="HC2"` the standard error is Neyman's, √(s₁²/n₁ + s₀²/n₀), and the interval Welch's, with
    Satterthwaite degrees of freedom (Welch 1947; Samii & Aronow 2012 on HC2 = Neyman). Other `se`: see
    `effects.regress`, with N − 2 degrees of freedom.
    """
    data = prepare(frame, outcome, treatment)
    fit = regress(data.y, np.column_stack([np.ones(len(data.y)), data.t]), se)
    estimate, error = fit.contrast([0, 1])
    df = fit.df
    if se == "HC2":
        parts = [data.y[data.t == a].var(ddof=1) / (data.t == a).sum() for a in (1, 0)]
        if sum(parts) > 0:
            df = sum(parts) ** 2 / sum(
                p**2 / (m - 1) for p, m in zip(parts, (data.n[0], data.n[1]), strict=True)
            )
    label = "HC2 (Welch)" if se == "HC2" else se
    return effect("ITT", "difference in means", estimate, error, label, data.n, df, level)


def rank_sum(frame: pd.DataFrame, outcome: str, treatment: str) -> tuple[float, float]:
    """Return W and the two-sided p of the Wilcoxon rank-sum test, normal approximation with continuity correction."""
    data = prepare(frame, outcome, treatment)
    test = stats.mannwhitneyu(data.y[data.treated], data.y[~data.treated], method="asymptotic")
    return float(test.statistic), float(test.pvalue)


def gain_score(frame: pd.DataFrame, outcome: str, baseline: str, treatment: str, se: str = "HC1") -> Effect:
    """Return the difference in mean change from `baseline` to `outcome`: a difference-in-differences of two dates."""
    data = prepare(frame, outcome, treatment)
    change = data.y - numbers(frame, [baseline])[:, 0]
    fit = regress(change, np.column_stack([np.ones(len(change)), data.t]), se)
    return effect("ITT", "gain score", *fit.contrast([0, 1]), se, data.n, fit.df)


def ancova(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    se: str = "HC2",
    cluster: str | None = None,
    level: float = 0.95,
) -> Effect:
    """Return the treatment coefficient of a regression on treatment and covariates.

    With `cluster`, `se` is CR0, CR1 or CR2 (bias-reduced, with Satterthwaite degrees of freedom: Bell &
    McCaffrey 2002; Pustejovsky & Tipton 2018).
    """
    data = prepare(frame, outcome, treatment, covariates)
    x = np.column_stack([np.ones(len(data.y)), data.t, data.x])
    return _coefficient("ITT", "covariate-adjusted (ANCOVA)", frame, data, x, se, cluster, level)


def lin(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    se: str = "HC2",
    cluster: str | None = None,
    level: float = 0.95,
) -> Effect:
    """Return the effect with covariates centred and interacted with treatment.

    Never less precise in large samples than the plain difference (Lin 2013, Annals of Applied Statistics 7:295–318).
    `cluster` as in `ancova`. Averages over everybody in the frame, so outside an experiment with a comparison
    group unlike the participants its answer is for the wrong people.
    """
    data = prepare(frame, outcome, treatment, covariates)
    centred = data.x - data.x.mean(axis=0)
    x = np.column_stack([np.ones(len(data.y)), data.t, centred, data.t[:, None] * centred])
    return _coefficient("ATE", "interacted (Lin 2013)", frame, data, x, se, cluster, level)


def _coefficient(
    estimand: str,
    name: str,
    frame: pd.DataFrame,
    data: Data,
    x: np.ndarray,
    se: str,
    cluster: str | None,
    level: float,
) -> Effect:
    """Return the coefficient of column 1 (treatment) of `x` with the asked standard error."""
    if len(data.y) <= x.shape[1]:
        raise SectorbookError(
            f"{len(data.y)} people cannot support {x.shape[1]} coefficients; use fewer covariates."
        )
    if cluster is None:
        fit = regress(data.y, x, se)
        return effect(estimand, name, *fit.contrast(np.eye(x.shape[1])[1]), se, data.n, fit.df, level)
    groups = _labels(frame, cluster)
    error = cluster_robust(data.y, x, groups, se, np.eye(x.shape[1])[1])
    return effect(
        estimand, name, error.estimate, error.standard_error, error.se_method, data.n, error.df, level
    )


def share_effect(
    frame: pd.DataFrame, outcome: str, treatment: str, covariates: Sequence[str], level: float = 0.95
) -> Effect:
    """Return the covariate-adjusted effect on a yes/no outcome, in shares: the logit's average marginal effect.

    Mean difference of predicted shares with everyone treated and nobody treated; delta-method standard error (statsmodels).
    `detail`: `log_odds_ratio` and its `log_odds_ratio_se`.
    """
    data = prepare(frame, outcome, treatment, covariates)
    if not np.isin(data.y, (0, 1)).all():
        raise SectorbookError(f"{outcome!r} must hold 1 or 0; for amounts use ancova or lin.")
    x = np.column_stack([np.ones(len(data.y)), data.t, standardized(data)])
    fit = logit(data.y, x)
    margin = fit.get_margeff(at="overall", method="dydx", dummy=True)
    return effect(
        "ATE",
        "logit, average marginal effect",
        margin.margeff[0],
        margin.margeff_se[0],
        "delta method",
        data.n,
        level=level,
        log_odds_ratio=fit.params[1],
        log_odds_ratio_se=fit.bse[1],
    )


def _labels(frame: pd.DataFrame, column: str) -> np.ndarray:
    if column not in frame.columns:
        numbers(frame, [column])
    if frame[column].isna().any():
        raise SectorbookError(f"Column {column!r} has {int(frame[column].isna().sum())} missing labels.")
    return pd.factorize(frame[column])[0]


def by_block(frame: pd.DataFrame, outcome: str, treatment: str, block: str) -> pd.DataFrame:
    """Return the difference in means within each block or site: `block` and the columns of `side_by_side`."""
    labels = _labels(frame, block)
    rows, names = [], pd.unique(frame[block])
    for code, name in enumerate(names):
        part = frame[labels == code]
        sizes = part[treatment].value_counts().to_dict() if treatment in part else {}
        if treatment in part and min(sizes.get(0, 0), sizes.get(1, 0)) < 2:
            raise SectorbookError(
                f"Block {name} of {block!r} has {sizes.get(1, 0)} treated and {sizes.get(0, 0)} comparison; "
                "each needs 2. Join it with a block drawn under the same odds."
            )
        rows.append(difference_in_means(part, outcome, treatment))
    table = side_by_side(rows)
    table.insert(0, "block", names)
    return table


def blocked_difference(
    frame: pd.DataFrame, outcome: str, treatment: str, block: str, level: float = 0.95
) -> Effect:
    """Return the effect in a trial randomized within blocks or sites.

    Σ (n_b/n)·d_b with variance Σ (n_b/n)²·(s₁²/n₁ + s₀²/n₀): Gerber & Green 2012, Field Experiments, ch. 3–4;
    degrees of freedom N − 2B. Right also when the odds of treatment differ between blocks.
    """
    data = prepare(frame, outcome, treatment)
    table = by_block(frame, outcome, treatment, block)
    share = (table["n_treated"] + table["n_comparison"]).to_numpy() / len(data.y)
    estimate = share @ table["estimate"].to_numpy()
    error = np.sqrt(share**2 @ table["standard_error"].to_numpy() ** 2)
    return effect(
        "ITT",
        "blocked difference in means",
        estimate,
        error,
        "Neyman within blocks",
        data.n,
        len(data.y) - 2 * len(table),
        level,
        blocks=len(table),
    )


def by_subgroup(
    frame: pd.DataFrame, outcome: str, treatment: str, subgroup: str, covariates: Sequence[str] = ()
) -> pd.DataFrame:
    """Return one estimate per value of `subgroup` (difference in means, or ANCOVA when covariates are given).

    Adds `difference_p_value`: the joint Wald test that all subgroups share one effect (the question that matters
    before two subgroups are called different). Correct `p_value` with `multiplicity.adjust`.
    """
    labels, rows = _labels(frame, subgroup), []
    names = pd.unique(frame[subgroup])
    for code in range(len(names)):
        part = frame[labels == code]
        rows.append(
            ancova(part, outcome, treatment, covariates)
            if covariates
            else difference_in_means(part, outcome, treatment)
        )
    table = side_by_side(rows)
    table.insert(0, "subgroup", names)
    precision = 1 / table["standard_error"] ** 2
    common = (precision * table["estimate"]).sum() / precision.sum()
    statistic = (precision * (table["estimate"] - common) ** 2).sum()
    table["difference_p_value"] = stats.chi2.sf(statistic, len(table) - 1) if len(table) > 1 else np.nan
    return table


def treatment_on_treated(
    frame: pd.DataFrame,
    outcome: str,
    assigned: str,
    received: str,
    covariates: Sequence[str] = (),
    level: float = 0.95,
) -> Effect:
    """Return the effect of taking part, by two-stage least squares with the offer as instrument.

    Imbens & Angrist 1994: the effect on those who took part because they were offered it. Standard error HC1
    of 2SLS, residuals taken at the received treatment; N − K degrees of freedom. `detail`: `take_up` (first-stage
    coefficient), `first_stage_f` (robust; under 10 the answer is unreliable, and then no interval is given).
    """
    data = prepare(frame, outcome, assigned, covariates)
    took = prepare(frame, outcome, received).t
    ones = np.ones(len(data.y))
    z = np.column_stack([ones, data.t, data.x])
    d = np.column_stack([ones, took, data.x])
    first = regress(took, z, "HC1")
    take_up, take_up_error = first.contrast(np.eye(z.shape[1])[1])
    strength = (take_up / take_up_error) ** 2 if take_up_error > 0 else np.inf
    if abs(take_up) < 1e-12:
        raise SectorbookError(
            f"Being assigned ({assigned!r}) did not change who received the programme ({received!r}): no effect of "
            "taking part can be recovered."
        )
    inverse = np.linalg.inv(z.T @ d)
    params = inverse @ (z.T @ data.y)
    resid = data.y - d @ params
    n, k = d.shape
    cov = inverse @ (z.T @ (z * (resid**2)[:, None])) @ inverse.T * n / (n - k)
    error = np.sqrt(cov[1, 1])
    weak = strength < 10
    return effect(
        "LATE",
        "two-stage least squares (offer as instrument)",
        params[1],
        np.nan if weak else error,
        "none: weak instrument (first-stage F < 10)" if weak else "HC1, 2SLS",
        data.n,
        n - k,
        level,
        take_up=take_up,
        first_stage_f=strength,
    )


def quantile_effects(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    quantiles: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9),
    draws: int = 999,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the difference of the two arms' quantiles.

    Columns: `quantile`, `treated_quantile`, `comparison_quantile` and the usual ones.

    Effects on the distribution, not on the person at that quantile. Percentile interval and standard error from a
    bootstrap within arms (Efron & Tibshirani 1993). A quantile at a heap (zero earnings) can have a standard error of
    0, and then no p-value.
    """
    data, q = prepare(frame, outcome, treatment), np.asarray(quantiles, dtype=float)
    if q.size == 0 or (q <= 0).any() or (q >= 1).any():
        raise SectorbookError(f"Quantiles must lie between 0 and 1; found {list(quantiles)}.")
    rng, arms, replicates = np.random.default_rng(seed), [], []
    for arm in (1, 0):
        y = data.y[data.t == arm]
        arms.append(np.quantile(y, q))
        replicates.append(
            np.array([np.quantile(y[rng.integers(0, len(y), len(y))], q) for _ in range(draws)])
        )
    gap = replicates[0] - replicates[1]
    low, high = np.quantile(gap, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    error = gap.std(axis=0, ddof=1)
    rows = [
        effect("ITT", f"quantile {v:g}", e, s, f"bootstrap within arms ({draws} draws)", data.n)
        for v, e, s in zip(q, arms[0] - arms[1], error, strict=True)
    ]
    table = side_by_side(rows).assign(ci_low=low, ci_high=high)
    for position, (name, values) in enumerate(
        {"quantile": q, "treated_quantile": arms[0], "comparison_quantile": arms[1]}.items()
    ):
        table.insert(position, name, values)
    return table


def by_period(
    frame: pd.DataFrame,
    outcomes: Mapping[int, str],
    treatment: str,
    covariates: Sequence[str] = (),
    se: str = "HC2",
) -> pd.DataFrame:
    """Return the effect in each period: `period` and the usual columns, in time order.

    `outcomes` maps a quarter from entry or exit (−8 … +8) to its earnings column. Before entry the rows are a check of
    balance, not effects. One row per period; correct `p_value` with `multiplicity.adjust`.
    """
    rows = [
        ancova(frame, column, treatment, covariates, se)
        if covariates
        else difference_in_means(frame, column, treatment, se)
        for _, column in sorted(outcomes.items())
    ]
    table = side_by_side(rows)
    table.insert(0, "period", sorted(outcomes))
    return table
