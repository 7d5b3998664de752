"""An edition as a workbook: findings, every table on a sheet of its own, sources, notes and the claim ledger.

Every text is written as text. One that a spreadsheet could read as a formula is marked as text as well, so that it
stays so when somebody edits the cell or saves the sheet as CSV.
"""

import io
import re

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from sectorbook.report.brand import as_png
from sectorbook.report.edition import NUMERIC, Edition
from sectorbook.report.layout import Part, Text, flow

FONT = "Arial"
# How Excel shows a number of each unit; the same digits as `writing.FORMATS`.
FORMATS = {
    "jobs": "#,##0",
    "count": "#,##0",
    "establishments": "#,##0",
    "USD": '"$"#,##0',
    "USD per year": '"$"#,##0',
    "USD per hour": '"$"#,##0.00',
    "percent": '0.0"%"',
    "percentage points": "0.00",
    "percent, whole": '0"%"',
    "ratio": "0.00",
    "jobs per 1,000": "#,##0.0",
    "rank": "0",
    "level": "0",
    "years": "0.0",
    "p-value": "0.000",
    "standard deviations": "0.00",
    "USD per quarter": '"$"#,##0',
    "amount": "#,##0.0",
    "percent change": '+0.0"%";-0.0"%"',
    "log points": "0.000",
}
# Excel's own limit for one cell; a longer text goes on in the next row.
LONGEST = 32_000
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
WIDEST, NARROWEST = 60, 9
LINE = 13.0


def sheet_name(text: str, taken: set[str]) -> str:
    """Return a sheet name made from `text` that Excel accepts and that is not `taken`, and take it."""
    base = " ".join(FORBIDDEN.sub(" ", text).split()).strip("'")
    if len(base) > 31:
        base = base[:31].rpartition(" ")[0] if " " in base[15:31] else base[:31]
    base = base.strip(" '") or "Sheet"
    if base.lower() == "history":
        base = "History 1"
    name, number = base, 1
    while name.lower() in taken:
        number += 1
        name = f"{base[: 30 - len(str(number))]} {number}"
    taken.add(name.lower())
    return name


def _height(texts: list[str], widths: list[float]) -> float:
    """Return the height in points that wrapped texts need in columns of these widths; Excel's most is 409."""
    lines = [
        sum(1 + int(len(line) / width) for line in text.split("\n"))
        for text, width in zip(texts, widths, strict=True)
    ]
    return min(LINE * max(lines, default=1) + 2, 409)


def _pieces(text: str) -> list[str]:
    return [text[i : i + LONGEST] for i in range(0, len(text), LONGEST)] or [""]


