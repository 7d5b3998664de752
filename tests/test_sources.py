import gzip
import json
import zipfile

import duckdb
import pytest
from publishers import (
    COMMUTING,
    COMPLETIONS,
    CONCORDANCE,
    COUNTIES,
    DELINEATION,
    EARLIER,
    ETPL,
    FLOWS,
    INSTITUTIONS,
    LINKS,
    NAICS,
    OD,
    OD_AUX,
    ONET_OCCUPATIONS,
    ONET_READ_ME,
    ONET_SKILLS,
    ONET_TECHNOLOGY,
    OPENINGS_NEW,
    PROFILE,
    PROFILE_LABELS,
    PROFILE_TEXT,
    PROJECTIONS_NEW,
    WAC,
    XWALK,
    excel,
    text,
)
from sectorbook import provenance, sources
from sectorbook.errors import SectorbookError
from shared import SHARED, needs_shared


@pytest.fixture
def build(tmp_path):
    """Build a source and return its sidecar and tables."""

    def run(name, origin):
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        sidecar = sources.get(name).build(origin, folder)
        assert {f.name.removesuffix(".parquet") for f in sidecar.files} <= set(sources.get(name).TABLES)
        assert sidecar.source == name and sidecar.built_from and sidecar.citation
        tables = {
            f.name.removesuffix(".parquet"): duckdb.read_parquet(str(folder / f.name)).df()
            for f in sidecar.files
        }
        assert all(len(tables[f.name.removesuffix(".parquet")]) == f.rows for f in sidecar.files)
        return sidecar, tables

    return run


@pytest.mark.parametrize("name", sources.names())
def test_every_source_cites_its_address_and_names_its_tables(name):
    module = sources.get(name)
    assert "http" in module.__doc__ and module.TABLES
    assert all(
        table.startswith(table.split("_")[0]) and about.endswith(".")
        for table, about in module.TABLES.items()
    )


@pytest.mark.parametrize(
    "name, options, url",
    [
        ("oews", {}, "https://download.bls.gov/pub/time.series/oe/oe.area"),
        ("onet", {"release": "29.3"}, "https://www.onetcenter.org/dl_files/database/db_29_3_text.zip"),
        ("projections", {}, "https://www.bls.gov/emp/ind-occ-matrix/occupation.xlsx"),
        ("lodes", {"state": "OH", "year": 2022}, "https://lehd.ces.census.gov/data/lodes/LODES8/oh/od/oh_od_main_JT00_2022.csv.gz"),
        ("ipeds", {"year": 2023}, "https://nces.ed.gov/ipeds/datacenter/data/C2023_A.zip"),
        ("acs", {"year": 2022, "state": "39"},
         "https://api.census.gov/data/2022/acs/acs5/profile?get=group(DP02)&for=county:*&in=state:39"),
        ("oews_earlier", {"year": 2021}, "https://www.bls.gov/oes/special-requests/oesm21ma.zip"),
        ("counties", {}, "https://www2.census.gov/geo/docs/reference/codes2020/national_county2020.txt"),
        ("naics", {"year": 2017}, "https://www.census.gov/naics/2017NAICS/2017_NAICS_Structure.xlsx"),
        ("concordances", {"year": 2017}, "https://www.census.gov/naics/concordances/2012_to_2017_NAICS.xlsx"),
        ("commuting", {"period": "2011-2015"},
         "https://www2.census.gov/programs-surveys/demo/tables/metro-micro/2015/commuting-flows-2015/table1.xlsx"),
        ("delineations", {"year": 2020},
         "https://www2.census.gov/programs-surveys/metro-micro/geographies/reference-files/2020/delineation-files/list1_2020.xls"),
    ],
)  # fmt: skip
def test_what_to_fetch(name, options, url):
    fetch = sources.plan(name, **options)
    assert fetch.files[0].url == url and fetch.about.source == name


