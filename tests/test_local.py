"""An initiative's own files: templates, what can be wrong with them, and the demonstration."""

import csv
import io
import subprocess
from pathlib import Path

import openpyxl
import pytest
from sectorbook import config, paths, provenance, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import demonstration, files, origin, templates

# A small set of files without a problem. Each test writes one of them anew.
GOOD = {
    "deciding": "section,item,question,answer,evidence,score,date\nstatement,mission,,Good jobs,Minutes,,2026-05-04\n",
    "support_services": "service,provider,population,capacity,payment,gap\nChild care,Link,Parents,20,Vouchers,\n",
    "sector_scores": "industry,criterion,score,evidence\n62,employer_issue,3,Minutes\n",
    "partners": "partner,also_called,type,roles,agreement_signed,waves_at_table,waves_answered\n"
    "Harbor College,HC; Harbor,college,find_training; recruit,yes,1; 2,1\n"
    "City Board,,workforce_board,,,1,1\n",
    "ties": "source,target,wave,kind,reliability\nHarbor College,City Board,1,cooperation,3\n",
    "employers": "employer_code,size_class,invited,employees\nE1,s1_9,yes,4\nE2,s250,no,900\n",
    "engagement": "employer_code,activity,date\nE1,hosts_interns,2026-03-31\n",
    "programs": "program,quarter,enrolled,completed,certified,placed,quarters_to_complete\nAide,2027Q1,20,18,15,12,2\n",
    "commitments": "employer_code,quarter,hires,signed\nE1,2027Q3,4,yes\n",
    "funding": "source,kind,amount_usd,start,end\nGrant,public,250000,2027-01,2027-12\n",
    "scorecard": "candidate,item,score,evidence,conflict_of_interest\nCity Board,c04_3,3,Report,no\n",
    "engagement_table": "respondent,year,activity,answer\nDean,2026,gives_match,some\nDean,2026,attends_meetings,\n",
    "codebook": "question,text,code\nroot_cause,Licenses take too long,Licensing\n",
    "solutions": "pain_point,root_cause,solution,owner,due\nturnover,Shifts,Schedules,City Board,2027-03\n",
    "services": "service,barrier,provider,people_needing,people_served,cost_annual_usd\n"
    "childcare,Nights,Harbor College,30,18,40000\n",
    "phases": "task,status,accountable,responsible\ndesign_1,done,City Board,Harbor College\n",
    "employer_survey": "_uuid,_submission_time,consent,employer_code,size_class,hires_planned,pain_points\n"
    "a1,2026-05-01,yes,E1,s1_9,3,turnover wages\n",
}


def folder(tmp_path: Path, **changed: str | bytes | None) -> files.Folder:
    for name, text in {**GOOD, **changed}.items():
        if text is not None:
            path = tmp_path / (name if "." in name else f"{name}.csv")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return files.read(tmp_path)


def lines(name: str, row: int, text: str) -> str:
    """Return a good file with one row (counted as a spreadsheet does) put in its place."""
    out = GOOD[name].splitlines()
    out[row - 1 : row] = [text]
    return "\n".join(out) + "\n"


def test_good_files_have_no_problem_and_typed_values(tmp_path: Path) -> None:
    read = folder(tmp_path)
    assert [str(p) for p in read.problems] == []
    partners = read.frames["partners"]
    assert partners["roles"].tolist() == [("find_training", "recruit"), ()]
    assert partners["agreement_signed"].isna().tolist() == [False, True]
    assert read.frames["programs"]["placed"].tolist() == [12]
    assert str(read.frames["engagement"]["date"].dtype).startswith("datetime64")
    survey = read.frames["employer_survey"]
    assert survey["pain_points/turnover"].tolist() == [1] and survey["in_frame"].tolist() == [True]
    assert survey["row"].tolist() == [2]


