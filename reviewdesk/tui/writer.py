"""One thread that writes: the desk's use cases, one after the other, on a connection of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from reviewdesk.config import Config
from reviewdesk.desk.respond import Respond
from reviewdesk.desk.triage import Triage
from reviewdesk.store.db import Store

T = TypeVar("T")
log = logging.getLogger(__name__)


class Desk:
    """What the writing thread works with.

    Attributes:
        store: the thread's own connection.
        triage, respond: the use cases of the agent at work.
    """

    def __init__(self, store: Store, agent: str, config: Config) -> None:
        self.store = store
        self.triage = Triage(store, agent)
        self.respond = Respond(store, agent, config)


class Writer:
    """The door to the writing thread.

    Args:
        open_store: opens a store that writes; called in the thread, before the first work.
    """

    def __init__(self, open_store: Callable[[], Store], agent: str, config: Config) -> None:
        self._open_store = open_store
        self._agent = agent
        self._config = config
        self._desk: Desk | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

    async def do(self, work: Callable[[Desk], T]) -> T:
        """Runs `work` in the thread, after all that was handed over before, and gives its result.

        It is done even where the caller is cancelled meanwhile.

        Raises:
            ReviewdeskError: as the use case raises it; `StoreError` where the database cannot be written.
        """
        return await asyncio.shield(asyncio.wrap_future(self._thread.submit(self._work, work)))

    def hand_over(self, work: Callable[[Desk], object]) -> None:
        """Puts work into the queue without waiting for it; for the last drafts before the end."""
        self._thread.submit(self._work, work).add_done_callback(_log_failure)

    def close(self) -> None:
        """Finishes what was handed over, and closes the connection."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=True)

    def _work(self, work: Callable[[Desk], T]) -> T:
        if self._desk is None:
            self._desk = Desk(self._open_store(), self._agent, self._config)
        with self._desk.store.told():
            return work(self._desk)

    def _close(self) -> None:
        if self._desk:
            self._desk.store.close()


def _log_failure(done: Future[object]) -> None:
    if error := done.exception():
        log.error("work that nobody waits for has failed", exc_info=error)
