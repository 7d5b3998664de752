"""Raw to processed, and `load(table, region)`: the chapters' only door to data."""

import re
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import duckdb
import pandas as pd

from sectorbook import config, paths, provenance, slices, sources
from sectorbook.errors import SectorbookError, nearest, unknown
from sectorbook.local import origin as local_files
from sectorbook.local import templates
from sectorbook.places import DEFAULT_SECTOR, Region, Sector, check_overlap, city_and_state, slug

NATION_FIPS = "US000"

# Tables that have a column of areas and are lists of all of them.
LISTS = ("oews_areas",)


# -- tables -----------------------------------------------------------------------------------------------


@cache
def tables() -> dict[str, str]:
    """Return every table that can be loaded and the source it comes from."""
    return {table: name for name in sources.names() for table in sources.get(name).TABLES}


def vintages(source: str) -> list[str]:
    """Return the vintages of a source that are built here, newest first."""
    folder = paths.processed(source)
    found = [path.parent.name for path in folder.glob(f"*/{provenance.SIDECAR}")] if folder.exists() else []
    return sorted(found, reverse=True)


def _folder(table: str) -> Path:
    if table not in tables():
        raise unknown("table", table, tables())
    source = tables()[table]
    built = vintages(source)
    if not built:
        raise SectorbookError(
            f"{table} is not built here. Fetch and build it: sectorbook fetch {source}, then sectorbook build {source} "
            "(or build it from files at hand with --from PATH)."
        )
    return paths.processed(source, built[0])


@cache
def _verified(path: Path, stamp: tuple[int, int]) -> Path:
    """Return `path` once its checksum was compared; `stamp` (size, time) makes an edited file count anew."""
    provenance.verify(path.parent, path.name)
    return path


def _parquet(table: str) -> Path:
    path = _folder(table) / f"{table}.parquet"
    if not path.exists():
        provenance.verify(path.parent, path.name)
    stat = path.stat()
    return _verified(path, (stat.st_size, stat.st_mtime_ns))


def source(table: str) -> provenance.Sidecar:
    """Return the sidecar of the data behind `table`."""
    return provenance.read_sidecar(_folder(table))


def inputs() -> dict[str, str]:
    """Return the SHA-256 of every processed file, by its path from the root, from the sidecars."""
    found = {}
    for sidecar in sorted(paths.processed().glob(f"*/*/{provenance.SIDECAR}")):
        for file in provenance.read_sidecar(sidecar.parent).files:
            found[paths.shown(sidecar.parent / file.name)] = file.sha256
    return found


def load(
    table: str, region: str | Region | None = None, columns: Iterable[str] | None = None
) -> pd.DataFrame:
    """Return a processed table, one region's rows where the table is regional, all columns or those asked for.

    A table by county (`area_fips`) yields the rows of the region's counties and, where it has them, those of the
    metropolitan area as a whole; for a state or the nation, its own rows. Numbers
    come as floats with NaN where nothing is published (the matching `_status` column says why), codes
    and titles as text. Raises SectorbookError for an unknown table, column or region, a region given for a
    national table or none for a regional one, and for data that do not match their checksum.
    """
    path = _parquet(table)
    present = slices.columns(path)
    wanted = tuple(columns if columns is not None else present)
    if strangers := [name for name in wanted if name not in present]:
        raise unknown(f"column of {table}", strangers[0], present)
    key = _region_column(table, present)
    if key and region is None:
        raise SectorbookError(f"{table} is regional: give a region, as in load({table!r}, 'san-francisco').")
    if not key and region is not None:
        raise SectorbookError(f"{table} is a national list: it takes no region.")
    found = find_region(region) if isinstance(region, str) else region
    codes = () if found is None else (found.code,) if key == "area_code" else area_fips(found)
    # What every region asks for is read once in a process.
    read = slices.rows_again if found is None or found.kind == "nation" else slices.rows
    frame = read(path, wanted, key, codes)
    if frame.empty and key == "area_fips":
        raise SectorbookError(f"{table} as built here has no rows for {found}. It was built for other areas.")
    return frame


