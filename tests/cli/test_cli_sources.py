"""`sources`, `connectors`, `doctor`, `init`, `backup`: the state of things."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from reviewdesk.config import load
from reviewdesk.errors import AuthFailed
from reviewdesk.plugins import CONNECTORS
from reviewdesk.store.db import Store
from tests.cli.conftest import NOW, Run

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Gives what installs a package with one connector: `install("acme", code)`; the class is `Acme`."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(package: str, code: str) -> None:
        (site / f"{package}.py").write_text(dedent(code), encoding="utf-8")
        info = site / f"reviewdesk_{package}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: reviewdesk-{package}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{CONNECTORS}]\n{package} = {package}:Acme\n")
        monkeypatch.delitem(sys.modules, package, raising=False)

    return install


class TestSources:
    def test_a_line_for_each_with_what_is_in_it(self, run: Run, db: Path) -> None:
        told = run("sources", "--db", db)
        assert told.code == 0
        assert [line.split()[0] for line in told.out.splitlines()] == ["SOURCE", "facebook", "feed", "heureka"]
        found = {each["id"]: each for each in run("sources", "--json", "--db", db).json}
        assert (found["facebook"]["mentions"], found["feed"]["set_aside"]) == (2, 1)

    def test_a_configured_one_that_was_never_asked(self, run: Run, db: Path) -> None:
        toml = db.with_name("reviewdesk.toml")
        toml.write_text(toml.read_text() + '[[source]]\nid = "r"\nconnector = "reddit"\n')
        line = next(line for line in run("sources", "--db", db).out.splitlines() if line.startswith("r "))
        assert "never" in line
        assert "not asked yet" in line

    def test_what_is_wrong_with_a_configured_one_is_told_whole(self, run: Run, db: Path) -> None:
        toml = db.with_name("reviewdesk.toml")
        toml.write_text(toml.read_text() + '[[source]]\nid = "r"\nconnector = "redit"\n')
        assert run("poll", "--db", db).code == 3
        assert 'no connector is named "redit"; did you mean "reddit"?' in run("sources", "--db", db).out
        (poll,) = run("coverage", "--source", "r", "--json", "--db", db).json
        assert "redit" in poll["fault"]

    def test_what_is_due_is_told_as_that(self, run: Run, db: Path) -> None:
        with Store(db) as store:
            store.sources.take("facebook", "me", seconds=60)
            poll = store.sources.begin_poll("facebook")
            store.sources.finish_poll("facebook", "me", poll, next_at=datetime.now(UTC) - timedelta(minutes=3))
        toml = db.with_name("reviewdesk.toml")
        toml.write_text(toml.read_text() + '[[source]]\nid = "facebook"\nconnector = "facebook"\n')
        line = next(line for line in run("sources", "--db", db).out.splitlines() if line.startswith("facebook"))
        assert line.endswith("well, due now")

    def test_no_source_at_all(self, run: Run) -> None:
        told = run("sources", "--db", "new.db")
        assert (told.code, told.out) == (0, "")
        assert "No sources yet." in told.err

    def test_a_parked_one_says_why_and_can_be_resumed(self, run: Run, db: Path) -> None:
        with Store(db) as store:
            store.sources.take("facebook", "me", seconds=60)
            poll = store.sources.begin_poll("facebook")
            error = AuthFailed("The token is dead.", hint="Make a new one.")
            store.sources.fail_poll("facebook", "me", poll, error, next_at=NOW, parked=True)
        toml = db.with_name("reviewdesk.toml")
        toml.write_text(toml.read_text() + '[[source]]\nid = "facebook"\nconnector = "facebook"\n')
        told = run("sources", "--db", db)
        assert "parked until you act" in told.out
        assert "facebook: The token is dead. Make a new one." in told.out
        assert run("poll", "--db", db).code == 5
        assert run("sources", "resume", "facebook", "--db", db).code == 0
        assert "parked" not in run("sources", "--db", db).out

    def test_one_that_is_not_there(self, run: Run, db: Path) -> None:
        told = run("sources", "resume", "nothing", "--db", db)
        assert told.code == 5
        assert told.err == "Error: There is no source 'nothing'. `reviewdesk sources` lists them.\n"

    def test_what_holds_still_stands_there(self, run: Run, db: Path) -> None:
        with Store(db) as store:
            store.coverage.tell("feed", "silent", "Feed has been silent for 9 hours.")
        assert "feed: Feed has been silent for 9 hours." in run("sources", "--db", db).out


class TestConnectors:
    GOOD = """
    from reviewdesk.connector import Batch, Connector, Settings

    class AcmeSettings(Settings, frozen=True, kw_only=True):
        shop: str

    class Acme(Connector[AcmeSettings]):
        platform = "acme"
        title = "Acme"
        settings = AcmeSettings

        async def poll(self, cursor):
            yield Batch()
    """

    def test_those_in_the_box_and_a_strangers(self, run: Run, install: Install) -> None:
        install("acme", self.GOOD)
        told = run("connectors")
        assert told.code == 0
        lines = {line.split()[0]: line for line in told.out.splitlines()}
        assert {"acme", "facebook", "feed", "heureka", "reddit"} <= set(lines)
        assert lines["acme"].endswith("reviewdesk-acme 1.2")
        by_name = {each["name"]: each for each in run("connectors", "--json").json}
        assert by_name["heureka"]["capabilities"]["reply"] == "hand_off"
        assert by_name["acme"]["fault"] is None

    @pytest.mark.parametrize("code", ["raise SystemExit(3)", "def broken(:", "Acme = 5", "print('hello')\n1 / 0"])
    def test_a_broken_one_stops_no_other_and_is_told(self, code: str, run: Run, install: Install) -> None:
        install("acme", code)
        told = run("connectors")
        assert told.code == 5
        assert "heureka" in told.out
        assert "hello" not in told.out
        assert "acme: The plugin" in told.err
        told = run("connectors", "--json")
        (broken,) = [each for each in told.json if each["fault"]]
        assert (broken["name"], broken["capabilities"]) == ("acme", None)

    def test_importing_through_a_broken_one(self, run: Run, install: Install, tmp_path: Path) -> None:
        install("acme", "1 / 0")
        (tmp_path / "file.xml").write_text("<x/>")
        told = run("import", "acme", "file.xml", "--db", "new.db")
        assert told.code == 5
        assert "ZeroDivisionError" in told.err


class TestDoctor:
    def configure(self, db: Path, more: str = "") -> Path:
        toml = db.with_name("reviewdesk.toml")
        toml.write_text(f'[desk]\ndatabase = "{db.name}"\n{more}')
        return toml

    def test_all_well(self, run: Run, db: Path) -> None:
        toml = self.configure(db, '[[source]]\nid = "forum"\nconnector = "feed"\nfile = "forum.rss"\n')
        toml.with_name("forum.rss").write_text(
            "<rss version='2.0'><channel><item><guid>1</guid><title>Thanks</title></item></channel></rss>"
        )
        told = run("doctor")
        assert (told.code, told.err) == (0, "No faults; what is marked ! is worth a look.\n")
        assert "! database: 1 item could not be read" in told.out
        assert run("quarantine", "drop", 1).code == 0
        told = run("doctor")
        assert told.code == 0
        assert told.err == "All is well.\n"
        assert all(line.startswith("✓") for line in told.out.splitlines())

    def test_a_configuration_without_a_source_is_told(self, run: Run, db: Path) -> None:
        toml = self.configure(db)
        assert f"! configuration: {toml} names no [[source]]" in run("doctor").out
        assert f"{toml} names no [[source]]" in run("poll").err

    def test_a_missing_secret_names_the_variable(self, run: Run, db: Path) -> None:
        self.configure(db, '[[source]]\nid = "our-fb"\nconnector = "facebook"\npage_id = "1"\n')
        told = run("doctor")
        assert told.code == 5
        assert "REVIEWDESK_OUR_FB_TOKEN" in told.out
        assert told.err == "1 fault to mend.\n"
        (fault,) = [each for each in run("doctor", "--json").json if each["level"] == "fault"]
        assert fault["about"] == "our-fb"

    def test_mistakes_in_a_sources_settings_are_told_with_their_lines(self, run: Run, db: Path) -> None:
        self.configure(db, '[[source]]\nid = "fb"\nconnector = "facebook"\npage = "1"\ntoken = "env:X"\n')
        told = run("doctor")
        assert told.code == 5
        assert "reviewdesk.toml:6" in told.out

    def test_keys_that_the_window_would_refuse_are_a_fault(self, run: Run, db: Path) -> None:
        self.configure(db, '[keys]\n"mention.close" = "q"\n')
        told = run("doctor")
        assert told.code == 5
        assert 'reviewdesk.toml:4: [keys] "q" is both mention.close and desk.quit' in told.out

    def test_an_unknown_source(self, run: Run, db: Path) -> None:
        self.configure(db, '[[source]]\nid = "fb"\nconnector = "facebook"\n')
        told = run("doctor", "--source", "fbb")
        assert told.code == 3
        assert "Did you mean" in told.err

    def test_a_database_that_others_can_read(self, run: Run, db: Path) -> None:
        self.configure(db)
        db.chmod(0o644)
        told = run("doctor")
        assert told.code == 0
        assert f"chmod 600 {db}" in told.out

    def test_a_damaged_index_is_found(self, run: Run, db: Path) -> None:
        self.configure(db)
        with Store(db) as store:
            store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = db.stat().st_size
        with db.open("r+b") as file:
            for page in range(8, size // 4096, 2):
                file.seek(page * 4096)
                file.write(b"\xff" * 2048)
        told = run("doctor")
        assert told.code in (5, 6)
        assert "damaged" in told.out + told.err

    def test_the_search_index_is_built_anew(self, run: Run, db: Path) -> None:
        self.configure(db)
        with Store(db) as store:
            store.db.conn.execute("INSERT INTO mention_fts (mention_fts) VALUES ('delete-all')")
        assert run("list", "--search", "balik", "--json").json == []
        assert run("doctor", "--repair").code == 0
        assert len(run("list", "--search", "balik", "--json").json) == 1


class TestInit:
    def test_the_result_loads_and_is_its_owners(self, run: Run, tmp_path: Path) -> None:
        told = run("init")
        assert (told.code, told.out) == (0, "")
        file = tmp_path / "reviewdesk.toml"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert load(file).sources
        assert run("list", "--db", "new.db").code == 6

    def test_never_over_another(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "reviewdesk.toml").write_text("# mine\n")
        told = run("init")
        assert told.code == 6
        assert "exists already; it was left alone" in told.err
        assert (tmp_path / "reviewdesk.toml").read_text() == "# mine\n"

    def test_to_where_it_is_told(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert run("init", "--config", "a.toml").code == 0
        monkeypatch.setenv("REVIEWDESK_CONFIG", "b.toml")
        assert run("init").code == 0
        assert {each.name for each in tmp_path.glob("*.toml")} == {"a.toml", "b.toml"}
        told = run("init", "--config", "nowhere/c.toml")
        assert told.code == 6
        assert "cannot be written" in told.err


class TestBackup:
    def test_a_whole_copy_while_others_write(self, run: Run, db: Path, tmp_path: Path) -> None:
        stop, wrote = threading.Event(), threading.Event()

        def write() -> None:
            with Store(db) as store:
                while not stop.is_set():
                    store.people.add_note([1], "jana", "again")
                    wrote.set()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert wrote.wait(10)
            told = run("backup", "copy.db", "--db", db)
        finally:
            stop.set()
            writer.join()
        assert (told.code, told.out, told.err) == (0, "", "Written to copy.db.\n")
        copy = tmp_path / "copy.db"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        connection = sqlite3.connect(copy)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM note").fetchone()[0] >= 1
        connection.close()
        assert len(run("list", "--json", "--db", copy).json) == 4

    def test_never_over_another_and_never_into_nothing(self, run: Run, db: Path, tmp_path: Path) -> None:
        (tmp_path / "mine.db").write_text("mine")
        told = run("backup", "mine.db", "--db", db)
        assert (told.code, told.err) == (6, "Error: The file mine.db exists already; choose another name.\n")
        assert (tmp_path / "mine.db").read_text() == "mine"
        told = run("backup", "nowhere/mine.db", "--db", db)
        assert (told.code, told.err) == (
            6,
            "Error: The file nowhere/mine.db cannot be written: No such file or directory.\n",
        )

    @pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
    def test_a_database_of_another_user(self, run: Run, db: Path) -> None:
        db.chmod(0)
        assert run("list", "--db", db).code == 6
