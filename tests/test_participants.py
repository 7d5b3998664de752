"""The participants file: what it takes, what it refuses, and that nobody can be read off a message."""

import csv
import io
import re

import pandas as pd
import pytest
from sectorbook import config, demonstration, evidence, forms, participants, paths
from sectorbook.errors import SectorbookError

SECRET = b"s" * participants.KEY_BYTES
CANARY = "ZZ-4471-Quetzal"
GOOD = {c.name: c.example for c in config.forms()["participants"].columns} | {"id": CANARY}


def written(rows: list[dict[str, str]], header: list[str] | None = None) -> bytes:
    header = header or list(GOOD)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([[row.get(name, "") for name in header] for row in rows])
    return out.getvalue().encode()


def refused(content: bytes) -> str:
    with pytest.raises(SectorbookError) as error:
        participants.read(content, SECRET)
    return str(error.value)


def test_the_template_with_its_example_is_read() -> None:
    frame = participants.read(written([GOOD]), SECRET)
    assert len(frame) == 1
    assert frame.exit_date[0] == pd.Timestamp("2025-06-27")
    assert (frame.earnings_after_2_usd[0], frame.employed_q2[0]) == (6800.0, 1.0)
    assert CANARY not in frame.to_csv()
    with pytest.raises(SectorbookError, match="is empty"):  # the example row of the template is not a person
        participants.read(b"\n", SECRET)
    assert participants.read(forms.template("participants").encode(), SECRET).empty


def test_missing_zero_and_not_yet_available_are_three_things() -> None:
    row = GOOD | {
        "earnings_after_6_usd": "",
        "earnings_after_7_usd": "0",
        "earnings_after_8_usd": "999999.99",
    }
    frame = participants.read(written([row]), SECRET)
    assert frame.earnings_after_7_usd[0] == 0
    assert frame[["earnings_after_6_usd", "earnings_after_8_usd"]].isna().all(axis=None)
    assert [frame[f"earnings_after_{q}_status"][0] for q in (6, 7, 8)] == [
        "missing",
        "published",
        "not-yet-available",
    ]


def test_ids_are_keyed_hashes() -> None:
    rows = [GOOD | {"id": "b"}, GOOD | {"id": "E-17"}]
    first, second = (participants.read(written(rows), key) for key in (SECRET, b"t" * participants.KEY_BYTES))
    assert first.id.str.fullmatch("[0-9a-f]{32}").all() and first.id.is_unique
    assert not set(first.id) & set(second.id), "another key, another hash"
    assert not set(first.id) & set(first.employer_q2), "a person is no employer"
    assert list(first.index) == [0, 1] and list(first.id) == sorted(first.id), "the order of the file is gone"


def test_names_and_free_text_are_not_read() -> None:
    header = [*GOOD, "First name", "SSN", "notes"]
    frame = participants.read(
        written([GOOD | {"First name": "Quetzal", "SSN": "1", "notes": "x"}], header), SECRET
    )
    assert not {"first_name", "ssn", "notes"} & set(frame)


# One change of the good row, the column named, and what the message says.
CELLS = [
    ("id", "", "it is empty"), ("entry_date", "", "it is empty"), ("entry_date", "13.01.2025", "a day like"),
    ("entry_date", "2025-02-30", "a day like"), ("entry_date", "01/13/2025", "a day like"),
    ("entry_date", "45670", "a day like"), ("entry_date", "1066-01-13", "between 1970 and 2099"),
    ("entry_date", "1985-01-13", "before 1990"), ("exit_date", "2024-06-27", "it lies before entry_date"),
    ("exit_date", "2045-06-27", "more than ten years"), ("exit_date", "", "count from the quarter of exit"),
    ("skill_gain_date", "2024-12-01", "it lies before entry_date"),
    ("assigned", "treatment", "expected program, comparison"), ("assigned", "programm", "did you mean 'program'"),
    ("sex", "F", "expected female"), ("sex", "femal", "did you mean 'female'"),
    ("race_ethnicity", "hispanc", "did you mean 'hispanic'"), ("education", "GED", "expected less_than_high_school"),
    ("barriers", "childcare; trasportation", "did you mean 'transportation'"),
    ("services", "skills_trainings", "did you mean 'skills_training'"), ("completed", "maybe", "expected yes or no"),
    ("excluded_exit", "2", "expected yes or no"), ("age_at_entry", "7", "from 14 to 99"),
    ("age_at_entry", "29.5", "a whole number"), ("age_at_entry", "twenty", "from 14 to 99"),
    ("household_size", "0", "from 1 to 20"), ("weight", "-1", "of 0 or more"),
    ("wage_placement_hourly_usd", "23,40", "without thousands separators"),
    ("wage_placement_hourly_usd", "$23", "signs of money"), ("wage_placement_hourly_usd", "48000", "from 0 to 500"),
    ("hours_placement", "380", "from 0 to 100"), ("earnings_before_1_usd", "-5", "from 0 to 250000"),
    ("earnings_after_3_usd", "999999", "from 0 to 250000"), ("earnings_after_3_usd", "nan", "from 0 to 250000"),
    ("earnings_after_3_usd", "inf", "from 0 to 250000"), ("employed_q2", "no", "employed_q2 says no"),
    ("employed_q4", "no", "employed_q4 says no"), ("placed", "no", "placed says no"),
    ("credential_eligible", "no", "credential_eligible says no"), ("participated", "no", "participated says no"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "told"), CELLS)
