"""Free text that tries to be more than text, through every format and every place a text can stand."""

import html.parser
import io
import re
import zipfile

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn
from report_book import figure, number, pages_of, section, sentence, small, table, unpacked_streams
from sectorbook.errors import SectorbookError
from sectorbook.report import edition, pack
from sectorbook.report.edition import clean
from sectorbook.report.layout import Grid, flow

PAYLOADS = (
    # HTML and script
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "<iframe src=javascript:alert(1)></iframe>",
    '<a href="javascript:alert(1)">x</a>',
    "<style>body{display:none}</style>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</td></tr></table><script>alert(1)</script>",
    "<!--", "-->", "<![CDATA[", "]]>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "<base href=https://example.org/>",
    "<form action=https://example.org><input name=q></form>",
    "&lt;script&gt;", "&#x3c;script&#x3e;", "&amp;&nbsp;&bogus;",
    "javascript:alert(1)", "data:text/html,<script>alert(1)</script>",
    # Spreadsheet formulas
    '=HYPERLINK("https://example.org","click")',
    "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1:A9)", "\t=1+1", "\r=1+1", "\n=1+1", "%0A=1+1",
    '=WEBSERVICE("https://example.org")', "=DDE(\"cmd\";\"/C calc\";\"x\")", "{=1+1}", "'=1+1", "https://example.org/x",
    "mailto:a@example.org", "internal:Sheet1!A1", "external:c:\\temp\\x.xlsx", "_x0041_", "History", "[a]:*?/\\b",
    # Typst
    '#import "x.typ"', "#panic()", '#read("/etc/passwd")', "#{while true {}}", "$ x^2 $", "@label", "<label>", "*b* _i_ `r`",
    "= Heading", "// comment", "/* comment", "\\u{41}", "#sys.inputs", "~", "https://example.org/#a",
    # LaTeX
    "\\input{/etc/passwd}", "\\write18{ls}", "\\end{document}", "%", "^^41", "\\", "{", "}", "&", "#1", "_", "^",
    # Jinja and other templates
    "{{ 7*7 }}", "{% raw %}", "{# x #}", "{{ config.__class__ }}", "{0.__class__}", "%(x)s", "${7*7}", "<%= 7*7 %>",
    # Word fields and XML
    " HYPERLINK \"https://example.org\" ", '<w:fldSimple w:instr="DDEAUTO c:\\\\x"/>', "INCLUDETEXT /etc/passwd",
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
    # Directions, marks, emoji, other scripts
    "\u202egnp.exe\u202c", "\u2066x\u2069\u202d", "שלום עולם", "مرحبا بالعالم", "אב 12 abc (x)", "😀👩‍👩‍👧🏳️‍🌈",
    "e\u0301\u0302\u0303" * 20, "Z̴̢͇̳̘͌̌a̸l̷g̶o̵", "中文テキスト한국어", "\u200b\u200c\u200d\u2060", "\ufeff", "𝕏\U0010ffff\ufffe",
    # Control characters, half surrogates, lengths, emptiness
    "\x00", "a\x00b\x07\x08\x1b[31mred", "\x7f\x80\x9f", "\ud800 half", "", " ", "\n\n\n", "a\r\nb\rc", "\u2028\u2029",
    "x" * 10_000, "word " * 2_000, "‮" * 10_000, "<b>" * 3_400, "=" * 10_000,
    # Paths
    "../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/passwd", "C:\\x", "file:///etc/passwd", "~/.ssh/id_rsa", "CON",
    "a/b", ".", "..", "%2e%2e%2f",
)  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return an edition in which every payload stands in a heading, sentence, table, label, caption and more."""
    folder = tmp_path_factory.mktemp("hostile")
    book = small(folder, synthetic=True)
    book.sections.clear()
    for place, text in enumerate(PAYLOADS):
        name = f"{place % 100:02d}_c{place}"
        mine = number(name, "n", 12.0, "count", text)
        items = [
            mine,
            sentence(name, text, (mine["address"], text)),
            figure(text, text),
            table(text, text, text),
            sentence(name, text, kind="caveat"),
        ]
        items[3]["cells"][1][1] = text
        items[3]["address"] = text
        book.sections.append(section(folder, name, text, items))
    some = " ".join(PAYLOADS[:40])
    book.region.update(name=some, code=some, kind=some)
    book.sector.update(name=some, naics=list(PAYLOADS))
    book.sources.extend(
        {**book.sources[0], "title": p, "citation": p, "licence": p, "via": p} for p in PAYLOADS
    )
    book.missing.append({"why": "chapter_failed", "number": "03", "title": some, "error": " ".join(PAYLOADS)})
    book.receipt["inputs"].update({p: p for p in PAYLOADS})
    book.code["version"] = some
    return edition.make(book)


class _Page(html.parser.HTMLParser):
    """What of a page could act: its tags, attributes and addresses. And its text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text = set(), [], []
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text.append(data)


def _flat(text: str) -> str:
    return "".join(text.split())


def test_a_heading_of_ten_thousand_characters_stands_once_and_whole(tmp_path):
    """Repeated on every page it left no room for the rows, and pages of it followed one another."""
    words = [f"w{place}" for place in range(2_000)]
    long = " ".join(words)
    book = small(tmp_path)
    book.sections.append(section(tmp_path, "05_long", long, [figure(long), table(long, long, long)]))
    pages = "".join(pages_of(pack.render(edition.make(book), "pdf")))
    assert len(long) > 10_000 and not [word for word in (words[0], words[-1]) if word not in pages]
    grids = [block for part in flow(edition.make(book)) for block in part.blocks if isinstance(block, Grid)]
    assert {grid.repeats for grid in grids if grid.title == long} == {False}
    assert {grid.repeats for grid in grids if grid.title != long} == {True}


