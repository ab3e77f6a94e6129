"""Takes the outbox to the platforms: one reply at a time, each sent once, and what is unclear looked for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

from reviewdesk.config import Config, SourceConfig
from reviewdesk.connector import Connector
from reviewdesk.desk import guard
from reviewdesk.desk.apart import Task, apart
from reviewdesk.desk.border import Breach, checked_mention, checked_reply
from reviewdesk.desk.connecting import blamed, connected, data_folder, with_reply_pages
from reviewdesk.desk.delivery import (
    FIRST_LOOK,
    KEY_LIVES,
    LATE_AFTER,
    SURE_AFTER,
    after_failure,
    next_look,
    next_try,
    require,
)
from reviewdesk.errors import (
    Actor,
    NotThere,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Refused,
    ReviewdeskError,
    Unreachable,
    Unsupported,
)
from reviewdesk.model import Change, Channel, DeliveryState, Guard, Mention, PostedReply, Record, Status, What
from reviewdesk.plugins import foreign_among
from reviewdesk.secrets import redact
from reviewdesk.store.db import Store, to_ms
from reviewdesk.store.holders import new_holder
from reviewdesk.store.records import Reply, Stored
from reviewdesk.text import same_text

log = logging.getLogger(__name__)

_LEASE = 300.0
_LONGEST_SEND = 120.0
_LATEST_DEPARTURE = 90.0
"""Seconds after its lease was renewed within which a reply's request leaves, or does not; less than `SURE_AFTER`."""
_SHORTEST_PATIENCE = 30.0
"""Seconds of silence after which a process that sends is ended at the earliest: what it sends may be on its way."""
_AFTER_A_HANG = timedelta(minutes=15)
_LONGEST_REREAD = 60.0
_CLOCK_WAS_WRONG = timedelta(hours=26)
"""How far our clock may have been ahead at an attempt: by a wrong zone, or a wrong date."""
_WAITING = "Waiting for the platform to show it."
_LATE = f"The platform has not shown the reply for {LATE_AFTER.days} days."
_DECIDE_LATE = "Look on its page: it may have been rejected, or be hidden from others."
_DECIDE = "Look on the platform, then decide: reviewdesk outbox settle."


class Delivered(Record, frozen=True, kw_only=True):
    """What became of one reply in this round.

    Attributes:
        fault, hint: what is wrong and what to do about it; "" where all is well.
        actor: who must act before it goes on; None where nobody has to.
        news: False where the same was told after an earlier round already.
    """

    reply: int
    mention: int
    source: str
    state: DeliveryState
    fault: str = ""
    hint: str = ""
    actor: Actor | None = None
    news: bool = True


async def deliver(
    config: Config, store: Store, *, only: Sequence[str] = (), tell: Callable[[Delivered], None] = lambda event: None
) -> list[Delivered]:
    """Settles what is unclear, then sends every queued reply whose time has come.

    A source that asks for quiet, is out of reach or does not accept the token is left alone for the rest of the round;
    one that is switched off is not asked at all. What goes through a third party's connector goes through a process of
    its own.

    Args:
        only: source ids; empty for all.
        tell: is called with each reply's outcome.
    """
    waiting = [
        source
        for source in config.sources
        if (not only or source.id in only)
        and not store.sources.is_disabled(source.id)
        and store.outbox.waits_for(source.id)
    ]
    ids = foreign_among(waiting)
    foreign = [source for source in waiting if source.id in ids]
    done = await deliver_here(config, store, only=only, without=[source.id for source in foreign], tell=tell)
    for source in foreign:
        done += await _deliver_apart(config, store, source, tell)
    return done


async def deliver_here(
    config: Config,
    store: Store,
    *,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    tell: Callable[[Delivered], None],
) -> list[Delivered]:
    """Delivers in this process; arguments as in `deliver`.

    Args:
        without: ids of sources that are left alone.
    """
    async with AsyncExitStack() as stack:
        return await _Round(config, store, stack, only, without, tell).run()


