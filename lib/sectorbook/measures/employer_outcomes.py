"""What changed at employers that take part, beside others: the tables of the employers' outcomes chapter.

`outcomes` is a long panel: `employer_code`, `year`, `measure`, `value`, `takes_part`, `start_year` (first year of one that
takes part, missing for a comparison). `labels`: `id` and `label` of each measure. Every function takes an empty panel.
"""

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError
from sectorbook.measures import clusters, firm_costs, panels, randomization, staggered
from sectorbook.measures.effects import Effect

CHANGE = [
    "measure", "firm_measure", "firm_before", "firm_after", "firm_change_pct", "firm_change_pct_comparison", "firm_n",
    "firm_n_comparison", "firm_p_value", "firm_called", "largest_before", "largest_after",
]  # fmt: skip
EFFECT = [
    "measure", "firm_measure", "firm_effect", "firm_effect_low", "firm_effect_high", "firm_p_value", "firm_wild_p_value",
    "firm_exact_p_value", "firm_pre_trend_p_value", "firm_se_method", "firm_n_part", "firm_n_comparison", "firm_note",
]  # fmt: skip
# Up to so many firms the signs of their changes are counted out.
FEW = 12
YEAR = ["year", "firm_gap", "firm_gap_low", "firm_gap_high", "firm_n_part", "firm_n_comparison"]


