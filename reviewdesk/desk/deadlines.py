"""When a first reply is due: a response target in business hours. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from reviewdesk.config import Config, SourceConfig

TOO_OLD = timedelta(days=30)
"""What was older than this when it was first seen has no deadline: an import of years must not be years overdue."""
_LONGEST = 3650
"""Days that are looked at."""


def due(
    since: datetime,
    hours: float,
    *,
    week: Sequence[Sequence[tuple[int, int]]],
    zone: tzinfo,
    holidays: Collection[date] = (),
) -> datetime:
    """Gives the moment when `hours` business hours have passed since `since`; at the latest ten years after it.

    Args:
        since: aware.
        week: for each day, Monday first, the spans in which the shop works, in minutes since midnight.
        zone: in which those minutes are meant; a day of a changed clock has the hours that its clock shows.
        holidays: days without business hours.
    """
    left = timedelta(hours=hours)
    day = since.astimezone(zone).date()
    for _ in range(_LONGEST):
        if day not in holidays:
            for first, last in week[day.weekday()]:
                opens, closes = _at(day, first, zone), _at(day, last, zone)
                start = max(opens, since)
                if start >= closes:
                    continue
                if left <= closes - start:
                    return start + left
                left -= closes - start
        day += timedelta(days=1)
    return since + timedelta(days=_LONGEST)


def _at(day: date, minutes: int, zone: tzinfo) -> datetime:
    # Arithmetic within one zone is by the clock on the wall; comparisons must be by real time, so in UTC.
    return (datetime.combine(day, time(), zone) + timedelta(minutes=minutes)).astimezone(UTC)


def deadline(
    config: Config, source: SourceConfig | None, *, complaint: bool, written: datetime, seen: datetime
) -> datetime | None:
    """Gives when a mention's first reply is due by the configuration; None where it came in too old to be due.

    Args:
        source: the mention's source; None where the configuration no longer has it.
        written, seen: when the customer wrote it, and when the desk first saw it.
    """
    if seen - written > TOO_OLD:
        return None
    rules = config.deadlines
    target = rules.complaint_hours if complaint else rules.other_hours
    hours = source.response_hours if source and source.response_hours else target
    # What claims to come from the future counts from when it was seen.
    since = min(written, seen)
    return due(since, hours, week=rules.business_hours.week, zone=config.shop.timezone, holidays=rules.holidays)
