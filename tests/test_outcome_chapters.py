"""Chapters 10 and 11 on whatever is on file, under the disclosure gate, and the forms printed from them."""

import io
import re
import zipfile
from html import unescape
from pathlib import Path

import pytest
from sectorbook import ledgers, paths, register, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import files, origin, templates
from sectorbook.report import book, edition, employer, forms, pack
from test_convening_chapters import check_demonstration_is_marked, number, run, table, texts

DEMONSTRATION = origin.Origin("demonstration", origin.DEMONSTRATION, "san-francisco")
NAMES = ("10_employer_outcomes", "11_partnership")
FIRMS = (
    "employer_code,year,measure,value,takes_part,start_year\n"
    + "".join(
        f"CANARY{n},{year},turnover_pct,{41 + n + (0 if year < 2023 or n > 3 else -7) + year % 3},"
        f"{'yes' if n < 4 else 'no'},{'2023' if n < 4 else ''}\n"
        for n in range(8)
        for year in range(2020, 2026)
    )
)  # fmt: skip
RETURNS = "employer_code,wage_annual_usd,separations_before,separations_after,cost_usd\n" + "".join(
    f"CANARY{n},41{n}00,{30 + n},{21 + n},{9000 + 77 * n}\n" for n in range(4)
)


@pytest.mark.parametrize("name", NAMES)
def test_without_any_file_it_says_what_to_make(name: str, reports: Path) -> None:
    ledger = run(name, "lima-oh")
    (start,) = [t for t in texts(ledger, "caveat") if "Nothing is on file" in t]
    assert "sectorbook new-region lima-oh --area CODE" in start
    assert not any(source["synthetic"] for source in ledger["sources"])
    assert not [t for t in texts(ledger, "sentence") if re.search("nan|None|not published", t)]


@pytest.mark.parametrize("name", NAMES)
def test_empty_templates_put_the_demonstration_away(name: str, home: Path, reports: Path) -> None:
    templates.write(paths.local("san-francisco"))
    ledger = run(name, "san-francisco")
    assert {row[2] for row in table(ledger, "files")} == {"empty: fill it in"}
    assert not any(source["synthetic"] for source in ledger["sources"])


@pytest.fixture(scope="module")
def shown() -> dict[str, dict]:
    """Both chapters of the reference region, by name."""
    return {name: run(name, "san-francisco") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_demonstration_is_marked_wherever_it_is_shown(name: str, shown: dict) -> None:
    check_demonstration_is_marked(shown[name])


def test_chapter_10_is_under_the_gate_and_names_no_employer(shown: dict) -> None:
    ledger = shown["10_employer_outcomes"]
    assert ledger["person_level"] is True and "person_level" not in shown["11_partnership"]
    assert not re.search(r"E0\d\d", str(ledger["items"]))
    passed = book.gated(["san-francisco"]).ledgers["san-francisco"]["10_employer_outcomes"]
    kinds = [[item["kind"] for item in kept["items"] if item["kind"] != "check"] for kept in (ledger, passed)]
    assert kinds[0] == kinds[1], "with two dozen employers nothing is taken out"
    assert "contributors" not in str(passed) and "largest" not in str(passed)


def test_four_employers_are_few_and_nothing_on_them_is_published(home: Path, reports: Path) -> None:
    folder = paths.local("lima-oh")
    folder.mkdir(parents=True)
    (folder / "firm_outcomes.csv").write_text(FIRMS, encoding="utf-8")
    (folder / "firm_returns.csv").write_text(RETURNS, encoding="utf-8")
    ledger = run("10_employer_outcomes", "lima-oh")
    secrets = [
        number(ledger, key)["value"] for key in ("did", "return_pct", "change_here", "return_per_dollar")
    ]
    assert all(value is not None for value in secrets)
    rows = table(ledger, "changes_table")[0][1:4] + table(ledger, "costs")[0][1:4]
    passed = book.gated(["lima-oh"]).ledgers["lima-oh"]["10_employer_outcomes"]
    assert number(passed, "did")["value"] is None and number(passed, "return_firms")["value"] is None
    assert {cell for row in table_cells(passed, "costs") for cell in row[1:]} == {"not shown"}
    told = str(passed["items"])
    for value in (*secrets, *rows):
        assert str(value) not in told and f"{value:,.1f}" not in told, value
    # The published figures and the training grants are nobody's secret.
    assert number(passed, "grant_scrap")["value"] is not None
    assert not [i for i in passed["items"] if i["kind"] == "figure" and "changes" in i["file"]]
    written = [
        *pack.write("lima-oh", ["html", "docx", "xlsx"]),
        *pack.write("lima-oh", ["html", "docx", "xlsx"], form="business-value"),
    ]
    for path in written:
        text = text_of(path)
        assert "CANARY" not in text and "not shown" in text
        assert not [value for value in secrets if f"{value:,.1f}" in text and value > 100], path.name


def table_cells(ledger: dict, key: str) -> list[list]:
    items = [i for i in ledger["items"] if i["kind"] == "table"]
    return next(i["cells"] for i in items if i["address"].endswith(f"/{key}"))


# -- the forms --------------------------------------------------------------------------------------------------


def text_of(path: Path) -> str:
    if path.suffix in (".docx", ".xlsx"):
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as packed:
            parts = [n for n in packed.namelist() if n.endswith(("document.xml", "sharedStrings.xml"))]
            return " ".join(packed.read(name).decode() for name in parts)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["pennsylvania", "massachusetts", "nga"])
