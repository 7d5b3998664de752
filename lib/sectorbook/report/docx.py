"""An edition as a Word document: real headings, captions, repeated header rows, and figures with text alternatives."""

import io
import zipfile
from copy import deepcopy
from datetime import datetime

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.shape import CT_Inline
from docx.oxml.table import CT_Row
from docx.oxml.text.paragraph import CT_P
from docx.shared import Cm, Emu, Pt, RGBColor
from docx.table import Table
from docx.text.font import Font
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from sectorbook.report import language
from sectorbook.report.brand import as_png
from sectorbook.report.edition import Edition
from sectorbook.report.layout import Grid, Part, Picture, Text, flow

FONT = "Arial"
# A cell of a table: 1 point above and below, lines set single.
CELL = (
    '<w:tc><w:tcPr><w:tcW w:type="dxa" w:w="{width}"/>{rule}</w:tcPr>'
    '<w:p><w:pPr><w:spacing w:before="20" w:after="20" w:line="240" w:lineRule="auto"/>{align}</w:pPr>'
    '<w:r><w:rPr>{bold}<w:sz w:val="{halves}"/>{lang}</w:rPr></w:r></w:p></w:tc>'
)
RULE = '<w:tcBorders><w:bottom w:val="single" w:sz="8" w:color="{}"/></w:tcBorders><w:vAlign w:val="bottom"/>'
PAGE, MARGIN = (Cm(21.59), Cm(27.94)), Cm(2)


def _colour(text: str) -> RGBColor:
    return RGBColor.from_string(text.removeprefix("#").upper())


def _tag(code: str) -> str:
    """Return a language as Word writes it, "en-US"."""
    return language.load(code).locale.replace("_", "-")


def _element(tag: str, /, **attributes: str) -> OxmlElement:
    element = OxmlElement(f"w:{tag}")
    for key, value in attributes.items():
        element.set(qn(f"w:{key}"), value)
    return element


