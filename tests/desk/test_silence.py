"""The rule of silences: what it says of made-up feeds, how often it errs on normal ones, how soon it tells a stop."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.desk.silence import FEWEST_WEEKS, MOST_WEEKS, WEEK, Silence, in_words, silence, span
from reviewdesk.model import Kind
from reviewdesk.store.records import Arrival
from tests.desk.shops import MONDAY_NOON

PRAGUE = ZoneInfo("Europe/Prague")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = timedelta(days=30)
START = datetime(2026, 1, 5, tzinfo=UTC)


def every(each: timedelta, weeks: float, last: datetime = MONDAY_NOON) -> list[datetime]:
    return [last - number * each for number in range(int(weeks * WEEK / each), -1, -1)]


def heard(
    times: list[datetime], lasts: timedelta, *, last: datetime | None = None, since: datetime | None = None
) -> Silence | None:
    last = last or times[-1]
    return silence(
        [Arrival(at=each) for each in times],
        since=since or times[0] - HOUR,
        last=last,
        until=last + lasts,
        zone=PRAGUE,
    )


def test_what_comes_every_hour_is_missed_after_half_a_day() -> None:
    times = every(HOUR, 8)
    assert heard(times, 6 * HOUR) is None
    found = heard(times, 12 * HOUR)
    assert found == Silence(lasts=12 * HOUR, usual=12)
    assert in_words("Heureka", found, Kind.REVIEW) == (
        "Heureka has been silent for 12 hours; usually it brings 12 reviews by now."
    )


def test_little_history_tells_nothing_and_some_makes_it_careful() -> None:
    def first_told(weeks: float) -> int:
        times = every(2 * HOUR, weeks)
        return next(hours for hours in range(1, 200) if heard(times, hours * HOUR))

    assert heard(every(HOUR, FEWEST_WEEKS - 0.1), 3 * DAY) is None
    assert first_told(FEWEST_WEEKS) > first_told(MOST_WEEKS)


def test_nothing_ever_tells_nothing() -> None:
    assert heard([], 30 * DAY, last=MONDAY_NOON, since=MONDAY_NOON - 9 * WEEK) is None
    assert heard([MONDAY_NOON - 30 * DAY, MONDAY_NOON], 30 * DAY, since=MONDAY_NOON - 9 * WEEK) is None


def test_one_review_a_week_is_missed_after_a_month() -> None:
    times = every(WEEK, 8)
    assert heard(times, 3 * WEEK) is None
    found = heard(times, 6 * WEEK)
    assert found is not None
    assert in_words("Heureka", found, None).endswith("silent for 42 days; usually it brings 6 mentions by now.")


def test_quiet_nights_and_weekends_are_no_silence() -> None:
    friday = datetime(2026, 11, 20, 16, tzinfo=UTC)
    working = [each for each in every(HOUR, 8.9, friday) if each.weekday() < 5 and 8 <= each.hour < 17]
    assert heard(working, timedelta(days=2, hours=15)) is None, "until Monday at seven"
    assert heard(working, timedelta(days=3, hours=8)) is not None, "on Monday evening it is one"


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=PRAGUE), datetime(2026, 10, 25, tzinfo=PRAGUE)])
def test_the_morning_after_the_clocks_are_changed_is_as_any_other(day: datetime) -> None:
    """A busy source opens at six by the shop's clock: sixty an hour, and none at night."""
    last = day - timedelta(hours=3, minutes=1)
    times = [
        each
        for each in every(timedelta(minutes=1), 8.5, last.astimezone(UTC))
        if 6 <= each.astimezone(PRAGUE).hour <= 20
    ]
    opens = day.replace(hour=6).astimezone(UTC)
    assert heard(times, opens - times[-1] - timedelta(minutes=1)) is None
    assert heard(times, opens - times[-1] + HOUR) is not None


def test_bursts_make_it_wait() -> None:
    steady = every(2 * HOUR, 8)
    bursts = [each + number * timedelta(minutes=1) for each in every(36 * HOUR, 8) for number in range(18)]
    assert heard(steady, DAY) is not None
    assert heard(bursts, 2 * DAY) is None


@given(
    offsets=st.lists(st.integers(0, 70 * 24 * 3600), max_size=80),
    after=st.integers(0, 20 * 24 * 3600),
    longer=st.integers(0, 40 * 24 * 3600),
)
def test_a_silence_stays_one_until_something_comes(offsets: list[int], after: int, longer: int) -> None:
    times = sorted(MONDAY_NOON - timedelta(seconds=each) for each in [*offsets, 0])
    since = MONDAY_NOON - 10 * WEEK
    found = heard(times, timedelta(seconds=after), since=since)
    later = heard(times, timedelta(seconds=after + longer), since=since)
    if found is not None:
        assert found.usual >= 2
        assert later is not None
        assert later.usual >= found.usual
        assert "silent" in in_words("X", found, None)


