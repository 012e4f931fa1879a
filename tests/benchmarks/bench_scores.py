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
from transferscore.scores.registry import SCORES
from transferscore.statistics import Statistics

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("ignore::RuntimeWarning")]

ISSUE_SCORES = "ridge_probe,logme,h_score,shrinkage_h_score,adjusted_h_score,knn,nce,leep"
QUICK_SCORES = "logme,h_score,shrinkage_h_score,lfc,emms,ridge_probe"
CLASS_SCORES = [n for n, info in SCORES.items() if "classification" in info.tasks]


def timed(function: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    function()
    return clock() - began


def sample(n: int = 10_000, d: int = 2048, k: int = 100, sources: int = 1000):
    rng = np.random.default_rng(0)
    labels = rng.integers(k, size=n)
    centers = rng.standard_normal((k, d)).astype(np.float32)
    features = 0.3 * centers[labels] + rng.standard_normal((n, d), dtype=np.float32)
    logits = rng.standard_normal((n, sources), dtype=np.float32)
    logits[np.arange(n), labels] += 2.0
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return features, labels, probabilities


def computed(sample, names: object) -> Callable[[], object]:
    features, labels, probabilities = sample

    def compute() -> object:
        return compute_scores(
            Statistics(features, labels, source_probabilities=probabilities), names
        )

    return compute


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


@pytest.mark.parametrize("clock", [time.perf_counter, time.process_time], ids=["wall", "CPU"])
def test_logme_and_all_scores_against_their_floor(clock):
    drawn = sample()
    features, labels, _ = drawn
    wide = features.astype(np.float64)
    for round_ in range(3):
        gram = wide.T @ wide
        product = timed(lambda: dsyrk(1.0, wide.T), clock)
        floor = product + timed(lambda: eigh(gram, driver="evd"), clock)  # noqa: B023
        logme = timed(lambda: logme_from_statistics(Statistics(features, labels)), clock)
        everything = timed(computed(drawn, ISSUE_SCORES), clock)
        print(
            f"\nround {round_}: dsyrk {product:.2f} s, with eigh {floor:.2f} s; LogME "
            f"{logme:.2f} s = {logme / floor:.2f} x; eight scores {everything:.2f} s = "
            f"{everything / floor:.2f} x"
        )
    published = timed(lambda: published_logme(wide, labels), clock)
    print(f"published LogME algorithm {published:.1f} s = {published / logme:.1f} x ours")
    print(machine())


def test_every_score_of_a_middling_sample():
    drawn = sample(5000, 512, 50)
    for round_ in range(3):
        quick = timed(computed(drawn, QUICK_SCORES), time.process_time)
        print(f"\nround {round_}: {QUICK_SCORES}: {quick:.2f} s of CPU")
    without = timed(
        computed(drawn, [name for name in CLASS_SCORES if name != "nleep"]), time.process_time
    )
    nleep = timed(computed(drawn, "nleep"), time.process_time)
    print(f"all but nleep {without:.1f} s, nleep {nleep:.1f} s of CPU; {machine()}")


def test_every_score_of_a_large_sample():
    drawn = sample()
    wide = drawn[0].astype(np.float64)
    product = min(timed(lambda: dsyrk(1.0, wide.T), time.process_time) for _ in range(3))
    features, labels, probabilities = drawn
    statistics = Statistics(features, labels, source_probabilities=probabilities)
    total = timed(lambda: (statistics.moments, statistics.spectrum.vectors), time.process_time)
    print(f"\ndsyrk {product:.2f} s; moments and spectrum {total:.2f} s")
    for name in CLASS_SCORES:
        spent = timed(lambda: SCORES[name].compute(statistics), time.process_time)  # noqa: B023
        total += spent
        print(f"{name:28s} {spent:6.2f} s = {spent / product:5.1f} dsyrk")
    print(f"all {len(CLASS_SCORES)}: {total:.1f} s of CPU = {total / product:.1f} dsyrk")
    print(machine())


_MEMORY = """
import re, sys, warnings
from pathlib import Path
import numpy as np
from transferscore.scores.catalogue import compute_scores
from transferscore.statistics import Statistics

def peak():
    # Not getrusage, whose maximum a process inherits from the one that started it.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

warnings.simplefilter("ignore")
features, labels, probabilities = (np.load(f"{sys.argv[1]}/{i}.npy") for i in range(3))
small = np.random.default_rng(0).standard_normal((50, 3))
compute_scores(Statistics(small, np.arange(50) % 2, source_probabilities=abs(small)), "all")
before = peak()
compute_scores(Statistics(features, labels, source_probabilities=probabilities), sys.argv[2])
print(peak() - before, peak())
"""


@pytest.mark.parametrize("names", [ISSUE_SCORES, "all"], ids=["eight", "all"])
def test_peak_memory_beyond_the_features(tmp_path, names):
    for i, array in enumerate(sample()):
        np.save(tmp_path / f"{i}.npy", array)
    command = [sys.executable, "-c", _MEMORY, str(tmp_path), names]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    beyond, whole = (int(word) / 1024 for word in run.stdout.split())
    matrices = beyond / (2048 * 2048 * 8 / 2**20)
    print(
        f"\n{names}: {beyond:.0f} MiB beyond the input = {matrices:.1f} d x d matrices; "
        f"the whole process {whole:.0f} MiB"
    )


_STREAM = """
import re, sys, time, warnings
from pathlib import Path
import numpy as np
import transferscore

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

warnings.simplefilter("ignore")
folder, n, d = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
labels = np.load(folder / "labels.npy")
features = np.memmap(folder / "features.bin", np.float32, "r", shape=(n, d))
transferscore.score(np.eye(8), np.arange(8) % 2, "logme,ridge_probe,emms")
before, began = peak(), time.process_time()
batches = ((features[i : i + 5000], labels[i : i + 5000]) for i in range(0, n, 5000))
statistics = transferscore.statistics_of(batches)
read, peak_read = time.process_time() - began, peak() - before
names = "logme,h_score,shrinkage_h_score,adjusted_h_score,emms,lfc,intra_class_variance,ridge_probe"
values = transferscore.score(statistics, scores=names)
print(f"{n} x {d}: read in {read:.1f} s of CPU, {peak_read:.0f} MiB above the interpreter; "
      f"scored, {peak() - before:.0f} MiB")
"""


def test_a_million_rows_streamed_from_disk(tmp_path):
    n, d, rng = 1_000_000, 768, np.random.default_rng(0)
    labels = rng.integers(100, size=n)
    centers = 0.3 * rng.standard_normal((100, d), dtype=np.float32)
    with (tmp_path / "features.bin").open("wb") as file:
        for start in range(0, n, 20_000):
            own = labels[start : start + 20_000]
            noise = rng.standard_normal((len(own), d), dtype=np.float32)
            (centers[own] + noise).tofile(file)
    np.save(tmp_path / "labels.npy", labels)
    command = [sys.executable, "-c", _STREAM, str(tmp_path), str(n), str(d)]
    print(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def machine() -> str:
    threads = os.environ.get("OMP_NUM_THREADS", os.cpu_count())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{platform.machine()}, {threads} threads, numpy {np.__version__}, "
        f"scipy {scipy.__version__}, peak {peak:.0f} MiB"
    )
