"""The files that deploy the service name what there is, and give no needless rights."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from transferscore_server.settings import Limits, Settings

SERVER = Path(__file__).parents[3] / "server"
KNOWN = {f"TS_{f.name.upper()}" for kind in (Settings, Limits) for f in fields(kind)}
FILES = ("Dockerfile", "compose.yaml", "kubernetes.yaml")


@pytest.mark.parametrize("file", FILES)
def test_every_setting_is_one(file):
    named = set(re.findall(r"TS_[A-Z_]+", (SERVER / file).read_text()))
    assert named
    assert named <= KNOWN


def test_the_image_runs_as_a_user_without_rights():
    lines = (SERVER / "Dockerfile").read_text().splitlines()
    assert "USER 1000:1000" in lines
    assert lines.index("USER 1000:1000") > lines.index(
        "RUN useradd --uid 1000 --create-home --shell /usr/sbin/nologin transferscore \\"
    )


def test_probes_and_rights_of_the_manifest():
    yaml = pytest.importorskip("yaml")
    from transferscore.v1 import ranking_service_pb2

    documents = list(yaml.safe_load_all((SERVER / "kubernetes.yaml").read_text()))
    pod = documents[1]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    service = ranking_service_pb2.DESCRIPTOR.services_by_name["RankingService"].full_name
    assert container["readinessProbe"]["grpc"] == {"port": 50051, "service": service}
    assert "service" not in container["livenessProbe"]["grpc"]
    delay = next(e for e in container["env"] if e["name"] == "TS_DRAIN_DELAY_SECONDS")
    needed = float(delay["value"]) + Settings().drain_seconds
    assert pod["terminationGracePeriodSeconds"] > needed
    assert pod["securityContext"]["runAsNonRoot"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    claimed = {claim["metadata"]["name"] for claim in documents[1]["spec"]["volumeClaimTemplates"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]} | claimed


def test_compose_gives_calls_the_time_to_finish():
    yaml = pytest.importorskip("yaml")
    service = yaml.safe_load((SERVER / "compose.yaml").read_text())["services"]["transferscore"]
    assert float(service["stop_grace_period"].rstrip("s")) > Settings().drain_seconds
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
