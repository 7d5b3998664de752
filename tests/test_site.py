"""The site's pages without a browser: what stands in them, what they lead to, and what never gets into them."""

import base64
import hashlib
import html.parser
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sectorbook import paths, warehouse
from sectorbook.cli import app
from sectorbook.errors import SectorbookError
from sectorbook.local import origin
from sectorbook.report.edition import clean
from sectorbook.report.site import outlines, pages
from site_regions import INDUSTRY, REPORT, ledger, number, save, usual
from test_report_hostile import PAYLOADS
from typer.testing import CliRunner


class Page(html.parser.HTMLParser):
    """A page's tags, attributes, text, and the content of its scripts by type."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags, self.attributes, self.text, self.scripts, self._in = [], [], [], {}, None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._in = dict(attrs).get("type", "script") if tag == "script" else None

    def handle_endtag(self, tag):
        self._in = None

    def handle_data(self, data):
        if self._in:
            self.scripts[self._in] = self.scripts.get(self._in, "") + data
        else:
            self.text.append(data)

    @property
    def data(self) -> dict:
        return json.loads(self.scripts["application/json"])

    @property
    def links(self) -> list[str]:
        return [value for _, name, value in self.attributes if name in ("href", "src")]


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """Return an empty folder of reports; an initiative's own files are kept beside it."""
    root = tmp_path / "reports"
    root.mkdir()
    monkeypatch.setenv("SECTORBOOK_REPORTS", str(root))
    monkeypatch.setattr(paths, "local", lambda slug, *parts: tmp_path.joinpath("own", slug, *parts))
    return root


def fill(reports: Path, count: int = 3) -> None:
    for place in range(count):
        save(reports, f"place-{place}", usual(f"place-{place}", place))


def everything(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.html")))


def test_every_link_leads_to_a_file_and_none_leads_out(reports):
    fill(reports)
    written = pages.write()
    assert len(written) == 5 + 3
    for path in written:
        page = Page(path)
        assert not [name for _, name, _ in page.attributes if name in ("srcset", "action", "style")]
        for link in page.links:
            assert not re.match(r"[a-z]+:|//|/", link), (path.name, link)
            target = (path.parent / link.partition("#")[0]).resolve()
            assert link.startswith("#") or target.is_file(), (path.name, link)
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page.scripts.get("script", ""))


def test_the_table_holds_every_region_and_only_the_findings_of_page_one(reports):
    fill(reports)
    page = Page(pages.write()[0])
    text = " ".join(page.text)
    assert "3 regions, 1 sector" in text and page.tags.count("tr") == 1 + 3
    assert "Label of quotient" in text and "Label of unnamed" not in text
    for written in ("1,010", "$40,001", "0.51", "0.46 to 0.56", "not published"):
        assert written in text
    data = page.data
    assert [finding[1] for finding in data["findings"]] == [
        f"Label of {key}" for key in ("jobs", "wage", "quotient", "unnamed")
    ]
    assert data["key"] == [0, 1, 2] and data["values"][2][1] == "0.51|0.46|0.56|90%"
    assert data["values"][1] == ["$40,000", "$40,001", "?"] and data["values"][3] == ["0", "0", "0"]


def test_a_region_page_has_every_number_the_report_the_chapters_and_what_is_missing(reports):
    fill(reports, 1)
    page = Page(pages.write()[-1])
    text = " ".join(page.text)
    assert "Label of unnamed" in text and "0.45 to 0.55 (90%)" in text
    assert {"../../place-0/report.html", f"../../place-0/chapters/{INDUSTRY}.html"} <= set(page.links)
    assert "was not run" in text


