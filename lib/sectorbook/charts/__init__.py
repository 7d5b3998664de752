"""One function per chart form, in the house style of `forms`. Frames in, figures out; nothing here reads data."""

from sectorbook.charts.effects import forest, love_plot, over_time, score_overlap, two_lines
from sectorbook.charts.firms import gap_by_year, reported_changes
from sectorbook.charts.forms import (
    bars_with_marker,
    interval_dots,
    nested_model,
    placement,
    stacked_rungs,
    wage_ranges,
)
from sectorbook.charts.ladder import ladder
from sectorbook.charts.network import network_map
from sectorbook.charts.partnership import progress, timeline
from sectorbook.charts.ranges import bands, before_after, grouped_intervals, intervals, tornado

__all__ = [
    "bands", "bars_with_marker", "before_after", "forest", "gap_by_year", "grouped_intervals", "interval_dots", "intervals",
    "ladder", "love_plot", "nested_model", "network_map", "over_time", "placement", "progress", "reported_changes",
    "score_overlap", "stacked_rungs", "timeline", "tornado", "two_lines", "wage_ranges",
]  # fmt: skip
