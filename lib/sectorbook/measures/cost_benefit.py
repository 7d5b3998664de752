"""What a programme costs and brings, to participants, to the public purse, and to society.

Boardman, Greenberg, Vining & Weimer, Cost–Benefit Analysis (4th ed. 2011). Every figure names its dollar year; transfers
between participant and public cancel for society.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown

PERSPECTIVES = ("participant", "public", "society")
ITEM_COLUMNS = [
    "item",
    "year",
    "amount_usd",
    "standard_error_usd",
    "dollar_year",
    "participant",
    "public",
    "kind",
]
KINDS = ("benefit", "cost")


def real_dollars(amount_usd: float, dollar_year: int, to_year: int, price_index: pd.Series) -> float:
    """Return an amount of `dollar_year` in dollars of `to_year`: amount × index(to)/index(from).

    `price_index`: annual values (for example CPI-U) by year. Raises SectorbookError for a year it does not hold.
    """
    for year in (dollar_year, to_year):
        if year not in price_index.index:
            raise SectorbookError(
                f"The price index has no value for {year}; it runs {price_index.index.min()}–{price_index.index.max()}."
            )
    return float(amount_usd * price_index.loc[to_year] / price_index.loc[dollar_year])


def discount_factor(year: float | np.ndarray, rate: float) -> float | np.ndarray:
    """Return (1 + rate)^−year; year 0 is the year of the programme."""
    if not -1 < rate < 1:
        raise SectorbookError(f"A real discount rate is a share such as 0.03; found {rate}.")
    return (1.0 + rate) ** -np.asarray(year, dtype=float)


def stream(
    item: str,
    annual_usd: Sequence[float],
    dollar_year: int,
    participant: float,
    public: float,
    kind: str = "benefit",
    standard_errors_usd: Sequence[float] | None = None,
    first_year: int = 0,
    further_years: int = 0,
    decay: float = 0.0,
) -> pd.DataFrame:
    """Return one item's yearly rows (`ITEM_COLUMNS`), observed and projected.

    `participant` and `public` say what one dollar is to each (earnings: 1 and the tax share is a second item with −t and
    +t; a stipend: +1 and −1). After the observed years, `further_years` repeat the last one, falling by `decay` a year: the
    assumption that decides most benefit–cost ratios, so it is never a default.
    """
    if kind not in KINDS:
        raise unknown("kind of item", kind, KINDS)
    if not 0 <= decay <= 1 or further_years < 0 or not len(annual_usd):
        raise SectorbookError(
            "An item needs yearly amounts, further_years of 0 or more and a decay between 0 and 1."
        )
    amounts = list(map(float, annual_usd))
    errors = [0.0] * len(amounts) if standard_errors_usd is None else list(map(float, standard_errors_usd))
    if len(errors) != len(amounts) or min(errors) < 0:
        raise SectorbookError(
            f"{item!r}: {len(errors)} standard errors for {len(amounts)} amounts (none below 0)."
        )
    for step in range(1, further_years + 1):
        fade = (1 - decay) ** step
        amounts.append(float(annual_usd[-1]) * fade)
        errors.append(errors[len(annual_usd) - 1] * fade)
    years = np.arange(len(amounts)) + first_year
    rows = [
        (item, int(y), a, e, dollar_year, participant, public, kind)
        for y, a, e in zip(years, amounts, errors, strict=True)
    ]
    return pd.DataFrame(rows, columns=ITEM_COLUMNS)


@dataclass(frozen=True)
class CostBenefit:
    """Present values per perspective (`summary`), and by item (`items`), in dollars of one year."""

    summary: pd.DataFrame
    items: pd.DataFrame


def cost_benefit(
    items: pd.DataFrame,
    discount_rate: float,
    dollar_year: int,
    price_index: pd.Series,
    draws: int = 9999,
    seed: int = 0,
    level: float = 0.95,
) -> CostBenefit:
    """Return benefits, costs and net benefit per participant for each perspective, with a Monte Carlo interval.

    `items`: rows of `stream` put together; costs are positive amounts with kind "cost" and weights as for benefits (a cost the
    public bears: participant 0, public 1). Society = participant + public. `summary` columns: `perspective`, `dollar_year`,
    `discount_rate`, `benefit_usd`, `cost_usd`, `net_usd`, `net_ci_low`, `net_ci_high`, `probability_positive`,
    `benefit_per_dollar` (missing without a cost), `ratio_ci_low`, `ratio_ci_high`. One normal draw per item moves all its years
    together (an item's years share its estimate); items move apart.
    """
    for name in ITEM_COLUMNS:
        if name not in items.columns:
            raise unknown("column of items", name, [str(c) for c in items.columns])
    if not items["kind"].isin(KINDS).all():
        raise unknown("kind of item", str(items.loc[~items["kind"].isin(KINDS), "kind"].iloc[0]), KINDS)
    if items[ITEM_COLUMNS].isna().any().any():
        raise SectorbookError(
            "An item has a missing amount, year or weight; an unknown cost is not a cost of 0."
        )
    factor = discount_factor(items["year"].to_numpy(), discount_rate) * np.array(
        [real_dollars(1.0, y, dollar_year, price_index) for y in items["dollar_year"]]
    )
    present, spread = items["amount_usd"].to_numpy() * factor, items["standard_error_usd"].to_numpy() * factor
    codes, names = pd.factorize(items["item"])
    noise = np.random.default_rng(seed).standard_normal((draws, len(names)))
    society = items["participant"] + items["public"]
    weights = {"participant": items["participant"], "public": items["public"], "society": society}
    tail = [0.5 - level / 2, 0.5 + level / 2]
    summary, parts = [], []
    for perspective, weight in weights.items():
        w = weight.to_numpy(dtype=float)
        totals, ranges = {}, {}
        for kind in KINDS:
            chosen = (items["kind"] == kind).to_numpy()
            value, error = np.zeros(len(names)), np.zeros(len(names))
            np.add.at(value, codes[chosen], (present * w)[chosen])
            np.add.at(error, codes[chosen], (spread * w)[chosen])
            totals[kind] = value.sum()
            ranges[kind] = value.sum() + noise @ error
            for name, v in zip(names, value, strict=True):
                if v:
                    parts.append((perspective, kind, name, v))
        net = ranges["benefit"] - ranges["cost"]
        paid = totals["cost"] > 0
        ratio = (
            ranges["benefit"] / ranges["cost"] if paid and (ranges["cost"] > 0).all() else np.full(2, np.nan)
        )
        summary.append(
            {
                "perspective": perspective,
                "dollar_year": dollar_year,
                "discount_rate": discount_rate,
                "benefit_usd": totals["benefit"],
                "cost_usd": totals["cost"],
                "net_usd": totals["benefit"] - totals["cost"],
                "net_ci_low": np.quantile(net, tail[0]),
                "net_ci_high": np.quantile(net, tail[1]),
                "probability_positive": float((net > 0).mean()),
                "benefit_per_dollar": totals["benefit"] / totals["cost"] if paid else np.nan,
                "ratio_ci_low": np.quantile(ratio, tail[0]),
                "ratio_ci_high": np.quantile(ratio, tail[1]),
            }
        )
    table = pd.DataFrame(parts, columns=["perspective", "kind", "item", "present_value_usd"])
    return CostBenefit(pd.DataFrame(summary), table)


def break_even_years(
    annual_benefit_usd: float, cost_usd: float, discount_rate: float, decay: float = 0.0
) -> float:
    """Return years of a steady (or fading) yearly benefit, from year 1, until discounted benefits repay the cost.

    n = ln(1 − C(1 − q)/(B·v)) / ln q with v = 1/(1 + r) and q = v(1 − decay); infinite when they never do.
    """
    if cost_usd < 0:
        raise SectorbookError(f"A cost is 0 or more; found {cost_usd}.")
    if not 0 <= decay <= 1:
        raise SectorbookError(f"decay lies between 0 and 1; found {decay}.")
    if cost_usd == 0:
        return 0.0
    if annual_benefit_usd <= 0:
        return float("inf")
    v = float(discount_factor(1, discount_rate))
    q = v * (1 - decay)
    if q == 1:
        return cost_usd / (annual_benefit_usd * v)
    left = 1 - cost_usd * (1 - q) / (annual_benefit_usd * v)
    if q == 0:
        return 1.0 if annual_benefit_usd * v >= cost_usd else float("inf")
    return float(np.log(left) / np.log(q)) if left > 0 else float("inf")


def break_even_effect(cost_usd: float, years: int, discount_rate: float) -> float:
    """Return the yearly benefit (years 1 … `years`) at which discounted benefits equal the cost."""
    if years < 1:
        raise SectorbookError(f"years is 1 or more; found {years}.")
    return float(cost_usd / discount_factor(np.arange(1, years + 1), discount_rate).sum())
