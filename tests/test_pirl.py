"""WIOA records and wage records: read by element number, joined by the hash of the id, never taking unknown for zero."""

import re
from pathlib import Path

import pandas as pd
import pytest
from participants_files import CANARY, GOOD, written
from sectorbook import config
from sectorbook.local import files, origin, private
from sectorbook.measures import pirl, wioa

COLUMNS = [column.name for column in config.local()["pirl"].columns]
RECORD = {column.name: column.example for column in config.local()["pirl"].columns} | {"pirl100": CANARY}
EMPTY = dict.fromkeys(COLUMNS, "")
FEW = EMPTY | {"pirl100": CANARY, "pirl900": "20230116", "pirl901": "20230623", "pirl923": "0"}


def folder(path: Path, **tables: bytes) -> files.Folder:
    path.mkdir(parents=True, exist_ok=True)
    for name, content in tables.items():
        (path / f"{name}.csv").write_bytes(content)
    return files.read(path)


def people(path: Path, rows: list[dict], own: bytes = b"", wages: bytes = b"") -> pd.DataFrame:
    given = {"participants": own, "pirl": written(rows, COLUMNS) if rows else b"", "wage_records": wages}
    found = folder(path, **{name: content for name, content in given.items() if content})
    assert not found.problems, found.problems
    return pirl.combined(*(found.frames[name] for name in ("participants", "pirl", "wage_records")))


# Read at the published layout, ETA-9172 (OMB 1205-0521). A public repository calls 1604 the 4th quarter and 1700 the earnings
# after exit; both are traps.
ELEMENTS = {
    "pirl1602": "employed in the 2nd quarter after exit", "pirl1604": "employed in the 3rd", "pirl1606": "employed in the 4th",
    "pirl1700": "3rd quarter before entry", "pirl1702": "1st quarter before entry", "pirl1703": "1st quarter after exit",
    "pirl1704": "2nd quarter after exit", "pirl1706": "4th quarter after exit", "pirl923": "other reasons for exit",
    "pirl1618": "same employer in the 2nd and 4th", "pirl1811": "enrolled, during participation",
}  # fmt: skip


def test_the_elements_are_those_of_the_layout() -> None:
    told = {column.name: column.description.casefold() for column in config.local()["pirl"].columns}
    for element, words in ELEMENTS.items():
        assert told[element].startswith(element.removeprefix("pirl")) and words in told[element]


@pytest.mark.parametrize("header", ["PIRL{}", "{}", "PIRL_{}", "{} A title of the element (WIOA)", "pirl.{}"])
def test_a_header_may_write_the_numbers_in_many_ways(header: str, tmp_path: Path) -> None:
    titles = [header.format(name.removeprefix("pirl")) for name in COLUMNS]
    content = written([RECORD], COLUMNS).split(b"\n", 1)[1]
    text = (
        ",".join([*titles, header.format("1301")]).encode() + b"\n" + content.rstrip(b"\n") + b",A provider\n"
    )
    found = folder(tmp_path, pirl=text)
    assert not found.problems and not found.notes, "elements that are not used are left alone"
    assert found.frames["pirl"].pirl1704[0] == 6800 and CANARY not in found.frames["pirl"].to_csv()


def test_a_record_becomes_a_participant(tmp_path: Path) -> None:
    person = people(tmp_path, [RECORD]).iloc[0]
    assert (person.entry_date, person.exit_date) == (pd.Timestamp("2023-01-16"), pd.Timestamp("2023-06-23"))
    assert (person.sex, person.race_ethnicity, person.education) == ("female", "hispanic", "high_school")
    assert (
        person.employed_q2 and person.employed_q4 and not person.employed_entry and not person.excluded_exit
    )
    assert person.credential and person.credential_eligible and not person.secondary_diploma
    assert person.skill_gain_date == pd.Timestamp("2023-05-26") and person.in_education
    assert person.employer_q2 == person.employer_q4, "1618 says the same employer"


@pytest.mark.parametrize(
    ("given", "column", "value"),
    [
        ({"pirl1602": "9", "pirl1704": "999999.99"}, "employed_q2", pd.NA), ({"pirl1602": "0"}, "employed_q2", False),
        ({"pirl1602": "2"}, "employed_q2", True), ({"pirl1602": "3"}, "employed_q2", True), ({}, "employed_q2", pd.NA),
        ({"pirl1704": "999999.99", "pirl1602": "9"}, "earnings_after_2_status", "not-yet-available"),
        ({"pirl1704": "0"}, "earnings_after_2_usd", 0.0), ({}, "earnings_after_2_status", "missing"),
        ({"pirl1702": "1200"}, "earnings_before_1_usd", 1200.0), ({"pirl1700": "900"}, "earnings_before_3_usd", 900.0),
        ({"pirl1604": "1"}, "employed_q4", pd.NA), ({"pirl1606": "1"}, "employed_q4", True),
        ({"pirl923": "3"}, "excluded_exit", True), ({"pirl923": "7"}, "excluded_exit", False),
        ({"pirl923": ""}, "excluded_exit", False), ({"pirl400": "2"}, "employed_entry", True),
        ({"pirl400": "3"}, "employed_entry", False), ({"pirl201": "1"}, "sex", "male"),
        ({"pirl212": "1", "pirl215": "1"}, "race_ethnicity", "two_or_more"), ({"pirl212": "1"}, "race_ethnicity", "asian"),
        ({"pirl1800": "1", "pirl1801": "20230601"}, "credential", False),
        ({"pirl1800": "1", "pirl1801": "20230601"}, "secondary_diploma", True),
        ({"pirl1802": "6", "pirl1803": "20240601"}, "credential", True),
        ({"pirl1802": "6", "pirl1803": "20240801"}, "credential", False),
        ({"pirl1604": "1"}, "employed_or_school_year", True), ({"pirl1602": "0"}, "employed_or_school_year", pd.NA),
    ],
)  # fmt: skip
def test_each_code_means_what_the_layout_says(
    given: dict, column: str, value: object, tmp_path: Path
) -> None:
    found = people(tmp_path, [FEW | given])[column].iloc[0]
    assert found is value if value is pd.NA else found == value


