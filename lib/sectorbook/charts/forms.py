"""The house style and the chart forms. Frames in, figures out; nothing here reads data.

Colours are told apart without colour vision and, by lightness, in grey print. The focus of a chart is dark, its
context light. Figures are made without pyplot, so no state passes from one to the next.
"""

import textwrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import TightLayoutEngine
from matplotlib.patches import FancyBboxPatch

INK, MUTED, GRID, CONTEXT, FOCUS, WARM, PAPER = (
    "#1b2733", "#5b6770", "#dfe4e8", "#a9b7c4", "#0b4f8a", "#c8641b", "#f3f6f8",
)  # fmt: skip
RAMP = ("#cfe0ee", "#6fa3cf", "#0b4f8a", "#e8e8e8")
WIDTH = 7.4
NOTE = 124  # characters in a line of the note
EDGE = 0.06  # inches between the edge and the title, and between the edge and the note
PAD = 0.6  # room around the axes, in parts of the font's size

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": CONTEXT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "ytick.major.size": 0,
    "xtick.major.size": 0,
    "legend.frameon": False,
    "svg.hashsalt": "sectorbook",
}


def _sheet(height: float, title: str, note: str) -> Figure:
    """Return a figure with its title above on the left and its note below, and nothing between."""
    figure, edge = Figure(figsize=(WIDTH, height)), EDGE / height
    figure.suptitle(
        textwrap.fill(title, 84), x=0.01, y=1 - edge, ha="left", fontsize=11, fontweight="bold", color=INK
    )
    figure.supxlabel(textwrap.fill(note, NOTE), x=0.01, y=edge, ha="left", fontsize=7.5, color=MUTED)
    return figure


def _canvas(height: float, title: str, note: str) -> tuple[Figure, Axes]:
    """Return a figure with one axes between its title and its note."""
    figure = _sheet(height, title, note)
    # Without a rectangle all labels are measured once; with one, and by the constrained layout, twice.
    figure.set_layout_engine(TightLayoutEngine(pad=PAD, rect=None))
    return figure, figure.add_subplot()


def _nothing(title: str, note: str) -> Figure:
    """Return a figure that says that nothing is published."""
    words = "Nothing to show: no value is published here."
    with mpl.rc_context(STYLE):
        figure = _sheet(1.6, title, note)
        figure.text(0.5, 0.5, words, ha="center", va="center", color=MUTED)
    return _described(figure, f"{title}. {words}")


def _described(figure: Figure, alt: str) -> Figure:
    """Give a figure its text alternative, made from the data it draws, and return it."""
    figure.alt = " ".join(alt.split())
    return figure


def _wrapped(labels: pd.Series, width: int = 38) -> list[str]:
    return [textwrap.fill(str(label), width) for label in labels]


def _rows(axes: Axes, labels: list[str]) -> np.ndarray:
    """Give a horizontal chart one row per label, first on top, and return the row positions."""
    spots = np.arange(len(labels))
    axes.set_yticks(spots, labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.yaxis.set_label_coords(0, 0.5)  # there is no axis label: spares measuring all rows for its place
    return spots


def interval_dots(
    frame: pd.DataFrame,
    label: str,
    value: str,
    low: str,
    high: str,
    focus: pd.Series,
    reference: float,
    reference_label: str,
    axis_label: str,
    title: str,
    note: str,
) -> Figure:
    """Draw one dot with its interval per row, a reference line, and the `focus` rows dark."""
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.2 + 0.3 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame[label], 54))
        for dark in (False, True):
            own, colour = focus.to_numpy() == dark, FOCUS if dark else MUTED
            axes.hlines(spots[own], frame[low][own], frame[high][own], color=colour, linewidth=2.4, zorder=2)
            axes.plot(frame[value][own], spots[own], "o", color=colour, markersize=6.5 if dark else 5)
        for y, number, dark in zip(spots, frame[value], focus, strict=True):
            axes.annotate(
                f"{number:.2f}", (1, y), xycoords=("axes fraction", "data"), xytext=(6, 0),
                textcoords="offset points", va="center", fontsize=8, color=FOCUS if dark else MUTED,
                fontweight="bold" if dark else "normal",
            )  # fmt: skip
        axes.axvline(reference, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            reference_label, (reference, 1), xycoords=("data", "axes fraction"), xytext=(3, 2),
            textcoords="offset points", fontsize=7.5, color=INK, va="bottom",
        )  # fmt: skip
        axes.set_xlabel(axis_label)
        axes.margins(x=0.04)
    top, bottom = frame.iloc[0], frame.iloc[-1]
    return _described(
        figure,
        f"{title}. Dots with intervals, {len(frame)} rows. First: {top[label]}, {top[value]:.2f} "
        f"({top[low]:.2f} to {top[high]:.2f}). Last: {bottom[label]}, {bottom[value]:.2f}. "
        f"Marked: {', '.join(frame.loc[focus.to_numpy(), label]) or 'none'}. Line at {reference:g}: {reference_label}.",
    )


