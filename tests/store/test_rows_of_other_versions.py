"""A row that another version of the desk wrote with fields of its own takes nothing down."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reviewdesk.model import Kind, Mention
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter

NEWER = [
    json.dumps({"assessor": "9", "language": "cs", "mood": "furious"}),
    json.dumps({"topics": ["weather"]}),
    json.dumps([]),
    "[" * 100_000,
    "no JSON",
]


@pytest.mark.parametrize("body", NEWER)
def test_what_a_newer_desk_has_added_is_left_out(tmp_path: Path, body: str) -> None:
    with Store(tmp_path / "desk.db") as store:
        store.sources.register("fb", "facebook", "Facebook")
        store.mentions.ingest("fb", [Mention(id="a", kind=Kind.COMMENT, text="Rozbité", created_at=datetime.now(UTC))])
        store.outbox.put(1, "Omlouváme se.", agent="jana")
        conn = store.db.conn
        conn.execute("INSERT INTO assessment VALUES (1, 1, 'later', 0, ?)", (body,))
        conn.execute("UPDATE mention SET complaint = 1, assessed = 'later'")
        conn.execute("UPDATE reply SET changes = ?", (body,))
        conn.execute("UPDATE source SET budget = ?", (body,))
        (id,) = store.mentions.ids(Filter(complaint=True))
        assert store.mentions.rows([id])[id].complaint
        told = store.mentions.conversation(id)
        assert told.focus.assessment is None
        assert told.replies[0].changes == ()
        assert store.sources.states()[0].budget is None