@pytest.mark.parametrize(
    "name, options",
    [("onet", {"release": "thirty"}), ("onet", {}), ("naics", {"year": 2015}), ("commuting", {"period": "2001-2005"}),
     ("concordances", {"year": 2012}),
     ("delineations", {"year": 1999}), ("projections", {"year": 2024})],
)  # fmt: skip
def test_what_cannot_be_fetched(name, options):
    with pytest.raises(SectorbookError):
        sources.plan(name, **options)


def test_flows_of_the_published_workbook(tmp_path, build):
    sidecar, tables = build("commuting", excel(tmp_path / "table1.xlsx", {"Table 1": FLOWS}))
    assert sidecar.edition == "2016-2020"
    assert sidecar.facts == {"workers": 8651.0, "workers_abroad_left_out": 4.0}
    assert tables["commuting_flows"].to_numpy().tolist() == [
        ["01001", "01001", 8635, 499.0],
        ["01001", "01013", 16, 26.0],
    ]


def test_flows_as_text(tmp_path, build):
    (tmp_path / "flows_2011_2015.csv").write_bytes(b"\xef\xbb\xbf" + text(COMMUTING))
    sidecar, tables = build("commuting", tmp_path / "flows_2011_2015.csv")
    assert sidecar.edition == "2011-2015" and tables["commuting_flows"].workers_moe.tolist() == [412.0, 9.0]


def test_delineation(tmp_path, build):
    sidecar, tables = build("delineations", excel(tmp_path / "list1_2023.xlsx", {"List 1": DELINEATION}))
    table = tables["delineation_counties"].set_index("county_fips")
    assert (sidecar.vintage, sidecar.edition) == ("July 2023", "2023-07")
    assert table.loc["39049", ["cbsa_code", "cbsa_kind", "csa_code"]].tolist() == [
        "18140",
        "metropolitan",
        "198",
    ]
    assert table.loc["46013"].isna().sum() == 4


def test_concordances_of_all_editions_are_one_table(tmp_path, build):
    older = [[str(c).replace("2022", "x").replace("2017", "2012").replace("x", "2017") if i < 3 else c for c in row]
             for i, row in enumerate(CONCORDANCE)]  # fmt: skip
    (tmp_path / "in").mkdir()
    excel(tmp_path / "in" / "2017_to_2022_NAICS.xlsx", {"2017 to 2022 NAICS U.S.": CONCORDANCE})
    excel(tmp_path / "in" / "2012_to_2017_NAICS.xlsx", {"2012 to 2017 NAICS": older})
    sidecar, tables = build("concordances", tmp_path / "in")
    table = tables["naics_concordance"]
    assert (sidecar.vintage, sidecar.edition) == ("2012 to 2017, 2017 to 2022", "2022")
    assert len(table) == 2 * (len(CONCORDANCE) - 3)
    split = table[table.naics_code.eq("454110") & table.naics_vintage.eq("2017")]
    assert split.next_naics_code.tolist() == ["458110", "459210"] and set(split.next_naics_vintage) == {
        "2022"
    }


def test_naics_loses_its_mark_and_keeps_its_tree(tmp_path, build):
    _, tables = build("naics", excel(tmp_path / "n.xlsx", {"2022 NAICS Structure": NAICS}))
    table = tables["naics_industries"].set_index("naics_code")
    assert table.naics_title.tolist() == [
        "Manufacturing", "Fabricated Metal Product Manufacturing", "Forging and Stamping", "Casinos (except Casino Hotels)",
        "Iron and Steel Forging"]  # fmt: skip
    assert table.parent_code.tolist()[1:] == ["31-33", "332", "3321", "33211"]
    assert table.naics_level.tolist() == [2, 3, 4, 5, 6] and set(table.sector_code) == {"31-33"}


