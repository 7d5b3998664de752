"""A participant pack in JupyterLab and the facilitator's pages, in a real browser.

Run with `make test-browser`. Skips, with the reason, where Playwright or a browser is not there.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sectorbook.workshop import build

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: make test-browser")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: make test-browser")

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs Chromium, as the Debian package chromium gives it"
)
TOKEN, WIDE, NARROW = "workshop", {"width": 1280, "height": 900}, {"width": 360, "height": 740}
# With all of them the test takes minutes; SECTORBOOK_WORKSHOP_CHAPTERS=all runs every participant notebook.
CHAPTERS = os.environ.get("SECTORBOOK_WORKSHOP_CHAPTERS", "00,03")
WAIT = 120_000
QUIET = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="module")
def packs(tmp_path_factory) -> Path:
    made = build.setting("san-francisco", None, None if CHAPTERS == "all" else CHAPTERS, "en")
    return build.build(made, tmp_path_factory.mktemp("out") / "packs")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        more = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=BROWSER, args=[*QUIET, *more])
        yield launched
        launched.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def lab(packs, tmp_path_factory):
    """JupyterLab on the participant pack, as start.py opens it; its address."""
    pack, own, port = packs / "participant", tmp_path_factory.mktemp("own"), free_port()
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SECTORBOOK_")}
    env = {**kept, "SECTORBOOK_HOME": str(pack), "PYTHONPATH": str(pack / "lib"), "JUPYTER_CONFIG_DIR": str(own / "config"),
           "JUPYTER_DATA_DIR": str(own / "share"), "JUPYTER_RUNTIME_DIR": str(own / "runtime")}  # fmt: skip
    root = ["--allow-root"] if os.geteuid() == 0 else []
    arguments = [
        "--no-browser",
        f"--ServerApp.token={TOKEN}",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        *root,
    ]
    with (own / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "sectorbook", "lab", *arguments],
            env=env, cwd=pack, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            for _ in range(120):
                if server.poll() is not None:
                    pytest.fail((own / "log").read_text())
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.5)
            yield f"http://localhost:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=30)


@pytest.fixture
def page(browser, lab):
    """The pack's first page in JupyterLab; that nothing outside was asked for is looked at after."""
    context = browser.new_context(viewport=WIDE, accept_downloads=True)
    opened, asked = context.new_page(), []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(f"{lab}/?token={TOKEN}")
    opened.wait_for_selector(".jp-Notebook:visible h1", timeout=WAIT)
    yield opened
    context.close()
    assert asked and not [url for url in asked if not url.startswith((lab, "data:", "blob:"))]


def menu(page, *names: str) -> None:
    for name in names:
        page.get_by_role("menuitem", name=name, exact=True).click()


def wait_until_ready(page) -> None:
    """Wait as the README says: what is run before a chapter has its kernel may be lost on a busy machine."""
    page.wait_for_timeout(1000)
    page.wait_for_function(
        "document.querySelector('#jp-main-statusbar').innerText.includes('| Idle')", timeout=WAIT
    )


def wait_until_idle(page) -> None:
    wait_until_ready(page)
    # Idle is also said before the first and between two cells: the last cell has its number when all have run.
    page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .jp-InputPrompt')]
                 .every(prompt => /\\[\\d+\\]:/.test(prompt.textContent))""",
        timeout=WAIT,
    )


def open_chapter(page, name: str):
    """Open a chapter from the list of files and return its panel."""
    page.locator(".jp-DirListing-item", has_text=f"{name}.ipynb").click()
    page.wait_for_selector(f".lm-TabBar-tab.jp-mod-current >> text={name}", timeout=WAIT)
    panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    panel.locator("h1").first.wait_for(timeout=WAIT)
    wait_until_ready(page)
    return panel


def cell_with(panel, text: str):
    return panel.locator(".jp-CodeCell", has=panel.page.locator(".cm-content", has_text=text))


def put(page, cell, source: str) -> str:
    """Write a cell anew, run it, and return what it says."""
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)
    before = cell.locator(".jp-InputPrompt").text_content()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "([cell, before]) => /\\[\\d+\\]:/.test(cell.textContent) && cell.textContent !== before",
        arg=[cell.locator(".jp-InputPrompt").element_handle(), before], timeout=WAIT,
    )  # fmt: skip
    return cell.locator(".jp-OutputArea").inner_text()


def told(packs: Path, exercise: str) -> str:
    """Return the answer of an exercise as the facilitator's guide prints it."""
    guide = (packs / "facilitator" / "guide.html").read_text(encoding="utf-8")
    return re.search(rf"Exercise {re.escape(exercise)}\..+?Answer: ([^<]+)<", guide, re.S)[1].strip()


def test_it_opens_at_the_first_chapter_with_links_and_no_news(page) -> None:
    assert page.locator(".jp-Notebook:visible h1").first.inner_text().startswith("00 Start here")
    link = page.get_by_role("link", name="03 Industry").first
    link.click()
    page.wait_for_selector(".lm-TabBar-tab.jp-mod-current >> text=03_industry.ipynb", timeout=WAIT)
    assert page.locator(".Toastify__toast").count() == 0


def test_the_list_of_files_shows_whole_names(page) -> None:
    names = page.locator(".jp-DirListing-itemText")
    assert names.count() == page.locator(".jp-DirListing-item").count() > 1
    assert not names.evaluate_all(
        "all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)"
    )


