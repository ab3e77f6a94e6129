"""Mentions: taken in, listed by view, shown with their conversation, changed by people with a way back."""

from __future__ import annotations

import json
import secrets
import sqlite3
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from reviewdesk.errors import NotAllowed
from reviewdesk.model import (
    Assessment,
    Attachment,
    Author,
    DeliveryState,
    Kind,
    Label,
    Mention,
    SetAside,
    Severity,
    Status,
)
from reviewdesk.store.corrections import outranked
from reviewdesk.store.db import from_ms, from_ms_or_none, to_ms
from reviewdesk.store.ingest import Ingest, chunks, marks
from reviewdesk.store.outbox import writers
from reviewdesk.store.records import (
    Conversation,
    Correction,
    Filter,
    Ingested,
    Item,
    Row,
    Stored,
    Version,
    View,
    as_written,
)
from reviewdesk.store.schema import NEVER
from reviewdesk.store.search import match_expression
from reviewdesk.text import safe

if TYPE_CHECKING:
    from reviewdesk.store.db import Store

_OPEN = "ours = 0 AND status IN ('new', 'open')"
_VIEWS: Mapping[View, str] = {
    View.COMPLAINTS: f"{_OPEN} AND complaint = 1",
    View.NEEDS_REPLY: _OPEN,
    View.MINE: f"{_OPEN} AND assignee = :agent",
    View.OVERDUE: f"{_OPEN} AND due_at < :now",
    View.SNOOZED: "ours = 0 AND status = 'snoozed'",
    View.OUTBOX: "id IN (SELECT mention_id FROM reply WHERE state NOT IN ('visible', 'withdrawn', 'posted'))",
    View.ALL: "ours = 0",
}
_BY_URGENCY = "complaint DESC, due_at, id"
_BY_TIME = "created_at DESC, id DESC"
_ORDERS: Mapping[View, str] = {
    View.SNOOZED: "snoozed_until, id",
    View.OUTBOX: _BY_TIME,
    View.ALL: _BY_TIME,
    View.OVERDUE: "due_at, id",
}
_ROW = """mention.id, mention.source_id, source.connector, mention.kind, mention.author_name,
    substr(mention.text, 1, 400), substr(mention.title, 1, 400),
    CASE mention.text WHEN '' THEN mention.cons ELSE '[]' END,
    CASE mention.text WHEN '' THEN mention.pros ELSE '[]' END,
    mention.created_at, mention.due_at, mention.rating, mention.status, mention.complaint, mention.severity,
    mention.compound, mention.assignee, mention.snoozed_until, mention.gone_at IS NOT NULL, mention.version > 1,
    (SELECT json_group_array(json_array(agent, opened_at, open_until, updated_at, text <> '', holder)) FROM draft
     WHERE draft.mention_id = mention.id),
    (SELECT state FROM reply WHERE reply.mention_id = mention.id ORDER BY reply.id DESC LIMIT 1),
    (SELECT group_concat(tag, char(10)) FROM tag WHERE tag.mention_id = mention.id)"""
_STORED = """mention.id, mention.source_id, source.connector, mention.platform_id, thread.key, mention.thread_id,
    mention.parent, mention.kind, mention.ours, mention.version, mention.created_at, mention.seen_at,
    mention.changed_at, mention.edited_at, mention.gone_at, mention.title, mention.text, mention.pros, mention.cons,
    author.key,
    mention.author_name, author.url, mention.order_id, mention.product, mention.rating, mention.recommends, mention.url,
    mention.language, mention.hidden, mention.liked, mention.facts, mention.status, mention.assignee,
    mention.snoozed_until, mention.due_at, mention.answered_at, mention.closed_at,
    (SELECT body FROM assessment WHERE assessment.mention_id = mention.id AND assessment.version = mention.version),
    correction.label, correction.complaint, correction.agent, correction.at, mention.erased_at"""
_FROM_STORED = """FROM mention JOIN source ON source.id = mention.source_id JOIN thread ON thread.id = mention.thread_id
    LEFT JOIN author ON author.id = mention.author_id
    LEFT JOIN correction ON correction.mention_id = mention.id AND correction.version = mention.version"""
