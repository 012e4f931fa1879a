import numpy as np
import pytest
import torch

from tests.contracts.conftest import CASES, SAMPLES
from tests.reference.tangent import exact_kernel
from transferscore.datasets import dataset_from_arrays
from transferscore.encoders import ModuleEncoder, trainable_model
from transferscore.strategies.kernel import gram
from transferscore.strategies.tangent import tangents

NAMES = ["export", "module", "hf bert", "hf gpt2, padded left", "hf t5"]
ONLY_ADDED = ("position", "cls_token", "wpe", "token_type", "relative_attention_bias")


def opened(name, folder):
    case = next(case for case in CASES if case.name == name)
    samples = list(SAMPLES[case.modality])
    model = trainable_model(case.make(folder, 0), samples)
    return model, samples


def sketched(model, samples, width, n_directions=2):
    batch = model.prepare(samples)
    d = model.features(batch).shape[1]
    directions = np.random.default_rng(0).normal(size=(n_directions, d)).astype(np.float32)
    order = np.arange(len(samples))[::-1].copy()
    return tangents(model, batch, order, directions, width=width), directions


@pytest.mark.parametrize("name", NAMES)
def test_sketched_kernels_are_the_exact_ones(name, tmp_path):
    model, samples = opened(name, tmp_path)
    found, directions = sketched(model, samples, width=48)
    errors = {}
    for weight, block in found.blocks.items():
        exact = exact_kernel(model, samples, directions, weight)
        if "key.bias" in weight:  # attention does not feel it: both are rounding
            assert max(np.trace(exact), np.trace(gram(block))) < 1e-6
            continue
        error = np.linalg.norm(gram(block) - exact) / np.linalg.norm(exact)
        assert block.shape[2] > 1 or error < 1e-4, weight
        errors[weight] = error if block.shape[2] > 1 else 0.3
    # Gaussian projections to 48 numbers on either side are off by a quarter, one in many by more.
    assert np.median(list(errors.values())) < 0.35
    assert max(errors.values()) < 1.0


@pytest.mark.parametrize("name", NAMES)
def test_all_weights_are_covered_but_those_only_added(name, tmp_path):
    found, _ = sketched(*opened(name, tmp_path), width=4)
    assert [name for name in found.uncovered if not any(word in name for word in ONLY_ADDED)] == []


def test_depthwise_convolutions_are_exact():
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3, stride=2, padding=1, groups=3),
        torch.nn.ReLU(inplace=True),
        torch.nn.AdaptiveAvgPool2d(2),
        torch.nn.Flatten(),
    )
    images = np.random.default_rng(0).normal(size=(4, 3, 9, 9)).astype(np.float32)
    samples = dataset_from_arrays(images, [0, 1, 0, 1]).samples
    model = trainable_model(ModuleEncoder(net), samples)
    found, directions = sketched(model, list(samples), width=16)
    for name in ("0.weight", "0.bias"):
        exact = exact_kernel(model, list(samples), directions, name)
        assert gram(found.blocks[name]) == pytest.approx(exact, rel=1e-4, abs=1e-6)


def test_a_sketch_is_right_on_average():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(6, 20), torch.nn.Tanh())
    rows = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    model = trainable_model(ModuleEncoder(net), list(rows))
    directions = np.random.default_rng(1).normal(size=(1, 20)).astype(np.float32)
    exact = exact_kernel(model, list(rows), directions, "0.weight")
    batch, order = model.prepare(list(rows)), np.arange(5)
    kernels = [
        gram(tangents(model, batch, order, directions, width=8, seed=seed).blocks["0.weight"])
        for seed in range(200)
    ]
    error = np.abs(np.mean(kernels, axis=0) - exact).max() / np.diag(exact).max()
    assert error < 0.1
    assert np.abs(kernels[0] - exact).max() / np.diag(exact).max() > error


def test_results_that_are_overwritten_in_place_are_copied():
    def net(*, inplace):
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Linear(4, 5), torch.nn.ReLU(inplace=inplace), torch.nn.Linear(5, 3)
        )

    rows = list(np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32))
    found = [
        sketched(trainable_model(ModuleEncoder(net(inplace=flag), layer=""), rows), rows, 4)[0]
        for flag in (True, False)
    ]
    for name in found[0].blocks:
        assert np.array_equal(found[0].blocks[name], found[1].blocks[name])


def test_the_order_of_batches_changes_nothing():
    rows = np.random.default_rng(0).normal(size=(70, 4)).astype(np.float32)
    torch.manual_seed(0)
    model = trainable_model(ModuleEncoder(torch.nn.Linear(4, 3), layer=""), list(rows))
    batch, directions = model.prepare(list(rows)), np.eye(3, dtype=np.float32)
    orders = np.arange(70), np.random.default_rng(1).permutation(70)
    first, second = (tangents(model, batch, order, directions, width=4) for order in orders)
    assert first.features == pytest.approx(second.features, abs=1e-6)
    for name, block in first.blocks.items():
        assert block == pytest.approx(second.blocks[name], abs=1e-5)
