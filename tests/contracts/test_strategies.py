"""What every strategy promises on every encoder that can be trained."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from tests.contracts.conftest import CASES, SAMPLES
from transferscore.encoders import take_rows, trainable_model, why_untrainable
from transferscore.errors import EncoderError
from transferscore.strategies import STRATEGIES, Strategy, Tuning, trainable_parameters

# One of each kind. ConvNeXt's fresh layer scale of 1e-6 hides a step of training in float32.
KINDS = ("export", "module", "hf bert", "hf gpt2, padded left", "hf t5", "hf resnet")
TRAINABLE = [
    case for case in CASES if case.name in (*KINDS, "hf mobilenet", "hf vit", "hf wav2vec2", "st")
]


def first_of_use(module):
    weights = module.named_parameters()
    return (next(name for name, weight in weights if weight.requires_grad),)


MINE = Tuning("first_only", first_of_use)


def opened(case, folder):
    encoder = case.make(folder, 0)
    samples = SAMPLES[case.modality]
    model = trainable_model(encoder, samples)
    return encoder, model, model.prepare(samples)


@pytest.fixture(params=TRAINABLE, ids=lambda case: case.name)
def trainable(request, tmp_path):
    return opened(request.param, tmp_path)


@pytest.fixture(params=[*STRATEGIES.values(), MINE], ids=lambda strategy: strategy.name)
def strategy(request):
    return request.param


def test_features_are_those_of_the_encoder_and_carry_gradients(trainable):
    encoder, model, batch = trainable
    features = model.features(batch)
    assert features.requires_grad
    assert features.detach().numpy() == pytest.approx(encoder.forward(batch).features, abs=1e-5)


def test_exactly_what_the_features_depend_on_requires_a_gradient(trainable):
    _, model, batch = trainable
    model.features(batch).square().sum().backward()
    for name, weight in model.module.named_parameters():
        assert weight.requires_grad == (weight.grad is not None), name


def test_a_copy_is_independent_of_the_encoder(trainable):
    encoder, model, batch = trainable
    before = encoder.forward(batch).features
    with torch.no_grad():
        for weight in model.module.parameters():
            weight += 1.0
    assert np.array_equal(encoder.forward(batch).features, before)


def test_a_strategy_is_available_or_says_why_not(trainable, strategy):
    _, model, _ = trainable
    assert isinstance(strategy, Strategy)
    reason = strategy.unavailable(model.module)
    selected = strategy.select(model.module)
    if reason is not None:
        assert reason[0].islower()
        assert not selected
    else:
        assert bool(selected) == (strategy.name != "linear_probe")


def test_applying_trains_what_was_selected_and_changes_no_feature(trainable, strategy):
    _, model, batch = trainable
    if strategy.unavailable(model.module) is not None:
        pytest.skip("not available for this model")
    before = model.features(batch).detach()
    selected = strategy.select(model.module)
    strategy.apply(model.module, 7)
    trained = [name for name, weight in model.module.named_parameters() if weight.requires_grad]
    if strategy.name == "lora":
        assert len(trained) == 2 * len(selected)
        assert all("lora_" in name for name in trained)
    else:
        assert tuple(trained) == selected
    after = model.features(batch).detach()
    close = (after - before).abs().max() <= 1e-5 * before.abs().max()
    assert bool(close) == (strategy.name != "scratch")
    assert bool(trained) == bool(trainable_parameters(model.module))


def test_a_step_of_training_changes_the_features(trainable, strategy):
    _, model, batch = trainable
    if strategy.unavailable(model.module) is not None or not strategy.select(model.module):
        pytest.skip("nothing to train")
    strategy.apply(model.module, 0)
    weights = [weight for weight in model.module.parameters() if weight.requires_grad]
    optimizer = torch.optim.SGD(weights, lr=0.1)
    features = model.features(batch)
    directions = torch.randn(features.shape, generator=torch.Generator().manual_seed(0))
    # An untrained network may give features of 1e-26.
    (features / features.detach().abs().max() * directions).sum().backward()
    optimizer.step()
    assert not torch.equal(model.features(batch), features)


def test_scratch_draws_by_its_seed(trainable):
    encoder, _, batch = trainable
    drawn = []
    for seed in (0, 0, 1):
        copy = encoder.trainable()
        STRATEGIES["scratch"].apply(copy.module, seed)
        drawn.append(copy.features(batch).detach())
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.isfinite(drawn[0]).all()


def test_rows_of_a_prepared_batch_are_the_batch_of_those_samples(trainable):
    _, model, batch = trainable
    rows = np.array([4, 0, 2])
    whole = model.features(batch).detach().numpy()[rows]
    taken = model.features(take_rows(batch, rows)).detach().numpy()
    assert taken == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("name", ["onnx image", "onnx array", "callable", "keras"])
def test_a_model_without_gradients_says_why(name, tmp_path):
    case = next(case for case in CASES if case.name == name)
    encoder = case.make(tmp_path, 0)
    if name.startswith("onnx") and importlib.util.find_spec("onnx2torch"):
        pytest.skip("onnx2torch is installed and makes this graph trainable")
    assert why_untrainable(encoder) is not None
    with pytest.raises(EncoderError, match=r"has no gradients: (it is a|Keras)") as caught:
        trainable_model(encoder, SAMPLES[case.modality])
    assert "Use an `hf:` or `st:` folder" in str(caught.value)