def panel(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the panel with plain numbers: `takes_part` 1 or 0, `year`, `start_year` and `value` as floats."""
    plain = {"takes_part": "float64", "year": "float64", "start_year": "float64", "value": "float64"}
    return outcomes.astype(plain)


def start(outcomes: pd.DataFrame) -> float:
    """Return the first year in which an employer took part, missing when none did."""
    return float(outcomes["start_year"].min())


def ends(part: pd.DataFrame, first_start: float) -> pd.DataFrame:
    """Return each firm's value in its last year before the start and in its last year: `before`, `after`, `takes_part`.

    A comparison firm is split at `first_start`. Firms without both are left out.
    """
    ordered = part.sort_values("year", kind="stable")
    at = ordered["start_year"].fillna(first_start)
    before = ordered[ordered["year"] < at].groupby("employer_code")["value"].last()
    after = ordered[ordered["year"] >= at].groupby("employer_code")["value"].last()
    both = pd.concat({"before": before, "after": after}, axis=1).dropna()
    return both.assign(takes_part=part.groupby("employer_code")["takes_part"].first().reindex(both.index))


def _two_largest(values: pd.Series) -> list[float]:
    return sorted(values, reverse=True)[:2]


def paired(ours: pd.DataFrame) -> float:
    """Return the p of the firms' changes: every pattern of signs up to `FEW` firms, a paired t above; missing for one firm.

    The exact test of four firms can reach 0.125 at best, and then "not significant" says nothing.
    """
    if len(ours) < 2:
        return np.nan
    if len(ours) <= FEW:
        return randomization.sign_flip_test(ours, "before", "after").p_value
    return float(stats.ttest_rel(ours["after"], ours["before"]).pvalue)


def changes(outcomes: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return how each measure changed at employers that take part (`CHANGE`).

    From the last year before the start to the last year on file. `firm_change_pct` is of the firms' means; p is `paired`.
    `firm_called` is "reported" without comparison firms and "beside a comparison" with them: neither is an effect.
    `largest_*`: the two largest values behind a mean, for the disclosure gate.
    """
    rows, names = [], dict(zip(labels["id"], labels["label"], strict=True))
    first = start(outcomes)
    for measure, part in outcomes.groupby("measure", sort=False):
        both = ends(part, first)
        ours, others = (both[both["takes_part"] == flag] for flag in (1, 0))
        if ours.empty or ours["before"].mean() <= 0:
            continue
        theirs = np.nan
        if len(others) and others["before"].mean() > 0:
            theirs = firm_costs.percent_change(others["before"].mean(), others["after"].mean())
        rows.append(
            (
                measure, names[measure], ours["before"].mean(), ours["after"].mean(),
                firm_costs.percent_change(ours["before"].mean(), ours["after"].mean()), theirs, len(ours), len(others),
                paired(ours),
                "beside a comparison" if len(others) else "reported",
                _two_largest(ours["before"]), _two_largest(ours["after"]),
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=CHANGE)


def beside_published(changed: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return percent changes as published and here, a row a measure: `measure`, `firm_measure`, `reported_pct`,
    `firm_change_pct`, `firm_change_pct_comparison`.

    `published`: rows with `measure`, `label`, `unit`, `value`; those in percent change of a measure are taken.
    """
    theirs = published[published["measure"].notna() & (published["unit"] == "percent change")]
    reported = theirs[["measure", "value"]].rename(columns={"value": "reported_pct"})
    own = changed[["measure", "firm_measure", "firm_change_pct", "firm_change_pct_comparison"]]
    table = reported.merge(own, on="measure", how="outer", sort=False)
    named = theirs.set_index("measure")["label"].str.partition(",")[0]
    label = table["firm_measure"].fillna(table["measure"].map(named))
    order = [*theirs["measure"], *(m for m in own["measure"] if m not in set(theirs["measure"]))]
    table = table.assign(firm_measure=label).set_index("measure").loc[order]
    return table.reset_index()


# -- beside employers that do not take part ---------------------------------------------------------------------


def balanced(outcomes: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the firms of one measure that are there in every year, with `after` (1 from the first start on)."""
    part = outcomes[outcomes["measure"] == measure]
    full = part.groupby("employer_code")["year"].transform("nunique") == part["year"].nunique()
    return part[full].assign(after=(part["year"] >= start(part)).astype(int))


def effects(outcomes: pd.DataFrame, labels: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Return the difference-in-differences of each measure, in its own unit (`EFFECT`).

    One start: firm and year effects, CR2 errors by firm, and beside them the wild cluster bootstrap p, a test that shuffles
    which firms take part (exact where the ways can be counted out), and the test of the years before. Several starts:
    Callaway and Sant'Anna, with firms that never take part as comparison. Where none can be told the note says why.
    """
    rows, names = [], dict(zip(labels["id"], labels["label"], strict=True))
    for measure in dict.fromkeys(outcomes["measure"]):
        part = balanced(outcomes, measure)
        row = dict.fromkeys(EFFECT, np.nan) | {
            "measure": measure, "firm_measure": names[measure], "firm_se_method": "none", "firm_note": "",
            "firm_n_part": part.loc[part["takes_part"] == 1, "employer_code"].nunique(),
            "firm_n_comparison": part.loc[part["takes_part"] == 0, "employer_code"].nunique(),
        }  # fmt: skip
        try:
            found, more = _effect(part, draws, seed)
        except SectorbookError as error:
            rows.append(row | {"firm_note": str(error)})
            continue
        row |= {
            "firm_effect": found.estimate, "firm_effect_low": found.ci_low, "firm_effect_high": found.ci_high,
            "firm_p_value": found.p_value, "firm_se_method": found.se_method,
        }  # fmt: skip
        rows.append(row | more)
    return pd.DataFrame(rows, columns=EFFECT)


def _effect(part: pd.DataFrame, draws: int, seed: int) -> tuple[Effect, dict]:
    sizes = part.groupby("takes_part")["employer_code"].nunique()
    if len(sizes) < 2 or sizes.min() < 2:
        raise SectorbookError(
            "Fewer than two firms to compare with are there in every year: what changed is reported, no effect can be told."
        )
    starts = part.loc[part["takes_part"] == 1, "start_year"].unique()
    if not part["after"].any() or part["after"].all():
        raise SectorbookError("No year before the start, or none after it, is there: no effect can be told.")
    if len(starts) > 1:
        result = staggered.group_time_effects(part, "value", "employer_code", "year", "start_year")
        return staggered.aggregate(result)[0], {"firm_note": "several starts"}
    found = panels.difference_in_differences(part, "value", "takes_part", "after", "employer_code", "year")
    x = _design(part)
    codes = pd.factorize(part["employer_code"])[0]
    wild = clusters.wild_cluster_bootstrap(part["value"].to_numpy(), x, codes, 0, draws=draws, seed=seed)
    _, test = panels.event_study(part, "value", "takes_part", float(starts[0]), "employer_code", "year")
    means = part.pivot_table(index=["employer_code", "takes_part"], columns="after", values="value")
    moved = (means[1] - means[0]).rename("moved").reset_index()
    shuffled = randomization.randomization_test(
        moved, "moved", "takes_part", "difference", draws=draws, seed=seed
    )
    return found, {
        "firm_wild_p_value": wild, "firm_exact_p_value": shuffled.p_value, "firm_pre_trend_p_value": test["p_value"]
    }  # fmt: skip


def _design(part: pd.DataFrame) -> np.ndarray:
    """Return treated × after, first, with firm and year effects."""
    firm = pd.get_dummies(part["employer_code"], dtype=float)
    year = pd.get_dummies(part["year"], dtype=float, drop_first=True)
    both = (part["takes_part"] * part["after"]).to_numpy(dtype=float)
    return np.column_stack([both, firm.to_numpy(), year.to_numpy()])


def by_year(outcomes: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the gap between firms that take part and others in each year against the last before the start (`YEAR`).

    No rows where it cannot be told: no comparison, several starts, or one year only.
    """
    part = balanced(outcomes, measure)
    sizes = part.groupby("takes_part")["employer_code"].nunique()
    starts = part.loc[part["takes_part"] == 1, "start_year"].unique()
    told = len(sizes) == 2 and sizes.min() > 1 and len(starts) == 1 and 0 < part["after"].mean() < 1
    if not told:
        return pd.DataFrame(columns=YEAR)
    table, _ = panels.event_study(part, "value", "takes_part", float(starts[0]), "employer_code", "year")
    table = table.rename(
        columns={
            "period": "year",
            "estimate": "firm_gap",
            "ci_low": "firm_gap_low",
            "ci_high": "firm_gap_high",
        }
    )
    return table.assign(firm_n_part=sizes[1], firm_n_comparison=sizes[0])[YEAR]


def change(table: pd.DataFrame, measure: str) -> pd.Series:
    """Return one measure's row of `changes`; missing values, and 0 firms, without one."""
    chosen = table[table["measure"] == measure]
    nothing = pd.Series({**dict.fromkeys(CHANGE, np.nan), "firm_n": 0, "firm_n_comparison": 0})
    return nothing if chosen.empty else chosen.iloc[0]


def row(table: pd.DataFrame, measure: str) -> pd.Series:
    """Return one measure's row of `effects`, with `n_smaller` (firms in the smaller group); missing and 0 without one."""
    chosen = table[table["measure"] == measure]
    if chosen.empty:
        return pd.Series({**dict.fromkeys(EFFECT, np.nan), "firm_measure": "No measure", "n_smaller": 0})
    found = chosen.iloc[0]
    smaller = int(min(found["firm_n_part"], found["firm_n_comparison"]))
    return pd.concat([found, pd.Series({"n_smaller": smaller})])


# -- a known answer ---------------------------------------------------------------------------------------------


def grants(firms: pd.DataFrame) -> pd.DataFrame:
    """Return the effect of training grants on scrap: a published example with a known answer.

    Wooldridge, Introductory Econometrics, Example 14.1: log scrap rate on this and last year's grant, firm and year effects,
    54 firms. `grant_term`, `log_points`, `log_error` (classical, as printed there), `grant_p_value`,
    `grant_p_value_robust` (CR2 by firm, the honest one), `grant_change_pct` = 100(exp b - 1) with `_low` and `_high` by
    firm, `grant_firms`. Beside them `log_points_random` and `log_error_random`, with each firm's level drawn at random.
    """
    known = firms.dropna(subset=["lscrap"]).reset_index(drop=True)
    random, _ = _random(known)
    terms = ["grant", "grant_1"]
    plain = panels.fixed_effects(known, "lscrap", terms, "fcode", "year", True, "classical")
    robust = panels.fixed_effects(known, "lscrap", terms, "fcode", "year", True, "CR2")
    return pd.DataFrame(
        {
            "grant_term": ["Grant this year", "Grant last year"], "log_points": plain["estimate"],
            "log_error": plain["standard_error"], "grant_p_value": plain["p_value"],
            "grant_p_value_robust": robust["p_value"], "grant_change_pct": 100 * np.expm1(plain["estimate"]),
            "grant_change_pct_low": 100 * np.expm1(robust["ci_low"]),
            "grant_change_pct_high": 100 * np.expm1(robust["ci_high"]), "grant_firms": plain["n_units"],
            "log_points_random": random.loc[terms, "estimate"].to_numpy(),
            "log_error_random": random.loc[terms, "standard_error"].to_numpy(),
        }
    )  # fmt: skip


def grants_levels(firms: pd.DataFrame) -> dict[str, float]:
    """Return the test of random against fixed effects in the example of `grants` (see `panels.random_effects`)."""
    return _random(firms.dropna(subset=["lscrap"]).reset_index(drop=True))[1]


def _random(known: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, float]]:
    years = sorted(known["year"].unique())[1:]
    frame = known.assign(**{f"d{year}": (known["year"] == year).astype(float) for year in years})
    regressors = ["grant", "grant_1", *(f"d{year}" for year in years)]
    table, test = panels.random_effects(frame, "lscrap", regressors, "fcode", "year")
    return table.set_index("term"), test
