"""What a rule's check has in its hands: the connector, its emulated platform, a clock, a store, and all that is logged.

The connector runs as it does in the desk: its settings come from the emulator's `[[source]]` table, its batches go
through the real store. Nobody sleeps: the bench's clock is moved instead.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import msgspec

from reviewdesk.config import SourceConfig, check_settings
from reviewdesk.connector import Batch, Connector, Context, Cursor
from reviewdesk.errors import ConnectorError, ReviewdeskError
from reviewdesk.model import Mention, Record, SetAside
from reviewdesk.sandbox import CustomerText, Emulator, Fault, FaultKind
from reviewdesk.store.db import Store
from reviewdesk.store.records import Stored
from reviewdesk.testing.wire import Asked, Wire, wire

SOURCE = "bench"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONGEST = 20.0
"""Seconds of real time that a poll, and whatever else a rule asks of an open connector, may take."""
MOST_REQUESTS = 400
"""Requests after which a poll of a few items counts as endless."""
_OWNER = "bench"
_ROUNDS = (timedelta(), timedelta(hours=1), timedelta(hours=25))
_DESKS_OWN = frozenset(("title", "enabled", "language", "timezone", "poll_seconds", "response_hours"))


class Broken(AssertionError):
    """The rule is broken; the sentence says what was seen."""


class Idle(Exception):
    """The rule does not apply to this connector; the sentence says why."""


class Clock:
    """Gives the time of the bench, aware and in UTC; it moves only when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Gives the time."""
        return self.now

    def forward(self, by: timedelta) -> None:
        """Lets time pass."""
        self.now += by


class Polled(Record, frozen=True, kw_only=True):
    """What a poll brought; `error` is what ended it, None where it came to its end."""

    batches: Sequence[Batch] = ()
    error: ConnectorError | None = None

    @property
    def mentions(self) -> list[Mention]:
        """All mentions, in the order they came."""
        return [mention for batch in self.batches for mention in batch.mentions]

    @property
    def set_aside(self) -> list[SetAside]:
        """All that was set aside."""
        return [each for batch in self.batches for each in batch.set_aside]

    @property
    def gone(self) -> set[str]:
        """The ids that were told as gone."""
        return {id for batch in self.batches for id in batch.gone}


class Log(logging.Handler):
    """Keeps each line that is logged, as it is before the desk's own redaction."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one record."""
        self.lines.append(self.format(record))


