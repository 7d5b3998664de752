"""Quarterly earnings of both groups before entry and after exit: differences over time, from `worker_outcomes.prepared`.

Two clocks. Quarters before entry and after exit, the same for all: difference-in-differences and event study (`panels`).
Calendar quarters, where people entered in several: one comparison for each quarter of entry, put together as Callaway &
Sant'Anna (2021) do. Quarters between entry and exit are not in the file, but for that of entry.
"""

import numpy as np
import pandas as pd

from sectorbook.measures import panels, staggered
from sectorbook.measures.effects import FIELDS, side_by_side
from sectorbook.measures.worker_outcomes import AFTER, BEFORE

SMALL = 10
"""Fewest people in a group for an estimate."""
MOST_KNOWN = 0.9
"""The window ends with the last quarter known for this share of those with a first: later ones are of early leavers only."""
MANY = 100
"""From this many people on CR1 errors are used; CR2 then differs little and takes long."""
REFERENCE = -4
"""Yardstick of the event study: a year before entry, ahead of the dip that is usual just before it (Ashenfelter 1978)."""
UNIT, TIME = "id", "quarter"
FIELDS_EVENT = ["period", *FIELDS, "behind"]
FIELDS_ENTRY = ["since_entry", *FIELDS, "behind"]
COMPARED = {
    "did": "mean change of the comparison people, quarters before entry to quarters after exit",
    "staggered": "comparison people of the same quarter of entry, quarter by quarter",
}
ENTRY = "earnings_entry_usd"


def _quarter(column: str) -> int:
    if column == ENTRY:
        return 0
    _, side, place, _ = column.split("_")
    return int(place) * (-1 if side == "before" else 1)


def panel(people: pd.DataFrame) -> pd.DataFrame:
    """Return `id`, `treated`, `quarter` (-8 to -1, 1 to at most 8), `earnings`, `after`, `begun` (treated and after exit).

    Of those of both groups with every quarter of the window known, a row a quarter each. No rows when a group has fewer than
    ten of them.
    """
    assigned = people[people["assigned"].notna()]
    known = assigned[AFTER].notna().sum()
    first = known[AFTER[0]]
    window = BEFORE + [name for name in AFTER if first and (known[:name] >= MOST_KNOWN * first).all()]
    whole = assigned.dropna(subset=window)
    enough = whole["treated"].value_counts().reindex([0, 1], fill_value=0).min() >= SMALL
    whole = whole if enough and len(window) > len(BEFORE) else whole.iloc[:0]
    long = whole.melt(["id", "treated"], window, TIME, "earnings")
    long = long.assign(quarter=long[TIME].map(_quarter).astype(int))
    after = (long[TIME] > 0).astype(int)
    return long.assign(after=after, begun=after * long["treated"])


def what_is_missing(people: pd.DataFrame) -> str:
    """Return in words why there is no panel; empty where there is one."""
    assigned = people[people["assigned"].notna()]
    if people.empty:
        return "nobody is on file"
    if assigned["treated"].nunique() < 2:
        return "the file has no comparison group"
    if assigned[BEFORE].notna().all(axis=1).sum() < 2 * SMALL:
        return "quarterly earnings before entry are on file for too few people"
    return "" if len(panel(people)) else "quarterly earnings after exit are on file for too few people"


def _estimand(at_random: bool) -> str:
    return "ITT" if at_random else "ATT"


def difference_in_differences(frame: pd.DataFrame, at_random: bool) -> pd.DataFrame:
    """Return the mean change of one group less that of the other, USD a quarter: one row of `FIELDS`, and `behind`.

    `frame`: of `panel`. With an effect for each person and each quarter; errors clustered by person.
    """
    if frame.empty:
        return _behind(pd.DataFrame(columns=[*FIELDS, "comparison"]))
    found = panels.difference_in_differences(
        frame, "earnings", "treated", "after", UNIT, TIME, se=_errors(frame)
    )
    table = side_by_side([found.relabel(_estimand(at_random))])
    return _behind(table.assign(comparison=COMPARED["did"], se_method=_named(frame)))


def _errors(frame: pd.DataFrame) -> str:
    return "CR1" if frame[UNIT].nunique() >= MANY else "CR2"


def _named(frame: pd.DataFrame) -> str:
    """Return the name of the standard error, without the number of people that `panels` puts in it."""
    return f"{_errors(frame)}, clustered by person"


def _behind(table: pd.DataFrame) -> pd.DataFrame:
    """Add `behind`: people in the smaller group."""
    return table.assign(behind=table[["n_treated", "n_comparison"]].min(axis=1))


