from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.desks import Fixture


@pytest.fixture(autouse=True)
def keys_follow_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the next key of a press come as soon as the event loop has nothing left to do for the one before.

    Textual waits for the whole process to be idle instead, which is meant for screenshots and takes up to a second
    where other threads read or the machine is busy. After the last key `Pilot.pause` still waits like that.
    """

    async def nothing_left(*_: object) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while loop._ready:  # type: ignore[attr-defined]
            await asyncio.sleep(0)

    monkeypatch.setattr("textual.app.wait_for_idle", nothing_left)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Fixture]:
    fixture = Fixture(tmp_path / "desk.db")
    yield fixture
    fixture.store.close()
