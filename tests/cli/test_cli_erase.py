"""`reviewdesk erase` asks, tells what it will take, and takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reviewdesk.model import Author, Kind, Mention
from reviewdesk.store.db import Store
from tests.cli.conftest import Run

NAME = "Petr Svoboda"


def test_it_asks_and_shows_what_will_go(run: Run, db: Path) -> None:
    told = run("erase", NAME, "--db", db, stdin=b"n\n")
    assert told.code == 0
    for words in (NAME, "facebook", "1 mention", "1 version", "Erase this for ever?", "Nothing was erased."):
        assert words in told.err
    assert NAME in run("list", "--db", db).out


def test_what_came_in_while_it_asked_is_not_left_behind(run: Run, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def agreed(*_: object, **__: object) -> bool:
        with Store(db) as other:
            more = Mention(id="more", kind=Kind.COMMENT, text="Haló?", author=Author(name=NAME))
            other.mentions.ingest("facebook", [more])
        return True

    monkeypatch.setattr("click.confirm", agreed)
    told = run("erase", NAME, "--db", db)
    assert (told.code, "nothing was erased" in told.err) == (5, True)
    assert run("erase", NAME, "--db", db).code == 0, "the same once more is no news"
    assert NAME not in run("list", "--db", db).out


def test_it_is_gone_from_all_that_is_shown_and_from_the_file(run: Run, db: Path) -> None:
    assert NAME.encode() in db.read_bytes()
    run("backup", "before.sqlite", "--db", db)
    backup = db.parent / "before.sqlite"
    before = len(run("list", "--json", "--db", db).json)
    told = run("erase", NAME, "--yes", "--db", db)
    assert told.code == 0, told.err
    assert "Backups" in told.err
    assert told.err.endswith(f"Beside this database lie: {backup}.\nErased.\n")
    assert NAME.encode() in backup.read_bytes()
    backup.unlink()
    listed = run("list", "--json", "--db", db)
    assert len(listed.json) == before
    run("export", "all.jsonl", "--db", db)
    for text in (listed.out, run("show", "1", "--db", db).out, run("show", "1", "--json", "--db", db).out):
        assert "Svoboda" not in text
        assert "nedorazil" not in text
    shown = run("show", "1", "--db", db).out
    assert "erased now" in shown
    assert "Not assessed" not in shown
    for path in db.parent.iterdir():
        assert b"Svoboda" not in path.read_bytes(), path.name


def test_a_hostile_name_reaches_no_terminal(run: Run, db: Path) -> None:
    told = run("erase", "--mention", "2", "--yes", "--db", db)
    assert told.code == 0
    assert "[red]Eva[/red], 8, at facebook" in told.err


def test_what_is_no_person(run: Run, db: Path) -> None:
    assert run("erase", "Nikdo", "--yes", "--db", db).code == 5
    assert run("erase", "--yes", "--db", db).code == 5
    assert run("erase", NAME, "--mention", "1", "--yes", "--db", db).code == 5
    assert "9999" in run("erase", "--mention", "9999", "--yes", "--db", db).err


def test_the_name_in_what_others_wrote_is_told(run: Run, db: Path) -> None:
    run("reply", "2", f"Děkujeme, {NAME} to už řešil.", "--db", db)
    told = run("erase", NAME, "--yes", "--db", db)
    assert "The name stands in what others wrote, or in your notes and replies to them: 2" in told.err


def test_what_is_erased_is_not_corrected(run: Run, db: Path) -> None:
    assert run("erase", "--mention", "1", "--yes", "--db", db).code == 0
    told = run("correct", "1", "pos", "--db", db)
    assert (told.code, told.out) == (5, "")
    assert "It was erased" in told.err
