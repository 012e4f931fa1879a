"""Paths and URIs that callers name: under allowed roots only, by no way around.

A path is walked from its root one component at a time, never through a symbolic link, and what may
not be named is refused in the same words whether or not it is there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from transferscore.encoders.uri import expand_globs, parse_uri
from transferscore_server.errors import denied, invalid
from transferscore_server.references import foreign_reference
from transferscore_server.settings import Settings
from transferscore_server.store.records import ModelSpec

__all__ = ["allowed_dataset", "allowed_models"]

# A backslash is a separator elsewhere, and an escaped dot is a dot to whatever decodes it.
_SUSPICIOUS = ("\\", "\0", "%")
_FILE = "file://"


def allowed_dataset(uri: str, roots: Sequence[str]) -> Path:
    """The file or folder of a dataset URI `file:///...`.

    Raises:
        CallError: It is no such URI, or not under a root, or reached by a symbolic link.
    """
    if not uri.startswith(_FILE + "/"):
        raise denied(
            "URI_NOT_ALLOWED",
            "A dataset URI must be `file:///PATH` under a folder that the server allows; other "
            "schemes are off. Upload the data instead.",
        )
    path = _allowed(uri.removeprefix(_FILE), roots)
    if path is None or (path.is_dir() and _has_links(path)):
        raise denied(
            "URI_NOT_ALLOWED",
            "This dataset URI is not under a folder that the server allows, or leads out of it by "
            "a symbolic link.",
        )
    if not path.exists():
        raise invalid("dataset.uri", "names nothing that is there.")
    return path


def allowed_models(
    uris: Sequence[str], names: Sequence[str], settings: Settings
) -> tuple[ModelSpec, ...]:
    """The models that URIs stand for: globs expanded, or one a URI where they are given names.

    Raises:
        CallError: A scheme or path is not allowed, or too many models match.
        EncoderError: A URI cannot be understood, or a glob matches nothing.
    """
    if names and len(names) != len(uris):
        raise invalid(
            "ranking.spec.model_names",
            f"must be one a URI ({len(uris)}), or none; got {len(names)}.",
        )
    models: list[ModelSpec] = []
    for position, uri in enumerate(uris):
        field = f"ranking.spec.models[{position}]"
        found = list(_matches(uri, settings, field))
        if names:
            found = [_named(found, names[position], field)]
        for model in found:
            if names or model.uri not in {known.uri for known in models}:
                models.append(model)
            if len(models) > settings.limits.max_candidates:
                raise invalid(
                    "ranking.spec.models",
                    f"must stand for at most {settings.limits.max_candidates} models "
                    "(Limits.max_candidates).",
                )
    return tuple(models)


def _named(found: Sequence[ModelSpec], name: str, field: str) -> ModelSpec:
    if len(found) != 1:
        raise invalid(field, f"must be one model where models have names; it is {len(found)}.")
    return ModelSpec(found[0].uri, name)


def _matches(text: str, settings: Settings, name: str) -> Iterator[ModelSpec]:
    if len(text) > 4096 or any(mark in text for mark in _SUSPICIOUS):
        raise invalid(name, "must be at most 4096 characters, without backslash, NUL or percent.")
    uri = parse_uri(text)
    if uri.scheme not in settings.model_schemes:
        raise denied(
            "URI_NOT_ALLOWED",
            f"Models of the scheme `{uri.scheme}:` may not be named here; allowed: "
            f"{', '.join(settings.model_schemes) or 'none'}.",
        )
    if settings.hub and uri.scheme in _HUB and _is_hub_name(uri.path):
        yield ModelSpec(text)
        return
    prefix, _, rest = text.partition(":")
    if prefix != uri.scheme:
        prefix, rest = uri.scheme, text
    for root in _roots_of(uri.path, settings.model_roots):
        anchored = rest if rest.startswith("/") else f"{root}/{rest}"
        for match in _expanded(f"{prefix}:{anchored}", name):
            path = _allowed(parse_uri(match).path, settings.model_roots)
            if path is None:
                raise _model_denied(text)
            _check_references(path, settings)
            yield ModelSpec(
                match, None if rest.startswith("/") else match.replace(f"{root}/", "", 1)
            )
        return
    raise _model_denied(text)


def _check_references(model: Path, settings: Settings) -> None:
    roots = [Path(_absolute(root)) for root in settings.model_roots]
    foreign = foreign_reference(model, roots, hub=settings.hub)
    if foreign is not None:
        raise denied(
            "URI_NOT_ALLOWED",
            f"The model `{model.name}` refers to a {foreign[:200]} that is not under a folder that "
            "the server allows; put it there, or name it by a path from where the model lies.",
        )


def _expanded(uri: str, name: str) -> list[str]:
    try:
        return expand_globs([uri])
    except (ValueError, NotImplementedError, OSError):
        raise invalid(name, "is no pattern that can be followed.") from None


_HUB = {"hf", "st", "timm"}


def _is_hub_name(path: str) -> bool:
    """`organisation/name`, and not also a path that is there."""
    parts = path.split("/")
    return len(parts) <= 2 and all(part and part[0].isalnum() for part in parts)


def _roots_of(path: str, roots: Sequence[str]) -> Iterator[str]:
    """The root that a path lies under by its words; for a relative one, each that has it."""
    if ".." in Path(path).parts:
        return
    for root in map(_absolute, roots):
        if path.startswith("/"):
            if Path(path).is_relative_to(root):
                yield root
        elif _has_match(root, path):
            yield root


def _has_match(root: str, pattern: str) -> bool:
    try:
        return any(Path(root).glob(pattern))
    except (ValueError, NotImplementedError, OSError):
        return False


def _model_denied(text: str) -> Exception:
    return denied(
        "URI_NOT_ALLOWED",
        f"The model `{text[:200]}` is not there, or not under a folder that the server allows "
        "(--model-root), or leads out of it by a symbolic link; names on a hub are allowed only "
        "where the server is started with --hub.",
    )


def _allowed(text: str, roots: Sequence[str]) -> Path | None:
    """The path, if it is under a root with no link on the way; it need not be there."""
    path = Path(text)
    if any(mark in text for mark in _SUSPICIOUS) or ".." in path.parts or not path.is_absolute():
        return None
    for root in map(_absolute, roots):
        if path.is_relative_to(root) and _without_links(root, path.relative_to(root).parts):
            return path
    return None


def _without_links(root: str, parts: Sequence[str]) -> bool:
    """Whether no component below the root is a link. Each is opened within the one before."""
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        for part in parts:
            try:
                entry = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
            except (FileNotFoundError, NotADirectoryError):
                return True
            os.close(folder)
            folder = entry
            if stat.S_ISLNK(os.fstat(folder).st_mode):
                return False
        return True
    finally:
        os.close(folder)


def _has_links(folder: Path) -> bool:
    """Whether anything below the folder is a symbolic link."""
    return any(
        Path(parent, name).is_symlink()
        for parent, folders, files in os.walk(folder)
        for name in (*folders, *files)
    )


def _absolute(root: str) -> str:
    """A root as the operator meant it: their own links may be in it."""
    return str(Path(root).expanduser().resolve())
