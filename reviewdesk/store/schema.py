"""The tables, as migrations. A migration that has landed is never changed; the next one mends it.

Times are integers of milliseconds since 1970 in UTC; lists and maps are JSON text. `due_at` is never null, so that one
index gives the inbox's order: NEVER stands for "no deadline".
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

NEVER = 253_402_300_799_000
"""The last second of the year 9999, in milliseconds."""

migrations = Migrations("reviewdesk")

_OPEN = "ours = 0 AND status IN ('new', 'open')"

_FIRST = (
    """CREATE TABLE source (
        id TEXT PRIMARY KEY,
        connector TEXT NOT NULL,
        title TEXT NOT NULL DEFAULT '',
        capabilities TEXT NOT NULL DEFAULT '{}',
        cursor TEXT,
        polled_at INTEGER,
        succeeded_at INTEGER,
        next_at INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        fault_kind TEXT NOT NULL DEFAULT '',
        fault TEXT NOT NULL DEFAULT '',
        fault_hint TEXT NOT NULL DEFAULT '',
        fault_since INTEGER,
        parked INTEGER NOT NULL DEFAULT 0,
        lease_owner TEXT,
        lease_until INTEGER NOT NULL DEFAULT 0,
        budget TEXT
    )""",
    """CREATE TABLE poll (
        id INTEGER PRIMARY KEY,
        source_id TEXT NOT NULL REFERENCES source(id),
        started_at INTEGER NOT NULL,
        finished_at INTEGER,
        total INTEGER,
        fetched INTEGER NOT NULL DEFAULT 0,
        new INTEGER NOT NULL DEFAULT 0,
        changed INTEGER NOT NULL DEFAULT 0,
        same INTEGER NOT NULL DEFAULT 0,
        set_aside INTEGER NOT NULL DEFAULT 0,
        gone INTEGER NOT NULL DEFAULT 0,
        fault TEXT NOT NULL DEFAULT ''
    )""",
    "CREATE INDEX poll_by_source ON poll(source_id, id)",
    """CREATE TABLE set_aside (
        id INTEGER PRIMARY KEY,
        source_id TEXT NOT NULL REFERENCES source(id),
        platform_id TEXT NOT NULL DEFAULT '',
        raw_hash TEXT NOT NULL,
        reason TEXT NOT NULL,
        raw TEXT NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        UNIQUE (source_id, raw_hash)
    )""",
    """CREATE TABLE author (
        id INTEGER PRIMARY KEY,
        source_id TEXT NOT NULL REFERENCES source(id),
        key TEXT NOT NULL,
        name TEXT NOT NULL DEFAULT '',
        url TEXT NOT NULL DEFAULT '',
        UNIQUE (source_id, key)
    )""",
    """CREATE TABLE thread (
        id INTEGER PRIMARY KEY,
        source_id TEXT NOT NULL REFERENCES source(id),
        key TEXT NOT NULL,
        UNIQUE (source_id, key)
    )""",
    """CREATE TABLE mention (
        id INTEGER PRIMARY KEY,
        source_id TEXT NOT NULL REFERENCES source(id),
        platform_id TEXT NOT NULL,
        thread_id INTEGER NOT NULL REFERENCES thread(id),
        author_id INTEGER REFERENCES author(id),
        parent TEXT NOT NULL DEFAULT '',
        kind TEXT NOT NULL,
        ours INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL DEFAULT 1,
        content_hash TEXT NOT NULL,
        facts_hash TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        edited_at INTEGER,
        gone_at INTEGER,
        title TEXT NOT NULL DEFAULT '',
        text TEXT NOT NULL DEFAULT '',
        pros TEXT NOT NULL DEFAULT '[]',
        cons TEXT NOT NULL DEFAULT '[]',
        author_name TEXT NOT NULL DEFAULT '',
        order_id TEXT NOT NULL DEFAULT '',
        product TEXT NOT NULL DEFAULT '',
        rating REAL,
        recommends INTEGER,
        url TEXT NOT NULL DEFAULT '',
        language TEXT NOT NULL DEFAULT '',
        hidden INTEGER NOT NULL DEFAULT 0,
        liked INTEGER NOT NULL DEFAULT 0,
        facts TEXT NOT NULL DEFAULT '{}',
        status TEXT NOT NULL DEFAULT 'new',
        assignee TEXT NOT NULL DEFAULT '',
        snoozed_until INTEGER,
        due_at INTEGER NOT NULL DEFAULT 253402300799000,
        answered_at INTEGER,
        closed_at INTEGER,
        complaint INTEGER NOT NULL DEFAULT 0,
        severity INTEGER NOT NULL DEFAULT 0,
        probability REAL NOT NULL DEFAULT 0,
        compound REAL,
        assessed TEXT NOT NULL DEFAULT '',
        UNIQUE (source_id, platform_id)
    )""",
    f"CREATE INDEX mention_by_urgency ON mention(complaint DESC, due_at, id) WHERE {_OPEN}",
    f"CREATE INDEX mention_by_assignee ON mention(assignee, complaint DESC, due_at, id) WHERE {_OPEN}",
    f"CREATE INDEX mention_by_deadline ON mention(due_at, id) WHERE {_OPEN}",
    "CREATE INDEX mention_by_wake ON mention(snoozed_until, id) WHERE status = 'snoozed'",
    "CREATE INDEX mention_by_time ON mention(created_at DESC, id DESC) WHERE ours = 0",
    "CREATE INDEX mention_by_source ON mention(source_id, created_at DESC, id DESC) WHERE ours = 0",
    "CREATE INDEX mention_by_thread ON mention(thread_id, created_at, id)",
    "CREATE INDEX mention_by_parent ON mention(source_id, parent, ours, created_at)",
    "CREATE INDEX mention_by_author ON mention(author_id) WHERE author_id IS NOT NULL",
    "CREATE INDEX mention_by_author_name ON mention(author_name) WHERE author_name <> ''",
    "CREATE INDEX mention_by_order ON mention(order_id) WHERE order_id <> ''",
    "CREATE INDEX mention_by_assessor ON mention(assessed, id) WHERE ours = 0",
    """CREATE TABLE mention_version (
        mention_id INTEGER NOT NULL REFERENCES mention(id) ON DELETE CASCADE,
        version INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        pros TEXT NOT NULL,
        cons TEXT NOT NULL,
        rating REAL,
        recommends INTEGER,
        raw TEXT,
        PRIMARY KEY (mention_id, version)
    ) WITHOUT ROWID""",
    """CREATE TABLE assessment (
        mention_id INTEGER NOT NULL REFERENCES mention(id) ON DELETE CASCADE,
        version INTEGER NOT NULL,
        assessor TEXT NOT NULL,
        assessed_at INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (mention_id, version)
    ) WITHOUT ROWID""",
    """CREATE TABLE reply (
        id INTEGER PRIMARY KEY,
        mention_id INTEGER NOT NULL REFERENCES mention(id) ON DELETE CASCADE,
        key TEXT NOT NULL UNIQUE,
        channel TEXT NOT NULL,
        agent TEXT NOT NULL,
        text TEXT NOT NULL,
        state TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        send_after INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        attempted_at INTEGER,
        looked_at INTEGER,
        holder TEXT NOT NULL DEFAULT '',
        lease_until INTEGER NOT NULL DEFAULT 0,
        remote_id TEXT NOT NULL DEFAULT '',
        remote_url TEXT NOT NULL DEFAULT '',
        remote_text TEXT,
        posted_at INTEGER,
        fault TEXT NOT NULL DEFAULT '',
        fault_hint TEXT NOT NULL DEFAULT ''
    )""",
    # Two replies on their way to one mention would be posted twice; the database itself says no.
    """CREATE UNIQUE INDEX reply_on_its_way ON reply(mention_id, channel)
        WHERE state IN ('queued', 'sending', 'unknown')""",
    "CREATE INDEX reply_by_mention ON reply(mention_id, id)",
    """CREATE INDEX reply_by_state ON reply(state, send_after)
        WHERE state NOT IN ('visible', 'withdrawn')""",
    """CREATE TABLE draft (
        mention_id INTEGER NOT NULL REFERENCES mention(id) ON DELETE CASCADE,
        agent TEXT NOT NULL,
        text TEXT NOT NULL,
        template TEXT NOT NULL DEFAULT '',
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (mention_id, agent)
    ) WITHOUT ROWID""",
    """CREATE TABLE note (
        id INTEGER PRIMARY KEY,
        mention_id INTEGER NOT NULL REFERENCES mention(id) ON DELETE CASCADE,
        agent TEXT NOT NULL,
        text TEXT NOT NULL,
        at INTEGER NOT NULL
    )""",
    "CREATE INDEX note_by_mention ON note(mention_id, id)",
    """CREATE TABLE tag (
        mention_id INTEGER NOT NULL REFERENCES mention(id) ON DELETE CASCADE,
        tag TEXT NOT NULL,
        PRIMARY KEY (mention_id, tag)
    ) WITHOUT ROWID""",
    "CREATE INDEX tag_by_name ON tag(tag, mention_id)",
    """CREATE TABLE template (
        name TEXT NOT NULL,
        language TEXT NOT NULL,
        purpose TEXT NOT NULL,
        title TEXT NOT NULL,
        topics TEXT NOT NULL DEFAULT '[]',
        body TEXT NOT NULL,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (name, language)
    ) WITHOUT ROWID""",
    """CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        agent TEXT NOT NULL,
        what TEXT NOT NULL,
        mention_id INTEGER REFERENCES mention(id) ON DELETE CASCADE,
        source_id TEXT,
        action TEXT NOT NULL DEFAULT '',
        detail TEXT NOT NULL DEFAULT '{}'
    )""",
    "CREATE INDEX event_by_mention ON event(mention_id, id) WHERE mention_id IS NOT NULL",
    "CREATE INDEX event_by_action ON event(action) WHERE action <> ''",
)


@migrations()
def m001_the_desk(db: Database) -> None:
    """Creates every table and index of the first release."""
    for statement in _FIRST:
        db.execute(statement)
    db.table("mention").enable_fts(
        ("title", "text", "pros", "cons", "author_name", "order_id", "product"),
        tokenize="unicode61 remove_diacritics 2",
    )


@migrations()
def m002_sources_switched_off(db: Database) -> None:
    """Lets a person switch a source off without touching the configuration."""
    db.execute("ALTER TABLE source ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0")


@migrations()
def m003_replies_may_be_held(db: Database) -> None:
    """Lets the guard hold a reply: what its agent knew of the thread, and what has changed since."""
    for statement in (
        "ALTER TABLE reply ADD COLUMN seen_until INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE reply ADD COLUMN changes TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE reply ADD COLUMN seen_version INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE reply ADD COLUMN seen_mention INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE reply ADD COLUMN seen_gone INTEGER",
        "ALTER TABLE reply ADD COLUMN seen_unreadable INTEGER NOT NULL DEFAULT 0",
        """UPDATE reply SET seen_until = created_at,
             seen_version = coalesce((SELECT max(version) FROM mention_version
                                      WHERE mention_id = reply.mention_id AND seen_at <= reply.created_at), 1),
             seen_mention = coalesce((SELECT max(id) FROM mention WHERE seen_at <= reply.created_at), 0)
           WHERE state IN ('queued', 'sending', 'unknown')""",
        "DROP INDEX reply_on_its_way",
        """CREATE UNIQUE INDEX reply_on_its_way ON reply(mention_id, channel)
            WHERE state IN ('queued', 'sending', 'unknown', 'held')""",
    ):
        db.execute(statement)


@migrations()
def m004_what_was_told(db: Database) -> None:
    """Keeps what was told of a source, so that nothing is told twice, and when it was last checked."""
    db.execute(
        """CREATE TABLE notice (
            source_id TEXT NOT NULL REFERENCES source(id),
            key TEXT NOT NULL,
            sentence TEXT NOT NULL,
            told_at INTEGER NOT NULL,
            PRIMARY KEY (source_id, key)
        ) WITHOUT ROWID"""
    )
    db.execute("ALTER TABLE source ADD COLUMN checked_at INTEGER NOT NULL DEFAULT 0")


@migrations()
def m005_who_is_writing(db: Database) -> None:
    """Tells colleagues who has a reply open: since when, in which window, and until when that holds unless renewed."""
    for column in ("opened_at INTEGER NOT NULL DEFAULT 0", "open_until INTEGER NOT NULL DEFAULT 0"):
        db.execute(f"ALTER TABLE draft ADD COLUMN {column}")
    db.execute("ALTER TABLE draft ADD COLUMN holder TEXT NOT NULL DEFAULT ''")


@migrations()
def m006_replies_by_their_id_on_the_platform(db: Database) -> None:
    """Finds the reply that stands on a platform under an id without looking at all of them."""
    db.execute("CREATE INDEX reply_by_remote_id ON reply(remote_id)")


@migrations()
def m007_when_tokens_end(db: Database) -> None:
    """Keeps when the first of a source's tokens and permissions ends, as its last check told."""
    db.execute("ALTER TABLE source ADD COLUMN ends_at INTEGER")


