"""The WIOA primary indicators of performance, with their exact numerators, denominators and exclusions.

29 U.S.C. 3141(b)(2)(A)(i); TEGL 10-16, Change 3 (June 2024); employer indicator: 89 FR 13814 (February 2024). Every figure is a
count over a count: who was left out, and why, is counted too.

A participants frame has one row per participation period and the columns of `COLUMNS`; dates are datetimes. A quarter after
exit counts whole calendar quarters: an exit in May has its second quarter in October to December.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.indicators import distribution

COLUMNS = {
    "exit_date": "day of exit, missing while still served (PIRL 901)",
    "excluded_exit": "1 when the exit is left out: institutionalised, medical, deceased, reserve duty, foster care (PIRL 923)",
    "employed_q2": "1/0 in unsubsidized employment in the 2nd quarter after exit (1602); missing = not yet available",
    "employed_q4": "1/0 in the 4th quarter after exit (1606); missing = not yet available",
    "in_school_q2": "1/0 in education or training in the 2nd quarter after exit (youth)",
    "in_school_q4": "1/0 in education or training in the 4th quarter after exit (youth)",
    "earnings_q2_usd": "earnings in the 2nd quarter after exit (1704); missing = not yet available",
    "credential_eligible": "1 when in education or training other than on-the-job or customised training",
    "credential": "1 when a postsecondary credential was gained during participation or within a year after exit",
    "secondary_diploma": "1 when a secondary diploma or equivalent was gained in that time",
    "employed_or_school_year": "1 when employed or in postsecondary education within a year after exit",
    "entry_date": "first day of participation (PIRL 900)",
    "in_education": "1 when, during the programme year, in education or training leading to a credential or employment",
    "skill_gain_date": "last documented measurable skill gain (1806–1810), missing = none",
    "employer_q2": "employer's tax id in the 2nd quarter after exit",
    "employer_q4": "employer's tax id in the 4th quarter after exit",
}
INDICATORS = {
    "employment_q2": "Employment rate, 2nd quarter after exit",
    "employment_q4": "Employment rate, 4th quarter after exit",
    "median_earnings_q2": "Median earnings, 2nd quarter after exit",
    "credential_attainment": "Credential attainment rate",
    "measurable_skill_gains": "Measurable skill gains",
    "same_employer": "Retention with the same employer, 2nd and 4th quarter after exit",
}
RESULT = [
    "indicator",
    "label",
    "subgroup",
    "numerator",
    "denominator",
    "value",
    "unit",
    "ci_low",
    "ci_high",
    "excluded",
    "not_yet_available",
]
NEEDS = {
    "employment_q2": ["exit_date", "excluded_exit", "employed_q2"],
    "employment_q4": ["exit_date", "excluded_exit", "employed_q4"],
    "median_earnings_q2": ["exit_date", "excluded_exit", "employed_q2", "earnings_q2_usd"],
    "credential_attainment": [
        "exit_date",
        "excluded_exit",
        "credential_eligible",
        "credential",
        "secondary_diploma",
        "employed_or_school_year",
    ],
    "measurable_skill_gains": ["entry_date", "exit_date", "excluded_exit", "in_education", "skill_gain_date"],
    "same_employer": ["exit_date", "excluded_exit", "employed_q2", "employer_q2", "employer_q4"],
}


def quarter_after_exit(exit_date: pd.Series, quarter: int) -> pd.Series:
    """Return the calendar quarter (pandas Period) that is the `quarter`-th after the quarter of exit."""
    return exit_date.dt.to_period("Q") + quarter


def primary_indicators(
    participants: pd.DataFrame,
    start: str | pd.Timestamp,
    end: str | pd.Timestamp,
    indicators: Sequence[str] = tuple(INDICATORS),
    youth: bool = False,
    subgroup: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the primary indicators (columns `RESULT`) of those who exited from `start` to `end`, inclusive.

    `start`–`end` is the reporting period of exits (for measurable skill gains: the programme year of service). With `youth`
    the employment rates also count education or training. With `subgroup`, one block per value. `value` is a share (0–1) with a
    Wilson interval, or dollars (median, order-statistic interval). `excluded` exited for a reason left out of every
    denominator; `not_yet_available` are left out because the wage record has not arrived, and must be reported.
    Raises SectorbookError when a needed column is missing or a date is not a date.
    """
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    if last < first:
        raise SectorbookError(f"The period ends ({last.date()}) before it starts ({first.date()}).")
    for name in indicators:
        if name not in INDICATORS:
            raise unknown("indicator", name, INDICATORS)
    needed = {c for i in indicators for c in NEEDS[i]}
    needed |= {f"in_school_{i[-2:]}" for i in indicators if youth and i.startswith("employment")}
    needed |= {subgroup} if subgroup else set()
    for name in sorted(needed):
        if name not in participants.columns:
            raise unknown("column of the participants frame", name, [str(c) for c in participants.columns])
    for name in ("exit_date", "entry_date", "skill_gain_date"):
        if name in needed and not pd.api.types.is_datetime64_any_dtype(participants[name]):
            raise SectorbookError(f"Column {name!r} must hold dates; found {participants[name].dtype}.")
    blocks = [("all", participants)]
    if subgroup:
        labels = participants[subgroup]
        blocks += [(str(v), participants[labels == v]) for v in sorted(labels.dropna().unique())]
        if labels.isna().any():
            blocks.append(("not recorded", participants[labels.isna()]))
    rows = [_one(i, block, name, first, last, youth, level) for name, block in blocks for i in indicators]
    return pd.DataFrame(rows, columns=RESULT)


