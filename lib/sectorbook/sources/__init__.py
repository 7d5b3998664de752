"""One module per publisher: what to fetch, how to read it, what tables it yields."""

from importlib import import_module
from inspect import Parameter, signature
from pkgutil import iter_modules
from types import ModuleType

from sectorbook.errors import SectorbookError, unknown
from sectorbook.provenance import Fetch


def names() -> list[str]:
    """Return the names of all sources. A source is there because its file is."""
    return sorted(module.name for module in iter_modules(__path__))


def get(name: str) -> ModuleType:
    """Return the module of one source. Raises SectorbookError for an unknown name."""
    if name not in names():
        raise unknown("source", name, names())
    return import_module(f"sectorbook.sources.{name}")


def plan(name: str, **options: object) -> Fetch:
    """Return what to fetch of one source: its `requests()` with the `options` that were given (not None).

    Raises SectorbookError for an option the source has no use for, one it cannot do without, or a bad value.
    """
    requests = get(name).requests
    takes = signature(requests).parameters
    given = {key: value for key, value in options.items() if value is not None}
    if strangers := [key for key in given if key not in takes]:
        raise SectorbookError(
            f"{name} is not fetched by {strangers[0]}. It takes: {', '.join(takes) or 'no options'}."
        )
    needed = [key for key, value in takes.items() if value.default is Parameter.empty and key not in given]
    if needed:
        raise SectorbookError(f"{name} is fetched by {', '.join(needed)}: give it.")
    return requests(**given)