def test_every_line_of_a_form_has_its_answer_or_says_none_is_entered(name: str, shown: dict) -> None:
    form, made = register.layouts()[name], forms.gather("san-francisco", name)
    rows = [
        row for section in made.sections for item in section.items[:1] if item["kind"] == "table" for row in item["rows"]
    ]  # fmt: skip
    dictionary = warehouse.framework("indicators").set_index("id").label
    assert [row[0] for row in rows] == [dictionary[i] for part in form.parts for i in part.asks]
    place = [c["name"] for c in made.sections[0].items[0]["columns"]].index("form_answer")
    assert all(row[place] for row in rows)
    none = [row[0] for row in rows if row[place] == "not entered"]
    assert [line["line"] for line in made.missing] == none and 0 < len(none) < len(rows)
    for path in pack.write("san-francisco", ["html", "docx", "xlsx"], form=name):
        assert path.name == f"form-{name}{path.suffix}"
        text = text_of(path)
        for line in (*(row[0] for row in rows), *(part.title for part in form.parts)):
            assert line in unescape(text), (path.name, line)
        assert "This report uses synthetic data." in text


def test_massachusetts_has_the_goals_with_the_day_they_will_be_reached(shown: dict) -> None:
    made = forms.gather("san-francisco", "massachusetts")
    (goals,) = [i for i in made.sections[1].items if i["address"].endswith("/goals_table")]
    names = [column["name"] for column in goals["columns"]]
    on_track = {row[names.index("goal_on_track")] for row in goals["rows"]}
    assert on_track == {"Y", "N"}
    assert all(
        re.fullmatch(r"20\d\d-\d\d-\d\d|reached", row[names.index("goal_projected")]) for row in goals["rows"]
    )
    assert [part.title.partition(".")[0] for part in register.layouts()["massachusetts"].parts[:9]] == [
        "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX",
    ]  # fmt: skip


def test_a_form_is_one_source_in_every_format_and_the_same_twice(shown: dict) -> None:
    once, twice = (pack.write("san-francisco", list(pack.FORMATS), form="nga") for _ in range(2))
    assert [p.suffix for p in once] == [".html", ".pdf", ".docx", ".xlsx"]
    first = [p.read_bytes() for p in once]
    assert first == [p.read_bytes() for p in twice] and first[1].startswith(b"%PDF")
    spanish = pack.write("san-francisco", ["html"], code="es", form="nga")[0]
    assert spanish.name == "form-nga-es.html" and "sin llenar" in text_of(spanish)
    policy = edition.make(forms.gather("san-francisco", "nga"), "policy")
    assert [s.title for s in policy.sections] == [p.title for p in register.layouts()["nga"].parts]


