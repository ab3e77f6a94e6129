"""Whether the database is in order, and what can be mended in its place without touching what is in it."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from reviewdesk.errors import Damaged
from reviewdesk.store.holders import is_dead

if TYPE_CHECKING:
    from reviewdesk.store.db import Store

_MOST_FAULTS = 10
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Health:
    """The door to the database's state; made by `Store.health`.

    Args:
        store: opened for writing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._conn: sqlite3.Connection = store.db.conn

    def damage(self) -> list[str]:
        """Gives what SQLite's whole check finds wrong with pages, tables and their indexes, at most ten lines.

        Raises:
            StoreError: the database is busy for too long.
        """
        try:
            with self._store.told():
                found = [str(line) for (line,) in self._conn.execute(f"PRAGMA integrity_check({_MOST_FAULTS})")]
        except Damaged as error:
            return [str(error.__cause__)]
        return [] if found == ["ok"] else found

    def search_is_whole(self) -> bool:
        """Tells whether the search index is undamaged and holds what the mentions say. Errors as in `damage`."""
        try:
            with self._store.transaction() as conn:
                conn.execute("INSERT INTO mention_fts (mention_fts, rank) VALUES ('integrity-check', 1)")
        except Damaged:
            return False
        return True

    def rebuild_search(self) -> None:
        """Builds the search index anew from the mentions."""
        with self._store.transaction() as conn:
            conn.execute("INSERT INTO mention_fts (mention_fts) VALUES ('rebuild')")

    def rebuild_indexes(self) -> bool:
        """Builds every index anew from its table, and gives whether all is well then; otherwise nothing is changed."""
        try:
            with self._store.transaction() as conn:
                conn.execute("INSERT INTO mention_fts (mention_fts) VALUES ('rebuild')")
                conn.execute("REINDEX")
                if self.damage():
                    raise Damaged("There is damage that no index explains.")
        except (Damaged, sqlite3.IntegrityError):
            return False
        return True

    def stuck(self) -> list[str]:
        """Gives the sources whose lease is held by a process of this machine that has died."""
        return [
            id
            for id, owner in self._conn.execute("SELECT id, lease_owner FROM source WHERE lease_owner IS NOT NULL")
            if is_dead(owner)
        ]

    def release_stuck(self) -> list[str]:
        """Takes the leases of the dead away; gives the sources."""
        with self._store.transaction() as conn:
            stuck = self.stuck()
            conn.executemany(
                "UPDATE source SET lease_owner = NULL, lease_until = 0 WHERE id = ?", [(id,) for id in stuck]
            )
        return stuck

    def readable_by_others(self) -> list[Path]:
        """Gives those of the database's files, and of the folders beside it, that others than their owner can reach."""
        if os.name != "posix":
            return []
        path = self._store.path
        own = (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-sources")))
        return [each for each in own if each.exists() and each.stat().st_mode & _OTHERS]

    def close_to_others(self) -> list[Path]:
        """Takes the others' rights away from the database's files; gives those that were changed.

        Raises:
            StoreError: they are somebody else's.
        """
        found = self.readable_by_others()
        with self._store.told():
            for each in found:
                each.chmod(each.stat().st_mode & ~_OTHERS)
        return found

    def log_size(self) -> int:
        """Gives how many bytes stand in the log beside the database (`-wal`) and not yet in itself."""
        log = self._store.path.with_name(self._store.path.name + "-wal")
        return log.stat().st_size if log.exists() else 0
