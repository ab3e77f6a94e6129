"""The outbox: one reply on its way, claimed by one, moved only from where it was seen."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reviewdesk.errors import NotAllowed
from reviewdesk.model import Change, Channel, DeliveryState, Kind, Mention, What
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


def test_of_too_many_replies_the_newest_are_given(store: Store) -> None:
    ids = [store.outbox.put(mention, "x", agent="a").id for mention in (1, 2, 3)]
    assert [each.id for each in store.outbox.in_states([DeliveryState.QUEUED], limit=2)] == ids[1:]


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


def test_who_slept_through_the_lease_sends_nothing(store: Store) -> None:
    store.outbox.put(1, "x", agent="a")
    claimed = store.outbox.claim("me", lease_seconds=60)
    assert claimed is not None
    assert not store.outbox.leaves(claimed, "you", lease_seconds=60)
    store.clock = lambda: NOON + timedelta(seconds=59)
    assert store.outbox.leaves(claimed, "me", lease_seconds=60), "and the lease begins anew"
    assert store.outbox.get(claimed.id).attempted_at == NOON + timedelta(seconds=59)
    store.clock = lambda: NOON + timedelta(seconds=118)
    assert store.outbox.abandoned() == []
    store.clock = lambda: NOON + timedelta(seconds=119)
    assert len(store.outbox.abandoned()) == 1
    assert not store.outbox.leaves(claimed, "me", lease_seconds=60), "although nobody has taken it over yet"


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


def test_whoever_has_a_reply_open_is_seen_until_it_is_let_go_and_the_draft_stays(store: Store) -> None:
    store.outbox.keep_open(1, "jana", "w1", seconds=40)
    (writer,) = store.outbox.writers(1)
    assert (writer.agent, writer.since, writer.is_writing(NOON)) == ("jana", NOON, True)
    assert store.mentions.rows([1])[1].writers == store.mentions.conversation(1).writers == (writer,)
    assert store.outbox.drafts(1) == (), "nothing is written yet"
    store.outbox.save_draft(1, "jana", "Dobrý")
    store.clock = lambda: NOON + timedelta(seconds=30)
    store.outbox.keep_open(1, "jana", "w1", seconds=40)
    store.clock = lambda: NOON + timedelta(seconds=60)
    (writer,) = store.outbox.writers(1)
    assert (writer.since, writer.is_writing(store.clock())) == (NOON, True), "since the beginning, not the last beat"
    store.outbox.let_go(1, "jana", "another window")
    assert store.outbox.writers(1)[0].until
    store.outbox.let_go(1, "jana", "w1")
    (writer,) = store.outbox.writers(1)
    assert (writer.since, writer.until) == (NOON, None), "the time of the last letter"
    store.outbox.save_draft(1, "jana", "")
    assert store.outbox.writers(1) == ()


def test_an_open_reply_without_a_word_is_nobodys_once_it_is_let_go_or_its_window_has_died(store: Store) -> None:
    store.outbox.keep_open(1, "jana", "w1", seconds=40)
    store.outbox.let_go(1, "jana", "w1")
    assert store.outbox.writers(1) == ()
    store.outbox.keep_open(1, "jana", "w1", seconds=40)
    store.outbox.save_draft(1, "jana", "")
    assert store.outbox.writers(1), "emptied, but still open"
    store.clock = lambda: NOON + timedelta(seconds=41)
    assert store.outbox.writers(1) == ()
    assert store.mentions.rows([1])[1].writers == ()
    code = "from reviewdesk.store.holders import new_holder; print(new_holder())"
    gone = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.strip()
    store.outbox.keep_open(1, "jana", gone, seconds=40)
    assert store.outbox.writers(1) == (), "the process is gone; nobody waits for its lease"


def test_nothing_is_kept_for_a_mention_that_was_erased(store: Store) -> None:
    store.outbox.save_draft(99, "jana", "Dobrý")
    store.outbox.keep_open(99, "jana", "w1", seconds=40)
    assert store.outbox.drafts(99) == store.outbox.writers(99) == ()


def test_an_empty_reply_leaves_no_row_behind(store: Store) -> None:
    def rows() -> int:
        return store.db.conn.execute("SELECT count(*) FROM draft").fetchone()[0]

    store.outbox.save_draft(1, "jana", "Dobrý")
    store.outbox.save_draft(1, "jana", "")
    assert rows() == 0
    store.outbox.keep_open(1, "jana", "w1", seconds=40)
    store.outbox.let_go(1, "jana", "w1")
    assert rows() == 0


@pytest.mark.parametrize(("state", "columns", "after", "waits"), [
    (DeliveryState.QUEUED, {}, -1, False), (DeliveryState.QUEUED, {}, 0, True),
    (DeliveryState.UNKNOWN, {}, 0, True), (DeliveryState.HELD, {}, 0, False), (DeliveryState.REFUSED, {}, 0, False),
    (DeliveryState.SENDING, {"lease_until": 1}, 0, True), (DeliveryState.SENDING, {"lease_until": 2**50}, 0, False),
    (DeliveryState.POSTED, {"fault": "Waiting."}, 0, True), (DeliveryState.POSTED, {"fault": "Waiting."}, -1, False),
    (DeliveryState.POSTED, {}, 0, False), (DeliveryState.VISIBLE, {}, 0, False),
])  # fmt: skip
def test_what_a_delivery_has_to_do(
    store: Store, state: DeliveryState, columns: dict[str, object], after: int, waits: bool
) -> None:
    assert not store.outbox.waits()
    store.outbox.put(1, "x", agent="a", send_after=NOON + timedelta(seconds=5))
    setting = "".join(f", {name} = ?" for name in columns)
    with store.transaction() as conn:
        conn.execute(f"UPDATE reply SET state = ?{setting}", (state.value, *columns.values()))
    store.clock = lambda: NOON + timedelta(seconds=5 + after)
    assert store.outbox.waits() is waits
    assert store.outbox.waits_for("fb") is (waits or state is DeliveryState.SENDING)
    assert not store.outbox.waits_for("other")


def test_all_that_is_noted_of_a_reply_is_read_again_and_who_did_it(store: Store) -> None:
    sent = store.outbox.put(1, "x", agent="jana")
    noted = {
        "remote_id": "r1",
        "remote_url": "https://x.example/r1",
        "remote_text": "X",
        "posted_at": NOON + timedelta(seconds=1),
        "fault": "It waits.",
        "fault_hint": "Wait.",
        "send_after": NOON + timedelta(seconds=2),
        "seen_until": NOON + timedelta(seconds=3),
        "seen_version": 4,
        "seen_mention": 5,
        "seen_gone": NOON + timedelta(seconds=6),
        "seen_unreadable": True,
        "changes": (Change(what=What.EDITED, before="a", after="b"),),
    }
    assert store.outbox.move(sent, DeliveryState.HELD, agent="petr", **noted)
    found = store.outbox.get(sent.id)
    assert {name: getattr(found, name) for name in noted} == noted
    assert [(each.agent, each.what) for each in store.people.events(1)] == [
        ("petr", "reply held"), ("jana", "reply queued")
    ]  # fmt: skip
    assert store.outbox.move(found, DeliveryState.QUEUED)
    assert store.people.events(1)[0].agent == "jana"


def test_quiet_for_a_source_holds_back_what_is_not_out_yet_and_never_hastens_it(store: Store) -> None:
    store.sources.register("other", "feed", "")
    store.mentions.ingest("other", [Mention(id="o", kind=Kind.COMMENT, text="x")])
    later = NOON + timedelta(hours=2)
    soon, late = store.outbox.put(1, "x", agent="a"), store.outbox.put(2, "x", agent="a", send_after=later)
    elsewhere = store.outbox.put(51, "x", agent="a")
    store.outbox.postpone("fb", NOON + timedelta(hours=1))
    assert store.outbox.get(soon.id).send_after == NOON + timedelta(hours=1)
    assert store.outbox.get(late.id).send_after == later
    assert store.outbox.get(elsewhere.id).send_after == NOON


def test_the_replies_that_wait_for_a_person_are_counted(store: Store) -> None:
    assert store.outbox.waiting() == 0
    store.outbox.put(1, "x", agent="a")
    assert store.outbox.waiting() == 0
    claimed = store.outbox.claim("me", lease_seconds=60)
    assert claimed
    store.outbox.move(claimed, DeliveryState.HELD)
    assert store.outbox.waiting() == 1
