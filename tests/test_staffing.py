"""Industry employment implied by occupations, and a sector's occupations."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook import warehouse
from sectorbook.errors import SectorbookError
from sectorbook.measures import occupations as jobs
from sectorbook.measures import staffing
from sectorbook.measures.concentration import location_quotient

# Some national cells are not published, so an occupation's published cells do not add up to all of its jobs: the
# implied sectors of the nation itself differ from the published ones by up to this much.
UNPUBLISHED_CELLS_PCT = 2.5


@pytest.fixture(scope="module")
def patterns() -> pd.DataFrame:
    return warehouse.load("oews_staffing", columns=staffing.COLUMNS)


def mix(region: str, patterns: pd.DataFrame, draws: int = 50) -> pd.DataFrame:
    return staffing.sector_mix(warehouse.load("oews_occupations", region), patterns, draws, 1, 90)


def test_sectors_count_every_job_once(patterns: pd.DataFrame) -> None:
    listed = staffing.sectors(patterns)
    assert len(listed) == 20
    assert not set(listed.industry_code) & set(staffing.GOVERNMENT_WITH_SCHOOLS)
    assert abs(listed.employment.sum() - 155_495_730) <= staffing.ROUNDING_JOBS


def test_a_doubled_government_is_refused(patterns: pd.DataFrame) -> None:
    doubled = patterns.copy()
    doubled.loc[doubled.industry_code == "999101", "industry_code"] = "999102"
    with pytest.raises(SectorbookError, match="add up to"):
        staffing.sectors(doubled)


def test_the_nation_gives_back_its_own_sectors(patterns: pd.DataFrame) -> None:
    nation = mix("national", patterns)
    published = staffing.sectors(patterns).set_index("industry_code").employment
    implied = nation.set_index("industry_code").employment
    off = 100 * (implied / published - 1).abs()
    assert off.max() < UNPUBLISHED_CELLS_PCT
    assert nation.location_quotient.between(0.97, 1.03).all()


@pytest.mark.parametrize("region", ["columbus-oh", "enid-ok", "ohio", "0500001"])
def test_implied_sectors_add_up_to_the_regions_jobs(patterns: pd.DataFrame, region: str) -> None:
    frame = warehouse.load("oews_occupations", region)
    result = mix(region, patterns)
    # The groups' published jobs are rounded to ten and may pass the total by a little.
    assert result.employment.sum() == pytest.approx(staffing.total_jobs(frame), rel=1e-3)
    assert (result.employment_low <= result.employment).mean() > 0.9
    assert (result.employment <= result.employment_high).mean() > 0.9


def test_columbus_resembles_its_covered_employment(patterns: pd.DataFrame) -> None:
    """QCEW 2023 shares for the Columbus area: health care 16.1 %, construction 4.6 %, manufacturing 6.9 %.

    Two points of tolerance: the method assumes national staffing, and says so. Transport and warehousing (QCEW
    7.5 %, here about 5 %) shows what that assumption can cost.
    """
    share = mix("columbus-oh", patterns).set_index("industry_code").share_pct
    assert share["62--63"] == pytest.approx(16.1, abs=2)
    assert share["23--24"] == pytest.approx(4.6, abs=2)
    assert share["31--34"] == pytest.approx(6.9, abs=2)
    assert share["48--50"] == pytest.approx(7.5, abs=3)


def test_the_same_seed_gives_the_same_interval(patterns: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(mix("enid-ok", patterns), mix("enid-ok", patterns))


def test_draws_are_the_same_however_many_are_made_at_once(
    patterns: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = mix("enid-ok", patterns)
    monkeypatch.setattr(staffing, "CELLS_AT_ONCE", 1)
    # Not to the bit: sums over more draws at once may add in another order.
    pd.testing.assert_frame_equal(mix("enid-ok", patterns), together, rtol=1e-9)


def test_a_wider_interval_is_wider_and_larger_errors_widen_it(patterns: pd.DataFrame) -> None:
    frame = warehouse.load("oews_occupations", "enid-ok")
    narrow = staffing.sector_mix(frame, patterns, 200, 1, 50)
    wide = staffing.sector_mix(frame, patterns, 200, 1, 95)
    shaky = staffing.sector_mix(
        frame.assign(employment_rse_pct=frame.employment_rse_pct * 3), patterns, 200, 1, 50
    )
    width = (narrow.employment_high - narrow.employment_low).sum()
    assert (wide.employment_high - wide.employment_low).sum() > 1.5 * width
    assert (shaky.employment_high - shaky.employment_low).sum() > 1.5 * width


def test_draws_have_the_published_error() -> None:
    factors = staffing._factors(np.random.default_rng(1), staffing._spread(np.array([20.0, 0.0])), 40_000)
    assert factors[:, 0].mean() == pytest.approx(1, abs=0.01)
    assert factors[:, 0].std() == pytest.approx(0.20, abs=0.01)
    assert (factors[:, 1] == 1).all()


def test_a_sector_and_its_whole_agree(patterns: pd.DataFrame) -> None:
    frame = warehouse.load("oews_occupations", "columbus-oh")
    whole = staffing.sector_total(frame, patterns, ("62--63",), 50, 1, 90)
    part = staffing.sector_total(frame, patterns, ("621000", "622000", "623000"), 50, 1, 90)
    assert part.employment < whole.employment
    assert whole.employment == pytest.approx(
        mix("columbus-oh", patterns).set_index("industry_code").employment["62--63"], rel=0.02
    )


def test_no_published_total_is_said_plainly(patterns: pd.DataFrame) -> None:
    frame = warehouse.load("oews_occupations", "enid-ok")
    frame.loc[frame.occupation_code == "00-0000", "employment"] = np.nan
    with pytest.raises(SectorbookError, match="Too little is published"):
        staffing.sector_mix(frame, patterns, 10, 1, 90)


@pytest.mark.parametrize(
    ("sector", "industries", "expected"),
    [("62--63", ("621000",), True), ("31--34", ("336100",), True), ("31--34", ("423000",), False), ("99-100", ("99-100",), True),
     ("48--50", ("491000",), True), ("51--52", ("518200", "541500"), True), ("52--53", ("518200",), False)],
)  # fmt: skip
def test_which_sector_holds_an_industry(sector: str, industries: tuple, expected: bool) -> None:
    assert staffing.holds(pd.Series([sector]), industries).item() is expected


@given(st.floats(0.001, 1), st.floats(1, 1e6), st.floats(0.001, 1), st.floats(1, 1e8), st.floats(0.1, 10))
@settings(deadline=None, max_examples=50)
def test_location_quotient_does_not_depend_on_scale(
    share: float, t: float, us_share: float, ut: float, k: float
) -> None:
    e, ue = share * t, us_share * ut
    assert location_quotient(e * k, t * k, ue, ut) == pytest.approx(location_quotient(e, t, ue, ut))


# -- occupations ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nurses_and_others(patterns: pd.DataFrame) -> pd.DataFrame:
    industries = warehouse.find_sector("healthcare").industries
    nation = warehouse.load("oews_occupations", "national")
    return jobs.sector_occupations(
        warehouse.load("oews_occupations", "san-francisco"), nation, patterns, industries
    )


@pytest.mark.parametrize(
    "region",
    [
        "san-francisco",
        "enid-ok",
        "ohio",
        "columbus-oh",
        "eastern-sierra-mother-lode-region-of-california-nonmetropolitan",
    ],
)
def test_location_quotients_agree_with_the_publishers(patterns: pd.DataFrame, region: str) -> None:
    """All of them, within the rounding of published jobs (to ten) and quotients (to 0.01)."""
    frame = warehouse.load("oews_occupations", region)
    every = patterns[patterns.industry_level == 2].industry_code.unique()
    found = jobs.sector_occupations(
        frame, warehouse.load("oews_occupations", "national"), patterns, tuple(every)
    )
    agreement = jobs.location_quotient_agreement(found, staffing.total_jobs(frame))
    assert agreement.compared > 50
    assert agreement.within == agreement.compared


def test_a_wrong_total_breaks_the_agreement(nurses_and_others: pd.DataFrame) -> None:
    shifted = nurses_and_others.assign(
        location_quotient_computed=nurses_and_others.location_quotient_computed * 1.02
    )
    agreement = jobs.location_quotient_agreement(shifted, 2_373_920)
    assert agreement.within < agreement.compared


def test_the_sectors_first_occupation(nurses_and_others: pd.DataFrame) -> None:
    first = nurses_and_others.iloc[0]
    assert (first.occupation_code, first.employment, first.wage_annual_p50_usd) == (
        "29-1141",
        41_750,
        186_610,
    )
    assert first.sector_employment == pytest.approx(first.employment * first.in_sector_pct / 100)
    assert nurses_and_others.sector_pattern_pct.sum() == pytest.approx(100)


def wages(*points: float | None, codes: tuple[str, ...] = ("published",) * 5) -> pd.DataFrame:
    row = {"top_code_annual_usd": 239_200.0}
    for p, value, code in zip(jobs.PERCENTILES, points, codes, strict=True):
        row |= {f"wage_annual_p{p}_usd": value, f"wage_annual_p{p}_status": code}
    return pd.DataFrame([row]).astype({c: float for c in row if c.endswith("usd")})


@pytest.mark.parametrize(
    ("threshold", "low", "high"),
    [
        (10_000, 90, 100),
        (25_000, 75, 90),
        (35_000, 50, 75),
        (45_000, 25, 50),
        (55_000, 10, 25),
        (70_000, 0, 10),
        (40_000, 50, 75),
    ],
)
def test_the_share_that_reaches_a_threshold_is_bounded(threshold: float, low: float, high: float) -> None:
    found = jobs.share_at_or_above(wages(20_000, 30_000, 40_000, 50_000, 60_000), threshold).iloc[0]
    assert (found.at_least_low_pct, found.at_least_high_pct) == (low, high)


def test_a_top_code_is_a_lower_bound() -> None:
    doctor = wages(100_000, 200_000, None, None, None, codes=("published", "published", *["top-coded"] * 3))
    below = jobs.share_at_or_above(doctor, 230_000).iloc[0]
    assert (below.at_least_low_pct, below.at_least_high_pct) == (50, 75)
    above = jobs.share_at_or_above(doctor, 300_000).iloc[0]
    assert (above.at_least_low_pct, above.at_least_high_pct) == (0, 75)


def test_a_withheld_wage_has_no_share_and_no_rung() -> None:
    nothing = wages(*[None] * 5, codes=("withheld",) * 5)
    assert jobs.share_at_or_above(nothing, 1.0).isna().all(axis=None)
    assert jobs.rungs(nothing, 50_000, 1, 1.5).iloc[0] == "not ranked"


@pytest.mark.parametrize(
    ("median", "rung"), [(49_999, "entry"), (50_000, "middle"), (74_999, "middle"), (75_000, "upper")]
)
def test_rungs_have_sharp_edges(median: float, rung: str) -> None:
    frame = wages(1.0, 2.0, median, 100_000, 110_000)
    assert jobs.rungs(frame, 50_000, 1.0, 1.5).iloc[0] == rung


def test_crossed_cut_offs_are_refused() -> None:
    with pytest.raises(SectorbookError, match="entry_below <= upper_from"):
        jobs.rungs(wages(1.0, 2.0, 3.0, 4.0, 5.0), 50_000, 1.5, 1.0)


def test_rungs_add_up_to_the_sectors_jobs(nurses_and_others: pd.DataFrame) -> None:
    frame = nurses_and_others.assign(rung=jobs.rungs(nurses_and_others, 74_260, 1.0, 1.5))
    table = jobs.rung_table(frame, jobs.group_titles(warehouse.load("oews_occupations", "national")))
    assert table.employment.sum() == pytest.approx(frame.sector_employment.sum())
    assert table[list(jobs.RUNGS)].to_numpy().sum() == pytest.approx(frame.sector_employment.sum())


def test_what_a_group_does_not_publish_is_spread_by_what_is_left_of_it() -> None:
    """Worked by hand. Group 11 has 100 jobs here, 60 of them in 11-1000. Left: 40. In the nation 11-1000 is all in
    sector A, and what is left of the group (50 jobs) is all in B: so A gets 60 and B gets 40 here.
    """
    regional = pd.DataFrame(
        {
            "occupation_code": ["00-0000", "11-0000", "11-1000"],
            "occupation_level": [0, 0, 3],
            "employment": [100.0, 100.0, 60.0],
            "employment_rse_pct": [0.0, 0.0, 0.0],
        }
    )
    nation = pd.DataFrame(
        {"A": [150.0, 150.0, 150.0], "B": [50.0, 50.0, 0.0]}, index=["00-0000", "11-0000", "11-1000"]
    )
    implied = staffing.implied_employment(regional, nation, nation * 0, draws=3, seed=1)
    assert implied.employment.to_dict() == {"A": 60.0, "B": 40.0}
    assert implied.direct_pct == 60.0
    assert (implied.draws == [60.0, 40.0]).all()
