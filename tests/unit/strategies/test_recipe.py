"""Tests of recipes, and of what transformers and PEFT say to their arguments."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch
from torch import nn

from transferscore.strategies import STRATEGIES
from transferscore.strategies.circumstances import circumstances_of, covering_names
from transferscore.strategies.recipe import Circumstances, recipe_of, schedule_of
from transferscore.strategies.training import LEARNING_RATES, TrainingPlan

ABOUT = Circumstances(n_samples=1000, n_classes=5, modality="image")


def test_covering_names_are_short_and_exact():
    names = ["a.w", "a.b", "b.0.w", "b.1.w", "norm.w"]
    assert covering_names(["b.1.w", "norm.w"], names) == ("b.1", "norm")
    assert covering_names(["b.0.w", "b.1.w"], names) == ("b",)
    assert covering_names(["a.b"], names) == ("a.b",)
    assert covering_names([], names) == ()


def test_what_a_strategy_trains_is_in_the_recipe(load, dataset):
    module = load().module
    about = {n: circumstances_of(dataset, STRATEGIES[n], module) for n in STRATEGIES}
    assert about["full"].trains_all
    assert about["partial"].train_only == ("blocks.1",)
    assert about["linear_probe"].train_only == ()
    assert not about["linear_probe"].trains_all
    assert about["lora"].lora_rank == 8
    assert about["lora"].lora_targets == ("blocks.0.0", "blocks.1.0")
    assert not about["full"].has_batch_norm
    freeze = recipe_of("partial", about["partial"]).freeze
    assert freeze == "everything but `blocks.1` and the new head"
    assert recipe_of("full", about["full"]).freeze == "nothing"


def test_lora_targets_are_ends_of_names_where_these_mean_no_other_layer(dataset):
    module = nn.ModuleDict(
        {
            "first": nn.ModuleDict({"query": nn.Linear(4, 4), "value": nn.Linear(4, 4)}),
            "second": nn.ModuleDict({"query": nn.Linear(4, 4), "value": nn.Linear(4, 4)}),
        }
    )
    about = circumstances_of(dataset, STRATEGIES["lora"], module)
    assert about.lora_targets == ("query", "value")
    module["first"]["value"] = nn.Conv2d(4, 4, 3)
    about = circumstances_of(dataset, STRATEGIES["lora"], module)
    assert about.lora_targets == ("first.query", "second.query", "second.value")


def test_a_probe_has_no_augmentation_and_few_images_have_more():
    assert recipe_of("linear_probe", ABOUT).augmentation == ()
    many = recipe_of("full", ABOUT).augmentation
    few = recipe_of("full", dataclasses.replace(ABOUT, n_samples=100)).augmentation
    assert many
    assert set(many) < set(few)
    assert recipe_of("full", dataclasses.replace(ABOUT, modality="text")).augmentation == ()


@pytest.mark.parametrize("n_samples", [2, 10, 100, 1000, 100_000])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_recipe_is_possible_for_any_number_of_samples(strategy, n_samples):
    recipe = recipe_of(strategy, dataclasses.replace(ABOUT, n_samples=n_samples))
    low, high = recipe.learning_rate
    assert 0 < low < high < 1
    assert 1 <= recipe.search_epochs <= recipe.patience + 2
    assert 3 <= recipe.epochs <= 15
    schedule = schedule_of(recipe, n_samples)
    assert (schedule.epochs == 0) == (strategy == "linear_probe")
    assert json.loads(json.dumps(recipe.to_dict()))["strategy"] == strategy


def test_what_is_recommended_is_what_verification_does():
    recipe = recipe_of("full", ABOUT)
    plan = recipe.plan()
    assert plan == dataclasses.replace(TrainingPlan(), learning_rates=LEARNING_RATES["full"])
    schedule = schedule_of(recipe, 1000)
    assert schedule.n_rates == len(LEARNING_RATES["full"])
    assert schedule.epochs == plan.epochs


def test_texts_and_many_samples_take_fewer_epochs():
    texts = dataclasses.replace(ABOUT, modality="text")
    assert recipe_of("full", texts).epochs < recipe_of("full", ABOUT).epochs
    many = dataclasses.replace(ABOUT, n_samples=20_000)
    assert recipe_of("full", many).epochs == 4


def test_a_strategy_of_ones_own_gets_the_recipe_of_full():
    assert recipe_of("mine", ABOUT).learning_rate == recipe_of("full", ABOUT).learning_rate
    assert recipe_of("lora:16", ABOUT).learning_rate == recipe_of("lora", ABOUT).learning_rate


def test_batch_norms_stay_in_eval_mode(dataset):
    module = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))
    about = circumstances_of(dataset, STRATEGIES["full"], module)
    assert any("eval mode" in note for note in recipe_of("full", about).notes)
    assert not any("eval mode" in note for note in recipe_of("linear_probe", about).notes)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_transformers_accepts_the_arguments(strategy, tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    recipe = recipe_of(strategy, ABOUT)
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), use_cpu=True, **recipe.training_arguments()
    )
    assert arguments.num_train_epochs == recipe.epochs
    assert arguments.learning_rate in recipe.learning_rates
    assert arguments.warmup_steps == recipe.warmup_steps
    transformers.EarlyStoppingCallback(early_stopping_patience=recipe.patience)


def test_peft_accepts_the_arguments_and_adapts_the_layers_meant(load, dataset):
    peft = pytest.importorskip("peft")
    module = load().module
    about = circumstances_of(dataset, STRATEGIES["lora"], module)
    config = peft.LoraConfig(**recipe_of("lora", about).to_dict()["lora_config"])
    model = peft.get_peft_model(module, config)
    adapted = {name for name, _ in model.named_modules() if name.endswith("lora_A.default")}
    assert len(adapted) == 2
    assert recipe_of("full", about).to_dict()["lora_config"] is not None
    assert recipe_of("full", ABOUT).to_dict()["lora_config"] is None


# peft reads what this transformers calls deprecated.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_adapted_convolutions_of_mobilenets_run_as_the_recipe_says(dataset):
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    config = transformers.MobileNetV1Config(depth_multiplier=0.25, image_size=32, num_labels=4)
    model = transformers.MobileNetV1ForImageClassification(config)
    recipe = recipe_of("lora", circumstances_of(dataset, STRATEGIES["lora"], model))
    assert any("layer.stride = layer.base_layer.stride" in note for note in recipe.notes)
    adapted = peft.get_peft_model(model, peft.LoraConfig(**recipe.to_dict()["lora_config"]))
    layers = [m for m in adapted.modules() if hasattr(m, "base_layer")]
    for layer in (each for each in layers if isinstance(each.base_layer, nn.Conv2d)):
        for name in ("stride", "kernel_size", "dilation"):
            setattr(layer, name, getattr(layer.base_layer, name))
    assert adapted(torch.zeros(2, 3, 32, 32)).logits.shape == (2, 4)


def test_adapters_beside_linear_layers_need_no_such_note(load, dataset):
    about = circumstances_of(dataset, STRATEGIES["lora"], load().module)
    assert not any("stride" in note for note in recipe_of("lora", about).notes)
