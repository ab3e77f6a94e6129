"""Polling, assessing and delivering over connectors that do what connectors should not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.cores import Cores
from reviewdesk.config import Config
from reviewdesk.connector import Batch, Connector, Cursor
from reviewdesk.desk import poll as polling
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.desk.connecting import data_folder
from reviewdesk.desk.deliver import deliver
from reviewdesk.desk.poll import Outcome, poll_round
from reviewdesk.desk.respond import Respond
from reviewdesk.errors import (
    Actor,
    AuthFailed,
    BadAnswer,
    NotThere,
    OutcomeUnknown,
    PermissionMissing,
    PluginError,
    RateLimited,
    StoreError,
    Unreachable,
)
from reviewdesk.model import Assessment, DeliveryState, Kind, Mention
from reviewdesk.secrets import remember
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter, View
from reviewdesk.store.sources import Sources
from tests.desk.shops import Clock, Memory, Platform


@pytest.fixture(autouse=True)
def platforms(there: Platform) -> Platform:
    there.write("a")
    Memory.platforms["other"].write("b")
    return there


async def nonsense(self: Memory, cursor: object) -> AsyncIterator[object]:
    yield {"mentions": []}


def no_iterator(self: Memory, cursor: object) -> None:
    return None


async def noisy(self: Memory, cursor: object) -> AsyncIterator[Batch]:
    raise SystemError("boom")
    yield Batch()


@pytest.mark.parametrize("poll", [nonsense, no_iterator, noisy], ids=lambda poll: poll.__name__)
async def test_a_connector_that_breaks_the_contract_is_named_and_stops_nobody(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch, poll: object
) -> None:
    good = Memory.poll

    def either(self: Memory, cursor: object) -> object:
        return (poll if self.context.source == "fb" else good)(self, cursor)  # type: ignore[operator]

    monkeypatch.setattr(Memory, "poll", either)
    bad, well = await poll_round(config, store, now=True)
    assert bad.outcome is Outcome.FAILED
    assert isinstance(bad.error, PluginError)
    assert "memory" in bad.error.sentence
    assert well.outcome is Outcome.DONE
    assert store.mentions.find("other", "b") is not None


async def test_a_connector_that_cannot_be_made_stops_nobody(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Memory, context: object) -> None:
        Connector.__init__(self, context)  # type: ignore[arg-type]
        if self.context.source == "fb":
            raise RuntimeError("no")
        self.there = Memory.platforms[self.context.source]

    monkeypatch.setattr(Memory, "__init__", fail)
    assert [each.outcome for each in await poll_round(config, store, now=True)] == [Outcome.FAILED, Outcome.DONE]


async def test_a_secret_in_a_fault_stays_out_of_the_store(store: Store, config: Config, there: Platform) -> None:
    remember("s3cret-token-value")

    def fail() -> None:
        raise BadAnswer("https://x.example/?key=s3cret-token-value broke.", hint="Look at s3cret-token-value.")

    there.on_poll = fail
    told = (await poll_round(config, store, now=True))[0]
    assert "s3cret" not in str(told.error)
    assert "s3cret" not in "".join(f"{each.fault}{each.fault_hint}" for each in store.sources.states())


async def test_what_was_committed_before_a_failure_stays_and_is_assessed(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def half(self: Memory, cursor: object) -> AsyncIterator[Batch]:
        yield Batch(mentions=list(self.there.customers.values()), cursor={"half": True})
        raise Unreachable("Gone.")

    monkeypatch.setattr(Memory, "poll", half)
    told = await poll_round(config, store, now=True)
    assert [(each.outcome, each.brought.new) for each in told] == [(Outcome.FAILED, 1)] * 2
    assert store.sources.cursor("fb") == {"half": True}
    assert store.mentions.count(Filter(view=View.COMPLAINTS)) == 2


async def test_a_folder_that_cannot_be_made_is_the_stores_trouble(store: Store, config: Config) -> None:
    data_folder(config).write_text("in the way")
    with pytest.raises(StoreError, match="cannot be made"):
        await poll_round(config, store, now=True)


async def test_only_some_sources(store: Store, config: Config) -> None:
    (told,) = await poll_round(config, store, only=["other"])
    assert told.source == "other"
    assert store.mentions.find("fb", "a") is None


async def test_what_a_person_must_mend_is_left_alone_until_asked_by_name(
    store: Store, config: Config, clock: Clock, there: Platform
) -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        raise AuthFailed("Dead.")

    there.on_poll = fail
    await poll_round(config, store, now=True)
    clock.forward(days=1)
    told = await poll_round(config, store)
    assert (told[0].outcome, told[1].outcome, len(calls)) == (Outcome.PARKED, Outcome.DONE, 1)
    await poll_round(config, store, only=["fb"])
    assert len(calls) == 2
    there.quiet()
    (told,) = await poll_round(config, store, only=["fb"])
    assert told.mended == "Dead."
    assert not store.sources.is_parked("fb")


async def test_a_new_assessor_assesses_everything_anew(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    await poll_round(config, store, now=True)
    assert assess_pending(config, store) == 0
    monkeypatch.setattr(Assessor, "version", "desk/next")
    await poll_round(config, store)
    stored = store.mentions.find("fb", "a")
    assert stored is not None
    assert stored.assessment is not None
    assert stored.assessment.assessor == "desk/next"
    assert assess_pending(config, store) == 0


def test_assessing_in_bulk_and_no_more_than_wanted(store: Store, config: Config) -> None:
    texts = [Mention(id=f"m{number}", kind=Kind.REVIEW, text=f"Hrůza {number}.", rating=1) for number in range(2500)]
    store.mentions.ingest("fb", texts)
    assert assess_pending(config, store, most=0) == 0
    assert assess_pending(config, store, most=1) == 2000
    assert assess_pending(config, store) == 500
    assert store.mentions.count(Filter(view=View.COMPLAINTS)) == 2500


def test_a_backlog_is_assessed_on_all_cores_as_on_one(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    class Watched(Cores[list[Assessable], list[Assessment]]):
        def begin(self, piece: list[Assessable]) -> None:
            begun.append(len(piece))
            super().begin(piece)

    monkeypatch.setattr("reviewdesk.desk.assessing.Cores", Watched)
    monkeypatch.setattr("reviewdesk.desk.assessing.cores", lambda: 2)
    openings = ("Balík nedorazil, hrůza.", "Všechno super, děkuji!", "Wann kommt mein Paket?", "Телефон не работает")
    texts = [f"{openings[n % 4]} {n}" for n in range(3700)]
    store.mentions.ingest("fb", [Mention(id=f"m{n}", kind=Kind.REVIEW, text=text) for n, text in enumerate(texts)])
    assert assess_pending(config, store) == 3700
    assert begun == [500, 500, 500, 200]
    expected = Assessor().assess([Assessable(text=text, prior="cs") for text in texts])
    for n, assessment in enumerate(expected):
        stored = store.mentions.find("fb", f"m{n}")
        assert stored is not None
        assert stored.assessment == assessment


def test_an_edit_is_assessed_again_and_an_older_word_is_dropped(store: Store, config: Config) -> None:
    store.mentions.ingest("fb", [Mention(id="e", kind=Kind.REVIEW, text="Hrůza, podvod!", rating=1)])
    assess_pending(config, store)
    late = store.mentions.find("fb", "e")
    assert late is not None
    assert late.assessment is not None
    assert late.assessment.complaint
    store.mentions.ingest("fb", [Mention(id="e", kind=Kind.REVIEW, text="Vše skvělé, děkuji!", rating=5)])
    assert store.mentions.put_assessments([(late.id, late.version, late.assessment, None)]) == 0
    assert assess_pending(config, store) == 1
    assert not store.mentions.get(late.id).assessment.complaint  # type: ignore[union-attr]


@pytest.mark.parametrize("answer", [None, "reply-1", {"id": 1}])
async def test_an_answer_that_is_no_reply_is_unclear(
    store: Store, config: Config, clock: Clock, there: Platform, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    await poll_round(config, store, now=True)

    async def reply(self: Memory, mention: Mention, text: str, key: str) -> object:
        self.there.post(mention.id, text)
        return answer

    monkeypatch.setattr(Memory, "reply", reply)
    for source, id in (("fb", "a"), ("other", "b")):
        found = store.mentions.find(source, id)
        assert found is not None
        Respond(store, "jana", config).send(found.id, "Omlouváme se.", despite_warnings=True)
    clock.forward(seconds=11)
    told = await deliver(config, store)
    assert [each.state for each in told] == [DeliveryState.UNKNOWN] * 2, "the other one was sent as well"
    clock.forward(minutes=1)
    assert [each.state for each in await deliver(config, store)] == [DeliveryState.POSTED] * 2
    assert there.texts("a") == ["Omlouváme se."]


async def test_a_moderated_platform_needs_a_person(store: Store, config: Config, clock: Clock, there: Platform) -> None:
    there.capabilities = replace(there.capabilities, moderated=True)
    await poll_round(config, store, now=True)

    def cut(to: str, text: str) -> None:
        raise OutcomeUnknown("Cut.")

    there.on_reply = cut
    found = store.mentions.find("fb", "a")
    assert found is not None
    Respond(store, "jana", config).send(found.id, "Omlouváme se.", despite_warnings=True)
    clock.forward(seconds=11)
    await deliver(config, store)
    told = []
    for _ in range(4):
        clock.forward(minutes=5)
        told += await deliver(config, store)
    assert {each.state for each in told} == {DeliveryState.UNKNOWN}
    assert told[-1].actor is Actor.USER
    assert [each.news for each in told] == [True, True, False, False]
    assert there.replies == []


@pytest.mark.parametrize("error", [NotThere("Gone."), BadAnswer("Odd."), PermissionMissing("No."), KeyError("id")])
async def test_one_reply_that_cannot_be_looked_for_is_in_no_others_way(
    store: Store, config: Config, clock: Clock, there: Platform, error: Exception
) -> None:
    there.write("c")
    await poll_round(config, store, now=True)
    jana = Respond(store, "jana", config)

    def cut(to: str, text: str) -> None:
        raise OutcomeUnknown("Cut.")

    def fail() -> None:
        raise error

    there.on_reply, there.after_find = cut, fail
    jana.send(_id(store, "a"), "Omlouváme se.")
    clock.forward(seconds=11)
    await deliver(config, store)
    there.on_reply = lambda to, text: None
    jana.send(_id(store, "c"), "Napíšeme vám.")
    clock.forward(minutes=5)
    assert [each.state for each in await deliver(config, store)] == [DeliveryState.UNKNOWN, DeliveryState.POSTED]
    assert there.texts("c") == ["Napíšeme vám."]


def _id(store: Store, platform_id: str) -> int:
    found = store.mentions.find("fb", platform_id)
    assert found is not None
    return found.id


async def test_a_clock_that_was_years_ahead_does_not_silence_a_source(
    store: Store, config: Config, clock: Clock
) -> None:
    clock.forward(days=3000)
    await poll_round(config, store)
    assert not store.sources.is_due("fb")
    clock.forward(days=-3000)
    assert [each.outcome for each in await poll_round(config, store)] == [Outcome.DONE] * 2
    assert not store.sources.is_due("fb")


async def test_a_reply_that_came_in_as_a_strangers_leaves_the_inbox(
    store: Store, config: Config, clock: Clock, there: Platform, tmp_path: Path
) -> None:
    """A poll sees our words before the answer arrives, and the platform does not say whose they are."""
    await poll_round(config, store, now=True)
    found = store.mentions.find("fb", "a")
    assert found is not None
    reply = Respond(store, "jana", config).send(found.id, "Omlouváme se.", despite_warnings=True)
    clock.forward(seconds=11)

    def meanwhile() -> None:
        with Store(store.path, clock=clock) as other:
            words = Mention(id="reply-1", kind=Kind.COMMENT, text="Omlouváme se.", parent_id="a", created_at=clock())
            other.mentions.ingest("fb", [words])

    there.after_reply = meanwhile
    assert [each.state for each in await deliver(config, store)] == [DeliveryState.POSTED]
    assert store.outbox.get(reply.id).state is DeliveryState.VISIBLE
    assert store.mentions.count(Filter(view=View.NEEDS_REPLY, source="fb")) == 0


async def test_a_broken_connector_is_asked_ever_more_seldom_and_named_with_the_next_try(
    store: Store, config: Config, clock: Clock, there: Platform
) -> None:
    def fail() -> None:
        raise KeyError("id")

    there.on_poll = fail
    pauses = []
    for _ in range(12):
        told = await poll_round(config, store, only=["fb"])
        assert isinstance(told[0].error, PluginError)
        (state,) = [each for each in store.sources.states() if each.id == "fb"]
        assert state.next_at is not None
        pauses.append((state.next_at - clock()).total_seconds() / 60)
        assert not store.sources.is_due("fb")
        clock.now = state.next_at
    assert all(0.79 * 2**n <= pause <= 1.21 * 2**n for n, pause in enumerate(pauses[:8]))
    assert max(pauses) <= 1.21 * 6 * 60


async def test_one_item_that_does_not_fit_is_set_aside_and_the_rest_goes_in(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mixed(self: Memory, cursor: object) -> AsyncIterator[Batch]:
        naive = Mention(id="n", kind=Kind.REVIEW, created_at=self.there.clock().replace(tzinfo=None))
        yield Batch(mentions=[naive, *self.there.customers.values()], cursor={"page": 2})

    monkeypatch.setattr(Memory, "poll", mixed)
    told = await poll_round(config, store, only=["fb"])
    assert (told[0].outcome, told[0].brought.new, told[0].brought.set_aside) == (Outcome.DONE, 1, 1)
    (aside,) = store.sources.quarantined("fb")
    assert (aside.platform_id, store.sources.cursor("fb")) == ("n", {"page": 2})
    assert "its created_at has no time zone" in aside.reason


async def test_until_when_a_platform_wants_quiet_may_be_nonsense(
    store: Store, config: Config, clock: Clock, there: Platform
) -> None:
    for until in ("soon", clock().replace(tzinfo=None), datetime(9999, 1, 1, tzinfo=UTC)):

        def fail(until: object = until) -> None:
            raise RateLimited("Quiet.", until=until)  # type: ignore[arg-type]

        there.on_poll = fail
        (told,) = await poll_round(config, store, only=["fb"])
        assert told.outcome is Outcome.FAILED
        (state,) = [each for each in store.sources.states() if each.id == "fb"]
        assert state.next_at is not None
        assert state.next_at <= clock() + timedelta(days=7)


async def test_a_lease_that_cannot_be_renewed_for_a_moment_ends_no_poll(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    take, good = Sources.take, Memory.poll
    monkeypatch.setattr(polling, "_HEARTBEAT", 0)

    def busy(self: Sources, id: str, owner: str, *, seconds: float) -> bool:
        taken.append(id)
        if taken.count(id) == 2:
            raise StoreError("The database is kept busy by another program.")
        return take(self, id, owner, seconds=seconds)

    async def slow(self: Memory, cursor: Cursor | None) -> AsyncIterator[Batch]:
        while taken.count(self.context.source) < 3:
            await asyncio.sleep(0)
        async for batch in good(self, cursor):
            yield batch

    monkeypatch.setattr(Sources, "take", busy)
    monkeypatch.setattr(Memory, "poll", slow)
    async with asyncio.timeout(5):
        assert [each.outcome for each in await poll_round(config, store, now=True)] == [Outcome.DONE] * 2
