"""Sources: their cursors, leases, faults and polls; and the items that could not be read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from reviewdesk.errors import NotAllowed, ReviewdeskError, StoreError, Unreachable
from reviewdesk.model import Budget, JsonObject, Mention, SetAside
from reviewdesk.store.db import CLOCK_SET_BACK, from_ms, from_ms_or_none, to_ms
from reviewdesk.store.holders import is_dead
from reviewdesk.store.records import Ingested, Item, Quarantined, SourceState, as_written
from reviewdesk.text import safe

if TYPE_CHECKING:
    from reviewdesk.store.db import Store


_LEDGER_KEPT = 100 * 86_400_000
"""Milliseconds after which a line of the record of polls may go."""
_SPREAD = 5 * 60_000
"""Milliseconds within which sources are asked again that were out of reach together."""
_QUARANTINED = "id, source_id, platform_id, reason, raw, first_at, last_at"


class LeaseLost(StoreError):
    """Another process has taken the source over; what this one still holds must not be written."""


class Sources:
    """The door to sources; made by `Store.sources`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._conn: sqlite3.Connection = store.db.conn

    def register(
        self, id: str, connector: str, title: str, capabilities: Mapping[str, Any] | None = None, *, tier: str = ""
    ) -> None:
        """Makes a source known, or brings its title up to date, and with its capabilities its connector's tier."""
        told = None if capabilities is None else json.dumps(dict(capabilities))
        with self._store.transaction() as conn:
            conn.execute(
                """INSERT INTO source (id, connector, title, capabilities, tier)
                     VALUES (:id, :connector, :title, coalesce(:told, '{}'), :tier)
                   ON CONFLICT (id) DO UPDATE SET connector = excluded.connector, title = excluded.title,
                     capabilities = coalesce(:told, source.capabilities),
                     tier = CASE WHEN :told IS NULL THEN source.tier ELSE excluded.tier END""",
                {"id": id, "connector": connector, "title": title, "told": told, "tier": tier},
            )

    def take(self, id: str, owner: str, *, seconds: float) -> bool:
        """Takes the lease of a source for `owner`; False where another living one holds it.

        One that would last much longer than this was taken before the clock was set back, and is void.
        """
        now = self._store.now_ms()
        until = now + int(seconds * 1000)
        with self._store.transaction() as conn:
            found = conn.execute("SELECT lease_owner FROM source WHERE id = ?", (id,)).fetchone()
            dead = bool(found and found[0] and is_dead(found[0]))
            taken = conn.execute(
                """UPDATE source SET lease_owner = :owner, lease_until = :until
                   WHERE id = :id
                     AND (lease_until <= :now OR lease_until > :until + :ahead OR lease_owner = :owner OR :dead)""",
                {"id": id, "owner": owner, "now": now, "until": until, "ahead": CLOCK_SET_BACK, "dead": dead},
            )
            return taken.rowcount == 1

    def release(self, id: str, owner: str) -> None:
        """Gives the lease back, where `owner` still holds it."""
        with self._store.transaction() as conn:
            conn.execute(
                "UPDATE source SET lease_owner = NULL, lease_until = 0 WHERE id = ? AND lease_owner = ?", (id, owner)
            )

    def knows(self, id: str) -> bool:
        """Tells whether a source was registered before."""
        return self._conn.execute("SELECT 1 FROM source WHERE id = ?", (id,)).fetchone() is not None

    def is_due(self, id: str) -> bool:
        """Tells whether a source's time to be polled has come; one that is not known yet is due.

        So is one that was polled in the future: the clock was set back, and what it said of the next time is void.
        """
        now = self._store.now_ms()
        found = self._conn.execute("SELECT next_at, polled_at FROM source WHERE id = ?", (id,)).fetchone()
        return found is None or found[0] <= now or (found[1] or 0) > now

    def is_parked(self, id: str) -> bool:
        """Tells whether a source waits for a person."""
        found = self._conn.execute("SELECT parked FROM source WHERE id = ?", (id,)).fetchone()
        return bool(found and found[0])

    def is_disabled(self, id: str) -> bool:
        """Tells whether a person has switched a source off."""
        found = self._conn.execute("SELECT disabled FROM source WHERE id = ?", (id,)).fetchone()
        return bool(found and found[0])

    def switch(self, id: str, *, on: bool) -> None:
        """Switches a source off, so that its connector is not run, or on again, to be asked at the next poll.

        Raises:
            NotAllowed: there is no such source.
        """
        with self._store.transaction() as conn:
            done = conn.execute(
                """UPDATE source SET disabled = :off, parked = CASE WHEN :off THEN parked ELSE 0 END,
                     next_at = CASE WHEN :off THEN next_at ELSE 0 END WHERE id = :id""",
                {"off": int(not on), "id": id},
            )
            if not done.rowcount:
                raise NotAllowed(f"There is no source {id!r}.", hint="`reviewdesk sources` lists them.")

    def cursor(self, id: str) -> JsonObject | None:
        """Gives where the last committed batch ended; None before the first."""
        found = self._conn.execute("SELECT cursor FROM source WHERE id = ?", (id,)).fetchone()
        return json.loads(found[0]) if found and found[0] else None

    def begin_poll(self, id: str) -> int:
        """Opens a line in the record of polls and gives its number; lines of long ago make room."""
        with self._store.transaction() as conn:
            # The first line stays, since it tells how long the desk has listened.
            conn.execute(
                """DELETE FROM poll WHERE started_at < ? AND id IN
                     (SELECT id FROM poll WHERE source_id = ? ORDER BY id LIMIT 50 OFFSET 1)""",
                (self._store.now_ms() - _LEDGER_KEPT, id),
            )
            poll = conn.execute("INSERT INTO poll (source_id, started_at) VALUES (?, ?)", (id, self._store.now_ms()))
            return int(poll.lastrowid or 0)

    def commit_batch(
        self,
        id: str,
        owner: str,
        poll: int,
        *,
        mentions: Sequence[Mention],
        set_aside: Sequence[SetAside],
        gone: Sequence[str],
        cursor: JsonObject | None,
        total: int | None,
        lease_seconds: float,
        told: Callable[[Item], None] | None = None,
    ) -> Ingested:
        """Takes one batch in: mentions, cursor and counts in one transaction; renews the lease.

        Args:
            told: is called with what became of each item.

        Raises:
            LeaseLost: another process has taken the source over; nothing was written.
        """
        now = self._store.now_ms()
        with self._store.transaction() as conn:
            held = conn.execute(
                "UPDATE source SET lease_until = ?, cursor = coalesce(?, cursor) WHERE id = ? AND lease_owner = ?",
                (now + int(lease_seconds * 1000), None if cursor is None else json.dumps(cursor), id, owner),
            )
            if held.rowcount != 1:
                raise LeaseLost(f"Another poll has taken over the source {id!r}; this one stops.")
            done = self._store.mentions.ingest(id, mentions, set_aside=set_aside, gone=gone, told=told)
            conn.execute(
                """UPDATE poll SET fetched = fetched + ?, new = new + ?, changed = changed + ?, same = same + ?,
                     set_aside = set_aside + ?, gone = gone + ?, total = coalesce(?, total) WHERE id = ?""",
                (
                    len(mentions) + len(set_aside),
                    done.new,
                    done.changed,
                    done.same,
                    done.set_aside,
                    done.gone,
                    total,
                    poll,
                ),
            )
            return done

    def unfinished(self, id: str) -> tuple[int, Ingested] | None:
        """Gives the last poll of a source and what it brought, where it was broken off and has no end; else None."""
        found = self._conn.execute(
            "SELECT id, new, changed, same, gone, set_aside, finished_at FROM poll WHERE source_id = ?"
            " ORDER BY id DESC LIMIT 1",
            (id,),
        ).fetchone()
        if not found or found[6] is not None:
            return None
        return found[0], Ingested(new=found[1], changed=found[2], same=found[3], gone=found[4], set_aside=found[5])

    def finish_poll(self, id: str, owner: str, poll: int, *, next_at: datetime, budget: Budget | None = None) -> str:
        """Ends a poll that went well, and gives the fault that it mended ("" where there was none).

        Where that was a platform out of reach, the other sources in the same trouble are due soon.
        """
        now = self._store.now_ms()
        with self._store.transaction() as conn:
            before = conn.execute("SELECT fault, fault_kind FROM source WHERE id = ?", (id,)).fetchone()
            conn.execute(
                """UPDATE source SET polled_at = :now, succeeded_at = :now, next_at = :next, failures = 0, parked = 0,
                     fault_kind = '', fault = '', fault_hint = '', fault_since = NULL, budget = :budget,
                     lease_owner = NULL, lease_until = 0
                   WHERE id = :id AND lease_owner = :owner""",
                {"now": now, "next": to_ms(next_at), "budget": _json(budget), "id": id, "owner": owner},
            )
            conn.execute("UPDATE poll SET finished_at = ? WHERE id = ?", (now, poll))
            if before and before[1] == Unreachable.__name__:
                # The network is there again. Those who wait for it are asked soon, and not all at once.
                conn.execute(
                    """UPDATE source SET next_at = min(next_at, ? + abs(random() % ?))
                       WHERE fault_kind = ? AND id <> ? AND parked = 0""",
                    (now, _SPREAD, Unreachable.__name__, id),
                )
            return str(before[0]) if before else ""

    def fail_poll(
        self,
        id: str,
        owner: str,
        poll: int | None,
        error: ReviewdeskError,
        *,
        next_at: datetime,
        parked: bool,
        budget: Budget | None = None,
    ) -> bool:
        """Ends a poll that failed. Gives True where this fault is news: the last poll did not end with its kind."""
        now, kind = self._store.now_ms(), type(error).__name__
        with self._store.transaction() as conn:
            before = conn.execute("SELECT fault_kind FROM source WHERE id = ?", (id,)).fetchone()
            news = not before or before[0] != kind
            conn.execute(
                """UPDATE source SET polled_at = :now, next_at = :next, failures = failures + 1, parked = :parked,
                     fault_since = CASE WHEN fault_kind = :kind THEN fault_since ELSE :now END, fault_kind = :kind,
                     fault = :fault, fault_hint = :hint, budget = coalesce(:budget, budget),
                     lease_owner = NULL, lease_until = 0
                   WHERE id = :id AND (lease_owner = :owner OR lease_owner IS NULL)""",
                {
                    "now": now,
                    "next": to_ms(next_at),
                    "parked": int(parked),
                    "kind": kind,
                    "fault": error.in_a_line,
                    "hint": error.hint,
                    "budget": _json(budget),
                    "id": id,
                    "owner": owner,
                },
            )
            if poll is not None:
                conn.execute("UPDATE poll SET finished_at = ?, fault = ? WHERE id = ?", (now, error.in_a_line, poll))
            return news

    def failures(self, id: str) -> int:
        """Gives how many polls in a row have failed."""
        found = self._conn.execute("SELECT failures FROM source WHERE id = ?", (id,)).fetchone()
        return int(found[0]) if found else 0

    def resume(self, id: str) -> None:
        """Takes a source out of its parking place and lets the next poll ask it at once.

        Raises:
            NotAllowed: there is no such source.
        """
        with self._store.transaction() as conn:
            done = conn.execute("UPDATE source SET parked = 0, next_at = 0 WHERE id = ?", (id,))
            if not done.rowcount:
                raise NotAllowed(f"There is no source {id!r}.", hint="`reviewdesk sources` lists them.")

    def capabilities(self, id: str) -> Mapping[str, Any]:
        """Gives a source's capabilities as its connector told them at the last poll; empty before the first."""
        found = self._conn.execute("SELECT capabilities FROM source WHERE id = ?", (id,)).fetchone()
        return dict(json.loads(found[0])) if found else {}

    def states(self) -> list[SourceState]:
        """Gives every known source, by id."""
        now = self._store.now_ms()
        return [
            SourceState(
                id=row[0],
                connector=row[1],
                title=row[2],
                capabilities=json.loads(row[3]),
                polled_at=from_ms_or_none(row[4]),
                succeeded_at=from_ms_or_none(row[5]),
                next_at=from_ms_or_none(row[6] or None),
                failures=row[7],
                fault_kind=row[8],
                fault=row[9],
                fault_hint=row[10],
                fault_since=from_ms_or_none(row[11]),
                parked=bool(row[12]),
                leased_until=from_ms_or_none(row[13] if row[13] > now and not is_dead(row[20] or "") else None),
                budget=as_written(row[14], Budget, None),
                mentions=row[15],
                open_mentions=row[16],
                set_aside=row[17],
                disabled=bool(row[18]),
                notices=self._store.coverage.notices(row[0]),
                tier=row[19],
            )
            for row in self._conn.execute(
                """SELECT id, connector, title, capabilities, polled_at, succeeded_at, next_at, failures, fault_kind,
                     fault, fault_hint, fault_since, parked, lease_until, budget,
                     (SELECT count(*) FROM mention WHERE source_id = source.id AND ours = 0),
                     (SELECT count(*) FROM mention
                      WHERE source_id = source.id AND ours = 0 AND status IN ('new', 'open')),
                     (SELECT count(*) FROM set_aside WHERE source_id = source.id),
                     disabled, tier, lease_owner
                   FROM source ORDER BY id"""
            ).fetchall()
        ]

    def quarantined(self, source: str = "") -> list[Quarantined]:
        """Gives what could not be read, of one source or of all, the latest first.

        Raises:
            NotAllowed: there is no such source.
        """
        if source and not self.knows(source):
            raise NotAllowed(f"There is no source {source!r}.", hint="`reviewdesk sources` lists them.")
        return [
            _quarantined(row)
            for row in self._conn.execute(
                f"SELECT {_QUARANTINED} FROM set_aside WHERE ? IN ('', source_id) ORDER BY last_at DESC, id DESC",
                (source,),
            ).fetchall()
        ]

    def quarantined_item(self, id: int) -> Quarantined:
        """Gives one item that could not be read.

        Raises:
            NotAllowed: there is none with this number.
        """
        found = self._conn.execute(f"SELECT {_QUARANTINED} FROM set_aside WHERE id = ?", (id,)).fetchone()
        if not found:
            raise NotAllowed(f"There is no item {id} in quarantine.", hint="`reviewdesk quarantine` lists them.")
        return _quarantined(found)

    def take_in(self, item: Quarantined, mentions: Sequence[Mention]) -> Ingested | None:
        """Takes in what an item turned out to be, and lets it out of quarantine, in one transaction.

        What a poll has brought since the item was last seen is newer, and stays as it is. None where the item is no
        longer in quarantine.
        """
        with self._store.transaction() as conn:
            found = conn.execute("DELETE FROM set_aside WHERE id = ? RETURNING last_at", (item.id,)).fetchone()
            if not found:
                return None
            known = self._store.mentions
            fresh = [each for each in mentions if not known.seen_since(item.source, each.id, found[0])]
            return known.ingest(item.source, fresh) + Ingested(same=len(mentions) - len(fresh))

    def keep_in(self, item: Quarantined, reason: str) -> None:
        """Keeps an item in quarantine for the reason that holds now."""
        with self._store.transaction() as conn:
            conn.execute("UPDATE set_aside SET reason = ? WHERE id = ?", (safe(reason), item.id))

    def drop(self, item: Quarantined) -> None:
        """Throws an item out of quarantine, with its payload."""
        with self._store.transaction() as conn:
            conn.execute("DELETE FROM set_aside WHERE id = ?", (item.id,))


def _quarantined(row: Sequence[Any]) -> Quarantined:
    id, source, key, reason, raw, first, last = row
    return Quarantined(
        id=id,
        source=source,
        platform_id=key,
        reason=reason,
        raw=raw,
        first_at=from_ms(first),
        last_at=from_ms(last),
    )


def _json(budget: Budget | None) -> str | None:
    return None if budget is None else msgspec.json.encode(budget).decode()
