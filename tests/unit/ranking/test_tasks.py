"""Tasks from dataset to ranking, with a function as the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from transferscore import rank
from transferscore.datasets import TOKEN_CLASSIFICATION, read_dataset
from transferscore.features import Features
from transferscore.ranking.evaluation import evaluate
from transferscore.ranking.prediction import held_out_metric
from transferscore.ranking.uncertainty import interval
from transferscore.statistics import Statistics
from transferscore.statistics.held_out_outputs import group_folds, one_out_outputs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 6))


def good(rows):
    return rows


def poor(rows):
    return rows[:, 4:]


def test_multilabel_is_ranked_by_average_precision():
    labels = (X[:, :3] + 0.3 * RNG.normal(size=(240, 3)) > 0.5).astype(int)
    ranking = rank(X, {"good": good, "poor": poor}, labels=labels, cache=False)
    assert [c.model for c in ranking.candidates if c.model in ("good", "poor")] == ["good", "poor"]
    best = ranking.best
    assert best.predicted.metric == "average_precision"
    assert best.predicted.low < best.predicted.value < best.predicted.high <= 1.0
    assert set(best.metrics) == {"average_precision", "macro_f1"}
    poor_one = next(c for c in ranking.candidates if c.model == "poor")
    share = labels.mean()
    assert poor_one.predicted.value == pytest.approx(share, abs=0.1)
    assert ranking.dataset["task"] == "multilabel"
    assert "averaged over labels" in ranking.dataset["metric_tells"]


def test_names_of_labels_survive_to_the_report():
    names = [["warm"] * int(row[0] > 0) + ["wet"] * int(row[1] > 0) for row in X]
    ranking = rank(X, good, labels=names, cache=False)
    assert ranking.dataset["class_names"] == ["warm", "wet"]


def test_several_outputs_are_ranked_by_r2_with_spearman_beside():
    labels = X[:, :2] @ [[1.0, 0.5], [0.0, 2.0]] + 0.1 * RNG.normal(size=(240, 2))
    best = rank(X, good, labels=labels, cache=False).best
    assert best.predicted.metric == "r2"
    assert best.predicted.value > 0.95
    assert best.metrics["spearman"] > 0.95


def test_leave_one_out_outputs_are_those_of_refitting():
    statistics = Statistics(X[:40], X[:40, 0] + X[:40, 1] ** 2, task="regression")
    outputs = one_out_outputs(statistics)
    penalty = statistics.held_out.penalties[statistics.held_out.best]
    targets = statistics.targets.matrix()
    others = (targets.sum() - targets) / 39 - targets.mean()
    for row in (0, 17, 39):
        x, y = np.delete(X[:40], row, 0), np.delete(targets, row, 0)
        centred, offset = x - x.mean(0), y.mean(0)
        # The path is in terms of all rows, and the intercept is free in every fit.
        weights = np.linalg.solve(centred.T @ centred + penalty * np.eye(6), centred.T @ y)
        expected = (X[row] - x.mean(0)) @ weights + offset
        np.testing.assert_allclose(outputs[row] + others[row], expected)
    assert 1 - np.mean((outputs + others - targets) ** 2) / targets.var() == pytest.approx(
        statistics.held_out.value
    )


def grouped(n_groups=30, size=8):
    """Features that name the group, and labels that a group shares: nothing else to learn."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(n_groups), size)
    centres = rng.normal(size=(n_groups, 40))
    features = centres[groups] + 0.1 * rng.normal(size=(len(groups), 40))
    return features, (rng.random(n_groups) < 0.5)[groups].astype(int), groups


def test_what_only_the_group_tells_is_not_learnt():
    features, labels, groups = grouped()
    statistics = Statistics(features, labels)
    alone = held_out_metric(statistics, TOKEN_CLASSIFICATION)
    together = held_out_metric(statistics, TOKEN_CLASSIFICATION, groups)
    assert alone.value > 0.95
    assert together.value < 0.75
    assert len(together.losses) == 30
    assert together.losses.mean() == pytest.approx(1 - together.value)


