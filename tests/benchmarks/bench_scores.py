"""Time and memory of the scores against the two products that nobody can avoid.

Run by hand: `make bench`, or `pytest tests/benchmarks/bench_scores.py -m bench -s`.
"""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest
import scipy
from scipy.linalg import eigh
from scipy.linalg.blas import dsyrk

from transferscore.scores.catalogue import compute_scores
from transferscore.scores.logme import logme_from_statistics
from transferscore.statistics import Statistics

pytestmark = pytest.mark.bench

ISSUE_SCORES = "ridge_probe,logme,h_score,shrinkage_h_score,adjusted_h_score,knn,nce,leep"


def timed(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def sample(n: int = 10_000, d: int = 2048, k: int = 100, sources: int = 1000):
    rng = np.random.default_rng(0)
    labels = rng.integers(k, size=n)
    centers = rng.standard_normal((k, d)).astype(np.float32)
    features = 0.3 * centers[labels] + rng.standard_normal((n, d), dtype=np.float32)
    logits = rng.standard_normal((n, sources), dtype=np.float32)
    logits[np.arange(n), labels] += 2.0
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return features, labels, probabilities


def published_logme(features: np.ndarray, labels: np.ndarray) -> float:
    """The published algorithm: singular vectors of all rows, then 11 rounds for each class."""
    n, d = features.shape
    _, values, right = np.linalg.svd(features.T @ features)
    left = features @ right.T / np.sqrt(values)
    total = 0.0
    for label in range(labels.max() + 1):
        y = (labels == label).astype(np.float64)
        squares = (left.T @ y) ** 2
        outside = np.sum(y**2) - squares.sum()
        t = 1.0
        for _ in range(11):
            effective = np.sum(values / (t + values))
            length = np.sum(values * squares / (t + values) ** 2)
            error = np.sum(squares * t**2 / (t + values) ** 2) + outside
            alpha, beta = effective / length, (n - effective) / error
            before, t = t, alpha / beta
            if abs(t - before) / before < 1e-3:
                break
        log_det = np.sum(np.log(alpha + beta * values))
        fit = n * np.log(beta) + d * np.log(alpha) - n * np.log(2 * np.pi)
        total += (fit - log_det - beta * error - alpha * length) / (2 * n)
    return total / (labels.max() + 1)


def test_logme_and_all_scores_against_their_floor():
    features, labels, probabilities = sample()
    wide = features.astype(np.float64)
    for round_ in range(3):
        gram = wide.T @ wide
        floor = timed(lambda: dsyrk(1.0, wide.T)) + timed(lambda: eigh(gram, driver="evd"))  # noqa: B023
        logme = timed(lambda: logme_from_statistics(Statistics(features, labels)))
        everything = timed(
            lambda: compute_scores(
                Statistics(features, labels, source_probabilities=probabilities),
                ISSUE_SCORES,
                "classification",
            )
        )
        print(
            f"\nround {round_}: dsyrk + eigh {floor:.2f} s; LogME {logme:.2f} s = "
            f"{logme / floor:.2f} x; eight scores {everything:.2f} s = {everything / floor:.2f} x"
        )
    published = timed(lambda: published_logme(wide, labels))
    print(f"published LogME algorithm {published:.1f} s = {published / logme:.1f} x ours")
    print(machine())


_MEMORY = """
import re, sys
from pathlib import Path
import numpy as np
from transferscore.scores.catalogue import compute_scores
from transferscore.statistics import Statistics

def peak():
    # Not getrusage, whose maximum a process inherits from the one that started it.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

features, labels, probabilities = (np.load(f"{sys.argv[1]}/{i}.npy") for i in range(3))
small = np.random.default_rng(0).standard_normal((50, 3))
compute_scores(Statistics(small, np.arange(50) % 2), None, "classification")
before = peak()
compute_scores(
    Statistics(features, labels, source_probabilities=probabilities), sys.argv[2], "classification"
)
print(peak() - before)
"""


def test_peak_memory_beyond_the_features(tmp_path):
    for i, array in enumerate(sample()):
        np.save(tmp_path / f"{i}.npy", array)
    command = [sys.executable, "-c", _MEMORY, str(tmp_path), ISSUE_SCORES]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    mebibytes = int(run.stdout) / 1024
    matrices = mebibytes / (2048 * 2048 * 8 / 2**20)
    print(
        f"\nall eight scores: {mebibytes:.0f} MiB beyond the input = {matrices:.1f} d x d matrices"
    )


def machine() -> str:
    threads = os.environ.get("OMP_NUM_THREADS", os.cpu_count())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{platform.machine()}, {threads} threads, numpy {np.__version__}, "
        f"scipy {scipy.__version__}, peak {peak:.0f} MiB"
    )