def bars_with_marker(
    frame: pd.DataFrame,
    label: str,
    value: str,
    marker: str,
    focus: pd.Series,
    value_label: str,
    marker_label: str,
    axis_label: str,
    title: str,
    note: str,
) -> Figure:
    """Draw one bar per row with a tick where the comparison stands, and the `focus` rows dark."""
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.3 + 0.3 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame[label], 54))
        colours = [FOCUS if dark else CONTEXT for dark in focus]
        axes.barh(spots, frame[value], height=0.68, color=colours)
        axes.plot(
            frame[marker], spots, "|", color=WARM, markersize=13, markeredgewidth=2.4, label=marker_label
        )
        axes.barh([0], [0], color=FOCUS, label=value_label)
        long = len(value_label + marker_label) > 48
        axes.legend(
            loc="lower right" if long else "lower center", bbox_to_anchor=(1 if long else 0.5, 1), ncols=2, fontsize=8
        )  # fmt: skip
        axes.set_xlabel(axis_label)
        axes.set_xlim(left=0)
    top = frame.iloc[0]
    return _described(
        figure,
        f"{title}. {len(frame)} bars with a mark for: {marker_label}. First: {top[label]}, {top[value]:.1f}, "
        f"mark at {top[marker]:.1f}. Dark: {', '.join(frame.loc[focus.to_numpy(), label]) or 'none'}.",
    )


def wage_ranges(
    frame: pd.DataFrame,
    label: str,
    comparison: str,
    comparison_label: str,
    threshold: float,
    threshold_label: str,
    title: str,
    note: str,
) -> Figure:
    """Draw each row's wages: a thin line from the 10th to the 90th percentile, a thick one from the 25th to the
    75th, a dot at the median, and an open mark at the comparison. `frame` has columns p10 … p90 in USD a year.
    """
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.4 + 0.31 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame[label], 44))
        thousands = frame[["p10", "p25", "p50", "p75", "p90", comparison]] / 1000
        axes.hlines(spots, thousands.p10, thousands.p90, color=CONTEXT, linewidth=2)
        axes.hlines(spots, thousands.p25, thousands.p75, color=FOCUS, linewidth=6, alpha=0.85)
        axes.plot(
            thousands.p50, spots, "o", color="white", markeredgecolor=INK, markersize=6, label="Median here"
        )
        axes.plot(
            thousands[comparison], spots, "D", color="none", markeredgecolor=WARM, markeredgewidth=1.6,
            markersize=6, label=comparison_label,
        )  # fmt: skip
        axes.axvline(threshold / 1000, color=INK, linewidth=1.1, linestyle=(0, (4, 3)), label=threshold_label)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, fontsize=8)
        axes.set_xlabel("Annual wage, thousand dollars")
        axes.set_xlim(left=0)
    high, low = frame.loc[frame.p50.idxmax()], frame.loc[frame.p50.idxmin()]
    return _described(
        figure,
        f"{title}. Wage ranges of {len(frame)} rows. Highest median: {high[label]}, ${high.p50:,.0f}. "
        f"Lowest median: {low[label]}, ${low.p50:,.0f}. {threshold_label} at ${threshold:,.0f}.",
    )