def test_there_are_sixty_payloads_and_more():
    assert len(set(PAYLOADS)) >= 60


def test_a_page_runs_nothing_and_shows_every_payload(hostile):
    content = pack.render(hostile, "html").decode()
    page = _Page(content)
    assert page.tags <= {
        "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "nav", "ol", "ul", "li", "a",
        "main", "section", "figure", "img", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "br", "small",
        "aside", "footer", "span", "wbr",
    }  # fmt: skip
    assert not [
        name for _, name, _ in page.attributes if name.startswith("on") or name in ("action", "srcset")
    ]
    for tag, name, value in page.attributes:
        if name == "href":
            assert re.fullmatch(r"#[\w-]+|chapters/\w+\.html", value), (tag, value)
        if name == "src":
            assert value.startswith("data:image/png;base64,")
    text = _flat("".join(page.text))
    assert not [payload for payload in PAYLOADS if _flat(clean(payload)) not in text]


def test_a_pdf_is_set_to_its_standard_and_holds_no_action(hostile):
    content = pack.render(hostile, "pdf")
    unpacked = unpacked_streams(content)
    assert content.startswith(b"%PDF-") and b"pdfuaid:part" in unpacked
    for action in (
        b"/JavaScript",
        b"/JS",
        b"/URI",
        b"/Launch",
        b"/OpenAction",
        b"/EmbeddedFile",
        b"/GoToR",
        b"/SubmitForm",
    ):
        assert not re.search(action + rb"\b", unpacked), action
    assert b"root:x:0" not in unpacked


def test_a_word_file_holds_no_foreign_field_and_no_outside_link(hostile):
    content = pack.render(hostile, "docx")
    document = docx.Document(io.BytesIO(content))
    body = document.element.body
    fields = {element.get(qn("w:instr")).split()[0] for element in body.iter(qn("w:fldSimple"))}
    assert fields == {"SEQ"} and not list(body.iter(qn("w:instrText")))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        links = [file.read(name) for name in file.namelist() if name.endswith(".rels")]
    assert not any(b'TargetMode="External"' in link for link in links)
    text = _flat("".join(element.text or "" for element in body.iter(qn("w:t"))))
    shown = [_flat(clean(payload)) for payload in PAYLOADS]
    assert not [payload for payload in shown if payload not in text]


def test_a_workbook_holds_no_formula_and_every_text_as_it_was(hostile):
    content = pack.render(hostile, "xlsx")
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    values = set()
    for sheet in workbook:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (sheet.title, cell.coordinate)
                if cell.hyperlink:
                    assert cell.hyperlink.target is None and cell.hyperlink.location
                if isinstance(cell.value, str):
                    values.add(_flat(cell.value))
                    if cell.value.startswith(("=", "+", "-", "@", "\t", "\r")):
                        assert cell.quotePrefix, (sheet.title, cell.coordinate)
        assert len(sheet.title) <= 31
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        names = file.namelist()
        assert not [name for name in names if "externalLink" in name or "vba" in name.lower()]
        assert not [n for n in names if n.startswith("xl/worksheets/sheet") and b"<f>" in file.read(n)]
        assert not any(b'TargetMode="External"' in file.read(n) for n in names if n.endswith(".rels"))
    assert not [p for p in PAYLOADS if _flat(clean(p)) not in values and clean(p).strip()]


@pytest.mark.parametrize(
    "name",
    [
        "../picture.png",
        "/etc/passwd",
        "..",
        "",
        "a/b.png",
        "picture.png\x0a",
        "a\\b.png",
        "CON",
        "gone.png",
        "x.svg",
    ],
)
@pytest.mark.parametrize("form", pack.FORMATS[:3])
def test_a_figure_comes_from_its_chapter_alone(tmp_path, name, form):
    book = small(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"secret")
    book.sections[1].items.append(figure(file=name))
    reason = "is gone" if name == "gone.png" else "is not the name of a figure"
    with pytest.raises(SectorbookError, match=f"03_industry: .*{reason}"):
        pack.render(edition.make(book), form)


def test_a_figure_that_points_out_of_its_folder_is_refused(tmp_path):
    book = small(tmp_path)
    (tmp_path / "outside.png").write_bytes((tmp_path / "03_industry" / "picture.png").read_bytes())
    (tmp_path / "03_industry" / "link.png").symlink_to(tmp_path / "outside.png")
    book.sections[1].items.append(figure(file="link.png"))
    with pytest.raises(SectorbookError, match="not the name of a figure"):
        pack.render(edition.make(book), "html")


@pytest.mark.parametrize("slug", ["../x", "a/b", "", ".", "A", "x\n", "/etc"])
def test_a_region_that_is_no_folder_name_is_refused(tmp_path, slug):
    book = small(tmp_path)
    book.region["slug"] = slug
    with pytest.raises(SectorbookError, match="slug"):
        edition.make(book)


@pytest.mark.parametrize("name", ["../../x", "03 copy", 'x" onload="a', ""])
def test_a_chapter_that_is_no_file_name_is_refused(tmp_path, name):
    book = small(tmp_path)
    book.sections.append(type(book.sections[0])(name, "T", [], tmp_path))
    with pytest.raises(SectorbookError, match="not the name of a chapter"):
        edition.make(book)
