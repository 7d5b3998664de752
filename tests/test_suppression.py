import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sectorbook.errors import SectorbookError
from sectorbook.measures.suppression import (
    COLUMNS,
    KEY,
    accounts,
    industry_level,
    industry_parent,
    location_quotient_bounds,
    rank_bounds,
    region_bounds,
    suppressed_bounds,
)
from sectorbook.measures.suppression_fill import (
    estimate_suppressed,
    hide_cells,
    proportional_fill,
    score_estimates,
)
from shared import SHARED, needs_shared

SUM_SLACK = 0.01  # jobs: proportional fitting stops when a round moves no cell by more than a thousandth
LEAVES = ["3111", "3112", "312", "332", "4231", "4232", "484", "622"]


def tree(leaf_jobs, sites, area="39001"):
    """All cells above private, local government and all-ownership leaves; jobs and sites by (ownership, leaf)."""
    sums: dict[tuple[str, str], list[float]] = {}
    for (own, leaf), jobs in leaf_jobs.items():
        code = leaf
        while code is not None:
            for ownership in (own, "0") if code == "10" else (own,):
                cell = sums.setdefault((ownership, code), [0.0, 0.0])
                cell[0] += jobs
                cell[1] += sites[own, leaf]
            code = industry_parent(code)
    cells = pd.DataFrame(
        [(area, own, code, n, jobs) for (own, code), (jobs, n) in sums.items()], columns=COLUMNS[:-1]
    )
    return cells.assign(suppressed=False)


@st.composite
def masked(draw, areas=2, rounding=0.0):
    """True cells of some counties and their area, what is printed of them, and a random mask below the totals."""
    counties = []
    for a in range(areas):
        keys = [(own, leaf) for own in ("5", "3") for leaf in LEAVES if draw(st.booleans())] or [("5", "622")]
        size = st.integers(0, 400) if rounding == 0 else st.integers(0, 4800).map(lambda n: n / 12)
        jobs = {key: draw(size) for key in keys}
        counties.append(tree(jobs, {key: draw(st.integers(1, 9)) for key in keys}, f"3900{a + 1}"))
    whole = pd.concat(counties).groupby(KEY[1:], as_index=False)[["establishments", "employment"]].sum()
    cells = pd.concat([*counties, whole.assign(area_fips="C1000", suppressed=False)], ignore_index=True)
    mask = np.array(draw(st.lists(st.booleans(), min_size=len(cells), max_size=len(cells))))
    cells["suppressed"] = mask & ~((cells["own_code"] == "0") & (cells["industry_code"] == "10"))
    truth = cells["employment"] if rounding == 0 else np.floor(cells["employment"] + 0.5)
    return (
        cells.assign(employment=truth.mask(cells["suppressed"])),
        truth,
        {"C1000": [f"3900{a + 1}" for a in range(areas)]},
    )


def test_the_tree_is_bls_tree():
    chain = ["311812", "31181", "3118", "311", "31-33", "1013", "101", "10"]
    assert [industry_parent(code) for code in chain] == [*chain[1:], None]
    assert [industry_level(code) for code in chain] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert [industry_parent(c) for c in ("454", "492", "92", "99", "1028")] == [
        "44-45",
        "48-49",
        "1028",
        "1029",
        "102",
    ]
    for wrong in ("1099", "97", "3", "abc"):
        with pytest.raises(SectorbookError, match=f"Unknown QCEW industry code '{wrong}'"):
            industry_parent(wrong)


MILLS = ["5 311", "5 3111", "5 3112", "5 312"]  # all that manufacturing has below its sector


def small(hidden):
    jobs = {("5", "3111"): 40, ("5", "3112"): 60, ("5", "312"): 25, ("5", "622"): 300, ("3", "622"): 75}
    cells = tree(jobs, dict.fromkeys(jobs, 3))
    named = (cells["own_code"] + " " + cells["industry_code"]).isin(hidden)
    return cells.assign(suppressed=named, employment=cells["employment"].mask(named))


def bounds_of(found, *keys):
    found = found.set_index(found["own_code"] + " " + found["industry_code"])
    return [tuple(found.loc[key, ["employment_lower", "employment_upper"]]) for key in keys]


