"""What people add: notes, tags, the shop's own templates, and the log of who did what."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reviewdesk.errors import NotAllowed
from reviewdesk.model import Purpose, Template, Topic
from reviewdesk.store.db import from_ms
from reviewdesk.store.ingest import chunks, marks
from reviewdesk.store.records import Event, Note

if TYPE_CHECKING:
    from reviewdesk.store.db import Store


class People:
    """The door to notes, tags, templates and the log; made by `Store.people`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._conn: sqlite3.Connection = store.db.conn

    def add_note(self, mentions: Sequence[int], agent: str, text: str) -> str:
        """Adds a note for colleagues to mentions; the public never sees it. Gives a key for `undo`."""
        action, now = secrets.token_hex(8), self._store.now_ms()
        with self._store.transaction() as conn:
            for mention in mentions:
                (note,) = conn.execute(
                    "INSERT INTO note (mention_id, agent, text, at) VALUES (?, ?, ?, ?) RETURNING id",
                    (mention, agent, text, now),
                ).fetchone()
                self._log_action(conn, action, agent, "noted", [mention], {"note": note})
            self._touch(conn, mentions)
        return action

    def notes(self, mention: int) -> tuple[Note, ...]:
        """Gives a mention's notes, oldest first."""
        return tuple(
            Note(id=id, agent=agent, text=text, at=from_ms(at))
            for id, agent, text, at in self._conn.execute(
                "SELECT id, agent, text, at FROM note WHERE mention_id = ? ORDER BY id", (mention,)
            )
        )

    def tag(self, mentions: Sequence[int], tag: str, *, agent: str, on: bool = True) -> tuple[str, int]:
        """Puts a tag on mentions, or takes it off. Gives a key for `undo` and how many had it otherwise before."""
        action = secrets.token_hex(8)
        with self._store.transaction() as conn:
            changed = self._put_tag(conn, mentions, tag, on)
            self._log_action(conn, action, agent, "tagged" if on else "untagged", changed, {"tag": tag})
        return action if changed else "", len(changed)

    def undo(self, action: str, *, agent: str) -> tuple[int, int]:
        """Takes a tagging or a note back. Gives of how many mentions, and how many were changed by someone since."""
        undone, kept = 0, 0
        with self._store.transaction() as conn:
            for mention, what, detail in conn.execute(
                "SELECT mention_id, what, detail FROM event WHERE action = ? ORDER BY id", (action,)
            ).fetchall():
                told = json.loads(detail)
                if what in ("tagged", "untagged"):
                    done = bool(self._put_tag(conn, [mention], told["tag"], what == "untagged"))
                elif what == "noted":
                    done = conn.execute("DELETE FROM note WHERE id = ?", (told["note"],)).rowcount > 0
                    self._touch(conn, [mention])
                else:
                    continue
                undone, kept = undone + done, kept + 1 - done
                if done:
                    self._log_action(conn, "", agent, "undone", [mention], {})
        return undone, kept

    def _put_tag(self, conn: sqlite3.Connection, mentions: Sequence[int], tag: str, on: bool) -> list[int]:
        statement = (
            "INSERT INTO tag (mention_id, tag) VALUES (?, ?) ON CONFLICT DO NOTHING"
            if on
            else "DELETE FROM tag WHERE mention_id = ? AND tag = ?"
        )
        changed = [mention for mention in mentions if conn.execute(statement, (mention, tag)).rowcount]
        self._touch(conn, changed)
        return changed

    def _log_action(
        self,
        conn: sqlite3.Connection,
        action: str,
        agent: str,
        what: str,
        mentions: Sequence[int],
        detail: Mapping[str, object],
    ) -> None:
        now, told = self._store.now_ms(), json.dumps(detail)
        conn.executemany(
            "INSERT INTO event (at, agent, what, mention_id, action, detail) VALUES (?, ?, ?, ?, ?, ?)",
            [(now, agent, what, mention, action, told) for mention in mentions],
        )

    def tags(self, mention: int) -> tuple[str, ...]:
        """Gives a mention's tags in order of the alphabet."""
        return tuple(
            tag for (tag,) in self._conn.execute("SELECT tag FROM tag WHERE mention_id = ? ORDER BY tag", (mention,))
        )

    def all_tags(self) -> list[tuple[str, int]]:
        """Gives every tag with the number of mentions that bear it, the most used first."""
        return self._conn.execute("SELECT tag, count(*) FROM tag GROUP BY tag ORDER BY count(*) DESC, tag").fetchall()

    def templates(self) -> tuple[Template, ...]:
        """Gives the shop's own templates."""
        return tuple(
            Template(
                name=name,
                language=language,
                purpose=Purpose(purpose),
                title=title,
                topics=tuple(Topic(topic) for topic in json.loads(topics)),
                body=body,
            )
            for name, language, purpose, title, topics, body in self._conn.execute(
                "SELECT name, language, purpose, title, topics, body FROM template ORDER BY language, name"
            )
        )

    def save_template(self, template: Template) -> None:
        """Keeps a template of the shop's own, in place of the one with the same name and language."""
        with self._store.transaction() as conn:
            conn.execute(
                """INSERT INTO template (name, language, purpose, title, topics, body, updated_at)
                   VALUES (?, ?, ?, ?, ?, ?, ?)
                   ON CONFLICT (name, language) DO UPDATE SET purpose = excluded.purpose, title = excluded.title,
                     topics = excluded.topics, body = excluded.body, updated_at = excluded.updated_at""",
                (
                    template.name,
                    template.language,
                    template.purpose.value,
                    template.title,
                    json.dumps([topic.value for topic in template.topics]),
                    template.body,
                    self._store.now_ms(),
                ),
            )

    def delete_template(self, name: str, language: str) -> None:
        """Removes a template of the shop's own.

        Raises:
            NotAllowed: there is none.
        """
        with self._store.transaction() as conn:
            done = conn.execute("DELETE FROM template WHERE name = ? AND language = ?", (name, language))
            if not done.rowcount:
                raise NotAllowed(
                    f"There is no template {name!r} of your own in {language!r}.",
                    hint="`reviewdesk templates` lists them; bundled ones cannot be removed.",
                )

    def log(self, what: str, *, agent: str, mention: int | None = None, source: str | None = None) -> None:
        """Writes one line into the log of who did what."""
        with self._store.transaction() as conn:
            conn.execute(
                "INSERT INTO event (at, agent, what, mention_id, source_id) VALUES (?, ?, ?, ?, ?)",
                (self._store.now_ms(), agent, what, mention, source),
            )

    def events(self, mention: int | None = None, *, limit: int = 200) -> list[Event]:
        """Gives the newest lines of the log, newest first; of one mention or of all."""
        where = "" if mention is None else "WHERE mention_id = :mention"
        return [
            Event(
                id=id,
                at=from_ms(at),
                agent=agent,
                what=what,
                mention_id=about,
                source=source,
                detail=json.loads(detail),
            )
            for id, at, agent, what, about, source, detail in self._conn.execute(
                f"SELECT id, at, agent, what, mention_id, source_id, detail FROM event {where}"
                " ORDER BY id DESC LIMIT :limit",
                {"mention": mention, "limit": limit},
            )
        ]

    def _touch(self, conn: sqlite3.Connection, mentions: Sequence[int]) -> None:
        for part in chunks(mentions):
            conn.execute(
                f"UPDATE mention SET changed_at = ? WHERE id IN ({marks(part)})", (self._store.now_ms(), *part)
            )
