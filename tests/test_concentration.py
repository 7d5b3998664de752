import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook.errors import SectorbookError
from sectorbook.measures.concentration import (
    cluster_location_quotient,
    hachman_index,
    herfindahl_index,
    krugman_specialization,
    location_quotient,
    location_quotient_interval,
)
from shared import SHARED, needs_shared

# BLS prints 2 decimals, so a recomputed quotient is at most half of the last digit away. The 1e-9 is arithmetic.
HALF_PRINTED_DIGIT = 0.005 + 1e-9

QCEW_2016 = ["qtrly_estabs_count", "month1_emplvl", "month2_emplvl", "month3_emplvl", "total_qtrly_wages"]

jobs = st.lists(st.integers(0, 10**6), min_size=2, max_size=30).filter(any)


def test_published_worked_example():
    # G. Krumme, University of Washington, Geography 350, "Shift & Share Table": Holukuluku, 1985.
    region = np.array([500.0, 100, 200, 200])
    nation = np.array([10.0, 20, 40, 30])
    assert location_quotient(region, 1000, nation, 100) == pytest.approx([5, 0.5, 0.5, 0.667], abs=0.0005)
    assert krugman_specialization(region, nation) == pytest.approx(
        0.8
    )  # |50-10|+|10-20|+|20-40|+|20-30| percent
    assert herfindahl_index(region) == pytest.approx(0.25 + 0.01 + 0.04 + 0.04)
    assert hachman_index(region, nation) == pytest.approx(1 / (0.5 * 5 + 0.1 * 0.5 + 0.2 * 0.5 + 0.2 * 2 / 3))


def test_shapes_follow_the_input():
    assert location_quotient(10, 100, 50, 1000) == pytest.approx(2.0)
    assert isinstance(location_quotient(10, 100, 50, 1000), float)
    series = pd.Series([10.0, np.nan, 0.0], index=["a", "b", "c"])
    result = location_quotient(series, 100, pd.Series([50.0, 5, 5], index=series.index), 1000)
    assert list(result.index) == ["a", "b", "c"]
    assert result["a"] == pytest.approx(2.0) and np.isnan(result["b"]) and result["c"] == 0
    assert np.isnan(location_quotient(0, 100, 0, 1000))  # no such industry in the nation


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((-1, 10, 1, 10), "employment is negative"),
        ((1, 0, 1, 10), "total is not above zero"),
        ((1, 10, 11, 10), "us_employment is larger than us_total"),
        ((np.array([1, 9]), np.array([5, 5]), 1, 10), "row 1: 9 of 5"),
        (("x", 10, 1, 10), "must be numbers"),
        ((pd.Series([1, 2]), 10, pd.Series([1, 2], index=[1, 0]), 10), "not about the same rows"),
    ],
)
def test_wrong_input_says_what_is_wrong(arguments, said):
    with pytest.raises(SectorbookError, match=said):
        location_quotient(*arguments)


@settings(deadline=None, max_examples=60)
@given(jobs)
def test_a_copy_of_the_nation_is_not_specialized(us):
    us = np.array(us, dtype=float)
    assert hachman_index(us / 7, us) == pytest.approx(1)
    assert krugman_specialization(us / 7, us) == pytest.approx(0, abs=1e-12)
    assert 1 / len(us) - 1e-12 <= herfindahl_index(us) <= 1
    quotients = location_quotient(us / 7, us.sum() / 7, us, us.sum())
    assert quotients[us > 0] == pytest.approx(1)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_indices_keep_their_ranges(data):
    region = np.array(data.draw(jobs), dtype=float)
    us = region * 3 + np.array(
        data.draw(st.lists(st.integers(1, 10**6), min_size=len(region), max_size=len(region)))
    )
    assert 0 < hachman_index(region, us) <= 1 + 1e-12
    assert 0 <= krugman_specialization(region, us) <= 2


def test_cluster_quotient_sums_before_dividing():
    employment = pd.Series([10.0, 90.0, 5.0], index=["1", "2", "3"])
    us = pd.Series([10.0, 890.0, 100.0], index=employment.index)
    cluster = pd.Series(["x", "x", "y"], index=employment.index)
    result = cluster_location_quotient(employment, cluster, 1000, us, 10_000)
    assert result["x"] == pytest.approx((100 / 1000) / (900 / 10_000))
    employment["2"] = np.nan
    assert np.isnan(cluster_location_quotient(employment, cluster, 1000, us, 10_000)["x"])