def test_a_wrong_cell_is_named_by_row_and_column_and_not_by_value(column: str, value: str, told: str) -> None:
    bad = GOOD | {column: value}
    message = refused(written([GOOD | {"id": "other"}, bad]))
    assert message.startswith("participants.csv: ") and told in message
    assert re.search(r"\n  row 3, column ", message)
    assert not re.search(r"\n  row 2, column ", message), "the good row is not blamed"
    assert CANARY not in message
    if len(value) > 3 and value not in told:
        assert f"{value!r}" not in message and f" {value} " not in message


FILES = {
    "empty file": (b"", "is empty"),
    "only blank lines": (b"\n\n,,\n", "is empty"),
    "not text": (b"\x00\x01\x02\xff", "not UTF-8"),
    "Latin-1": (written([GOOD | {"cohort": "x"}]).replace(b"2025-fall", b"oto\xf1o").replace(b",x,", b",oto\xf1o,"), "not UTF-8"),
    "a broken workbook": (b"PK\x03\x04nothing", "not an XLSX"),
    "an open quotation mark": (written([GOOD]).replace(CANARY.encode(), b'"' + CANARY.encode()), "cannot|problem|CSV"),
    "no header": (written([GOOD]).split(b"\n", 1)[1], "missing from the header"),
    "a misspelled column": (written([GOOD]).replace(b"exit_date", b"exit_dat", 1), "Did you mean 'exit_date'"),
    "a column twice": (written([GOOD]).replace(b"exit_date", b"entry_date", 1), "stands twice"),
    "a column without a name": (written([GOOD]).replace(b",cohort,", b",,", 1), "it has no name"),
    "no id": (written([GOOD], [c for c in GOOD if c != "id"]), "column id: it is missing"),
    "a cell too many": (written([GOOD]) + b"a,b\n", "found 2 cells"),
    "the same person twice": (written([GOOD, GOOD]), "it repeats row 2"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_malformed_file_is_one_clear_report(case: str) -> None:
    content, told = FILES[case]
    message = refused(content)
    assert re.search(told, message)
    assert CANARY not in message


def test_every_problem_is_in_one_message() -> None:
    rows = [GOOD | {"id": f"p{i}", "sex": "x1", "age_at_entry": "200"} for i in range(30)]
    message = refused(written(rows))
    assert "60 problems" in message and message.count("\n") == forms.SHOWN + 1 and "and 20 more" in message


def test_the_key_is_made_once_and_kept_from_others(home) -> None:
    first = participants.key("enid-ok")
    path = paths.local("enid-ok", "participants.key")
    assert participants.key("enid-ok") == first and participants.key("lima-oh") != first
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(b"short")
    with pytest.raises(SectorbookError, match="Put back the file"):
        participants.key("enid-ok")


def test_an_own_file_stands_before_the_example(home) -> None:
    assert evidence.table("participants", "enid-ok", "san-francisco").sidecar is None
    example = evidence.table("participants", "san-francisco", "san-francisco", 1)
    assert example.sidecar.synthetic and "Synthetic" in example.standing
    path = paths.local("san-francisco", "participants.csv")
    path.parent.mkdir(parents=True)
    path.write_bytes(written([GOOD]))
    own = evidence.table("participants", "san-francisco", "san-francisco", 1)
    assert len(own.frame) == 1 and not own.sidecar.synthetic
    assert CANARY not in own.frame.to_csv() + own.standing
    assert "Fill in" in evidence.table("goals", "enid-ok", "san-francisco").standing


def test_the_example_is_seeded_and_stays_in_memory(home) -> None:
    before = sorted(p for p in home.rglob("*"))
    assert demonstration.people_file(3) == demonstration.people_file(3) != demonstration.people_file(4)
    frame = demonstration.people(3)
    assert frame.id.is_unique and frame.assigned.value_counts().min() > 200
    assert sorted(p for p in home.rglob("*")) == before
