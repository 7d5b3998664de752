"""What became of participants: the tables of the workers' outcomes chapter, from a participants frame.

A participants frame has the columns of the participants file (`config/local.yml`): quarters before count back from entry,
quarters after count on from exit. Every function takes an empty frame and returns its table without a row.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures import indicators, wioa

BEFORE = [f"earnings_before_{q}_usd" for q in range(8, 0, -1)]
AFTER = [f"earnings_after_{q}_usd" for q in range(1, 9)]
YEARS = {
    "early": [f"earnings_before_{q}_usd" for q in (8, 7, 6, 5)],
    "year_before": [f"earnings_before_{q}_usd" for q in (4, 3, 2, 1)],
    "year_after": [f"earnings_after_{q}_usd" for q in (1, 2, 3, 4)],
}
DIP = 0.8
"""Mean earnings just before entry under this share of the year before that: an Ashenfelter dip (Ashenfelter 1978)."""
FEWEST = 2
LARGEST = 2
"""How many of the largest contributions to a mean the disclosure gate is told."""
GROUPS = {1: "Program", 0: "Comparison"}
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
NOT_RECORDED = "not recorded"


def prepared(people: pd.DataFrame, poverty_base_usd: float, poverty_per_person_usd: float) -> pd.DataFrame:
    """Return the frame with plain numbers (yes 1, no 0), yearly sums and poverty.

    `earnings_early_usd` (quarters -8 to -5), `earnings_year_before_usd` (-4 to -1), `earnings_year_after_usd` (+1 to +4); a
    year with a missing quarter is missing. `out_of_poverty`: of those whose own earnings lay under the guideline
    (base + per person x (household - 1)) before, 1 where they reach it after. `treated`: 1 program, 0 comparison.
    """
    plain = [c for c in people if people[c].dtype.name in ("boolean", "Int64", "Float64")]
    out = people.astype(dict.fromkeys(plain, "float64"))
    years = {f"earnings_{name}_usd": out[columns].sum(axis=1, min_count=4) for name, columns in YEARS.items()}
    out = out.assign(**years, treated=(people["assigned"] != "comparison").astype(int))
    line = poverty_base_usd + poverty_per_person_usd * (out["household_size"] - 1)
    poor = out["earnings_year_before_usd"] < line
    known = poor & out["earnings_year_after_usd"].notna()
    return out.assign(out_of_poverty=(out["earnings_year_after_usd"] >= line).astype(float).where(known))


def served(people: pd.DataFrame) -> pd.DataFrame:
    """Return those who took part: everyone of the program group not known to have stayed away."""
    return people[(people["treated"] == 1) & (people["participated"] != 0)]


def _tabled(rows: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(columns))


def profile(people: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return who took part: `trait`, `group`, `count`, `n` (everyone) and `share_pct`, the groups of each trait together.

    A trait of several answers (barriers, services) counts a person once for each, so that its groups do not add up.
    """
    rows = []
    for column in columns:
        several = people[column].map(lambda v: isinstance(v, tuple)).any()
        labels = people[column].explode() if several else people[column].fillna(NOT_RECORDED)
        for group, count in labels.dropna().value_counts().sort_index().items():
            rows.append((column, group, count, len(people), 100 * count / len(people)))
    table = pd.DataFrame(rows, columns=["trait", "group", "count", "n", "share_pct"])
    return table.assign(
        trait=table["trait"].str.replace("_", " "), group=table["group"].astype(str).str.replace("_", " ")
    )


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
    """Return before and after of the same people, one statistic a row (columns of `indicators.COLUMNS`, and `behind`).

    Medians and means stand in rows of their own. Shares are in percent. What fewer than two people have on both sides is left
    out. `behind`: people behind the row; for a share the smallest group its figures would tell of.
    """
    rows = []
    for first, second, label in AMOUNTS.values():
        if people[[first, second]].dropna().shape[0] >= FEWEST:
            found = [indicators.paired_change(people, first, second, label, s) for s in ("median", "mean")]
            rows += [row.assign(behind=row["n"]) for row in found]
    for first, second, label in SHARES.values():
        both = people[[first, second]].dropna()
        if len(both) >= FEWEST:
            row = indicators.paired_share(people, first, second, f"{label}, percent")
            scaled = ["before", "after", "change", "standard_error", "ci_low", "ci_high"]
            row[scaled] = 100 * row[scaled].astype(float)
            smallest = min(both.value_counts().min(), *(both[c].value_counts().min() for c in both))
            rows.append(row.assign(statistic="percent", behind=smallest))
    return _tabled(rows, [*indicators.COLUMNS, "behind"])


