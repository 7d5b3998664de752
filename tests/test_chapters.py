"""Every chapter follows the template and holds the outputs of the reference region."""

import ast
import json
import re
from pathlib import Path

import pytest
from sectorbook import chapters, paths
from sectorbook.errors import SectorbookError

MAY_IMPORT = {"sectorbook", "sectorbook.measures"}
NOTEBOOKS = chapters.discover()
LINES = 12


def cells(notebook: chapters.Notebook) -> list[dict]:
    return json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]


def code(notebook: chapters.Notebook) -> list[dict]:
    return [cell for cell in cells(notebook) if cell["cell_type"] == "code"]


def source(cell: dict) -> str:
    return "".join(cell["source"])


every_chapter = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.name)


def test_the_chapters_there_are() -> None:
    assert [n.name for n in NOTEBOOKS][:1] == ["00_start_here"]
    assert {"03_industry", "04_occupations", "12_report"} <= {n.name for n in NOTEBOOKS}
    assert all(
        chapters.FILE.fullmatch(p.name) or p.name == "_template.ipynb"
        for p in paths.notebooks().glob("*.ipynb")
    )


@every_chapter
def test_parameters_are_literals_with_a_comment_each(notebook: chapters.Notebook) -> None:
    (cell,) = [c for c in code(notebook) if "parameters" in c["metadata"].get("tags", [])]
    for line in source(cell).splitlines():
        assert re.fullmatch(r"[a-z_]+ = .+  # .+", line), line
    assert [name for name, _ in notebook.parameters][:2] == ["region", "sector"]
    assert dict(notebook.parameters)["region"] == "san-francisco"


@every_chapter
def test_every_parameter_is_used(notebook: chapters.Notebook) -> None:
    rest = "\n".join(source(c) for c in code(notebook) if "parameters" not in c["metadata"].get("tags", []))
    for name, _ in notebook.parameters:
        assert re.search(rf"\b{name}\b", rest), f"{name} changes nothing"


@every_chapter
def test_cells_are_thin(notebook: chapters.Notebook) -> None:
    for place, cell in enumerate(code(notebook)):
        text = source(cell)
        assert len([line for line in text.splitlines() if line.strip()]) <= LINES, f"code cell {place}"
        for node in ast.walk(ast.parse(text)):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For | ast.While), (
                f"code cell {place}"
            )
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "remove-input" in cell["metadata"]["tags"], "imports stand in one cell"
                assert isinstance(node, ast.ImportFrom) and node.module in MAY_IMPORT
                assert {alias.name for alias in node.names} & {
                    "sources",
                    "provenance",
                    "paths",
                    "runner",
                } == set()
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.search(r"https?://|\.parquet|\.csv|data/raw", node.value)


@every_chapter
def test_the_name_it_opens_is_its_own(notebook: chapters.Notebook) -> None:
    opened = re.search(r'findings\.open\(\s*"(\w+)", "([^"]+)"', "\n".join(source(c) for c in code(notebook)))
    assert (opened[1], opened[2]) == (notebook.name, notebook.title)


@every_chapter
def test_it_says_what_it_does_not_show_cites_and_saves(notebook: chapters.Notebook) -> None:
    text = "\n".join(source(c) for c in code(notebook))
    headings = [source(c) for c in cells(notebook) if c["cell_type"] == "markdown"]
    assert any(h.startswith("## What this does not show") for h in headings)
    assert any(h.startswith("## Exercises") for h in headings)
    for call in ("chapter.check(", "chapter.caveat(", "chapter.answer(", "chapter.cite()", "chapter.save()"):
        assert call in text, call


@every_chapter
def test_it_holds_its_outputs(notebook: chapters.Notebook) -> None:
    """nbval passes a notebook without outputs; this does not."""
    pictures = tables = sentences = 0
    for cell in code(notebook):
        assert cell["execution_count"] is not None, "run `make notebooks`"
        for output in cell["outputs"]:
            assert output["output_type"] == "display_data", output
            data = output["data"]
            if "image/png" in data:
                pictures += 1
                assert len(output["metadata"]["image/png"]["alt"]) > 40, "a picture needs words"
            tables += "<table" in "".join(data.get("text/html", ""))
            sentences += 'class="say"' in "".join(data.get("text/html", ""))
    assert pictures >= 2 and sentences >= 2
    assert tables >= 1 or notebook.reads_findings


@every_chapter
def test_its_outputs_are_of_the_reference_region(notebook: chapters.Notebook) -> None:
    text = json.dumps([c["outputs"] for c in code(notebook)], ensure_ascii=False)
    assert "San Francisco-Oakland-Fremont, CA" in text
    assert str(paths.root()) not in text


def test_the_template_runs_like_a_chapter() -> None:
    template = chapters.read(paths.notebooks("_template.ipynb"))
    assert template.parameters[0] == ("region", "san-francisco")


@pytest.mark.parametrize(
    ("text", "told"),
    [("03,99", "Unknown chapter '99'"), ("industry", "Did you mean '03_industry'"), ("", "Unknown chapter")],
)
def test_an_unknown_chapter_lists_the_valid_ones(text: str, told: str) -> None:
    with pytest.raises(SectorbookError) as error:
        chapters.select(text)
    assert told in str(error.value) and "03 (03_industry)" in str(error.value)


def test_chapters_are_chosen_by_number_or_name_in_their_order() -> None:
    assert [c.number for c in chapters.select("12, 03_industry,03")] == ["03", "12"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"wage_treshold_annual_usd": "1"}, "Did you mean 'wage_threshold_annual_usd'"),
        ({"draws": "many"}, "takes int values like 1000; found 'many'"),
        ({"entry_below": "low"}, "takes float values"),
        ({"word_shares": "0.5"}, "takes tuple values like (0.25, 0.75); found '0.5'"),
        ({"word_shares": "(0.5, 0.6, 0.7)"}, "takes tuple values"),
        ({"word_shares": "(0.5"}, "takes tuple values"),
    ],
)
def test_a_wrong_parameter_is_an_error(given: dict, told: str) -> None:
    with pytest.raises(SectorbookError) as error:
        chapters.parameters(list(NOTEBOOKS), given)
    assert told in str(error.value)


def test_a_parameter_goes_to_the_chapters_that_declare_it() -> None:
    given = chapters.parameters(list(NOTEBOOKS), {"draws": "7", "region": "02003"})
    assert given["03_industry"] == {"draws": 7, "region": "02003"}
    assert given["04_occupations"] == {"region": "02003"}
    split = chapters.parameters(list(NOTEBOOKS), {"word_shares": "(0.1, 0.9)"})
    assert split["07_employers"] == {"word_shares": (0.1, 0.9)}


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        '{"cells": []}',
        '{"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# 05 X"]}]}',
    ],
)
def test_a_file_that_is_no_chapter_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "05_x.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SectorbookError, match="05_x"):
        chapters.read(path)


def test_the_readme_lists_every_chapter_with_its_question() -> None:
    text = (paths.root() / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d\d .+?) \| (.+) \|$", text, re.M)
    assert listed == [(f"{c.number} {c.title}", c.question) for c in chapters.discover()]
