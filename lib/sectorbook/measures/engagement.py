"""How engaged employers are: the five-level partnership ladder and the ten-activity engagement table.

The ladder is the JVS employer partnership model (seed item B16); the table is the Massachusetts Workforce Competitiveness
Trust Fund's (WCTF Final Report, 2009; seed item B38). Neither says where its cut-offs lie, so all of them are arguments.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError, unknown

Rule = Literal["cumulative", "highest"]


def _check_activities(activities: pd.Series, ladder: pd.DataFrame, what: str) -> None:
    for row, activity in activities.items():
        if activity not in set(ladder["activity"]):
            raise SectorbookError(
                f"{what}, row {row!r}: {unknown('activity', str(activity), ladder['activity'])}"
            )


def ladder_levels(
    recorded: np.ndarray, activity_level: Sequence[int], minimum_per_level: int = 1, rule: Rule = "cumulative"
) -> np.ndarray:
    """Return the ladder level of each set of activities.

    `recorded` is boolean, sets × activities; `activity_level` the level of each activity. With the rule "cumulative"
    a set holds level L when each level 1..L has `minimum_per_level` recorded activities, or all of its activities if
    it has fewer. With "highest" it holds the highest level at which it has that many. 0 means no level is held.
    Returns integers, one per set.
    """
    recorded = np.asarray(recorded, dtype=bool)
    levels = np.asarray(activity_level)
    if recorded.ndim != 2 or recorded.shape[1] != len(levels):
        raise SectorbookError(
            f"`recorded` has shape {recorded.shape}; it needs one column for each of {len(levels)} activities."
        )
    if minimum_per_level < 1:
        raise SectorbookError(f"minimum_per_level is {minimum_per_level}; it must be 1 or more.")
    if rule not in ("cumulative", "highest"):
        raise unknown("ladder rule", rule, ("cumulative", "highest"))
    steps = np.arange(1, levels.max() + 1)
    membership = levels[:, None] == steps
    held = recorded.astype(int) @ membership >= np.minimum(minimum_per_level, membership.sum(axis=0))
    if rule == "cumulative":
        return np.cumprod(held, axis=1).sum(axis=1)
    return (held * steps).max(axis=1)


def classify_employers(
    records: pd.DataFrame,
    ladder: pd.DataFrame,
    employers: Sequence[str] | None = None,
    minimum_per_level: int = 1,
    rule: Rule = "cumulative",
) -> pd.DataFrame:
    """Return each employer's level on the partnership ladder, with what set it and what would raise it.

    `records`: one row per employer and activity (`employer`, `activity`); repeats count once. `ladder`: `activity`,
    `level`, `label`. `employers` adds those with nothing on record. The rules are those of `ladder_levels`.

    Returns one row per employer: `employer`, `level` (0 = none held), `activities` (how many), `highest_activity_level`
    (the highest level with anything on record), `set_by` (the recorded activities of the level held), `next_level`,
    `missing` (how many more activities the next level takes), `raised_by` (which ones would count), `level_if_raised`
    (the level then held: recorded activities further up can make it jump) and `reason`, a sentence.
    Raises SectorbookError for an activity that the ladder does not have.
    """
    _check_activities(records["activity"], ladder, "activities")
    labels = dict(zip(ladder["activity"], ladder["label"], strict=True))
    level_of = ladder["level"].to_numpy()
    top = int(level_of.max())
    names = list(dict.fromkeys([*(employers if employers is not None else []), *records["employer"]]))
    matrix = (
        pd.crosstab(records["employer"], records["activity"])
        .reindex(index=names, columns=list(ladder["activity"]), fill_value=0)
        .to_numpy()
        > 0
    )
    levels = ladder_levels(matrix, level_of, minimum_per_level, rule)
    rows = []
    for name, has, level in zip(names, matrix, levels, strict=True):
        level = int(level)
        highest = int((has * level_of).max(initial=0))
        set_by = tuple(ladder["activity"][has & (level_of == level)])
        next_level, missing, raised_by, if_raised = pd.NA, 0, (), level
        if level < top:
            next_level = level + 1
            at_next = level_of == next_level
            need = min(minimum_per_level, int(at_next.sum()))
            missing = need - int((has & at_next).sum())
            raised_by = tuple(ladder["activity"][at_next & ~has])
            with_more = has.copy()
            with_more[np.flatnonzero(at_next & ~has)[:missing]] = True
            if_raised = int(ladder_levels(with_more[None], level_of, minimum_per_level, rule)[0])
        rows.append(
            {
                "employer": name,
                "level": level,
                "activities": int(has.sum()),
                "highest_activity_level": highest,
                "set_by": set_by,
                "next_level": next_level,
                "missing": missing,
                "raised_by": raised_by,
                "level_if_raised": if_raised,
                "reason": _reason(level, highest, set_by, missing, raised_by, if_raised, labels),
            }
        )
    return pd.DataFrame(rows).astype({"next_level": "Int64"}) if rows else _no_employers()


def _no_employers() -> pd.DataFrame:
    columns = ["employer", "level", "activities", "highest_activity_level", "set_by"]
    return pd.DataFrame(columns=[*columns, "next_level", "missing", "raised_by", "level_if_raised", "reason"])


def _reason(
    level: int,
    highest: int,
    set_by: tuple[str, ...],
    missing: int,
    raised_by: tuple[str, ...],
    if_raised: int,
    labels: dict[str, str],
) -> str:
    named = "; ".join(labels[a] for a in set_by)
    text = (
        f"Level {level}, set by: {named}." if level else "No level: nothing on record that level 1 asks for."
    )
    if highest > level:
        text += f" Something is on record at level {highest}, but level {level + 1} is not complete."
    if raised_by:
        ways = "; ".join(labels[a] for a in raised_by)
        count = "Any one" if missing == 1 else f"Any {missing}"
        text += f" {count} of these would raise it to level {if_raised}: {ways}."
    return text


def levels_over_time(
    records: pd.DataFrame,
    ladder: pd.DataFrame,
    period_ends: Sequence[pd.Timestamp],
    memory_months: int | None = None,
    minimum_per_level: int = 1,
    rule: Rule = "cumulative",
) -> pd.DataFrame:
    """Return each employer's ladder level at the end of each period.

    `records`: `employer`, `activity`, `date`. An activity counts from its date on; with `memory_months` it stops
    counting that many months later. An employer is listed from the start, with level 0 until it does something.
    Returns long rows: `employer`, `period_end`, `level`. Raises SectorbookError for a record without a date.
    """
    undated = records.index[records["date"].isna()]
    if len(undated):
        raise SectorbookError(
            f"activities, row {undated[0]!r}, column 'date': found nothing, a date is needed."
        )
    employers = sorted(records["employer"].unique())
    parts = []
    for end in pd.DatetimeIndex(period_ends):
        current = records[records["date"] <= end]
        if memory_months is not None:
            current = current[current["date"] > end - pd.DateOffset(months=memory_months)]
        level = classify_employers(current, ladder, employers, minimum_per_level, rule)
        parts.append(level[["employer", "level"]].assign(period_end=end))
    return pd.concat(parts, ignore_index=True)[["employer", "period_end", "level"]]


def funnel(levels: pd.DataFrame, top_level: int = 5) -> pd.DataFrame:
    """Return how many employers stand at or above each level in each period.

    `levels` is what `levels_over_time` returns. Returns `period_end`, `level` (0 to `top_level`), `employers_at`,
    `employers_at_or_above` and `share_at_or_above`.
    """
    counts = pd.crosstab(levels["period_end"], levels["level"]).reindex(
        columns=range(top_level + 1), fill_value=0
    )
    above = counts.iloc[:, ::-1].cumsum(axis=1).iloc[:, ::-1]
    long = counts.stack().rename("employers_at").to_frame()
    long["employers_at_or_above"] = above.stack()
    long["share_at_or_above"] = above.div(counts.sum(axis=1), axis=0).stack()
    return long.reset_index()


def transitions(levels: pd.DataFrame, top_level: int = 5) -> pd.DataFrame:
    """Return the moves between levels from each period to the next, all periods together.

    Returns one row per pair of levels: `level_from`, `level_to`, `moves`, `share_of_from` (missing when no employer
    stood at `level_from`).
    """
    wide = levels.pivot(index="employer", columns="period_end", values="level").sort_index(axis=1)
    steps = range(top_level + 1)
    table = pd.DataFrame(0, index=steps, columns=steps)
    for before, after in zip(wide.columns[:-1], wide.columns[1:], strict=True):
        table += pd.crosstab(wide[before], wide[after]).reindex(index=steps, columns=steps, fill_value=0)
    share = table.div(table.sum(axis=1).where(lambda n: n > 0), axis=0)
    out = table.rename_axis(index="level_from", columns="level_to").stack().rename("moves").reset_index()
    return out.assign(share_of_from=share.to_numpy().ravel())


def benefits_offered(levels: pd.DataFrame, benefits: pd.DataFrame) -> pd.DataFrame:
    """Return how many of the ladder's benefits each employer is offered at its level.

    `levels`: `employer`, `level`. `benefits`: `benefit`, `level`; a missing level means every level (common benefits).
    Benefits add up from level to level, and the common ones need at least level 1.
    Returns `levels` with `benefits_offered` and `benefits_at_next_level` (how many more the next level brings).
    """
    per_level = benefits["level"].value_counts()
    common = int(benefits["level"].isna().sum())
    top = int(benefits["level"].max())

    def offered(level: int) -> int:
        return int(per_level[per_level.index <= level].sum()) + (common if level > 0 else 0)

    at = levels["level"].map(offered)
    return levels.assign(
        benefits_offered=at,
        benefits_at_next_level=levels["level"].map(lambda level: offered(min(level + 1, top))) - at,
    )


def engagement_index(
    answers: pd.DataFrame,
    share_values: Mapping[str, tuple[float, float, float]],
    activities: Sequence[str],
    weights: Mapping[str, float] | None = None,
    cut_offs: tuple[float, float] = (1 / 3, 2 / 3),
    by: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the weighted index of the ten-activity engagement table, its interval and its class.

    `answers`: `respondent`, `activity`, `answer`; a missing answer is unknown, not "none". `share_values` gives what
    each answer stands for as (lowest, used, highest) share of employers, for instance {"most": (0.5, 0.75, 1.0)}.
    `weights` of activities default to equal. `by` is a column such as the year.

    A respondent's index is the weighted mean of the used shares of the activities answered. `index` is the mean over
    respondents. Two kinds of doubt are kept apart: `bound_low`/`bound_high` let every answer take its lowest or highest
    share and every missing answer 0 or 1; `ci_low`/`ci_high` are Student's t interval over respondents, within [0, 1],
    missing with fewer than two. `engagement` is low below the first cut-off, high from the second on, else medium;
    `engagement_at_low` and `engagement_at_high` are the classes at the bounds.
    Also returns `respondents`, `answers` and `unanswered`. Raises SectorbookError for an unknown activity or answer,
    weights that are not positive in sum, or cut-offs out of order.
    """
    low_cut, high_cut = cut_offs
    if not 0 <= low_cut < high_cut <= 1:
        raise SectorbookError(
            f"cut_offs are {cut_offs}; they must be two shares, the smaller first, within 0 and 1."
        )
    for row, activity, answer in answers[["activity", "answer"]].itertuples():
        if activity not in activities:
            raise SectorbookError(f"answers, row {row!r}: {unknown('activity', str(activity), activities)}")
        if not pd.isna(answer) and answer not in share_values:
            raise SectorbookError(
                f"answers, row {row!r}, activity {activity!r}: {unknown('answer', str(answer), share_values)}"
            )
    weight = pd.Series(dict.fromkeys(activities, 1.0) if weights is None else dict(weights)).reindex(
        list(activities)
    )
    if weight.isna().any() or (weight < 0).any() or weight.sum() <= 0:
        raise SectorbookError(
            f"weights must give every one of {', '.join(activities)} a weight of 0 or more, not all 0."
        )
    groups = [(None, answers)] if by is None else list(answers.groupby(by, sort=True))
    rows = []
    for key, group in groups:
        row = _index_of(group, share_values, weight, confidence)
        for column, at in (
            ("engagement", "index"),
            ("engagement_at_low", "bound_low"),
            ("engagement_at_high", "bound_high"),
        ):
            row[column] = _class(row[at], low_cut, high_cut)
        rows.append(row if by is None else {by: key, **row})
    return pd.DataFrame(rows)