@migrations()
def m008_people_may_be_erased(db: Database) -> None:
    """Marks what was erased at a person's request, so that no poll brings it back."""
    db.execute("ALTER TABLE mention ADD COLUMN erased_at INTEGER")


@migrations()
def m009_tiers_of_sources(db: Database) -> None:
    """Keeps the tier that a source's connector has earned, for the sources screen."""
    db.execute("ALTER TABLE source ADD COLUMN tier TEXT NOT NULL DEFAULT ''")


@migrations()
def m010_corrections(db: Database) -> None:
    """Keeps what people say of a mention against the desk's own word, and what was learned of it: numbers, no texts."""
    for statement in (
        """CREATE TABLE correction (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            mention_id INTEGER NOT NULL UNIQUE REFERENCES mention(id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            language TEXT NOT NULL,
            label TEXT NOT NULL,
            complaint INTEGER NOT NULL,
            agent TEXT NOT NULL,
            at INTEGER NOT NULL,
            action TEXT NOT NULL
        )""",
        "CREATE INDEX correction_by_language ON correction(language, id)",
        """CREATE TABLE learned (
            family TEXT PRIMARY KEY,
            stamp TEXT NOT NULL,
            learned_at INTEGER NOT NULL,
            corrections INTEGER NOT NULL,
            label_share REAL NOT NULL,
            complaint_share REAL NOT NULL,
            model BLOB NOT NULL
        ) WITHOUT ROWID""",
    ):
        db.execute(statement)