def primary(people: pd.DataFrame, start: str, end: str, subgroup: str = "") -> pd.DataFrame:
    """Return the WIOA primary indicators (columns of `wioa.RESULT`, shares in percent as `value`) of those who took part.

    `subgroup` names a column of the file, or is empty. Raises SectorbookError for another column.
    """
    frame = people.rename(columns={"earnings_after_2_usd": "earnings_q2_usd"})
    if subgroup and subgroup not in frame:
        raise unknown("column of the participants file", subgroup, list(people.columns))
    table = wioa.primary_indicators(frame, start, end, subgroup=subgroup or None)
    share = table["unit"] == "share"
    for name in ("value", "ci_low", "ci_high"):
        table[name] = table[name].astype(float) * np.where(share, 100, 1)
    return table.assign(subgroup=table["subgroup"].str.replace("_", " "))


def rates(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `primary` on everyone that are a count over a count."""
    return table[table["unit"].eq("share") & table["subgroup"].eq("all")].reset_index(drop=True)


def rate_by_group(table: pd.DataFrame, indicator: str) -> pd.DataFrame:
    """Return one indicator of `primary` by subgroup, the whole first. Raises SectorbookError for one that is no rate."""
    part = table[table["unit"].eq("share") & table["indicator"].eq(indicator)]
    if part.empty:
        raise unknown("rate", indicator, table.loc[table["unit"].eq("share"), "indicator"].unique().tolist())
    return part[["subgroup", "numerator", "denominator", "value", "ci_low", "ci_high"]].reset_index(drop=True)


def median_earnings(table: pd.DataFrame) -> pd.Series:
    """Return the row of `primary` with everyone's median earnings."""
    return table[table["indicator"].eq("median_earnings_q2") & table["subgroup"].eq("all")].iloc[0]


def against_levels(rows: pd.DataFrame, levels_pct: Sequence[float], adjustment_pp: float) -> pd.DataFrame:
    """Return `rows` of rates with `negotiated_pct`, `adjusted_pct` (negotiated plus adjustment) and `score_pct`.

    `levels_pct`: one negotiated level a row, in the order of `rows`; 0 where none was agreed. Score = 100 x actual/adjusted.
    """
    if len(levels_pct) != len(rows):
        raise SectorbookError(
            f"Give {len(rows)} negotiated levels, one for each rate; found {len(levels_pct)}."
        )
    agreed = pd.Series(levels_pct, index=rows.index, dtype="float64")
    agreed = agreed.where(agreed > 0)
    adjusted = agreed + adjustment_pp
    return rows.assign(
        negotiated_pct=agreed,
        adjusted_pct=adjusted,
        score_pct=100 * rows["value"] / adjusted.where(adjusted > 0),
    )


def quarters(people: pd.DataFrame) -> pd.DataFrame:
    """Return mean earnings by quarter and group: `quarter` (-8 to 8), `group`, `mean_usd`, `n`, `not_yet`, `largest`.

    `largest`: the largest earnings behind each mean, for the disclosure gate; it is not shown.
    """
    rows = []
    for name in [*BEFORE, "earnings_entry_usd", *AFTER]:
        parts = name.split("_")
        quarter = 0 if parts[1] == "entry" else int(parts[2]) * (-1 if parts[1] == "before" else 1)
        for group, part in people.groupby("treated"):
            known = part[name].dropna()
            late = int((part[f"{name.removesuffix('_usd')}_status"] == "not-yet-available").sum())
            mean = known.mean() if len(known) else np.nan
            rows.append((quarter, GROUPS[group], mean, len(known), late, tuple(known.nlargest(LARGEST))))
    return pd.DataFrame(rows, columns=["quarter", "group", "mean_usd", "n", "not_yet", "largest"])


def dip(people: pd.DataFrame) -> pd.DataFrame:
    """Return `group`, `early_usd` (mean of a quarter, -8 to -5), `last_usd` (-1) and `dip` (their ratio is under `DIP`).

    After a dip earnings rise by themselves: a before-and-after comparison then credits the program with the recovery.
    """
    rows = []
    for group, part in people.groupby("treated"):
        early, last = part[YEARS["early"]].mean(axis=None), part["earnings_before_1_usd"].mean()
        rows.append((GROUPS[group], early, last, bool(early > 0 and last / early < DIP)))
    return pd.DataFrame(rows, columns=["group", "early_usd", "last_usd", "dip"])
