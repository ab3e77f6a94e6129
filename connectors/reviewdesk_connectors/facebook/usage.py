"""How much of the allowance is used: the three usage headers of the Graph API (rate limiting guide).

Each value is one line of JSON with percentages of the limit; 100 is blocked. They may be absent, and old documents know
other names inside, so whatever is a number counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from reviewdesk.connector import Budget

HEADERS = ("x-app-usage", "x-page-usage", "x-business-use-case-usage")
BUSY = 0.75
"""From here on the slow lists wait."""
SPENT = 0.95
"""From here on polling stops, so that replies still get through."""
_WAIT = "estimated_time_to_regain_access"
_OTHERS = frozenset(("instagram", "messenger", "ads_management", "ads_insights", "custom_audience", "whatsapp"))


class Usage(msgspec.Struct, frozen=True):
    """What the headers of one answer said.

    Attributes:
        used: the highest share of any limit, 1 = all.
        minutes: until calls are accepted again, None where not told.
        note: the headers in short.
    """

    used: float
    minutes: float | None = None
    note: str = ""

    def budget(self, now: datetime) -> Budget:
        """Gives it as the desk shows it."""
        until = now + timedelta(minutes=self.minutes) if self.minutes else None
        return Budget(used=self.used, until=until, note=self.note)


def read_usage(headers: Mapping[str, str]) -> Usage | None:
    """Gives the usage told in an answer's headers (names in lower case); None where none is told."""
    shares: dict[str, float] = {}
    minutes: list[float] = []
    for header in HEADERS:
        for entry in _entries(headers.get(header, "")):
            percent = [value for key, value in entry.items() if key != _WAIT and _is_number(value)]
            if percent:
                shares[header] = max(shares.get(header, 0.0), max(percent) / 100)
            wait = entry.get(_WAIT, 0)
            if _is_number(wait) and wait > 0:
                minutes.append(min(float(wait), 7 * 24 * 60))
    if not shares and not minutes:
        return None
    note = ", ".join(f"{header} {share:.0%}" for header, share in shares.items())
    return Usage(max(shares.values(), default=0.0), max(minutes, default=None), note)


def _entries(text: str) -> Iterator[dict[str, Any]]:
    try:
        value = msgspec.json.decode(text) if text else None
    except (msgspec.DecodeError, RecursionError):
        return
    if not isinstance(value, dict):
        return
    for each in [value, *(entry for part in value.values() if isinstance(part, list) for entry in part)]:
        if isinstance(each, dict) and str(each.get("type")) not in _OTHERS:
            yield each


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e6
