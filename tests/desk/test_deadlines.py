"""Deadlines in business hours, across weekends, holidays and clocks that are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.desk.deadlines import TOO_OLD, deadline, due
from tests.desk.shops import config_with

PRAGUE = ZoneInfo("Europe/Prague")
NINE_TO_FIVE = (((540, 1020),),) * 5 + ((), ())
ALWAYS = (((0, 1440),),) * 7


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PRAGUE)


@pytest.mark.parametrize(
    ("since", "hours", "expected"),
    [
        ("2026-11-23T10:00", 4, "2026-11-23T14:00"),
        ("2026-11-23T13:00", 4, "2026-11-23T17:00"),
        ("2026-11-23T15:00", 4, "2026-11-24T11:00"),
        ("2026-11-23T03:00", 4, "2026-11-23T13:00"),
        ("2026-11-20T15:00", 4, "2026-11-23T11:00"),
        ("2026-11-21T15:00", 4, "2026-11-23T13:00"),
        ("2026-11-23T10:00", 80, "2026-12-07T10:00"),
    ],
)
def test_over_the_night_and_the_weekend(since: str, hours: float, expected: str) -> None:
    assert due(local(since), hours, week=NINE_TO_FIVE, zone=PRAGUE) == local(expected)


def test_a_holiday_is_no_working_day() -> None:
    holidays = [date(2026, 12, 24), date(2026, 12, 25)]
    found = due(local("2026-12-23T16:00"), 2, week=NINE_TO_FIVE, zone=PRAGUE, holidays=holidays)
    assert found == local("2026-12-28T10:00")


def test_a_lunch_break_does_not_count() -> None:
    week = (((480, 720), (780, 1020)),) * 7
    assert due(local("2026-11-23T11:00"), 2, week=week, zone=PRAGUE) == local("2026-11-23T14:00")


def test_the_zone_is_the_shops_and_not_the_customers() -> None:
    since = datetime(2026, 11, 23, 22, 30, tzinfo=ZoneInfo("America/New_York"))
    assert due(since, 1, week=NINE_TO_FIVE, zone=PRAGUE) == local("2026-11-24T10:00")


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-23", 24)])
def test_a_day_on_which_the_clock_is_changed_has_the_hours_that_it_has(day: str, length: int) -> None:
    start = local(f"{day}T00:00")
    assert due(start, length, week=ALWAYS, zone=PRAGUE) == start.astimezone(UTC) + timedelta(hours=length)
    week = (((0, 1440),),) * 6 + (((0, 1440),),)
    assert due(start, length + 0.5, week=week, zone=PRAGUE).astimezone(PRAGUE).time().isoformat() == "00:30:00"


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_office_hours_of_such_a_day_are_as_on_any_other(day: str) -> None:
    week = (((540, 1020),),) * 7
    assert due(local(f"{day}T00:30"), 8, week=week, zone=PRAGUE) == local(f"{day}T17:00")


# Nobody opens or closes within the hour that spring leaves out; what a bound in it means is anybody's guess.
BOUNDS = st.integers(0, 24 * 4).map(lambda quarter: quarter * 15).filter(lambda bound: not 120 <= bound < 180)


@st.composite
def days(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    bounds = sorted(draw(st.sets(BOUNDS, max_size=6)))
    return tuple(zip(bounds[::2], bounds[1::2], strict=False))


WEEKS = st.tuples(*[days()] * 7).filter(any)
MOMENTS = st.integers(0, 10 * 366 * 86400).map(
    lambda second: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)
ZONES = st.sampled_from([PRAGUE, ZoneInfo("Europe/Kyiv"), UTC, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")])
HOURS = st.floats(0.01, 300)
HOLIDAYS = st.sets(st.dates(date(2020, 1, 1), date(2030, 1, 1)), max_size=5)


@given(since=MOMENTS, hours=HOURS, more=HOURS, week=WEEKS, zone=ZONES, holidays=HOLIDAYS)
def test_never_before_and_never_earlier_for_more_hours(since, hours, more, week, zone, holidays) -> None:
    first = due(since, hours, week=week, zone=zone, holidays=holidays)
    second = due(since, hours + more, week=week, zone=zone, holidays=holidays)
    assert since < first <= second <= since + timedelta(days=3650)


@given(since=MOMENTS, hours=HOURS, week=WEEKS, zone=ZONES, holidays=HOLIDAYS)
def test_never_in_closed_hours(since, hours, week, zone, holidays) -> None:
    found = due(since, hours, week=week, zone=zone, holidays=holidays)
    if found == since + timedelta(days=3650):
        return
    # The end of a day's last minute is the next day's midnight.
    spans = []
    for shift in (0, 1):
        day = found.astimezone(zone).date() - timedelta(days=shift)
        if day not in holidays:
            minutes = found.astimezone(zone).replace(tzinfo=None) - datetime.combine(day, datetime.min.time())
            spans += [first <= minutes.total_seconds() / 60 <= last for first, last in week[day.weekday()]]
    assert any(spans)


@given(since=MOMENTS, hours=st.floats(0.5, 60), week=WEEKS)
def test_exactly_so_many_open_minutes_lie_between(since, hours, week) -> None:
    since = since.replace(second=0, microsecond=0)
    hours = round(hours * 4) / 4
    found = due(since, hours, week=week, zone=UTC)
    if found == since + timedelta(days=3650):
        return
    day, passed = since.date(), 0.0
    while day <= found.date():
        midnight = datetime.combine(day, datetime.min.time(), UTC)
        for first, last in week[day.weekday()]:
            start = max(since, midnight + timedelta(minutes=first))
            end = min(found, midnight + timedelta(minutes=last))
            passed += max(0.0, (end - start).total_seconds())
        day += timedelta(days=1)
    assert passed == pytest.approx(hours * 3600)


def test_hours_that_take_decades_end_somewhere() -> None:
    week = (((0, 1),), (), (), (), (), (), ())
    assert due(local("2026-11-23T10:00"), 8760, week=week, zone=PRAGUE) == local("2026-11-23T10:00") + timedelta(3650)


class TestDeadline:
    """By the configuration."""

    SEEN = datetime(2026, 11, 23, 9, tzinfo=UTC)

    def test_a_complaint_is_due_sooner(self, tmp_path: Path) -> None:
        config = config_with(tmp_path, "fb")
        complaint, other = (
            deadline(config, config.sources[0], complaint=each, written=self.SEEN, seen=self.SEEN)
            for each in (True, False)
        )
        assert complaint == datetime(2026, 11, 23, 13, tzinfo=UTC)
        assert other is not None
        assert other > complaint

    def test_a_source_has_its_own_target(self, tmp_path: Path) -> None:
        config = config_with(tmp_path, "fb", more='[[source]]\nid = "vip"\nconnector = "memory"\nresponse_hours = 1\n')
        found = deadline(config, config.source("vip"), complaint=False, written=self.SEEN, seen=self.SEEN)
        assert found == datetime(2026, 11, 23, 10, tzinfo=UTC)

    def test_what_was_old_when_it_came_is_not_overdue(self, tmp_path: Path) -> None:
        config = config_with(tmp_path, "fb")
        old = self.SEEN - TOO_OLD - timedelta(seconds=1)
        assert deadline(config, None, complaint=True, written=old, seen=self.SEEN) is None
        assert deadline(config, None, complaint=True, written=self.SEEN - TOO_OLD, seen=self.SEEN) is not None

    @pytest.mark.parametrize("written", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
    def test_a_time_that_nobody_can_have_written_at(self, tmp_path: Path, written: datetime) -> None:
        config = config_with(tmp_path, "fb")
        found = deadline(config, None, complaint=True, written=written, seen=self.SEEN)
        assert found in (None, datetime(2026, 11, 23, 13, tzinfo=UTC))
