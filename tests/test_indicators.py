import numpy as np
import pandas as pd
import pytest
from sectorbook.errors import SectorbookError
from sectorbook.measures import indicators, wioa
from trial import supported_work

NAT = pd.NaT


def test_means_and_medians_stay_apart():
    frame = pd.DataFrame({"before": [0.0, 10, 20, 30, np.nan], "after": [5.0, 10, 40, 90, 50]})
    mean = indicators.paired_change(frame, "before", "after", "earnings").iloc[0]
    median = indicators.paired_change(frame, "before", "after", "earnings", "median").iloc[0]
    assert (mean["before"], mean["after"], mean["change"]) == (15, 36.25, 21.25)
    assert (median["before"], median["after"], median["change"]) == (15, 25, 10)
    assert mean["statistic"] == "mean" and median["statistic"] == "median"
    assert (mean["n"], mean["n_missing"]) == (4, 1)
    assert np.isnan(median["standard_error"]) and mean["standard_error"] > 0
    with pytest.raises(SectorbookError, match="Did you mean 'mean'"):
        indicators.paired_change(frame, "before", "after", "earnings", "meen")


def test_paired_tests_are_rs():
    frame = supported_work()
    frame = frame[frame["treat"] == 1] / 1000
    row = indicators.paired_change(frame, "re75", "re78", "earnings").iloc[0]
    assert row["change"] == pytest.approx(4.81708972740012, rel=1e-6)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((3.61671262558513, 6.01746682921512), rel=1e-6)
    assert row["p_value"] == pytest.approx(2.21804402757638e-13, rel=1e-6)
    jobs = frame.assign(b=(frame["re75"] > 0) * 1, a=(frame["re78"] > 0) * 1)
    assert indicators.paired_share(jobs, "b", "a", "employed").iloc[0]["p_value"] == pytest.approx(
        2.12012404796834e-12, rel=1e-6
    )
    corrected = indicators.paired_share(jobs, "b", "a", "employed", "chi-square").iloc[0]
    assert corrected["test_statistic"] == pytest.approx(44.9468085106383, rel=1e-6)


def test_nobody_changed_is_no_evidence():
    frame = pd.DataFrame({"b": [1, 1, 0], "a": [1, 1, 0]})
    row = indicators.paired_share(frame, "b", "a", "employed").iloc[0]
    assert row["p_value"] == 1 and row["change"] == 0
    assert indicators.paired_change(frame, "b", "a", "x", "median").iloc[0]["p_value"] == 1


def test_published_sedlp_changes():
    """Aspen SEDLP: 74 % worked before, 94 % after; medians $8,580, $14,040, $17,732 (+63.6 %, +106.7 %)."""
    share = pd.DataFrame({"b": [1] * 74 + [0] * 26, "a": [1] * 94 + [0] * 6})
    assert indicators.paired_share(share, "b", "a", "worked").iloc[0]["change"] == pytest.approx(0.20)
    money = pd.DataFrame({"b": [8580.0] * 3, "a": [14040.0] * 3, "c": [17732.0] * 3})
    first = indicators.paired_change(money, "b", "a", "earnings", "median").iloc[0]
    second = indicators.paired_change(money, "b", "c", "earnings", "median").iloc[0]
    assert (first["change"], round(first["change_pct"], 1)) == (5460, 63.6)
    assert (second["change"], round(second["change_pct"], 1)) == (9152, 106.7)


def test_shares_and_distributions_carry_their_n():
    frame = pd.DataFrame({"placed": [1, 0, 1, np.nan, 1], "wage": [15.0, np.nan, 18, 20, 40]})
    row = indicators.share(frame, "placed", "placed").iloc[0]
    assert (row["count"], row["n"], row["n_missing"], row["share"]) == (3, 4, 1, 0.75)
    table = indicators.distribution(frame, "wage", "wage at placement").set_index("statistic")
    assert table.loc["median", "value"] == 19 and table.loc["mean", "value"] == 23.25
    assert np.isnan(table.loc["median", "ci_low"])  # four people cannot bound a median at 95 %
    rng, hits = np.random.default_rng(0), 0
    for _ in range(200):
        sample = pd.DataFrame({"w": rng.exponential(size=41)})
        found = indicators.distribution(sample, "w", "w", (0.5,)).iloc[1]
        hits += found["ci_low"] <= np.log(2) <= found["ci_high"]
    assert hits / 200 > 0.93


