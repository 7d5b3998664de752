"""The chapters' door to data: regions, sectors, tables, and what is refused."""

from pathlib import Path

import pytest
from sectorbook import config, paths, warehouse
from sectorbook.errors import SectorbookError


def test_every_area_is_a_region_with_a_slug_of_its_own() -> None:
    regions = warehouse.regions()
    assert len(regions) == 583
    assert len({region.slug for region in regions}) == 583
    for region in regions:
        for text in (region.slug, region.code, region.name):
            assert warehouse.find_region(text) == region, text


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("san-francisco", "san-francisco"), ("41860", "san-francisco"), ("SF", "san-francisco"),
        ("San Francisco-Oakland-Fremont, CA", "san-francisco"), ("Lima, OH", "lima-oh"), ("columbus-oh", "columbus-oh"),
        ("seattle", "seattle"), ("39", "ohio"), ("Ohio", "ohio"), ("lima", "lima-oh"), ("Winston-Salem, NC", "winston-salem-nc"),
        ("North Arkansas nonmetropolitan area", "north-arkansas-nonmetropolitan"),
    ],
)  # fmt: skip
def test_a_region_answers_to_its_names(text: str, slug: str) -> None:
    assert warehouse.find_region(text).slug == slug


@pytest.mark.parametrize(
    ("text", "told"), [("Seatle", "seattle"), ("san fransisco", "san-francisco"), ("limma-oh", "lima-oh")]
)
def test_an_unknown_region_suggests_the_nearest(text: str, told: str) -> None:
    with pytest.raises(SectorbookError, match="Unknown region") as error:
        warehouse.find_region(text)
    assert told in str(error.value)


def test_a_name_of_several_regions_lists_them() -> None:
    with pytest.raises(SectorbookError, match="columbus-ga.*columbus-in.*columbus-oh"):
        warehouse.find_region("columbus")


def test_all_regions_load() -> None:
    for region in warehouse.regions():
        frame = warehouse.load(
            "oews_occupations", region, columns=["area_code", "occupation_code", "employment"]
        )
        assert set(frame.area_code) == {region.code}
        assert frame.occupation_code.is_unique and "00-0000" in set(frame.occupation_code)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("oews_occupation", "seattle"), "Did you mean 'oews_occupations'"),
        (("oews_occupations",), "is regional"),
        (("oews_staffing", "seattle"), "takes no region"),
        (("oews_occupations", "seattle", ["employmnt"]), "Did you mean 'employment'"),
    ],
)
def test_a_wrong_load_says_what_is_valid(arguments: tuple, told: str) -> None:
    with pytest.raises(SectorbookError) as error:
        warehouse.load(*arguments)
    assert told in str(error.value)


def test_every_preset_is_a_sector_whose_jobs_count_once() -> None:
    d03 = {"manufacturing", "acute-healthcare", "long-term-healthcare", "logistics-transportation", "hospitality",
           "automobile-repair", "information-technology", "construction", "child-day-care"}  # fmt: skip
    assert config.sectors().keys() >= d03 | {"healthcare", "clean-energy"}
    for slug in config.sectors():
        assert warehouse.find_sector(slug).reason


@pytest.mark.parametrize(
    ("text", "industries"),
    [("622,623", ("622000", "623000")), ("31", ("31--34",)), ("33", ("31--34",)), ("48", ("48--50",)), ("45", ("44--46",)),
     ("99", ("99-100",)), ("6244", ("624400",)), ("81", ("81--82",))],
)  # fmt: skip
def test_naics_codes_make_a_sector(text: str, industries: tuple) -> None:
    assert warehouse.find_sector(text).industries == industries


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("heathcare", "Did you mean 'healthcare'"),
        ("62,622", "lies inside"),
        ("621498", "Unknown NAICS code"),
        ("", "Unknown sector"),
    ],
)
def test_a_wrong_sector_says_what_is_valid(text: str, told: str) -> None:
    with pytest.raises(SectorbookError) as error:
        warehouse.find_sector(text)
    assert told in str(error.value)


# -- damaged files and configuration ----------------------------------------------------------------------


def table_file(home: Path) -> Path:
    return home / "data" / "processed" / "oews" / "2025-05" / "oews_occupations.parquet"


def test_a_truncated_file_is_refused(home: Path) -> None:
    path = table_file(home)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(SectorbookError, match="cut short or was edited"):
        warehouse.load("oews_occupations", "seattle")


def test_an_edited_file_is_refused(home: Path) -> None:
    path = table_file(home)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(SectorbookError, match="was changed after it was written"):
        warehouse.load("oews_occupations", "seattle")


def test_a_missing_file_and_a_missing_sidecar_are_named(home: Path) -> None:
    table_file(home).unlink()
    with pytest.raises(SectorbookError, match=r"oews_occupations\.parquet is missing"):
        warehouse.load("oews_occupations", "seattle")
    (table_file(home).parent / "sidecar.json").unlink()
    with pytest.raises(SectorbookError, match="not built here"):
        warehouse.source("oews_occupations")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("regions.yml", 'here: {aera: "41860"}', "unknown key 'aera'. Did you mean 'area'? Valid keys: area, name"),
        ("regions.yml", 'here: {area: "418"}', "found '418'"),
        ("regions.yml", 'here: {area: "99999"}', "area 0099999 is not in the OEWS release"),
        ("regions.yml", "here: [", "is not valid YAML"),
        ("regions.yml", "- here", "must be a mapping"),
    ],
)  # fmt: skip
def test_wrong_configuration_says_file_entry_and_valid_keys(
    home: Path, name: str, text: str, told: str
) -> None:
    (home / "config" / name).write_text(text, encoding="utf-8")
    with pytest.raises(SectorbookError) as error:
        warehouse.regions()
    assert told in str(error.value)


def test_build_is_all_or_nothing(home: Path) -> None:
    before = sorted(path.name for path in table_file(home).parent.iterdir())
    sources = sorted(path.name for path in paths.processed().iterdir())
    with pytest.raises(SectorbookError, match="does not exist"):
        warehouse.build("oews", home / "nowhere")
    assert sorted(path.name for path in table_file(home).parent.iterdir()) == before
    assert sorted(path.name for path in paths.processed().iterdir()) == sources
