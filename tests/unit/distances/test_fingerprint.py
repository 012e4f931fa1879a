"""Tests of `transferscore.distances.fingerprint`."""

from __future__ import annotations

import re

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.reference.distance_inputs import sample_pair
from transferscore.distances import (
    DISTANCES,
    distance,
    fingerprint_of,
    level_of,
    load_fingerprint,
    permutation_null,
    save_fingerprint,
)
from transferscore.errors import InputError

PAIR = sample_pair(60, 40, 5)


def made(**options):
    return fingerprint_of(PAIR.source, PAIR.source_labels, **options)


def test_comes_back_as_it_was(tmp_path):
    before = made(coreset_size=20, provenance={"model": "m", "dataset": "ünits"})
    save_fingerprint(before, tmp_path / "f.safetensors")
    after = load_fingerprint(tmp_path / "f.safetensors")
    assert after.provenance == {"model": "m", "dataset": "ünits"}
    assert after.gaussian.count == 60
    assert after.n_features == 5
    for get in (
        lambda f: f.gaussian.mean,
        lambda f: f.gaussian.factor,
        lambda f: f.coreset,
        lambda f: f.prototypes.means,
        lambda f: f.prototypes.counts,
        lambda f: f.coreset_codes,
    ):
        np.testing.assert_array_equal(get(after), get(before), strict=True)


def test_without_labels_there_are_no_prototypes(tmp_path):
    save_fingerprint(fingerprint_of(PAIR.source), tmp_path / "f")
    loaded = load_fingerprint(tmp_path / "f")
    assert loaded.prototypes is None
    assert loaded.coreset_codes is None
    assert "otdd" not in distance(loaded, PAIR.target, target_labels=PAIR.target_labels)


def test_stands_in_for_the_features_in_every_distance():
    fingerprint = made(coreset_size=20)
    labels = {"target_labels": PAIR.target_labels}
    found = distance(fingerprint, PAIR.target, **labels)
    whole = distance(PAIR.source, PAIR.target, source_labels=PAIR.source_labels, **labels)
    assert list(found) == list(DISTANCES)
    for name, info in DISTANCES.items():
        exact = found[name] == pytest.approx(whole[name], rel=1e-9)
        assert exact == (info.rests_on != "samples") or name == "proxy_a"


def test_stands_in_for_the_features_elsewhere():
    fingerprint = made(coreset_size=30)
    rows, codes = fingerprint.coreset, fingerprint.coreset_codes
    assert level_of(fingerprint, PAIR.target) == level_of(rows, PAIR.target)
    a = permutation_null("frechet", fingerprint, PAIR.target, 5)
    assert a.value == permutation_null("frechet", rows, PAIR.target, 5).value
    labels = (codes, PAIR.target_labels)
    b = permutation_null("otdd", rows, PAIR.target, 3, labels=labels)
    c = permutation_null("otdd", fingerprint, PAIR.target, 3, labels=(None, PAIR.target_labels))
    assert b.value == c.value


def test_a_coreset_that_holds_everything_gives_the_exact_value():
    found = distance(made(coreset_size=60), PAIR.target, "energy,mmd,sinkhorn")
    assert found == distance(PAIR.source, PAIR.target, "energy,mmd,sinkhorn")


def test_a_small_coreset_leaves_the_moments_exact():
    found = distance(made(coreset_size=1), PAIR.target, "frechet,coral")
    assert found == distance(PAIR.source, PAIR.target, "frechet,coral")


@pytest.mark.parametrize("size", [7, 30, 59])
def test_each_class_keeps_its_share(size):
    labels = np.repeat([0, 1, 2], [30, 20, 10])
    fingerprint = fingerprint_of(PAIR.source, labels, coreset_size=size)
    counts = np.bincount(fingerprint.coreset_codes, minlength=3)
    assert counts.sum() == size
    assert np.abs(counts - np.array([30, 20, 10]) * size / 60).max() <= 1.0
    for row, code in zip(fingerprint.coreset, fingerprint.coreset_codes, strict=True):
        place = int(np.flatnonzero((PAIR.source == row).all(axis=1))[0])
        assert labels[place] == code


def test_the_seed_chooses_the_rows():
    a, b, c = (made(coreset_size=20, seed=seed).coreset for seed in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_labels_beside_a_fingerprint_are_refused():
    message = (
        "^`source_labels` must not be given with a fingerprint, which brings its own; "
        "give them to fingerprint_of.$"
    )
    with pytest.raises(InputError, match=message):
        distance(made(), PAIR.target, source_labels=PAIR.source_labels)


def test_an_empty_coreset_is_refused():
    with pytest.raises(InputError, match=r"^`coreset_size` must be at least 1; got 0\.$"):
        made(coreset_size=0)


def test_files_that_are_no_fingerprints_are_refused(tmp_path):
    path = tmp_path / "f"
    with pytest.raises(InputError, match=f"^The fingerprint {re.escape(str(path))} cannot be read"):
        load_fingerprint(path)
    path.write_bytes(b"not a safetensors file")
    with pytest.raises(InputError, match=f"^The fingerprint {re.escape(str(path))} cannot be read"):
        load_fingerprint(path)
    save_file({"x": np.zeros(3)}, path)
    message = (
        f"{path} must be a fingerprint of format 'transferscore-fingerprint-1'; got None. "
        "Write it with save_fingerprint."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_fingerprint(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"mean": np.zeros(4)}, "its arrays have different widths [4, 5]"),
        ({"mean": np.full(5, np.nan)}, "`mean` must be finite"),
        ({"coreset_codes": np.full(20, 7)}, "its class ids do not fit its prototypes"),
        ({"prototype_counts": np.array([1, 2])}, "its class ids do not fit its prototypes"),
        ({"factor": None}, "'factor'"),
    ],
)
def test_damaged_files_are_refused(tmp_path, change, reason):
    path = tmp_path / "f"
    save_fingerprint(made(coreset_size=20), path)
    tensors = {k: v for k, v in (load_file(path) | change).items() if v is not None}
    metadata = {"format": "transferscore-fingerprint-1", "count": "60", "provenance": "{}"}
    save_file(tensors, path, metadata=metadata)
    message = f"^The fingerprint {re.escape(str(path))} is damaged: {re.escape(reason)}"
    with pytest.raises(InputError, match=message):
        load_fingerprint(path)
