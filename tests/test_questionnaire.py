"""The employer questionnaire compiles, and the same answers come out of every tool's export the same."""

import csv
import io
import json
import shutil

import openpyxl
import pandas as pd
import pytest
from pyxform.xls2xform import convert
from sectorbook import config
from sectorbook.errors import SectorbookError
from sectorbook.measures import survey, survey_tables
from sectorbook.questionnaire import xlsform
from sectorbook.questionnaire.answers import read_answers
from shared import SHARED, needs_shared

FORM = config.questionnaire("employer")
QUESTIONS = {q.id: q for q in FORM.questions}
SECTION = {q.id: s.id for s in FORM.sections for q in s.questions}
MINUTES_PROMISED = 15

# The answers of three employers: an "other", a label with commas, numbers, things not answered, none of these.
GIVEN = [
    {
        "consent": "yes", "employer_code": "A-1", "size_class": "s10_49", "vacancies": 3, "hires_planned": 12,
        "has_hard_to_fill": "yes", "hard_job": "Nurse; night, weekend", "hard_job_wage_hourly_usd": 31.5,
        "pain_points": {"soft_skills", "wages"}, "willing": {"hire", "internships"}, "hires_committed": 4,
        "local_training_fits": "agree", "hr_practices": {"none"},
    },
    {
        "consent": "yes", "employer_code": "B-2", "size_class": "s250", "vacancies": 0, "has_hard_to_fill": "no",
        "pain_points": {"turnover", "other"}, "pain_points_other": "Parking", "willing": {"none"},
        "local_training_fits": "strongly_disagree", "skills_lacking": {"english", "reading_math"},
    },
    {"consent": "no"},
]  # fmt: skip


def label(question, code, language="en"):
    if code == "other":
        return {"en": "Other", "es": "Otro"}[language]
    choice = next(c for c in FORM.choices[QUESTIONS[question].choices] if c.id == code)
    return getattr(choice.label, language)


def codes(question):
    return [c.id for c in FORM.choices[QUESTIONS[question].choices]] + (
        ["other"] if QUESTIONS[question].other else []
    )


def to_csv(rows, separator=","):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()