def test_the_indicators_leave_out_who_is_not_yet_known(tmp_path: Path) -> None:
    rows = [
        FEW | {"pirl100": "a", "pirl1602": "1", "pirl1704": "5000"},
        FEW | {"pirl100": "b", "pirl1602": "0", "pirl1704": "0"},
        FEW | {"pirl100": "c", "pirl1602": "9", "pirl1704": "999999.99"},
        FEW | {"pirl100": "d", "pirl1602": "1", "pirl1704": "7000", "pirl923": "3"},
    ]
    frame = people(tmp_path, rows).rename(columns={"earnings_after_2_usd": "earnings_q2_usd"})
    table = wioa.primary_indicators(
        frame, "2022-07-01", "2023-06-30", ("employment_q2", "median_earnings_q2")
    )
    rate, median = (row for _, row in table.iterrows())
    assert (rate.numerator, rate.denominator, rate.excluded, rate.not_yet_available) == (1, 2, 1, 1)
    assert (median.value, median.denominator) == (5000, 1)


WAGES = b"id,quarter,employer,earnings_usd\n%s,2023Q4,F1,3000\n%s,2023Q4,F2,900\n%s,2024Q2,F2,4000\nother,2022Q2,F9,1\n"


def test_wage_records_are_joined_by_the_hash_and_fill_what_is_empty(tmp_path: Path) -> None:
    """Exit in the second quarter of 2023: the second after it is the last of 2023, the fourth the second of 2024."""
    blank = {f"earnings_after_{q}_usd": "" for q in range(1, 9)} | {
        f"earnings_before_{q}_usd": "" for q in range(1, 9)
    }
    blank |= {
        "employed_q2": "",
        "employed_q4": "",
        "employer_q2": "",
        "employer_q4": "",
        "earnings_after_3_usd": "50",
    }
    own = written([GOOD | blank, GOOD | blank | {"id": "nobody"}])
    wages = WAGES.replace(b"%s", CANARY.encode())
    found = people(tmp_path, [], own, wages).set_index("id")
    key = private.secret(tmp_path)
    person = found.loc[private.hashed(CANARY, key, "person")]
    assert (person.earnings_after_2_usd, person.earnings_after_4_usd) == (3900, 4000)
    assert person.earnings_after_3_usd == 50, "what the file says stands"
    assert person.earnings_after_1_usd == 0, "within the span of the records, and none there"
    assert pd.isna(person.earnings_after_5_usd) and person.earnings_after_5_status == "missing"
    assert person.employed_q2 and person.employer_q2 == private.hashed("F1", key, "employer"), "who paid most"
    assert person.employer_q4 == private.hashed("F2", key, "employer")
    stranger = found.loc[private.hashed("nobody", key, "person")]
    assert pd.isna(stranger.earnings_after_2_usd) and pd.isna(stranger.employed_q2), "unknown is not zero"


def test_pirl_adds_people_and_fills_only_gaps(tmp_path: Path) -> None:
    own = written([GOOD | {"sex": "", "earnings_after_2_usd": "6000"}])
    rows = [RECORD | {"pirl1704": "9000"}, RECORD | {"pirl100": "new"}]
    found = people(tmp_path, rows, own)
    assert len(found) == 2
    person = found.set_index("id").loc[private.hashed(CANARY, private.secret(tmp_path), "person")]
    assert (person.sex, person.earnings_after_2_usd) == ("female", 6000)
    assert person.barriers == ("childcare", "transportation")


