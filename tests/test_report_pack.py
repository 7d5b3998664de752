"""The report pack: editions, languages, brands, and what each format carries."""

import io
import json
import os
import re
import shutil
import string
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace

import docx
import pytest
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st
from report_book import cells_of, number, pages_of, section, sentence, small, unpacked_streams
from sectorbook import cli, findings
from sectorbook.errors import SectorbookError
from sectorbook.report import edition, language, pack, pdf, reading, xlsx
from sectorbook.report.edition import UNSEEN, clean
from typer.testing import CliRunner

needs_pdftotext = pytest.mark.skipif(
    not shutil.which("pdftotext"), reason="needs pdftotext to read a PDF back"
)


# --- the same bytes


@pytest.mark.parametrize("form", pack.FORMATS)
def test_the_same_edition_gives_the_same_bytes_and_another_stamp_others(tmp_path, form, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    first = pack.render(edition.make(small(tmp_path)), form)
    # A later clock must not show: two seconds is the step of a zip file's times.
    later = time.time() + 4000
    monkeypatch.setattr(time, "time", lambda: later)
    assert pack.render(edition.make(small(tmp_path)), form) == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    changed = pack.render(edition.make(small(tmp_path)), form) != first
    assert changed == (form != "html")


@pytest.mark.parametrize("given", ["soon", "-5", "1.5", "99999999999", "0"])
def test_a_stamp_that_is_no_time_is_refused(tmp_path, given, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    with pytest.raises(SectorbookError, match="SOURCE_DATE_EPOCH"):
        pack.render(edition.make(small(tmp_path)), "pdf")


def test_a_stamp_that_is_no_time_is_one_message_of_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "sectorbook", "report", "san-francisco"],
        capture_output=True, text=True, check=False, env={**os.environ, "SOURCE_DATE_EPOCH": "soon"},
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("sectorbook: SOURCE_DATE_EPOCH is whole seconds since 1970")


# --- values that are not shown


@pytest.mark.parametrize("form", ["html", "docx", "xlsx"])
def test_a_number_behind_a_label_never_leaves(tmp_path, form):
    content = pack.render(edition.make(small(tmp_path)), form)
    with_parts = content
    if form != "html":
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            with_parts = b"".join(file.read(name) for name in file.namelist())
    assert b"77777" not in with_parts and b"77,777" not in with_parts
    assert b"$239,200 or more" in with_parts and b"withheld" in with_parts


def test_a_table_keeps_its_sheet_units_labels_and_numbers(tmp_path):
    sheets = cells_of(pack.render(edition.make(small(tmp_path)), "xlsx"))
    by_place = {cell.coordinate: cell for cell in sheets["04 Pay"]}
    head = next(cell.row for cell in sheets["04 Pay"] if cell.value == "Occupation")
    assert [by_place[f"{c}{head + 1}"].value for c in "BCD"] == ["jobs", "USD per year", "percent"]
    row, withheld = head + 2, head + 3
    assert by_place[f"B{row}"].value == 1230 and by_place[f"B{row}"].number_format == "#,##0"
    assert by_place[f"C{row}"].value == 98765 and by_place[f"D{row}"].value == 12.34
    assert (
        by_place[f"B{withheld}"].value == "withheld" and by_place[f"C{withheld}"].value == "$239,200 or more"
    )
    assert by_place[f"D{withheld}"].value == 0
    assert {"Contents", "Findings", "Claim ledger", "Sources", "Notes", "Values that are not shown"} <= set(
        sheets
    )


def test_what_is_not_shown_is_counted(tmp_path):
    made = edition.make(small(tmp_path))
    assert made.withheld == [("Pay", "Jobs", "withheld", 1), ("Pay", "Median wage", "$239,200 or more", 1)]


def test_workbook_formats_cover_every_unit_and_show_its_digits():
    assert set(xlsx.FORMATS) == set(language.DECIMALS) == set(findings.FORMATS)
    for unit, pattern in xlsx.FORMATS.items():
        places = len(pattern.partition(";")[0].replace('"', "").partition(".")[2].rstrip("%"))
        assert places == language.DECIMALS[unit], unit


# --- synthetic data


@needs_pdftotext
def test_synthetic_data_say_so_on_every_page_of_a_pdf(tmp_path):
    pages = pages_of(pack.render(edition.make(small(tmp_path, synthetic=True)), "pdf"))
    assert len(pages) > 1 and all("This report uses synthetic data." in page for page in pages)
    assert "synthetic" not in "".join(pages_of(pack.render(edition.make(small(tmp_path)), "pdf")))


def test_synthetic_data_say_so_in_the_other_formats(tmp_path):
    made, real = edition.make(small(tmp_path, synthetic=True)), edition.make(small(tmp_path))
    notice = "This report uses synthetic data."
    assert notice in pack.render(made, "html").decode() and notice not in pack.render(real, "html").decode()
    document = docx.Document(io.BytesIO(pack.render(made, "docx")))
    assert any(notice in p.text for p in document.paragraphs)
    assert notice in document.sections[0].footer.paragraphs[0].text
    for title, cells in cells_of(pack.render(made, "xlsx")).items():
        assert any(notice in str(cell.value) for cell in cells), title


# --- Word and PDF structure


def test_a_word_file_has_headings_captions_header_rows_and_alternatives(tmp_path):
    document = docx.Document(io.BytesIO(pack.render(edition.make(small(tmp_path)), "docx")))
    styles = [p.style.name for p in document.paragraphs]
    assert styles.count("Title") == 1 and styles.count("Heading 1") == 11 and "Heading 2" in styles
    captions = [p.text for p in document.paragraphs if p.style.name == "Caption"]
    assert len(captions) == 5 and "A picture" in captions[0]
    for table in document.tables:
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert table.rows[1]._tr.trPr.find(qn("w:tblHeader")) is None
        order = [element.tag.partition("}")[2] for element in table._tbl.tblPr]
        assert order == ["tblW", "jc", "tblBorders", "tblLayout", "tblCellMar", "tblLook"]
    alternatives = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert alternatives == ["A white picture."] * 2
    marks = {e.get(qn("w:name")) for e in document.element.body.iter(qn("w:bookmarkStart"))}
    anchors = {e.get(qn("w:anchor")) for e in document.element.body.iter(qn("w:hyperlink"))}
    assert anchors <= marks and "n1" in anchors
    assert document.core_properties.title == "Health care in Test Land, ZZ"


def test_a_pdf_is_tagged_with_title_language_and_alternatives(tmp_path):
    content = pack.render(edition.make(small(tmp_path), code="es"), "pdf")
    unpacked = unpacked_streams(content)
    for mark in (b"/MarkInfo", b"/StructTreeRoot", b"pdfuaid:part", b"/Alt", b"/TH", b"/Lang"):
        assert mark in unpacked, mark
    assert b"(es)" in unpacked and b"(en)" in unpacked


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Plain text, ñ, 1–2 and שלום", "Plain text, ñ, 1–2 and שלום"),
        ("\U0001fae0 ok", "[melting face] ok"),
        ("中", "[cjk unified ideograph-4e2d]"),
        ("a\U000e0041b", "ab"),
    ],
)
def test_a_character_without_a_shape_is_named(text, printed):
    assert pdf.printable(text).replace(pdf.BREAK, "") == printed


