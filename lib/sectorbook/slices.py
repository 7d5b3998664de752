"""Rows out of a Parquet file: all of them, or those of the areas asked for."""

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd


def columns(path: Path) -> tuple[str, ...]:
    """Return the names of a file's columns."""
    return _columns(path, path.stat().st_mtime_ns)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Return this process's database in memory: opening one takes longer than reading a region's rows.

    One thread is enough for them, and a process that has no other can be forked with it.
    """
    return duckdb.connect(config={"threads": 1, "async_threads": 0})


@cache
def _columns(path: Path, stamp: int) -> tuple[str, ...]:
    with _database().cursor() as db:
        return tuple(db.read_parquet(str(path)).columns)


def rows(
    path: Path, wanted: tuple[str, ...], key: str | None = None, codes: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Return the columns `wanted` of the rows whose `key` is one of `codes`, of all rows without a key.

    Numbers come as floats with NaN for what is not there; a column of levels keeps its whole numbers.
    """
    picked = ", ".join(f'"{name}"' for name in wanted)
    where, given = (f" WHERE {key} IN (SELECT unnest(?))", [list(codes)]) if key else ("", [])
    with _database().cursor() as db:
        frame = db.execute(f"SELECT {picked} FROM read_parquet(?){where}", [str(path), *given]).df()
    whole = [c for c in frame.columns if frame[c].dtype.kind in "iuf" and not c.endswith("_level")]
    # A copy holds the numbers of all columns in one piece, where a row is selected at once.
    return frame.astype(dict.fromkeys(whole, "float64")).copy()


def rows_again(path: Path, *what: Any) -> pd.DataFrame:
    """Return what `rows` does, read once in a process and again when the file has changed."""
    return _kept(path, path.stat().st_mtime_ns, *what).copy(deep=False)


@lru_cache(maxsize=8)
def _kept(path: Path, stamp: int, *what: Any) -> pd.DataFrame:
    frame = rows(path, *what)
    # Equal texts become one object. There are few of them, and a forked child that reads them copies no memory.
    for name in frame.columns[frame.dtypes == "str"]:
        places, texts = pd.factorize(frame[name], use_na_sentinel=False)
        frame[name] = texts.take(places)
    return frame
