"""Every distance against its slow reference, in every regime."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.coral import coral as slow_coral
from tests.reference.distance_inputs import PAIRS
from tests.reference.emd import emd as slow_emd
from tests.reference.emd_prototypes import emd_prototypes as slow_emd_prototypes
from tests.reference.energy_distance import energy_distance as slow_energy_distance
from tests.reference.frechet import frechet as slow_frechet
from tests.reference.kid import kid as slow_kid
from tests.reference.mahalanobis import mahalanobis as slow_mahalanobis
from tests.reference.mean_cosine import mean_cosine as slow_mean_cosine
from tests.reference.mean_distance import mean_distance as slow_mean_distance
from tests.reference.mmd import mmd as slow_mmd
from tests.reference.otdd import otdd as slow_otdd
from tests.reference.proxy_a import proxy_a as slow_proxy_a
from tests.reference.sinkhorn import sinkhorn as slow_sinkhorn
from tests.reference.sliced_wasserstein import sliced_wasserstein as slow_sliced
from transferscore import distances

in_every_regime = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)


@pytest.mark.parametrize("ddof", [0, 1])
@in_every_regime
def test_frechet(pair, ddof):
    expected = slow_frechet(pair.source, pair.target, ddof)
    size = np.var(pair.source, axis=0).sum()
    value = distances.frechet(pair.source, pair.target, ddof=ddof)
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-13 * size)


@in_every_regime
def test_coral(pair):
    value = distances.coral(pair.source, pair.target)
    assert value == pytest.approx(slow_coral(pair.source, pair.target), rel=1e-8)


@pytest.mark.filterwarnings("ignore:The samples vary in")
@in_every_regime
def test_mahalanobis(pair):
    expected = slow_mahalanobis(pair.source, pair.target)
    value = distances.mahalanobis(pair.source, pair.target)
    assert value == pytest.approx(expected, rel=1e-7, abs=1e-20)


@in_every_regime
def test_mean_distance(pair):
    expected = slow_mean_distance(pair.source, pair.target)
    value = distances.mean_distance(pair.source, pair.target)
    assert value == pytest.approx(expected, rel=1e-10, abs=1e-12)


@in_every_regime
def test_mean_cosine(pair):
    expected = slow_mean_cosine(pair.source, pair.target)
    value = distances.mean_cosine(pair.source, pair.target)
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-14)
    assert distances.mean_cosine_similarity(pair.source, pair.target) == 1.0 - value


@in_every_regime
def test_mmd(pair):
    value = distances.mmd(pair.source, pair.target, clip=False)
    assert value == pytest.approx(slow_mmd(pair.source, pair.target), rel=1e-8, abs=1e-12)


@in_every_regime
def test_kid(pair):
    expected = slow_kid(pair.source, pair.target)
    size = (np.mean(pair.source**2) + 1.0) ** 3
    value = distances.kid(pair.source, pair.target, clip=False)
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-12 * size)


@pytest.mark.parametrize("unbiased", [False, True])
@in_every_regime
def test_energy_distance(pair, unbiased):
    expected = slow_energy_distance(pair.source, pair.target, unbiased=unbiased)
    value = distances.energy_distance(pair.source, pair.target, unbiased=unbiased)
    spread = np.std(pair.source)
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-13 * spread)


@pytest.mark.parametrize("p", [1, 2, 3.5])
@in_every_regime
def test_sliced_wasserstein(pair, p):
    directions = np.random.default_rng(3).normal(size=(pair.source.shape[1], 7))
    expected = slow_sliced(pair.source, pair.target, directions, p)
    value = distances.sliced_wasserstein(pair.source, pair.target, p=p, projections=directions)
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-12 * np.abs(pair.source).max())


@in_every_regime
def test_sinkhorn(pair):
    size = np.var(pair.source)
    for objective, expected in slow_sinkhorn(pair.source, pair.target).items():
        value = distances.sinkhorn(pair.source, pair.target, objective=objective)
        assert value == pytest.approx(expected, rel=1e-8, abs=1e-8 * size)


@in_every_regime
def test_emd(pair):
    expected = slow_emd(pair.source, pair.target)
    value = distances.emd(pair.source, pair.target)
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-9 * np.var(pair.source))


def labels_of(pair):
    return {"source_labels": pair.source_labels, "target_labels": pair.target_labels}


@in_every_regime
def test_emd_prototypes(pair):
    expected = slow_emd_prototypes(pair.source, pair.target, *labels_of(pair).values())
    value = distances.emd_prototypes(pair.source, pair.target, **labels_of(pair))
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-9 * np.std(pair.source))
    similarity = distances.prototype_similarity(
        pair.source, pair.target, **labels_of(pair), gamma=0.5
    )
    assert similarity == np.exp(-0.5 * value)


@in_every_regime
def test_otdd(pair):
    expected = slow_otdd(pair.source, pair.target, *labels_of(pair).values())
    value = distances.otdd(pair.source, pair.target, **labels_of(pair))
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-6 * np.std(pair.source))


@in_every_regime
def test_proxy_a(pair):
    n, m = len(pair.source), len(pair.target)
    folds = np.concatenate([np.arange(n) % 4, np.arange(m) % 4])
    expected = slow_proxy_a(pair.source, pair.target, folds)
    value = distances.proxy_a(pair.source, pair.target, folds=folds, clip=False)
    # Rows that stand on the border between the domains may fall either way.
    assert value == pytest.approx(expected, abs=4.0 / (n + m) + 1e-9)
