"""Takes the outbox to the platforms: one reply at a time, each sent once, and what is unclear looked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

from reviewdesk.config import Config
from reviewdesk.connector import Connector
from reviewdesk.desk.connecting import blamed, connected, data_folder
from reviewdesk.desk.delivery import FIRST_LOOK, SURE_AFTER, after_failure, next_try, require
from reviewdesk.errors import NotAllowed, ReviewdeskError, Unsupported
from reviewdesk.model import Channel, DeliveryState, PostedReply, Record, Status
from reviewdesk.secrets import redact
from reviewdesk.store.db import Store, to_ms
from reviewdesk.store.holders import new_holder
from reviewdesk.store.records import Reply, Stored

log = logging.getLogger(__name__)

_LEASE = 300.0
_LONGEST_SEND = 120.0


class Delivered(Record, frozen=True, kw_only=True):
    """What became of one reply in this round."""

    reply: int
    mention: int
    source: str
    state: DeliveryState
    fault: str = ""
    hint: str = ""


async def deliver(
    config: Config, store: Store, *, only: Sequence[str] = (), tell: Callable[[Delivered], None] = lambda event: None
) -> list[Delivered]:
    """Settles what is unclear, then sends every queued reply whose time has come.

    A source that asks for quiet, is out of reach or does not accept the token is left alone for the rest of the round.

    Args:
        only: source ids; empty for all.
        tell: is called with each reply's outcome.
    """
    async with AsyncExitStack() as stack:
        return await _Round(config, store, stack, only, tell).run()


class _Round:
    def __init__(
        self,
        config: Config,
        store: Store,
        stack: AsyncExitStack,
        only: Sequence[str],
        tell: Callable[[Delivered], None],
    ) -> None:
        self.config, self.store, self.stack, self.tell = config, store, stack, tell
        self.holder = new_holder()
        known = {state.id for state in store.sources.states()}
        self.skipped = known - set(only) if only else set()
        self.connectors: dict[str, Connector[Any]] = {}
        self.done: list[Delivered] = []

    async def run(self) -> list[Delivered]:
        for reply in self.store.outbox.abandoned():
            self._move(reply, DeliveryState.UNKNOWN, fault="The desk was stopped while it was being sent.")
        for reply in self.store.outbox.in_states([DeliveryState.UNKNOWN]):
            await self._look(reply)
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
            self._guard(reply, stored)
            async with asyncio.timeout(_LONGEST_SEND):
                with blamed(stored.connector):
                    posted = await self._post(connector, stored, reply)
        except (ReviewdeskError, TimeoutError) as error:
            self._failed(reply, stored, error)
            return
        self._posted(reply, stored, posted)

    @staticmethod
    async def _post(connector: Connector[Any], stored: Stored, reply: Reply) -> PostedReply:
        if reply.channel is Channel.PRIVATE:
            return await connector.private_reply(stored.mention, reply.text, reply.key)
        return await connector.reply(stored.mention, reply.text, reply.key)

    @staticmethod
    def _guard(reply: Reply, stored: Stored) -> None:
        """Holds a reply back when the store already knows that it answers something else by now."""
        hint = "Look at it again, and send once more if it still fits."
        if stored.gone_at:
            raise NotAllowed("Not sent: the mention is gone from the platform.", hint=hint)
        edited = stored.mention.edited_at
        if stored.version > 1 and edited and edited > reply.created_at:
            raise NotAllowed("Not sent: the customer changed the text after the reply was written.", hint=hint)

    def _posted(self, reply: Reply, stored: Stored, posted: PostedReply) -> None:
        now = self.store.clock()
        with self.store.transaction():
            self._move(
                reply,
                DeliveryState.POSTED,
                holder=self.holder if reply.state is DeliveryState.SENDING else None,
                remote_id=posted.id,
                remote_url=posted.url,
                remote_text=posted.text,
                posted_at=posted.posted_at or now,
                fault="" if posted.visible else "Waiting for the platform to show it.",
                fault_hint="",
            )
            self.store.mentions.change(
                [stored.id],
                {"status": Status.ANSWERED.value, "answered_at": to_ms(posted.posted_at or now)},
                agent=reply.agent,
                what="answered",
            )
        self._tell(reply, stored, DeliveryState.POSTED)

    def _failed(self, reply: Reply, stored: Stored, error: ReviewdeskError | TimeoutError) -> None:
        state = after_failure(error)
        if state is DeliveryState.QUEUED and isinstance(error, ReviewdeskError):
            self.skipped.add(stored.source)
            self._back(reply, stored, error)
            return
        sentence = error.sentence if isinstance(error, ReviewdeskError) else "The platform did not answer in time."
        hint = error.hint if isinstance(error, ReviewdeskError) else ""
        self._move(reply, state, holder=self.holder, fault=redact(sentence), fault_hint=redact(hint))
        self._tell(reply, stored, state, sentence, hint)

    def _back(self, reply: Reply, stored: Stored, error: ReviewdeskError) -> None:
        again = next_try(reply.attempts, self.store.clock(), error)
        self._move(
            reply,
            DeliveryState.QUEUED,
            holder=self.holder,
            send_after=again,
            fault=redact(error.sentence),
            fault_hint=redact(error.hint),
        )
        self._tell(reply, stored, DeliveryState.QUEUED, error.sentence, error.hint)

    async def _look(self, reply: Reply) -> None:
        """Settles an unknown reply by asking the platform; one that it cannot tell of waits for a person."""
        stored = self.store.mentions.get(reply.mention_id)
        now, attempted = self.store.clock(), reply.attempted_at or reply.updated_at
        if stored.source in self.skipped or now - attempted < FIRST_LOOK:
            return
        try:
            connector = await self._connector(stored.source)
            if reply.channel is Channel.PRIVATE or not connector.capabilities.find_reply:
                raise Unsupported("Nobody but a person can tell whether it was posted.")
            async with asyncio.timeout(_LONGEST_SEND):
                with blamed(stored.connector):
                    found = await connector.find_reply(stored.mention, reply.text, attempted)
        except (ReviewdeskError, TimeoutError) as error:
            if not isinstance(error, Unsupported):
                self.skipped.add(stored.source)
            sentence = error.sentence if isinstance(error, ReviewdeskError) else "The platform did not answer in time."
            self._tell(
                reply, stored, DeliveryState.UNKNOWN, sentence, "Look on the platform, then decide in the outbox."
            )
            return
        if found:
            self._posted(reply, stored, found)
        elif self._surely_absent(reply, connector, now, attempted):
            self._move(reply, DeliveryState.QUEUED, send_after=now, fault="", fault_hint="")
        else:
            self.store.outbox.looked(reply, now)
            self._tell(reply, stored, DeliveryState.UNKNOWN, "It is not on the platform yet; the desk will look again.")

    def _surely_absent(self, reply: Reply, connector: Connector[Any], now: datetime, attempted: datetime) -> bool:
        """Two looks, the later one well after the attempt, and no moderation that could hide it."""
        looked = self.store.outbox.looked_at(reply)
        seen_missing = looked is not None and looked >= attempted
        return seen_missing and now - attempted >= SURE_AFTER and not connector.capabilities.moderated

    def _move(self, reply: Reply, to: DeliveryState, *, holder: str | None = None, **columns: Any) -> None:
        require(reply.state, to)
        if not self.store.outbox.move(reply, to, holder=holder, **columns):
            log.warning("reply %d has moved on meanwhile; it was not made %s", reply.id, to.value)

    def _tell(self, reply: Reply, stored: Stored, state: DeliveryState, fault: str = "", hint: str = "") -> None:
        told = Delivered(
            reply=reply.id,
            mention=stored.id,
            source=stored.source,
            state=state,
            fault=redact(fault),
            hint=redact(hint),
        )
        self.done.append(told)
        self.tell(told)