def test_projections_with_one_header_row(tmp_path, build):
    book = excel(
        tmp_path / "occupation.xlsx",
        {"Index": [["x"]], "Table 1.2": PROJECTIONS_NEW, "Table 1.10": OPENINGS_NEW},
    )
    sidecar, tables = build("projections", book)
    table = tables["projections"].set_index("occupation_code")
    assert sidecar.edition == "2024-34"
    nurses = table.loc["29-1141"]
    assert (nurses.employment_base, nurses.employment_projected, nurses.openings_annual) == (
        3_400_500,
        3_600_000,
        189_100,
    )
    assert (nurses.exits_annual, nurses.transfers_annual, nurses.exit_rate_pct) == (90_000, 79_100, 2.6)
    assert (nurses.education_entry, nurses.wage_annual_p50_usd) == ("Bachelor's degree", 93_600)
    assert (
        table.loc["29-1249"].wage_annual_p50_status == "top-coded"
        and table.wage_annual_p50_usd.isna().sum() == 1
    )


def onet_folder(folder, **spoilt):
    files = {
        "Occupation Data": ONET_OCCUPATIONS,
        "Skills": ONET_SKILLS,
        "Technology Skills": ONET_TECHNOLOGY,
    } | spoilt
    for name, rows in files.items():
        (folder / f"{name}.txt").write_bytes(rows if isinstance(rows, bytes) else text(rows, "\t"))
    (folder / "Read Me.txt").write_text(ONET_READ_ME)
    return folder


def test_onet_text_release(tmp_path, build):
    release = tmp_path / "in"
    release.mkdir()
    sidecar, tables = build("onet", onet_folder(release))
    assert (sidecar.vintage, sidecar.edition) == ("30.0 (August 2025)", "30.0")
    skills = tables["onet_skills"][["scale_id", "onet_value", "onet_se"]]
    assert skills.to_numpy().tolist() == [
        ["IM", 4.0, 0.0],
        ["LV", 4.25, 0.16],
    ]
    assert tables["onet_technology"].technology_example.tolist() == ['Epic "Systems"']
    assert "Job Zones" in sidecar.facts["files_not_in_this_copy"]


def test_provider_list(tmp_path, build):
    (tmp_path / "texas_etpl_2024-03-20.csv").write_bytes(text(ETPL))
    sidecar, tables = build("etpl", tmp_path / "texas_etpl_2024-03-20.csv")
    programs = tables["training_programs"].set_index("program_id")
    assert programs.cip_code.tolist() == ["51.3801", "01.0605"] and sidecar.facts == {
        "cip_codes_with_zero_restored": 1.0
    }
    assert programs.length_weeks.isna().tolist() == [True, False]
    assert tables["training_program_occupations"].onet_soc_code.tolist() == ["29-1141.00", "29-1141.01"]


def test_county_names(tmp_path, build):
    (tmp_path / "national_county2020.txt").write_bytes(text(COUNTIES, "|"))
    _, tables = build("counties", tmp_path / "national_county2020.txt")
    assert tables["counties"].set_index("county_fips").county_name.to_dict() == {
        "01001": "Autauga County", "72097": "Mayagüez Municipio"}  # fmt: skip


def test_earlier_wages_say_why_they_are_not_there(tmp_path, build):
    book = excel(tmp_path / "MSA_M2021_dl.xlsx", {"MSA": EARLIER})
    with zipfile.ZipFile(tmp_path / "oesm21ma.zip", "w") as archive:
        archive.write(book, "oesm21ma/MSA_M2021_dl.xlsx")
        archive.writestr("oesm21ma/BOS_M2021_dl.xlsx", b"")
    sidecar, tables = build("oews_earlier", tmp_path / "oesm21ma.zip")
    assert (sidecar.vintage, sidecar.edition) == ("May 2021", "2021-05")
    table = tables["oews_earlier"].set_index("occupation_code")
    doctors, teachers = table.loc["29-1215"], table.loc["25-2021"]
    assert (doctors.employment, doctors.employment_rse_pct, doctors.wage_annual_p50_usd) == (
        540,
        2.2,
        205_920,
    )
    assert (doctors.wage_hourly_p90_status, doctors.location_quotient_status) == ("top-coded", "withheld")
    assert (teachers.wage_hourly_mean_status, teachers.wage_annual_mean_usd) == ("annual-only", 64_000)
    assert teachers.employment_status == "withheld" and table.loc["25-2021", "employment"] != 0


