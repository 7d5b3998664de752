"""What the warm parent imports and tries once, so that no chapter has to.

Nothing here may leave a thread, an open file, a figure or a changed setting behind: every chapter inherits it.
"""

import gc
import importlib
import importlib.util
import os
import pkgutil
import sys
from pathlib import Path

# One thread: a fork copies only the thread that calls it, and the locks of the others stay shut for ever.
SINGLE_THREADED = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
# As in a kernel. The backend itself is imported in the child: it ties itself to the shell it finds at its import.
BACKEND = "module://matplotlib_inline.backend_inline"
LATE = "matplotlib_inline.backend_inline"

MODULES = (
    "numpy", "pandas", "scipy.optimize", "scipy.stats", "statsmodels.api", "statsmodels.formula.api", "networkx",
    "matplotlib.figure", "matplotlib.pyplot", "matplotlib.backends.backend_agg", "duckdb", "PIL.PngImagePlugin",
    "IPython", "IPython.core.completer", "ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.ipkernel",
    "nbformat", "nbclient", "papermill", "nbconvert.exporters.html", "email.utils",
)  # fmt: skip


def _importable(name: str) -> bool:
    return importlib.util.find_spec(name.partition(".")[0]) is not None


def _import_all() -> None:
    import sectorbook

    for name in MODULES:
        if _importable(name):
            importlib.import_module(name)
    for found in pkgutil.walk_packages(sectorbook.__path__, "sectorbook."):
        if found.name != "sectorbook.__main__":
            importlib.import_module(found.name)
    if LATE in sys.modules:
        raise RuntimeError(f"{LATE} was imported before the fork: figures would be lost.")


def _rehearse() -> None:
    """Go once through what every chapter does: libraries load parts of themselves at first use."""
    import pandas as pd
    from IPython.display import Image
    from matplotlib.figure import Figure

    from sectorbook import charts, findings

    frame = pd.DataFrame({"label": ["a", "b"], "value": [1.0, 2.0], "low": [0.5, 1.5], "high": [1.5, 2.5]})
    figure = charts.interval_dots(
        frame, "label", "value", "low", "high", frame.value > 1, 1.0, "line", "axis", "title", "note"
    )
    if isinstance(figure, Figure):
        Image(findings._png(figure))
    frame.to_string(), frame.to_html()


def _stamp() -> tuple:
    """Return what tells that the configuration, the data and their place are the ones remembered."""
    from sectorbook import paths

    files = [*paths.config().rglob("*.yml"), *paths.processed().rglob("*")]
    sizes = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in sorted(files) if f.is_file()]
    return (str(paths.root()), tuple(sizes))


def _remember() -> tuple:
    """Read the configuration and the lists of regions and industries once; return their stamp."""
    from sectorbook import config, warehouse

    stamp = _stamp()
    warehouse.regions(), warehouse._names(), warehouse._industries(), config.columns(), config.sectors()
    for table in warehouse.tables():
        warehouse._parquet(table)
    for name in config.frameworks():
        config.framework(name)
    return stamp


def forget_if_changed(stamp: tuple | None) -> None:
    """In a child: drop what the parent remembered unless the files it came from are still the same."""
    from sectorbook import config, paths, warehouse

    if stamp is not None and stamp[0] == str(paths.root()) and stamp == _stamp():
        return
    for module in (config, warehouse):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def warm_up() -> tuple | None:
    """Import and rehearse; return the stamp of what is remembered, None when nothing could be read."""
    from sectorbook.errors import SectorbookError

    os.environ["MPLBACKEND"] = BACKEND
    _import_all()
    _rehearse()
    try:
        stamp = _remember()
    except SectorbookError:
        # The chapters will say what is wrong, each under its own name.
        stamp = None
    gc.collect()
    gc.freeze()
    return stamp


def interpreter() -> str:
    """Return the interpreter as kernel specifications name it."""
    return str(Path(sys.executable))