_CHANGEABLE = frozenset(
    (
        "status",
        "assignee",
        "snoozed_until",
        "answered_at",
        "closed_at",
        "due_at",
        "hidden",
        "liked",
        "complaint",
        "severity",
    )
)
_THREAD_LIMIT = 200
# The texts above the focus up to the post, and everything below the topmost text that is no post.
_BRANCH = """mention.id IN (
        WITH RECURSIVE
        up (id, platform_id, parent, kind, depth) AS (
            SELECT id, platform_id, parent, kind, 0 FROM mention WHERE id = :id
            UNION ALL
            SELECT above.id, above.platform_id, above.parent, above.kind, up.depth + 1
            FROM up JOIN mention above ON above.source_id = :source AND above.platform_id = up.parent
            WHERE up.parent <> '' AND up.depth < 20),
        top (platform_id) AS (
            SELECT platform_id FROM up WHERE kind <> 'post' ORDER BY depth DESC LIMIT 1),
        down (id, platform_id, depth) AS (
            SELECT id, platform_id, 0 FROM mention
            WHERE source_id = :source AND platform_id IN (SELECT platform_id FROM top)
            UNION ALL
            SELECT below.id, below.platform_id, down.depth + 1
            FROM down JOIN mention below ON below.source_id = :source AND below.parent = down.platform_id
            WHERE down.depth < 20)
        SELECT id FROM up
        UNION SELECT id FROM down
        UNION SELECT id FROM mention WHERE source_id = :source AND parent = :key AND ours = 1)"""