def test_a_long_run_can_break_and_keeps_every_letter():
    printed = pdf.printable("x" * 100)
    assert (
        max(map(len, printed.split(pdf.BREAK))) == pdf.LONGEST and printed.replace(pdf.BREAK, "") == "x" * 100
    )


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(codec=None), max_size=60))
def test_clean_text_can_be_written_anywhere_and_stays_clean(text):
    cleaned = clean(text)
    assert not UNSEEN.search(cleaned) and clean(cleaned) == cleaned
    cleaned.encode("utf-8")
    assert clean({"a": [text]}) == {"a": [cleaned]}


# --- audiences


def test_each_audience_reads_another_report(tmp_path):
    made = {name: edition.make(small(tmp_path), name) for name in ("leaders", "policy", "partners")}
    titles = {name: [s.title for s in e.sections] for name, e in made.items()}
    assert titles == {
        "leaders": ["Start here", "Industry", "Occupations"],
        "policy": ["What drives the region, and how sure that is", "What the jobs pay", "Tables"],
        "partners": [
            "The jobs, what they pay and where they lead",
            "Where the sector stands in the region",
            "What a sector initiative asks of you",
        ],
    }
    assert made["policy"].left_out == ["Start here"] and "Start here" in made["policy"].missing[-1]
    assert len({e.summary_title for e in made.values()}) == 3
    # Whatever an edition leaves out, its claim ledger is the whole book's.
    assert len({str(e.ledger) for e in made.values()}) == 1


