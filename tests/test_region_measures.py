"""The region as a labor market, its people and trainers, the map, and the canvas a team fills in."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sectorbook import charts_region, config, paths, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import origin, templates
from sectorbook.measures import boundary, deciding, region, workforce
from sectorbook.sources import geography
from shared import SHARED, needs_shared

FLOWS = pd.DataFrame(
    [("39001", "39001", 80, 8.0), ("39001", "39003", 20, 4.0), ("39003", "39001", 50, 6.0), ("39003", "39003", 50, 3.0),
     ("39005", "39005", 90, 5.0), ("39005", "39001", 10, 2.0)],
    columns=region.FLOWS,
)  # fmt: skip


def test_containment_carries_its_margins() -> None:
    found = region.containment(FLOWS, ("39001",))
    assert (found.supply_side_pct, found.demand_side_pct) == (80.0, pytest.approx(100 * 80 / 140))
    # By hand: part 80 +- 8, whole 100 +- sqrt(8^2 + 4^2).
    assert found.supply_side_moe == pytest.approx(100 * np.sqrt(64 - 0.64 * 80) / 100)
    assert region.containment(FLOWS, ("39099",)).isna().all() and region.containment(FLOWS, ()).isna().all()
    assert np.isnan(region.containment(FLOWS.assign(workers_moe=np.nan), ("39001",)).supply_side_moe)
    assert region.verdict(found, 50).startswith("Both") and region.verdict(found, 75).startswith("Only one")
    assert region.verdict(found, 90).startswith("Neither")


def test_the_county_that_helps_is_named() -> None:
    table = region.changes(FLOWS, ("39001",), pd.Series({"39003": "Near"}))
    assert region.best(table, "add").county_name == "Near" and region.codes(table, "add") == [
        "39003",
        "39005",
    ]
    assert pd.isna(region.best(table, "drop").county_name)
    assert region.changes(FLOWS, (), pd.Series(dtype=str)).empty
    assert table.county_name[table.county_fips == "39005"].tolist() == ["39005"]


def test_every_region_has_neighbours_of_its_kind() -> None:
    areas = warehouse.load("oews_areas")
    for row in areas.itertuples():
        near = region.neighbours(areas, row.area_code)
        assert len(near) <= region.NEIGHBOURS
        if not np.isnan(row.wage_annual_p50_usd):
            assert row.area_code in set(near.area_code)
            assert region.that_pay_more(near, row.area_code) < len(near)
    assert "Louisville/Jefferson County, KY-IN" in set(
        region.neighbours(areas, warehouse.find_region("bloomington-in").code).area_name
    )


def test_shapes_are_where_the_counties_are() -> None:
    shapes = warehouse.load("county_shapes")
    franklin = shapes[shapes.county_fips == "39049"]
    assert len(franklin) == 1 and franklin.county_name.tolist() == ["Franklin"]
    # Census Gazetteer: the middle of Franklin County, Ohio, is at 39.97 N, 83.01 W.
    assert np.mean([min(franklin.longitude.iloc[0]), max(franklin.longitude.iloc[0])]) == pytest.approx(
        -83.01, abs=0.05
    )
    assert np.mean([min(franklin.latitude.iloc[0]), max(franklin.latitude.iloc[0])]) == pytest.approx(
        39.97, abs=0.05
    )
    assert shapes.county_fips.nunique() > 3100
    for row in shapes.itertuples():
        assert (row.longitude[0], row.latitude[0]) == (row.longitude[-1], row.latitude[-1]), (
            "a ring is closed"
        )
    near = region.around(shapes, ["39049"])
    assert {"39049", "39041", "39097"} <= set(near.county_fips) and "06001" not in set(near.county_fips)
    figure = charts_region.county_map(near, ["39049"], ["39041"], [], "A map", "a note")
    assert "in the region: Franklin; could be added: Delaware; could be dropped: none" in figure.alt
    for entry in config.regions().values():
        assert set(entry.counties) <= set(shapes.county_fips)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "is not TopoJSON"),
        ('{"objects": {}}', "is not TopoJSON"),
        ('{"transform": {"scale": [1, 1], "translate": [0, 0]}, "arcs": [], "objects": {"counties": {"geometries": '
         '[{"type": "Polygon", "id": 1001, "properties": {"name": "A"}, "arcs": []}]}}}', "found id '1001'"),
    ],
)  # fmt: skip
def test_a_wrong_map_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "counties.json").write_text(text, encoding="utf-8")
    with pytest.raises(SectorbookError, match=told):
        geography.build(tmp_path / "counties.json", tmp_path)


def test_completers_are_a_range_and_second_majors_do_not_count() -> None:
    completions = pd.DataFrame(
        [("1", "51.3801", 1, "5", 100), ("1", "51.3801", 2, "5", 9), ("1", "52.0201", 1, "5", 40), ("2", "51.3801", 1, "5", 999)],
        columns=workforce.COMPLETIONS,
    )  # fmt: skip
    links = pd.DataFrame(
        [("51.3801", "29-1141"), ("52.0201", "11-1021"), ("52.0201", "29-1141")],
        columns=["cip_code", "soc_code"],
    )
    found = workforce.completers(completions, links, ["1"])
    assert found.loc["29-1141"].tolist() == [100, 140] and found.loc["11-1021"].tolist() == [0, 40]


def test_people_are_added_over_counties_with_their_margins() -> None:
    universe, line = "EDUCATIONAL ATTAINMENT: Population 25 years and over", "High school graduate or higher"
    rows = pd.DataFrame(
        [
            (area, f"DP02_{n}", label, value, "published", moe, status)
            for area, value_of in (("39001", (1000, 600)), ("39003", (500, 150)))
            for n, (label, value, moe, status) in enumerate(
                [(universe, value_of[0], np.nan, "controlled"), (f"{universe}: {line}", value_of[1], 30.0, "published")]
            )
        ],
        columns=workforce.PROFILE,
    )  # fmt: skip
    found = workforce.line(workforce.profile(rows), "High school or more")
    assert (found.estimate, found.percent) == (750, 50.0)
    assert found.estimate_moe == pytest.approx(30 * np.sqrt(2)) and found.percent_moe == pytest.approx(
        100 * 30 * np.sqrt(2) / 1500
    )
    one_missing = rows.assign(estimate=rows.estimate.where(rows.index != 3))
    assert workforce.profile(one_missing).empty and workforce.profile(rows.iloc[:0]).empty


def test_the_evidence_list_is_the_fields_own_and_counts() -> None:
    checklist = warehouse.framework("evidence")
    assert [sum(i.startswith(f"B{n:02}.") for s in checklist.sources for i in s) for n in range(8, 13)] == [
        5,
        7,
        5,
        6,
        5,
    ]
    assert set(workforce.needed(checklist)) <= set(warehouse.tables())
    covered = workforce.coverage(checklist, ["oews_occupations"], [])
    assert covered.item[covered.standing == "here"].tolist() == ["Wage levels"]
    filled = workforce.coverage(checklist, ["oews_occupations"], ["support_services", "employer_survey"])
    assert (filled.standing == "here").sum() == 4 + 7
    asked = {q.strip() for note in checklist.note for q in note.partition(": ")[2].split(",") if q}
    assert asked and asked <= {q.id for q in config.questionnaire("employer").questions}
    assert workforce.coverage_counts(covered).drop(columns="checklist").sum().sum() == 28


# -- other views of the bounds ------------------------------------------------------------------------------


def test_inflow_and_outflow_add_up_by_kind_of_job() -> None:
    rows = [("39001", "39001", 8), ("39001", "39003", 2), ("39003", "39001", 5), ("39003", "39003", 7)]
    flows = pd.DataFrame(
        [(a, b, *[n] * len(boundary.KINDS)) for a, b, n in rows], columns=boundary.FLOWS
    ).assign(jobs_goods=[8, 0, 0, 7])
    found = boundary.inflow_outflow(flows, ("39001",)).set_index("job_kind")
    every = found.loc["All jobs"]
    assert every[["live_and_work", "commute_in", "commute_out"]].tolist() == [8, 5, 2]
    assert every.commute_in_pct == pytest.approx(100 * 5 / 13) and every.commute_out_pct == pytest.approx(20)
    assert found.loc["Goods producing", "commute_in_pct"] == 0
    assert boundary.inflow_outflow(flows, ("39099",)).empty and boundary.inflow_outflow(flows, ()).empty


@needs_shared
def test_published_rules_over_the_nation_draw_columbus(home: Path) -> None:
    warehouse.build("commuting", SHARED / "data/commuting/acs_2011_2015_county_flows.csv.gz")
    flows = warehouse.load("commuting_flows", columns=region.FLOWS)
    counties = warehouse.counties(warehouse.find_region("columbus-oh"))
    shapes = pd.Series({"39049": "Franklin", "39073": "Hocking"})
    found = boundary.delineated(flows, counties, shapes).set_index("county_name")
    assert found.index[0] == "Franklin" and found.agree["Franklin"]
    assert found.loc["Hocking", ["drawn", "travel_to_work", "agree"]].tolist() == ["yes", "no", False]
    assert "Hocking" in boundary.listed(found.reset_index(), "travel_to_work", drawn=True)
    assert boundary.delineated(flows, ("09001", "99999"), shapes).empty


# -- the canvas -------------------------------------------------------------------------------------------

LIMA = "lima-oh"


def fill(home: Path, **cells: dict) -> None:
    """Write the template of the canvas with answers: item -> column -> text."""
    path = paths.local(LIMA, "deciding.csv")
    if not path.exists():
        templates.write(paths.local(LIMA))
    frame = pd.read_csv(path, dtype=str).fillna("")
    for item, given in cells.items():
        for column, text in given.items():
            frame.loc[frame["item"] == item, column] = text
    frame.to_csv(path, index=False)


def answered() -> pd.DataFrame:
    return deciding.canvas(warehouse.form("deciding"), warehouse.local("deciding", LIMA))


def test_an_empty_canvas_says_not_yet_and_what_is_missing(home: Path) -> None:
    found = answered()
    assert (found.section == "challenge").sum() == 5 and (found.section == "factor").sum() == 6
    gaps = deciding.missing(found, 2.5)
    assert deciding.verdict(gaps) == "Not yet" and len(gaps) == 12
    fill(home)  # the template has a row for each line; none of them says anything yet
    assert "deciding" not in origin.on_file(origin.own(LIMA))
    assert deciding.missing(answered(), 2.5).equals(gaps)


def test_a_full_canvas_says_go(home: Path) -> None:
    lines = warehouse.form("deciding")
    scored = lines["item"][lines.section.isin(["challenge", "factor"])]
    full = {item: {"score": "3", "evidence": "minutes of the meeting"} for item in scored}
    fill(home, mission={"answer": "Good jobs in care", "date": "2027-01-10"}, **full)
    found = answered()
    assert origin.on_file(origin.own(LIMA)) == ["deciding"]
    assert deciding.verdict(deciding.missing(found, 2.5)) == "Go"
    assert deciding.verdict(deciding.missing(found, 3.5)) == "Not yet"
    assert deciding.section(found, "statement").date_text.tolist() == ["2027-01-10", ""]
    fill(home, solution={"answer": "A class", "date": "2027-01-09"})
    late = answered()
    assert "dated before" in deciding.order_problem(late) and len(deciding.missing(late, 2.5)) == 1


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [("score", "5", r"row 3, column 'score': found '5'; expected a number of 0 to 4"), ("score", "high", "found 'high'"),
     ("score", "nan", "found 'nan'"), ("date", "10/1/2027", "expected a date as year-month-day"),
     ("item", "misson", "a line of statement. Nearest: 'mission'"), ("section", "statment", "Nearest: 'statement'")],
)  # fmt: skip
def test_a_wrong_cell_is_named(home: Path, column: str, text: str, told: str) -> None:
    fill(home, mission={"answer": "Good jobs"})
    fill(home, mission={column: text})
    with pytest.raises(SectorbookError, match=told):
        answered()


def test_a_wrong_file_of_services_is_named(home: Path) -> None:
    assert warehouse.local("support_services", LIMA).empty
    path = paths.local(LIMA, "support_services.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    header = "service,provider,population,capacity,payment,gap\n"
    path.write_text(header + "Child care,YWCA,parents,40,fees,evenings\n", encoding="utf-8")
    assert warehouse.local("support_services", LIMA).gap.tolist() == ["evenings"]
    for text, told in (
        (header + ",YWCA,,,,\n", "column 'service'"),
        (header + "Child care,YWCA,,many,,\n", "found 'many'; expected a whole number"),
        ("service,who\n", "found the column 'who'"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SectorbookError, match=told):
            warehouse.local("support_services", LIMA)
