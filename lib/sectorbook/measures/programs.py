"""From an initiative's program files to flow, demand and money: what chapter 08 shows.

A cohort whose certified are known is finished; the others are on their way, and their trainees are still to come. A trainee
is ready to be hired when certified. Programs differ in length, so each flows by itself and the flows are added.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures import design, funding

STAGES = ("completed", "certified", "placed")
VIEWS = ("projected", "plans", "commitments")


def finished(programs: pd.DataFrame) -> pd.DataFrame:
    """Return the cohorts whose outcomes are all known."""
    return programs.dropna(subset=list(STAGES)).reset_index(drop=True)


def coming(programs: pd.DataFrame) -> pd.DataFrame:
    """Return the cohorts on their way: enrolled or planned, certified not known."""
    return programs[programs["certified"].isna()].reset_index(drop=True)


def steps(done: pd.DataFrame, lags: tuple[int, int, int] = (0, 0, 0)) -> pd.DataFrame:
    """Return the steps of `design.trainee_flow` from finished cohorts taken together, no rows without any.

    Each stage's successes are of those who reached the stage before. `lags`: quarters each stage takes.
    """
    counts = [int(done[name].sum()) for name in ("enrolled", *STAGES)]
    if 0 in counts[:-1]:
        return pd.DataFrame(columns=["stage", "successes", "trials", "lag_quarters"])
    return pd.DataFrame(
        {"stage": STAGES, "successes": counts[1:], "trials": counts[:-1], "lag_quarters": list(lags)}
    )


def step_table(rates: pd.DataFrame, labels: Mapping[str, str], confidence: float = 0.95) -> pd.DataFrame:
    """Return each step's share of the stage before with its Wilson interval.

    Columns: `stage_label`, `reached`, `of_before`, `step_pct`, `step_low_pct`, `step_high_pct`.
    """
    rows = []
    for row in rates.itertuples():
        interval = stats.binomtest(row.successes, row.trials).proportion_ci(confidence, method="wilson")
        shares = (row.successes / row.trials, interval.low, interval.high)
        rows.append((labels[row.stage], row.successes, row.trials, *(100 * s for s in shares)))
    columns = ["stage_label", "reached", "of_before", "step_pct", "step_low_pct", "step_high_pct"]
    return pd.DataFrame(rows, columns=columns)


def ready_share(rates: pd.DataFrame) -> float:
    """Return the share of those enrolled who come ready (certified), missing without finished cohorts."""
    share = (rates["successes"] / rates["trials"])[rates["stage"] != "placed"].prod()
    return float(share) if len(rates) else np.nan


def _parts(ahead: pd.DataFrame, done: pd.DataFrame) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Return, per program and length, its coming cohorts and its steps (of all programs where it has none of its own)."""
    parts = []
    for (program, lag), group in ahead.groupby(["program", "quarters_to_complete"], sort=True):
        own = steps(done[done["program"] == program], (int(lag), 0, 0))
        parts.append((group[["quarter", "enrolled"]], own if len(own) else steps(done, (int(lag), 0, 0))))
    return parts


def flow(ahead: pd.DataFrame, done: pd.DataFrame) -> pd.DataFrame:
    """Return the expected trainees by quarter and stage, all programs together; no rows without coming or finished cohorts."""
    columns = ["quarter", "enrolled", *STAGES]
    if ahead.empty or steps(done).empty:
        return pd.DataFrame(columns=columns)
    tables = [design.trainee_flow(group, own) for group, own in _parts(ahead, done)]
    whole = pd.concat(tables).groupby("quarter").sum()
    quarters = pd.period_range(whole.index.min(), whole.index.max(), freq="Q", name="quarter")
    return whole.reindex(quarters, fill_value=0.0).reset_index()[columns]


def quarters_of(expected: pd.DataFrame) -> pd.PeriodIndex:
    """Return the quarters of `flow` from the first in which anyone comes ready: before it, demand has nobody to meet."""
    reached = expected["certified"].astype(float).cumsum() > 0
    return pd.PeriodIndex(list(expected["quarter"][reached]), freq="Q")


def ready_draws(
    ahead: pd.DataFrame, done: pd.DataFrame, quarters: pd.PeriodIndex, draws: int, seed: int
) -> np.ndarray:
    """Return possible numbers of trainees who come ready, draws × quarters, all programs together."""
    out = np.zeros((draws, len(quarters)))
    for i, (group, own) in enumerate(_parts(ahead, done)):
        own_quarters, stages = design.trainee_flow_draws(group, own, draws, seed + i)
        place = quarters.get_indexer(own_quarters)
        out[:, place[place >= 0]] += stages["certified"][:, place >= 0]
    return out


