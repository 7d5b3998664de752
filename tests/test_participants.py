"""The participants file: what it takes, what it refuses, and that nobody can be read off a message."""

import re
from pathlib import Path

import pandas as pd
import pytest
from participants_files import CANARY, COLUMNS, GOOD, written
from sectorbook import config, paths, provenance, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import files, origin, participants, private, templates
from sectorbook.local.demonstration_people import participants as invented

TABLE = config.local()["participants"]
KEY = "ab" * private.KEY_BYTES


def put(folder: Path, content: bytes, name: str = "participants.csv") -> files.Folder:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return files.read(folder)


def read(folder: Path, content: bytes, key: str = KEY) -> pd.DataFrame:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / private.KEY).write_text(key, encoding="ascii")
    found = put(folder, content)
    assert not found.problems
    return found.frames["participants"]


def refused(folder: Path, content: bytes) -> str:
    """Return the one report on a bad file."""
    found = put(folder, content)
    assert found.problems and found.frames["participants"].empty, "nothing is half-read"
    report = origin.message(found.problems, folder)
    assert CANARY not in report + " ".join(map(str, found.notes))
    return report


def test_the_template_with_its_example_is_read(tmp_path: Path) -> None:
    frame = read(tmp_path, written([GOOD]))
    assert len(frame) == 1
    assert frame.exit_date[0] == pd.Timestamp("2023-06-23")
    assert (frame.earnings_after_2_usd[0], frame.employed_q2[0]) == (6800.0, True)
    assert CANARY not in frame.to_csv()
    template = put(tmp_path / "new", templates.template(TABLE).encode())
    assert not template.problems and template.rows == {"participants": 0}, "the example row is not a person"


def test_missing_zero_and_not_yet_available_are_three_things(tmp_path: Path) -> None:
    late = {"earnings_after_3_usd": "", "earnings_after_4_usd": "0", "earnings_after_5_usd": "999999.99"}
    frame = read(tmp_path, written([GOOD | late | {"employed_q4": "no", "employer_q4": ""}]))
    assert frame.earnings_after_4_usd[0] == 0
    assert frame[["earnings_after_3_usd", "earnings_after_5_usd"]].isna().all(axis=None)
    found = [frame[f"earnings_after_{q}_status"][0] for q in (3, 4, 5)]
    assert found == ["missing", "published", "not-yet-available"]


def test_ids_are_keyed_hashes(tmp_path: Path) -> None:
    rows = [GOOD | {"id": "b"}, GOOD | {"id": "E-17"}]
    first = read(tmp_path / "a", written(rows))
    second = read(tmp_path / "b", written(rows), "cd" * private.KEY_BYTES)
    assert first.id.str.fullmatch("[0-9a-f]{32}").all() and first.id.is_unique
    assert not set(first.id) & set(second.id), "another key, another hash"
    assert not set(first.id) & set(first.employer_q2), "a person is no employer"
    assert list(first.id) == sorted(first.id), "the order of the file is gone"


def test_names_and_free_text_are_not_read(tmp_path: Path) -> None:
    rows = [GOOD | {"First name": "Quetzal", "SSN": "1", "notes": "x"}]
    frame = read(tmp_path, written(rows, [*COLUMNS, "First name", "SSN", "notes"]))
    assert not {"first_name", "ssn", "notes"} & set(frame)
    told = " ".join(map(str, files.read(tmp_path).notes))
    assert "'first_name', not read" in told and "Quetzal" not in told


def test_the_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    first = private.secret(tmp_path / "a")
    assert private.secret(tmp_path / "a") == first != private.secret(tmp_path / "b")
    assert (tmp_path / "a" / private.KEY).stat().st_mode & 0o077 == 0
    (tmp_path / "a" / private.KEY).write_text("short", encoding="ascii")
    with pytest.raises(SectorbookError, match="Put back the file"):
        private.secret(tmp_path / "a")


