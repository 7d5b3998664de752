import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook.errors import SectorbookError
from sectorbook.measures.change import (
    check_vintages,
    naics_vintage,
    shift_share,
    shift_share_bounds,
    shift_share_dynamic,
    shift_share_esteban,
    volatility,
)

# Jobs: what is asked of the parts. Doubles near 100,000 are 1.5e-11 apart, so a sum of parts of that size keeps it with
# room; where Esteban's parts run into the millions, as many times larger is all that addition can promise.
ADDS_UP = 1e-9
ADDS_UP_SIZE = 100_000


def adds_up(parts: pd.DataFrame, change: pd.Series) -> bool:
    allowed = ADDS_UP * (parts.abs().max(axis=1) / ADDS_UP_SIZE).clip(lower=1)
    return bool(((parts.sum(axis=1) - change).abs() <= allowed).all())


DUNN = ["national_growth", "industry_mix", "competitive_shift"]
ESTEBAN = ["national_growth", "industry_mix", "net_competitive", "allocation"]

# G. Krumme, University of Washington, Geography 350, "Shift & Share Table with Excel Explanations": Holukuluku 1985
# to 1995. The page gives the nation as shares of 10, 20, 40 and 30 percent and growth of 10, 20, 30 and 40 percent.
KRUMME = pd.DataFrame(
    {
        "employment_start": [500, 100, 200, 200],
        "employment_end": [1000, 100, 250, 280],
        "us_employment_start": [10, 20, 40, 30],
        "us_employment_end": [11, 24, 52, 42],
    },
    index=["I", "II", "III", "IV"],
)

# O. Farhauer and A. Kröll, Standorttheorien (Springer 2013): three regions that make up a nation, four industries.
FARHAUER = {
    "A": ([90, 20, 10, 60], [100, 40, 10, 55]),
    "B": ([60, 30, 30, 40], [85, 55, 40, 35]),
    "C": ([250, 100, 110, 300], [255, 115, 85, 390]),
}
FARHAUER_NATION = ([400, 150, 150, 400], [440, 210, 135, 480])


@st.composite
def regions(draw):
    """Region and nation at two dates; a nation has every industry its region has."""
    n = draw(st.integers(2, 25))
    column = st.lists(st.integers(0, 2_000_000), min_size=n, max_size=n)
    region = [np.array(draw(column), dtype=float) for _ in range(2)]
    rest = [np.array(draw(st.lists(st.integers(1, 2_000_000), min_size=n, max_size=n))) for _ in range(2)]
    return pd.DataFrame(
        {
            "employment_start": region[0],
            "employment_end": region[1],
            "us_employment_start": region[0] + rest[0],
            "us_employment_end": region[1] + rest[1],
        },
        index=[f"{311 + i}" for i in range(n)],
    )


def test_published_example_classic():
    parts = shift_share(KRUMME)
    assert parts["competitive_shift"].tolist() == pytest.approx([450, -20, -10, 0])
    assert parts["industry_mix"].tolist() == pytest.approx([-95, -9, 2, 22])
    assert parts.sum().to_dict() == pytest.approx(
        {"national_growth": 290, "industry_mix": -80, "competitive_shift": 420, "change": 630}
    )


def test_esteban_on_the_published_data_by_hand():
    # Homothetic jobs are 1000 times the nation's shares; rates are the region's growth less the nation's, by industry.
    parts = shift_share_esteban(KRUMME)
    assert parts["homothetic_employment"].tolist() == pytest.approx([100, 200, 400, 300])
    assert parts["net_competitive"].tolist() == pytest.approx([100 * 0.9, 200 * -0.2, 400 * -0.05, 0])
    assert parts["allocation"].tolist() == pytest.approx([400 * 0.9, -100 * -0.2, -200 * -0.05, 0])


def test_competitive_shifts_of_all_regions_cancel():
    shifts = [
        shift_share(
            pd.DataFrame(
                {
                    "employment_start": start,
                    "employment_end": end,
                    "us_employment_start": FARHAUER_NATION[0],
                    "us_employment_end": FARHAUER_NATION[1],
                }
            )
        )
        for start, end in FARHAUER.values()
    ]
    assert sum(s["competitive_shift"] for s in shifts).tolist() == pytest.approx([0, 0, 0, 0], abs=1e-9)
    # Region A: 180 jobs at the nation's 15 percent; each industry at the nation's own rate gives 9 + 8 - 1 + 12.
    assert shifts[0]["national_growth"].sum() == pytest.approx(27)
    assert shifts[0][["national_growth", "industry_mix"]].sum().sum() == pytest.approx(28)


@st.composite
def real_sizes(draw):
    """A region of up to 200,000 jobs an industry in a nation whose industries halve or double at most."""
    n = draw(st.integers(1, 25))

    def column(least, most):
        return np.array(draw(st.lists(st.integers(least, most), min_size=n, max_size=n)), dtype=float)

    start, us_start = column(0, 200_000), column(200_000, 20_000_000)
    us_end = us_start * column(50, 200) / 100
    columns = {
        "employment_start": start,
        "employment_end": column(0, 200_000),
        "us_employment_start": us_start,
        "us_employment_end": us_end,
    }
    return pd.DataFrame(columns, index=[f"{311 + i}" for i in range(n)])


@settings(deadline=None, max_examples=150)
@given(real_sizes())
def test_parts_add_up_to_the_change(table):
    change = table["employment_end"] - table["employment_start"]
    for parts, names in ((shift_share(table), DUNN), (shift_share_esteban(table), ESTEBAN)):
        assert adds_up(parts[names], change)
        assert parts["change"].equals(change)


