"""One round of asking sources for what is new: side by side, each under a lease, none in the way of another."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from reviewdesk.config import Config, SourceConfig
from reviewdesk.connector import Batch, Capabilities, Connector, ReplyMode
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.desk.connecting import blamed, connected, data_folder
from reviewdesk.errors import Actor, ConnectorError, NotAllowed, RateLimited, ReviewdeskError, StoreError, Unreachable
from reviewdesk.model import Mention, Record
from reviewdesk.secrets import redact
from reviewdesk.store.db import Store
from reviewdesk.store.holders import new_holder
from reviewdesk.store.records import Ingested
from reviewdesk.store.sources import LeaseLost

log = logging.getLogger(__name__)

_LEASE = 120.0
_HEARTBEAT = 30.0
_LONGEST_POLL = 3600.0
_SIDE_BY_SIDE = 8
_LONGEST_PAUSE = timedelta(hours=1)


class Outcome(StrEnum):
    """How a source's poll ended."""

    DONE = "done"
    FAILED = "failed"
    BUSY = "busy"
    NOT_DUE = "not_due"
    PARKED = "parked"


class Polled(Record, frozen=True, kw_only=True):
    """What a round brought from one source.

    Attributes:
        brought: counts; of a failed poll, what was committed before it failed.
        error: why it failed; None otherwise.
        news: False where the same failure was told after an earlier poll already.
        mended: the fault that was there before and is gone now, "" where there was none.
    """

    source: str
    outcome: Outcome
    brought: Ingested = Ingested()
    error: ReviewdeskError | None = None
    news: bool = False
    mended: str = ""


class Progress(Record, frozen=True, kw_only=True):
    """How far a running poll is: items so far, and how many the platform says there are (None: it does not say)."""

    source: str
    items: int
    total: int | None


async def poll_round(
    config: Config,
    store: Store,
    *,
    only: Sequence[str] = (),
    now: bool = False,
    tell: Callable[[Progress | Polled], None] = lambda event: None,
) -> list[Polled]:
    """Polls every enabled source that is due, and gives what became of each, in the configuration's order.

    Args:
        only: ids of the sources to poll; empty for all. A source that is named is asked though it is parked.
        now: ask also those whose time has not come.
        tell: is called with each step, from the event loop.

    Raises:
        ConfigError: `only` names a source that is not configured.
    """
    chosen = [config.source(id) for id in only] if only else [each for each in config.sources if each.enabled]
    gate = asyncio.Semaphore(_SIDE_BY_SIDE)
    owner = new_holder()

    async def one(source: SourceConfig) -> Polled:
        async with gate:
            polled = await _Poll(config, store, source, owner, tell).run(named=bool(only), now=now)
        tell(polled)
        return polled

    polled = list(await asyncio.gather(*(one(source) for source in chosen)))
    # What a killed process or an older assessor has left comes with no batch.
    assess_pending(config, store)
    return polled