# One change of the good row, the column named, and what the message says.
CELLS = [
    ("id", "", "found nothing"), ("entry_date", "", "found nothing"), ("entry_date", "13.01.2025", "year-month-day"),
    ("entry_date", "2025-02-30", "a date that exists"), ("entry_date", "01/13/2025", "year-month-day"),
    ("entry_date", "45670", "year-month-day"), ("entry_date", "1985-01-13", "before 1990"),
    ("entry_date", "2099-01-13", "has not come yet"), ("exit_date", "2022-06-27", "the value of 'entry_date'"),
    ("exit_date", "2045-06-27", "more than ten years"), ("exit_date", "", "count from its quarter"),
    ("skill_gain_date", "2022-12-01", "the value of 'entry_date'"),
    ("assigned", "treatment", "one of program, comparison"), ("assigned", "programm", "Nearest: 'program'"),
    ("sex", "F", "one of female"), ("sex", "femal", "Nearest: 'female'"),
    ("race_ethnicity", "hispanc", "Nearest: 'hispanic'"), ("education", "GED", "one of less_than_high_school"),
    ("barriers", "childcare; trasportation", "Nearest: 'transportation'|one of"),
    ("services", "skills_trainings", "Nearest: 'skills_training'"), ("completed", "maybe", "yes or no"),
    ("excluded_exit", "2", "yes or no"), ("age_at_entry", "7", "14 to 99"), ("age_at_entry", "29.5", "whole number"),
    ("age_at_entry", "twenty", "whole number"), ("household_size", "0", "1 to 20"), ("household_size", "unknown", "empty cell"),
    ("wage_placement_hourly_usd", "23,40", "a number such as"), ("wage_placement_hourly_usd", "48000", "0 to 500"),
    ("hours_placement", "380", "0 to 100"), ("earnings_before_1_usd", "-5", "0 to 250000"),
    ("earnings_after_3_usd", "999999", "0 to 250000"), ("earnings_after_3_usd", "nan", "empty cell"),
    ("earnings_after_3_usd", "inf", "a number such as"), ("earnings_after_3_usd", "#REF!", "error of a formula"),
    ("exit_date", "2026-11-20", "has not begun"), ("employed_q2", "no", "employed_q2 says no"),
    ("employed_q4", "no", "employed_q4 says no"), ("placed", "no", "placed says no"),
    ("weight", "0", "above 0"), ("weight", "-1", "0 to 10000"), ("weight", "1,5", "a number such as"),
    ("weight", "", "as other rows have one"),
    ("credential_eligible", "no", "credential_eligible says no"), ("participated", "no", "participated says no"),
]  # fmt: skip
TODAY = pd.Timestamp("2026-11-22")


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day on which files are read."""
    monkeypatch.setitem(files.CHECKS, "participants", lambda f, r: participants.check(f, r, TODAY))


@pytest.mark.parametrize(("column", "value", "told"), CELLS)
def test_a_wrong_cell_is_named_by_row_and_column_and_not_by_value(
    column: str, value: str, told: str, tmp_path: Path, today: None
) -> None:
    message = refused(tmp_path, written([GOOD | {"id": "other"}, GOOD | {column: value}]))
    assert re.search(told, message), message
    assert re.search(r"row 3, column ", message)
    assert not re.search(r"row 2, column ", message), "the good row is not blamed"
    if len(value) > 3:
        assert not re.search(rf"\b{re.escape(value)}\b", message.replace("'other'", ""))


ROW = written([GOOD])
FILES = {
    "empty file": (b"", "found nothing"),
    "only blank lines": (b"\n\n,,\n", "found nothing"),
    "not text": (b"\x00\x01\x02\xff", "not UTF-8"),
    "zero bytes": (b"id,entry_date\na\x00b,2025-01-13\n", "neither a CSV text"),
    "Latin-1": (ROW.replace(b"2023-spring", b"oto\xf1o"), "not UTF-8"),
    "a broken workbook": (b"PK\x03\x04nothing", "not an XLSX"),
    "an open quotation mark": (ROW.replace(CANARY.encode(), b'"' + CANARY.encode()), "not a CSV table"),
    "no header": (ROW.split(b"\n", 1)[1], "no column of the template"),
    "a misspelled column": (ROW.replace(b"exit_date", b"exit_dat", 1), "Nearest: 'exit_date'"),
    "a column twice": (ROW.replace(b"exit_date", b"entry_date", 1), "the column twice"),
    "a column without a name": (ROW.replace(b",cohort,", b",,", 1), "without a name"),
    "a person's name as a column": (ROW.replace(b"cohort", CANARY.encode(), 1), "column 2, which is not in the template"),
    "no id": (written([GOOD], [c for c in COLUMNS if c != "id"]), "'id'"),
    "no entry date": (written([GOOD], [c for c in COLUMNS if c != "entry_date"]), "'entry_date'"),
    "a row too short": (ROW + CANARY.encode() + b"\n", "found nothing"),
    "a row too long": (ROW + ROW.split(b"\n")[1].replace(b"ZZ", b"YY") + b",more\n", "cells; expected"),
    "the same person twice": (written([GOOD, GOOD]), "the same again"),
    "the same person in other letters": (written([GOOD, GOOD | {"id": CANARY.lower()}]), "the same again"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_malformed_file_is_one_clear_report(case: str, tmp_path: Path, today: None) -> None:
    content, told = FILES[case]
    assert re.search(told, refused(tmp_path, content))


def test_a_file_has_weights_for_everyone_or_for_nobody(tmp_path: Path) -> None:
    rows = [GOOD | {"id": "a"}, GOOD | {"id": "b", "weight": "2,5"}, GOOD | {"id": "c"}]
    assert refused(tmp_path / "bad", written(rows)).startswith("1 problem"), "one cell is told once"
    none = read(tmp_path / "none", written([row | {"weight": ""} for row in rows]))
    assert none["weight"].isna().all()


def test_every_problem_is_in_one_report(tmp_path: Path) -> None:
    rows = [GOOD | {"id": f"p{i}", "sex": "x1", "age_at_entry": "200"} for i in range(30)]
    message = refused(tmp_path, written(rows))
    assert message.startswith("60 problem(s)") and "and 30 more" in message


def test_a_dip_before_entry_is_a_note_and_no_problem(tmp_path: Path) -> None:
    before = {f"earnings_before_{q}_usd": "3000" for q in range(2, 9)}
    people = [GOOD | before | {"id": f"p{i}", "earnings_before_1_usd": "900"} for i in range(12)]
    assert "Ashenfelter" in str(put(tmp_path, written(people)).notes[0])
    level = [p | {"earnings_before_1_usd": "3000"} for p in people]
    assert not put(tmp_path, written(level)).notes


def test_new_region_and_check_know_the_file(home: Path) -> None:
    region, made = warehouse.new_region("enid-ok", "21420")
    assert "participants.csv" in {path.name for path in made}
    folder = paths.local(region.slug)
    assert "`program`, `comparison`" in (folder / files.DICTIONARY).read_text(encoding="utf-8")
    (folder / "participants.csv").write_bytes(written([GOOD | {"sex": "x1"}]))
    with pytest.raises(SectorbookError, match=r"1 problem\(s\) in data/raw/local/enid-ok"):
        warehouse.local("participants", region)
    (folder / "participants.csv").write_bytes(written([GOOD]))
    assert len(warehouse.local("participants", region)) == 1
    assert not origin.read(origin.own(region.slug)).problems, "the key beside it is no stranger"


def test_the_demonstration_is_seeded_marked_and_passes_the_same_checks() -> None:
    assert invented(3) == invented(3) != invented(4)
    folder = paths.local(origin.DEMONSTRATION)
    assert provenance.read_sidecar(folder).synthetic
    frame = files.read(folder).frames["participants"]
    assert frame.id.is_unique and frame.assigned.value_counts().min() > 200
