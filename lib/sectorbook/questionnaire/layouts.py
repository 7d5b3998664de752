"""How each survey tool lays out its export: which columns are whose, what tells a response's id and completeness."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sectorbook.errors import SectorbookError, unknown


@dataclass(frozen=True)
class Heading:
    """One column: what it is called in the file, the names its question may go by, and the choice it stands for.

    `specify` says that it holds the text of "other, specify".
    """

    shown: str
    names: tuple[str, ...]
    choice: str | None = None
    specify: bool = False


@dataclass(frozen=True)
class Layout:
    """A tool's export: the headings, how many rows they take, the tool's own columns, and how it joins answers.

    `accepted` is the tool's column for tests and reviews and its values (in lower case) for a response to be counted.
    """

    tool: str
    headings: tuple[Heading, ...]
    header_rows: int
    response_id: str | None
    submitted_at: str | None
    finished: Callable[[dict[str, str]], bool]
    separator: str
    own: frozenset[str]
    accepted: tuple[str, frozenset[str]] | None


_OWN = {
    "kobo": {"start", "end", "introduction", "__version__", "formhub/uuid", "meta/instanceID", "meta/rootUuid", "_version_"},
    "odk_central": {
        "SubmissionDate", "meta-instanceID", "meta-instanceName", "KEY", "SubmitterID", "SubmitterName", "start", "end",
        "AttachmentsPresent", "AttachmentsExpected", "Status", "ReviewState", "DeviceID", "Edits", "FormVersion",
        "introduction",
    },
    "qualtrics": {
        "StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "RecordedDate",
        "ResponseId", "RecipientLastName", "RecipientFirstName", "RecipientEmail", "ExternalReference",
        "LocationLatitude", "LocationLongitude", "DistributionChannel", "UserLanguage",
    },
    "surveymonkey": {
        "Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address", "First Name",
        "Last Name", "Custom Data 1",
    },
    "limesurvey": {
        "id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp", "ipaddr", "refurl", "token",
    },
    "google_forms": {"Timestamp", "Marca temporal", "Email Address", "Username", "Score"},
    "microsoft_forms": {"Id", "ID", "Start time", "Completion time", "Email", "Name", "Last modified time", "Language"},
}  # fmt: skip

_MARKS = {
    "qualtrics": 'a third row of {"ImportId":…}',
    "surveymonkey": "'Respondent ID' and a second header row",
    "odk_central": "'KEY' and 'SubmissionDate'",
    "kobo": "'_uuid' and '_submission_time'",
    "limesurvey": "'submitdate' and 'lastpage'",
    "microsoft_forms": "'Start time' and 'Completion time'",
    "google_forms": "a first column 'Timestamp'",
}
TOOLS = tuple(_MARKS)


def detect(rows: list[list[str]], name: str) -> str:
    """Return the tool whose export the rows look like. Raises SectorbookError that lists each tool's marks."""
    first = set(rows[0])
    if len(rows) > 2 and any(cell.lstrip().startswith('{"ImportId"') for cell in rows[2]):
        return "qualtrics"
    if "Respondent ID" in first and len(rows) > 1 and not rows[1][rows[0].index("Respondent ID")].strip():
        return "surveymonkey"
    for tool, marks in (
        ("odk_central", {"KEY", "SubmissionDate"}),
        ("kobo", {"_uuid", "_submission_time"}),
        ("limesurvey", {"submitdate", "lastpage"}),
        ("microsoft_forms", {"Start time", "Completion time"}),
    ):
        if marks <= first:
            return tool
    if rows[0][0] in ("Timestamp", "Marca temporal"):
        return "google_forms"
    marks = "; ".join(f"{tool}: {mark}" for tool, mark in _MARKS.items())
    raise SectorbookError(
        f"{name}: cannot tell which tool wrote it. Found the columns {', '.join(rows[0][:8])}. A tool is known by: {marks}."
    )


