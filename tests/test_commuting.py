import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook.errors import SectorbookError
from sectorbook.measures.commuting import (
    COLUMNS,
    TravelToWorkRule,
    area_summary,
    boundary_changes,
    commuting_zones,
    self_containment,
    travel_to_work_areas,
)
from shared import SHARED, needs_shared

# The limits in the worked example of the R package LabourMarketAreas (Franconi and Ichim, Istat), vignette of 2022.
BRINDISI_RULE = TravelToWorkRule(1_000, 10_000, 0.6667, 0.75)


def flows(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


SMALL = flows(
    ("01", "01", 80), ("01", "02", 10), ("01", "03", 10),
    ("02", "01", 40), ("02", "02", 50), ("02", "03", 10),
    ("03", "03", 95), ("03", "01", 5),
)  # fmt: skip


@st.composite
def random_flows(draw):
    n = draw(st.integers(2, 9))
    cells = draw(st.lists(st.integers(0, 300), min_size=n * n, max_size=n * n))
    matrix = np.where(np.array(cells) > 120, cells, 0).reshape(n, n) + np.eye(n, dtype=int)
    rows = [(f"{i:05}", f"{j:05}", int(matrix[i, j])) for i in range(n) for j in range(n) if matrix[i, j]]
    return flows(*rows)


def test_self_containment_by_hand():
    found = self_containment(SMALL, ["01", "02"])
    assert found.to_dict() == pytest.approx(
        {
            "resident_workers": 200,
            "jobs": 185,
            "live_and_work": 180,
            "supply_side_pct": 90,
            "demand_side_pct": 100 * 180 / 185,
        }
    )


@settings(deadline=None, max_examples=60)
@given(random_flows(), st.data())
def test_boundary_changes_are_what_happens_when_the_change_is_made(table, data):
    codes = sorted(set(table["res_fips"]))
    region = data.draw(st.lists(st.sampled_from(codes), min_size=1, unique=True))
    now = self_containment(table, region)
    assert 0 < now["supply_side_pct"] <= 100 and 0 < now["demand_side_pct"] <= 100
    changes = boundary_changes(table, region, at_least_pct=0)
    assert set(changes.loc[changes["action"] == "drop", "county_fips"]) == set(region)
    for row in changes.itertuples():
        changed = (
            [*region, row.county_fips] if row.action == "add" else [c for c in region if c != row.county_fips]
        )
        if changed:
            then = self_containment(table, changed)
            assert row.supply_side_pct == pytest.approx(then["supply_side_pct"])
            assert row.demand_side_change_points == pytest.approx(
                then["demand_side_pct"] - now["demand_side_pct"]
            )
        else:
            assert np.isnan(row.supply_side_pct)
    unlisted = set(codes) - set(changes["county_fips"])
    between = table[table["res_fips"].isin(unlisted) & table["work_fips"].isin(region)]
    assert between.empty


def test_zones_by_hand():
    # 01-02: 50 of 100 both ways, distance 0.5. 03 to 01: 0.85, to 02: 0.9; average to the pair 0.875.
    assert commuting_zones(SMALL, 0.4)["area"].tolist() == ["01", "02", "03"]
    assert commuting_zones(SMALL, 0.87)["area"].tolist() == ["01", "01", "03"]
    assert commuting_zones(SMALL, 0.88)["area"].nunique() == 1


@settings(deadline=None, max_examples=60)
@given(random_flows(), st.randoms(use_true_random=False))
def test_travel_to_work_areas_are_fit_or_say_so(table, order):
    rule = TravelToWorkRule(100, 600, 0.6, 0.8)
    areas = travel_to_work_areas(table, rule)
    summary = area_summary(table, areas).set_index("area")
    valid = rule.validity(*summary[["resident_workers", "jobs", "live_and_work"]].to_numpy().T) >= rule.fit
    said = areas.groupby("area")["is_fit"].first().loc[summary.index]
    assert (said == valid).all()
    for short in said.index[~said]:  # only areas without a neighbour may fall short
        inside = areas.loc[areas["area"] == short, "county_fips"]
        crossing = table["res_fips"].isin(inside) != table["work_fips"].isin(inside)
        assert not crossing.any()
    shuffled = table.iloc[order.sample(range(len(table)), len(table))]
    assert travel_to_work_areas(shuffled, rule).equals(areas)


def test_validity_meets_its_corners():
    rule = TravelToWorkRule(1_000, 10_000, 0.6, 0.8)
    size = np.array([1_000.0, 10_000, 1_000, 10_000, 900])
    share = np.array([0.8, 0.6, 0.79, 0.59, 1.0])
    assert (rule.validity(size, size, share * size) >= rule.fit - 1e-12).tolist() == [
        True,
        True,
        False,
        False,
        False,
    ]
    # The larger of residents and jobs decides, and nothing beyond the target containment counts.
    assert rule.validity(np.array([20_000.0]), np.array([40_000.0]), np.array([20_000.0]))[
        0
    ] == pytest.approx(0.5 / 0.8)
    assert rule.validity(np.array([20_000.0]), np.array([20_000.0]), np.array([19_000.0]))[0] == 1


@pytest.mark.parametrize(
    "broken, said",
    [
        (SMALL.drop(columns="workers"), "lack the column 'workers'"),
        (SMALL.assign(res_fips=SMALL["res_fips"].astype(int)), "res_fips must be text"),
        (SMALL.assign(workers=-1), "workers in row 0 of the flows is -1"),
        (pd.concat([SMALL, SMALL.iloc[[1]]]), "flow 01 to 02 stands in more than one row"),
    ],
)
def test_wrong_flows_say_what_is_wrong(broken, said):
    with pytest.raises(SectorbookError, match=said):
        self_containment(broken, ["01"])


def test_wrong_questions_say_what_is_wrong():
    with pytest.raises(SectorbookError, match="Unknown county_fips '04'"):
        self_containment(SMALL, ["04"])
    with pytest.raises(SectorbookError, match="at least one county"):
        boundary_changes(SMALL, [])
    with pytest.raises(SectorbookError, match="cut must lie"):
        commuting_zones(SMALL, 1.5)
    with pytest.raises(SectorbookError, match="in order"):
        TravelToWorkRule(containment_least=0.8, containment_target=0.7)
    with pytest.raises(SectorbookError, match="each county of the flows once"):
        area_summary(SMALL, commuting_zones(SMALL).iloc[1:])


@needs_shared
def test_brindisi_as_istat_draws_it():
    read = pd.read_csv(
        SHARED / "data" / "commuting" / "Brindisi.csv", dtype={"community_live": str, "community_work": str}
    )
    brindisi = read.set_axis(COLUMNS, axis=1)
    areas = travel_to_work_areas(brindisi, BRINDISI_RULE)
    named = areas.set_index("county_fips")["area"]
    # What the vignette prints: the first ten municipalities' areas, by the municipality that names each …
    printed = ["74001", "74012", "74003", "74016", "74005", "74010", "74007", "74008", "74010", "74010"]
    assert named.loc[[f"740{i:02}" for i in range(1, 11)]].tolist() == printed
    # … nine areas, none short of the rule, and the residents and jobs of six of them.
    assert areas["area"].nunique() == 9 and areas["is_fit"].all()
    summary = area_summary(brindisi, areas).set_index("area")
    istat = {
        "74001": (28895, 34742), "74003": (4009, 3776), "74005": (2557, 2315),
        "74007": (10162, 10055), "74008": (10773, 10376), "74010": (13596, 10960),
    }  # fmt: skip
    found = {area: tuple(summary.loc[area, ["resident_workers", "jobs"]]) for area in istat}
    assert found == istat
    assert summary.loc["74001", "live_and_work"] == 26868


@needs_shared
def test_the_whole_country():
    path = SHARED / "data" / "commuting" / "acs_2011_2015_county_flows.csv.gz"
    national = pd.read_csv(path, dtype={"res_fips": str, "work_fips": str})
    assert len(national) == 137_806
    started = time.perf_counter()
    zones, areas = commuting_zones(national), travel_to_work_areas(national)
    assert time.perf_counter() - started < 60
    assert areas["is_fit"].all() and len(areas) == 3220
    # 72.3 percent of workers stay in their county (a fact of the file); any areas keep at least those.
    stay = area_summary(national, zones.assign(area=zones["county_fips"]))["live_and_work"].sum()
    assert stay / national["workers"].sum() == pytest.approx(0.723, abs=0.0005)
    inside = area_summary(national, zones)
    assert 0.92 < inside["live_and_work"].sum() / national["workers"].sum() < 0.96
    # Same cut and distance: 625 zones on 2006-2010 flows, 593 on 2016-2020 (Fowler 2024), the states without Puerto Rico.
    assert 593 <= zones.loc[zones["county_fips"] < "57", "area"].nunique() <= 625
    columbus = ["39041", "39045", "39049", "39073", "39089", "39097", "39117", "39127", "39129", "39159"]
    assert self_containment(national, columbus)[["supply_side_pct", "demand_side_pct"]].min() > 90
    changes = boundary_changes(national, columbus)
    assert changes["county_fips"].iloc[0] == "39083"  # Knox County, next to the ten
    assert set(changes["county_fips"].str[:2]) == {"39"}
