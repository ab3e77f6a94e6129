"""What no error tells: a source that went quiet, and a token that will die; each told once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.config import Config
from reviewdesk.desk.coverage import warn_at, watch
from reviewdesk.desk.poll import poll_round
from reviewdesk.desk.silence import WEEK
from reviewdesk.errors import Unreachable
from reviewdesk.model import Finding, Level
from reviewdesk.store.db import Store
from tests.desk.shops import MONDAY_NOON, Clock, Memory, Platform


@given(minutes=st.integers(-10_000, 60_000))
def test_warnings_come_at_fourteen_seven_and_one_day(minutes: int) -> None:
    due = warn_at(MONDAY_NOON + timedelta(minutes=minutes), MONDAY_NOON)
    days = minutes / 1440
    assert due == (None if days <= 0 or days > 14 else 1 if days <= 1 else 7 if days <= 7 else 14)


class TestWatching:
    @pytest.fixture(autouse=True)
    def quiet_checks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.checks = 0
        self.findings: list[Finding] = []

        async def check(connector: Memory) -> list[Finding]:
            self.checks += connector.context.source == "fb"
            return self.findings if connector.context.source == "fb" else []

        monkeypatch.setattr(Memory, "check", check)

    @pytest.fixture
    async def every_two_hours(self, config: Config, store: Store, there: Platform, clock: Clock) -> None:
        """Seven weeks of a source that brings something every two hours."""
        clock.now = MONDAY_NOON - 7 * WEEK
        await poll_round(config, store, only=["fb"])
        with store.transaction():
            for count in range(7 * 7 * 12 + 1):
                clock.forward(hours=2)
                there.customers.clear()
                there.write(f"m{count}")
                store.mentions.ingest("fb", list(there.customers.values()))
        there.write("last")
        await poll_round(config, store, now=True)

    async def hears(self, config: Config, store: Store) -> list[str]:
        await poll_round(config, store, now=True)
        return [each.sentence for each in await watch(config, store)]

    async def test_a_silence_and_its_end_are_told_once(
        self, config: Config, store: Store, there: Platform, clock: Clock, every_two_hours: None
    ) -> None:
        assert await self.hears(config, store) == []
        clock.forward(hours=8)
        assert await self.hears(config, store) == [], "four texts may well be late"
        clock.forward(hours=16)
        (told,) = await self.hears(config, store)
        assert told == "Memory has been silent for 24 hours; usually it brings 12 comments by now."
        assert store.coverage.notices("fb") == (told,)
        clock.forward(minutes=30)
        assert await self.hears(config, store) == [], "once"
        there.write("new")
        assert await self.hears(config, store) == ["Memory is no longer silent."]
        assert store.coverage.notices("fb") == ()
        assert await self.hears(config, store) == []

    async def test_a_clock_that_is_set_back_keeps_no_silence(
        self, config: Config, store: Store, there: Platform, clock: Clock, every_two_hours: None
    ) -> None:
        clock.forward(hours=40)
        assert await self.hears(config, store)
        clock.forward(hours=-30)
        there.write("new")
        assert await self.hears(config, store) == ["Memory is no longer silent."]

    async def test_nobody_is_called_silent_who_was_not_listened_to(
        self, config: Config, store: Store, there: Platform, clock: Clock, every_two_hours: None
    ) -> None:
        def fail() -> None:
            raise Unreachable("Nobody there.")

        there.on_poll = fail
        clock.forward(hours=40)
        assert await self.hears(config, store) == [], "it fails, and that was told"
        there.quiet()
        for number in range(20):
            there.write(f"meanwhile{number}")
        assert await self.hears(config, store) == [], "asked again, it has much to say"

    async def test_what_is_found_is_told_though_a_check_is_interrupted(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        every_two_hours: None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        begun = asyncio.Event()

        async def checks(self: Memory) -> list[Finding]:
            begun.set()
            await asyncio.Event().wait()
            return []

        clock.forward(hours=40)
        await poll_round(config, store, now=True)
        monkeypatch.setattr(Memory, "check", checks)
        told: list[str] = []
        watching = asyncio.create_task(watch(config, store, tell=lambda noticed: told.append(noticed.sentence)))
        await begun.wait()
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        assert told == list(store.coverage.notices("fb"))
        assert told

    async def test_what_the_first_poll_finds_is_no_habit(
        self, config: Config, store: Store, there: Platform, clock: Clock
    ) -> None:
        for number in range(500):
            there.write(f"m{number}", created_at=clock.now - timedelta(hours=number))
        await poll_round(config, store, now=True)
        clock.forward(weeks=5)
        assert await self.hears(config, store) == []

    async def test_an_end_is_told_at_each_threshold_once_and_asked_for_once_a_day(
        self, config: Config, store: Store, there: Platform, clock: Clock
    ) -> None:
        await poll_round(config, store, now=True)
        end = clock.now + timedelta(days=20)
        told = []
        for _ in range(21 * 4):
            left = (end - clock.now).days
            self.findings = [
                Finding(level=Level.OK, sentence=f"The token lasts {left} more days.", hint="Renew it.", expires_at=end)
            ]
            told += [(left, each.hint) for each in await watch(config, store)]
            clock.forward(hours=6)
        assert told == [(14, "Renew it."), (7, "Renew it."), (1, "Renew it.")]
        assert self.checks == 21
        self.findings = []
        clock.forward(days=1)
        await watch(config, store)
        assert store.coverage.notices("fb") == (), "renewed"

    async def test_two_ends_are_two_warnings_and_each_stands_until_it_is_renewed(
        self, config: Config, store: Store, there: Platform, clock: Clock
    ) -> None:
        await poll_round(config, store, now=True)
        token, data = clock.now + timedelta(days=6), clock.now + timedelta(days=13)
        self.findings = [
            Finding(level=Level.WARNING, sentence="The token.", expires_at=token),
            Finding(level=Level.WARNING, sentence="The data.", expires_at=data),
        ]
        both = ("The token. Until 2026-11-29.", "The data. Until 2026-12-06.")
        assert tuple(each.sentence for each in await watch(config, store)) == both
        clock.forward(days=1)
        assert await watch(config, store) == [], "neither makes the desk forget the other"
        assert set(store.coverage.notices("fb")) == set(both)
        self.findings = [Finding(level=Level.WARNING, sentence="Nobody answers.")]
        clock.forward(days=1)
        assert await watch(config, store) == []
        assert set(store.coverage.notices("fb")) == set(both), "what could not be asked is not renewed"
        self.findings = [Finding(level=Level.OK, sentence="It lasts.", expires_at=clock.now + timedelta(days=90))]
        clock.forward(days=1)
        await watch(config, store)
        assert store.coverage.notices("fb") == ()

    async def test_the_last_day_is_never_missed_between_two_checks(
        self, config: Config, store: Store, there: Platform, clock: Clock
    ) -> None:
        await poll_round(config, store, now=True)
        end = clock.now + timedelta(days=2, minutes=1)
        self.findings = [Finding(level=Level.OK, sentence="The token.", expires_at=end)]
        told = []
        while clock.now < end:
            told += [round((end - clock.now) / timedelta(hours=1)) for _ in await watch(config, store)]
            clock.forward(minutes=30)
        assert told == [48, 24], "14 and 7 days had passed already when it was first seen"
        assert self.checks <= 4

    async def test_who_cannot_be_checked_is_left_for_a_day_and_stops_nobody(
        self, config: Config, store: Store, there: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await poll_round(config, store, now=True)
        asked: list[str] = []

        async def check(connector: Memory) -> list[Finding]:
            asked.append(connector.context.source)
            if connector.context.source == "fb":
                raise ZeroDivisionError
            end = clock.now + timedelta(days=5)
            return [Finding(level=Level.OK, sentence="It ends.", expires_at=end)]

        monkeypatch.setattr(Memory, "check", check)
        assert [each.source for each in await watch(config, store)] == ["other"]
        clock.forward(hours=23)
        await watch(config, store)
        assert sorted(asked) == ["fb", "other"]

    async def test_one_that_fails_is_not_checked_until_it_works_again(
        self, config: Config, store: Store, there: Platform, clock: Clock
    ) -> None:
        def fail() -> None:
            raise Unreachable("Nobody there.")

        there.on_poll = fail
        await poll_round(config, store, now=True)
        await watch(config, store)
        assert self.checks == 0
        there.quiet()
        clock.forward(hours=2)
        await poll_round(config, store, now=True)
        await watch(config, store)
        assert self.checks == 1

    async def test_one_that_is_switched_off_is_not_asked(
        self, config: Config, store: Store, there: Platform, clock: Clock
    ) -> None:
        await poll_round(config, store, now=True)
        store.sources.switch("fb", on=False)
        assert not store.coverage.last_check("fb")[0]
        assert await watch(config, store) == []
        assert self.checks == 0


def test_the_ledger_tells_each_poll(store: Store, there: Platform, clock: Clock) -> None:
    first = store.sources.begin_poll("fb")
    store.sources.take("fb", "1", seconds=60)
    there.write("a")
    store.sources.commit_batch(
        "fb", "1", first, mentions=list(there.customers.values()), set_aside=(), gone=(), cursor=None, total=7,
        lease_seconds=60,
    )  # fmt: skip
    store.sources.finish_poll("fb", "1", first, next_at=clock.now)
    clock.forward(minutes=5)
    second = store.sources.begin_poll("fb")
    store.sources.fail_poll("fb", "1", second, Unreachable("Cut."), next_at=clock.now, parked=False)
    clock.forward(minutes=5)
    store.sources.begin_poll("fb")
    third, failed, done = store.coverage.polls("fb")
    assert (done.since, done.total, done.fetched, done.new, done.fault) == (None, 7, 1, 1, "")
    assert (failed.since, failed.fault, failed.fetched) == (done.started_at, "Cut.", 0)
    assert (third.since, third.finished_at) == (done.started_at, None), "what a failed poll did not read is asked again"
    assert len(store.coverage.polls("fb", limit=1)) == 1


def test_the_ledger_ends_somewhere_and_knows_how_long_it_has_listened(
    store: Store, there: Platform, clock: Clock
) -> None:
    began = clock.now
    for _ in range(300):
        store.sources.begin_poll("fb")
        clock.forward(days=1)
    kept = store.coverage.polls("fb", limit=1000)
    assert len(kept) == 102
    assert kept[-2].started_at > clock.now - timedelta(days=102)
    assert store.coverage.listening_since("fb") == began