@pytest.mark.parametrize(
    ("lasts", "words"),
    [
        (timedelta(seconds=4), "a minute"),
        (timedelta(minutes=40), "40 minutes"),
        (timedelta(hours=30), "30 hours"),
        (timedelta(days=9), "9 days"),
    ],
)
def test_spans_are_said_as_people_do(lasts: timedelta, words: str) -> None:
    assert span(lasts) == words


class Feed:
    """A source that is well, made up: by chance, by the hour and the weekday, in bursts, better and worse weeks.

    Args:
        burst: texts that come together, on average.
        drift: how much the weeks differ, as a share of their mean.
        polled: how often it is asked.
    """

    def __init__(
        self, seed: int, per_day: float, weeks: int, *, burst: float = 1, drift: float = 0, polled: timedelta
    ) -> None:
        self.chance = random.Random(seed)
        self.end = START + weeks * WEEK
        self.polled = polled
        factors = [self.chance.gammavariate(drift**-2, drift**2) if drift else 1.0 for _ in range(weeks + 1)]
        written = sorted(
            at
            for begun in self._bursts(per_day / burst, lambda at: factors[(at - START) // WEEK])
            for at in self._burst(begun, burst)
        )
        self.arrivals = list(self._asked(written))
        self.times = [each.at for each in self.arrivals]

    def _bursts(self, per_day: float, factor: Callable[[datetime], float]) -> Iterator[datetime]:
        """Thins out even rain to rates that change."""
        most, at = 12.0, START
        while True:
            at += timedelta(days=self.chance.expovariate(per_day * most))
            if at >= self.end:
                return
            local = at.astimezone(PRAGUE)
            hours = 0.05 if local.hour < 6 else 0.6 if local.hour < 9 else 1.2 if local.hour < 17 else 1.6
            if self.chance.random() * most < hours * (0.6 if local.weekday() >= 5 else 1.16) * factor(at):
                yield at

    def _burst(self, at: datetime, size: float) -> Iterator[datetime]:
        yield at
        while self.chance.random() < 1 - 1 / size:
            at += timedelta(minutes=self.chance.expovariate(1 / 20))
            yield at

    def _asked(self, written: list[datetime]) -> Iterator[Arrival]:
        at, done = START + timedelta(minutes=self.chance.random() * 60), 0
        while done < len(written):
            # Cron is never quite on time.
            at += self.polled + timedelta(minutes=self.chance.random() * 5)
            count = bisect_right(written, at) - done
            done += count
            if count:
                yield Arrival(at=at, count=count)

    def silent(self, number: int, until: datetime) -> bool:
        """Tells what the rule says when nothing came after an arrival until then."""
        last = self.times[number]
        known = self.arrivals[bisect_right(self.times, last - 9 * WEEK) : number + 1]
        return silence(known, since=START, last=last, until=until, zone=PRAGUE) is not None

    def false_alarms(self) -> int:
        """Counts the pauses that are told though all is well: at their longest, since what is told stays told."""
        pauses = ((number, at - self.polled) for number, at in enumerate(self.times[1:]))
        return sum(self.silent(number, until) for number, until in pauses if until - self.times[number] > self.polled)

    def told_after(self, stop: datetime) -> timedelta:
        """Gives how long after its end a source is told to be silent."""
        number, hours = bisect_right(self.times, stop) - 1, range(24 * 200)
        return HOUR * bisect_left(hours, True, key=lambda hour: self.silent(number, stop + hour * HOUR))


@pytest.mark.parametrize(
    ("per_day", "months", "more", "soon"),
    [
        pytest.param(1 / 7, 50, {}, 40 * DAY, id="one a week"),
        pytest.param(1, 20, {}, 8 * DAY, id="one a day"),
        pytest.param(4, 10, {}, 3 * DAY, id="four a day"),
        pytest.param(4, 10, {"polled": timedelta(hours=6)}, 3 * DAY, id="four a day, asked four times a day"),
        pytest.param(20, 3, {}, DAY, id="twenty a day"),
        pytest.param(4, 10, {"burst": 5}, 15 * DAY, id="in bursts of five"),
        pytest.param(10, 5, {"drift": 0.4}, 3 * DAY, id="in good and bad weeks"),
    ],
)
def test_a_normal_feed_is_hardly_ever_called_silent_and_a_stop_is_told_soon(
    per_day: float, months: int, more: dict[str, float], soon: timedelta
) -> None:
    weeks = 8 + months * MONTH // WEEK
    false, asked, after = 0, 0, []
    for seed in range(3):
        feed = Feed(seed, per_day, weeks, **{"polled": timedelta(minutes=5), **more})  # type: ignore[arg-type]
        false += feed.false_alarms()
        asked += months
        after.append(feed.told_after(START + (weeks - 2) * WEEK))
    assert false / asked <= 0.2, f"{false} false alarms in {asked} months"
    assert median(after) <= soon, f"told after {median(after)}"
