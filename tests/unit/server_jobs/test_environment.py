"""What a worker is told of threads: the same as the front, so that its numbers are the same."""

from __future__ import annotations

import pytest
from transferscore_server.workers.environment import worker_environment

NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, dict.fromkeys(NAMES, "2")),
        ({"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "1"}),
        ({"OPENBLAS_NUM_THREADS": "4"}, {"OPENBLAS_NUM_THREADS": "4"}),
    ],
)
def test_one_variable_of_threads_speaks_for_all(given, expected):
    found = worker_environment(given, "cpu", offline=True, n_threads=2)
    assert {name: found[name] for name in NAMES if name in found} == expected


def test_no_token_is_passed_on_offline():
    given = {"HF_TOKEN": "secret", "HTTPS_PROXY": "http://proxy", "HOME": "/home/ann"}
    offline, online = (
        worker_environment(given, "cuda:1", offline=offline, n_threads=1)
        for offline in (True, False)
    )
    assert offline.keys().isdisjoint({"HF_TOKEN", "HTTPS_PROXY"})
    assert (online["HF_TOKEN"], online["HOME"]) == ("secret", "/home/ann")
    assert offline["CUDA_VISIBLE_DEVICES"] == "1"
