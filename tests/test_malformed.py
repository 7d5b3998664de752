# ruff: noqa: E501
"""Spoilt files: each must give one clear error that names file, row, column, what was found and what is expected."""

import gzip
import json

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
    ONET_OCCUPATIONS,
    ONET_READ_ME,
    ONET_SKILLS,
    ONET_TECHNOLOGY,
    OPENINGS_NEW,
    PROFILE,
    PROFILE_TEXT,
    PROJECTIONS_NEW,
    QCEW,
    XWALK,
    edited,
    excel,
    text,
)
from sectorbook import sources
from sectorbook.errors import SectorbookError


def without(rows, column):
    """Return the table without one column."""
    place = rows[0].index(column)
    return [cells[:place] + cells[place + 1 :] for cells in rows]


def renamed(rows, old, new):
    return [[new if c == old else c for c in rows[0]], *rows[1:]]


HTML = b"<!DOCTYPE html><html><body>Access denied</body></html>"
UTF16 = text(QCEW, encoding="utf-16")
LATIN = text(edited(ETPL, 2, "Campus City", "Cañon"), encoding="latin-1")

# name -> (source, file name, bytes, what the message must say beside the file's name)
TEXT = {
    "column renamed": ("qcew", "a.csv", text(renamed(QCEW, "annual_avg_emplvl", "employment")), ["row 1", "column annual_avg_emplvl"]),
    "column misspelt": ("qcew", "a.csv", text(renamed(QCEW, "area_fips", "area_fip")), ["row 1", "Did you mean 'area_fip'"]),
    "column missing": ("qcew", "a.csv", text(without(QCEW, "disclosure_code")), ["row 1", "column disclosure_code"]),
    "column twice": ("qcew", "a.csv", text([[*cells, cells[0]] for cells in QCEW]), ["row 1", "'area_fips' is there twice"]),
    "other table": ("qcew", "a.csv", text(COMMUTING), ["row 1", "column area_fips", "res_fips"]),
    "empty file": ("qcew", "a.csv", b"", ["row 1", "is empty"]),
    "header only": ("qcew", "a.csv", text(QCEW[:1]), ["no rows"]),
    "web page": ("qcew", "a.csv", HTML, ["row 1", "found a web page"]),
    "UTF-16": ("qcew", "a.csv", UTF16, ["row 1", "found UTF-16 text", "expected plain text"]),
    "zip under another name": ("qcew", "a.csv", b"PK\x03\x04....", ["row 1", "found a zip or Excel file"]),
    "gz cut short": ("qcew", "a.csv.gz", gzip.compress(text(QCEW))[:-40], ["damaged"]),
    "not a zip": ("qcew", "a.zip", b"area_fips", ["damaged or not a zip"]),
    "not Latin in UTF-8": ("qcew", "a.csv", text(edited(QCEW, 3, "industry_code", "é"), encoding="latin-1"), ["row 3", "not UTF-8"]),
    "FIPS lost its zero": ("qcew", "a.csv", text(edited(QCEW, 3, "area_fips", "1001")), ["row 3", "column area_fips", "'1001'", "'01001'"]),
    "FIPS as a float": ("qcew", "a.csv", text(edited(QCEW, 2, "area_fips", "39049.0")), ["row 2", "column area_fips", "'39049.0'"]),
    "FIPS in exponents": ("qcew", "a.csv", text(edited(QCEW, 2, "area_fips", "3.9E+04")), ["row 2", "column area_fips"]),
    "industry made a date": ("qcew", "a.csv", text(edited(QCEW, 3, "industry_code", "Mar-31")), ["row 3", "column industry_code", "31-33"]),
    "negative employment": ("qcew", "a.csv", text(edited(QCEW, 3, "annual_avg_emplvl", "-300")), ["row 3", "column annual_avg_emplvl", "'-300'", "0 or more"]),
    "negative establishments": ("qcew", "a.csv", text(edited(QCEW, 4, "annual_avg_estabs", "-4")), ["row 4", "column annual_avg_estabs"]),
    "thousands separator": ("qcew", "a.csv", text(edited(QCEW, 2, "annual_avg_emplvl", "772,233")), ["row 2", "column annual_avg_emplvl", "'772,233'", "thousands"]),
    "words for a number": ("qcew", "a.csv", text(edited(QCEW, 2, "total_annual_wages", "n/a")), ["row 2", "column total_annual_wages", "'n/a'"]),
    "infinite": ("qcew", "a.csv", text(edited(QCEW, 2, "annual_avg_emplvl", "inf")), ["row 2", "column annual_avg_emplvl", "'inf'"]),
    "unknown disclosure code": ("qcew", "a.csv", text(edited(QCEW, 4, "disclosure_code", "X")), ["row 4", "column disclosure_code", "'X'", "N, or nothing"]),
    "no such quarter": ("qcew", "a.csv", text(edited(QCEW, 2, "qtr", "5")), ["row 2", "column qtr", "'5'"]),
    "year of no known NAICS": ("qcew", "a.csv", text(edited(QCEW, 2, "year", "2035")), ["row 2", "column year", "'2035'", "NAICS"]),
    "NAICS vintages mixed": ("qcew", "a.csv", text(edited(QCEW, 4, "year", "2016")), ["row 4", "column year", "'2016'", "2023"]),
    "row twice": ("qcew", "a.csv", text([*QCEW, QCEW[2]]), ["row 5", "as in row 3"]),
    "row cut short": ("qcew", "a.csv", text([*QCEW[:2], QCEW[2][:20]]), ["row 3", "one cell per column"]),
    "other file beside": ("qcew", "a.pdf", b"%PDF-1.7", ["Expected .csv"]),
    "county lost its zero": ("commuting", "flows_2011_2015.csv", text(edited(COMMUTING, 2, "res_fips", "1001")), ["row 2", "column res_fips", "'1001'", "'01001'"]),
    "negative workers": ("commuting", "flows_2011_2015.csv", text(edited(COMMUTING, 3, "workers", "-6")), ["row 3", "column workers", "'-6'"]),
    "workers with a comma": ("commuting", "flows_2011_2015.csv", text(edited(COMMUTING, 2, "workers", "8,828")), ["row 2", "column workers", "'8,828'"]),
    "half a worker": ("commuting", "flows_2011_2015.csv", text(edited(COMMUTING, 2, "workers", "8.5")), ["row 2", "column workers", "whole number"]),
    "no workers": ("commuting", "flows_2011_2015.csv", text(edited(COMMUTING, 2, "workers", "")), ["row 2", "column workers", "found nothing"]),
    "flow twice": ("commuting", "flows_2011_2015.csv", text([*COMMUTING, COMMUTING[1]]), ["row 4", "as in row 2"]),
    "no period": ("commuting", "flows.csv", text(COMMUTING), ["which five years"]),
    "program twice": ("etpl", "etpl_2024-03-20.csv", text([*ETPL, ETPL[1]]), ["row 4", "column program_id", "as in row 2"]),
    "cost with a dollar": ("etpl", "etpl_2024-03-20.csv", text(edited(ETPL, 2, "Required Cost: Tuition & Fees", "$3840")), ["row 2", "column Required Cost", "'$3840'"]),
    "occupation mangled": ("etpl", "etpl_2024-03-20.csv", text(edited(ETPL, 2, "Occupation Code (ONET 1)", "2.9E+07")), ["row 2", "column Occupation Code", "'2.9E+07'"]),
    "CIP too short": ("etpl", "etpl_2024-03-20.csv", text(edited(ETPL, 3, "Instructional Program (CIP) Code", "106")), ["row 3", "column Instructional Program", "'106'"]),
    "Latin-1": ("etpl", "etpl_2024-03-20.csv", LATIN, ["row 2", "not UTF-8"]),
    "award without its institution": ("ipeds", "c2023_a.csv", text(edited(COMPLETIONS, 2, "UNITID", "")), ["row 2", "column UNITID", "found nothing"]),
    "CIP lost its zero": ("ipeds", "c2023_a.csv", text(edited(COMPLETIONS, 2, "CIPCODE", "1.3801")), ["row 2", "column CIPCODE", "'1.3801'"]),
    "awards negative": ("ipeds", "c2023_a.csv", text(edited(COMPLETIONS, 3, "CTOTALT", "-4")), ["row 3", "column CTOTALT", "'-4'"]),
    "award twice": ("ipeds", "c2023_a.csv", text([*COMPLETIONS, COMPLETIONS[1]]), ["row 6", "as in row 2"]),
    "institution twice": ("ipeds", "hd2023.csv", text([*INSTITUTIONS, INSTITUTIONS[1]]), ["row 5", "as in row 2"]),
    "estimate without its margin": ("acs", "ACSDP5Y2022.DP03-Data.csv", text(without(PROFILE_TEXT, "DP03_0062M")), ["row 1", "column DP03_0062M"]),
    "estimate with a comma": ("acs", "ACSDP5Y2022.DP03-Data.csv", text(edited(PROFILE_TEXT, 3, "DP03_0062E", "71,070")), ["row 3", "column DP03_0062E", "'71,070'"]),
    "area code alone": ("acs", "ACSDP5Y2022.DP03-Data.csv", text(edited(PROFILE_TEXT, 3, "GEO_ID", "39049")), ["row 3", "column GEO_ID", "'39049'"]),
    "unknown mark": ("acs", "acs5-2022-39-DP03.json", json.dumps(edited(PROFILE, 2, "DP03_0062M", "-777777777")).encode(), ["row 2", "column DP03_0062M", "'-777777777'"]),
    "not JSON": ("acs", "acs5-2022-39-DP03.json", HTML, ["is not JSON"]),
    "county without zeros": ("counties", "counties.txt", text(edited(COUNTIES, 2, "COUNTYFP", "1"), "|"), ["row 2", "column COUNTYFP", "'1'"]),
    "county of one code twice": ("counties", "counties.txt", text([*COUNTIES, COUNTIES[1]], "|"), ["row 4", "as in row 2"]),
    "no date": ("etpl", "etpl.csv", text(ETPL), ["of which day"]),
}  # fmt: skip

