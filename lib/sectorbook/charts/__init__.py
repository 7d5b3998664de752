"""One function per chart form, in the house style of `forms`. Frames in, figures out; nothing here reads data."""

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
from sectorbook.charts.ranges import bands, intervals, tornado

__all__ = [
    "bands", "bars_with_marker", "interval_dots", "intervals", "ladder", "nested_model", "network_map", "placement",
    "stacked_rungs", "tornado", "wage_ranges",
]  # fmt: skip
