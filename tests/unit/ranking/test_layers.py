from __future__ import annotations

import json

import numpy as np
import pytest

import transferscore
from transferscore.encoders import Encoding
from transferscore.ranking.keeper import outcome_of_bytes, outcome_to_bytes
from transferscore.ranking.layers import best_layer

RNG = np.random.default_rng(0)
LABELS = np.arange(120) % 3
ROWS = np.eye(3)[LABELS] + RNG.normal(scale=0.6, size=(120, 3))


class Deep:
    """Three layers of 3, 4 and 5 features, of which the middle one is without noise."""

    name = "deep"

    def __init__(self):
        self.passes = 0

    def digest(self):
        return "d" * 64

    def details(self):
        return {"revision": "abc"}

    def cost(self, _):
        return 1

    def prepare(self, samples):
        return np.stack(samples).astype(np.float32)

    def forward(self, batch):
        self.passes += 1
        wide = np.hstack([batch, batch[:, :2]])
        noise = np.random.default_rng(len(batch)).normal(size=wide.shape).astype(np.float32)
        layers = (batch + 3 * noise[:, :3], wide[:, :4], wide + noise)
        return Encoding(layers[-1], layers=layers)

    def release(self):
        pass


@pytest.mark.parametrize("with_store", [False, True])
def test_all_layers_are_ranked_in_one_pass_and_the_best_stands_for_the_model(tmp_path, with_store):
    encoder = Deep()
    cache = tmp_path if with_store else False
    ranking = transferscore.rank(ROWS, [encoder], labels=LABELS, cache=cache, baseline=False)
    assert encoder.passes == 1
    (candidate,) = ranking.candidates
    assert candidate.layer == 1
    assert [layer.layer for layer in candidate.layers] == [0, 1, 2]
    assert [layer.n_features for layer in candidate.layers] == [3, 4, 5]
    assert candidate.predicted.value == max(layer.value for layer in candidate.layers)
    assert candidate.n_features == 4
    assert candidate.scores == candidate.layers[1].scores
    plain = transferscore.rank(
        ROWS, [lambda rows: encoder.forward(np.stack(rows)).layers[1]], labels=LABELS, cache=False
    )
    assert candidate.predicted == plain.best.predicted
    again = transferscore.rank(ROWS, [encoder], labels=LABELS, cache=cache, baseline=False)
    assert again.candidates[0].layers == candidate.layers


def test_the_report_has_the_profile_and_the_revision():
    ranking = transferscore.rank(ROWS, [Deep()], labels=LABELS, cache=False, baseline=False)
    document = json.loads(json.dumps(ranking.to_dict()))
    (candidate,) = document["candidates"]
    assert candidate["layer"] == 1
    assert [layer["layer"] for layer in candidate["layers"]] == [0, 1, 2]
    assert set(candidate["layers"][0]) == {"layer", "value", "n_features", "scores"}
    assert candidate["details"] == {"revision": "abc"}
    values = ", ".join(f"{layer['value']:.1%}" for layer in candidate["layers"])
    assert f"layers: deep: layer 1 of 0 to 2 is best: {values}" in str(ranking)
    assert "revision: deep: abc" in str(ranking)


def test_the_layers_outlive_the_process():
    from transferscore.datasets import dataset_from_arrays
    from transferscore.features import extract_features
    from transferscore.ranking import Evaluated, evaluate

    dataset = dataset_from_arrays(ROWS, LABELS)
    evaluation = evaluate(extract_features(Deep(), dataset), dataset, None)
    outcome = Evaluated("deep", evaluation, 1.0, 0.5, {"revision": "abc"})
    back = outcome_of_bytes(outcome_to_bytes(outcome))
    assert back.evaluation.layers == evaluation.layers
    assert back.evaluation.layer == 1
    assert back.details == {"revision": "abc"}


def test_of_equal_layers_the_later_is_taken():
    assert best_layer([0.5, 0.9, 0.9, 0.1]) == 2


def test_a_reader_is_told_of_texts_that_were_cut():
    class Short(Deep):
        def prepare(self, samples):
            return np.array([[len(text), text.count("a")] for text in samples], dtype=np.float32)

        def forward(self, batch):
            return Encoding(batch, n_cut=int((batch[:, 0] > 5).sum()))

    texts = ["a" * (i % 8) + "b" for i in range(60)]
    labels = [i % 8 > 3 for i in range(60)]
    ranking = transferscore.rank(texts, [Short()], labels=labels, cache=False)
    n_cut = sum(len(text) > 5 for text in texts)
    note = f"deep: {n_cut} of 60 texts ({n_cut / 60:.1%}) are longer than the model reads, and the "
    assert any(warning.startswith(note) for warning in ranking.warnings)
