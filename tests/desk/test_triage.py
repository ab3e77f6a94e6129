"""Triage: each piece of work has a sentence, and a way back that takes nobody else's work along."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.desk.triage import Triage
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Kind, Mention, Status
from reviewdesk.store.db import Store
from tests.desk.shops import Clock, Platform


@pytest.fixture
def ids(store: Store, there: Platform) -> list[int]:
    texts = [Mention(id=str(number), kind=Kind.COMMENT, text=f"Text {number}.") for number in range(3)]
    store.mentions.ingest("fb", texts)
    return sorted(store.mentions.get(number).id for number in (1, 2, 3))


@pytest.fixture
def jana(store: Store) -> Triage:
    return Triage(store, "jana")


def statuses(store: Store, ids: list[int]) -> list[Status]:
    return [store.mentions.get(id).status for id in ids]


def test_closing_and_taking_it_back(store: Store, jana: Triage, ids: list[int]) -> None:
    done = jana.close(ids)
    assert (done.sentence, done.count) == ("3 mentions closed.", 3)
    assert statuses(store, ids) == [Status.CLOSED] * 3
    assert jana.undo(done).sentence == "Taken back: 3 mentions closed."
    assert statuses(store, ids) == [Status.NEW] * 3
    assert all(store.mentions.get(id).closed_at is None for id in ids)


def test_what_a_colleague_did_since_stays(store: Store, jana: Triage, ids: list[int]) -> None:
    done = jana.close(ids)
    Triage(store, "petr").reopen(ids[:1])
    undone = jana.undo(done)
    assert undone.sentence == "Taken back: 2 mentions closed. 1 mention had been changed by someone since."
    assert statuses(store, ids) == [Status.OPEN, Status.NEW, Status.NEW]
    assert jana.undo(done).count == 0, "a second time takes nothing back"


def test_undo_does_not_touch_other_columns(store: Store, jana: Triage, ids: list[int]) -> None:
    done = jana.assign(ids, "petr")
    jana.close(ids)
    jana.undo(done)
    assert {store.mentions.get(id).assignee for id in ids} == {""}
    assert statuses(store, ids) == [Status.CLOSED] * 3


def test_what_changed_nothing_has_no_way_back_and_says_so(store: Store, jana: Triage, ids: list[int]) -> None:
    again = jana.assign(ids, "")
    assert again.action == ""
    assert "Nothing to do" in again.sentence
    assert jana.undo(again).sentence == "There is nothing to take back."
    jana.tag(ids, "vip")
    assert jana.tag(ids, "VIP").sentence == "Nothing to do: 3 mentions already tagged #vip."
    assert jana.tag(ids, "other", on=False).action == ""


def test_tags_come_off_again(store: Store, jana: Triage, ids: list[int]) -> None:
    assert jana.tag(ids, "#VIP").sentence == "3 mentions tagged #vip."
    jana.tag(ids[:1], "vip", on=False)
    assert [store.people.tags(id) for id in ids] == [(), ("vip",), ("vip",)]


def test_tags_have_a_way_back_that_leaves_those_who_had_them_before(store: Store, jana: Triage, ids: list[int]) -> None:
    jana.tag(ids[:1], "vip")
    put_on = jana.tag(ids, "vip")
    assert (put_on.sentence, put_on.count) == ("2 mentions tagged #vip; 1 mention already so.", 2)
    assert jana.undo(put_on).sentence == "Taken back: 2 mentions tagged #vip."
    assert [store.people.tags(id) for id in ids] == [("vip",), (), ()]
    taken_off = jana.tag(ids, "vip", on=False)
    Triage(store, "petr").tag(ids[:1], "vip")
    assert jana.undo(taken_off).sentence == "Nothing was taken back. 1 mention had been changed by someone since."
    assert [store.people.tags(id) for id in ids] == [("vip",), (), ()]
    assert [event.what for event in store.people.events(ids[1])] == ["undone", "tagged"]


def test_a_note_on_the_wrong_mention_is_taken_back(store: Store, jana: Triage, ids: list[int]) -> None:
    jana.note([ids[0]], "First.")
    noted = jana.note([ids[0]], "For somebody else.")
    assert jana.undo(noted).sentence == "Taken back: 1 mention noted for your colleagues."
    assert [note.text for note in store.people.notes(ids[0])] == ["First."]
    assert jana.undo(noted).count == 0


@pytest.mark.parametrize("tag", ["", "two words", "#", "x" * 41, "a\nb", "=1+1,", "\x1b[31m", "a;b"])
def test_no_tag(jana: Triage, ids: list[int], tag: str) -> None:
    with pytest.raises(NotAllowed, match="one word"):
        jana.tag(ids, tag)


def test_snoozed_until_its_time_and_never_into_the_past(
    store: Store, clock: Clock, jana: Triage, ids: list[int]
) -> None:
    for past in (clock.now, clock.now - timedelta(days=1)):
        with pytest.raises(NotAllowed, match="passed"):
            jana.snooze(ids, past)
    jana.snooze(ids, clock.now + timedelta(hours=1))
    assert jana.wake() == 0
    clock.forward(hours=1)
    assert jana.wake() == 3
    assert statuses(store, ids) == [Status.OPEN] * 3
    assert store.mentions.get(ids[0]).snoozed_until is None


def test_a_snooze_that_woke_up_is_not_taken_back(store: Store, clock: Clock, jana: Triage, ids: list[int]) -> None:
    done = jana.snooze(ids, clock.now + timedelta(hours=1))
    clock.forward(hours=2)
    jana.wake()
    assert jana.undo(done).count == 0
    assert statuses(store, ids) == [Status.OPEN] * 3


def test_what_is_snoozed_anew_at_that_moment_sleeps_on(
    store: Store, clock: Clock, jana: Triage, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    jana.snooze(ids, clock.now + timedelta(hours=1))
    clock.forward(hours=1)
    transaction = store.transaction

    def late() -> AbstractContextManager[sqlite3.Connection]:
        monkeypatch.undo()
        with Store(store.path, clock=clock) as other:
            Triage(other, "petr").snooze(ids[:1], clock.now + timedelta(hours=1))
        return transaction()

    monkeypatch.setattr(store, "transaction", late)
    assert jana.wake() == 2
    assert statuses(store, ids) == [Status.SNOOZED, Status.OPEN, Status.OPEN]


def test_the_log_knows_who_did_what(store: Store, jana: Triage, ids: list[int]) -> None:
    jana.undo(jana.close(ids[:1]))
    assert [(event.agent, event.what) for event in store.people.events(ids[0])] == [
        ("jana", "undone"),
        ("jana", "closed"),
    ]


def test_an_empty_note_is_none(store: Store, jana: Triage, ids: list[int]) -> None:
    with pytest.raises(NotAllowed, match="empty"):
        jana.note([ids[0]], " \n ")
    jana.note([ids[0]], " Zavolat v pondělí. ")
    assert [note.text for note in store.people.notes(ids[0])] == ["Zavolat v pondělí."]


STEPS = st.lists(
    st.tuples(st.sampled_from(["close", "reopen", "assign", "snooze"]), st.sets(st.integers(0, 2), min_size=1))
)


@given(steps=STEPS)
def test_taking_everything_back_in_turn_leads_to_where_it_began(tmp_path_factory, steps) -> None:
    clock = Clock()
    with Store(tmp_path_factory.mktemp("triage") / "desk.db", clock=clock) as store:
        # No power is cut here, and waiting for the disk is what takes the time.
        store.db.conn.execute("PRAGMA synchronous = OFF")
        store.sources.register("fb", "memory", "")
        store.mentions.ingest("fb", [Mention(id=str(number), kind=Kind.COMMENT, text="x") for number in range(3)])
        ids = list(store.mentions.rows(range(1, 4)))
        jana = Triage(store, "jana")

        def work() -> list[tuple[object, ...]]:
            found = [store.mentions.get(id) for id in ids]
            return [(each.status, each.assignee, each.closed_at, each.snoozed_until) for each in found]

        before, done = work(), []
        for name, which in steps:
            clock.forward(minutes=1)
            chosen = [ids[number] for number in which]
            more = {"assign": ("petr",), "snooze": (clock.now + timedelta(days=1),)}.get(name, ())
            done.append(getattr(jana, name)(chosen, *more))
        for each in reversed(done):
            jana.undo(each)
        assert work() == before