def to_xlsx(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def plain(given, question, language="en", coded=False, joined=", "):
    value = given.get(question, "")
    if isinstance(value, set):
        ordered = [c for c in codes(question) if c in value]
        return joined.join(c if coded else label(question, c, language) for c in ordered)
    if QUESTIONS[question].type == "one" and value:
        return value if coded else label(question, value, language)
    return value


def kobo(split=True, separator=";", given=GIVEN):
    header, rows = ["start", "end"], [["2027-01-01", "2027-01-01"] for _ in given]
    for name, question in QUESTIONS.items():
        path = f"{SECTION[name]}/{name}"
        header.append(path)
        for row, one in zip(rows, given, strict=True):
            row.append(plain(one, name, coded=True, joined=" "))
        if question.type == "several" and split:
            for code in codes(name):
                header.append(f"{path}/{code}")
                for row, one in zip(rows, given, strict=True):
                    row.append(int(code in one[name]) if name in one else "")
        if question.other:
            header.append(f"{path}_other")
            for row, one in zip(rows, given, strict=True):
                row.append(one.get(f"{name}_other", ""))
    header += ["_id", "_uuid", "_submission_time", "_validation_status", "_index"]
    for n, row in enumerate(rows, 1):
        row += [n, f"u{n}", f"2027-01-0{n}T10:00:00", "", n]
    return to_csv([header, *rows], separator)


def odk_central():
    names = [(q, f"{SECTION[q]}-{q}") for q in QUESTIONS]
    header = ["SubmissionDate", "meta-instanceID", *(p for _, p in names)]
    others = [q for q in QUESTIONS if QUESTIONS[q].other]
    header += [f"{SECTION[q]}-{q}_other" for q in others] + [
        "KEY",
        "ReviewState",
        "DeviceID",
        "Edits",
        "FormVersion",
    ]
    rows = [
        [
            f"2027-01-0{n}T10:00:00Z", f"uuid:{n}", *(plain(g, q, coded=True, joined=" ") for q, _ in names),
            *(g.get(f"{q}_other", "") for q in others), f"uuid:{n}", "", "phone", 0, "1",
        ]
        for n, g in enumerate(GIVEN, 1)
    ]  # fmt: skip
    return to_csv([header, *rows])


def qualtrics(by_text=False):
    header = ["StartDate", "EndDate", "Status", "Progress", "Finished", "RecordedDate", "ResponseId"]
    text = ["Start Date", "End Date", "Response Type", "Progress", "Finished", "Recorded Date", "Response ID"]
    rows = [["", "", "IP Address", 100, "True", f"2027-01-0{n}", f"R_{n}"] for n in range(1, 4)]
    for i, (name, question) in enumerate(QUESTIONS.items(), 1):
        tag = f"Q{i}" if by_text else name
        if question.type == "several":
            for n, code in enumerate(codes(name), 1):
                header.append(f"{tag}_{n}")
                text.append(f"{question.label.en} - Selected Choice - {label(name, code)}")
                for row, one in zip(rows, GIVEN, strict=True):
                    row.append(label(name, code) if code in one.get(name, ()) else "")
            if question.other:
                header.append(f"{tag}_{len(codes(name))}_TEXT")
                text.append(f"{question.label.en} - Other - Text")
                for row, one in zip(rows, GIVEN, strict=True):
                    row.append(one.get(f"{name}_other", ""))
        else:
            header.append(tag)
            text.append(question.label.en.replace(" ", "\n", 1))
            for row, one in zip(rows, GIVEN, strict=True):
                row.append(plain(one, name))
    ids = [json.dumps({"ImportId": f"QID{i}"}) for i in range(len(header))]
    return to_csv([header, text, ids, *rows])


def surveymonkey():
    first = ["Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address"]
    second, rows = [""] * 5, [[n, 9, "01/02/2027", "01/02/2027", ""] for n in range(1, 4)]
    for name, question in QUESTIONS.items():
        choices = codes(name) if question.type == "several" else [None]
        for n, code in enumerate(choices):
            first.append(question.label.en if n == 0 else "")
            if code is None:
                second.append("Response" if question.type == "one" else "Open-Ended Response")
            else:
                second.append("Other (please specify)" if code == "other" else label(name, code))
            for row, one in zip(rows, GIVEN, strict=True):
                if code is None:
                    row.append(plain(one, name))
                elif code == "other":
                    row.append(one.get(f"{name}_other", ""))
                else:
                    row.append(label(name, code) if code in one.get(name, ()) else "")
    return to_xlsx([first, second, *rows])


def limesurvey():
    header = ["id", "submitdate", "lastpage", "startlanguage", "seed"]
    rows = [[n, f"2027-01-0{n} 10:00:00", 5, "en", 77] for n in range(1, 4)]
    for name, question in QUESTIONS.items():
        code_name = name.replace("_", "")
        if question.type == "several":
            for code in codes(name):
                header.append(f"{code_name}[{code.replace('_', '')}]")
                for row, one in zip(rows, GIVEN, strict=True):
                    if code == "other":
                        row.append(one.get(f"{name}_other", ""))
                    else:
                        row.append(("Y" if code in one[name] else "N") if name in one else "")
        else:
            header.append(code_name)
            for row, one in zip(rows, GIVEN, strict=True):
                row.append(plain(one, name, coded=True))
    return to_csv([header, *rows])


def google_forms():
    header = ["Marca temporal", *(q.label.es for q in QUESTIONS.values())]
    rows = []
    for n, one in enumerate(GIVEN, 1):
        row = [f"2027/01/0{n} 10:00:00"]
        for name in QUESTIONS:
            text = plain(one, name, "es")
            row.append(text.replace("Otro", one[f"{name}_other"]) if f"{name}_other" in one else text)
        rows.append(row)
    return to_csv([header, *rows])


def microsoft_forms():
    header = ["Id", "Start time", "Completion time", "Email", "Name"]
    header += [f"{n}. {q.label.en}" for n, q in enumerate(QUESTIONS.values(), 1)]
    rows = []
    for n, one in enumerate(GIVEN, 1):
        row = [n, "2027-01-01", "2027-01-01", "anonymous", ""]
        for name, question in QUESTIONS.items():
            text = (
                plain(one, name, joined=";") + (";" if question.type == "several" and name in one else "")
                if (question.type == "several")
                else plain(one, name)
            )
            row.append(text.replace("Other", one[f"{name}_other"]) if f"{name}_other" in one else text)
        rows.append(row)
    return to_xlsx([header, *rows])


EXPORTS = {
    "kobo, split columns, semicolons": (kobo, "kobo"),
    "kobo, joined column, commas": (lambda: kobo(split=False, separator=","), "kobo"),
    "kobo, tabs, UTF-16": (lambda: kobo(separator="\t").decode().encode("utf-16"), "kobo"),
    "odk central": (odk_central, "odk_central"),
    "qualtrics, export tags": (qualtrics, "qualtrics"),
    "qualtrics, question text": (lambda: qualtrics(by_text=True), "qualtrics"),
    "surveymonkey, workbook": (surveymonkey, "surveymonkey"),
    "limesurvey": (limesurvey, "limesurvey"),
    "google forms in Spanish": (google_forms, "google_forms"),
    "microsoft forms, workbook": (microsoft_forms, "microsoft_forms"),
}
ABOUT = ["row", "response_id", "submitted_at"]


@pytest.mark.parametrize("layout", EXPORTS)
def test_the_same_answers_come_out_of_every_layout(layout):
    make, tool = EXPORTS[layout]
    answers = read_answers(make(), "file", FORM)
    assert answers.tool == tool
    expected = read_answers(kobo(), "file", FORM).frame.drop(columns=ABOUT)
    pd.testing.assert_frame_equal(answers.frame.drop(columns=ABOUT), expected)
    assert not {"set aside", "absent", "duplicate", "partial"} & set(answers.notes["kind"])


def test_answers_are_what_was_given():
    frame = read_answers(kobo(), "file", FORM).frame
    first, second, third = frame.to_dict("records")
    assert (first["pain_points/soft_skills"], first["pain_points/turnover"], first["pain_points/other"]) == (
        1,
        0,
        0,
    )
    assert second["pain_points_other"] == "Parking" and second["pain_points/other"] == 1
    assert first["hard_job"] == "Nurse; night, weekend" and first["hard_job_wage_hourly_usd"] == 31.5
    assert pd.isna(second["hires_planned"]) and second["vacancies"] == 0  # not answered is not 0
    assert pd.isna(third["pain_points/wages"]) and pd.isna(second["hr_practices/none"])
    assert frame["complete"].all() and frame["response_id"].tolist() == ["u1", "u2", "u3"]


def test_every_layout_gives_the_same_estimates():
    tables = []
    for make, _ in EXPORTS.values():
        frame = read_answers(make(), "file", FORM).frame.assign(N=30)
        design = survey.survey_design(frame, population=["N"])
        choices = {f"pain_points/{code}": code for code in ("soft_skills", "turnover", "other")}
        tables.append(survey_tables.multiple_response(design, choices))
        tables[-1]["hires"] = survey.total(design, "hires_planned")["estimate"][0]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])
    assert tables[0]["n"].unique().tolist() == [2] and tables[0]["hires"][0] == 120


