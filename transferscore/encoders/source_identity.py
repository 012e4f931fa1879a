"""Telling a function from another by what it is made of, so that its results can be stored."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["function_identity", "source_of"]

_CONSTANTS = (bool, int, float, complex, str, bytes, types.NoneType)


def source_of(thing: Callable[..., Any]) -> str | None:
    """The source code of a class or function; None where Python cannot find it."""
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return None


def function_identity(function: Callable[..., Any]) -> str | None:
    """A text that changes when what the function computes changes; None if that cannot be told.

    It is the function's source, with the values of the constants and the identities of the
    functions that it uses. A function that uses anything else of its surroundings, such as a list
    or a tokenizer, has no identity: a stored result that is wrong costs more than a second run.
    """
    parts = list(_parts(function, set()))
    return None if None in parts else "\n".join(part for part in parts if part is not None)


def _parts(thing: object, seen: set[int]) -> Iterator[str | None]:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, _CONSTANTS):
        yield repr(thing)
    elif isinstance(thing, tuple):
        for item in thing:
            yield from _parts(item, seen)
    elif isinstance(thing, types.ModuleType | types.BuiltinFunctionType | type):
        yield f"{getattr(thing, '__module__', '')} {thing.__name__}"
    elif isinstance(thing, types.FunctionType):
        yield from _function_parts(thing, seen)
    else:
        yield None


def _function_parts(function: types.FunctionType, seen: set[int]) -> Iterator[str | None]:
    yield source_of(function)
    yield from _parts(function.__defaults__ or (), seen)
    for key, value in (function.__kwdefaults__ or {}).items():
        yield key
        yield from _parts(value, seen)
    used = inspect.getclosurevars(function)
    for key, value in sorted({**used.globals, **used.nonlocals}.items()):
        yield key
        yield from _parts(value, seen)
