"""From a command to a region's rows: what is fetched, what is built, what a chapter is told where nothing is there."""

import subprocess
import sys
from pathlib import Path

import pytest
from replay import replay
from sectorbook import acquisition, paths, warehouse
from sectorbook.errors import SectorbookError
from shared import SHARED, needs_shared
from test_qcew import ANNUAL, ROWS

TEN = ("39041", "39045", "39049", "39073", "39089", "39097", "39117", "39127", "39129", "39159")


def slice_of(area: str, year: int) -> bytes:
    """Return a slice in BLS's layout: the rows of one area, moved to another area and year."""
    rows = [line.split(",") for line in ROWS]
    names = ANNUAL.split(",")
    place, when = names.index("area_fips"), names.index("year")
    moved = [
        [*([area if i == place else str(year) if i == when else c for i, c in enumerate(r)])]
        for r in rows[:1]
    ]
    return ("\n".join([ANNUAL, *(",".join(r) for r in moved)]) + "\n").encode()


def sectorbook(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sectorbook", *arguments], capture_output=True, text=True, check=False
    )


def test_a_region_is_fetched_built_and_loaded(home: Path) -> None:
    with replay() as server:
        for year in (2022, 2023):
            for area in (*TEN, "C1814", "US000"):
                server.files[f"cew/data/api/{year}/a/area/{area}.csv"] = slice_of(area, year)
        given = ("--region", "columbus-oh", "--year", "2022", "--year", "2023")
        mirror = ("--mirror", f"https://data.bls.gov={server.address}")
        done = sectorbook("fetch", "qcew", *given, *mirror)
        assert done.returncode == 0, done.stderr
        assert "12 of 12: 2023-area-US000.csv" in done.stdout and "Next: sectorbook build qcew" in done.stdout
    built = sectorbook("build", "qcew")
    assert built.returncode == 0 and "qcew.parquet: 24 rows" in built.stdout, built.stderr
    region = warehouse.find_region("columbus-oh")
    assert warehouse.counties(region) == TEN
    loaded = warehouse.load("qcew", region)
    assert set(loaded.area_fips) == {*TEN, "C1814"} and set(loaded.year) == {2022, 2023}
    assert set(warehouse.load("qcew", "national").area_fips) == {"US000"}
    assert warehouse.has("qcew", region) and warehouse.has("qcew") and not warehouse.has("qcew", "lima-oh")
    sidecar = warehouse.source("qcew")
    assert {f.url.rsplit("/", 1)[1] for f in sidecar.built_from} == {
        f"{a}.csv" for a in (*TEN, "C1814", "US000")
    }
    assert sidecar.retrieved[:2] == "20"


def test_what_is_not_there_is_said(home: Path) -> None:
    region = warehouse.find_region("denver-co")
    assert warehouse.counties(region) == ()
    assert not warehouse.has("qcew", region) and not warehouse.has("commuting_flows")
    with pytest.raises(SectorbookError, match=r"Unknown table 'qcw'. Did you mean 'qcew'"):
        warehouse.has("qcw")
    with pytest.raises(SectorbookError, match="counties of Denver.* are not known here"):
        warehouse.area_fips(region)
    with pytest.raises(SectorbookError, match="Fetch and build it: sectorbook fetch qcew"):
        warehouse.load("qcew", region)
    with pytest.raises(SectorbookError, match="holds no files of qcew"):
        warehouse.build("qcew")
    told = acquisition.how_to_get("qcew", region)
    assert (
        told.startswith("sectorbook fetch delineations")
        and "fetch qcew --year YEAR --region denver-co" in told
    )
    assert acquisition.how_to_get("training_programs", region).startswith("sectorbook build etpl --from PATH")


@pytest.mark.parametrize(
    ("names", "region", "options", "told"),
    [
        (["qcw"], None, {}, "Did you mean 'qcew'"),
        (["qcew"], "columbus-oh", {"year": [2023], "release": "30.0"}, "None of qcew is fetched by release"),
        (["onet"], "columbus-oh", {"release": "30.0"}, "no --region"),
        (["qcew"], "columbus-oh", {}, "qcew is fetched by year: give it"),
        (["qcew"], "denver-co", {"year": [2023]}, "counties of Denver"),
        (["etpl"], None, {}, "no one address"),
        (["acs"], "denver-co", {"year": [2023]}, "give --state"),
    ],
)
def test_a_wrong_fetch_says_what_is_valid(names: list, region: str | None, options: dict, told: str) -> None:
    with pytest.raises(SectorbookError) as error:
        acquisition.plans(names, region, **options)
    assert told in str(error.value)


def test_each_source_takes_what_it_has_a_use_for() -> None:
    plans = acquisition.plans(["qcew", "acs", "lodes", "delineations"], "columbus-oh", year=[2023])
    assert [(p.about.source, p.edition) for p in plans] == [
        ("qcew", "2023"), ("acs", "2023-39"), ("lodes", "2023-oh"), ("delineations", "2023"),
    ]  # fmt: skip
    cincinnati = acquisition.plans(["lodes"], "cincinnati-oh", year=[2022])
    assert [p.edition for p in cincinnati] == ["2022-oh", "2022-ky", "2022-in"]


@needs_shared
def test_counties_come_from_the_delineation_where_the_region_has_none(home: Path) -> None:
    warehouse.build("delineations", SHARED / "data" / "geography" / "list1_2020.xls")
    assert warehouse.counties(warehouse.find_region("lima-oh")) == ("39003",)
    assert warehouse.area_fips(warehouse.find_region("lima-oh")) == ("39003", "C3062")
    assert warehouse.area_fips(warehouse.find_region("ohio")) == ("39000",)
    assert warehouse.counties(warehouse.find_region("north-arkansas-nonmetropolitan")) == ()


@needs_shared
def test_franklin_county_ties_out_to_bls(home: Path) -> None:
    warehouse.build("qcew", SHARED / "data" / "qcew" / "annual_by_area")
    rows = warehouse.load("qcew", "columbus-oh")
    franklin = rows[(rows.area_fips == "39049") & (rows.own_code == "0") & (rows.year == 2023)]
    assert franklin.employment.tolist() == [772_233]
    assert set(rows.area_fips) == set(TEN)
    with pytest.raises(SectorbookError, match="no rows for Ohio"):
        warehouse.load("qcew", "ohio")
    assert paths.processed("qcew", "2023", "qcew.parquet").exists()
