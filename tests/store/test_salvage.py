"""Of a database with rubbish in its pages everything is saved that stands on the others, and the old file stays."""

from __future__ import annotations

import random
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reviewdesk.desk.health import examine, mend, save
from reviewdesk.errors import Damaged, StoreError
from reviewdesk.model import Author, Kind, Level, Mention, SetAside
from reviewdesk.store.db import Store
from reviewdesk.store.holders import new_holder
from reviewdesk.store.records import Filter
from reviewdesk.store.salvage import salvage

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAGE = 4096
COUNT = 400


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gives a database with a shop's life in it."""
    path = tmp_path_factory.mktemp("whole") / "desk.db"
    with Store(path, clock=lambda: NOW) as store:
        store.sources.register("fb", "facebook", "Facebook")
        mentions = [
            Mention(
                id=f"m{n}",
                kind=Kind.COMMENT,
                text=f"Text {n}. " + "Přišlo to rozbité. " * (n % 40),
                author=Author(id=f"a{n % 50}", name=f"Jan {n % 50}"),
                created_at=NOW,
                raw={"n": n},
            )
            for n in range(COUNT)
        ]
        store.mentions.ingest("fb", mentions, set_aside=[SetAside(id="x", reason="odd", raw="{}")])
        for id in range(1, 60):
            store.people.add_note([id], "jana", f"poznámka {id}")
            store.outbox.save_draft(id, "jana", f"rozepsáno {id}")
        store.outbox.put(70, "Omlouváme se.", agent="jana")
        store.empty_log()
    return path


def texts(store: Store) -> dict[str, str]:
    ids = store.mentions.ids(Filter())
    assert len(store.mentions.rows(ids)) == len(ids), "the window can show them"
    return dict(store.db.conn.execute("SELECT platform_id, text FROM mention"))


def spoiled(whole: Path, folder: Path, pages: list[int], rubbish: bytes) -> Path:
    path = folder / "desk.db"
    shutil.copy(whole, path)
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * PAGE)
            file.write(rubbish)
    return path


