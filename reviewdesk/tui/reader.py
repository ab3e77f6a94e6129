"""Reads for the screen in threads of its own, so that the screen never waits. Knows nothing of Textual.

Two lanes, each with its own read-only connection: one gives the rows and the conversation that are wanted now, the
other the order of a view, which takes a third of a second for a million mentions. `data_version` tells both when
another connection has written, cron's polls among them.
"""

from __future__ import annotations

import logging
import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

from reviewdesk.errors import NotAllowed, ReviewdeskError
from reviewdesk.model import Record
from reviewdesk.store.coverage import SCORER_NOTICE
from reviewdesk.store.db import Store
from reviewdesk.store.records import Conversation, Filter, Row, SourceState, View

log = logging.getLogger(__name__)

PAGE = 128
"""How many rows are read at once."""
FIRST = 200
"""How many ids are given before the whole order is known."""
WAIT = 0.008
"""For how many seconds the screen may wait for a page before it paints without it."""

_PAGES_KEPT = 64
_REQUESTS_KEPT = 8
_LOOK_EVERY = 0.3
_PAUSE_AFTER_FAULT = 1.0
_TIME_PASSES_EVERY = 20.0
_REST_PER_WORK = 10
_LONGEST_REST = 30.0
_SLICE = 50_000


class OrderRead(Record, frozen=True, kw_only=True):
    """The order of a view.

    Attributes:
        generation: of the request, as `Reader.show` gave it; later ones make it void.
        ids: in the order of the view.
        complete: False while these are only the first ones.
        anchor: where `Reader.anchor` stands in `ids`; -1 where it does not.
        fresh: where those stand in `ids` that came since the view was opened or `Reader.acknowledge`, and were not yet
            `Reader.seen`; in order.
    """

    generation: int
    ids: array[int]
    complete: bool
    anchor: int
    fresh: array[int]


class RowsRead(Record, frozen=True, kw_only=True):
    """Rows that can be painted now, or that have changed."""

    ids: tuple[int, ...]


class ConversationRead(Record, frozen=True, kw_only=True):
    """The conversation that was asked for, new or changed; None where the mention is no longer there."""

    id: int
    conversation: Conversation | None


class StateRead(Record, frozen=True, kw_only=True):
    """How many mentions each view has, how the sources and the scorer are, and how many replies wait for a person."""

    counts: Mapping[View, int]
    sources: tuple[SourceState, ...]
    waiting: int
    scorer: str = ""


class ReadFailed(Record, frozen=True, kw_only=True):
    """The store could not be read; it is tried again.

    Attributes:
        orders: whether it is the orders that could not be read, else the rows and the conversation.
    """

    sentence: str
    orders: bool


News = OrderRead | RowsRead | ConversationRead | StateRead | ReadFailed


class _Request:
    """A page that was asked for."""

    def __init__(self, ids: tuple[int, ...]) -> None:
        self.ids = ids
        self.done = threading.Event()
        self.given_up = False