NEW = {"Table 1.2": PROJECTIONS_NEW, "Table 1.10": OPENINGS_NEW}

# name -> (source, sheets, what the message must say)
EXCEL = {
    "state lost its zero": ("commuting", {"T": edited(FLOWS, 5, 0, 1.0)}, ["row 5", "column residence State FIPS Code", "'1'"]),
    "county lost its zeros": ("commuting", {"T": edited(FLOWS, 6, 5, 13.0)}, ["row 6", "column workplace County FIPS Code", "'13'"]),
    "workplace without county": ("commuting", {"T": edited(FLOWS, 6, 5, "")}, ["row 6", "column workplace County FIPS Code", "found nothing"]),
    "margin of error negative": ("commuting", {"T": edited(FLOWS, 5, 9, -499.0)}, ["row 5", "column moe", "'-499'"]),
    "no header": ("commuting", {"T": FLOWS[:3]}, ["row 1", "State FIPS Code"]),
    "area code lost a digit": ("delineations", {"L": edited(DELINEATION, 5, 0, 1814.0)}, ["row 5", "column CBSA Code", "'1814'"]),
    "county code as a number": ("delineations", {"L": edited(DELINEATION, 5, 10, 49.0)}, ["row 5", "column FIPS County Code", "'49'"]),
    "county in two areas": ("delineations", {"L": [*DELINEATION[:5], edited(DELINEATION, 5, 0, "18150")[4]]}, ["row 6", "as in row 5"]),
    "kind of area unknown": ("delineations", {"L": edited(DELINEATION, 4, 4, "Town")}, ["row 4", "column Metropolitan/Micropolitan", "'Town'"]),
    "header of another list": ("delineations", {"L": DELINEATION[:2]}, ["row 1", "CBSA Code"]),
    "industry without parent": ("naics", {"S": edited(NAICS, 5, 0, 3399.0)}, ["row 5", "column 2022 NAICS Code", "'3399'", "parent 339"]),
    "industry twice": ("naics", {"S": [*NAICS, NAICS[6]]}, ["row 8", "as in row 7"]),
    "sector made a date": ("naics", {"S": edited(NAICS, 3, 0, "31-Mar")}, ["row 3", "column 2022 NAICS Code", "'31-Mar'"]),
    "no occupation": ("ipeds", {"CIP-SOC": edited(LINKS, 2, 2, "291141")}, ["row 2", "column SOC2018Code", "'291141'"]),
    "sheet renamed": ("ipeds", {"CIP SOC": LINKS}, ["no sheet 'CIP-SOC'", "Did you mean 'CIP SOC'"]),
    "occupation without its dash": ("oews_earlier", {"MSA_M2021": edited(EARLIER, 2, 3, 291215.0)}, ["column OCC_CODE", "'291215'"]),
    "wage with a comma": ("oews_earlier", {"MSA_M2021": edited(EARLIER, 2, 11, "216,740")}, ["column A_MEAN", "'216,740'"]),
    "concordance of one edition": ("concordances", {"S": edited(CONCORDANCE, 3, 0, "2022 NAICS Code")}, ["row 1", "expected the columns '2017 NAICS Code'"]),
    "concordance with a short code": ("concordances", {"S": edited(CONCORDANCE, 4, 2, 45811.0)}, ["row 4", "column 2022 NAICS Code", "'45811'", "6 digits"]),
    "concordance with a pair twice": ("concordances", {"S": [*CONCORDANCE, CONCORDANCE[3]]}, ["row 13", "as in row 4"]),
    "not the structure": ("naics", {"S": COMMUTING}, ["row 1", "expected a column '2022 NAICS Code'"]),
    "SOC code mangled": ("projections", NEW | {"Table 1.2": edited(PROJECTIONS_NEW, 4, 1, "Nov-41")}, ["Table 1.2", "row 4", "column code", "'Nov-41'"]),
    "employment negative": ("projections", NEW | {"Table 1.2": edited(PROJECTIONS_NEW, 4, 3, -3400.5)}, ["Table 1.2", "row 4", "base year", "'-3400.5'"]),
    "employment with a comma": ("projections", NEW | {"Table 1.2": edited(PROJECTIONS_NEW, 4, 4, "3,600.0")}, ["row 4", "projected year", "'3,600.0'"]),
    "three years in the header": ("projections", NEW | {"Table 1.2": edited(PROJECTIONS_NEW, 2, 5, "Employment, 2029")}, ["[2024, 2029, 2034]", "expected two"]),
    "occupation twice": ("projections", NEW | {"Table 1.2": [*PROJECTIONS_NEW[:5], PROJECTIONS_NEW[3]]}, ["row 6", "as in row 4"]),
    "no separations": ("projections", {"Table 1.2": PROJECTIONS_NEW}, ["no table about separations and openings"]),
    "no openings column": ("projections", NEW | {"Table 1.2": edited(PROJECTIONS_NEW, 2, 9, "Other")}, ["row 2", "column occupational openings"]),
}  # fmt: skip

