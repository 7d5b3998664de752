"""The partner network as a map whose names do not lie on each other."""

import textwrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from sectorbook.charts.forms import (
    CONTEXT,
    EDGE,
    INK,
    MUTED,
    NOTE,
    STYLE,
    WIDTH,
    _canvas,
    _described,
    _nothing,
)  # fmt: skip

# Shape as well as colour tells groups apart, in grey print too.
_GROUPS = (
    ("#0b4f8a", "o"),
    ("#c8641b", "s"),
    ("#3f8f7f", "^"),
    ("#8a5a9b", "D"),
    ("#5b6770", "v"),
    ("#b59a2b", "P"),
)
_DIRECTIONS = [(1, 0), (-1, 0), (0, 1), (0, -1), (0.8, 0.7), (-0.8, 0.7), (0.8, -0.7), (-0.8, -0.7)]
# Keeps words readable across lines.
_HALO = [withStroke(linewidth=1.8, foreground="white", alpha=0.85)]
# How far from its mark a name may stand, in radii; the farther ones, with a line to the mark, only for the best tied.
_DISTANCES = (1, 1.9, 3.0)
_FAR = (4.5, 6.5, 9.0, 12.0, 16.0)
_FIRST = 30
# Pixels between two names, and between a mark and its name.
_APART = 2.5
_GAP = 4
# Partners from which on marks and names shrink, and the page is used to its length.
_MANY, _CROWD = 40, 80
_TALL = 9.2


def network_map(partners: pd.DataFrame, ties: pd.DataFrame, title: str, note: str) -> Figure:
    """Draw partners and their ties. `partners`: `partner`, `map_number`, `x`, `y`, `group` (the legend),
    `degree`, `answered`.

    `ties`: `source`, `target`, `weight`. Size goes with the number of ties; a partner that did not answer is hollow. Names
    are placed from the best tied on, where nothing else lies; where there is no room the map number stands in for the name:
    the caption and the text alternative say how many, and `figure.unnamed` lists them.
    """
    if partners.empty:
        figure = _nothing(title, note)
        figure.unnamed = []
        return figure
    large = len(partners) > _MANY
    height = _TALL if len(partners) > _CROWD else WIDTH if large else 5.6
    with mpl.rc_context(STYLE):
        # The longest caption there can be holds the room for the one that is known when names stand.
        figure, axes = _canvas(height, title, f"{note} {_said(len(partners), len(partners))}")
        axes.set_axis_off()
        spot = partners.set_index("partner")[["x", "y"]]
        lines = np.stack([spot.loc[ties["source"]].to_numpy(), spot.loc[ties["target"]].to_numpy()], axis=1)
        widths = 0.5 + 0.5 * ties["weight"].to_numpy(dtype=float)
        axes.add_collection(
            LineCollection(lines, colors=CONTEXT, linewidths=widths, alpha=0.35 if large else 0.55, zorder=1)
        )
        sizes = (14 if large else 42) + (6 if large else 14) * partners["degree"].to_numpy(dtype=float)
        names = sorted(partners["group"].unique(), key=lambda g: (-int((partners["group"] == g).sum()), g))
        for i, name in enumerate(names):
            colour, marker = _GROUPS[i % len(_GROUPS)]
            inside = (partners["group"] == name).to_numpy()
            fill = [colour if said else "white" for said in partners["answered"][inside]]
            axes.scatter(
                partners["x"][inside], partners["y"][inside], s=sizes[inside], c=fill, edgecolors=colour, marker=marker,
                linewidths=1.3, zorder=2,
            )  # fmt: skip
            axes.plot([], [], marker, color=colour, label=name, markersize=6)
        if not partners["answered"].all():
            axes.plot([], [], "o", color="white", markeredgecolor=INK, label="Did not answer", markersize=6)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4 if len(names) > 2 else 3, fontsize=8)
        axes.set_xlim(partners["x"].min() - 0.22, partners["x"].max() + 0.22)
        axes.set_ylim(partners["y"].min() - 0.1, partners["y"].max() + 0.1)
        unnamed = _name(figure, axes, partners, sizes, 6.2 if large else 7.5)
        caption = f"{note} {_said(len(unnamed), len(partners))}"
        figure.supxlabel(
            textwrap.fill(caption, NOTE), x=0.01, y=EDGE / height, ha="left", fontsize=7.5, color=MUTED
        )
    figure.unnamed = unnamed
    best = partners.sort_values("degree", ascending=False, kind="stable")["partner"].head(5)
    return _described(
        figure,
        f"{title}. A map of {len(partners)} partners and {len(ties)} ties in the groups {', '.join(names)}. "
        f"Most ties: {', '.join(best)}. {int((~partners['answered']).sum())} did not answer. "
        f"{_said(len(unnamed), len(partners))}",
    )


def _said(unnamed: int, partners: int) -> str:
    if not unnamed:
        return "Every name has room."
    return f"{unnamed} of {partners} names have no room; their numbers in the table stand in."


def _name(figure: Figure, axes: Axes, partners: pd.DataFrame, sizes: np.ndarray, font: float) -> list[str]:
    """Write each name beside its mark where it meets no mark and no other name; return those left out."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # what is measured now must stay where it is
    points = axes.transData.transform(partners[["x", "y"]].to_numpy())
    pixel = figure.dpi / 72
    radius = 0.62 * np.sqrt(sizes) * pixel + 1
    marks = [Bbox([[x - r, y - r], [x + r, y + r]]) for (x, y), r in zip(points, radius, strict=True)]
    frame = axes.get_window_extent()
    taken: list[Bbox] = []
    unnamed = []
    order = partners["degree"].to_numpy(dtype=float).argsort(kind="stable")[::-1]
    for rank, i in enumerate(order):
        name = str(partners["partner"].iloc[i])
        text = axes.text(
            0,
            0,
            textwrap.fill(name, 18),
            fontsize=font,
            color=INK,
            ha="center",
            va="center",
            linespacing=1.05,
            zorder=3,
            path_effects=_HALO,
        )
        size = text.get_window_extent()
        found = None
        for distance in _DISTANCES + (_FAR if rank < _FIRST else ()):
            for dx, dy in _DIRECTIONS:
                x = points[i][0] + dx * (radius[i] * distance + size.width / 2 + _GAP)
                y = points[i][1] + dy * (radius[i] * distance + size.height / 2 + _GAP)
                box = Bbox.from_bounds(x - size.width / 2, y - size.height / 2, size.width, size.height)
                inside = (
                    frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
                )
                apart = box.padded(_APART)
                if inside and not apart.count_overlaps(taken) and not box.count_overlaps(marks):
                    found = (x, y, box)
                    break
            if found:
                break
        if found is None:
            text.remove()
            unnamed.append(name)
            axes.text(
                *partners[["x", "y"]].iloc[i], f"{partners['map_number'].iloc[i]:.0f}", fontsize=5.5, color=INK, ha="center",
                va="center", zorder=4, path_effects=_HALO,
            )  # fmt: skip
            continue
        taken.append(found[2])
        text.set_position(axes.transData.inverted().transform(found[:2]))
        if distance > 1:
            away = axes.transData.inverted().transform(points[i])
            axes.annotate(
                "",
                away,
                text.get_position(),
                arrowprops={"arrowstyle": "-", "color": MUTED, "lw": 0.5},
                zorder=1.5,
            )
    return unnamed
