"""How employers' engagement moves: between levels of the ladder, from year to year, and what would raise it.

The ladder is seed item B16 and the table of ten activities B38, as in `engagement`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.measures import engagement

ShareValues = Mapping[str, tuple[float, float, float]]


def moves(levels: pd.DataFrame, top_level: int) -> pd.DataFrame:
    """Return the moves between levels, all periods together: one row per level left, `to_0` … of them, and the share kept.

    `levels` is what `engagement.levels_over_time` returns. Columns `level_from`, `to_0_count` … `to_<top>_count`,
    `stayed_pct` (missing where nobody stood). No rows with fewer than two periods.
    """
    columns = ["level_from", *(f"to_{n}_count" for n in range(top_level + 1)), "stayed_pct"]
    if levels.empty or levels["period_end"].nunique() < 2:
        return pd.DataFrame(columns=columns)
    long = engagement.transitions(levels, top_level)
    wide = long.pivot(index="level_from", columns="level_to", values="moves")
    total = wide.sum(axis=1)
    wide.columns = [f"to_{n}_count" for n in wide.columns]
    kept = pd.Series(np.diag(wide), wide.index, dtype=float)
    return wide.assign(stayed_pct=100 * kept / total.where(total > 0)).reset_index()[columns]


def balance(levels: pd.DataFrame) -> pd.Series:
    """Return how many times employers went `up`, `down` or `stayed` from one period to the next; missing without two."""
    if levels.empty or levels["period_end"].nunique() < 2:
        return pd.Series({"up": np.nan, "down": np.nan, "stayed": np.nan})
    wide = levels.pivot(index="employer", columns="period_end", values="level").sort_index(axis=1)
    step = np.diff(wide.to_numpy(dtype=float), axis=1)
    return pd.Series({"up": (step > 0).sum(), "down": (step < 0).sum(), "stayed": (step == 0).sum()})


def raises(levels: pd.DataFrame, ladder: pd.DataFrame) -> pd.DataFrame:
    """Return, per activity, how many employers it alone would raise, the most first.

    `levels` is what `engagement.classify_employers` returns; `ladder`: `activity`, `level`, `label`. Only employers that
    lack one activity for their next level count: for the others no single one raises it. Returns `activity`,
    `activity_label`, `ladder_level` (of the activity), `raises_count`.
    """
    near = levels[levels["missing"] == 1]
    count = near["raised_by"].explode().value_counts()
    table = ladder.assign(raises_count=ladder["activity"].map(count).fillna(0).astype(int))
    table = table.rename(columns={"label": "activity_label", "level": "ladder_level"})
    table = table.sort_values("raises_count", ascending=False, kind="stable", ignore_index=True)
    return table[["activity", "activity_label", "ladder_level", "raises_count"]]


def _long(answers: pd.DataFrame, share_values: ShareValues) -> pd.DataFrame:
    known = answers.dropna(subset=["answer"])
    values = pd.DataFrame(
        known["answer"].map(share_values).tolist(), columns=["low", "used", "high"], index=known.index
    )
    return known[["respondent", "year", "activity"]].join(values)


def activity_years(
    answers: pd.DataFrame, share_values: ShareValues, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return each activity's mean share of employers in the last year and the one before, and the change.

    `answers`: `respondent`, `year`, `activity`, `answer`; only respondents who answered the activity in both years count,
    so that a change of respondents is no change of engagement. `change_low` and `change_high` let every word take the
    share within its range that makes the change smallest or largest. Returns `activity_label`, `share_before`, `share`,
    `change`, `change_low`, `change_high` (percent and percentage points), `respondents`; the largest change first.
    """
    columns = [
        "activity_label",
        "share_before",
        "share",
        "change",
        "change_low",
        "change_high",
        "respondents",
    ]
    years = sorted(answers["year"].unique()) if len(answers) else []
    if len(years) < 2:
        return pd.DataFrame(columns=columns)
    long = _long(answers, share_values).set_index(["activity", "respondent"])
    before, after = (long[long["year"] == year] for year in years[-2:])
    pairs = before.add_suffix("_before").join(after.add_suffix("_after"), how="inner")
    same = pairs["used_before"] == pairs["used_after"]  # the same word: any change is within it
    change = pd.DataFrame(
        {
            "share_before": pairs["used_before"],
            "share": pairs["used_after"],
            "change": pairs["used_after"] - pairs["used_before"],
            "change_low": (pairs["low_after"] - pairs["high_before"]).where(~same, 0.0),
            "change_high": (pairs["high_after"] - pairs["low_before"]).where(~same, 0.0),
        }
    )
    groups = change.groupby(level="activity", sort=False)
    table = (100 * groups.mean()).assign(respondents=groups.size()).reset_index()
    table["activity_label"] = table["activity"].map(labels)
    return table.sort_values("change", ascending=False, kind="stable", ignore_index=True)[columns]