# file, its text, then: rows of the problems, words of the first message
MALFORMED = {
    "a line the canvas has not": (
        "deciding", lines("deciding", 2, "statement,misson,,Good jobs,,,"), [2], "Nearest: 'mission'"),
    "a line of the canvas twice": (
        "deciding", GOOD["deciding"] + "statement,mission,,Care,,,\n", [3], "it once; it is in row 2"),
    "a canvas score off the scale": ("deciding", lines("deciding", 2, "factor,goals,,,,5,"), [2], "a number of 0 to 4"),
    "a service without a name": (
        "support_services", lines("support_services", 2, ",Link,,,,"), [2], "column 'service': found nothing"),
    "a capacity in words": (
        "support_services", lines("support_services", 2, "Child care,Link,,many,,"), [2], "a whole number"),
    "a sector that is none": ("sector_scores", lines("sector_scores", 2, "63,funding,3,"), [2], "found '63'"),
    "a criterion data give": ("sector_scores", lines("sector_scores", 2, "62,openings,3,"), [2], "found 'openings'"),
    "a name misspelled": ("ties", lines("ties", 2, "Harbour Colege,City Board,1,,"), [2], "Nearest: 'Harbor College'"),
    "nobody of that name": ("ties", lines("ties", 2, "Zzz,City Board,1,,"), [2], "expected a partner of partners"),
    "a tie to itself": ("ties", lines("ties", 2, "HC,Harbor College,1,,"), [2], "another partner than the source"),
    "the same tie twice": ("ties", GOOD["ties"] + "Harbor College,City Board,1,,\n", [3], "it once; it is in row 2"),
    "a kind that is none": (
        "ties", lines("ties", 2, "Harbor College,City Board,1,cooperaton,3"), [2], "Nearest: 'cooperation'"),
    "a score off the scale": ("ties", lines("ties", 2, "Harbor College,City Board,1,cooperation,5"), [2], "a number of 1 to 4"),
    "a score of zero": ("ties", lines("ties", 2, "Harbor College,City Board,1,cooperation,0"), [2], "a number of 1 to 4"),
    "half a point": ("ties", lines("ties", 2, "Harbor College,City Board,1,cooperation,2.5"), [2], "a whole number"),
    "no wave": ("ties", lines("ties", 2, "Harbor College,City Board,,cooperation,3"), [2], "column 'wave': found nothing"),
    "wave zero": ("ties", lines("ties", 2, "Harbor College,City Board,0,cooperation,3"), [2], "1 to 4"),
    "a type that is none": (
        "partners", lines("partners", 3, "City Board,,workforce bord,,,1,1"), [3], "Nearest: 'workforce_board'"),
    "a role that is none": (
        "partners", lines("partners", 3, "City Board,,workforce_board,recrut,,1,1"), [3], "Nearest: 'recruit'"),
    "a partner twice": ("partners", GOOD["partners"] + "HARBOR COLLEGE,,,,,,\n", [4], "it is in row 2"),
    "a spelling two partners have": ("partners", GOOD["partners"] + "Hill Clinic,harbor,,,,,\n", [4], "row 2 has it too"),
    "a partner without a name": (
        "partners", lines("partners", 3, ",,workforce_board,,,1,1"), [3], "column 'partner': found nothing"),
    "maybe": ("partners", lines("partners", 3, "City Board,,,,maybe,1,1"), [3], "yes or no"),
    "a wave there is not": ("partners", lines("partners", 3, "City Board,,,,,9,1"), [3], "one of 1, 2, 3, 4"),
    "a word for not known": (
        "partners", lines("partners", 3, "City Board,,N/A,,,1,1"), [3], "an empty cell where it is not known"),
    "an error of a formula": ("partners", lines("partners", 3, "#REF!,,,,,1,1"), [3], "the spreadsheet wrote an error"),
    "damaged accents": ("partners", lines("partners", 3, "Educaci\u00c3\u00b3n,,,,,1,1"), [3], "save it as UTF-8"),
    "a column misspelled": ("partners", GOOD["partners"].replace("also_called", "also_caled"), [1], "Nearest: 'also_called'"),
    "a column twice": ("partners", GOOD["partners"].replace("waves_answered", "waves_at_table"), [1], "the column twice"),
    "a column without a name": ("partners", GOOD["partners"].replace("also_called", ""), [1], "a column without a name"),
    "no column of names": ("partners", GOOD["partners"].replace("partner,", "name,", 1), [1, 1], "found the column 'name'"),
    "a cell too many": ("partners", GOOD["partners"] + "X,,,,,1,1,and more\n", [4], "8 cells; expected 7"),
    "an empty file": ("partners", "", [None], "found nothing; expected a header row"),
    "blanks only": ("partners", "\n  \n,,\n", [None], "a header row"),
    "not text at all": ("partners", b"\x89PNG\r\n\x00\x01", [None], "not UTF-8"),
    "zeros inside": ("partners", b"partner\nA\x00B\n", [None], "neither a CSV text nor an XLSX workbook"),
    "a broken workbook": ("partners", b"PK\x03\x04 broken", [None], "not an XLSX workbook"),
    "Latin-1": ("partners", "partner\nMéxico\n".encode("latin-1"), [None], "Export it again as UTF-8"),
    "a quote never closed": ("partners", 'partner\n"City\n', [None], "not a CSV table"),
    "a size that is none": ("employers", lines("employers", 3, "E2,large,no,900"), [3], "one of s1_9, s10_49"),
    "no size": ("employers", lines("employers", 3, "E2,,no,900"), [3], "column 'size_class': found nothing"),
    "people below zero": ("employers", lines("employers", 3, "E2,s250,no,-4"), [3], "0 or more"),
    "people in words": ("employers", lines("employers", 3, "E2,s250,no,about 900"), [3], "a whole number"),
    "a code twice": ("employers", lines("employers", 3, "e1,s250,no,9"), [3], "again; expected it once; it is in row 2"),
    "not said whether invited": ("employers", lines("employers", 3, "E2,s250,,9"), [3], "column 'invited': found nothing"),
    "an employer not listed": (
        "engagement", lines("engagement", 2, "E7,hosts_interns,2026-03-31"), [2], "a employer_code of employers"),
    "an activity that is none": (
        "engagement", lines("engagement", 2, "E1,host intern,2026-03-31"), [2], "Nearest: 'hosts_interns'"),
    "an American date": ("engagement", lines("engagement", 2, "E1,hosts_interns,3/31/2026"), [2], "year-month-day"),
    "a date there is not": ("engagement", lines("engagement", 2, "E1,hosts_interns,2026-02-30"), [2], "a date that exists"),
    "a month in place of a date": ("engagement", lines("engagement", 2, "E1,hosts_interns,2026-03"), [2], "year-month-day"),
    "no date": ("engagement", lines("engagement", 2, "E1,hosts_interns,"), [2], "column 'date': found nothing"),
    "more completed than enrolled": ("programs", lines("programs", 2, "Aide,2027Q1,20,21,15,12,2"), [2], "at most 20"),
    "more placed than certified": (
        "programs", lines("programs", 2, "Aide,2027Q1,20,18,15,16,2"), [2], "at most 15, the value of 'certified'"),
    "a quarter there is not": ("programs", lines("programs", 2, "Aide,2027Q5,20,,,,2"), [2], "a quarter such as 2027Q3"),
    "a year in place of a quarter": ("programs", lines("programs", 2, "Aide,2027,20,,,,2"), [2], "a quarter such as 2027Q3"),
    "nobody enrolled said": ("programs", lines("programs", 2, "Aide,2027Q1,,,,,2"), [2], "column 'enrolled': found nothing"),
    "a cohort twice": ("programs", GOOD["programs"] + "aide,2027 Q1,20,,,,2\n", [3], "it is in row 2"),
    "a share in place of a count": ("programs", lines("programs", 2, "Aide,2027Q1,20,90%,,,2"), [2], "a whole number"),
    "a very long course": ("programs", lines("programs", 2, "Aide,2027Q1,20,,,,200"), [2], "0 to 20"),
    "half a hire": ("commitments", lines("commitments", 2, "E1,2027Q3,1.5,yes"), [2], "a whole number"),
    "not said whether signed": ("commitments", lines("commitments", 2, "E1,2027Q3,4,"), [2], "column 'signed': found nothing"),
    "it ends before it starts": ("funding", lines("funding", 2, "Grant,public,1,2027-12,2027-01"), [2], "at least '2027-12'"),
    "a month there is not": ("funding", lines("funding", 2, "Grant,public,1,2027-13,2027-12"), [2], "a month as year-month"),
    "money in words": (
        "funding", lines("funding", 2, "Grant,public,250k,2027-01,2027-12"), [2], "without words, unit or percent sign"),
    "European digits": (
        "funding", lines("funding", 2, '"Grant",public,"250.000,00",2027-01,2027-12'), [2], "a number such as 1250.50"),
    "money below zero": ("funding", lines("funding", 2, "Grant,public,-1,2027-01,2027-12"), [2], "0 or more"),
    "an answer that is none": ("employer_survey", lines("employer_survey", 2, "a1,2026-05-01,yes,E1,tiny,3,"), [2], "s1_9"),
    "hires in words": (
        "employer_survey", lines("employer_survey", 2, "a1,2026-05-01,yes,E1,s1_9,three,"), [2], "a whole number"),
    "hires below zero": ("employer_survey", lines("employer_survey", 2, "a1,2026-05-01,yes,E1,s1_9,-3,"), [2], "0 or more"),
    "a candidate who is no partner": (
        "scorecard", lines("scorecard", 2, "Sity Board,c04_3,3,Report,no"), [2], "Nearest: 'City Board'"),
    "a line the scorecard has not": (
        "scorecard", lines("scorecard", 2, "City Board,c4_3,3,Report,no"), [2], "column 'item': found 'c4_3'"),
    "a grade in letters": (
        "scorecard", lines("scorecard", 2, "City Board,c04_3,B,Report,no"), [2], "column 'score': found 'B'"),
    "a candidate judged twice": (
        "scorecard", GOOD["scorecard"] + "City Board,c04_3,1,Interview,yes\n", [3], "it once; it is in row 2"),
    "partly a conflict": ("scorecard", lines("scorecard", 2, "City Board,c04_3,3,Report,partly"), [2], "yes or no"),
    "a year with a digit too many": (
        "engagement_table", lines("engagement_table", 2, "Dean,20266,gives_match,some"), [2], "a number of 1990 to 2100"),
    "a share in place of a word": (
        "engagement_table", lines("engagement_table", 2, "Dean,2026,gives_match,25%"), [2], "one of all, most, some, none"),
    "a respondent of two minds": (
        "engagement_table", GOOD["engagement_table"] + "dean,2026,gives_match,none\n", [4], "it once; it is in row 2"),
    "an activity of the other list": (
        "engagement_table", lines("engagement_table", 2, "Dean,2026,posts_jobs,some"), [2], "found 'posts_jobs'"),
    "nobody who answers": (
        "engagement_table", lines("engagement_table", 2, ",2026,gives_match,some"), [2], "column 'respondent'"),
    "a pain point of one's own": (
        "solutions", lines("solutions", 2, "parking,,,,"), [2], "column 'pain_point': found 'parking'"),
    "a code for no open question": (
        "codebook", lines("codebook", 2, "root_causes,Rents are high,Rents"), [2], "found 'root_causes'"),
    "an answer without its code": (
        "codebook", lines("codebook", 2, "root_cause,Rents are high,"), [2], "column 'code': found nothing"),
    "a day in place of a month": (
        "solutions", lines("solutions", 2, "turnover,Shifts,Schedules,City Board,2027-03-01"), [2], "a month as year-month"),
    "two owners in one cell": (
        "solutions", lines("solutions", 2, "turnover,,,City Board; HC,"), [2], "found 'City Board; HC'; expected a partner"),
    "a service that is none": ("services", lines("services", 2, "child minding,,,,,"), [2], "column 'service': found"),
    "a provider spelled by nobody": (
        "services", lines("services", 2, "childcare,,HCC,,,"), [2], "column 'provider': found 'HCC'"),
    "a range of people": (
        "services", lines("services", 2, "childcare,,,20-30,,"), [2], "column 'people_needing': found '20-30'"),
    "a price with its currency": (
        "services", lines("services", 2, "childcare,,,,,40000 USD"), [2], "without words, unit or percent sign"),
    "a task twice": ("phases", GOOD["phases"] + "design_1,not_started,,\n", [3], "it once; it is in row 2"),
    "a state that is none": ("phases", lines("phases", 2, "design_1,finished,,"), [2], "one of not_started, under_way, done"),
    "a task of no phase": ("phases", lines("phases", 2, "design_99,done,,"), [2], "column 'task': found 'design_99'"),
    "a tool nobody knows": ("employer_survey", "who,what\n1,2\n", [None], "which tool wrote it"),
    "a ragged export": ("employer_survey", GOOD["employer_survey"] + "a2,2026\n", [None], "the header has 7"),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_is_told_once_and_never_half_read(case: str, tmp_path: Path) -> None:
    name, text, rows, words = MALFORMED[case]
    read = folder(tmp_path, **{name: text})
    own = read.problems_of([name])
    assert [p.row for p in own] == rows, [str(p) for p in read.problems]
    assert words in str(own[0]) and str(own[0]).startswith(f"{name}.csv")
    assert read.frames[name].empty and list(read.frames[name]) == list(files.empty(name))


def test_there_are_sixty_malformed_files() -> None:
    assert len(MALFORMED) >= 60
    # The tables of people, firms and the partnership's work have modules of their own.
    assert {name for name, *_ in MALFORMED.values()} == set(GOOD) < set(config.local())
    texts = [(name, text) for name, text, *_ in MALFORMED.values()]
    assert len(set(texts)) == len(texts)  # no fault stands twice


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    read = folder(
        tmp_path,
        partners=lines("partners", 3, "City Board,,bord,,maybe,1,1"),
        funding=lines("funding", 2, "Grant,publik,lots,2027-01,"),
    )
    assert [(p.file, p.column) for p in read.problems] == [
        ("partners.csv", "type"), ("partners.csv", "agreement_signed"), ("funding.csv", "kind"),
        ("funding.csv", "amount_usd"), ("funding.csv", "end"),
    ]  # fmt: skip
    assert not read.frames["ties"].empty  # a problem of one file takes nothing from another


def test_other_spellings_are_read_and_noted(tmp_path: Path) -> None:
    text = "Source,target ,WAVE\nhc,CITY  BOARD,1\n"
    read = folder(tmp_path, ties=text)
    assert read.problems == []
    assert read.frames["ties"][["source", "target"]].to_numpy().tolist() == [["Harbor College", "City Board"]]
    assert sum(note.row == 2 for note in read.notes) == 2


@pytest.mark.parametrize(
    ("written", "amount"), [("$1,250.50", 1250.5), ("1,250,000", 1250000.0), ("0", 0.0), (".5", 0.5)]
)
def test_numbers_as_people_write_them(written: str, amount: float, tmp_path: Path) -> None:
    read = folder(tmp_path, funding=lines("funding", 2, f'Grant,public,"{written}",2027-01,2027-12'))
    assert read.problems == [] and read.frames["funding"]["amount_usd"].tolist() == [amount]


def test_a_workbook_is_read_like_a_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(GOOD["engagement"])):
        book.active.append(row)
    import datetime

    book.active["C2"] = datetime.datetime(2026, 3, 31)
    book.save(tmp_path / "engagement.xlsx")
    read = folder(tmp_path, engagement=None)
    assert read.problems == [] and str(read.frames["engagement"]["date"][0].date()) == "2026-03-31"