def layout(rows: list[list[str]], name: str, tool: str | None = None) -> Layout:
    """Return the layout of an export; `tool` names it where it cannot be told from the columns.

    Raises SectorbookError for an unknown tool, header rows that are missing, or the same column twice.
    """
    tool = detect(rows, name) if tool is None else tool
    if tool not in TOOLS:
        raise unknown("survey tool", tool, TOOLS)
    header_rows = {"qualtrics": 3, "surveymonkey": 2}.get(tool, 1)
    if len(rows) < header_rows:
        raise SectorbookError(
            f"{name}: an export of {tool} has {header_rows} header rows; found {len(rows)}."
        )
    headings = _HEADINGS.get(tool, _one_row)(rows)
    shown = [heading.shown for heading in headings]
    twice = sorted({s for s in shown if shown.count(s) > 1})
    if twice:
        raise SectorbookError(f"{name}: these columns stand twice: {', '.join(map(repr, twice))}.")
    finished, response_id, submitted_at, separator = _TOOL_COLUMNS[tool]
    return Layout(
        tool,
        tuple(headings),
        header_rows,
        next((column for column in response_id if column in shown), None),
        next((column for column in submitted_at if column in shown), None),
        finished,
        separator,
        frozenset(_OWN[tool] | ({s for s in shown if s.startswith("_")} if tool == "kobo" else set())),
        _ACCEPTED.get(tool) if tool in _ACCEPTED and _ACCEPTED[tool][0] in shown else None,
    )


def _one_row(rows: list[list[str]]) -> list[Heading]:
    return [Heading(cell.strip(), (cell.strip(),)) for cell in rows[0]]


def _paths(rows: list[list[str]]) -> list[Heading]:
    """KoBo joins groups with / and ODK with -; both put the choice of a split question after a last /."""
    headings = []
    for cell in map(str.strip, rows[0]):
        parts = re.split(r"[/-]", cell)
        choice = parts[-1] if "/" in cell and len(parts) > 1 else None
        headings.append(Heading(cell, (cell, *parts[-2:-1], parts[-1]), choice))
    return headings


def _qualtrics(rows: list[list[str]]) -> list[Heading]:
    headings = []
    for code, text in zip(rows[0], rows[1], strict=True):
        code, text = code.strip(), " ".join(text.split())
        match = re.fullmatch(r"(.+?)_(\d+)(_TEXT)?", code)
        stem, choice = (match[1], text.rsplit(" - ", 1)[-1]) if match else (code, None)
        names = (code, stem, text, text.split(" - ")[0])
        headings.append(Heading(code, names, choice, specify=bool(match and match[3])))
    return headings


def _surveymonkey(rows: list[list[str]]) -> list[Heading]:
    headings, question = [], ""
    for top, below in zip(rows[0], rows[1], strict=True):
        top, below = top.strip(), below.strip()
        question = top or (question if below else "")
        choice = None if below in ("", "Response", "Open-Ended Response") else below
        specify = choice is not None and choice.lower().startswith(("other (", "otro ("))
        headings.append(
            Heading(f"{question} [{choice}]" if choice else question, (question,), choice, specify)
        )
    return headings


def _limesurvey(rows: list[list[str]]) -> list[Heading]:
    headings = []
    for cell in map(str.strip, rows[0]):
        match = re.fullmatch(r"(.+)\[(.+)\]", cell)
        if match:
            headings.append(Heading(cell, (match[1],), match[2], specify=match[2] == "other"))
        else:
            headings.append(Heading(cell, (cell,)))
    return headings


_HEADINGS = {
    "kobo": _paths,
    "odk_central": _paths,
    "qualtrics": _qualtrics,
    "surveymonkey": _surveymonkey,
    "limesurvey": _limesurvey,
}


_ACCEPTED = {
    "qualtrics": ("Status", frozenset({"", "0", "ip address", "4", "imported"})),
    "odk_central": ("ReviewState", frozenset({"", "received", "edited", "approved"})),
    "kobo": ("_validation_status", frozenset({"", "approved", "validation_status_approved"})),
}


def _always(_: dict[str, str]) -> bool:
    return True


def _filled(*columns: str) -> Callable[[dict[str, str]], bool]:
    return lambda row: any(row.get(column, "").strip() for column in columns)


def _qualtrics_finished(row: dict[str, str]) -> bool:
    return row.get("Finished", "").strip().lower() in ("1", "true")


# Per tool: when a response is finished, the columns of its id and time, what joins several answers in one cell.
_TOOL_COLUMNS: dict[str, tuple[Callable[[dict[str, str]], bool], tuple[str, ...], tuple[str, ...], str]] = {
    "kobo": (_always, ("_uuid", "_id"), ("_submission_time",), " "),
    "odk_central": (_always, ("KEY", "meta-instanceID"), ("SubmissionDate",), " "),
    "qualtrics": (_qualtrics_finished, ("ResponseId",), ("RecordedDate", "EndDate"), ","),
    "surveymonkey": (_filled("End Date"), ("Respondent ID",), ("End Date",), ","),
    "limesurvey": (_filled("submitdate"), ("id",), ("submitdate",), ","),
    "google_forms": (_always, (), ("Timestamp", "Marca temporal"), ","),
    "microsoft_forms": (_filled("Completion time"), ("Id", "ID"), ("Completion time",), ";"),
}
