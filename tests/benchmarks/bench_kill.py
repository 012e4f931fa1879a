"""Five hundred kills of front and worker, the speed of uploads, and how soon a cancel is done.

Run by hand: `pytest tests/benchmarks/bench_kill.py -m bench -s`.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
import zlib
from pathlib import Path

import pytest
from transferscore_server.blobs.files import FileBlobs
from transferscore_server.jobs.settings import JobSettings

import transferscore
from tests.unit.server_jobs import odd_models
from tests.unit.server_jobs.front import front, ranking
from tests.unit.server_jobs.kills import kill_loop
from tests.unit.server_jobs.served_kills import Serving, kill_served
from tests.unit.server_jobs.test_kills import check_nothing_lost_or_twice
from tests.unit.server_jobs.test_served_kills import check_database, check_told

pytestmark = pytest.mark.bench

odd_models.register()  # for the library's own run
MIB = 2**20


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def test_five_hundred_kills(tmp_path):
    began = time.perf_counter()
    killed = kill_loop(tmp_path, n_kills=500, n_rankings=80, seed=2)
    seconds = time.perf_counter() - began
    check_nothing_lost_or_twice(tmp_path, killed)
    kills = ", ".join(f"{count} of the {who}" for who, count in sorted(killed.kills.items()))
    print(f"\n{killed.kills.total()} kills in {seconds:.0f} s ({kills}):")
    print(f"{len(killed.accepted)} rankings accepted, none lost, no candidate lost or twice")
    print(f"database sound; {machine()}")


def test_kills_of_the_served_command(tmp_path):
    zoo = Path(__file__).parents[2].parent / "shared" / "zoo"
    if not zoo.is_dir():
        pytest.skip("the zoo of real models is not beside the repository")
    names = ("resnet8_cifar10_mlperftiny", "mcunet_vww_person", "resnet20_cifar10")
    models = [f"onnx:{zoo}/models/image/{name}.onnx" for name in names]
    data = zoo / "datasets" / "image" / "flowers5.zip"
    serving = Serving(tmp_path, zoo / "models")
    began = time.perf_counter()
    caller = kill_served(serving, data, models, n_kills=40, n_rankings=10)
    seconds = time.perf_counter() - began
    check_told(caller, transferscore.rank(data, models, cache=tmp_path / "cache"))
    check_database(tmp_path, 10)
    print(f"\n{serving.kills} kills of `transferscore serve` in {seconds:.0f} s, ten rankings of")
    print("three real models submitted and watched through gRPC: each watcher heard everything")
    print(f"once, and the library's own answer to the last bit; {machine()}")


def test_upload_speed(tmp_path):
    chunk, n_chunks, speeds = os.urandom(MIB), 1024, []
    for attempt in range(3):
        blobs = FileBlobs(tmp_path / str(attempt))
        began = time.perf_counter()
        for i in range(n_chunks):
            blobs.append("upload", i * MIB, chunk, zlib.crc32(chunk))
        blobs.finish("upload")
        speeds.append(n_chunks / (time.perf_counter() - began))
    spread = f"{min(speeds):.0f} – {max(speeds):.0f} MiB/s"
    print(f"\nupload of 1 GiB in chunks of 1 MiB, checked, hashed and on the disk: {spread}")
    print(f"least and greatest of three; {machine()}")


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


@pytest.mark.parametrize("model", ["odd:a?seconds=60", "odd:a?hang=1"])
def test_cancel(tmp_path, model):
    calls = tmp_path / "calls"

    async def measured():
        async with front(tmp_path, grace_seconds=JobSettings(tmp_path).grace_seconds) as (
            scheduler,
            _,
        ):
            await scheduler.submit(ranking("before", f"odd:b?held={400 * MIB}"))
            await scheduler.wait("projects/p/rankings/before", 60)
            name = (await scheduler.submit(ranking("r", f"{model}&calls={calls}")))[0].name
            while not calls.exists():
                await asyncio.sleep(0.01)
            pid = scheduler.devices()[0].pid
            before, began = resident_mib(pid), time.perf_counter()
            await scheduler.cancel(name)
            await scheduler.wait(name, 60)
            seconds = time.perf_counter() - began
            return before, seconds, scheduler.devices()[0].restarts

    before, seconds, restarts = asyncio.run(measured())
    how = "killed" if restarts else "stopped by itself, and stays"
    print(f"\ncancel of {model}: device idle after {seconds:.2f} s; the worker, which held")
    print(f"{before:.0f} MiB, was {how}; {machine()}")
    assert seconds < 5.5
