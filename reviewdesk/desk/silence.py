"""The rule that tells a silence from chance. Pure; docs/operations.md says the same in words.

Texts of the public come like rain: each by itself, at rates that change with the hour and the day of the week, and in
bursts. So a silence is laid over the same hours of the weeks before. If nothing had changed, each of the n texts that
came in those hours of w weeks could as well have come in this one; that none did has the probability (w / (w + 1))^n.
This test needs no estimate of any rate, so little history makes it careful by itself. Two things are added. What comes
in bursts is not each by itself: n is divided by how much more the days differ from each other than such rain would
(the quasi-Poisson dispersion, as surveillance of diseases uses it). And a source that brings much has many pauses, each
of which could be the one that is long by chance: the probability must be so small that all pauses of a month together
give `FALSE_ALARMS` at the most.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from math import log
from zoneinfo import ZoneInfo

from reviewdesk.model import Kind, Record
from reviewdesk.store.records import Arrival

WEEK = timedelta(weeks=1)
FEWEST_WEEKS, MOST_WEEKS = 4, 8
"""Whole weeks of listening that a silence is measured against."""
FALSE_ALARMS = 0.1
"""Silences that may be told of one source in a month though all is well."""
_DAY = timedelta(days=1)
_MONTH = timedelta(days=30)
_NOUNS = {Kind.REVIEW: "review", Kind.COMMENT: "comment", Kind.POST: "post", Kind.MESSAGE: "message"}


class Silence(Record, frozen=True, kw_only=True):
    """A source's silence: how long it has lasted, and how many texts usually come in such a time."""

    lasts: timedelta
    usual: float


def silence(
    arrivals: Sequence[Arrival], *, since: datetime, last: datetime, until: datetime, zone: ZoneInfo
) -> Silence | None:
    """Gives a source's silence where it is more than chance; None where it is not, or nobody can tell yet.

    Args:
        arrivals: what came in, in order; those of the `MOST_WEEKS` before `last` count.
        since: when the desk began to listen.
        last: when something came in for the last time.
        until: when the source was last asked, and said that there is nothing new.
        zone: the shop's, so that a change of the clocks moves no night.
    """
    weeks = min(MOST_WEEKS, (last - since) // WEEK)
    lasts = until - last
    if weeks < FEWEST_WEEKS or lasts <= timedelta():
        return None
    known = _Known(arrivals)
    came = known.between(last - weeks * WEEK, last)
    if lasts < WEEK:
        missed = sum(
            known.between(_earlier(last, number, zone), _earlier(until, number, zone)) for number in range(1, weeks + 1)
        )
        usual, surprise = missed / weeks, missed * log((weeks + 1) / weeks)
    else:
        # There is no week before that lies beside this one: all hours count alike, which is the same at one week.
        share = lasts / (weeks * WEEK)
        usual, surprise = came * share, came * log(1 + share)
    burst = _burst(known, last, weeks)
    pauses = max(1.0, came / burst * (_MONTH / (weeks * WEEK)))
    return Silence(lasts=lasts, usual=usual) if surprise / burst >= log(pauses / FALSE_ALARMS) else None


class _Known:
    """Counts arrivals between two moments."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        self._times = [each.at for each in arrivals]
        self._sums = [0, *accumulate(each.count for each in arrivals)]

    def between(self, begin: datetime, end: datetime) -> int:
        """Gives how many came after `begin` and not after `end`."""
        return self._sums[bisect_right(self._times, end)] - self._sums[bisect_right(self._times, begin)]


def _earlier(moment: datetime, weeks: int, zone: ZoneInfo) -> datetime:
    """Gives the moment so many weeks before, at the same time of the shop's clock."""
    return (moment.astimezone(zone).replace(tzinfo=None) - weeks * WEEK).replace(tzinfo=zone)


def _burst(known: _Known, last: datetime, weeks: int) -> float:
    """Gives how many times more the same days of different weeks differ than they would by chance; 1 at the least."""
    squares, free = 0.0, 0
    for day in range(7):
        counts = [known.between(last - (7 * week + day + 1) * _DAY, last - (7 * week + day) * _DAY)
                  for week in range(weeks)]  # fmt: skip
        mean = sum(counts) / weeks
        if mean:
            squares += sum((count - mean) ** 2 for count in counts) / mean
            free += weeks - 1
    return max(1.0, squares / free) if free else 1.0


def in_words(title: str, found: Silence, kind: Kind | None) -> str:
    """Gives a silence in a sentence: "Heureka has been silent for 9 hours; usually it brings 9 reviews by now."."""
    noun = _NOUNS[kind] if kind else "mention"
    return f"{title} has been silent for {span(found.lasts)}; usually it brings {round(found.usual):,} {noun}s by now."


def span(lasts: timedelta) -> str:
    """Gives a time as people say it: "40 minutes", "9 hours", "3 days"."""
    hours = round(lasts / timedelta(hours=1))
    if hours >= 48:
        return f"{hours // 24} days"
    if hours > 1:
        return f"{hours} hours"
    minutes = max(1, round(lasts / timedelta(minutes=1)))
    return f"{minutes} minutes" if minutes > 1 else "a minute"
