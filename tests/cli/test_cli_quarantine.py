"""`quarantine` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reviewdesk.model import SetAside
from reviewdesk.store.db import Store
from tests.cli.conftest import HOSTILE, Run

PLUGIN = """
import json
from reviewdesk.connector import Connector, Kind, Mention, Settings

class AcmeSettings(Settings, frozen=True, kw_only=True):
    pass

class Acme(Connector[AcmeSettings]):
    platform = "acme"
    settings = AcmeSettings

    def read_item(self, raw):
        return [Mention(id=json.loads(raw)["id"], kind=Kind.POST, text="It works.")]

    async def poll(self, cursor):
        from reviewdesk.connector import Batch
        likes = self.context.clock().timestamp()
        good = Mention(id="a1", kind=Kind.POST, text="Good.")
        poison = [self.problem({"id": id, "likes": likes}, ValueError("no time"), id) for id in ("a2", "a3")]
        yield Batch(mentions=[good], set_aside=poison)
"""


@pytest.fixture
def item(db: Path) -> int:
    with Store(db) as store:
        source = store.sources.states()[0].id
        store.mentions.ingest(source, (), set_aside=[SetAside(reason=HOSTILE, raw=json.dumps({"a": HOSTILE}), id="x9")])
        return next(each.id for each in store.sources.quarantined() if each.platform_id == "x9")


def test_it_is_listed_shown_and_kept(item: int, run: Run, db: Path) -> None:
    for told in (run("quarantine", "--db", db), run("quarantine", "show", item, "--db", db)):
        assert told.code == 0
        assert "x9" in told.out
        assert "\x1b" not in told.out
    assert run("quarantine", "list", "--json", "--db", db).json[0]["id"] == item
    told = run("quarantine", "show", 99_999, "--db", db)
    assert told.code == 5
    assert "no item 99999" in told.err


def test_it_is_laid_out_and_fits_a_terminal(item: int, run: Run, db: Path) -> None:
    shown = run("quarantine", "show", item, "--db", db).out.splitlines()
    assert shown[3] == "{"
    assert shown[4].startswith('  "a": "=HYPERLINK')


def test_one_that_nobody_needs_is_dropped_and_all_or_none(item: int, run: Run, db: Path) -> None:
    assert run("quarantine", "drop", item, 99_999, "--db", db).code == 5
    assert len(run("quarantine", "list", "--json", "--db", db).json) == 2, "nothing of a wrong call"
    assert run("quarantine", "drop", item, item, "--db", db).code == 0
    assert [each["platform_id"] for each in run("quarantine", "list", "--json", "--db", db).json] == ["p2"]
    told = run("quarantine", "list", "--source", "heureka", "--db", db)
    assert (told.code, told.out, told.err) == (0, "", "Everything could be read.\n")
    told = run("quarantine", "list", "--source", "nothing", "--db", db)
    assert (told.code, "There is no source 'nothing'." in told.err) == (5, True)


def test_a_whole_source_is_retried_with_few_words_and_dropped_with_one(run: Run, db: Path) -> None:
    aside = [SetAside(reason="no id", raw=json.dumps({"n": number})) for number in range(40)]
    with Store(db) as store:
        source = next(each.id for each in store.sources.states() if each.id == "feed")
        before = len(store.sources.quarantined())
        store.mentions.ingest(source, (), set_aside=aside)
        there = len(store.sources.quarantined(source))
    told = run("quarantine", "retry", "--source", source, "--db", db)
    assert (told.code, f"and {there - 5} more: stay. " in told.err, told.err.count("\n")) == (5, True, 1), told.err
    assert run("quarantine", "drop", "--db", db).code == 2
    assert run("quarantine", "drop", "--source", "", "--db", db).code == 2
    assert run("quarantine", "drop", "--source", source, "--db", db).err == f"{there} dropped.\n"
    assert run("quarantine", "drop", "--source", source, "--db", db).err == "There is nothing to drop.\n"
    with Store(db) as store:
        assert len(store.sources.quarantined()) == before + 40 - there


def test_retry_says_what_became_of_each(run: Run, db: Path, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir(mode=0o700)
    plugin = tmp_path / "plugins" / "acme.py"
    plugin.write_text(PLUGIN, encoding="utf-8")
    toml = tmp_path / "reviewdesk.toml"
    toml.write_text(toml.read_text() + '[[source]]\nid = "acme"\nconnector = "acme"\n')
    with Store(db) as store:
        store.sources.register("acme", "acme", "Acme")
        aside = [SetAside(reason="No time.", raw=raw) for raw in ('{"id": "a7"}', HOSTILE)]
        store.mentions.ingest("acme", (), set_aside=aside)
    told = run("quarantine", "retry", "--source", "acme", "--db", db)
    assert told.code == 5
    assert ("taken in." in told.err, "stays." in told.err, told.out) == (True, True, ""), told.err
    with Store(db) as store:
        found = store.mentions.find("acme", "a7")
        assert found is not None
    assert run("quarantine", "retry", "--source", "heureka", "--db", db).err == "There is nothing to try again.\n"


def test_a_database_alone_is_enough_to_hear_what_retry_needs(item: int, run: Run, db: Path, tmp_path: Path) -> None:
    (tmp_path / "reviewdesk.toml").unlink()
    told = run("quarantine", "retry", item, "--db", db)
    assert told.code == 5
    assert f"{item}: stays. Its source" in told.err
    assert f"is not in {tmp_path / 'reviewdesk.toml'}" in told.err
    assert "[[source]]" in told.err
    window = run("--db", db)
    assert window.code == 3
    assert "The window needs a configuration" in window.err
    told = run("doctor", "--db", db)
    assert "items could not be read: reviewdesk quarantine tells why. After an update" in told.out


def test_cron_is_told_once_of_what_could_not_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir(mode=0o700)
    (tmp_path / "plugins" / "acme.py").write_text(PLUGIN, encoding="utf-8")
    (tmp_path / "reviewdesk.toml").write_text('[[source]]\nid = "acme"\nconnector = "acme"\n', encoding="utf-8")
    sentence = "acme: 2 items could not be read; see: reviewdesk quarantine list --source acme\n"
    assert run("poll", "--now", "--quiet", "--db", "new.db") == (0, "", sentence)
    assert run("poll", "--now", "--quiet", "--db", "new.db") == (0, "", ""), "though its likes have changed"
