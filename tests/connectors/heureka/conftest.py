from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reviewdesk.connector import Batch, Context, Cursor, Mention, Secret, SetAside
from reviewdesk.sandbox import serve
from reviewdesk_connectors.heureka.connector import Heureka, HeurekaSettings
from reviewdesk_connectors.heureka.sandbox import HeurekaEmulator


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class Desk:
    """A source as the desk runs it: keeps the cursor of each batch, the mentions by id, and what is gone."""

    def __init__(self, emulator: HeurekaEmulator, base: str, data: Path | None, clock: Clock) -> None:
        self.emulator = emulator
        self.base = base
        self.data = data
        self.clock = clock
        self.cursor: Cursor | None = None
        self.mentions: dict[str, Mention] = {}
        self.gone: list[str] = []
        self.set_aside: list[SetAside] = []
        self.batches: list[Batch] = []
        self.contexts: list[Context[HeurekaSettings]] = []

    def connector(self, **overrides: Any) -> Heureka:
        table = {**self.emulator.source(self.base), **overrides}
        del table["connector"]
        table = {name: value for name, value in table.items() if name != "key"}
        key = Secret(overrides.get("key", self.emulator.source(self.base)["key"]), "source 'heureka', key 'key'")
        settings = msgspec.convert({**table, "key": key}, HeurekaSettings)
        self.contexts.append(Context("heureka", settings, clock=self.clock, data=self.data, private_network=True))
        return Heureka(self.contexts[-1])

    async def close(self) -> None:
        for context in self.contexts:
            await context.close()

    async def poll(self, **overrides: Any) -> list[Mention]:
        connector = self.connector(**overrides)
        self.batches = []
        async for batch in connector.poll(self.cursor):
            self.batches.append(batch)
            self.mentions.update((mention.id, mention) for mention in batch.mentions)
            self.gone.extend(batch.gone)
            self.set_aside.extend(batch.set_aside)
            self.cursor = batch.cursor if batch.cursor is not None else self.cursor
        return [mention for batch in self.batches for mention in batch.mentions]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def desk(clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    emulator = HeurekaEmulator(clock=clock)
    for name, value in emulator.secrets().items():
        monkeypatch.setenv(name, value)
    with serve(emulator) as running:
        desk = Desk(emulator, running.base, tmp_path / "heureka", clock)
        yield desk
        await desk.close()
