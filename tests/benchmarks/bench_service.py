"""What the service bears: calls a second, uploads, streams of any length, and many callers.

pytest tests/benchmarks/bench_service.py -m bench -s
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections import Counter
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import transferscore
from tests.contracts import serving
from transferscore.client.conversation import Conversation
from transferscore.client.source import source_of
from transferscore.v1 import dataset_service_pb2 as data_pb
from transferscore.v1 import dataset_service_pb2_grpc as data_grpc
from transferscore.v1 import ranking_service_pb2 as ranking_pb
from transferscore.v1 import ranking_service_pb2_grpc as ranking_grpc
from transferscore.v1 import scoring_service_pb2 as pb
from transferscore.v1 import scoring_service_pb2_grpc as scoring_grpc
from transferscore.v1 import types_pb2

pytestmark = pytest.mark.bench
ZOO = Path(__file__).parents[3] / "shared/zoo"
MINUTES = float(os.environ.get("TS_BENCH_MINUTES", "5"))


@pytest.fixture
def server(tmp_path):
    flags = ["--model-root", str(ZOO / "models")] if ZOO.is_dir() else []
    with serving.Served(tmp_path, flags, {"TS_MAX_CONCURRENT_CALLS": "256"}) as served:
        yield served


def tensor(array):
    types = {"f4": types_pb2.DATA_TYPE_FLOAT32, "i8": types_pb2.DATA_TYPE_INT64}
    return types_pb2.Tensor(
        data_type=types[array.dtype.str[1:]], shape=array.shape, data=array.tobytes()
    )


def score_request():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(256, 128)).astype("f4"), rng.integers(0, 5, 256)
    return pb.ScoreFeaturesRequest(
        features=tensor(x), labels=tensor(y), scores=["logme", "h_score"]
    )


def resident(process: int) -> int:
    return psutil.Process(process).memory_info().rss


async def probe(address: str, seconds: list[float], stop: asyncio.Event) -> None:
    """Ask for the health ten times a second, from a connection of its own."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        while not stop.is_set():
            began = time.perf_counter()
            await stub.Check(health_pb2.HealthCheckRequest())
            seconds.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)


def cpu_seconds(process: int) -> tuple[float, float]:
    """Time on a core so far: of the front, and of its scorers and workers."""
    one = psutil.Process(process)
    children = [child.cpu_times() for child in one.children(recursive=True)]
    own = one.cpu_times()
    return own.user + own.system, sum(each.user + each.system for each in children)


def milliseconds(seconds: list[float], share: float) -> float:
    return float(np.percentile(seconds, share)) * 1000


