"""A dead process holds nothing; a living one and one elsewhere keep what they hold."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.model import Kind, Mention
from reviewdesk.store.db import Store
from reviewdesk.store.holders import is_dead, new_holder

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def dead() -> str:
    """Gives the holder of a process that has ended."""
    code = "from reviewdesk.store.holders import new_holder; print(new_holder())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_only_a_process_of_this_machine_that_has_ended_is_dead(dead: str) -> None:
    assert is_dead(dead)
    assert not is_dead(new_holder())
    assert not is_dead(f"elsewhere:{dead.split(':', 1)[1]}")


@given(st.text(max_size=20) | st.sampled_from(["", ":", "::", f"{os.uname().nodename}:99999999999999999999:x"]))
def test_no_name_makes_it_fail(holder: str) -> None:
    assert isinstance(is_dead(holder), bool)


def test_a_dead_polls_source_is_taken_over_at_once(tmp_path: Path, dead: str) -> None:
    with Store(tmp_path / "desk.db", clock=lambda: NOON) as store:
        store.sources.register("fb", "facebook", "")
        assert store.sources.take("fb", dead, seconds=120)
        assert store.sources.states()[0].leased_until is None, "nobody asks it"
        living = new_holder()
        assert store.sources.take("fb", living, seconds=120)
        assert store.sources.states()[0].leased_until
        assert not store.sources.take("fb", new_holder(), seconds=120)


def test_a_lease_from_before_the_clock_was_set_back_holds_nothing(tmp_path: Path) -> None:
    now = NOON + timedelta(days=400)
    before_the_machine_started = "elsewhere:1:x"
    with Store(tmp_path / "desk.db", clock=lambda: now) as store:
        store.sources.register("fb", "facebook", "")
        assert store.sources.take("fb", before_the_machine_started, seconds=120)
        now = NOON + timedelta(days=400, minutes=-4)
        assert not store.sources.take("fb", new_holder(), seconds=120), "clocks of two machines are a little apart"
        now = NOON
        assert store.sources.take("fb", new_holder(), seconds=120)


def test_who_wrote_before_the_clock_was_set_back_writes_no_more(tmp_path: Path) -> None:
    now = NOON + timedelta(days=400)
    with Store(tmp_path / "desk.db", clock=lambda: now) as store:
        store.sources.register("fb", "facebook", "")
        store.mentions.ingest("fb", [Mention(id="1", kind=Kind.COMMENT, text="x")])
        store.outbox.keep_open(1, "petr", "elsewhere:1:x", seconds=40)
        assert [each.agent for each in store.outbox.writers(1)] == ["petr"]
        now = NOON
        assert store.outbox.writers(1) == ()
        assert not store.outbox.keep_open(1, "petr", "elsewhere:1:y", seconds=40), "in no other window"
        assert [each.since for each in store.outbox.writers(1)] == [NOON]


def test_a_dead_senders_reply_is_abandoned_at_once(tmp_path: Path, dead: str) -> None:
    with Store(tmp_path / "desk.db", clock=lambda: NOON) as store:
        store.sources.register("fb", "facebook", "")
        store.mentions.ingest("fb", [Mention(id="1", kind=Kind.COMMENT, text="x")])
        store.outbox.put(1, "x", agent="a")
        claimed = store.outbox.claim(dead, lease_seconds=300)
        assert claimed is not None
        assert [each.id for each in store.outbox.abandoned()] == [claimed.id]
