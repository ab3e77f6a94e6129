"""Opens the database: connections, transactions, migrations, and the errors of SQLite in words.

One `Store` belongs to one thread. Every write runs in `BEGIN IMMEDIATE`: a transaction that starts as a reader and
wants to write later would fail at once when another process has written in between, however long it would wait.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlite_utils import Database

from reviewdesk.errors import Damaged, StoreError
from reviewdesk.folders import make_folder
from reviewdesk.store.schema import migrations

if TYPE_CHECKING:
    from reviewdesk.store.corrections import Corrections
    from reviewdesk.store.coverage import Coverage
    from reviewdesk.store.erasing import Erasing
    from reviewdesk.store.health import Health
    from reviewdesk.store.mentions import Mentions
    from reviewdesk.store.outbox import Outbox
    from reviewdesk.store.people import People
    from reviewdesk.store.sources import Sources

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# A day from the ends of the calendar: what lies beyond cannot be told in every zone. Exports say "never" by such times.
_EARLIEST = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LATEST = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // _MILLISECOND
_BUSY_SECONDS = 30
CLOCK_SET_BACK = 5 * 60 * 1000
"""Milliseconds ahead of the clock from which on what was written tells that it was set back; its times are void."""


def to_ms(moment: datetime) -> int:
    """Gives an aware time as milliseconds since 1970; one at an end of the calendar a day within it."""
    return min(max((moment - _EPOCH) // _MILLISECOND, _EARLIEST), _LATEST)


def from_ms(ms: int) -> datetime:
    """Gives milliseconds since 1970 as an aware time in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def from_ms_or_none(ms: int | None) -> datetime | None:
    """Gives None for None; otherwise as `from_ms`."""
    return None if ms is None else from_ms(ms)


