"""Tests of the batch-norm distance, of the layers it reads, and of what it says on real models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from transferscore.datasets import read_dataset
from transferscore.distances import batch_norm_distance
from transferscore.encoders import ModuleEncoder, NormLayer, norm_layers, resolve_encoder
from transferscore.errors import InputError

RNG = np.random.default_rng(0)
ZOO = Path(__file__).parents[4] / "shared" / "zoo"


def layer(mean=0.0, variance=1.0, *, source=(0.0, 1.0), between=0.0, n=10, scale=1.0):
    ones = np.ones(3)
    return NormLayer(
        source[0] * scale * ones,
        source[1] * scale**2 * ones,
        mean * scale * ones,
        variance * scale**2 * ones,
        between * scale**2 * ones,
        n,
    )


def test_the_formula():
    found = batch_norm_distance([layer(3.0, 4.0, between=5.0, n=10)])
    assert found.value == pytest.approx((9.0 - 0.5 + 1.0) / 5.0)
    assert found.layers == (found.value,)
    assert (found.level, found.n_samples) == ("very high", 10)


def test_zero_on_the_sources_own_statistics_symmetric_and_the_same_at_any_scale():
    assert batch_norm_distance([layer(0.5, 2.0, source=(0.5, 2.0))] * 5).value == 0.0
    there = batch_norm_distance([layer(1.0, 2.0, source=(0.3, 0.7))]).value
    back = batch_norm_distance([layer(0.3, 0.7, source=(1.0, 2.0))]).value
    large = batch_norm_distance([layer(1.0, 2.0, source=(0.3, 0.7), scale=1e6)]).value
    assert there == pytest.approx(back, rel=1e-12)
    assert there == pytest.approx(large, rel=1e-12)


def test_the_value_is_that_of_the_early_layers_and_an_estimate_below_zero_is_zero():
    near, far = layer(), layer(3.0)
    assert batch_norm_distance([near] * 4 + [far] * 12).value == 0.0
    assert batch_norm_distance([near] * 4 + [far] * 12).layers[-1] == 4.5
    assert batch_norm_distance([near] * 3 + [far] * 17).value == pytest.approx(4.5 / 4)
    assert batch_norm_distance([near, far]).value == pytest.approx(2.25)
    below = batch_norm_distance([layer(between=1.0)])
    assert below.value == 0.0
    assert below.layers[0] < 0.0


def test_dead_channels_tell_nothing():
    dead = NormLayer(*(np.array([0.0, x]) for x in (0.0, 1.0, 1.0, 1.0, 0.0)), 5)
    assert batch_norm_distance([dead]).value == pytest.approx(0.5)
    assert batch_norm_distance([layer(variance=0.0, source=(0.0, 0.0))]).value == 0.0


@pytest.mark.parametrize(
    ("shift", "level"), [(0.2, "low"), (0.35, "moderate"), (0.6, "high"), (1.0, "very high")]
)
def test_levels(shift, level):
    assert batch_norm_distance([layer(shift)]).level == level


def test_no_layer_is_refused():
    with pytest.raises(InputError, match=r"^`layers` must hold at least one batch-norm layer"):
        batch_norm_distance([])


def network():
    """A network whose batch norms have seen standard normal images."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 6, 3),
        nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.BatchNorm1d(6), nn.Linear(6, 3),
    )  # fmt: skip
    for _ in range(60):
        net(torch.randn(32, 3, 9, 9))
    return net.eval()


def images(n, mean=0.0, spread=1.0):
    return list((mean + spread * RNG.normal(size=(n, 3, 9, 9))).astype(np.float32))


