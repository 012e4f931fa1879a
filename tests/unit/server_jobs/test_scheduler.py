"""Rankings through workers: the library's answer, resumed, stopped, and given up where hopeless."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from transferscore_server.jobs.settings import JobSettings, found_devices
from transferscore_server.store.errors import NotFoundError
from transferscore_server.store.records import EventKind, RankingState

import transferscore
from tests.unit.server_jobs.front import (
    DATASET,
    front,
    ranking,
    without_source,
    without_times,
    write_dataset,
)
from transferscore.errors import InputError


def process_is_gone(pid, seconds=5.0):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


async def until(condition, seconds=20.0):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come to pass"
        await asyncio.sleep(0.01)


def at_work(scheduler, name):
    return any(device.ranking == name for device in scheduler.devices())


def test_a_ranking_is_the_librarys_own_to_the_last_bit(tmp_path):
    uris = ["odd:a?columns=6", "odd:b?columns=2", f"features:{tmp_path}/none.npz"]

    async def through_the_service():
        async with front(tmp_path) as (scheduler, store):
            record, is_new = await scheduler.submit(ranking("r", *uris, seed=3))
            assert (is_new, record.state) == (True, RankingState.QUEUED)
            ended = await scheduler.wait(record.name, 60)
            return ended, store.candidates(record.name), store.events(record.name)

    ended, candidates, events = asyncio.run(through_the_service())
    (tmp_path / "library").mkdir()
    path = write_dataset(tmp_path / "library")
    library = transferscore.rank(path, uris, seed=3, cache=False, device="cpu")
    assert ended.state == RankingState.SUCCEEDED
    assert without_times(dict(ended.document)) == without_source(library.to_dict())
    assert [(c.position, c.error is None) for c in candidates] == [(0, True), (1, True), (2, False)]
    by_model = {c.model: c.predicted for c in library.candidates}
    for candidate in candidates[:2]:
        (row,) = candidate.results
        predicted = by_model[candidate.model]
        assert row["predicted"]["value"] == predicted.value
        assert (row["predicted"]["low"], row["predicted"]["high"]) == (
            predicted.low,
            predicted.high,
        )
        assert "rank" not in row
    kinds = [e.kind for e in events if e.kind != EventKind.PROGRESS]
    ends = [EventKind.CANDIDATE, EventKind.CANDIDATE, EventKind.FAILURE]
    assert kinds == [EventKind.STATE, EventKind.STATE, *ends, EventKind.STATE]
    assert (ended.n_done, ended.n_failed) == (2, 1)
    assert ended.create_time <= ended.start_time <= ended.end_time


def test_the_front_loads_nothing_heavy(tmp_path):
    script = f"""
import asyncio, sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from transferscore_server.jobs.scheduler import Scheduler
from transferscore_server.jobs.settings import JobSettings
from transferscore_server.blobs.files import FileBlobs
from transferscore_server.store.sql import open_store
async def main():
    folder = Path({str(tmp_path)!r})
    store = open_store(f"sqlite:///{{folder}}/s.db")
    scheduler = Scheduler(store, FileBlobs(folder), JobSettings(folder, devices=("cpu",)))
    await scheduler.start()
    await asyncio.sleep(0.5)
    await scheduler.drain(0.0)
    store.close()
