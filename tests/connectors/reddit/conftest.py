from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from reviewdesk.connector import Batch, Context, Cursor, Mention, Secret
from reviewdesk.sandbox import Running, serve
from reviewdesk_connectors.reddit import session
from reviewdesk_connectors.reddit.connector import Reddit, RedditSettings
from reviewdesk_connectors.reddit.sandbox import RedditEmulator


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **amount: float) -> None:
        self.now += timedelta(**amount)


def read_settings(table: dict[str, Any]) -> RedditSettings:
    table = {key: value for key, value in table.items() if key != "connector"}
    return msgspec.convert(table, RedditSettings, dec_hook=lambda _, value: Secret(value))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def emulator(clock: Clock) -> RedditEmulator:
    return RedditEmulator(clock=clock)


@pytest.fixture
def running(emulator: RedditEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for name, value in emulator.secrets().items():
        monkeypatch.setenv(name, value)
    with serve(emulator) as served:
        yield served


Make = Callable[..., Reddit]


@pytest.fixture
async def make(running: Running, emulator: RedditEmulator, clock: Clock) -> AsyncIterator[Make]:
    """Makes connectors to the emulator; keys set to None are left out of the source's table."""
    made: list[Reddit] = []

    def build(**changes: Any) -> Reddit:
        table = {key: value for key, value in (emulator.source(running.base) | changes).items() if value is not None}
        made.append(Reddit(Context("reddit-cz", read_settings(table), clock=clock, private_network=True)))
        return made[-1]

    yield build
    for connector in made:
        await connector.close()


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of praw may ever sleep in its thread, and no test waits for a second try."""
    slept: list[float] = []
    for module in ("prawcore.sessions", "prawcore.rate_limit", "praw.reddit"):
        monkeypatch.setattr(f"{module}.time", Frozen(slept.append))
    monkeypatch.setattr(session, "READ_AGAIN_AFTER", (0.0, 0.0))
    yield
    assert not slept, "praw slept in its thread"


class Frozen:
    """The time module, with a sleep of its own."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class Store:
    """What a desk keeps of a source: each batch goes in whole, with its cursor where it has one."""

    def __init__(self) -> None:
        self.mentions: dict[str, Mention] = {}
        self.gone: set[str] = set()
        self.cursor: Cursor | None = None
        self.batches: list[Batch] = []

    def take(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.mentions |= {mention.id: mention for mention in batch.mentions}
        self.gone |= set(batch.gone)
        if batch.cursor is not None:
            # As the store would: through JSON.
            self.cursor = msgspec.json.decode(msgspec.json.encode(batch.cursor))

    async def poll(self, connector: Reddit) -> list[Batch]:
        self.batches = []
        async for batch in connector.poll(self.cursor):
            self.take(batch)
        return self.batches

    @property
    def texts(self) -> set[str]:
        return {mention.text for mention in self.mentions.values()}


@pytest.fixture
def store() -> Store:
    return Store()
