"""The fixed strings of the workshop edition in its language."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from sectorbook.errors import unknown

SOURCE = "en"
CATALOGUES = resources.files("sectorbook.workshop") / "languages"


@dataclass(frozen=True)
class Words:
    """A catalogue of fixed strings: `words("key", field=…)` returns one with its fields filled in."""

    code: str
    text: dict[str, str]
    units: dict[str, str]

    def __call__(self, key: str, **values: Any) -> str:
        """Return the fixed string `key`. Values are put in as they are."""
        return self.text[key].format(**values)


def codes() -> list[str]:
    """Return the languages there are, by code."""
    return sorted(f.name.removesuffix(".yml") for f in CATALOGUES.iterdir() if f.name.endswith(".yml"))


@cache
def load(code: str) -> Words:
    """Return the catalogue of the language `code`. Raises SectorbookError for one that is not there."""
    if code not in codes():
        raise unknown("language", code, codes())
    return Words(code, **yaml.safe_load((CATALOGUES / f"{code}.yml").read_text(encoding="utf-8")))
