"""A shop for tests: a configuration, a store with a clock that is moved by hand, and a platform in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from reviewdesk.config import Config, SourceConfig, load
from reviewdesk.connector import Batch, Capabilities, Connector, Context, Cursor, PostedReply, ReplyMode, Settings
from reviewdesk.errors import NotThere
from reviewdesk.model import Kind, Mention
from reviewdesk.store.db import Store

MONDAY_NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
"""Noon in Prague on a Monday."""


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: datetime = MONDAY_NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class MemorySettings(Settings, frozen=True, kw_only=True):
    """The fake platform needs none."""


class Platform:
    """What stands on a platform in memory.

    Attributes:
        customers: what customers wrote, by id.
        visible: False while it holds replies back.
        replies: what stands there of the shop's, as (id, to, text).
        times: when each of them was posted, by id.
        keys: what was posted under each key, where the platform takes keys.
        on_reply: called with (mention id, text) before anything is done; may raise.
        after_reply, after_find: called when it is done and the answer is on its way; may raise.
        on_poll, on_reread: called before; may raise.
    """

    def __init__(self, clock: Clock, capabilities: Capabilities | None = None) -> None:
        self.clock = clock
        self.capabilities = capabilities or Capabilities(
            reply=ReplyMode.API, find_reply=True, private_reply=True, poll_seconds=1
        )
        self.customers: dict[str, Mention] = {}
        self.replies: list[tuple[str, str, str]] = []
        self.times: dict[str, datetime] = {}
        self.keys: dict[str, PostedReply] = {}
        self.visible = True
        self.quiet()

    def quiet(self) -> None:
        """Lets all go well from now on."""
        self.on_reply: Callable[[str, str], None] = lambda to, text: None
        self.on_poll: Callable[[], None] = lambda: None
        self.after_reply: Callable[[], None] = lambda: None
        self.after_find: Callable[[], None] = lambda: None
        self.on_reread: Callable[[], None] = lambda: None

    def write(self, id: str, text: str = "Nefunguje to.", **more: Any) -> None:
        self.customers[id] = Mention(id=id, kind=Kind.COMMENT, text=text, **{"created_at": self.clock(), **more})

    def post(self, to: str, text: str) -> PostedReply:
        id = f"reply-{len(self.replies) + 1}"
        self.replies.append((id, to, text))
        self.times[id] = self.clock()
        return PostedReply(id=id, posted_at=self.clock(), text=text, visible=self.visible)

    def texts(self, to: str) -> list[str]:
        return [text for _, target, text in self.replies if target == to]


class Memory(Connector[MemorySettings]):
    """The connector to `Memory.platforms`, by source id."""

    platform = "memory"
    title = "Memory"
    settings = MemorySettings
    platforms: ClassVar[dict[str, Platform]] = {}

    def __init__(self, context: Context[MemorySettings]) -> None:
        super().__init__(context)
        self.there = self.platforms[context.source]
        self.capabilities = self.there.capabilities

    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        self.there.on_poll()
        ours = self._ours()
        yield Batch(mentions=[*self.there.customers.values(), *ours], cursor={"n": len(ours)})

    def _ours(self) -> list[Mention]:
        return [
            Mention(
                id=id,
                kind=Kind.COMMENT,
                text=text,
                thread_id=to,
                parent_id=to,
                ours=True,
                created_at=self.there.clock(),
            )
            for id, to, text in self.there.replies
        ]

    async def reread(self, mention: Mention) -> list[Mention]:
        self.there.on_reread()
        if mention.id not in self.there.customers:
            raise NotThere("It is gone.")
        below = [each for each in self.there.customers.values() if each.thread_id == mention.id]
        return [
            self.there.customers[mention.id],
            *below,
            *(each for each in self._ours() if each.parent_id == mention.id),
        ]

    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        self.there.on_reply(mention.id, text)
        self.context.leaving()
        posted = self.there.keys.get(key) or self.there.post(mention.id, text)
        if self.there.capabilities.idempotent_reply:
            self.there.keys[key] = posted
        self.there.after_reply()
        return posted

    async def private_reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        return await self.reply(mention, text, key)

    async def find_reply(self, mention: Mention, text: str, since: datetime) -> PostedReply | None:
        since -= timedelta(minutes=5)
        there = [id for id, to, said in self.there.replies if (to, said) == (mention.id, text)]
        found = [id for id in there if self.there.times[id] >= since]
        self.there.after_find()
        return PostedReply(id=found[0], text=text, visible=self.there.visible) if found else None


def load_memory(source: SourceConfig) -> tuple[type[Memory], MemorySettings]:
    """Stands in for `reviewdesk.plugins.load_source`."""
    return Memory, MemorySettings()


def config_with(folder: Path, *sources: str, more: str = "") -> Config:
    """Gives a configuration with memory sources of these ids."""
    tables = "".join(f'[[source]]\nid = "{id}"\nconnector = "memory"\n' for id in sources)
    path = folder / "reviewdesk.toml"
    path.write_text(f'[shop]\nname = "Obchod"\n[desk]\nagent = "jana"\nundo_seconds = 10\n{more}\n{tables}')
    return load(path, db=folder / "desk.db", environ={})


def registered(store: Store, id: str, capabilities: Capabilities) -> None:
    """Makes a source known as a poll would."""
    store.sources.register(id, "memory", "Memory", msgspec.to_builtins(capabilities))
