"""`quarantine` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from reviewdesk.model import SetAside
from reviewdesk.store.db import Store
from tests.cli.conftest import HOSTILE, Run


@pytest.fixture
def item(db: Path) -> int:
    with Store(db) as store:
        source = store.sources.states()[0].id
        store.mentions.ingest(source, (), set_aside=[SetAside(reason=HOSTILE, raw=f'{{"a": "{HOSTILE}"}}', id="x9")])
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