BAD = {
    "no header": (written([RECORD], COLUMNS).split(b"\n", 1)[1], "or their order in pirl_layout.csv"),
    "no header, but numbers like elements": (
        written([RECORD | {"pirl1702": "1602"}], COLUMNS).split(b"\n", 1)[1], "a file without a header row needs pirl_layout.csv"
    ),
    "no id": (written([RECORD], COLUMNS[1:]), "'pirl100'"),
    "an element twice": (written([RECORD], COLUMNS).replace(b"pirl901", b"900", 1), "the column twice"),
    "the same record twice": (written([RECORD, RECORD], COLUMNS), "the same again"),
    "another encoding": (written([RECORD], COLUMNS).replace(b"A-0001", b"\xf1").replace(CANARY.encode(), b"\xf1"), "UTF-8"),
} | {
    f"{column} {value}": (written([RECORD | {column: value}], COLUMNS), told)
    for column, value, told in (
        ("pirl900", "2023-01-16", "eight digits"), ("pirl900", "20230231", "a date that exists"),
        ("pirl900", "", "found nothing"), ("pirl901", "20220101", "the value of 'pirl900'"),
        ("pirl901", "", "a date of exit"), ("pirl201", "3", "one of 1, 2, 9"), ("pirl1602", "4", "one of 0, 1, 2, 3, 9"),
        ("pirl1602", "0", "pirl1602 says no"), ("pirl1704", "999999.99", "9: pirl1704 is not yet available"),
        ("pirl1704", "999999", "0 to 250000"), ("pirl1706", "-1", "0 to 250000"), ("pirl923", "99", "0 to 98"),
        ("pirl1801", "", "pirl1800 names a credential"), ("pirl408", "9", "one of 0, 1"),
    )
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_malformed_record_is_one_clear_report(case: str, tmp_path: Path) -> None:
    content, told = BAD[case]
    found = folder(tmp_path, pirl=content)
    report = origin.message(found.problems, tmp_path)
    assert found.problems and found.frames["pirl"].empty
    assert re.search(told, report), report
    assert CANARY not in report


BARE = written([RECORD], COLUMNS).split(b"\n", 1)[1]
NUMBERS = [name.removeprefix("pirl") for name in COLUMNS]


def listed(*elements: str) -> bytes:
    return "\n".join(["element", *elements]).encode()


def test_a_file_without_a_header_is_read_by_the_order_its_layout_lists(tmp_path: Path) -> None:
    with_header = folder(tmp_path / "a", pirl=written([RECORD], COLUMNS)).frames["pirl"]
    order = [NUMBERS[-1], *NUMBERS[:-1]]
    turned = written([RECORD | {"more": "x"}], ["more", COLUMNS[-1], *COLUMNS[:-1]]).split(b"\n", 1)[1]
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / private.KEY).write_text(
        (tmp_path / "a" / private.KEY).read_text(encoding="ascii"), encoding="ascii"
    )
    found = folder(tmp_path / "b", pirl=turned, pirl_layout=listed("skip", *order))
    assert not found.problems and not found.notes and found.rows["pirl"] == 1
    pd.testing.assert_frame_equal(found.frames["pirl"], with_header)
    empty = folder(tmp_path / "c", pirl=written([RECORD], COLUMNS), pirl_layout=b"element\n")
    assert not empty.problems and len(empty.frames["pirl"]) == 1, (
        "a template nobody filled in changes nothing"
    )


LAYOUTS = {
    "too few": (BARE, listed(*NUMBERS[:-1]), "row 1: found 38 cells; expected 37, one for each line of pirl_layout.csv"),
    "a short row": (BARE + f"{CANARY},1\n".encode(), listed(*NUMBERS), "row 2: found 2 cells; expected 38"),
    "a header too": (written([RECORD], COLUMNS), listed(*NUMBERS), "row 1: found a header row"),
    "an element twice": (BARE, listed(*NUMBERS[:-1], "100"), "'100' again; expected each element once; it is in row 2"),
    "no element": (BARE, listed(*NUMBERS[:-1], "sixteen"), "the number of an element"),
    "no id": (BARE, listed("skip", *NUMBERS[1:]), "'pirl100', which is required"),
    "another order": (BARE, listed(*NUMBERS[:10], *NUMBERS[11:], NUMBERS[10]), "row 1, column 'pirl"),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYOUTS)
def test_a_layout_that_does_not_fit_is_one_clear_report(case: str, tmp_path: Path) -> None:
    content, layout, told = LAYOUTS[case]
    found = folder(tmp_path, pirl=content, pirl_layout=layout)
    report = origin.message(found.problems, tmp_path)
    assert found.problems_of(["pirl"]) and found.frames["pirl"].empty
    assert told in report, report
    assert CANARY not in report


LINE = f"{CANARY},2023Q4,{CANARY}-firm,3000"
WRONG = {
    "no such quarter": (LINE.replace("Q4", "Q5"), "a quarter such as"),
    "a month": (LINE.replace("2023Q4", "2023-10"), "a quarter such as"),
    "no employer": (LINE.replace(f"{CANARY}-firm", ""), "found nothing"),
    "yearly pay": (LINE.replace("3000", "300000"), "0 to 250000"),
    "no pay": (LINE.replace("3000", ""), "found nothing"),
    "the same line twice": (f"{LINE}\n{LINE}", "the same again"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_malformed_wage_record_is_one_clear_report(case: str, tmp_path: Path) -> None:
    lines, told = WRONG[case]
    found = folder(tmp_path, wage_records=f"id,quarter,employer,earnings_usd\n{lines}\n".encode())
    report = origin.message(found.problems, tmp_path)
    assert len(found.problems) == 1 and re.search(told, report), report
    assert CANARY not in report and found.frames["wage_records"].empty
