"""Copies what can still be read of a damaged database into a new one. The damaged file itself is only read.

A table is read in the order of its rows, piece by piece; where a piece cannot be read, ever smaller ones, so that a bad
page costs the rows on it and no others. What belongs to a lost mention goes with it; a lost source or thread is put up
again from what is known of it, since mentions hang on it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from reviewdesk.errors import StoreError
from reviewdesk.model import Record
from reviewdesk.store.db import Store, remove

_PIECE = 256
_HIGHEST = 1 << 62
Row = tuple[object, ...]


class Salvaged(Record, frozen=True, kw_only=True):
    """What became of one table: how many rows were copied, and how many it had; None where that cannot be told."""

    table: str
    copied: int
    before: int | None


def salvage(damaged: Path, target: Path) -> list[Salvaged]:
    """Copies what can be read into a new database, and gives for each table how much that was.

    Each source is asked from its beginning at the next poll, so that what its platform still shows comes back.

    Args:
        target: a file that is not there yet; made with mode 0600.

    Raises:
        StoreError: nothing at all can be read, or the target cannot be written.
    """
    if target.exists():
        raise StoreError(f"The file {target} exists already; choose another name.")
    source = sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)
    source.text_factory = _text
    try:
        with closing(source):
            known = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            with Store(target) as store:
                return _copy(source, known, store)
    except BaseException as error:
        remove(target)
        if isinstance(error, sqlite3.Error):
            sentence = f"Nothing can be read of {damaged} any more ({error})."
            raise StoreError(sentence, hint="Restore the last backup.") from error
        raise


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _copy(source: sqlite3.Connection, known: set[str], store: Store) -> list[Salvaged]:
    conn = store.db.conn
    conn.execute("PRAGMA foreign_keys = OFF")
    told = []
    with store.transaction():
        tables = [
            name
            for (name,) in conn.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '*_fts*'"
                " AND name NOT GLOB '_sqlite_*' AND name NOT GLOB 'sqlite_*' ORDER BY name NOT IN ('mention'), name"
            )
        ]
        for table in tables:
            if table not in known:
                continue
            columns = [name for name in _columns(conn, table) if name in _columns(source, table)]
            wanted = ", ".join(columns)
            marks = ", ".join("?" * len(columns))
            copied = 0
            for row in _rows(source, table, wanted, conn):
                copied += conn.execute(f"INSERT OR IGNORE INTO {table} ({wanted}) VALUES ({marks})", row).rowcount
            told.append(Salvaged(table=table, copied=copied, before=_count(source, table)))
        _join(conn, tables)
        conn.execute("INSERT INTO mention_fts (mention_fts) VALUES ('rebuild')")
    conn.execute("PRAGMA foreign_keys = ON")
    return told


def _columns(conn: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in conn.execute(f"PRAGMA table_info([{table}])")]


def _count(source: sqlite3.Connection, table: str) -> int | None:
    try:
        return int(source.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.DatabaseError:
        return None


def _rows(source: sqlite3.Connection, table: str, columns: str, copy: sqlite3.Connection) -> Iterator[Row]:
    if _is_numbered(source, table):
        yield from _by_number(source, table, columns)
    elif "mention_id" in _columns(source, table):
        for (id,) in copy.execute("SELECT id FROM mention ORDER BY id").fetchall():
            yield from _tried(source, f"SELECT {columns} FROM {table} NOT INDEXED WHERE mention_id = ?", id) or ()
    else:
        yield from _until_it_breaks(source, f"SELECT {columns} FROM {table} NOT INDEXED")


def _is_numbered(source: sqlite3.Connection, table: str) -> bool:
    try:
        source.execute(f"SELECT rowid FROM {table} LIMIT 0")
    except sqlite3.OperationalError:
        return False
    return True


def _tried(source: sqlite3.Connection, statement: str, *values: int) -> list[Row] | None:
    try:
        return source.execute(statement, values).fetchall()
    except sqlite3.DatabaseError:
        return None


def _until_it_breaks(source: sqlite3.Connection, statement: str) -> Iterator[Row]:
    try:
        yield from source.execute(statement)
    except sqlite3.DatabaseError:
        return


def _by_number(source: sqlite3.Connection, table: str, columns: str) -> Iterator[Row]:
    """Gives the rows by ranges of their numbers; a range that cannot be read is halved down to single numbers."""
    start: int | None = _next(source, table, 0)
    while start is not None:
        yield from _range(source, f"SELECT {columns} FROM {table} NOT INDEXED", start, start + _PIECE)
        start = _next(source, table, start + _PIECE)


def _next(source: sqlite3.Connection, table: str, start: int) -> int | None:
    """Gives the first number from `start` on at which a row can be read; None where there is none.

    A bad page within the tree hides all rows below it, thousands or a million, so its end is looked for in leaps.
    """

    def first(number: int) -> list[Row] | None:
        return _tried(source, f"SELECT min(rowid) FROM {table} NOT INDEXED WHERE rowid >= ?", number)

    bad, leap = start - 1, 0
    while (found := first(start + leap)) is None:
        bad, leap = start + leap, max(1, leap * 2)
        if start + leap > _HIGHEST:
            return None
    good = start + leap
    while good - bad > 1 and leap:
        middle = (good + bad) // 2
        nearer = first(middle)
        good, bad, found = (middle, bad, nearer) if nearer is not None else (good, middle, found)
    number = found[0][0] if found else None
    return None if number is None else int(str(number))


def _range(source: sqlite3.Connection, select: str, low: int, high: int) -> Iterator[Row]:
    """Gives the rows from `low` to below `high`."""
    found = _tried(source, f"{select} WHERE rowid >= ? AND rowid < ? ORDER BY rowid", low, high)
    if found is not None:
        yield from found
    elif high - low > 1:
        middle = (low + high) // 2
        yield from _range(source, select, low, middle)
        yield from _range(source, select, middle, high)


def _join(conn: sqlite3.Connection, tables: Sequence[str]) -> None:
    """Makes what was copied hold together, and lets each source be read from its beginning."""
    for statement in (
        "INSERT OR IGNORE INTO source (id, connector) SELECT DISTINCT source_id, '' FROM mention",
        """INSERT OR IGNORE INTO thread (id, source_id, key)
           SELECT thread_id, source_id, 'salvaged-' || thread_id FROM mention
           WHERE thread_id NOT IN (SELECT id FROM thread)""",
        "UPDATE mention SET author_id = NULL WHERE author_id NOT IN (SELECT id FROM author)",
        """INSERT OR IGNORE INTO mention_version
             (mention_id, version, seen_at, title, text, pros, cons, rating, recommends)
           SELECT id, version, seen_at, title, text, pros, cons, rating, recommends FROM mention
           WHERE erased_at IS NULL""",
        "UPDATE mention SET assessed = '' WHERE id NOT IN (SELECT mention_id FROM assessment)",
        "UPDATE source SET cursor = NULL, next_at = 0, lease_owner = NULL, lease_until = 0",
    ):
        conn.execute(statement)
    for table in tables:
        for _, _, parent, own, theirs, *_ in conn.execute(f"PRAGMA foreign_key_list([{table}])").fetchall():
            conn.execute(
                f"DELETE FROM {table} WHERE {own} IS NOT NULL AND {own} NOT IN (SELECT {theirs} FROM {parent})"
            )
