"""Work that goes on behind what is received."""

from __future__ import annotations

import asyncio
import threading

import pytest
from transferscore_server.behind import Behind


def test_calls_follow_one_another_and_the_caller_is_one_ahead():
    let, seen = threading.Event(), []

    def work(number):
        let.wait(10)
        seen.append(number)
        return number

    async def main():
        async with Behind() as behind:
            await behind.call(work, 1)
            second = asyncio.ensure_future(behind.call(work, 2))
            await asyncio.sleep(0.05)
            ahead = second.done()
            let.set()
            await second
            return ahead, await behind.result()

    assert asyncio.run(main()) == (False, 2)
    assert seen == [1, 2]


def test_what_a_call_raises_is_raised_by_the_next_one():
    def work():
        raise ValueError("no room")

    async def main():
        async with Behind() as behind:
            await behind.call(work)
            await behind.call(work)

    with pytest.raises(ValueError, match="no room"):
        asyncio.run(main())


def test_nothing_goes_on_after_the_end_however_that_came():
    started, let, done = threading.Event(), threading.Event(), []

    def work():
        started.set()
        let.wait(10)
        done.append(1)

    async def main():
        async with Behind() as behind:
            await behind.call(work)
            await asyncio.to_thread(started.wait)
            asyncio.get_running_loop().call_later(0.05, let.set)
            raise KeyError("the caller has gone")

    with pytest.raises(KeyError):
        asyncio.run(main())
    assert done == [1]


def test_a_caller_who_goes_while_waiting_leaves_no_call_behind():
    let, done = threading.Event(), []

    def work():
        let.wait(10)
        done.append(1)

    async def waiting():
        async with Behind() as behind:
            await behind.call(work)
            await behind.result()

    async def main():
        task = asyncio.ensure_future(waiting())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0.05)
        is_held = not task.done()
        let.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return is_held

    assert asyncio.run(main())
    assert done == [1]