class _Writer:
    """The open workbook, its formats and the names of its sheets."""

    def __init__(self, edition: Edition) -> None:
        self.edition, self.words, self.brand = edition, edition.language, edition.brand
        self.out = io.BytesIO()
        self.book = xlsxwriter.Workbook(
            self.out,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "nan_inf_to_errors": False,
            },
        )
        self.taken: set[str] = set()
        self.styles: dict[tuple, Format] = {}
        stamp = edition.stamp.replace(tzinfo=None)
        self.book.set_properties(
            {
                "title": edition.title[:255],
                "author": self.brand.name or "Sectorbook",
                "comments": self.brand.disclaimer[:255],
                "created": stamp,
            }
        )

    def style(self, **wanted) -> Format:
        """Return a cell format in the brand's font and ink; asked for again, the same one."""
        key = tuple(sorted(wanted.items()))
        if key not in self.styles:
            base = {
                "font_name": self.brand.family or FONT,
                "font_size": 10,
                "font_color": self.brand.colours.ink,
            }
            self.styles[key] = self.book.add_format({**base, "valign": "top", **wanted})
        return self.styles[key]

    def put(self, sheet: Worksheet, row: int, column: int, text: str, **wanted) -> None:
        """Write a text as text, whatever it begins with."""
        if text.startswith(FORMULA):
            wanted["quote_prefix"] = True
        sheet.write_string(row, column, text[:LONGEST], self.style(**wanted))

    def sheet(self, title: str, heading: str, widths: list[float]) -> tuple[Worksheet, int]:
        """Add a sheet with its heading, and the notice where data are synthetic; return it and the next row."""
        sheet = self.book.add_worksheet(sheet_name(title, self.taken))
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(1)
        sheet.fit_to_pages(1, 0)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width, self.style())
        self.put(sheet, 0, 0, heading, bold=True, font_size=14, font_color=self.brand.colours.focus)
        row = 1
        if self.edition.notice:
            self.put(
                sheet, row, 0, self.edition.notice, bold=True, font_color=self.brand.colours.warn,
                bg_color=self.brand.colours.paper,
            )  # fmt: skip
            row += 1
        return sheet, row

    def head(self, sheet: Worksheet, row: int, labels: list[str], right: list[bool] | None = None) -> None:
        """Write a header row."""
        for column, label in enumerate(labels):
            side = "right" if right and right[column] else "left"
            self.put(
                sheet, row, column, label, bold=True, text_wrap=True, align=side, valign="bottom", bottom=2,
                bottom_color=self.brand.colours.ink, bg_color=self.brand.colours.paper,
            )  # fmt: skip

    def rows(
        self,
        title: str,
        heading: str,
        labels: list[str],
        widths: list[float],
        rows: list[list],
        intro: str = "",
    ) -> str:
        """Add a sheet with a header row, texts and whole numbers below it, frozen panes and a filter; return its name."""
        sheet, row = self.sheet(title, heading, widths)
        if intro:
            self.put(sheet, row, 0, intro, font_color=self.brand.colours.muted)
            row += 1
        row += 1
        self.head(sheet, row, labels, [isinstance(value, int) for value in rows[0]] if rows else None)
        first = row
        for values in rows:
            long = max((len(_pieces(value)) for value in values if isinstance(value, str)), default=1)
            for piece in range(long):
                row += 1
                sheet.set_row(row, _height([str(value)[:LONGEST] for value in values], widths))
                for column, value in enumerate(values):
                    if isinstance(value, int | float):
                        if piece == 0:
                            sheet.write_number(row, column, value, self.style())
                    elif piece < len(parts := _pieces(value)):
                        self.put(sheet, row, column, parts[piece], text_wrap=True)
        sheet.freeze_panes(first + 1, 0)
        sheet.repeat_rows(first)
        if rows:
            sheet.autofilter(first, 0, row, len(labels) - 1)
        return sheet.get_name()

    def table(self, chapter: str, item: dict) -> str:
        """Add a recorded table on its own sheet: labels, units, numbers as numbers; return the sheet's name."""
        columns = item["columns"]
        widths = []
        for place, column in enumerate(columns):
            texts = [row[place] for row in item["cells"]]
            words = [word for text in (column["label"], column["unit"]) for word in text.split()]
            longest = max(map(len, [*texts, *words]), default=NARROWEST)
            widths.append(max(NARROWEST, min(longest + 2, WIDEST)))
        sheet, row = self.sheet(f"{chapter} {item['title']}", item["title"], widths)
        muted = self.brand.colours.muted
        sources = "; ".join(source["title"] for source in self.edition.book.sources)
        self.put(sheet, row, 0, self.words("source_line", sources=sources), font_color=muted, font_size=9)
        self.put(
            sheet,
            row + 1,
            0,
            self.words("address_line", address=item["address"]),
            font_color=muted,
            font_size=9,
        )
        row += 3
        numeric = [column["type"] in NUMERIC for column in columns]
        labels = [column["label"] for column in columns]
        self.head(sheet, row, labels, numeric)
        # Bold words are wider and break early.
        sheet.set_row(row, _height(labels, [width * 0.7 for width in widths]))
        for place, column in enumerate(columns):
            self.put(
                sheet, row + 1, place, column["unit"] if numeric[place] else "", italic=True, font_size=9,
                font_color=muted, align="right" if numeric[place] else "left", bottom=1,
                bottom_color=self.brand.colours.line,
            )  # fmt: skip
        first = row + 2
        for number, (texts, values, kinds) in enumerate(
            zip(item["cells"], item["rows"], item["shown"], strict=True)
        ):
            sheet.set_row(first + number, _height(texts, widths))
            for place, (text, value, kind) in enumerate(zip(texts, values, kinds, strict=True)):
                measure = columns[place]["measure"]
                if kind == "number":
                    # Jobs are rounded to ten wherever they are shown, so the cell holds no more than that.
                    shown = round(value, -1) if measure == "jobs" else value
                    sheet.write_number(
                        first + number, place, shown, self.style(num_format=FORMATS.get(measure, "General"))
                    )
                elif kind == "withheld":
                    self.put(
                        sheet, first + number, place, text, italic=True, font_color=muted, align="right",
                        bg_color=self.brand.colours.paper,
                    )  # fmt: skip
                else:
                    self.put(sheet, first + number, place, text, text_wrap=True)
        sheet.freeze_panes(first, 1)
        sheet.repeat_rows(row, row + 1)
        if item["cells"]:
            sheet.autofilter(row + 1, 0, first + len(item["cells"]) - 1, len(columns) - 1)
        return sheet.get_name()

    def findings(self) -> str:
        """Add the sheet of sentences and caveats, with the places in the claim ledger that each uses."""
        rows = []
        for part in flow_of_texts(self.edition):
            for text, kind in part[1]:
                places = ", ".join(map(str, text.places))
                rows.append([part[0], self.words(kind), text.text, places])
        labels = [self.words(key) for key in ("chapter", "kind", "text", "ledger")]
        return self.rows(self.words("findings"), self.words("findings"), labels, [26, 24, 100, 22], rows)

    def ledger(self) -> str:
        """Add the claim ledger: each number as a number, with unit, interval, kind and address."""
        labels = [
            self.words(key)
            for key in ("number", "what", "value", "unit", "low", "high", "interval_pct", "kind", "address")
        ]
        title = self.words("ledger")
        sheet, row = self.sheet(title, title, [6, 48, 16, 16, 14, 14, 12, 24, 54])
        self.put(sheet, row, 0, self.words("ledger_intro"), font_color=self.brand.colours.muted)
        row += 2
        self.head(sheet, row, labels, [True, False, True, False, True, True, True, False, False])
        first = row
        for entry in self.edition.ledger:
            row += 1
            number = entry["number"]
            unit, format_ = number["unit"], self.style(num_format=FORMATS.get(number["unit"], "General"))
            sheet.write_number(row, 0, entry["place"], self.style())
            self.put(sheet, row, 1, entry["label"], text_wrap=True, indent=1)
            sheet.set_row(row, _height([entry["label"][:LONGEST]], [46]))
            for column, key in ((2, "value"), (4, "low"), (5, "high")):
                value = number[key]
                if value is not None:
                    sheet.write_number(row, column, round(value, -1) if unit == "jobs" else value, format_)
                elif key == "value":
                    self.put(
                        sheet, row, column, entry["value"], italic=True, font_color=self.brand.colours.muted
                    )
            self.put(sheet, row, 3, self.words.units.get(unit, unit), indent=1)
            if number["interval_pct"] is not None:
                sheet.write_number(row, 6, number["interval_pct"], self.style())
            self.put(sheet, row, 7, entry["kind"], indent=1)
            self.put(sheet, row, 8, entry["address"])
        sheet.freeze_panes(first + 1, 2)
        sheet.repeat_rows(first)
        sheet.autofilter(first, 0, row, len(labels) - 1)
        return sheet.get_name()

    def sources(self) -> str:
        """Add the sheet of sources, one a row, from their sidecars."""
        keys = (
            "publisher",
            "title",
            "vintage",
            "published",
            "retrieved",
            "licence",
            "citation",
            "via",
            "synthetic",
        )
        labels = [
            self.words({"title": "what", "synthetic": "made_up"}.get(key, key)) for key in keys
        ]  # "what" names the data set
        rows = []
        for source in self.edition.book.sources:
            values = {**source, "synthetic": self.words("yes" if source["synthetic"] else "no")}
            for key in ("published", "retrieved"):
                values[key] = self.words.date(source[key])
            rows.append([str(values.get(key) or "") for key in keys])
        title = self.words("sources")
        return self.rows(title, title, labels, [24, 30, 12, 16, 16, 24, 48, 36, 10], rows)

    def notes(self) -> str:
        """Add the sheet of notes: what is missing, how to read, the receipt and the disclaimer."""
        edition = self.edition
        missing = edition.missing or [self.words("nothing_missing")]
        rows = [
            [self.words(key), line]
            for key, lines in (
                ("missing", missing),
                ("methods", edition.methods),
                ("receipt", edition.receipt),
            )
            if key in edition.back
            for line in lines
        ]
        if self.brand.disclaimer:
            rows.append([self.brand.name or self.words("notes"), self.brand.disclaimer])
        labels = [self.words(key) for key in ("kind", "text")]
        return self.rows(self.words("notes"), self.words("notes"), labels, [28, 110], rows)

    def write(self) -> bytes:
        """Write every sheet, the cover first, and return the file."""
        edition = self.edition
        cover, row = self.sheet(self.words("contents"), edition.title, [34, 90])
        row += 1
        for line in (edition.about, edition.made_for, edition.data, self.brand.disclaimer):
            if line:
                self.put(cover, row, 0, line, font_color=self.brand.colours.muted)
                row += 1
        listed = [(self.findings(), self.words("findings"))]
        for part in edition.parts:
            chapter = "00" if part is edition.summary else part.name[:2] if part.name[:2].isdecimal() else ""
            listed += [
                (self.table(chapter, item), item["title"]) for item in part.items if item["kind"] == "table"
            ]
        found = [list(row) for row in edition.withheld]
        title = self.words("withheld")
        labels = [self.words(key) for key in ("table", "column", "label", "count")]
        intro = self.words("withheld_intro" if found else "withheld_none")
        if "withheld" in edition.back:
            listed.append((self.rows(title, title, labels, [60, 36, 28, 10], found, intro), title))
        if "ledger" in edition.back:
            listed.append((self.ledger(), self.words("ledger")))
        listed += [(self.sources(), self.words("sources")), (self.notes(), self.words("notes"))]
        row += 1
        self.head(cover, row, [self.words("sheet"), self.words("what")])
        for name, what in listed:
            row += 1
            link = self.style(font_color=self.brand.colours.focus, underline=1)
            cover.write_url(row, 0, f"internal:'{name.replace(chr(39), chr(39) * 2)}'!A1", link, name)
            self.put(cover, row, 1, what)
        if self.brand.logo:
            logo = io.BytesIO(as_png(self.brand.logo))
            options = {"image_data": logo, "description": self.words("logo", name=self.brand.name)}
            cover.insert_image(row + 2, 0, "logo.png", {**options, "x_scale": 0.4, "y_scale": 0.4})
        self.book.close()
        return self.out.getvalue()


def flow_of_texts(edition: Edition) -> list[tuple[str, list[tuple[Text, str]]]]:
    """Return the sentences and caveats of page one and the chapters, by heading, each with its kind's name."""
    texts = []
    parts: list[Part] = flow(edition)
    for part in parts[: len(edition.parts)]:
        sentences = [(block, "sentence") for block in part.blocks if isinstance(block, Text)]
        texts.append((part.title, sentences + [(text, "caveats") for text in part.box]))
    return texts


def render(edition: Edition) -> bytes:
    """Return the edition as an .xlsx file, the same bytes for the same edition. No cell holds a formula."""
    return _Writer(edition).write()