def _region_column(table: str, present: Iterable[str]) -> str | None:
    """Return the column that says which region a row is of, or None for a national table."""
    return next((c for c in ("area_code", "area_fips") if c in present and table not in LISTS), None)


def has(table: str, region: str | Region | None = None) -> bool:
    """Return whether `table` is built here and, for a regional table, holds rows of `region`.

    Lets a chapter say what is not there and go on. Raises SectorbookError for an unknown table or region.
    """
    if table not in tables():
        raise unknown("table", table, tables())
    if not vintages(tables()[table]):
        return False
    path = _parquet(table)
    key = _region_column(table, slices.columns(path))
    if key is None or region is None:
        return True
    found = region if isinstance(region, Region) else find_region(region)
    codes = (found.code,) if key == "area_code" else _known_fips(found)
    return len(slices.rows(path, (key,), key, codes)) > 0


def local(table: str, origin: str | Region | local_files.Origin) -> pd.DataFrame:
    """Return one table of an initiative's own files: those of a region, or those a chapter was opened with.

    Columns and types are those of `config/local.yml`; without a file there are no rows. Raises SectorbookError for an
    unknown table or region, and with every problem of the file, each with row, column, what was found and expected.
    """
    if not isinstance(origin, local_files.Origin):
        region = origin if isinstance(origin, Region) else find_region(origin)
        origin = local_files.own(region.slug)
    return local_files.table(table, origin)


def form(table: str) -> pd.DataFrame:
    """Return every line of a form among the initiative's files: section, item, question, and the instrument's note."""
    return templates.lines(table)


def framework(name: str) -> pd.DataFrame:
    """Return one of the field's instruments from `config/frameworks/`: id, label, sources, note, group."""
    if name not in config.frameworks():
        raise unknown("framework", name, config.frameworks())
    return pd.DataFrame([item.model_dump() for item in config.framework(name).items])


def _newest_raw(name: str) -> Path:
    """Return the folder of a source's newest fetched files; of all of them where the source puts years together."""
    folder = paths.raw(name)
    found = sorted(p for p in folder.iterdir() if p.is_dir()) if folder.exists() else []
    if not found:
        raise SectorbookError(
            f"{paths.shown(folder)} holds no files of {name}. Fetch them with: sectorbook fetch {name}, or name the files: "
            f"sectorbook build {name} --from PATH"
        )
    return folder if getattr(sources.get(name), "YEARS_TOGETHER", False) else found[-1]


def build(name: str, origin: Path | None = None) -> provenance.Sidecar:
    """Rebuild one source's processed tables from the publisher's files at `origin`, all or nothing.

    Without `origin`, from what was fetched last. Raises SectorbookError when nothing was.
    """
    module = sources.get(name)
    origin = origin or _newest_raw(name)
    paths.processed().mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=paths.processed(), prefix=f".{name}.") as temporary:
            made = module.build(Path(origin), Path(temporary))
            target = paths.processed(name, made.edition)
            target.mkdir(parents=True, exist_ok=True)
            for file in made.files:
                (Path(temporary) / file.name).replace(target / file.name)
            provenance.write_sidecar(target, made)
    except OSError as error:
        raise SectorbookError(f"Cannot build {name}: {error.strerror or error}.") from error
    return made


# -- regions ----------------------------------------------------------------------------------------------


@cache
def regions() -> tuple[Region, ...]:
    """Return every region of the release, the nation first, then in the order of their codes."""
    named = {entry.area.zfill(7): (name, entry) for name, entry in config.regions().items()}
    found = []
    for row in load("oews_areas").itertuples():
        given, entry = named.get(row.area_code, (None, None))
        if given:
            short = given
        elif row.area_type == "metropolitan":
            short = slug(" ".join(city_and_state(row.area_name)))
        else:
            short = slug(row.area_name.removesuffix(" area"))
        found.append(
            Region(
                slug=short,
                code=row.area_code,
                name=(entry.name if entry and entry.name else row.area_name),
                kind=row.area_type,
                employment=row.employment,
                sector=(entry.sector if entry and entry.sector else DEFAULT_SECTOR),
            )
        )
    codes = {region.code for region in found}
    if strangers := sorted(set(named) - codes):
        name = named[strangers[0]][0]
        raise SectorbookError(
            f"config/regions.yml, entry {name!r}: area {strangers[0]} is not in the OEWS release."
        )
    return tuple(found)


