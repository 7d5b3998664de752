"""Chart forms of the regional chapters, in the house style of `charts`."""

import textwrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sectorbook.charts import (
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
        for number, ((_, row), dark) in enumerate(zip(frame.iterrows(), focus, strict=True), start=1):
            words = textwrap.shorten(row[label], 42, placeholder="…")
            fill, ink = (FOCUS, "white") if dark else (RAMP[0], INK)
            axes.plot(
                row[x],
                row[y],
                "o",
                color=fill,
                markeredgecolor="white",
                markersize=12.5,
                zorder=5 - number / 99,
            )
            axes.annotate(
                str(number),
                (row[x], row[y]),
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
        for axis, column in ((axes.set_xlim, x), (axes.set_ylim, y)):
            axis(max(-0.04, frame[column].min() - 0.06), min(1.04, frame[column].max() + 0.06))
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
    top = frame.iloc[0]
    return _described(
        figure,
        f"{title}. {len(frame)} numbered dots, {x_label} against {y_label}. First: {top[label]}, {top[x]:.2f} and {top[y]:.2f}. "
        f"Dark: {', '.join(frame.loc[focus.to_numpy(), label]) or 'none'}.",
    )
