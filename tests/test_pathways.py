"""Career pathways, openings and skills: small worked cases, and the real O*NET files where they are at hand."""

from pathlib import Path

import duckdb
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook import charts
from sectorbook.errors import SectorbookError
from sectorbook.measures import demand, pathways
from sectorbook.sources import onet, projections
from shared import SHARED, needs_shared

PERCENTILES = (10, 25, 50, 75, 90)


def table(path: Path) -> pd.DataFrame:
    return duckdb.read_parquet(str(path)).df()


def surveyed(rows: dict[str, tuple[str, float, float]]) -> pd.DataFrame:
    """Return sector occupations: code -> title, median wage, sector jobs; wages around the median."""
    frame = pd.DataFrame(
        [
            {"occupation_code": code, "occupation_title": title, "employment": jobs, "sector_employment": jobs,
             "in_sector_pct": 50.0, "sector_pattern_pct": 2.0, "top_code_annual_usd": 239200.0, "top_code_hourly_usd": 115.0,
             **{f"wage_annual_p{p}_usd": wage * (0.5 + p / 100) for p in PERCENTILES},
             **{f"wage_annual_p{p}_status": "published" for p in PERCENTILES}}
            for code, (title, wage, jobs) in rows.items()
        ]
    )  # fmt: skip
    return frame


JOBS = surveyed({
    "31-1120": ("Aides", 30_000, 900), "31-1131": ("Nursing assistants", 36_000, 500),
    "29-2061": ("Practical nurses", 55_000, 300), "29-1141": ("Registered nurses", 80_000, 700),
    "43-4171": ("Receptionists", 31_000, 200), "29-1171": ("Practitioners", 120_000, 90),
})  # fmt: skip
ZONES = pd.Series({"31-1120": 2, "31-1131": 2, "29-2061": 3, "29-1141": 4, "43-4171": 2, "29-1171": 5})


def related(*pairs: tuple[str, str], tier: str = "Primary-Short") -> pd.DataFrame:
    return pd.DataFrame(
        [(a, f"{b}.00", tier) for a, b in pairs],
        columns=["soc_code", "related_onet_soc_code", "related_tier"],
    )


LINKS = related(
    ("31-1121", "31-1131"), ("31-1131", "29-2061"), ("29-2061", "29-1141"), ("31-1131", "29-1141"), ("29-1141", "29-1171"),
)  # fmt: skip
NONE = pd.Series(dtype=float)


def moves(links: pd.DataFrame = LINKS, study: pd.Series = NONE, **options: float) -> pd.DataFrame:
    return pathways.feasible_moves(JOBS, ZONES, links, pd.DataFrame(), study, **options)


def test_a_code_is_named_as_the_survey_names_it() -> None:
    soc = pd.Series(["31-1121", "31-1122", "51-2022", "29-1141", "99-9999"])
    names = pathways.survey_codes(soc, ["31-1120", "51-2028", "29-1141"])
    assert names.fillna("none").tolist() == ["31-1120", "31-1120", "51-2028", "29-1141", "none"]


def test_moves_are_those_that_every_condition_allows() -> None:
    found = moves()
    pairs = set(zip(found.occupation_code, found.next_occupation_code, strict=True))
    # 31-1131 to 29-1141 climbs two job zones; nothing leads down in pay.
    assert pairs == {
        ("31-1120", "31-1131"),
        ("31-1131", "29-2061"),
        ("29-2061", "29-1141"),
        ("29-1141", "29-1171"),
    }
    assert len(moves(widest_zone_step=2)) == 5
    assert len(moves(least_gain_pct=60.0)) == 0
    assert moves(related(("31-1131", "29-2061"), tier="Supplemental")).empty
    assert len(moves(related(("29-2061", "31-1131")))) == 1  # either may name the other
    unlike = pd.DataFrame(0.2, index=list(ZONES.index), columns=list(ZONES.index))
    assert pathways.feasible_moves(JOBS, ZONES, LINKS, unlike, NONE).empty
    with pytest.raises(SectorbookError, match="least_gain_pct"):
        moves(least_gain_pct=0.0)


def test_months_span_job_zones_and_study() -> None:
    by = moves(study=pd.Series({"31-1131": 12, "29-2061": 12, "29-1141": 48})).set_index(
        "next_occupation_code"
    )
    assert by.loc["29-2061", ["months_low", "months_high"]].tolist() == [0, 12]  # zones 9 and 12, study none
    assert by.loc["29-1141", ["months_low", "months_high"]].tolist() == [12, 36]  # zones 12 and 24, study 36
    assert by.loc["31-1131", ["months_low", "months_high"]].tolist() == [0, 0]


