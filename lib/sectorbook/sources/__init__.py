"""One module per publisher: what to fetch, how to read it, what tables it yields."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from sectorbook.errors import unknown


def names() -> list[str]:
    """Return the names of all sources. A source is there because its file is."""
    return sorted(module.name for module in iter_modules(__path__))


def get(name: str) -> ModuleType:
    """Return the module of one source. Raises SectorbookError for an unknown name."""
    if name not in names():
        raise unknown("source", name, names())
    return import_module(f"sectorbook.sources.{name}")