def test_repeats_and_partials_are_kept_and_said():
    answers = read_answers(
        kobo(given=[GIVEN[0], GIVEN[1], {**GIVEN[0], "vacancies": 9}, GIVEN[0]]),
        "file",
        FORM,
        unique="employer_code",
    )
    assert answers.frame["duplicate_of"].tolist() == [pd.NA, pd.NA, 2, 2]
    assert answers.notes["text"].tolist() == ["same employer_code as row 2", "same employer_code as row 2"]
    lime = limesurvey().replace(b"2027-01-02 10:00:00", b"")
    partial = read_answers(lime, "file", FORM)
    assert partial.frame["complete"].tolist() == [True, False, True]
    assert partial.notes[["row", "kind"]].to_numpy().tolist() == [[3, "partial"]]


def test_tests_rejections_and_other_sheets_are_said():
    preview = read_answers(qualtrics().replace(b"IP Address", b"Survey Preview", 1), "file", FORM)
    assert preview.notes[["row", "kind"]].to_numpy().tolist() == [[4, "review"]]
    rejected = read_answers(kobo().replace(b"T10:00:00;;3", b"T10:00:00;Not approved;3"), "file", FORM)
    assert rejected.notes[["row", "kind"]].to_numpy().tolist() == [[4, "review"]]
    book = openpyxl.load_workbook(io.BytesIO(surveymonkey()))
    book.create_sheet("repeats").append(["_parent_index"])
    buffer = io.BytesIO()
    book.save(buffer)
    assert read_answers(buffer.getvalue(), "file", FORM).notes["text"].tolist() == [
        "the sheet 'repeats' was not read"
    ]


