"""Erases a person: all that they wrote, in every version and wherever it was copied to; counts and ids stay.

What is left of a mention is a row without a word in it, by which the next poll knows that it must not come back: its
id, source and thread, its times, rating and product, and what the assessment counted it as.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from reviewdesk.errors import NotAllowed
from reviewdesk.model import DeliveryState, Record
from reviewdesk.store.ingest import ERASED, SEARCHED, chunks, marks
from reviewdesk.store.search import match_expression
from reviewdesk.text import fold

if TYPE_CHECKING:
    from reviewdesk.store.db import Store

_SCRUBBED = "files cleaned"
_UNCLEAR = (DeliveryState.SENDING.value, DeliveryState.UNKNOWN.value)
_WAITING = (DeliveryState.QUEUED.value, DeliveryState.HELD.value)


class Person(Record, frozen=True, kw_only=True):
    """Somebody as one or several sources know them.

    Attributes:
        names: under which they wrote.
        ids: that platforms know them by.
        authors: rows of the author table.
        mentions: what they wrote.
        replies: texts of the shop's own that stand on platforms in answer to them.
        sources: where.
    """

    names: tuple[str, ...]
    ids: tuple[str, ...]
    authors: tuple[int, ...]
    mentions: tuple[int, ...]
    replies: tuple[int, ...]
    sources: tuple[str, ...]


class Found(Record, frozen=True, kw_only=True):
    """What will be erased of a person, in numbers."""

    mentions: int
    versions: int
    replies: int
    drafts: int
    notes: int
    set_aside: int


class Erasing:
    """The door to erasure.

    Args:
        store: opened for writing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._conn: sqlite3.Connection = store.db.conn

    def find(self, who: str, *, source: str = "") -> Person:
        """Gives the person with this name (case and diacritics do not count) or platform's id, at one source or at all.

        A platform's id brings in all that was written under it, under whatever name; a name does so too, where the
        platform tells ids.

        Raises:
            NotAllowed: nobody is called so.
        """
        wanted = fold(who).strip()
        if not wanted:
            raise NotAllowed("Whose texts are to be erased is not said.")
        authors = {
            id
            for id, key, name in self._conn.execute(
                "SELECT id, key, name FROM author WHERE ? IN ('', source_id)", (source,)
            )
            if wanted in (fold(name).strip(), fold(key.partition(":")[2]).strip())
        }
        named = [
            name
            for (name,) in self._conn.execute("SELECT DISTINCT author_name FROM mention WHERE author_name <> ''")
            if fold(name).strip() == wanted
        ]
        mentions = set(self._ids("author_name", named, source))
        authors.update(self._column("author_id", mentions))
        mentions.update(self._ids("author_id", sorted(authors), source))
        if not mentions and not authors:
            where = f" at {source}" if source else ""
            raise NotAllowed(
                f"Nobody{where} is called {who!r}.",
                hint="Give the whole name as `reviewdesk show` shows it, or the platform's id of the author.",
            )
        return self._person(sorted(authors), sorted(mentions))

    def of(self, mentions: Sequence[int]) -> Person:
        """Gives who wrote these mentions, as far as these mentions go: for a name that many have.

        Raises:
            NotAllowed: there is no such mention of a customer's.
        """
        wanted = sorted(set(mentions))
        known = set(self._ids("id", wanted, ""))
        if missing := [str(id) for id in wanted if id not in known]:
            raise NotAllowed(f"There is no mention of a customer's with the number {', '.join(missing)}.")
        authors = [
            author
            for author in self._column("author_id", wanted)
            if known.issuperset(self._ids("author_id", [author], ""))
        ]
        return self._person(sorted(authors), wanted)

    def _ids(self, column: str, values: Sequence[Any], source: str) -> Iterator[int]:
        for part in chunks(values):
            yield from (
                id
                for (id,) in self._conn.execute(
                    f"SELECT id FROM mention WHERE ours = 0 AND {column} IN ({marks(part)}) AND ? IN ('', source_id)",
                    (*part, source),
                )
            )

    def _column(self, column: str, mentions: Collection[int]) -> set[Any]:
        found = {
            value
            for part in chunks(sorted(mentions))
            for (value,) in self._conn.execute(f"SELECT {column} FROM mention WHERE id IN ({marks(part)})", part)
        }
        return found - {None, ""}

    def _person(self, authors: Sequence[int], mentions: Sequence[int]) -> Person:
        known = [
            row
            for part in chunks(authors)
            for row in self._conn.execute(f"SELECT key, name, source_id FROM author WHERE id IN ({marks(part)})", part)
        ]
        names = self._column("author_name", mentions) | {name for _, name, _ in known if name}
        return Person(
            names=tuple(sorted(names)),
            ids=tuple(sorted({key[3:] for key, _, _ in known if key.startswith("id:")})),
            authors=tuple(authors),
            mentions=tuple(mentions),
            replies=tuple(sorted(self._answers(mentions))),
            sources=tuple(sorted(self._column("source_id", mentions) | {source for _, _, source in known})),
        )

    def _answers(self, mentions: Sequence[int]) -> set[int]:
        return {
            id
            for part in chunks(mentions)
            for (id,) in self._conn.execute(
                f"""SELECT answer.id FROM mention JOIN mention AS answer ON answer.source_id = mention.source_id
                      AND answer.ours = 1 AND answer.parent = mention.platform_id
                    WHERE mention.id IN ({marks(part)})
                    UNION SELECT answer.id FROM mention JOIN thread ON thread.id = mention.thread_id
                      AND thread.key = mention.platform_id
                    JOIN mention AS answer ON answer.thread_id = thread.id AND answer.ours = 1 AND answer.parent = ''
                    WHERE mention.id IN ({marks(part)})""",
                (*part, *part),
            )
        }

    def found(self, person: Person) -> Found:
        """Gives in numbers what `erase` will take away."""
        texts = (*person.mentions, *person.replies)
        return Found(
            mentions=len(person.mentions),
            versions=self._count("mention_version", texts),
            replies=self._count("reply", person.mentions),
            drafts=self._count("draft", person.mentions),
            notes=self._count("note", person.mentions),
            set_aside=len(self._set_aside(person)),
        )

    def _count(self, table: str, mentions: Sequence[int]) -> int:
        return sum(
            self._conn.execute(f"SELECT count(*) FROM {table} WHERE mention_id IN ({marks(part)})", part).fetchone()[0]
            for part in chunks(mentions)
        )

    def elsewhere(self, person: Person) -> list[int]:
        """Gives the mentions of others in which a name of the person stands, or in their notes, drafts and replies."""
        own = {*person.mentions, *person.replies}
        found: set[int] = set()
        for name in (name for name in person.names if len(name) > 3):
            found.update(
                id
                for (id,) in self._conn.execute(
                    "SELECT rowid FROM mention_fts WHERE mention_fts MATCH ?",
                    (match_expression('"' + name.replace('"', " ") + '"'),),
                )
            )
            for table in ("note", "draft", "reply"):
                found.update(
                    id
                    for (id,) in self._conn.execute(f"SELECT mention_id FROM {table} WHERE instr(text, ?) > 0", (name,))
                )
        return sorted(found - own)

    def erase(self, person: Person, *, agent: str) -> None:
        """Erases all of a person in the caller's transaction or one of its own; `scrub` takes it off the disk as well.

        Raises:
            NotAllowed: a reply to them is under way; its text is needed to find out whether it was posted.
        """
        with self._store.transaction() as conn:
            conn.execute("PRAGMA secure_delete = ON")
            self._stop_replies(conn, person)
            for part in chunks((*person.mentions, *person.replies)):
                self._blank(conn, part)
            for part in chunks(person.mentions):
                self._people_s_work(conn, part, agent)
            self._copies(conn, person)
            for part in chunks(person.authors):
                conn.execute(f"DELETE FROM author WHERE id IN ({marks(part)})", part)

    def _stop_replies(self, conn: sqlite3.Connection, person: Person) -> None:
        for part in chunks(person.mentions):
            unclear = conn.execute(
                f"SELECT id FROM reply WHERE mention_id IN ({marks(part)}) AND state IN ({marks(_UNCLEAR)})",
                (*part, *_UNCLEAR),
            ).fetchall()
            if unclear:
                numbers = ", ".join(str(id) for (id,) in unclear)
                raise NotAllowed(
                    f"A reply to this person is under way ({numbers}), and without its text nobody could find it.",
                    hint="Wait until it has arrived, or say with `reviewdesk outbox settle` what became of it.",
                )
            conn.execute(
                f"""UPDATE reply SET state = 'withdrawn', updated_at = ?
                    WHERE mention_id IN ({marks(part)}) AND state IN ({marks(_WAITING)})""",
                (self._store.now_ms(), *part, *_WAITING),
            )

    def _blank(self, conn: sqlite3.Connection, mentions: Sequence[int]) -> None:
        within = f"IN ({marks(mentions)})"
        conn.execute(
            f"INSERT INTO mention_fts (mention_fts, rowid, {SEARCHED})"
            f" SELECT 'delete', id, {SEARCHED} FROM mention WHERE id {within}",
            mentions,
        )
        now = self._store.now_ms()
        conn.execute(
            f"""UPDATE mention SET title = '', text = '', pros = '[]', cons = '[]', author_name = '', author_id = NULL,
                  order_id = '', url = '', facts = '{{}}', content_hash = '', facts_hash = '', status = 'closed',
                  assignee = '', snoozed_until = NULL, changed_at = ?, gone_at = coalesce(gone_at, ?), erased_at = ?
                WHERE id {within}""",
            (now, now, now, *mentions),
        )
        conn.execute(
            f"INSERT INTO mention_fts (rowid, {SEARCHED}) SELECT id, {SEARCHED} FROM mention WHERE id {within}",
            mentions,
        )
        for table in ("mention_version", "assessment"):
            conn.execute(f"DELETE FROM {table} WHERE mention_id {within}", mentions)

    def _people_s_work(self, conn: sqlite3.Connection, mentions: Sequence[int], agent: str) -> None:
        within = f"IN ({marks(mentions)})"
        for table in ("draft", "note"):
            conn.execute(f"DELETE FROM {table} WHERE mention_id {within}", mentions)
        if conn.execute(f"DELETE FROM correction WHERE mention_id {within}", mentions).rowcount:
            conn.execute("DELETE FROM learned")  # the next poll learns from the corrections that are left
        conn.execute(
            f"""UPDATE reply SET text = '', remote_text = NULL, remote_url = '', fault = '', fault_hint = '',
                  changes = '[]' WHERE mention_id {within}""",
            mentions,
        )
        conn.execute(f"UPDATE event SET detail = '{{}}', action = '' WHERE mention_id {within}", mentions)
        conn.executemany(
            "INSERT INTO event (at, agent, what, mention_id) VALUES (?, ?, 'erased', ?)",
            [(self._store.now_ms(), agent, mention) for mention in mentions],
        )

    def _copies(self, conn: sqlite3.Connection, person: Person) -> None:
        """What others' rows hold of the person: payloads that came with theirs inside, what replies were held for."""
        for part in chunks(sorted(self._column("thread_id", person.mentions))):
            others = f"SELECT id FROM mention WHERE thread_id IN ({marks(part)})"
            conn.execute(f"UPDATE reply SET changes = '[]' WHERE mention_id IN ({others})", part)
            conn.execute(f"UPDATE mention_version SET raw = NULL WHERE mention_id IN ({others})", part)
        for needle in _written({*person.names, *person.ids}):
            for source in person.sources:
                conn.execute(
                    """UPDATE mention_version SET raw = NULL WHERE raw IS NOT NULL AND instr(raw, ?) > 0
                         AND mention_id IN (SELECT id FROM mention WHERE source_id = ?)""",
                    (f'"{needle}"', source),
                )
        for part in chunks(self._set_aside(person)):
            conn.execute(
                f"UPDATE set_aside SET raw = '', reason = ? WHERE id IN ({marks(part)})",
                (ERASED, *part),
            )

    def _set_aside(self, person: Person) -> list[int]:
        found: set[int] = set()
        for needle in _written({*person.names, *person.ids}):
            whole = _whole(needle)
            for source in person.sources:
                found.update(
                    id
                    for id, raw, reason in self._conn.execute(
                        """SELECT id, raw, reason FROM set_aside
                           WHERE source_id = ? AND (instr(raw, ?) > 0 OR instr(reason, ?) > 0)""",
                        (source, needle, needle),
                    )
                    if whole.search(raw) or whole.search(reason)
                )
        return sorted(found)

    def scrub(self) -> bool:
        """Takes what was deleted off the disk: out of the search index, the file's free pages and the log beside it.

        The whole file is written anew. False where another program kept the log from being emptied; what was erased is
        then still in it until that program has ended and this is done again.

        Raises:
            StoreError: the database is busy for too long, or there is no room for a second copy.
        """
        with self._store.transaction() as conn:
            conn.execute("INSERT INTO mention_fts (mention_fts) VALUES ('optimize')")
        with self._store.told():
            self._conn.execute("VACUUM")
        if clean := self._store.empty_log():
            self._store.people.log(_SCRUBBED, agent="")
        return clean

    def unclean(self) -> bool:
        """Tells whether something was erased that may still stand in the database's files."""
        erased, scrubbed = (
            self._conn.execute("SELECT coalesce(max(id), 0) FROM event WHERE what = ?", (what,)).fetchone()[0]
            for what in ("erased", _SCRUBBED)
        )
        return bool(erased > scrubbed)


def _written(words: Collection[str]) -> set[str]:
    """Gives words as they stand in payloads: as they are, and in JSON with and without escapes."""
    return {form for word in words for form in (word, *(json.dumps(word, ensure_ascii=a)[1:-1] for a in (True, False)))}


def _whole(words: str) -> re.Pattern[str]:
    """Gives what finds words that are no part of longer ones; before them may stand what JSON escapes."""
    return re.compile(rf"(?:(?<!\w)|(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{{4}})){re.escape(words)}(?!\w)")
