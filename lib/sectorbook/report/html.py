"""A book as one self-contained HTML page, and the executed chapters as pages beside it."""

import base64
from pathlib import Path

import jinja2
from markupsafe import Markup, escape
from traitlets.config import Config

from sectorbook import paths, writing
from sectorbook.report.brand import Brand, Colours
from sectorbook.report.edition import Edition

# Long words and addresses break instead of widening the page; a logo keeps to its line.
OWN_STYLE = "p, li, td, h1, h2, caption { overflow-wrap: anywhere; } img.logo { max-height: 3.2rem; max-width: 16rem; }"

_HIDE_TAGGED_INPUT = Config(TagRemovePreprocessor={"enabled": True, "remove_input_tags": {"remove-input"}})
# The exporter's own colours of comments and numbers are too faint on its grey.
_DARKER = (
    "<style>:root { --jp-mirror-editor-comment-color: #2f6363; --jp-mirror-editor-number-color: #006400; "
    "--jp-mirror-editor-operator-color: #7a1fb8; }</style>"
)


def _style(brand: Brand) -> Markup:
    """Return the brand as a second style sheet that sets the page's colours and font. Its parts are validated."""
    colours, rules = brand.colours, [OWN_STYLE]
    if colours != Colours():
        rules.append(
            f":root {{ --ink: {colours.ink}; --muted: {colours.muted}; --line: {colours.line}; "
            f"--focus: {colours.focus}; --paper: {colours.paper}; }} "
            f".synthetic {{ border-color: {colours.warn}; color: {colours.warn}; }}"
        )
    rules += [
        f'@font-face {{ font-family: "{brand.family}"; src: url({font.address}); }}' for font in brand.fonts
    ]
    if brand.family:
        rules.append(f'body {{ font-family: "{brand.family}", "DejaVu Sans", Verdana, Arial, sans-serif; }}')
    return Markup("<style>\n" + "\n".join(rules) + "\n</style>\n")


def _table(edition: Edition, item: dict) -> Markup:
    """Return a table, its caption and text cells marked where they are in the chapters' language."""
    # Units that are told by their own names, and not shown, keep them.
    columns = [
        {**c, "unit": c["measure"] if c["measure"].endswith(("code", "rank", "count")) else c["unit"]}
        for c in item["columns"]
    ]
    html = writing.table_html({**item, "columns": columns})
    if edition.foreign:
        for tag in ("<caption", '<td class="text"'):
            html = html.replace(f"{tag}>", f'{tag} lang="{edition.foreign}">')
    return Markup(html)


def render(edition: Edition) -> str:
    """Return the report as HTML. Everything is in the page; it needs no network."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sectorbook.report"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip

    def image(section, item):
        return "data:image/png;base64," + base64.b64encode(edition.figure(section, item)).decode("ascii")

    def breakable(address):
        # A line may break before a part of the address, not in the middle of a word.
        return Markup("/<wbr>").join(
            part.replace("_", Markup("_<wbr>")) for part in map(escape, address.split("/"))
        )

    # Globals, because the template's macros see no others.
    environment.globals |= {
        "places": edition.places,
        "image": image,
        "breakable": breakable,
        "table": lambda item: _table(edition, item),
        "t": edition.language,
        "foreign": Markup(f' lang="{edition.foreign}"') if edition.foreign else "",
    }
    return environment.get_template("report.html.j2").render(
        book=edition.book, edition=edition, brand_style=_style(edition.brand)
    )


def write_chapters(region_slug: str) -> list[Path]:
    """Write each executed chapter that has no newer page as HTML beside its notebook, and return the pages."""
    from nbconvert import HTMLExporter

    pages, exporter = [], None
    for notebook in sorted(paths.reports(region_slug, "chapters").glob("[0-9]*.ipynb")):
        if ".failed" in notebook.suffixes:
            continue
        page = notebook.with_suffix(".html")
        pages.append(page)
        if page.exists() and page.stat().st_mtime >= notebook.stat().st_mtime:
            continue
        # No address of a content network may stay in a page that is read offline.
        exporter = exporter or HTMLExporter(
            template_name="lab", mathjax_url="", require_js_url="", jquery_url="", mermaid_js_url="",
            widget_renderer_url="", config=_HIDE_TAGGED_INPUT, exclude_input_prompt=True, exclude_output_prompt=True,
        )  # fmt: skip
        body, _ = exporter.from_filename(str(notebook))
        with paths.write_atomic(page) as file:
            file.write(body.replace("</head>", f"{_DARKER}</head>", 1))
    return pages
