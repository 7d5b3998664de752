"""What the offer of a place did: estimates, strength and worth, from the frame of `worker_outcomes.prepared`.

Every function takes a sample without a row and returns its table without one.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures import (
    balance,
    clusters,
    cost_benefit,
    doubly_robust,
    estimators,
    experiments,
    multiplicity,
    power,
    randomization,
    weighting,
)
from sectorbook.measures.effects import FIELDS, Effect, prepare, side_by_side
from sectorbook.measures.worker_outcomes import AFTER, BEFORE, FEWEST, NOT_RECORDED

MAIN = {True: "covariate-adjusted (ANCOVA)", False: "doubly robust"}
"""The estimate a reader should take, by whether people were assigned at random."""
SMALL = 10
NO_ANSWER = "no answer"
SHARED = {"site": "people of one site", "cohort": "people of one cohort"}
"""Columns that say who was served together: outcomes of such people may move together."""
LARGEST_CLUSTER = 400
"""CR2 takes the root of a matrix as wide as a cluster is large; beyond this CR1 is used, and says so."""


def analysed(people: pd.DataFrame, outcome: str, covariates: Sequence[str]) -> pd.DataFrame:
    """Return those of both groups with the outcome and the covariates known.

    No rows when a group has fewer than ten of them, or all have the same outcome.

    Adds `took` (1 took part) and `female`.
    """
    frame = people[people["assigned"].notna()].assign(
        took=people["participated"].fillna(0.0), female=(people["sex"] == "female").astype(float)
    )
    frame = frame.assign(site=frame["site"].fillna(NOT_RECORDED))
    known = frame.dropna(subset=[outcome, *covariates])
    enough = known["treated"].value_counts().reindex([0, 1], fill_value=0).min() >= SMALL
    return known if enough and known[outcome].nunique() > 1 else known.iloc[:0]


def varying(sample: pd.DataFrame, covariates: Sequence[str]) -> list[str]:
    """Return the covariates that are not the same for everyone: the others cannot adjust anything."""
    return [name for name in covariates if sample[name].nunique() > 1]


def _tried(step: Callable[[], Effect], name: str) -> Effect:
    """Return an estimate, or an empty one where there is none. The reason would tell of small groups: it is not kept."""
    try:
        return step()
    except SectorbookError:
        return Effect("ITT", name, *[np.nan] * 2, "none", *[np.nan] * 3, 0, 0)


def _smaller(table: pd.DataFrame) -> pd.DataFrame:
    """Add `behind`: people in the smaller group, 0 where there is no estimate."""
    return table.assign(
        behind=table[["n_treated", "n_comparison"]].min(axis=1).where(table["estimate"].notna(), 0)
    )


def effects(
    sample: pd.DataFrame,
    outcome: str,
    covariates: Sequence[str],
    at_random: bool,
    baseline: str,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Return the effect by each estimator: columns `FIELDS`, `bootstrap_se`, `behind`, `remark` ("" or "no answer").

    At random: effect of being offered a place, and of taking it. Otherwise every estimator of a comparison study, with
    `baseline`, the outcome before entry, for the gain score. `bootstrap_se` stands beside the analytic one where a bootstrap
    of the estimator is valid, from `draws` samples.
    """
    if sample.empty:
        return pd.DataFrame(columns=[*FIELDS, "bootstrap_se", "behind", "remark"])
    covariates = varying(sample, covariates)
    table = _estimates(sample, outcome, covariates, at_random, baseline)
    answered = set(table.loc[table["estimate"].notna(), "estimator"])
    names = [name for name in doubly_robust.BOOTSTRAPPED if name in answered]
    try:
        drawn = doubly_robust.bootstrap(sample, outcome, "treated", covariates, names, draws, seed)
        spread = drawn.set_index("estimator")["standard_error"]
    except (
        SectorbookError
    ):  # such as covariates that are combinations of each other: the table says "no answer"
        spread = pd.Series(dtype="float64")
    return _smaller(table).assign(
        bootstrap_se=table["estimator"].map(spread).where(table["estimate"].notna()),
        remark=np.where(table["estimate"].isna(), NO_ANSWER, ""),
    )


def _estimates(
    sample: pd.DataFrame, outcome: str, covariates: Sequence[str], at_random: bool, baseline: str
) -> pd.DataFrame:
    args = (sample, outcome, "treated")
    if not at_random:
        return estimators.compare_estimators(*args, covariates, baseline)
    steps = {
        "difference in means": lambda: experiments.difference_in_means(*args),
        "blocked difference in means": lambda: experiments.blocked_difference(*args, "site"),
        MAIN[True]: lambda: experiments.ancova(*args, covariates),
        "interacted (Lin 2013)": lambda: experiments.lin(*args, covariates, "HC3").relabel("ITT"),
        "two-stage least squares": lambda: experiments.treatment_on_treated(*args, "took", covariates),
    }
    return side_by_side([_tried(step, name) for name, step in steps.items()])