class _Poll:
    """One source's turn in a round."""

    def __init__(
        self,
        config: Config,
        store: Store,
        source: SourceConfig,
        owner: str,
        tell: Callable[[Progress | Polled], None],
    ) -> None:
        self.config, self.store, self.source, self.owner, self.tell = config, store, source, owner, tell
        self.brought = Ingested()
        self.connector: Connector[Any] | None = None

    async def run(self, *, named: bool, now: bool) -> Polled:
        source, sources = self.source, self.store.sources
        if not sources.knows(source.id):
            sources.register(source.id, source.connector, source.title)
        if not named and sources.is_parked(source.id):
            return Polled(source=source.id, outcome=Outcome.PARKED)
        if not (named or now or sources.is_due(source.id)):
            return Polled(source=source.id, outcome=Outcome.NOT_DUE)
        if not sources.take(source.id, self.owner, seconds=_LEASE):
            return Polled(source=source.id, outcome=Outcome.BUSY)
        poll = sources.begin_poll(source.id)
        try:
            async with asyncio.timeout(_LONGEST_POLL):
                with blamed(self.source.connector):
                    await self._ask(poll)
        except LeaseLost:
            return Polled(source=source.id, outcome=Outcome.BUSY, brought=self.brought)
        except StoreError:
            raise
        except (ReviewdeskError, TimeoutError) as error:
            return self._failed(poll, error)
        except BaseException:
            with suppress(StoreError):
                sources.release(source.id, self.owner)
            raise
        mended = sources.finish_poll(
            source.id,
            self.owner,
            poll,
            next_at=self._next(),
            budget=self.connector.context.budget if self.connector else None,
        )
        return Polled(source=source.id, outcome=Outcome.DONE, mended=mended, brought=self.brought)

    async def _ask(self, poll: int) -> None:
        async with (
            connected(self.config, self.source, clock=self.store.clock, folder=data_folder(self.config)) as connector,
            self._heartbeat(),
        ):
            self.connector = connector
            title = self.source.title or connector.title or self.source.connector
            able = msgspec.to_builtins(connector.capabilities)
            self.store.sources.register(self.source.id, self.source.connector, title, able)
            cursor = self.store.sources.cursor(self.source.id)
            async for batch in connector.poll(cursor):
                self._commit(poll, batch, connector)

    def _commit(self, poll: int, batch: Batch, connector: Connector[Any]) -> None:
        done = self.store.sources.commit_batch(
            self.source.id,
            self.owner,
            poll,
            mentions=_with_reply_pages(batch.mentions, connector),
            set_aside=batch.set_aside,
            gone=batch.gone,
            cursor=batch.cursor,
            total=batch.total,
            lease_seconds=_LEASE,
        )
        self.brought += done
        # No more than came in: a new assessor's work on the whole store would outlast the leases.
        assess_pending(self.config, self.store, most=len(batch.mentions))
        self.tell(Progress(source=self.source.id, items=self.brought.items, total=batch.total))

    @asynccontextmanager
    async def _heartbeat(self) -> AsyncIterator[None]:
        """Keeps the lease while the platform is slow; a process that is dead keeps nothing."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(_HEARTBEAT)
                self.store.sources.take(self.source.id, self.owner, seconds=_LEASE)

        task = asyncio.create_task(beat(), name=f"lease of {self.source.id}")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _failed(self, poll: int, error: ReviewdeskError | TimeoutError) -> Polled:
        if isinstance(error, TimeoutError):
            error = Unreachable(f"The poll took longer than {_LONGEST_POLL / 60:.0f} minutes and was stopped.")
        error.sentence, error.hint = redact(error.sentence), redact(error.hint)
        news = self.store.sources.fail_poll(
            self.source.id,
            self.owner,
            poll,
            error,
            next_at=self._after(error),
            parked=isinstance(error, ConnectorError) and error.actor is Actor.USER,
            budget=self.connector.context.budget if self.connector else None,
        )
        return Polled(source=self.source.id, outcome=Outcome.FAILED, error=error, news=news, brought=self.brought)

    def _next(self) -> datetime:
        able = self.connector.capabilities if self.connector else Capabilities()
        seconds = max(self.source.poll_seconds or self.config.desk.poll_seconds, able.poll_seconds)
        return self.store.clock() + timedelta(seconds=seconds)

    def _after(self, error: ReviewdeskError) -> datetime:
        """Waits as the platform says; else longer with each failure, a little by chance, so that sources spread out."""
        now = self.store.clock()
        if isinstance(error, RateLimited) and error.until:
            return max(error.until, now)
        failures = min(self.store.sources.failures(self.source.id), 6)
        pause = min(timedelta(minutes=2**failures), _LONGEST_PAUSE)
        return now + pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreading load, not a secret


def _with_reply_pages(mentions: Sequence[Mention], connector: Connector[Any]) -> Sequence[Mention]:
    """Gives the mentions with the pages for replies by hand, which the window cannot ask a connector for."""
    if connector.capabilities.reply is ReplyMode.NONE:
        return mentions
    return [
        mention if mention.ours else msgspec.structs.replace(mention, reply_url=connector.reply_page(mention))
        for mention in mentions
    ]


async def import_file(config: Config, store: Store, source: SourceConfig, path: Path) -> Polled:
    """Takes a saved export or API answer in, through the source's connector; the source's cursor is left alone.

    Raises:
        NotAllowed: the connector reads no files.
        ConnectorError: the file is not one of this platform's.
    """
    brought = Ingested()
    async with connected(config, source, clock=store.clock) as connector:
        if not connector.capabilities.import_file:
            raise NotAllowed(f"The connector {source.connector!r} reads no files.")
        title = source.title or connector.title or source.connector
        store.sources.register(source.id, source.connector, title, msgspec.to_builtins(connector.capabilities))
        with blamed(source.connector):
            async for batch in connector.import_file(path):
                brought += store.mentions.ingest(
                    source.id, _with_reply_pages(batch.mentions, connector), set_aside=batch.set_aside, gone=batch.gone
                )
    assess_pending(config, store)
    return Polled(source=source.id, outcome=Outcome.DONE, brought=brought)
