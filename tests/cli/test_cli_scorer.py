"""A scorer that is configured and cannot be used: told where a person looks, and in nobody's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

PLUGIN = """
from reviewdesk.connector import Batch, Connector, Kind, Mention, Settings

class AcmeSettings(Settings, frozen=True, kw_only=True):
    pass

class Acme(Connector[AcmeSettings]):
    platform = "acme"
    settings = AcmeSettings

    async def poll(self, cursor):
        yield Batch(mentions=[Mention(id="a1", kind=Kind.POST, text="Balík nedorazil.", language="cs")])
"""
SOURCE = '[[source]]\nid = "acme"\nconnector = "acme"\n'


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    (tmp_path / "plugins").mkdir(mode=0o700)
    (tmp_path / "plugins" / "acme.py").write_text(PLUGIN, encoding="utf-8")
    return tmp_path / "reviewdesk.toml"


def test_a_poll_tells_of_it_and_reads_with_the_engine(run: Run, toml: Path) -> None:
    toml.write_text(f'[assess]\nscorer = "shuot"\n{SOURCE}', encoding="utf-8")
    told = run("poll", "--now", "--db", "new.db")
    assert told.code == 0
    assert told.err.count('There is no scorer "shuot".') == 1
    assert "Mend `scorer` in [assess]" in told.err
    (row,) = run("list", "--db", "new.db", "--json").json
    assert row["complaint"]
    assert 'There is no scorer "shuot".' in run("poll", "--now", "--json", "--db", "new.db").err


def test_cron_is_told_of_each_fault_once(run: Run, toml: Path) -> None:
    def polled(scorer: str) -> str:
        toml.write_text(f'[assess]\nscorer = "{scorer}"\n{SOURCE}', encoding="utf-8")
        return run("poll", "--now", "--quiet", "--db", "new.db").err

    assert "shuot" in polled("shuot")
    assert polled("shuot") == ""
    assert "shout" in polled("shout")
    assert polled("") == ""
    assert "shuot" in polled("shuot"), "it was in order meanwhile"


def test_the_doctor_says_it_in_whole_sentences(run: Run, toml: Path) -> None:
    toml.write_text(f'[assess]\nscorer = "shuot"\n{SOURCE}', encoding="utf-8")
    (line,) = [each for each in run("doctor", "--db", "new.db").out.splitlines() if "scorer:" in each]
    assert 'There is no scorer "shuot". There' in line
    assert ". Mend `scorer` in [assess], or take it out; the desk's own engine" in line