def test_two_files_for_a_table_and_strangers_are_problems(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["program"])
    book.save(tmp_path / "programs.xlsx")
    (tmp_path / "partner.csv").write_text("partner\n", encoding="utf-8")
    told = [str(p) for p in folder(tmp_path).problems]
    assert any("one file for a table" in line for line in told)
    assert any(line.startswith("partner.csv") and "Nearest: 'partners.csv'" in line for line in told)


def test_an_answer_from_outside_the_frame_is_kept_and_noted(tmp_path: Path) -> None:
    text = (
        GOOD["employer_survey"]
        + "# a remark,,,,,,\na2,2026-05-02,yes,E77,s250,9,\na3,2026-05-03,yes, e1,s1_9,4,\n"
    )
    read = folder(tmp_path, employer_survey=text)
    frame = read.frames["employer_survey"]
    assert frame["in_frame"].tolist() == [True, False, True] and frame["employer_code"].tolist()[2] == "E1"
    assert frame["row"].tolist() == [2, 4, 5] and frame["duplicate_of"].tolist()[2] == 2
    assert any(n.row == 4 and n.close for n in read.notes)


def test_templates_are_empty_valid_and_never_overwritten(tmp_path: Path) -> None:
    written = templates.write(tmp_path)
    assert {p.name for p in written} == {f"{n}.csv" for n in config.local()} | {files.DICTIONARY}
    read = files.read(tmp_path)
    assert read.problems == [] and set(read.rows.values()) == {0}
    assert {n: list(f) for n, f in read.frames.items()} == {n: list(files.empty(n)) for n in config.local()}
    (tmp_path / "partners.csv").write_text("partner\nMine\n", encoding="utf-8")
    assert [p.name for p in templates.write(tmp_path)] == [files.DICTIONARY]
    assert files.read(tmp_path).frames["partners"]["partner"].tolist() == ["Mine"]


