"""What no error tells: a source that went quiet, and a token that will die; each told once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.config import Config
from reviewdesk.desk.coverage import FEWEST_WEEKS, WEEK, Silence, in_words, silence, warn_at, watch
from reviewdesk.desk.poll import poll_round
from reviewdesk.errors import Unreachable
from reviewdesk.model import Finding, Kind, Level
from reviewdesk.store.db import Store
from tests.desk.shops import MONDAY_NOON, Clock, Memory, Platform

HOUR = timedelta(hours=1)


def hourly(weeks: float, until: datetime = MONDAY_NOON, each: timedelta = HOUR) -> list[datetime]:
    return [until - number * each for number in range(int(weeks * WEEK / each), -1, -1)]


def test_a_source_that_always_spoke_at_this_hour_is_silent() -> None:
    heard = silence(hourly(8), MONDAY_NOON + 9 * HOUR)
    assert heard is not None
    assert heard.lasts == 9 * HOUR
    assert in_words("Heureka", heard, Kind.REVIEW) == (
        "Heureka has been silent for 9 hours; usually it brings 9 reviews by now."
    )


def test_a_short_history_or_a_rare_source_tells_nothing() -> None:
    assert silence([], MONDAY_NOON) is None
    assert silence(hourly(FEWEST_WEEKS - 1), MONDAY_NOON + 9 * HOUR) is None
    assert silence(hourly(9, each=24 * HOUR), MONDAY_NOON + 30 * HOUR) is None, "one or two are no habit"


def test_a_weekend_is_no_silence_where_weekends_are_quiet() -> None:
    friday = MONDAY_NOON - timedelta(days=2, hours=12)
    working = [each for each in hourly(9, friday) if each.weekday() < 5]
    assert silence(working, friday + timedelta(days=2)) is None
    assert silence(working, friday + timedelta(days=4)) is not None, "but on Tuesday it is one"


def test_one_quiet_week_before_makes_it_as_usual() -> None:
    gap = MONDAY_NOON - 2 * WEEK
    arrivals = [each for each in hourly(8) if not gap < each < gap + 12 * HOUR]
    assert silence(hourly(8), MONDAY_NOON + 5 * HOUR) is not None
    assert silence(arrivals, MONDAY_NOON + 5 * HOUR) is None
    assert silence(arrivals, MONDAY_NOON + 20 * HOUR) is not None, "so long it was never silent"


@given(
    offsets=st.lists(st.integers(0, 70 * 24 * 3600), max_size=80),
    after=st.integers(0, 20 * 24 * 3600),
)
def test_any_history_is_read(offsets: list[int], after: int) -> None:
    arrivals = sorted(MONDAY_NOON - timedelta(seconds=each) for each in offsets)
    heard = silence(arrivals, MONDAY_NOON + timedelta(seconds=after))
    if heard is not None:
        assert heard.usual >= 3
        assert "silent" in in_words("X", heard, None)


@pytest.mark.parametrize(
    ("lasts", "words"),
    [(timedelta(minutes=40), "40 minutes"), (timedelta(hours=30), "30 hours"), (timedelta(days=9), "9 days")],
)
def test_spans_are_said_as_people_do(lasts: timedelta, words: str) -> None:
    assert f"for {words};" in in_words("X", Silence(lasts=lasts, usual=4), None)


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

    async def test_a_silence_is_told_once_and_again_after_it_has_spoken(
        self, config: Config, store: Store, there: Platform, clock: Clock
    ) -> None:
        clock.now = MONDAY_NOON - 7 * WEEK
        for count in range(7 * 7 * 12 + 1):
            there.customers.clear()
            there.write(f"m{count}")
            store.mentions.ingest("fb", list(there.customers.values()))
            clock.forward(hours=2)
        await poll_round(config, store, now=True)
        assert await watch(config, store) == []
        clock.forward(hours=9)
        await poll_round(config, store, now=True)
        (told,) = await watch(config, store)
        assert (told.source, "silent for 11 hours" in told.sentence) == ("fb", True)
        state = next(each for each in store.sources.states() if each.id == "fb")
        assert state.notices == (told.sentence,)
        clock.forward(minutes=30)
        assert await watch(config, store) == [], "once"
        there.write("new")
        await poll_round(config, store, now=True)
        assert await watch(config, store) == []
        assert store.coverage.notices("fb") == ()

    async def test_a_source_that_fails_is_not_called_silent(
        self, config: Config, store: Store, there: Platform, clock: Clock
    ) -> None:
        for _ in range(7 * 7 * 12):
            there.write(f"m{clock.now}")
            store.mentions.ingest("fb", [there.customers.popitem()[1]])
            clock.forward(hours=2)

        def fail() -> None:
            raise Unreachable("Nobody there.")

        there.on_poll = fail
        clock.forward(hours=9)
        await poll_round(config, store, now=True)
        assert await watch(config, store) == []

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

    async def test_one_that_is_switched_off_is_not_asked(
        self, config: Config, store: Store, there: Platform, clock: Clock
    ) -> None:
        await poll_round(config, store, now=True)
        store.sources.switch("fb", on=False)
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