def standard_errors(
    sample: pd.DataFrame, outcome: str, covariates: Sequence[str], at_random: bool, draws: int, seed: int
) -> pd.DataFrame:
    """Return the covariate-adjusted difference under each kind of standard error: columns `FIELDS`, `together` (whose outcomes
    may move together), `clusters`, `p_wild`, `p_wild_least`, `remark`, `behind`.

    HC2 and HC3 take people one by one. The rest cluster by the columns of `SHARED`, where they are known for everyone and name
    two clusters or more: CR2 (`clusters.cluster_robust`), and beside it `p_wild` of the wild cluster bootstrap, which can not
    fall below `p_wild_least` however large the effect is.
    """
    extra = ["together", "clusters", "p_wild", "p_wild_least", "remark", "behind"]
    if sample.empty:
        return pd.DataFrame(columns=[*FIELDS, *extra])
    covariates = varying(sample, covariates)
    name, estimand = (MAIN[True], "ITT") if at_random else ("covariate-adjusted regression", "association")
    rows, told = [], []

    def add(together: str, se: str, cluster: str | None, groups: int | None, wild: tuple) -> None:
        step = experiments.ancova
        found = _tried(lambda: step(sample, outcome, "treated", covariates, se, cluster), name)
        rows.append(found.relabel(estimand, name))
        told.append((together, groups, *wild, NO_ANSWER if np.isnan(found.estimate) else ""))

    for se in ("HC2", "HC3"):
        add("nobody: each person alone", se, None, None, (np.nan, np.nan))
    for column, together in SHARED.items():
        sizes = sample.loc[sample[column] != NOT_RECORDED, column].value_counts()
        if sizes.sum() < len(sample) or len(sizes) < 2:
            continue
        se = "CR2" if sizes.max() <= LARGEST_CLUSTER else "CR1"
        add(together, se, column, len(sizes), _wild(sample, outcome, covariates, column, draws, seed))
    table = side_by_side(rows)
    return _smaller(table.assign(**dict(zip(extra[:-1], zip(*told, strict=True), strict=True))))


def _wild(
    sample: pd.DataFrame, outcome: str, covariates: Sequence[str], cluster: str, draws: int, seed: int
) -> tuple[float, float]:
    """Return p of the wild cluster bootstrap and the least it can be."""
    data = prepare(sample, outcome, "treated", covariates)
    labels = pd.factorize(sample[cluster])[0]
    x = np.column_stack([np.ones(len(data.y)), data.t, data.x])
    groups = labels.max() + 1
    least = 2.0 ** (1 - groups) if groups <= clusters.EXACT_CLUSTERS else 1 / (1 + draws)
    if np.linalg.matrix_rank(x / np.abs(x).max(axis=0)) < x.shape[1]:
        return np.nan, least
    return clusters.wild_cluster_bootstrap(data.y, x, labels, 1, draws=draws, seed=seed), least


def shakiest(table: pd.DataFrame) -> pd.Series:
    """Return the row of `standard_errors` with the fewest clusters, missing values, and 0 people, without one."""
    chosen = table[table["clusters"].notna()]
    if chosen.empty:
        return pd.Series(np.nan, index=table.columns, dtype=object).fillna({"behind": 0})
    return chosen.loc[chosen["clusters"].astype(int).idxmin()]


def main_estimate(table: pd.DataFrame, at_random: bool) -> pd.Series:
    """Return the row a reader should take; missing values and counts of 0 without one."""
    chosen = table[table["estimator"].str.startswith(MAIN[at_random])]
    if chosen.empty:
        return pd.Series({**dict.fromkeys(FIELDS, np.nan), "n_treated": 0, "n_comparison": 0, "behind": 0})
    return chosen.iloc[0]


def randomization_p(
    sample: pd.DataFrame, outcome: str, at_random: bool, draws: int, seed: int
) -> float | None:
    """Return the p of the randomization test within sites (studentized difference); None without a trial."""
    if sample.empty or not at_random:
        return None
    args = (sample, outcome, "treated")
    try:
        return randomization.randomization_test(*args, block="site", draws=draws, seed=seed).p_value
    except SectorbookError:  # such as a site with one group only
        return None


