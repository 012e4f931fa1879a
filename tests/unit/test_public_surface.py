"""The public names: sorted, importable, documented, and loaded only when asked for."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import transferscore
from transferscore.scores.registry import SCORES

ROOT = Path(transferscore.__file__).parent
MODULES = sorted(
    ".".join(["transferscore", *path.relative_to(ROOT).with_suffix("").parts])
    for path in ROOT.rglob("*.py")
    if path.stem not in {"__init__", "__main__"} and path.parent.name != "v1"
)
HEAVY = {"torch", "sklearn", "transformers", "onnxruntime", "pandas", "PIL"}


def loaded_by(code: str) -> set[str]:
    """The packages that a fresh interpreter has loaded after `code`."""
    report = "import sys, json; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    script = f"{code}\n{report}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_all_is_sorted_and_without_repeats():
    assert transferscore.__all__ == sorted(set(transferscore.__all__))


@pytest.mark.parametrize("name", transferscore.__all__)
def test_a_public_name_is_there_and_documented(name):
    value = getattr(transferscore, name)
    assert value.__doc__
    assert not value.__name__.startswith("_")


def test_every_score_is_public_by_its_name():
    assert set(SCORES) <= set(transferscore.__all__)
    for name in SCORES:
        module = importlib.import_module(f"transferscore.scores.{name}")
        assert getattr(transferscore, name) is getattr(module, name)


def test_what_is_listed_is_what_there_is():
    assert set(transferscore.__all__) <= set(dir(transferscore))
    with pytest.raises(AttributeError, match=r"^module 'transferscore' has no attribute 'scoer'"):
        _ = transferscore.scoer


def test_rank_stays_the_function_once_its_file_is_imported():
    importlib.import_module("transferscore.rank")
    assert callable(transferscore.rank)
    assert transferscore.rank.__name__ == "rank"


def test_types_see_the_same_names():
    """The imports for type checkers are those that happen at run time."""
    tree = ast.parse((ROOT / "__init__.py").read_text())
    seen = {
        alias.asname or alias.name
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == set(transferscore.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_lists_what_it_offers(name):
    tree = ast.parse(Path(ROOT, *name.split(".")[1:]).with_suffix(".py").read_text())
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert len(listed) == 1
    names = listed[0]
    assert len(names) == len(set(names))
    module = importlib.import_module(name)
    assert all(hasattr(module, each) for each in names)


@pytest.mark.parametrize(
    "code",
    [
        "import transferscore",
        "import transferscore; dir(transferscore)",
        "from transferscore.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from transferscore.cli.main import main\n"
        "try: main(['rank', '--help'])\nexcept SystemExit: pass",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(code):
    loaded = loaded_by(code)
    assert "transferscore" in loaded
    assert loaded & HEAVY == set()


def test_a_score_of_arrays_needs_numpy_and_scipy_only():
    code = (
        "import transferscore; transferscore.score([[1, 0], [2, 1], [0, 1], [1, 3]], [0, 0, 1, 1])"
    )
    assert loaded_by(code) & HEAVY == set()
