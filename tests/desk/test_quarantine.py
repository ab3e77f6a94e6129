"""What was set aside is tried again: taken in once it can be read, kept with its reason otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reviewdesk.config import Config
from reviewdesk.connector import Connector
from reviewdesk.desk.quarantine import retry
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Kind, Mention, SetAside
from reviewdesk.store.db import Store
from tests.desk.shops import Memory, Platform


@pytest.fixture(autouse=True)
def aside(store: Store, there: Platform) -> None:
    items = [SetAside(reason="No time.", raw=raw, id=raw) for raw in ("good", "bad", "list")]
    store.mentions.ingest("fb", (), set_aside=items)
    store.mentions.ingest("other", (), set_aside=[SetAside(reason="No id.", raw="x")])


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_item(connector: Memory, raw: str) -> Sequence[Mention]:
        if raw == "good":
            return [Mention(id="m1", kind=Kind.COMMENT, text="Nefunguje to, podvod.")]
        if raw == "list":
            return ["nonsense"]  # type: ignore[list-item]
        raise ValueError("It has no time still.")

    monkeypatch.setattr(Memory, "read_item", read_item)


async def test_what_can_be_read_now_comes_in_assessed_and_the_rest_stays_with_its_reason(
    config: Config, store: Store, reads: None
) -> None:
    done = {each.item.raw: each for each in await retry(config, store, store.sources.quarantined())}
    assert done["good"].brought is not None
    assert done["good"].brought.new == 1
    found = store.mentions.find("fb", "m1")
    assert found is not None
    assert found.assessment is not None
    assert {each.raw: each.reason for each in store.sources.quarantined("fb")} == {
        "bad": "It has no time still.",
        "list": "it is a str, no Mention",
    }
    again = await retry(config, store, store.sources.quarantined())
    assert [each.brought for each in again] == [None] * 3


async def test_a_connector_that_reads_no_single_items_says_so(config: Config, store: Store, there: Platform) -> None:
    assert Memory.read_item is Connector.read_item
    done = await retry(config, store, store.sources.quarantined("other"))
    assert "cannot read a single item" in done[0].reason
    assert store.sources.quarantined("other")[0].reason == "No id.", "the reason of old is kept"


async def test_a_source_that_is_no_longer_configured_is_named(config: Config, store: Store) -> None:
    store.sources.register("old", "memory", "Old")
    store.mentions.ingest("old", (), set_aside=[SetAside(reason="No id.", raw="x")])
    done = await retry(config, store, store.sources.quarantined("old"))
    assert "old" in done[0].reason
    assert store.sources.quarantined("old")


def test_what_is_not_there_is_a_sentence(store: Store) -> None:
    with pytest.raises(NotAllowed, match="no item 999"):
        store.sources.quarantined_item(999)
    with pytest.raises(NotAllowed, match="nowhere"):
        store.sources.quarantined("nowhere")