def test_scores_a_second(server):
    """LogME and H-score of 256 x 128 float32 features, 16 callers at a time."""
    request, count = score_request(), 6000

    async def run():
        latencies: list[float] = []
        left = iter(range(count))
        async with grpc.aio.insecure_channel(server.address) as channel:
            stub = scoring_grpc.ScoringServiceStub(channel)

            async def caller():
                for _ in left:
                    began = time.perf_counter()
                    await stub.ScoreFeatures(request)
                    latencies.append(time.perf_counter() - began)

            # What is loaded and set aside at first use is there after some hundred calls.
            await asyncio.gather(*(stub.ScoreFeatures(request) for _ in range(200)))
            for _ in range(800):
                await stub.ScoreFeatures(request)
            before, began = resident(server.process.pid), time.perf_counter()
            busy = cpu_seconds(server.process.pid)
            await asyncio.gather(*(caller() for _ in range(16)))
            spent = np.subtract(cpu_seconds(server.process.pid), busy)
            return latencies, time.perf_counter() - began, before, spent / count * 1000

    latencies, seconds, before, spent = asyncio.run(run())
    grown = (resident(server.process.pid) - before) / 2**20 / count * 10_000
    print(
        f"\nScoreFeatures: {count / seconds:.0f} calls/s, p50 {milliseconds(latencies, 50):.1f}, "
        f"p99 {milliseconds(latencies, 99):.1f} ms; a call takes {spent[0]:.2f} ms of a core in "
        f"the front and {spent[1]:.2f} ms in a scorer; front {grown:+.2f} MiB per 10,000 calls; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


def test_upload(server, tmp_path):
    """A file of 1 GiB by our own client, three times: sent, hashed and on the disk."""
    file = tmp_path / "big.npz"
    sent, whole = [], []
    with transferscore.Client(server.address) as client:
        for _ in range(3):
            with file.open("wb") as stream:
                for _ in range(1024):
                    stream.write(os.urandom(2**20))
            began = time.perf_counter()
            with source_of(file, None, None) as source:
                hashed = time.perf_counter()
                client._driver.run(Conversation(*client._about)._sent(source))
            ended = time.perf_counter()
            sent.append(1024 / (ended - hashed))
            whole.append(1024 / (ended - began))
    print(
        f"\nupload: {min(sent):.0f} to {max(sent):.0f} MiB/s, {min(whole):.0f} to "
        f"{max(whole):.0f} with the client's own hashing before it; load {os.getloadavg()[0]:.1f}"
    )


def test_ten_gibibytes_through_scoring(server):
    """10 GiB of 512 float32 features; memory of front and scorers is watched all the while."""
    total, width, n = 10 * 2**30, 512, 512
    rng = np.random.default_rng(0)
    blocks = [rng.normal(size=(n, width)).astype("f4") for _ in range(4)]
    labels = [rng.integers(0, 10, n) for _ in blocks]
    one = psutil.Process(server.process.pid)
    time.sleep(3)
    at_rest = resident(one.pid)
    most = [0]

    def parts():
        kind = pb.ScoreFeatureStreamRequest
        yield kind(header=kind.Header(feature_count=width, data_type=1, scores=["logme"]))
        for i in range(total // blocks[0].nbytes):
            x, y = blocks[i % 4], labels[i % 4]
            if i % 50 == 0:
                most[0] = max(most[0], resident(one.pid))
            yield kind(rows=kind.Rows(features=x.tobytes(), labels=y.tobytes(), row_count=n))

    with grpc.insecure_channel(server.address) as channel:
        began = time.perf_counter()
        answer = list(scoring_grpc.ScoringServiceStub(channel).ScoreFeatureStream(parts()))
        seconds = time.perf_counter() - began
    print(
        f"\nstream: 10 GiB, {answer[0].scores.row_count:,} rows, {10 * 1024 / seconds:.0f} MiB/s; "
        f"the front holds {most[0] / 2**20:.0f} MiB at most, {at_rest / 2**20:.0f} at rest"
    )


def mixed(address: str, seconds: float, seed: int, results) -> None:
    """One process of 25 callers: scores, distances, uploads, rankings, lists, waits."""
    results.put(asyncio.run(_mixed(address, seconds, seed)))


async def _mixed(address: str, seconds: float, seed: int) -> Counter:
    ended: Counter = Counter()
    ends = time.monotonic() + seconds
    async with grpc.aio.insecure_channel(address) as channel:
        await asyncio.gather(*(_caller(channel, ends, seed * 100 + i, ended) for i in range(25)))
    return ended


async def _caller(channel, ends: float, seed: int, ended: Counter) -> None:
    rng = np.random.default_rng(seed)
    scoring = scoring_grpc.ScoringServiceStub(channel)
    data = data_grpc.DatasetServiceStub(channel)
    rankings = ranking_grpc.RankingServiceStub(channel)
    operations = operations_pb2_grpc.OperationsStub(channel)
    x = rng.normal(size=(64, 32)).astype("f4")
    request = score_request()
    calls = [
        lambda: scoring.ScoreFeatures(request, timeout=60),
        lambda: scoring.ComputeDistances(
            pb.ComputeDistancesRequest(
                source_features=tensor(x), target_features=tensor(x), distances=["frechet"]
            ),
            timeout=60,
        ),
        lambda: scoring.ListScorers(pb.ListScorersRequest(), timeout=60),
        lambda: data.ListDatasets(
            data_pb.ListDatasetsRequest(parent="projects/default", page_size=5), timeout=60
        ),
        lambda: rankings.CreateRanking(_ranking_request(), timeout=60),
        lambda: rankings.ListRankings(
            ranking_pb.ListRankingsRequest(parent="projects/default", page_size=5), timeout=60
        ),
        lambda: operations.ListOperations(
            operations_pb2.ListOperationsRequest(name="projects/default", page_size=5), timeout=60
        ),
    ]
    while time.monotonic() < ends:
        try:
            await calls[rng.integers(len(calls))]()
            ended["OK"] += 1
        except grpc.aio.AioRpcError as error:
            ended[error.code().name] += 1
        await asyncio.sleep(float(rng.exponential(0.05)))


def _ranking_request():
    spec = ranking_pb.RankingSpec(
        dataset="projects/default/datasets/bench",
        models=["onnx:image/resnet8_cifar10_mlperftiny.onnx"],
        max_samples=40,
    )
    return ranking_pb.CreateRankingRequest(
        parent="projects/default", ranking=ranking_pb.Ranking(spec=spec)
    )


def test_a_hundred_callers(server):
    """100 callers of mixed calls, rankings among them, while health is asked for throughout."""
    if not ZOO.is_dir():
        pytest.skip(f"needs the model zoo at {ZOO}")
    content = (ZOO / "datasets/image/cifar10.zip").read_bytes()
    with grpc.insecure_channel(server.address) as channel:
        stub = data_grpc.DatasetServiceStub(channel)
        upload = stub.StartUpload(
            data_pb.StartUploadRequest(
                parent="projects/default",
                dataset_id="bench",
                dataset=data_pb.Dataset(display_name="cifar10.zip"),
                total_size=len(content),
            )
        )
        size = 2**20
        stub.UploadChunks(
            data_pb.UploadChunksRequest(upload=upload.name, offset=i, data=content[i : i + size])
            for i in range(0, len(content), size)
        )
        stub.FinalizeUpload(data_pb.FinalizeUploadRequest(name=upload.name))
    spawn = multiprocessing.get_context("spawn")
    results, seconds = spawn.Queue(), MINUTES * 60
    fleet = [
        spawn.Process(target=mixed, args=(server.address, seconds, seed, results))
        for seed in range(4)
    ]
    for process in fleet:
        process.start()
    health: list[float] = []
    sizes: list[int] = []

    async def watch():
        stop = asyncio.Event()
        probing = asyncio.create_task(probe(server.address, health, stop))
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            await asyncio.sleep(1)
            sizes.append(resident(server.process.pid))
        stop.set()
        await probing

    asyncio.run(watch())
    ended = sum((results.get() for _ in fleet), Counter())
    for process in fleet:
        process.join()
    calls = sum(ended.values())
    # After a tenth of the time, what is loaded at first use has been loaded.
    late = np.array(sizes[len(sizes) // 10 :]) / 2**20
    slope = np.polyfit(np.linspace(0, 0.9 * calls, len(late)), late, 1)[0] * 10_000
    print(
        f"\n100 callers, {MINUTES:g} min: {calls / seconds:.0f} calls/s, {dict(ended)}; health p50 "
        f"{milliseconds(health, 50):.1f}, p99 {milliseconds(health, 99):.1f}, most "
        f"{milliseconds(health, 100):.1f} ms; front {late[-1]:.0f} MiB, {slope:+.2f} MiB per "
        f"10,000 calls; transferscore {transferscore.__version__}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}"
    )