def _class(value: float, low_cut: float, high_cut: float) -> str | None:
    if np.isnan(value):
        return None
    return "low" if value < low_cut else "high" if value >= high_cut else "medium"


def _index_of(
    answers: pd.DataFrame,
    share_values: Mapping[str, tuple[float, float, float]],
    weight: pd.Series,
    confidence: float,
) -> dict:
    wide = answers.pivot(index="respondent", columns="activity", values="answer").reindex(
        columns=weight.index
    )
    low, used, high = (
        wide.map(lambda a, i=i, unknown=unknown: unknown if pd.isna(a) else share_values[a][i]).astype(float)
        for i, unknown in enumerate((0.0, np.nan, 1.0))
    )
    answered = used.notna() @ weight
    index = (used.fillna(0) @ weight / answered.where(answered > 0)).dropna()
    n = len(index)
    mean = index.mean() if n else np.nan
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * index.std() / np.sqrt(n) if n > 1 else np.nan
    return {
        "index": mean,
        "bound_low": (low @ weight / weight.sum()).mean(),
        "bound_high": (high @ weight / weight.sum()).mean(),
        "ci_low": max(mean - half, 0.0) if n > 1 else np.nan,
        "ci_high": min(mean + half, 1.0) if n > 1 else np.nan,
        "respondents": n,
        "answers": int(wide.notna().to_numpy().sum()),
        "unanswered": int(wide.isna().to_numpy().sum()),
    }


def engagement_answers_from_records(
    records: pd.DataFrame, employers: Sequence[str], activities: Sequence[str]
) -> pd.DataFrame:
    """Return the share of employers on record for each activity of the engagement table.

    This is the exact share the table's words stand for. `records`: `employer`, `activity`. `employers` is the whole
    partnership, the base of the share. Returns `activity`, `employers_engaged`, `employers`, `share`.
    Raises SectorbookError for an employer or activity not listed, or an empty list of employers.
    """
    if not employers:
        raise SectorbookError("There are no employers, so no share of them can be given.")
    for row, employer, activity in records[["employer", "activity"]].itertuples():
        if employer not in employers:
            raise SectorbookError(f"activities, row {row!r}: {unknown('employer', str(employer), employers)}")
        if activity not in activities:
            raise SectorbookError(
                f"activities, row {row!r}: {unknown('activity', str(activity), activities)}"
            )
    engaged = records.groupby("activity")["employer"].nunique().reindex(list(activities), fill_value=0)
    return pd.DataFrame(
        {
            "activity": list(activities),
            "employers_engaged": engaged.to_numpy(),
            "employers": len(set(employers)),
            "share": engaged.to_numpy() / len(set(employers)),
        }
    )
