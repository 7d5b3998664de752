"""What a user sees when something they gave us cannot be used."""

from collections.abc import Iterable
from difflib import get_close_matches


class SectorbookError(Exception):
    """A problem the user can mend. Its text says what was found, what is valid and the nearest match."""


def nearest(found: str, valid: Iterable[str], n: int = 3) -> list[str]:
    """Return up to `n` of the `valid` strings that read most like `found`, best first, ignoring case."""
    by_lower = {v.lower(): v for v in valid}
    return [by_lower[m] for m in get_close_matches(found.lower(), by_lower, n=n, cutoff=0.4)]


def unknown(what: str, found: str, valid: Iterable[str], listing: str | None = None) -> SectorbookError:
    """Build the one message for a name that does not exist.

    `what` is the kind of name ("region"); `listing` says how to see the valid ones when they are too many to print.
    """
    valid = sorted(valid)
    close = nearest(found, valid)
    hint = f" Did you mean {' or '.join(repr(c) for c in close)}?" if close else ""
    shown = listing or f"Valid: {', '.join(valid)}."
    return SectorbookError(f"Unknown {what} {found!r}.{hint} {shown}")