def test_columns_and_values_can_be_named_by_hand():
    content = to_csv([["Timestamp", "ID of firm", "Size"], ["2027", "A-1", "big"]])
    answers = read_answers(
        content,
        "f",
        FORM,
        columns={"ID of firm": "employer_code", "Size": "size_class"},
        values={"size_class": {"big": "s250"}},
    )
    assert answers.frame[["employer_code", "size_class"]].to_numpy().tolist() == [["A-1", "s250"]]
    with pytest.raises(SectorbookError, match=r"Unknown column 'Firm'"):
        read_answers(content, "f", FORM, columns={"Firm": "employer_code"})


HEAD = "_uuid,_submission_time,business/size_class,hiring/vacancies,hiring/pain_points,people/wage_entry_hourly_usd\n"
MALFORMED = {
    "empty": (b"", "f is empty"),
    "blank lines": (b"\n\n,,\n", "f is empty"),
    "binary": (b"\x00\x01\x02", "neither a CSV text nor an XLSX"),
    "latin-1": ("_uuid,_submission_time\nañ,1\n".encode("latin-1"), "not UTF-8 text"),
    "broken workbook": (b"PK\x03\x04 not really", "not an XLSX workbook that can be read"),
    "unknown tool": (b"name,answer\na,b\n", "cannot tell which tool wrote it"),
    "no question": (b"_uuid,_submission_time,colour\n1,2,red\n", "no column belongs to a question"),
    "ragged": ((HEAD + "1,2,s250\n").encode(), "row 2: found 3 cells; the header has 6"),
    "column twice": (b"_uuid,_submission_time,vacancies,vacancies\n1,2,3,4\n", "stand twice: 'vacancies'"),
    "question twice": (b"_uuid,_submission_time,vacancies,hiring/vacancies\n1,2,3,4\n", "more than one column answers"),
    "wrong choice": ((HEAD + "1,2,s260,,,\n").encode(), "row 2, column 'business/size_class': found 's260'. Did you mean 's250'"),
    "wrong number": ((HEAD + "1,2,,three,,\n").encode(), "column 'hiring/vacancies': found 'three'; expected a whole number"),
    "fraction of a person": ((HEAD + "1,2,,1.5,,\n").encode(), "found '1.5'; expected a whole number"),
    "negative": ((HEAD + "1,2,,-1,,\n").encode(), "expected a whole number of 0 or more"),
    "wage in words": ((HEAD + "1,2,,,,18 to 20\n").encode(), "found '18 to 20'; expected a number"),
    "wrong mark": (b"_uuid,_submission_time,hr_practices/reviews\n1,2,maybe\n", "expected 1, 0, yes, no or the choice"),
    "unknown choice column": (b"_uuid,_submission_time,hr_practices/review\n1,2,1\n", "found 'review'. Did you mean 'reviews'"),
    "open quote": (b'_uuid,_submission_time,hard_job\n1,2,"a\n', "not a CSV table that can be read"),
    "qualtrics cut short": (b'StartDate\n"Start Date"\n', "cannot tell which tool"),
}  # fmt: skip


