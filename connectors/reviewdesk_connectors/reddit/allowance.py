"""How many calls Reddit leaves us, as its headers tell it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from reviewdesk.connector import Budget

_LONGEST = 7 * 86400.0


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What Reddit says of our remaining calls, by the headers `x-ratelimit-*` (a window of ten minutes).

    Attributes:
        remaining, used: calls in this window; `remaining` is infinite while nothing is known, and both are 0 where
            Reddit said only that nothing remains.
        resets_at: when the window ends, on the monotonic clock.
    """

    remaining: float = math.inf
    used: float = 0.0
    resets_at: float = 0.0

    def told(self, status: int, headers: Mapping[str, str], named: float | None = None) -> Allowance:
        """Gives the allowance after an answer; the same one where it tells nothing new.

        Args:
            status: of the answer; after a 429 nothing remains.
            headers: of the answer; names in any case where the mapping does not mind it, else in lower case.
            named: the seconds that the answer's words name.
        """
        reset = _number(headers.get("x-ratelimit-reset"))
        if status == 429:
            wait = _number(headers.get("retry-after"))
            wait = wait if wait is not None else reset if reset is not None else named
            return self if wait is None else _until(wait, remaining=0.0)
        remaining, used = _number(headers.get("x-ratelimit-remaining")), _number(headers.get("x-ratelimit-used"))
        if remaining is None or reset is None:
            return self
        return _until(reset, remaining=remaining, used=used or 0.0)

    def wait(self, *, reserve: int) -> float:
        """Gives the seconds to wait before a call that must leave `reserve` calls to others; 0 for none."""
        return max(0.0, self.resets_at - time.monotonic()) if self.remaining < 1 + reserve else 0.0

    def budget(self, now: datetime) -> Budget | None:
        """Gives it for the sources screen; None while nothing is known."""
        if self.remaining == math.inf:
            return None
        seconds = max(0.0, self.resets_at - time.monotonic())
        whole = self.used + self.remaining
        return Budget(
            used=self.used / whole if whole else 1.0,
            until=now + timedelta(seconds=seconds),
            note=f"{f'{self.remaining:.0f} of {whole:.0f}' if whole else 'no'} calls left for {seconds:.0f} s",
        )


def _until(seconds: float, *, remaining: float, used: float = 0.0) -> Allowance:
    return Allowance(remaining=remaining, used=used, resets_at=time.monotonic() + min(seconds, _LONGEST))


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
