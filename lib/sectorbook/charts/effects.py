"""Forms for effects and for how alike two groups are, in the house style of `forms`."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sectorbook.charts.forms import (
    CONTEXT,
    FOCUS,
    INK,
    MUTED,
    STYLE,
    WARM,
    _canvas,
    _described,
    _nothing,
    _rows,
    _wrapped,
)

FORMS = {
    "USD": (lambda v: f"-${-v:,.0f}" if round(v) < 0 else f"${abs(v):,.0f}"),
    "percent": (lambda v: f"{round(v, 1) + 0.0:g}%"),
}


def forest(
    frame: pd.DataFrame,
    label: str,
    value: str,
    low: str,
    high: str,
    focus: pd.Series,
    reference: float,
    reference_label: str,
    unit: str,
    axis_label: str,
    title: str,
    note: str,
    without: str = "no figure",
) -> Figure:
    """Draw an estimate a row with its interval where there is one, a reference line, and the `focus` rows in warm colour.

    `unit` is one of `FORMS`. A row without a value keeps its place and says `without`.
    """
    if frame.empty:
        return _nothing(title, note)
    form, labels = FORMS[unit], _wrapped(frame[label], 54)
    with mpl.rc_context(STYLE):
        height = 0.42 if any("\n" in text for text in labels) else 0.31
        figure, axes = _canvas(1.3 + height * len(frame), title, note)
        spots = _rows(axes, labels)
        axes.tick_params(axis="y", labelsize=8.5)
        whole = frame[[value, low, high]].notna().all(axis=1).to_numpy()
        for marked in (False, True):
            own, colour = focus.to_numpy() == marked, WARM if marked else FOCUS
            with_line = own & whole
            axes.hlines(
                spots[with_line], frame[low][with_line], frame[high][with_line], color=colour, linewidth=2.4, zorder=2
            )  # fmt: skip
            axes.plot(frame[value][own], spots[own], "D" if marked else "o", color=colour, markersize=6)
        for y, number, marked in zip(spots, frame[value], focus, strict=True):
            axes.annotate(
                without if pd.isna(number) else form(number), (1, y), xycoords=("axes fraction", "data"),
                xytext=(6, 0), textcoords="offset points", va="center", fontsize=8, color=WARM if marked else FOCUS,
                fontweight="bold" if marked else "normal",
            )  # fmt: skip
        axes.axvline(reference, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.margins(x=0.05)
        left, right = axes.get_xlim()
        far = reference > (left + right) / 2
        axes.annotate(
            reference_label, (reference, 1), xycoords=("data", "axes fraction"), xytext=(-3 if far else 3, 2),
            textcoords="offset points", fontsize=7.5, color=INK, va="bottom", ha="right" if far else "left",
        )  # fmt: skip
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5))
        axes.xaxis.set_major_formatter(lambda v, _: form(v))
        axes.set_xlabel(axis_label)
    told = "; ".join(
        f"{row[label]}: {without if pd.isna(row[value]) else form(row[value])}" for _, row in frame.iterrows()
    )
    marked = ", ".join(frame.loc[focus.to_numpy(), label]) or "none"
    return _described(
        figure, f"{title}. Line at {form(reference)}: {reference_label}. {told}. Marked: {marked}."
    )


def love_plot(
    frame: pd.DataFrame, title: str, note: str, alike: float = 0.05, adjustable: float = 0.25
) -> Figure:
    """Draw standardized differences before (open) and after (filled) weighting, with the two thresholds as bands.

    `frame`: `covariate`, `difference_before`, `difference_after`.
    """
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.5 + 0.3 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame["covariate"]))
        axes.axvspan(-adjustable, adjustable, color="#e4ebf1", label=f"within {adjustable:g}: adjust for it")
        axes.axvspan(-alike, alike, color="#c3d3e1", label=f"within {alike:g}: alike")
        axes.hlines(
            spots, frame["difference_before"], frame["difference_after"], color=CONTEXT, linewidth=1.2
        )
        axes.plot(frame["difference_before"], spots, "o", color="white", markeredgecolor=WARM, markeredgewidth=1.8,
                  label="before weighting")  # fmt: skip
        axes.plot(frame["difference_after"], spots, "o", color=FOCUS, label="after weighting")
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_xlabel("Difference, participants less comparison, in participants' standard deviations")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, fontsize=8)
    worst = frame.loc[frame["difference_before"].abs().idxmax()]
    return _described(
        figure,
        f"{title}. {len(frame)} covariates. Farthest apart before weighting: {worst['covariate']}, "
        f"{worst['difference_before']:.2f} standard deviations. Largest after weighting: "
        f"{frame['difference_after'].abs().max():.2f}.",
    )


def two_lines(
    frame: pd.DataFrame, x: str, y: str, group: str, mark: float | None, mark_label: str, x_label: str, y_label: str,
    title: str, note: str, dollars: bool = True,
) -> Figure:  # fmt: skip
    """Draw one line a group over time, the first dark, with a vertical mark where one is given."""
    if frame.empty:
        return _nothing(title, note)
    form = FORMS["USD"] if dollars else "{:.1f}".format
    groups = sorted(frame[group].unique(), reverse=True)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(3.7, title, note)
        for name, colour, style in zip(groups, (FOCUS, WARM, MUTED), ("-", "--", ":"), strict=False):
            part = frame[frame[group] == name].sort_values(x)
            axes.plot(part[x], part[y], style, color=colour, marker="o", markersize=4, label=str(name))
        if mark is not None:
            axes.axvline(mark, color=INK, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                mark_label, (mark, 0), xycoords=("data", "axes fraction"), xytext=(4, 4), textcoords="offset points",
                fontsize=7.5, color=INK, va="bottom",
            )  # fmt: skip
        if dollars:
            axes.yaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("${x:,.0f}"))
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        axes.set_ylim(bottom=0)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, fontsize=8)
    ends = []
    for name in groups:
        part = frame[frame[group] == name].dropna(subset=[y]).sort_values(x)
        if len(part):
            ends.append(
                f"{name} from {form(part[y].iloc[0])} at {part[x].iloc[0]:g} to {form(part[y].iloc[-1])} at {part[x].iloc[-1]:g}"
            )
    return _described(
        figure,
        f"{title}. {x_label} against {y_label}. {'; '.join(ends)}."
        + ("" if mark is None else f" Line: {mark_label}."),
    )


def over_time(
    frame: pd.DataFrame, x: str, value: str, low: str, high: str, mark: float, mark_label: str, unit: str,
    x_label: str, y_label: str, title: str, note: str,
) -> Figure:  # fmt: skip
    """Draw an estimate a period with its interval, a line at none, and a vertical mark where the program starts."""
    if frame.empty:
        return _nothing(title, note)
    form = FORMS[unit]
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(3.6, title, note)
        axes.axhline(0, color=INK, linewidth=0.9)
        axes.vlines(frame[x], frame[low], frame[high], color=CONTEXT, linewidth=2.4)
        dark = (frame[x] >= mark).to_numpy()
        axes.plot(frame[x][dark], frame[value][dark], "o", color=FOCUS, markersize=6, label="after")
        axes.plot(
            frame[x][~dark], frame[value][~dark], "o", color="white", markeredgecolor=MUTED, label="before"
        )
        axes.axvline(mark - 0.5, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            mark_label, (mark - 0.5, 1), xycoords=("data", "axes fraction"), xytext=(3, 2), textcoords="offset points",
            fontsize=7.5, color=INK, va="bottom",
        )  # fmt: skip
        axes.yaxis.set_major_formatter(lambda v, _: form(v))
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
    told = "; ".join(f"{row[x]:g}: {form(row[value])}" for _, row in frame.iterrows() if pd.notna(row[value]))
    return _described(figure, f"{title}. {y_label} by {x_label}. {told}. Line: {mark_label}.")


def _two(title: str, note: str) -> tuple[Figure, list]:
    figure, axes = _canvas(4.2, title, note)
    axes.remove()
    return figure, list(figure.subplots(2, 1, sharex=True))


def score_overlap(scores: pd.Series, treated: pd.Series, title: str, note: str, bins: int = 20) -> Figure:
    """Draw two mirrored histograms of the chance of taking part: participants above, comparison people below (log counts)."""
    if scores.empty:
        return _nothing(title, note)
    edges = np.linspace(0, 1, bins + 1)
    above, _ = np.histogram(scores[treated == 1], edges)
    below, _ = np.histogram(scores[treated == 0], edges)
    with mpl.rc_context(STYLE):
        figure, (top, bottom) = _two(title, note)
        width = edges[1] - edges[0]
        for axes, counts, colour, name in (
            (top, above, FOCUS, "Participants"),
            (bottom, below, WARM, "Comparison people"),
        ):
            axes.bar(edges[:-1] + width / 2, counts, width * 0.9, color=colour)
            axes.set_yscale("log")
            axes.minorticks_off()
            axes.set_ylim(0.7, max(above.max(), below.max()) * 1.5)
            axes.set_ylabel(name, fontsize=8)
            axes.yaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("{x:,.0f}"))
        bottom.invert_yaxis()
        bottom.set_xlabel("Chance of taking part, given the covariates (each bar: people, logarithmic)")
        top.tick_params(labelbottom=False)
    return _described(
        figure,
        f"{title}. Of {int(above.sum()):,} participants {int(above[: bins // 10].sum()):,} have a chance under one tenth; of "
        f"{int(below.sum()):,} comparison people {int(below[: bins // 10].sum()):,} have.",
    )
