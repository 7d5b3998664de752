"""From an initiative's employer files to estimates: who counts as an answer, which design they form, what they say.

The design is that of employers drawn within size classes. Those who answered stand for all employers of their class,
asked or not: weight = employers in the class / answers in it. Nothing is estimated from fewer than two answers.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sectorbook.measures import engagement, survey, survey_shares, survey_tables, survey_weights
from sectorbook.measures.survey import Design

LEAST = 2
_ESTIMATE = ["estimate", "ci_low", "ci_high", "n"]


def counted(answers: pd.DataFrame, employers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the answers that count, joined to the frame, and how many were set aside and why.

    Set aside, in this order: no consent, not finished, not in the frame, not invited, a repeat of an earlier response of
    the same employer. The first frame has one row per employer, with `frame_size` (its class in the frame), `frame_count`
    (employers of that class) and `frame_employees`. The second: `reason`, `responses`.
    """
    frame = employers.drop_duplicates("employer_code").set_index("employer_code")
    code = answers["employer_code"]
    invited = code.map(frame["invited"].astype(object)).astype("boolean").fillna(False)
    reasons = {
        "No consent": answers["consent"] != "yes",
        "Not finished": ~answers["complete"],
        "Code not among the employers": ~answers["in_frame"],
        "Not invited": ~invited,
        "Sent again": answers["duplicate_of"].notna() | code.duplicated(),
    }
    left, rows = pd.Series(True, index=answers.index), []
    for reason, hit in reasons.items():
        out = left & hit.fillna(False).astype(bool)
        rows.append((reason, int(out.sum())))
        left &= ~out
    rows.append(("Counted", int(left.sum())))
    kept = answers[left].reset_index(drop=True)
    sizes = frame["size_class"].value_counts()
    size = kept["employer_code"].map(frame["size_class"]).astype("str")
    kept = kept.assign(
        frame_size=size,
        frame_count=size.map(sizes).astype(float),
        frame_employees=kept["employer_code"].map(frame["employees"]).astype("Float64"),
    )
    return kept, pd.DataFrame(rows, columns=["reason", "responses"])


def rates(employers: pd.DataFrame, kept: pd.DataFrame, sizes: Sequence[str]) -> pd.DataFrame:
    """Return the response by size class, in the order of `sizes`.

    Columns: `size_class`, `frame_count`, `invited_count`, `answered_count`, `response_pct`.
    """
    asked = employers[employers["invited"].fillna(False).astype(bool)]
    if asked.empty:
        return pd.DataFrame(
            columns=["size_class", "frame_count", "invited_count", "answered_count", "response_pct"]
        )
    table = survey_weights.response_rates(
        asked.assign(said=asked["employer_code"].isin(kept["employer_code"])), "said", by="size_class"
    ).sort_values("size_class", key=lambda column: column.map(list(sizes).index), ignore_index=True)
    return pd.DataFrame(
        {
            "size_class": table["size_class"],
            "frame_count": table["size_class"].map(employers["size_class"].value_counts()),
            "invited_count": table["drawn"],
            "answered_count": table["answered"],
            "response_pct": 100 * table["response_rate"],
        }
    )


def design(kept: pd.DataFrame) -> Design | None:
    """Return the survey design of the answers that count, or None when there are fewer than two.

    A class with one answer is centred on the mean of all classes, so its spread is not taken as none.
    """
    if len(kept) < LEAST:
        return None
    return survey.survey_design(kept, strata="frame_size", population=["frame_count"], single_unit="centre")


def totals(sample: Design | None, questions: Mapping[str, str]) -> pd.DataFrame:
    """Return the total of each number asked (column -> label) over all employers of the classes that answered.

    Mean of those who answered the item times the number of employers, so an item left open does not count as 0.
    Returns `question`, `estimate_label`, `estimate`, `se`, `ci_low`, `ci_high`, `n`, `n_missing`.
    """
    rows = []
    for name, label in questions.items() if sample is not None else ():
        size = sample.weight.sum()
        row = survey.mean(sample, name).iloc[0]
        scaled = {c: size * row[c] for c in ("estimate", "se", "ci_low", "ci_high")}
        scaled["ci_low"] = max(scaled["ci_low"], 0.0) if not np.isnan(scaled["ci_low"]) else np.nan
        rows.append(
            {
                "question": name,
                "estimate_label": label,
                **scaled,
                "n": row["n"],
                "n_missing": row["n_missing"],
            }
        )
    columns = ["question", "estimate_label", *_ESTIMATE[:1], "se", *_ESTIMATE[1:], "n_missing"]
    return pd.DataFrame(rows, columns=columns)


