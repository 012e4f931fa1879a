import copy

import numpy as np
import pytest
import torch
from torch import nn

from transferscore.datasets import dataset_from_arrays
from transferscore.encoders import ModuleEncoder
from transferscore.errors import EncoderError
from transferscore.strategies import STRATEGIES, training
from transferscore.strategies.batch_norm import batch_statistics
from transferscore.strategies.measures import measure
from transferscore.strategies.probe import fit_probe, head_of
from transferscore.strategies.training import TrainingPlan, train_strategy

PLAN = TrainingPlan(epochs=12, search_epochs=4)
ROWS = np.arange(240)


def quadrants(n=240, seed=0):
    """Classes that no linear map of the inputs tells apart, but a trained layer does."""
    x = np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def encoder(width=6):
    torch.manual_seed(0)
    return ModuleEncoder(nn.Sequential(nn.Linear(2, width), nn.Tanh()))


def train(name, dataset, model=None, rows=ROWS, **options):
    return train_strategy(
        model or encoder(),
        STRATEGIES[name],
        dataset,
        rows[:160],
        rows[160:],
        plan=options.pop("plan", PLAN),
        **options,
    )


def test_full_tuning_learns_what_the_probe_cannot():
    dataset = dataset_from_arrays(*quadrants())
    plan = TrainingPlan(epochs=40, search_epochs=20, learning_rates=(1e-4, 3e-2))
    probe, full = train("linear_probe", dataset), train("full", dataset, plan=plan)
    assert probe.value < 0.85
    assert full.value > probe.value + 0.05
    assert full.learning_rate == 3e-2
    assert (probe.n_trainable, probe.learning_rate, probe.epochs) == (0, None, 0)
    assert (full.n_train, full.n_test) == (160, 80)


def test_a_rate_that_tears_the_model_apart_gives_way_to_a_lower_one(monkeypatch):
    dataset = dataset_from_arrays(*quadrants())
    plan = TrainingPlan(epochs=20, search_epochs=2, learning_rates=(1e-2, 1e4))
    monkeypatch.setattr(training, "_search", lambda *_: (1e4, 1.0))
    full = train("full", dataset, plan=plan)
    assert full.learning_rate == 1e-2
    assert full.value > 0.7
    only = TrainingPlan(epochs=20, search_epochs=2, learning_rates=(1e4,))
    assert train("full", dataset, plan=only).learning_rate == 1e4


def test_the_model_of_the_encoder_stays_as_it_is():
    model = encoder()
    dataset = dataset_from_arrays(*quadrants())
    batch = model.prepare(dataset.samples)
    before = model.forward(batch).features
    train("full", dataset, model)
    assert np.array_equal(model.forward(batch).features, before)


@pytest.mark.parametrize("name", ["norm_tuning", "lora", "scratch"])
def test_the_same_seed_gives_the_same_result(name):
    dataset = dataset_from_arrays(*quadrants())
    first, second = (train(name, dataset, seed=3).metrics for _ in range(2))
    assert first == second


def test_regression_is_measured_by_r2():
    x, _ = quadrants()
    dataset = dataset_from_arrays(x, x[:, 0] - 2 * x[:, 1], task="regression")
    assert train("linear_probe", dataset).metrics["r2"] > 0.99
    assert train("full", dataset).metrics["r2"] > 0.98


def test_what_is_not_available_is_an_error_with_the_reason():
    dataset = dataset_from_arrays(*quadrants())
    conv = ModuleEncoder(nn.Sequential(nn.Unflatten(1, (1, 2)), nn.Conv1d(1, 3, 2), nn.Flatten()))
    with pytest.raises(EncoderError, match="`lora` is not available for `Sequential`: the model"):
        train("lora", dataset, conv)


def test_batch_statistics_hold_in_eval_mode_and_end_with_the_context():
    norm = nn.BatchNorm1d(3).eval()
    norm.momentum = 0.997
    x = torch.randn(50, 3) * 5 + 2
    with batch_statistics():
        inside = norm(x)
    assert inside.mean().abs() < 1e-5
    assert norm.running_mean == pytest.approx(0.1 * x.mean(0))
    assert norm(x).mean() > 0.5


def test_batch_statistics_reach_exported_programs():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    example = (torch.randn(4, 3, 8, 8),)
    program = torch.export.export(net, example).module()
    trained = copy.deepcopy(net).train()
    with batch_statistics():
        assert torch.allclose(program(*example), trained(*example), atol=1e-5)


def test_the_head_gives_what_the_probe_gives():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(60, 5)), rng.integers(0, 3, 60)
    probe = fit_probe(features, labels, 4)
    outputs = head_of(probe)(torch.tensor(features, dtype=torch.float32))
    assert outputs.detach().numpy() == pytest.approx(probe.outputs(features), abs=1e-4)
    assert outputs.shape == (60, 4)
    assert not (probe.outputs(features).argmax(axis=1) == 3).any()


def test_metrics():
    outputs = np.array([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [0.0, 2.0]])
    found = measure(outputs, np.array([0, 1, 1, 1]), "classification")
    assert found == pytest.approx({"accuracy": 0.75, "macro_f1": (2 / 3 + 0.8) / 2})
    assert measure(np.array([[1.0], [3.0]]), np.array([1.0, 3.0]), "regression") == {"r2": 1.0}
