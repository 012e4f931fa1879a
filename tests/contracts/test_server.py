"""A running server: who gets in, what it bears, how it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

import transferscore
from tests.contracts import serving
from transferscore.cli.main import main
from transferscore.client import Access
from transferscore.client.faults import Fault, error_of
from transferscore.v1 import dataset_service_pb2 as data_pb
from transferscore.v1 import dataset_service_pb2_grpc as data_grpc
from transferscore.v1 import ranking_service_pb2_grpc as ranking_grpc
from transferscore.v1 import scoring_service_pb2 as pb
from transferscore.v1 import scoring_service_pb2_grpc as scoring_grpc
from transferscore.v1 import types_pb2

CODE = grpc.StatusCode
TOKEN, SCOPED = "a-token-for-all", "a-token-for-alpha"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    environment = {
        "TS_TOKENS": f"ops * {TOKEN}; team alpha {SCOPED}",
        "TS_MAX_CONCURRENT_CALLS": "3",
        "TS_MAX_WATCHES": "7",
        "TS_MAX_CANDIDATES": "11",
        "TS_MODEL_MEMORY_BYTES": "123456789",
        "TS_LOG_LEVEL": "info",
    }
    flags = ["--listen", f"unix:{folder}/s.sock", "--log-level", "info"]
    with serving.Served(folder, flags, environment) as served:
        yield served


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(server.address) as opened:
        yield opened


def bearer(token: str = TOKEN):
    return (("authorization", f"Bearer {token}"),)


def tensor(array):
    types = {"f4": types_pb2.DATA_TYPE_FLOAT32, "i8": types_pb2.DATA_TYPE_INT64}
    return types_pb2.Tensor(
        data_type=types[array.dtype.str[1:]], shape=array.shape, data=array.tobytes()
    )


def request(n: int = 60, scores=("logme",)):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 8)).astype("f4"), rng.integers(0, 3, n)
    return pb.ScoreFeaturesRequest(features=tensor(x), labels=tensor(y), scores=scores)


def details_of(error, kind):
    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    found = kind()
    for detail in status_pb2.Status.FromString(packed).details:
        if detail.Is(kind.DESCRIPTOR):
            detail.Unpack(found)
    return found


def refused(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    info = details_of(caught.value, error_details_pb2.ErrorInfo)
    return caught.value.code(), info.reason


def health(channel, service=""):
    stub = health_pb2_grpc.HealthStub(channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status


def test_nobody_gets_in_without_a_token_but_probes_do(channel):
    score = scoring_grpc.ScoringServiceStub(channel).ScoreFeatures
    for metadata in ((), bearer("guess"), (("authorization", TOKEN),)):
        assert refused(lambda m=metadata: score(request(), metadata=m)) == (
            CODE.UNAUTHENTICATED,
            "UNAUTHENTICATED",
        )
    assert score(request(), metadata=bearer()).results[0].score == "logme"
    assert health(channel) == health_pb2.HealthCheckResponse.SERVING
    serving.until(
        lambda: (
            health(channel, "transferscore.v1.RankingService")
            == health_pb2.HealthCheckResponse.SERVING
        )
    )


@pytest.mark.parametrize("name", ["grpc.reflection.v1", "grpc.reflection.v1alpha"])
def test_reflection_describes_every_service_to_who_may_know(channel, name):
    method = channel.stream_stream(
        f"/{name}.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    assert refused(lambda: list(method(iter([ask]))))[0] == CODE.UNAUTHENTICATED
    (answer,) = method(iter([ask]), metadata=bearer())
    services = {each.name for each in answer.list_services_response.service}
    assert {
        "transferscore.v1.DatasetService",
        "transferscore.v1.RankingService",
        "transferscore.v1.ScoringService",
        "transferscore.v1.SystemService",
        "google.longrunning.Operations",
        "grpc.health.v1.Health",
    } <= services
    ask = reflection_pb2.ServerReflectionRequest(
        file_containing_symbol="transferscore.v1.RankingService"
    )
    (answer,) = method(iter([ask]), metadata=bearer())
    assert answer.file_descriptor_response.file_descriptor_proto


def test_a_token_opens_its_projects_only(channel):
    stub = data_grpc.DatasetServiceStub(channel)
    listing = data_pb.ListDatasetsRequest
    stub.ListDatasets(listing(parent="projects/alpha"), metadata=bearer(SCOPED))
    stub.ListDatasets(listing(parent="projects/beta"), metadata=bearer())
    assert refused(
        lambda: stub.ListDatasets(listing(parent="projects/beta"), metadata=bearer(SCOPED))
    ) == (CODE.PERMISSION_DENIED, "PROJECT_NOT_ALLOWED")


def every_method():
    """Every method of the contract that names a resource, its request and the field."""
    for module in (data_grpc, ranking_grpc):
        descriptor = (data_pb if module is data_grpc else neighbour_pb()).DESCRIPTOR
        for service in descriptor.services_by_name.values():
            for method in service.methods:
                fields = method.input_type.fields_by_name
                name = next((n for n in ("parent", "name", "upload") if n in fields), None)
                yield pytest.param(service, method, name, id=method.name)


def neighbour_pb():
    from transferscore.v1 import ranking_service_pb2

    return ranking_service_pb2


@pytest.mark.parametrize(("service", "method", "field"), list(every_method()))
def test_no_method_tells_of_another_project(channel, service, method, field):
    """Checked first, and the same whether the thing is there or not."""
    from google.protobuf import message_factory

    kind = message_factory.GetMessageClass(method.input_type)
    collection = {"Dataset": "datasets", "Upload": "uploads"}
    word = "Upload" if "Upload" in method.name else "Dataset"
    rankings = "rankings" if service.name == "RankingService" else collection[word]
    value = "projects/beta" if field == "parent" else f"projects/beta/{rankings}/x"
    message = kind(**{field: value})
    make = {
        (False, False): channel.unary_unary,
        (True, False): channel.stream_unary,
        (False, True): channel.unary_stream,
    }[method.client_streaming, method.server_streaming]
    call = make(f"/{service.full_name}/{method.name}", kind.SerializeToString, bytes)

    def run():
        given = iter([message]) if method.client_streaming else message
        answer = call(given, metadata=bearer(SCOPED))
        return list(answer) if method.server_streaming else answer

    assert refused(run) == (CODE.PERMISSION_DENIED, "PROJECT_NOT_ALLOWED")


def test_limits_are_told_and_kept(server, channel):
    with transferscore.Client(server.address, access=Access(TOKEN)) as client:
        limits = client.server_info().limits
    assert (limits.max_candidates, limits.max_concurrent_calls) == (11, 3)
    assert limits.max_watches == 7
    held = threading.Event()

    def slow():
        yield pb.ScoreFeatureStreamRequest(
            header=pb.ScoreFeatureStreamRequest.Header(feature_count=2, data_type=1)
        )
        held.wait(20)

    stub = scoring_grpc.ScoringServiceStub(channel)
    streams = [stub.ScoreFeatureStream(slow(), metadata=bearer()) for _ in range(3)]
    try:
        time.sleep(0.5)
        with pytest.raises(grpc.RpcError) as caught:
            stub.ScoreFeatures(request(), metadata=bearer())
        assert caught.value.code() == CODE.RESOURCE_EXHAUSTED
        retry = details_of(caught.value, error_details_pb2.RetryInfo)
        assert retry.retry_delay.ToMilliseconds() == 500
        assert stub.ScoreFeatures(request(), metadata=bearer(SCOPED)).results
        assert health(channel) == health_pb2.HealthCheckResponse.SERVING
    finally:
        held.set()
        for stream in streams:
            stream.cancel()


def test_what_is_no_message_is_a_callers_mistake(server, channel):
    raw = channel.unary_unary("/transferscore.v1.ScoringService/ScoreFeatures")
    assert refused(lambda: raw(b"\xff" * 9, metadata=bearer())) == (
        CODE.INVALID_ARGUMENT,
        "MALFORMED_MESSAGE",
    )
    unknown = channel.unary_unary("/transferscore.v1.ScoringService/Guess")
    with pytest.raises(grpc.RpcError) as caught:
        unknown(b"", metadata=bearer())
    assert caught.value.code() == CODE.UNIMPLEMENTED
    with grpc.insecure_channel(server.address, [("grpc.max_send_message_length", -1)]) as wide:
        raw = wide.unary_unary("/transferscore.v1.ScoringService/ScoreFeatures")
        with pytest.raises(grpc.RpcError) as caught:
            raw(bytes(16 * 2**20 + 1), metadata=bearer())
        assert caught.value.code() == CODE.RESOURCE_EXHAUSTED


def test_a_unix_socket_is_another_way_in(server):
    assert server.addresses[1].startswith("unix:")
    with transferscore.Client(server.addresses[1], access=Access(TOKEN)) as client:
        assert client.server_info().version == transferscore.__version__


def test_a_caller_who_has_gone_frees_the_scorer(channel):
    """N-LEEP of this takes far longer than anybody waits; what computes it is replaced."""
    stub = scoring_grpc.ScoringServiceStub(channel)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6000, 500)).astype("f4"), rng.integers(0, 50, 6000)
    long = pb.ScoreFeaturesRequest(
        features=tensor(x), labels=tensor(y), scores=["nleep", "logistic_probe"]
    )
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as caught:
            stub.ScoreFeatures(long, metadata=bearer(), timeout=0.5)
        assert caught.value.code() == CODE.DEADLINE_EXCEEDED
    assert stub.ScoreFeatures(request(), metadata=bearer(), timeout=30).results


def test_the_front_has_loaded_no_torch_and_the_log_no_secret(server):
    maps = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "numpy" in maps
    assert "torch" not in maps
    assert "sklearn" not in maps
    lines = server.log.read_text().splitlines()
    calls = [json.loads(line) for line in lines if line.startswith("{")]
    assert any(call.get("method", "").endswith("ScoreFeatures") for call in calls)
    assert all(call["request_id"] for call in calls if call["message"] == "call")
    assert TOKEN not in "".join(lines)
    assert SCOPED not in "".join(lines)


def test_a_worker_is_told_how_much_it_may_keep(server):
    def told() -> list[int]:
        children = Path(f"/proc/{server.process.pid}/task").glob("*/children")
        pids = [pid for each in children for pid in each.read_text().split()]
        commands = [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in pids]
        return [
            json.loads(words[-2])["model_bytes"]
            for words in commands
            if b"transferscore_server.workers.process" in words
        ]

    serving.until(lambda: told() == [123456789])


def test_an_address_of_metrics_that_cannot_be_is_said_in_one_line(tmp_path):
    command = [sys.executable, "-m", "transferscore.cli.main", "serve", "--listen", "127.0.0.1:0"]
    command += ["--data-dir", str(tmp_path), "--metrics-listen", "nowhere"]
    paths = os.pathsep.join([str(serving.ROOT), str(serving.ROOT / "server")])
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "`metrics_listen` must be a free address `host:port`; got 'nowhere'" in done.stderr


def test_it_lets_calls_finish_when_it_is_told_to_stop(tmp_path):
    """SIGTERM in the middle of calls: those that have begun end well, and it exits with 0."""
    with serving.Served(tmp_path) as served, grpc.insecure_channel(served.address) as channel:
        stub = scoring_grpc.ScoringServiceStub(channel)
        calls = [stub.ScoreFeatures.future(request(2000, ["knn", "ridge_probe"])) for _ in range(6)]
        time.sleep(0.3)
        stopping = threading.Thread(target=served.stop)
        stopping.start()
        assert all(call.result(30).results for call in calls)
        stopping.join()
        assert served.process.returncode == 0


def test_a_restart_under_live_traffic_fails_no_call(tmp_path):
    """Callers go on through SIGTERM and the next start; none of their calls fails."""
    flags = ["--listen", f"unix:{tmp_path}/s.sock"]
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 8)), rng.integers(0, 3, 60)
    expected, done, failed = transferscore.score(x, y, "logme"), threading.Event(), []
    counts = [0, 0, 0]

    def caller(number):
        with transferscore.Client(f"unix:{tmp_path}/s.sock") as client:
            while not done.is_set():
                try:
                    assert client.score(x, y, "logme") == expected
                except Exception as error:
                    failed.append(error)
                    return
                counts[number] += 1

    callers = [threading.Thread(target=caller, args=(number,)) for number in range(3)]
    with serving.Served(tmp_path, flags) as first:
        for each in callers:
            each.start()
        serving.until(lambda: failed or min(counts) > 5)
        assert first.stop() == 0
    before = list(counts)

    def have_gone_on():
        return all(now > then + 5 for now, then in zip(counts, before, strict=True))

    with serving.Served(tmp_path, flags):
        serving.until(lambda: failed or have_gone_on())
        done.set()
        for each in callers:
            each.join()
    assert failed == []


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, and a server and a client that it vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make certificates")
    folder = tmp_path_factory.mktemp("certificates")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        folder,
        "req",
        "-x509",
        *key,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-subj",
        "/CN=authority",
    )
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    for name in ("server", "client"):
        openssl(
            folder, "req", *key, "-keyout", f"{name}.key", "-out", "csr", "-subj", f"/CN={name}.me"
        )
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
        openssl(folder, "x509", "-req", "-in", "csr", *signing, "-out", f"{name}.pem")
    return folder


def test_certificates_prove_server_and_client(certificates, tmp_path, capsys):
    tokens = tmp_path / "tokens"
    tokens.write_text("team alpha cn:client.me\n")
    flags = ["--tls-certificate", f"{certificates}/server.pem", "--tls-key"]
    flags += [f"{certificates}/server.key", "--tls-client-ca", f"{certificates}/ca.pem"]
    with serving.Served(tmp_path, [*flags, "--token-file", str(tokens)]) as served:
        ca = certificates / "ca.pem"
        mine = Access(None, ca, certificates / "client.pem", certificates / "client.key")
        with transferscore.Client(served.address, access=mine, project="alpha") as client:
            assert client.server_info().version == transferscore.__version__
        for stranger in (Access(None, ca), Access()):
            with (
                transferscore.Client(served.address, access=stranger, timeout=2) as client,
                pytest.raises(ConnectionError),
            ):
                client.server_info()
        (tmp_path / "data.csv").write_text("text,label\n" + "good,1\nbad,0\n" * 10)
        command = ["rank", str(tmp_path / "data.csv"), "--model", "onnx:a.onnx", "--quiet"]
        command += ["--server", served.address, "--server-ca", str(ca), "--project", "alpha"]
        command += ["--client-certificate", str(mine.certificate), "--client-key", str(mine.key)]
        assert main(command) == 2
        assert "The model `onnx:a.onnx` is not there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("last error: UNAVAILABLE: ipv4:127.0.0.1:1: Socket closed", "reached; it may want TLS"),
        ("Ssl handshake failed: SSL_ERROR_SSL: CERTIFICATE_VERIFY_FAILED", "it may want TLS"),
        ("Failed to connect: connect: Connection refused (111)", "cannot be reached (Failed"),
    ],
)
def test_what_closes_a_connection_at_once_may_want_tls(said, hint):
    error = error_of(Fault("UNAVAILABLE", "", said, {}, None), "127.0.0.1:1")
    assert hint in str(error)
    assert said in str(error)


def test_a_token_does_not_travel_unprotected():
    with pytest.raises(transferscore.errors.InputError, match="must not travel unprotected"):
        transferscore.Client("example.com:1", access=Access("t"))
    assert "secret" not in repr(Access("secret"))
