"""The time that stands in files, where one is given."""

from datetime import UTC, datetime
from os import environ

from sectorbook.errors import SectorbookError

FIRST, LAST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def given() -> datetime | None:
    """Return the time SOURCE_DATE_EPOCH gives, or None where it is not set.

    Raises SectorbookError unless it is whole seconds between 1980 and 2100.
    """
    text = environ.get("SOURCE_DATE_EPOCH")
    if text is None:
        return None
    if not text.isdecimal() or not FIRST.timestamp() <= int(text) <= LAST.timestamp():
        raise SectorbookError(
            f"SOURCE_DATE_EPOCH is whole seconds since 1970, from 1980 to 2100; found {text!r}."
        )
    return datetime.fromtimestamp(int(text), UTC)
