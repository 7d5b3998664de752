"""The YAML in `config/`, read and validated. Unknown keys are errors that list the valid ones."""

from functools import cache
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from sectorbook import paths
from sectorbook.config.shapes import (
    Audience,
    Column,
    Entry,
    Framework,
    LocalColumn,
    LocalTable,
    NamedRegion,
    Published,
    Questionnaire,
    Sector,
)
from sectorbook.errors import SectorbookError, nearest

Model = TypeVar("Model", bound=Entry)

# The loader in C where PyYAML was built with it: the same result in a tenth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _read(name: str) -> Any:
    path = paths.config(name)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    except FileNotFoundError as error:
        raise SectorbookError(f"{paths.shown(path)} is missing.") from error
    except yaml.YAMLError as error:
        raise SectorbookError(f"{paths.shown(path)} is not valid YAML: {error}") from error


def _validate(model: type[Model], name: str, key: str, value: Any) -> Model:
    """Return `value` as a `model`, or raise one message that names the file, the entry and each problem."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            where = ".".join(str(part) for part in problem["loc"])
            if problem["type"] == "extra_forbidden":
                close = nearest(str(problem["loc"][-1]), model.model_fields, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                problems.append(f"unknown key {where!r}.{hint} Valid keys: {', '.join(model.model_fields)}")
            else:
                problems.append(f"{where}: {problem['msg']} (found {problem['input']!r})")
        raise SectorbookError(f"config/{name}, entry {key!r}: " + "; ".join(problems)) from error


def entries(model: type[Model], name: str) -> dict[str, Model]:
    """Return the entries of `config/<name>` as `model`s, by key. Raises SectorbookError with the file and each problem."""
    content = _read(name)
    if not isinstance(content, dict):
        raise SectorbookError(f"config/{name} must be a mapping of names to entries.")
    return {str(key): _validate(model, name, str(key), value) for key, value in content.items()}


def validated(model: type[Model], name: str, content: Any) -> Model:
    """Return the content of `config/<name>` as a `model`. Raises SectorbookError with the file and each problem."""
    return _validate(model, name, name.rpartition("/")[2], content)


@cache
def regions() -> dict[str, NamedRegion]:
    """Return the named regions of `config/regions.yml`, by slug."""
    return entries(NamedRegion, "regions.yml")


@cache
def sectors() -> dict[str, Sector]:
    """Return the sector presets of `config/sectors.yml`, by slug."""
    return entries(Sector, "sectors.yml")


@cache
def columns() -> dict[str, Column]:
    """Return the data dictionary of `config/columns.yml`, by column name."""
    return entries(Column, "columns.yml")


@cache
def audiences() -> dict[str, Audience]:
    """Return the audiences of a report of `config/audiences.yml`, by name."""
    return entries(Audience, "audiences.yml")


@cache
def published() -> dict[str, Published]:
    """Return the numbers others published, from `config/published.yml`, by id."""
    return entries(Published, "published.yml")


@cache
def framework(name: str) -> Framework:
    """Return the instrument in `config/frameworks/<name>.yml`."""
    file = f"frameworks/{name}.yml"
    return _validate(Framework, file, name, _read(file))


def frameworks() -> list[str]:
    """Return the names of all instruments, in order."""
    return sorted(path.stem for path in paths.config("frameworks").glob("*.yml"))


@cache
def questionnaire(name: str) -> Questionnaire:
    """Return the questionnaire in `config/questionnaires/<name>.yml`."""
    file = f"questionnaires/{name}.yml"
    return _validate(Questionnaire, file, name, _read(file))


@cache
def local() -> dict[str, LocalTable]:
    """Return the files an initiative fills in, from `config/local.yml`, by table."""
    tables = entries(LocalTable, "local.yml")
    for name, table in tables.items():
        for column in table.columns:
            target, _, key = (column.refers or "").partition(".")
            if column.refers and (target not in tables or key != tables[target].columns[0].name):
                raise SectorbookError(
                    f"config/local.yml, entry {name!r}, column {column.name!r}: {column.refers!r} is not the first "
                    "column of a table."
                )
            local_choices(column)
    return tables


def local_choices(column: LocalColumn) -> tuple[str, ...]:
    """Return the answers a "choice" or "several" column takes; none for the other types."""
    if column.framework is not None:
        items = framework(column.framework).items
        found = tuple(item.id for item in items if not column.groups or item.group in column.groups)
    elif column.choices is not None:
        found = tuple(choice.id for choice in questionnaire("employer").choices[column.choices])
    else:
        return column.valid
    if not found:
        raise SectorbookError(f"config/local.yml, column {column.name!r}: its list of answers is empty.")
    return found


def lines_of(table: LocalTable) -> list[tuple[str, str, str, str]]:
    """Return the lines of a form: section, item, question, and the instrument's note; none for other tables."""
    return [
        (section, item.id, item.label, item.note or "")
        for section, wanted in table.lines.items()
        for item in framework(wanted.framework).items
        if not wanted.groups or item.group in wanted.groups
    ]


def demonstration() -> dict[str, Any]:
    """Return what the demonstration does not draw at random, from `config/demonstration.yml`."""
    return _read("demonstration.yml")


@cache
def attrition_boundary() -> tuple[dict[str, float | None], ...]:
    """Return the What Works Clearinghouse's attrition boundary, from `config/wwc_attrition.yml`, by overall attrition."""
    return tuple(_read("wwc_attrition.yml")["boundary"])
