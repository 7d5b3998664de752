"""Answers of employers weighted several ways and by domain, and how their engagement moves: by hand and by rules."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sectorbook import config
from sectorbook.measures import employer_answers, employer_views, engagement, engagement_change

ITEMS = config.framework("employer_partnership_ladder").items
LADDER = pd.DataFrame(
    [{"activity": i.id, "level": i.level, "label": i.label} for i in ITEMS if i.group == "activity"]
)
VALUES = {"all": (1, 1, 1), "most": (0.5, 0.75, 1), "some": (0, 0.25, 0.5), "none": (0, 0, 0)}


def files(frame, answered):
    """`frame`: (size, industry, how many); `answered`: (size, industry, answers as a text of y and n)."""
    employers = pd.DataFrame(
        [(size, industry) for size, industry, n in frame for _ in range(n)],
        columns=["size_class", "industry"],
    )
    employers["employer_code"] = [f"E{i}" for i in range(len(employers))]
    employers = employers.assign(invited=True, employees=10)
    rows, used = [], set()
    for size, industry, said in answered:
        same = (employers["size_class"] == size) & (
            employers["industry"].isna() if industry is None else employers["industry"] == industry
        )
        for word in said:
            code = next(c for c in employers.loc[same, "employer_code"] if c not in used)
            used.add(code)
            rows.append((code, {"y": "yes", "n": "no", "-": None}[word], float(len(used))))
    answers = pd.DataFrame(rows, columns=["employer_code", "q", "amount"])
    answers = answers.assign(consent="yes", complete=True, in_frame=True, duplicate_of=pd.NA)
    kept, _ = employer_answers.counted(answers, employers)
    assert len(kept) == len(rows)
    return kept, employers


def test_cells_are_met_where_each_has_an_answer():
    kept, employers = files(
        [("s", "621", 10), ("s", "623", 30), ("l", "621", 5)],
        [("s", "621", "yyn"), ("s", "623", "nn"), ("l", "621", "yy")],
    )
    made, how = employer_views.designs(kept, employers)
    assert how == employer_views.CELLS
    shares = employer_views.compared(made, {"q": ("yes", "Yes")}).set_index("weighting")["percent"]
    assert shares[employer_views.UNWEIGHTED] == pytest.approx(100 * 4 / 7)
    assert shares[employer_views.BY_SIZE] == pytest.approx(100 * (2 * 8 + 5) / 45)
    assert shares[employer_views.BY_INDUSTRY] == pytest.approx(100 * (2 * 10 / 3 + 5) / 45)
    most = employer_views.widest(employer_views.compared(made, {"q": ("yes", "Yes")}))
    assert most["moved"] == pytest.approx(shares.iloc[2] - shares.iloc[0])
    weights = employer_views.weight_table(made).set_index("weighting")
    assert weights.loc[employer_views.BY_INDUSTRY, "weight_largest"] == pytest.approx(15)
    assert weights.loc[employer_views.UNWEIGHTED, "effective_answers"] == pytest.approx(7)


def test_margins_are_met_where_a_cell_is_empty():
    kept, employers = files(
        [("s", "621", 10), ("s", "623", 30), ("l", "621", 5), ("l", "623", 5)],
        [("s", "621", "yyn"), ("s", "623", "nn"), ("l", "621", "yy")],
    )
    made, how = employer_views.designs(kept, employers)
    assert how == employer_views.MARGINS
    design = made[employer_views.BY_INDUSTRY]
    for name, known in (("frame_size", {"s": 40, "l": 10}), ("frame_group", {"621": 15, "623": 35})):
        got = pd.Series(design.weight).groupby(design.frame[name].to_numpy()).sum()
        assert got.to_dict() == pytest.approx(known)


def test_margins_that_contradict_the_answers_leave_size_alone():
    kept, employers = files(
        [("s", "621", 10), ("l", "623", 5), ("l", "621", 5)], [("s", "621", "yn"), ("l", "623", "yy")]
    )
    made, how = employer_views.designs(kept, employers)
    assert how == employer_views.ALONE and list(made) == [employer_views.UNWEIGHTED, employer_views.BY_SIZE]
    assert employer_views.widest(employer_views.compared(made, {"q": ("yes", "Yes")}))["moved"] == 0


def test_an_industry_nobody_answered_in_or_knows_joins_the_least_answered():
    kept, employers = files(
        [("s", "621", 6), ("s", "622", 4), ("s", "623", 8), ("s", None, 2)],
        [("s", "621", "ynn"), ("s", "623", "yy")],
    )
    made, how = employer_views.designs(kept, employers)
    assert how == employer_views.CELLS
    design = made[employer_views.BY_INDUSTRY]
    got = pd.Series(design.weight).groupby(design.frame["frame_group"].to_numpy()).sum()
    assert got.to_dict() == pytest.approx({"621": 6, "623": 14})


def test_a_size_nobody_answered_in_is_not_represented_and_one_answer_is_none():
    kept, employers = files([("s", "621", 6), ("l", "621", 4)], [("s", "621", "yn")])
    made, _ = employer_views.designs(kept, employers)
    assert {round(d.weight.sum()) for d in made.values()} == {6}
    assert employer_views.designs(kept.iloc[:1], employers) == ({}, employer_views.ALONE)
    assert employer_views.compared({}, {"q": ("yes", "Yes")}).empty
    assert np.isnan(employer_views.widest(employer_views.compared({}, {}))["moved"])
    assert employer_views.domains({}, {}, "q", "yes", "amount", 2).empty


def test_a_group_with_few_answers_has_no_estimate():
    kept, employers = files([("s", "621", 10), ("l", "623", 5)], [("s", "621", "yyn-"), ("l", "623", "yy")])
    made, _ = employer_views.designs(kept, employers)
    table = employer_views.domains(made, {"s": "Small", "l": "Large"}, "q", "yes", "amount", 3)
    table = table.set_index("domain_label")
    assert list(table.index) == ["Small", "Large", "NAICS 621", "NAICS 623"]
    assert table["answers_n"].tolist() == [4, 2, 4, 2]
    assert table.loc["Small", "percent"] == pytest.approx(200 / 3)  # the open answer is not a no
    assert table.loc["Small", "mean"] == pytest.approx(2.5)
    assert table.loc[["Large", "NAICS 623"], ["percent", "mean", "mean_high"]].isna().all(axis=None)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(["s", "m", "l"]), st.sampled_from(["621", "622", "623"]), st.integers(1, 9)),
        min_size=1, max_size=9, unique_by=lambda row: row[:2],
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_weights_stand_for_the_sizes_answered_whoever_answers(frame, random):
    answered = [(size, industry, "y" * random.randint(0, n)) for size, industry, n in frame]
    answered[0] = (*frame[0][:2], "y" * frame[0][2])
    kept, employers = files(frame, answered)
    if len(kept) < 2:
        return
    made, how = employer_views.designs(kept, employers)
    represented = employers["size_class"].isin(kept["frame_size"]).sum()
    for design in made.values():
        assert design.weight.sum() == pytest.approx(represented)
        assert (design.weight >= 0).all()
    assert (employer_views.BY_INDUSTRY in made) == (how != employer_views.ALONE)


# -- the ladder ----------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from("ABCD"), st.sampled_from(list(LADDER["activity"])), st.integers(0, 700)),
        min_size=1, max_size=40,
    )
)  # fmt: skip
def test_moves_are_every_step_once(rows):
    records = pd.DataFrame(rows, columns=["employer", "activity", "days"])
    records["date"] = pd.Timestamp("2024-01-15") + pd.to_timedelta(records["days"], unit="D")
    levels = employer_answers.levels_by_period(records, LADDER, 6, 12, 1)
    assert levels["period_end"].max() >= records["date"].max()
    table, net = engagement_change.moves(levels, 5), engagement_change.balance(levels)
    periods = levels["period_end"].nunique()
    if periods < 2:
        assert table.empty and net.isna().all()
        return
    counts = table.filter(like="to_").to_numpy()
    assert counts.sum() == net.sum() == records["employer"].nunique() * (periods - 1)
    assert np.triu(counts, 1).sum() == net["up"] and np.tril(counts, -1).sum() == net["down"]
    kept = table["stayed_pct"].dropna()
    assert kept.between(0, 100).all() and (table["stayed_pct"].isna() == (counts.sum(axis=1) == 0)).all()


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.sets(st.sampled_from(list(LADDER["activity"]))), min_size=1, max_size=6), st.integers(1, 3)
)
def test_an_activity_raises_exactly_as_many_as_said(sets, minimum):
    names = [f"E{i}" for i in range(len(sets))]
    rows = [(name, activity) for name, done in zip(names, sets, strict=True) for activity in done]
    records = pd.DataFrame(rows, columns=["employer", "activity"])
    levels = engagement.classify_employers(records, LADDER, names, minimum)
    table = engagement_change.raises(levels, LADDER).set_index("activity")["raises_count"]
    now = levels.set_index("employer")["level"]
    tried = [(f"{name} {one}", done) for name in names for one in LADDER["activity"]
             for done in {one, *sets[names.index(name)]}]  # fmt: skip
    then = engagement.classify_employers(
        pd.DataFrame(tried, columns=["employer", "activity"]), LADDER, None, minimum
    ).set_index("employer")["level"]
    for activity in LADDER["activity"]:
        assert table[activity] == sum(then[f"{name} {activity}"] > now[name] for name in names)


def test_2000_of_the_131072_sets_come_with_a_level_and_a_reason_that_says_it():
    """The level of every set is checked in test_engagement; here what is said of it, for sets drawn at random."""
    drawn = np.random.default_rng(8).choice(2**17, 2000, replace=False)
    has = (drawn[:, None] >> np.arange(17)) & 1 == 1
    who, what = np.nonzero(has)
    names = [f"{n:06d}" for n in drawn]
    records = pd.DataFrame(
        {"employer": np.array(names)[who], "activity": LADDER["activity"].to_numpy()[what]}
    )
    table = engagement.classify_employers(records, LADDER, names).set_index("employer").loc[names]
    level_of, labels = LADDER["level"].to_numpy(), LADDER["label"].to_numpy()
    complete = np.column_stack([has[:, level_of == n].any(axis=1) for n in range(1, 6)])
    assert (table["level"].to_numpy() == np.cumprod(complete, axis=1).sum(axis=1)).all()
    assert set(table["level"]) == set(range(6))
    for mine, row in zip(has, table.itertuples(), strict=True):
        assert row.reason.startswith(f"Level {row.level}, set by:" if row.level else "No level:")
        said, _, ways = row.reason.partition(" of these would raise it to level ")
        for on_record, label, step in zip(mine, labels, level_of, strict=True):
            assert (label in said) == (on_record and step == row.level)
            assert (label in ways) == (not on_record and step == row.level + 1)
        assert bool(ways) == (row.level < 5)
        behind = mine.any() and level_of[mine].max() > row.level
        assert ("is not complete" in said) == behind


# -- the table of ten activities -----------------------------------------------------------------------------------


def said(rows):
    return pd.DataFrame(rows, columns=["respondent", "year", "activity", "answer"])


def test_only_who_answered_both_years_makes_a_change():
    table = said([
        ("a", 2025, "x", "none"), ("a", 2026, "x", "some"), ("b", 2025, "x", "most"), ("b", 2026, "x", "most"),
        ("c", 2026, "x", "all"), ("a", 2025, "y", "all"), ("a", 2026, "y", None), ("a", 2024, "x", "all"),
    ])  # fmt: skip
    years = engagement_change.activity_years(table, VALUES, {"x": "Meet", "y": "Pay"})
    assert years["activity_label"].tolist() == ["Meet"]
    row = years.iloc[0]
    assert (row["share_before"], row["share"], row["change"], row["respondents"]) == (37.5, 50, 12.5, 2)
    # "None" to "some" is anything from 0 to 50 points; "most" both times is no change.
    assert (row["change_low"], row["change_high"]) == (0, 25)
    assert engagement_change.activity_years(table[table["year"] == 2025], VALUES, {}).empty
    assert engagement_change.activity_years(table.head(0), VALUES, {}).empty


def test_the_change_of_the_index_is_the_paired_t_interval():
    rng = np.random.default_rng(5)
    words = list(VALUES)
    rows = [
        (who, year, act, words[rng.integers(4)]) for who in "abcde" for year in (2025, 2026) for act in "xyz"
    ]
    table = said(rows)
    found = engagement_change.index_change(table, VALUES, list("xyz"))
    index = table.assign(v=100 * table["answer"].map(lambda w: VALUES[w][1])).groupby(["respondent", "year"])[
        "v"
    ]
    wide = index.mean().unstack()
    test = stats.ttest_rel(wide[2026], wide[2025])
    assert found["change"] == pytest.approx((wide[2026] - wide[2025]).mean())
    assert [found["ci_low"], found["ci_high"]] == pytest.approx(list(test.confidence_interval(0.95)))
    assert (found["respondents"], found["year_before"], found["year"]) == (5, "2025", "2026")
    lone = engagement_change.index_change(table[table["respondent"] == "a"], VALUES, list("xyz"))
    assert np.isnan(lone["change"]) and lone["respondents"] == 1
    assert np.isnan(engagement_change.index_change(table.head(0), VALUES, list("xyz"))["change"])


def test_one_word_more_adds_what_it_says():
    table = said(
        [("a", 2026, "x", "some"), ("a", 2026, "y", "all"), ("b", 2026, "x", "none"), ("a", 2025, "x", "all")]
    )
    raised = engagement_change.index_raised(table, VALUES, ["x", "y"], (0.33, 0.67)).set_index("activity")
    before = ((0.25 + 1) / 2 + 0) / 2
    after = ((0.75 + 1) / 2 + 0.25) / 2
    assert raised.loc["x", "gain"] == pytest.approx(100 * (after - before))
    assert raised.loc["x", "index_if_raised"] == pytest.approx(100 * after)
    assert raised.loc["x", "class_if_raised"] == "medium"
    assert raised.loc["y", "gain"] == 0 and raised.loc["y", "at_top"] == 1
    assert engagement_change.index_raised(table.assign(answer=None), VALUES, ["x"], (0.3, 0.6)).empty
    heavier = engagement_change.index_raised(table, VALUES, ["x", "y"], (0.33, 0.67), {"x": 3, "y": 1})
    assert heavier.set_index("activity").loc["x", "gain"] > raised.loc["x", "gain"]