def test_the_business_value_report_is_for_an_employer(shown: dict) -> None:
    made = forms.gather("san-francisco", "business-value")
    said = " ".join(i["text"] for s in made.sections for i in s.items if i["kind"] == "sentence")
    assert "back" in said and "Massachusetts" in said and made.numbers
    (path,) = pack.write("san-francisco", ["html"], form="business-value")
    assert "Claim ledger" in text_of(path) and "What is missing" not in text_of(path)


def test_one_employer_s_own_report_stays_with_the_local_files(home: Path, reports: Path) -> None:
    run("10_employer_outcomes", "san-francisco")
    paths_written = pack.write("san-francisco", ["html", "xlsx"], form="business-value", employer="E003")
    assert {p.parent for p in paths_written} == {paths.local("san-francisco")}
    assert not list(reports.rglob("*E003*")), "nothing on one employer is in the output folder"
    text = text_of(paths_written[0])
    firm = warehouse.local("firm_returns", DEMONSTRATION).set_index("employer_code").loc["E003"]
    assert f"You spent ${firm.cost_usd:,.0f}" in text and "employer E003" in text
    saved = (firm.separations_before - firm.separations_after) * firm.wage_annual_usd * 0.21
    assert f"${saved:,.0f}" in text
    words = re.sub(r"base64,[\w+/=]+", "", text)  # a picture's bytes can spell anything
    assert not re.search(r"E00[^3]|E0[1-9]\d", words), "and on no other"
    assert not files.read(paths.local("san-francisco")).problems, "the check of the files does not mind it"
    with pytest.raises(SectorbookError, match="Unknown employer 'E030'"):
        employer.gather("san-francisco", "E030")
    strange = employer.target("san-francisco", "../../E 1", "html")
    assert strange.parent == paths.local("san-francisco")


def test_words_an_initiative_enters_are_words_in_every_format(home: Path, reports: Path) -> None:
    folder = paths.local("lima-oh")
    folder.mkdir(parents=True)
    nasty = '<script>alert(1)</script> =HYPERLINK(""x"") #import ""y"" {{ 7*7 }} \u202eesrever'
    (folder / "indicator_entries.csv").write_text(
        f'indicator,date,value,words\ngreatest_success,2026-06-30,,"{nasty}"\n', encoding="utf-8"
    )
    run("11_partnership", "lima-oh")
    html, docx, xlsx, pdf = pack.write("lima-oh", ["html", "docx", "xlsx", "pdf"], form="pennsylvania")
    assert (
        "<script>" not in text_of(html) and "&lt;script&gt;" in text_of(html) and "{{ 7*7 }}" in text_of(html)
    )
    assert "<script>" not in text_of(docx) and "\u202e" not in text_of(docx) + text_of(html)
    assert "<f>" not in text_of(xlsx) and pdf.read_bytes().startswith(b"%PDF")


def test_an_unknown_form_and_a_chapter_not_run_are_told(reports: Path) -> None:
    with pytest.raises(SectorbookError, match="Did you mean 'pennsylvania'"):
        forms.gather("lima-oh", "pensylvania")
    with pytest.raises(SectorbookError, match="sectorbook run lima-oh --chapters 11"):
        forms.gather("lima-oh", "nga")
    assert "measures" not in forms.names()


def test_a_form_names_only_what_its_chapter_records(shown: dict) -> None:
    for name in forms.names():
        form = register.layouts()[name]
        own = {
            i["address"].rpartition("/")[2]
            for i in ledgers.read("san-francisco")[form.chapter]["items"]
            if "address" in i
        }
        assert {key for part in form.parts for key in part.findings} - {"caveats"} <= own