def test_every_cell_of_every_participant_notebook_runs(page, packs) -> None:
    for notebook in sorted((packs / "participant" / "notebooks").glob("*.ipynb")):
        panel = open_chapter(page, notebook.stem)
        menu(page, "Run", "Run All Cells")
        wait_until_idle(page)
        assert panel.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0, notebook.name
        assert panel.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0, notebook.name
        text = panel.text_content()  # inner_text leaves out cells that are off the screen
        assert text.count("nothing to check yet") + text.count("has no check in") == 3 and "Saved " in text
        page.keyboard.press("Control+s")


def test_an_exercise_answered_wrongly_and_rightly_saved_and_exported(page, packs) -> None:
    pack = packs / "participant"
    panel = open_chapter(page, "03_industry")
    menu(page, "Run", "Run All Cells")
    wait_until_idle(page)
    cell = cell_with(panel, 'check("3.2"')
    assert "Not right, and no mistake we know" in put(page, cell, 'check("3.2", 9.99)')
    mistake = "two = largest.head(2)\nanswer = two.location_quotient.mean()\n"
    assert "You took the mean of the two quotients." in put(page, cell, f'{mistake}check("3.2", answer)')
    assert "Right. Shares add up" in put(page, cell, f'check("3.2", {told(packs, "3.2")})')
    team = cell_with(panel, 'chapter.answer("03.1"')
    said = put(
        page,
        team,
        'from sectorbook import workshop\nworkshop.team("Blue table")\nchapter.answer("03.1", "Fishing")',
    )
    assert "This folder keeps the answers of Blue table." in said and "03.1: kept for Blue table." in said
    kept = json.loads((pack / "data/raw/local/san-francisco/answers.json").read_text(encoding="utf-8"))
    assert [(a["question"], a["team"], a["text"]) for a in kept["answers"]] == [
        ("03.1", "Blue table", "Fishing")
    ]
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    path = pack / "notebooks" / "03_industry.ipynb"
    for _ in range(60):
        if "Shares add up" in path.read_text(encoding="utf-8"):
            break
        page.wait_for_timeout(500)
    assert "Shares add up" in path.read_text(encoding="utf-8"), "what was answered is not saved"
    saved: list = []  # the page that is exported opens in a tab of its own, and is downloaded there
    page.context.on("page", lambda tab: tab.on("download", lambda file: saved.append(file)))
    page.on("download", lambda file: saved.append(file))
    menu(page, "File")
    page.locator(".lm-Menu-item", has_text="Save and Export Notebook As").hover()
    page.locator(".lm-Menu-item", has_text=re.compile("^HTML")).click()
    page.get_by_role("button", name="Ok").click()
    for _ in range(240):
        if saved:
            break
        page.wait_for_timeout(500)
    exported = Path(saved[0].path()).read_text(encoding="utf-8")
    assert "Shares add up" in exported and "Blue table" in exported
    alts = re.findall(r'<img[^>]*?alt="([^"]*)"', exported)
    assert len(alts) == exported.count("<img") >= 3
    assert not [alt for alt in alts if "No description" in alt or len(alt) < 40]


# --- the facilitator's pages and the book, from file:// addresses


@pytest.fixture
def opened(browser):
    """Return a function that opens a page; whatever it asks for and whatever it complains of is looked at after."""
    contexts, requests, complaints = [], [], []

    def open_page(path: Path, size: dict = WIDE, **options):
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        new = context.new_page()
        new.on("request", lambda request: requests.append(request.url))
        new.on("pageerror", lambda error: complaints.append(str(error)))
        new.goto(path.as_uri())
        return new

    yield open_page
    for context in contexts:
        context.close()
    assert requests and not [url for url in requests if not url.startswith(("file://", "data:"))]
    assert not complaints


def test_slides_turn_with_keys_fit_the_screen_and_print(packs, opened) -> None:
    deck = opened(packs / "facilitator" / "slides" / "03_industry.html", {"width": 1280, "height": 720})
    shown = deck.locator(".slide.now")
    count = deck.locator(".slide").count()
    assert shown.locator("h1").inner_text() == "03 Industry" and count > 8
    for place in range(1, count):
        deck.keyboard.press("ArrowRight")
        assert deck.evaluate("location.hash") == f"#{place + 1}" and shown.count() == 1
        over = shown.evaluate("slide => slide.scrollHeight - slide.clientHeight")
        assert over <= 1, f"slide {place + 1} runs over by {over} pixels"
    deck.keyboard.press("Home")
    assert deck.evaluate("location.hash") == "#1"
    assert len(re.findall(rb"/Type\s*/Page\b", deck.pdf(prefer_css_page_size=True))) == count
    plain = opened(packs / "facilitator" / "slides" / "03_industry.html", java_script_enabled=False)
    assert plain.locator(".slide:visible").count() == count


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("name", ["facilitator/guide.html", "facilitator/slides/03_industry.html"])
def test_axe_finds_nothing_and_the_page_fits_its_screen(packs, opened, name, size) -> None:
    own = opened(packs / name, size)
    assert own.evaluate("document.documentElement.scrollWidth") <= size["width"]
    found = axe.Axe().run(own)
    assert found.violations_count == 0, found.generate_report()


def test_the_book_is_read_and_searched_without_a_network(packs, opened) -> None:
    book = opened(packs / "book" / "index.html")
    book.get_by_role("link", name="03 Industry").first.click()
    assert book.locator(".body h1").inner_text().startswith("03 Industry")
    pictures = book.locator(".cell_output img")
    assert pictures.count() >= 2
    for place in range(pictures.count()):
        assert len(pictures.nth(place).get_attribute("alt")) > 40, "a picture needs words"
        assert pictures.nth(place).evaluate("image => image.naturalWidth") > 0
    book.get_by_placeholder("Search").first.fill("quotient")
    book.keyboard.press("Enter")
    book.wait_for_selector("#search-results li", timeout=WAIT)