def event_study(frame: pd.DataFrame, at_random: bool) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the gap between the groups in each quarter less that in quarter `REFERENCE`, and the test of the quarters before.

    Columns `period`, `FIELDS`, `behind`; the yardstick is a row of 0. Test: `panels.event_study`.
    """
    if frame.empty:
        return pd.DataFrame(columns=FIELDS_EVENT), {"statistic": np.nan, "df_numerator": 0, "p_value": np.nan}
    table, test = panels.event_study(
        frame, "earnings", "treated", 1, UNIT, TIME, REFERENCE, se=_errors(frame)
    )
    sizes = frame.drop_duplicates(UNIT)["treated"].value_counts()
    table = table.assign(
        estimand=_estimand(at_random),
        estimator="event study",
        se_method=_named(frame),
        n_treated=sizes[1],
        n_comparison=sizes[0],
    )
    return _behind(table)[FIELDS_EVENT], test


def cohorts(people: pd.DataFrame) -> pd.DataFrame:
    """Return those of both groups by calendar quarter: `entered` (quarter of entry) and a column a quarter, USD.

    Quarters are whole numbers: year x 4 + quarter. A quarter of which nothing is known is missing.
    """
    assigned = people[people["assigned"].notna()]
    dates = [assigned[name].dt.year * 4 + assigned[name].dt.quarter for name in ("entry_date", "exit_date")]
    entered, left = (day.astype("float64") for day in dates)
    long = pd.concat(
        pd.DataFrame(
            {
                "person": assigned.index,
                "quarter": (left if _quarter(name) > 0 else entered) + _quarter(name),
                "usd": assigned[name].astype("float64"),
            }
        )
        for name in [*BEFORE, ENTRY, *AFTER]
    ).dropna()
    wide = long.astype({"quarter": int}).drop_duplicates(["person", "quarter"]).pivot(
        index="person", columns="quarter", values="usd"
    )  # fmt: skip
    return wide.reindex(assigned.index).assign(entered=entered, treated=assigned["treated"])


def by_entry(people: pd.DataFrame) -> staggered.GroupTime | None:
    """Return the effect for each quarter of entry and calendar quarter; None with fewer than two quarters of entry to compare.

    ATT(g, t) of Callaway & Sant'Anna (2021, Journal of Econometrics 225:200-230), parallel trends given the quarter of entry:
    participants who entered in quarter g beside the comparison people of the same quarter, whose earnings dip at the same
    time. Base: the quarter before entry; before entry each quarter's change from the one before (placebo). A cell needs both
    quarters known for ten or more in each group and for `MOST_KNOWN` of those with the quarter best known after entry: what is
    known sooner is of those who left soonest.
    """
    wide = cohorts(people)
    entered, treated = wide["entered"].to_numpy(), wide["treated"].to_numpy() == 1
    values = {q: wide[q].to_numpy(dtype=float) for q in wide.columns if q not in ("entered", "treated")}
    rows, influences = [], []
    for cohort in np.unique(entered[~np.isnan(entered)]).astype(int):
        inside = entered == cohort
        later = [int((inside & ~np.isnan(v)).sum()) for q, v in values.items() if q > cohort]
        for quarter, usd in values.items():
            base = cohort - 1 if quarter >= cohort else quarter - 1
            if base not in values:
                continue
            change = usd - values[base]
            used = inside & ~np.isnan(change)
            sizes = int((used & treated).sum()), int((used & ~treated).sum())
            if min(sizes) < SMALL or used.sum() < MOST_KNOWN * max(later, default=0):
                continue
            estimate, part = staggered.difference_of_changes(change[used], treated[used])
            influence = np.zeros(len(wide))
            influence[used] = part * len(wide) / used.sum()
            influences.append(influence)
            rows.append((int(cohort), quarter, estimate, *sizes))
    table = pd.DataFrame(rows, columns=["cohort", "period", "estimate", "n_treated", "n_comparison"])
    if table.loc[table["period"] > table["cohort"], "cohort"].nunique() < 2:
        return None
    return staggered.GroupTime(
        table,
        np.column_stack(influences),
        np.where(treated, entered, np.inf),
        "influence function, by person",
        (table["period"] - table["cohort"]).to_numpy(dtype=float),
    )


def put_together(found: staggered.GroupTime | None, at_random: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the effect over all quarters from entry on (a row of `FIELDS`, and `comparison`), and by quarters since entry
    (`since_entry`, `FIELDS`): both with `behind`, USD a quarter. Weights: people in each quarter of entry.
    """
    if found is None:
        return _behind(pd.DataFrame(columns=[*FIELDS, "comparison"])), pd.DataFrame(columns=FIELDS_ENTRY)
    whole, _ = staggered.aggregate(found, "simple")
    _, parts = staggered.aggregate(found, "dynamic")
    most = found.table.groupby("cohort")[["n_treated", "n_comparison"]].max().sum()
    overall = side_by_side([whole.relabel(_estimand(at_random), "staggered entry (Callaway and Sant'Anna)")])
    overall = overall.assign(**most, comparison=COMPARED["staggered"])
    sizes = found.table.groupby(found.lags)[["n_treated", "n_comparison"]].sum()
    events = parts.rename(columns={"key": "since_entry"}).assign(
        estimand=_estimand(at_random), estimator="staggered entry", se_method=found.se_method
    )
    events = events.join(sizes, on="since_entry").astype({"since_entry": int})
    return _behind(overall), _behind(events)[FIELDS_ENTRY]


def summary(*tables: pd.DataFrame) -> pd.DataFrame:
    """Return one-row tables of `difference_in_differences` and `put_together` under each other; no rows without one."""
    rows = [table for table in tables if len(table)]
    return pd.concat(rows, ignore_index=True) if rows else tables[0]


def row(table: pd.DataFrame) -> pd.Series:
    """Return the row of a one-row table; missing values, and 0 people, without one."""
    return (
        table.iloc[0]
        if len(table)
        else pd.Series(np.nan, index=table.columns, dtype=object).fillna({"behind": 0})
    )


def why_not_staggered(people: pd.DataFrame) -> str:
    """Return in words why there is no answer by quarter of entry; empty where there is one."""
    missing = what_is_missing(people)
    if missing:
        return missing
    if people.loc[people["assigned"].notna(), "entry_date"].dt.to_period("Q").nunique() < 2:
        return "everyone entered in one quarter, so nothing is staggered"
    return "" if by_entry(people) else "fewer than two quarters of entry have enough people in both groups"