def test_folds_keep_groups_whole_and_are_seeded():
    groups = np.repeat([7, 3, 9, 1], [1, 5, 2, 4])
    folds = group_folds(groups, seed=3)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    np.testing.assert_array_equal(folds, group_folds(groups, seed=3))
    with pytest.raises(ValueError, match="must be of at least two groups"):
        group_folds(np.zeros(4, dtype=int))


def test_a_group_column_is_held_out_together():
    features, labels, groups = grouped()
    rows = {f"x{j}": features[:, j].tolist() for j in range(40)}
    rows |= {"label": labels.tolist(), "who": groups.tolist()}
    columns = "features=" + "+".join(f"x{j}" for j in range(40)) + ",label=label,group=who"
    dataset = read_dataset(rows, columns=columns)
    made = Features("given", features.astype(np.float32), None, np.ones(240, dtype=bool), {})
    evaluation = evaluate(made, dataset, None)
    assert evaluation.value < 0.75
    np.testing.assert_array_equal(evaluation.rows, np.arange(30))


def tagged():
    rng = np.random.default_rng(2)
    sentences = [[f"w{rng.integers(50)}" for _ in range(rng.integers(2, 9))] for _ in range(80)]
    tags = [["NUM" if int(word[1:]) % 3 == 0 else "O" for word in words] for words in sentences]
    return read_dataset(sentences, labels=tags)


def word_features(dataset, kept):
    """One row a word: which of the fifty it is, for the words that are kept."""
    numbers = [int(word[1:]) for sample in dataset.samples for word in sample.words]
    noise = np.random.default_rng(3).normal(scale=0.05, size=(len(numbers), 50))
    values = (np.eye(50)[numbers] + noise).astype(np.float32)
    return Features("words", values[kept], None, kept, {})


def test_words_are_rows_and_sentences_are_drawn_together():
    dataset = tagged()
    everything = np.ones(len(dataset.labels), dtype=bool)
    evaluation = evaluate(word_features(dataset, everything), dataset, ["logme"])
    assert evaluation.value > 0.95
    assert len(evaluation.row_losses) == len(dataset) == 80
    assert set(evaluation.metrics) == {"accuracy", "macro_f1"}
    assert set(evaluation.scores) == {"logme"}
    assert evaluation.warnings == ()
    assert evaluation.n_rows == len(dataset.labels)
    low, high = interval(evaluation, is_share_of_rows=False)
    # A few hundred words tune a probe better than eighty rows would.
    assert high - low < interval_of_rows(evaluation)


def interval_of_rows(evaluation) -> float:
    low, high = interval(replace(evaluation, n_rows=None), is_share_of_rows=False)
    return high - low


def test_truncated_words_go_with_their_tags_and_are_counted():
    dataset = tagged()
    kept = np.ones(len(dataset.labels), dtype=bool)
    kept[[3, 10, 11]] = False
    evaluation = evaluate(word_features(dataset, kept), dataset, ["logme"])
    share = 3 / len(dataset.labels)
    assert evaluation.warnings == (
        f"3 of {len(dataset.labels)} words ({share:.1%}) lie beyond what the model reads of a "
        "sentence, and are left out together with their tags.",
    )


def test_a_model_without_a_row_per_word_is_told_so():
    dataset = tagged()
    made = Features("pooled", np.ones((80, 3), np.float32), None, np.ones(80, dtype=bool), {})
    with pytest.raises(ValueError, match=r"`pooled` must give one row per word \(\d+\)"):
        evaluate(made, dataset, None)


def test_words_through_rank_with_a_tiny_model(tmp_path):
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}
    vocabulary |= {f"w{k}": 4 + k for k in range(50)}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", model_max_length=32
    )
    config = transformers.BertConfig(
        vocab_size=60,
        hidden_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(tmp_path / "m")
    tokenizer.save_pretrained(tmp_path / "m")
    ranking = rank(tagged(), f"hf:{tmp_path}/m", cache=False)
    assert ranking.failures == ()
    assert ranking.dataset["task"] == "token_classification"
    assert ranking.best.predicted.value > 0.9
    assert not [warning for warning in ranking.warnings if "not computed" in warning]