def test_a_site_that_stands_elsewhere_carries_the_reports(reports, tmp_path):
    fill(reports, 2)
    (reports / "place-0" / "report-policy-es.pdf").write_bytes(b"%PDF-")
    out = tmp_path / "handed over"
    done = CliRunner().invoke(app, ["site", "--out", str(out)])
    assert done.exit_code == 0 and "7 pages" in done.output
    assert (out / "regions/place-0/report.html").read_bytes() == (
        reports / "place-0/report.html"
    ).read_bytes()
    assert (out / f"regions/place-1/chapters/{INDUSTRY}.html").is_file()
    page = Page(out / "regions/place-0.html")
    assert "../regions/place-0/report-policy-es.pdf" in page.links and "PDF (policy, es)" in " ".join(
        page.text
    )
    assert not [link for link in page.links if link.startswith("../..")]


def test_the_same_findings_give_the_same_bytes(reports, tmp_path):
    fill(reports)
    first, second = (pages.write(tmp_path / name) for name in ("a", "b"))
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_what_is_not_run_not_published_withheld_and_zero_are_four_things(reports):
    fill(reports, 3)
    people = {**number("few-people", "trained", 4.0, chapter="09_people"), "contributors": 4}
    nobody = {**number("few-people", "left", 0.0, chapter="09_people"), "public": True}
    save(
        reports,
        "few-people",
        {"09_people": ledger("few-people", "09_people", [people, nobody], person_level=True)},
    )
    data = Page(pages.write()[0]).data
    rows = {finding[1]: values for finding, values in zip(data["findings"], data["values"], strict=True)}
    assert data["regions"][0][1] == "few-people"
    assert rows["Label of trained"] == ["x", "", "", ""] and rows["Label of left"] == ["0", "", "", ""]
    assert rows["Label of wage"] == ["", "$40,000", "$40,001", "?"]
    assert "not shown" in (reports / "site/regions/few-people.html").read_text()


def test_one_gate_passes_all_regions_together(reports, tmp_path):
    """A total over two regions: with one part withheld, the other and the total would give it away."""
    chapter, addresses = "09_people", [f"{slug}/09_people/trained" for slug in ("north", "south")]
    for slug, people in (("north", 7.0), ("south", 6413.0)):
        items = [{**number(slug, "trained", people, chapter=chapter), "contributors": int(people)}]
        more = {}
        if slug == "south":
            items.append({**number(slug, "both", 6420.0, chapter=chapter), "contributors": 6420})
            more["relations"] = [{"total": f"{slug}/{chapter}/both", "parts": addresses}]
        save(reports, slug, {chapter: ledger(slug, chapter, items, person_level=True, **more)})
        executed = reports / slug / "chapters" / f"{chapter}.html"
        executed.write_text(f"<p>Canary 918273 and {people}</p>")
        (reports / slug / "report.html").write_text("<p>Canary 918273</p>")
    out = tmp_path / "out"
    pages.write(out)
    found = everything(out)
    assert "918273" not in found, "a page that the gate did not pass was published"
    assert not ("6,413" in found and "6,420" in found), "the small region follows from the other two numbers"
    assert not re.search(r"<td>7</td>", found)
    data = Page(out / "index.html").data
    assert sorted(v for values in data["values"] for v in values).count("x") == 2
    assert "executed pages are not published" in (out / f"regions/north/chapters/{chapter}.html").read_text()
    report = (out / "regions/south/report.html").read_text()
    assert "not shown" in report or "not published" in report
    # The reviewer's log says which cells are small: it stays with the initiative's own files.
    assert (tmp_path / "own/north" / pages.LOG).is_file() and not list(out.rglob("*.csv"))


def test_only_what_rests_on_the_same_is_told_to_be_comparable(reports):
    save(reports, "a", usual("a"))
    save(reports, "b", usual("b"))
    newer, wider = usual("c"), usual("e")
    for part in newer.values():
        part["sources"][0]["vintage"] = "May 2026"
    for part in wider.values():
        part["sector"]["naics"] = ["621"]
    save(reports, "c", newer)
    save(reports, "d", usual("d"), {"threshold": "0.5"})
    save(reports, "e", wider)
    data = Page(pages.write()[0]).data
    bases = [region[4][0] for region in data["regions"]]
    assert bases[0] == bases[1] and len(set(bases)) == 4
    assert "threshold = 0.5" in data["bases"][bases[3]] and "May 2026" in data["bases"][bases[2]]