def test_bounds_by_hand():
    # 311 (100) and 312 (25) hidden under manufacturing, 125: either may be anything up to 125.
    assert bounds_of(suppressed_bounds(small(MILLS)), "5 311", "5 312") == [(0, 125), (0, 125)]
    # 3111 printed: 311 is at least its 40 jobs.
    found = suppressed_bounds(small(["5 311", "5 312", "5 3112"]))
    assert bounds_of(found, "5 311", "5 312", "5 3112") == [(40, 125), (0, 85), (0, 85)]
    # A lone gap is no gap.
    assert bounds_of(suppressed_bounds(small(["5 312"])), "5 312") == [(25, 25)]
    # Ownerships: local government hospitals and all local government, 75, hide behind the private total.
    found = suppressed_bounds(small(["3 622", "3 10", "3 102", "3 1025", "3 62"]))
    assert bounds_of(found, "3 622", "3 10") == [(75, 75), (75, 75)]
    assert bounds_of(found, "5 622") == [(300, 300)]  # disclosed
    assert found["employment"].isna().sum() == 5


def test_an_area_ties_its_counties():
    a = small(MILLS)
    b = small(MILLS).assign(area_fips="39003")
    area = small([]).assign(area_fips="C1000")
    area[["employment", "establishments"]] *= 2
    cells = pd.concat([a, b, area.assign(suppressed=area["industry_code"] == "312")], ignore_index=True)
    apart = suppressed_bounds(cells)
    tied = suppressed_bounds(cells, {"C1000": ["39001", "39003"]})
    key = (tied["industry_code"] == "311") & (tied["area_fips"] == "39001")
    assert apart.loc[key, ["employment_lower", "employment_upper"]].to_numpy().tolist() == [[0, 125]]
    # Both counties' 311 add up to 200, so one has at least 200 - 125.
    assert tied.loc[key, ["employment_lower", "employment_upper"]].to_numpy().tolist() == [[75, 125]]
    # A part of an area may not pass what the area has: with one county of two, 311 is at most the area's 200.
    part = suppressed_bounds(cells[cells["area_fips"] != "39003"], {"C1000": ["39001"]})
    assert part.loc[key, "employment_upper"].tolist() == [125]


@settings(deadline=None, max_examples=25)
@given(masked())
def test_bounds_hold_and_are_the_linear_programs_own(case):
    cells, truth, members = case
    found = suppressed_bounds(cells, members)
    assert (found["employment_lower"] <= truth).all() and (truth <= found["employment_upper"]).all()
    books = accounts(cells, members)
    for k, at in enumerate(books.position[:4]):  # one program per cell and end, without any of the short cuts
        for sign, end in ((1, "employment_lower"), (-1, "employment_upper")):
            objective = sign * np.eye(len(books.position))[k]
            direct = linprog(objective, A_eq=books.matrix, b_eq=books.high, method="highs")
            assert found[end].iloc[at] == pytest.approx(sign * direct.fun, abs=1)


@settings(deadline=None, max_examples=25)
@given(masked(rounding=0.5))
def test_bounds_hold_for_rounded_averages(case):
    cells, truth, members = case
    for tie in (None, members):
        found = suppressed_bounds(cells, tie, rounding=0.5)
        assert (found["employment_lower"] <= truth).all() and (truth <= found["employment_upper"]).all()


@settings(deadline=None, max_examples=15)
@given(
    st.sampled_from([0.0, 0.5]).flatmap(
        lambda rounding: st.tuples(st.just(rounding), masked(rounding=rounding))
    )
)
def test_estimates_meet_every_sum_and_stay_in_bounds(drawn):
    rounding, (cells, _, members) = drawn
    filled = estimate_suppressed(suppressed_bounds(cells, members, rounding), members, rounding)
    jobs = filled["employment_estimate"]
    assert ((filled["employment_lower"] <= jobs) & (jobs <= filled["employment_upper"])).all()
    assert filled["is_estimated"].equals(cells["suppressed"])
    disclosed = ~cells["suppressed"]
    assert jobs[disclosed].equals(cells.loc[disclosed, "employment"])
    books = accounts(cells, members, rounding)
    sums = books.matrix @ jobs.to_numpy()[books.position]
    slack = rounding + SUM_SLACK * max(
        1, jobs.max()
    )  # bounds are of the printed figure, half a job from the true one
    assert (sums >= books.low - slack).all() and (sums <= books.high + slack).all()


