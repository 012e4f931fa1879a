"""Whatever is sent, the server answers by a documented status and stays well."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import transferscore
from tests.contracts import fuzzing, serving


def bombard(folder: Path, seed: int, count: int):
    (folder / "m.onnx").write_bytes(b"this is no model")
    with serving.Served(folder, ["--model-root", str(folder)]) as served:
        fuzz = fuzzing.Fuzz(served.address, seed)
        for number in range(count):
            if number % 200 == 0:
                fuzz.prepare()
            code = fuzz.case()
            assert code in fuzzing.ALLOWED, (
                f"case {number}: {code}\n{served.log.read_text()[-3000:]}"
            )
        probe = health_pb2_grpc.HealthStub(fuzz.channel)
        answer = probe.Check(health_pb2.HealthCheckRequest(), timeout=10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with transferscore.Client(served.address) as client:
            x, y = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0]
            assert client.score(x, y, "logme") == transferscore.score(x, y, "logme")
        assert "incident" not in served.log.read_text()
        return fuzz


def test_some_hundred_cases(tmp_path):
    fuzz = bombard(tmp_path, seed=1, count=500)
    assert fuzz.ended["INVALID_ARGUMENT"] > 100
    assert len(fuzz.reached) > 15, sorted(fuzz.reached)


@pytest.mark.soak
def test_twenty_thousand_cases(tmp_path):
    fuzz = bombard(tmp_path, seed=2, count=20_000)
    assert len(fuzz.reached) > 20, sorted(fuzz.reached)
    report = ", ".join(f"{code} {count}" for code, count in sorted(fuzz.ended.items()))
    sys.stdout.write(f"\n{report}\n")
