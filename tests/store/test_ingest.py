"""Taking in: once, in every version, whatever comes twice, half, hostile or from the shop itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewdesk.model import Author, DeliveryState, Kind, Mention, SetAside, Status
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter, View
from reviewdesk.store.sources import LeaseLost

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "desk.db", clock=lambda: NOON) as store:
        store.sources.register("fb", "facebook", "Facebook")
        yield store


def mention(id: str = "1", **fields: Any) -> Mention:
    return Mention(
        id=id, kind=fields.pop("kind", Kind.COMMENT), **{"text": "Kde je balík?", "created_at": NOON, **fields}
    )


def the(store: Store, id: str = "1") -> Any:
    found = store.mentions.find("fb", id)
    assert found is not None
    return found


def test_the_same_again_changes_nothing(store: Store) -> None:
    first = store.mentions.ingest("fb", [mention()])
    before = the(store)
    again = store.mentions.ingest("fb", [mention(), mention()])
    assert (first.new, again.new, again.same) == (1, 0, 1)
    assert the(store) == before


def test_an_edit_and_an_edit_back_are_three_versions(store: Store) -> None:
    for text in ("dobré", "špatné", "dobré"):
        store.mentions.ingest("fb", [mention(text=text)])
    conversation = store.mentions.conversation(the(store).id)
    assert conversation.focus.version == 3
    assert [version.text for version in conversation.versions] == ["dobré", "špatné"]
    assert conversation.focus.mention.text == "dobré"


@pytest.mark.parametrize("status", ["answered", "closed"])
def test_an_edit_opens_what_seemed_done(store: Store, status: str) -> None:
    store.mentions.ingest("fb", [mention()])
    store.mentions.change([the(store).id], {"status": status}, agent="a", what=status)
    store.mentions.ingest("fb", [mention(text="Už ani nechci")])
    assert the(store).status is Status.OPEN


def test_other_facts_make_no_version_and_open_nothing(store: Store) -> None:
    store.mentions.ingest("fb", [mention()])
    store.mentions.change([the(store).id], {"status": "closed"}, agent="a", what="closed")
    done = store.mentions.ingest("fb", [mention(url="https://example.com/x", hidden=True)])
    assert (done.changed, done.same) == (0, 1)
    found = the(store)
    assert (found.version, found.status, found.mention.hidden) == (1, Status.CLOSED, True)


def test_every_field_comes_back_as_it_went_in(store: Store) -> None:
    whole = mention(
        title="Nadpis",
        author=Author(id="7", name="Jana", url="https://example.com/jana"),
        rating=2.5,
        rating_raw="50 %",
        sub_ratings={"delivery_time": 4.5},
        recommends=False,
        pros=("levné", "rychlé"),
        cons=("rozbité",),
        order_id="007",
        product="Konvice",
        product_url="https://example.com/konvice",
        url="https://example.com/1",
        reply_url="https://example.com/admin",
        edited_at=NOON - timedelta(hours=1),
        language="cs",
        can_reply=True,
        can_hide=False,
        fields={"ean": "0859"},
        thread_id="t",
        parent_id="p",
    )
    store.mentions.ingest("fb", [whole])
    assert the(store).mention == whole


def test_no_time_is_the_time_of_first_sight_and_stays(store: Store) -> None:
    store.mentions.ingest("fb", [mention(created_at=None)])
    store.clock = lambda: NOON + timedelta(days=1)
    store.mentions.ingest("fb", [mention(created_at=None)])
    assert the(store).mention.created_at == NOON


def test_gone_is_marked_and_comes_back(store: Store) -> None:
    store.mentions.ingest("fb", [mention()])
    assert store.mentions.ingest("fb", [], gone=["1", "never seen"]).gone == 1
    assert the(store).gone_at == NOON
    assert store.mentions.ingest("fb", [], gone=["1"]).gone == 0
    store.mentions.ingest("fb", [mention()])
    assert the(store).gone_at is None


@pytest.mark.parametrize("order", ["together", "reply first", "reply last"])
def test_what_the_shop_answered_on_the_platform_is_answered(store: Store, order: str) -> None:
    reply = mention("2", ours=True, parent_id="1", created_at=NOON + timedelta(hours=1))
    batches = {
        "together": [[mention(), reply]],
        "reply first": [[reply], [mention()]],
        "reply last": [[mention()], [reply]],
    }[order]
    for batch in batches:
        store.mentions.ingest("fb", batch)
    assert the(store).status is Status.ANSWERED
    assert the(store).answered_at == NOON + timedelta(hours=1)
    assert list(store.mentions.ids(Filter(view=View.ALL))) == [the(store).id], "ours is never a customer's mention"


def test_our_reply_comes_back_without_an_author_and_is_recognised_by_its_id(store: Store) -> None:
    store.mentions.ingest("fb", [mention()])
    reply = store.outbox.put(the(store).id, "Omlouváme se.", agent="jana")
    claimed = store.outbox.claim("me", lease_seconds=60)
    assert claimed is not None
    store.outbox.move(claimed, DeliveryState.POSTED, holder="me", remote_id="99")
    store.mentions.ingest("fb", [mention("99", text="Omlouváme se.", parent_id="1")])
    assert the(store, "99").mention.ours
    assert store.outbox.get(reply.id).state is DeliveryState.VISIBLE
    assert store.mentions.count(Filter(view=View.ALL)) == 1


def test_an_unknown_reply_that_stands_there_is_no_longer_unknown(store: Store) -> None:
    store.mentions.ingest("fb", [mention()])
    store.outbox.put(the(store).id, "Dobrý den,\r\nposíláme  nový.", agent="jana")
    claimed = store.outbox.claim("me", lease_seconds=60)
    assert claimed is not None
    store.outbox.move(claimed, DeliveryState.UNKNOWN, holder="me")
    store.mentions.ingest("fb", [mention("5", ours=True, parent_id="1", text="Dobrý den,\nposíláme nový.")])
    found = store.outbox.get(claimed.id)
    assert (found.state, found.remote_id) == (DeliveryState.VISIBLE, "5")
    assert the(store).status is Status.ANSWERED


def test_what_stands_there_already_is_not_sent_by_whoever_holds_it(store: Store) -> None:
    """Another attempt of the same reply has arrived late, and a poll has read it."""
    store.mentions.ingest("fb", [mention()])
    store.outbox.put(the(store).id, "Ano.", agent="jana")
    claimed = store.outbox.claim("me", lease_seconds=60)
    assert claimed is not None
    store.mentions.ingest("fb", [mention("5", ours=True, parent_id="1", text="Ano.")])
    found = store.outbox.get(claimed.id)
    assert (found.state, found.remote_id) == (DeliveryState.VISIBLE, "5")
    assert not store.outbox.leaves(claimed, "me", lease_seconds=60)
    assert not store.outbox.move(claimed, DeliveryState.QUEUED, holder="me")


@pytest.mark.parametrize("tried", [True, False])
def test_only_what_was_tried_may_stand_there(store: Store, tried: bool) -> None:
    store.mentions.ingest("fb", [mention()])
    reply = store.outbox.put(the(store).id, "Ano.", agent="jana")
    if tried:
        claimed = store.outbox.claim("me", lease_seconds=60)
        assert claimed is not None
        store.outbox.move(claimed, DeliveryState.QUEUED, holder="me", send_after=NOON)
    store.mentions.ingest("fb", [mention("5", ours=True, parent_id="1", text="Ano.")])
    expected = DeliveryState.VISIBLE if tried else DeliveryState.QUEUED
    assert store.outbox.get(reply.id).state is expected


def test_the_poisonous_item_is_kept_once_with_its_reason(store: Store) -> None:
    aside = SetAside(reason="no id", raw='{"text": "x"}')
    assert store.mentions.ingest("fb", [mention()], set_aside=[aside]).set_aside == 1
    store.mentions.ingest("fb", [], set_aside=[aside])
    assert store.sources.states()[0].set_aside == 1


HOSTILE = [
    "\x00nul",
    "\ud800 lone",
    "\x1b]0;title\x07",
    "\u202eevil",
    "a" + "\u0301" * 5000,
    "[@click=app.quit]",
    "x" * 1_000_000,
    "😡" * 4000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_goes_in_once_and_its_raw_payload_is_whole(store: Store, text: str) -> None:
    item = mention(
        text=text,
        title=text,
        author=Author(name=text),
        pros=(text,),
        order_id=text,
        fields={text: text},
        raw={"t": text},
    )
    assert store.mentions.ingest("fb", [item]).new == 1
    assert store.mentions.ingest("fb", [item]).same == 1
    found = the(store)
    assert store.mentions.raw(found.id) == {"t": text}
    shown = found.mention.text + found.mention.title
    assert not any(char in shown for char in "\x00\x1b\u202e")
    assert len(text) < 900_000 or len(found.mention.text) == len(text), "kept whole"


def test_hostile_ids_stay_apart_from_each_other(store: Store) -> None:
    ids = ["1", "1 ", "１", "a'; DROP TABLE mention; --", "../..", "%", "_"]
    assert store.mentions.ingest("fb", [mention(id) for id in ids]).new == len(ids)
    assert all(store.mentions.find("fb", id) is not None for id in ids)


def test_one_id_at_two_sources_is_two_mentions(store: Store) -> None:
    store.sources.register("he", "heureka", "Heureka")
    store.mentions.ingest("fb", [mention()])
    assert store.mentions.ingest("he", [mention()]).new == 1


def test_a_batch_and_its_cursor_go_in_together_or_not_at_all(store: Store) -> None:
    assert store.sources.take("fb", "me", seconds=60)
    poll = store.sources.begin_poll("fb")
    store.db.conn.execute(
        "CREATE TRIGGER breaks BEFORE INSERT ON mention_version WHEN NEW.text = 'breaks'"
        " BEGIN SELECT RAISE(ABORT, 'broken'); END"
    )
    with pytest.raises(Exception, match="broken"):
        commit(store, poll, [mention("1"), mention("2", text="breaks")], {"page": 2})
    assert store.sources.cursor("fb") is None
    assert store.mentions.count(Filter()) == 0
    commit(store, poll, [mention("1")], {"page": 1})
    assert store.sources.cursor("fb") == {"page": 1}


def test_who_has_lost_the_lease_writes_nothing(store: Store) -> None:
    assert store.sources.take("fb", "slow", seconds=60)
    poll = store.sources.begin_poll("fb")
    store.clock = lambda: NOON + timedelta(minutes=2)
    assert store.sources.take("fb", "quick", seconds=60)
    with pytest.raises(LeaseLost):
        commit(store, poll, [mention()], {"page": 1}, owner="slow")
    assert store.mentions.count(Filter()) == 0
    assert store.sources.cursor("fb") is None


def commit(store: Store, poll: int, mentions: list[Mention], cursor: dict[str, Any], owner: str = "me") -> None:
    store.sources.commit_batch(
        "fb",
        owner,
        poll,
        mentions=mentions,
        set_aside=[],
        gone=[],
        cursor=cursor,
        total=None,
        lease_seconds=60,
    )


_texts = st.text(max_size=30) | st.sampled_from(["Žádné", "zadne", "a\u0301", "\ud800"])


@settings(max_examples=40, deadline=None)
@given(polls=st.lists(st.lists(st.tuples(st.sampled_from("abcd"), _texts), max_size=6), max_size=5))
def test_whatever_comes_in_whatever_order_the_store_is_as_a_plain_dictionary(
    polls: list[list[tuple[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from reviewdesk.text import safe

    store = Store(tmp_path_factory.mktemp("plain") / "desk.db", clock=lambda: NOON)
    store.sources.register("fb", "facebook", "Facebook")
    plain: dict[str, list[str]] = {}
    for poll in polls:
        store.mentions.ingest("fb", [mention(id, text=text) for id, text in poll])
        for id, text in dict(poll).items():
            seen = plain.setdefault(id, [])
            if not seen or seen[-1] != safe(text):
                seen.append(safe(text))
    for id, texts in plain.items():
        conversation = store.mentions.conversation(the(store, id).id)
        assert [*(version.text for version in conversation.versions), conversation.focus.mention.text] == texts
    assert store.mentions.count(Filter()) == len(plain)
    found = store.db.conn.execute("SELECT count(*) FROM mention_fts").fetchone()[0]
    assert found == len(plain)
    store.db.conn.execute("INSERT INTO mention_fts (mention_fts, rank) VALUES ('integrity-check', 1)")
    store.close()


def test_thousands_in_one_batch_are_found_by_words_without_accents(store: Store) -> None:
    many = [mention(str(number), text=f"Žádné zboží číslo {number}") for number in range(3000)]
    assert store.mentions.ingest("fb", many).new == 3000
    assert len(store.mentions.ids(Filter(search="zadne zbozi 2999"))) == 1
    store.mentions.ingest("fb", [mention("2999", text="už přišlo")])
    assert len(store.mentions.ids(Filter(search="zadne zbozi 2999"))) == 0
    assert json.loads(json.dumps(list(store.mentions.ids(Filter(search="prislo"))))) == [the(store, "2999").id]