def alike(sample: pd.DataFrame, covariates: Sequence[str]) -> pd.DataFrame:
    """Return whether the groups were alike at entry: `covariate`, `difference`, `effect_size`, `variance_ratio`, `verdict`
    (What Works Clearinghouse), `effective_n` of the comparison group after entropy balancing, and `behind`.
    """
    columns = ["covariate", "difference", "effect_size", "variance_ratio", "verdict", "effective_n", "behind"]
    if sample.empty:
        return pd.DataFrame(columns=columns)
    covariates = varying(sample, covariates)
    table = balance.balance_table(sample, "treated", covariates)
    try:
        weights = weighting.entropy_balance(sample, "treated", covariates).weights
        left = balance.balance_table(sample, "treated", covariates, weights)["effective_n_comparison"]
    except SectorbookError:  # no weights can make the groups alike
        left = np.nan
    return table.assign(
        covariate=table["covariate"].str.replace("_", " "),
        difference=table["standardized_difference"],
        effective_n=left,
        behind=table[["n_treated", "n_comparison"]].min(axis=1),
    )[columns]


def dynamics(people: pd.DataFrame) -> pd.DataFrame:
    """Return the effect on earnings in each quarter with enough people: `period`, `FIELDS`, `p_adjusted`, `behind`.

    Holm's `p_adjusted` is over the quarters after exit. Before entry the rows check balance.
    """
    rows = []
    for name in [*BEFORE, *AFTER]:
        part = people[people["assigned"].notna()].dropna(subset=[name])
        if part["treated"].value_counts().reindex([0, 1]).fillna(0).min() >= FEWEST and part[name].std() > 0:
            quarter = int(name.split("_")[2]) * (-1 if "before" in name else 1)
            rows.append(experiments.by_period(part, {quarter: name}, "treated"))
    if not rows:
        return pd.DataFrame(columns=["period", *FIELDS, "p_adjusted", "behind"])
    table = pd.concat(rows, ignore_index=True)
    after = table["period"] > 0
    table.loc[after, "p_adjusted"] = multiplicity.adjust(table.loc[after, "p_value"])
    return _smaller(table)


def by_group(
    sample: pd.DataFrame, outcome: str, subgroup: str, draws: int = 999, seed: int = 0
) -> pd.DataFrame:
    """Return the effect in each subgroup: `subgroup`, `FIELDS`, `difference_p_value`, `p_holm`, `p_fdr`, `p_wy`, `behind`;
    `behind_all`: those behind the test of all groups.

    `p_wy`: step-down Westfall–Young, from `draws` assignments redrawn within sites.

    Subgroups with fewer than ten people in a group are put together as "other".
    Raises SectorbookError for a column the participants file does not have.
    """
    columns = ["subgroup", *FIELDS, "difference_p_value", "p_holm", "p_fdr", "p_wy", "behind", "behind_all"]
    if subgroup not in sample:
        raise unknown("column of the participants file", subgroup, list(sample.columns))
    if sample.empty:
        return pd.DataFrame(columns=columns)
    sizes = sample.groupby([subgroup, "treated"]).size().unstack(fill_value=0).min(axis=1)
    label = sample[subgroup].where(sample[subgroup].map(sizes) >= SMALL, "other").fillna("other")
    frame = sample.assign(**{subgroup: label.astype(str).str.replace("_", " ")})
    small = (
        frame.groupby([subgroup, "treated"])
        .size()
        .unstack(fill_value=0)
        .reindex(columns=[0, 1], fill_value=0)
    )
    frame = frame[frame[subgroup].map(small.min(axis=1)) >= FEWEST]
    if frame.empty:
        return pd.DataFrame(columns=columns)
    table = experiments.by_subgroup(frame, outcome, "treated", subgroup)
    table["p_holm"] = multiplicity.adjust(table["p_value"])
    table["p_fdr"] = multiplicity.adjust(table["p_value"], "benjamini-hochberg")
    drawn = multiplicity.westfall_young_groups(frame, outcome, "treated", subgroup, "site", draws, seed)
    table["p_wy"] = table["subgroup"].map(drawn.set_index("group")["p_adjusted"])
    everyone = table[["n_treated", "n_comparison"]].sum().min()
    return _smaller(table).assign(behind_all=everyone)[columns]


def quantiles(sample: pd.DataFrame, outcome: str, draws: int, seed: int) -> pd.DataFrame:
    """Return `experiments.quantile_effects` of the sample, with the quantile as a percentile, and `behind`.

    `behind` of a quantile is twice the people on its smaller side, so that the gate's minimum holds for that side.
    """
    names = ["quantile", "treated_quantile", "comparison_quantile", *FIELDS, "behind"]
    if sample.empty:
        return pd.DataFrame(columns=names)
    table = _smaller(experiments.quantile_effects(sample, outcome, "treated", draws=draws, seed=seed))
    side = 2 * table["behind"] * np.minimum(table["quantile"], 1 - table["quantile"])
    return table.assign(quantile=100 * table["quantile"], behind=np.floor(side.round(6)))


