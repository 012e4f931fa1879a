"""How long the outlook takes, in plain forward and backward passes over the same rows.

Run by hand: `pytest tests/benchmarks/bench_outlook.py -m bench -s`. CPU time, so that other work on
the machine counts little. Accuracy is printed by `calibrate_outlook.py`.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from tests.benchmarks.measured_strategies import ZOO, compact, open_dataset, open_model
from transferscore.encoders import take_rows, trainable_model
from transferscore.strategies import STRATEGIES, outlook
from transferscore.strategies.probe import fit_probe

pytestmark = pytest.mark.bench

ROWS = 500  # about as many as are used by default
CASES = [
    ("resnet20_cifar10", "flowers5"),
    ("mobilenet_v1_0.25_128", "flowers5"),
    ("minilm", "trec6"),
]


@pytest.mark.parametrize(("model", "name"), CASES)
def test_time_in_passes(model, name):
    if not ZOO.exists():
        pytest.skip("../shared/zoo is not here")
    torch.set_num_threads(1)
    encoder, dataset = open_model(model), open_dataset(name)
    rows = np.sort(np.random.default_rng(0).permutation(len(dataset))[:ROWS])
    dataset = compact(dataset, rows)
    one_pass(encoder, dataset)
    fit_probe(np.eye(8), np.arange(8) % 2, 2)  # scikit-learn is imported once
    plain = one_pass(encoder, dataset)
    features = encoder.forward(encoder.prepare(dataset.samples)).features
    began = time.process_time()
    outlook(encoder, dataset, features, list(STRATEGIES.values()))
    seconds = time.process_time() - began
    print(f"\n{model} on {name}: {seconds:.1f} s, {seconds / plain:.1f} passes of {plain:.2f} s")


def one_pass(encoder, dataset) -> float:
    """CPU time of one forward and backward pass over all rows, in batches of 16."""
    model = trainable_model(encoder, dataset.samples[:2])
    weights = [weight for weight in model.module.parameters() if weight.requires_grad]
    batch = model.prepare(dataset.samples)
    order = np.argsort([encoder.cost(sample) for sample in dataset.samples], kind="stable")
    began = time.process_time()
    for rows in np.array_split(order, len(order) // 16):
        features = model.features(take_rows(batch, rows))
        torch.autograd.grad(features.square().sum(), weights)
    return time.process_time() - began