class Bench:
    """One rule's try; `opened` makes it.

    Args:
        type: the connector.
        platform: makes the emulated platform for a clock.
        folder: an empty one, for the database and the source's own files.
        items: how many "100,000 items" are.

    Attributes:
        clock: moves when a text is written and when the connector sleeps.
        skew: how far the platform's clock is ahead of ours.
        asked: the requests since the last poll began.
        written: the texts that customers have written, by the id that the emulator gave.
        remark: what a check has measured, shown where the rule is kept.
    """

    def __init__(
        self,
        type: type[Connector[Any]],
        platform: Callable[..., Emulator],
        folder: Path,
        wire: Wire,
        base: str,
        *,
        items: int,
    ) -> None:
        self.type = type
        self.wire = wire
        self.base = base
        self.items = items
        self.clock = Clock()
        self.log = Log()
        self.remark = ""
        self._platform = platform
        self._root = folder
        self._worlds = 0
        self.renew()

    def renew(self, *, page_size: int | None = None) -> None:
        """Begins anew: an empty platform, an empty store, everything well.

        Args:
            page_size: the most items on a page of the platform; None leaves it to the emulator.
        """
        self.close()
        self._worlds += 1
        self.folder = self._root / str(self._worlds)
        self.folder.mkdir()
        self.skew = timedelta()
        self.emulator = self._platform(clock=lambda: self.clock() + self.skew)
        self.emulator.page_size = page_size
        self.written: dict[str, CustomerText] = {}
        self.seen: set[str] = set()
        self.asked: list[Asked] = []
        self.wire.play(self.emulator, self.asked.append)

    def close(self) -> None:
        """Closes the store, where it was opened."""
        if "store" in vars(self):
            self.store.close()
            del self.store

    @cached_property
    def store(self) -> Store:
        """A fresh store with the source in it."""
        store = Store(self.folder / "desk.db", clock=self.clock)
        store.sources.register(SOURCE, self.type.platform, self.type.title)
        return store

    def expect(self, condition: object, sentence: str) -> None:
        """Goes on where the condition holds.

        Raises:
            Broken: it does not; with the sentence.
        """
        if not condition:
            raise Broken(sentence)

    # -- the platform --------------------------------------------------------------------------------------------------

    def write(self, text: str, *, author: str = "Jana Testová", rating: float | None = None, after: float = 61) -> str:
        """Lets a customer write, `after` seconds after the last one; gives the id on the platform."""
        self.clock.forward(timedelta(seconds=after))
        words = CustomerText(author=author, text=text, language="cs", rating=rating)
        id = self.emulator.write(words)
        self.written[id] = words
        return id

    def write_some(self, count: int, what: str = "text", *, after: float = 61) -> list[str]:
        """Lets customers write texts that tell each other apart; gives their ids."""
        return [self.write(f"The {what} number {number} of the bench.", after=after) for number in range(1, count + 1)]

    def fault(self, kind: FaultKind, **more: Any) -> None:
        """Lets every request fail from now on, unless `times` or `after` say otherwise."""
        self.emulator.faults.append(Fault(kind=kind, **{"times": -1, **more}))

    async def learn(self) -> str:
        """Polls the empty platform once, and gives what the requests that read there have in common: a fault's `match`.

        A POST for a token comes before many a list; where there are GETs, they are what reads.
        """
        await self.polled()
        return "GET " if any(asked.reads for asked in self.asked) else ""

    def mend(self) -> None:
        """Lets everything be well again on the wire."""
        self.emulator.faults.clear()
        self.wire.changes = []

    # -- the connector -------------------------------------------------------------------------------------------------

    def settings(self) -> Any:
        """Gives the checked settings, as the desk makes them of the emulator's table."""
        table = {name: value for name, value in self.emulator.source(self.base).items() if name != "connector"}
        own = {name: table.pop(name) for name in _DESKS_OWN & set(table)}
        if "timezone" in own:
            own["timezone"] = ZoneInfo(own["timezone"])
        source = SourceConfig(id=SOURCE, connector=self.type.platform, settings=table, **own)
        return check_settings(source, self.type.settings)

    @asynccontextmanager
    async def connected(self, *, measured: bool = True) -> AsyncIterator[Connector[Any]]:
        """Opens the connector, and closes all that it opened.

        Args:
            measured: whether what is done with it may take `LONGEST` at the most.

        Raises:
            Broken: it took longer.
        """
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        context = Context(SOURCE, self.settings(), clock=self.clock, data=data, private_network=True)
        connector = self.type(context)
        patience = asyncio.timeout(LONGEST if measured else None)
        try:
            async with patience:
                try:
                    yield connector
                finally:
                    await connector.close()
                    await context.close()
        except TimeoutError:
            if patience.expired():
                raise Broken(f"It had not ended after {LONGEST:g} seconds.") from None
            raise

    async def poll(self, *, batches: int | None = None) -> Polled:
        """Polls from the stored cursor with a fresh connector and commits each batch.

        Args:
            batches: stops after this many, as a killed process does; None polls to the end.

        Raises:
            Broken: it raised what is no error of the SDK, gave what is no batch, took too long, or went round.
        """
        lease = self.store.sources
        lease.take(SOURCE, _OWNER, seconds=3600)
        number = lease.begin_poll(SOURCE)
        got: list[Batch] = []
        error = None
        self.asked.clear()
        try:
            async with (
                self.connected() as connector,
                aclosing(_steps(connector.poll(lease.cursor(SOURCE)))) as steps,
            ):
                async for batch in steps:
                    self._commit(number, batch)
                    got.append(batch)
                    if batches is not None and len(got) >= batches:
                        break
                    self.expect(
                        len(self.asked) <= MOST_REQUESTS, f"A poll made {len(self.asked)} requests and went on."
                    )
        except ConnectorError as raised:
            error = raised
        return Polled(batches=got, error=error)

    def _commit(self, number: int, batch: Batch) -> None:
        self.expect(isinstance(batch, Batch), f"`poll` gave {type(batch).__name__} in the place of a Batch.")
        try:
            # As it comes back from the store: read by a type, so that a number in the place of a text is seen.
            msgspec.convert(msgspec.to_builtins([msgspec.structs.replace(each, raw=None) for each in batch.mentions]),
                            list[Mention])  # fmt: skip
        except msgspec.ValidationError as error:
            raise Broken(f"A mention holds what its type does not allow: {error}.") from None
        naive = [each.id for each in batch.mentions for time in (each.created_at, each.edited_at)
                 if time is not None and time.tzinfo is None]  # fmt: skip
        self.expect(not naive, f"The mention {naive[:1]} has a time without a zone.")
        self.store.sources.commit_batch(
            SOURCE, _OWNER, number, mentions=batch.mentions, set_aside=batch.set_aside, gone=batch.gone,
            cursor=batch.cursor, total=batch.total, lease_seconds=3600,
        )  # fmt: skip
        self.seen.update(mention.id for mention in batch.mentions)

    async def polled(self) -> Polled:
        """Polls, and expects that it comes to its end without an error."""
        result = await self.poll()
        self.expect(result.error is None, f"A poll failed with {words_of(result.error)}")
        return result

    async def settle(self, done: Callable[[], object]) -> None:
        """Polls now, an hour later and a day later, until `done`; a platform's slow rounds belong to it."""
        for pause in _ROUNDS:
            self.clock.forward(pause)
            await self.polled()
            if done():
                return

    async def everything_arrives(self, *, but: Collection[str] = (), why: str) -> None:
        """Expects that within a day each text written is in the store, once.

        Args:
            but: ids of texts that need not be there.
            why: what happened before, as the beginning of a sentence: "After a cut answer".
        """
        wanted = [words.text for id, words in self.written.items() if id not in but]
        await self.settle(lambda: not self.missing(wanted))
        missing = self.missing(wanted)
        self.expect(
            not missing, f"{why} {len(missing)} of {len(wanted)} texts never arrived, the first is {missing[:1]}."
        )
        texts = [each.mention.text for each in self.stored()]
        twice = [text for text in wanted if sum(text in each for each in texts) > 1]
        self.expect(
            not twice, f"{why} {len(twice)} texts are there twice under different ids, the first is {twice[:1]}."
        )

    def stored(self) -> list[Stored]:
        """Gives the customers' mentions in the store."""
        return [each for each in self._all() if not each.mention.ours]

    def ours(self) -> list[Stored]:
        """Gives the shop's own texts in the store."""
        return [each for each in self._all() if each.mention.ours]

    def _all(self) -> list[Stored]:
        found = (self.store.mentions.find(SOURCE, id) for id in sorted(self.seen))
        return [each for each in found if each is not None]

    def by_text(self, text: str) -> Stored | None:
        """Gives the customer's mention with this text in it, None without one."""
        return next((each for each in self.stored() if text in each.mention.text), None)

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Gives those of the texts that are in no mention of the store."""
        there = [each.mention.text for each in self.stored()]
        return [text for text in texts if not any(text in each for each in there)]

    def cursor(self) -> Cursor | None:
        """Gives the stored cursor."""
        return self.store.sources.cursor(SOURCE)

    async def fails(self, *kinds: type[ConnectorError], when: str) -> ConnectorError:
        """Polls, and expects that it fails with an error of one of the kinds.

        Raises:
            Broken: it came to its end, or failed with another one.
        """
        result = await self.poll()
        names = " or ".join(kind.__name__ for kind in kinds)
        self.expect(result.error is not None, f"{when} the poll came to its end as if all were well.")
        self.expect(isinstance(result.error, kinds), f"{when} it raised {words_of(result.error)} It should be {names}.")
        self.expect(not result.gone, f"{when} it told texts as gone: {sorted(result.gone)[:3]}.")
        if result.error is None:
            raise Broken(when)
        return result.error


def words_of(error: BaseException | None) -> str:
    """Gives the kind of an error and its words, as a sentence."""
    said = str(error) or "no words"
    return f"{type(error).__name__}: {said}" + ("" if said.endswith(".") else ".")


async def _steps(steps: AsyncIterator[Batch]) -> AsyncGenerator[Batch]:
    """Gives what `poll` gives, and closes it in the end, whatever kind of iterator it is."""
    try:
        async for batch in steps:
            yield batch
    except (ReviewdeskError, Broken):
        raise
    except Exception as error:
        raise Broken(f"`poll` raised {words_of(error)} Errors are of the SDK's kinds.") from error
    finally:
        close = getattr(steps, "aclose", None)
        if close is not None:
            await close()


@contextmanager
def opened(type: type[Connector[Any]], platform: Callable[..., Emulator], *, items: int = 100_000) -> Iterator[Bench]:
    """Gives a fresh bench while the block runs: secrets in the environment, sleeping stopped, everything logged."""
    line, running = wire()
    with tempfile.TemporaryDirectory(prefix="reviewdesk-bench-") as folder:
        bench = Bench(type, platform, Path(folder), line, running.base, items=items)
        try:
            with mock.patch.dict(os.environ, bench.emulator.secrets()), _sleepless(bench.clock), _heard(bench.log):
                yield bench
        finally:
            bench.close()


@contextmanager
def _sleepless(clock: Clock) -> Iterator[None]:
    """Lets `asyncio.sleep` in this thread move the clock instead of waiting; servers in other threads still wait."""
    waits, here = asyncio.sleep, threading.get_ident()

    async def sleep(delay: float, result: Any = None) -> Any:
        if threading.get_ident() != here:
            return await waits(delay, result)
        clock.forward(timedelta(seconds=max(0.0, delay)))
        return await waits(0, result)

    with mock.patch.object(asyncio, "sleep", sleep):
        yield


@contextmanager
def _heard(log: Log) -> Iterator[None]:
    """Hands all that is logged to `log`, and to nobody else: what a rule provokes would only frighten people."""
    root = logging.getLogger()
    level = root.level
    with mock.patch.object(root, "handlers", [log]):
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.setLevel(level)