ONET = {
    "code without its end": ("Occupation Data", edited(ONET_OCCUPATIONS, 2, 0, "29-1141"), ["row 2", "column O*NET-SOC Code", "'29-1141'"]),
    "rating out of its scale": ("Skills", edited(ONET_SKILLS, 2, "Data Value", "40"), ["row 2", "column Data Value", "'40'", "0 to 7"]),
    "rating twice": ("Skills", [*ONET_SKILLS, ONET_SKILLS[1]], ["row 4", "as in row 2"]),
    "standard error negative": ("Skills", edited(ONET_SKILLS, 3, "Standard Error", "-0.1"), ["row 3", "column Standard Error"]),
    "decimal comma": ("Skills", edited(ONET_SKILLS, 3, "Data Value", "4,25"), ["row 3", "column Data Value", "'4,25'"]),
    "saved with commas": ("Skills", text(ONET_SKILLS, ","), ["row 1", "column O*NET-SOC Code"]),
    "commodity code short": ("Technology Skills", edited(ONET_TECHNOLOGY, 2, "Commodity Code", "4323"), ["row 2", "column Commodity Code"]),
}  # fmt: skip


LODES = {
    "block rounded": (edited(OD, 2, "w_geocode", "3.9049E+14"), XWALK, "oh_od_main_JT00_2022.csv", ["row 2", "column w_geocode"]),
    "block not in the crosswalk": (edited(OD, 3, "h_geocode", "390410101009999"), XWALK, "oh_od_main_JT00_2022.csv", ["row 3", "column h_geocode", "crosswalk"]),
    "jobs negative": (edited(OD, 4, "S000", "-5"), XWALK, "oh_od_main_JT00_2022.csv", ["row 4", "column S000", "'-5'"]),
    "block twice": (OD, [*XWALK, XWALK[1]], "oh_xwalk.csv", ["row 5", "as in row 2"]),
}  # fmt: skip


