"""What was set aside is tried again: taken in once it can be read, kept with its reason otherwise."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from reviewdesk.config import Config
from reviewdesk.connector import Batch, Connector
from reviewdesk.desk.poll import poll_round
from reviewdesk.desk.quarantine import retry
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Kind, Mention, SetAside
from reviewdesk.secrets import remember
from reviewdesk.store.db import Store
from reviewdesk.store.records import Ingested
from tests.desk.shops import Clock, Memory, Platform


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


GOOD = Mention(id="m1", kind=Kind.COMMENT, text="Nefunguje to, podvod.")


async def test_a_poll_that_brings_it_at_the_same_time_brings_it_once(
    config: Config, store: Store, there: Platform, clock: Clock, reads: None
) -> None:
    items = store.sources.quarantined("fb")
    clock.forward(minutes=1)
    there.write("m1", "Nefunguje to, podvod. Už je to v pořádku.")
    await poll_round(config, store, only=["fb"])
    done = {each.item.raw: each for each in await retry(config, store, items)}
    assert done["good"].brought == Ingested(same=1)
    found = store.mentions.find("fb", "m1")
    assert found is not None
    assert (found.version, found.mention.text) == (1, "Nefunguje to, podvod. Už je to v pořádku."), "the newer word"
    assert "good" not in {each.raw for each in store.sources.quarantined()}


async def test_a_change_that_could_not_be_read_becomes_the_newest_version(
    config: Config, store: Store, clock: Clock, reads: None
) -> None:
    with Store(store.path, clock=lambda: clock.now - timedelta(days=1)) as yesterday:
        yesterday.mentions.ingest("fb", [Mention(id="m1", kind=Kind.COMMENT, text="Děkuji.")])
    await retry(config, store, store.sources.quarantined("fb"))
    found = store.mentions.find("fb", "m1")
    assert found is not None
    assert (found.version, found.mention.text) == (2, GOOD.text)


def test_two_who_try_it_at_once_take_it_in_once(store: Store, clock: Clock) -> None:
    item = next(each for each in store.sources.quarantined("fb") if each.raw == "good")
    with Store(store.path, clock=clock) as other:
        assert other.sources.take_in(item, [GOOD]) == Ingested(new=1)
    changed = replace(GOOD, text="Already edited since.")
    clock.forward(minutes=1)
    store.mentions.ingest("fb", [changed])
    assert store.sources.take_in(item, [GOOD]) is None
    found = store.mentions.find("fb", "m1")
    assert found is not None
    assert found.mention.text == changed.text


def test_a_take_in_that_is_killed_leaves_it_in_quarantine(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    item = next(each for each in store.sources.quarantined("fb") if each.raw == "good")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store.mentions, "ingest", die)
    with pytest.raises(KeyboardInterrupt):
        store.sources.take_in(item, [GOOD])
    assert item in store.sources.quarantined("fb")


def test_what_is_set_aside_again_and_again_is_news_once(store: Store) -> None:
    def news(*items: SetAside) -> int:
        return store.mentions.ingest("fb", (), set_aside=items).newly_aside

    assert news(SetAside(reason="x", raw="1", id="p"), SetAside(reason="x", raw="2")) == 2
    assert news(SetAside(reason="x", raw="1", id="p"), SetAside(reason="x", raw="2")) == 0
    assert news(SetAside(reason="x", raw="1 with one more like", id="p")) == 0, "the same item"
    assert news(SetAside(reason="x", raw="3")) == 1


async def test_the_payload_of_a_refused_mention_can_be_read_again(
    config: Config, store: Store, there: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the desk itself sets aside is kept as a connector keeps it."""
    raw = {"id": "m7", "words": "Děkuji \u0394"}
    there.customers["m7"] = replace(GOOD, id="m7", rating=99, raw=raw)
    polled = await poll_round(config, store, only=["fb"])
    assert polled[0].brought.newly_aside == 1
    item = next(each for each in store.sources.quarantined("fb") if each.platform_id == "m7")
    assert json.loads(item.raw) == raw


@pytest.mark.parametrize("raw", ["{", '{"a": 1', "\ud800", "x" * 100_000, "[" * 5000, "\x1b]0;x\x07"])
async def test_no_payload_breaks_a_retry(config: Config, store: Store, raw: str, reads: None) -> None:
    store.mentions.ingest("fb", (), set_aside=[SetAside(reason="No id.", raw=raw)])
    done = await retry(config, store, store.sources.quarantined("fb"))
    assert len(done) == 4
    assert all(len(each.reason) <= 300 for each in store.sources.quarantined("fb"))


async def test_no_secret_gets_into_quarantine(
    config: Config, store: Store, there: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s3cret-token-value"
    remember(secret)

    async def poll(connector: Memory, cursor: object) -> AsyncIterator[Batch]:
        raw = {"id": "m8", "next": f"https://x.example/?access_token={secret}"}
        yield Batch(
            mentions=[replace(GOOD, id="m9", rating=99, raw={**raw, "id": "m9"})],
            set_aside=[connector.problem(raw, ValueError(f"{secret} is no time"), "m8")],
        )

    def read_item(connector: Memory, raw: str) -> Sequence[Mention]:
        raise ValueError(f"{secret} is no time still")

    monkeypatch.setattr(Memory, "poll", poll)
    monkeypatch.setattr(Memory, "read_item", read_item)
    (polled,) = await poll_round(config, store, only=["fb"])
    assert polled.brought.set_aside == 2
    await retry(config, store, store.sources.quarantined("fb"))
    kept = [f"{each.raw} {each.reason}" for each in store.sources.quarantined("fb")]
    assert len(kept) == 5
    assert not [each for each in kept if secret in each]