def test_the_example_rows_are_valid(tmp_path: Path) -> None:
    for path in templates.write(tmp_path)[:-1]:
        if (
            path.stem == "pirl_layout"
        ):  # the template of pirl has a header row, and then there is nothing to list
            continue
        path.write_text(path.read_text(encoding="utf-8").replace("# ", "", 1), encoding="utf-8")
    partners = tmp_path / "partners.csv"
    partners.write_text(partners.read_text(encoding="utf-8") + "City Workforce Board\n", encoding="utf-8")
    read = files.read(tmp_path)
    assert [str(p) for p in read.problems] == []
    expected = {"partners": 2, "pirl_layout": 0}
    assert all(n == expected.get(t, 1) for t, n in read.rows.items())


def test_the_dictionary_names_every_column() -> None:
    text = templates.dictionary()
    for table in config.local().values():
        assert all(f"| {column.name} |" in text for column in table.columns)


# -- regions ------------------------------------------------------------------------------------------------


def test_new_region_names_the_area_and_makes_templates(home: Path) -> None:
    region, written = warehouse.new_region("dayton", "19430")
    assert (region.slug, region.code) == ("dayton", "0019430")
    assert warehouse.find_region("dayton").code == warehouse.find_region("dayton-oh").code
    assert (home / "data/raw/local/dayton/partners.csv").exists() and len(written) == len(config.local()) + 1
    assert warehouse.local("partners", "dayton").empty
    warehouse.new_region("dayton", "19430")  # again: nothing is lost, nothing doubled
    assert (home / "config/regions.yml").read_text(encoding="utf-8").count("dayton:") == 1


