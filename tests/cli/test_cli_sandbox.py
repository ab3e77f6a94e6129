"""`sandbox`, `sandbox fill` and `demo`."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import MagicMock

import httpx
import msgspec
import pytest
from starlette.routing import BaseRoute

from reviewdesk.assess import Assessor
from reviewdesk.cli import demo
from reviewdesk.cli.demo import _cron
from reviewdesk.config import load
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.errors import StoreError
from reviewdesk.sandbox import Fault, FaultKind, serve, server
from reviewdesk.sandbox.emulator import Emulator
from reviewdesk.sandbox.fill import fill, mentions
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter, View
from reviewdesk_connectors.feed.sandbox import FeedEmulator
from tests.cli.conftest import Run, process


@contextmanager
def sandbox(*args: object) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "reviewdesk", "sandbox", "--json", "--port", "0", *map(str, args)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        try:
            yield running
        finally:
            running.kill()


class Still(Emulator):
    """A platform where nothing is ever changed."""

    platform = "still"

    def routes(self) -> list[BaseRoute]:
        return []


class TestSandbox:
    def test_it_remembers_no_more_requests_than_it_needs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "MOST_SEEN", 2)
        with serve(FeedEmulator()) as running, httpx.Client(base_url=running.base) as client:
            for number in range(8):
                client.get(f"/{number}")
                assert len(running.emulator.requests) <= 5
            assert running.emulator.requests[-1].path == "/7"

    def test_a_fault_breaks_its_own_connection_though_another_server_has_a_client_at_the_same_port(self) -> None:
        def connected(to: int, at: int) -> socket.socket:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind(("127.0.0.1", at))
            client.settimeout(5)
            client.connect(("127.0.0.1", to))
            return client

        def asked(client: socket.socket) -> bytes:
            client.sendall(b"HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n")
            with suppress(ConnectionResetError):
                return client.recv(65536)
            return b""

        dropping, well = FeedEmulator(), FeedEmulator()
        dropping.faults.append(Fault(kind=FaultKind.DROPPED, after=1))
        with (
            serve(dropping) as one,
            serve(well) as other,
            connected(one.port, 0) as first,
            connected(other.port, first.getsockname()[1]) as second,
        ):
            assert asked(first).startswith(b"HTTP/1.1 404")
            assert asked(second).startswith(b"HTTP/1.1 404")
            assert asked(first) == b""
            assert asked(second).startswith(b"HTTP/1.1 404")

    def test_one_line_tells_all_and_ctrl_c_ends_it_well(self, tmp_path: Path) -> None:
        toml = tmp_path / "sandbox.toml"
        with sandbox("--customers", 60, "--configuration", toml) as running:
            assert running.stdout is not None
            told = json.loads(running.stdout.readline())
            assert set(told["platforms"]) == {"facebook", "feed", "heureka", "reddit"}
            for each in told["platforms"].values():
                assert httpx.get(f"{each['base']}/_sandbox/requests").status_code == 200
            polled = process("poll", "--config", toml, "--db", tmp_path / "x.db", "--json", env=told["environment"])
            assert polled.returncode == 0, polled.stderr
            steps = [json.loads(line) for line in polled.stdout.splitlines()]
            assert {each["source"]: each["new"] for each in steps if each["event"] == "source"} == dict.fromkeys(
                told["platforms"], 3
            )
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=20)
        assert (running.returncode, out, err) == (0, b"", b"")

    def test_customers_change_and_delete_by_the_stage_door(self) -> None:
        emulator = FeedEmulator()
        with serve(emulator) as running, httpx.Client(base_url=f"{running.base}/_sandbox") as door:
            words = {"author": "Jana", "text": "Nefunguje.", "language": "cs"}
            id = door.post("/write", json=words).json()["id"]
            assert door.post("/edit", json={"id": id, "text": "Funguje."}).status_code == 204
            assert emulator.reviews[-1].words.text == "Funguje."
            assert door.post("/delete", json={"id": id}).status_code == 204
            assert emulator.reviews == []
            assert door.post("/delete", json={"id": id}).status_code == 404
            mistyped = door.post("/faults", json={"kind": "ratelimit"})
            assert (mistyped.status_code, "ratelimit" in mistyped.text) == (400, True)
            assert door.post("/edit", content=b"id=7").status_code == 400
        with serve(Still()) as running:
            assert httpx.post(f"{running.base}/_sandbox/delete", json={"id": "7"}).status_code == 501

    def test_it_ends_with_who_started_it(self) -> None:
        with sandbox("--only", "feed", "--while-stdin") as running:
            assert running.stdout is not None
            assert running.stdin is not None
            assert running.stdout.readline()
            assert running.poll() is None
            running.stdin.close()
            assert running.wait(timeout=20) == 0

    def test_a_port_that_is_taken(self, run: Run) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            told = run("sandbox", "--only", "heureka", "--port", port)
        assert (told.code, told.out) == (5, "")
        assert f"The port {port} for the emulated heureka is taken" in told.err
        assert "--port" in told.err

    def test_an_emulator_that_is_not_there(self, run: Run) -> None:
        told = run("sandbox", "--only", "heurka", "--port", 0)
        assert told.code == 5
        assert 'Did you mean "heureka"?' in told.err

    def test_variables_are_told_as_a_shell_takes_them(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        value = "it's a $HOME key"
        monkeypatch.setattr("reviewdesk.sandbox.runner.environment", lambda running: {"KEY": value})
        monkeypatch.setattr("reviewdesk.cli.sandbox._play", lambda public, every: None)
        told = run("sandbox", "--only", "heureka", "--port", 0)
        taken = subprocess.run(["sh", "-c", f'{told.out}\nprintf %s "$KEY"'], capture_output=True, text=True)
        assert taken.stdout == value

    def test_never_over_a_configuration_of_ones_own(self, run: Run, tmp_path: Path) -> None:
        mine = tmp_path / "reviewdesk.toml"
        mine.write_text("# mine\n")
        told = run("sandbox", "--only", "heureka", "--port", 0, "--configuration", mine)
        assert told.code == 6
        assert "was left alone" in told.err
        assert mine.read_text() == "# mine\n"


class TestFill:
    def test_the_same_seed_gives_the_same(self) -> None:
        now = datetime(2026, 11, 23, tzinfo=UTC)
        assert list(mentions(3000, seed=1, newest=now)) == list(mentions(3000, seed=1, newest=now))
        assert list(mentions(300, seed=1, newest=now)) != list(mentions(300, seed=2, newest=now))

    def test_one_that_was_filled_in_part_is_taken_away(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(store: Store, *_: object, **__: object) -> None:
            store.sources.register("feed", "feed", "Feed")
            raise StoreError("The disk is full.")

        monkeypatch.setattr("reviewdesk.sandbox.fill.fill", full)
        assert run("sandbox", "fill", "--db", tmp_path / "large.db").code == 6
        assert not list(tmp_path.glob("large.db*"))

    def test_a_database_as_a_shop_has_it(self, run: Run, tmp_path: Path) -> None:
        db = tmp_path / "large.db"
        told = run("sandbox", "fill", "--mentions", 5000, "--db", db)
        assert (told.code, told.out) == (0, "")
        assert "5,000 mentions in " in told.err
        rows = sqlite3.connect(db)
        assert rows.execute("SELECT count(*) FROM mention WHERE ours = 0").fetchone() == (5000,)
        languages = Counter(dict(rows.execute("SELECT language, count(*) FROM mention WHERE ours = 0 GROUP BY 1")))
        assert set(languages) == {"cs", "sk", "pl", "uk", "de", "en"}
        sources = dict(rows.execute("SELECT source_id, count(*) FROM mention WHERE ours = 0 GROUP BY 1"))
        assert set(sources) == {"facebook", "feed", "heureka", "reddit"}
        assert sources["heureka"] > sources["facebook"] > sources["feed"]
        (newest,) = rows.execute(
            """SELECT count(DISTINCT source_id) FROM
                 (SELECT * FROM mention WHERE ours = 0 ORDER BY created_at DESC LIMIT 50)"""
        ).fetchone()
        assert newest >= 3
        (complaints,) = rows.execute("SELECT avg(complaint) FROM mention WHERE ours = 0").fetchone()
        assert 0.05 < complaints < 0.3
        (largest,) = rows.execute(
            "SELECT max(n) FROM (SELECT count(*) n FROM mention WHERE author_name LIKE '% %' GROUP BY author_name)"
        ).fetchone()
        assert largest < 150
        assert rows.execute("SELECT count(*) FROM mention WHERE ours = 0 AND assessed = ''").fetchone() == (0,)
        rows.close()
        with Store(db, read_only=True) as store:
            assert store.mentions.count(Filter(view=View.COMPLAINTS))
            assert store.health.damage() == []

    def test_the_assessments_are_those_of_a_poll(self, tmp_path: Path) -> None:
        config = load(db=tmp_path / "a.db", optional=True)
        with Store(tmp_path / "a.db") as store:
            fill(store, 1500, seed=3, config=config)
            remembered = found(store)
            store.db.conn.execute("UPDATE mention SET assessed = ''")
            assert assess_pending(config, store, judge=Assessor()) == 1500
            assert found(store) == remembered

    def test_not_assessed_when_not_wanted(self, run: Run, tmp_path: Path) -> None:
        assert run("sandbox", "fill", "--mentions", 10, "--no-assess", "--db", "x.db").code == 0
        assert [each["assessment"] for each in run("export", "--db", "x.db").json] == [None] * 10

    def test_never_over_another(self, run: Run, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = db.read_bytes()
        told = run("sandbox", "fill", "--mentions", 10, "--db", db)
        assert told.code == 6
        assert "was left alone" in told.err
        monkeypatch.setenv("REVIEWDESK_DB", str(db))
        assert run("sandbox", "fill", "--mentions", 10).code == 6
        assert db.read_bytes() == before


def found(store: Store) -> list[bytes]:
    return [msgspec.json.encode(each.assessment) for each in store.mentions.all_stored(store.mentions.ids(Filter()))]


class TestDemo:
    def test_nothing_of_the_current_folder_is_run_by_its_polls(self, monkeypatch: pytest.MonkeyPatch) -> None:
        begun = MagicMock()
        monkeypatch.setattr(subprocess, "Popen", begun)
        with _cron(None):
            (command, *_), _ = begun.call_args
        assert [word for word in command if word in (sys.executable, "-P")] == [sys.executable, "-P"] * 2

    def test_a_first_poll_without_a_window(self, tmp_path: Path) -> None:
        folder = tmp_path / "demo"
        for _ in range(2):  # The second time the folder is there, and the ports are others.
            done = process("demo", "--no-window", "--folder", folder)
            assert (done.returncode, done.stdout) == (0, b""), done.stderr
            assert f"The demo lies in {folder}.".encode() in done.stderr
        database = load(folder / "reviewdesk.toml", environ={}).database
        assert database == folder / "reviewdesk.db", "what was kept is found by its configuration"
        with Store(database, read_only=True) as store:
            assert store.mentions.count(Filter(view=View.COMPLAINTS)) >= 1
            states = {each.id: each for each in store.sources.states()}
            assert set(states) == {"facebook", "feed", "heureka", "reddit"}
        budget = states["reddit"].budget
        assert budget
        assert (budget.used or 0) < 0.01, "it is polled every two seconds, for hours"
        assert folder.stat().st_mode & 0o077 == 0

    def test_nothing_is_left_of_one_that_was_not_kept(self, tmp_path: Path) -> None:
        done = process("demo", "--no-window", env={"TMPDIR": str(tmp_path)})
        assert done.returncode == 0, done.stderr
        assert done.stderr == b"The demo works; --folder would have kept it.\n"
        assert os.listdir(tmp_path) == []

    @pytest.mark.parametrize("end", ["pass", "os._exit(1)", "os.killpg(0, signal.SIGHUP)"])
    def test_nothing_is_left_however_it_ends(self, end: str, tmp_path: Path) -> None:
        place = tmp_path / "demo"
        place.mkdir()
        code = (
            "import os, pathlib, signal\n"
            "from reviewdesk.cli.demo import _cron\n"
            f"with _cron(pathlib.Path({str(place)!r})):\n"
            f"    {end}\n"
        )
        # What the last poll and the cleaning have open as stderr is waited for.
        subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, start_new_session=True)
        assert not place.exists()

    def test_no_slow_poll_keeps_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        begun = tmp_path / "begun"
        os.mkfifo(begun)
        slow = f"import time; open({str(begun)!r}, 'w').close(); time.sleep(60)"
        monkeypatch.setattr(demo, "_PROGRAM", [sys.executable, "-c", slow])
        with _cron(None, every=0.01):
            begun.read_bytes()  # which waits for it
            left = time.monotonic()
        assert time.monotonic() - left < 10

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_nothing_is_left_of_one_that_is_ended_before_its_window(self, number: int, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "reviewdesk", "demo", "--no-window"]
        with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE) as demo:
            while not any(tmp_path.glob("*/reviewdesk.toml")):
                with suppress(subprocess.TimeoutExpired):
                    pytest.fail(f"It ended with {demo.wait(0.05)}.")
            demo.send_signal(number)
            demo.communicate(timeout=30)
        assert demo.returncode == 128 + number
        assert os.listdir(tmp_path) == []
