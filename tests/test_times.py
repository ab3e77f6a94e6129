from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.connector import read_time

MOMENT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "told",
    [
        "2026-03-02T08:30:00Z",
        "2026-03-02T09:30:00+01:00",
        "2026-03-02 08:30",
        " 20260302T083000Z ",
        "Mon, 02 Mar 2026 08:30:00 GMT",
        "Mon, 02 Mar 2026 09:30:00 +0100",
        "1772440200",
        1772440200,
        1772440200.0,
    ],
)
def test_what_platforms_write(told: object) -> None:
    assert read_time(told) == MOMENT


def test_a_time_without_a_zone_is_the_platforms() -> None:
    assert read_time("2026-03-02T09:30:00", ZoneInfo("Europe/Prague")) == MOMENT
    assert read_time("2026-07-02T09:30:00", ZoneInfo("Europe/Prague")) == datetime(2026, 7, 2, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "told", ["", None, "never", "2026-02-30", "-1", -1, 0, True, 1e300, "9" * 30, [], {}, "²²²²²²²²²"]
)
def test_what_is_no_time_is_none(told: object) -> None:
    assert read_time(told) is None


@given(st.text() | st.floats() | st.integers() | st.none())
def test_nothing_raises_and_everything_is_aware(told: object) -> None:
    moment = read_time(told)
    assert moment is None or moment.utcoffset() == timedelta()


@pytest.mark.parametrize("told", ["2026-10-25T02:30:00", "2026-03-29T02:30:00"], ids=["twice", "never"])
def test_an_hour_that_comes_twice_or_never_costs_an_hour_at_most(told: str) -> None:
    read = read_time(told, ZoneInfo("Europe/Prague"))
    assert read is not None
    assert abs(read - datetime.fromisoformat(told + "+01:00")) <= timedelta(hours=1)
