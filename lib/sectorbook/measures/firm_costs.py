"""What turnover and vacancies cost a firm, and what a partnership returned to it."""

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures.effects import numbers


def turnover_rate(separations: float, average_employment: float) -> float:
    """Return separations per 100 average employees in the period (BLS JOLTS definition; twelve monthly rates add to a year's)."""
    if average_employment <= 0 or separations < 0:
        raise SectorbookError(
            f"Turnover needs employment above 0 and separations of 0 or more; found {average_employment}, {separations}."
        )
    return 100 * separations / average_employment


def turnover_cost(separations: float, wage_annual_usd: float, cost_share_of_wage: float) -> float:
    """Return separations × annual wage × the share of a year's pay that one replacement costs.

    The share is for the user to give; the median of 27 case studies was 0.21, without executives and physicians
    (Boushey & Glynn 2012).
    """
    if min(separations, wage_annual_usd, cost_share_of_wage) < 0:
        raise SectorbookError("Separations, wage and cost share are 0 or more.")
    return separations * wage_annual_usd * cost_share_of_wage


def vacancy_cost(
    vacancies: float,
    days_to_fill: float,
    daily_value_usd: float,
    daily_cover_usd: float = 0.0,
    daily_pay_saved_usd: float = 0.0,
) -> float:
    """Return vacancies × days × (output lost + cover − pay not spent) a day; negative when standing empty saves money."""
    if min(vacancies, days_to_fill, daily_value_usd, daily_cover_usd, daily_pay_saved_usd) < 0:
        raise SectorbookError("Vacancies, days and daily amounts are 0 or more.")
    return vacancies * days_to_fill * (daily_value_usd + daily_cover_usd - daily_pay_saved_usd)


def return_on_investment(benefit_usd: float, cost_usd: float) -> dict[str, float]:
    """Return `roi_pct` = 100(benefit − cost)/cost, `benefit_per_dollar` and `net_usd`."""
    if cost_usd <= 0:
        raise SectorbookError(f"Return on investment needs a cost above 0; found {cost_usd}.")
    return {
        "roi_pct": 100 * (benefit_usd - cost_usd) / cost_usd,
        "benefit_per_dollar": benefit_usd / cost_usd,
        "net_usd": benefit_usd - cost_usd,
    }


def partnership_return(
    firms: pd.DataFrame, benefit: str, cost: str, draws: int = 9999, seed: int = 0, level: float = 0.95
) -> dict[str, float]:
    """Return the return on investment of all firms together, with an interval from drawing firms again.

    Σbenefit/Σcost, one row per firm, percentile bootstrap over firms. Keys: those of `return_on_investment`, `roi_ci_low`,
    `roi_ci_high`, `n`, `n_positive`. Under five firms no interval is given: so few cannot say how others would fare.
    """
    values = numbers(firms, [benefit, cost])
    if len(values) == 0 or (values[:, 1] < 0).any():
        raise SectorbookError("One row per firm, with a cost of 0 or more, is needed.")
    found = return_on_investment(*values.sum(axis=0))
    low = high = np.nan
    if len(values) >= 5:
        rng = np.random.default_rng(seed)
        sums = values[rng.integers(0, len(values), (draws, len(values)))].sum(axis=1)
        sums = sums[sums[:, 1] > 0]
        low, high = np.quantile(100 * (sums[:, 0] / sums[:, 1] - 1), [0.5 - level / 2, 0.5 + level / 2])
    return found | {
        "roi_ci_low": float(low),
        "roi_ci_high": float(high),
        "n": len(values),
        "n_positive": int((values[:, 0] > values[:, 1]).sum()),
    }


def percent_change(before: float, after: float) -> float:
    """Return 100(after − before)/before: turnover from 50 to 29.5 is −41."""
    if before <= 0:
        raise SectorbookError(f"A percent change needs a starting value above 0; found {before}.")
    return 100 * (after - before) / before