def test_interval():
    low, high = location_quotient_interval(
        np.array([0.0, 10, 1000]), 10_000, np.array([500.0, 1000, 10_000]), 10**6
    )
    point = location_quotient(np.array([0.0, 10, 1000]), 10_000, np.array([500.0, 1000, 10_000]), 10**6)
    assert low[0] == 0 and high[0] > 0
    assert (low <= point).all() and (point <= high).all()
    assert high[2] / low[2] < high[1] / low[1]  # more jobs, narrower
    narrow = location_quotient_interval(10.0, 10_000, 1000, 10**6, level=0.5)
    assert low[1] < narrow[0] < narrow[1] < high[1]
    # 1.96 relative standard errors of hypot(3, 4) percent around 1
    assert location_quotient_interval(
        10, 100, 10, 100, employment_rse_pct=3, us_employment_rse_pct=4
    ) == pytest.approx((np.exp(-1.959964 * 0.05), np.exp(1.959964 * 0.05)), rel=1e-6)


def test_interval_covers_binomial_draws_at_its_level():
    rng = np.random.default_rng(7)
    share, total, us_share, us_total = 0.002, 20_000, 0.001, 10**7
    drawn, us_drawn = rng.binomial(total, share, 4000), rng.binomial(us_total, us_share, 4000)
    low, high = location_quotient_interval(
        drawn.astype(float), total, us_drawn.astype(float), us_total, level=0.9
    )
    covered = np.mean((low <= 2) & (high >= 2))
    assert 0.88 < covered < 0.93  # 4000 draws: two standard errors are 0.01


def test_indices_refuse_part_of_an_economy():
    with pytest.raises(SectorbookError, match="'62'"):
        herfindahl_index(pd.Series([1.0, np.nan], index=["61", "62"]))
    with pytest.raises(SectorbookError, match="none in the nation"):
        hachman_index([1.0, 1.0], [1.0, 0.0])


@needs_shared
def test_recomputed_quotients_equal_every_one_bls_prints_for_2016():
    codes = {"area_fips": str, "industry_code": str, "disclosure_code": str, "lq_disclosure_code": str}
    folder = SHARED / "data" / "qcew"
    area = pd.concat(
        pd.read_csv(f, dtype=codes) for f in sorted((folder / "quarterly_by_area_2016").glob("*.gz"))
    )
    us = pd.read_csv(folder / "national" / "us_national_2016q_implied_from_lq.csv", dtype=codes)
    us_total = pd.read_csv(folder / "national" / "us_total_covered_2016q_sum_of_areas.csv", dtype=codes)
    total = area[(area["own_code"] == 0) & (area["industry_code"] == "10")]
    cells = (
        area[area["disclosure_code"].isna() & area["lq_disclosure_code"].isna()]
        .merge(us, on=["own_code", "industry_code", "qtr"], suffixes=("", "_us"))
        .merge(us_total[["qtr", *QCEW_2016]], on="qtr", suffixes=("", "_us_total"))
        .merge(total[["area_fips", "qtr", *QCEW_2016]], on=["area_fips", "qtr"], suffixes=("", "_total"))
    )
    compared = 0
    for column in QCEW_2016:
        quotient = location_quotient(*(cells[column + end] for end in ("", "_total", "_us", "_us_total")))
        printed = cells[f"lq_{column}"]
        both = quotient.notna() & (cells[f"{column}_us"] > 0)
        assert (np.floor(quotient[both] * 100 + 0.5) / 100 - printed[both]).abs().max() < 1e-9
        compared += int(both.sum())
    assert compared == 110_565


@needs_shared
def test_annual_quotients_of_fifteen_counties_imply_one_national_share():
    # National levels of 2020 and 2023 are not at hand. Each county's printed quotient implies a range for the
    # nation's share of the industry; with the right base all counties' ranges meet.
    codes = {"area_fips": str, "industry_code": str, "disclosure_code": str, "lq_disclosure_code": str}
    files = sorted((SHARED / "data" / "qcew" / "annual_by_area").glob("*.csv"))
    area = pd.concat(pd.read_csv(f, dtype=codes) for f in files)
    total = area[area["own_code"] == 0].set_index(["area_fips", "year"])["annual_avg_emplvl"]
    area = area[area["disclosure_code"].isna() & area["lq_disclosure_code"].isna()]
    area = area[(area["lq_annual_avg_emplvl"] > 0) & (area["annual_avg_emplvl"] > 0)]
    base = total.loc[pd.MultiIndex.from_frame(area[["area_fips", "year"]])].to_numpy()
    printed = area["lq_annual_avg_emplvl"]
    # Annual averages are rounded to whole jobs: half a job either way.
    area = area.assign(
        least=(area["annual_avg_emplvl"] - 0.5) / base / (printed + HALF_PRINTED_DIGIT),
        most=(area["annual_avg_emplvl"] + 0.5) / base / (printed - HALF_PRINTED_DIGIT),
    )
    meet = area.groupby(["year", "own_code", "industry_code"]).agg(
        least=("least", "max"), most=("most", "min"), counties=("least", "size")
    )
    several = meet[meet["counties"] > 1]
    assert len(several) > 1500
    assert (several["least"] <= several["most"]).all()
