from __future__ import annotations

import sqlite3
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.errors import NotAllowed, StoreError
from reviewdesk.store.db import Store
from reviewdesk.store.records import Conversation, Filter, Row, View
from reviewdesk.tui.reader import (
    FIRST,
    PAGE,
    ConversationRead,
    News,
    OrderRead,
    Reader,
    ReadFailed,
    RowsRead,
    StateRead,
    position,
)
from tests.tui.desks import Fixture, mention


class Slow:
    """A store whose rows come only when they are let through; tells which were asked for."""

    def __init__(self, count: int = 1000) -> None:
        self.ids_there = array("q", range(1, count + 1))
        self.gate = threading.Event()
        self.busy = threading.Event()
        self.asked: list[int] = []
        self.version = 1
        self.broken = False
        self.mentions = self.sources = self.outbox = self.coverage = self

    def ids(self, which: Filter, *, limit: int | None = None) -> array[int]:
        return self.ids_there[:limit]

    def rows(self, ids: Any) -> dict[int, Row]:
        if len(ids):
            self.asked.append(ids[0])
            self.busy.set()
            assert self.gate.wait(20)
        return {}

    def counts(self, agent: str) -> dict[View, int]:
        return dict.fromkeys(View, 0)

    def states(self) -> list[Any]:
        return []

    def waiting(self) -> int:
        return 0

    def standing(self, kind: str) -> str:
        return ""

    def conversation(self, id: int) -> Conversation:
        raise NotAllowed("gone")

    def data_version(self) -> int:
        if self.broken:
            raise sqlite3.OperationalError("disk I/O error")
        return self.version

    def told(self) -> Any:
        return Told()

    def close(self) -> None:
        self.gate.set()


class Told:
    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise StoreError("The disk is ill.")


class Heard:
    """What a reader has told, in order."""

    def __init__(self) -> None:
        self.queue: Queue[News] = Queue()

    def next(self, kind: type[Any], when: Callable[[Any], bool] = lambda news: True, seconds: float = 5) -> Any:
        end = time.monotonic() + seconds
        while True:
            try:
                news = self.queue.get(timeout=max(0.01, end - time.monotonic()))
            except Empty:
                raise AssertionError(f"no {kind.__name__}") from None
            if isinstance(news, kind) and when(news):
                return news


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def reading(filled: Fixture, heard: Heard) -> Iterator[Reader]:
    reader = Reader(lambda: Store(filled.path, read_only=True), heard.queue.put, agent="jana")
    reader.start()
    yield reader
    reader.stop()


def reader_of(slow: Slow, heard: Heard) -> Reader:
    reader = Reader(lambda: slow, heard.queue.put, agent="jana")  # type: ignore[arg-type,return-value]
    reader.start()
    return reader


def test_the_first_ids_come_before_all_of_them(filled: Fixture, heard: Heard, reading: Reader) -> None:
    ids = filled.add_many(FIRST + 50)
    generation = reading.show(Filter(view=View.COMPLAINTS))
    first = heard.next(OrderRead)
    assert (first.generation, list(first.ids), first.complete) == (generation, ids[:FIRST], False)
    whole = heard.next(OrderRead)
    assert (list(whole.ids), whole.complete) == (ids, True)
    state = heard.next(StateRead)
    assert state.counts[View.COMPLAINTS] == len(ids)
    assert [source.id for source in state.sources] == ["byhand", "deaf", "shop"]


def test_rows_are_at_hand_after_a_short_wait(filled: Fixture, heard: Heard, reading: Reader) -> None:
    ids = filled.add_many(5)
    if not reading.want(ids, wait=5):
        heard.next(RowsRead)
    assert reading.row(ids[3]).author == "Customer 3"  # type: ignore[union-attr]
    assert reading.row(10**9) is None


def test_the_screen_never_waits_long_for_a_disk_that_stalls(heard: Heard) -> None:
    slow = Slow()
    reader = reader_of(slow, heard)
    began = time.monotonic()
    assert not reader.want(range(1, PAGE))
    waited = time.monotonic() - began
    for _ in range(100):  # every line of the screen asks for its page
        assert not reader.want(range(1, PAGE))
    assert waited < 0.5
    assert time.monotonic() - began < 0.6
    slow.gate.set()
    assert heard.next(RowsRead).ids == tuple(range(1, PAGE))
    reader.stop()