def test_an_unknown_audience_language_or_format_names_the_valid_ones(tmp_path):
    for call, match in (
        (lambda: edition.make(small(tmp_path), "policies"), "Did you mean 'policy'"),
        (lambda: edition.make(small(tmp_path), code="fr"), "Valid: en, es"),
        (lambda: pack.formats("html,pfd"), "Did you mean 'pdf'"),
        (lambda: pack.formats(" , "), "No format"),
    ):
        with pytest.raises(SectorbookError, match=match):
            call()
    assert pack.formats("PDF, html,pdf") == ["pdf", "html"]
    assert [pack.name("leaders", "en"), pack.name("policy", "es")] == ["report", "report-policy-es"]


# --- languages


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_catalogues_hold_the_same_strings_with_the_same_fields():
    english, spanish = language.load("en"), language.load("es")
    assert english.text.keys() == spanish.text.keys() and english.audiences.keys() == spanish.audiences.keys()
    for key, text in english.text.items():
        assert fields(text) == fields(spanish.text[key]), key
    for name in ("policy", "partners"):
        assert english.headings[name].keys() == spanish.headings[name].keys()
    same = {key for key, text in english.text.items() if text == spanish.text[key]}
    assert same == {"receipt_plain", "receipt_input", "no"}


def test_numbers_and_dates_follow_the_locale():
    english, spanish = language.load("en"), language.load("es")
    for unit in language.DECIMALS:
        for value in (0, 7.05, 1234567.891, None):
            assert english.shown(value, unit) == findings.shown(value, unit)
    iberian = replace(spanish, locale="es_ES")
    assert spanish.shown(1234567.0, "jobs") == "1,234,570" and iberian.shown(1234567.0, "jobs") == "1.234.570"
    assert (
        iberian.shown(12.345, "percent") == "12,3\xa0%" and iberian.shown(18.5, "USD per hour") == "US$18,50"
    )
    assert spanish.date("2026-05-15") == "15 de mayo de 2026" and english.date("2026-05-15") == "2026-05-15"
    assert (
        spanish.state("withheld") == "no divulgado" and spanish.state("$239,200 or more") == "$239,200 o más"
    )
    assert spanish.shown(None, "jobs") == "no publicado"


def test_a_spanish_page_marks_what_stays_english(tmp_path):
    page = pack.render(edition.make(small(tmp_path), code="es"), "html").decode()
    assert '<html lang="es">' in page and "<h1>Atención médica en Test Land, ZZ</h1>" in page
    assert '<span dir="auto" lang="en">It grows.</span>' in page
    assert '<caption lang="en">Pay</caption>' in page and '<td class="text" lang="en">Nurses</td>' in page
    assert "What this does not show" not in page and "Lo que esto no muestra" in page
    english = pack.render(edition.make(small(tmp_path)), "html").decode()
    assert 'lang="en"' in english and english.count("lang=") == 1


# --- reading grade


def test_the_grade_follows_the_formula():
    # Six words in one sentence, seven syllables: 0.39 * 6 + 11.8 * 7 / 6 - 15.59 (Kincaid and others, 1975).
    assert reading.grade("The cat sat on a carpet.") == pytest.approx(0.39 * 6 + 11.8 * 7 / 6 - 15.59)
    hard = "Occupational characteristics necessitate comprehensive institutional coordination."
    assert (
        reading.grade(hard) > 15 > reading.grade("We met. We ate. We left.") and reading.grade(" . ") is None
    )


# Syllables as a dictionary of American English divides them for the ear.
SPOKEN = {
    "the": 1, "about": 2, "region": 2, "employment": 3, "wage": 1, "salary": 3, "jobs": 1, "published": 2, "industry": 3,
    "estimated": 4, "occupations": 4, "health": 1, "care": 1, "quotient": 2, "location": 3, "interval": 3, "nation": 2,
    "share": 1, "sentence": 2, "above": 2, "even": 2, "median": 3, "annual": 3, "higher": 2, "definitions": 4,
    "characteristics": 5, "initiative": 4, "people": 2, "programs": 2, "training": 2, "area": 3, "employer": 3, "every": 2,
    "middle": 2, "entry": 2, "upper": 2,
}  # fmt: skip
# Hyphenation misses a vowel that stands alone and divides some endings; over a text the two nearly even out.
SYLLABLES_OFF = 0.05