def test_a_chapter_is_compared_by_the_data_it_read_itself(reports):
    for slug in ("a", "b", "c"):
        ledgers = usual(slug)
        partners = ledger(slug, "06_partners", [number(slug, "partners", 3.0, chapter="06_partners")])
        kept = "demonstration" if slug == "c" else f"{origin.OWN}{slug}"
        partners["sources"] = [{**partners["sources"][0], "source": kept, "vintage": f"day of {slug}"}]
        ledgers[REPORT]["items"][0]["uses"].append(f"{slug}/06_partners/partners")
        save(reports, slug, {**ledgers, "06_partners": partners})
    data = Page(pages.write()[0]).data
    industry, convening = zip(*(region[4] for region in data["regions"]), strict=True)
    assert len(set(industry)) == 1
    assert convening[0] == convening[1] != convening[2]


def test_each_sector_has_a_page_of_its_own_regions(reports):
    fill(reports, 2)
    other = usual("other")
    for part in other.values():
        part["sector"].update(slug="naics-23", name="Construction", naics=["23"])
    save(reports, "other", other)
    first = Page(pages.write()[0])
    assert [name for _, name in first.data["sectors"]] == ["Construction", "Health care"]
    page = Page(reports / "site/sectors/naics-23.html")
    assert [region[1] for region in page.data["regions"]] == ["other"]
    assert "naics-23" in " ".join(Page(reports / "site/sectors.html").links)


def test_nothing_hostile_becomes_more_than_text(reports):
    for place, payload in enumerate(PAYLOADS):
        slug = f"h{place}"
        content = usual(slug, place)
        for part in content.values():
            part["region"].update(name=payload, code=payload, kind=payload)
            part["title"] = payload
            part["sector"].update(slug=f"s{place % 3}", name=f"{place % 3}{payload}", naics=[payload])
            part["sources"] = [
                {
                    **part["sources"][0],
                    **dict.fromkeys(("citation", "vintage", "licence", "via", "published"), payload),
                }
            ]
        content[INDUSTRY]["items"][3].update(label=payload, key=f"k{place}")
        folder = save(reports, slug, content, {payload: payload})
        receipt = json.loads((folder / "receipt.json").read_text())
        receipt["code"] = {"version": payload, "commit": payload}
        (folder / "receipt.json").write_text(json.dumps(receipt))
    written = pages.write()
    script = base64.b64encode(hashlib.sha256(Page(written[0]).scripts["script"].encode()).digest()).decode()
    seen = []
    for path in written:
        page = Page(path)
        assert set(page.tags) <= {
            "html", "head", "meta", "title", "style", "body", "a", "header", "nav", "ul", "li", "main", "h1", "h2", "p",
            "form", "label", "input", "select", "option", "section", "div", "table", "caption", "thead", "tbody", "tr",
            "th", "td", "small", "i", "button", "noscript", "footer", "script", "figure",
            "figcaption", "svg",
        }  # fmt: skip
        assert not [
            n for _, n, _ in page.attributes if n.startswith("on") or n in ("action", "srcdoc", "style")
        ]
        assert page.tags.count("script") in (0, 2) and page.tags.count("meta") == 3
        policy = next(
            value for tag, _, value in page.attributes if tag == "meta" and value.startswith("default-src")
        )
        assert f"script-src '{'sha256-' + script}'" in policy
        assert all(re.fullmatch(r"#main|(\.\./)*[\w/.-]+\.html", link) for link in page.links)
        assert "&lt;/script" not in page.scripts.get("script", "")
        seen.append("".join("".join(page.text).split()))
    names = {region[0] for region in Page(written[0]).data["regions"]}
    assert names == {clean(payload) for payload in PAYLOADS}
    whole = "\n".join(seen)
    assert not [payload for payload in PAYLOADS if "".join(clean(payload).split()) not in whole]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda part: part["region"].update(slug="../x"), "its findings are of the region '../x'"),
        (lambda part: part["sector"].update(slug="../x"), "not a sector's slug"),
    ],
)
def test_a_name_that_could_leave_the_folder_is_refused(reports, change, message):
    content = usual("fine")
    for part in content.values():
        change(part)
    save(reports, "fine", content)
    with pytest.raises(SectorbookError, match=re.escape(message)):
        pages.write()