async def _deliver_apart(
    config: Config, store: Store, source: SourceConfig, tell: Callable[[Delivered], None]
) -> list[Delivered]:
    """Delivers one source's replies; one that was being sent when its process was ended is unclear, and looked for."""
    done: list[Delivered] = []

    def heard(told: Delivered) -> None:
        done.append(told)
        tell(told)

    task = Task.of(config, source, "deliver", patience=_SHORTEST_PATIENCE)
    try:
        await apart(task, Delivered, heard, connector=source.connector)
    except ReviewdeskError as error:
        log.warning("%s: %s", source.id, error)
        sentence, hint = _words(error)
        for reply in store.outbox.abandoned():
            stored = store.mentions.get(reply.mention_id)
            if stored.source == source.id and store.outbox.move(
                reply, DeliveryState.UNKNOWN, fault=sentence, fault_hint=hint
            ):
                heard(
                    Delivered(
                        reply=reply.id,
                        mention=stored.id,
                        source=source.id,
                        state=DeliveryState.UNKNOWN,
                        fault=sentence,
                        hint=hint,
                        actor=error.actor,
                    )
                )
        store.outbox.postpone(source.id, store.clock() + _AFTER_A_HANG)
    return done


class _Round:
    def __init__(
        self,
        config: Config,
        store: Store,
        stack: AsyncExitStack,
        only: Sequence[str],
        without: Sequence[str],
        tell: Callable[[Delivered], None],
    ) -> None:
        self.config, self.store, self.stack, self.tell = config, store, stack, tell
        self.holder = new_holder()
        known = store.sources.states()
        self.skipped = {
            each.id for each in known if each.disabled or each.id in without or (only and each.id not in only)
        }
        self.connectors: dict[str, Connector[Any]] = {}
        self.done: list[Delivered] = []

    async def run(self) -> list[Delivered]:
        for reply in self.store.outbox.abandoned():
            self._move(reply, DeliveryState.UNKNOWN, fault="The desk was stopped while it was being sent.")
        for reply in self.store.outbox.in_states([DeliveryState.UNKNOWN]):
            await self._look(reply)
        for reply in self.store.outbox.unseen():
            await self._look_for_posted(reply)
        while claimed := self.store.outbox.claim(self.holder, lease_seconds=_LEASE, skip_sources=self.skipped):
            await self._send(claimed)
        return self.done

    async def _connector(self, source: str) -> Connector[Any]:
        if source not in self.connectors:
            opened = connected(
                self.config, self.config.source(source), clock=self.store.clock, folder=data_folder(self.config)
            )
            self.connectors[source] = await self.stack.enter_async_context(opened)
        return self.connectors[source]

    async def _send(self, reply: Reply) -> None:
        stored = self.store.mentions.get(reply.mention_id)
        try:
            connector = await self._connector(stored.source)
        except ReviewdeskError as error:
            # Nothing was asked of the platform yet, so whatever failed, the reply has certainly not gone out.
            self.skipped.add(stored.source)
            self._back(reply, stored, error)
            return
        try:
            unreadable = await self._read_again(connector, reply, stored)
        except (ReviewdeskError, TimeoutError) as error:
            # The thread was only read.
            self.skipped.add(stored.source)
            self._back(reply, stored, error)
            return
        if self._stands_there(reply, stored) or self._held(connector, reply, unreadable):
            return
        if not self.store.outbox.leaves(reply, self.holder, lease_seconds=_LEASE):
            # This process was suspended for longer than its lease. It has not sent; others may have.
            self._move(reply, DeliveryState.QUEUED, holder=self.holder, send_after=self.store.clock())
            return
        try:
            async with asyncio.timeout(_LONGEST_SEND):
                with blamed(stored.connector):
                    posted = await self._post(connector, stored, reply)
        except (ReviewdeskError, TimeoutError) as error:
            self._failed(reply, stored, connector, error)
            return
        self._posted(reply, stored, posted)

    @staticmethod
    async def _post(connector: Connector[Any], stored: Stored, reply: Reply) -> PostedReply:
        write = connector.private_reply if reply.channel is Channel.PRIVATE else connector.reply
        connector.context.leaving = _departure(_LATEST_DEPARTURE)
        return _told(await write(stored.mention, reply.text, reply.key))

    async def _read_again(self, connector: Connector[Any], reply: Reply, stored: Stored) -> tuple[Change, ...]:
        """Takes in what stands there now; gives why it cannot be read, where that is for a person to judge.

        Raises:
            ReviewdeskError, TimeoutError: it cannot be read for now.
        """
        strictness = self.config.source(stored.source).guard
        if strictness is Guard.OFF or not connector.capabilities.reread:
            return ()
        try:
            await self._reread(connector, stored)
        except (PermissionMissing, Refused) as error:
            if strictness is Guard.STRICT and not reply.seen_unreadable:
                return (Change(what=What.UNREADABLE, after=_words(error)[0]),)
        return ()

    def _stands_there(self, reply: Reply, stored: Stored) -> bool:
        """Tells whether an earlier attempt turned out to have arrived: its words were read, and ingest has noted it."""
        found = self.store.outbox.get(reply.id).state is DeliveryState.VISIBLE
        if found:
            self._tell(reply, stored, DeliveryState.VISIBLE)
        return found

    def _held(self, connector: Connector[Any], reply: Reply, unreadable: tuple[Change, ...]) -> bool:
        """Holds a reply where something speaks against sending it, and tells whether it did.

        In one transaction, so that the agent is shown all that is counted as shown.
        """
        with self.store.transaction():
            stored = self.store.mentions.get(reply.mention_id)
            found = unreadable + self._changes(connector, reply, stored)
            if not found:
                return False
            sentence = guard.summary(found)
            hint = f"Look at it again; `reviewdesk outbox release {reply.id}` sends it all the same."
            moved = self._move(
                reply,
                DeliveryState.HELD,
                holder=self.holder,
                changes=found,
                seen_until=self.store.clock(),
                seen_version=stored.version,
                seen_mention=self.store.mentions.newest(),
                seen_gone=stored.gone_at,
                seen_unreadable=reply.seen_unreadable or bool(unreadable),
                fault=sentence,
                fault_hint=hint,
            )
        if moved:
            self._tell(reply, stored, DeliveryState.HELD, sentence, hint, actor=Actor.USER)
        return True

    def _changes(self, connector: Connector[Any], reply: Reply, stored: Stored) -> tuple[Change, ...]:
        """Gives what the store knows to have happened since the reply was approved and speaks against sending it."""
        mentions, flat = self.store.mentions, connector.capabilities.flat
        came = mentions.came_after(stored, reply.seen_mention, beside=flat)
        underway = [each.text for each in self.store.outbox.under_way(stored.thread) if each.id != reply.id]
        # What the desk posts may be seen before its id is known.
        came = [
            each
            for each in came
            if not (each.mention.ours and any(same_text(each.mention.text, text) for text in underway))
        ]
        above = mentions.way_up(stored.source, [stored.mention.id, *(each.mention.id for each in came)]) if came else {}
        return guard.changes(
            self.config.source(stored.source).guard,
            reply,
            stored,
            known=mentions.text_of(stored.id, reply.seen_version),
            came=came,
            replies=self.store.outbox.replies_to(stored.id),
            shape=guard.Shape(
                above={id: parent for id, (parent, _) in above.items()},
                authors={id: author for id, (_, author) in above.items()},
                flat=flat,
            ),
        )

    async def _reread(self, connector: Connector[Any], stored: Stored) -> None:
        """Takes in what stands there now; a platform that cannot read this kind by itself leaves it at the last poll.

        Raises:
            ConnectorError: it cannot be read, for now or for us.
        """
        try:
            async with asyncio.timeout(_LONGEST_REREAD):
                with blamed(stored.connector):
                    found = list(await connector.reread(stored.mention))
                    mentions = with_reply_pages([_mention(each) for each in found], connector)
        except NotThere:
            self.store.mentions.ingest(stored.source, (), gone=[stored.mention.id])
        except Unsupported:
            return
        else:
            self.store.mentions.ingest(stored.source, mentions)

    def _posted(self, reply: Reply, stored: Stored, posted: PostedReply) -> None:
        now = self.store.clock()
        shown = posted.visible and not self.connectors[stored.source].capabilities.moderated
        with self.store.transaction():
            noted = self._move(
                reply,
                DeliveryState.POSTED,
                holder=self.holder if reply.state is DeliveryState.SENDING else None,
                remote_id=posted.id,
                remote_url=posted.url,
                remote_text=posted.text,
                posted_at=posted.posted_at or now,
                fault="" if shown else _WAITING,
                fault_hint="",
                send_after=next_look(now, now),
            )
            current = self.store.outbox.get(reply.id)
            if noted:
                self._note_answered(current, stored, posted, now)
        if noted:
            self._tell(reply, stored, DeliveryState.POSTED)
        elif current.state is DeliveryState.UNKNOWN and current.attempts == reply.attempts:
            # Another process gave this one up while the answer was on its way.
            self._posted(current, stored, posted)

    def _note_answered(self, reply: Reply, stored: Stored, posted: PostedReply, now: datetime) -> None:
        self.store.mentions.change(
            [stored.id],
            {"status": Status.ANSWERED.value, "answered_at": to_ms(posted.posted_at or now)},
            agent=reply.agent,
            what="answered",
        )
        if posted.id and self.store.mentions.make_ours(stored.source, posted.id):
            # A poll was quicker than the answer and has seen it stand there.
            self._move(reply, DeliveryState.VISIBLE, fault="")

    def _failed(
        self, reply: Reply, stored: Stored, connector: Connector[Any], error: ReviewdeskError | TimeoutError
    ) -> None:
        state = after_failure(error)
        if state is DeliveryState.QUEUED and _by_key(reply, connector) and self.store.outbox.was_unknown(reply):
            # It is certain of this attempt alone, and the key does not live for ever.
            state = DeliveryState.UNKNOWN
        if state is DeliveryState.QUEUED and isinstance(error, ReviewdeskError):
            self.skipped.add(stored.source)
            self._back(reply, stored, error)
            return
        if isinstance(error, Refused) and error.until:
            # What is unclear may still be looked for: it is replies that are not taken.
            self.skipped.add(stored.source)
            again = next_try(reply.attempts, self.store.clock(), error)
            self.store.outbox.postpone(stored.source, again, states=[DeliveryState.QUEUED])
        looks = state is DeliveryState.UNKNOWN and (_can_look(reply, connector) or _by_key(reply, connector))
        sentence, hint = _words(error)
        if self._move(reply, state, holder=self.holder, fault=sentence, fault_hint=hint):
            self._tell(reply, stored, state, sentence, hint, actor=Actor.TIME if looks else Actor.USER)

    def _back(self, reply: Reply, stored: Stored, error: ReviewdeskError | TimeoutError) -> None:
        sentence, hint = _words(error)
        again = next_try(reply.attempts, self.store.clock(), error)
        moved = self._move(
            reply, DeliveryState.QUEUED, holder=self.holder, send_after=again, fault=sentence, fault_hint=hint
        )
        if isinstance(error, RateLimited):
            self.store.outbox.postpone(stored.source, again)
        if moved:
            actor = error.actor if isinstance(error, ReviewdeskError) else Actor.TIME
            self._tell(reply, stored, DeliveryState.QUEUED, sentence, hint, actor=actor)

    async def _look(self, reply: Reply) -> None:
        """Settles an unknown reply by asking the platform; one that it cannot tell of waits for a person."""
        stored = self.store.mentions.get(reply.mention_id)
        now, attempted = self.store.clock(), reply.attempted_at or reply.updated_at
        waits = reply.updated_at <= now < reply.send_after or attempted <= now < attempted + FIRST_LOOK
        if stored.source in self.skipped or waits:
            return
        absent = self._surely_absent(reply, now, attempted)
        try:
            if await self._may_repeat(reply, stored, now):
                self._move(reply, DeliveryState.QUEUED, send_after=now, fault="", fault_hint="")
                return
            found = await self._find(reply, stored, attempted)
            if found is None and absent:
                found = await self._find_long_ago(reply, stored, attempted, now)
        except (ReviewdeskError, TimeoutError) as error:
            self._not_told(reply, stored, error, now)
            return
        if found:
            self._posted(reply, stored, found)
        elif not absent:
            waiting = OutcomeUnknown("It is not on the platform yet; the desk will look again.")
            self._still_unknown(reply, stored, waiting, looked_at=now)
        elif self.connectors[stored.source].capabilities.moderated:
            hidden = Unsupported("It is not there, or the platform does not show it yet.", hint=_DECIDE)
            self._still_unknown(reply, stored, hidden, looked_at=now)
        else:
            self._move(reply, DeliveryState.QUEUED, send_after=now, fault="", fault_hint="")

    async def _look_for_posted(self, reply: Reply) -> None:
        """Looks whether a reply that the platform holds back can be seen; its agent is told where that is late."""
        stored = self.store.mentions.get(reply.mention_id)
        now, posted_at = self.store.clock(), reply.posted_at or reply.updated_at
        if stored.source in self.skipped:
            return
        found, again = None, next_look(posted_at, now)
        try:
            found = await self._find(reply, stored, reply.attempted_at or posted_at)
        except (ReviewdeskError, TimeoutError) as error:
            again = max(again, next_try(reply.attempts, now, error))
            if isinstance(error, TimeoutError) or after_failure(error) is DeliveryState.QUEUED:
                self.skipped.add(stored.source)
        if found is not None and found.visible:
            if self._move(reply, DeliveryState.VISIBLE, fault="", fault_hint=""):
                self._tell(reply, stored, DeliveryState.VISIBLE)
            return
        late = now - posted_at >= LATE_AFTER
        sentence, hint = (_LATE, _DECIDE_LATE) if late else (_WAITING, "")
        if self.store.outbox.move(reply, DeliveryState.POSTED, fault=sentence, fault_hint=hint, send_after=again):
            self._tell(reply, stored, DeliveryState.POSTED, sentence, hint, actor=Actor.USER if late else None)

    async def _may_repeat(self, reply: Reply, stored: Stored, now: datetime) -> bool:
        """Tells whether the platform itself sees to it that a reply stands once, however often it is sent."""
        first = self.store.outbox.first_attempt(reply)
        fresh = first is not None and timedelta(0) <= now - first < KEY_LIVES
        return fresh and _by_key(reply, await self._connector(stored.source))

    async def _find(self, reply: Reply, stored: Stored, since: datetime) -> PostedReply | None:
        found = await self._asked_for(reply, stored, since)
        if found and (other := self._other(reply, stored, found)):
            raise Unsupported(f"The same words stand there, but as reply {other.id}.", hint=_DECIDE)
        self._require_own(reply, found)
        return found

    def _require_own(self, reply: Reply, found: PostedReply | None) -> None:
        twins = self.store.outbox.twins(reply) if found else []
        if any(each.state is DeliveryState.SENDING for each in twins):
            raise OutcomeUnknown("The same words are just being sent there; the desk will look again.")
        if twins:
            sentence = f"The same words stand there; they may be those of reply {twins[0].id}."
            raise Unsupported(sentence, hint=_DECIDE)

    async def _find_long_ago(
        self, reply: Reply, stored: Stored, attempted: datetime, now: datetime
    ) -> PostedReply | None:
        """Looks once more before it counts as never posted: our clock may have been wrong at the attempt."""
        since = attempted - _CLOCK_WAS_WRONG
        if attempted > now:
            since = min(stored.mention.created_at or now, now - _CLOCK_WAS_WRONG)
        found = await self._asked_for(reply, stored, since)
        if not found or self._other(reply, stored, found):
            return None
        self._require_own(reply, found)
        return found

    async def _asked_for(self, reply: Reply, stored: Stored, since: datetime) -> PostedReply | None:
        connector = await self._connector(stored.source)
        if not _can_look(reply, connector):
            raise Unsupported("Nobody but a person can tell whether it was posted.", hint=_DECIDE)
        async with asyncio.timeout(_LONGEST_SEND):
            with blamed(stored.connector):
                found = await connector.find_reply(stored.mention, reply.text, since)
                return None if found is None else _told(found)

    def _other(self, reply: Reply, stored: Stored, found: PostedReply) -> Reply | None:
        """Gives the other reply of the desk's that was found instead."""
        known = self.store.outbox.known_as(stored.source, found.id)
        return known if known and known.id != reply.id else None

    def _surely_absent(self, reply: Reply, now: datetime, attempted: datetime) -> bool:
        """Two looks, the later one well after the attempt; or after the first look, where the clock was set back."""
        looked = self.store.outbox.looked_at(reply)
        return looked is not None and now - (attempted if attempted <= now else looked) >= SURE_AFTER

    def _not_told(self, reply: Reply, stored: Stored, error: ReviewdeskError | TimeoutError, now: datetime) -> None:
        if isinstance(error, TimeoutError) or after_failure(error) is DeliveryState.QUEUED:
            # The whole source is in trouble; any other error speaks of this reply alone.
            self.skipped.add(stored.source)
        self._still_unknown(reply, stored, error)
        if isinstance(error, RateLimited):
            self.store.outbox.postpone(stored.source, next_try(reply.attempts, now, error))

    def _still_unknown(
        self, reply: Reply, stored: Stored, error: ReviewdeskError | TimeoutError, **columns: Any
    ) -> None:
        sentence, hint = _words(error)
        actor = error.actor if isinstance(error, ReviewdeskError) else Actor.TIME
        columns["send_after"] = self.store.clock()
        if self.store.outbox.move(reply, DeliveryState.UNKNOWN, fault=sentence, fault_hint=hint, **columns):
            self._tell(reply, stored, DeliveryState.UNKNOWN, sentence, hint, actor=actor)

    def _move(self, reply: Reply, to: DeliveryState, *, holder: str | None = None, **columns: Any) -> bool:
        require(reply.state, to)
        moved = self.store.outbox.move(reply, to, holder=holder, **columns)
        if not moved:
            log.warning("reply %d has moved on meanwhile; it was not made %s", reply.id, to.value)
        return moved

    def _tell(
        self,
        reply: Reply,
        stored: Stored,
        state: DeliveryState,
        fault: str = "",
        hint: str = "",
        *,
        actor: Actor | None = None,
    ) -> None:
        told = Delivered(
            reply=reply.id,
            mention=stored.id,
            source=stored.source,
            state=state,
            fault=fault,
            hint=hint,
            actor=actor,
            news=fault != reply.fault,
        )
        self.done.append(told)
        self.tell(told)


