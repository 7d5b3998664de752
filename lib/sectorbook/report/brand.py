"""A consultant's brand: name, colours, logo, fonts and disclaimer, read strictly from one small YAML file."""

import io
import re
import tempfile
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import yaml
from PIL import Image, UnidentifiedImageError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sectorbook.errors import SectorbookError, nearest

LOGO_BYTES, LOGO_PIXELS, FONT_BYTES, FILE_BYTES = 500_000, 4_000_000, 3_000_000, 50_000
# WCAG 2.2, success criterion 1.4.3 (AA): text against its background.
CONTRAST = 4.5
WHITE = "#ffffff"
LOGO_PPI = 300
FONT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 -]{0,39}")


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb", 0 to 1 (WCAG 2.2, definition of relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _font_name(name: str) -> str:
    if not FONT_NAME.fullmatch(name):
        raise ValueError("a font's name is letters, digits, spaces and hyphens, at most 40")
    return name


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError("one line of plain text is wanted, without control characters")
    return text


Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Line = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_plain)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Colours(_Entry):
    """Colours as "#rrggbb": headings and links, body text, quieter text, the paper of boxes, warnings, lines."""

    focus: Colour = "#0b4f8a"
    ink: Colour = "#1b2733"
    muted: Colour = "#55616b"
    paper: Colour = "#f3f6f8"
    warn: Colour = "#a34d0f"
    line: Colour = "#dfe4e8"


class Fonts(_Entry):
    """One family for all text, and its files (.ttf or .otf), which HTML and PDF carry inside."""

    family: Annotated[str, AfterValidator(_font_name)] | None = None
    files: list[str] = Field(default_factory=list, max_length=4)


class _File(_Entry):
    name: Line
    colours: Colours = Colours()
    logo: str | None = None
    fonts: Fonts = Fonts()
    disclaimer: Annotated[str, Field(max_length=1000), AfterValidator(_plain)] = ""


@dataclass(frozen=True)
class Asset:
    """A file of the brand: its media type and content."""

    media: str
    content: bytes

    @property
    def address(self) -> str:
        """Return the asset as a data address."""
        return f"data:{self.media};base64,{b64encode(self.content).decode('ascii')}"


@dataclass(frozen=True)
class Brand:
    """What a report is dressed in. The default has no name, no logo and no disclaimer."""

    name: str = ""
    colours: Colours = field(default_factory=Colours)
    logo: Asset | None = None
    family: str | None = None
    fonts: tuple[Asset, ...] = ()
    disclaimer: str = ""


def _asset_path(folder: Path, text: str, what: str, endings: tuple[str, ...], limit: int) -> Path:
    """Return a file that stands in the brand's folder, or raise SectorbookError."""
    path = (folder / text).resolve()
    if Path(text).is_absolute() or "\\" in text or not path.is_relative_to(folder.resolve()):
        raise SectorbookError(f"{what} {text!r}: the file must stand in the folder of the brand file.")
    if path.suffix.lower() not in endings:
        raise SectorbookError(f"{what} {text!r}: the file must end in {' or '.join(endings)}.")
    if not path.is_file():
        raise SectorbookError(f"{what} {text!r}: there is no such file beside the brand file.")
    if path.stat().st_size > limit:
        raise SectorbookError(f"{what} {text!r} has {path.stat().st_size:,} bytes; at most {limit:,} fit.")
    return path


def _png(content: bytes, text: str) -> Asset:
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.width * image.height > LOGO_PIXELS:
                size = f"{image.width} x {image.height}"
                raise SectorbookError(f"logo {text!r} has {size} pixels; at most {LOGO_PIXELS:,} fit.")
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise SectorbookError(f"logo {text!r} is not a readable PNG picture.") from error
    return Asset("image/png", content)


