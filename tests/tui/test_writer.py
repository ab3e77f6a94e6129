from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from reviewdesk.config import load
from reviewdesk.errors import NotAllowed, StoreError
from reviewdesk.store.db import Store
from reviewdesk.tui.writer import Desk, Writer
from tests.tui.desks import CONFIG, Fixture


@pytest.fixture
def writing(filled: Fixture) -> Writer:
    file = filled.path.with_suffix(".toml")
    file.write_text(CONFIG, encoding="utf-8")
    return Writer(lambda: Store(filled.path), "jana", load(file, db=filled.path))


async def test_work_is_done_in_one_thread_in_order(filled: Fixture, writing: Writer) -> None:
    ids = filled.add_many(3)
    threads: list[str] = []

    def close(id: int) -> object:
        def work(desk: Desk) -> int:
            threads.append(threading.current_thread().name)
            return desk.triage.close([id]).count

        return work

    assert await asyncio.gather(*(writing.do(close(id)) for id in ids)) == [1, 1, 1]  # type: ignore[arg-type]
    assert len(set(threads)) == 1
    assert threads[0] != threading.main_thread().name
    writing.close()


async def test_an_error_reaches_the_caller_and_the_next_work_goes_on(filled: Fixture, writing: Writer) -> None:
    (id,) = filled.add_many(1)
    with pytest.raises(NotAllowed):
        await writing.do(lambda desk: desk.triage.note([id], "  "))
    await writing.do(lambda desk: desk.triage.note([id], "called"))
    assert filled.store.people.notes(id)[0].text == "called"
    writing.close()


async def test_a_database_that_cannot_be_opened_is_told_in_a_sentence(tmp_path: Path, filled: Fixture) -> None:
    file = tmp_path / "c.toml"
    file.write_text(CONFIG, encoding="utf-8")
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database, and long enough to be read as one" * 100)
    writer = Writer(lambda: Store(broken), "jana", load(file, db=broken))
    with pytest.raises(StoreError, match="damaged or not a reviewdesk database"):
        await writer.do(lambda desk: desk.triage.wake())
    writer.close()


async def test_what_was_handed_over_is_done_before_the_end(filled: Fixture, writing: Writer) -> None:
    (id,) = filled.add_many(1)
    for length in range(30):
        writing.hand_over(lambda desk, length=length: desk.respond.save_draft(id, "x" * (length + 1)))  # type: ignore[misc]
    writing.hand_over(lambda desk: desk.triage.note([id], ""))  # fails, and nobody waits for it
    writing.close()
    assert filled.store.outbox.drafts(id)[0].text == "x" * 30
