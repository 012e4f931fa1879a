"""Rankings as a service: accepted once, watched from anywhere, stopped, forgotten."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import duration_pb2

import transferscore
from tests.contracts import serving
from transferscore.v1 import dataset_service_pb2 as data_pb
from transferscore.v1 import dataset_service_pb2_grpc as data_grpc
from transferscore.v1 import ranking_service_pb2 as pb
from transferscore.v1 import ranking_service_pb2_grpc as ranking_grpc
from transferscore.v1 import types_pb2

ROOT = Path(__file__).parents[2]
CODE = grpc.StatusCode
PARENT = "projects/default"


def save_onnx(path: Path, seed: int, *, width: int = 6, layers: int = 0) -> None:
    """A model of rows of 4; wide layers make it slow without making its file large."""
    from onnx import TensorProto, helper, numpy_helper, save_model

    rng = np.random.default_rng(seed)
    weights = [numpy_helper.from_array(rng.normal(size=(4, width)).astype("f4"), "w")]
    nodes, last = [helper.make_node("MatMul", ["x", "w"], ["h0"])], "h0"
    if layers:
        weights.append(numpy_helper.from_array(np.array([width, width]), "shape"))
        value = numpy_helper.from_array(np.array([1e-4], dtype="f4"))
        nodes.append(helper.make_node("ConstantOfShape", ["shape"], ["wide"], value=value))
    for layer in range(layers):
        nodes.append(helper.make_node("MatMul", [last, "wide"], [f"h{layer + 1}"]))
        last = f"h{layer + 1}"
    nodes.append(helper.make_node("Relu", [last], ["features"]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        weights,
    )
    opset = [helper.make_opsetid("", 17)]
    save_model(helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for seed in range(3):
        save_onnx(folder / f"m{seed}.onnx", seed)
    save_onnx(folder / "slow.onnx", 9, width=3000, layers=40)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory, models):
    flags = ["--model-root", str(models)]
    limits = {"TS_MAX_PROJECT_RANKINGS": "3"}
    with serving.Served(tmp_path_factory.mktemp("server"), flags, limits) as served:
        yield served


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(server.address) as opened:
        yield opened


@pytest.fixture(scope="module")
def rankings(channel):
    return ranking_grpc.RankingServiceStub(channel)


@pytest.fixture(scope="module")
def operations(channel):
    return operations_pb2_grpc.OperationsStub(channel)


@pytest.fixture(scope="module")
def dataset(channel):
    """80 rows of 4 numbers in two classes."""
    stub = data_grpc.DatasetServiceStub(channel)
    start = data_pb.StartUploadRequest(
        parent=PARENT,
        dataset=data_pb.Dataset(display_name="rows", format=data_pb.Dataset.SAMPLES),
    )
    upload = stub.StartUpload(start)
    rng = np.random.default_rng(0)
    samples = [
        data_pb.Sample(
            tensor=types_pb2.Tensor(
                data_type=1, shape=[4], data=(rng.normal(size=4) + i % 2).astype("f4").tobytes()
            ),
            class_id=i % 2,
        )
        for i in range(80)
    ]
    stub.UploadSamples(iter([data_pb.UploadSamplesRequest(upload=upload.name, samples=samples)]))
    return stub.FinalizeUpload(data_pb.FinalizeUploadRequest(name=upload.name)).name


def asked(dataset, *models, **fields):
    spec = {"dataset": dataset, "models": models, "scores": ["logme"]} | fields.pop("spec", {})
    return pb.CreateRankingRequest(
        parent=PARENT, ranking=pb.Ranking(spec=pb.RankingSpec(**spec)), **fields
    )


def named(operation):
    return operation.name.replace("/operations/", "/rankings/")


def code_of(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def test_a_ranking_from_its_order_to_its_end(rankings, operations, dataset):
    uris = ("onnx:m0.onnx", "onnx:m1.onnx", "onnx:m2.onnx#none")
    alone = {"options": {"baseline": False}}
    operation = rankings.CreateRanking(asked(dataset, *uris, spec=alone))
    waited = operations.WaitOperation(
        operations_pb2.WaitOperationRequest(
            name=operation.name, timeout=duration_pb2.Duration(seconds=50)
        )
    )
    assert waited.done
    ranking = pb.Ranking()
    assert waited.response.Unpack(ranking)
    assert ranking.state == pb.Ranking.SUCCEEDED
    assert ranking == rankings.GetRanking(pb.GetRankingRequest(name=ranking.name))
    assert [c.rank for c in ranking.candidates] == [1, 2]
    document = json.loads(ranking.document)
    assert [c["model"] for c in document["candidates"]] == [c.model for c in ranking.candidates]
    assert document["candidates"][0]["scores"] == dict(ranking.candidates[0].scores)
    assert ranking.progress.candidates_done == 2
    assert ranking.spec.scores == ["logme"]
    assert ranking.create_time.ToNanoseconds() <= ranking.end_time.ToNanoseconds()


def watched(rankings, name, after=0):
    told = list(rankings.WatchRanking(pb.WatchRankingRequest(name=name, after_sequence=after)))
    for message in told:
        if message.HasField("progress"):
            # Counts are those of the time of sending.
            for field in ("candidates_done", "candidates_failed", "last_sequence"):
                message.progress.ClearField(field)
    return told


def test_watching_goes_on_where_it_broke(rankings, dataset):
    name = named(rankings.CreateRanking(asked(dataset, "onnx:m*.onnx")))
    told = watched(rankings, name)
    *events, final = told
    assert final.WhichOneof("event") == "final"
    sequences = [event.sequence for event in events]
    assert sequences == list(range(1, len(events) + 1))
    assert sum(event.WhichOneof("event") == "candidate" for event in events) == 3
    for after in (0, 2, len(events)):
        assert watched(rankings, name, after) == [*events[after:], final]


def test_a_repeated_order_is_one_ranking(rankings, dataset):
    order = asked(dataset, "onnx:m0.onnx", request_id="0190-a")
    first, second = rankings.CreateRanking(order), rankings.CreateRanking(order)
    assert first.name == second.name
    other = asked(dataset, "onnx:m1.onnx", request_id="0190-a")
    assert code_of(lambda: rankings.CreateRanking(other))[0] == CODE.FAILED_PRECONDITION
    watched(rankings, named(first))


def test_checking_an_order_queues_nothing(rankings, dataset):
    order = asked(dataset, "onnx:m0.onnx", ranking_id="only-checked", validate_only=True)
    name = named(rankings.CreateRanking(order))
    assert (
        code_of(lambda: rankings.GetRanking(pb.GetRankingRequest(name=name)))[0] == CODE.NOT_FOUND
    )


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ({"models": []}, CODE.INVALID_ARGUMENT, "must name at least one model"),
        ({"dataset": "x"}, CODE.INVALID_ARGUMENT, "ranking.spec.dataset"),
        ({"dataset": f"{PARENT}/datasets/none"}, CODE.NOT_FOUND, "There is no"),
        ({"dataset": "projects/other/datasets/d"}, CODE.INVALID_ARGUMENT, "of the project"),
        ({"scores": ["best"]}, CODE.INVALID_ARGUMENT, "no score named 'best'"),
        ({"task": 77}, CODE.INVALID_ARGUMENT, "ranking.spec.task"),
        ({"device": "tpu"}, CODE.INVALID_ARGUMENT, "ranking.spec.device"),
        ({"max_samples": 0}, CODE.INVALID_ARGUMENT, "ranking.spec.max_samples"),
        ({"options": {"cache": "/etc"}}, CODE.INVALID_ARGUMENT, "ranking.spec.options.cache"),
        ({"options": {"keeper": 1}}, CODE.INVALID_ARGUMENT, "ranking.spec.options.keeper"),
        ({"model_names": ["a", "b"]}, CODE.INVALID_ARGUMENT, "must be one a URI"),
        ({"models": ["onnx:/etc/passwd"]}, CODE.PERMISSION_DENIED, "not under a folder"),
        (
            {"budget": pb.Budget(wall_time=duration_pb2.Duration(seconds=-1))},
            CODE.INVALID_ARGUMENT,
            "ranking.spec.budget.wall_time",
        ),
    ],
)
def test_an_order_that_cannot_be_is_refused(rankings, dataset, spec, code, message):
    found, said = code_of(lambda: rankings.CreateRanking(asked(dataset, "onnx:m0.onnx", spec=spec)))
    assert (found, message in said) == (code, True), said


def test_a_running_ranking_stops_when_asked(rankings, operations, dataset, server):
    order = asked(dataset, "onnx:m0.onnx", "onnx:slow.onnx", "onnx:m1.onnx", ranking_id="slow")
    name = named(rankings.CreateRanking(order))
    get = pb.GetRankingRequest(name=name)
    serving.until(lambda: rankings.GetRanking(get).progress.candidates_done == 1)
    partial = rankings.GetRanking(get)
    assert partial.state == pb.Ranking.RUNNING
    assert [candidate.model for candidate in partial.candidates] == ["onnx:m0.onnx"]
    assert not partial.document
    taken = asked(dataset, "onnx:m0.onnx", ranking_id="slow")
    assert code_of(lambda: rankings.CreateRanking(taken))[0] == CODE.ALREADY_EXISTS
    delete = pb.DeleteRankingRequest(name=name)
    assert code_of(lambda: rankings.DeleteRanking(delete))[0] == CODE.FAILED_PRECONDITION
    in_use = data_pb.DeleteDatasetRequest(name=dataset)
    with grpc.insecure_channel(server.address) as channel:
        stub = data_grpc.DatasetServiceStub(channel)
        assert code_of(lambda: stub.DeleteDataset(in_use))[0] == CODE.FAILED_PRECONDITION
    began = time.monotonic()
    rankings.CancelRanking(pb.CancelRankingRequest(name=name))
    serving.until(lambda: rankings.GetRanking(get).state == pb.Ranking.CANCELLED)
    assert time.monotonic() - began < 15
    found = operations.GetOperation(
        operations_pb2.GetOperationRequest(name=name.replace("/rankings/", "/operations/"))
    )
    assert found.done
    assert found.error.code == CODE.CANCELLED.value[0]
    operations.CancelOperation(operations_pb2.CancelOperationRequest(name=found.name))
    rankings.DeleteRanking(delete)
    assert code_of(lambda: rankings.GetRanking(get))[0] == CODE.NOT_FOUND
    rankings.DeleteRanking(pb.DeleteRankingRequest(name=name, allow_missing=True))


def test_more_rankings_than_may_wait_are_told_when_to_come_back(rankings, dataset):
    names = []
    try:
        with pytest.raises(grpc.RpcError) as caught:  # noqa: PT012 -- which of them is not known
            for _ in range(6):
                names.append(named(rankings.CreateRanking(asked(dataset, "onnx:slow.onnx"))))
        assert caught.value.code() == CODE.RESOURCE_EXHAUSTED
        assert b"RetryInfo" in dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
    finally:
        for name in names:
            rankings.CancelRanking(pb.CancelRankingRequest(name=name))
    assert len(names) >= 3


def test_rankings_and_operations_are_two_views_of_one_list(rankings, operations):
    listed, token = [], ""
    while True:
        page = rankings.ListRankings(
            pb.ListRankingsRequest(parent=PARENT, page_size=2, page_token=token)
        )
        assert all(not ranking.document for ranking in page.rankings)
        listed += [ranking.name for ranking in page.rankings]
        token = page.next_page_token
        if not token:
            break
    seen = operations.ListOperations(operations_pb2.ListOperationsRequest(name=PARENT))
    assert [named(operation) for operation in seen.operations] == listed
    assert len(listed) >= 3
    bad = pb.ListRankingsRequest(parent=PARENT, page_token="made-up")
    assert code_of(lambda: rankings.ListRankings(bad))[0] == CODE.INVALID_ARGUMENT


def test_a_client_of_another_language(server, tmp_path):
    """The Node example, from the packages that npm has."""
    if shutil.which("npm") is None:
        pytest.skip("needs Node and npm")
    example = tmp_path / "server/examples/node"
    shutil.copytree(ROOT / "server/examples/node", example)
    (tmp_path / "proto").symlink_to(ROOT / "proto")
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    environment = os.environ | {"npm_config_cache": str(tmp_path / "npm")}
    done = subprocess.run(
        install, cwd=example, capture_output=True, check=False, timeout=120, env=environment
    )
    if done.returncode:
        pytest.skip("needs the npm registry to install @grpc/grpc-js")

    def run(*models: str) -> subprocess.CompletedProcess[str]:
        command = ["node", "rank.mjs", server.address, *models]
        return subprocess.run(
            command, cwd=example, capture_output=True, text=True, check=False, timeout=60
        )

    done = run("onnx:m0.onnx", "onnx:m2.onnx")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    rows = np.array([[i % 2 + np.sin(i), np.cos(i), i % 3, i % 5] for i in range(40)], dtype="f4")
    expected = transferscore.score(rows, np.arange(40) % 2, "logme,h_score")
    assert lines[:2] == [f"{name} {value}" for name, value in expected.items()]
    assert "sent 40 samples" in lines
    assert lines[-1] == "SUCCEEDED"
    refused = run("onnx:none.onnx")
    assert refused.returncode == 1
    assert refused.stderr.startswith("The model `onnx:none.onnx` is not there")
