"""What turnover and open jobs cost employers, and what came back for each dollar they spent on the partnership.

`firms`: one row an employer, as in the initiative's file firm_returns.
"""

import numpy as np
import pandas as pd

from sectorbook.measures import firm_costs

# Dollars are rounded to this, so that the rows of a published table add up to its total.
ROUNDED_USD = 100
PARTS = ("turnover", "vacancy")
LEAST_FOR_QUARTILES = 5


def per_employer(firms: pd.DataFrame, cost_share_of_wage: float) -> pd.DataFrame:
    """Return one row an employer: `employer_code`, `turnover_before_usd`, `turnover_after_usd`, `vacancy_before_usd`,
    `vacancy_after_usd`, `other_benefit_usd`, `benefit_usd`, `cost_usd`, `roi_pct`, `parts_unknown`.

    Turnover costs separations times a year's pay times `cost_share_of_wage`; an open job costs the employer's own daily value
    times its days. The benefit is before less after, plus other documented savings. A part that is not known is missing, is
    left out of the sum and counted in `parts_unknown`: it is not zero. Nothing is taken off for what would have changed
    anyway.
    """
    rows = []
    for firm in firms.itertuples():
        left = (firm.separations_before, firm.separations_after)
        turnover = [
            firm_costs.turnover_cost(float(n), float(firm.wage_annual_usd), cost_share_of_wage) for n in left
        ]
        days = (firm.days_to_fill_before, firm.days_to_fill_after)
        known = not any(pd.isna(v) for v in (*days, firm.vacancies, firm.daily_value_usd))
        vacancy = [np.nan, np.nan]
        if known:
            vacancy = [
                firm_costs.vacancy_cost(float(firm.vacancies), float(d), float(firm.daily_value_usd))
                for d in days
            ]
        other = np.nan if pd.isna(firm.other_benefit_usd) else float(firm.other_benefit_usd)
        saved = np.nansum([turnover[0] - turnover[1], vacancy[0] - vacancy[1], other])
        cost = float(firm.cost_usd)
        roi = firm_costs.return_on_investment(saved, cost)["roi_pct"]
        unknown = int(not known) + int(np.isnan(other))
        rows.append((firm.employer_code, *turnover, *vacancy, other, saved, cost, roi, unknown))
    columns = ["employer_code", "turnover_before_usd", "turnover_after_usd", "vacancy_before_usd", "vacancy_after_usd",
               "other_benefit_usd", "benefit_usd", "cost_usd", "roi_pct", "parts_unknown"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _rounded(value: float) -> float:
    return float(round(value / ROUNDED_USD) * ROUNDED_USD)


def costs(returned: pd.DataFrame) -> pd.DataFrame:
    """Return what turnover and open jobs cost all employers together, before and in the last year.

    `cost_part`, `cost_before_usd`, `cost_after_usd`, `cost_saved_usd`, `firm_n` (employers that know it), and for the
    disclosure gate `largest_before`, `largest_after`, `largest_saved` (two largest). Dollars are rounded to 100. No rows
    without employers.
    """
    rows = []
    for part, label in zip(PARTS, ("Turnover", "Open jobs"), strict=True):
        known = returned.dropna(subset=[f"{part}_before_usd"])
        if known.empty:
            continue
        before, after = known[f"{part}_before_usd"], known[f"{part}_after_usd"]
        sums = [_rounded(before.sum()), _rounded(after.sum())]
        largest = [sorted(v, reverse=True)[:2] for v in (before, after, (before - after).abs())]
        rows.append((label, *sums, sums[0] - sums[1], len(known), *largest))
    columns = ["cost_part", "cost_before_usd", "cost_after_usd", "cost_saved_usd", "firm_n", "largest_before",
               "largest_after", "largest_saved"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def costs_declared(table: pd.DataFrame, address: str) -> dict:
    """Return what stands behind the cells of `costs`, recorded at `address`: the declaration the disclosure gate reads."""
    amounts = {"cost_before_usd": "before", "cost_after_usd": "after", "cost_saved_usd": "saved"}
    people = [int(n) for n in table["firm_n"]]
    return {
        "contributors": dict.fromkeys((*amounts, "firm_n"), people),
        "statistic": {
            "cost_before_usd": "magnitude", "cost_after_usd": "magnitude", "cost_saved_usd": "difference", "firm_n": "count",
        },
        "largest": {column: [list(v) for v in table[f"largest_{end}"]] for column, end in amounts.items()},
        "public": ["cost_part"],
        "relations": [
            {
                "total": f"{address}#{row}/cost_before_usd",
                "parts": [f"{address}#{row}/cost_after_usd", f"{address}#{row}/cost_saved_usd"],
            }
            for row in range(len(table))
        ],
    }  # fmt: skip


def spread(returned: pd.DataFrame) -> pd.DataFrame:
    """Return how employers' returns are spread, naming none: `return_of`, `lower_quartile`, `median_value`, `upper_quartile`,
    `firm_n`.

    Rows: return on investment in percent, benefit and cost in USD. No rows for fewer than five employers.
    """
    names = {
        "roi_pct": "Return on investment, percent",
        "benefit_usd": "Saved in a year, USD",
        "cost_usd": "Spent in a year, USD",
    }
    columns = ["return_of", "lower_quartile", "median_value", "upper_quartile", "firm_n"]
    if len(returned) < LEAST_FOR_QUARTILES:
        return pd.DataFrame(columns=columns)
    rows = [
        (label, *(returned[c].quantile(q) for q in (0.25, 0.5, 0.75)), len(returned))
        for c, label in names.items()
    ]
    return pd.DataFrame(rows, columns=columns)


def spread_declared(table: pd.DataFrame) -> dict:
    """Return what stands behind the cells of `spread`: quantiles of as many employers."""
    people = [int(n) for n in table["firm_n"]]
    quantile = {"lower_quartile": 0.25, "median_value": 0.5, "upper_quartile": 0.75}
    return {
        "contributors": dict.fromkeys((*quantile, "firm_n"), people),
        "statistic": {**dict.fromkeys(quantile, "quantile"), "firm_n": "count"},
        "quantile": quantile,
        "public": ["return_of"],
        "relations": [],
    }


def together(returned: pd.DataFrame, draws: int, seed: int) -> dict[str, float]:
    """Return `firm_costs.partnership_return` of all employers; every figure missing without one."""
    names = ("roi_pct", "benefit_per_dollar", "net_usd", "roi_ci_low", "roi_ci_high")
    if returned.empty:
        return {**dict.fromkeys(names, np.nan), "n": 0}
    return firm_costs.partnership_return(returned, "benefit_usd", "cost_usd", draws, seed)


def for_one(firms: pd.DataFrame, employer_code: str, shares: tuple[float, ...]) -> pd.DataFrame:
    """Return one employer's return for each cost of a replacement in `shares` (of a year's pay).

    `replacement_pct`, and the columns of `per_employer`. The range over the shares is how far the answer hangs on that
    assumption; it is no confidence interval, for one employer has none.
    """
    own = firms[firms["employer_code"] == employer_code]
    parts = [per_employer(own, share).assign(replacement_pct=100 * share) for share in shares]
    return pd.concat(parts, ignore_index=True)
