"""`coverage`: the ledger of polls on the command line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from reviewdesk.errors import Unreachable
from reviewdesk.store.db import Store
from tests.cli.conftest import HOSTILE, NOW, Run


def test_each_poll_has_a_line_and_each_gap_a_sentence(run: Run, db: Path) -> None:
    with Store(db) as store:
        source = store.sources.states()[0].id
        poll = store.sources.begin_poll(source)
        store.sources.fail_poll(
            source, "1", poll, Unreachable(f"Cut. {HOSTILE}"), next_at=NOW + timedelta(hours=1), parked=False
        )
        store.coverage.tell(source, "silent", f"It has been silent for 9 hours. {HOSTILE}")
    told = run("coverage", "--source", source, "--db", db)
    assert told.code == 0
    assert "silent for 9 hours" in told.out
    assert "Cut." in told.out
    assert "\x1b" not in told.out
    (line,) = run("coverage", "--source", source, "--last", 1, "--json", "--db", db).json
    assert (line["source"], line["fetched"], line["total"]) == (source, 0, None)


def test_a_source_that_is_not_there_is_named(run: Run, db: Path) -> None:
    told = run("coverage", "--source", "nowhere", "--db", db)
    assert told.code == 5
    assert "nowhere" in told.err


def test_before_the_first_poll_there_is_a_sentence(run: Run, tmp_path: Path) -> None:
    Store(tmp_path / "new.db").close()
    assert "No source was asked yet." in run("coverage", "--db", tmp_path / "new.db").err