def pages_of(path: Path, name: str = "") -> list[int]:
    """Gives the numbers, from 0, of the pages of a table, the root first; of the schema without a name."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    connection.close()
    content = path.read_bytes()
    pages, todo = [], [found[0] - 1 if found else 0]
    while todo:
        page = todo.pop()
        pages.append(page)
        start = page * PAGE
        header = start + (0 if page else 100)
        if content[header] == 5:  # an interior page points to others
            cells = int.from_bytes(content[header + 3 : header + 5], "big")
            todo.append(int.from_bytes(content[header + 8 : header + 12], "big") - 1)
            for cell in range(cells):
                at = header + 12 + 2 * cell
                offset = start + int.from_bytes(content[at : at + 2], "big")
                todo.append(int.from_bytes(content[offset : offset + 4], "big") - 1)
    return pages


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["ff", "zero", "noise"])
def test_rubbish_in_any_pages(whole: Path, tmp_path: Path, seed: int, kind: str) -> None:
    chance = random.Random(seed)
    # Without its schema nothing can be told of a file.
    pages = chance.sample(sorted({*range(whole.stat().st_size // PAGE)} - {*pages_of(whole)}), 1 + seed % 4)
    rubbish = {"ff": b"\xff" * PAGE, "zero": bytes(PAGE), "noise": chance.randbytes(PAGE)}[kind]
    path = spoiled(whole, tmp_path, pages, rubbish)
    before = path.read_bytes()
    told = {each.table: each for each in salvage(path, tmp_path / "new.db")}
    assert path.read_bytes() == before
    assert (tmp_path / "new.db").stat().st_mode & 0o077 == 0
    with Store(whole, read_only=True) as store:
        good = texts(store)
    with Store(tmp_path / "new.db") as store:
        assert store.health.damage() == []
        assert store.health.search_is_whole()
        assert store.db.conn.execute("PRAGMA foreign_key_check").fetchall() == []
        saved = texts(store)
        assert store.sources.cursor("fb") is None
        # What the platform still shows comes back with the next poll.
        store.mentions.ingest("fb", [Mention(id=id, kind=Kind.COMMENT, text=text) for id, text in good.items()])
        assert len(store.mentions.ids(Filter())) == COUNT
    assert all(good[id] == text for id, text in saved.items()), "nothing is made up"
    assert len(saved) == told["mention"].copied
    roots = {pages_of(whole, "mention")[0]}
    assert len(saved) >= COUNT - 30 * len(pages) or roots & set(pages)


def test_one_page_of_mentions_costs_those_on_it(whole: Path, tmp_path: Path) -> None:
    page = pages_of(whole, "mention")[2]
    path = spoiled(whole, tmp_path, [page], b"\xff" * PAGE)
    with Store(path) as store:
        assert store.health.damage()
        told = mend(store)
    assert [each.level for each in told] == [Level.WARNING, Level.FAULT]
    (new,) = tmp_path.glob("desk-salvaged-*.db")
    assert str(new) in told[0].sentence
    assert f"of {COUNT}" in told[0].sentence
    with Store(new) as store:
        assert COUNT - 20 < len(store.mentions.ids(Filter())) < COUNT
        assert len(store.people.notes(1)) == 1


@pytest.mark.parametrize("index", ["mention_by_time", "mention_by_urgency", "sqlite_autoindex_mention_1"])
def test_a_damaged_index_is_built_anew_in_its_place(whole: Path, tmp_path: Path, index: str) -> None:
    path = tmp_path / "desk.db"
    shutil.copy(whole, path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema = ON")
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (index,)).fetchone()[0]
    connection.close()
    with path.open("r+b") as file:  # entries of an index that point to rows that are not there
        file.seek((root - 1) * PAGE)
        page = bytearray(file.read(PAGE))
        if page[0] == 10:
            page[3:5] = (int.from_bytes(page[3:5], "big") // 2).to_bytes(2, "big")
        else:
            page[8:12] = int.from_bytes(page[8:12], "big").to_bytes(4, "big")
            leaf = int.from_bytes(page[8:12], "big") - 1
            file.seek(leaf * PAGE)
            inner = bytearray(file.read(PAGE))
            inner[3:5] = (int.from_bytes(inner[3:5], "big") // 2).to_bytes(2, "big")
            file.seek(leaf * PAGE)
            file.write(inner)
        file.seek((root - 1) * PAGE)
        file.write(page)
    with Store(whole, read_only=True) as store:
        good = texts(store)
    with Store(path) as store:
        assert [each.level for each in examine(store)] == [Level.FAULT]
        assert "built anew" in mend(store)[0].sentence
        assert examine(store)[0].level is Level.OK
        assert texts(store) == good


def test_a_search_index_that_says_something_else(whole: Path, tmp_path: Path) -> None:
    path = spoiled(whole, tmp_path, [], b"")
    with Store(path) as store:
        store.db.conn.execute("INSERT INTO mention_fts (mention_fts) VALUES ('delete-all')")
        assert examine(store)[0].sentence == "The search index is damaged."
        assert "search index" in mend(store)[0].sentence
        assert examine(store)[0].level is Level.OK
        assert mend(store) == [], "there is nothing more to mend"
        assert len(store.mentions.ids(Filter(search="Text"))) == COUNT


def test_rubbish_in_the_search_index(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    shutil.copy(whole, path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE mention_fts_data SET block = randomblob(length(block)) WHERE id > 10")
    connection.commit()
    connection.close()
    with Store(path) as store:
        assert examine(store)[0].level is Level.FAULT
        mend(store)
        assert examine(store)[0].level is Level.OK
        assert len(store.mentions.ids(Filter(search="Text"))) == COUNT


@pytest.mark.parametrize("pages", [[0], [0, 1, 2]])
def test_without_the_first_page_there_is_a_sentence_and_no_file(whole: Path, tmp_path: Path, pages: list[int]) -> None:
    path = spoiled(whole, tmp_path, pages, b"\xff" * PAGE)
    with pytest.raises(Damaged, match="doctor --repair"):
        Store(path)
    with pytest.raises(StoreError, match="Restore the last backup"):
        save(path, NOW)
    assert [each.name for each in tmp_path.iterdir()] == ["desk.db"]


def test_never_over_another_file(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "new.db").write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        salvage(whole, tmp_path / "new.db")
    assert (tmp_path / "new.db").read_text() == "mine"


def test_a_whole_database_is_copied_whole(whole: Path, tmp_path: Path) -> None:
    assert all(each.copied == each.before for each in salvage(whole, tmp_path / "new.db"))


def test_a_stuck_lease_a_log_left_over_and_open_files(whole: Path, tmp_path: Path) -> None:
    path = spoiled(whole, tmp_path, [], b"")
    path.chmod(0o666)
    (tmp_path / "desk.db-sources").mkdir(mode=0o755)
    (tmp_path / "desk.db-sources").chmod(0o755)
    with Store(path) as store:
        dead = f"{new_holder().rsplit(':', 2)[0]}:{2**22 + 1}:abcd"
        alive = "elsewhere:1:abcd"
        store.sources.register("other", "feed", "Feed")
        conn = store.db.conn
        conn.execute("UPDATE source SET lease_owner = ?, lease_until = 9e15 WHERE id = 'fb'", (dead,))
        conn.execute("UPDATE source SET lease_owner = ?, lease_until = 9e15 WHERE id = 'other'", (alive,))
        good = texts(store)
        assert {each.level for each in examine(store)} == {Level.WARNING}
        told = " ".join(each.sentence for each in mend(store))
        for words in (
            "taken off fb.",
            "was written into it",
            "desk.db can no longer be read",
            "desk.db-sources can no",
        ):
            assert words in told
        assert store.health.log_size() == 0
        assert conn.execute("SELECT id FROM source WHERE lease_owner IS NOT NULL").fetchall() == [("other",)]
        assert texts(store) == good
        assert examine(store)[0].level is Level.OK