def demand(
    quarters: pd.PeriodIndex,
    openings_annual: float,
    openings_rse: float,
    share_reachable: float,
    plans: tuple[float, float],
    share_of_plans: float,
    commitments: pd.DataFrame,
) -> pd.DataFrame:
    """Return the three views of `design.hiring_demand` for `quarters`, no rows without quarters.

    `plans`: hires that surveyed employers plan in the year, and its standard error; `share_of_plans` of them are for
    people like these trainees. The plans are taken to hold in each of the quarters. Only signed `commitments` count.
    Raises SectorbookError for a share outside 0 to 1.
    """
    if not 0 <= share_of_plans <= 1:
        raise SectorbookError(f"share_of_plans is {share_of_plans}; it is a share between 0 and 1.")
    if not len(quarters):
        return pd.DataFrame(columns=["quarter", "source", "hires", "se"])
    planned, se = (value * share_of_plans / 4 for value in plans)
    signed = commitments[commitments["signed"].fillna(False).astype(bool)]
    return design.hiring_demand(
        quarters,
        openings_annual,
        openings_annual * openings_rse,
        share_reachable,
        pd.DataFrame({"quarter": quarters.astype(str), "hires": planned, "se": se}),
        signed[["quarter", "hires"]].astype({"hires": float}),
    )


