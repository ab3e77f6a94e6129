from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.desks import Fixture


@pytest.fixture(autouse=True)
def keys_follow_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a pilot go on as soon as the event loop has nothing left to do for the key before.

    Textual waits for the whole process to be idle instead, which is meant for screenshots and takes up to a second
    where other threads read or the machine is busy. What threads do is waited for by name: `Desk.press` waits for the
    one that writes, `Desk.until` for what those that read have brought.
    """

    async def nothing_left(*_: object) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while loop._ready:  # type: ignore[attr-defined]
            await asyncio.sleep(0)

    monkeypatch.setattr("textual.app.wait_for_idle", nothing_left)
    monkeypatch.setattr("textual.pilot.wait_for_idle", nothing_left)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Fixture]:
    fixture = Fixture(tmp_path / "desk.db")
    yield fixture
    fixture.store.close()