@pytest.mark.parametrize(
    ("slug", "area", "told"),
    [
        ("bay", "41860", "is 'san-francisco' in config/regions.yml"),
        ("seattle", "19430", "is the name of Seattle"),
        ("Dayton", "19430", "lower case with hyphens"),
        ("demonstration", "19430", "lower case with hyphens"),
        ("dayton", "19431", "Unknown region"),
    ],
)
def test_new_region_refuses_what_it_cannot_name(slug: str, area: str, told: str, home: Path) -> None:
    before = (home / "config/regions.yml").read_text(encoding="utf-8")
    with pytest.raises(SectorbookError, match=told):
        warehouse.new_region(slug, area)
    assert (home / "config/regions.yml").read_text(encoding="utf-8") == before


def test_check_lists_every_problem_and_ends_with_an_error(home: Path, capsys: pytest.CaptureFixture) -> None:
    from sectorbook.cli import app
    from typer.testing import CliRunner

    own = paths.local("seattle")
    warehouse.new_region("seattle", "42660")
    assert CliRunner().invoke(app, ["check", "seattle"]).exit_code == 0
    (own / "funding.csv").write_text(lines("funding", 2, "Grant,publik,lots,2027-01,"), encoding="utf-8")
    done = CliRunner().invoke(app, ["check", "seattle"])
    assert done.exit_code == 1
    assert "column 'kind': found 'publik'" in done.output and "3 problems" in done.output
    with pytest.raises(SectorbookError, match="3 problem"):
        warehouse.local("funding", "seattle")
    assert warehouse.local("partners", "seattle").empty
    with pytest.raises(SectorbookError, match="Did you mean 'partners'"):
        warehouse.local("partner", "seattle")


