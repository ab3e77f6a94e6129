"""What the machine does to a poll: a full disk, a database that others keep, damage, clocks, and very much at once."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from reviewdesk.config import Config
from reviewdesk.connector import Batch
from reviewdesk.desk.poll import Outcome, poll_round
from reviewdesk.errors import StoreError, Unreachable
from reviewdesk.model import Kind, Mention
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter
from tests.desk.shops import MONDAY_NOON, Clock, Memory, Platform


def pages(store: Store) -> int:
    return int(store.db.conn.execute("PRAGMA page_count").fetchone()[0])


def counted(store: Store) -> tuple[int, int, int]:
    """Gives how many mentions, versions and indexed texts there are; they must agree."""
    return tuple(
        store.db.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("mention", "mention_version", "mention_fts")
    )


async def said_by(work: Awaitable[object]) -> str:
    try:
        await work
    except StoreError as error:
        return error.sentence
    return ""


async def test_a_full_disk_half_writes_nothing_and_the_next_poll_brings_all(
    config: Config, store: Store, there: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def poll(self: Memory, cursor: dict[str, int] | None) -> AsyncIterator[Batch]:
        mentions = list(self.there.customers.values())
        for start in range((cursor or {}).get("n", 0), len(mentions), 10):
            yield Batch(mentions=mentions[start : start + 10], cursor={"n": start + 10})

    monkeypatch.setattr(Memory, "poll", poll)
    for number in range(300):
        there.write(f"m{number:03}", text="Nefunguje to. " * 40)
    room, full = pages(store), 0
    while room < 2000:
        store.db.conn.execute(f"PRAGMA max_page_count = {room}")
        said = await said_by(poll_round(config, store, only=["fb"]))
        if not said:
            break
        assert "is full; nothing was half-written" in said
        full += 1
        mentions, versions, indexed = counted(store)
        assert mentions == versions == indexed == (store.sources.cursor("fb") or {"n": 0})["n"]
        assert store.health.damage() == []
        room += 30
        clock.forward(minutes=3)
    assert full > 3
    assert counted(store) == (300, 300, 300)


async def test_a_database_that_another_keeps_for_long_is_one_sentence_and_loses_nothing(
    config: Config, store: Store, there: Platform, clock: Clock
) -> None:
    there.write("a")
    await poll_round(config, store, only=["fb"])
    there.write("b")
    store.db.conn.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(store.path, isolation_level=None)
    there.on_poll = lambda: other.execute("BEGIN IMMEDIATE") and None
    with pytest.raises(StoreError, match="is kept busy by another program"):
        await poll_round(config, store, only=["fb"])
    other.close()
    there.quiet()
    # This process still lives and so keeps its lease; cron's would have ended.
    clock.forward(minutes=3)
    (polled,) = await poll_round(config, store, only=["fb"])
    assert (polled.outcome, polled.brought.new) == (Outcome.DONE, 1)


async def test_damage_that_a_poll_meets_is_the_databases_and_no_connectors(
    config: Config, store: Store, there: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object, **__: object) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    there.write("a")
    monkeypatch.setattr(store.mentions, "unassessed", damaged)
    with pytest.raises(StoreError, match="is damaged"):
        await poll_round(config, store, only=["fb"])
    assert store.sources.states()[0].fault == ""


def test_damage_that_is_met_while_reading_is_a_sentence(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="cannot be used"), Store(store.path) as other:
        other.db.conn.execute("SELECT nothing FROM nowhere")


async def test_a_hundred_thousand_at_once(store: Store, clock: Clock) -> None:
    store.sources.register("fb", "memory", "Memory")
    assert store.sources.take("fb", "me", seconds=600)
    poll = store.sources.begin_poll("fb")
    many = [
        Mention(id=str(number), kind=Kind.REVIEW, text=f"Číslo {number}.", created_at=clock.now, rating=3)
        for number in range(100_000)
    ]
    done = store.sources.commit_batch(
        "fb", "me", poll, mentions=many, set_aside=(), gone=(), cursor={"n": 1}, total=len(many), lease_seconds=600
    )
    assert (done.new, counted(store)) == (100_000, (100_000,) * 3)
    (line,) = store.coverage.polls("fb")
    assert (line.total, line.fetched, line.new) == (100_000,) * 3


async def test_an_item_that_changes_its_time_is_one_mention_at_its_first_time(
    config: Config, store: Store, there: Platform, clock: Clock
) -> None:
    there.write("a", text="Nefunguje to.")
    await poll_round(config, store, only=["fb"])
    before = store.mentions.find("fb", "a")
    for moved in (timedelta(hours=1), timedelta(days=-400), timedelta(days=400)):
        there.customers["a"] = replace(there.customers["a"], created_at=MONDAY_NOON + moved)
        clock.forward(minutes=5)
        (polled,) = await poll_round(config, store, only=["fb"])
        assert (polled.brought.new, polled.brought.changed, polled.brought.same) == (0, 0, 1)
    after = store.mentions.find("fb", "a")
    assert before is not None
    assert after is not None
    assert (after.version, after.due_at, after.mention.created_at) == (1, before.due_at, MONDAY_NOON)


async def test_the_same_item_in_two_batches_and_on_two_pages_is_one_mention(
    config: Config, store: Store, there: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def shifting(self: Memory, cursor: object) -> AsyncIterator[Batch]:
        first, *rest = self.there.customers.values()
        yield Batch(mentions=[first, first])
        yield Batch(mentions=[first, *rest], cursor={"n": 1})

    monkeypatch.setattr(Memory, "poll", shifting)
    there.write("a")
    there.write("b")
    (polled,) = await poll_round(config, store, only=["fb"])
    assert polled.brought.new == 2
    assert counted(store) == (2, 2, 2)


async def test_a_clock_set_back_loses_nothing_and_silences_nobody(
    config: Config, store: Store, there: Platform, clock: Clock
) -> None:
    there.write("a")
    await poll_round(config, store)
    clock.forward(days=-40)
    there.write("b")
    there.customers["a"] = replace(there.customers["a"], text="Už je to v pořádku.")
    polled = await poll_round(config, store)
    assert {each.outcome for each in polled} == {Outcome.DONE}, "they were asked in the future and are due"
    found = store.mentions.find("fb", "a")
    assert found is not None
    assert (found.version, found.mention.text) == (2, "Už je to v pořádku.")
    assert store.mentions.count(Filter(source="fb")) == 2


async def test_sources_that_failed_together_are_not_tried_again_together(
    config: Config, store: Store, there: Platform, clock: Clock
) -> None:
    """An outage of the network ends without a storm: the pauses grow to an hour, and differ by chance."""

    def fail() -> None:
        raise Unreachable("No network.")

    for platform in Memory.platforms.values():
        platform.on_poll = fail
    calls = 0
    for _ in range(24 * 12):
        calls += sum(each.outcome is Outcome.FAILED for each in await poll_round(config, store))
        clock.forward(minutes=5)
    assert calls <= 2 * (24 * 60 / 48 + 8), "about once an hour each"
    due = {state.next_at for state in store.sources.states()}
    assert len(due) == 2
    assert all(each is not None and each <= clock.now + timedelta(minutes=72) for each in due)
