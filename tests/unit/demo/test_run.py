from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from transferscore.demo import run_demo
from transferscore.demo.probe import measure_probe
from transferscore.demo.target import read_target
from transferscore.demo.zoo import Recipe, build_zoo
from transferscore.rank import rank

RECIPES = (Recipe("digits-0-4", 4, 3), Recipe("rotations", 1, 1), Recipe(None, 4))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    lines = []
    folder = tmp_path_factory.mktemp("demo") / "made here"
    return run_demo(folder, lines.append, recipes=RECIPES, n_images=200), "\n".join(lines)


def test_the_story_is_told_from_beginning_to_end(told):
    result, text = told
    assert text.startswith("Which of 3 small networks is the best")
    assert "1. Training 3 networks" in text
    assert "array · 200 samples · 5 classes" in text
    assert "Order:  weighted Kendall tau" in text
    assert "The test has 696 digits" in text
    assert f"The models and the target are in {result.folder}" in text


def test_every_model_is_predicted_and_measured(told):
    result, text = told
    names = {recipe.name for recipe in RECIPES}
    assert {candidate.model for candidate in result.ranking.candidates} == names
    assert {row.model for row in result.outcome.rows} == names
    assert result.ranking.failures == ()
    assert result.outcome.n_tested == 696
    for row in result.outcome.rows:
        assert 0.2 < row.measured <= 1.0
        assert f"{row.measured:.1%}" in text


def test_the_files_give_the_same_ranking_again(told):
    result, _ = told
    again = rank(
        result.folder / "target.npz",
        f"export:{result.folder}/*.pt2",
        device="cpu",
        cache=False,
        baseline=False,
    )
    found = {c.model.rpartition("/")[2]: c.predicted.value for c in again.candidates}
    expected = {f"{c.model}.pt2": c.predicted.value for c in result.ranking.candidates}
    assert found == pytest.approx(expected)


def test_a_probe_is_tested_on_the_rows_that_are_not_labelled(tmp_path):
    models = build_zoo(tmp_path, recipes=(Recipe(None, 2),))
    target = read_target(20, 0)
    honest = measure_probe(models["untrained-w2"], target, 0)
    labels = target.labels.copy()
    # The same digit for every row kept aside: a probe that learns from them would be right on all.
    labels[~target.labelled] = 5
    wrong = type(target)(target.images, labels, target.labelled)
    assert honest > 0.4
    assert measure_probe(models["untrained-w2"], wrong, 0) < 0.4
    assert np.bincount(target.labels[target.labelled])[5:].tolist() == [20] * 5


def test_importing_the_demo_loads_no_heavy_library():
    heavy = "{'torch', 'sklearn', 'transformers', 'PIL', 'pandas'}"
    code = f"import sys, transferscore.demo; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