def view_totals(table: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return each view's hires over all its quarters: `view_label`, `hires_count`, `hires_se`, `quarters_count`."""
    rows = []
    for name in VIEWS if len(table) else ():
        view = table[table["source"] == name].dropna(subset=["hires"])
        hires, se = (view[c].sum() if len(view) else np.nan for c in ("hires", "se"))
        rows.append((labels[name], hires, se, len(view)))
    return pd.DataFrame(rows, columns=["view_label", "hires_count", "hires_se", "quarters_count"])


_SERIES = ("ready", "hires", "placed", "waiting", "unfilled")
_VERDICT = ("strong", "probability", "ratio", "ratio_low", "ratio_high", "threshold", "confidence", "draws")


def balanced(
    ahead: pd.DataFrame, done: pd.DataFrame, hires: pd.DataFrame, view: str, threshold: float, confidence: float,
    draws: int, seed: int,
) -> tuple[pd.DataFrame, pd.Series]:  # fmt: skip
    """Return `design.balance` of the trainees to come against one view of demand; no rows where either is not known.

    Raises SectorbookError for an unknown view.
    """
    if view not in VIEWS:
        raise unknown("view of demand", view, VIEWS)
    own = hires[hires["source"] == view]
    columns = ["quarter", *(f"{name}{end}" for name in _SERIES for end in ("", "_low", "_high"))]
    if own.empty or own["hires"].isna().any():
        return pd.DataFrame(columns=columns), pd.Series(dict.fromkeys(_VERDICT, np.nan))
    quarters, wanted = design.demand_draws(hires, view, draws, seed)
    return design.balance(
        quarters, ready_draws(ahead, done, quarters, draws, seed + 1000), wanted, threshold, confidence
    )


def actions(
    table: pd.DataFrame,
    verdict: pd.Series,
    expected: pd.DataFrame,
    commitments_total: float,
    rules: pd.DataFrame,
) -> pd.DataFrame:
    """Return `design.demand_actions` as a chapter shows it; the numbers are missing where there is no balance.

    `rules`: `id`, `group`, `label`. Returns `action_label`, `when`, `applies_said`, `action_count`, `counts`.
    """
    rules = rules.rename(columns={"id": "action"})
    when = rules["group"].map({"strong": "Demand is strong", "not_strong": "Demand is not strong"})
    if table.empty:
        return pd.DataFrame(
            {
                "action_label": rules["label"],
                "when": when,
                "applies_said": "not known",
                "action_count": np.nan,
                "counts": "",
            }
        )
    found = design.demand_actions(table, verdict, expected, commitments_total, rules)
    return pd.DataFrame(
        {
            "action_label": found["label"],
            "when": when.to_numpy(),
            "applies_said": found["applies"].map({True: "yes", False: "no"}),
            "action_count": found["number"],
            "counts": found["unit"],
        }
    )


# -- money ------------------------------------------------------------------------------------------------------


def costs(done: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return `funding.unit_costs` of the finished cohorts whose cost is known, with `stage_label`; no rows without any."""
    priced = done.dropna(subset=["cost_usd"])
    counts = {name: int(priced[name].sum()) for name in ("enrolled", *STAGES)}
    if not counts["enrolled"]:
        return pd.DataFrame(columns=["stage_label", "persons", "cost_usd", "cost_low_usd", "cost_high_usd"])
    table = funding.unit_costs(float(priced["cost_usd"].sum()), counts)
    return table.assign(stage_label=table["stage"].map(labels)).replace(np.inf, np.nan)


def monthly_cost(ahead: pd.DataFrame, services: pd.DataFrame, months: int) -> float:
    """Return what the coming cohorts and the services cost a month over `months`; those without a cost are left out."""
    known = [*ahead["cost_usd"].dropna() / months, *services["cost_annual_usd"].dropna() / 12]
    return float(sum(known)) if known else np.nan


def cash(sources: pd.DataFrame) -> pd.DataFrame:
    """Return the sources that pay bills: all but those in kind and in people's time."""
    return (
        sources[~sources["kind"].isin(["in_kind", "human"])]
        .astype({"amount_usd": float})
        .reset_index(drop=True)
    )


def mix(sources: pd.DataFrame, by: str, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the money by kind or mechanism: `source_kind`, `amount_total_usd`, `money_pct`; no rows without sources."""
    if sources.empty:
        return pd.DataFrame(columns=["source_kind", "amount_total_usd", "money_pct"])
    table = funding.funding_mix(sources.astype({"amount_usd": float}), by)
    kind = table[by].map(labels).fillna("Not recorded")
    return pd.DataFrame(
        {"source_kind": kind, "amount_total_usd": table["amount_usd"], "money_pct": 100 * table["share"]}
    )


def concentration(sources: pd.DataFrame) -> pd.Series:
    """Return `funding.funding_concentration`, all missing without money."""
    if sources.empty or sources["amount_usd"].sum() <= 0:
        return pd.Series(
            {"sources": np.nan, "largest_source": "", "largest_share": np.nan, "effective_sources": np.nan}
        )
    return funding.funding_concentration(sources)


def plans_of_cash(
    sources: pd.DataFrame, balance_usd: float, cost_monthly_usd: float, start: str, months: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the balance by month with all sources and without the largest, and the runway without each.

    First frame: `month`, `balance`, `balance_without_largest`. Second: `funding.runway_without_each`. Without sources or a
    cost neither has rows. `start` "" takes the first month any source pays for.
    """
    if sources.empty or np.isnan(cost_monthly_usd):
        columns = ["source", "amount_usd", "runway_months", "runway_without", "monthly_gap_usd"]
        return pd.DataFrame(columns=["month", "balance", "balance_without_largest"]), pd.DataFrame(
            columns=columns
        )
    start = start or min(sources["start"])
    largest = concentration(sources)["largest_source"]
    whole = funding.cash_plan(sources, balance_usd, cost_monthly_usd, start, months)
    without = funding.cash_plan(
        sources[sources["source"] != largest], balance_usd, cost_monthly_usd, start, months
    )
    lines = pd.DataFrame(
        {
            "month": whole["month"].astype(str),
            "balance": whole["balance_usd"],
            "balance_without_largest": without["balance_usd"],
        }
    )
    return lines, funding.runway_without_each(sources, balance_usd, cost_monthly_usd, start, months)


def break_even(
    given: Sequence[tuple[str, float, float]], discount_rate_annual: float, months: int
) -> pd.DataFrame:
    """Return `funding.break_even` of (name, cost, gain a month) as a chapter shows it."""
    rows = [(name, float(cost), float(gain)) for name, cost, gain in given]
    table = funding.break_even(
        pd.DataFrame(rows, columns=["party", "cost_usd", "gain_monthly_usd"]), discount_rate_annual, months
    )
    return table.assign(break_even_months=table["break_even_months"].astype("Float64"))


# -- services and phases ----------------------------------------------------------------------------------------


def service_gaps(services: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the services, those most people go without first, what is not known last.

    Adds `service_label`, `service_provider` and `people_short`: needing less served, missing where one is not known.
    """
    short = (services["people_needing"] - services["people_served"]).astype("Float64").clip(lower=0)
    table = services.assign(
        service_label=services["service"].map(labels),
        service_provider=services["provider"],
        people_short=short,
    )
    return table.sort_values("people_short", ascending=False, kind="stable", na_position="last")


def not_offered(services: pd.DataFrame, offered: pd.DataFrame) -> pd.DataFrame:
    """Return the entries of the framework of services (`id`, `group`, `label`) that no service on file covers."""
    return offered[~offered["id"].isin(services["service"])].reset_index(drop=True)


def tracker(phases: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return every task of the phases with its state and who does what; those not on file are "not recorded".

    `tasks`: `id`, `group`, `label`. Returns `phase_name`, `task_label`, `task_status`, `accountable`, `responsible`,
    `consulted`, `informed`.
    """
    table = tasks.merge(phases, left_on="id", right_on="task", how="left")
    status = table["status"].map({"not_started": "not started", "under_way": "under way", "done": "done"})
    phase = table["group"].str.removesuffix("_phase").str.capitalize()
    return table.assign(phase_name=phase, task_label=table["label"], task_status=status)
