"""The order of the house: a folder imports only from folders above it, and heavy things lazily."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import transferscore

ROOT = Path(transferscore.__file__).parent

# From the top down. Those of one line do not import one another.
LAYERS = [
    {"errors", "events", "files", "wording"},
    {"datasets"},
    {"encoders"},
    {"features"},
    {"baselines"},
    {"statistics"},
    {"scores"},
    {"distances"},
    {"strategies"},
    {"report"},
    {"ranking"},
    {"rank", "verify"},
    {"v1"},
    {"client"},
    {"demo"},
    {"cli"},
]
DEPTH = {folder: depth for depth, layer in enumerate(LAYERS) for folder in layer}
# Numbers come from arrays: these know nothing of the models that the arrays came from.
PURE, IMPURE = {"statistics", "scores", "distances"}, {"encoders", "features"}
LAZY = {
    *("torch", "sklearn", "transformers", "onnxruntime", "onnx", "ot", "pandas", "PIL"),
    *("keras", "peft", "sentence_transformers", "timm", "tokenizers"),
}
FILES = sorted(
    path
    for path in ROOT.rglob("*.py")
    if (path.parent != ROOT or path.stem in DEPTH) and not path.stem.endswith(("_pb2", "_pb2_grpc"))
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def folder_of(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports_of(tree: ast.AST, *, eager_only: bool = False) -> Iterator[str]:
    """Full names of what is imported; with `eager_only`, not inside functions or for types."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not (eager_only and (is_function or for_types)):
            yield from imports_of(node, eager_only=eager_only)


def own_folders(path: Path) -> set[str]:
    """The folders of this package that a file imports from, its own left out."""
    names = {
        name.split(".")[1]
        for name in imports_of(ast.parse(path.read_text()))
        if name.startswith("transferscore.")
    }
    # `from transferscore import x` is the package itself: its public names come from every layer.
    return names - {folder_of(path)}


def test_every_folder_has_its_place():
    assert FILES
    assert {folder_of(path) for path in ROOT.rglob("*.py")} - {"__init__"} <= set(DEPTH)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_folder_imports_only_from_folders_above_it(path):
    own = folder_of(path)
    upward = {folder for folder in own_folders(path) if folder in DEPTH}
    assert {folder for folder in upward if DEPTH[folder] >= DEPTH[own]} == set()
    if own in PURE:
        assert upward & IMPURE == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_doors_import_the_package_itself(path):
    names = own_folders(path) - set(DEPTH)
    assert names == set() or (folder_of(path) in {"cli", "demo"} and names <= {"__version__"})


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_heavy_libraries_are_imported_where_they_are_used(path):
    eager = imports_of(ast.parse(path.read_text()), eager_only=True)
    assert {name.split(".")[0] for name in eager} & LAZY == set()
