"""Looks for what no error tells: a source that fell silent, and a token that will die soon. Each is told once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from reviewdesk.config import Config, SourceConfig
from reviewdesk.desk.abreast import abreast
from reviewdesk.desk.check import ask
from reviewdesk.desk.silence import MOST_WEEKS, WEEK, in_words, silence
from reviewdesk.errors import ReviewdeskError
from reviewdesk.model import Finding, Level, Record
from reviewdesk.secrets import redact
from reviewdesk.store.db import Store
from reviewdesk.store.records import SourceState

log = logging.getLogger(__name__)

WARN_DAYS = (14, 7, 1)
CHECK_EVERY = timedelta(days=1)
_SILENT, _EXPIRES = "silent", "expires"


class Noticed(Record, frozen=True, kw_only=True):
    """Something about a source that a person should know, told once."""

    source: str
    sentence: str
    hint: str = ""


def warn_at(expires_at: datetime, now: datetime) -> int | None:
    """Gives the warning that is due for something that expires, as days before its end; None where none is."""
    left = expires_at - now
    return next((days for days in reversed(WARN_DAYS) if timedelta() < left <= timedelta(days=days)), None)


async def watch(
    config: Config, store: Store, *, only: Sequence[str] = (), tell: Callable[[Noticed], None] = lambda event: None
) -> list[Noticed]:
    """Looks at every enabled source that works, and tells what is new to tell.

    Tokens and permissions are checked once a day, and once more on the last day; that alone asks the platforms. A
    third party's connector is asked in a process of its own.
    """
    states = {state.id: state for state in store.sources.states()}
    chosen = [
        (source, state)
        for source in config.sources
        if source.enabled and (not only or source.id in only) and (state := states.get(source.id)) and _works(state)
    ]
    found: list[Noticed] = []

    def told(noticed: Sequence[Noticed]) -> None:
        # At once: what the ledger holds to be told is told by no later round.
        found.extend(noticed)
        for each in noticed:
            tell(each)

    async def look(source: SourceConfig) -> None:
        told(await _expiring(config, store, source))

    for _, state in chosen:
        told(_listen(config, store, state))
    await abreast([source for source, _ in chosen if _is_check_due(store, source.id)], look)
    return found


def _works(state: SourceState) -> bool:
    """Tells whether a source is listened to at all; a fault is the poll's to tell, and no silence."""
    return not (state.disabled or state.parked or state.fault_kind) and state.succeeded_at is not None


def _listen(config: Config, store: Store, state: SourceState) -> list[Noticed]:
    ledger = store.coverage
    since, last, until = ledger.listening_since(state.id), ledger.last_arrival(state.id), state.succeeded_at
    if since is None or last is None or until is None:
        return []
    title, told = state.title or state.id, ledger.told_at(state.id, _SILENT)
    # The clock may have been set back since it was told.
    if told is not None and (last > told or last >= until):
        ledger.forget(state.id, _SILENT)
        return [Noticed(source=state.id, sentence=f"{title} is no longer silent.")]
    if last >= until:
        return []
    arrivals = ledger.arrivals(state.id, last - (MOST_WEEKS + 1) * WEEK, written_after=since)
    heard = silence(arrivals, since=since, last=last, until=until, zone=config.shop.timezone)
    if heard is None:
        return []
    sentence = in_words(title, heard, ledger.kind(state.id))
    if not ledger.tell(state.id, _SILENT, sentence):
        return []
    return [Noticed(source=state.id, sentence=sentence, hint="Look there yourself, and run `reviewdesk doctor`.")]


def _is_check_due(store: Store, source: str) -> bool:
    """Once a day, and when the last day before an end has come since."""
    now = store.clock()
    checked, ends = store.coverage.last_check(source)
    if checked is None or not timedelta() <= now - checked < CHECK_EVERY:
        return True
    return ends is not None and checked < ends - timedelta(days=min(WARN_DAYS)) <= now


async def _expiring(config: Config, store: Store, source: SourceConfig) -> list[Noticed]:
    ledger, now = store.coverage, store.clock()
    ledger.begin_check(source.id)
    try:
        findings = await ask(config, source, clock=store.clock)
    except ReviewdeskError as error:
        # What is wrong with the source is the poll's to tell.
        log.warning("%s could not be checked: %s", source.id, error)
        return []
    ends = [finding.expires_at for finding in findings if finding.expires_at and finding.expires_at > now]
    if not ends and any(finding.level is not Level.OK for finding in findings):
        # The platform did not say; what it said before still holds.
        return []
    ledger.end_check(source.id, min(ends, default=None))
    told: list[Noticed] = []
    standing: dict[str, Finding] = {}
    for finding in findings:
        if finding.expires_at and (days := warn_at(finding.expires_at, now)):
            standing.setdefault(f"{_EXPIRES}:{finding.expires_at:%Y-%m-%d}:{days}", finding)
    ledger.forget(source.id, _EXPIRES, but=list(standing))
    for key, finding in standing.items():
        sentence = f"{redact(finding.sentence)} Until {finding.expires_at:%Y-%m-%d}."
        if ledger.tell(source.id, key, sentence):
            told.append(Noticed(source=source.id, sentence=sentence, hint=redact(finding.hint)))
    return told
