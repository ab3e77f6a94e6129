"""The times that platforms tell, as aware ones in UTC. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime


def read_time(told: object, zone: tzinfo = UTC) -> datetime | None:
    """Gives the time that a platform tells, in UTC; None for what is none.

    Args:
        told: ISO 8601, the dates of mail and HTTP (RFC 5322), or Unix seconds as a number or in digits.
        zone: the platform's, for a time that comes without one.
    """
    try:
        if isinstance(told, (int, float)) and not isinstance(told, bool):
            return datetime.fromtimestamp(told, UTC) if told > 0 else None
        text = str(told or "").strip()
        if text.isascii() and text.isdigit() and len(text) > 8:
            return datetime.fromtimestamp(int(text), UTC)
        moment = _written(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def _written(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)
