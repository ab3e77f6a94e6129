"""Replies on their way, and drafts. What may follow what is told by `reviewdesk.desk.delivery`; here it is kept."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from reviewdesk.errors import NotAllowed
from reviewdesk.model import Change, Channel, DeliveryState
from reviewdesk.store.db import CLOCK_SET_BACK, from_ms, from_ms_or_none, to_ms
from reviewdesk.store.holders import is_dead
from reviewdesk.store.ingest import marks, twins
from reviewdesk.store.records import Draft, Reply, Writer, as_written

if TYPE_CHECKING:
    from reviewdesk.store.db import Store

WAITING = (DeliveryState.UNKNOWN, DeliveryState.HELD, DeliveryState.REFUSED, DeliveryState.HANDED_OFF)
"""States in which a reply waits for a person."""
_REPLY = """id, mention_id, key, channel, agent, text, state, created_at, updated_at, send_after, attempts,
    attempted_at, remote_id, remote_url, remote_text, posted_at, fault, fault_hint, seen_until,
    seen_version, seen_mention, changes, seen_gone, seen_unreadable"""
_SETTABLE = frozenset(
    (
        "remote_id",
        "remote_url",
        "remote_text",
        "posted_at",
        "fault",
        "fault_hint",
        "send_after",
        "looked_at",
        "seen_until",
        "seen_version",
        "seen_mention",
        "seen_gone",
        "seen_unreadable",
        "changes",
    )
)


class Outbox:
    """The door to replies and drafts; made by `Store.outbox`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._conn: sqlite3.Connection = store.db.conn

    def put(
        self,
        mention: int,
        text: str,
        *,
        agent: str,
        channel: Channel = Channel.PUBLIC,
        state: DeliveryState = DeliveryState.QUEUED,
        send_after: datetime | None = None,
    ) -> Reply:
        """Puts the approved text, word for word, on its way; the agent's draft is gone with it.

        Raises:
            NotAllowed: another reply is on its way to this mention already.
        """
        now = self._store.now_ms()
        with self._store.transaction() as conn:
            try:
                id = conn.execute(
                    """INSERT INTO reply
                         (mention_id, key, channel, agent, text, state, created_at, updated_at, send_after,
                          seen_until, seen_version, seen_mention)
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                         coalesce((SELECT version FROM mention WHERE id = ?), 0), ?)""",
                    (
                        mention,
                        secrets.token_urlsafe(16),
                        channel.value,
                        agent,
                        text,
                        state.value,
                        now,
                        now,
                        to_ms(send_after) if send_after else now,
                        now,
                        mention,
                        self._store.mentions.newest(),
                    ),
                ).lastrowid
            except sqlite3.IntegrityError:
                raise NotAllowed(
                    "Another reply is on its way to this mention.", hint="Look at it in the outbox; withdraw it first."
                ) from None
            self._log(conn, mention, agent, f"reply {state.value}", int(id or 0))
            conn.execute("DELETE FROM draft WHERE mention_id = ? AND agent = ?", (mention, agent))
        return self.get(int(id or 0))

    def get(self, id: int) -> Reply:
        """Gives one reply.

        Raises:
            NotAllowed: there is none with this id.
        """
        found = self._select("id = ?", (id,))
        if not found:
            raise NotAllowed(f"There is no reply {id}.")
        return found[0]

    def waiting(self) -> int:
        """Gives how many replies wait for a person: held, refused, unclear, or to be posted by hand."""
        found = self._conn.execute(f"SELECT count(*) FROM reply WHERE state IN ({marks(WAITING)})", WAITING)
        return int(found.fetchone()[0])

    def replies_to(self, mention: int) -> tuple[Reply, ...]:
        """Gives the replies to a mention, oldest first."""
        return tuple(self._select("mention_id = ?", (mention,)))

    def in_states(self, states: Collection[DeliveryState], *, limit: int = 10_000) -> list[Reply]:
        """Gives the replies in these states, oldest first; of more than `limit` the newest."""
        values = [state.value for state in states]
        return self._select(f"state IN ({marks(values)})", values, limit)

    def next_due(self) -> datetime | None:
        """Gives when the next queued reply may go out; None where none is queued."""
        found = self._conn.execute(
            """SELECT min(CASE WHEN updated_at > :ahead THEN :now ELSE send_after END) FROM reply
               WHERE state = 'queued'""",
            self._now(),
        ).fetchone()
        return from_ms_or_none(found[0])

    def _now(self) -> dict[str, int]:
        now = self._store.now_ms()
        return {"now": now, "ahead": now + CLOCK_SET_BACK}

    def claim(self, holder: str, *, lease_seconds: float, skip_sources: Collection[str] = ()) -> Reply | None:
        """Takes the next queued reply whose time has come, as `sending`, for one holder; None where there is none.

        One statement: two processes never get the same reply.
        """
        now = self._store.now_ms()
        skip = list(skip_sources)
        with self._store.transaction() as conn:
            found = conn.execute(
                f"""UPDATE reply SET state = 'sending', holder = ?, lease_until = ?, attempts = attempts + 1,
                      attempted_at = ?, looked_at = NULL, updated_at = ?
                    WHERE id = (SELECT reply.id FROM reply JOIN mention ON mention.id = reply.mention_id
                                WHERE reply.state = 'queued' AND (reply.send_after <= ? OR reply.updated_at > ?)
                                  AND mention.source_id NOT IN ({marks(skip)})
                                ORDER BY reply.send_after, reply.id LIMIT 1)
                    RETURNING {_REPLY}""",
                (holder, now + int(lease_seconds * 1000), now, now, now, now + CLOCK_SET_BACK, *skip),
            ).fetchone()
            if not found:
                return None
            reply = _reply(found)
            self._log(conn, reply.mention_id, reply.agent, "reply sending", reply.id)
            return reply

    def waits(self) -> bool:
        """Tells whether there is something to do: a queued reply whose time has come, or one that nobody knows of."""
        due = self.next_due()
        if due is not None and due <= self._store.clock():
            return True
        return bool(self.abandoned() or self.unseen() or self.in_states([DeliveryState.UNKNOWN], limit=1))

    def waits_for(self, source: str) -> bool:
        """Tells the same of one source."""
        return bool(
            self._conn.execute(
                """SELECT 1 FROM reply JOIN mention ON mention.id = reply.mention_id
                   WHERE mention.source_id = :source AND (reply.state IN ('unknown', 'sending')
                     OR ((reply.send_after <= :now OR reply.updated_at > :ahead) AND (reply.state = 'queued'
                       OR (reply.state = 'posted' AND reply.channel = 'public' AND reply.fault <> '')))) LIMIT 1""",
                {"source": source, **self._now()},
            ).fetchone()
        )

    def unseen(self) -> list[Reply]:
        """Gives the posted replies that their platform holds back and whose time to be looked for has come."""
        now = self._now()
        return self._select(
            "state = 'posted' AND channel = 'public' AND fault <> '' AND (send_after <= ? OR updated_at > ?)",
            (now["now"], now["ahead"]),
        )

    def under_way(self, thread: int) -> list[Reply]:
        """Gives the replies into a thread that stand there, or may, under ids that nobody knows."""
        return self._select(
            """state IN ('sending', 'unknown', 'posted', 'visible') AND remote_id = ''
               AND mention_id IN (SELECT id FROM mention WHERE thread_id = ?)""",
            (thread,),
        )

    def abandoned(self) -> list[Reply]:
        """Gives the replies found `sending` whose holder is dead or has let the lease run out.

        Nobody knows what became of them.
        """
        held = self._conn.execute("SELECT DISTINCT holder FROM reply WHERE state = 'sending'").fetchall()
        dead = [holder for (holder,) in held if is_dead(holder)]
        return self._select(
            f"state = 'sending' AND (lease_until <= ? OR updated_at > ? OR holder IN ({marks(dead)}))",
            (*self._now().values(), *dead),
        )

    def leaves(self, reply: Reply, holder: str, *, lease_seconds: float) -> bool:
        """Notes that a reply's request leaves now, and renews the lease; False where this holder has it no more.

        Whoever was suspended for longer than the lease lasts learns here that others have taken it over.
        """
        now = self._store.now_ms()
        with self._store.transaction() as conn:
            return bool(
                conn.execute(
                    """UPDATE reply SET attempted_at = ?, lease_until = ?
                       WHERE id = ? AND state = 'sending' AND holder = ? AND attempts = ? AND lease_until > ?""",
                    (now, now + int(lease_seconds * 1000), reply.id, holder, reply.attempts, now),
                ).rowcount
            )

    def move(
        self, reply: Reply, to: DeliveryState, *, holder: str | None = None, agent: str = "", **columns: Any
    ) -> bool:
        """Moves a reply from the state it was read in to another one; False where it has moved on meanwhile.

        One that was sent again since, and is in the same state after another attempt, has moved on as well.

        Args:
            holder: only where this holder has it; None for moves that need none.
            columns: further columns to set; times as aware datetimes, `changes` as records.
        """
        if not _SETTABLE.issuperset(columns):
            raise ValueError(f"not settable: {sorted(set(columns) - _SETTABLE)}")
        now = self._store.now_ms()
        values = {name: _value(value) for name, value in columns.items()}
        setting = "".join(f", {name} = :{name}" for name in values)
        with self._store.transaction() as conn:
            moved = conn.execute(
                f"""UPDATE reply SET state = :to, updated_at = :now, holder = '', lease_until = 0{setting}
                    WHERE id = :id AND state = :was AND attempts = :attempts
                      AND (:holder IS NULL OR holder = :holder)""",
                {
                    **values,
                    "to": to.value,
                    "now": now,
                    "id": reply.id,
                    "was": reply.state.value,
                    "attempts": reply.attempts,
                    "holder": holder,
                },
            )
            if moved.rowcount and to is not reply.state:
                self._log(conn, reply.mention_id, agent or reply.agent, f"reply {to.value}", reply.id)
            return moved.rowcount == 1

    def postpone(
        self,
        source: str,
        until: datetime,
        *,
        states: Collection[DeliveryState] = (DeliveryState.QUEUED, DeliveryState.UNKNOWN),
    ) -> None:
        """Lets nothing be sent to a source, or be looked for there, before `until`; or only what is in these states."""
        values = [state.value for state in states]
        with self._store.transaction() as conn:
            conn.execute(
                f"""UPDATE reply SET send_after = ? WHERE state IN ({marks(values)}) AND send_after < ?
                    AND mention_id IN (SELECT id FROM mention WHERE source_id = ?)""",
                (to_ms(until), *values, to_ms(until), source),
            )

    def known_as(self, source: str, remote_id: str) -> Reply | None:
        """Gives the reply that stands on a source's platform under an id, if it is one of the desk's."""
        if not remote_id:
            return None
        found = self._select(
            "remote_id = ? AND mention_id IN (SELECT id FROM mention WHERE source_id = ?)", (remote_id, source)
        )
        return found[0] if found else None

    def twins(self, reply: Reply) -> list[Reply]:
        """Gives the other replies whose words, where they are found, may be taken for those of this one."""
        return [self.get(id) for id in twins(self._conn, reply.id)]

    def looked_at(self, reply: Reply) -> datetime | None:
        """Gives when an unknown reply was last looked for."""
        return from_ms_or_none(
            self._conn.execute("SELECT looked_at FROM reply WHERE id = ?", (reply.id,)).fetchone()[0]
        )

    def first_attempt(self, reply: Reply) -> datetime | None:
        """Gives when a reply was first being sent."""
        return from_ms_or_none(self._logged(reply, DeliveryState.SENDING))

    def was_unknown(self, reply: Reply) -> bool:
        """Tells whether nobody knew once whether a reply stands there."""
        return self._logged(reply, DeliveryState.UNKNOWN) is not None

    def _logged(self, reply: Reply, state: DeliveryState) -> int | None:
        found: int | None = self._conn.execute(
            """SELECT min(at) FROM event WHERE mention_id = ? AND what = ? AND detail = json_object('reply', ?)""",
            (reply.mention_id, f"reply {state.value}", reply.id),
        ).fetchone()[0]
        return found

    def recent_texts(self, agent: str, *, limit: int = 20) -> list[str]:
        """Gives the texts that an agent sent last, newest first; platforms dislike series of one text."""
        return [
            text
            for (text,) in self._conn.execute(
                """SELECT text FROM reply WHERE agent = ? AND state NOT IN ('withdrawn', 'refused')
                   ORDER BY id DESC LIMIT ?""",
                (agent, limit),
            )
        ]

    def save_draft(self, mention: int, agent: str, text: str, template: str = "") -> None:
        """Keeps what an agent has written so far; an empty text removes the draft. An erased mention keeps nothing."""
        with self._store.transaction() as conn:
            conn.execute(
                """INSERT INTO draft (mention_id, agent, text, template, updated_at)
                   SELECT id, :agent, :text, :template, :now FROM mention WHERE id = :mention AND erased_at IS NULL
                   ON CONFLICT (mention_id, agent) DO UPDATE SET text = :text, template = :template,
                     updated_at = :now""",
                {
                    "mention": mention,
                    "agent": agent,
                    "text": text,
                    "template": template,
                    "now": self._store.now_ms(),
                },
            )
            self._forget_empty(conn, mention, agent)

    def drafts(self, mention: int) -> tuple[Draft, ...]:
        """Gives every agent's draft for a mention, newest first."""
        return tuple(
            Draft(mention_id=mention, agent=agent, text=text, template=template, updated_at=from_ms(updated))
            for agent, text, template, updated in self._conn.execute(
                """SELECT agent, text, template, updated_at FROM draft WHERE mention_id = ? AND text <> ''
                   ORDER BY updated_at DESC""",
                (mention,),
            )
        )

    def draft(self, mention: int, agent: str) -> Draft | None:
        """Gives an agent's draft for a mention; None where there is none."""
        return next((draft for draft in self.drafts(mention) if draft.agent == agent), None)

    def keep_open(self, mention: int, agent: str, holder: str, *, seconds: float) -> bool:
        """Notes that an agent has a reply open, or still has it: for so long, unless it is said again or `let_go`.

        Gives whether the same agent has it open in another window too.
        """
        now = self._store.now_ms()
        with self._store.transaction() as conn:
            others = conn.execute(
                """SELECT holder FROM draft
                   WHERE mention_id = ? AND agent = ? AND holder <> ? AND open_until > ? AND open_until <= ?""",
                (mention, agent, holder, now, now + CLOCK_SET_BACK),
            ).fetchall()
            conn.execute(
                """INSERT INTO draft (mention_id, agent, text, updated_at, opened_at, open_until, holder)
                   SELECT id, :agent, '', :now, :now, :until, :holder FROM mention WHERE id = :mention
                   ON CONFLICT (mention_id, agent) DO UPDATE SET open_until = :until, holder = :holder,
                     opened_at = CASE WHEN open_until > :now AND open_until <= :ahead THEN opened_at ELSE :now END""",
                self._now()
                | {"mention": mention, "agent": agent, "holder": holder, "until": now + int(seconds * 1000)},
            )
        return any(not is_dead(other) for (other,) in others)

    def let_go(self, mention: int, agent: str, holder: str) -> None:
        """Notes that a reply is no longer open in this holder's window; what was written stays."""
        with self._store.transaction() as conn:
            conn.execute(
                "UPDATE draft SET open_until = 0, holder = '' WHERE mention_id = ? AND agent = ? AND holder = ?",
                (mention, agent, holder),
            )
            self._forget_empty(conn, mention, agent)

    def writers(self, mention: int) -> tuple[Writer, ...]:
        """Gives who writes a reply to a mention or has begun one, first who began first."""
        found = self._conn.execute(
            """SELECT agent, opened_at, open_until, updated_at, text <> '', holder FROM draft WHERE mention_id = ?""",
            (mention,),
        )
        return writers(found, self._store.now_ms())

    def _forget_empty(self, conn: sqlite3.Connection, mention: int, agent: str) -> None:
        conn.execute(
            "DELETE FROM draft WHERE mention_id = ? AND agent = ? AND text = '' AND open_until <= ?",
            (mention, agent, self._store.now_ms()),
        )

    def _select(self, where: str, params: Sequence[Any], limit: int = 10_000) -> list[Reply]:
        found = self._conn.execute(
            f"SELECT {_REPLY} FROM reply WHERE {where} ORDER BY id DESC LIMIT ?", (*params, limit)
        ).fetchall()
        return [_reply(row) for row in reversed(found)]

    def _log(self, conn: sqlite3.Connection, mention: int, agent: str, what: str, reply: int) -> None:
        conn.execute(
            """INSERT INTO event (at, agent, what, mention_id, source_id, detail)
               SELECT ?, ?, ?, id, source_id, json_object('reply', ?) FROM mention WHERE id = ?""",
            (self._store.now_ms(), agent, what, reply, mention),
        )