@cache
def _names() -> dict[str, set[Region]]:
    """Return every name a region answers to, in slug form, with the regions it could mean."""
    exact: dict[str, set[Region]] = {}
    loose: dict[str, set[Region]] = {}
    for region in regions():
        entry = config.regions().get(region.slug)
        forms = {region.slug, region.code, slug(region.name), *(entry.aliases if entry else ())}
        if region.code.startswith("00") and region.kind == "metropolitan":
            forms.add(region.code[2:])
            city, state = city_and_state(region.name)
            forms.add(slug(f"{city} {state}"))
            loose.setdefault(slug(city), set()).add(region)
        if region.kind == "state":
            forms.add(region.code[:2])
        for form in forms:
            exact.setdefault(form, set()).add(region)
    return {**{form: found for form, found in loose.items() if form not in exact}, **exact}


def find_region(text: str) -> Region:
    """Return the region that `text` names: a slug, a code, an exact name, or a city no other area starts with.

    Raises SectorbookError with the nearest three when there is none, and with all of them when there are many.
    """
    found = _names().get(slug(str(text)), set())
    if len(found) == 1:
        return next(iter(found))
    if found:
        options = ", ".join(f"{r.slug} ({r.name})" for r in sorted(found, key=lambda r: r.slug))
        raise SectorbookError(f"{text!r} could be {len(found)} regions: {options}. Give one of these.")
    by_name = {region.name: region.slug for region in regions()} | {
        region.slug: region.slug for region in regions()
    }
    close = dict.fromkeys(by_name[name] for name in nearest(str(text), by_name, n=9))
    hint = f" The nearest are {', '.join(list(close)[:3])}." if close else ""
    raise SectorbookError(
        f"Unknown region {str(text)!r}.{hint} Search by name with: sectorbook regions --find TEXT"
    )


def search_regions(text: str) -> list[Region]:
    """Return the regions whose name, slug or code contains `text`, largest employment first."""
    wanted = slug(text)
    hits = [r for r in regions() if any(wanted in form for form in (r.slug, r.code, slug(r.name)))]
    return sorted(hits, key=lambda r: -r.employment)


# -- counties ---------------------------------------------------------------------------------------------


def counties(region: Region) -> tuple[str, ...]:
    """Return the FIPS codes of a region's counties; none where they are not known here.

    They are those of config/regions.yml, else those of the official delineation, when that is built.
    """
    entry = config.regions().get(region.slug)
    if entry and entry.counties:
        return entry.counties
    if region.kind != "metropolitan" or not has("delineation_counties"):
        return ()
    with duckdb.connect() as db:
        query = "SELECT county_fips FROM read_parquet(?) WHERE cbsa_code = ? ORDER BY 1"
        rows = db.execute(query, [str(_parquet("delineation_counties")), region.code[2:]]).fetchall()
    return tuple(code for (code,) in rows)


def _known_fips(region: Region) -> tuple[str, ...]:
    """Return the codes of a region in tables by county; none where they are not known here."""
    if region.kind == "nation":
        return (NATION_FIPS,)
    if region.kind == "state":
        return (f"{region.code[:2]}000",)
    whole = (f"C{region.code[2:6]}",) if region.kind == "metropolitan" else ()
    return (*counties(region), *whole) if counties(region) else ()


def area_fips(region: Region) -> tuple[str, ...]:
    """Return the codes of a region in tables by county: its counties and, of a metropolitan area, the whole ("C1814").

    A state or the nation has one code. Raises SectorbookError where the counties are not known here.
    """
    found = _known_fips(region)
    if not found:
        raise SectorbookError(
            f"The counties of {region} are not known here. List them in config/regions.yml under {region.slug} "
            "(`counties:`), or, for a metropolitan area: sectorbook fetch delineations, then sectorbook build delineations."
        )
    return found


