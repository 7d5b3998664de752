"""The chapters as a static book that reads offline, by Sphinx and MyST-NB, from the outputs they hold. Nothing runs."""

import json
import subprocess
import sys
from html import escape
from importlib.util import find_spec
from pathlib import Path

from sectorbook.errors import SectorbookError
from sectorbook.workshop.notebooks import Setting

TAIL = 1500
# Alabaster comes with Sphinx and asks no server for anything. MathJax would: no chapter has a formula.
CONF = """
project = {title!r}
author = "Sectorbook"
language = {lang!r}
extensions = ["myst_nb"]
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
html_theme = "alabaster"
html_title = project
exclude_patterns = ["made"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # a page opened from a folder may not read another one
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {{
    "fixed_sidebar": True, "sidebar_width": "17rem", "page_width": "74rem",
    "font_family": "DejaVu Sans, Verdana, sans-serif",
}}
html_sidebars = {{"**": ["about.html", "searchfield.html", "navigation.html"]}}
html_static_path = ["own"]
html_css_files = ["book.css"]
"""
STYLE = """
table { border-collapse: collapse; font-size: .8rem; line-height: 1.35; }
caption { text-align: left; font-weight: bold; padding-bottom: .4rem; }
th { text-align: left; vertical-align: bottom; border-bottom: 2px solid #1b2733; padding: .3rem .5rem; }
td { border-bottom: 1px solid #dfe4e8; padding: .3rem .5rem; vertical-align: top; }
td.number, td.integer, th.number, th.integer { text-align: right; }
.cell_output { overflow-x: auto; }
.cell_output img { max-width: 100%; height: auto; }
p.caveat { border-left: .3rem solid #55616b; padding-left: .8rem; }
div.document a { color: #0b4f8a; }
"""


def require() -> None:
    """Raise SectorbookError unless the libraries of the book are there."""
    missing = [name for name in ("sphinx", "myst_nb") if find_spec(name) is None]
    if missing:
        raise SectorbookError(
            f"The book of the chapters needs {' and '.join(missing)}. Put them in with: pip install 'sectorbook[workshop]'"
        )


def _page(chapter_path: Path) -> dict:
    """Return a chapter's notebook, code folded away, its pictures as tags that keep the words Sphinx would drop."""
    notebook = json.loads(chapter_path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code" and "parameters" not in tags:
            cell["metadata"]["tags"] = [*tags, "hide-input"]
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                about = output["metadata"].get("image/png", {})
                content = "".join(data["image/png"]).strip()
                size = f' width="{about["width"]}"' if "width" in about else ""
                tag = (
                    f'<img src="data:image/png;base64,{content}" alt="{escape(about.get("alt", ""))}"{size}>'
                )
                output["data"] = {"text/html": tag}
    return notebook


def write(folder: Path, setting: Setting, source: Path) -> None:
    """Write the book into `folder`, from chapters laid out in `source`. Raises SectorbookError when Sphinx complains."""
    (source / "own").mkdir(parents=True)
    (source / "own" / "book.css").write_text(STYLE, encoding="utf-8")
    title = setting.words("book_title")
    (source / "conf.py").write_text(CONF.format(title=title, lang=setting.words.code), encoding="utf-8")
    names = "\n".join(chapter.name for chapter in setting.chosen)
    listed = "\n".join(f"* {{doc}}`{chapter.name}`: {chapter.question}" for chapter in setting.chosen)
    index = f"# {title}\n\n{listed}\n\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{names}\n```\n"
    (source / "index.md").write_text(index, encoding="utf-8")
    for chapter in setting.chosen:
        text = json.dumps(_page(chapter.path), ensure_ascii=False)
        (source / chapter.path.name).write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-d",
        str(source / "trees"),
    ]
    made = source / "made" / "html"  # MyST-NB writes a folder of its own beside it
    done = subprocess.run([*command, str(source), str(made)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SectorbookError(f"The book could not be built: {done.stderr.strip()[-TAIL:]}")
    (made / ".buildinfo").unlink(missing_ok=True)
    (made / "_sources").rmdir()
    made.rename(folder)
