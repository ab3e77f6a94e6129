"""The outbox: one reply on its way, claimed by one, moved only from where it was seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reviewdesk.errors import NotAllowed
from reviewdesk.model import Channel, DeliveryState, Kind, Mention
from reviewdesk.store.db import Store

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "desk.db", clock=lambda: NOON) as store:
        store.sources.register("fb", "facebook", "")
        store.mentions.ingest("fb", [Mention(id=str(number), kind=Kind.COMMENT, text="x") for number in range(50)])
        yield store


def test_a_second_reply_to_one_mention_is_refused_by_the_database(store: Store) -> None:
    store.outbox.put(1, "one", agent="a")
    with pytest.raises(NotAllowed, match="on its way"):
        store.outbox.put(1, "two", agent="b")
    store.outbox.put(1, "privately", agent="b", channel=Channel.PRIVATE)
    store.outbox.put(2, "another mention", agent="b")


def test_what_was_approved_is_kept_word_for_word(store: Store) -> None:
    text = "Dobrý den,\r\n\r\n  {{ 7*7 }} [b]\u00a0konec  "
    assert store.outbox.put(1, text, agent="a").text == text


def test_nobody_claims_before_the_undo_seconds_are_over(store: Store) -> None:
    store.outbox.put(1, "x", agent="a", send_after=NOON + timedelta(seconds=10))
    assert store.outbox.claim("me", lease_seconds=60) is None
    assert store.outbox.next_due() == NOON + timedelta(seconds=10)
    store.clock = lambda: NOON + timedelta(seconds=10)
    claimed = store.outbox.claim("me", lease_seconds=60)
    assert claimed is not None
    assert (claimed.state, claimed.attempts) == (DeliveryState.SENDING, 1)


def test_many_claimers_never_get_the_same(store: Store) -> None:
    for mention in range(1, 41):
        store.outbox.put(mention, "x", agent="a")
    path, claimed, lock = store.path, [], threading.Lock()

    def work(name: str) -> None:
        with Store(path, clock=lambda: NOON) as mine:
            while reply := mine.outbox.claim(name, lease_seconds=60):
                with lock:
                    claimed.append(reply.id)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == 40


def test_a_move_from_another_state_does_nothing(store: Store) -> None:
    reply = store.outbox.put(1, "x", agent="a")
    assert store.outbox.claim("me", lease_seconds=60)
    assert not store.outbox.move(reply, DeliveryState.WITHDRAWN), "it is being sent, not queued, by now"
    assert store.outbox.get(reply.id).state is DeliveryState.SENDING


def test_only_its_holder_moves_a_reply_that_is_being_sent(store: Store) -> None:
    store.outbox.put(1, "x", agent="a")
    claimed = store.outbox.claim("me", lease_seconds=60)
    assert claimed is not None
    assert not store.outbox.move(claimed, DeliveryState.POSTED, holder="you")
    assert store.outbox.move(claimed, DeliveryState.POSTED, holder="me", remote_id="r")


def test_a_sender_that_died_leaves_its_reply_abandoned_after_the_lease(store: Store) -> None:
    store.outbox.put(1, "x", agent="a")
    store.outbox.claim("dead", lease_seconds=60)
    assert store.outbox.abandoned() == []
    store.clock = lambda: NOON + timedelta(seconds=61)
    assert len(store.outbox.abandoned()) == 1
    assert store.outbox.claim("me", lease_seconds=60) is None, "never sent again blindly"


def test_a_skipped_source_keeps_its_replies(store: Store) -> None:
    store.outbox.put(1, "x", agent="a")
    assert store.outbox.claim("me", lease_seconds=60, skip_sources={"fb"}) is None
    assert store.outbox.claim("me", lease_seconds=60, skip_sources={"other"})


def test_drafts_are_each_agents_own_and_go_with_the_sending(store: Store) -> None:
    store.outbox.save_draft(1, "jana", "Dobrý")
    store.outbox.save_draft(1, "petr", "Ahoj")
    store.outbox.save_draft(1, "jana", "Dobrý den", template="omluva")
    assert {(draft.agent, draft.text) for draft in store.outbox.drafts(1)} == {("jana", "Dobrý den"), ("petr", "Ahoj")}
    store.outbox.put(1, "Dobrý den", agent="jana")
    assert [draft.agent for draft in store.outbox.drafts(1)] == ["petr"]
    store.outbox.save_draft(1, "petr", "")
    assert store.outbox.drafts(1) == ()


def test_every_step_stands_in_the_log(store: Store) -> None:
    store.outbox.put(1, "x", agent="jana")
    claimed = store.outbox.claim("me", lease_seconds=60)
    assert claimed is not None
    store.outbox.move(claimed, DeliveryState.POSTED, holder="me")
    assert [event.what for event in store.people.events(1)] == ["reply posted", "reply sending", "reply queued"]
    assert {event.agent for event in store.people.events(1)} == {"jana"}


def test_a_look_after_one_attempt_says_nothing_of_the_next(store: Store) -> None:
    store.outbox.put(1, "x", agent="a")
    first = store.outbox.claim("me", lease_seconds=60)
    assert first is not None
    store.outbox.move(first, DeliveryState.UNKNOWN, holder="me", looked_at=NOON)
    unknown = store.outbox.get(first.id)
    assert store.outbox.looked_at(unknown) == NOON
    store.outbox.move(unknown, DeliveryState.QUEUED, send_after=NOON)
    second = store.outbox.claim("me", lease_seconds=60)
    assert second is not None
    assert store.outbox.looked_at(second) is None
