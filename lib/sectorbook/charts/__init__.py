"""One function per chart form, in the house style of `forms`. Frames in, figures out; nothing here reads data."""

from sectorbook.charts.firms import gap_by_year, reported_changes
from sectorbook.charts.forms import (
    bars_with_marker,
    interval_dots,
    nested_model,
    placement,
    stacked_rungs,
    wage_ranges,
)
from sectorbook.charts.network import network_map
from sectorbook.charts.partnership import progress, timeline
from sectorbook.charts.ranges import bands, intervals, tornado

__all__ = [
    "bands", "bars_with_marker", "gap_by_year", "interval_dots", "intervals", "nested_model", "network_map", "placement",
    "progress", "reported_changes", "stacked_rungs", "timeline", "tornado", "wage_ranges",
]  # fmt: skip
