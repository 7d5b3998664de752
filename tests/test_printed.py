"""The questionnaire on paper: the questions of the form, what to skip said in words, the same bytes each time."""

import re

import pytest
from sectorbook import cli, config
from sectorbook.errors import SectorbookError
from sectorbook.questionnaire import conditions, xlsform
from sectorbook.report import printed
from typer.testing import CliRunner

FORM = config.questionnaire("employer")
NUMBERS = {question.id: n for n, question in enumerate(FORM.questions, 1)}


def laid_out(language):
    data = printed._data(FORM, language, "Somewhere", "", "")
    return {q["number"]: q for section in data["sections"] for q in section["questions"]}, data


@pytest.mark.parametrize("language", printed.WORDS)
def test_every_question_and_choice_of_the_form_is_on_paper(language):
    asked, data = laid_out(language)
    assert [q["label"] for q in asked.values()] == [getattr(q.label, language) for q in FORM.questions]
    for question in FORM.questions:
        shown = {c["label"] for c in asked[NUMBERS[question.id]]["choices"]}
        offered = FORM.choices[question.choices] if question.choices else ()
        other = {xlsform.OTHER_LABEL[language]} if question.other else set()
        assert shown == {getattr(c.label, language) for c in offered} | other
    assert getattr(FORM.introduction, language) in data["about"]
    minutes = int(re.search(r"(\d+) minut", data["about"][1])[1])
    assert minutes - 1 < xlsform.expected_minutes(FORM) <= minutes


def test_what_to_skip_is_said_in_words():
    asked, data = laid_out("en")
    consent = {c["label"]: c["jump"] for c in asked[1]["choices"]}
    assert consent == {"Yes": "", "No": printed.WORDS["en"]["stop"]}
    hard = NUMBERS["has_hard_to_fill"]
    goes = {c["label"]: c["jump"] for c in asked[hard]["choices"]}
    assert goes == {"Yes": "", "No": f"Go to question {NUMBERS['pain_points']}."}
    assert asked[NUMBERS["hard_job"]]["note"] == f"Only if you marked “Yes” in question {hard}."
    willing = f"Only if you marked “Commit to hire graduates” in question {NUMBERS['willing']}."
    assert asked[NUMBERS["hires_committed"]]["note"] == willing
    noted = {n for n, q in asked.items() if q["note"]}
    assert noted == {NUMBERS["hard_job"], NUMBERS["hires_committed"]}  # once for a run of questions
    assert not any(section["note"] for section in data["sections"])  # "No" to consent ended the form
    spanish, _ = laid_out("es")
    assert spanish[NUMBERS["hard_job"]]["note"] == f"Solo si marcó «Sí» en la pregunta {hard}."


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_the_way_on_paper_is_the_way_of_the_form(answer):
    """Whoever follows the arrows meets exactly the questions whose conditions hold."""
    given = {"consent": "yes", "has_hard_to_fill": answer, "willing": "hire"}
    met, at = [], FORM.questions[0].id
    order = list(NUMBERS)
    while at is not None:
        met.append(at)
        following = order[NUMBERS[at]] if NUMBERS[at] < len(order) else None
        at = conditions.leads_to(FORM, at, given[at]) if at in given and at != "willing" else following
    holds = {
        name: all(given.get(c.question) == c.choice for c in wanted)
        for name, wanted in conditions.asked_if(FORM).items()
    }
    assert met == [name for name in order if holds[name]]


def test_the_two_languages_say_the_same():
    english, spanish = printed.WORDS["en"], printed.WORDS["es"]
    assert english.keys() == spanish.keys()
    for key, text in english.items():
        assert set(re.findall(r"[{<]\w+[}>]", text)) == set(re.findall(r"[{<]\w+[}>]", spanish[key])), key


def test_pages_are_tagged_and_the_same_each_time():
    first = printed.pages(FORM, "es", "Somewhere")
    assert first == printed.pages(FORM, "es", "Somewhere")
    for mark in (b"/MarkInfo", b"/StructTreeRoot", b"pdfuaid:part", b"/Lang"):
        assert mark in first
    assert first != printed.pages(FORM, "es", "Elsewhere")
    assert first != printed.pages(FORM, "es", "Somewhere", sender="The board")
    assert first != printed.pages(FORM, "es", "Somewhere", contact="Ana Ruiz, 555-0100")
    with pytest.raises(SectorbookError, match="Unknown language of the questionnaire 'fr'"):
        printed.pages(FORM, "fr", "Somewhere")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("${vacancies} > 3", r"the condition '\$\{vacancies\} > 3', which cannot be said in words"),
        ("${consent} = 'yes' or ${consent} = 'no'", "cannot be said in words"),
        ("${consnt} = 'yes'", "Unknown question 'consnt'. Did you mean 'consent'"),
        ("selected(${willing}, 'hires')", "Unknown choice of willing 'hires'. Did you mean 'hire'"),
        ("${employer_code} = 'yes'", "Unknown choice of employer_code 'yes'"),
    ],
)
def test_a_condition_that_paper_cannot_carry_is_named(condition, message):
    with pytest.raises(SectorbookError, match=message):
        conditions.conditions(condition, FORM)


def test_several_conditions_all_hold():
    both = conditions.conditions("${consent} = 'yes' and selected(${willing}, 'pay')", FORM)
    assert [(c.question, c.choice) for c in both] == [("consent", "yes"), ("willing", "pay")]
    assert conditions.conditions(None, FORM) == ()


def test_the_form_opens_in_the_language_and_region_asked_for():
    english, spanish = xlsform.xform(FORM), xlsform.xlsform(FORM, "es", "Fresno, CA")
    assert spanish["settings"][0]["form_title"] == f"{FORM.title.es}: Fresno, CA"
    assert f'lang="{xlsform.LANGUAGES["en"]}" default="true()"' in english
    assert spanish["settings"][0]["default_language"] == xlsform.LANGUAGES["es"]
    with pytest.raises(SectorbookError, match="Unknown language"):
        xlsform.xlsform(FORM, "pt")
    last = [row["name"] for row in spanish["choices"] if row["list_name"] == "pains_other"][-2:]
    assert last == ["other", "none"]


def test_the_command_writes_the_same_files_twice(tmp_path):
    def made(folder, *more):
        asked = ["questionnaire", "san-francisco", "--out", str(tmp_path / folder), *more]
        done = CliRunner().invoke(cli.app, asked)
        assert done.exit_code == 0, done.output
        return {p.name: p.read_bytes() for p in (tmp_path / folder).rglob("*.*")}

    first = made("a")
    assert sorted(first) == ["employer_needs-en.pdf", "employer_needs-es.pdf", "employer_needs.xlsx"]
    assert made("b") == first
    assert list(made("c", "--format", "pdf", "--lang", "es")) == ["employer_needs-es.pdf"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--lang", "es,fr", "Unknown language of the questionnaire 'fr'"),
        ("--format", "docx", "Unknown format 'docx'"),
        ("--format", ",", "Unknown format ''"),
    ],
)
def test_a_wrong_option_of_the_command_is_named(tmp_path, option, value, message):
    asked = ["questionnaire", "san-francisco", "--out", str(tmp_path), option, value]
    done = CliRunner().invoke(cli.app, asked)
    assert isinstance(done.exception, SectorbookError) and message in str(done.exception)
    assert not any(tmp_path.iterdir())