# -- the demonstration --------------------------------------------------------------------------------------


def test_the_demonstration_is_what_its_seed_gives() -> None:
    folder = paths.local(origin.DEMONSTRATION)
    for name, rows in demonstration.tables().items():
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            kept = [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]
        assert kept == [{k: v for k, v in row.items() if v} for row in rows], name
    assert demonstration.tables(1)["ties"] != demonstration.tables()["ties"]


def test_the_demonstration_is_marked_valid_and_untidy() -> None:
    folder = paths.local(origin.DEMONSTRATION)
    sidecar = provenance.read_sidecar(folder)
    tables = set(config.local()) - {"pirl_layout"}  # its WIOA records have a header row
    assert sidecar.synthetic and {f.name for f in sidecar.files} == {f"{n}.csv" for n in tables}
    for entry in sidecar.files:
        provenance.verify(folder, entry.name)
    read = files.read(folder)
    assert read.problems == [] and min(read.rows.values()) > 0
    assert sum(n.file == "ties.csv" for n in read.notes) > 10  # names written in several ways
    survey = read.frames["employer_survey"]
    assert survey["duplicate_of"].notna().sum() == 2 and (~survey["in_frame"]).sum() > 0
    assert survey["consent"].eq("no").any() and survey["vacancies"].isna().any()
    invited = read.frames["employers"]["invited"].sum()
    assert len(survey) < 0.8 * invited  # non-response
    partners = read.frames["partners"]
    asked = partners["waves_at_table"].map(lambda w: "1" in w)
    assert (asked & ~partners["waves_answered"].map(lambda w: "1" in w)).any()