class Mentions:
    """The door to mentions; made by `Store.mentions`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._conn: sqlite3.Connection = store.db.conn

    def ingest(
        self,
        source: str,
        mentions: Sequence[Mention],
        *,
        set_aside: Sequence[SetAside] = (),
        gone: Sequence[str] = (),
        told: Callable[[Item], None] | None = None,
    ) -> Ingested:
        """Takes mentions in: new ones, new versions of edited ones; the same again changes nothing.

        Joins the caller's transaction, so that a cursor can be committed with them.

        Args:
            told: is called with what became of each item.
        """
        with self._store.transaction():
            return Ingest(self._store, source, self._store.now_ms()).take(mentions, set_aside, gone, told)

    def unassessed(self, assessor: str, *, limit: int = 2000) -> list[Stored]:
        """Gives customers' mentions whose current text `assessor` has not seen yet, in the order of their ids."""
        return self._stored(
            """mention.ours = 0 AND mention.id IN
                 (SELECT id FROM mention WHERE ours = 0 AND erased_at IS NULL AND assessed < :assessor UNION ALL
                  SELECT id FROM mention WHERE ours = 0 AND erased_at IS NULL AND assessed > :assessor LIMIT :limit)""",
            {"assessor": assessor, "limit": limit},
            tail="ORDER BY mention.id",
        )

    def put_assessments(self, judged: Iterable[tuple[int, int, Assessment, datetime | None]]) -> int:
        """Stores assessments as (mention id, version, assessment, deadline); one of an older version is dropped.

        Gives how many were stored. A deadline that passed more than `reviewdesk.desk.deadlines` allows is None.
        """
        now = self._store.now_ms()
        rows: list[dict[str, Any]] = [
            {
                "id": id,
                "version": version,
                "assessor": assessment.assessor,
                "now": now,
                "body": msgspec.json.encode(assessment).decode(),
                "language": assessment.language,
                "complaint": int(assessment.complaint),
                "severity": assessment.severity.rank,
                "probability": assessment.probability,
                "compound": assessment.compound,
                "due_at": to_ms(due) if due else NEVER,
            }
            for id, version, assessment, due in judged
        ]
        with self._store.transaction() as conn:
            conn.executemany(
                """INSERT INTO assessment (mention_id, version, assessor, assessed_at, body)
                   SELECT :id, :version, :assessor, :now, :body FROM mention WHERE id = :id AND version = :version
                   ON CONFLICT (mention_id, version) DO UPDATE SET assessor = excluded.assessor,
                     assessed_at = excluded.assessed_at, body = excluded.body""",
                rows,
            )
            stored = conn.executemany(
                """UPDATE mention SET assessed = :assessor,
                     language = CASE language WHEN '' THEN :language ELSE language END, complaint = :complaint,
                     severity = :severity, probability = :probability, compound = :compound,
                     due_at = :due_at, changed_at = :now
                   WHERE id = :id AND version = :version""",
                rows,
            ).rowcount
            self._store.corrections.outrank([row["id"] for row in rows])
            return stored

    def ids(self, which: Filter, *, limit: int | None = None) -> array[int]:
        """Gives the ids of a filter's mentions in its view's order, as `array('q')`.

        That is: complaints first, then by deadline; `ALL` and searches newest first. A million ids take 8 MB.
        """
        where, params = self._where(which)
        order = _BY_TIME if which.search else _ORDERS.get(which.view, _BY_URGENCY)
        params["limit"] = -1 if limit is None else limit
        found = self._conn.execute(f"SELECT id FROM mention WHERE {where} ORDER BY {order} LIMIT :limit", params)
        ids = array("q")
        while part := found.fetchmany(10_000):
            ids.extend(id for (id,) in part)
        return ids

    def rows(self, ids: Sequence[int]) -> dict[int, Row]:
        """Gives the lines of these ids, by id; those that are no longer there are left out."""
        found: dict[int, Row] = {}
        for part in chunks(ids):
            for row in self._conn.execute(
                f"SELECT {_ROW} FROM mention JOIN source ON source.id = mention.source_id"
                f" WHERE mention.id IN ({marks(part)})",
                part,
            ):
                found[row[0]] = _row(row, self._store.now_ms())
        return found

    def count(self, which: Filter) -> int:
        """Gives how many mentions a filter has."""
        where, params = self._where(which)
        return int(self._conn.execute(f"SELECT count(*) FROM mention WHERE {where}", params).fetchone()[0])

    def counts(self, agent: str) -> dict[View, int]:
        """Gives the number of mentions in each view, for one agent."""
        return {view: self.count(Filter(view=view, agent=agent)) for view in View}

    def _where(self, which: Filter) -> tuple[str, dict[str, Any]]:
        clauses = [_VIEWS[which.view]]
        params: dict[str, Any] = {"agent": which.agent, "now": self._store.now_ms()}

        def also(clause: str, **values: Any) -> None:
            clauses.append(clause)
            params.update(values)

        if which.search.strip():
            also(
                "id IN (SELECT rowid FROM mention_fts WHERE mention_fts MATCH :match)",
                match=match_expression(which.search),
            )
        if which.source:
            also("source_id = :source", source=which.source)
        if which.status is not None:
            also("status = :status", status=which.status.value)
        if which.complaint is not None:
            also("complaint = :complaint", complaint=int(which.complaint))
        if which.tag:
            also("id IN (SELECT mention_id FROM tag WHERE tag = :tag)", tag=which.tag)
        if which.assignee:
            also("assignee = :assignee", assignee=which.assignee)
        if which.since:
            also("created_at >= :since", since=to_ms(which.since))
        if which.until:
            also("created_at < :until", until=to_ms(which.until))
        return " AND ".join(clauses), params

    def get(self, id: int) -> Stored:
        """Gives one mention.

        Raises:
            NotAllowed: there is none with this id.
        """
        found = self._stored("mention.id = :id", {"id": id})
        if not found:
            raise NotAllowed(f"There is no mention {id}.", hint="`reviewdesk list` shows the ids.")
        return found[0]

    def find(self, source: str, platform_id: str) -> Stored | None:
        """Gives the mention that a platform knows by this id, if it is in the store."""
        found = self._stored(
            "mention.source_id = :source AND mention.platform_id = :key", {"source": source, "key": platform_id}
        )
        return found[0] if found else None

    def seen_since(self, source: str, platform_id: str, ms: int) -> bool:
        """Tells whether a version of a mention came in at a time, in milliseconds, or later."""
        found = self._conn.execute(
            """SELECT 1 FROM mention JOIN mention_version ON mention_version.mention_id = mention.id
               WHERE source_id = ? AND platform_id = ? AND mention_version.seen_at >= ? LIMIT 1""",
            (source, safe(platform_id), ms),
        )
        return found.fetchone() is not None

    def all_stored(self, ids: Sequence[int]) -> list[Stored]:
        """Gives these mentions whole, in the order of `ids`; those that are no longer there are left out."""
        found: dict[int, Stored] = {}
        for part in chunks(ids):
            found.update((each.id, each) for each in self._stored(f"mention.id IN ({','.join(map(str, part))})", {}))
        return [found[id] for id in ids if id in found]

    def conversation(self, id: int) -> Conversation:
        """Gives everything around one mention.

        Raises:
            NotAllowed: there is none with this id.
        """
        focus = self.get(id)
        thread = self._thread(focus)
        return Conversation(
            focus=focus,
            thread=tuple(thread),
            replies=self._store.outbox.replies_to(id),
            history=self._history(focus, {each.id for each in thread}),
            versions=self._earlier(focus),
            notes=self._store.people.notes(id),
            tags=self._store.people.tags(id),
            writers=self._store.outbox.writers(id),
            flat=bool(self._store.sources.capabilities(focus.source).get("flat")),
        )

    def _thread(self, focus: Stored) -> list[Stored]:
        """Gives the texts of private messages; else those above the focus up to the post, and below the topmost one.

        Of too many the newest, with the focus and the post.
        """
        where = "mention.thread_id = :thread" if focus.mention.kind is Kind.MESSAGE else _BRANCH
        found = self._stored(
            where,
            {
                "id": focus.id,
                "thread": focus.thread,
                "source": focus.source,
                "key": focus.mention.id,
                "limit": _THREAD_LIMIT,
            },
            tail="""ORDER BY (mention.id = :id OR mention.kind = 'post') DESC, mention.created_at DESC, mention.id DESC
                    LIMIT :limit""",
        )
        return sorted(found, key=_when)

    def _history(self, focus: Stored, shown: set[int]) -> tuple[Row, ...]:
        author = focus.mention.author
        full_name = author.name if author and " " in author.name.strip() else ""
        found = self._conn.execute(
            """SELECT id FROM mention WHERE ours = 0 AND author_id = (SELECT author_id FROM mention WHERE id = :id)
               UNION SELECT id FROM mention
                 WHERE ours = 0 AND :order_id <> '' AND order_id <> '' AND order_id = :order_id
               UNION SELECT id FROM mention
                 WHERE ours = 0 AND :name <> '' AND author_name <> '' AND author_name = :name""",
            {"id": focus.id, "order_id": focus.mention.order_id, "name": full_name},
        )
        ids = sorted((id for (id,) in found if id not in shown), reverse=True)[:50]
        return tuple(sorted(self.rows(ids).values(), key=lambda row: row.created_at, reverse=True)[:20])

    def _earlier(self, focus: Stored) -> tuple[Version, ...]:
        return tuple(
            _version(row)
            for row in self._conn.execute(
                """SELECT version, seen_at, title, text, pros, cons, rating FROM mention_version
                   WHERE mention_id = ? AND version < ? ORDER BY version""",
                (focus.id, focus.version),
            )
        )

    def text_of(self, id: int, version: int) -> Version | None:
        """Gives a mention's text in one of its versions; None where it has none of that number."""
        found = self._conn.execute(
            """SELECT version, seen_at, title, text, pros, cons, rating FROM mention_version
               WHERE mention_id = ? AND version = ?""",
            (id, version),
        ).fetchone()
        return _version(found) if found else None

    def newest(self) -> int:
        """Gives the id of the mention that came in last, 0 where there is none; later ones have higher ids."""
        return int(self._conn.execute("SELECT coalesce(max(id), 0) FROM mention").fetchone()[0])

    def came_after(self, focus: Stored, id: int, *, beside: bool = False, limit: int = 200) -> list[Stored]:
        """Gives what came in after the text with this id and may concern a mention, oldest first.

        That is what the shop, the mention's author and people without a name wrote in its thread. Replies that the desk
        itself has posted are not among them.

        Args:
            beside: also what the author wrote under the same text as the mention, where that is a thread of its own.
        """
        found = self._stored(
            """mention.source_id = :source AND mention.id <> :id AND mention.id > :after
               AND (mention.thread_id = :thread OR (:beside <> '' AND mention.parent = :beside))
               AND mention.gone_at IS NULL
               AND (mention.ours = 1 OR mention.author_id IS NULL OR :name = '' OR mention.author_name = :name
                    OR mention.author_id = (SELECT author_id FROM mention WHERE id = :id))
               AND NOT EXISTS (SELECT 1 FROM reply JOIN mention answered ON answered.id = reply.mention_id
                               WHERE answered.source_id = :source AND reply.remote_id = mention.platform_id)""",
            {
                "thread": focus.thread,
                "beside": (focus.mention.parent_id or "") if beside else "",
                "id": focus.id,
                "key": focus.mention.id,
                "name": focus.mention.author.name if focus.mention.author else "",
                "after": id,
                "source": focus.source,
                "limit": limit,
            },
            # Under a busy post the limit must not leave out what counts most: what stands below, and the author's own.
            tail="""ORDER BY mention.parent = :key DESC,
                      mention.author_id = (SELECT author_id FROM mention WHERE id = :id) DESC, mention.created_at,
                      mention.id LIMIT :limit""",
        )
        return sorted(found, key=_when)

    def names_near(self, focus: Stored, agent: str, *, limit: int = 50) -> list[str]:
        """Gives the names of other customers whom an agent may take for a mention's author, in order of the alphabet.

        They have written in the same thread, or are among those whom the agent answered last.
        """
        found = self._conn.execute(
            """SELECT author_name FROM
                 (SELECT author_name FROM mention WHERE thread_id = :thread AND ours = 0
                  ORDER BY created_at DESC, id DESC LIMIT :limit)
               UNION SELECT author_name FROM
                 (SELECT author_name FROM reply JOIN mention ON mention.id = reply.mention_id WHERE reply.agent = :agent
                  ORDER BY reply.id DESC LIMIT :limit)""",
            {"thread": focus.thread, "agent": agent, "limit": limit},
        )
        own = focus.mention.author.name if focus.mention.author else ""
        return [name for (name,) in found if name not in ("", own)]

    def way_up(self, source: str, texts: Collection[str]) -> dict[str, tuple[str, Author | None]]:
        """Gives for texts, and for all above them that are known, what each answers ("" if nothing) and its author."""
        found = self._conn.execute(
            f"""WITH RECURSIVE up (key) AS (
                  SELECT platform_id FROM mention WHERE source_id = ? AND platform_id IN ({marks(list(texts))})
                  UNION SELECT mention.parent FROM up
                    JOIN mention ON mention.source_id = ? AND mention.platform_id = up.key WHERE mention.parent <> '')
                SELECT mention.platform_id, mention.parent, author.key, mention.author_name FROM up
                JOIN mention ON mention.source_id = ? AND mention.platform_id = up.key
                LEFT JOIN author ON author.id = mention.author_id""",
            (source, *texts, source, source),
        )
        return {id: (parent, _author(key, name)) for id, parent, key, name in found}

    def make_ours(self, source: str, platform_id: str) -> bool:
        """Takes a text out of the inbox that turns out to be a reply of ours; False where it has not come in yet."""
        with self._store.transaction() as conn:
            return bool(
                conn.execute(
                    "UPDATE mention SET ours = 1, status = 'closed' WHERE source_id = ? AND platform_id = ?",
                    (source, platform_id),
                ).rowcount
            )

    def raw(self, id: int) -> Any:
        """Gives the payload of the current version as the platform sent it, without secrets; None where not kept."""
        found = self._conn.execute(
            "SELECT raw FROM mention_version WHERE mention_id = ? ORDER BY version DESC LIMIT 1", (id,)
        ).fetchone()
        return json.loads(found[0]) if found and found[0] else None

    def change(self, ids: Sequence[int], values: Mapping[str, Any], *, agent: str, what: str) -> tuple[str, int]:
        """Changes columns of the people's work on mentions, and logs who did what with the values before.

        Gives a key for `undo`, "" where nothing changed, and how many mentions were changed.
        """
        if not _CHANGEABLE.issuperset(values):
            raise ValueError(f"not changeable: {sorted(set(values) - _CHANGEABLE)}")
        columns = sorted(values)
        action, now, changed = secrets.token_hex(8), self._store.now_ms(), 0
        with self._store.transaction() as conn:
            for part in chunks(ids):
                before = conn.execute(
                    f"SELECT id, source_id, {', '.join(columns)} FROM mention WHERE id IN ({marks(part)})", part
                ).fetchall()
                events = []
                for id, source, *old in before:
                    was = dict(zip(columns, old, strict=True))
                    if was != dict(values):
                        detail = json.dumps({"before": was, "after": dict(values)})
                        events.append((now, agent, what, id, source, action, detail))
                conn.executemany(
                    """INSERT INTO event (at, agent, what, mention_id, source_id, action, detail)
                       VALUES (?, ?, ?, ?, ?, ?, ?)""",
                    events,
                )
                conn.executemany(
                    f"UPDATE mention SET {', '.join(f'{name} = ?' for name in columns)}, changed_at = ? WHERE id = ?",
                    [(*(values[name] for name in columns), now, event[3]) for event in events],
                )
                changed += len(events)
        return action if changed else "", changed

    def undo(self, action: str, *, agent: str) -> tuple[int, int]:
        """Takes a change back where nobody has changed the same since. Gives how many were and were not."""
        now, undone, kept = self._store.now_ms(), 0, 0
        with self._store.transaction() as conn:
            for id, source, detail in conn.execute(
                "SELECT mention_id, source_id, detail FROM event WHERE action = ? ORDER BY id", (action,)
            ).fetchall():
                told = json.loads(detail)
                if "after" not in told:
                    continue
                columns = sorted(told["after"])
                same = " AND ".join(f"{name} IS ?" for name in columns)
                done = conn.execute(
                    f"UPDATE mention SET {', '.join(f'{name} = ?' for name in columns)}, changed_at = ?"
                    f" WHERE id = ? AND {same}",
                    (
                        *(told["before"][name] for name in columns),
                        now,
                        id,
                        *(told["after"][name] for name in columns),
                    ),
                ).rowcount
                undone, kept = undone + done, kept + 1 - done
                if done:
                    conn.execute(
                        "INSERT INTO event (at, agent, what, mention_id, source_id) VALUES (?, ?, 'undone', ?, ?)",
                        (now, agent, id, source),
                    )
        return undone, kept

    def wake(self) -> int:
        """Opens the snoozed mentions whose time has come. Gives how many."""
        if not self._due_to_wake():
            return 0
        with self._store.transaction():
            # Looked at again: what somebody has just snoozed anew sleeps on.
            due = self._due_to_wake()
            self.change(due, {"status": Status.OPEN.value, "snoozed_until": None}, agent="", what="woke")
        return len(due)

    def _due_to_wake(self) -> list[int]:
        found = self._conn.execute(
            "SELECT id FROM mention WHERE status = 'snoozed' AND snoozed_until <= ?", (self._store.now_ms(),)
        )
        return [id for (id,) in found]

    def _stored(self, where: str, params: Mapping[str, Any], tail: str = "") -> list[Stored]:
        found = self._conn.execute(f"SELECT {_STORED} {_FROM_STORED} WHERE {where} {tail}", params)
        return [_stored(row) for row in found]