def edited(workbook, change):
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    change(book.active)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def cell(old, new):
    def change(sheet):
        next(c for row in sheet.iter_rows() for c in row if c.value == old).value = new

    return change


def without(content, part):
    return b"\n".join(line for line in content.split(b"\n") if part not in line)


def question(name):
    return QUESTIONS[name].label.es.encode()


# A whole export of each tool with one thing wrong, said in the tool's own terms.
MALFORMED |= {
    "qualtrics: a label changed": (
        qualtrics().replace(b"10 to 49 employees", b"10 to 50 employees"),
        "row 4, column 'size_class': found '10 to 50 employees'. Did you mean '10 to 49 employees'",
    ),
    "qualtrics: a unit with the number": (
        qualtrics().replace(b"31.5", b"31.5/h"),
        "row 4, column 'hard_job_wage_hourly_usd': found '31.5/h'; expected a number",
    ),
    "qualtrics: the row of ids cut": (without(qualtrics(), b"ImportId"), "qualtrics: a third row of"),
    "surveymonkey: a number in words": (
        edited(surveymonkey(), cell(12, "a dozen")),
        "row 3, column 'How many people do you plan to hire",
    ),
    "surveymonkey: the second header cut": (
        edited(surveymonkey(), lambda sheet: sheet.delete_rows(2)),
        "surveymonkey: 'Respondent ID' and a second header row",
    ),
    "limesurvey: a code changed": (
        limesurvey().replace(b"s10_49", b"s10_94"),
        "column 'sizeclass': found 's10_94'. Did you mean 's10_49'",
    ),
    "limesurvey: neither Y nor N": (
        limesurvey().replace(b",Y,", b",perhaps,", 1),
        "column 'painpoints[softskills]': found 'perhaps'; expected 1, 0, yes, no",
    ),
    "google forms: a Spanish label changed": (
        google_forms().replace(b"De 10 a 49 personas", b"De 10 a 50 personas"),
        "Did you mean 'De 10 a 49 personas'",
    ),
    "google forms: a question twice": (
        google_forms().replace(question("hires_planned"), question("vacancies")),
        "these columns stand twice: '¿Cuántos puestos vacantes tiene hoy?'",
    ),
    "microsoft forms: part of a person": (
        edited(microsoft_forms(), cell(12, 12.5)),
        "column '8. How many people do you plan to hire in the next 12 months?': found '12.5'",
    ),
    "microsoft forms: a label in words": (
        edited(microsoft_forms(), cell("10 to 49 employees", "Ten to 49")),
        "row 2, column '3. How many people work at this site?': found 'Ten to 49'",
    ),
    "odk central: a code changed": (
        odk_central().replace(b"s10_49", b"s10-49x"),
        "column 'business-size_class': found 's10-49x'. Did you mean 's10_49'",
    ),
    "odk central: less than nobody": (
        odk_central().replace(b",12,", b",-12,"),
        "column 'hiring-hires_planned': found '-12'; expected a whole number of 0 or more",
    ),
    "a page in place of the file": (b"<!DOCTYPE html><html><body>Log in</body></html>", "cannot tell which tool wrote it"),
}  # fmt: skip


