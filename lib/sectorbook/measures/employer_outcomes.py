"""What changed at employers: the tables of the employers' outcomes chapter.

`outcomes` is a long panel: `employer_code`, `period`, `measure`, `value`, `partner` (1/0), `start_period` (first year of a
partner, missing for a comparison). `labels`: `id` and `label` of each measure. Every function takes an empty panel.
"""

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures import clusters, firm_costs, panels, randomization, staggered
from sectorbook.measures.effects import Effect

CHANGE = [
    "measure",
    "label",
    "before",
    "after",
    "change_pct",
    "change_pct_comparison",
    "n",
    "n_comparison",
    "p_value",
    "called",
]
EFFECT = [
    "measure", "label", "estimate", "ci_low", "ci_high", "p_value", "wild_p_value", "se_method", "n_treated", "n_comparison",
    "pre_trend_p_value", "note",
]  # fmt: skip


def _named(labels: pd.DataFrame) -> dict[str, str]:
    return dict(zip(labels["id"], labels["label"], strict=True))


def _ends(part: pd.DataFrame) -> pd.DataFrame:
    """Return each firm's value in its last year before the start and in its last year: `before`, `after`."""
    start = part["start_period"].fillna(part["start_period"].min())
    first = part[part["period"] < start].sort_values("period").groupby("employer_code")["value"].last()
    last = part[part["period"] >= start].sort_values("period").groupby("employer_code")["value"].last()
    return pd.concat({"before": first, "after": last}, axis=1).dropna()


