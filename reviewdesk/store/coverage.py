"""The ledger: what each poll asked for and got, when mentions came in, and what was told of a source already."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reviewdesk.model import Kind
from reviewdesk.store.db import from_ms, from_ms_or_none, to_ms
from reviewdesk.store.ingest import marks
from reviewdesk.store.records import Arrival, PollLine

if TYPE_CHECKING:
    from reviewdesk.store.db import Store

_WRITTEN_BEFORE = timedelta(days=60)
"""How much earlier than seen a text may have been written to count as an arrival: an import of old ones is none."""

SCORER_NOTICE = "scorer"
"""The kind of what is told of the scorer, beside each source whose texts it should read."""


class Coverage:
    """The door to the ledger; made by `Store.coverage`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._conn: sqlite3.Connection = store.db.conn

    def polls(self, source: str, *, limit: int = 10) -> list[PollLine]:
        """Gives the last polls of a source, the latest first."""
        found = self._conn.execute(
            """SELECT started_at, finished_at,
                 (SELECT earlier.started_at FROM poll earlier
                  WHERE earlier.source_id = poll.source_id AND earlier.id < poll.id
                    AND earlier.finished_at IS NOT NULL AND earlier.fault = '' ORDER BY earlier.id DESC LIMIT 1),
                 total, fetched, new, changed, same, set_aside, gone, fault
               FROM poll WHERE source_id = ? ORDER BY id DESC LIMIT ?""",
            (source, limit),
        )
        return [
            PollLine(
                started_at=from_ms(started),
                finished_at=from_ms_or_none(finished),
                since=from_ms_or_none(since),
                total=total,
                fetched=fetched,
                new=new,
                changed=changed,
                same=same,
                set_aside=set_aside,
                gone=gone,
                fault=fault,
            )
            for started, finished, since, total, fetched, new, changed, same, set_aside, gone, fault in found
        ]

    def listening_since(self, source: str) -> datetime | None:
        """Gives when the desk began to listen to a source; None before its first poll."""
        found = self._conn.execute(
            "SELECT started_at FROM poll WHERE source_id = ? ORDER BY id LIMIT 1", (source,)
        ).fetchone()
        return from_ms(found[0]) if found else None

    def last_arrival(self, source: str) -> datetime | None:
        """Gives when a poll brought something new for the last time; None where none did in the ledger's time."""
        found = self._conn.execute(
            """SELECT coalesce(finished_at, started_at) FROM poll WHERE source_id = ? AND new > 0
               ORDER BY id DESC LIMIT 1""",
            (source,),
        ).fetchone()
        return from_ms(found[0]) if found else None

    def arrivals(self, source: str, since: datetime, *, written_after: datetime) -> list[Arrival]:
        """Gives when customers' texts came in, and how many at once, in order.

        Args:
            since: from when on.
            written_after: leaves out older texts: what the first import finds did not come in then.
        """
        after = max(written_after, since - _WRITTEN_BEFORE)
        return [
            Arrival(at=from_ms(seen), count=count)
            for seen, count in self._conn.execute(
                """SELECT seen_at, count(*) FROM mention
                   WHERE source_id = ? AND ours = 0 AND created_at > ? AND seen_at >= ? GROUP BY seen_at ORDER BY 1""",
                (source, to_ms(after), to_ms(since)),
            )
        ]

    def kind(self, source: str) -> Kind | None:
        """Gives what a source's newest mentions are, where they are all of one kind."""
        found = self._conn.execute(
            """SELECT DISTINCT kind FROM (SELECT kind FROM mention WHERE source_id = ? AND ours = 0
                                          ORDER BY created_at DESC, id DESC LIMIT 100)""",
            (source,),
        ).fetchall()
        return Kind(found[0][0]) if len(found) == 1 else None

    def tell(self, source: str, key: str, sentence: str) -> bool:
        """Notes that something is told of a source; False where it was told before. Its words are kept up to date."""
        with self._store.transaction() as conn:
            news = (
                conn.execute("SELECT 1 FROM notice WHERE source_id = ? AND key = ?", (source, key)).fetchone() is None
            )
            conn.execute(
                """INSERT INTO notice (source_id, key, sentence, told_at) VALUES (?, ?, ?, ?)
                   ON CONFLICT (source_id, key) DO UPDATE SET sentence = excluded.sentence""",
                (source, key, sentence, self._store.now_ms()),
            )
            return news

    def told_at(self, source: str, key: str) -> datetime | None:
        """Gives when something that still holds was told of a source; None where it was not."""
        found = self._conn.execute(
            "SELECT told_at FROM notice WHERE source_id = ? AND key = ?", (source, key)
        ).fetchone()
        return from_ms(found[0]) if found else None

    def forget(self, source: str | None, kind: str, *, but: Sequence[str] = ()) -> None:
        """Forgets what was told of a source, or with None of any, that is of a kind and no longer holds."""
        with self._store.transaction() as conn:
            conn.execute(
                f"""DELETE FROM notice WHERE source_id = coalesce(?, source_id) AND (key = ? OR key LIKE ? || ':%')
                    AND key NOT IN ({marks(but)})""",
                (source, kind, kind, *but),
            )

    def notices(self, source: str) -> tuple[str, ...]:
        """Gives what was told of a source and still holds."""
        found = self._conn.execute("SELECT sentence FROM notice WHERE source_id = ? ORDER BY told_at, key", (source,))
        return tuple(sentence for (sentence,) in found)

    def standing(self, kind: str) -> str:
        """Gives the last that was told of a kind (the key's part before the colon) and still holds; "" for nothing."""
        found = self._conn.execute(
            "SELECT sentence FROM notice WHERE key = ? OR key LIKE ? || ':%' ORDER BY told_at DESC LIMIT 1",
            (kind, kind),
        ).fetchone()
        return found[0] if found else ""

    def last_check(self, source: str) -> tuple[datetime | None, datetime | None]:
        """Gives when a poll last looked at a source's token and permissions, and when the first of them ends."""
        found = self._conn.execute("SELECT checked_at, ends_at FROM source WHERE id = ?", (source,)).fetchone()
        return (from_ms_or_none(found[0] or None), from_ms_or_none(found[1])) if found else (None, None)

    def begin_check(self, source: str) -> None:
        """Notes that a source's token and permissions are looked at now, whatever comes of it."""
        with self._store.transaction() as conn:
            conn.execute("UPDATE source SET checked_at = ? WHERE id = ?", (self._store.now_ms(), source))

    def end_check(self, source: str, ends_at: datetime | None) -> None:
        """Notes when the first of a source's tokens and permissions ends; None where none does."""
        with self._store.transaction() as conn:
            conn.execute(
                "UPDATE source SET ends_at = ? WHERE id = ?", (None if ends_at is None else to_ms(ends_at), source)
            )
