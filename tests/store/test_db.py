"""Opening: modes, locks, newer and damaged files, backups while others write."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from reviewdesk.errors import Damaged, StoreError
from reviewdesk.model import Kind, Mention, SetAside
from reviewdesk.store.db import Store, from_ms, to_ms
from reviewdesk.store.records import Filter
from reviewdesk.store.schema import migrations


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    with Store(tmp_path / "deep" / "desk.db") as store:
        store.people.log("x", agent="y")
        for path in (tmp_path / "deep").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_opening_twice_migrates_once(tmp_path: Path) -> None:
    Store(tmp_path / "desk.db").close()
    with Store(tmp_path / "desk.db") as store:
        applied = store.db.conn.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()
        assert applied == (len(migrations._migrations),)


def test_a_newer_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with Store(tmp_path / "desk.db") as store:
        store.db.conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('reviewdesk', 'm999_later', 'x')"
        )
    with pytest.raises(StoreError, match="newer version"):
        Store(tmp_path / "desk.db")


def test_a_migration_that_breaks_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reviewdesk.store import schema

    monkeypatch.setattr(schema, "_FIRST", (*schema._FIRST[:5], "CREATE NONSENSE"))
    with pytest.raises(StoreError):
        Store(tmp_path / "desk.db")
    connection = sqlite3.connect(tmp_path / "desk.db")
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()
    monkeypatch.undo()
    Store(tmp_path / "desk.db").close()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "desk.db").write_bytes(content)
    with pytest.raises(StoreError, match="damaged or not a reviewdesk database"):
        Store(tmp_path / "desk.db")
    assert (tmp_path / "desk.db").read_bytes() == content


def test_a_reader_of_nothing_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="reviewdesk poll"):
        Store(tmp_path / "none.db", read_only=True)
    assert not (tmp_path / "none.db").exists()


def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    Store(tmp_path / "desk.db").close()
    with Store(tmp_path / "desk.db", read_only=True) as reader, pytest.raises(StoreError):
        reader.people.log("x", agent="y")


def test_a_reader_sees_that_another_has_written(tmp_path: Path) -> None:
    with Store(tmp_path / "desk.db") as writer, Store(tmp_path / "desk.db", read_only=True) as reader:
        before = reader.data_version()
        assert reader.data_version() == before
        writer.people.log("x", agent="y")
        assert reader.data_version() != before


def test_a_locked_database_is_waited_for_and_then_a_sentence(tmp_path: Path) -> None:
    with Store(tmp_path / "desk.db") as one, Store(tmp_path / "desk.db") as other:
        one.db.conn.execute("BEGIN IMMEDIATE")
        other.db.conn.execute("PRAGMA busy_timeout = 20")
        with pytest.raises(StoreError, match="kept busy"):
            other.people.log("x", agent="y")
        one.db.conn.execute("ROLLBACK")
        other.people.log("x", agent="y")


def test_a_transaction_that_fails_takes_everything_back(tmp_path: Path) -> None:
    with Store(tmp_path / "desk.db") as store:

        def half() -> None:
            with store.transaction():
                store.people.log("x", agent="y")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            half()
        assert store.people.events() == []


def test_a_transaction_that_cannot_be_committed_swallows_no_later_one(tmp_path: Path) -> None:
    with Store(tmp_path / "desk.db") as store:
        store.sources.register("fb", "facebook", "")

        def doomed() -> None:
            with store.transaction() as conn:
                # A constraint that is looked at only by the commit makes it fail, as a full disk would.
                conn.execute("PRAGMA defer_foreign_keys = ON")
                conn.execute("INSERT INTO thread (source_id, key) VALUES ('nowhere', 'x')")

        with pytest.raises(sqlite3.IntegrityError):
            doomed()
        store.people.log("x", agent="y")
        with Store(tmp_path / "desk.db", read_only=True) as reader:
            assert [event.what for event in reader.people.events()] == ["x"]


def test_damage_that_is_read_without_care_is_told_as_damage(tmp_path: Path) -> None:
    damage = sqlite3.DatabaseError("database disk image is malformed")
    damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    with pytest.raises(Damaged, match="doctor --repair"), Store(tmp_path / "desk.db"):
        raise damage


def test_writers_from_many_threads_all_get_their_turn(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    with Store(path) as store:
        store.sources.register("fb", "facebook", "")
    faults: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with Store(path) as store:
                for each in range(20):
                    store.mentions.ingest("fb", [Mention(id=f"{number}-{each}", kind=Kind.POST, text="x")])
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with Store(path) as store:
        assert store.mentions.count(Filter()) == 80


def test_a_backup_is_whole_its_owners_alone_and_never_over_another_file(tmp_path: Path) -> None:
    with Store(tmp_path / "desk.db") as store:
        store.people.log("x", agent="y")
        store.backup(tmp_path / "copy.db")
        assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
        with pytest.raises(StoreError, match="exists already"):
            store.backup(tmp_path / "copy.db")
    with Store(tmp_path / "copy.db") as copy:
        assert [event.what for event in copy.people.events()] == ["x"]
        assert copy.health.damage() == []


def test_a_backup_ends_while_others_write_on(tmp_path: Path) -> None:
    done, until = threading.Event(), time.monotonic() + 5
    writing = threading.Event()

    def write() -> None:
        with Store(tmp_path / "desk.db") as other:
            while not done.is_set() and time.monotonic() < until:
                other.people.log("x", agent="y")
                writing.set()

    with Store(tmp_path / "desk.db") as store:
        store.sources.register("fb", "facebook", "")
        # More pages than are copied at once.
        store.mentions.ingest("fb", [], set_aside=[SetAside(raw="x" * 40_000_000, reason="large")])
        writer = threading.Thread(target=write)
        writer.start()
        assert writing.wait(5)
        store.backup(tmp_path / "copy.db")
        ended = writer.is_alive()
        done.set()
        writer.join()
    assert ended, "it waited until nobody wrote any more"


def test_half_a_backup_is_none(tmp_path: Path) -> None:
    with Store(tmp_path / "desk.db") as store:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
        try:
            with pytest.raises(StoreError):
                store.backup(tmp_path / "copy.db")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert not list(tmp_path.glob("copy*"))
        store.backup(tmp_path / "copy.db")


@pytest.mark.parametrize("read_only", [True, False])
def test_the_database_of_another_program_is_left_alone(read_only: bool, tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE places (url)")
    other.close()
    with pytest.raises(StoreError, match=r"places\.sqlite is no database of reviewdesk"):
        Store(path, read_only=read_only)
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("places",)]
    other.close()


@pytest.mark.parametrize("read_only", [True, False])
def test_a_folder_is_no_database(read_only: bool, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder and no database"):
        Store(tmp_path, read_only=read_only)


def test_a_folder_that_is_not_there_and_cannot_be_made_is_a_sentence() -> None:
    with pytest.raises(StoreError, match="check that its folder is there"):
        Store("/proc/nowhere/desk.db")


def test_an_empty_file_is_no_database_yet(tmp_path: Path) -> None:
    (tmp_path / "desk.db").touch()
    with pytest.raises(StoreError, match="There is no database"):
        Store(tmp_path / "desk.db", read_only=True)
    Store(tmp_path / "desk.db").close()
    Store(tmp_path / "desk.db", read_only=True).close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_folder_without_permission_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(StoreError, match="cannot be written"):
        Store(tmp_path / "closed" / "desk.db")


def test_times_go_through_milliseconds_unharmed() -> None:
    for moment in (datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 11, 23, 12, 0, 0, 123000, tzinfo=UTC)):
        assert from_ms(to_ms(moment)) == moment


@pytest.mark.parametrize(
    "moment",
    [
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-12))),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_a_time_at_an_end_of_the_calendar_can_be_shown_everywhere(moment: datetime) -> None:
    kept = from_ms(to_ms(moment))
    assert kept.year == moment.year
    for hours in (-12, 14):
        assert kept.astimezone(timezone(timedelta(hours=hours)))


def test_a_log_that_was_left_behind_is_taken_in(tmp_path: Path) -> None:
    """What a killed process has committed stands in the log beside the file."""
    with Store(tmp_path / "desk.db") as store:
        store.db.conn.execute("PRAGMA wal_autocheckpoint = 0")
        store.people.log("x", agent="y")
        for name in ("desk.db", "desk.db-wal"):
            (tmp_path / name.replace("desk", "left")).write_bytes((tmp_path / name).read_bytes())
    with Store(tmp_path / "left.db") as left:
        assert [event.what for event in left.people.events()] == ["x"]
        assert left.health.damage() == []