def lodes_folder(folder, **spoilt):
    files = {
        "od_main_JT00_2022": OD,
        "od_aux_JT00_2022": OD_AUX,
        "wac_S000_JT00_2022": WAC,
        "xwalk": XWALK,
    } | spoilt
    folder.mkdir()
    for name, rows in files.items():
        (folder / f"oh_{name}.csv.gz").write_bytes(gzip.compress(text(rows)))
    return folder


def test_lodes_blocks_become_counties(tmp_path, build):
    sidecar, tables = build("lodes", lodes_folder(tmp_path / "in"))
    assert (sidecar.vintage, sidecar.edition) == ("2022, OH", "2022")
    flows = tables["lodes_flows"].set_index(["residence_county_fips", "work_county_fips"])
    assert flows.jobs.to_dict() == {("21019", "39049"): 2, ("39041", "39049"): 10, ("39049", "39049"): 5}
    assert flows.loc[("39041", "39049"), "jobs_age_30_to_54"] == 5
    jobs = tables["lodes_jobs"].set_index(["county_fips", "job_side", "lodes_code"])
    assert jobs.loc[("39049", "work", "C000"), "jobs"] == jobs.loc[("39049", "work", "CNS16"), "jobs"] == 80
    assert jobs.loc[("39049", "work", "CNS16"), "job_category"] == "62"
    assert not any(code.startswith("CR") for _, _, code in jobs.index)  # not in this file: absent, not zero


def test_lodes_puts_the_states_of_the_newest_year_together(tmp_path, build):
    alone, _ = build("lodes", lodes_folder(tmp_path / "alone"))
    across = [OD[0], ["210190301001000", "390490001101000", *OD[1][2:]]]
    walk = [XWALK[0], ["210190301001000", "21", "KY", "Kentucky", "21019", "Boyd County, KY"]]
    for name, rows, blocks in (("2022-oh", OD, XWALK), ("2022-ky", across, walk)):
        folder = tmp_path / "in" / name
        folder.mkdir(parents=True)
        state = name[-2:]
        kind = "od_main" if state == "oh" else "od_aux"
        (folder / f"{state}_{kind}_JT00_2022.csv.gz").write_bytes(gzip.compress(text(rows)))
        (folder / f"{state}_xwalk.csv.gz").write_bytes(gzip.compress(text(blocks)))
        provenance.write_sidecar(folder, alone)
    (tmp_path / "in" / "2021-oh").mkdir()
    provenance.write_sidecar(tmp_path / "in" / "2021-oh", alone)
    sidecar, tables = build("lodes", tmp_path / "in")
    assert (sidecar.vintage, sidecar.edition) == ("2022, KY, OH", "2022")
    assert {"21019", "39049"} <= set(tables["lodes_flows"].work_county_fips)


def test_ipeds_counts_no_total_and_takes_the_revised_file(tmp_path, build):
    folder = tmp_path / "in"
    folder.mkdir()
    first = [COMPLETIONS[0], [*COMPLETIONS[1][:5], "999", "R", "20"]]
    with zipfile.ZipFile(folder / "C2023_A.zip", "w") as archive:
        archive.writestr("c2023_a.csv", text(first))
        archive.writestr("c2023_a_rv.csv", text(COMPLETIONS))
    with zipfile.ZipFile(folder / "HD2023.zip", "w") as archive:
        archive.writestr("hd2023.csv", text(INSTITUTIONS, encoding="latin-1"))
    excel(folder / "CIP2020_SOC2018_Crosswalk.xlsx", {"ReadMe": [["x"]], "CIP-SOC": LINKS})
    sidecar, tables = build("ipeds", folder)
    assert (sidecar.vintage, sidecar.edition, sidecar.facts) == (
        "2022-23",
        "2023",
        {"rows_of_totals_left_out": 2.0},
    )
    assert tables["ipeds_completions"][["major_number", "awards"]].to_numpy().tolist() == [[1, 210], [2, 4]]
    places = tables["ipeds_institutions"].set_index("unit_id")
    assert places.loc["100654", "county_fips"] == "01089" and places.loc["999001"].isna().sum() == 2
    assert places.loc["999001", "city"] == "Mayagüez"
    assert sorted(tables["cip_soc"].soc_code) == ["25-1072", "29-1141"]