def _when(stored: Stored) -> tuple[datetime, int]:
    return stored.mention.created_at or stored.seen_at, stored.id


def _version(row: Sequence[Any]) -> Version:
    version, seen, title, text, pros, cons, rating = row
    return Version(
        version=version,
        seen_at=from_ms(seen),
        title=title,
        text=text,
        pros=tuple(json.loads(pros)),
        cons=tuple(json.loads(cons)),
        rating=rating,
    )


def _author(key: str | None, name: str, url: str = "") -> Author | None:
    if not (key or name):
        return None
    return Author(id=key[3:] if key and key.startswith("id:") else None, name=name, url=url)


def _row(row: Sequence[Any], now: int) -> Row:
    (id, source, connector, kind, author, text, title, cons, pros, created, due, rating, status, complaint, severity,
     compound, assignee, snoozed, gone, edited, drafted, reply, tags) = row  # fmt: skip
    return Row(
        id=id,
        source=source,
        connector=connector,
        kind=Kind(kind),
        author=author,
        excerpt=text or _points_in_short(title, json.loads(cons), json.loads(pros)),
        created_at=from_ms(created),
        due_at=None if due == NEVER else from_ms(due),
        rating=rating,
        status=Status(status),
        complaint=bool(complaint),
        severity=list(Severity)[severity],
        compound=compound,
        assignee=assignee,
        snoozed_until=from_ms_or_none(snoozed),
        gone=bool(gone),
        edited=bool(edited),
        writers=writers(json.loads(drafted), now),
        reply_state=DeliveryState(reply) if reply else None,
        tags=tuple(sorted(tags.split("\n"))) if tags else (),
    )