@contextmanager
def _closed_unless_opened(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Closes a connection with which the database could not be opened."""
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


class Store:
    """The desk's database.

    Args:
        path: the file; made with mode 0600 where it is missing and `begin` allows it.
        read_only: never writes and never migrates; for the readers of lists.
        begin: makes the database where there is none.
        clock: gives the time, aware and in UTC.

    Attributes:
        migrated: the migrations that were due when it was opened, and are done; none where it was new.

    Raises:
        StoreError: it cannot be opened: missing, not the desk's, damaged, no permission, or newer than this program.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        read_only: bool = False,
        begin: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.path = Path(path)
        self.clock = clock
        self.read_only = read_only
        self.migrated: tuple[str, ...] = ()
        with self.told():
            if self.path.is_dir():
                raise StoreError(f"{self.path} is a folder and no database.", hint="Name a file.")
            if (read_only or not begin) and not self.path.exists():
                raise self._missing()
            self._file: tuple[int, int] | None = None
            self.db = self._open_reader() if read_only else self._open_writer()
            self._file = self._on_disk()

    def _open_reader(self) -> Database:
        with _closed_unless_opened(
            sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        ) as connection:
            db = self._prepare(connection)
            if not migrations.applied(db):
                raise self._of_another_program() if db.table_names() else self._missing()
            return db

    def _open_writer(self) -> Database:
        make_folder(self.path.parent)
        # Only a file that is not there yet may be opened here: closing any other handle of the database would take
        # away the locks of this process's other connections, and another process would throw their log away.
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with _closed_unless_opened(sqlite3.connect(self.path, timeout=_BUSY_SECONDS)) as connection:
            db = self._prepare(connection)
            if db.journal_mode != "wal":
                db.enable_wal()
            # A transition of a reply must outlive a power cut before the next network call: NORMAL promises less.
            connection.execute("PRAGMA synchronous = FULL")
            self.db = db
            self._migrate()
            return db

    def _missing(self) -> StoreError:
        return StoreError(f"There is no database at {self.path}.", hint="Run: reviewdesk poll")

    def _of_another_program(self) -> StoreError:
        return StoreError(f"{self.path} is no database of reviewdesk.", hint="Name another with --db.")

    @staticmethod
    def _prepare(connection: sqlite3.Connection) -> Database:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -16000")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.row_factory = None
        return Database(connection, execute_plugins=False)

    def _migrate(self) -> None:
        applied = migrations.applied(self.db)
        if not applied and self.db.table_names():
            raise self._of_another_program()
        self.expect_not_newer()
        due = tuple(each.name for each in migrations.pending(self.db))
        if due:
            with self.transaction():
                migrations.apply(self.db)
        if applied:
            self.migrated = due

    def expect_not_newer(self) -> None:
        """Looks whether this program knows the file's form.

        Raises:
            StoreError: a newer one has changed it.
        """
        known = {migration.name for migration in migrations._migrations}
        if any(each.name not in known for each in migrations.applied(self.db)):
            raise StoreError(
                f"The database {self.path} was last used by a newer version of reviewdesk.",
                hint="Update reviewdesk, or open another database with --db.",
            )

    @property
    def is_behind(self) -> bool:
        """True where the file is of an earlier version of the program; who opens it for writing brings it along."""
        with self.told():
            return bool(migrations.pending(self.db))

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turns SQLite's errors in the block into `StoreError`s that a person understands."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as error:
            raise _trouble(error, self.path) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Runs the block in one `BEGIN IMMEDIATE` transaction; inside another one it joins that.

        Raises:
            StoreError: the database is locked for longer than half a minute, full, read-only, damaged or gone.
        """
        connection = self.db.conn
        if connection.in_transaction:
            yield connection
            return
        with self.told():
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._still_there()
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A commit that failed may leave it open, and later ones would join it and never be written.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _on_disk(self) -> tuple[int, int] | None:
        """Gives which file lies at the path now; None where none does."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _still_there(self) -> None:
        """SQLite writes on into a file that has no name any more, and nobody would ever read it."""
        if self._file is not None and self._on_disk() != self._file:
            raise StoreError(
                f"The file {self.path} was removed or replaced while it was open; nothing was written.",
                hint="Put it back, or restore a backup, and start again.",
            )

    def hurry(self) -> None:
        """Stops waiting for the disk, for a new database that is thrown away when its filling fails."""
        self.db.conn.execute("PRAGMA synchronous = OFF")
        self.db.conn.execute("PRAGMA cache_size = -200000")

    def now_ms(self) -> int:
        """Gives the clock's time in milliseconds."""
        return to_ms(self.clock())

    def data_version(self) -> int:
        """Gives a number that changes when another connection has written. Takes microseconds."""
        return int(self.db.conn.execute("PRAGMA data_version").fetchone()[0])

    @cached_property
    def mentions(self) -> Mentions:
        """Mentions, their versions, assessments, threads and authors."""
        from reviewdesk.store.mentions import Mentions

        return Mentions(self)

    @cached_property
    def sources(self) -> Sources:
        """Sources with their cursors, leases and faults; polls; what was set aside."""
        from reviewdesk.store.sources import Sources

        return Sources(self)

    @cached_property
    def corrections(self) -> Corrections:
        """What people say of mentions against the desk's word, and what was learned of it."""
        from reviewdesk.store.corrections import Corrections

        return Corrections(self)

    @cached_property
    def coverage(self) -> Coverage:
        """The record of polls, of when mentions came in, and of what was told."""
        from reviewdesk.store.coverage import Coverage

        return Coverage(self)

    @cached_property
    def outbox(self) -> Outbox:
        """Replies on their way, and drafts."""
        from reviewdesk.store.outbox import Outbox

        return Outbox(self)

    @cached_property
    def people(self) -> People:
        """Notes, tags, templates and the event log."""
        from reviewdesk.store.people import People

        return People(self)

    @cached_property
    def health(self) -> Health:
        """Whether the database is in order, and mending it in its place."""
        from reviewdesk.store.health import Health

        return Health(self)

    @cached_property
    def erasing(self) -> Erasing:
        """Erasing a person at their request."""
        from reviewdesk.store.erasing import Erasing

        return Erasing(self)

    def backup(self, target: Path) -> None:
        """Writes a whole copy to `target` (mode 0600) by SQLite's own backup, as of now, while others read and write.

        Raises:
            StoreError: the target exists already or cannot be written whole; then none is left.
        """
        try:
            os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            raise StoreError(f"The file {target} exists already; choose another name.") from None
        except OSError as error:
            raise StoreError(f"The file {target} cannot be written: {error.strerror}.") from None
        with self.told():
            try:
                with closing(sqlite3.connect(target)) as copy, self._moment():
                    # What is called in between is Python, in which Ctrl-C is heard.
                    self.db.conn.backup(copy, pages=4096, progress=lambda *_: None)
            except BaseException:
                target.unlink(missing_ok=True)
                raise

    @contextmanager
    def _moment(self) -> Iterator[None]:
        """Reads the database as it is now throughout the block; a backup would begin again whenever others write."""
        self.db.conn.execute("BEGIN")
        try:
            self.db.conn.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            yield
        finally:
            if self.db.conn.in_transaction:
                self.db.conn.execute("ROLLBACK")

    def empty_log(self) -> bool:
        """Writes the log beside the database (`-wal`) into it; False where another connection is in the way."""
        with self.told():
            busy, *_ = self.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Closes the connection."""
        self.db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Closes it; what SQLite raised in the block becomes a `StoreError`, wherever it was read."""
        self.close()
        if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
            raise _trouble(error, self.path) from error


def remove(path: Path) -> None:
    """Removes a database that nobody has open, with what SQLite keeps beside it."""
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def is_damage(error: Exception) -> bool:
    """Tells whether SQLite says of a file that its content is wrong (https://www.sqlite.org/rescode.html#corrupt)."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _trouble(error: Exception, path: Path) -> StoreError:
    """Gives what SQLite or the system says as an error that a person understands."""
    return (Damaged if is_damage(error) else StoreError)(_sentence(error, path))


def _sentence(error: Exception, path: Path) -> str:
    text = str(error).lower()
    if "locked" in text or "busy" in text:
        return f"The database {path} is kept busy by another program; try again in a minute."
    if "full" in text or getattr(error, "errno", None) == errno.ENOSPC:
        return f"The disk with {path} is full; nothing was half-written. Make room and try again."
    if "disk i/o" in text:
        what = "it is full, over its quota, or failing"
        return f"The disk with {path} takes or gives no data (disk I/O error): {what}. Nothing was half-written."
    if "unable to open" in text or isinstance(error, FileNotFoundError):
        return f"The database {path} cannot be opened; check that its folder is there, and the permissions of both."
    if "readonly" in text or "read-only" in text or isinstance(error, PermissionError):
        return f"The database {path} cannot be written; check the permissions of the file and its folder."
    if "not a database" in text or "malformed" in text:
        ways = (
            "`reviewdesk doctor --repair` saves what can be read; else restore a backup, or choose another with --db."
        )
        return f"The file {path} is damaged or not a reviewdesk database. {ways}"
    return f"The database {path} cannot be used: {error}."
