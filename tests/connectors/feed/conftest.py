"""Feeds made of a table, against a document or a small server in memory."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from reviewdesk.connector import Batch, Context, Mention
from reviewdesk_connectors.feed.connector import Feed
from reviewdesk_connectors.feed.settings import FeedSettings

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **much: float) -> None:
        self.now += timedelta(**much)


def settings_of(table: dict[str, Any]) -> FeedSettings:
    """Gives checked settings as the desk makes them of a `[[source]]` table."""
    table = {name: value for name, value in table.items() if name not in ("id", "connector")}
    return msgspec.convert(table, FeedSettings, dec_hook=lambda wanted, value: wanted(value))


class Polled:
    """What one poll gave."""

    def __init__(self, batches: list[Batch]) -> None:
        self.batches = batches
        self.mentions: list[Mention] = [mention for batch in batches for mention in batch.mentions]
        self.set_aside = [each for batch in batches for each in batch.set_aside]
        self.gone = [each for batch in batches for each in batch.gone]
        self.cursor = next((batch.cursor for batch in reversed(batches) if batch.cursor is not None), None)

    @property
    def ids(self) -> list[str]:
        return [mention.id for mention in self.mentions]


async def polled(feed: Feed, cursor: dict[str, Any] | None = None) -> Polled:
    """Polls once, to the end; the cursor goes through JSON as in the store."""
    if cursor is not None:
        cursor = msgspec.json.decode(msgspec.json.encode(cursor))
    return Polled([batch async for batch in feed.poll(cursor)])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def as_settings():
    """Gives what makes settings of a table."""
    return settings_of


@pytest.fixture
def poll():
    """Gives what polls a feed once: `await poll(feed, cursor)`."""
    return polled


@pytest.fixture(autouse=True)
def _quick_retries(no_waiting):
    """Nothing here waits before it tries again."""


@pytest.fixture
async def feed(clock):
    """Gives a maker of feeds: `feed(table, handler)`; the handler answers in the place of the network."""
    contexts = []

    def make(table: dict[str, Any], handler: Handler | None = None) -> Feed:
        transport = httpx.MockTransport(handler) if handler else None
        context = Context("portal", settings_of(table), clock=clock, transport=transport, private_network=True)
        contexts.append(context)
        return Feed(context)

    yield make
    for context in contexts:
        await context.close()


@pytest.fixture
def from_bytes(feed, tmp_path):
    """Gives a reader of one document: `await from_bytes(table, body, headers)` polls it once over HTTP."""

    async def read(table: dict[str, Any], body: bytes, headers: dict[str, str] | None = None) -> Polled:
        answer = httpx.Response(200, content=body, headers=headers or {})
        return await polled(feed({"url": "https://portal.example/export", **table}, lambda _: answer))

    return read