def attrition(people: pd.DataFrame, sample: pd.DataFrame, boundary: pd.DataFrame) -> list[balance.Attrition]:
    """Return attrition under both WWC assumptions; nothing without two groups."""
    if sample.empty:
        return []
    assigned = people[people["assigned"].notna()]["treated"].value_counts()
    kept = sample["treated"].value_counts()
    counts = [(int(assigned[1]), int(assigned[0])), (int(kept[1]), int(kept[0]))]
    return [balance.attrition(*counts, boundary, assumption) for assumption in balance.ASSUMPTIONS]


def lost(people: pd.DataFrame, sample: pd.DataFrame) -> int:
    """Return the smallest number of people a rating of attrition tells of: missing or kept, in either group."""
    if sample.empty:
        return 0
    assigned = people[people["assigned"].notna()]["treated"].value_counts()
    kept = sample["treated"].value_counts()
    return int(min((assigned - kept).min(), kept.min()))


def attrition_figures(rated: Sequence[balance.Attrition]) -> tuple[float | None, ...]:
    """Return overall (percent) and differential attrition and both boundaries (points); None where there is no rating."""
    if not rated:
        return (None,) * 4
    return rated[0].overall_pct, rated[0].differential_pp, rated[0].boundary_pp, rated[1].boundary_pp


def attrition_words(rated: Sequence[balance.Attrition]) -> dict[str, str]:
    """Return the rating under each assumption, "not rated" without one."""
    return dict.fromkeys(balance.ASSUMPTIONS, "not rated") | {r.assumption: r.rating for r in rated}


def smallest_effect(sample: pd.DataFrame, outcome: str, covariates: Sequence[str]) -> float | None:
    """Return the smallest effect (USD) this study would find four times in five; None without a sample."""
    return None if sample.empty else power.minimum_detectable_effect(_design(sample, outcome, covariates))


def power_pct(
    sample: pd.DataFrame, outcome: str, covariates: Sequence[str], effect_usd: float
) -> float | None:
    """Return how likely (percent) this study would find an effect of `effect_usd`; None without a sample."""
    return None if sample.empty else 100 * power.power_of(_design(sample, outcome, covariates), effect_usd)


def _design(sample: pd.DataFrame, outcome: str, covariates: Sequence[str]) -> power.Design:
    counts = sample["treated"].value_counts()
    covariates = varying(sample, covariates)
    others = sample[[outcome, *covariates]].astype(float)
    x = np.column_stack([np.ones(len(others)), others[list(covariates)]])
    residual = others[outcome] - x @ np.linalg.lstsq(x, others[outcome], rcond=None)[0]
    explained = 1 - residual.var() / others[outcome].var() if others[outcome].var() > 0 else 0.0
    return power.Design(
        int(counts[1]), int(counts[0]), float(others[outcome].std()), max(0.0, float(explained))
    )


def worth(
    found: pd.Series,
    cost_usd: float,
    tax_share: float,
    discount_rate: float,
    further_years: int,
    decay: float,
    dollar_year: int,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Return costs and benefits of one participant's place from the effect on a year's earnings (`cost_benefit.summary`).

    Adds `break_even_years` for society. Earnings are the participant's less taxes (`tax_share`), which go to the public; the
    public bears the cost. No rows without an estimate.
    """
    if pd.isna(found["estimate"]) or pd.isna(found["standard_error"]):
        return pd.DataFrame(columns=["perspective", "benefit_usd", "cost_usd", "net_usd", "net_ci_low", "net_ci_high",
                                     "probability_pct", "benefit_per_dollar", "ratio_ci_low", "ratio_ci_high",
                                     "break_even_years", "behind"])  # fmt: skip
    gain = cost_benefit.stream(
        "earnings", [found["estimate"]], dollar_year, 1 - tax_share, tax_share, "benefit", [found["standard_error"]], 1,
        further_years, decay,
    )  # fmt: skip
    place = cost_benefit.stream("place in the program", [cost_usd], dollar_year, 0.0, 1.0, "cost")
    index = pd.Series([1.0], index=[dollar_year])
    both = pd.concat([gain, place], ignore_index=True)
    table = cost_benefit.cost_benefit(both, discount_rate, dollar_year, index, draws, seed).summary
    years = cost_benefit.break_even_years(found["estimate"], cost_usd, discount_rate, decay)
    table["break_even_years"] = [np.nan, np.nan, years if np.isfinite(years) else np.nan]
    return table.assign(probability_pct=100 * table["probability_positive"], behind=found["behind"])


def society(table: pd.DataFrame) -> pd.Series:
    """Return society's row of `worth`, missing values without one."""
    chosen = table[table["perspective"] == "society"]
    return chosen.iloc[0] if len(chosen) else pd.Series(np.nan, index=table.columns)
