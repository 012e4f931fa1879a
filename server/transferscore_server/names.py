"""Resource names: `projects/{project}/...`, taken apart and checked in one place."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from transferscore_server.access import require_project
from transferscore_server.errors import invalid

__all__ = ["Name", "new_id", "parse_name", "parse_parent", "resource_id"]

_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_COLLECTIONS = {
    "dataset": "datasets",
    "upload": "uploads",
    "ranking": "rankings",
    "operation": "operations",
}


@dataclass(frozen=True, slots=True)
class Name:
    """A resource's project and identifier."""

    project: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"projects/{self.project}/{_COLLECTIONS[self.kind]}/{self.id}"


def parse_parent(text: str, name: str = "parent") -> str:
    """The project of `projects/{project}`, if the caller may use it.

    Raises:
        CallError: It is not of that form, or the caller may not use the project.
    """
    collection, _, project = text.partition("/")
    if collection != "projects" or not _ID.fullmatch(project):
        raise invalid(name, f"must be `projects/{{project}}`; got {_shown(text)}.")
    return require_project(project)


def parse_name(kind: str, text: str, name: str = "name") -> Name:
    """The parts of a resource's name, if the caller may use its project.

    Raises:
        CallError: It is not of that form, or the caller may not use the project.
    """
    parts = text.split("/")
    collection = _COLLECTIONS[kind]
    well_formed = (
        len(parts) == 4
        and parts[0] == "projects"
        and parts[2] == collection
        and _ID.fullmatch(parts[1])
        and _ID.fullmatch(parts[3])
    )
    if not well_formed:
        form = f"projects/{{project}}/{collection}/{{{kind}}}"
        raise invalid(name, f"must be `{form}`; got {_shown(text)}.")
    return Name(require_project(parts[1]), kind, parts[3])


def resource_id(text: str, name: str) -> str:
    """An identifier that a caller chose, or a new one where they chose none.

    Raises:
        CallError: It is not 1 to 63 of a-z, 0-9 and hyphens, first a letter.
    """
    if not text:
        return new_id()
    if not _ID.fullmatch(text):
        raise invalid(
            name,
            "must be 1 to 63 of a-z, 0-9 and -, first a letter and last no hyphen; "
            f"got {_shown(text)}.",
        )
    return text


def new_id() -> str:
    """An identifier that nobody has and nobody guesses."""
    return "r" + secrets.token_hex(12)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:99] + "…")
