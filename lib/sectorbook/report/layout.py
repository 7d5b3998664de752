"""An edition as a flow of blocks for formats made of pages: what stands where, whatever prints it."""

import struct
from dataclasses import dataclass, field

from sectorbook.errors import SectorbookError
from sectorbook.report.book import Section
from sectorbook.report.edition import NUMERIC, Edition

# The largest a figure may be, in centimetres.
WIDE, HIGH = 17.0, 12.5
# Points of type for a table of up to so many columns.
POINTS = ((6, 8.0), (9, 7.0), (10**6, 6.0))
# A longer column label stands once: repeated on every page it would leave no room for the rows.
LONGEST_REPEATED = 200


@dataclass(frozen=True)
class Text:
    """A paragraph: its style ("lead", "sentence", "meta", "notice", "item"), language, and ledger places it leads to."""

    text: str
    style: str
    lang: str
    places: tuple[int, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A figure: PNG bytes, caption, text alternative, and the size in centimetres that fits its page."""

    content: bytes
    title: str
    alt: str
    width: float
    height: float
    lang: str


@dataclass(frozen=True)
class Grid:
    """A table: caption, header cells (label and unit), rows of cells, and which columns hold numbers.

    `muted` marks cells that name a value that is not shown; `anchors` are the ledger places of its rows.
    """

    title: str
    head: list[tuple[str, str]]
    rows: list[list[str]]
    numeric: list[bool]
    lang: str
    muted: list[list[bool]] = field(default_factory=list)
    anchors: list[int] = field(default_factory=list)

    @property
    def points(self) -> float:
        """Return the size of type that so many columns leave room for."""
        return next(points for columns, points in POINTS if len(self.head) <= columns)

    @property
    def repeats(self) -> bool:
        """Return whether the header stands on every page of the table."""
        return all(len(label) <= LONGEST_REPEATED for label, _ in self.head)

    @property
    def shares(self) -> list[float]:
        """Return each column's share of the line, by its longest word and the text it carries."""
        widths = []
        for place, (label, unit) in enumerate(self.head):
            texts = [row[place] for row in self.rows] or [""]
            word = max(len(word) for text in [label, unit, *texts] for word in (text.split() or [""]))
            widths.append(max(min(word, 14), min(max(map(len, texts)), 45) ** 0.8, 3) + 1.5)
        return [width / sum(widths) for width in widths]


@dataclass(frozen=True)
class Part:
    """A section: its anchor, heading, blocks, and the texts of its box of caveats."""

    anchor: str
    title: str
    lang: str
    blocks: list[Text | Picture | Grid]
    box: list[Text] = field(default_factory=list)


def _sentence(edition: Edition, item: dict, style: str) -> Text:
    places = tuple(edition.places[address] for address in item["uses"] if address in edition.places)
    return Text(item["text"], style, edition.foreign or edition.language.code, places)


def _picture(edition: Edition, section: Section, item: dict) -> Picture:
    content = edition.figure(section, item)
    # A PNG's first chunk opens with its width and height in pixels (RFC 2083, 4.1.1).
    pixels = struct.unpack(">II", content[16:24]) if len(content) >= 24 else (0, 0)
    if 0 in pixels:
        raise SectorbookError(f"{section.name}: the figure {item['file']} is not a whole PNG picture.")
    width = min(WIDE, HIGH * pixels[0] / pixels[1])
    lang = edition.foreign or edition.language.code
    alt = item["alt"].strip() or item["title"].strip() or item["file"]
    return Picture(content, item["title"], alt, width, width * pixels[1] / pixels[0], lang)


def _grid(edition: Edition, item: dict) -> Grid:
    numeric = [column["type"] in NUMERIC for column in item["columns"]]
    head = [
        (column["label"], column["unit"] if number and column["measure"] not in ("rank", "count") else "")
        for column, number in zip(item["columns"], numeric, strict=True)
    ]
    muted = [[kind == "withheld" for kind in kinds] for kinds in item["shown"]]
    return Grid(
        item["title"], head, item["cells"], numeric, edition.foreign or edition.language.code, muted=muted
    )


def _section(edition: Edition, section: Section, anchor: str, title: str, lang: str) -> Part:
    blocks, box = [], []
    for item in section.items:
        if item["kind"] == "sentence":
            blocks.append(_sentence(edition, item, "sentence"))
        elif item["kind"] == "caveat":
            box.append(_sentence(edition, item, "item"))
        elif item["kind"] == "figure":
            blocks.append(_picture(edition, section, item))
        elif item["kind"] == "table":
            blocks.append(_grid(edition, item))
    return Part(anchor, title, lang, blocks, box)


def _withheld(edition: Edition) -> list[Text | Grid]:
    words, found = edition.language, edition.withheld
    if not found:
        return [Text(words("withheld_none"), "sentence", words.code)]
    head = [(words(key), "") for key in ("table", "column", "label", "count")]
    rows = [[table, column, label, str(count)] for table, column, label, count in found]
    return [
        Text(words("withheld_intro"), "sentence", words.code),
        Grid(words("withheld"), head, rows, [False, False, False, True], words.code),
    ]


def _ledger(edition: Edition) -> list[Text | Grid]:
    words, rows = edition.language, edition.ledger
    head = [(words(key), "") for key in ("number", "what", "value", "interval", "kind", "address")]
    keys = ("label", "value", "interval", "kind", "address")
    return [
        Text(words("ledger_intro"), "sentence", words.code),
        Grid(
            words("ledger"),
            head,
            [[str(row["place"]), *(row[key] for key in keys)] for row in rows],
            [True, False, True, False, False, False],
            words.code,
            anchors=[row["place"] for row in rows],
        ),
    ]


def flow(edition: Edition) -> list[Part]:
    """Return an edition's sections in order: page one, the chapters, then what is missing, sources and the ledger."""
    words = edition.language
    own = edition.foreign or words.code
    parts = []
    if edition.summary:
        parts.append(_section(edition, edition.summary, "summary", edition.summary_title, words.code))
    for number, section in enumerate(edition.sections, start=1):
        lang = own if section.name in edition.own else words.code
        parts.append(_section(edition, section, f"chapter-{number}", section.title, lang))

    def lines(texts: list[str], lang: str = words.code) -> list[Text]:
        return [Text(text, "item", lang) for text in texts]

    missing = lines(edition.missing) or [Text(words("nothing_missing"), "sentence", words.code)]
    sources = [Text(f"{citation}. {rest}", "item", own) for citation, rest in edition.sources]
    behind = {
        "missing": missing,
        "sources": sources,
        "methods": lines(edition.methods),
        "withheld": _withheld(edition),
        "ledger": _ledger(edition),
        "receipt": lines(edition.receipt),
    }
    for key in edition.back:
        parts.append(Part(key, words(key), words.code, list(behind[key])))
    return parts
