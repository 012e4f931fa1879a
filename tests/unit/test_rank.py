"""Tests of the whole pipeline through the library's door."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import transferscore
from transferscore.datasets import sample_digests
from transferscore.errors import DatasetError, EncoderError, StoreError, UnknownNameError
from transferscore.events import CandidateDone, CandidateFailed, CandidateStarted, SamplesEncoded

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 60)
ROWS = (RNG.normal(size=(180, 6)) + 1.5 * np.eye(3, 6)[LABELS]).astype(np.float32)


def good(samples):
    return np.stack(samples)


def poor(samples):
    return np.stack(samples)[:, 3:]


def broken(samples):
    raise ValueError("this model\nis broken")


def not_finite(samples):
    features = np.stack(samples).copy()
    features[0, 0] = np.nan
    return features


def test_the_better_features_come_first_and_the_prediction_is_true():
    ranking = transferscore.rank(ROWS, [poor, good], labels=LABELS, cache=False, baseline=False)
    assert [c.model for c in ranking.candidates] == ["good", "poor"]
    best = ranking.best
    assert best.predicted.metric == "accuracy"
    assert best.predicted.value == transferscore.ridge_probe(ROWS, LABELS)
    assert best.scores["logme"] == transferscore.logme(ROWS, LABELS)
    assert best.n_features == 6
    assert not ranking.candidates[1].tied_with_first
    assert ranking.dataset["majority_share"] == pytest.approx(1 / 3)


def test_a_failed_candidate_is_a_row_and_the_run_goes_on():
    ranking = transferscore.rank(
        ROWS, [broken, good, not_finite], labels=LABELS, cache=False, baseline=False
    )
    assert [c.model for c in ranking.candidates] == ["good"]
    assert [f.model for f in ranking.failures] == ["broken", "not_finite"]
    assert "this model is broken" in ranking.failures[0].message
    assert "\n" not in ranking.failures[0].message
    assert "not finite" in ranking.failures[1].message or "must be finite" in (
        ranking.failures[1].message
    )


def test_when_all_fail_there_is_still_a_ranking():
    ranking = transferscore.rank(ROWS, [broken], labels=LABELS, cache=False)
    assert ranking.candidates == ()
    with pytest.raises(EncoderError, match="No candidate could be ranked"):
        _ = ranking.best


def test_a_module_is_ranked_and_left_as_it_was(tmp_path):
    module = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 4))
    module.train()
    with torch.enable_grad():
        ranking = transferscore.rank(ROWS, module, labels=LABELS, cache=tmp_path)
    assert module.training
    assert ranking.best.n_features == 16
    assert "leep" in ranking.best.scores


def test_the_second_run_computes_nothing_and_says_the_same(tmp_path):
    module = nn.Sequential(nn.Linear(6, 16), nn.ReLU())
    first = transferscore.rank(ROWS, {"net": module}, labels=LABELS, cache=tmp_path)
    calls = []
    module.register_forward_hook(lambda *_: calls.append(1))
    second = transferscore.rank(ROWS, {"net": module}, labels=LABELS, cache=tmp_path)
    assert calls == []
    assert second.best.scores == first.best.scores
    assert second.best.predicted == first.best.predicted


def test_other_labels_or_scores_are_not_taken_from_the_store(tmp_path):
    module = nn.Sequential(nn.Linear(6, 16), nn.ReLU())
    first = transferscore.rank(ROWS, {"net": module}, labels=LABELS, cache=tmp_path)
    shuffled = RNG.permutation(LABELS)
    second = transferscore.rank(ROWS, {"net": module}, labels=shuffled, cache=tmp_path)
    assert second.best.predicted.value < first.best.predicted.value - 0.1
    third = transferscore.rank(ROWS, {"net": module}, labels=LABELS, scores="knn", cache=tmp_path)
    assert list(third.best.scores) == ["knn"]


def test_the_same_seed_gives_the_same_bits():
    options = {"labels": LABELS, "max_samples": 90, "seed": 4, "cache": False}
    first = transferscore.rank(ROWS, [good, poor], **options).to_dict()
    second = transferscore.rank(ROWS, [good, poor], **options).to_dict()
    for document in (first, second):
        for candidate in document["candidates"]:
            del candidate["seconds"], candidate["forward_seconds"]
    assert first == second
    assert first["dataset"]["n_samples"] == 90


def test_events_tell_the_story():
    events = []
    transferscore.rank(ROWS, [good, broken], labels=LABELS, cache=False, on_event=events.append)
    kinds = [type(event) for event in events]
    assert kinds[0] is CandidateStarted
    assert kinds.count(CandidateDone) == 1
    assert kinds.count(CandidateFailed) == 1
    encoded = [e for e in events if isinstance(e, SamplesEncoded) and e.model == "good"]
    assert encoded[-1].done == encoded[-1].total == 180


def test_regression_predicts_r2():
    targets = ROWS @ RNG.normal(size=6) + 0.1 * RNG.normal(size=180)
    ranking = transferscore.rank(ROWS, [good, poor], labels=targets, cache=False)
    assert ranking.dataset["task"] == "regression"
    assert ranking.best.predicted.metric == "r2"
    assert ranking.best.predicted.value > 0.95
    assert "leep" not in ranking.best.scores


def test_a_score_that_needs_source_classes_is_left_out_with_a_note():
    ranking = transferscore.rank(
        ROWS, good, labels=LABELS, scores="logme,leep", cache=False, baseline=False
    )
    assert list(ranking.best.scores) == ["logme"]
    assert ranking.warnings == (
        "good: leep not computed: the model has no source-class probabilities.",
    )


def test_mistakes_of_the_caller_are_raised_before_anything_runs():
    with pytest.raises(UnknownNameError, match="no score named 'logmee'; the scores are"):
        transferscore.rank(ROWS, broken, labels=LABELS, scores="logmee", cache=False)
    with pytest.raises(DatasetError, match=r"nowhere\.zip"):
        transferscore.rank("/nowhere.zip", broken, cache=False)
    with pytest.raises(EncoderError, match="is not a known model scheme"):
        transferscore.rank(ROWS, "ftp:model", labels=LABELS, cache=False)


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="pass cache=False"):
        transferscore.rank(ROWS, good, labels=LABELS, cache=tmp_path / "file" / "below")


def test_scores_warn_in_the_ranking_not_on_the_console():
    wide = RNG.normal(size=(20, 40)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ranking = transferscore.rank(wide, good, labels=np.arange(20) % 2, cache=False)
    assert any("H-score is at its maximum" in warning for warning in ranking.warnings)


def test_the_function_is_public_even_after_its_module_is_imported():
    import transferscore.rank

    assert callable(transferscore.rank)


def test_samples_are_hashed_once_for_all_candidates(tmp_path, monkeypatch):
    from transferscore.features import extraction

    calls = []

    def counted(dataset):
        calls.append(len(dataset))
        return sample_digests(dataset)

    monkeypatch.setattr(sys.modules["transferscore.rank"], "sample_digests", counted)
    monkeypatch.setattr(extraction, "sample_digests", counted)
    modules = {str(width): nn.Linear(6, width) for width in (3, 4, 5)}
    transferscore.rank(ROWS, modules, labels=LABELS, cache=tmp_path)
    assert calls == [180]
