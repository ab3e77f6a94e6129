"""Databases and desks for the tests of the terminal desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from reviewdesk.config import load
from reviewdesk.model import Assessment, Author, Kind, Mention, Severity
from reviewdesk.store.db import Store
from reviewdesk.tui.app import ReviewdeskApp

SMALL, LARGE = (80, 24), (160, 40)
"""The narrow and the wide layout; what is painted is what a test costs."""
HUGE = (200, 60)

CONFIG = """
[shop]
name = "Květiny Praha"
contact = "info@kvetiny.example"
[desk]
undo_seconds = 60
[[agent]]
id = "jana"
name = "Jana Malá"
[[agent]]
id = "petr"
name = "Petr Novák"
"""


def mention(number: int, text: str = "", **fields: Any) -> Mention:
    values: dict[str, Any] = {
        "id": f"m{number}",
        "kind": Kind.REVIEW,
        "text": text or f"Mention number {number}",
        "author": Author(id=f"a{number}", name=f"Customer {number}"),
        "rating": 1.0,
        "url": f"https://reviews.example/{number}",
        "created_at": datetime.now(UTC) - timedelta(hours=2),
    }
    return Mention(**values | fields)


class Fixture:
    """A database that a test fills and changes from outside, as cron does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store(path)
        for id, reply in (("shop", "api"), ("byhand", "hand_off"), ("deaf", "none")):
            self.store.sources.register(
                id, id, id.capitalize(), {"reply": reply, "reply_length": 500, "like": id == "shop"}
            )

    def add(self, mentions: Iterable[Mention], source: str = "shop", *, complaint: bool = True) -> list[int]:
        mentions = list(mentions)
        before = set(self.store.mentions.ids(_everything()))
        self.store.mentions.ingest(source, mentions)
        self.assess(complaint)
        return sorted(set(self.store.mentions.ids(_everything())) - before)

    def add_many(self, count: int, source: str = "shop", **kwargs: Any) -> list[int]:
        return self.add([mention(number) for number in range(count)], source, **kwargs)

    def add_bulk(self, count: int) -> None:
        """Adds very many mentions at once, past the store's own door, which would take longer than the tests."""
        now = self.store.now_ms()
        (thread,) = self.store.db.execute(
            "INSERT INTO thread (source_id, key) VALUES ('shop', 't') RETURNING id"
        ).fetchone()
        self.store.db.execute(
            """WITH RECURSIVE numbers (number) AS
                 (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?)
               INSERT INTO mention (source_id, platform_id, thread_id, kind, content_hash, facts_hash,
                                    created_at, seen_at, changed_at, text, author_name)
               SELECT 'shop', 'm' || number, ?, 'review', '', '', ? - number, 0, 0, 'Mention number ' || number,
                      'Customer ' || number FROM numbers""",
            (count, thread, now),
        )

    def assess(self, complaint: bool, due: timedelta = timedelta(hours=3)) -> None:
        while todo := self.store.mentions.unassessed("test/1", limit=20_000):
            judged = Assessment(
                language="en",
                compound=-0.5,
                complaint=complaint,
                probability=0.9,
                severity=Severity.SERIOUS if complaint else Severity.NONE,
                assessor="test/1",
            )
            now = self.store.clock()
            self.store.mentions.put_assessments([(each.id, each.version, judged, now + due) for each in todo])


def _everything() -> Any:
    from reviewdesk.store.records import Filter

    return Filter()


class Desk:
    """A running desk under test."""

    def __init__(self, app: ReviewdeskApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot
        self._said: list[str] = []
        notify = app.notify

        def heard(message: str, **kwargs: Any) -> None:
            self._said.append(message)
            notify(message, **kwargs)

        app.notify = heard  # type: ignore[method-assign,assignment]

    @property
    def inbox(self) -> Any:
        return self.app.inbox

    @property
    def list(self) -> Any:
        return self.app.inbox.list

    async def press(self, *keys: str) -> None:
        """Presses keys, and waits for what the window does of them and hands to the writing thread."""
        await self.pilot.press(*keys)
        await self._written()
        await self.pilot.pause()

    async def _written(self) -> None:
        with suppress(RuntimeError):  # the window is closed, and its writer with it
            last = self.app.writer._thread.submit(lambda: None)
            await asyncio.wait([asyncio.wrap_future(last)], timeout=1)

    async def until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Lets the desk go on until a condition holds."""
        for _ in range(int(seconds / 0.02)):
            if condition():
                await self._written()
                await self.pilot.pause(0.02)
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"never came true; on the screen:\n{self.text()}")

    def lines(self, widget: Any = None) -> Sequence[str]:
        """What a widget that paints lines shows."""
        shown = widget or self.list
        return [shown.render_line(y).text for y in range(shown.size.height)]

    def text(self) -> str:
        """The whole screen as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    def toasts(self) -> list[str]:
        """What the desk has said so far, whether it is still on the screen or not."""
        return self._said


@asynccontextmanager
async def desk(
    path: Path, size: tuple[int, int] = SMALL, *, agent: str = "jana", config: str = CONFIG
) -> AsyncIterator[Desk]:
    """Runs a desk on a database until the block ends."""
    file = path.with_suffix(".toml")
    file.write_text(config, encoding="utf-8")
    app = ReviewdeskApp(load(file, db=path), db=path, agent=agent)
    started: list[tuple[str, ...]] = []
    app.command_line = lambda *words: started.append(words) or ["true"]  # type: ignore[method-assign,func-returns-value]
    async with app.run_test(size=size) as pilot:
        running = Desk(app, pilot)
        running.started = started  # type: ignore[attr-defined]
        await running.until(lambda: app.inbox.list._known and app.inbox.views.counts)
        yield running