# -- sectors ----------------------------------------------------------------------------------------------


@cache
def _industries() -> dict[str, str]:
    path = _parquet("oews_staffing")
    with duckdb.connect() as db:
        rows = db.execute("SELECT DISTINCT industry_code, industry_title FROM read_parquet(?)", [str(path)])
        return dict(rows.fetchall())


def _industry_of(naics: str) -> str:
    """Return the OEWS industry that carries a NAICS code, or raise with the nearest ones."""
    industries = _industries()
    if naics.isdigit() and 2 <= len(naics) <= 6:
        for code in (naics.ljust(6, "0"), naics):
            if code in industries and len(naics) > 2:
                return code
        for code in industries:
            match = re.fullmatch(r"(\d\d)-+(\d+)", code)
            if (
                match
                and len(naics) == 2
                and int(match[1]) <= int(naics) < max(int(match[2]), int(match[1]) + 1)
            ):
                return code
    codes = [
        code.rstrip("0") if code.isdigit() else code[:2] for code in industries if not code.startswith("0")
    ]
    raise unknown(
        "NAICS code",
        naics,
        set(codes),
        "OEWS publishes national staffing for 2- to 4-digit codes and some 5-digit ones.",
    )


def find_sector(text: str) -> Sector:
    """Return the sector that `text` names: a preset of `config/sectors.yml`, or NAICS codes with commas."""
    presets = config.sectors()
    if slug(text) in presets:
        preset = presets[slug(text)]
        for code in preset.oews_industries:
            if code not in _industries():
                raise SectorbookError(f"config/sectors.yml, entry {text!r}: OEWS has no industry {code!r}.")
        check_overlap(text, preset.oews_industries)
        return Sector(slug(text), preset.name, preset.naics, preset.oews_industries, preset.reason)
    codes = [part.strip() for part in text.split(",") if part.strip()]
    if not codes or not all(code.isdigit() for code in codes):
        raise unknown(
            "sector", text, presets, f"Valid: {', '.join(presets)}, or NAICS codes such as 622,623."
        )
    industries = tuple(dict.fromkeys(_industry_of(code) for code in codes))
    check_overlap(text, industries)
    titles = "; ".join(_industries()[code] for code in industries)
    return Sector(
        "naics-" + "-".join(codes), titles, tuple(codes), industries, "NAICS codes given with the run."
    )


# -- an initiative's files ----------------------------------------------------------------------------------


def new_region(name: str, area: str) -> tuple[Region, list[Path]]:
    """Make the folder and templates of an initiative, and name its region; return the region and the files written.

    A `name` that the area does not go by yet is added to `config/regions.yml`. Files that are there stay as they are.
    Raises SectorbookError for an unknown area, a name that is not lower case with hyphens, one another region has, and
    another name for an area that has one.
    """
    region = find_region(area)
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or name == local_files.DEMONSTRATION:
        raise SectorbookError(
            f"A region's slug is lower case with hyphens, such as {region.slug!r}; found {name!r}."
        )
    if region.slug != name:
        given = next(
            (r.slug for r in regions() if r.code == region.code and r.slug in config.regions()), None
        )
        if given:
            raise SectorbookError(
                f"{region.name} ({region.code}) is {given!r} in config/regions.yml; use that slug."
            )
        others = _names().get(name, {region})  # a city that several areas start with names all of them
        if region not in others:
            other = sorted(others, key=lambda r: r.slug)[0]
            raise SectorbookError(
                f"{name!r} is the name of {other.name} ({other.code}); choose another slug."
            )
        path = paths.config("regions.yml")
        code = region.code.removeprefix("00")
        with paths.write_atomic(path) as file:
            file.write(path.read_text(encoding="utf-8").rstrip("\n") + f'\n{name}:\n  area: "{code}"\n')
        for remembered in (config.regions, regions, _names):
            remembered.cache_clear()
        region = find_region(name)
    return region, templates.write(paths.local(region.slug))
