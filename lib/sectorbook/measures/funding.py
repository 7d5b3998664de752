"""What a program costs per outcome, how long its money lasts, and how much hangs on one source."""

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError


def unit_costs(cost_usd: float, counts: dict[str, int], confidence: float = 0.95) -> pd.DataFrame:
    """Return the cost per person at each stage, and the range the next cohort of that size could show by chance.

    `counts`: stage -> persons, the first stage being the base (enrolled). `cost_low_usd` and `cost_high_usd` put the
    Wilson interval of persons / base in the place of the share itself; the base has none. A stage nobody reached has
    no unit cost. Returns `stage`, `persons`, `cost_usd`, `cost_low_usd`, `cost_high_usd`. Raises SectorbookError for a
    negative cost or count, or a stage with more persons than the base.
    """
    base = next(iter(counts.values()))
    if cost_usd < 0 or min(counts.values()) < 0 or max(counts.values()) > base:
        raise SectorbookError(
            f"Found a cost of {cost_usd} and counts of {counts}; none is negative, and no stage has more persons than the first."
        )
    rows = []
    for i, (stage, persons) in enumerate(counts.items()):
        low = high = np.nan
        if i and base:
            share = stats.binomtest(persons, base).proportion_ci(confidence, method="wilson")
            low, high = (
                cost_usd / (base * share.high),
                cost_usd / (base * share.low) if share.low > 0 else np.inf,
            )
        rows.append((stage, persons, cost_usd / persons if persons else np.nan, low, high))
    return pd.DataFrame(rows, columns=["stage", "persons", "cost_usd", "cost_low_usd", "cost_high_usd"])


def funding_mix(sources: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return `amount_usd` and `share` of the funding by a column of `sources`, such as its kind or mechanism."""
    amount = sources.groupby(by, dropna=False)["amount_usd"].sum().sort_values(ascending=False, kind="stable")
    return pd.DataFrame(
        {"amount_usd": amount, "share": amount / amount.sum() if amount.sum() else np.nan}
    ).reset_index()


def funding_concentration(sources: pd.DataFrame) -> pd.Series:
    """Return how much the funding hangs on few sources.

    `sources`: `source`, `amount_usd`. Returns `sources`, `largest_source`, `largest_share`, `herfindahl` (sum of
    squared shares, 1 = a single source) and `effective_sources` = 1 / herfindahl (Hirschman 1964). Raises
    SectorbookError when there is no money.
    """
    amount = sources.groupby("source")["amount_usd"].sum()
    if amount.sum() <= 0:
        raise SectorbookError("The funding adds up to nothing, so no source has a share of it.")
    share = amount / amount.sum()
    herfindahl = float((share**2).sum())
    return pd.Series(
        {
            "sources": len(amount),
            "largest_source": share.idxmax(),
            "largest_share": share.max(),
            "herfindahl": herfindahl,
            "effective_sources": 1 / herfindahl,
        }
    )


def cash_plan(
    sources: pd.DataFrame, balance_usd: float, cost_monthly_usd: float, start: str, months: int
) -> pd.DataFrame:
    """Return income, cost and balance by month.

    `sources`: `source`, `amount_usd`, `start`, `end` (months such as 2027-01, both included); each amount is spread
    evenly over its months, and months before `start` of the plan are taken as received. Returns `month`, `income_usd`,
    `cost_usd`, `balance_usd` (at its end). Raises SectorbookError for a source that ends before it starts.
    """
    index = pd.period_range(pd.Period(start, "M"), periods=months, freq="M")
    income = np.zeros(months)
    for source in sources.itertuples():
        first, last = pd.Period(source.start, "M"), pd.Period(source.end, "M")
        if last < first:
            raise SectorbookError(f"Source {source.source!r} ends in {last}, before it starts in {first}.")
        length = (last - first).n + 1
        income[(index >= first) & (index <= last)] += source.amount_usd / length
    balance = balance_usd + np.cumsum(income - cost_monthly_usd)
    return pd.DataFrame(
        {"month": index, "income_usd": income, "cost_usd": cost_monthly_usd, "balance_usd": balance}
    )


def runway_months(plan: pd.DataFrame) -> int | None:
    """Return how many whole months of `cash_plan` are paid for before the balance falls below 0; None when all are."""
    short = np.flatnonzero(plan["balance_usd"] < -_CENT)
    return int(short[0]) if len(short) else None


# A balance within a cent of 0 is 0: monthly shares of a grant do not add up exactly in floating point.
_CENT = 0.01


def runway_without_each(
    sources: pd.DataFrame, balance_usd: float, cost_monthly_usd: float, start: str, months: int
) -> pd.DataFrame:
    """Return the runway when each source ends now, the source that is missed most first.

    Returns `source`, `amount_usd`, `runway_months` with all sources, `runway_without` (both missing when the plan's
    `months` are all paid for), `monthly_gap_usd` (the mean income it brings in the plan). Arguments as `cash_plan`.
    """
    whole = cash_plan(sources, balance_usd, cost_monthly_usd, start, months)
    rows = []
    for name, part in sources.groupby("source", sort=False):
        without = cash_plan(sources[sources["source"] != name], balance_usd, cost_monthly_usd, start, months)
        gap = (whole["income_usd"] - without["income_usd"]).mean()
        rows.append((name, part["amount_usd"].sum(), runway_months(whole), runway_months(without), gap))
    columns = ["source", "amount_usd", "runway_months", "runway_without", "monthly_gap_usd"]
    table = pd.DataFrame(rows, columns=columns).astype({"runway_months": "Int64", "runway_without": "Int64"})
    order = ["runway_without", "monthly_gap_usd"]
    return table.sort_values(
        order, ascending=[True, False], na_position="last", kind="stable", ignore_index=True
    )


def break_even(parties: pd.DataFrame, discount_rate_annual: float, horizon_months: int) -> pd.DataFrame:
    """Return when each party has its money back, and what it has gained by the horizon.

    `parties`: `party` (employer, worker, public), `cost_usd` (paid at the start) and `gain_monthly_usd`. A gain m months
    on is worth gain / (1 + rate)^(m/12). Returns `party`, `break_even_months` (missing when not within
    `horizon_months`), `net_usd` at the horizon and `benefit_cost` (missing without a cost). Raises SectorbookError for
    a discount rate of -1 or less.
    """
    if discount_rate_annual <= -1:
        raise SectorbookError(
            f"discount_rate_annual is {discount_rate_annual}; it must be above -1 (0.03 is 3 percent)."
        )
    worth = np.cumsum((1 + discount_rate_annual) ** (-np.arange(1, horizon_months + 1) / 12))
    rows = []
    for party in parties.itertuples():
        gains = party.gain_monthly_usd * worth
        back = np.flatnonzero(gains >= party.cost_usd - _CENT)
        months = 0 if party.cost_usd <= 0 else int(back[0]) + 1 if len(back) else pd.NA
        ratio = gains[-1] / party.cost_usd if party.cost_usd > 0 else np.nan
        rows.append((party.party, months, gains[-1] - party.cost_usd, ratio))
    table = pd.DataFrame(rows, columns=["party", "break_even_months", "net_usd", "benefit_cost"])
    return table.astype({"break_even_months": "Int64"})
