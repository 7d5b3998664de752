"""Rows out of a Parquet file: the columns and areas asked for, and what is read once."""

import os
from pathlib import Path

import duckdb
import pytest
from sectorbook import slices


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "jobs.parquet", "('01', 10, 1), ('02', NULL, 2), ('02', 30, 3)")


def written(path: Path, values: str) -> Path:
    with duckdb.connect() as db:
        db.execute(f"COPY (SELECT * FROM (VALUES {values}) t(area, jobs, job_level)) TO '{path}'")
    return path


def test_the_rows_of_the_areas_asked_for(file: Path) -> None:
    assert slices.columns(file) == ("area", "jobs", "job_level")
    found = slices.rows(file, ("jobs", "job_level"), "area", ("02", "03"))
    assert found.jobs.isna().tolist() == [True, False]
    assert found.job_level.tolist() == [2, 3]
    assert found.dtypes.astype(str).tolist() == ["float64", "int32"]


def test_rows_read_again_are_the_callers_own(file: Path) -> None:
    first = slices.rows_again(file, ("area", "jobs"))
    first.loc[0, "jobs"] = -1.0
    first["more"] = 1
    again = slices.rows_again(file, ("area", "jobs"))
    assert again.equals(slices.rows(file, ("area", "jobs")))


def test_rows_read_again_hold_equal_texts_once(tmp_path: Path) -> None:
    path = written(tmp_path / "areas.parquet", "('north', 1, 1), ('north', 2, 1), (NULL, 3, 1)")
    again, plain = slices.rows_again(path, ("area",)), slices.rows(path, ("area",))
    assert again.equals(plain) and again.dtypes.equals(plain.dtypes)
    assert again.area[0] is again.area[1]


def test_an_edited_file_is_read_anew(file: Path) -> None:
    slices.columns(file), slices.rows_again(file, ("jobs",))
    written(file, "('01', 11, 1)")
    os.utime(file, ns=(1, 1))
    assert slices.rows_again(file, ("jobs",)).jobs.tolist() == [11.0]
