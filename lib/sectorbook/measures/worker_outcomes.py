"""What became of participants: the tables of the workers' outcomes chapter, from a participants frame.

A participants frame has the columns of the participants file (`config/outcomes.yml`): quarters before count back from entry,
quarters after count on from exit. Every function takes an empty frame and returns its table without a row.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures import (
    balance,
    cost_benefit,
    experiments,
    indicators,
    multiplicity,
    power,
    randomization,
    wioa,
)
from sectorbook.measures.effects import FIELDS, Effect, side_by_side

BEFORE = [f"earnings_before_{q}_usd" for q in range(8, 0, -1)]
AFTER = [f"earnings_after_{q}_usd" for q in range(1, 9)]
YEAR_BEFORE = [
    "earnings_before_8_usd",
    "earnings_before_7_usd",
    "earnings_before_6_usd",
    "earnings_before_5_usd",
]
YEAR_LAST = [
    "earnings_before_4_usd",
    "earnings_before_3_usd",
    "earnings_before_2_usd",
    "earnings_before_1_usd",
]
YEAR_AFTER = ["earnings_after_1_usd", "earnings_after_2_usd", "earnings_after_3_usd", "earnings_after_4_usd"]
DIP = 0.8
"""Mean earnings just before entry under this share of the year before that: an Ashenfelter dip (Ashenfelter 1978)."""
FEWEST = 2
LEVELS = {
    "completed": "Completed the training",
    "credential": "Gained a credential",
    "placed": "Placed in a job",
    "promoted": "Promoted within a year",
    "out_of_poverty": "Moved out of poverty, by own earnings",
    "conditions_better": "Working conditions became better",
    "prospects_better": "Job prospects became better",
    "needs_met": "Needs were met",
}
SHARES = {
    "employed": ("employed_entry", "employed_q2", "Employed, at entry and two quarters after exit"),
    "insurance": ("insurance_entry", "insurance_after", "Health insurance through the employer"),
}
AMOUNTS = {
    "earnings": ("earnings_year_before_usd", "earnings_year_after_usd", "Annual earnings, USD"),
    "wage": ("wage_entry_hourly_usd", "wage_placement_hourly_usd", "Hourly wage, USD"),
    "hours": ("hours_entry", "hours_placement", "Weekly hours"),
}


def with_years(people: pd.DataFrame, poverty_base_usd: float, poverty_per_person_usd: float) -> pd.DataFrame:
    """Return the frame with yearly sums and poverty.

    `earnings_early_usd` (quarters −8 to −5), `earnings_year_before_usd` (−4 to −1), `earnings_year_after_usd` (+1 to +4); a
    year with a missing quarter is missing. `out_of_poverty`: of those whose own earnings lay under the guideline
    (base + per person × (household − 1)) before, 1 where they reach it after. `treated`: 1 program, 0 comparison.
    """
    out = people.copy()
    for name, columns in {"early": YEAR_BEFORE, "year_before": YEAR_LAST, "year_after": YEAR_AFTER}.items():
        out[f"earnings_{name}_usd"] = people[columns].sum(axis=1, min_count=4)
    line = poverty_base_usd + poverty_per_person_usd * (people["household_size"] - 1)
    poor = out["earnings_year_before_usd"] < line
    known = poor & line.notna() & out["earnings_year_after_usd"].notna()
    out["out_of_poverty"] = (out["earnings_year_after_usd"] >= line).astype(float).where(known)
    out["treated"] = (people["assigned"] != "comparison").astype(int)
    return out


def served(people: pd.DataFrame) -> pd.DataFrame:
    """Return those who took part: everyone of the program group not known to have stayed away."""
    return people[(people["assigned"] != "comparison") & (people["participated"] != 0)]


def _tabled(rows: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(columns))


def levels(people: pd.DataFrame) -> pd.DataFrame:
    """Return the share of participants with each outcome of `LEVELS`: `indicator`, `count`, `n`, `n_missing`, `share_pct`,
    `share_pct_low`, `share_pct_high` (Wilson, 95 %).
    """
    columns = ["indicator", "count", "n", "n_missing", "share_pct", "share_pct_low", "share_pct_high"]
    rows = []
    for column, label in LEVELS.items():
        found = indicators.share(people, column, label)
        if int(found["n"].iloc[0]):
            named = {"share": "share_pct", "ci_low": "share_pct_low", "ci_high": "share_pct_high"}
            found = found.rename(columns=named)
            found[list(named.values())] = 100 * found[list(named.values())].astype(float)
            rows.append(found[columns])
    return _tabled(rows, columns)


def changes(people: pd.DataFrame) -> pd.DataFrame:
    """Return before and after of the same people, one statistic a row (columns of `indicators.COLUMNS`).

    Medians and means stand in rows of their own. Shares are in percent. What fewer than two people have on both sides is left
    out.
    """
    rows = []
    for first, second, label in AMOUNTS.values():
        if people[[first, second]].dropna().shape[0] >= FEWEST:
            rows += [indicators.paired_change(people, first, second, label, s) for s in ("median", "mean")]
    for first, second, label in SHARES.values():
        if people[[first, second]].dropna().shape[0] >= FEWEST:
            row = indicators.paired_share(people, first, second, f"{label}, percent")
            scaled = ["before", "after", "change", "standard_error", "ci_low", "ci_high"]
            row[scaled] = 100 * row[scaled].astype(float)
            rows.append(row.assign(statistic="percent"))
    return _tabled(rows, indicators.COLUMNS)


def primary(people: pd.DataFrame, start: str, end: str, subgroup: str | None = None) -> pd.DataFrame:
    """Return the WIOA primary indicators (columns of `wioa.RESULT`, shares in percent as `value`) of those who took part."""
    frame = people.rename(columns={"earnings_after_2_usd": "earnings_q2_usd"})
    table = wioa.primary_indicators(frame, start, end, subgroup=subgroup)
    share = table["unit"] == "share"
    for name in ("value", "ci_low", "ci_high"):
        table[name] = table[name].astype(float) * np.where(share, 100, 1)
    return table.assign(unit=np.where(share, "percent", "USD per quarter"))


def quarters(people: pd.DataFrame) -> pd.DataFrame:
    """Return mean earnings by quarter and group: `quarter` (−8 … 8), `group`, `mean_usd`, `n`, `not_yet_available`."""
    rows = []
    for name in [*BEFORE, "earnings_entry_usd", *AFTER]:
        parts = name.split("_")
        quarter = 0 if parts[1] == "entry" else int(parts[2]) * (-1 if parts[1] == "before" else 1)
        for group, part in people.groupby("treated"):
            known = part[name].dropna()
            late = int((part[f"{name.removesuffix('_usd')}_status"] == "not-yet-available").sum())
            label = "Program" if group else "Comparison"
            rows.append((quarter, label, known.mean() if len(known) else np.nan, len(known), late))
    return pd.DataFrame(rows, columns=["quarter", "group", "mean_usd", "n", "not_yet_available"])


def dip(people: pd.DataFrame) -> pd.DataFrame:
    """Return `group`, `early_usd` (mean of a quarter, −8 to −5), `last_usd` (−1) and `dip` (their ratio is under `DIP`).

    After a dip earnings rise by themselves: a before-and-after comparison then credits the program with the recovery.
    """
    rows = []
    for group, part in people.groupby("treated"):
        early, last = part[YEAR_BEFORE].mean(axis=None), part["earnings_before_1_usd"].mean()
        rows.append(
            ("Program" if group else "Comparison", early, last, bool(early > 0 and last / early < DIP))
        )
    return pd.DataFrame(rows, columns=["group", "early_usd", "last_usd", "dip"])


# -- the trial ----------------------------------------------------------------------------------------------------


def analysed(people: pd.DataFrame, outcome: str, covariates: Sequence[str]) -> pd.DataFrame:
    """Return those of both groups with the outcome, the covariates, a site and take-up known; none when a group is missing.

    Adds `took` (1 took part) and `female`.
    """
    frame = people[people["assigned"].notna()].assign(
        took=people["participated"].fillna(0.0), female=(people["sex"] == "female").astype(float)
    )
    known = frame.dropna(subset=[outcome, *covariates, "site"])
    return known if known["treated"].nunique() == 2 else known.iloc[:0]


def _tried(step: Callable[[], Effect], name: str) -> tuple[Effect, str]:
    """Return an estimate, or an empty one with the reason why there is none."""
    try:
        return step(), ""
    except SectorbookError as error:
        return Effect("ITT", name, *[np.nan] * 2, "none", *[np.nan] * 3, 0, 0), str(error)


def trial(sample: pd.DataFrame, outcome: str, covariates: Sequence[str]) -> pd.DataFrame:
    """Return the effect of being offered a place, and of taking it, by each estimator of a trial (columns `FIELDS`, `note`)."""
    if sample.empty:
        return pd.DataFrame(columns=[*FIELDS, "note"])
    args = (sample, outcome, "treated")
    steps = {
        "difference in means": lambda: experiments.difference_in_means(*args),
        "blocked difference in means": lambda: experiments.blocked_difference(*args, "site"),
        "covariate-adjusted (ANCOVA)": lambda: experiments.ancova(*args, covariates),
        "interacted (Lin 2013)": lambda: experiments.lin(*args, covariates, "HC3").relabel("ITT"),
        "two-stage least squares": lambda: experiments.treatment_on_treated(*args, "took", covariates),
    }
    found = [_tried(step, name) for name, step in steps.items()]
    return side_by_side([e for e, _ in found]).assign(note=[note for _, note in found])


def trial_p_value(sample: pd.DataFrame, outcome: str, draws: int, seed: int) -> float | None:
    """Return the p of the randomization test within sites (studentized difference); None without a sample."""
    if sample.empty:
        return None
    return randomization.randomization_test(
        *(sample, outcome, "treated"), block="site", draws=draws, seed=seed
    ).p_value


def dynamics(people: pd.DataFrame) -> pd.DataFrame:
    """Return the offer's effect on earnings in each quarter with enough people: `period` and `FIELDS`, with Holm's
    `p_adjusted` over the quarters after exit. Before entry the rows check balance.
    """
    rows = []
    for name in [*BEFORE, *AFTER]:
        part = people[people["assigned"].notna()].dropna(subset=[name])
        if part["treated"].value_counts().reindex([0, 1]).fillna(0).min() >= FEWEST and part[name].std() > 0:
            quarter = int(name.split("_")[2]) * (-1 if "before" in name else 1)
            rows.append(experiments.by_period(part, {quarter: name}, "treated"))
    if not rows:
        return pd.DataFrame(columns=["period", *FIELDS, "p_adjusted"])
    table = pd.concat(rows, ignore_index=True)
    after = table["period"] > 0
    table.loc[after, "p_adjusted"] = multiplicity.adjust(table.loc[after, "p_value"])
    return table


def by_group(sample: pd.DataFrame, outcome: str, subgroup: str) -> pd.DataFrame:
    """Return the effect in each subgroup: `subgroup`, `FIELDS`, `difference_p_value`, `p_holm`, `p_fdr`.

    Subgroups with fewer than ten people in a group are put together as "other".
    """
    columns = ["subgroup", *FIELDS, "difference_p_value", "p_holm", "p_fdr"]
    if sample.empty:
        return pd.DataFrame(columns=columns)
    sizes = sample.groupby([subgroup, "treated"]).size().unstack(fill_value=0).min(axis=1)
    label = sample[subgroup].where(sample[subgroup].map(sizes) >= 10, "other").fillna("other")
    frame = sample.assign(**{subgroup: label})
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
    return table[columns]


def quantiles(sample: pd.DataFrame, outcome: str, draws: int, seed: int) -> pd.DataFrame:
    """Return `experiments.quantile_effects` of the sample, with the quantile as a percentile; no rows without a sample."""
    names = ["quantile", "treated_quantile", "comparison_quantile", *FIELDS]
    if sample.empty:
        return pd.DataFrame(columns=names)
    table = experiments.quantile_effects(sample, outcome, "treated", draws=draws, seed=seed)
    return table.assign(quantile=100 * table["quantile"])


def attrition(people: pd.DataFrame, sample: pd.DataFrame, boundary: pd.DataFrame) -> list[balance.Attrition]:
    """Return attrition under both WWC assumptions; nothing without two groups."""
    assigned = people[people["assigned"].notna()]["treated"].value_counts()
    if sample.empty:
        return []
    kept = sample["treated"].value_counts()
    counts = [(int(assigned[1]), int(assigned[0])), (int(kept[1]), int(kept[0]))]
    return [balance.attrition(*counts, boundary, assumption) for assumption in balance.ASSUMPTIONS]


def smallest_effect(sample: pd.DataFrame, outcome: str, covariates: Sequence[str]) -> float | None:
    """Return the smallest effect (USD) this trial would find four times in five; None without a sample."""
    if sample.empty:
        return None
    counts = sample["treated"].value_counts()
    others = sample[[outcome, *covariates]].astype(float)
    x = np.column_stack([np.ones(len(others)), others[list(covariates)]])
    residual = others[outcome] - x @ np.linalg.lstsq(x, others[outcome], rcond=None)[0]
    explained = 1 - residual.var() / others[outcome].var() if others[outcome].var() > 0 else 0.0
    design = power.Design(
        int(counts[1]), int(counts[0]), float(others[outcome].std()), max(0.0, float(explained))
    )
    return power.minimum_detectable_effect(design)


def main_estimate(table: pd.DataFrame) -> pd.Series:
    """Return the row a reader should take: the covariate-adjusted one; missing values and counts of 0 without a trial."""
    chosen = table[table["estimator"].str.startswith("covariate-adjusted").fillna(False).astype(bool)]
    if chosen.empty:
        return pd.Series({**dict.fromkeys(FIELDS, np.nan), "n_treated": 0, "n_comparison": 0})
    return chosen.iloc[0]


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
                                     "break_even_years"])  # fmt: skip
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
    return table.assign(probability_pct=100 * table["probability_positive"])


def impacts(published: pd.DataFrame) -> pd.DataFrame:
    """Return trials' effects in percent of the control group: `label`, `value`, `low`, `high`, `seed` (of a source document)."""
    chosen = published[
        (published["kind"] == "random assignment") & (published["unit"] == "percent of the control group")
    ]
    return chosen.assign(
        label=chosen["label"] + ", " + chosen["period"].fillna(""),
        low=np.nan,
        high=np.nan,
        seed=~chosen["source_ids"].str.contains("later"),
    ).reset_index(drop=True)


def attrition_figures(rated: list[balance.Attrition]) -> tuple[float | None, ...]:
    """Return overall (percent) and differential attrition and both boundaries (points); None where there is no rating."""
    if not rated:
        return (None,) * 4
    return rated[0].overall_pct, rated[0].differential_pp, rated[0].boundary_pp, rated[1].boundary_pp


def attrition_words(rated: list[balance.Attrition]) -> dict[str, str]:
    """Return the rating under each assumption, "not rated" without one."""
    return dict.fromkeys(balance.ASSUMPTIONS, "not rated") | {r.assumption: r.rating for r in rated}


def society(table: pd.DataFrame) -> pd.Series:
    """Return society's row of `worth`, missing values without one."""
    chosen = table[table["perspective"] == "society"]
    return chosen.iloc[0] if len(chosen) else pd.Series(np.nan, index=table.columns)


def of_workers(published: pd.DataFrame) -> pd.DataFrame:
    """Return the published numbers on workers: the two evaluations of the source documents, and the later trials."""
    return published[
        published["id"].str.startswith(("sedlp_", "seis_")) | published["source_ids"].eq("later")
    ]