@settings(deadline=None, max_examples=100)
@given(real_sizes(), st.data())
def test_dynamic_parts_add_up_over_the_years(table, data):
    n = len(table)
    middle = np.array(data.draw(st.lists(st.integers(0, 200_000), min_size=n, max_size=n)), dtype=float)
    employment = pd.DataFrame({2017: table["employment_start"], 2018: middle, 2019: table["employment_end"]})
    us_start, us_end = table["us_employment_start"], table["us_employment_end"]
    us = pd.DataFrame({2017: us_start, 2018: (us_start + us_end) / 2, 2019: us_end})
    summed = shift_share_dynamic(employment, us).groupby("industry", sort=False)[[*DUNN, "change"]].sum()
    assert adds_up(summed[DUNN], employment[2019] - employment[2017])
    # With one pair of years the dynamic form is the classic one.
    pair = shift_share_dynamic(employment[[2017, 2019]], us[[2017, 2019]]).set_index("industry")
    assert (pair[DUNN] - shift_share(table)[DUNN]).abs().max(axis=None) <= ADDS_UP


@settings(deadline=None, max_examples=60)
@given(regions(), st.data())
def test_bounds_hold_whatever_the_jobs_are(table, data):
    n = len(table)
    spread = [np.array(data.draw(st.lists(st.integers(0, 5000), min_size=n, max_size=n))) for _ in range(4)]
    bounded = table[["us_employment_start", "us_employment_end"]].assign(
        employment_start_lower=(table["employment_start"] - spread[0]).clip(lower=0),
        employment_start_upper=table["employment_start"] + spread[1],
        employment_end_lower=(table["employment_end"] - spread[2]).clip(lower=0),
        employment_end_upper=table["employment_end"] + spread[3],
    )
    bounds, parts = shift_share_bounds(bounded), shift_share(table)
    for part in [*DUNN, "change"]:
        slack = 1e-9 * (1 + parts[part].abs())  # floating point, on growth without limit
        assert (bounds[f"{part}_lower"] <= parts[part] + slack).all()
        assert (bounds[f"{part}_upper"] >= parts[part] - slack).all()


def test_bounds_close_on_disclosed_cells():
    ends = {
        f"employment_{when}_{end}": KRUMME[f"employment_{when}"]
        for when in ("start", "end")
        for end in ("lower", "upper")
    }
    bounds = shift_share_bounds(KRUMME.filter(like="us_").assign(**ends))
    for part in DUNN:
        assert bounds[f"{part}_lower"].tolist() == pytest.approx(shift_share(KRUMME)[part].tolist())
        assert bounds[f"{part}_upper"].tolist() == pytest.approx(shift_share(KRUMME)[part].tolist())
    with pytest.raises(SectorbookError, match="above the upper bound for 'I'"):
        shift_share_bounds(KRUMME.filter(like="us_").assign(**ends | {"employment_end_lower": 2000}))


def test_vintages():
    assert [naics_vintage(y) for y in (2006, 2007, 2010, 2011, 2016, 2017, 2021, 2022, 2025)] == [
        2002, 2007, 2007, 2012, 2012, 2017, 2017, 2022, 2022,
    ]  # fmt: skip
    with pytest.raises(SectorbookError, match="1989"):
        naics_vintage(1989)
    codes = pd.Index(["4541", "622"])
    check_vintages([2017, 2021], codes)
    check_vintages([2016, 2023], codes, unchanged={"4541", "622"})
    with pytest.raises(
        SectorbookError, match=r"2016 is NAICS 2012, 2023 is NAICS 2022. 1 of 2 codes .*: 4541"
    ):
        check_vintages([2016, 2023], codes, unchanged={"622"})
    wide = pd.DataFrame({2021: [1.0, 2], 2022: [1, 2]}, index=codes)
    with pytest.raises(SectorbookError, match="different NAICS vintages"):
        shift_share_dynamic(wide, wide * 10)
    assert shift_share_dynamic(wide, wide * 10, unchanged=set(codes))["change"].tolist() == [0, 0]


@pytest.mark.parametrize(
    "broken, said",
    [
        (KRUMME.drop(columns="employment_end"), "lacks the column 'employment_end'"),
        (
            KRUMME.assign(employment_start=[500, None, 200, 200]),
            "employment_start is missing for industry 'II'",
        ),
        (KRUMME.assign(employment_end=[-1, 1, 1, 1]), "negative for industry 'I'"),
        (KRUMME.assign(us_employment_start=[10, 20, 0, 30]), "'III' has jobs in the region and none"),
        (pd.concat([KRUMME, KRUMME.loc[["IV"]]]), "'IV' stands in more than one row"),
    ],
)
def test_wrong_input_says_what_is_wrong(broken, said):
    with pytest.raises(SectorbookError, match=said):
        shift_share(broken)


def test_volatility():
    wide = pd.DataFrame(
        {2017: [100.0, 100, 0], 2018: [110, 100, 5], 2019: [99, 100, 5]}, index=["a", "b", "c"]
    )
    result = volatility(wide)
    assert result["a"] == pytest.approx(np.std([10, -10], ddof=1))
    assert result["b"] == 0
    assert np.isnan(result["c"])
    with pytest.raises(SectorbookError, match="nothing follows 2017"):
        volatility(wide.rename(columns={2019: 2020, 2018: 2019}))