def participants() -> pd.DataFrame:
    """Return eleven people, each there for one rule of the indicators."""
    day = pd.Timestamp
    columns = [
        "id",
        "entry_date",
        "exit_date",
        "excluded_exit",
        "employed_q2",
        "employed_q4",
        "in_school_q2",
        "in_school_q4",
    ]
    columns += [
        "earnings_q2_usd",
        "credential_eligible",
        "credential",
        "secondary_diploma",
        "employed_or_school_year",
    ]
    columns += ["in_education", "skill_gain_date", "employer_q2", "employer_q4"]
    rows = [
        ("stays", "2023-09-01", "2024-02-01", 0, 1, 1, 0, 0, 8000, 1, 1, 0, 1, 1, "2024-01-05", "A", "A"),
        ("moves", "2023-09-01", "2024-02-01", 0, 1, 1, 0, 0, 6000, 1, 0, 1, 1, 1, NAT, "A", "B"),
        ("loses", "2023-09-01", "2024-03-01", 0, 1, 0, 0, 0, 4000, 1, 0, 1, 0, 0, NAT, "C", None),
        ("jobless", "2023-09-01", "2024-04-01", 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, NAT, None, None),
        ("died", "2023-09-01", "2024-04-01", 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, NAT, None, None),
        ("too early", "2022-01-01", "2023-06-30", 0, 1, 1, 0, 0, 9999, 1, 1, 0, 1, 1, "2023-05-01", "A", "A"),
        ("not yet", "2023-09-01", "2024-06-30", 0, np.nan, np.nan, 0, 0, np.nan, 1, 0, 0, 0, 0, NAT, None, None),
        ("wage late", "2023-09-01", "2024-06-30", 0, 1, np.nan, 0, 0, np.nan, 0, 0, 0, 1, 0, NAT, "A", None),
        ("still in", "2024-05-01", NAT, 0, np.nan, np.nan, 0, 0, np.nan, 1, 0, 0, 0, 1, "2024-06-30", None, None),
        ("old gain", "2022-05-01", NAT, 0, np.nan, np.nan, 0, 0, np.nan, 1, 0, 0, 0, 1, "2023-06-30", None, None),
        ("joins later", "2024-07-01", NAT, 0, np.nan, np.nan, 0, 0, np.nan, 1, 0, 0, 0, 1, NAT, None, None),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    dates = ["entry_date", "exit_date", "skill_gain_date"]
    frame[dates] = frame[dates].apply(pd.to_datetime)
    assert frame["exit_date"].max() == day("2024-06-30")
    return frame


def test_each_rule_of_the_primary_indicators():
    table = wioa.primary_indicators(participants(), "2023-07-01", "2024-06-30").set_index("indicator")

    def counts(name: str) -> tuple:
        return tuple(table.loc[name, ["numerator", "denominator", "excluded", "not_yet_available"]])

    # In the period: stays, moves, loses, jobless, died (excluded), not yet, wage late.
    assert counts("employment_q2") == (4, 5, 1, 1)  # "not yet" is out of both, and counted
    assert counts("employment_q4") == (2, 4, 1, 2)
    assert counts("credential_attainment") == (
        2,
        4,
        1,
        0,
    )  # a diploma counts only with a job or school after: "loses" does not
    assert counts("measurable_skill_gains") == (
        2,
        4,
        1,
        0,
    )  # stays, still in of stays, moves, still in, old gain
    assert counts("same_employer") == (1, 4, 1, 1)  # stays of stays, moves, loses, wage late
    assert table.loc["median_earnings_q2", "value"] == 6000  # the jobless' 0 is not in the median
    assert table.loc["median_earnings_q2", "denominator"] == 3
    assert table.loc["median_earnings_q2", "not_yet_available"] == 2
    assert table.loc["employment_q2", "value"] == 0.8


def test_youth_count_school_and_subgroups_add_up():
    people = participants().assign(sex=["f", "m"] * 5 + ["f"])
    youth = wioa.primary_indicators(people, "2023-07-01", "2024-06-30", ["employment_q2"], youth=True).iloc[0]
    assert (youth["numerator"], youth["denominator"]) == (5, 5)
    table = wioa.primary_indicators(people, "2023-07-01", "2024-06-30", subgroup="sex")
    whole = table[table["subgroup"] == "all"].set_index("indicator")
    parts = (
        table[table["subgroup"] != "all"]
        .groupby("indicator")[["denominator", "excluded", "not_yet_available"]]
        .sum()
    )
    assert (parts.loc[whole.index] == whole[parts.columns]).all().all()


def test_levels_and_wrong_requests():
    table = wioa.primary_indicators(participants(), "2023-07-01", "2024-06-30")
    scored = wioa.against_negotiated(
        table, {"employment_q2": 0.70, "median_earnings_q2": 9000}, {"employment_q2": 0.05}
    )
    scored = scored.set_index("indicator")
    assert scored.loc["employment_q2", "score_pct"] == pytest.approx(100 * 0.8 / 0.75)
    assert scored.loc["employment_q2", "status"] == "at or above the level"
    assert scored.loc["median_earnings_q2", "status"] == "below the level"
    assert scored.loc["same_employer", "status"] == "no level or no data"
    with pytest.raises(SectorbookError, match="Did you mean 'employment_q2'"):
        wioa.primary_indicators(participants(), "2023-07-01", "2024-06-30", ["employed_q2"])
    with pytest.raises(SectorbookError, match="'exit_date' must hold dates"):
        wioa.primary_indicators(participants().assign(exit_date="2024-01-01"), "2023-07-01", "2024-06-30")
    with pytest.raises(SectorbookError, match="Unknown column of the participants frame 'employer_q4'"):
        wioa.primary_indicators(participants().drop(columns="employer_q4"), "2023-07-01", "2024-06-30")


def test_quarters_after_exit():
    exits = pd.Series(pd.to_datetime(["2024-05-31", "2024-12-31", "2025-01-01"]))
    assert list(wioa.quarter_after_exit(exits, 2).astype(str)) == ["2024Q4", "2025Q2", "2025Q3"]