asyncio.run(main())
print(sorted({{"torch", "sklearn", "transformers", "numpy", "scipy"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_watching_tells_everything_once_and_goes_on_after_a_number(tmp_path):
    async def watched():
        async with front(tmp_path) as (scheduler, _):
            name = (await scheduler.submit(ranking("r", "odd:a?seconds=0.1", "odd:b")))[0].name
            first = [event async for event in scheduler.watch(name, heartbeat=0.05)]
            again = [event async for event in scheduler.watch(name, after=3)]
            beyond = [event async for event in scheduler.watch(name, after=10_000)]
            with pytest.raises(NotFoundError):
                await anext(scheduler.watch("projects/p/rankings/none"))
            return first, again, beyond

    first, again, beyond = asyncio.run(watched())
    told = [event for event in first if event is not None]
    assert None in first
    assert [event.sequence for event in told] == list(range(1, len(told) + 1))
    assert told[-1].body == {"state": "SUCCEEDED"}
    assert again == told[3:]
    assert beyond == []


def test_a_running_ranking_is_cancelled_between_two_steps_and_the_worker_stays(tmp_path):
    async def cancelled():
        async with front(tmp_path, grace_seconds=20.0) as (scheduler, store):
            name = (await scheduler.submit(ranking("r", "odd:a", "odd:b?seconds=60")))[0].name
            await until(lambda: store.get_ranking(name).n_done == 1)
            pid = scheduler.devices()[0].pid
            began = time.monotonic()
            assert (await scheduler.cancel(name)).state == RankingState.CANCELLING
            ended = await scheduler.wait(name, 30)
            seconds = time.monotonic() - began
            kept = store.candidates(name)
            other = (await scheduler.submit(ranking("s", "odd:a")))[0].name
            after = await scheduler.wait(other, 30)
            return ended, seconds, kept, after, pid == scheduler.devices()[0].pid

    ended, seconds, kept, after, is_same_worker = asyncio.run(cancelled())
    assert ended.state == RankingState.CANCELLED
    assert seconds < 15
    assert [c.position for c in kept] == [0]
    assert after.state == RankingState.SUCCEEDED
    assert is_same_worker


def test_a_cancel_gives_back_what_the_worker_held(tmp_path):
    """The models that it kept for later, too: the device is for others now."""

    def resident_mib(pid: int) -> float:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    async def cancelled():
        async with front(tmp_path, grace_seconds=20.0) as (scheduler, _):
            before = (await scheduler.submit(ranking("before", f"odd:b?weights={200 * 2**20}")))[0]
            await scheduler.wait(before.name, 30)
            calls = tmp_path / "calls"
            asked = ranking("r", f"odd:a?seconds=60&calls={calls}")
            name = (await scheduler.submit(asked))[0].name
            await until(calls.exists)
            pid = scheduler.devices()[0].pid
            held = resident_mib(pid)
            await scheduler.cancel(name)
            await scheduler.wait(name, 30)
            return held, resident_mib(pid), pid == scheduler.devices()[0].pid

    held, after, is_same = asyncio.run(cancelled())
    assert is_same
    assert held - after > 150


def test_a_worker_that_does_not_stop_is_killed_and_replaced(tmp_path):
    async def cancelled():
        async with front(tmp_path) as (scheduler, _):
            calls = tmp_path / "calls"
            asked = ranking("r", f"odd:a?hang=1&calls={calls}")
            name = (await scheduler.submit(asked))[0].name
            await until(calls.exists)
            await asyncio.sleep(0.2)
            pid = scheduler.devices()[0].pid
            began = time.monotonic()
            await scheduler.cancel(name)
            ended = await scheduler.wait(name, 30)
            seconds = time.monotonic() - began
            other = (await scheduler.submit(ranking("s", "odd:a")))[0].name
            after = await scheduler.wait(other, 30)
            return ended, seconds, after, pid, scheduler.devices()[0]

    ended, seconds, after, pid, device = asyncio.run(cancelled())
    assert ended.state == RankingState.CANCELLED
    assert seconds < 15
    assert process_is_gone(pid)
    assert after.state == RankingState.SUCCEEDED
    assert device.restarts == {"killed": 1}


@pytest.mark.parametrize("model", ["odd:a?seconds=60", "odd:a?hang=1"])
def test_a_deadline_holds_in_the_worker_and_what_is_finished_stays(tmp_path, model):
    async def late():
        async with front(tmp_path) as (scheduler, store):
            await scheduler.submit(ranking("before", "odd:b"))
            await scheduler.wait("projects/p/rankings/before", 60)
            asked = ranking("r", "odd:b", model, deadline=time.time() + 4.0)
            name = (await scheduler.submit(asked))[0].name
            ended = await scheduler.wait(name, 60)
            return ended, store.candidates(name)

    ended, kept = asyncio.run(late())
    assert (ended.state, ended.error.reason) == (RankingState.FAILED, "DEADLINE_EXCEEDED")
    assert "not done within its" in ended.error.message
    assert ended.end_time - ended.create_time < 20
    assert [c.position for c in kept] == [0]


def test_a_worker_that_dies_is_replaced_and_its_ranking_goes_on(tmp_path):
    calls = tmp_path / "calls"
    uris = [f"odd:a?calls={calls}", f"odd:b?calls={calls}&die={tmp_path}/died&deaths=2"]

    async def survived():
        async with front(tmp_path) as (scheduler, _):
            name = (await scheduler.submit(ranking("r", *uris)))[0].name
            return await scheduler.wait(name, 60), scheduler.devices()[0]

    ended, device = asyncio.run(survived())
    assert ended.state == RankingState.SUCCEEDED
    assert [c["model"] for c in ended.document["candidates"] if not c["baseline"]] == uris
    assert device.restarts == {"crashed": 2}
    made = [line.split()[0] for line in calls.read_text().splitlines()]
    # What was finished is not computed again, whatever died later.
    assert made.count("a") == 1


def test_a_model_that_kills_its_workers_is_a_failure_row(tmp_path):
    async def poisoned():
        async with front(tmp_path) as (scheduler, store):
            poison = f"odd:poison?die={tmp_path}/died&deaths=1000"
            name = (await scheduler.submit(ranking("r", poison, "odd:b")))[0].name
            return await scheduler.wait(name, 60), store.candidates(name)

    ended, candidates = asyncio.run(poisoned())
    assert ended.state == RankingState.SUCCEEDED
    (failure,) = ended.document["failures"]
    assert failure["error"] == "WORKER_CRASHED"
    assert "its worker process died 3 times" in failure["message"]
    assert [c["model"] for c in ended.document["candidates"] if not c["baseline"]] == ["odd:b"]
    assert (tmp_path / "died").stat().st_size == 3
    assert candidates[0].error.reason == "WORKER_CRASHED"


def test_a_ranking_that_cannot_be_made_says_why(tmp_path):
    async def failed():
        async with front(tmp_path) as (scheduler, store):
            asked = [
                ranking("none", f"features:{tmp_path}/none.npz"),
                ranking("bad", "odd:a", split="no such split"),
                ranking("gone", "odd:a"),
            ]
            blobs = scheduler._blobs
            names = [(await scheduler.submit(new))[0].name for new in asked[:2]]
            ends = [await scheduler.wait(name, 60) for name in names]
            blobs.path(store.get_dataset(DATASET).digest).unlink()
            name = (await scheduler.submit(asked[2]))[0].name
            return [*ends, await scheduler.wait(name, 60)]

    none, bad, gone = asyncio.run(failed())
    assert {end.state for end in (none, bad, gone)} == {RankingState.FAILED}
    assert none.error.reason == "NO_CANDIDATE_RANKED"
    assert none.document["failures"][0]["error"] == "EncoderError"
    assert bad.error.reason == "DatasetError"
    assert "no such split" in bad.error.message
    assert gone.error.reason == "DATASET_GONE"


def test_a_front_that_drains_puts_back_what_runs_and_the_next_goes_on(tmp_path):
    calls = tmp_path / "calls"

    async def first():
        async with front(tmp_path, grace_seconds=10.0) as (scheduler, store):
            slow = f"odd:b?calls={calls}&seconds=60"
            asked = ranking("r", f"odd:a?calls={calls}", slow)
            name = (await scheduler.submit(asked))[0].name
            await until(lambda: store.get_ranking(name).n_done == 1)
            pid = scheduler.devices()[0].pid
            await scheduler.drain(0.1)
            assert process_is_gone(pid)
            return store.get_ranking(name)

    async def second(name):
        async with front(tmp_path) as (scheduler, _):
            await until(lambda: at_work(scheduler, name))
            await scheduler.cancel(name)
            return await scheduler.wait(name, 30)

    put_back = asyncio.run(first())
    assert (put_back.state, put_back.n_done) == (RankingState.QUEUED, 1)
    assert asyncio.run(second(put_back.name)).state == RankingState.CANCELLED
    made = [line.split()[0] for line in calls.read_text().splitlines()]
    assert made.count("a") == 1


def test_two_fronts_do_not_share_a_name_and_folder(tmp_path):
    async def second():
        async with front(tmp_path):
            with pytest.raises(InputError, match="Another server uses"):
                async with front(tmp_path):
                    pass

    asyncio.run(second())


def test_another_front_may_cancel(tmp_path):
    async def both():
        async with (
            front(tmp_path) as (scheduler, _),
            front(tmp_path, owner="other", devices=()) as (other, _),
        ):
            name = (await scheduler.submit(ranking("r", "odd:a?seconds=60")))[0].name
            await until(lambda: at_work(scheduler, name))
            await other.cancel(name)
            return await other.wait(name, 20)

    assert asyncio.run(both()).state == RankingState.CANCELLED


def test_models_stay_loaded_between_rankings_while_there_is_room(tmp_path):
    def loads(folder, **settings):
        folder.mkdir()
        calls = folder / "calls"

        async def twice():
            async with front(folder, **settings) as (scheduler, _):
                for name in ("r", "s"):
                    asked = ranking(name, f"odd:{name}?calls={calls}", f"odd:x?calls={calls}")
                    await scheduler.submit(asked)
                    await scheduler.wait(asked.name, 30)
                    for stored in (folder / "features").rglob("*.safetensors"):
                        stored.unlink()

        asyncio.run(twice())
        lines = [line.split() for line in calls.read_text().splitlines()]
        return [how for model, how, *_ in lines if model == "x"].count("loaded")

    assert loads(tmp_path / "much", model_bytes=2**40) == 1
    assert loads(tmp_path / "none", model_bytes=1) == 2


def test_a_worker_that_grows_is_replaced_after_its_ranking(tmp_path):
    async def leaking():
        async with front(tmp_path, recycle_bytes=450 * 2**20) as (scheduler, _):
            pids = []
            for name in ("r", "s"):
                await until(lambda: scheduler.devices()[0].is_ready)
                pids.append(scheduler.devices()[0].pid)
                await scheduler.submit(ranking(name, f"odd:{name}?held={200 * 2**20}"))
                await scheduler.wait(f"projects/p/rankings/{name}", 30)
            await until(lambda: scheduler.devices()[0].restarts == {"recycled": 1})
            return pids

    pids = asyncio.run(leaking())
    assert pids[0] == pids[1]
    assert process_is_gone(pids[0])


FRONT = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = {path!r}
from tests.unit.server_jobs.front import front, ranking
async def main():
    async with front(Path({folder!r})) as (scheduler, store):
        await scheduler.submit(ranking("r", {model!r}))
        while not scheduler.devices()[0].ranking:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        print(scheduler.devices()[0].pid, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.parametrize("model", ["odd:a?seconds=600", "odd:a?hang=1"])
def test_a_worker_dies_with_its_front(tmp_path, model):
    script = FRONT.format(path=sys.path, folder=str(tmp_path), model=model)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        pid = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    assert process_is_gone(pid)


@pytest.mark.parametrize(
    ("nodes", "names", "found"),
    [
        ((), ("auto",), ("cpu",)),
        (("nvidia0", "nvidia1", "nvidiactl"), ("auto",), ("cuda:0", "cuda:1")),
        (("nvidia0",), ("cpu", "auto", "cpu"), ("cpu", "cuda:0")),
    ],
)
def test_devices_are_found_by_their_files(tmp_path, nodes, names, found):
    for node in nodes:
        (tmp_path / node).touch()
    assert found_devices(JobSettings(tmp_path, devices=names, device_nodes=tmp_path)) == found


def test_a_device_of_another_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be `auto`, `cpu` or `cuda:N`; got 'tpu'"):
        found_devices(JobSettings(tmp_path, devices=("tpu",)))
