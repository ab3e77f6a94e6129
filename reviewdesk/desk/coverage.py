"""Looks for what no error tells: a source that is quieter than it ever was, and a token that will die soon."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from reviewdesk.config import Config, SourceConfig
from reviewdesk.desk.check import ask
from reviewdesk.errors import ReviewdeskError
from reviewdesk.model import Finding, Kind, Record
from reviewdesk.secrets import redact
from reviewdesk.store.db import Store
from reviewdesk.store.records import SourceState

log = logging.getLogger(__name__)

WEEK = timedelta(weeks=1)
FEWEST_WEEKS, MOST_WEEKS = 4, 8
"""Weeks of history that a silence is measured against."""
FEWEST_USUAL = 3.0
"""Mentions that usually come in a silence's time, below which a silence means nothing."""
LATEST_SUCCESS = timedelta(hours=1)
"""A source that was not asked well for longer is not silent; nobody has listened."""
WARN_DAYS = (14, 7, 1)
CHECK_EVERY = timedelta(days=1)
_NOUNS = {Kind.REVIEW: "review", Kind.COMMENT: "comment", Kind.POST: "post", Kind.MESSAGE: "message"}


class Noticed(Record, frozen=True, kw_only=True):
    """Something about a source that a person should know, told once."""

    source: str
    sentence: str
    hint: str = ""


class Silence(Record, frozen=True, kw_only=True):
    """A source's silence: how long it has lasted, and how many mentions usually come in such a time."""

    lasts: timedelta
    usual: float


def silence(arrivals: Sequence[datetime], now: datetime) -> Silence | None:
    """Gives a source's silence where it is one; None where it is as usual, or nobody can tell. Pure.

    The time since the last arrival is laid over each earlier week at the same hours. It is a silence when in every one
    of them something came, and on average enough.

    Args:
        arrivals: when mentions came in, in order, of `MOST_WEEKS` + 1 weeks at the most.
    """
    if not arrivals:
        return None
    last, first = arrivals[-1], arrivals[0]
    lasts = min(now - last, WEEK)
    counts = []
    for week in range(1, MOST_WEEKS + 1):
        end = last + lasts - week * WEEK
        if end - lasts < first:
            break
        counts.append(bisect_right(arrivals, end) - bisect_right(arrivals, end - lasts))
    if len(counts) < FEWEST_WEEKS or not min(counts):
        return None
    usual = sum(counts) / len(counts)
    return Silence(lasts=now - last, usual=usual) if usual >= FEWEST_USUAL else None


def in_words(title: str, found: Silence, kind: Kind | None) -> str:
    """Gives a silence in a sentence: "Heureka has been silent for 9 hours; usually it brings 4 reviews by now."."""
    hours = round(found.lasts / timedelta(hours=1))
    if hours >= 48:
        span = f"{hours // 24} days"
    else:
        span = f"{hours} hours" if hours > 1 else f"{max(1, round(found.lasts / timedelta(minutes=1)))} minutes"
    usual = round(found.usual)
    noun = _NOUNS[kind] if kind else "mention"
    by_now = "by now" if found.lasts <= WEEK else "a week"
    return f"{title} has been silent for {span}; usually it brings {usual} {noun}s {by_now}."


def warn_at(expires_at: datetime, now: datetime) -> int | None:
    """Gives the warning that is due for something that expires, as days before its end; None where none is."""
    left = expires_at - now
    return next((days for days in reversed(WARN_DAYS) if timedelta() < left <= timedelta(days=days)), None)


async def watch(
    config: Config, store: Store, *, only: Sequence[str] = (), tell: Callable[[Noticed], None] = lambda event: None
) -> list[Noticed]:
    """Looks at every enabled source that works, and tells what is new to tell.

    Tokens and permissions are checked once a day at the most; that alone asks the platforms.
    """
    found: list[Noticed] = []
    states = {state.id: state for state in store.sources.states()}
    for source in config.sources:
        state = states.get(source.id)
        if state is None or not source.enabled or state.disabled or state.parked or (only and source.id not in only):
            continue
        found += _listen(store, state)
        found += await _expiring(config, store, source)
    for each in found:
        tell(each)
    return found


def _listen(store: Store, state: SourceState) -> list[Noticed]:
    now = store.clock()
    if state.fault or state.succeeded_at is None or now - state.succeeded_at > LATEST_SUCCESS:
        return []
    heard = silence(store.coverage.arrivals(state.id, now - (MOST_WEEKS + 2) * WEEK), now)
    if heard is None:
        store.coverage.forget(state.id, "silent")
        return []
    sentence = in_words(state.title or state.id, heard, store.coverage.kind(state.id))
    if not store.coverage.tell(state.id, "silent", sentence):
        return []
    return [Noticed(source=state.id, sentence=sentence, hint="Look there yourself, and run `reviewdesk doctor`.")]


async def _expiring(config: Config, store: Store, source: SourceConfig) -> list[Noticed]:
    now, checked = store.clock(), store.coverage.checked_at(source.id)
    if checked is not None and timedelta() <= now - checked < CHECK_EVERY:
        return []
    store.coverage.note_check(source.id)
    try:
        findings = await ask(config, source, clock=store.clock)
    except ReviewdeskError as error:
        # What is wrong with the source is the poll's to tell.
        log.warning("%s could not be checked: %s", source.id, error)
        return []
    told: list[Noticed] = []
    standing = ""
    for finding in findings:
        days = warn_at(finding.expires_at, now) if finding.expires_at else None
        if finding.expires_at is None or days is None:
            continue
        standing = f"expires:{finding.expires_at:%Y-%m-%d}:{days}"
        store.coverage.forget(source.id, "expires", but=standing)
        sentence = _ending(finding)
        if store.coverage.tell(source.id, standing, sentence):
            told.append(Noticed(source=source.id, sentence=sentence, hint=redact(finding.hint)))
    if not standing:
        store.coverage.forget(source.id, "expires")
    return told


def _ending(finding: Finding) -> str:
    until = f" Until {finding.expires_at:%Y-%m-%d}." if finding.expires_at else ""
    return f"{redact(finding.sentence)}{until}"
