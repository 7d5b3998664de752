"""Counted industries: tie out to BLS, quotients met to the printed digit, change that adds up, candidates that rank."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook import warehouse
from sectorbook.errors import SectorbookError
from sectorbook.measures import candidates, industry, region, staffing
from shared import SHARED, needs_shared

PRIVATE = ["23", "31-33", "62", "72"]
PARENT = {"23": "1012", "31-33": "1013", "62": "1025", "72": "1026"}
DOMAIN = {"1012": "101", "1013": "101", "1025": "102", "1026": "102"}


def area(
    code: str, year: int, jobs: list[int], government: int, us: dict | None, prefix: str
) -> pd.DataFrame:
    """Return every cell of a small economy in the layout of the table `qcew`, with quotients as BLS prints them."""
    cells = {("5", s): n for s, n in zip(PRIVATE, jobs, strict=True)}
    for sector, n in zip(PRIVATE, jobs, strict=True):
        for above in (PARENT[sector], DOMAIN[PARENT[sector]], "10"):
            cells[("5", above)] = cells.get(("5", above), 0) + n
    cells[("3", "10")] = government
    cells[("0", "10")] = cells[("5", "10")] + government
    level = {"10": 1, "101": 2, "102": 2} | dict.fromkeys(PARENT.values(), 3) | dict.fromkeys(PRIVATE, 4)
    total = cells[("0", "10")]
    us = us or cells
    rows = [
        (code, own, ind, "0", "A", f"{prefix}{0 if own == '0' else level[ind]}", year, max(1, n // 10), float(n), "published",
         round((n / total) / (us[(own, ind)] / us[("0", "10")]) + 1e-12, 2), "published")
        for (own, ind), n in cells.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=industry.COLUMNS)


def nation(year: int, jobs: list[int], government: int) -> tuple[pd.DataFrame, dict]:
    frame = area("US000", year, jobs, government, None, "1")
    return frame, {(r.own_code, r.industry_code): r.employment for r in frame.itertuples()}


US_2022, CELLS_2022 = nation(2022, [50_000, 80_000, 150_000, 90_000], 130_000)
US_2023, CELLS_2023 = nation(2023, [52_000, 79_000, 156_000, 97_000], 131_000)
US = pd.concat([US_2022, US_2023])
HERE = pd.concat(
    [
        area("39001", 2022, [500, 1200, 900, 700], 800, CELLS_2022, "7"),
        area("39003", 2022, [90, 60, 300, 150], 99, CELLS_2022, "7"),
        area("39001", 2023, [540, 1100, 990, 800], 790, CELLS_2023, "7"),
        area("39003", 2023, [99, 50, 310, 170], 97, CELLS_2023, "7"),
    ]
)  # fmt: skip
NONE = US.iloc[:0]


def test_a_region_is_the_sum_of_its_counties() -> None:
    jobs = industry.region_jobs(HERE, 2023)
    assert industry.total(jobs) == 540 + 1100 + 990 + 800 + 790 + 99 + 50 + 310 + 170 + 97
    parts = industry.economy(jobs)
    assert parts.employment_estimate.sum() == industry.total(jobs)
    assert parts.employment_lower.equals(parts.employment_upper) and not parts.is_estimated.any()
    assert industry.sector_jobs(jobs, ["31", "62"]).employment_estimate == 1150 + 1300
    with pytest.raises(SectorbookError, match=r"no annual averages of 2019 here. There: 2022, 2023"):
        industry.region_jobs(HERE, 2019)


def test_a_withheld_cell_is_carried_as_bounds_to_the_end() -> None:
    hidden = HERE.copy()
    gone = (
        hidden.area_fips.eq("39001")
        & hidden.year.eq(2023)
        & hidden.industry_code.isin(["62", "72", "1025", "1026"])
    )
    hidden.loc[gone, ["employment_status", "location_quotient_status"]] = "withheld"
    hidden.loc[gone, ["employment", "location_quotient"]] = np.nan
    found = industry.count(hidden, US, ["62"])
    row = found.quotients.loc[("5", "62")]
    assert row.employment_lower < 990 + 310 < row.employment_upper and row.is_estimated
    assert row.location_quotient_low < row.location_quotient < row.location_quotient_high
    moved = found.changes.loc[("5", "62")]
    assert moved.change_lower <= 990 + 310 - 1200 <= moved.change_upper
    assert industry.marked(found.quotients).loc[("5", "62"), "basis"] == "estimated"
    assert industry.largest_gap(found.changes) < industry.ADDS_UP_JOBS


def test_every_printed_quotient_is_met_and_a_wrong_one_is_seen() -> None:
    assert industry.quotient_agreement(HERE, US, 2023).met_pct == 100
    spoilt = HERE.copy()
    spoilt.loc[(spoilt.industry_code == "62") & (spoilt.area_fips == "39001"), "location_quotient"] += 0.02
    assert (
        industry.quotient_agreement(spoilt, US, 2023).met
        == industry.quotient_agreement(HERE, US, 2023).met - 1
    )
    assert industry.quotient_agreement(spoilt, NONE, 2023).met_pct < 100


def test_printed_quotients_tell_the_nations_share_within_their_rounding() -> None:
    told, true = industry.us_shares(HERE, NONE, 2023), industry.us_shares(HERE, US, 2023).us_share
    both = told.join(true.rename("true"))
    assert len(both) == 13
    assert (both.us_share_lower <= both.true).all() and (both.true <= both.us_share_upper).all()


def test_without_the_nation_the_region_grows_as_itself() -> None:
    found = industry.count(HERE, NONE, ["62"])
    assert not found.from_nation and "region's own growth" in industry.reading(NONE, found)
    start = industry.total(industry.region_jobs(HERE, 2022))
    growth = found.total / start - 1
    assert found.changes.national_growth.sum() == pytest.approx(start * growth)
    assert industry.largest_gap(found.changes) < industry.ADDS_UP_JOBS


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(1, 20_000), min_size=10, max_size=10))
def test_the_parts_add_up_to_the_change_whatever_the_jobs(jobs: list[int]) -> None:
    rows = pd.concat(
        [
            area("39001", 2022, jobs[:4], jobs[4], CELLS_2022, "7"),
            area("39001", 2023, jobs[5:9], jobs[9], CELLS_2023, "7"),
        ]
    )
    found = industry.count(rows, US, ["62"])
    assert industry.largest_gap(found.changes) < industry.ADDS_UP_JOBS
    assert found.sum("change") == pytest.approx(sum(jobs[5:]) - sum(jobs[:5]), abs=1e-6)


def test_a_change_across_naics_vintages_is_marked() -> None:
    earlier = pd.concat([HERE.replace({"year": {2022: 2021}}), US_2022.replace({"year": {2022: 2021}})])
    changes = industry.count(earlier[earlier.area_fips != "US000"], NONE, ["62"]).changes
    assert changes.recoded.to_dict()[("5", "31-33")] and not changes.recoded.to_dict()[("5", "62")]
    assert not industry.count(HERE, US, ["62"]).changes.recoded.any()


def test_nothing_is_counted_without_records() -> None:
    found = industry.count(NONE, NONE, ["62"])
    assert (
        found.last is None
        and np.isnan(found.total)
        and np.isnan(found.sum("change"))
        and found.quotients.empty
    )


@pytest.fixture(scope="module")
def oews() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    here = warehouse.load("oews_occupations", "columbus-oh")
    patterns = warehouse.load("oews_staffing", columns=staffing.COLUMNS)
    return here, patterns, staffing.sector_mix(here, patterns, 100, 1, 90)


NO_LADDERS = pd.Series(dtype=float)
NO_SCORES = pd.DataFrame(columns=["industry", "criterion", "score"])


def test_candidates_stand_on_the_data_there_are(oews: tuple) -> None:
    here, patterns, mix = oews
    none = pd.DataFrame()
    few = candidates.gather(here, patterns, mix, none, none, none, none, 35_000, NO_LADDERS, NO_SCORES)
    assert list(few.values) == ["concentration", "pay_above_threshold_pct"]
    assert (few.lower <= few.values).all(axis=None) and (few.values <= few.upper).all(axis=None)
    zones = pd.DataFrame(
        {"onet_soc_code": here.occupation_code + ".00", "soc_code": here.occupation_code, "job_zone": 3.0}
    )
    open_to_all = candidates.gather(
        here, patterns, mix, none, none, zones, none, 35_000, NO_LADDERS, NO_SCORES
    )
    assert open_to_all.values.accessible_pct.tolist() == pytest.approx([100.0] * len(few.values))
    dear = candidates.gather(here, patterns, mix, none, none, none, none, 90_000, NO_LADDERS, NO_SCORES)
    assert (dear.values.pay_above_threshold_pct < few.values.pay_above_threshold_pct).all()
    told = candidates.criteria_table(few).set_index("criterion").given_by
    assert told["openings"] == "data, not here yet" and told["funding"] == "people's scores, not given"


def test_scores_of_people_and_ladders_join_the_ranking(oews: tuple) -> None:
    here, patterns, mix = oews
    none = pd.DataFrame()
    ladders = pd.Series(range(len(mix)), index=mix.industry_code, dtype=float)
    scores = pd.DataFrame(
        [("62", "employer_issue", 4.0), ("31-33", "employer_issue", 1.0)], columns=NO_SCORES.columns
    )
    full = candidates.gather(here, patterns, mix, none, none, none, none, 35_000, ladders, scores)
    assert {"ladder_length", "employer_issue"} <= set(full.values)
    given = pd.DataFrame({"low": full.lower.employer_issue, "high": full.upper.employer_issue})
    of = full.industries[full.industries.str.startswith(("62", "31"))].index
    assert (given.low[of] == given.high[of]).all() and set(given.low[of]) == {4.0, 1.0}
    assert (given.drop(of) == [0.0, 4.0]).all(axis=None)  # nobody scored them: any score is possible
    told = candidates.criteria_table(full).set_index("criterion").given_by
    assert told["employer issue"] == told["ladder length"] == "used here"


def test_a_candidate_better_on_everything_is_first_in_every_draw(oews: tuple) -> None:
    here, patterns, mix = oews
    none = pd.DataFrame()
    few = candidates.gather(here, patterns, mix, none, none, none, none, 35_000, NO_LADDERS, NO_SCORES)
    best = few.values.index[3]
    for frame in (few.values, few.lower, few.upper):
        frame.loc[best] = few.upper.max() + 1
    ranked = candidates.ranking(few, 1, 500)
    assert ranked.industry_title[0] == best and ranked.first_pct[0] == 100
    assert candidates.rests_on(few) == [] and "keeps the first place" in candidates.rests_words(few)


@needs_shared
def test_columbus_is_counted_as_bls_counts_it(home: Path) -> None:
    warehouse.build("qcew", SHARED / "data" / "qcew" / "annual_by_area")
    rows = warehouse.load("qcew", "columbus-oh", industry.COLUMNS)
    found = industry.count(rows, rows.iloc[:0], ["621", "622", "623"])
    assert (found.first, found.last) == (2020, 2023)
    counties = rows[rows.own_code.eq("0") & rows.year.eq(2023)].set_index("area_fips").employment
    shown = region.covered_jobs(rows, 2023, pd.Series({"39049": "Franklin"})).set_index("county_name")
    assert (
        shown.employment_counted["Franklin"] == 772_233 and shown.employment_gap.abs().max() <= 1
    )  # whole jobs are printed
    assert counties["39049"] == 772_233 and found.total == counties.sum() == 1_077_178
    for year in (2020, 2023):
        agreement = industry.quotient_agreement(rows, rows.iloc[:0], year)
        assert agreement.compared > 4000 and agreement.met == agreement.compared
    assert industry.largest_gap(found.changes) < industry.ADDS_UP_JOBS
    assert found.gap_pct < 0.01
    assert found.quotients.employment_lower.le(found.quotients.employment_upper).all()