def test_estimate_uses_industry_size_where_the_naive_fill_cannot():
    # One hospital with 300 jobs and one office with 3 hide each other; elsewhere hospitals have 300, offices 4.
    here = tree({("5", "622"): 300, ("5", "621"): 3}, {("5", "622"): 1, ("5", "621"): 1})
    there = tree({("5", "622"): 3000, ("5", "621"): 400}, {("5", "622"): 10, ("5", "621"): 100}, "39003")
    hidden = here["industry_code"].isin(["621", "622"])
    found = suppressed_bounds(here.assign(suppressed=hidden))
    at = found["industry_code"] == "622"
    assert proportional_fill(found).loc[at, "employment_estimate"].tolist() == pytest.approx([151.5])
    assert estimate_suppressed(found, reference=there).loc[at, "employment_estimate"].iloc[0] > 250


def test_a_hidden_whole_of_disclosed_parts_is_their_sum_for_its_neighbours_too():
    # 311 hides, its parts do not: it is 100, so 312 is 25 of manufacturing's 125, whatever its establishments suggest.
    filled = estimate_suppressed(suppressed_bounds(small(["5 311", "5 312"]), rounding=0.5), rounding=0.5)
    named = filled.set_index(filled["own_code"] + " " + filled["industry_code"])["employment_estimate"]
    assert named["5 311"] == pytest.approx(100, abs=2) and named["5 312"] == pytest.approx(25, abs=2)
    jobs = {("5", "3111"): 40, ("5", "312"): 25}
    tall = tree(jobs, {("5", "3111"): 1, ("5", "312"): 30})
    books = tall.assign(
        suppressed=tall["industry_code"].isin(["311", "312"]), employment_lower=0.0, employment_upper=65.0
    )
    # With bounds that say nothing, the fit itself must find it.
    found = estimate_suppressed(books)["employment_estimate"]
    assert found.tolist() == pytest.approx(tall["employment"].tolist(), abs=SUM_SLACK)


def test_bounds_flow_on():
    found = suppressed_bounds(
        pd.concat([small(MILLS), small([]).assign(area_fips="39003")], ignore_index=True)
    )
    filled = estimate_suppressed(found)
    region = region_bounds(filled, ["39001", "39003"]).set_index(["own_code", "industry_code"])
    row = region.loc["5", "311"]
    assert (row["employment_lower"], row["employment_upper"]) == (100, 225)
    assert (
        np.isnan(row["employment"])
        and row["suppressed"]
        and row["is_estimated"]
        and row["establishments"] == 12
    )
    assert row["employment_lower"] < row["employment_estimate"] < row["employment_upper"]
    assert region.loc[("5", "622"), "employment"] == 600 and not region.loc[("5", "622"), "is_estimated"]
    us = pd.Series(1000.0, index=region.index)
    quotient = location_quotient_bounds(region, 1000, us, 100_000)
    assert quotient.loc[("5", "311")].tolist() == pytest.approx([10, 22.5])
    with pytest.raises(SectorbookError, match=r"Unknown county_fips '39002'.*39003"):
        region_bounds(filled, ["39002"])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=12)
)
def test_rank_bounds_hold(rows):
    lower = pd.Series([low for low, _, _ in rows])
    upper = lower + [a + b for _, a, b in rows]
    ranks = rank_bounds(lower, upper)
    actual = (lower + [a for _, a, _ in rows]).rank(ascending=False, method="min")
    assert (ranks["rank_best"] <= actual).all() and (actual <= ranks["rank_worst"]).all()
    assert rank_bounds(lower, lower)["rank_best"].equals(
        lower.rank(ascending=False, method="min").astype(int)
    )