def fixed(content: bytes, stamp: datetime) -> bytes:
    """Return a zip file with every member's time set to `stamp`, members and contents otherwise as they were."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, stamp.timetuple()[:6])
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o600 << 16
            new.writestr(info, old.read(name), compresslevel=6)
    return out.getvalue()


class _Writer:
    """The open document, and the counters that number its captions and bookmarks."""

    def __init__(self, edition: Edition) -> None:
        self.edition, self.words, self.brand = edition, edition.language, edition.brand
        self.document: WordDocument = Document()
        self.marks = 0
        self.counts = {"figure": 0, "table": 0}
        self.pictures = 0
        self.style_ids: dict[str, str | None] = {}
        self._styles()
        self._page()
        self._properties()

    def _font(self, style, size: float, colour: str, bold: bool | None = None) -> None:
        style.font.name, style.font.size, style.font.color.rgb = (
            self.brand.family or FONT,
            Pt(size),
            _colour(colour),
        )
        style.font.italic = False
        if bold is not None:
            style.font.bold = bold
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for key in list(fonts.attrib):
            del fonts.attrib[key]
        for script in ("ascii", "hAnsi", "cs", "eastAsia"):
            fonts.set(qn(f"w:{script}"), self.brand.family or FONT)

    def _styles(self) -> None:
        styles, colours = self.document.styles, self.brand.colours
        self._font(styles["Normal"], 10, colours.ink)
        styles["Normal"].paragraph_format.space_after = Pt(6)
        styles["Normal"].paragraph_format.line_spacing = 1.15
        self._font(styles["Title"], 20, colours.ink, bold=True)
        for name, size in (("Heading 1", 14), ("Heading 2", 10.5)):
            self._font(styles[name], size, colours.focus if size > 12 else colours.ink, bold=True)
            styles[name].paragraph_format.space_before = Pt(18 if size > 12 else 4)
            styles[name].paragraph_format.space_after = Pt(6)
            styles[name].paragraph_format.keep_with_next = True
        self._font(styles["Caption"], 9, colours.ink, bold=True)
        styles["Caption"].paragraph_format.space_before = Pt(6)
        styles["Caption"].paragraph_format.space_after = Pt(6)
        self._font(styles["List Bullet"], 10, colours.ink)
        for name, size, colour in (("Report Meta", 8.5, colours.muted), ("Report Box", 9.5, colours.ink)):
            style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
            style.base_style = styles["Normal"]
            self._font(style, size, colour)
        styles["Report Meta"].paragraph_format.space_after = Pt(3)
        self._boxed(styles["Report Box"], colours.paper, colours.muted)
        notice = styles.add_style("Report Notice", WD_STYLE_TYPE.PARAGRAPH)
        notice.base_style = styles["Report Box"]
        self._font(notice, 10, colours.warn, bold=True)
        self._boxed(notice, colours.paper, colours.warn)
        for border in styles["Title"].element.findall(f".//{qn('w:pBdr')}"):
            border.getparent().remove(border)
        defaults = styles.element.find(f".//{qn('w:rPrDefault')}/{qn('w:rPr')}")
        for old in defaults.findall(qn("w:lang")):
            defaults.remove(old)
        defaults.append(_element("lang", val=_tag(self.words.code)))

    def _boxed(self, style, paper: str, bar: str) -> None:
        """Give a paragraph style a coloured ground and a bar at its left."""
        properties = style.element.get_or_add_pPr()
        borders = _element("pBdr")
        borders.append(_element("left", val="single", sz="24", space="8", color=bar[1:].upper()))
        shade = _element("shd", val="clear", color="auto", fill=paper[1:].upper())
        # The schema wants borders and ground before spacing and indents.
        properties.insert_element_before(
            borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:outlineLvl"
        )
        properties.insert_element_before(shade, "w:tabs", "w:spacing", "w:ind", "w:jc", "w:outlineLvl")
        style.paragraph_format.left_indent = Cm(0.4)

    def _page(self) -> None:
        section = self.document.sections[0]
        section.page_width, section.page_height = PAGE
        section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = MARGIN
        footer = section.footer.paragraphs[0]
        footer.style = self.document.styles["Report Meta"]
        footer.add_run(f"{self.edition.running}   ")
        before, middle, after = self.words("page", page="\x00", pages="\x00").split("\x00")
        for words, field in ((before, "PAGE"), (middle, "NUMPAGES"), (after, None)):
            footer.add_run(words)
            if field:
                self._field(footer, field, "1")

    def _properties(self) -> None:
        core, stamp = self.document.core_properties, self.edition.stamp.replace(tzinfo=None)
        core.title = self.edition.title[:255]
        core.author = core.last_modified_by = self.brand.name or "Sectorbook"
        core.subject, core.comments, core.keywords = "", self.brand.disclaimer[:255], ""
        core.language = _tag(self.words.code)
        core.created = core.modified = stamp
        core.revision = 1

    def _paragraph(self, text: str = "", style: str | None = None) -> Paragraph:
        """Add a paragraph. python-docx walks every style to find one by name, so each is found once."""
        paragraph = self.document.add_paragraph(text)
        if style is not None:
            if style not in self.style_ids:
                self.style_ids[style] = self.document.part.get_style_id(style, WD_STYLE_TYPE.PARAGRAPH)
            paragraph._p.style = self.style_ids[style]
        return paragraph

    def _field(self, paragraph: Paragraph, code: str, shown: str) -> None:
        """Add a field that Word computes, with the text it shows until then. `code` is never a reader's text."""
        field = _element("fldSimple", instr=f" {code} ")
        run = OxmlElement("w:r")
        text = OxmlElement("w:t")
        text.text = shown
        run.append(text)
        field.append(run)
        paragraph._p.append(field)

    def _bookmark(self, paragraph: CT_P, name: str) -> None:
        self.marks += 1
        # A bookmark's name has no hyphen.
        start = _element("bookmarkStart", id=str(self.marks), name=name.replace("-", "_"))
        end = _element("bookmarkEnd", id=str(self.marks))
        paragraph.insert(1 if paragraph.pPr is not None else 0, start)
        paragraph.append(end)

    def _link(self, paragraph: Paragraph, anchor: str, text: str, raised: bool = False) -> None:
        """Add a link to a bookmark of this document; none leads outside."""
        link = _element("hyperlink", anchor=anchor.replace("-", "_"), history="1")
        run = Run(OxmlElement("w:r"), paragraph)
        run.text = text
        run.font.color.rgb = _colour(self.brand.colours.focus)
        run.font.superscript = raised or None
        link.append(run._r)
        paragraph._p.append(link)

    def _words(self, paragraph: Paragraph, text: str, lang: str, bold: bool | None = None) -> Run:
        run = paragraph.add_run(text)
        run.bold = bold
        if lang != self.words.code:
            run._r.get_or_add_rPr().append(_element("lang", val=_tag(lang)))
        return run

    def _text(self, block: Text, style: str | None = None) -> None:
        paragraph = self._paragraph(style=style)
        self._words(paragraph, block.text, block.lang)
        for place in block.places:
            self._words(paragraph, " ", block.lang)
            self._link(paragraph, f"n{place}", str(place), raised=True)

    def _caption(self, kind: str, title: str, lang: str, keep: bool) -> None:
        self.counts[kind] += 1
        paragraph = self._paragraph(style="Caption")
        paragraph.paragraph_format.keep_with_next = keep
        paragraph.add_run(f"{self.words(kind)} ")
        self._field(paragraph, f"SEQ {kind.capitalize()} \\* ARABIC", str(self.counts[kind]))
        self._words(paragraph, f". {title}", lang)

    def _image(self, content: bytes, alt: str, width: Emu) -> Paragraph:
        # By its parts: `add_picture` looks through the whole document for an id that is free, and this one is replaced.
        relation, image = self.document.part.get_or_add_image(io.BytesIO(content))
        size = image.scaled_dimensions(width, None)
        self.pictures += 1
        inline = CT_Inline.new_pic_inline(self.pictures, relation, image.filename, *size)
        inline.docPr.set("descr", alt)
        paragraph = self._paragraph()
        paragraph.add_run()._r.add_drawing(inline)
        return paragraph

    def _picture(self, block: Picture) -> None:
        paragraph = self._image(block.content, block.alt, Cm(block.width))
        paragraph.paragraph_format.keep_with_next = True
        paragraph.paragraph_format.space_after = Pt(2)
        self._caption("figure", block.title, block.lang, keep=False)

    def _grid(self, block: Grid) -> None:
        self._caption("table", block.title, block.lang, keep=True)
        table = self.document.add_table(rows=0, cols=len(block.head))
        table.alignment = WD_TABLE_ALIGNMENT.LEFT
        table.autofit = False
        line = PAGE[0] - 2 * MARGIN
        widths = [Emu(int(line * share)) for share in block.shares]
        self._ruled(table)
        for column, width in zip(table.columns, widths, strict=True):
            column.width = width
        self._head(table, block, widths)
        if block.rows:
            self._body(table, block, widths)
        self._paragraph()

    def _row(self, block: Grid, widths: list[Emu], head: bool = False) -> CT_Row:
        """Return a row of empty cells, from its XML: python-docx would look up each property of each cell."""
        langs = [self.words.code if head or numeric else block.lang for numeric in block.numeric]
        cells = "".join(
            CELL.format(
                width=width.twips,
                rule=RULE.format(self.brand.colours.ink[1:].upper()) if head else "",
                align='<w:jc w:val="right"/>' if numeric else "",
                bold="<w:b/>" if head else "",
                halves=round(block.points * 2),
                lang=f'<w:lang w:val="{_tag(lang)}"/>' if lang != self.words.code else "",
            )
            for width, numeric, lang in zip(widths, block.numeric, langs, strict=True)
        )
        return parse_xml(f"<w:tr {nsdecls('w')}>{cells}</w:tr>")

    def _head(self, table: Table, block: Grid, widths: list[Emu]) -> None:
        """Add the header row: labels, and their units below in quieter type."""
        row = self._row(block, widths, head=True)
        for tag in ("cantSplit", "tblHeader"):
            row.get_or_add_trPr().append(_element(tag))
        for cell, (label, unit) in zip(row.tc_lst, block.head, strict=True):
            [paragraph] = cell.p_lst
            [run] = paragraph.r_lst
            run.text = label
            if unit:
                run.add_br()
                quiet = Paragraph(paragraph, table).add_run(unit).font
                quiet.size, quiet.color.rgb = Pt(block.points), _colour(self.brand.colours.muted)
        table._tbl.append(row)

    def _body(self, table: Table, block: Grid, widths: list[Emu]) -> None:
        """Add the rows: one is made, and copied for each."""
        empty = self._row(block, widths)
        for number, texts in enumerate(block.rows):
            row = deepcopy(empty)
            if len("".join(texts)) < 2000:
                row.get_or_add_trPr().append(_element("cantSplit"))
            for place, (cell, text) in enumerate(zip(row.tc_lst, texts, strict=True)):
                [paragraph] = cell.p_lst
                [run] = paragraph.r_lst
                run.text = text
                if block.muted and block.muted[number][place]:
                    font = Font(run)
                    font.italic, font.color.rgb = True, _colour(self.brand.colours.muted)
                if place == 0 and block.anchors:
                    self._bookmark(paragraph, f"n{block.anchors[number]}")
            table._tbl.append(row)

    def _ruled(self, table: Table) -> None:
        """Give a table thin lines between rows and a marked header row, for the screen reader too."""
        properties = table._tbl.tblPr
        borders = _element("tblBorders")
        for side in ("bottom", "insideH"):
            line = self.brand.colours.line[1:].upper()
            borders.append(_element(side, val="single", sz="4", space="0", color=line))
        margins = _element("tblCellMar")
        for side in ("left", "right"):
            margins.append(_element(side, w="55", type="dxa"))
        look = properties.find(qn("w:tblLook"))
        for key, value in {"firstRow": "1", "firstColumn": "0", "noHBand": "1", "noVBand": "1"}.items():
            look.set(qn(f"w:{key}"), value)
        # The schema's order (ECMA-376, CT_TblPr), which python-docx does not keep for what it does not know.
        for last in (borders, properties.find(qn("w:tblLayout")), margins, look):
            properties.append(last)

    def _contents(self, parts: list[Part]) -> None:
        self._paragraph(self.words("contents"), style="Heading 1")
        for part in parts:
            paragraph = self._paragraph()
            paragraph.paragraph_format.space_after = Pt(2)
            self._link(paragraph, part.anchor, part.title)

    def _part(self, part: Part) -> None:
        heading = self._paragraph(style="Heading 1")
        self._words(heading, part.title, part.lang)
        self._bookmark(heading._p, part.anchor)
        for block in part.blocks:
            if isinstance(block, Text):
                self._text(block, "List Bullet" if block.style == "item" else None)
            elif isinstance(block, Picture):
                self._picture(block)
            else:
                self._grid(block)
        if part.box:
            self._paragraph(self.words("caveats"), style="Heading 2")
            for text in part.box:
                self._text(text, "Report Box")

    def write(self) -> bytes:
        """Write the whole edition and return the file."""
        edition, brand = self.edition, self.brand
        if brand.logo:
            content = as_png(brand.logo)
            self._image(content, self.words("logo", name=brand.name), Cm(4))
        self._paragraph(edition.title, style="Title")
        for line in (edition.about, edition.made_for, edition.data):
            self._paragraph(line, style="Report Meta")
        if edition.notice:
            self._paragraph(edition.notice, style="Report Notice")
        parts = flow(edition)
        for number, part in enumerate(parts):
            if number == (1 if edition.summary else 0):
                self._contents(parts)
            self._part(part)
        for line in filter(None, (brand.disclaimer, self.words("made", code=edition.code))):
            self._paragraph(line, style="Report Meta")
        out = io.BytesIO()
        self.document.save(out)
        return fixed(out.getvalue(), edition.stamp)


def render(edition: Edition) -> bytes:
    """Return the edition as a .docx file, the same bytes for the same edition. No link leads outside the file."""
    return _Writer(edition).write()
