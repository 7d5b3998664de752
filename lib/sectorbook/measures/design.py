"""Adapting a program to demand: how many trainees come ready when, how many hires employers will make, what to do.

The rules are those of seed item B14; the worksheet questions behind the demand figures those of B24. The source does
not say how much demand is "strong", so the threshold is an argument.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown


def _quarters(values: Sequence) -> pd.PeriodIndex:
    try:
        return pd.PeriodIndex(values, freq="Q")
    except ValueError as error:
        raise SectorbookError(
            f"Found a quarter that cannot be read ({error}); write it as 2027Q1."
        ) from error


def _check_steps(steps: pd.DataFrame) -> None:
    for row in steps.itertuples():
        if not 0 <= row.successes <= row.trials or row.trials == 0:
            raise SectorbookError(
                f"Step {row.stage!r}: found {row.successes} of {row.trials}; give how many of how many reached it. For an "
                "assumed rate, `trials` says how many cases you would trust it as much as."
            )
        if row.lag_quarters < 0 or row.lag_quarters != int(row.lag_quarters):
            raise SectorbookError(
                f"Step {row.stage!r}: found a lag of {row.lag_quarters} quarters; it is a whole number, 0 or more."
            )


def trainee_flow(cohorts: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """Return how many trainees are expected to reach each stage in each quarter.

    `cohorts`: `quarter` (such as 2027Q1) and `enrolled`. `steps`, in order: `stage` (completed, certified, placed …),
    `successes` of `trials` of the stage before that reached it, and `lag_quarters` after that stage.
    Returns `quarter` and a column per stage, "enrolled" first, through the quarter the last cohort is done.
    Raises SectorbookError for a quarter, rate or lag that cannot be.
    """
    _check_steps(steps)
    rates = (steps["successes"] / steps["trials"]).to_numpy(dtype=float)
    quarters, enrolled = _enrolled(cohorts, steps)
    flow = {"enrolled": enrolled}
    at = enrolled
    for stage, rate, lag in zip(steps["stage"], rates, steps["lag_quarters"], strict=True):
        at = _later(at * rate, int(lag))
        flow[stage] = at
    return pd.DataFrame({"quarter": quarters, **flow})


def _enrolled(cohorts: pd.DataFrame, steps: pd.DataFrame) -> tuple[pd.PeriodIndex, np.ndarray]:
    starts = _quarters(cohorts["quarter"])
    last = starts.max() + int(steps["lag_quarters"].sum())
    quarters = pd.period_range(starts.min(), last, freq="Q")
    enrolled = cohorts["enrolled"].groupby(starts).sum().reindex(quarters, fill_value=0)
    return quarters, enrolled.to_numpy(dtype=float)


def _later(numbers: np.ndarray, lag: int) -> np.ndarray:
    return np.concatenate(
        [np.zeros_like(numbers[..., :lag]), numbers[..., : numbers.shape[-1] - lag]], axis=-1
    )


def trainee_flow_draws(
    cohorts: pd.DataFrame, steps: pd.DataFrame, draws: int, seed: int
) -> tuple[pd.PeriodIndex, dict[str, np.ndarray]]:
    """Return possible flows: the quarters, and per stage an array draws × quarters.

    Each draw takes each step's rate from Beta(successes + 1/2, failures + 1/2) (Jeffreys), the same for all cohorts,
    and then each trainee's success at that rate. Arguments and errors as `trainee_flow`.
    """
    _check_steps(steps)
    rng = np.random.default_rng(seed)
    quarters, enrolled = _enrolled(cohorts, steps)
    at = np.tile(np.rint(enrolled).astype(int), (draws, 1))
    flow = {"enrolled": at}
    for step in steps.itertuples():
        rate = rng.beta(step.successes + 0.5, step.trials - step.successes + 0.5, size=(draws, 1))
        at = _later(rng.binomial(at, rate), int(step.lag_quarters))
        flow[step.stage] = at
    return quarters, flow


def hiring_demand(
    quarters: Sequence,
    openings_annual: float,
    openings_annual_se: float,
    share_reachable: float,
    plans: pd.DataFrame,
    commitments: pd.DataFrame,
) -> pd.DataFrame:
    """Return three views of how many trainees employers will hire in each quarter. They are not to be added up.

    "projected": annual openings x the share this program can reach / 4. "plans": hires that surveyed employers plan,
    weighted up to all of them (`plans`: `quarter`, `hires`, `se`). "commitments": hires that are signed
    (`commitments`: `quarter`, `hires`), taken as sure. A quarter that `plans` does not cover is missing, one without
    commitments has 0. Returns `quarter`, `source`, `hires`, `se`. Raises SectorbookError for a share outside 0 to 1.
    """
    if not 0 <= share_reachable <= 1:
        raise SectorbookError(f"share_reachable is {share_reachable}; it is a share between 0 and 1.")
    index = _quarters(quarters)
    projected = pd.DataFrame(
        {"hires": openings_annual * share_reachable / 4, "se": openings_annual_se * share_reachable / 4},
        index=index,
    )
    planned = plans[["hires", "se"]].set_axis(_quarters(plans["quarter"])).reindex(index)
    signed = (
        commitments["hires"].groupby(_quarters(commitments["quarter"])).sum().reindex(index, fill_value=0)
    )
    views = {
        "projected": projected,
        "plans": planned,
        "commitments": pd.DataFrame({"hires": signed, "se": 0.0}),
    }
    parts = [table.rename_axis("quarter").reset_index().assign(source=name) for name, table in views.items()]
    return pd.concat(parts, ignore_index=True)[["quarter", "source", "hires", "se"]]


def demand_draws(
    demand: pd.DataFrame, source: str, draws: int, seed: int
) -> tuple[pd.PeriodIndex, np.ndarray]:
    """Return possible hires per quarter by one view of `hiring_demand`: the quarters, and an array draws × quarters.

    Normal around the estimate with its standard error, the error shared by all quarters of a draw (one survey, one
    projection), never below what is signed. Raises SectorbookError for an unknown view or one with missing quarters.
    """
    if source not in set(demand["source"]):
        raise unknown("view of demand", source, demand["source"].unique())
    view = demand[demand["source"] == source].set_index("quarter")
    lacking = view.index[view["hires"].isna() | view["se"].isna()]
    if len(lacking):
        raise SectorbookError(f"The demand by {source!r} is missing for {', '.join(map(str, lacking))}.")
    signed = (
        demand[demand["source"] == "commitments"]
        .set_index("quarter")["hires"]
        .reindex(view.index, fill_value=0)
    )
    error = np.random.default_rng(seed).standard_normal((draws, 1))
    hires = view["hires"].to_numpy() + error * view["se"].to_numpy()
    return pd.PeriodIndex(view.index), np.maximum(hires, np.maximum(signed.to_numpy(), 0))


def balance(
    quarters: pd.PeriodIndex, ready: np.ndarray, hires: np.ndarray, threshold: float, confidence: float = 0.8
) -> tuple[pd.DataFrame, pd.Series]:
    """Return trainees against hires by quarter, and whether demand is strong.

    `ready` (trainees ready to be hired) and `hires` are arrays draws × quarters. Trainees who wait are hired before new
    ones are missed: each quarter places the smaller of hires and ready + waiting. Demand is strong when, in at least
    the share `confidence` of draws, hires / ready over all quarters reach `threshold`.

    Returns per quarter `quarter` and the mean, low and high (middle 80 percent of draws) of `ready`, `hires`, `placed`,
    `waiting` (at its end), `unfilled`; and for the whole `strong`, `probability`, `ratio`, `ratio_low`, `ratio_high`,
    `threshold`, `confidence`, `draws`. A draw in which no trainee is ready counts as strong when there are hires.
    Raises SectorbookError for arrays of other shapes or a threshold that is not above 0.
    """
    if ready.shape != hires.shape or ready.shape[1] != len(quarters):
        raise SectorbookError(
            f"ready is {ready.shape} and hires {hires.shape}; both must be draws x the {len(quarters)} quarters."
        )
    if threshold <= 0:
        raise SectorbookError(f"threshold is {threshold}; it must be above 0.")
    waiting, placed = np.zeros(len(ready)), np.zeros(ready.shape)
    left = np.zeros(ready.shape)
    for q in range(len(quarters)):
        pool = waiting + ready[:, q]
        placed[:, q] = np.minimum(pool, hires[:, q])
        left[:, q] = waiting = pool - placed[:, q]
    series = {"ready": ready, "hires": hires, "placed": placed, "waiting": left, "unfilled": hires - placed}
    table = pd.DataFrame({"quarter": quarters})
    for name, values in series.items():
        table[name] = values.mean(axis=0)
        table[f"{name}_low"], table[f"{name}_high"] = np.quantile(values, [0.1, 0.9], axis=0)
    supply, demand = ready.sum(axis=1), hires.sum(axis=1)
    strong = (demand >= threshold * supply) & (demand > 0)
    ratio = demand[supply > 0] / supply[supply > 0]
    low, high = np.quantile(ratio, [0.1, 0.9]) if len(ratio) else (np.nan, np.nan)
    verdict = {
        "strong": bool(strong.mean() >= confidence),
        "probability": strong.mean(),
        "ratio": np.median(ratio) if len(ratio) else np.nan,
        "ratio_low": low,
        "ratio_high": high,
        "threshold": threshold,
        "confidence": confidence,
        "draws": len(ready),
    }
    return table, pd.Series(verdict)


def demand_actions(
    table: pd.DataFrame, verdict: pd.Series, flow: pd.DataFrame, commitments_total: float, rules: pd.DataFrame
) -> pd.DataFrame:
    """Return the actions of the rule (2 for strong demand, 4 for demand that is not), with the number behind each.

    `table` and `verdict` are what `balance` returns; `flow` what `trainee_flow` does, over the same quarters, with the
    stages completed and certified; `rules`: `action`, `group` ("strong" or "not_strong"), `label`. Returns `action`,
    `label`, `applies`, `number` and `unit` (what the number counts). Raises SectorbookError for an action it has no
    number for.
    """
    ready, hires = table["ready"].sum(), table["hires"].sum()
    idle = table["waiting"].iloc[-1]
    behind: dict[str, tuple[float, str]] = {
        "ask_commitments": (
            max(ready - commitments_total, 0.0),
            "trainees not yet covered by a signed commitment",
        ),
        "manage_flow": (
            table["unfilled"].max(),
            f"hires unfilled in the worst quarter, {table['quarter'][table['unfilled'].idxmax()]}",
        ),
        "revise_training": (max(ready - hires, 0.0), "trainees above expected hires"),
        "offer_internships": (
            table["waiting"].max(),
            f"trainees waiting at the peak, {table['quarter'][table['waiting'].idxmax()]}",
        ),
        "offer_certificates": (
            max(flow["completed"].sum() - flow["certified"].sum(), 0.0),
            "completers without a certificate",
        ),
        "link_next_training": (idle, "trainees still waiting at the end"),
    }
    rows = []
    for rule in rules.itertuples():
        if rule.action not in behind:
            raise unknown("action", rule.action, behind)
        number, unit = behind[rule.action]
        applies = bool(verdict["strong"]) == (rule.group == "strong")
        rows.append(
            {"action": rule.action, "label": rule.label, "applies": applies, "number": number, "unit": unit}
        )
    return pd.DataFrame(rows)
