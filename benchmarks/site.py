"""Measure the site over a national series: its weight, the time to write it, and how soon its pages answer in a browser.

    python benchmarks/site.py [--regions 930] [--findings 35]

Needs Chromium and what `make test-browser` installs. The regions are made, not run. The bar: a first page under 2 MB, and
100 ms from an input to the page laid out again. Each act is done five times; the least is the page's own cost, since other
work of the machine only adds.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sectorbook.report.site import pages
from site_regions import national

ACTS = {
    "search": "search.value = 'name ' + i, search.dispatchEvent(new Event('input', {bubbles: true}))",
    "sort": "document.querySelectorAll('#regions thead button')[1 + i].click()",
    "compare": "document.querySelectorAll('#regions input[type=checkbox]')[i].click()",
}
CHOOSE = "finding.value = String(i), finding.dispatchEvent(new Event('input', {bubbles: true}))"


def timed(page, act: str) -> list[float]:
    """Return the milliseconds of five acts, each with the layout that follows."""
    return page.evaluate(f"""() => Array.from({{length: 5}}, (_, i) => {{
        const start = performance.now();
        {act};
        document.body.getBoundingClientRect();
        return performance.now() - start;
    }})""")


def main() -> None:
    """Print a table of the measurements."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--regions", type=int, default=930)
    parser.add_argument("--findings", type=int, default=35)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["SECTORBOOK_REPORTS"] = folder
        national(Path(folder), given.regions, given.findings)
        start = time.perf_counter()
        first = pages.write()[0]
        print(f"written in {time.perf_counter() - start:.1f} s")
        sector = next((first.parent / "sectors").glob("*.html"))
        for path in (first, sector):
            print(f"{path.name}: {path.stat().st_size / 1000:,.0f} kB")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        page = browser.new_page()
        page.goto(first.as_uri())
        for name, act in ACTS.items():
            print(f"{name}: {min(timed(page, act)):.0f} ms")
        page.goto(sector.as_uri())
        print(f"another finding on map and ranking: {min(timed(page, CHOOSE)):.0f} ms")
        browser.close()


if __name__ == "__main__":
    main()
