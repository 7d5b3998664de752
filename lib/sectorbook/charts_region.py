"""Chart forms of the regional chapters, in the house style of `charts`."""

import textwrap
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sectorbook.charts.forms import (
    CONTEXT,
    FOCUS,
    INK,
    MUTED,
    PAPER,
    RAMP,
    STYLE,
    WARM,
    _canvas,
    _described,
    _nothing,
    _rows,
    _wrapped,
)

PARTS = {"national_growth": (CONTEXT, ""), "industry_mix": (WARM, "//"), "competitive_shift": (FOCUS, "")}


def change_parts(
    frame: pd.DataFrame, label: str, names: dict[str, str], axis_label: str, title: str, note: str
) -> Figure:
    """Draw why each row changed: its parts stacked left and right of zero, and a white mark at the whole change.

    `names` gives the legend's words for national_growth, industry_mix, competitive_shift and change.
    """
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.5 + 0.3 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame[label], 46))
        ends = {True: np.zeros(len(frame)), False: np.zeros(len(frame))}
        for part, (colour, hatch) in PARTS.items():
            size = frame[part].to_numpy()
            up = size >= 0
            left = np.where(up, ends[True], ends[False])
            axes.barh(
                spots, size, left=left, height=0.66, color=colour, hatch=hatch, edgecolor="white", linewidth=0.4,
                label=names[part],
            )  # fmt: skip
            ends[True] += np.where(up, size, 0)
            ends[False] += np.where(up, 0, size)
        axes.plot(
            frame["change"],
            spots,
            "D",
            color="white",
            markeredgecolor=INK,
            markersize=5.5,
            label=names["change"],
        )
        axes.axvline(0, color=INK, linewidth=0.9)
        axes.xaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("{x:,.0f}"))
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=4, fontsize=8)
        axes.set_xlabel(axis_label)
    top, bottom = frame.iloc[0], frame.iloc[-1]
    return _described(
        figure,
        f"{title}. {len(frame)} bars of three parts with a mark at the change. First: {top[label]}, {top['change']:+,.0f}, of "
        f"it {names['competitive_shift']} {top['competitive_shift']:+,.0f}. Last: {bottom[label]}, {bottom['change']:+,.0f}.",
    )