def test_syllables_add_up_to_a_dictionarys():
    total = sum(map(reading.syllables, SPOKEN))
    assert total == pytest.approx(sum(SPOKEN.values()), rel=SYLLABLES_OFF)


def test_the_grade_stands_in_the_report(tmp_path):
    page = pack.render(edition.make(small(tmp_path)), "html").decode()
    assert re.search(r"Reading grade \(Flesch-Kincaid\): -?\d+\.\d for page one, -?\d+\.\d for all", page)


# --- writing


def ledgers(folder, region: str) -> None:
    """Write the small book as saved findings of `region`."""
    book = small(folder / region / "findings")
    common = {"region": {**book.region, "slug": region}, "sector": book.sector, "sources": book.sources}
    for part in [book.summary, *book.sections]:
        content = {"schema": 1, "chapter": part.name, "title": part.title, "items": part.items, **common}
        part.folder.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")


def test_the_command_writes_every_format_from_saved_findings(tmp_path, monkeypatch):
    monkeypatch.setenv("SECTORBOOK_REPORTS", "")
    ledgers(tmp_path, "san-francisco")
    asked = ["report", "san-francisco", "--out", str(tmp_path), "--format", "html,pdf,docx,xlsx"]
    usual = CliRunner().invoke(cli.app, asked)
    other = CliRunner().invoke(cli.app, [*asked, "--audience", "policy", "--lang", "es"])
    assert usual.exit_code == other.exit_code == 0, usual.output + other.output
    folder = tmp_path / "san-francisco"
    made = {path.name for path in folder.glob("report*")}
    assert made == {f"report{more}.{form}" for more in ("", "-policy-es") for form in pack.FORMATS}
    assert len(usual.output.splitlines()) == 4
    assert "Atención médica en Test Land" in (folder / "report-policy-es.html").read_text(encoding="utf-8")
    failed = CliRunner().invoke(cli.app, [*asked, "--brand", str(tmp_path / "none.yml")])
    assert isinstance(failed.exception, SectorbookError) and "Cannot read the brand file" in str(
        failed.exception
    )


def test_formats_made_together_are_those_made_alone_in_the_order_asked_for(tmp_path, monkeypatch):
    made = edition.make(small(tmp_path))
    asked = ["xlsx", "pdf", "html", "docx"]
    assert pack.rendered(made, asked) == [pack.render(made, form) for form in asked]
    where = []
    monkeypatch.setattr(
        pack, "render", lambda _, form: where.append((form, threading.current_thread().name)) or b""
    )
    for alone in ("pdf", "html"):
        pack.rendered(made, [alone])
    assert where == [("pdf", "MainThread"), ("html", "MainThread")]


def test_a_report_one_format_of_which_cannot_be_made_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("SECTORBOOK_REPORTS", str(tmp_path))
    ledgers(tmp_path, "san-francisco")
    figure = tmp_path / "san-francisco" / "findings" / "03_industry" / "picture.png"
    figure.write_bytes(figure.read_bytes()[:8])
    with pytest.raises(SectorbookError, match=r"picture\.png is not a whole PNG picture"):
        pack.write("san-francisco", ["html", "pdf"])
    assert not list((tmp_path / "san-francisco").glob("report*"))
    assert pack.write("san-francisco", ["html"])


def test_only_the_libraries_of_the_format_asked_for_are_loaded():
    code = (
        "import sys; from sectorbook.report import pack; import sectorbook.report.html;"
        "sys.exit(' '.join({'typst', 'docx', 'xlsxwriter', 'openpyxl', 'lxml', 'matplotlib', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_a_sentence_that_uses_an_unknown_number_still_prints(tmp_path):
    book = small(tmp_path)
    book.sections.append(
        section(
            tmp_path, "05_x", "X", [number("05_x", "n", 1.0, "count"), sentence("05_x", "Said.", ("gone",))]
        )
    )
    for form in pack.FORMATS:
        assert pack.render(edition.make(book), form)


def test_the_notice_of_synthetic_data_names_the_parts_that_use_them(tmp_path):
    book = small(tmp_path, synthetic=True)
    first = replace(book.sections[0], title="Made up", synthetic=True)
    made = edition.make(replace(book, sections=[first, *book.sections[1:]]))
    assert made.notice.startswith("This report uses synthetic data. ")
    assert "Made up" in made.notice and made.summary_title not in made.notice
    assert edition.make(small(tmp_path)).notice is None
