"""A figure's picture holds what was drawn, with a palette."""

import io

import matplotlib as mpl
import numpy as np
import PIL.Image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sectorbook import pictures

# A palette of 256 colours for more than 256: what one channel of a dot may differ by, of 255. Nobody sees it.
NEAR = 12
# The rest are the edges of letters and bars, where neighbors blend in many shades.
MOSTLY = 0.99


def drawn(colours: int) -> tuple[np.ndarray, PIL.Image.Image]:
    """Return the dots of a figure with about so many colours, and its picture."""
    figure = Figure(figsize=(4, 3))
    axes = figure.add_subplot()
    for place in range(colours):
        axes.barh(place, place + 1, color=(place / colours, 0.3, 1 - place / colours))
    picture = PIL.Image.open(io.BytesIO(pictures.png(figure)))
    canvas = FigureCanvasAgg(figure)
    with mpl.rc_context({"text.hinting": "no_hinting"}):
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int), picture


def test_a_picture_has_the_size_and_the_colours_of_what_was_drawn() -> None:
    for colours in (3, 400):
        dots, picture = drawn(colours)
        assert picture.mode == "P" and picture.size == (4 * pictures.DPI, 3 * pictures.DPI)
        shown = np.asarray(picture.convert("RGB")).astype(int)
        assert np.abs(shown - dots).max() <= NEAR
        assert colours > pictures.PALETTE or (shown == dots).all(axis=2).mean() > MOSTLY, (
            "what covers most is exact"
        )
        assert (shown[dots.min(axis=2) == 255] == 255).all(), "paper stays white"
