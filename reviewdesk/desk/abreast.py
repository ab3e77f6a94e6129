"""Several things done side by side, a few at a time, so that what ends one of them leaves none behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

AT_ONCE = 8


async def abreast(things: Iterable[A], work: Callable[[A], Awaitable[B]], *, at_once: int = AT_ONCE) -> list[B]:
    """Gives what `work` makes of each thing, in their order.

    Where one fails or the whole is cancelled, the others are cancelled too, and have ended before this does.

    Args:
        at_once: how many are worked on at the same time.

    Raises:
        Exception: the first that `work` raised.
    """
    gate = asyncio.Semaphore(at_once)

    async def one(thing: A) -> B:
        async with gate:
            return await work(thing)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(thing)) for thing in things]
    except BaseExceptionGroup as failures:
        failure = failures.exceptions[0]
    else:
        return [task.result() for task in tasks]
    raise failure
