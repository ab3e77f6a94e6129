from __future__ import annotations

import asyncio

import pytest

from reviewdesk.desk.abreast import abreast
from reviewdesk.errors import StoreError


async def test_a_few_at_a_time_and_in_order() -> None:
    at_work, most = 0, 0

    async def work(number: int) -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        for _ in range(5 - number % 3):
            await asyncio.sleep(0)
        at_work -= 1
        return number * 2

    assert await abreast(range(20), work, at_once=3) == [number * 2 for number in range(20)]
    assert most == 3
    assert await abreast([], work) == []


async def test_what_fails_leaves_nothing_behind() -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        try:
            await asyncio.sleep(0)
            if number == 1:
                raise StoreError("The disk is full.") from OSError()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(number)

    with pytest.raises(StoreError, match="full") as failed:
        await abreast(range(3), work)
    assert sorted(ended) == [0, 1, 2]
    assert isinstance(failed.value.__cause__, OSError)


async def test_what_is_interrupted_leaves_nothing_behind() -> None:
    ended: list[int] = []
    begun = asyncio.Barrier(4)

    async def work(number: int) -> None:
        try:
            await begun.wait()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(number)

    whole = asyncio.create_task(abreast(range(3), work))
    await begun.wait()
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole
    assert sorted(ended) == [0, 1, 2]