def changes(outcomes: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return how each measure changed at partner firms, from the last year before the start to the last year (`CHANGE`).

    `change_pct` is of the firms' means. p: exact sign-flip test of the firms' changes (down to four firms, where 0.125 is the
    least it can be). `called`: "reported" without comparison firms, "beside a comparison" with them: neither is an effect.
    """
    rows, names = [], _named(labels)
    for measure, part in outcomes.groupby("measure", sort=False):
        ours = _ends(part[part["partner"] == 1])
        start = part["start_period"].min()
        others = _ends(part[part["partner"] == 0].assign(start_period=start))
        if ours.empty or ours["before"].mean() <= 0:
            continue
        ends = ours.mean()
        theirs = np.nan
        if len(others) and others["before"].mean() > 0:
            theirs = firm_costs.percent_change(others["before"].mean(), others["after"].mean())
        p = randomization.sign_flip_test(ours, "before", "after").p_value if len(ours) > 1 else np.nan
        called = "beside a comparison" if len(others) else "reported"
        change = firm_costs.percent_change(ends["before"], ends["after"])
        rows.append(
            (
                measure,
                names[measure],
                ends["before"],
                ends["after"],
                change,
                theirs,
                len(ours),
                len(others),
                p,
                called,
            )
        )
    return pd.DataFrame(rows, columns=CHANGE)


def panel(outcomes: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the balanced part of one measure's panel, with `after` (1 from the start on)."""
    part = outcomes[outcomes["measure"] == measure]
    full = part.groupby("employer_code")["period"].transform("nunique") == part["period"].nunique()
    start = part["start_period"].min()
    return part[full].assign(after=(part["period"] >= start).astype(int))


def effects(outcomes: pd.DataFrame, labels: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Return the difference-in-differences of each measure (`EFFECT`), in its own unit.

    One start: firm and year effects, CR2 by firm, wild cluster bootstrap p and the pre-trend test beside it. Several starts:
    Callaway–Sant'Anna, never treated firms as comparison. Without comparison firms there is no row but a note.
    """
    rows, names = [], _named(labels)
    for measure in dict.fromkeys(outcomes["measure"]):
        part = panel(outcomes, measure)
        row = dict.fromkeys(EFFECT, np.nan) | {
            "measure": measure,
            "label": names[measure],
            "se_method": "none",
            "note": "",
        }
        try:
            found, more = _effect(part, draws, seed)
        except SectorbookError as error:
            rows.append(row | {"note": str(error)})
            continue
        figures = {
            f: getattr(found, f)
            for f in ("estimate", "ci_low", "ci_high", "p_value", "n_treated", "n_comparison")
        }
        rows.append(row | figures | {"se_method": found.se_method} | more)
    return pd.DataFrame(rows, columns=EFFECT)


def _effect(part: pd.DataFrame, draws: int, seed: int) -> tuple[Effect, dict]:
    if part.empty or part["partner"].nunique() < 2:
        raise SectorbookError(
            "No firm to compare with in every year: what changed is reported, no effect can be told."
        )
    starts = part.loc[part["partner"] == 1, "start_period"].dropna().unique()
    if len(starts) > 1:
        result = staggered.group_time_effects(part, "value", "employer_code", "period", "start_period")
        return staggered.aggregate(result)[0], {"note": "several starts"}
    found = panels.difference_in_differences(part, "value", "partner", "after", "employer_code", "period")
    x, column = _design(part)
    codes = pd.factorize(part["employer_code"])[0]
    wild = clusters.wild_cluster_bootstrap(part["value"].to_numpy(), x, codes, column, draws=draws, seed=seed)
    _, test = panels.event_study(part, "value", "partner", float(starts[0]), "employer_code", "period")
    return found, {"wild_p_value": wild, "pre_trend_p_value": test["p_value"]}


def _design(part: pd.DataFrame) -> tuple[np.ndarray, int]:
    """Return treated × post, firm and year effects, and the place of the first."""
    firm = pd.get_dummies(part["employer_code"], dtype=float)
    year = pd.get_dummies(part["period"], dtype=float, drop_first=True)
    both = (part["partner"] * part["after"]).to_numpy(dtype=float)
    return np.column_stack([both, firm.to_numpy(), year.to_numpy()]), 0


def by_year(outcomes: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the gap between partner and comparison firms in each year against the last before the start.

    `period`, `estimate`, `ci_low`, `ci_high`, `n_units`; no rows where it cannot be told.
    """
    columns = ["period", "estimate", "ci_low", "ci_high", "n_units"]
    part = panel(outcomes, measure)
    starts = part.loc[part["partner"] == 1, "start_period"].dropna().unique()
    if part.empty or part["partner"].nunique() < 2 or len(starts) != 1:
        return pd.DataFrame(columns=columns)
    table, _ = panels.event_study(part, "value", "partner", float(starts[0]), "employer_code", "period")
    return table[columns]


def grants(firms: pd.DataFrame) -> pd.DataFrame:
    """Return the effect of training grants on scrap: the published example with a known answer.

    Wooldridge, Introductory Econometrics, Example 14.1: log scrap rate on this and last year's grant, firm and year effects,
    54 firms. `term`, `estimate` (log points), `change_pct` = 100(exp b − 1), `standard_error` (classical, as
    printed there), `p_value`, `p_value_robust` (CR2 by firm, the honest one), `n_units`.
    """
    known = firms.dropna(subset=["lscrap"]).reset_index(drop=True)
    terms = ["grant", "grant_1"]
    plain = panels.fixed_effects(known, "lscrap", terms, "fcode", "year", True, "classical")
    robust = panels.fixed_effects(known, "lscrap", terms, "fcode", "year", True, "CR2")
    return plain.assign(
        term=["Grant this year", "Grant last year"],
        change_pct=100 * np.expm1(plain["estimate"]),
        change_pct_low=100 * np.expm1(robust["ci_low"]),
        change_pct_high=100 * np.expm1(robust["ci_high"]),
        p_value_robust=robust["p_value"],
    )


def returns(firms: pd.DataFrame, cost_share_of_wage: float) -> pd.DataFrame:
    """Return what each employer saved in a year and spent: `employer_code`, `turnover_saved_usd`, `vacancy_saved_usd`,
    `other_benefit_usd`, `benefit_usd`, `cost_usd`, `roi_pct`.

    Savings before less after, at `cost_share_of_wage` of a year's pay a replacement; fewer open days at the employer's own daily
    value. A part that is not known is missing, is left out of the sum, and is counted in `parts_unknown`. No comparison: what
    changed may have changed anyway.
    """
    rows = []
    for firm in firms.itertuples():
        turnover = sum(
            sign * firm_costs.turnover_cost(count, firm.wage_annual_usd, cost_share_of_wage)
            for sign, count in ((1, firm.separations_before), (-1, firm.separations_after))
        )
        days = [firm.vacancies, firm.days_to_fill_before, firm.days_to_fill_after, firm.daily_value_usd]
        known = not any(pd.isna(v) for v in days)
        vacancy = np.nan
        if known:
            vacancy = sum(
                sign * firm_costs.vacancy_cost(firm.vacancies, open_days, firm.daily_value_usd)
                for sign, open_days in ((1, firm.days_to_fill_before), (-1, firm.days_to_fill_after))
            )
        other = firm.other_benefit_usd
        benefit = float(np.nansum([turnover, vacancy, other]))
        roi = (
            firm_costs.return_on_investment(benefit, firm.cost_usd)["roi_pct"]
            if firm.cost_usd > 0
            else np.nan
        )
        unknown = int(not known) + int(pd.isna(firm.other_benefit_usd))
        rows.append((firm.employer_code, turnover, vacancy, other, benefit, firm.cost_usd, roi, unknown))
    columns = ["employer_code", "turnover_saved_usd", "vacancy_saved_usd", "other_benefit_usd", "benefit_usd", "cost_usd",
               "roi_pct", "parts_unknown"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def spread(returned: pd.DataFrame) -> pd.DataFrame:
    """Return the employers' returns without naming one: `statistic`, `roi_pct`, `benefit_usd`, `cost_usd`, `n`.

    Quartiles from five employers on; fewer show no row.
    """
    known = returned.dropna(subset=["roi_pct"])
    if len(known) < 5:
        return pd.DataFrame(columns=["statistic", "roi_pct", "benefit_usd", "cost_usd", "n"])
    rows = [
        (name, *(known[c].quantile(q) for c in ("roi_pct", "benefit_usd", "cost_usd")), len(known))
        for name, q in (
            ("A quarter of employers lies under", 0.25),
            ("Median", 0.5),
            ("A quarter lies above", 0.75),
        )
    ]
    return pd.DataFrame(rows, columns=["statistic", "roi_pct", "benefit_usd", "cost_usd", "n"])


def together(returned: pd.DataFrame, draws: int, seed: int) -> dict[str, float | None]:
    """Return `firm_costs.partnership_return` of all employers; every figure None without one."""
    names = ("roi_pct", "benefit_per_dollar", "net_usd", "roi_ci_low", "roi_ci_high", "n", "n_positive")
    if returned.empty or returned["cost_usd"].sum() <= 0:
        return dict.fromkeys(names)
    return firm_costs.partnership_return(returned, "benefit_usd", "cost_usd", draws, seed)


def beside_published(changed: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return published and own percent changes under each other: `label`, `change_pct`, `low`, `high`, `own`."""
    theirs = published[published["measure"].notna() & (published["unit"] == "percent change")]
    rows = [(f"{r.label} (reported)", r.value, False) for r in theirs.itertuples()]
    rows += [
        (f"{r.label}, partner firms here ({r.called})", r.change_pct, True) for r in changed.itertuples()
    ]
    frame = pd.DataFrame(rows, columns=["label", "change_pct", "own"])
    return frame.assign(low=np.nan, high=np.nan)


def start(outcomes: pd.DataFrame) -> float:
    """Return the first year in which a partner took part; 0 when there is none."""
    first = outcomes["start_period"].min()
    return 0.0 if pd.isna(first) else float(first)


def row(table: pd.DataFrame, measure: str) -> pd.Series:
    """Return one measure's row of `effects`, with `n_smaller`; missing values and 0 without one."""
    chosen = table[table["measure"] == measure]
    if chosen.empty or pd.isna(chosen["estimate"].iloc[0]):
        return pd.Series({**dict.fromkeys(EFFECT, np.nan), "label": "No measure", "n_smaller": 0})
    found = chosen.iloc[0]
    return pd.concat([found, pd.Series({"n_smaller": min(found["n_treated"], found["n_comparison"])})])
