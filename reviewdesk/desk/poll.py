"""One round of asking sources for what is new: side by side, each under a lease, none in the way of another."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from reviewdesk.config import Config, SourceConfig
from reviewdesk.connector import Batch, Capabilities, Connector, Exchange
from reviewdesk.desk.abreast import abreast
from reviewdesk.desk.allowance import Allowance
from reviewdesk.desk.apart import Task, apart
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.desk.border import Admitted, Breach, admit, checked_budget
from reviewdesk.desk.connecting import LONGEST_CLOSE, blamed, connected, data_folder, introduce, with_reply_pages
from reviewdesk.desk.delivery import LONGEST_QUIET
from reviewdesk.desk.learning import refresh
from reviewdesk.desk.steps import Outcome, Polled, Progress, Requested, Step, Taken, Word
from reviewdesk.errors import (
    Actor,
    ConfigError,
    ConnectorError,
    PluginError,
    RateLimited,
    ReviewdeskError,
    StoreError,
    Unreachable,
)
from reviewdesk.model import Budget, JsonObject
from reviewdesk.plugins import foreign_among
from reviewdesk.secrets import redact
from reviewdesk.store.db import Store
from reviewdesk.store.holders import new_holder
from reviewdesk.store.records import Ingested, Item
from reviewdesk.store.sources import LeaseLost

__all__ = ["Outcome", "Polled", "Progress", "Step", "next_after", "poll_here", "poll_round"]

log = logging.getLogger(__name__)

_LEASE = 120.0
_HEARTBEAT = 30.0
_LONGEST_PAUSE = timedelta(hours=1)
_LONGEST_PAUSE_OF_BROKEN = timedelta(hours=6)
_GRACE = 30.0
"""Seconds that a child has for ending by itself, beyond the longest poll."""


async def poll_round(
    config: Config,
    store: Store,
    *,
    only: Sequence[str] = (),
    now: bool = False,
    trace: bool = False,
    tell: Callable[[Step], None] = lambda event: None,
) -> list[Polled]:
    """Polls every enabled source that is due, and gives what became of each, in the configuration's order.

    A third party's connector is polled in a process of its own; what it does to that process harms no other source.

    Args:
        only: ids of the sources to poll; empty for all. A source that is named is asked though it is parked.
        now: ask also those whose time has not come.
        trace: tell each request and what became of each item.
        tell: is called with each step, from the event loop.

    Raises:
        ConfigError: `only` names a source that is not configured.
    """
    chosen = [config.source(id) for id in only] if only else [each for each in config.sources if each.enabled]
    standing = {source.id: _standing(store, source, named=bool(only), now=now) for source in chosen}
    foreign = foreign_among([source for source in chosen if standing[source.id] is None])

    async def one(source: SourceConfig) -> Polled:
        polled = standing[source.id]
        if polled is None:
            poll = _poll_apart if source.id in foreign else poll_here
            polled = await poll(config, store, source, tell=tell, trace=trace)
        tell(polled)
        return polled

    polled = await abreast(chosen, one)
    # What a killed process or an older assessor has left comes with no batch.
    refresh(config, store)
    assess_pending(config, store)
    return polled


def _standing(store: Store, source: SourceConfig, *, named: bool, now: bool) -> Polled | None:
    """Gives why a source is not asked; None where it is."""
    sources = store.sources
    if not sources.knows(source.id):
        sources.register(source.id, source.connector, source.title)
    if sources.is_disabled(source.id):
        return Polled(source=source.id, outcome=Outcome.DISABLED)
    if not named and sources.is_parked(source.id):
        return Polled(source=source.id, outcome=Outcome.PARKED)
    if not (named or now or sources.is_due(source.id)):
        return Polled(source=source.id, outcome=Outcome.NOT_DUE)
    return None


async def poll_here(
    config: Config,
    store: Store,
    source: SourceConfig,
    *,
    tell: Callable[[Step], None],
    doing: Callable[[str], None] = lambda what: None,
    trace: bool = False,
) -> Polled:
    """Polls one source in this process, whether it is due or not; arguments as in `poll_round`.

    Args:
        doing: is called with what the connector's code is at, "" while the desk's own code works.
    """
    return await _Poll(config, store, source, tell, doing, trace).run()


async def _poll_apart(
    config: Config, store: Store, source: SourceConfig, *, tell: Callable[[Step], None], trace: bool
) -> Polled:
    ended: list[Polled] = []

    def heard(word: Word) -> None:
        step = word.step
        if isinstance(step, Polled):
            ended.append(step)
        else:
            tell(step)

    task = Task.of(config, source, "poll", trace=trace)
    longest = _allowance(config, source, None).longest + _GRACE
    try:
        await apart(task, Word, heard, connector=source.connector, longest=longest)
        return ended[0]
    except ReviewdeskError as error:
        return _broken_off(store, source, error)


def _broken_off(store: Store, source: SourceConfig, error: ReviewdeskError) -> Polled:
    """Notes that a child was ended, has ended itself or could not begin; what it had committed stays."""
    sources, owner = store.sources, new_holder()
    if not sources.take(source.id, owner, seconds=_LEASE):
        return Polled(source=source.id, outcome=Outcome.BUSY)
    poll, brought = sources.unfinished(source.id) or (None, Ingested())
    next_at = next_after(store, source, error)
    news = sources.fail_poll(source.id, owner, poll, error, next_at=next_at, parked=False)
    return Polled(source=source.id, outcome=Outcome.FAILED, error=error, news=news, brought=brought)


def _allowance(config: Config, source: SourceConfig, cursor: JsonObject | None) -> Allowance:
    return Allowance(
        seconds=source.poll_budget_seconds or config.desk.poll_budget_seconds,
        mentions=source.poll_budget_mentions or config.desk.poll_budget_mentions,
        cursor=cursor,
    )


def next_after(store: Store, source: SourceConfig, error: ReviewdeskError) -> datetime:
    """Gives when to ask a source again that has failed.

    That is when the platform says; else later with each failure in a row, a little by chance, so that sources spread
    out. A connector that is itself at fault is not mended by time, and is asked ever more seldom.
    """
    now = store.clock()
    if isinstance(error, RateLimited) and error.until:
        return min(max(error.until, now), now + LONGEST_QUIET)
    longest = _LONGEST_PAUSE_OF_BROKEN if isinstance(error, PluginError) else _LONGEST_PAUSE
    pause = min(timedelta(minutes=2 ** min(store.sources.failures(source.id), 10)), longest)
    return now + pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreading load, not a secret


class _Poll:
    """One source's turn in a round."""

    def __init__(
        self,
        config: Config,
        store: Store,
        source: SourceConfig,
        tell: Callable[[Step], None],
        doing: Callable[[str], None],
        trace: bool,
    ) -> None:
        self.config, self.store, self.source, self.tell = config, store, source, tell
        self.doing, self.trace = doing, trace
        self.owner = new_holder()
        self.brought = Ingested()
        self.more = False
        self.connector: Connector[Any] | None = None

    async def run(self) -> Polled:
        source, sources = self.source, self.store.sources
        if not sources.take(source.id, self.owner, seconds=_LEASE):
            return Polled(source=source.id, outcome=Outcome.BUSY)
        poll = sources.begin_poll(source.id)
        allowance = _allowance(self.config, source, sources.cursor(source.id))
        try:
            async with asyncio.timeout(allowance.longest):
                with blamed(self.source.connector):
                    await self._ask(poll, allowance)
        except LeaseLost:
            return Polled(source=source.id, outcome=Outcome.BUSY, brought=self.brought)
        except StoreError:
            raise
        except (ReviewdeskError, TimeoutError) as error:
            return self._failed(poll, error, allowance)
        except BaseException:
            with suppress(StoreError):
                sources.release(source.id, self.owner)
            raise
        mended = sources.finish_poll(source.id, self.owner, poll, next_at=self._next(), budget=self._budget())
        return Polled(source=source.id, outcome=Outcome.DONE, mended=mended, brought=self.brought, more=self.more)

    async def _ask(self, poll: int, allowance: Allowance) -> None:
        async with (
            connected(
                self.config,
                self.source,
                clock=self.store.clock,
                folder=data_folder(self.config),
                observer=self._requested if self.trace else None,
                doing=self.doing,
            ) as connector,
            self._heartbeat(),
        ):
            self.connector = connector
            introduce(self.store, self.source, connector)
            started = asyncio.get_running_loop().time()
            polling = aiter(connector.poll(self.store.sources.cursor(self.source.id)))
            try:
                while (batch := await self._batch(polling, allowance)) is not None:
                    admitted = self._commit(poll, batch, connector)
                    items = len(admitted.mentions) + len(admitted.set_aside) + len(admitted.gone)
                    elapsed = asyncio.get_running_loop().time() - started
                    # A generator that never waits would let nobody else have a turn, the clock of its budget included.
                    await asyncio.sleep(0)
                    if allowance.used_up(admitted.cursor, items, self.brought, elapsed):
                        self.more = True
                        break
            finally:
                await self._closed(polling)

    async def _batch(self, polling: AsyncIterator[Batch], allowance: Allowance) -> Batch | None:
        self.doing("it polls")
        patience = asyncio.timeout(allowance.seconds)
        try:
            async with patience:
                return await anext(polling, None)
        except TimeoutError:
            if not patience.expired():
                raise
            raise Breach(f"it gave nothing for {allowance.seconds:g} s; the poll was stopped") from None
        finally:
            self.doing("")

    async def _closed(self, polling: AsyncIterator[Batch]) -> None:
        """Ends a poll that was left early; one that is at its end already notices nothing."""
        self.doing("its poll is ended")
        close = getattr(polling, "aclose", None)
        if close is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_CLOSE):
                    await close()
        self.doing("")

    def _commit(self, poll: int, batch: Batch, connector: Connector[Any]) -> Admitted:
        admitted = admit(batch)
        if admitted.is_empty:
            return admitted
        mentions = with_reply_pages(admitted.mentions, connector)
        # What goes wrong here is the store's trouble and no connector's.
        with self.store.told():
            self.brought += self.store.sources.commit_batch(
                self.source.id,
                self.owner,
                poll,
                mentions=mentions,
                set_aside=admitted.set_aside,
                gone=admitted.gone,
                cursor=admitted.cursor,
                total=admitted.total,
                lease_seconds=_LEASE,
                told=self._taken if self.trace else None,
            )
            # No more than came in: a new assessor's work on the whole store would outlast the leases.
            assess_pending(self.config, self.store, most=len(admitted.mentions))
        self.tell(Progress(source=self.source.id, items=self.brought.items, total=admitted.total))
        if admitted.fault:
            raise Breach(admitted.fault)
        return admitted

    def _requested(self, exchange: Exchange) -> None:
        self.tell(Requested(source=self.source.id, exchange=exchange, budget=self._budget()))

    def _taken(self, item: Item) -> None:
        self.tell(Taken(source=self.source.id, item=item))

    def _budget(self) -> Budget | None:
        return checked_budget(self.connector.context.budget) if self.connector else None

    @asynccontextmanager
    async def _heartbeat(self) -> AsyncIterator[None]:
        """Keeps the lease while the platform is slow; a process that is dead keeps nothing."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(_HEARTBEAT)
                try:
                    self.store.sources.take(self.source.id, self.owner, seconds=_LEASE)
                except StoreError as error:
                    # Whoever has taken the source over meanwhile is found out where the next batch is written.
                    log.warning("%s: its lease could not be renewed: %s", self.source.id, error)

        task = asyncio.create_task(beat(), name=f"lease of {self.source.id}")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _failed(self, poll: int, error: ReviewdeskError | TimeoutError, allowance: Allowance) -> Polled:
        if isinstance(error, TimeoutError):
            minutes = allowance.longest / 60
            error = Unreachable(f"The poll took longer than {minutes:.3g} minutes and was stopped.")
        error.sentence, error.hint = redact(error.sentence), redact(error.hint)
        if isinstance(error, ConfigError):
            error.problems = tuple(map(redact, error.problems))
        news = self.store.sources.fail_poll(
            self.source.id,
            self.owner,
            poll,
            error,
            next_at=next_after(self.store, self.source, error),
            parked=isinstance(error, ConnectorError) and error.actor is Actor.USER,
            budget=self._budget(),
        )
        return Polled(source=self.source.id, outcome=Outcome.FAILED, error=error, news=news, brought=self.brought)

    def _next(self) -> datetime:
        if self.more:
            return self.store.clock()
        able = self.connector.capabilities if self.connector else Capabilities()
        seconds = max(self.source.poll_seconds or self.config.desk.poll_seconds, able.poll_seconds)
        return self.store.clock() + timedelta(seconds=seconds)
