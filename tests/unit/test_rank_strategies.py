"""Tests of pairs of model and strategy through the library's door."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

import transferscore
import transferscore.report
from transferscore import rank as rank_function
from transferscore.errors import InputError, UnknownNameError
from transferscore.strategies import Strategy

# The package's `rank` is the function.
RANK_MODULE = importlib.import_module("transferscore.rank")
RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 50)
ROWS = (RNG.normal(size=(150, 6)) + 1.5 * np.eye(3, 6)[LABELS]).astype(np.float32)


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 4))


@dataclass(frozen=True)
class FirstLayer:
    """A strategy of a user's own."""

    name: str = "first_layer"

    def unavailable(self, module: nn.Module) -> str | None:  # noqa: ARG002
        return None

    def select(self, module: nn.Module) -> tuple[str, ...]:  # noqa: ARG002
        return ("0.weight",)

    def apply(self, module: nn.Module, seed: int) -> None:  # noqa: ARG002
        for name, weight in module.named_parameters():
            weight.requires_grad_(name == "0.weight")


def ranked(models, cache=False, **options):
    options = {"labels": LABELS, "scores": "logme", "cache": cache, "baseline": False} | options
    return rank_function(ROWS, models, **options)


def test_a_user_may_bring_a_strategy():
    assert isinstance(FirstLayer(), Strategy)
    ranking = ranked({"net": net()}, strategies=["linear_probe", FirstLayer()])
    assert {c.strategy for c in ranking.candidates} == {"linear_probe", "first_layer"}
    mine = next(c for c in ranking.candidates if c.strategy == "first_layer")
    assert mine.trainable_parameters == 6 * 12 + 8 * 3 + 3
    assert mine.cost.train_seconds > 0
    assert mine.recipe["train_only"] == ["0.weight"]
    assert mine.reason.startswith("`first_layer`: ")


def test_what_a_model_cannot_take_is_stated_and_the_rest_is_ranked():
    def plain(samples):
        return np.stack(samples)

    ranking = ranked({"net": net(), "plain": plain}, strategies="linear_probe,full")
    assert [(u.model, u.strategy) for u in ranking.unavailable] == [("plain", "full")]
    assert {(c.model, c.strategy) for c in ranking.candidates} == {
        ("net", "linear_probe"),
        ("net", "full"),
        ("plain", "linear_probe"),
    }
    assert ranking.failures == ()


def test_the_second_run_measures_nothing(tmp_path, monkeypatch):
    options = {"strategies": "linear_probe,partial,full", "cache": tmp_path}
    first = ranked({"net": net()}, **options)
    monkeypatch.delattr(RANK_MODULE, "options_of")
    second = ranked({"net": net()}, **options)
    assert [c.cost for c in second.candidates] == [c.cost for c in first.candidates]
    assert [c.predicted for c in second.candidates] == [c.predicted for c in first.candidates]
    # Other limits need no other measurement.
    tight = ranked({"net": net()}, limits={"max_gpu_memory": "1kB"}, **options)
    assert not any(c.cost.fits for c in tight.candidates)
    assert tight.decision.nearest


def test_by_default_nothing_is_looked_into(monkeypatch):
    monkeypatch.delattr(RANK_MODULE, "options_of")
    ranking = ranked({"net": net()})
    assert ranking.best.cost is None
    assert ranking.limits is None
    assert ranking.to_dict()["decision"] is None


def test_the_module_of_the_caller_stays_as_it_was():
    module = net()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    ranked({"net": module}, strategies="all")
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_the_recommended_pair_can_be_verified():
    ranking = ranked({"net": net()}, strategies="linear_probe,full")
    found = transferscore.verify(
        json.loads(json.dumps(ranking.to_dict())),
        dataset=transferscore.read_dataset(ROWS, labels=LABELS),
        models={"net": net()},
        top=2,
        folds=2,
        budget="2min",
        cache=False,
    )
    assert {r.strategy for r in found.results} == {"linear_probe", "full"}
    assert found.results[0].n_folds == 2
    assert found.results[0].measured > 0.6


def test_mistakes_are_raised_before_anything_runs():
    with pytest.raises(UnknownNameError, match="'loraa' is not a known strategy"):
        ranked({"net": net()}, strategies="loraa")
    with pytest.raises(InputError, match="`max_cost` must come with"):
        ranked({"net": net()}, limits={"max_cost": 5})
    with pytest.raises(UnknownNameError, match="no limit named 'max_gpu'"):
        ranked({"net": net()}, limits={"max_gpu": "1GB"})


def test_a_baseline_is_neither_advised_nor_verified():
    ranking = ranked({"net": net()}, strategies="linear_probe,full", baseline=True)
    document = ranking.to_dict()
    document["candidates"].sort(key=lambda row: not row["baseline"])
    assert document["candidates"][0]["baseline"]
    assert transferscore.report.chosen_candidate(document)["model"] == "net"
    data = transferscore.read_dataset(ROWS, labels=LABELS)
    options = {"dataset": data, "models": {"net": net()}, "folds": 2, "cache": False}
    found = transferscore.verify(document, top=1, **options)
    assert [result.model for result in found.results] == ["net"]
