"""Tests of verification: halving, budget, resuming, priors, and what cannot be verified."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from torch import nn

import transferscore
from transferscore import report
from transferscore.datasets import dataset_from_arrays
from transferscore.encoders import ModuleEncoder
from transferscore.errors import DatasetError, EncoderError, InputError
from transferscore.features import Store
from transferscore.ranking import verification as verification_module
from transferscore.ranking.priors import Prior, priors_of, remember_prior
from transferscore.ranking.verification import (
    Contender,
    data_digest,
    folds_of,
    verify_contenders,
)
from transferscore.strategies import STRATEGIES

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 40)
ROWS = (RNG.normal(size=(120, 6)) + 1.5 * np.eye(3, 6)[LABELS]).astype(np.float32)
DATASET = dataset_from_arrays(ROWS, LABELS)


def encoder(name, width=8):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Linear(width, 3))
    return ModuleEncoder(net, name=name)


def contender(name, strategy="linear_probe", width=8, seconds=1.0):
    return Contender(encoder(name, width), STRATEGIES[strategy], 0.8, 0.7, 0.9, seconds)


def run(contenders, folds=4, **options):
    divisions = folds_of(DATASET, folds, 0)
    return verify_contenders(
        contenders, DATASET, divisions, **({"budget_seconds": 600.0} | options)
    )


@pytest.fixture
def document():
    ranking = transferscore.rank(ROWS, {"net": encoder("net")}, labels=LABELS, cache=False)
    return json.loads(json.dumps(ranking.to_dict()))


def test_the_better_half_goes_on_and_all_are_told():
    found = run([contender("wide", width=16), contender("one", width=1), contender("eight")])
    assert [r.n_folds for r in found.results] == [4, 2, 1]
    assert found.results[0].status == "measured"
    assert found.results[-1].model == "one"
    assert found.results[-1].status == "dropped after 1 of 4 folds"
    assert found.results[0].spread > 0
    assert found.results[-1].spread is None
    assert found.results[0].metrics.keys() == {"accuracy", "macro_f1"}
    assert found.results[0].measured == found.results[0].metrics["accuracy"]


def test_what_is_measured_is_what_training_reaches():
    found = run([contender("net")], folds=3)
    (result,) = found.results
    train, test = folds_of(DATASET, 3, 0)[0]
    first = verification_module.train_strategy(
        encoder("net"), STRATEGIES["linear_probe"], DATASET, train, test
    )
    assert result.n_folds == 3
    assert result.n_train == len(train) == 80
    assert abs(result.measured - first.value) < 0.2


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch):
    calls = []
    train = verification_module.train_strategy

    def counted(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train(*arguments, **options)

    monkeypatch.setattr(verification_module, "train_strategy", counted)
    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run([contender("net")], store=store)
    found = run([contender("net")], store=store)
    assert found.results[0].n_folds == 4
    assert len(calls) == 3 + 2
    again = run([contender("net")], store=store)
    assert len(calls) == 5
    assert again.results == found.results


def test_no_fold_begins_after_the_budget():
    found = run([contender("net")], budget_seconds=1e-9)
    (result,) = found.results
    assert result.measured is None
    assert result.status == "out of time"


def test_a_failed_contender_is_a_row(monkeypatch):
    train = verification_module.train_strategy

    def broken(model, *arguments, **options):
        if model.name == "bad":
            raise RuntimeError("out of\nluck")
        return train(model, *arguments, **options)

    monkeypatch.setattr(verification_module, "train_strategy", broken)
    found = run([contender("bad"), contender("net")], folds=2)
    assert [r.model for r in found.results] == ["net", "bad"]
    assert found.results[1].status == "failed: out of luck"
    assert found.results[0].n_folds == 2


def test_short_of_time_runs_are_shorter():
    rich, poor = (
        verification_module._plans([contender("net", "full", seconds=100.0)], DATASET, budget)[0]
        for budget in (1000.0, 60.0)
    )
    assert rich.epochs == 15
    assert 1 <= poor.epochs < 15
    assert poor.search_epochs < rich.search_epochs
    (poorest,) = verification_module._plans([contender("a", "full", seconds=1e4)], DATASET, 60.0)
    assert poorest.epochs == 1
    assert len(poorest.learning_rates) == 1


def test_folds_are_stratified_and_seeded():
    folds = folds_of(DATASET, 4, 1)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(120))
    for train, test in folds:
        assert set(train) & set(test) == set()
        assert np.bincount(LABELS[test]).tolist() == [10, 10, 10]
    again = folds_of(DATASET, 4, 1)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(folds, again, strict=True))
    with pytest.raises(InputError, match=r"must be from 2 to the number of samples \(120\); got 1"):
        folds_of(DATASET, 1, 0)


def test_another_task_is_refused():
    rows = (RNG.random((120, 3)) > 0.5).astype(int)
    multilabel = dataset_from_arrays(ROWS, rows, task="multilabel")
    with pytest.raises(
        InputError, match=r"trains for classification and regression; .* multilabel"
    ):
        verify_contenders([], multilabel, [], budget_seconds=1.0)


def test_regression_is_verified_by_r2():
    targets = dataset_from_arrays(ROWS, ROWS @ RNG.normal(size=6))
    found = verify_contenders(
        [contender("net")], targets, folds_of(targets, 2, 0), budget_seconds=60.0
    )
    assert found.metric == "r2"
    assert found.results[0].measured > 0.3


def test_results_become_priors_of_the_same_model(tmp_path):
    ranked = transferscore.rank(ROWS, {"net": encoder("net")}, labels=LABELS, cache=tmp_path)
    assert ranked.best.prior == ()
    options = {"dataset": DATASET, "models": {"net": encoder("net")}, "cache": tmp_path}
    transferscore.verify(ranked, folds=2, **options)
    again = transferscore.rank(
        ROWS, {"net": encoder("net"), "other": encoder("o", 4)}, labels=LABELS, cache=tmp_path
    )
    priors = {c.model: c.prior for c in again.candidates}
    (prior,) = priors["net"]
    assert prior["metric"] == "accuracy"
    assert prior["n_train"] == 60
    assert priors["other"] == ()
    assert "measured before: linear_probe of net: accuracy" in str(again)
    # Of a probe the prediction is a measurement on held-out rows already.
    net = next(c for c in again.candidates if c.model == "net")
    assert net.predicted == ranked.best.predicted


def test_the_next_ranking_rests_on_what_was_measured(tmp_path):
    options = {"labels": LABELS, "cache": tmp_path, "strategies": "linear_probe,full"}
    before, tuned = ranked_full(options)
    transferscore.verify(
        before, dataset=DATASET, models={"net": encoder("net")}, top=2, folds=2, cache=tmp_path
    )
    _, again = ranked_full(options)
    (prior,) = again.prior
    assert prior["same_rows"]
    assert prior["as_recipe"]
    assert again.basis.endswith(", and measured before")
    assert again.predicted.value != tuned.predicted.value
    assert again.predicted.high - again.predicted.low < tuned.predicted.high - tuned.predicted.low
    other = transferscore.rank(
        ROWS[:90], {"net": encoder("net")}, **(options | {"labels": LABELS[:90]})
    )
    shown = next(c for c in other.candidates if c.strategy == "full")
    assert not shown.prior[0]["same_rows"]
    assert not shown.basis.endswith("measured before")


def ranked_full(options):
    """A ranking, and its row of full fine-tuning."""
    ranking = transferscore.rank(ROWS, {"net": encoder("net")}, **options)
    return ranking, next(c for c in ranking.candidates if c.strategy == "full")


def test_runs_cut_short_say_so_and_replace_no_whole_ones(tmp_path):
    found = run([contender("net", "full", seconds=1e5)], folds=2, store=Store(tmp_path))
    assert not found.results[0].as_recipe
    text = report.verification_text(found.to_dict())
    assert "shorter than the recipe, to keep to the budget: full of net (1 epochs)" in text
    assert "shorter than" not in report.verification_text(run([contender("net")]).to_dict())
    store = Store(tmp_path / "other")
    whole = Prior("full", "flowers", "abc", "accuracy", 0.9, 100, 3, as_recipe=True)
    for each in (whole, dataclasses.replace(whole, value=0.5, as_recipe=False)):
        remember_prior(store, "model", each)
    assert priors_of(store, "model") == (whole,)


def test_priors_of_the_same_data_are_replaced_and_others_kept(tmp_path):
    store = Store(tmp_path)
    prior = Prior("full", "flowers", "abc", "accuracy", 0.9, 100, 3)
    newer = dataclasses.replace(prior, value=0.92)
    other = dataclasses.replace(prior, data_digest="def")
    for each in (prior, other, newer):
        remember_prior(store, "model", each)
    assert priors_of(store, "model") == (other, newer)
    assert priors_of(store, "another") == priors_of(None, "model") == priors_of(store, None) == ()


def test_the_digest_of_data_knows_samples_and_labels_but_not_their_order():
    order = RNG.permutation(120)
    assert data_digest(dataset_from_arrays(ROWS[order], LABELS[order])) == data_digest(DATASET)
    assert data_digest(dataset_from_arrays(ROWS, LABELS[::-1])) != data_digest(DATASET)


def test_from_a_file_with_its_model_and_data(tmp_path):
    np.savez(tmp_path / "data.npz", features=ROWS, labels=LABELS)
    ranking = transferscore.rank(str(tmp_path / "data.npz"), {"net": encoder("net")}, cache=False)
    (tmp_path / "ranking.json").write_text(report.to_json(ranking.to_dict()))
    found = transferscore.verify(
        tmp_path / "ranking.json", models={"net": encoder("net")}, folds=2, cache=False
    )
    assert found.dataset == "data"
    assert found.results[0].measured > 0.6
    text = report.verification_text(found.to_dict())
    assert "up to 2 folds" in text
    assert "mean error of the predictions: " in text
    assert json.loads(json.dumps(found.to_dict()))["results"][0]["model"] == "net"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is no JSON document"),
        ("[]", "must have `dataset` and `candidates`.*; got list"),
        ('{"scores": {}}', r"must have `dataset` and `candidates`.*; got keys \['scores'\]"),
    ],
)
def test_what_is_no_ranking_is_refused(tmp_path, content, sentence):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match=sentence):
        transferscore.verify(tmp_path / "x.json")
    with pytest.raises(InputError, match="cannot be read"):
        transferscore.verify(tmp_path / "gone.json")


def test_what_cannot_be_found_again_says_what_to_pass(document):
    with pytest.raises(DatasetError, match=r"were in memory; pass `dataset` \(--data\)"):
        transferscore.verify(document, cache=False)
    with pytest.raises(EncoderError, match=r"`net` of the ranking cannot be found again"):
        transferscore.verify(document, dataset=DATASET, cache=False)
    with pytest.raises(InputError, match="`top` must be at least 1; got 0"):
        transferscore.verify(document, dataset=DATASET, top=0)
    with pytest.raises(InputError, match="a time with its unit"):
        transferscore.verify(document, dataset=DATASET, budget="10")
    with pytest.raises(InputError, match="no candidate to verify"):
        transferscore.verify(document | {"candidates": []}, dataset=DATASET, cache=False)
