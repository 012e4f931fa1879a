"""What a model refers to beside itself: other files and models, under allowed roots as well.

A folder names its base model, its modules, its shards and its vocabulary in files that whoever made
it could write anything into; a loader would follow them wherever they lead.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from transferscore.encoders.onnx_files import onnx_files

__all__ = ["foreign_reference"]

_ADAPTER = "adapter_config.json"
_VOCABULARY = ("vocab_file", "merges_file", "tokenizer_file")
# A model whose base has a base, and so on, is made to go round in circles.
_MOST_BASES = 4


def foreign_reference(model: Path, roots: Sequence[Path], *, hub: bool) -> str | None:
    """The first thing a model refers to that is not under a root; None where there is none.

    Args:
        model: The model's file or folder.
        roots: Folders, resolved, that may be read.
        hub: Whether a base model may be a name on a hub.
    """
    for _ in range(_MOST_BASES):
        for name, path in _references(model):
            if not _is_under(path, roots):
                return name
        base = _base(model)
        if not base:
            return None
        found = _local(model, base)
        if found is None and hub and not base.startswith(("/", ".", "~")):
            return None
        if found is None or not _is_under(found, roots):
            return f"base model {base!r}"
        model = found
    return "chain of base models"


def _references(model: Path) -> Iterator[tuple[str, Path]]:
    if model.is_file():
        yield from ((f"weights {file.name!r}", file) for file in onnx_files(model))
        return
    for parent, folders, files in os.walk(model):
        for name in (*folders, *files):
            if (path := Path(parent, name)).is_symlink():
                yield f"link {name!r}", path
            if name.endswith(".index.json"):
                yield from _shards(path)
            elif name == "modules.json":
                yield from _modules(path)
            elif name == "tokenizer_config.json":
                yield from _vocabulary(path)


def _shards(index: Path) -> Iterator[tuple[str, Path]]:
    shards = _mapping(index).get("weight_map")
    for shard in set(map(str, shards.values())) if isinstance(shards, Mapping) else ():
        yield f"weights {shard!r}", index.parent / shard


def _modules(file: Path) -> Iterator[tuple[str, Path]]:
    modules = _read(file)
    for module in modules if isinstance(modules, list) else ():
        if isinstance(module, Mapping):
            path = str(module.get("path") or "")
            yield f"module {path!r}", file.parent / path


def _vocabulary(file: Path) -> Iterator[tuple[str, Path]]:
    config = _mapping(file)
    for key in _VOCABULARY:
        if isinstance(named := config.get(key), str) and named:
            # Where it was trained there was such a file; here there mostly is none.
            path = file.parent / named
            if _is_there(path):
                yield f"vocabulary {named!r}", path


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _base(model: Path) -> str:
    """What an adapter says is its base model; empty where the model is no adapter."""
    return str(_mapping(model / _ADAPTER).get("base_model_name_or_path") or "")


def _local(adapter: Path, base: str) -> Path | None:
    """The folder that an adapter's base is, as a loader finds it: beside, or from where it runs."""
    try:
        return next(path for path in (adapter / base, Path(base)) if path.is_dir())
    except (StopIteration, OSError):
        return None


def _is_under(path: Path, roots: Sequence[Path]) -> bool:
    """Whether a path ends under a root, whatever links are on the way; it need not be there."""
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError):
        # A name too long, links in a circle, a NUL: nothing that a file has.
        return False
    return any(resolved.is_relative_to(root) for root in roots)


def _mapping(file: Path) -> Mapping[str, Any]:
    content = _read(file)
    return content if isinstance(content, Mapping) else {}


def _read(file: Path) -> Any:
    """A JSON file; None where it is not one, of which the loader will say so."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
