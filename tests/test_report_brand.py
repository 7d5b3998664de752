"""Brands: what one reaches, and what cannot be used."""

import io
import shutil

import docx
import pytest
from report_book import cells_of, pages_of, png, small, unpacked_streams
from sectorbook.errors import SectorbookError
from sectorbook.report import brand, edition, pack, pdf


@pytest.fixture
def brand_file(tmp_path):
    def write(text: str, **files: bytes):
        for name, content in files.items():
            (tmp_path / name.replace("_", ".")).write_bytes(content)
        path = tmp_path / "brand.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_brand_reaches_every_format(tmp_path, brand_file):
    svg = (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="30" height="10"><rect width="30" height="10"/></svg>'
    )
    path = brand_file(
        "name: Bay & Co\ncolours: {focus: '#7a1f5c'}\nlogo: logo.svg\nfonts: {family: Georgia}\ndisclaimer: Draft only.\n",
        logo_svg=svg,
    )
    made = edition.make(small(tmp_path), brand=brand.load(path))
    page = pack.render(made, "html").decode()
    assert "--focus: #7a1f5c" in page and "Bay &amp; Co" in page and "Draft only." in page
    assert "data:image/svg+xml;base64," in page and 'font-family: "Georgia"' in page
    document = docx.Document(io.BytesIO(pack.render(made, "docx")))
    assert (
        str(document.styles["Heading 1"].font.color.rgb) == "7A1F5C"
        and document.styles["Normal"].font.name == "Georgia"
    )
    assert any("Draft only." in p.text for p in document.paragraphs)
    assert document.inline_shapes[0]._inline.docPr.get("descr") == "Logo of Bay & Co"
    sheets = cells_of(pack.render(made, "xlsx"))
    cover = [cell.value for cell in sheets["Contents"]]
    assert "Draft only." in cover and sheets["Contents"][0].font.color.rgb == "FF7A1F5C"
    plain, branded = pack.render(edition.make(small(tmp_path)), "pdf"), pack.render(made, "pdf")
    assert plain != branded
    if shutil.which("pdftotext"):
        text = " ".join(pages_of(branded))
        assert "Draft only." in text and "Bay & Co" in text


GOOD_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="3" height="1"/></svg>'


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("colours: {focus: '#000000'}", "name: Field required"),
        ("name: A\ncolors: {}", "unknown key 'colors'. Did you mean 'colours'"),
        ("name: A\ncolours: {fokus: '#000000'}", "unknown key 'colours.fokus'. Did you mean 'focus'"),
        ("name: A\ncolours: {focus: red}", "colours.focus"),
        ("name: A\ncolours: {focus: '#ffcc00'}", r"focus #ffcc00 on white #ffffff is 1\.5"),
        ("name: A\ncolours: {paper: '#222222'}", "ink #1b2733 on paper"),
        ("name: A\nlogo: ../brand.png", "must stand in the folder"),
        ("name: A\nlogo: /etc/passwd", "must stand in the folder"),
        ("name: A\nlogo: gone.png", "no such file"),
        ("name: A\nlogo: a.gif", "must end in .png or .svg"),
        ("name: A\nlogo: text.png", "not a readable PNG"),
        ("name: A\nlogo: big.png", "at most 500,000"),
        ("name: A\nlogo: script.svg", "holds a <script>"),
        ("name: A\nlogo: handler.svg", "handler onload"),
        ("name: A\nlogo: outside.svg", "points outside"),
        ("name: A\nlogo: entity.svg", "document type"),
        ("name: A\nfonts: {family: 'x\"; } body { display: none'}", "a font's name"),
        ("name: A\nfonts: {files: [text.ttf]}", "not a TrueType"),
        ('name: "A\\tB"', "plain text"),
        ("name: 7", "valid string"),
        ("- a", "content"),
        ("name: [", "not valid YAML"),
        ("name: !!python/object/apply:os.system [ls]", "not valid YAML"),
    ],
)
def test_a_brand_that_cannot_be_used_says_why(brand_file, tmp_path, text, match):
    for name, content in {
        "text.png": b"text", "big.png": b"\x89PNG" + b"0" * 600_000, "text.ttf": b"text", "a.gif": b"GIF89a",
        "script.svg": GOOD_SVG.replace(b"<rect", b"<script>alert(1)</script><rect"),
        "handler.svg": GOOD_SVG.replace(b"<rect", b'<rect onload="alert(1)"'),
        "outside.svg": GOOD_SVG.replace(b"<rect", b'<use href="https://example.org/x.svg#a"/><rect'),
        "entity.svg": b'<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + GOOD_SVG,
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SectorbookError, match=match):
        brand.load(brand_file(text))


def test_contrast_is_the_standards():
    # WCAG's own ends of the scale, and #767676 on white, its best known grey that just passes.
    assert brand.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert brand.contrast("#777777", "#ffffff") < 4.5 < brand.contrast("#767676", "#ffffff")
    brand._check_contrast("default", brand.Colours())


def test_a_png_logo_and_a_font_of_ones_own_are_carried(tmp_path, brand_file):
    font = (pdf._fonts_folder() / "DejaVuSerif.ttf").read_bytes()
    path = brand_file(
        "name: A\nlogo: l.png\nfonts: {family: DejaVu Serif, files: [f.ttf]}\n", l_png=png(), f_ttf=font
    )
    made = edition.make(small(tmp_path), brand=brand.load(path))
    assert "@font-face" in pack.render(made, "html").decode()
    assert b"DejaVuSerif" in unpacked_streams(pack.render(made, "pdf"))