def test_without_a_region_the_command_to_run_one_is_named(reports):
    with pytest.raises(SectorbookError, match="sectorbook run"):
        pages.write()


def test_synthetic_data_are_named_on_every_page_and_at_the_region(reports):
    content = usual("made-up")
    for part in content.values():
        part["sources"][0]["synthetic"] = True
    save(reports, "made-up", content)
    save(reports, "real", usual("real"))
    for path in pages.write():
        assert "synthetic data" in path.read_text()
    assert (reports / "site/index.html").read_text().count("<small>synthetic data</small>") == 1


def test_a_page_of_an_earlier_site_goes_and_a_folder_of_something_else_stays(reports, tmp_path):
    fill(reports, 2)
    out, mine = tmp_path / "out", tmp_path / "mine"
    pages.write(out)
    left = out / "regions" / "place-1"
    assert (left / "report.html").is_file()
    for path in sorted((reports / "place-1").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    pages.write(out)
    assert not [path for path in left.rglob("*") if path.is_file()] and not left.with_suffix(".html").exists()
    assert (out / "regions/place-0/report.html").is_file()
    (mine / "regions").mkdir(parents=True)
    (mine / "regions" / "thesis.txt").write_text("mine")
    with pytest.raises(SectorbookError, match="something else than a site"):
        pages.write(mine)
    assert (mine / "regions" / "thesis.txt").read_text() == "mine"


# --- the map


def test_the_projection_is_the_published_one():
    # Snyder, Map Projections: A Working Manual (1987), page 291: 35 north 75 west, from 23 north 96 west.
    x, y = outlines.albers(np.array([-75.0, -96.0]), np.array([35.0, 23.0]), (29.5, 45.5, -96))
    assert x[0] - x[1] == pytest.approx(0.2952720, abs=1e-7)
    assert y[0] - y[1] == pytest.approx(0.2416774, abs=1e-7)


def test_a_region_is_drawn_by_its_counties_and_not_where_they_are_unknown():
    named = [warehouse.find_region(name) for name in ("columbus-oh", "ohio", "alaska", "enid-ok")]
    drawn = outlines.make(named)
    assert drawn["regions"]["enid-ok"] == "" and drawn["ground"].count("M") > 51

    def box(path):
        points = [np.array(part.replace("l", " ").replace("z", "").replace(",", " ").split(), int).reshape(-1, 2)
                  for part in path.split("M")[1:]]  # fmt: skip
        walked = np.concatenate([part.cumsum(axis=0) for part in points])
        return walked.min(axis=0), walked.max(axis=0)

    (area_low, area_high), (state_low, state_high) = (
        box(drawn["regions"][s]) for s in ("columbus-oh", "ohio")
    )
    assert (area_low > state_low).all() and (area_high < state_high).all(), "Columbus lies inside Ohio"
    low, high = box(drawn["regions"]["alaska"])
    assert (low >= 0).all() and high[0] < outlines.WIDE / 3 and (high <= outlines.HIGH).all()


def test_the_map_of_a_sector_holds_its_regions_alone(reports):
    fill(reports, 3)
    other = usual("builders")
    for part in other.values():
        part["sector"].update(slug="construction", name="Construction", naics=["23"])
    save(reports, "builders", other)
    pages.write()
    data = Page(reports / "site/sectors/healthcare.html").data
    assert len(data["map"]["regions"]) == len(data["regions"]) == 3
    assert "map" not in Page(reports / "site/index.html").data