def _one(
    indicator: str,
    people: pd.DataFrame,
    name: str,
    first: pd.Timestamp,
    last: pd.Timestamp,
    youth: bool,
    level: float,
) -> dict:
    row = dict.fromkeys(RESULT) | {"indicator": indicator, "label": INDICATORS[indicator], "subgroup": name}
    if indicator == "measurable_skill_gains":
        served = (people["entry_date"] <= last) & (
            people["exit_date"].isna() | (people["exit_date"] >= first)
        )
        pool = people[served & (people["in_education"] == 1)]
    else:
        pool = people[people["exit_date"].between(first, last)]
    out = pool["excluded_exit"] == 1
    row["excluded"] = int(out.sum())
    pool = pool[~out]
    if indicator == "median_earnings_q2":
        return row | _median(pool, level)
    success, known, relevant = _success(indicator, pool, first, last, youth)
    row["not_yet_available"] = int((relevant & ~known).sum())
    numerator, denominator = int((success & known & relevant).sum()), int((known & relevant).sum())
    bounds = (np.nan, np.nan)
    if denominator:
        bounds = proportion_confint(numerator, denominator, alpha=1 - level, method="wilson")
    return row | {
        "numerator": numerator,
        "denominator": denominator,
        "value": numerator / denominator if denominator else np.nan,
        "unit": "share",
        "ci_low": bounds[0],
        "ci_high": bounds[1],
    }


def _success(
    indicator: str, pool: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp, youth: bool
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return, per person: in the numerator, known, in the denominator."""
    everyone = pd.Series(True, index=pool.index)
    if indicator in ("employment_q2", "employment_q4"):
        quarter = indicator[-2:]
        work = pool[f"employed_{quarter}"]
        success, known = work == 1, work.notna()
        if youth:
            school = pool[f"in_school_{quarter}"] == 1
            success, known = success | school, known | school
        return success, known, everyone
    if indicator == "credential_attainment":
        followed = (pool["employed_or_school_year"] == 1) & (pool["secondary_diploma"] == 1)
        return (pool["credential"] == 1) | followed, everyone, pool["credential_eligible"] == 1
    if indicator == "measurable_skill_gains":
        return pool["skill_gain_date"].between(first, last), everyone, everyone
    known = pool["employed_q2"].notna()
    same = pool["employer_q2"].notna() & (pool["employer_q2"] == pool["employer_q4"])
    return same, known, ~known | (pool["employed_q2"] == 1)


def _median(pool: pd.DataFrame, level: float) -> dict:
    working = pool["employed_q2"] == 1
    late = pool["employed_q2"].isna() | (working & pool["earnings_q2_usd"].isna())
    paid = pool[working & (pool["earnings_q2_usd"] > 0)]
    found = {"ci_low": np.nan, "ci_high": np.nan}
    if len(paid) > 1:
        table = distribution(paid, "earnings_q2_usd", "earnings", (0.5,))
        found = table[table["statistic"] == "median"].iloc[0][["ci_low", "ci_high"]].to_dict()
    return {
        "denominator": len(paid),
        "value": float(paid["earnings_q2_usd"].median()) if len(paid) else np.nan,
        "unit": "usd per quarter",
        "not_yet_available": int(late.sum()),
        **found,
    }


def against_negotiated(
    table: pd.DataFrame, negotiated: dict[str, float], adjustment: dict[str, float] | None = None
) -> pd.DataFrame:
    """Return the "all" rows with `negotiated_level`, `adjusted_level`, `score_pct` and `status`.

    Adjusted level = negotiated level + `adjustment` (the statistical adjustment factor, in the indicator's unit; 0 when not
    given). Score = 100 × actual/adjusted level. Under 50 an indicator fails on its own; above that, federal rules judge the
    averages of the scores (20 CFR 677.190), which are not computed here. Shares are given 0–1.
    """
    known = table[table["subgroup"] == "all"].copy()
    for name in [*negotiated, *(adjustment or {})]:
        if name not in set(known["indicator"]):
            raise unknown("indicator", name, known["indicator"])
    known["negotiated_level"] = known["indicator"].map(negotiated).astype(float)
    known["adjusted_level"] = known["negotiated_level"] + known["indicator"].map(adjustment or {}).astype(
        float
    ).fillna(0.0)
    if (known["adjusted_level"] <= 0).any():
        raise SectorbookError("An adjusted level of performance must be above 0.")
    known["score_pct"] = 100 * known["value"].astype(float) / known["adjusted_level"]
    score = known["score_pct"]
    known["status"] = np.select(
        [score.isna(), score >= 100, score >= 50],
        ["no level or no data", "at or above the level", "below the level"],
        "under half of the level",
    )
    return known.reset_index(drop=True)