def test_every_tool_has_a_malformed_export():
    tools = {name.partition(":")[0] for name in MALFORMED if ":" in name}
    assert tools == {tool.replace("_", " ") for _, tool in EXPORTS.values()} - {"kobo"}
    assert len(MALFORMED) >= 30


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_export_is_named_and_not_half_read(case):
    content, message = MALFORMED[case]
    with pytest.raises(SectorbookError) as error:
        read_answers(content, "f", FORM)
    assert message in str(error.value)
    assert str(error.value).startswith("f")


def test_all_problems_come_in_one_report():
    content = (HEAD + "1,2,huge,x,,\n3,4,,-4,,y\n").encode()
    with pytest.raises(SectorbookError) as error:
        read_answers(content, "f", FORM)
    assert len(str(error.value).splitlines()) == 4


def test_money_and_thousands_are_read_and_noted():
    answers = read_answers((HEAD + '1,2,,"1,200",wages Parking,$18.50\n').encode(), "f", FORM)
    row = answers.frame.iloc[0]
    assert (row["vacancies"], row["wage_entry_hourly_usd"]) == (1200, 18.5)
    assert (row["pain_points/wages"], row["pain_points/other"], row["pain_points_other"]) == (1, 1, "Parking")
    assert sorted(answers.notes["kind"].unique()) == ["absent", "number", "other"]


@needs_shared
def test_a_real_qualtrics_export_is_recognized():
    content = (SHARED / "data" / "employer_survey" / "qualtrics_export_sample.csv").read_bytes()
    answers = read_answers(content, "sample", FORM, columns={"Q2": "hard_job"})
    assert answers.tool == "qualtrics"
    assert answers.frame[["response_id", "hard_job", "complete"]].to_numpy().tolist() == [
        ["R_2YPOQ602ER1jkf1", "Hello World!", True]
    ]
    assert answers.notes.loc[answers.notes["kind"] == "set aside", "column"].tolist() == ["Q1", "Q2 - Topics"]


def test_the_form_compiles_without_a_warning_in_both_languages():
    warnings = []
    compiled = convert(xlsform.workbook(FORM), warnings=warnings).xform
    assert warnings == []
    assert compiled == xlsform.xform(FORM)
    for language in xlsform.LANGUAGES.values():
        assert f'<translation lang="{language}"' in compiled.replace(' default="true()"', "")
    for row in xlsform.xlsform(FORM)["survey"]:
        if any(key.startswith("label::") for key in row):
            assert all(row[f"label::{language}"] for language in xlsform.LANGUAGES.values())
    assert f"{FORM.introduction.es[:40]}" in compiled


@pytest.mark.skipif(shutil.which("java") is None, reason="ODK Validate, which pyxform carries, runs on Java")
def test_the_form_passes_odk_validate():
    warnings = []
    convert(xlsform.xlsform(FORM), warnings=warnings, validate=True)
    assert warnings == []


def test_the_questionnaire_covers_its_subjects_in_the_time_it_promises():
    assert xlsform.expected_minutes(FORM) < MINUTES_PROMISED
    assert f"under {MINUTES_PROMISED} minutes" in FORM.introduction.en
    assert f"menos de {MINUTES_PROMISED} minutos" in FORM.introduction.es
    covered = {source for question in FORM.questions for source in question.sources}
    assert {f"B09.{n}" for n in range(1, 8)} | {"E04", "B14", "B38"} <= covered
    table = {i.id for i in config.framework("employer_engagement_table").items if i.group == "activity"}
    assert {c.id for c in FORM.choices["engagement"]} - {"none"} == table


def test_a_form_that_does_not_hold_together_is_named():
    content = FORM.model_dump()
    content["sections"][2]["relevant"] = "${consnt} = 'yes'"
    with pytest.raises(SectorbookError, match="'hiring' depends on consnt, not asked before it"):
        config._validate(config.shapes.Questionnaire, "questionnaires/x.yml", "x", content)
    broken = FORM.model_copy(
        update={"id": "employer needs", "sections": (FORM.sections[0], FORM.sections[0])}
    )
    with pytest.raises(SectorbookError, match="does not compile"):
        xlsform.xform(broken)
