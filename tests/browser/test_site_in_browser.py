"""The site in a real browser, from file:// addresses: search, sort, compare, keyboard, small screen, print, axe.

Run with `make test-browser`. Skips, with the reason, where Playwright or a browser is not there.
"""

import os
import shutil
from pathlib import Path

import pytest
from sectorbook import chapters, paths
from sectorbook.report import html
from sectorbook.report.site import pages
from site_regions import INDUSTRY, ledger, national, number, save, usual

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: make test-browser")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: make test-browser")

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs Chromium, as the Debian package chromium gives it"
)

# The bar of the site's first page. How soon it answers is measured by benchmarks/site.py.
MOST_BYTES = 2_000_000
WIDE, NARROW = {"width": 1440, "height": 1000}, {"width": 360, "height": 740}
# Regions with counties in config/regions.yml: they are on the map.
REAL = ("san-francisco", "seattle", "columbus-oh")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield launched
        launched.close()


def build(folder: Path, make) -> Path:
    """Return the first page of a site over the regions that `make` saves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECTORBOOK_REPORTS", str(folder / "reports"))
        patch.setattr(paths, "local", lambda slug, *parts: folder.joinpath("own", slug, *parts))
        make(folder / "reports")
        return pages.write()[0]


def _small(reports: Path) -> None:
    for place in range(104):
        content = usual(f"place-{place:03d}", place)
        if place == 7:
            for part in content.values():
                part["region"]["name"] = '<img src=x onerror="document.title=1"> Ñandú'
        if place == 5:
            for part in content.values():
                part["sources"][0].update(vintage="May 2024", synthetic=True)
        save(reports, f"place-{place:03d}", content)
    (reports / "place-009" / "report.html").unlink()
    other = usual("builders")
    for part in other.values():
        part["sector"].update(slug="construction", name="Construction", naics=["23"])
    save(reports, "builders", other)
    people = {**number("with-people", "trained", 4.0, chapter="09_people"), "contributors": 4}
    content = usual("with-people")
    content["09_people"] = ledger("with-people", "09_people", [people], person_level=True)
    save(reports, "with-people", content)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("small"), _small)


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("large"), national)


@pytest.fixture
def opened(browser):
    """Return a function that opens a page; whatever it asks for and whatever it complains of is looked at after."""
    contexts, requests, complaints = [], [], []

    def open_page(path: Path, size: dict = WIDE, hash_: str = "", **options):
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.goto(path.as_uri() + hash_)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert requests and not [url for url in requests if not url.startswith(("file://", "data:"))]
    assert not complaints


def names(page, table: str = "#regions") -> list[str]:
    return page.locator(f"{table} tbody tr:visible th[scope=row] a").all_inner_texts()


def status(page) -> str:
    return page.locator("#status").inner_text()


def test_search_finds_by_parts_of_the_name_without_accents(site, opened):
    page = opened(site)
    assert len(names(page)) == 30 and status(page).startswith("106 regions of 106, the first 30 shown")
    page.get_by_label("Find a region").fill("nandu")
    assert names(page) == ['<img src=x onerror="document.title=1"> Ñandú'] and page.title().startswith(
        "Regions"
    )
    page.get_by_label("Find a region").fill("place-01")
    assert len(names(page)) == 10 and "10 regions of 106" in status(page)
    page.get_by_label("Find a region").fill("nowhere")
    assert names(page) == [] and "0 regions of 106" in status(page)


def test_sorting_is_refused_over_sectors_and_right_within_one(site, opened):
    page = opened(site)
    head = page.get_by_role("columnheader", name="Label of quotient")
    head.get_by_role("button").click()
    assert "Not sorted" in status(page) and "Construction and Health care" in status(page)
    assert head.get_attribute("aria-sort") is None
    page.get_by_label("Sector").select_option("Health care")
    head.get_by_role("button").click()
    assert names(page)[:2] == ["Place 103", "Place 102"] and head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").click()
    assert names(page)[:3] == ["Place 000", "With People", "Place 001"]
    page.get_by_role("button", name="Show 30 more").click()
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 31
    page.get_by_role("button", name="Show all").click()
    # What rests on another release of the data is not ranked with the rest.
    assert names(page)[-1] == "Place 005" and "1 region stands at the end" in status(page)
    page.get_by_role("columnheader", name="Label of wage").get_by_role("button").click()
    assert names(page)[-2:] == ["Place 005", "Place 002"], (
        "a wage that is not published is sorted as a number"
    )


def test_regions_of_one_sector_stand_side_by_side_and_others_do_not(site, opened):
    page = opened(site)
    for name in ("Place 000", "Place 001"):
        page.get_by_label(f"Compare {name}").check()
    comparison = page.locator("#comparison")
    assert comparison.locator("thead a").all_inner_texts() == ["Place 000", "Place 001"]
    assert "0.46 to 0.56 (90%)" in comparison.inner_text() and "Label of unnamed" in comparison.inner_text()
    page.get_by_label("Compare Place 005").check()
    assert "Not compared: other data or settings" in comparison.inner_text()
    page.get_by_role("button", name="Remove Place 005").click()
    assert "Not compared" not in comparison.inner_text()
    page.get_by_label("Compare Builders").check()
    note = page.locator("#compare-note").inner_text()
    assert (
        "Not compared, because" in note and "Builders: Construction" in note and not comparison.inner_text()
    )
    assert page.evaluate("location.hash") == "#compare=place-000,place-001,builders"


def test_a_comparison_has_an_address_and_an_end(site, opened):
    page = opened(site, hash_="#compare=place-003,../x,place-004,place-003")
    assert page.locator("#comparison thead a").all_inner_texts() == ["Place 003", "Place 004"]
    for place in (10, 11, 12, 13):
        page.get_by_label(f"Compare Place 0{place}").check()
    page.get_by_label("Compare Place 014").click()
    assert "At most 6" in status(page) and not page.get_by_label("Compare Place 014").is_checked()


def test_a_region_leads_to_its_report_and_its_chapters(site, opened):
    page = opened(site)
    page.get_by_role("link", name="Place 000", exact=True).click()
    assert page.locator("h1").inner_text() == "Place 000"
    page.get_by_role("link", name="Open the report").click()
    assert page.locator("h1").inner_text() == "The report"
    page.go_back()
    page.get_by_role("link", name="03 Industry").click()
    assert page.locator("h1").inner_text() == f"Chapter {INDUSTRY}"


def test_the_sector_page_ranks_one_finding_and_draws_its_interval(site, opened):
    page = opened(site.parent / "sectors" / "healthcare.html")
    assert page.locator("#finding").input_value() == "2"
    page.locator("#ranked-more button").click()
    ranked = names(page, "#ranked")
    assert ranked[:2] == ["Place 103", "Place 102"] and ranked[-1] == "Place 005" and len(ranked) == 105
    assert page.locator("#ranked svg").count() == 104
    marks = page.locator("#ranked svg").first.evaluate(
        """({children: [_, bar, dot]}) =>
           [bar.getAttribute("x1"), dot.getAttribute("cx"), bar.getAttribute("x2")].map(parseFloat)"""
    )
    assert marks[0] < marks[1] < marks[2] == 98
    page.get_by_label("Finding", exact=True).select_option(label="Label of wage (USD per year)")
    assert "1 has no value" in page.locator("#ranking-note").inner_text()


def test_the_map_draws_the_finding_and_says_who_is_away(tmp_path, opened):
    def make(reports):
        for place, slug in enumerate((*REAL, "nowhere", "elsewhere")):
            save(reports, slug, usual(slug, 10 * place))

    page = opened(build(tmp_path, make).parent / "sectors" / "healthcare.html")
    assert page.locator("#map .place").count() == len(REAL)
    assert page.locator("#legend li").count() >= 3
    assert page.locator("#map-note").inner_text().startswith("2 regions are not on the map")
    fills = page.locator("#map .place").evaluate_all("paths => paths.map((p) => p.getAttribute('fill'))")
    page.get_by_label("Finding", exact=True).select_option(label="Label of unnamed (count)")
    again = page.locator("#map .place").evaluate_all("paths => paths.map((p) => p.getAttribute('fill'))")
    assert len(set(fills)) == len(REAL) and len(set(again)) == 1, "equal values are one class"
    title = page.locator("#map .place[data-region=seattle] title").text_content()
    assert title.startswith("Seattle: ")
    page.locator("#map .place[data-region=seattle]").click()
    page.wait_for_url("**/regions/seattle.html")


def test_everything_can_be_done_with_the_keyboard(site, opened):
    page = opened(site)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("place-02")
    page.keyboard.press("Tab")
    page.keyboard.press("H")  # the sector whose name begins so
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Label of quotient":
            break
    page.keyboard.press("Enter")
    assert names(page)[0] == "Place 029"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "checkbox":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus cannot be seen"
    page.keyboard.press("Space")
    assert page.locator("#comparison thead a").all_inner_texts() == ["Place 029"]
    # A page that changes under the key keeps the focus where it was.
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Compare Place 029"


def test_without_javascript_the_tables_are_whole(site, opened):
    page = opened(site, java_script_enabled=False)
    assert page.locator("#regions tbody tr").count() == 106
    assert not page.locator("#tools").is_visible() and not page.locator("#compare").is_visible()
    assert page.locator("noscript").is_visible()


PAGES = ("index.html", "sectors.html", "sectors/healthcare.html", "data.html", "methods.html", "regions/place-005.html",
         "regions/with-people/chapters/09_people.html", "regions/place-009/report.html")  # fmt: skip


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1440", "360"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_the_page_fits_its_screen(site, opened, name, size):
    page = opened(site.parent / name, size, "#compare=place-000,place-005,place-006")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_axe_finds_nothing_in_a_comparison_that_is_refused(site, opened):
    page = opened(site, hash_="#compare=place-000,builders")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_axe_finds_nothing_in_the_chapters_as_pages(tmp_path, monkeypatch, opened):
    monkeypatch.setenv("SECTORBOOK_REPORTS", str(tmp_path))
    for chapter in chapters.discover():
        target = paths.executed("san-francisco", chapter.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(chapter.path, target)
    written = html.write_chapters("san-francisco")
    assert len(written) == len(chapters.discover())
    for path in written:
        found = axe.Axe().run(opened(path))
        assert found.violations_count == 0, found.generate_report()


def test_print_leaves_out_what_paper_cannot_do(site, opened):
    page = opened(site)
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible() and not page.locator("#tools").is_visible()
    assert page.locator("#regions").is_visible() and page.pdf().startswith(b"%PDF-")


def test_the_first_page_of_a_large_site_is_light_and_compares(large, opened):
    assert large.stat().st_size < MOST_BYTES
    page = opened(large)
    for box in page.locator("#regions input[type=checkbox]").all()[:5]:
        box.check()
    assert page.locator("#comparison thead a").count() == 5
