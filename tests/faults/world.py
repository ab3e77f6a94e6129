"""A small world to break: emulated platforms, customers, an agent, a clock that jumps; and the books kept on all of it.

What customers wrote and what the agent approved is written down in `tests.faults.books`, apart from the desk.
`World.compare` holds the store and the platforms against them.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from msgspec.structs import replace
from starlette.responses import PlainTextResponse

from reviewdesk.config import Config, load
from reviewdesk.desk.respond import Respond
from reviewdesk.errors import NotAllowed
from reviewdesk.model import DeliveryState
from reviewdesk.plugins import load_emulator
from reviewdesk.sandbox import CustomerText, Running, ShopReply
from reviewdesk.sandbox.runner import toml_for
from reviewdesk.store.db import Store, from_ms, to_ms
from reviewdesk.store.records import Reply, Stored
from tests.faults.books import Approved, Books, Knowledge, Verdict, Written

PLATFORMS = ("facebook", "feed", "heureka", "reddit")
TELLS_DELETIONS = ("facebook", "reddit")
"""Platforms on which a single deletion is believed at once."""
_OUT = (DeliveryState.POSTED, DeliveryState.VISIBLE)
_WORDS = [
    "balík",
    "rozbitý",
    "reklamace",
    "doprava",
    "dorazil",
    "pozdě",
    "děkuji",
    "objednávka",
    "storno",
    "vrátit",
    "peníze",
    "kurýr",
    "krabice",
]


class SharedClock:
    """The real time and what was added to it, the same in every process that has the file.

    Args:
        path: holds the seconds that were added.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(struct.pack("d", 0.0))
        with path.open("r+b") as file:
            self._ahead = mmap.mmap(file.fileno(), 8)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=struct.unpack("d", self._ahead[:8])[0])

    def forward(self, **by: float) -> None:
        """Lets time pass."""
        seconds = struct.unpack("d", self._ahead[:8])[0] + timedelta(**by).total_seconds()
        self._ahead[:8] = struct.pack("d", seconds)


@dataclass
class Trap:
    """Kills a process when a request of its arrives.

    Attributes:
        pid: whom; it is not reaped before the trap is gone, so the number is nobody else's.
        match: what "METHOD /path" has to contain.
        done: whether the platform does what it was asked for all the same.
        answered: whether its answer has left before the kill.
    """

    pid: int
    match: str
    done: bool
    answered: bool


class Turnstile:
    """Stands before an emulator: counts who is inside, lets others act between two requests, and springs traps.

    Args:
        written: is called when a request has been done that may have written something.
    """

    def __init__(self, app: Any, written: Callable[[], None]) -> None:
        self.app = app
        self.written = written
        self.inside = 0
        self.trap: Trap | None = None
        self.acts: deque[Callable[[], None]] = deque()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/_acts":
            while self.acts:
                self.acts.popleft()()
            await PlainTextResponse(str(self.inside))(scope, receive, send)
            return
        self.inside += 1
        try:
            await self._pass(scope, receive, send)
        finally:
            self.inside -= 1
            if scope.get("method") == "POST":
                self.written()

    async def _pass(self, scope: Any, receive: Any, send: Any) -> None:
        trap = self.trap
        if trap is None or trap.match not in f"{scope['method']} {scope['path']}":
            await self.app(scope, receive, send)
            return
        self.trap = None
        if trap.answered:
            await self.app(scope, receive, send)
            _kill(trap.pid)
            return
        request = await receive()
        _kill(trap.pid)
        if trap.done:

            async def again() -> Any:
                return request

            await self.app(scope, again, _nobody)


