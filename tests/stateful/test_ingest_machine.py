"""Taking in against a plain model: workers that share a source, die at any statement, and come back with old pages."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reviewdesk.errors import Unreachable
from reviewdesk.model import Kind, Mention, SetAside
from reviewdesk.store.db import CLOCK_SET_BACK, Store, to_ms
from reviewdesk.store.sources import LeaseLost
from tests.desk.shops import Clock

SOURCE = "fb"
IDS = ("a", "b", "c", "d")
WORKERS = ("eins:1:x", "zwei:2:x", "drei:3:x")
"""Of other machines, so that nobody can tell whether they are alive."""
LEASE = 120.0


class Killed(BaseException):
    """The process is gone."""


class Mortal(sqlite3.Connection):
    """A connection whose process dies at a statement, and does nothing more after it."""

    left = -1

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        self._live()
        return super().execute(sql, *more)

    def executemany(self, sql: str, *more: Any) -> sqlite3.Cursor:
        self._live()
        return super().executemany(sql, *more)

    def _live(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= self.left > 0


@dataclass
class Worker:
    store: Store
    poll: int = 0
    pages: list[dict[str, str | None]] = field(default_factory=list)


@dataclass
class Known:
    """What the store must hold of one mention."""

    versions: list[str]
    gone: bool = False


class Ingesting(RuleBasedStateMachine):
    """One source, three workers with leases, batches that are old when they come, kills between any two statements."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="desk-"))
        self.clock = Clock()
        self.platform: dict[str, str | None] = {}
        self.known: dict[str, Known] = {}
        self.aside: set[str] = set()
        self.cursor: dict[str, int] | None = None
        self.lease: tuple[str, int] = ("", 0)
        self.said = 0
        self.workers: dict[str, Worker] = {}
        self.reader = self._open()
        self.reader.sources.register(SOURCE, "memory", "Memory")

    def _open(self) -> Store:
        connect = sqlite3.connect
        sqlite3.connect = lambda *args, **more: connect(*args, factory=Mortal, **more)  # type: ignore[assignment]
        try:
            store = Store(self.folder / "desk.db", clock=self.clock)
        finally:
            sqlite3.connect = connect  # type: ignore[assignment]
        store.db.conn.execute("PRAGMA synchronous = OFF")
        return store

    def teardown(self) -> None:
        for worker in self.workers.values():
            worker.store.close()
        self.reader.close()
        shutil.rmtree(self.folder)

    @initialize()
    def somebody_writes(self) -> None:
        self.write("a")

    @rule(id=st.sampled_from(IDS))
    def write(self, id: str) -> None:
        """A customer writes, or changes the words."""
        self.said += 1
        self.platform[id] = f"Nefunguje to, {self.said}."

    @rule(id=st.sampled_from(IDS), text=st.sampled_from(("Nefunguje to, 1.", "")))
    def write_back(self, id: str, text: str) -> None:
        """Back to words that stood there before, or to none."""
        self.platform[id] = text

    @precondition(lambda self: self.platform)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.platform[data.draw(st.sampled_from(sorted(self.platform)))] = None

    @rule(seconds=st.sampled_from((1, 60, 119, 121, -600)))
    def time_passes(self, seconds: int) -> None:
        """Now and then the clock is set back."""
        self.clock.now += timedelta(seconds=seconds)

    @rule(name=st.sampled_from(WORKERS))
    def take(self, name: str) -> None:
        """A worker begins to poll, where no living one does."""
        if name not in self.workers:
            self.workers[name] = Worker(self._open())
        worker = self.workers[name]
        owner, until = self.lease
        now = to_ms(self.clock())
        before_set_back = until > now + int(LEASE * 1000) + CLOCK_SET_BACK
        free = until <= now or owner == name or before_set_back
        assert worker.store.sources.take(SOURCE, name, seconds=LEASE) is free
        if free:
            self.lease = (name, to_ms(self.clock()) + int(LEASE * 1000))
            worker.poll = worker.store.sources.begin_poll(SOURCE)

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def fetch(self, data: st.DataObject) -> None:
        """A worker gets a page; it may be old when it is taken in."""
        worker = self.workers[data.draw(st.sampled_from(sorted(self.workers)))]
        some = data.draw(st.sets(st.sampled_from(IDS)))
        worker.pages.append({id: text for id, text in self.platform.items() if id in some})

    def _loaded(self) -> list[str]:
        return sorted(name for name, worker in self.workers.items() if worker.pages and worker.poll)

    @precondition(lambda self: self._loaded())
    @rule(data=st.data(), poison=st.booleans(), dies_at=st.none() | st.integers(0, 30))
    def commit(self, data: st.DataObject, poison: bool, dies_at: int | None) -> None:
        """A worker hands a page over; it may die at any statement of it, the last one included."""
        name = data.draw(st.sampled_from(self._loaded()))
        worker = self.workers[name]
        page, cursor = worker.pages.pop(0), {"n": self.said}
        aside = [SetAside(id="p", reason="unreadable", raw=f"raw {self.said}")] if poison else []
        mentions = [Mention(id=id, kind=Kind.COMMENT, text=text) for id, text in page.items() if text is not None]
        conn: Any = worker.store.db.conn
        conn.left = -1 if dies_at is None else dies_at
        try:
            worker.store.sources.commit_batch(
                SOURCE,
                name,
                worker.poll,
                mentions=[*mentions, *mentions[:1]],
                set_aside=aside,
                gone=[id for id, text in page.items() if text is None],
                cursor=cursor,
                total=None,
                lease_seconds=LEASE,
            )
        except LeaseLost:
            assert self.lease[0] != name
            conn.left = -1
        except Killed:
            self._bury(name)
        else:
            assert self.lease[0] == name, "a batch of one who has lost the lease was taken in"
            conn.left = -1
            self._taken(page, [each.raw for each in aside], cursor, name)

    def _taken(self, page: dict[str, str | None], aside: list[str], cursor: dict[str, int], name: str) -> None:
        for id, text in page.items():
            known = self.known.get(id)
            if text is None:
                if known:
                    known.gone = True
            elif known is None:
                self.known[id] = Known([text])
            else:
                known.gone = False
                if known.versions[-1] != text:
                    known.versions.append(text)
        self.aside.update(aside)
        self.cursor = cursor
        self.lease = (name, to_ms(self.clock()) + int(LEASE * 1000))

    def _bury(self, name: str) -> None:
        """What a dead process has begun is undone by the next one that opens the database."""
        sqlite3.Connection.close(self.workers.pop(name).store.db.conn)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), well=st.booleans())
    def finish(self, data: st.DataObject, well: bool) -> None:
        """A worker ends its poll; it gives back the lease only where it still has it."""
        name = data.draw(st.sampled_from(sorted(self.workers)))
        worker = self.workers[name]
        if not worker.poll:
            return
        sources, later = worker.store.sources, self.clock() + timedelta(minutes=5)
        if well:
            sources.finish_poll(SOURCE, name, worker.poll, next_at=later)
        else:
            sources.fail_poll(SOURCE, name, worker.poll, Unreachable("Gone."), next_at=later, parked=False)
        if self.lease[0] == name:
            self.lease = ("", 0)
        worker.poll, worker.pages = 0, []

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """A worker dies between two statements, with its lease."""
        with suppress(KeyError):
            self._bury(data.draw(st.sampled_from(sorted(self.workers))))

    @invariant()
    def the_store_is_the_model(self) -> None:
        rows = self.reader.db.conn.execute(
            "SELECT platform_id, version, text, gone_at IS NOT NULL, id FROM mention"
        ).fetchall()
        versions: dict[int, list[str]] = {}
        for id, text in self.reader.db.conn.execute(
            "SELECT mention_id, text FROM mention_version ORDER BY mention_id, version"
        ):
            versions.setdefault(id, []).append(text)
        stored = {key: (version, text, bool(gone), versions[id]) for key, version, text, gone, id in rows}
        assert stored == {
            id: (len(known.versions), known.versions[-1], known.gone, known.versions)
            for id, known in self.known.items()
        }

    @invariant()
    def the_cursor_and_what_was_set_aside_agree_with_it(self) -> None:
        assert self.reader.sources.cursor(SOURCE) == self.cursor
        assert {each.raw for each in self.reader.sources.quarantined(SOURCE)} == self.aside

    @invariant()
    def every_text_is_found_once(self) -> None:
        found = self.reader.db.conn.execute("SELECT count(*) FROM mention_fts WHERE mention_fts MATCH 'nefunguje'")
        assert found.fetchone()[0] == sum(known.versions[-1] != "" for known in self.known.values())


TestIngesting = Ingesting.TestCase
TestIngesting.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
