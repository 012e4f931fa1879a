"""Refusing exported programs that could run code while they are loaded.

`torch.export.load` unpickles what an archive marks as pickled, loads compiled libraries, evaluates
the text of shape expressions and looks operators up by name. A program of plain tensors and ATen
operators needs none of that, so anything else is refused before PyTorch sees the file.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transferscore.errors import EncoderError

__all__ = ["require_plain_program"]

Json = Any

_PLAIN_MEMBER = re.compile(
    r"[^/]+/(archive_format|archive_version|byteorder|\.data/\w+|extra/.*|models/[^/]+\.json"
    r"|data/weights/(weight_\d+|\w+_weights_config\.json)"
    r"|data/constants/(tensor_\d+|\w+_constants_config\.json)|data/sample_inputs/\w+\.pt)"
)
_OPERATOR = re.compile(
    r"torch\.ops\.(?!load)\w+\.\w+(\.\w+)?|torch\.sym_\w+|torch\._higher_order_ops\.\w+"
    r"|_operator\.\w+|math\.\w+"
)
# The only ones that may be given text: `eval("...")` would be a call with text as well.
_TAKES_TEXT = frozenset({"Float", "Integer", "Symbol"})
_PLAIN_SYNTAX = (
    ast.Expression,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.keyword,
    ast.Call,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)


def require_plain_program(path: Path, name: str) -> None:
    """Check that the archive holds tensors and a graph of known operators only.

    Args:
        path: A file written by `torch.export.save`.
        name: What the report calls the model.

    Raises:
        EncoderError: It is no such archive, is cut short, or holds anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            reason = next(_objections(archive), None)
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise EncoderError(
            f"`{name}` is not a whole file of `torch.export.save`: {error}. Copy it again."
        ) from error
    if reason is not None:
        raise EncoderError(
            f"`{name}` is refused: it holds {reason}, which can run code while it is loaded. "
            f"Export the model again, with `torch.export.save` of a current PyTorch."
        )


def _objections(archive: zipfile.ZipFile) -> Iterator[str]:
    for member in archive.namelist():
        if _PLAIN_MEMBER.fullmatch(member) is None:
            yield f"`{member}`"
        elif member.endswith("_config.json"):
            if any(_values_of(json.loads(archive.read(member)), "use_pickle")):
                yield "pickled tensors"
        elif "/models/" in member:
            yield from _graph_objections(json.loads(archive.read(member)))
        elif "/sample_inputs/" in member and not _is_plain_pickle(archive.read(member)):
            yield "pickled example inputs of other types than tensors"


def _graph_objections(program: Json) -> Iterator[str]:
    for expression in _values_of(program, "expr_str"):
        if not _is_plain_expression(str(expression)):
            yield f"the shape expression {expression!r}"
    for nodes in _values_of(program, "nodes"):
        for node in nodes:
            if _OPERATOR.fullmatch(str(node.get("target"))) is None:
                yield f"the operator {node.get('target')!r}"


def _is_plain_expression(text: str) -> bool:
    """Whether it is arithmetic on symbols, written as sympy writes it: no attributes, no tricks."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return False
    allowed = {
        id(argument)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in _TAKES_TEXT
        for argument in call.args
    }
    return all(_is_plain_node(node, allowed) for node in ast.walk(tree))


def _is_plain_node(node: ast.AST, allowed_text: set[int]) -> bool:
    if isinstance(node, ast.Name) and "__" in node.id:
        return False
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name):
        return False
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return id(node) in allowed_text
    return isinstance(node, _PLAIN_SYNTAX)


def _values_of(tree: Json, key: str) -> Iterator[Any]:
    """All values under `key`, at any depth."""
    stack = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if key in item:
                yield item[key]
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _is_plain_pickle(content: bytes) -> bool:
    import pickle

    import torch

    if not content:
        return True
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except (pickle.UnpicklingError, RuntimeError):
        return False
    return True