def _points_in_short(title: str, cons: Sequence[str], pros: Sequence[str]) -> str:
    """Gives what a mention without a text says: its title, then what was bad, then what was good."""
    points = (*((title,) if title else ()), *(f"− {con}" for con in cons), *(f"+ {pro}" for pro in pros))
    return " ".join(points)[:400]


def _stored(row: Sequence[Any]) -> Stored:
    (id, source, connector, key, thread_key, thread, parent, kind, ours, version, created, seen, changed, edited, gone,
     title, text, pros, cons, author_key, author_name, author_url, order_id, product, rating, recommends, url, language,
     hidden, liked, facts, status, assignee, snoozed, due, answered, closed, body, label, corrected, corrected_by,
     corrected_at, erased) = row  # fmt: skip
    correction = None
    if label:
        correction = Correction(
            label=Label(label), complaint=bool(corrected), agent=corrected_by, at=from_ms(corrected_at)
        )
    more = json.loads(facts)
    author = _author(author_key, author_name, author_url or "")
    mention = Mention(
        id=key,
        kind=Kind(kind),
        text=text,
        created_at=from_ms(created),
        author=author,
        title=title,
        thread_id=thread_key,
        parent_id=parent or None,
        ours=bool(ours),
        rating=rating,
        sub_ratings=more.pop("sub_ratings", {}),
        recommends=None if recommends is None else bool(recommends),
        pros=tuple(json.loads(pros)),
        cons=tuple(json.loads(cons)),
        order_id=order_id,
        product=product,
        url=url,
        edited_at=from_ms_or_none(edited),
        language=language or None,
        hidden=bool(hidden),
        attachments=tuple(Attachment(**each) for each in more.pop("attachments", ())),
        **more,
    )
    return Stored(
        id=id,
        source=source,
        connector=connector,
        mention=mention,
        thread=thread,
        version=version,
        status=Status(status),
        assignee=assignee,
        seen_at=from_ms(seen),
        changed_at=from_ms(changed),
        due_at=None if due == NEVER else from_ms(due),
        snoozed_until=from_ms_or_none(snoozed),
        answered_at=from_ms_or_none(answered),
        closed_at=from_ms_or_none(closed),
        gone_at=from_ms_or_none(gone),
        liked=bool(liked),
        assessment=outranked(as_written(body, Assessment, None), correction),
        correction=correction,
        erased_at=from_ms_or_none(erased),
    )
