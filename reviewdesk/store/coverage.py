"""The ledger: what each poll asked for and got, when mentions came in, and what was told of a source already."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reviewdesk.model import Kind
from reviewdesk.store.db import from_ms, from_ms_or_none, to_ms
from reviewdesk.store.records import PollLine

if TYPE_CHECKING:
    from reviewdesk.store.db import Store

_WRITTEN_BEFORE = timedelta(days=60)
"""How much earlier than seen a mention may have been written to count as an arrival: a first import is none."""


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

    def arrivals(self, source: str, since: datetime) -> list[datetime]:
        """Gives when customers' mentions of a source came in, from a time on, in order."""
        return [
            from_ms(seen)
            for (seen,) in self._conn.execute(
                """SELECT seen_at FROM mention WHERE source_id = ? AND ours = 0 AND created_at >= ? AND seen_at >= ?
                   ORDER BY seen_at""",
                (source, to_ms(since - _WRITTEN_BEFORE), to_ms(since)),
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

    def forget(self, source: str, kind: str, *, but: str = "") -> None:
        """Forgets what was told of a kind (the key's part before the colon) and no longer holds."""
        with self._store.transaction() as conn:
            conn.execute(
                "DELETE FROM notice WHERE source_id = ? AND (key = ? OR key LIKE ? || ':%') AND key <> ?",
                (source, kind, kind, but),
            )

    def notices(self, source: str) -> tuple[str, ...]:
        """Gives what was told of a source and still holds."""
        found = self._conn.execute("SELECT sentence FROM notice WHERE source_id = ? ORDER BY told_at, key", (source,))
        return tuple(sentence for (sentence,) in found)

    def checked_at(self, source: str) -> datetime | None:
        """Gives when a source's token and permissions were last looked at by a poll."""
        found = self._conn.execute("SELECT checked_at FROM source WHERE id = ?", (source,)).fetchone()
        return from_ms(found[0]) if found and found[0] else None

    def note_check(self, source: str) -> None:
        """Notes that a source's token and permissions are looked at now."""
        with self._store.transaction() as conn:
            conn.execute("UPDATE source SET checked_at = ? WHERE id = ?", (self._store.now_ms(), source))