def test_profiles_keep_estimate_and_margin_together(tmp_path, build):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/acs5-2022-39-DP03.json").write_text(json.dumps(PROFILE))
    (tmp_path / "in/acs5-2022-labels-DP03.json").write_text(json.dumps(PROFILE_LABELS))
    sidecar, tables = build("acs", tmp_path / "in")
    assert sidecar.vintage == "2018-2022"
    table = tables["acs_profiles"].set_index(["area_fips", "profile_variable"])
    income = table.loc[("39049", "DP03_0062")]
    assert (income.estimate, income.estimate_moe, income.profile_label) == (
        71_070, 1_013, "INCOME AND BENEFITS: Total households: Median household income")  # fmt: skip
    assert table.loc[("39049", "DP03_0001")].estimate_moe_status == "controlled"
    vinton = table.loc[("39163", "DP03_0062")]
    assert vinton[["estimate", "estimate_moe"]].isna().all() and vinton.estimate_status == "too-few-cases"


def test_profiles_as_text(tmp_path, build):
    (tmp_path / "ACSDP5Y2022.DP03-Data.csv").write_bytes(b"\xef\xbb\xbf" + text(PROFILE_TEXT))
    _, tables = build("acs", tmp_path / "ACSDP5Y2022.DP03-Data.csv")
    table = tables["acs_profiles"].set_index("area_fips")
    assert table.profile_label.tolist() == ["INCOME: Median"] * 2
    vinton = table.loc["39163"]
    assert (vinton.estimate, vinton.estimate_status, vinton.estimate_moe_status) == (
        250_000,
        "top-coded",
        "open-ended",
    )


# What the real files must give. Figures are the publishers' (README of ../shared/data, or counted in the file itself).
REAL = {
    "commuting": ("data/commuting/acs_2011_2015_county_flows.csv.gz", {"commuting_flows": 137_806}),
    "delineations": ("data/geography", {"delineation_counties": 1_916}),
    "naics": ("data/naics", {"naics_industries": 2_125}),
    "projections": ("data/projections", {"projections": 1_091}),
    "oews_earlier": ("data/oews/CA_jobs_21.csv", {"oews_earlier": 46}),
    "etpl": ("data/training_providers", {"training_programs": 6_245, "training_program_occupations": 8_174}),
    "onet": ("data/onet/27.0", {"onet_occupations": 1_016, "onet_job_zones": 923, "onet_education": 35_723,
                                "onet_related": 18_460, "onet_technology": 30_826}),
}  # fmt: skip


@needs_shared
@pytest.mark.parametrize("name", REAL)
def test_real_files(name, build):
    path, rows = REAL[name]
    sidecar, tables = build(name, SHARED / path)
    assert {f.name.removesuffix(".parquet"): f.rows for f in sidecar.files} == rows
    if name == "commuting":
        flows = tables["commuting_flows"].set_index(["residence_county_fips", "work_county_fips"]).workers
        assert flows[("36047", "36061")] == 429_343  # Kings to New York
    if name == "projections":
        table = tables["projections"].set_index("occupation_code")
        assert table.loc["00-0000", "employment_projected"] == 167_582_300
        detailed = table[table.occupation_type == "Line item"]
        # BLS rounds each of 819 occupations to 100 jobs, so their sum may differ by 819 x 50.
        assert abs(detailed.employment_base.sum() - table.loc["00-0000", "employment_base"]) < 819 * 50


@needs_shared
def test_real_excel_release_of_onet(build):
    sidecar, tables = build("onet", SHARED / "data/onet/29.3")
    assert sidecar.vintage == "29.3 (May 2025)"
    assert len(tables["onet_skills"]) == 61_530 and set(tables["onet_skills"].scale_id) == {"IM", "LV"}
