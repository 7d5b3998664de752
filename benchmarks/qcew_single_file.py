"""Compare ways to turn QCEW's annual single file into Parquet: wall time, peak memory, size, and one area's slice.

    python benchmarks/qcew_single_file.py                    300,000 rows, a minute
    python benchmarks/qcew_single_file.py --rows 3600000     the size of the published file (about 540 MB)

The file is synthetic, in the published layout (38 columns, codes quoted, sorted by area). Every way runs in a process of
its own, in turn; a library that is not installed is skipped. `sectorbook` does more than the others: it sorts, checks every
cell and sets withheld values to NULL.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from sectorbook import slices

SLICES = 15
TARGET_RATIO, TARGET_MB, TARGET_SLICE_MS = 1.3, 1000, 20

HEADER = [
    "area_fips",
    "own_code",
    "industry_code",
    "agglvl_code",
    "size_code",
    "year",
    "qtr",
    "disclosure_code",
    "annual_avg_estabs",
    "annual_avg_emplvl",
    "total_annual_wages",
    "taxable_annual_wages",
    "annual_contributions",
    "annual_avg_wkly_wage",
    "avg_annual_pay",
    "lq_disclosure_code",
    "lq_annual_avg_estabs",
    "lq_annual_avg_emplvl",
    "lq_total_annual_wages",
    "lq_taxable_annual_wages",
    "lq_annual_contributions",
    "lq_annual_avg_wkly_wage",
    "lq_avg_annual_pay",
    "oty_disclosure_code",
    "oty_annual_avg_estabs_chg",
    "oty_annual_avg_estabs_pct_chg",
    "oty_annual_avg_emplvl_chg",
    "oty_annual_avg_emplvl_pct_chg",
    "oty_total_annual_wages_chg",
    "oty_total_annual_wages_pct_chg",
    "oty_taxable_annual_wages_chg",
    "oty_taxable_annual_wages_pct_chg",
    "oty_annual_contributions_chg",
    "oty_annual_contributions_pct_chg",
    "oty_annual_avg_wkly_wage_chg",
    "oty_annual_avg_wkly_wage_pct_chg",
    "oty_avg_annual_pay_chg",
    "oty_avg_annual_pay_pct_chg",
]
TEXT = [name for name in HEADER[:8] if name != "year"] + [
    name for name in HEADER if name.endswith("disclosure_code")
]
TEXT = list(dict.fromkeys(TEXT))
PER_AREA = 800  # the published file holds about 3.6 million rows of 4,400 areas

DUCKDB = """
import duckdb
types = {name: "VARCHAR" for name in TEXT}
duckdb.sql("SET enable_progress_bar = false")
duckdb.sql(f"COPY (SELECT * FROM read_csv('{source}', types={types})) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
"""
WAYS = {
    "sectorbook": ("duckdb", """
from pathlib import Path
from sectorbook.sources import qcew
qcew.build(Path(source), Path(target).parent)
(Path(target).parent / "qcew.parquet").rename(target)
"""),
    "duckdb": ("duckdb", DUCKDB),
    "polars streaming": ("polars", """
import polars as pl
pl.scan_csv(source, schema_overrides={name: pl.String for name in TEXT}).sink_parquet(target)
"""),
    "polars": ("polars", """
import polars as pl
pl.read_csv(source, schema_overrides={name: pl.String for name in TEXT}).write_parquet(target)
"""),
    "pandas with pyarrow": ("pyarrow", """
import pandas as pd
pd.read_csv(source, dtype={name: "string" for name in TEXT}, engine="pyarrow").to_parquet(target)
"""),
}  # fmt: skip


def generate(path: Path, rows: int) -> None:
    """Write a synthetic single file, the same bytes for the same number of rows."""
    withheld = "hash(i, 1) % 100 < 45"
    values = [
        "printf('%05d', 1000 + i // {n})", "(hash(i, 2) % 6)::VARCHAR", "(110000 + i % {n})::VARCHAR", "'78'", "'0'",
        "2023", "'A'",
        f"CASE WHEN {withheld} THEN 'N' ELSE '' END", "hash(i, 3) % 900",
        *(f"CASE WHEN {withheld} THEN 0 ELSE hash(i, {k}) % {top} END" for k, top in
          ((4, 90_000), (5, 9_000_000_000), (6, 900_000_000), (7, 9_000_000), (8, 3_000), (9, 160_000))),
        f"CASE WHEN {withheld} THEN 'N' ELSE '' END",
        *(f"CASE WHEN {withheld} THEN 0 ELSE (hash(i, {k}) % 900) / 100.0 END::DECIMAL(8,2)" for k in range(10, 17)),
        f"CASE WHEN {withheld} THEN 'N' ELSE '' END",
        *(f"CASE WHEN {withheld} THEN 0 ELSE (hash(i, {k}) % 5000)::BIGINT - 2500 END{'' if k % 2 == 0 else ' / 10.0'}"
          for k in range(18, 32)),
    ]  # fmt: skip
    picked = ", ".join(f"{v.format(n=PER_AREA)} AS {name}" for v, name in zip(values, HEADER, strict=True))
    quoted = ", ".join(TEXT)
    duckdb.sql(f"COPY (SELECT {picked} FROM range({rows}) t(i)) TO '{path}' (HEADER, FORCE_QUOTE ({quoted}))")


def run(code: str, source: Path, target: Path) -> tuple[float, float, float]:
    """Run one way in a process of its own and return its wall and CPU seconds and peak memory in MB."""
    start = f"source, target, TEXT = {str(source)!r}, {str(target)!r}, {TEXT!r}\n"
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", start + code])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed with status {process.returncode}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def slice_ms(path: Path) -> float:
    """Return the least milliseconds that one area's rows take chapters to read, warm; other work adds to it."""
    chosen = f"SELECT DISTINCT area_fips FROM '{path}' ORDER BY hash(area_fips) LIMIT {SLICES}"
    times = []
    for (area,) in duckdb.sql(chosen).fetchall():
        began = time.perf_counter()
        slices.rows(path, slices.columns(path), "area_fips", (area,))
        times.append(1000 * (time.perf_counter() - began))
    return min(times)


def main() -> None:
    """Print one line per way, and whether the goals are met."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--rows", type=int, default=300_000)
    arguments.add_argument("--rounds", type=int, default=1)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "2023.annual.singlefile.csv"
        generate(source, chosen.rows)
        print(f"{chosen.rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB of CSV, {os.cpu_count()} cores")
        print(f"{'way':22}{'wall s':>8}{'CPU s':>7}{'peak MB':>9}{'Parquet MB':>12}{'slice ms':>10}")
        walls: dict[str, float] = {}
        spent: dict[str, float] = {}
        for name, (needs, code) in WAYS.items():
            if importlib.util.find_spec(needs) is None:
                print(f"{name:22}skipped: {needs} is not installed")
                continue
            target = Path(folder) / "out" / "table.parquet"
            target.parent.mkdir(exist_ok=True)
            results = [run(code, source, target) for _ in range(chosen.rounds)]
            walls[name], peak = statistics.median(r[0] for r in results), max(r[2] for r in results)
            spent[name] = statistics.median(r[1] for r in results)
            took = slice_ms(target)
            print(
                f"{name:22}{walls[name]:8.1f}{spent[name]:7.1f}{peak:9,.0f}{target.stat().st_size / 1e6:12.1f}{took:10.1f}"
            )
            if name == "sectorbook":
                ours = (peak, took)
        fastest = min((wall, name) for name, wall in walls.items() if name != "sectorbook")
        wall, cpu = (kind["sectorbook"] / kind[fastest[1]] for kind in (walls, spent))
        print(f"against the fastest ({fastest[1]}): {wall:.2f}x wall, {cpu:.2f}x CPU (goal {TARGET_RATIO})")
        print(f"peak {ours[0]:,.0f} MB (goal {TARGET_MB:,}), slice {ours[1]:.1f} ms (goal {TARGET_SLICE_MS})")


if __name__ == "__main__":
    main()
