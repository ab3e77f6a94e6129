"""A database of every earlier schema, with data in it, opens as one of today's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from reviewdesk.errors import StoreError
from reviewdesk.model import DeliveryState, Kind, Mention
from reviewdesk.store import db as opening
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter
from reviewdesk.store.schema import migrations

NAMES = [each.name for each in migrations._migrations]


def schema(path: Path) -> set[tuple[str, str]]:
    connection = sqlite3.connect(path)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {
            (table, f"{row[1]} {row[2]} {row[3]} {row[4]}")
            for table in tables
            for row in connection.execute(f"PRAGMA table_info([{table}])")
        }
        indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger')")
        return columns | {(name, sql or "") for name, sql in indexes}
    finally:
        connection.close()


def old(path: Path, name: str) -> None:
    """Makes a database as the program had it when `name` was its last migration, with a desk's life in it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    database = Database(connection, execute_plugins=False)
    connection.execute("BEGIN IMMEDIATE")
    migrations.apply(database, stop_before=dict(zip(NAMES, [*NAMES[1:], None], strict=True))[name])
    for statement in (
        "INSERT INTO source (id, connector) VALUES ('fb', 'facebook')",
        """INSERT INTO poll (source_id, started_at, finished_at, fetched, new) VALUES ('fb', 1000, 2000, 3, 2)""",
        """INSERT INTO set_aside (source_id, platform_id, raw_hash, reason, raw, first_at, last_at)
           VALUES ('fb', 'x', 'h', 'No id.', '{}', 1000, 1000)""",
        "INSERT INTO author (source_id, key, name) VALUES ('fb', 'id:1', 'Jana')",
        "INSERT INTO thread (source_id, key) VALUES ('fb', 'a')",
        *(
            f"""INSERT INTO mention (source_id, platform_id, thread_id, author_id, kind, version, content_hash,
                  facts_hash, created_at, seen_at, changed_at, text, author_name)
                VALUES ('fb', '{key}', 1, 1, 'comment', {version}, 'h', 'h', 1000, {seen}, 1000, '{text}', 'Jana')"""
            for key, version, seen, text in (("a", 2, 1000, "Už dobré"), ("b", 1, 9000, "Rozbité kolo"))
        ),
        *(
            f"""INSERT INTO mention_version (mention_id, version, seen_at, title, text, pros, cons)
                VALUES ({id}, {version}, {seen}, '', '{text}', '[]', '[]')"""
            for id, version, seen, text in (
                (1, 1, 1000, "Nefunguje"),
                (1, 2, 7000, "Už dobré"),
                (2, 1, 9000, "Rozbité kolo"),
            )
        ),
        "INSERT INTO mention_fts (rowid, text, author_name) SELECT id, text, author_name FROM mention",
        *(
            f"""INSERT INTO reply (mention_id, key, channel, agent, text, state, created_at, updated_at, send_after)
                VALUES ({mention}, '{state}', 'public', 'jana', 'Omlouváme se', '{state}', 5000, 5000, 5000)"""
            for mention, state in ((1, "queued"), (2, "posted"))
        ),
        "INSERT INTO note (mention_id, agent, text, at) VALUES (1, 'jana', 'volat', 1000)",
        "INSERT INTO draft (mention_id, agent, text, updated_at) VALUES (2, 'jana', 'rozepsáno', 1000)",
    ):
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_earlier_schema_opens_with_its_data(tmp_path: Path, name: str) -> None:
    with Store(tmp_path / "new.db") as new:
        assert new.migrated == (), "a new one was not brought up to date"
    old(tmp_path / "old.db", name)
    with Store(tmp_path / "old.db") as store:
        assert store.migrated == tuple(NAMES[NAMES.index(name) + 1 :])
        assert store.health.damage() == []
        assert store.db.conn.execute("PRAGMA foreign_key_check").fetchall() == []
        assert len(store.mentions.ids(Filter(search="rozbite"))) == 1
        (queued,) = store.outbox.in_states([DeliveryState.QUEUED])
        assert queued.changes == ()
        assert store.outbox.drafts(2)[0].text == "rozepsáno"
        assert store.people.notes(1)[0].text == "volat"
        assert store.sources.states()[0].set_aside == 1
        store.mentions.ingest("fb", [Mention(id="c", kind=Kind.COMMENT, text="Nové")])
    assert schema(tmp_path / "old.db") == schema(tmp_path / "new.db")


def test_a_reply_on_its_way_knows_after_the_migration_what_its_agent_knew(tmp_path: Path) -> None:
    old(tmp_path / "old.db", "m001_the_desk")
    with Store(tmp_path / "old.db") as store:
        (queued,) = store.outbox.in_states([DeliveryState.QUEUED])
        assert (queued.seen_version, queued.seen_mention) == (1, 1), "version 2 and the second mention came later"


@pytest.mark.parametrize("name", NAMES[:-1])
def test_a_migration_that_is_killed_is_done_again_at_the_next_start(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(tmp_path / "old.db", name)
    before = schema(tmp_path / "old.db")

    class Dying:
        def __getattr__(self, name: str) -> object:
            return getattr(migrations, name)

        def apply(self, database: Database) -> None:
            migrations.apply(database)
            raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(opening, "migrations", Dying())
        with pytest.raises(StoreError):
            Store(tmp_path / "old.db")
    assert schema(tmp_path / "old.db") == before, "nothing is half done"
    with Store(tmp_path / "old.db") as store:
        assert store.health.damage() == []