def refused(source, path, folder, says):
    folder.mkdir()
    with pytest.raises(SectorbookError) as caught:
        sources.get(source).build(path, folder)
    message = str(caught.value)
    assert path.name.split(".")[0] in message
    assert all(part in message for part in says), message
    assert len(message) < 900 and "\n" not in message
    assert not [p for p in folder.iterdir() if p.suffix == ".parquet"]


@pytest.mark.parametrize("name", TEXT)
def test_spoilt_text(tmp_path, name):
    source, file, content, says = TEXT[name]
    (tmp_path / file).write_bytes(content)
    refused(source, tmp_path / file, tmp_path / "out", says)


@pytest.mark.parametrize("name", EXCEL)
def test_spoilt_workbook(tmp_path, name):
    source, tables, says = EXCEL[name]
    refused(source, excel(tmp_path / "book_2021.xlsx", tables), tmp_path / "out", says)


@pytest.mark.parametrize("name", ONET)
def test_spoilt_onet_release(tmp_path, name):
    file, content, says = ONET[name]
    release = tmp_path / "release"
    release.mkdir()
    (release / "Read Me.txt").write_text(ONET_READ_ME)
    (release / f"{file}.txt").write_bytes(content if isinstance(content, bytes) else text(content, "\t"))
    refused("onet", release, tmp_path / "out", [f"{file}.txt", *says])


@pytest.mark.parametrize("name", LODES)
def test_spoilt_lodes(tmp_path, name):
    flows, crosswalk, file, says = LODES[name]
    folder = tmp_path / "oh"
    folder.mkdir()
    (folder / "oh_od_main_JT00_2022.csv").write_bytes(text(flows))
    (folder / "oh_xwalk.csv").write_bytes(text(crosswalk))
    refused("lodes", folder, tmp_path / "out", [file, *says])


@pytest.mark.parametrize("source", ["commuting", "delineations", "naics", "projections"])
def test_a_workbook_that_is_none(tmp_path, source):
    (tmp_path / "book.xlsx").write_bytes(HTML)
    refused(source, tmp_path / "book.xlsx", tmp_path / "out", ["cannot be read as an Excel file"])


@pytest.mark.parametrize("source", sources.names())
def test_what_is_not_there_says_how_to_get_it(tmp_path, source):
    with pytest.raises(SectorbookError, match="does not exist"):
        sources.get(source).build(tmp_path / "nothing", tmp_path)