def index_change(
    answers: pd.DataFrame, share_values: ShareValues, activities: Sequence[str], confidence: float = 0.95
) -> pd.Series:
    """Return the change of the index from the year before to the last, over respondents who answered in both.

    The mean of their differences with Student's t interval, in percentage points: `change`, `ci_low`, `ci_high`,
    `respondents`, `year_before`, `year`. Missing with fewer than two such respondents. Every respondent's index is the
    mean share over the activities answered in both years.
    """
    empty = pd.Series(
        {
            "change": np.nan,
            "ci_low": np.nan,
            "ci_high": np.nan,
            "respondents": 0,
            "year_before": None,
            "year": None,
        }
    )
    years = sorted(answers["year"].unique()) if len(answers) else []
    if len(years) < 2:
        return empty
    long = _long(answers[answers["activity"].isin(activities)], share_values)
    wide = long.pivot(index=["respondent", "activity"], columns="year", values="used")
    wide = wide.reindex(columns=years[-2:]).dropna()
    each = 100 * (wide[years[-1]] - wide[years[-2]]).groupby(level="respondent").mean()
    facts = {"respondents": len(each), "year_before": str(years[-2]), "year": str(years[-1])}
    if len(each) < 2:
        return pd.Series({**empty, **facts})
    half = stats.t.ppf((1 + confidence) / 2, len(each) - 1) * each.std() / np.sqrt(len(each))
    return pd.Series(
        {"change": each.mean(), "ci_low": each.mean() - half, "ci_high": each.mean() + half, **facts}
    )


def index_raised(
    answers: pd.DataFrame,
    share_values: ShareValues,
    activities: Sequence[str],
    cut_offs: tuple[float, float],
    weights: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return, per activity, what one word more would add to the index of the last year, the most first.

    Each respondent's answer moves to the next larger word ("none" to "some" …), "all" stays; the others stay as they are.
    Returns `activity`, `gain` (percentage points), `index_if_raised` (percent) and `class_if_raised`, and `at_top` (how many
    already answered the largest word). No rows without answers.
    """
    columns = ["activity", "gain", "index_if_raised", "class_if_raised", "at_top"]
    last = answers[answers["year"] == answers["year"].max()] if len(answers) else answers
    if last["answer"].isna().all():
        return pd.DataFrame(columns=columns)
    words = sorted(share_values, key=lambda word: share_values[word][1])
    larger = dict(zip(words, [*words[1:], words[-1]], strict=True))

    def index(table: pd.DataFrame) -> pd.Series:
        return engagement.engagement_index(table, share_values, activities, weights, cut_offs).iloc[0]

    now, rows = index(last), []
    for activity in activities:
        mine = last["activity"] == activity
        moved = last.assign(answer=last["answer"].mask(mine, last["answer"].map(larger)))
        then = index(moved)
        at_top = int((last.loc[mine, "answer"] == words[-1]).sum())
        rows.append(
            (activity, 100 * (then["index"] - now["index"]), 100 * then["index"], then["engagement"], at_top)
        )
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("gain", ascending=False, kind="stable", ignore_index=True)