def _can_look(reply: Reply, connector: Connector[Any]) -> bool:
    return reply.channel is Channel.PUBLIC and connector.capabilities.find_reply


def _by_key(reply: Reply, connector: Connector[Any]) -> bool:
    """Tells whether an unclear reply is settled by sending it again with its key, for want of a way to look."""
    return (
        reply.channel is Channel.PUBLIC
        and connector.capabilities.idempotent_reply
        and not connector.capabilities.find_reply
    )


def _departure(seconds: float) -> Callable[[], None]:
    """Gives what keeps a request back that would leave later than in so many seconds, a machine's sleep included."""
    latest = _since_boot() + seconds

    def leaving() -> None:
        if _since_boot() > latest:
            raise Unreachable("It was held up for too long on its way out, so it was not sent.")

    return leaving


def _since_boot() -> float:
    # CLOCK_MONOTONIC stands still while the machine sleeps, and so does asyncio.timeout.
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _told(answer: Any) -> PostedReply:
    return checked_reply(answer)


def _mention(answer: Any) -> Mention:
    try:
        return checked_mention(answer)
    except ValueError as error:
        raise Breach(f"what it has read again does not fit: {error}") from None


def _words(error: ReviewdeskError | TimeoutError) -> tuple[str, str]:
    if isinstance(error, ReviewdeskError):
        return redact(error.sentence), redact(error.hint)
    return "The platform did not answer in time.", ""