def test_hiding_leaves_no_lone_gap():
    jobs = {(own, leaf): 10.0 + i for i, leaf in enumerate(LEAVES) for own in "53"}
    cells = tree(jobs, dict.fromkeys(jobs, 2))
    hidden = hide_cells(cells, 0.2, seed=1)
    assert hidden["hidden"].sum() > 2
    books = accounts(hidden)
    assert (np.diff(books.matrix.indptr) >= 2).all()
    assert hide_cells(cells, 0.2, seed=1)["hidden"].equals(hidden["hidden"])
    assert not hide_cells(cells, 0.2, seed=2)["hidden"].equals(hidden["hidden"])


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda c: c.drop(columns="establishments"), "lack the column 'establishments'"),
        (lambda c: pd.concat([c, c.iloc[[0]]]), "stands in more than one row"),
        (lambda c: c.assign(own_code="7"), "Unknown own_code '7'"),
        (lambda c: c.assign(employment=c["employment"].replace(60.0, 61.0)), "disclosed parts have 101 jobs, the whole 100"),
        (lambda c: c.assign(employment=c["employment"].replace(60.0, np.nan)), "cell 39001 5 3112 is nan"),
        (lambda c: c.assign(establishments=c["establishments"].where(c["industry_code"] != "312", 5)), "11 establishments"),
        (lambda c: c[c["industry_code"] != "10"].assign(suppressed=True), "Nothing bounds the suppressed cell 39001"),
        (
            lambda c: c.assign(
                employment=c["employment"].replace(100.0, 500.0),
                suppressed=c["industry_code"].isin(["312", "3111", "3112"]),
            ),
            "No numbers of jobs satisfy",
        ),
    ],
)  # fmt: skip
def test_wrong_cells_say_what_is_wrong(change, said):
    with pytest.raises(SectorbookError, match=said):
        suppressed_bounds(change(small([])))


def qcew(folder, pattern, columns, keep):
    text = {"area_fips": str, "own_code": str, "industry_code": str, "disclosure_code": str}
    files = sorted((SHARED / "data" / "qcew" / folder).glob(pattern))
    cells = pd.concat(pd.read_csv(f, dtype=text) for f in files).rename(columns=columns).query(keep)
    return cells.assign(suppressed=cells["disclosure_code"] == "N")[COLUMNS].reset_index(drop=True)


@needs_shared
@pytest.mark.parametrize("year", [2020, 2023])
def test_ohio_cells_hidden_at_random_lie_within_their_bounds(year):
    names = {"annual_avg_emplvl": "employment", "annual_avg_estabs": "establishments"}
    counties = qcew("annual_by_area", f"*{year}-a-3904[1-7].csv", names, "qtr == 'A'")
    names = {"month3_emplvl": "employment", "qtrly_estabs": "establishments"}
    us = qcew("national", "US000*.csv", names, "own_code <= '5'")
    score = score_estimates(counties, share=0.1, seed=year, rounding=0.5, reference=us)
    assert score["n_hidden"] > 250
    assert score["bounds_held_pct"] == 100
    assert score["error_pct"] < 0.75 * score["naive_error_pct"]
    assert score["median_error_pct"] < score["naive_median_error_pct"]


@needs_shared
def test_seattle_counties_and_their_area_hold_together():
    names = {"month3_emplvl": "employment", "qtrly_estabs_count": "establishments"}
    cells = qcew("quarterly_by_area_2016", "*Seattle*.gz", names, "qtr == 4")
    counties = qcew("quarterly_by_area_2016", "* 530*.gz", names, "qtr == 4")
    members = {"C4266": ["53033", "53053", "53061"]}
    hidden = hide_cells(pd.concat([cells, counties], ignore_index=True), 0.05, seed=3, area_members=members)
    truth = pd.concat([cells, counties], ignore_index=True)["employment"]
    found = suppressed_bounds(hidden, members)
    which = hidden["hidden"]
    assert which.sum() > 100
    assert (found["employment_lower"] <= truth)[which].all() and (truth <= found["employment_upper"])[
        which
    ].all()
    apart = suppressed_bounds(hidden)
    width, width_apart = ((f["employment_upper"] - f["employment_lower"]).sum() for f in (found, apart))
    assert width < width_apart