async def _nobody(message: Any) -> None:
    """Takes an answer to one who is dead."""


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class World:
    """One desk and its platforms.

    Args:
        folder: for the configuration, the database and the log; empty.
        seed: the same seed gives the same customers; how processes interleave is the machine's.
        platforms: names of installed emulators.
        through: gives the address under which the desk reaches an emulator, for what stands in between.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        platforms: Sequence[str] = PLATFORMS,
        *,
        through: Callable[[Running], str] = lambda running: running.base,
    ) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.clock = SharedClock(folder / "clock")
        self.books = Books()
        self.running: dict[str, Running] = {}
        self.turnstiles: dict[str, Turnstile] = {}
        for name in platforms:
            running = Running(load_emulator(name)(clock=self.clock), 0)
            turnstile = Turnstile(running._server.config.app, partial(self._note_arrivals, name))
            running._server.config.app = turnstile
            running.start()
            self.running[name], self.turnstiles[name] = running, turnstile
        self.direct = {name: running.base for name, running in self.running.items()}
        for running in self.running.values():
            running.base = through(running)
        self.path = folder / "reviewdesk.toml"
        self.path.write_text(toml_for(list(self.running.values()), shop="Obchod", poll_seconds=1), encoding="utf-8")
        self.config: Config = load(self.path, db=folder / "desk.db")
        self.store = Store(self.config.database, clock=self.clock)
        self.written, self.approved = self.books.written, self.books.approved
        self._said = 0
        self._answered: set[tuple[str, str]] = set()
        self._misheld: list[str] = []
        self._held = 0

    def close(self) -> None:
        self.store.close()
        for running in self.running.values():
            running.stop()

    @property
    def secrets(self) -> dict[str, str]:
        return {name: value for each in self.running.values() for name, value in each.emulator.secrets().items()}

    @property
    def environment(self) -> dict[str, str]:
        return {
            "REVIEWDESK_CONFIG": str(self.path),
            "REVIEWDESK_DB": str(self.config.database),
            "REVIEWDESK_LOG": str(self.folder / "log"),
            **self.secrets,
        }

    # -- the platforms -------------------------------------------------------------------------------------------------

    def act(self, platform: str, deed: Callable[[], Any]) -> Any:
        """Does something on a platform between two of its requests, and gives what it gave."""
        done: list[Any] = []
        self.turnstiles[platform].acts.append(lambda: done.append(deed()))
        self._ask(platform)
        return done[0]

    def _ask(self, platform: str) -> int:
        with urlopen(f"{self.direct[platform]}/_acts", timeout=10) as answer:
            return int(answer.read())

    def quiet(self, *, seconds: float = 20) -> None:
        """Waits until no request of the dead is under way: time must not pass for the desk alone.

        Connections are accepted in their order, so whoever asked before this call is inside when it is answered.
        """
        end = time.monotonic() + seconds
        for platform in self.running:
            # Twice: who came before us may have been let in without having asked yet.
            while self._ask(platform) + self._ask(platform):
                assert time.monotonic() < end, f"{platform} does not come to rest"
                time.sleep(0.002)

    # -- customers -----------------------------------------------------------------------------------------------------

    def _words(self) -> str:
        self._said += 1
        return f"{' '.join(self.chance.choices(_WORDS, k=self.chance.randint(3, 12)))} č. {self._said}"

    def customer_writes(self, platform: str | None = None) -> None:
        platform = platform or self.chance.choice(list(self.running))
        emulator, text = self.running[platform].emulator, self._words()
        author = f"Zákazník {self.chance.randint(1, 9)}"
        words = CustomerText(
            author=author,
            text=text,
            language="cs",
            rating=self.chance.randint(1, 5),
            product="Konvice" if self.chance.random() < 0.3 else "",
        )
        self._note_written(platform, self.act(platform, lambda: emulator.write(words)), author, "", text)

    def _note_written(self, platform: str, id: str, author: str, above: str, text: str) -> None:
        self.written[platform, id] = Written(platform, id, author, above, [(self.clock(), text)])

    def customer_edits(self) -> None:
        written = self._any_written()
        if written is None or (edit := _edit(self.running[written.platform].emulator)) is None:
            return
        back = len(written.texts) > 1 and self.chance.random() < 0.2
        text = written.texts[-2] if back else self._words()
        self.act(written.platform, lambda: edit(written.id, text))
        written.history.append((self.clock(), text))

    def customer_deletes(self) -> None:
        written = self._any_written()
        if written is None or (delete := _delete(self.running[written.platform].emulator)) is None:
            return
        self.act(written.platform, lambda: delete(written.id))
        written.gone_at = self.clock()
        if shop := getattr(self.running[written.platform].emulator, "shop", None):
            # Facebook takes the answers away with what they answer.
            left = {id.rpartition("_")[2] for id in shop.comments}
            for each in (*self.written.values(), *self.books.by_hand.values()):
                if each.platform == written.platform and each.id not in left and not each.gone:
                    each.gone_at = self.clock()

    def customer_answers(self) -> None:
        """Somebody goes on in the thread of a reply of the shop's."""
        platform = self.chance.choice(list(self.running))
        emulator = self.running[platform].emulator
        replies: list[ShopReply] = self.act(platform, lambda: list(emulator.shop_replies()))
        fresh = [each for each in replies if (platform, each.id) not in self._answered]
        if not fresh:
            return
        reply, text = self.chance.choice(fresh), self._words()
        self._answered.add((platform, reply.id))
        author = self._author_near(platform, reply.to)
        words = CustomerText(author=author, text=text, language="cs", rating=3)
        id = self.act(platform, lambda: emulator.answer(reply, words))
        if id is not None:
            self.books.replies[platform, reply.id] = reply.to
            self._note_written(platform, id, author, reply.id, text)

    def _author_near(self, platform: str, id: str) -> str:
        """Gives who goes on below a text: mostly who wrote it."""
        written = self.written.get((platform, id))
        same = written is not None and self.chance.random() < 0.7
        return written.author if written is not None and same else f"Zákazník {self.chance.randint(1, 9)}"

    def customer_goes_on(self) -> None:
        """Somebody writes right under what a customer wrote."""
        written = self._any_written()
        if written is None or (below := _below(self.running[written.platform].emulator)) is None:
            return
        author, text = self._author_near(written.platform, written.id), self._words()
        id = self.act(written.platform, lambda: below(written.id, text, author))
        self._note_written(written.platform, id, author, written.id, text)

    def shop_answers_by_hand(self) -> None:
        """A colleague answers on the platform itself, past the desk."""
        written = self._any_written()
        if written is None or (below := _below(self.running[written.platform].emulator)) is None:
            return
        text = f"Z telefonu: {self._words()}"

        def deed() -> str:
            id = below(written.id, text, "")
            # Noted at once: the reply must not look as if the desk had posted it.
            by_hand = Written(written.platform, id, "", written.id, [(self.clock(), text)])
            self.books.by_hand[written.platform, id] = by_hand
            return id

        self.act(written.platform, deed)

    def _any_written(self) -> Written | None:
        standing = [each for each in self.written.values() if not each.gone]
        return self.chance.choice(standing) if standing else None

    # -- the agent -----------------------------------------------------------------------------------------------------

    def agent_approves(self) -> None:
        respond = Respond(self.store, "jana", self.config)
        taken = {(each.platform, each.to) for each in self.approved if not each.taken_back}
        free = [each for key, each in self.written.items() if key not in taken and not each.gone]
        self.chance.shuffle(free)
        for written in free:
            stored = self.store.mentions.find(written.platform, written.id)
            if stored is None or stored.mention.ours or respond.reply_mode(stored.id) != "api":
                continue
            # Some replies are word for word the same, as templates make them.
            text = "Omlouváme se." if self.chance.random() < 0.2 else f"Omlouváme se, případ {len(self.approved)}."
            with suppress(NotAllowed):
                reply = respond.send(stored.id, text, despite_warnings=True)
                known = {each.id for each in self.books.others(written) if self.stored(each.platform, each.id)}
                knew = Knowledge(self.clock(), stored.mention.text, known, stored.gone_at is not None)
                self.approved.append(Approved(reply.id, written.platform, written.id, text, [knew]))
            return

    def agent_decides(self) -> None:
        """Looks through the replies that are held, and sends them all the same or takes them back; settles others."""
        self._settle_unknown()
        respond = Respond(self.store, "jana", self.config)
        mine = {each.reply: each for each in self.approved}
        for reply in self.store.outbox.in_states([DeliveryState.HELD]):
            approved = mine[reply.id]
            seen = self._seen(approved.platform, reply.updated_at)
            untrue = [each for each in reply.changes if not self.books.is_true(each, approved, seen)]
            self._held += 1
            if untrue or not reply.changes:
                self._misheld.append(f"{approved.platform}: reply {reply.id} to {approved.to} is held for {untrue}")
            with suppress(NotAllowed):
                if self.chance.random() < 0.8:
                    respond.release(reply)
                    self.books.learns(approved, reply.changes, self.clock())
                else:
                    respond.take_back(reply)
                    approved.taken_back = True

    def _seen(self, platform: str, until: datetime) -> set[str]:
        """Gives the ids of the texts that the desk had seen at a moment."""
        rows = self.store.db.conn.execute(
            "SELECT platform_id FROM mention WHERE source_id = ? AND seen_at <= ?", (platform, to_ms(until))
        )
        return {id for (id,) in rows}

    def _settle_unknown(self) -> None:
        """Looks on the platform for a reply of which the desk says that only a person can tell."""
        for reply in self.store.outbox.in_states([DeliveryState.UNKNOWN]):
            if "decide" not in reply.fault_hint:
                continue
            mine = next(each for each in self.approved if each.reply == reply.id)
            shown = self.act(mine.platform, lambda: list(self.running[mine.platform].emulator.shop_replies()))  # noqa: B023 - called at once
            same = sum((each.to, each.text) == (mine.to, mine.text) for each in shown)
            others = sum(
                (each.platform, each.to, each.text) == (mine.platform, mine.to, mine.text)
                and self.store.outbox.get(each.reply).state in _OUT
                for each in self.approved
            )
            with suppress(NotAllowed):
                Respond(self.store, "jana", self.config).settle(reply, posted=same > others)

    def agent_takes_back(self) -> None:
        open = [each for each in self.approved if not each.taken_back]
        if open:
            each = self.chance.choice(open)
            with suppress(NotAllowed):
                Respond(self.store, "jana", self.config).take_back(self.store.outbox.get(each.reply))
                each.taken_back = True

    def something_happens(self) -> None:
        """Lets one person do one thing."""
        (deed,) = self.chance.choices(
            (
                self.customer_writes,
                self.customer_edits,
                self.customer_deletes,
                self.customer_answers,
                self.customer_goes_on,
                self.shop_answers_by_hand,
                self.agent_approves,
                self.agent_decides,
                self.agent_takes_back,
            ),
            (6, 3, 0.5, 2, 1, 0.7, 8, 2, 0.5),
        )
        deed()

    # -- the books -----------------------------------------------------------------------------------------------------

    def settled(self) -> None:
        """Notes that an undisturbed poll has seen everything that stands there now."""
        for each in self.written.values():
            if not each.gone and each.settled[-1:] != each.texts[-1:]:
                each.settled.append(each.texts[-1])

    def is_anything_due(self) -> bool:
        """Tells whether a reply waits whose time has come."""
        due = self.store.outbox.next_due()
        return due is not None and due <= self.clock()

    def undecided(self) -> list[Reply]:
        """Gives the replies of which the desk has still to find out or do something."""
        return self.store.outbox.in_states([DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN])

    def _note_arrivals(self, platform: str) -> None:
        for each in self.running[platform].emulator.shop_replies():
            self.books.arrived.setdefault((platform, each.id), self.clock())

    def compare(self) -> Verdict:
        """Holds store and platforms against the books."""
        verdict = Verdict(mentions=len(self.written), replies=len(self.approved), held=self._held)
        verdict.misheld += self._misheld
        for written in self.written.values():
            self._compare_mention(written, verdict)
        for platform in self.running:
            self._compare_replies(platform, verdict)
        self._compare_store(verdict)
        return verdict

    def _compare_mention(self, written: Written, verdict: Verdict) -> None:
        name = f"{written.platform} {written.id}"
        rows = self._rows(
            "SELECT id, text, ours, gone_at FROM mention WHERE source_id = ? AND platform_id = ?",
            written.platform,
            written.id,
        )
        if not rows:
            if written.settled:
                verdict.lost.append(f"{name} is not in the store")
            return
        if len(rows) > 1:
            verdict.doubled.append(f"{name} is in the store {len(rows)} times")
        id, text, ours, gone = rows[0]
        versions = [
            words
            for (words,) in self._rows("SELECT text FROM mention_version WHERE mention_id = ? ORDER BY version", id)
        ]
        verdict.versions += len(versions)
        if ours:
            verdict.lost.append(f"{name} counts as the shop's own")
        if not written.gone and text != written.texts[-1]:
            verdict.lost.append(f"{name}: {text!r} instead of {written.texts[-1]!r}")
        if not _in_order(written.settled, versions):
            verdict.lost.append(f"{name}: of {written.settled} the store has only {versions}")
        if not _in_order(versions, written.texts):
            verdict.doubled.append(f"{name}: versions {versions} of what was only {written.texts}")
        if versions[-1:] != [text]:
            verdict.lost.append(f"{name}: the newest version is {versions[-1:]}, not {text!r}")
        if written.gone and gone is None and written.settled and written.platform in TELLS_DELETIONS:
            verdict.lost.append(f"{name}: nobody noticed that it is gone")
        if not written.gone and gone is not None:
            verdict.lost.append(f"{name} counts as gone")

    def _compare_replies(self, platform: str, verdict: Verdict) -> None:
        emulator = self.running[platform].emulator
        shown = self.act(platform, lambda: list(emulator.shop_replies()))
        standing = Counter((each.to, each.text) for each in shown if (platform, each.id) not in self.books.by_hand)
        approved = {(each.to, each.text) for each in self.approved if each.platform == platform}
        for key in standing.keys() - approved:
            verdict.unapproved.append(f"{platform}: {key} stands there and nobody approved it")
        due: Counter[tuple[str, str]] = Counter()
        for each in (each for each in self.approved if each.platform == platform):
            reply, key = self.store.outbox.get(each.reply), (each.to, each.text)
            if self.written[platform, each.to].gone:
                # Whether it stood there once went with the customer's text.
                due[key] = standing[key]
                continue
            if reply.state in _OUT:
                due[key] += 1
                self._compare_guard(each, reply, verdict)
            elif not (reply.state is DeliveryState.WITHDRAWN and each.taken_back):
                verdict.lost.append(f"{platform}: reply {each.reply} is {reply.state} ({reply.fault})")
        for key in due.keys() | standing.keys():
            if standing[key] > due[key] and key in approved:
                verdict.doubled.append(f"{platform}: {key} stands there {standing[key]} times instead of {due[key]}")
            if standing[key] < due[key]:
                verdict.lost.append(f"{platform}: {key} counts as posted and does not stand there")

    def _compare_guard(self, approved: Approved, reply: Reply, verdict: Verdict) -> None:
        """Nothing may have happened before the attempt that its agent did not know, where the thread is read again."""
        if not self.store.sources.capabilities(approved.platform).get("reread"):
            return
        arrived = self.books.arrived[approved.platform, reply.remote_id]
        attempts = self._rows(
            """SELECT max(at) FROM event WHERE what = 'reply sending' AND mention_id = ?
               AND json_extract(detail, '$.reply') = ? AND at <= ?""",
            reply.mention_id,
            reply.id,
            to_ms(arrived),
        )
        if unknown := self.books.unknown_at(approved, from_ms(attempts[0][0])):
            verdict.unguarded.append(f"{approved.platform}: reply {reply.id} to {approved.to} was sent, and {unknown}")

    def _compare_store(self, verdict: Verdict) -> None:
        if found := self.store.health.damage():
            verdict.lost.append(f"the database: {found}")
        for count, source, key in self._rows(
            "SELECT count(*), source_id, platform_id FROM mention GROUP BY 2, 3 HAVING count(*) > 1"
        ):
            verdict.doubled.append(f"{source} {key} is in the store {count} times")
        for (count,) in self._rows("SELECT count(*) FROM mention WHERE ours = 0 AND assessed = ''"):
            if count:
                verdict.lost.append(f"{count} mentions were never assessed")
        for source, key, text in self._rows("SELECT source_id, platform_id, text FROM mention WHERE ours = 0"):
            if (source, key) not in self.written:
                verdict.doubled.append(f"{source} {key} is in the store and nobody wrote it: {text!r}")
        for (word,) in self._rows("SELECT text FROM mention WHERE ours = 0 ORDER BY id DESC LIMIT 20"):
            found = self._rows("SELECT count(*) FROM mention_fts WHERE mention_fts MATCH ?", f'"{word}"')
            if found != [(1,)] and not word.startswith("Omlouv"):
                verdict.lost.append(f"the search finds {word!r} {found[0][0]} times")

    def _rows(self, sql: str, *params: Any) -> list[Any]:
        return self.store.db.conn.execute(sql, params).fetchall()

    def stored(self, platform: str, id: str) -> Stored | None:
        return self.store.mentions.find(platform, id)


