"""Tests of a model's options: foreseen, priced, and never a silent skip."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from transferscore.datasets import dataset_from_arrays
from transferscore.encoders import CallableEncoder, FeaturesFile
from transferscore.features import extract_features
from transferscore.strategies import STRATEGIES, LoRA, Tuning
from transferscore.strategies import options as options_module
from transferscore.strategies.options import options_key, options_of
from transferscore.strategies.published import PUBLISHED_BASIS
from transferscore.strategies.recipe import recipe_of

MINE = Tuning("first_layer", lambda _: ("blocks.0.0.weight",))


@pytest.fixture
def features(encoder, dataset):
    return extract_features(encoder, dataset)


def by_name(options):
    return {option.strategy: option for option in options}


def test_every_strategy_is_foreseen_and_priced(encoder, dataset, features):
    found = by_name(options_of(encoder, dataset, features, list(STRATEGIES.values())))
    assert list(found) == list(STRATEGIES)
    for name, option in found.items():
        assert option.is_available, option.outlook.reason
        assert option.step.trains_model == (name != "linear_probe")
        assert option.step.head_seconds > 0
        assert 0 <= option.outlook.predicted.low <= option.outlook.predicted.high <= 1
    assert found["full"].about.trains_all
    assert found["lora"].about.lora_targets


def test_a_strategy_of_ones_own_is_an_option(encoder, dataset, features):
    found = by_name(options_of(encoder, dataset, features, [STRATEGIES["linear_probe"], MINE]))
    assert found["first_layer"].is_available
    assert found["first_layer"].about.train_only == ("blocks.0.0.weight",)
    assert found["first_layer"].step.n_trainable == 6 * 16 + 16 * 3 + 3


def test_the_probe_alone_is_not_foreseen_twice(encoder, dataset, features, monkeypatch):
    monkeypatch.delattr(options_module, "outlook")
    (option,) = options_of(encoder, dataset, features, [STRATEGIES["linear_probe"]])
    assert option.is_available
    assert option.outlook.predicted is None
    assert option.step.activation_bytes > 0


def test_a_model_without_gradients_says_so_and_keeps_its_probe(dataset):
    plain = CallableEncoder(lambda samples: np.stack(samples), name="plain")
    features = extract_features(plain, dataset)
    strategies = [STRATEGIES["linear_probe"], STRATEGIES["full"]]
    probe, full = options_of(plain, dataset, features, strategies)
    assert probe.step.weight_bytes is None
    assert probe.step.forward_seconds > 0
    assert not full.is_available
    assert "plain function" in full.outlook.reason


def test_what_cannot_be_trained_here_has_a_recipe_all_the_same():
    texts = [f"{word} {i}" for i in range(40) for word in ("good", "bad")]
    data = dataset_from_arrays(texts, [text.split()[0] for text in texts])
    plain = CallableEncoder(lambda batch: np.array([[len(t), ord(t[0])] for t in batch]), name="f")
    features = extract_features(plain, data)
    lora, full = options_of(plain, data, features, [LoRA(4), STRATEGIES["full"]])
    assert recipe_of("full", full.about).freeze == "nothing"
    recipe = recipe_of(lora.strategy, lora.about)
    assert (recipe.lora["r"], recipe.lora["target_modules"]) == (4, "all-linear")


def test_a_file_of_features_has_no_price(rows, tmp_path):
    np.savez(tmp_path / "x.npz", features=rows[0], labels=rows[1])
    file = FeaturesFile(tmp_path / "x.npz")
    dataset = dataset_from_arrays(*rows)
    features = extract_features(file, dataset)
    strategies = [STRATEGIES["linear_probe"], STRATEGIES["lora"]]
    probe, lora = options_of(file, dataset, features, strategies)
    assert probe.is_available
    assert probe.step is None
    assert "file of features" in lora.outlook.reason


def test_of_a_file_of_features_published_runs_tell_full_tuning(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (80, 4, 4, 3), dtype=np.uint8)
    labels = np.arange(80) % 2
    np.savez(tmp_path / "x.npz", features=pixels.reshape(80, -1)[:, :5], labels=labels)
    file = FeaturesFile(tmp_path / "x.npz")
    data = dataset_from_arrays(list(pixels), labels)
    (full,) = options_of(file, data, extract_features(file, data), [STRATEGIES["full"]])
    assert full.outlook.basis == PUBLISHED_BASIS
    assert full.step is None


def test_another_task_is_stated(encoder, rows):
    dataset = dataset_from_arrays(rows[0], (rows[0][:, :2] > 0).astype(int), task="multilabel")
    features = extract_features(encoder, dataset)
    strategies = [STRATEGIES["linear_probe"], STRATEGIES["full"]]
    probe, full = options_of(encoder, dataset, features, strategies)
    assert probe.is_available
    assert probe.step.n_trainable == 16 * 2 + 2
    assert full.outlook.reason == "what fine-tuning reaches is not predicted for multilabel"


def test_a_trial_that_fails_leaves_the_probe(encoder, dataset, features, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no\nluck.")

    strategies = [STRATEGIES["linear_probe"], STRATEGIES["full"]]
    monkeypatch.setattr(options_module, "outlook", broken)
    probe, full = options_of(encoder, dataset, features, strategies)
    assert probe.is_available
    assert full.outlook.reason == "a trial run failed: no luck"


def test_a_step_that_fails_is_not_available(encoder, dataset, features, monkeypatch):
    measure = options_module.profile_step

    def broken(load, strategy, work):
        if strategy.name == "full":
            raise RuntimeError("no luck")
        return measure(load, strategy, work)

    monkeypatch.setattr(options_module, "profile_step", broken)
    strategies = [STRATEGIES["linear_probe"], STRATEGIES["full"]]
    probe, full = options_of(encoder, dataset, features, strategies)
    assert probe.is_available
    assert not full.is_available
    assert full.outlook.reason == "a training step failed: no luck"


def test_samples_that_cannot_be_read_are_left_out(encoder, dataset, features):
    kept = np.ones(len(dataset), dtype=bool)
    kept[[3, 50]] = False
    partly = dataclasses.replace(
        features,
        values=features.values[kept],
        logits=features.logits[kept],
        kept=kept,
        unreadable={3: "torn", 50: "torn"},
    )
    strategies = [STRATEGIES["linear_probe"], STRATEGIES["norm_tuning"]]
    _, tuned = options_of(encoder, dataset, partly, strategies)
    assert tuned.is_available, tuned.outlook.reason
    assert math.isfinite(tuned.outlook.predicted.value)


def test_only_our_own_strategies_are_kept_for_the_next_run():
    full = STRATEGIES["full"]
    assert options_key("abc", [full], 0) == options_key("abc", [full], 0)
    assert options_key("abc", [full], 0) != options_key("abc", [full], 1)
    assert options_key("abc", [full], 0) != options_key("abd", [full], 0)
    assert options_key("abc", [LoRA(4)], 0) != options_key("abc", [LoRA(8)], 0)
    assert options_key("abc", [full, MINE], 0) is None
    assert options_key("abc", [Tuning("full", lambda _: ())], 0) is None
