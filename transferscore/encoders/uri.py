"""Model URIs: `scheme:rest[@revision][?key=value&...][#output]`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from transferscore.encoders.registry import ADAPTERS, Adapter
from transferscore.errors import EncoderError, UnknownSchemeError

__all__ = ["ModelUri", "expand_globs", "parse_uri"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+-]+):(.*)", re.DOTALL)
# A `?` is a wildcard of a glob unless `key=` follows it.
_OPTIONS = re.compile(r"\?(?=[A-Za-z_]+=)")


@dataclass(frozen=True, slots=True)
class ModelUri:
    """A model URI, taken apart.

    Attributes:
        text: The URI as written.
        scheme: Which adapter reads it.
        path: The file, folder or hub name.
        revision: What follows `@`, for schemes that have revisions.
        options: What follows `?`.
        output: What follows `#`: the name of an output, tensor or array.
        is_trusted: Whether code that comes with the model may be run.
    """

    text: str
    scheme: str
    path: str
    revision: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    output: str | None = None
    is_trusted: bool = False

    def layer(self) -> int | None:
        """The option `layer`: a whole number, -1 where it is not given; None for "all".

        Raises:
            EncoderError: The value is neither.
        """
        if self.options.get("layer") == "all":
            return None
        layer = self.integer("layer")
        return -1 if layer is None else layer

    def integer(self, key: str) -> int | None:
        """The option `key` as a whole number; None where it is not given.

        Raises:
            EncoderError: The value is not a whole number.
        """
        value = self.options.get(key)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise EncoderError(
                f"The option `{key}` of `{self.text}` must be a whole number; got {value!r}."
            ) from None


def parse_uri(text: str) -> ModelUri:
    """The parts of the model URI `text`.

    A path without a scheme is understood where there is one way to read it: `*.onnx` is `onnx:`,
    `*.pt2` is `export:`, `*.keras` is `keras:`, and an existing folder is `hf:`. An `@revision` is
    taken off names on a hub only, and not where a folder of that very name exists.

    Args:
        text: For example `onnx:zoo/resnet.onnx#hidden` or `hf:org/name@main?pooling=cls`.

    Raises:
        UnknownSchemeError: No adapter serves the scheme; the message lists those that exist.
        EncoderError: An option is not known to the adapter, or no model is named.

    >>> parse_uri("hf:org/name@v1?pooling=cls").revision
    'v1'
    """
    adapter, rest = _adapter_and_rest(text)
    body, _, output = rest.partition("#")
    path, options = _path_and_options(body, adapter, text)
    path, revision = _path_and_revision(path, adapter)
    if not path:
        raise EncoderError(f"`{text}` names no model; write `{adapter.scheme}:` and then a path.")
    if output and not adapter.has_output:
        raise EncoderError(f"`{adapter.scheme}:` models have no `#output`; got `{text}`.")
    return ModelUri(text, adapter.scheme, path, revision, options, output or None)


def expand_globs(uris: Iterable[str]) -> list[str]:
    """The URIs with every pattern replaced by the sorted models that it matches.

    `*`, `?`, `[...]` and `**` are patterns, as in `onnx:zoo/**/*.onnx`. Options and output are kept
    on every match; a model that several URIs name is given once. For `hf:`, folders that hold a
    `config.json` match.

    Raises:
        EncoderError: A pattern matches nothing.
    """
    return list(dict.fromkeys(match for uri in uris for match in _matches(uri)))


def _adapter_and_rest(text: str) -> tuple[Adapter, str]:
    match = _SCHEME.fullmatch(text)
    if match is None:
        return _adapter_of_bare_path(text), text
    scheme, rest = match.groups()
    if scheme not in ADAPTERS:
        raise UnknownSchemeError(
            f"`{scheme}:` is not a known model scheme; known: {', '.join(sorted(ADAPTERS))}."
        )
    return ADAPTERS[scheme], rest


def _adapter_of_bare_path(text: str) -> Adapter:
    path = Path(_OPTIONS.split(text.partition("#")[0], maxsplit=1)[0])
    for adapter in ADAPTERS.values():
        if path.suffix in adapter.suffixes:
            return adapter
    if path.is_dir():
        return ADAPTERS["hf"]
    raise UnknownSchemeError(
        f"`{text}` has no model scheme and is neither a folder nor a file that ends in .keras, "
        f".onnx or .pt2. Write it as scheme:name, for example `hf:{text}`; known schemes: "
        f"{', '.join(sorted(ADAPTERS))}."
    )


def _path_and_options(body: str, adapter: Adapter, text: str) -> tuple[str, dict[str, str]]:
    path, *query = _OPTIONS.split(body, maxsplit=1)
    options = dict(parse_qsl(query[0], keep_blank_values=True)) if query else {}
    for key in options:
        if key not in adapter.options:
            known = ", ".join(adapter.options) or "none"
            raise EncoderError(
                f"`{key}` is not an option of `{adapter.scheme}:` models (in `{text}`); "
                f"known: {known}."
            )
    return path, options


def _path_and_revision(path: str, adapter: Adapter) -> tuple[str, str | None]:
    if not adapter.has_revision or Path(path).exists():
        return path, None
    name, _, revision = path.partition("@")
    return name, revision or None


def _matches(uri: str) -> list[str]:
    match = _SCHEME.fullmatch(uri)
    prefix, rest = (f"{match[1]}:", match[2]) if match else ("", uri)
    pattern = _OPTIONS.split(rest.partition("#")[0], maxsplit=1)[0]
    if not any(mark in pattern for mark in "*?[") or Path(pattern).exists():
        return [uri]
    suffix = rest[len(pattern) :]
    paths = sorted(path for path in _glob(pattern) if prefix != "hf:" or _is_hf_folder(path))
    if not paths:
        raise EncoderError(f"`{uri}` matches no model; check the pattern and the folder.")
    return [f"{prefix}{path}{suffix}" for path in paths]


def _glob(pattern: str) -> list[str]:
    path = Path(pattern).expanduser()
    start = Path(path.anchor)
    return [str(match) for match in start.glob(str(path.relative_to(start)))]


def _is_hf_folder(path: str) -> bool:
    return (Path(path) / "config.json").is_file()
