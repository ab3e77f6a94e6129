"""A damaged, a full and a kept database on the command line: one sentence, what to do, and nothing lost."""

from __future__ import annotations

import random
import resource
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from reviewdesk.model import Kind, Mention
from reviewdesk.store import db as opening
from reviewdesk.store.db import Store
from tests.cli.conftest import NOW, Run

COMMANDS = (
    ("list",), ("list", "--search", "rozbita"), ("show", 5), ("sources",), ("coverage",), ("quarantine",), ("outbox",),
    ("poll",), ("reply", 5, "Omlouváme se.", "--despite-warnings"), ("export", "all.jsonl"), ("backup", "copy.db"),
)  # fmt: skip


@pytest.fixture
def large(db: Path) -> Path:
    """A database of some hundred pages, all of them in the one file."""
    with Store(db) as store:
        store.mentions.ingest(
            "feed",
            [
                Mention(
                    id=f"n{number}", kind=Kind.REVIEW, text=f"Rozbitá konvice číslo {number}. " * 20, created_at=NOW
                )
                for number in range(400)
            ],
        )
        store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return db


def spoilt(whole: Path, copy: Path, seed: int) -> None:
    """Copies a database and writes rubbish over three pages in the middle."""
    shutil.copyfile(whole, copy)
    chance = random.Random(seed)
    size = copy.stat().st_size // 4096
    with copy.open("r+b") as file:
        for page in chance.sample(range(2, size), 3):
            file.seek(page * 4096)
            file.write(chance.randbytes(4096))


@pytest.mark.parametrize("seed", range(6))
def test_a_page_of_rubbish_in_the_middle_is_a_sentence_and_doctor_says_what_to_do(
    large: Path, tmp_path: Path, run: Run, seed: int
) -> None:
    copy = tmp_path / "spoilt.db"
    spoilt(large, copy, seed)
    before = copy.read_bytes()
    met = 0
    for command in COMMANDS:
        told = run(*command, "--db", copy)
        if told.code == 6:
            met += 1
            assert told.err.startswith("Error: The file ")
            assert "is damaged" in told.err
            assert told.err.count("\n") == 1
        else:
            assert "fault in reviewdesk" not in told.err
        copy.write_bytes(before)
        for beside in (tmp_path / "all.jsonl", tmp_path / "copy.db"):
            beside.unlink(missing_ok=True)
    told = run("doctor", "--db", copy)
    assert told.code in (5, 6)
    assert "is damaged" in told.out + told.err
    assert "backup" in told.out + told.err
    assert met, "no command came across it"


def test_a_database_that_another_program_keeps_is_6_and_the_next_call_works(
    db: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_BUSY_SECONDS", 0.02)
    other = sqlite3.connect(db, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for command in (("reply", 1, "Omlouváme se.", "--despite-warnings"), ("quarantine", "drop", 1)):
        told = run(*command, "--db", db)
        assert (told.code, told.out) == (6, "")
        assert "is kept busy by another program; try again in a minute" in told.err
        assert "locked" not in told.err
    assert run("list", "--db", db).code == 0, "reading waits for nobody"
    other.close()
    assert run("reply", 1, "Omlouváme se.", "--despite-warnings", "--db", db).code == 0


def test_a_file_that_may_not_grow_is_a_sentence_and_half_writes_nothing(large: Path, tmp_path: Path) -> None:
    """The system itself refuses the bytes, as on a full disk."""
    export = tmp_path / "many.jsonl"
    export.write_text("\n".join(f'{{"id": "g{number}", "text": "{"Rozbité. " * 50}"}}' for number in range(600)))
    command = [
        sys.executable, "-m", "reviewdesk", "import", "feed", str(export), "--db", str(large),
        "--set", "format=jsonl", "--set", "fields={id = 'id', text = 'text'}",
    ]  # fmt: skip

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))

    ended = subprocess.run(command, capture_output=True, timeout=40, check=False, cwd=tmp_path, preexec_fn=limited)
    assert (ended.returncode, ended.stdout) == (6, b""), ended.stderr
    assert b"Traceback" not in ended.stderr
    assert b"full" in ended.stderr
    with Store(large) as store:
        assert store.health.damage() == []
        rows, texts = (
            store.db.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("mention", "mention_fts")
        )
        assert rows == texts
    ended = subprocess.run(command, capture_output=True, timeout=40, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    with Store(large) as store:
        found = store.db.conn.execute("SELECT count(*) FROM mention WHERE platform_id LIKE 'g%'").fetchone()
        assert found[0] == 600


def test_an_export_that_cannot_be_written_whole_leaves_nothing(run: Run, large: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        told = run("export", "all.jsonl", "--db", large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert told.code == 6
    assert "all.jsonl cannot be written: " in told.err
    assert not (tmp_path / "all.jsonl").exists()
    assert run("export", "all.jsonl", "--db", large).code == 0
    whole = (tmp_path / "all.jsonl").read_bytes()
    assert run("export", "all.jsonl", "--db", large).code == 6
    assert (tmp_path / "all.jsonl").read_bytes() == whole


def test_a_database_is_looked_at_and_mended_without_a_configuration(run: Run, large: Path, tmp_path: Path) -> None:
    (tmp_path / "reviewdesk.toml").unlink()
    for args in (["doctor"], ["doctor", "--repair"]):
        told = run(*args, "--db", large)
        assert told.code == 0
        assert "the database alone was looked at" in told.out
        assert "is whole" in told.out


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_nothing_is_written_into_a_file_that_nobody_can_find(db: Path, replaced: bool) -> None:
    """SQLite itself would go on writing, and all of it would be lost."""
    with Store(db) as store:
        whole = db.read_bytes()
        for each in db.parent.glob("shop.db*"):
            each.unlink()
        if replaced:
            db.write_bytes(whole)
        with pytest.raises(opening.StoreError, match="removed or replaced while it was open"):
            store.people.log("x", agent="jana")
        assert store.mentions.find("facebook", "f1") is not None, "what is open can be read"
    assert db.exists() is replaced


def test_a_database_that_may_not_be_written_is_read(db: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(db) as store, Store(db, read_only=True) as reader:
        assert reader.mentions.find("facebook", "f1") is not None
        store.db.conn.execute("PRAGMA query_only = ON")
        with pytest.raises(opening.StoreError, match="cannot be written; check the permissions"):
            store.mentions.ingest("feed", [Mention(id="x", kind=Kind.POST, created_at=NOW - timedelta(1))])
