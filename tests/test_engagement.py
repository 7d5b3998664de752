"""The partnership ladder over every set of activities, and the engagement index by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook import config
from sectorbook.errors import SectorbookError
from sectorbook.measures import engagement

ITEMS = config.framework("employer_partnership_ladder").items
LADDER = pd.DataFrame(
    [{"activity": i.id, "level": i.level, "label": i.label} for i in ITEMS if i.group == "activity"]
)
BENEFITS = pd.DataFrame([{"benefit": i.id, "level": i.level} for i in ITEMS if i.group.endswith("benefit")])
ACTIVITIES = list(LADDER["activity"])
LEVELS = LADDER["level"].to_numpy()
ALL_SETS = (np.arange(2**17)[:, None] >> np.arange(17)) & 1 == 1
VALUES = {"all": (1, 1, 1), "most": (0.5, 0.75, 1), "some": (0, 0.25, 0.5), "none": (0, 0, 0)}


def records(**by_employer):
    return pd.DataFrame(
        [(e, a) for e, activities in by_employer.items() for a in activities],
        columns=["employer", "activity"],
    )


@pytest.mark.parametrize("minimum", [1, 2, 3])
def test_every_one_of_the_131072_sets_gets_the_level_its_definition_gives(minimum):
    got = engagement.ladder_levels(ALL_SETS, LEVELS, minimum)
    complete = [
        (ALL_SETS[:, lv == LEVELS].sum(axis=1) >= min(minimum, (lv == LEVELS).sum())) for lv in range(1, 6)
    ]
    expected = sum(np.logical_and.reduce(complete[: k + 1]) for k in range(5))
    assert (got == expected).all()
    highest = engagement.ladder_levels(ALL_SETS, LEVELS, minimum, "highest")
    assert (highest >= got).all()
    assert set(got) == set(range(6))


def test_one_activity_more_never_lowers_a_level():
    level = engagement.ladder_levels(ALL_SETS, LEVELS)
    for bit in range(17):
        without = ~ALL_SETS[:, bit]
        more = np.arange(2**17)[without] | 1 << bit
        assert (level[more] >= level[without]).all()


@settings(deadline=None, max_examples=60)
@given(
    st.sets(st.sampled_from(ACTIVITIES)),
    st.integers(1, 3),
    st.sampled_from(["cumulative", "highest"]),
)
def test_a_level_comes_with_what_set_it_and_what_would_raise_it(activities, minimum, rule):
    row = engagement.classify_employers(
        records(firm=activities), LADDER, ["firm"], minimum_per_level=minimum, rule=rule
    ).iloc[0]
    assert row["reason"]
    assert set(row["set_by"]) <= activities
    assert bool(row["set_by"]) == (row["level"] > 0)
    if row["level"] == 5:
        assert row["raised_by"] == () and row["level_if_raised"] == 5
        return
    assert row["level_if_raised"] > row["level"]
    assert not set(row["raised_by"]) & activities
    done = engagement.classify_employers(
        records(firm=activities | set(row["raised_by"][: row["missing"]])), LADDER, None, minimum, rule
    ).iloc[0]
    assert done["level"] == row["level_if_raised"]
    if rule == "cumulative":
        almost = activities | set(row["raised_by"][: row["missing"] - 1])
        assert (
            engagement.classify_employers(records(firm=almost), LADDER, ["firm"], minimum)["level"][0]
            == row["level"]
        )


def test_a_gap_holds_an_employer_back_and_says_so():
    row = engagement.classify_employers(
        records(firm=["hires_candidates", "hosts_interns", "hires_candidates"]), LADDER
    ).iloc[0]
    assert (row["level"], row["highest_activity_level"], row["level_if_raised"], row["activities"]) == (
        1,
        3,
        3,
        2,
    )
    assert row["set_by"] == ("hires_candidates",)
    assert "on record at level 3, but level 2 is not complete" in row["reason"]


def test_an_unknown_activity_names_its_row_and_the_nearest():
    with pytest.raises(
        SectorbookError, match=r"row 0: Unknown activity 'host_interns'\. Did you mean 'hosts_interns'"
    ):
        engagement.classify_employers(records(firm=["host_interns"]), LADDER)


def test_levels_move_over_time_and_lapse_when_memory_is_short():
    log = records(a=["posts_jobs", "refers_people"], b=["posts_jobs"]).assign(
        date=pd.to_datetime(["2024-01-10", "2024-05-01", "2024-04-01"])
    )
    ends = pd.to_datetime(["2024-03-31", "2024-06-30", "2025-03-31"])
    levels = engagement.levels_over_time(log, LADDER, ends)
    assert levels["level"].tolist() == [1, 0, 2, 1, 2, 1]
    short = engagement.levels_over_time(log, LADDER, ends, memory_months=6)
    assert short["level"].tolist() == [1, 0, 2, 1, 0, 0]

    funnel = engagement.funnel(levels).set_index(["period_end", "level"])
    assert funnel.loc[(ends[1], 1), "employers_at_or_above"] == 2
    assert funnel.loc[(ends[1], 2), "share_at_or_above"] == 0.5
    moves = engagement.transitions(levels).set_index(["level_from", "level_to"])
    assert moves["moves"].sum() == 4
    assert moves.loc[(0, 1), "moves"] == 1 and moves.loc[(1, 2), "share_of_from"] == 0.5
    assert np.isnan(moves.loc[(5, 5), "share_of_from"])


def test_benefits_add_up_to_the_fourteen_and_the_two_common_ones():
    levels = pd.DataFrame({"employer": list("abcdef"), "level": range(6)})
    out = engagement.benefits_offered(levels, BENEFITS)
    assert out["benefits_offered"].tolist() == [0, 3, 6, 9, 13, 16]
    assert out["benefits_at_next_level"].tolist() == [3, 3, 3, 4, 3, 0]


def answers(rows):
    return pd.DataFrame(rows, columns=["respondent", "activity", "answer"])


def test_the_index_by_hand():
    table = answers([(1, "x", "all"), (1, "y", "some"), (2, "x", "most"), (2, "y", None)])
    out = engagement.engagement_index(table, VALUES, ["x", "y"], weights={"x": 3, "y": 1}).iloc[0]
    first, second = (3 * 1 + 0.25) / 4, 0.75  # the second respondent's y is unknown, not none
    assert out["index"] == pytest.approx((first + second) / 2)
    assert out["bound_low"] == pytest.approx(((3 + 0) / 4 + (1.5 + 0) / 4) / 2)
    assert out["bound_high"] == pytest.approx(((3 + 0.5) / 4 + 1) / 2)
    half = 12.706204736 * abs(first - second) / 2  # t(0.975, 1), two respondents
    assert out["ci_low"] == pytest.approx(max(0, (first + second) / 2 - half))
    assert (out["respondents"], out["answers"], out["unanswered"]) == (2, 3, 1)
    assert (out["engagement"], out["engagement_at_low"], out["engagement_at_high"]) == (
        "high",
        "medium",
        "high",
    )


def test_the_class_moves_with_the_cut_offs_and_by_year():
    table = answers([(1, "x", "some")]).assign(year=2023)
    table = pd.concat([table, answers([(1, "x", "all")]).assign(year=2024)])
    out = engagement.engagement_index(table, VALUES, ["x"], by="year")
    assert out["engagement"].tolist() == ["low", "high"]
    assert (
        engagement.engagement_index(table, VALUES, ["x"], by="year", cut_offs=(0.2, 0.25))["engagement"][0]
        == "high"
    )
    with pytest.raises(SectorbookError, match="the smaller first"):
        engagement.engagement_index(table, VALUES, ["x"], cut_offs=(0.7, 0.3))


def test_nobody_answered_is_not_an_index_of_zero():
    out = engagement.engagement_index(answers([(1, "x", None)]), VALUES, ["x"]).iloc[0]
    assert np.isnan(out["index"]) and out["engagement"] is None
    assert (out["bound_low"], out["bound_high"]) == (0, 1)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([*VALUES, None]), min_size=1, max_size=10))
def test_the_index_lies_within_its_bounds(given_answers):
    names = [f"a{i}" for i in range(len(given_answers))]
    table = answers([(1, n, a) for n, a in zip(names, given_answers, strict=True)])
    out = engagement.engagement_index(table, VALUES, names).iloc[0]
    if not np.isnan(out["index"]):
        assert out["bound_low"] - 1e-12 <= out["index"] <= out["bound_high"] + 1e-12


def test_shares_from_records_count_each_employer_once():
    log = records(a=["x", "x"], b=["x"])
    out = engagement.engagement_answers_from_records(log, ["a", "b", "c", "d"], ["x", "y"])
    assert out["share"].tolist() == [0.5, 0]
    with pytest.raises(SectorbookError, match="Unknown employer 'b'"):
        engagement.engagement_answers_from_records(log, ["a"], ["x", "y"])
