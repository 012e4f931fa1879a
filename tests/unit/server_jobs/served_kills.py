"""`transferscore serve` killed with SIGKILL, while a caller submits and watches through gRPC."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from transferscore.v1 import dataset_service_pb2 as datasets_pb
from transferscore.v1 import dataset_service_pb2_grpc as datasets_grpc
from transferscore.v1 import ranking_service_pb2 as rankings_pb
from transferscore.v1 import ranking_service_pb2_grpc as rankings_grpc

PROJECT = "projects/default"
PATIENCE_SECONDS = 120.0
FORMATS = {".npz": datasets_pb.Dataset.NPZ, ".zip": datasets_pb.Dataset.ZIP}
CHUNK_BYTES = 2**20
# By default the pauses between attempts to connect grow to two minutes.
OFTEN = [("grpc.max_reconnect_backoff_ms", 1000)]


@dataclass(slots=True)
class Serving:
    """The command, started anew after each kill, and a channel that finds it again."""

    folder: Path
    model_root: Path
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0

    @property
    def address(self) -> str:
        return f"unix:{self.folder}/socket"

    def start(self) -> None:
        (self.folder / "socket").unlink(missing_ok=True)
        command = [sys.executable, "-m", "transferscore.cli.main", "serve"]
        command += ["--listen", self.address, "--data-dir", str(self.folder / "data")]
        command += ["--model-root", str(self.model_root), "--device", "cpu", "--scorers", "1"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


@dataclass(slots=True)
class Caller:
    """A client with a retry policy, and what it was told."""

    address: str
    told: dict[str, list[rankings_pb.WatchRankingResponse]] = field(default_factory=dict)

    def again(self, method: str, service: type, request):
        """Call until the server answers; whatever is not UNAVAILABLE is an answer."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while True:
            with grpc.insecure_channel(self.address, OFTEN) as channel:
                try:
                    call = getattr(service(channel), method)
                    return call(request, timeout=PATIENCE_SECONDS, wait_for_ready=True)
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > ends:
                        raise

    def wait_for_server(self) -> None:
        with grpc.insecure_channel(self.address, OFTEN) as channel:
            grpc.channel_ready_future(channel).result(PATIENCE_SECONDS)

    def upload(self, path: Path) -> str:
        stub, content = datasets_grpc.DatasetServiceStub, path.read_bytes()
        asked = datasets_pb.StartUploadRequest(
            parent=PROJECT,
            dataset_id="rows",
            dataset=datasets_pb.Dataset(display_name=path.name, format=FORMATS[path.suffix]),
            total_size=len(content),
            request_id="7d444840-9dc0-11d1-b245-5ffdce74fad2",
        )
        upload = self.again("StartUpload", stub, asked).name
        chunks = [
            datasets_pb.UploadChunksRequest(
                upload=upload, offset=at, data=data, crc32=zlib.crc32(data)
            )
            for at in range(0, len(content), CHUNK_BYTES)
            for data in [content[at : at + CHUNK_BYTES]]
        ]
        with grpc.insecure_channel(self.address, OFTEN) as channel:
            stub(channel).UploadChunks(iter(chunks), timeout=60.0, wait_for_ready=True)
        return self.again(
            "FinalizeUpload", stub, datasets_pb.FinalizeUploadRequest(name=upload)
        ).name

    def create(self, name: str, dataset: str, models: Sequence[str]) -> None:
        spec = rankings_pb.RankingSpec(dataset=dataset, models=models)
        asked = rankings_pb.CreateRankingRequest(
            parent=PROJECT,
            ranking_id=name,
            ranking=rankings_pb.Ranking(spec=spec),
            request_id=f"7d444840-9dc0-11d1-b245-{zlib.crc32(name.encode()):012x}",
        )
        self.again("CreateRanking", rankings_grpc.RankingServiceStub, asked)

    def watch(self, name: str) -> None:
        """Everything that happens to a ranking, across all deaths of the server."""
        told = self.told.setdefault(name, [])
        full_name, sequence = f"{PROJECT}/rankings/{name}", 0
        while not (told and told[-1].HasField("final")):
            with grpc.insecure_channel(self.address, OFTEN) as channel:
                asked = rankings_pb.WatchRankingRequest(name=full_name, after_sequence=sequence)
                stream = rankings_grpc.RankingServiceStub(channel).WatchRanking(
                    asked, timeout=PATIENCE_SECONDS, wait_for_ready=True
                )
                try:
                    for message in stream:
                        told.append(message)
                        sequence = message.sequence
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.UNAVAILABLE:
                        raise


def kill_served(
    serving: Serving, data: Path, models: Sequence[str], n_kills: int, n_rankings: int
) -> Caller:
    """Rankings submitted and watched while the server is killed; all have ended on return."""
    draw, caller = random.Random(3), Caller(serving.address)
    serving.start()
    dataset = caller.upload(data)
    names = [f"r{i}" for i in range(n_rankings)]
    threads = [threading.Thread(target=_follow, args=(caller, n, dataset, models)) for n in names]
    try:
        for done in range(n_kills):
            for thread in threads[
                done * n_rankings // n_kills : (done + 1) * n_rankings // n_kills
            ]:
                thread.start()
            if draw.random() < 0.7:
                caller.wait_for_server()
            time.sleep(draw.uniform(0.0, 1.2))
            serving.kill()
            serving.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        # The rankings may have ended before the last kill: a server that loads obeys no order yet.
        caller.wait_for_server()
    finally:
        with contextlib.suppress(ProcessLookupError):
            exit_code = serving.stop()
    if exit_code != 0:
        raise RuntimeError(f"the server ended with {exit_code}")
    return caller


def _follow(caller: Caller, name: str, dataset: str, models: Sequence[str]) -> None:
    caller.create(name, dataset, models)
    caller.watch(name)