def test_layers_hold_what_went_into_each_batch_norm():
    net, samples = network(), images(37)
    found = norm_layers(ModuleEncoder(net), samples)
    assert [len(each.mean) for each in found] == [8, 6, 6]
    with torch.no_grad():
        first = net[0](torch.from_numpy(np.stack(samples))).double().numpy()
    assert found[0].mean == pytest.approx(first.mean((0, 2, 3)), rel=1e-5, abs=1e-6)
    assert found[0].variance == pytest.approx(first.var((0, 2, 3)), rel=1e-5)
    means = first.mean((2, 3))
    assert found[0].between == pytest.approx(means.var(0, ddof=1), rel=1e-4)
    assert found[0].n_samples == 37
    assert found[0].source_mean == pytest.approx(net[1].running_mean.numpy())


def test_the_source_is_near_and_what_differs_is_far():
    encoder = ModuleEncoder(network())
    values = [
        batch_norm_distance(norm_layers(encoder, samples)).value
        for samples in (images(64), images(64, 0.5), images(64, 2.0), images(64, 0.0, 4.0))
    ]
    assert values[0] < 0.02 < values[1] < values[2]
    assert values[3] > 0.3


def test_an_exported_program_is_watched_as_the_module_is(tmp_path):
    net, samples = network(), images(8)
    dynamic = {0: torch.export.Dim("batch", min=1, max=64)}
    program = torch.export.export(net, (torch.randn(4, 3, 9, 9),), dynamic_shapes=(dynamic,))
    torch.export.save(program, tmp_path / "net.pt2")
    there = norm_layers(ModuleEncoder(net), samples)
    here = norm_layers(resolve_encoder(f"export:{tmp_path}/net.pt2", device="cpu"), samples)
    assert batch_norm_distance(here).layers == pytest.approx(batch_norm_distance(there).layers)


def test_what_has_no_stored_statistics_has_no_layers():
    fresh = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    without = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))
    for module in (fresh, without, nn.Flatten()):
        assert norm_layers(ModuleEncoder(module), images(4)) == []
    assert norm_layers(resolve_encoder(lambda samples: np.ones((len(samples), 2))), [1, 2]) == []
    assert norm_layers(ModuleEncoder(network()), images(1)) == []


def test_a_module_that_trains_stays_as_it_was():
    net = network().train()
    before = net[1].running_mean.clone()
    assert len(norm_layers(ModuleEncoder(net), images(8))) == 3
    assert net.training
    assert torch.equal(net[1].running_mean, before)


def drawings(n):
    """White sheets with a few black strokes, as omniglot's are."""
    from PIL import Image, ImageDraw

    sheets = []
    for _ in range(n):
        sheet = Image.new("RGB", (105, 105), "white")
        draw = ImageDraw.Draw(sheet)
        for _ in range(RNG.integers(2, 5)):
            steps = RNG.normal(scale=12.0, size=(8, 2))
            points = np.clip(RNG.uniform(20, 85, 2) + np.cumsum(steps, axis=0), 4, 100)
            draw.line([tuple(point) for point in points], fill="black", width=3)
        sheets.append(np.asarray(sheet))
    return sheets


@pytest.mark.parametrize("model", ["resnet20_cifar10", "resnet44_cifar10"])
def test_levels_on_the_real_zoo(model):
    """Of a CIFAR-10 network: its source low, flowers between, brain scans and drawings high."""
    if not ZOO.exists():
        pytest.skip(f"the zoo is not at {ZOO}")
    encoder = resolve_encoder(f"export:{ZOO}/models/export/{model}.pt2", device="cpu")
    levels = {}
    for name in ("cifar10", "flowers5", "brain_tumor_mri"):
        dataset = read_dataset(ZOO / f"datasets/image/{name}.zip")
        rows = np.random.default_rng(0).permutation(len(dataset))[:48]
        samples = [dataset.samples[row] for row in rows]
        levels[name] = batch_norm_distance(norm_layers(encoder, samples)).level
    sketches = read_dataset(drawings(16), labels=[0, 1] * 8).samples
    levels["drawings"] = batch_norm_distance(norm_layers(encoder, sketches)).level
    assert levels == {
        "cifar10": "low",
        "flowers5": "moderate",
        "brain_tumor_mri": "high",
        "drawings": "very high",
    }