def test_the_newest_page_is_served_first_and_old_ones_are_dropped(heard: Heard) -> None:
    slow = Slow()
    reader = reader_of(slow, heard)
    reader.want([1], wait=0)
    assert slow.busy.wait(5)
    for start in range(100, 120):
        reader.want([start], wait=0)
    slow.gate.set()
    heard.next(RowsRead, lambda news: news.ids == (119,))
    heard.next(RowsRead, lambda news: news.ids == (113,))
    reader.stop()
    assert slow.asked[:2] == [1, 119]
    assert 100 not in slow.asked
    assert len(slow.asked) < 12


def test_what_others_write_is_told_with_what_has_changed(filled: Fixture, heard: Heard, reading: Reader) -> None:
    ids = filled.add_many(10)
    reading.show(Filter(view=View.NEEDS_REPLY))
    heard.next(OrderRead, lambda news: news.complete)
    reading.want(ids, wait=5)
    reading.watch(ids)
    reading.anchor = ids[4]
    filled.store.mentions.change([ids[2]], {"assignee": "petr"}, agent="petr", what="assigned")
    assert heard.next(RowsRead).ids == (ids[2],)
    assert reading.row(ids[2]).assignee == "petr"  # type: ignore[union-attr]
    new = filled.add_many(3, "byhand")
    order = heard.next(OrderRead, lambda news: len(news.ids) == 13)
    assert list(order.fresh) == [10, 11, 12]
    assert order.ids[order.anchor] == ids[4]
    reading.seen(new[:2])
    filled.add([mention(77)])
    order = heard.next(OrderRead, lambda news: len(news.ids) == 14)
    assert [order.ids[place] for place in order.fresh] == [new[2], max(order.ids)]
    reading.acknowledge()
    filled.add([mention(78)])
    order = heard.next(OrderRead, lambda news: len(news.ids) == 15)
    assert len(order.fresh) == 1
    assert set(new) < set(order.ids)


def test_a_conversation_is_told_once_and_again_when_it_changes(filled: Fixture, heard: Heard, reading: Reader) -> None:
    one, other = filled.add_many(2)
    reading.converse(other)
    reading.converse(one)
    assert heard.next(ConversationRead, lambda news: news.id == one).conversation.focus.id == one
    filled.store.people.add_note([one], "petr", "I called her")
    assert heard.next(ConversationRead).conversation.notes[0].text == "I called her"
    reading.converse(10**9)
    assert heard.next(ConversationRead).conversation is None


def test_an_order_that_is_no_longer_wanted_is_not_told(filled: Fixture, heard: Heard, reading: Reader) -> None:
    filled.add_many(3)
    for view in View:
        last = reading.show(Filter(view=view))
    heard.next(OrderRead, lambda news: news.generation == last)
    reading.refresh()
    assert heard.next(OrderRead).generation == last


def test_a_fault_is_told_and_the_reader_goes_on_afterwards(heard: Heard) -> None:
    slow = Slow(3)
    slow.gate.set()
    reader = reader_of(slow, heard)
    reader.show(Filter())
    heard.next(OrderRead)
    slow.broken = True
    assert heard.next(ReadFailed).sentence == "The disk is ill."
    slow.broken = False
    slow.version = 2
    reader.refresh()
    heard.next(OrderRead)
    reader.stop()


def test_a_missing_database_is_told_and_found_later(tmp_path: Path, heard: Heard) -> None:
    path = tmp_path / "later.db"
    reader = Reader(lambda: Store(path, read_only=True), heard.queue.put, agent="jana")
    reader.start()
    reader.show(Filter())
    assert "There is no database" in heard.next(ReadFailed).sentence
    Store(path).close()
    assert not heard.next(OrderRead).ids
    reader.stop()


@given(st.lists(st.integers(1, 2**62), unique=True, max_size=60))
def test_a_position_is_where_the_id_stands(ids: list[int]) -> None:
    order = array("q", ids)
    for place, id in enumerate(ids):
        assert position(order, id) == place
    assert position(order, 0) == -1


def test_a_position_is_found_at_the_end_of_a_long_order() -> None:
    order = array("q", range(1, 200_001))
    assert position(order, 200_000) == 199_999