def test_the_ladder_is_the_one_with_the_least_preparation() -> None:
    nodes = pathways.sector_nodes(JOBS, ZONES, moves())
    found = pathways.ladders(nodes, moves(), 50_000).set_index("occupation_code")
    assert found.loc["31-1120", "path"] == ("31-1120", "31-1131", "29-2061")
    assert found.loc["31-1120", ["steps", "months_low", "months_high"]].tolist() == [2, 9, 12]
    assert np.isnan(found.loc["43-4171", "steps"])
    assert pathways.share_with_ladder(found) == pytest.approx(100 * 1400 / 1600)
    table = pathways.ladder_table(found.reset_index(), nodes).set_index("occupation_code")
    assert table.loc["31-1120", "steps_between"] == "Nursing assistants"
    assert table.loc["31-1131", "steps_between"] == "directly"
    assert table.loc["43-4171", "months_low_status"] == "no ladder"
    # Aides climb 4 moves, assistants 3, receptionists none.
    assert pathways.climb(nodes, moves(), 50_000) == pytest.approx((900 * 4 + 500 * 3) / 1600)
    assert pathways.climb(nodes, moves(), 20_000) == 0
    assert pathways.climb(nodes.head(0), moves(), 50_000) == 0


def test_a_sector_does_not_rest_on_few_jobs_or_on_what_is_left_over() -> None:
    few = JOBS.assign(sector_employment=JOBS.sector_employment.where(JOBS.occupation_code != "29-1171", 10.0))
    rest = few.assign(occupation_title=few.occupation_title.replace("Receptionists", "Clerks, All Other"))
    assert set(pathways.sector_nodes(rest, ZONES, moves()).occupation_title) == {
        "Aides", "Nursing assistants", "Practical nurses", "Registered nurses",
    }  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_path_is_cheaper_than_the_ladder(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = [f"11-10{i:02d}" for i in range(8)]
    jobs = surveyed({c: (c, float(rng.integers(20, 90)) * 1000, 100.0) for c in codes})
    zones = pd.Series(dict(zip(codes, rng.integers(1, 6, 8), strict=True)))
    links = related(*[(a, b) for a in codes for b in codes if a < b and rng.random() < 0.5])
    step = pathways.feasible_moves(jobs, zones, links, pd.DataFrame(), NONE)
    nodes = pathways.sector_nodes(jobs, zones, step)
    graph = nx.DiGraph(list(zip(step.occupation_code, step.next_occupation_code, strict=True)))
    graph.add_nodes_from(codes)
    assert nx.is_directed_acyclic_graph(graph)
    cost = step.set_index(["occupation_code", "next_occupation_code"]).months_high
    pay = nodes.set_index("occupation_code").wage_annual_p50_usd
    for row in pathways.ladders(nodes, step, 60_000).itertuples():
        every = [
            sum(cost[edge] for edge in path)
            for goal in codes if pay[goal] >= 60_000
            for path in nx.all_simple_edge_paths(graph, row.occupation_code, goal)
        ]  # fmt: skip
        assert bool(every) == bool(row.path)
        assert not every or row.months_high == min(every)


def test_the_ladder_is_drawn_with_every_rung_and_move() -> None:
    nodes = pathways.sector_nodes(JOBS, ZONES, moves())
    rungs, steps = pathways.drawn(pathways.ladders(nodes, moves(), 50_000), nodes, moves())
    assert rungs.wage_annual_p50_usd.is_monotonic_increasing
    assert "Receptionists" not in set(rungs.occupation_title)
    figure = charts.ladder(rungs, steps, 50_000, "Wage aimed at", pathways.ZONE_NAMES, "Ladders", "Note")
    assert "Aides" in figure.alt and "9–12 months" in figure.alt and "2 reach the line" in figure.alt  # fmt: skip
    assert "Nothing to show" in charts.ladder(rungs.head(0), steps.head(0), 1, "x", {}, "Ladders", "Note").alt


def projected(**columns: object) -> pd.DataFrame:
    row = {"occupation_code": "29-1141", "employment_base": 1000.0, "employment_projected": 1100.0, "openings_annual": 60.0,
           "exits_annual": 30.0, "transfers_annual": 20.0, "education_entry": "Bachelor's degree", "work_experience": None,
           "training_on_the_job": "None", "base_year": 2024.0, "projected_year": 2034.0}  # fmt: skip
    return pd.DataFrame([{**row, **columns}])


def test_openings_are_the_nations_rate_times_the_regions_jobs() -> None:
    found = demand.openings(JOBS, projected()).set_index("occupation_code")
    nurses = found.loc["29-1141"]
    assert nurses[["openings", *demand.PARTS]].tolist() == pytest.approx([42.0, 7.0, 21.0, 14.0])
    assert nurses.work_experience == "not given"
    assert found.loc["31-1131", "openings_status"] == "no match"
    assert np.isnan(found.loc["31-1131", "openings"])
    assert demand.total(found, "openings") == pytest.approx(42.0)
    assert demand.largest_gap(found) == pytest.approx(0)
    assert demand.openings(JOBS, projected().head(0)).openings.isna().all()


def test_skills_weigh_each_occupation_by_its_jobs() -> None:
    rows = [
        ("31-1131", "Listening", "IM", 4.0, "N"), ("29-1141", "Listening", "IM", 5.0, "N"),
        ("29-1141", "Math", "IM", 3.0, "N"), ("31-1131", "Math", "IM", 2.0, "N"), ("29-2061", "Math", "IM", 5.0, "Y"),
        ("31-1131", "Listening", "LV", 3.0, "N"),
    ]  # fmt: skip
    skills = pd.DataFrame(
        rows, columns=["soc_code", "element_name", "scale_id", "onet_value", "onet_suppress"]
    )
    skills = skills.assign(element_id=skills.element_name, onet_se=0.1)
    found = demand.skills_demanded(JOBS, JOBS, skills).set_index("skill")
    assert found.importance["Listening"] == pytest.approx((500 * 4 + 700 * 5) / 1200)
    assert found.importance["Math"] == pytest.approx(
        (500 * 2 + 700 * 3) / 1200
    )  # the suppressed rating is left out
    assert found.important_pct["Math"] == pytest.approx(100 * 700 / 1200)
    half = 1.645 * 0.1 * np.hypot(500, 700) / 1200
    assert found.importance_high["Math"] - found.importance["Math"] == pytest.approx(half)
    assert demand.most_apart(found.reset_index()).skill == "Listening"
    assert demand.skills_demanded(JOBS, JOBS, skills.head(0)).empty


@needs_shared
def test_real_onet_leads_from_aide_to_registered_nurse(tmp_path) -> None:
    onet.build(SHARED / "data/onet/27.0", tmp_path)
    zones = table(tmp_path / "onet_job_zones.parquet")
    codes = ["31-1120", "31-1131", "29-2061", "29-1141", "13-1020"]
    of = pathways.job_zones(zones, codes)
    assert of[["31-1120", "29-2061", "29-1141"]].tolist() == [2, 3, 4]
    study = pathways.study_months(table(tmp_path / "onet_education.parquet"), codes)
    assert study[["29-2061", "29-1141"]].tolist() == [12, 48]
    jobs = JOBS[JOBS.occupation_code.isin(codes)]
    step = pathways.feasible_moves(jobs, of, table(tmp_path / "onet_related.parquet"), pd.DataFrame(), study)
    nodes = pathways.sector_nodes(jobs, of, step)
    found = pathways.ladders(nodes, step, 50_000).set_index("occupation_code")
    assert found.loc["31-1131", "path"] == ("31-1131", "29-2061")
    further = pathways.ladders(nodes, step, 70_000).set_index("occupation_code")
    assert further.loc["31-1120", ["months_low", "months_high"]].tolist() == [
        21,
        48,
    ]  # to practical, then registered nurse


@needs_shared
def test_the_parts_of_real_openings_add_up(tmp_path) -> None:
    projections.build(SHARED / "data/projections/bls_ep_2016_26_occupation.xlsx", tmp_path)
    rows = table(tmp_path / "projections.parquet").astype({"employment_base": float})
    main = rows[["occupation_code"]].assign(employment=rows.employment_base)
    found = demand.openings(main, rows)
    off = (found.openings - found[list(demand.PARTS)].sum(axis=1)).abs()
    # Each of the four numbers is rounded to a hundred jobs, the change over ten years too.
    assert off.max() <= 4 * 50
    assert found.openings.notna().sum() > 800