def stacked_rungs(
    frame: pd.DataFrame, label: str, parts: list[str], axis_label: str, title: str, note: str
) -> Figure:
    """Draw stacked horizontal bars, one row per group, its parts from light (first) to dark."""
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.6 + 0.36 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame[label], 40))
        left = np.zeros(len(frame))
        for part, colour in zip(parts, RAMP, strict=False):
            axes.barh(
                spots,
                frame[part],
                left=left,
                height=0.7,
                color=colour,
                edgecolor="white",
                label=part.capitalize(),
            )
            left += frame[part].to_numpy()
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(parts), fontsize=8)
        axes.xaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("{x:,.0f}"))
        axes.set_xlabel(axis_label)
    top = frame.iloc[0]
    counts = ", ".join(f"{part} {top[part]:,.0f}" for part in parts)
    return _described(
        figure,
        f"{title}. {len(frame)} stacked bars, parts {', '.join(parts)}. First: {top[label]}: {counts}.",
    )


def placement(
    frame: pd.DataFrame,
    x: str,
    y: str,
    focus: pd.Series,
    focus_label: str,
    x_label: str,
    y_label: str,
    title: str,
    note: str,
) -> Figure:
    """Draw every region as a light dot on a logarithmic x axis, and the one in `focus` dark and named."""
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(4.1, title, note)
        axes.scatter(frame[x], frame[y], s=14, color=CONTEXT, alpha=0.65, linewidths=0)
        here = frame[focus]
        axes.scatter(here[x], here[y], s=70, color=FOCUS, edgecolor="white", zorder=3)
        for _, row in here.iterrows():
            right = row[x] > frame[x].median()
            axes.annotate(
                focus_label, (row[x], row[y]), xytext=(-9 if right else 9, 7), textcoords="offset points",
                ha="right" if right else "left", fontweight="bold", color=FOCUS,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("{x:,.0f}"))
        axes.yaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("${x:,.0f}"))
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
    spot = "; ".join(f"{row[x]:,.0f} and ${row[y]:,.0f}" for _, row in here.iterrows()) or "not published"
    return _described(
        figure, f"{title}. {len(frame):,} dots, {x_label} against {y_label}. {focus_label}: {spot}."
    )


def _box(
    axes: Axes, x: float, y: float, w: float, h: float, text: str, fill: str, ink: str, size: float
) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x, y),
            w,
            h,
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=fill,
            edgecolor="white",
            linewidth=1.5,
        )
    )
    axes.text(
        x + w / 2, y + h / 2, textwrap.fill(text, max(int(w * 9.5), 8)), ha="center", va="center",
        color=ink, fontsize=size, linespacing=1.25,
    )  # fmt: skip


def nested_model(
    frame: list[str], centre: str, ends: tuple[str, str], services: list[str], title: str, note: str
) -> Figure:
    """Draw a centre between two ends, services around it, inside one or more named frames (outermost first)."""
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(4.2, title, note)
        axes.set_axis_off()
        axes.set_xlim(0, 12)
        axes.set_ylim(0, 7)
        for depth, text in enumerate(frame):
            inset = 0.42 * depth
            axes.add_patch(
                FancyBboxPatch(
                    (0.1 + inset, 0.1 + inset), 11.8 - 2 * inset, 6.8 - 2.2 * inset,
                    boxstyle="round,pad=0,rounding_size=0.2", facecolor=(PAPER, "#e4ebf1", "#d5e0ea")[min(depth, 2)],
                    edgecolor=CONTEXT,
                )
            )  # fmt: skip
            axes.text(
                0.4 + inset,
                6.6 - 1.2 * inset,
                text,
                va="center",
                fontsize=8.5,
                color=MUTED,
                fontweight="bold",
            )
        _box(axes, 4.5, 2.5, 3, 1.5, centre, FOCUS, "white", 10)
        for x, text in zip((0.9, 8.9), ends, strict=True):
            _box(axes, x, 2.6, 2.2, 1.3, text, "#ffffff", INK, 9)
        for x in ((3.15, 4.45), (7.55, 8.85)):
            axes.annotate(
                "", (x[1], 3.25), (x[0], 3.25), arrowprops={"arrowstyle": "<->", "color": INK, "lw": 1.3}
            )
        spots = [(2.3, 4.5), (6.9, 4.5), (2.3, 0.85), (6.9, 0.85)]
        for (x, y), text in zip(spots, services, strict=True):
            _box(axes, x, y, 2.8, 0.95, text, RAMP[0], INK, 9)
    return _described(
        figure,
        f"{title}. Inside {' and, within it, '.join(frame)}: {centre} between {ends[0]} and {ends[1]}, "
        f"with {', '.join(services)} around it.",
    )
