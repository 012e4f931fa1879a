"""Tests of `transferscore.errors`: the tree, and that each is also a built-in."""

from __future__ import annotations

import re

import pytest

from transferscore import errors

BUILT_IN = {
    "InputError": ValueError,
    "DatasetError": ValueError,
    "SampleError": ValueError,
    "EncoderError": RuntimeError,
    "UnknownSchemeError": RuntimeError,
    "UnknownNameError": LookupError,
    "MissingExtraError": ImportError,
    "ServerError": ConnectionError,
    "StoreError": OSError,
}
NAMES = [name for name in errors.__all__ if name != "TransferScoreError"]


def drawn_tree() -> dict[str, str]:
    """Name to parent, as the module's docstring draws it."""
    parents, path = {}, []
    for line in errors.__doc__.splitlines():
        if not (match := re.match(r"^    ([│├└─ ]*)([A-Z]\w+Error)\b", line)):
            continue
        depth, name = len(match[1]) // 4, match[2]
        path[depth:] = [name]
        if depth:
            parents[name] = path[depth - 1]
    return parents


def test_all_names_are_sorted_and_there():
    assert errors.__all__ == sorted(errors.__all__)
    public = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert public == set(errors.__all__)


def test_the_tree_is_drawn_as_it_is():
    parents = drawn_tree()
    assert set(parents) == set(NAMES)
    for name, parent in parents.items():
        assert getattr(errors, name).__bases__[0].__name__ == parent


@pytest.mark.parametrize("name", NAMES)
def test_each_is_also_a_built_in_and_says_what_it_is(name):
    error = getattr(errors, name)
    assert issubclass(error, errors.TransferScoreError)
    assert issubclass(error, BUILT_IN[name])
    assert error.__doc__
    with pytest.raises(BUILT_IN[name], match=r"^what happened\.$"):
        raise error("what happened.")


def test_unknown_names_are_not_quoted_like_keys():
    assert str(errors.UnknownNameError("no such score")) == "no such score"


def test_a_missing_extra_names_the_command_that_installs_it():
    error = errors.MissingExtraError.of("onnxruntime", "onnx", "The model 'onnx:a.onnx'")
    assert str(error) == (
        "The model 'onnx:a.onnx' needs the package 'onnxruntime', which is not installed. "
        "Install it with: pip install 'transferscore[onnx]'"
    )