def one(table: pd.DataFrame, question: str) -> pd.Series:
    """Return one row of `totals` or `shares`, all missing when it is not there."""
    found = table[table["question"] == question]
    return found.iloc[0] if len(found) else pd.Series(dict.fromkeys([*_ESTIMATE, "se", "percent"], np.nan))


def wage(sample: Design | None, column: str) -> pd.Series:
    """Return the mean of a wage column over employers: `estimate`, `ci_low`, `ci_high`, `n`; missing without a sample."""
    return survey.mean(sample, column).iloc[0] if sample is not None else one(totals(None, {}), column)


def turnover(sample: Design | None) -> pd.Series:
    """Return people who left in a year per person employed, as a ratio of totals; missing without a sample."""
    if sample is None:
        return one(totals(None, {}), "")
    return survey.ratio(sample, "left_12_months", "frame_employees").iloc[0]


def shares(sample: Design | None, questions: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Return the share of employers that gave an answer: question -> (answer, label).

    Returns `question`, `estimate_label`, `percent`, `ci_low`, `ci_high` (percent; Korn and Graubard), `n`, `n_missing`.
    """
    rows = []
    for name, (answer, label) in questions.items() if sample is not None else ():
        table = survey_shares.proportion(sample, name)
        hit = table[table["level"] == answer]
        row = (
            hit.iloc[0]
            if len(hit)
            else survey_shares.proportion(sample, name, levels=[answer, *table["level"]]).iloc[0]
        )
        values = {"percent": row["estimate"], "ci_low": row["ci_low"], "ci_high": row["ci_high"]}
        rows.append(
            {"question": name, "estimate_label": label, **{k: 100 * v for k, v in values.items()},
             "n": row["n"], "n_missing": row["n_missing"]}
        )  # fmt: skip
    columns = ["question", "estimate_label", "percent", "ci_low", "ci_high", "n", "n_missing"]
    return pd.DataFrame(rows, columns=columns)


def several(sample: Design | None, question: str, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the answers to a question that allows several (choice id -> label), the most frequent first.

    Returns `code`, `choice`, `percent`, `ci_low`, `ci_high`, `count`, `n`, of `survey_tables.multiple_response`.
    """
    columns = {f"{question}/{code}": label for code, label in labels.items()}
    if sample is None or not any(name in sample.frame for name in columns):
        return pd.DataFrame(columns=["code", "choice", "percent", "ci_low", "ci_high", "count", "n"])
    columns = {name: label for name, label in columns.items() if name in sample.frame}
    table = survey_tables.multiple_response(sample, columns)
    codes = {label: code for code, label in labels.items()}
    table.insert(0, "code", table["choice"].map(codes))
    return table.sort_values("percent", ascending=False, kind="stable", ignore_index=True)


def agreement(
    sample: Design | None, item: str, scale: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return `survey_tables.likert_table` of one item; no rows without a sample."""
    if sample is None:
        return pd.DataFrame(
            columns=["item", "answer", "grouped", "percent", "ci_low", "ci_high", "count", "n"]
        )
    return survey_tables.likert_table(sample, [item], list(scale), groups)


def worked(pains: pd.DataFrame, solutions: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return each pain point with its root causes and solutions, the most frequent first.

    `pains` is what `several` returns for the pain points; `solutions`: `pain_point`, `root_cause`, `solution`, `owner`,
    `due`. A pain point without a solution is listed, and so is one that no answer named. Returns `pain_label`, `percent`,
    `ci_low`, `ci_high`, `root_cause`, `solution`, `owner`, `due`.
    """
    named = pains[(pains["code"] != "none") & (pains["count"] > 0)]
    table = named.merge(solutions, left_on="code", right_on="pain_point", how="outer")
    label = table["choice"].astype(object).where(table["choice"].notna(), table["pain_point"].map(labels))
    table = table.assign(pain_label=label, percent=table["percent"].astype(float))
    columns = ["pain_label", "percent", "ci_low", "ci_high", "root_cause", "solution", "owner", "due"]
    return table.sort_values(
        "percent", ascending=False, kind="stable", na_position="last", ignore_index=True
    )[columns]


# -- engagement -----------------------------------------------------------------------------------------------


def period_ends(dates: pd.Series, months: int) -> pd.DatetimeIndex:
    """Return the ends of periods of that many months, counted back from the month of the last record to before the first.

    The last period is a whole one, so that nothing has lapsed in a time not yet lived. None without records.
    """
    if dates.dropna().empty:
        return pd.DatetimeIndex([])
    first, last = dates.min().to_period("M"), dates.max().to_period("M")
    count = (last - first).n // months + 1
    return pd.DatetimeIndex([(last - i * months).end_time.normalize() for i in reversed(range(count))])


def levels_by_period(
    records: pd.DataFrame, ladder: pd.DataFrame, months: int, memory_months: int, minimum: int
) -> pd.DataFrame:
    """Return `engagement.levels_over_time` at the end of each period of that many months; no rows without records.

    `memory_months` 0 keeps an activity for good.
    """
    ends = period_ends(records["date"], months)
    if not len(ends):
        return pd.DataFrame(columns=["employer", "period_end", "level"])
    return engagement.levels_over_time(records, ladder, ends, memory_months or None, minimum)


def funnel_over_time(levels: pd.DataFrame, top: int) -> pd.DataFrame:
    """Return how many employers stood at or above each level at the end of each period.

    Columns `period`, `level_1_count` … to `top`. `levels` is what `levels_by_period` returns.
    """
    columns = [f"level_{i}_count" for i in range(1, top + 1)]
    if levels.empty:
        return pd.DataFrame(columns=["period", *columns])
    long = engagement.funnel(levels, top)
    wide = long.pivot(index="period_end", columns="level", values="employers_at_or_above").iloc[:, 1:]
    wide.columns = columns
    return (
        wide.reset_index()
        .assign(period=lambda t: t["period_end"].dt.strftime("%Y-%m"))
        .drop(columns="period_end")
    )


def engagement_years(
    answers: pd.DataFrame, share_values: Mapping, activities: Sequence[str], cut_offs: tuple[float, float]
) -> pd.DataFrame:
    """Return `engagement.engagement_index` by year with shares in percent; no rows without answers."""
    columns = [
        "year_label",
        "index",
        "bound_low",
        "bound_high",
        "ci_low",
        "ci_high",
        "engagement_class",
        "respondents",
    ]
    columns += ["unanswered"]
    if answers.empty:
        return pd.DataFrame(columns=columns)
    table = engagement.engagement_index(answers, share_values, activities, cut_offs=cut_offs, by="year")
    parts = ["index", "bound_low", "bound_high", "ci_low", "ci_high"]
    table = table.assign(year_label=table["year"].astype(str), engagement_class=table["engagement"])
    return table.assign(**{name: 100 * table[name] for name in parts})


def engagement_activities(
    answers: pd.DataFrame, share_values: Mapping, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return, for the last year answered, each activity's mean share of employers and the range its words allow.

    Returns `activity_label`, `share_pct`, `share_low_pct`, `share_high_pct`, `respondents`; missing answers are left out.
    """
    last = (
        answers[answers["year"] == answers["year"].max()].dropna(subset=["answer"])
        if len(answers)
        else answers
    )
    columns = ["activity_label", "share_pct", "share_low_pct", "share_high_pct", "respondents"]
    if last.empty:
        return pd.DataFrame(columns=columns)
    values = pd.DataFrame(
        last["answer"].map(share_values).tolist(), columns=["low", "used", "high"], index=last.index
    )
    means = values.groupby(last["activity"]).agg(["mean", "count"])
    table = pd.DataFrame(
        {
            "activity_label": means.index.map(labels),
            "share_pct": 100 * means["used"]["mean"].to_numpy(),
            "share_low_pct": 100 * means["low"]["mean"].to_numpy(),
            "share_high_pct": 100 * means["high"]["mean"].to_numpy(),
            "respondents": means["used"]["count"].to_numpy(),
        }
    )
    return table.sort_values("share_pct", ascending=False, kind="stable", ignore_index=True)


# -- tiers ------------------------------------------------------------------------------------------------------


def criteria(cut_offs: Mapping[str, float]) -> pd.DataFrame:
    """Return the criteria of the tiers of service (column -> cut-off, higher is better), those without a cut-off left out."""
    table = pd.DataFrame(
        {"criterion": list(cut_offs), "cut_off": list(cut_offs.values()), "better": "higher"}
    )
    return table.dropna(subset=["cut_off"]).reset_index(drop=True)


CRITERIA = {
    "wage_entry_hourly_usd": "Starting wage, USD an hour",
    "bonus_pct": "Bonuses, percent of pay",
    "conditions_score": "Working conditions, 0 to 10",
}


def named_criteria(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of `tiers` with `criterion_label` and the column names a chapter shows."""
    names = {f"tier_{n}": f"tier_{n}_count" for n in (1, 2, 3)}
    names |= {"undetermined": "tier_unknown_count", "changed": "tier_changed_count", "value": "value_now"}
    return table.assign(criterion_label=table["criterion"].map(CRITERIA)).rename(columns=names)


def tier_counts(tiers: pd.DataFrame, offered: pd.DataFrame) -> pd.DataFrame:
    """Return how many employers are in each tier and what it is offered, those not known last.

    `tiers` is what `tiers.service_tiers` returns; `offered` the framework: `group`, `level`, `label`. Returns
    `tier_label`, `employer_count`, `offer`.
    """
    counts = tiers["tier"].value_counts()
    services = offered[offered["group"].isin(["priority_service", "improvement_service"])]
    rows = []
    for tier in offered[offered["group"] == "tier"].itertuples():
        offer = (
            "; ".join(services.loc[services["level"] == tier.level, "label"])
            or "Posting of jobs and referral"
        )
        rows.append((tier.label, int(counts.get(tier.level, 0)), offer))
    rows.append(
        (
            "Not known: what is missing would decide",
            int(tiers["tier"].isna().sum()),
            "Ask for what is missing",
        )
    )
    return pd.DataFrame(rows, columns=["tier_label", "employer_count", "offer"])


def join(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables of `several` one below the other, with the column names a chapter shows."""
    table = pd.concat([part for part in parts if len(part)] or list(parts[:1]), ignore_index=True)
    return table.assign(
        employers_pct=table["percent"],
        share_low_pct=table["ci_low"],
        share_high_pct=table["ci_high"],
        answers_n=table["n"],
    )


def grouped(table: pd.DataFrame, answer: str) -> pd.Series:
    """Return one grouped answer of `agreement`, all missing when it is not there."""
    found = table[(table["answer"] == answer) & table["grouped"].astype(bool)]
    return (
        found.iloc[0] if len(found) else pd.Series({"percent": np.nan, "ci_low": np.nan, "ci_high": np.nan})
    )


def last(table: pd.DataFrame) -> pd.Series:
    """Return the last row, all missing when there is none."""
    return table.iloc[-1] if len(table) else pd.Series(dict.fromkeys(table.columns, np.nan))


def named_levels(
    levels: pd.DataFrame, employers: pd.DataFrame, activities: Mapping[str, str], benefits: pd.DataFrame
) -> pd.DataFrame:
    """Return `engagement.classify_employers` with names for codes, the highest level first.

    `benefits` are the ladder's: `id`, `level`. Adds `ladder_level`, `activity_count`, `set_by_said`, `raised_by_said`,
    `benefit_count`; `employer` becomes the employer's name.
    """
    offered = engagement.benefits_offered(levels, benefits.rename(columns={"id": "benefit"}))
    names = employers.drop_duplicates("employer_code").set_index("employer_code")["employer"]
    said = {
        f"{name}_said": levels[name]
        .map(lambda codes: "; ".join(activities[code] for code in codes))
        .astype("str")
        for name in ("set_by", "raised_by")
    }
    table = offered.assign(
        **said,
        employer=levels["employer"].map(names).fillna(levels["employer"]),
        ladder_level=levels["level"],
        activity_count=levels["activities"],
        benefit_count=offered["benefits_offered"],
    )
    return table.sort_values(
        ["ladder_level", "activity_count"], ascending=False, kind="stable", ignore_index=True
    )
