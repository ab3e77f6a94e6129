"""Third parties' connectors from the command line: files in `plugins/`, switching off, budgets, tracing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reviewdesk.sandbox import CustomerText, serve
from reviewdesk.store.db import Store
from reviewdesk_connectors.feed.sandbox import FeedEmulator
from tests.cli.conftest import Run
from tests.desk.plugins import GOOD, configuration, connector, plugin

IMPORTS = """
capabilities = Capabilities(import_file=True)

async def import_file(self, path):
    print("reading")
    yield Batch(mentions=[Mention(id="1", kind=Kind.REVIEW, text=path.read_text()), Mention(id=5, kind=Kind.REVIEW)])
"""
EMULATOR = """
from starlette.responses import JSONResponse
from starlette.routing import Route
from reviewdesk.sandbox import Emulator

class AcmeEmulator(Emulator):
    platform = "acme"

    def routes(self):
        return [Route("/", lambda request: JSONResponse([]))]

    def source(self, base):
        return {"shop": base}

    def write(self, text):
        return "1"

    def shop_replies(self):
        return []
"""


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A configuration with one plugin, which is good."""
    plugin(tmp_path, "acme")
    return configuration(tmp_path, "acme")


def test_a_file_is_listed_polled_checked_and_shown(acme: Path, run: Run) -> None:
    told = run("connectors")
    line = next(line for line in told.out.splitlines() if line.startswith("acme "))
    assert "Acme" in line
    assert line.endswith("plugins/acme.py")
    assert run("doctor").out.endswith("✓ acme: Acme is there.\n")
    told = run("poll")
    assert (told.code, told.err) == (0, "acme: 1 new\n")
    assert "Nefunguje." in run("list").out
    (state,) = run("sources", "--json").json
    assert (state["title"], state["mentions"], state["fault"]) == ("Acme", 1, "")


def test_a_file_reads_exports(acme: Path, run: Run, tmp_path: Path) -> None:
    code = "from reviewdesk.connector import Capabilities\n" + connector(members=IMPORTS)
    plugin(tmp_path, "acme", code)
    (tmp_path / "export.txt").write_text("Rozbité.")
    told = run("import", "acme", "export.txt")
    assert (told.code, told.out) == (5, "")
    assert "acme: 1 new, 0 changed, 0 known already, 1 set aside." in told.err
    assert "Expected `str`, got `int`" in run("quarantine", "list", "--source", "acme").out


def test_a_broken_file_is_named_everywhere_and_is_in_nobodys_way(acme: Path, run: Run, tmp_path: Path) -> None:
    plugin(tmp_path, "broken", "1 / 0\n" + GOOD)
    configuration(tmp_path, "acme", "broken")
    told = run("poll", "--quiet")
    assert told.code == 5
    assert told.err.startswith('broken: The plugin "broken" of plugins/broken.py cannot be loaded: ZeroDivisionError')
    assert ". Update or remove it" in told.err
    assert "ZeroDivisionError" in run("connectors").err
    assert "ZeroDivisionError" in run("doctor").out
    shown = run("sources").out
    assert "failed 1×, next try" in shown
    assert "broken: The plugin" in shown
    assert "Nefunguje." in run("list").out
    assert run("poll", "--quiet", "--now").err == "", "told once"


def test_a_file_in_which_no_class_is_a_connector_says_so_where_it_is_named(run: Run, tmp_path: Path) -> None:
    plugin(tmp_path, "prints", "class Prints: ...\n")
    configuration(tmp_path, "prints")
    said = "he file plugins/prints.py is there, and no class in it derives from Connector"
    assert f'no connector is named "prints"; t{said}' in run("poll").err
    assert f"T{said}" in run("connector", "test", "prints").err


def test_what_a_connector_raises_is_a_sentence(run: Run, tmp_path: Path) -> None:
    plugin(tmp_path, "acme", connector(poll="raise ValueError('odd')\nyield Batch()"))
    configuration(tmp_path, "acme")
    assert "failed: ValueError: odd. This is a fault of the connector" in run("poll").err


def test_one_command_switches_a_source_off_and_one_on(acme: Path, run: Run) -> None:
    assert run("sources", "disable", "acme").code == 0, "though it was never asked"
    assert "switched off" in run("sources").out
    assert run("poll").err == "Nothing is due.\n"
    told = run("poll", "--source", "acme")
    assert (told.code, told.err) == (0, "acme: switched off; on again with: reviewdesk sources enable acme\n")
    assert "switched off and was not looked at" in run("doctor").out
    assert run("sources", "enable", "acme").code == 0
    assert run("poll").err == "acme: 1 new\n"
    told = run("sources", "disable", "acne")
    assert (told.code, told.err) == (5, "Error: There is no source 'acne'. `reviewdesk sources` lists them.\n")


def test_a_parked_one_that_is_switched_off_bothers_nobody(acme: Path, run: Run, tmp_path: Path) -> None:
    top = "from reviewdesk.connector import AuthFailed"
    plugin(tmp_path, "acme", connector(top=top, poll="raise AuthFailed('The token is dead.')\nyield Batch()"))
    assert run("poll", "--quiet").code == 5
    assert run("poll", "--quiet").code == 5
    run("sources", "disable", "acme")
    assert run("poll", "--quiet").code == 0


