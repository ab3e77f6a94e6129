from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
import stamina

from reviewdesk.connector import Batch, Context, Cursor, Mention, Secret
from reviewdesk.sandbox import CustomerText, Running, serve
from reviewdesk_connectors.facebook.connector import Facebook
from reviewdesk_connectors.facebook.sandbox import FacebookEmulator

TOKEN = "EAABsecretOfTheTests"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


class World:
    """An emulated Page, a connector for it, and the store's part: the cursor and what was handed over."""

    def __init__(self, emulator: FacebookEmulator, running: Running, clock: Clock) -> None:
        self.emulator, self.base, self.clock = emulator, running.base, clock
        self.cursor: Cursor | None = None
        self.mentions: dict[str, Mention] = {}
        self.gone: list[str] = []
        self.contexts: list[Context[Any]] = []

    def connector(self, **settings: Any) -> Facebook:
        table = {**self.emulator.source(self.base), **settings}
        del table["connector"]
        checked = Facebook.settings(**{**table, "token": Secret(table["token"])})
        context = Context("fb", checked, clock=self.clock, private_network=True)
        self.contexts.append(context)
        return Facebook(context)

    def commit(self, batch: Batch) -> None:
        # As the store gives them back: without the payload.
        self.mentions.update((each.id, msgspec.structs.replace(each, raw=None)) for each in batch.mentions)
        self.gone += batch.gone
        if batch.cursor is not None:
            # Through JSON, as the store keeps it.
            self.cursor = msgspec.json.decode(msgspec.json.encode(batch.cursor))

    async def poll(self, connector: Facebook | None = None, **settings: Any) -> list[Mention]:
        fresh: list[Mention] = []
        async for batch in (connector or self.connector(**settings)).poll(self.cursor):
            self.commit(batch)
            fresh += batch.mentions
        return fresh

    def write(self, text: str, author: str = "Jana Nováková") -> str:
        return self.emulator.write(CustomerText(author=author, text=text, language="cs"))

    def full_id(self, bare: str) -> str:
        return next(key for key in self.emulator.shop.comments if key.endswith(f"_{bare}"))

    @property
    def customers(self) -> dict[str, str]:
        return {mention.id: mention.text for mention in self.mentions.values() if not mention.ours}


@pytest.fixture(autouse=True)
def no_waiting_between_tries() -> Iterator[None]:
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    clock = Clock()
    emulator = FacebookEmulator(clock=clock)
    for name, value in emulator.secrets().items():
        monkeypatch.setenv(name, value)
    with serve(emulator) as running:
        world = World(emulator, running, clock)
        yield world
        for context in world.contexts:
            await context.close()


Scripted = Callable[..., Facebook]


@pytest.fixture
async def scripted(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scripted]:
    """Gives a connector whose platform is one function from request to response."""
    monkeypatch.setenv("FB_TEST_TOKEN", TOKEN)
    contexts: list[Context[Any]] = []

    def make(answer: Callable[[httpx.Request], httpx.Response], **settings: Any) -> Facebook:
        table = {"page_id": "1015550001", "token": Secret("env:FB_TEST_TOKEN"), **settings}
        context = Context("fb", Facebook.settings(**table), clock=Clock(), transport=httpx.MockTransport(answer))
        contexts.append(context)
        return Facebook(context)

    yield make
    for context in contexts:
        await context.close()