def _apart(spots: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return the spots moved apart until no two numbered dots of a plane lie on each other, or as far as twenty rounds go.

    A dot is about a twenty-fifth of the plane's width and an eighteenth of its height.
    """
    size = (limits[:, 1] - limits[:, 0]) * np.array([1 / 25, 1 / 18])
    moved = spots / size
    for _ in range(20):
        gap = moved[:, None, :] - moved[None, :, :]
        far = np.hypot(gap[..., 0], gap[..., 1])
        np.fill_diagonal(far, np.inf)
        if far.min() >= 1:
            break
        # Dots at one spot part sideways, by their order.
        order = np.sign(np.arange(len(spots))[:, None] - np.arange(len(spots))[None, :])[..., None]
        way = np.where(far[..., None] > 1e-9, gap / np.maximum(far, 1e-9)[..., None], order * [1.0, 0.0])
        moved = moved + (way * np.clip(1.02 - far, 0, None)[..., None] / 2).sum(axis=1)
    return moved * size


def numbered_plane(
    frame: pd.DataFrame,
    label: str,
    x: str,
    y: str,
    focus: pd.Series,
    x_label: str,
    y_label: str,
    title: str,
    note: str,
) -> Figure:
    """Draw each row as a numbered dot between 0 and 1 on two axes, with a list of the numbers beside it.

    Rows come best first; the `focus` rows are dark.
    """
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(max(4.4, 0.9 + 0.21 * len(frame)), title, note)
        axes.fill_between([0.5, 1.04], 0.5, 1.04, color=PAPER, zorder=0, linewidth=0)
        limits = np.array(
            [(max(-0.04, frame[c].min() - 0.06), min(1.04, frame[c].max() + 0.06)) for c in (x, y)]
        )
        spots = _apart(frame[[x, y]].to_numpy(float), limits)
        for number, ((_, row), dark, (at_x, at_y)) in enumerate(
            zip(frame.iterrows(), focus, spots, strict=True), start=1
        ):
            axes.plot([row[x], at_x], [row[y], at_y], color=MUTED, linewidth=0.9, zorder=1)
            axes.plot(row[x], row[y], ".", color=MUTED, markersize=3, zorder=1)
            words = textwrap.shorten(row[label], 42, placeholder="…")
            fill, ink = (FOCUS, "white") if dark else (RAMP[0], INK)
            axes.plot(
                at_x,
                at_y,
                "o",
                color=fill,
                markeredgecolor="white",
                markersize=12.5,
                zorder=5 - number / 99,
            )
            axes.annotate(
                str(number),
                (at_x, at_y),
                ha="center",
                va="center",
                fontsize=7,
                color=ink,
                zorder=5.005 - number / 99,
            )
            axes.annotate(
                f"{number}  {words}", (1.03, 1), xycoords="axes fraction", xytext=(0, -14.2 * number + 8),
                textcoords="offset points", va="top", fontsize=8, color=FOCUS if dark else MUTED,
                fontweight="bold" if dark else "normal",
            )  # fmt: skip
        axes.set_xlim(limits[0])
        axes.set_ylim(limits[1])
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
    top = frame.iloc[0]
    return _described(
        figure,
        f"{title}. {len(frame)} numbered dots, {x_label} against {y_label}. First: {top[label]}, {top[x]:.2f} and {top[y]:.2f}. "
        f"Dark: {', '.join(frame.loc[focus.to_numpy(), label]) or 'none'}.",
    )


def county_map(
    shapes: pd.DataFrame,
    inside: Sequence[str],
    add: Sequence[str],
    drop: Sequence[str],
    title: str,
    note: str,
) -> Figure:
    """Draw counties: those of the region dark, those to add or drop hatched, the others light; each with its name.

    `shapes` has county_fips, county_name and lists of longitude and latitude, one row per ring. Degrees are drawn so that a
    kilometre is as long east as north at the middle of the map.
    """
    if shapes.empty:
        return _nothing(title, note)
    own = shapes[shapes.county_fips.isin(inside)]
    west, east = min(map(min, own.longitude)), max(map(max, own.longitude))
    south, north = min(map(min, own.latitude)), max(map(max, own.latitude))
    pads = [max(0.28 * (high - low), 0.4) for low, high in ((west, east), (south, north))]
    stretch = 1 / np.cos(np.radians((south + north) / 2))
    tall = (north - south + 2 * pads[1]) * stretch / (east - west + 2 * pads[0])
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(float(np.clip(0.9 + 6.6 * tall, 3.2, 7.5)), title, note)
        axes.set_axis_off()
        axes.set_aspect(stretch)
        axes.set_xlim(west - pads[0], east + pads[0])
        axes.set_ylim(south - pads[1], north + pads[1])
        for row in shapes.itertuples():
            dark = row.county_fips in inside
            axes.fill(
                row.longitude, row.latitude, facecolor=RAMP[1] if dark else PAPER, edgecolor="white" if dark else CONTEXT,
                linewidth=1.2 if dark else 0.7, zorder=2 if dark else 1,
                hatch="////" if row.county_fips in add else "xxx" if row.county_fips in drop else None,
            )  # fmt: skip
        largest = (
            shapes.assign(points=shapes.longitude.map(len))
            .sort_values("points")
            .groupby("county_fips")
            .last()
        )
        for code, row in largest.iterrows():
            x, y = (np.mean([min(side), max(side)]) for side in (row.longitude, row.latitude))
            if west - pads[0] < x < east + pads[0] and south - pads[1] < y < north + pads[1]:
                axes.annotate(
                    textwrap.fill(row.county_name, 12), (x, y), ha="center", va="center", fontsize=7.5, zorder=5,
                    color=INK if code in inside else MUTED, fontweight="bold" if code in inside else "normal",
                    annotation_clip=True,
                )  # fmt: skip
        marks = [
            (RAMP[1], None, "In the region"),
            (PAPER, "////", "Could be added"),
            (RAMP[1], "xxx", "Could be dropped"),
        ]
        used = [m for m, codes in zip(marks, (inside, add, drop), strict=True) if len(codes)]
        patches = [mpl.patches.Patch(facecolor=c, hatch=h, edgecolor=CONTEXT, label=t) for c, h, t in used]
        axes.legend(handles=patches, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8)
    names = shapes.drop_duplicates("county_fips").set_index("county_fips").county_name
    told = "; ".join(
        f"{word}: {', '.join(names.reindex(list(codes)).dropna()) or 'none'}"
        for word, codes in (("in the region", inside), ("could be added", add), ("could be dropped", drop))
    )
    return _described(figure, f"{title}. Map of counties, {told}.")


def signed_bars(
    frame: pd.DataFrame, label: str, value: str, dark: pd.Series, dark_label: str, light_label: str, axis_label: str,
    title: str, note: str,
) -> Figure:  # fmt: skip
    """Draw one bar per row left or right of zero, two kinds of rows dark and light, each with its number."""
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.4 + 0.3 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame[label], 40))
        axes.barh(spots, frame[value], height=0.66, color=[FOCUS if d else CONTEXT for d in dark])
        for y, size in zip(spots, frame[value], strict=True):
            axes.annotate(
                f"{size:+.2f}", (size, y), xytext=(4 if size >= 0 else -4, 0), textcoords="offset points", va="center",
                ha="left" if size >= 0 else "right", fontsize=8, color=MUTED,
            )  # fmt: skip
        axes.axvline(0, color=INK, linewidth=0.9)
        axes.margins(x=0.14)
        patches = [
            mpl.patches.Patch(color=c, label=t)
            for c, t, shown in ((FOCUS, dark_label, dark.any()), (CONTEXT, light_label, not dark.all()))
            if shown
        ]
        axes.legend(handles=patches, loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2, fontsize=8)
        axes.set_xlabel(axis_label)
    top, bottom = frame.iloc[0], frame.iloc[-1]
    return _described(
        figure,
        f"{title}. {len(frame)} bars. First: {top[label]}, {top[value]:+.2f}. Last: {bottom[label]}, {bottom[value]:+.2f}. "
        f"Dark ({dark_label}): {', '.join(frame.loc[dark.to_numpy(), label]) or 'none'}.",
    )


def scored_rows(
    frame: pd.DataFrame, label: str, value: str, scored: str, kind: str, highest: float, enough: float, enough_label: str,
    title: str, note: str,
) -> Figure:  # fmt: skip
    """Draw one bar per row from 0 to `highest`, rows of one kind alike, unscored rows named so, and a line at `enough`."""
    if frame.empty:
        return _nothing(title, note)
    kinds = list(dict.fromkeys(frame[kind]))
    colours = dict(zip(kinds, (RAMP[1], FOCUS, CONTEXT), strict=False))
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.5 + 0.36 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame[label], 48))
        axes.barh(spots, frame[value], height=0.62, color=[colours[k] for k in frame[kind]])
        for y, (_, row) in zip(spots, frame.iterrows(), strict=True):
            text, colour = (f"{row[value]:g}", INK) if row[scored] else ("not scored", MUTED)
            axes.annotate(
                text,
                (row[value], y),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=colour,
            )
        axes.axvline(enough, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            enough_label, (enough, 0), xycoords=("data", "axes fraction"), xytext=(4, 4), textcoords="offset points",
            fontsize=7.5, color=INK,
        )  # fmt: skip
        axes.set_xlim(0, highest * 1.06)
        axes.set_xlabel(f"Score, 0 to {highest:g}")
        patches = [mpl.patches.Patch(color=colours[k], label=k) for k in kinds]
        axes.legend(
            handles=patches, loc="lower center", bbox_to_anchor=(0.3, 1), ncols=len(kinds), fontsize=8
        )
    told = "; ".join(
        f"{r[label]}: {r[value]:g}" if r[scored] else f"{r[label]}: not scored" for _, r in frame.iterrows()
    )
    return _described(
        figure, f"{title}. Bars from 0 to {highest:g}, line at {enough:g}: {enough_label}. {told}."
    )
