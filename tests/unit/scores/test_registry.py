"""Tests of `transferscore.scores.registry` and the entries in it."""

from __future__ import annotations

import importlib
import re

import pytest

from transferscore.errors import InputError, UnknownNameError
from transferscore.scores.registry import SCORES, applicable_scores, check_scores, scores_named
from transferscore.scores.score import ALL_TASKS

EVERY_SCORE = pytest.mark.parametrize("name", SCORES)


@EVERY_SCORE
def test_an_entry_is_complete(name):
    info = SCORES[name]
    assert info.name == name
    for text in (info.tells, info.range, info.chance, info.paper):
        assert text == text.strip() != ""
    assert re.search(r"\(\d{4}\)", info.paper)
    assert re.match(r"@\w+\{\w+,\n", info.bibtex)
    assert info.bibtex.count("{") == info.bibtex.count("}")
    assert info.tasks
    assert set(info.tasks) <= set(ALL_TASKS)


@EVERY_SCORE
def test_a_score_is_the_function_of_its_name_in_the_file_of_its_name(name):
    module = importlib.import_module(f"transferscore.scores.{name}")
    assert module.INFO is SCORES[name]
    assert module.INFO.compute is getattr(module, f"{name}_from_statistics")
    assert {"INFO", name, f"{name}_from_statistics"} <= set(module.__all__)


@EVERY_SCORE
def test_what_it_needs_is_said_in_words(name):
    needs = SCORES[name].needs
    assert needs.endswith("labels")
    assert ("source probabilities" in needs) == SCORES[name].needs_source


def test_the_probe_comes_first():
    assert next(iter(SCORES)) == "ridge_probe"


@pytest.mark.parametrize("names", ["logme,knn", " logme , knn ", ["logme", "knn"]])
def test_scores_by_name(names):
    assert [info.name for info in scores_named(names)] == ["logme", "knn"]
    assert check_scores(names, "classification") == ["logme", "knn"]


@pytest.mark.parametrize("names", ["logme,logmee", ["logmee"]])
def test_an_unknown_name_is_refused_with_the_known_ones(names):
    message = f"There is no score named 'logmee'; the scores are {', '.join(sorted(SCORES))}."
    with pytest.raises(UnknownNameError, match=f"^{re.escape(message)}$"):
        scores_named(names)
    with pytest.raises(UnknownNameError, match=f"^{re.escape(message)}$"):
        check_scores(names, "regression")


def test_all_that_apply():
    every = [info.name for info in applicable_scores("classification", has_source=True)]
    assert every == list(SCORES)
    without = {info.name for info in applicable_scores("classification", has_source=False)}
    assert set(every) - without == {n for n, info in SCORES.items() if info.needs_source}
    regression = {info.name for info in applicable_scores("regression", has_source=True)}
    assert regression == {n for n, info in SCORES.items() if "regression" in info.tasks}
    assert check_scores(None, "regression") is None


def test_a_score_without_meaning_for_the_task_is_refused():
    message = "The score 'leep' has no meaning for regression; it is defined for classification."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_scores("logme,leep", "regression")