def _in_order(some: Sequence[str], whole: Sequence[str]) -> bool:
    """Tells whether `some` are among the whole, in this order."""
    rest = iter(whole)
    return all(any(each == other for other in rest) for each in some)


def _edit(emulator: Any) -> Callable[[str, str], None] | None:
    """Gives what changes a customer's text on an emulator; None where it has nothing of the kind."""
    if hasattr(emulator, "shop"):

        def edit(id: str, text: str) -> None:
            emulator.shop.found(id).message = text

        return edit
    if hasattr(emulator, "reviews"):

        def rewrite(id: str, text: str) -> None:
            review = emulator._find(id)
            review.words = replace(review.words, text=text)
            emulator._changed = emulator.clock()

        return rewrite
    return getattr(emulator, "edit", None) or getattr(emulator, "rewrite", None)


def _below(emulator: Any) -> Callable[[str, str, str], str] | None:
    """Gives what writes a text right under another one, by an author or for the shop (""); None where nothing can."""
    if hasattr(emulator, "shop"):

        def comment(id: str, text: str, author: str) -> str:
            shop = emulator.shop
            above = shop.found(id)
            who = shop.person(author) if author else shop.owner
            made = shop.add_comment(above.post, text, who, under=above.id, target="" if author else above.id)
            return str(made.id.rpartition("_")[2])

        return comment
    if hasattr(emulator, "comment"):
        return lambda above, text, author: emulator.comment(author or emulator.ACCOUNT, text, above)
    return None


def _delete(emulator: Any) -> Callable[[str], None] | None:
    if hasattr(emulator, "shop"):
        return lambda text: emulator.shop.remove(emulator.shop.found(text).id)
    return getattr(emulator, "delete", None) or getattr(emulator, "withdraw", None)


@contextmanager
def world(folder: Path, seed: int, platforms: Sequence[str] = PLATFORMS, **more: Any) -> Iterator[World]:
    """Gives a world while the block runs; its secrets are in the environment so long."""
    made = World(folder, seed, platforms, **more)
    before = {name: os.environ.get(name) for name in made.secrets}
    os.environ.update(made.secrets)
    try:
        yield made
    finally:
        made.close()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