def test_the_demonstration_stands_only_where_it_belongs(home: Path) -> None:
    assert origin.find("san-francisco", "healthcare", True).kind == "demonstration"
    assert origin.find("san-francisco", "healthcare", False).kind == "none"
    assert origin.find("san-francisco", "manufacturing", True).kind == "none"
    assert origin.find("seattle", "healthcare", True).kind == "none"
    warehouse.new_region("san-francisco", "41860")
    assert origin.find("san-francisco", "healthcare", True).kind == "own"
    assert "synthetic" in origin.notice(
        ["ties"], origin.Origin("demonstration", "demonstration", "san-francisco")
    )


def test_a_changed_demonstration_is_refused(home: Path) -> None:
    path = paths.local(origin.DEMONSTRATION, "funding.csv")
    path.write_text(path.read_text(encoding="utf-8").replace("540000", "640000"), encoding="utf-8")
    with pytest.raises(SectorbookError, match="was changed after it was written"):
        warehouse.local("funding", origin.find("san-francisco", "healthcare", True))


def test_only_the_demonstration_enters_a_commit() -> None:
    def ignored(name: str) -> bool:
        done = subprocess.run(["git", "check-ignore", "-q", name], cwd=paths.root(), check=False)
        return done.returncode == 0

    if not (paths.root() / ".git").exists():
        pytest.skip("not a git checkout")
    assert ignored("data/raw/local/san-francisco/partners.csv")
    assert ignored("data/raw/oews/x.zip")
    assert not ignored("data/raw/local/demonstration/partners.csv")