def writers(rows: Iterable[Sequence[Any]], now: int) -> tuple[Writer, ...]:
    """Gives those who write from rows of `draft`; an empty reply whose window is gone is nobody's.

    So is one that was opened before the clock was set back: a window says again and again that it lives.

    Args:
        rows: of agent, opened_at, open_until, updated_at, whether there is a text, and holder.
        now: in milliseconds.
    """
    found = []
    for agent, opened, until, updated, text, holder in rows:
        is_open = now < until <= now + CLOCK_SET_BACK and not is_dead(holder)
        if is_open or text:
            since = from_ms(opened if is_open else updated)
            found.append(Writer(agent=agent, since=since, until=from_ms(until) if is_open else None))
    return tuple(sorted(found, key=lambda writer: (writer.since, writer.agent)))


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_ms(value)
    return msgspec.json.encode(value).decode() if isinstance(value, tuple) else value


def _reply(row: Sequence[Any]) -> Reply:
    return Reply(
        id=row[0],
        mention_id=row[1],
        key=row[2],
        channel=Channel(row[3]),
        agent=row[4],
        text=row[5],
        state=DeliveryState(row[6]),
        created_at=from_ms(row[7]),
        updated_at=from_ms(row[8]),
        send_after=from_ms(row[9]),
        attempts=row[10],
        attempted_at=from_ms_or_none(row[11]),
        remote_id=row[12],
        remote_url=row[13],
        remote_text=row[14],
        posted_at=from_ms_or_none(row[15]),
        fault=row[16],
        fault_hint=row[17],
        seen_until=from_ms(row[18]),
        seen_version=row[19],
        seen_mention=row[20],
        changes=as_written(row[21], tuple[Change, ...], ()),
        seen_gone=from_ms_or_none(row[22]),
        seen_unreadable=bool(row[23]),
    )