def _svg(content: bytes, text: str) -> Asset:
    """Return an SVG logo that is drawing alone: no script, no handler, no document type, no outside address."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise SectorbookError(f"logo {text!r} is not a readable SVG: {error.msg}") from error
    problems = []
    if root.tag != "{http://www.w3.org/2000/svg}svg":
        problems.append("its root is not an svg element")
    if root.getroottree().docinfo.doctype:
        problems.append("it has a document type")
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = etree.QName(element).localname.lower()
        if name in ("script", "foreignobject", "iframe", "style", "image", "animate", "set"):
            problems.append(f"it holds a <{name}>")
        for key, value in element.attrib.items():
            key = etree.QName(key).localname.lower()
            if key.startswith("on"):
                problems.append(f"it holds the handler {key}")
            elif (key == "href" and not value.startswith("#")) or re.search(
                r"url\(\s*['\"]?(?!#)", value, re.I
            ):
                problems.append("it points outside itself")
    if problems:
        raise SectorbookError(
            f"logo {text!r} cannot be used: {'; '.join(dict.fromkeys(problems))}. Save it as plain SVG or PNG."
        )
    return Asset("image/svg+xml", content)


def _font(path: Path, text: str) -> Asset:
    content = path.read_bytes()
    kinds = {b"\x00\x01\x00\x00": "font/ttf", b"true": "font/ttf", b"OTTO": "font/otf"}
    if content[:4] not in kinds:
        raise SectorbookError(f"font {text!r} is not a TrueType or OpenType file.")
    return Asset(kinds[content[:4]], content)


def _check_contrast(where: str, colours: Colours) -> None:
    """Raise SectorbookError with every pair of colours that cannot be read."""
    pairs = [
        (name, ground)
        for name in ("focus", "ink", "muted", "warn")
        for ground in (("white", WHITE), ("paper", colours.paper))
    ]
    poor = [
        f"{name} {getattr(colours, name)} on {ground_name} {ground} is {contrast(getattr(colours, name), ground):.1f}"
        for name, (ground_name, ground) in pairs
        if contrast(getattr(colours, name), ground) < CONTRAST
    ]
    if poor:
        raise SectorbookError(
            f"{where}: the contrast of text must be {CONTRAST} or more (WCAG AA). Found: {'; '.join(poor)}. "
            f"Choose a darker text colour or a lighter paper."
        )


def _message(where: str, error: ValidationError) -> str:
    models = {"colours": Colours, "fonts": Fonts}
    problems = []
    for problem in error.errors():
        parts = [str(part) for part in problem["loc"]]
        if problem["type"] == "extra_forbidden":
            valid = list((models[parts[0]] if len(parts) > 1 else _File).model_fields)
            close = nearest(parts[-1], valid, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            problems.append(f"unknown key {'.'.join(parts)!r}.{hint} Valid keys: {', '.join(valid)}")
        else:
            problems.append(
                f"{'.'.join(parts) or 'content'}: {problem['msg']} (found {problem['input']!r:.80})"
            )
    return f"{where}: " + "; ".join(problems)


def load(path: Path) -> Brand:
    """Return the brand in the YAML file `path`.

    Raises SectorbookError for a file that cannot be read, an unknown key, a colour that cannot be read on its
    ground, or a logo or font that is missing, outside the file's folder, too large or not what it says.
    """
    where = path.name
    try:
        if path.stat().st_size > FILE_BYTES:
            raise SectorbookError(f"{where} has more than {FILE_BYTES:,} bytes; a brand file is one page.")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SectorbookError(f"Cannot read the brand file {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SectorbookError(f"{where} is not valid YAML: {error}") from error
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        raise SectorbookError(_message(where, error)) from error
    _check_contrast(where, file.colours)
    logo = None
    if file.logo:
        found = _asset_path(path.parent, file.logo, "logo", (".png", ".svg"), LOGO_BYTES)
        logo = (_png if found.suffix.lower() == ".png" else _svg)(found.read_bytes(), file.logo)
    fonts = tuple(
        _font(_asset_path(path.parent, text, "font", (".ttf", ".otf"), FONT_BYTES), text)
        for text in file.fonts.files
    )
    if fonts and not file.fonts.family:
        raise SectorbookError(f"{where}: fonts.files is given without fonts.family, the family they hold.")
    return Brand(file.name, file.colours, logo, file.fonts.family, fonts, file.disclaimer)


def as_png(logo: Asset) -> bytes:
    """Return a logo as PNG. Word, Excel and LibreOffice do not show an SVG alike, so Typst draws it first."""
    if logo.media == "image/png":
        return logo.content
    import typst

    page = '#set page(width: auto, height: auto, margin: 0pt, fill: none)\n#image("logo.svg", height: 2cm)'
    with tempfile.TemporaryDirectory(prefix="sectorbook-logo-") as name:
        folder = Path(name)
        (folder / "logo.svg").write_bytes(logo.content)
        (folder / "logo.typ").write_text(page, encoding="utf-8")
        return typst.compile(
            str(folder / "logo.typ"),
            root=str(folder),
            format="png",
            ppi=LOGO_PPI,
            font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=False),
        )