class Reader:
    """Reads for one list and one conversation.

    Args:
        open_store: opens a read-only store; called once in each lane's thread, and again after a fault.
        tell: takes what was read; called in the lanes' threads, so it must only pass it on.
        agent: whose views and counts.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        tell: Callable[[News], None],
        *,
        agent: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.anchor = 0
        self._open_store = open_store
        self._tell = tell
        self._agent = agent
        self._clock = clock
        self._lock = threading.Condition()
        self._stop = threading.Event()
        self._rows: OrderedDict[int, Row] = OrderedDict()
        self._requests: OrderedDict[int, _Request] = OrderedDict()
        self._watched: tuple[int, ...] = ()
        self._wanted_conversation = 0
        self._known_conversation: Conversation | None = None
        self._conversation_due = False
        self._look_now = False
        self._filter: Filter | None = None
        self._generation = 0
        self._newest_seen: int | None = None
        self._newest_told: int | None = None
        self._seen: set[int] = set()
        self._order_due = 0.0
        self._order_changed = False
        self._threads = [
            threading.Thread(target=self._run, args=(self._rows_lane,), name="reader of rows", daemon=True),
            threading.Thread(target=self._run, args=(self._order_lane,), name="reader of orders", daemon=True),
        ]

    def start(self) -> None:
        """Starts the lanes."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the lanes and closes their connections; waits for what is being read, at most a second."""
        with self._lock:
            self._stop.set()
            self._lock.notify_all()
        for thread in self._threads:
            thread.join(timeout=1)

    def show(self, which: Filter) -> int:
        """Asks for the order of a view: the first ids, then all of them. Gives the generation of the answers."""
        with self._lock:
            self._generation += 1
            self._filter = which
            self._newest_seen = self._newest_told = None
            self._seen = set()
            self._order_due = 0.0
            self._lock.notify_all()
            return self._generation

    def acknowledge(self) -> None:
        """Notes that the user has seen what is new: counting begins anew."""
        with self._lock:
            self._newest_seen = self._newest_told
            self._seen = set()

    def seen(self, ids: Iterable[int]) -> None:
        """Notes that the user has had these before the eyes: they are no longer fresh."""
        with self._lock:
            self._seen.update(ids)

    def refresh(self) -> None:
        """Reads everything that is shown again, now: the user has changed something, or the clock has moved on."""
        with self._lock:
            self._look_now = True
            self._order_changed = True
            self._order_due = 0.0
            self._lock.notify_all()

    def row(self, id: int) -> Row | None:
        """Gives a row that is at hand."""
        return self._rows.get(id)

    def want(self, ids: Sequence[int], wait: float = WAIT) -> bool:
        """Asks for the rows of a page; the newest request is served first.

        Waits at most `wait` seconds, and only when this page has not been asked for yet. Gives whether the rows are at
        hand; if not, a `RowsRead` follows.
        """
        if not ids:
            return True
        with self._lock:
            if ids[0] in self._requests:
                return False
            request = self._requests[ids[0]] = _Request(tuple(ids))
            while len(self._requests) > _REQUESTS_KEPT:
                self._requests.popitem(last=False)
            self._lock.notify_all()
        if request.done.wait(wait):
            return True
        with self._lock:
            request.given_up = True
            return request.done.is_set()

    def watch(self, ids: Iterable[int]) -> None:
        """Says which rows are on the screen: these are read again when someone has written."""
        self._watched = tuple(ids)

    def converse(self, id: int) -> None:
        """Asks for a conversation, and for every change of it from now on; 0 for none."""
        with self._lock:
            self._wanted_conversation = id
            self._known_conversation = None
            self._conversation_due = id != 0
            self._lock.notify_all()

    def _run(self, lane: Callable[[Store], None]) -> None:
        while not self._stop.is_set():
            try:
                store = self._open_store()
            except ReviewdeskError as error:
                self._failed(error)
                continue
            try:
                while not self._stop.is_set():
                    with store.told():
                        lane(store)
            except Exception as error:  # a lane that ends would leave the screen without news for ever
                self._failed(error)
            finally:
                store.close()

    def _failed(self, error: Exception) -> None:
        log.warning("the store could not be read", exc_info=error)
        sentence = str(error) if isinstance(error, ReviewdeskError) else "The database could not be read just now."
        self._tell(ReadFailed(sentence=sentence, orders=threading.current_thread() is self._threads[1]))
        with self._lock:
            for request in self._requests.values():
                request.done.set()
            self._requests.clear()
            self._conversation_due = self._wanted_conversation != 0
            self._order_changed = True
            if not self._stop.is_set():
                self._lock.wait(_PAUSE_AFTER_FAULT)

    def _rows_lane(self, store: Store) -> None:
        version = store.data_version()
        looked = self._clock()
        while not self._stop.is_set():
            request, conversation = self._next_wanted(looked + _LOOK_EVERY)
            if request:
                self._keep(store.mentions.rows(request.ids))
                self._answer(request)
            elif conversation:
                self._read_conversation(store, conversation)
            if self._look_now or self._clock() >= looked + _LOOK_EVERY:
                self._look_now, looked = False, self._clock()
                if version != (version := store.data_version()):
                    self._someone_wrote(store)

    def _next_wanted(self, until: float) -> tuple[_Request | None, int]:
        with self._lock:
            while not (self._stop.is_set() or self._requests or self._conversation_due or self._look_now):
                rest = until - self._clock()
                if rest <= 0 or not self._lock.wait(rest):
                    return None, 0
            if self._stop.is_set():
                return None, 0
            if self._requests:
                return self._requests[next(reversed(self._requests))], 0
            wanted = self._wanted_conversation if self._conversation_due else 0
            self._conversation_due = False
            return None, wanted

    def _keep(self, rows: Mapping[int, Row]) -> None:
        with self._lock:
            for id, row in rows.items():
                self._rows[id] = row
                self._rows.move_to_end(id)
            while len(self._rows) > _PAGES_KEPT * PAGE:
                self._rows.popitem(last=False)

    def _answer(self, request: _Request) -> None:
        with self._lock:
            if self._requests.get(request.ids[0]) is request:
                del self._requests[request.ids[0]]
            request.done.set()
        if request.given_up:
            self._tell(RowsRead(ids=request.ids))

    def _read_conversation(self, store: Store, id: int) -> None:
        try:
            found: Conversation | None = store.mentions.conversation(id)
        except NotAllowed:
            found = None
        with self._lock:
            news = id == self._wanted_conversation and (found is None or found != self._known_conversation)
            if news:
                self._known_conversation = found
        if news:
            self._tell(ConversationRead(id=id, conversation=found))

    def _someone_wrote(self, store: Store) -> None:
        fresh = store.mentions.rows(self._watched)
        with self._lock:
            changed = tuple(id for id in self._watched if fresh.get(id) != self._rows.get(id))
            self._rows.clear()
            self._rows.update(fresh)
            self._conversation_due = self._wanted_conversation != 0
            self._order_changed = True
            self._lock.notify_all()
        if changed:
            self._tell(RowsRead(ids=changed))

    def _order_lane(self, store: Store) -> None:
        shown, told_at = 0, 0.0
        while not self._stop.is_set():
            with self._lock:
                while not self._stop.is_set() and not self._order_is_due(shown, told_at):
                    self._lock.wait(_LOOK_EVERY)
                if self._stop.is_set():
                    return
                which, generation = self._filter, self._generation
                self._order_changed = False
            if which is None:
                continue
            began = self._clock()
            if generation != shown:
                shown = generation
                ids = store.mentions.ids(which, limit=FIRST)
                complete = len(ids) < FIRST
                self._tell_order(generation, ids, complete)
                if not complete:
                    self._tell_order(generation, store.mentions.ids(which), True)
            else:
                self._tell_order(generation, store.mentions.ids(which), True)
            if generation == self._generation:
                counts = store.mentions.counts(self._agent)
                sources = tuple(store.sources.states())
                waiting, scorer = store.outbox.waiting(), store.coverage.standing(SCORER_NOTICE)
                self._tell(StateRead(counts=counts, sources=sources, waiting=waiting, scorer=scorer))
            told_at = self._clock()
            # Rebuilding a large order takes a core from whoever writes: it rests in proportion.
            rest = min(_LONGEST_REST, max(_LOOK_EVERY, _REST_PER_WORK * (told_at - began)))
            with self._lock:
                self._order_due = told_at + rest if generation == self._generation else 0.0

    def _order_is_due(self, shown: int, told_at: float) -> bool:
        now = self._clock()
        if self._filter is None or self._generation != shown:
            return self._filter is not None
        time_passed = now - told_at >= max(_TIME_PASSES_EVERY, self._order_due - told_at)
        return time_passed or (self._order_changed and now >= self._order_due)

    def _tell_order(self, generation: int, ids: array[int], complete: bool) -> None:
        if generation != self._generation:
            return
        fresh = array("q")
        if complete:
            parts = [(start, ids[start : start + _SLICE]) for start in range(0, len(ids), _SLICE)]
            newest = [max(part) for _, part in parts]
            with self._lock:
                self._newest_told = max(newest, default=0)
                last = self._newest_seen = self._newest_told if self._newest_seen is None else self._newest_seen
                seen = frozenset(self._seen)
            for (start, part), most in zip(parts, newest, strict=True):
                if most > last:
                    fresh.extend(place for place, id in enumerate(part, start) if id > last and id not in seen)
        self._tell(
            OrderRead(generation=generation, ids=ids, complete=complete, anchor=position(ids, self.anchor), fresh=fresh)
        )


def position(ids: array[int], id: int) -> int:
    """Gives where an id stands; -1 where it does not."""
    for begin in range(0, len(ids), _SLICE):
        try:
            return begin + ids[begin : begin + _SLICE].index(id)
        except ValueError:
            continue
    return -1
