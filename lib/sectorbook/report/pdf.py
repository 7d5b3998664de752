"""An edition as a tagged PDF/UA-1 file, set by Typst from one fixed template and the edition's texts as data."""

import io
import json
import re
import tempfile
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import matplotlib
import typst
from matplotlib.ft2font import FT2Font

from sectorbook.errors import SectorbookError
from sectorbook.report.edition import Edition
from sectorbook.report.layout import Grid, Part, Picture, Text, flow

FAMILY = "DejaVu Sans"
FACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSans-BoldOblique.ttf")
STANDARD = "ua-1"
# A run of letters longer than this has no place to break; a line of the page holds about twice as many.
LONGEST = 24
BREAK = "\u200b"


@cache
def _drawn() -> frozenset[int]:
    """Return the code points that DejaVu Sans draws."""
    return frozenset(FT2Font(str(_fonts_folder() / FACES[0])).get_charmap())


def _fonts_folder() -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def printable(text: str, more: frozenset[int] = frozenset()) -> str:
    """Return `text` with each character no font draws replaced by its name in brackets, and long runs breakable.

    PDF/UA forbids characters without a shape; a name keeps what was said. `more` are the code points that the
    brand's own fonts draw.
    """

    def written(character: str) -> str:
        code = ord(character)
        if code in _drawn() or code in more or character in "\n\t" + BREAK:
            return character
        if unicodedata.category(character) in ("Cf", "Mn", "Me", "Cn", "Co"):
            return ""
        return f"[{unicodedata.name(character, f'U+{code:04X}').lower()}]"

    shown = "".join(map(written, text))
    whole = rf"[^\s{BREAK}-]"
    signs = re.sub(
        rf"{whole}{{{LONGEST},}}", lambda run: re.sub(r"([/_&?=.]+)", rf"\1{BREAK}", run[0]), shown
    )
    return re.sub(rf"({whole}{{{LONGEST}}})(?={whole})", rf"\1{BREAK}", signs)


def _block(block: Text | Picture | Grid, name: str) -> dict:
    if isinstance(block, Text):
        return {"type": "text", **vars(block)}
    if isinstance(block, Picture):
        return {
            "type": "picture",
            "file": name,
            "alt": block.alt,
            "title": block.title,
            "width": block.width,
            "lang": block.lang,
        }
    return {
        "type": "grid",
        **vars(block),
        "widths": block.shares,
        "size": block.points,
        "repeats": block.repeats,
    }


def made_printable(value: Any, more: frozenset[int] = frozenset()) -> Any:
    """Return a content with every text in it as `printable` writes it."""
    if isinstance(value, str):
        return printable(value, more)
    if isinstance(value, dict):
        return {key: made_printable(part, more) for key, part in value.items()}
    return [made_printable(part, more) for part in value] if isinstance(value, list | tuple) else value


def _part(part: Part, number: int, folder: Path, more: frozenset[int]) -> dict:
    """Return a section as data, and write its pictures to the folder."""
    blocks = []
    for place, block in enumerate(part.blocks):
        name = f"figure-{number}-{place}.png"
        if isinstance(block, Picture):
            (folder / name).write_bytes(block.content)
            blocks.append({**made_printable(_block(block, ""), more), "file": name})
        else:
            blocks.append(made_printable(_block(block, name), more))
    return {
        "anchor": part.anchor,
        "title": printable(part.title, more),
        "lang": part.lang,
        "blocks": blocks,
        "box": made_printable([vars(text) for text in part.box], more),
    }


def _data(edition: Edition, folder: Path, more: frozenset[int]) -> dict:
    words, brand = edition.language, edition.brand
    logo = None
    if brand.logo:
        logo = "logo.svg" if brand.logo.media == "image/svg+xml" else "logo.png"
        (folder / logo).write_bytes(brand.logo.content)
    texts = {
        "title": edition.title,
        "author": brand.name or "Sectorbook",
        "front": [edition.about, edition.made_for, edition.data],
        "notice": edition.notice,
        "running": edition.running,
        "contents": words("contents"),
        "caveats": words("caveats"),
        "figure": words("figure"),
        "table": words("table"),
        "page": words("page", page="<page>", pages="<pages>"),
        "logo_alt": words("logo", name=brand.name),
        "disclaimer": brand.disclaimer,
        "made": words("made", code=edition.code),
    }
    return {
        **made_printable(texts, more),
        "lang": words.code,
        "fonts": [*([brand.family] if brand.fonts else []), FAMILY],
        "colours": brand.colours.model_dump(),
        "logo": logo,
        "has_summary": edition.summary is not None,
        "parts": [_part(part, n, folder, more) for n, part in enumerate(flow(edition))],
    }


def compiled(
    template: Traversable, content: dict, stamp: datetime, folder: Path, brand_fonts: Sequence[bytes] = ()
) -> bytes:
    """Return a PDF/UA-1 file set from a template and its content, which it reads as book.json beside it.

    `folder` holds the pictures. No font of the machine is used: DejaVu Sans, which matplotlib carries, and a brand's
    own files. Raises SectorbookError when Typst cannot set it.
    """
    fonts = folder / "fonts"
    fonts.mkdir()
    for face in FACES:
        (fonts / face).write_bytes((_fonts_folder() / face).read_bytes())
    for place, font in enumerate(brand_fonts):
        (fonts / f"brand-{place}.ttf").write_bytes(font)
    (folder / "report.typ").write_bytes(template.read_bytes())
    (folder / "book.json").write_text(json.dumps(content), encoding="utf-8")
    try:
        return typst.compile(
            str(folder / "report.typ"),
            root=str(folder),
            format="pdf",
            font_paths=typst.Fonts(
                include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)]
            ),
            pdf_standards=[STANDARD],
            timestamp=stamp,
        )
    except typst.TypstError as error:
        raise SectorbookError(f"The PDF could not be set: {error.message}") from error


def render(edition: Edition) -> bytes:
    """Return the edition as a PDF that conforms to PDF/UA-1, the same bytes for the same edition.

    Raises SectorbookError when Typst cannot set the report.
    """
    own = [font.content for font in edition.brand.fonts]
    more = frozenset(code for font in own for code in FT2Font(io.BytesIO(font)).get_charmap())
    with tempfile.TemporaryDirectory(prefix="sectorbook-pdf-") as name:
        folder = Path(name)
        template = resources.files("sectorbook.report") / "templates" / "report.typ"
        return compiled(template, _data(edition, folder, more), edition.stamp, folder, own)