def test_what_is_over_the_budget_comes_at_the_next_poll(acme: Path, run: Run, tmp_path: Path) -> None:
    plugin(tmp_path, "acme", connector(poll="""
        for page in range((cursor or {"page": 0})["page"], 3):
            yield Batch(mentions=[Mention(id=str(page), kind=Kind.REVIEW)], cursor={"page": page + 1})
        """))  # fmt: skip
    acme.write_text(acme.read_text() + "poll_budget_mentions = 2\n")
    assert run("poll").err == "acme: 2 new; the next poll goes on from there\n"
    assert run("poll").err == "acme: 1 new\n"
    assert run("poll").err == "Nothing is due.\n"


def test_mistakes_in_budgets_are_told(acme: Path, run: Run) -> None:
    acme.write_text(acme.read_text() + "poll_budget_mentions = 0\npoll_budget_seconds = 'long'\n")
    told = run("poll")
    assert told.code == 3
    assert "poll_budget_mentions" in told.err
    assert "poll_budget_seconds" in told.err


class TestTrace:
    @pytest.fixture
    def feed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_waiting: None):
        emulator = FeedEmulator()
        for name, value in emulator.secrets().items():
            monkeypatch.setenv(name, value)
        with serve(emulator) as running:
            table = {"id": "portal", "connector": "feed", "private_network": True, **emulator.source(running.base)}
            fields = table.pop("fields")
            lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
            told = [f"{key} = {_toml(value)}" for key, value in fields.items()]
            toml = "\n".join(['[desk]\ndatabase = "desk.db"\n[[source]]', *lines, "[source.fields]", *told])
            (tmp_path / "reviewdesk.toml").write_text(toml)
            yield emulator

    def test_each_request_and_what_became_of_each_item(self, feed: FeedEmulator, run: Run) -> None:
        id = feed.write(CustomerText(author="Eva", text="Rozbité.", language="cs", rating=1))
        secret = next(iter(feed.secrets().values()))
        told = run("poll", "--source", "portal", "--trace")
        assert told.code == 0, told.err
        requests = [line for line in told.err.splitlines() if " GET http" in line]
        assert " 200, " in requests[0]
        assert " ms, " in requests[0]
        assert secret not in told.err
        assert any(line.split() == ["portal:", "new", id] for line in told.err.splitlines()), told.err
        assert told.out == ""
        feed.write(CustomerText(author="Jan", text="Nedorazilo.", language="cs", rating=1))
        events = run("poll", "--source", "portal", "--trace", "--json").json
        assert {"request", "item", "source"} <= {event["event"] for event in events}
        (item,) = [event for event in events if event["event"] == "item" and event["id"] == id]
        assert (item["outcome"], item["source"]) == ("same", "portal")
        request = next(event for event in events if event["event"] == "request")
        assert request["status"] in (200, 304)
        assert secret not in json.dumps(events)

    @pytest.mark.parametrize("args", [["--trace"], ["--trace", "--json"]])
    def test_a_reader_that_has_gone_takes_nothing_from_the_poll(
        self, args: list[str], feed: FeedEmulator, run: Run
    ) -> None:
        feed.write(CustomerText(author="Eva", text="Rozbité.", language="cs", rating=1))
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([sys.executable, "-m", "reviewdesk", "poll", *args], stdout=write, stderr=write)
        os.close(write)
        assert done.returncode == 0
        (state,) = run("sources", "--json").json
        assert (state["fault"], state["mentions"]) == ("", 1)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_a_full_disk_is_told_when_the_poll_is_done(self, feed: FeedEmulator, run: Run) -> None:
        feed.write(CustomerText(author="Eva", text="Rozbité.", language="cs", rating=1))
        with open("/dev/full", "wb") as full:
            command = [sys.executable, "-m", "reviewdesk", "poll", "--json"]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE)
        assert (done.returncode, done.stderr) == (6, b"Error: No space left on device.\n")
        (state,) = run("sources", "--json").json
        assert (state["fault"], state["mentions"]) == ("", 1)

    def test_without_it_nothing_of_that_is_told(self, feed: FeedEmulator, run: Run) -> None:
        told = run("poll", "--json")
        assert not {"request", "item"} & {event["event"] for event in told.json}


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


def test_an_emulator_in_the_file_goes_on_stage(acme: Path, run: Run, tmp_path: Path) -> None:
    from reviewdesk.sandbox.runner import stage

    plugin(tmp_path, "acme", GOOD + EMULATOR)
    with stage(["acme"], first_port=0) as (running,):
        assert running.emulator.platform == "acme"


def test_a_broken_configuration_does_not_hide_the_connectors(acme: Path, run: Run) -> None:
    acme.write_text("[[[")
    assert "plugins/acme.py" in run("connectors").out


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_folder_that_others_can_write_to(acme: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "plugins").chmod(0o777)
    told = run("poll")
    assert told.code == 5
    assert "can be written to by others, who could run code as you. Run: chmod go-w" in told.err
    with Store(tmp_path / "desk.db") as store:
        assert "written to by others" in store.sources.states()[0].fault
