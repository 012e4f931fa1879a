"""What every registered distance keeps: a new one gets these tests by being registered."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
import pytest

from tests.reference.distance_inputs import sample_pair
from transferscore.distances import DISTANCES, distance
from transferscore.distances.pair import Pair
from transferscore.errors import InputError

every = pytest.mark.parametrize("info", DISTANCES.values(), ids=lambda info: info.name)
POWER = {"1": 0, "feature": 1, "feature^2": 2, "feature^4": 4}


def value(info, source, target, source_labels, target_labels, seed=0):
    pair = Pair(source, target, source_labels=source_labels, target_labels=target_labels, seed=seed)
    return max(0.0, info.compute(pair))


def of(info, pair, **options):
    arguments = (pair.source, pair.target, pair.source_labels, pair.target_labels)
    return value(info, *arguments, **options)


@every
@pytest.mark.filterwarnings("ignore:The samples vary in")
@pytest.mark.parametrize("shape", [(40, 40, 6), (12, 12, 30), (30, 30, 1)])
def test_zero_on_itself(info, shape):
    pair = sample_pair(*shape)
    x, y = pair.source, pair.source_labels
    other = of(info, pair)
    assert value(info, x, x.copy(), y, y) == pytest.approx(0.0, abs=1e-12 * (1.0 + other))


@every
@pytest.mark.filterwarnings("ignore:The samples vary in")
@pytest.mark.parametrize("shape", [(40, 30, 6), (12, 9, 30), (20, 20, 1)])
def test_symmetric(info, shape):
    pair = sample_pair(*shape)
    there = of(info, pair)
    back = value(info, pair.target, pair.source, pair.target_labels, pair.source_labels)
    # Two runs of the Sinkhorn iterations agree to what they converge to.
    assert back == pytest.approx(there, rel=1e-7, abs=1e-12)


@every
def test_sampled_above_the_bound_and_still_symmetric_and_zero_on_itself(info, monkeypatch):
    # The package's attribute of a module's name is the function.
    module = sys.modules[info.compute.__module__]
    for bound in ("MAX_KERNEL_ROWS", "MAX_TRANSPORT_ROWS"):
        if hasattr(module, bound):
            monkeypatch.setattr(module, bound, 15)
    pair = sample_pair(40, 20, 5)
    there = of(info, pair)
    back = value(info, pair.target, pair.source, pair.target_labels, pair.source_labels)
    assert back == pytest.approx(there, rel=1e-7)
    x, y = pair.source, pair.source_labels
    assert value(info, x, x, y, y) == pytest.approx(0.0, abs=1e-12 * (1.0 + there))
    sampled = info.rests_on == "samples"
    assert (of(info, pair, seed=1) != there) == sampled or info.name == "proxy_a"


@every
@pytest.mark.parametrize("factor", [2.0**-40, 2.0**40])
def test_unit_is_as_stated(info, factor):
    if info.unit not in POWER:
        pytest.skip("the kernel depends on the unit of the features")
    pair = sample_pair(20, 25, 4)
    scaled = of(info, pair.scaled("", factor))
    assert scaled == pytest.approx(of(info, pair) * factor ** POWER[info.unit], rel=1e-9)


@every
def test_shared_offset_changes_nothing_but_what_looks_at_the_origin(info):
    pair = sample_pair(20, 25, 4)
    moved = of(info, pair.scaled("", 1.0, 1e4))
    if info.name in ("kid", "mean_cosine"):
        assert moved != pytest.approx(of(info, pair), rel=1e-3)
    else:
        assert moved == pytest.approx(of(info, pair), rel=1e-7)


@every
def test_float32_features_are_computed_in_float64(info):
    pair = sample_pair(30, 30, 5)
    source, target = pair.source.astype(np.float32), pair.target.astype(np.float32)
    labels = (pair.source_labels, pair.target_labels)
    exact = value(info, source.astype(np.float64), target.astype(np.float64), *labels)
    assert value(info, source, target, *labels) == exact


@every
def test_farther_is_more(info):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    x, near, noise = (rng.normal(size=(60, 4)) for _ in range(3))
    far = noise * 2.0 + 3.0
    assert value(info, x, far, labels, labels) > 2.0 * value(info, x, near, labels, labels)


@every
@pytest.mark.filterwarnings("ignore:The mean of")
def test_constant_features_give_a_number(info):
    a, b = np.zeros((8, 3)), np.ones((8, 3))
    labels = np.arange(8) % 2
    assert value(info, a, a, labels, labels) == 0.0
    if info.name != "mahalanobis":
        assert np.isfinite(value(info, a, b, labels, labels))


@every
@pytest.mark.parametrize("side", ["source", "target"])
def test_nan_is_refused(info, side):
    pair = sample_pair(10, 10, 3)
    getattr(pair, side)[4, 1] = np.nan
    message = (
        f"^`{side}_features` must be finite; 1 of 10 rows have NaN or infinite entries, "
        r"the first is row 4\.$"
    )
    with pytest.raises(InputError, match=message):
        of(info, pair)


@every
@pytest.mark.parametrize("factor", [1e-60, 1e60])
def test_huge_and_tiny_features(info, factor):
    if info.name == "kid":
        pytest.skip("looked at below")
    pair = sample_pair(20, 25, 4)
    scaled = of(info, pair.scaled("", factor))
    assert scaled == pytest.approx(of(info, pair) * factor ** POWER[info.unit], rel=1e-6, abs=0.0)


def test_what_leaves_float64_is_refused_by_name():
    pair = sample_pair(20, 25, 4).scaled("", 1e60)
    message = (
        "^The distance kid of these features leaves the range of float64. "
        r"Divide source and target by the same constant\.$"
    )
    with pytest.raises(InputError, match=message):
        of(DISTANCES["kid"], pair)


@every
def test_metadata_is_complete(info):
    assert info.tells[0].islower()
    assert not info.tells.endswith(".")
    assert info.bibtex.startswith("@")
    assert info.bibtex.count("{") == info.bibtex.count("}")
    first_author = unicodedata.normalize("NFKD", info.paper.split()[0].split("-")[-1])
    plain = info.bibtex.replace("{\\'", "").replace("}", "")
    assert first_author.encode("ascii", "ignore").decode() in plain
    assert info.rests_on in ("moments", "prototypes", "samples")


def test_one_row_a_side():
    moved = distance([[0.0, 3.0]], [[4.0, 0.0]], "mean_distance,energy,emd,sinkhorn")
    assert moved == pytest.approx(
        {"mean_distance": 5.0, "energy": 10.0, "emd": 25.0, "sinkhorn": 25.0}
    )
