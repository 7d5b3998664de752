"""The map's outlines: the states, and each region whose counties are known, as paths of a drawing."""

from functools import cache

import numpy as np
import pandas as pd
import shapely

from sectorbook import warehouse
from sectorbook.places import Region

# The drawing's size, and how far a simplified line may lie from the true one, in its own units (a pixel is about five).
WIDE, HIGH, TOLERANCE = 4000, 2500, 4.0

# Albers' equal-area conic projection (J. P. Snyder, Map Projections: A Working Manual, USGS Professional Paper 1395,
# 1987, equations 14-1 to 14-6, sphere): by state, the two standard parallels and the central meridian. The parallels
# of the first three are those of the Geological Survey's own maps; those of the other islands lie around them.
MAINLAND, ALASKA, HAWAII = (29.5, 45.5, -96), (55, 65, -154), (8, 18, -157)
CARIBBEAN, MARIANAS, SAMOA = (17, 19, -66.5), (13, 16, 145), (-15, -13, -170)
# Each with the box it is drawn in, as shares of the drawing: left, top, right, bottom.
FRAMES = {
    MAINLAND: (0.0, 0.0, 1.0, 0.93),
    ALASKA: (0.0, 0.76, 0.22, 1.0),
    HAWAII: (0.24, 0.86, 0.36, 1.0),
    CARIBBEAN: (0.86, 0.92, 0.98, 1.0),
    MARIANAS: (0.5, 0.9, 0.54, 1.0),
    SAMOA: (0.56, 0.95, 0.62, 1.0),
}
CONIC_OF_STATE = {
    "02": ALASKA, "15": HAWAII, "72": CARIBBEAN, "78": CARIBBEAN, "66": MARIANAS, "69": MARIANAS, "60": SAMOA,
}  # fmt: skip


def albers(
    longitude: np.ndarray, latitude: np.ndarray, conic: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y on a sphere of radius one, y upwards, for degrees. `conic`: two parallels and a meridian."""
    first, second, meridian = np.radians(conic)
    n = (np.sin(first) + np.sin(second)) / 2
    c = np.cos(first) ** 2 + 2 * n * np.sin(first)
    radius = np.sqrt(c - 2 * n * np.sin(np.radians(latitude))) / n
    # Alaska's last islands lie beyond the date line: they are drawn where they are, west of the others.
    turn = n * ((np.radians(longitude) - meridian + np.pi) % (2 * np.pi) - np.pi)
    return radius * np.sin(turn), -radius * np.cos(turn)


@cache
def _counties() -> pd.Series:
    """Return each county's polygon in the drawing's units, simplified without gaps between neighbours."""
    shapes = warehouse.load("county_shapes")
    # The generalized file holds islets of three points that enclose nothing.
    shapes = shapes[shapes.longitude.map(len) > 3]
    conics = shapes.county_fips.str[:2].map(lambda state: CONIC_OF_STATE.get(state, MAINLAND))
    parts = []
    for conic, group in shapes.groupby(conics, sort=False):
        rings = [albers(np.array(r.longitude), np.array(r.latitude), conic) for r in group.itertuples()]
        x, y = (np.concatenate([ring[axis] for ring in rings]) for axis in (0, 1))
        left, top, right, bottom = np.array(FRAMES[conic]) * (WIDE, HIGH, WIDE, HIGH)
        scale = min((right - left) / np.ptp(x), (bottom - top) / np.ptp(y))
        polygons = [
            shapely.Polygon(np.column_stack([left + (a - x.min()) * scale, top + (y.max() - b) * scale]))
            for a, b in rings
        ]
        # Some rings touch themselves in the generalized file; a buffer of nothing mends them.
        joined = (
            pd.Series(shapely.buffer(polygons, 0), index=group.county_fips)
            .groupby(level=0)
            .agg(shapely.union_all)
        )
        parts.append(pd.Series(shapely.coverage_simplify(joined.to_numpy(), TOLERANCE), index=joined.index))
    return pd.concat(parts)


def _path(shape: shapely.Geometry) -> str:
    """Return a shape as an SVG path of whole numbers, each ring from its first point by steps."""
    written = []
    for part in shapely.get_parts(shape):
        if part.geom_type != "Polygon":
            continue
        for ring in (part.exterior, *part.interiors):
            points = np.rint(shapely.get_coordinates(ring)).astype(int)
            steps = np.diff(points, axis=0)
            steps = steps[(steps != 0).any(axis=1)][:-1]
            if len(steps) > 1:
                line = " ".join(f"{x},{y}" for x, y in steps)
                written.append(f"M{points[0][0]},{points[0][1]}l{line}z")
    return "".join(written)


def make(regions: list[Region]) -> dict:
    """Return `size` (wide, high), `ground` (the states' path) and `regions`: a path by slug, "" where it has none.

    A state is its counties; another region needs them in config/regions.yml or the delineation that is built here.
    """
    counties = _counties()
    state = counties.index.str[:2]
    ground = counties.groupby(state).agg(lambda shapes: shapely.union_all(shapes.to_numpy()))
    paths = {}
    for region in regions:
        own = (
            counties[state == region.code[:2]]
            if region.kind == "state"
            else counties[counties.index.isin(warehouse.counties(region))]
        )
        paths[region.slug] = _path(shapely.union_all(own.to_numpy())) if len(own) else ""
    return {"size": [WIDE, HIGH], "ground": "".join(map(_path, ground)), "regions": paths}
