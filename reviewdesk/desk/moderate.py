"""What is done at once on a platform, with a person waiting: hide, like, and change or delete a reply of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from reviewdesk.config import Config
from reviewdesk.connector import Connector
from reviewdesk.desk.connecting import blamed, connected
from reviewdesk.desk.delivery import require
from reviewdesk.errors import NotAllowed
from reviewdesk.model import DeliveryState, PostedReply
from reviewdesk.store.db import Store
from reviewdesk.store.records import Reply, Stored


async def hide(config: Config, store: Store, agent: str, id: int, hidden: bool) -> None:
    """Hides a mention from the public, or shows it again.

    Raises:
        NotAllowed: the platform has no such function, or not for this mention.
        ConnectorError: the platform said no, or is out of reach.
    """
    stored = store.mentions.get(id)
    _require(stored.mention.can_hide is not False, "The platform does not let this mention be hidden.")
    async with _able(config, store, stored, "hide", "hide mentions") as connector:
        await connector.hide(stored.mention, hidden)
    store.mentions.change([id], {"hidden": int(hidden)}, agent=agent, what="hidden" if hidden else "shown again")


async def like(config: Config, store: Store, agent: str, id: int, liked: bool) -> None:
    """Likes a mention as the shop, or takes that back. Errors as in `hide`."""
    stored = store.mentions.get(id)
    _require(stored.mention.can_like is not False, "The platform does not let this mention be liked.")
    async with _able(config, store, stored, "like", "like mentions") as connector:
        await connector.like(stored.mention, liked)
    store.mentions.change([id], {"liked": int(liked)}, agent=agent, what="liked" if liked else "like taken back")


async def edit_reply(config: Config, store: Store, agent: str, id: int, text: str) -> None:
    """Changes the text of a reply of ours that stands on its platform.

    Raises:
        NotAllowed: it does not stand there, the text is empty, or the platform cannot edit.
        ConnectorError: the platform said no, or is out of reach; editing again is harmless.
    """
    _require(bool(text.strip()), "The new text is empty.", hint="To take the reply away: reviewdesk delete-reply.")
    reply, stored = _standing(store, id)
    async with _able(config, store, stored, "edit_reply", "edit replies") as connector:
        changed = await connector.edit_reply(_posted(reply), text)
    store.outbox.move(reply, reply.state, agent=agent, remote_text=changed.text or text)
    store.people.log("reply edited", agent=agent, mention=reply.mention_id, source=stored.source)


async def delete_reply(config: Config, store: Store, agent: str, id: int) -> None:
    """Deletes a reply of ours from its platform. Errors as in `edit_reply`."""
    reply, stored = _standing(store, id)
    async with _able(config, store, stored, "delete_reply", "delete replies") as connector:
        await connector.delete_reply(_posted(reply))
    store.outbox.move(reply, require(reply.state, DeliveryState.WITHDRAWN), agent=agent)


@asynccontextmanager
async def _able(config: Config, store: Store, stored: Stored, ability: str, what: str) -> AsyncIterator[Connector[Any]]:
    """Opens the connector of a mention's source for a block that asks one thing of it; its faults are its own.

    Args:
        ability: the capability that is needed.
        what: what it is, for the sentence where it is missing.
    """
    async with connected(config, config.source(stored.source), clock=store.clock) as connector:
        able = bool(getattr(connector.capabilities, ability))
        _require(able, f"{connector.title} cannot {what}.", hint="Do it on the platform's own page.")
        with blamed(stored.connector):
            yield connector


def _standing(store: Store, id: int) -> tuple[Reply, Stored]:
    reply = store.outbox.get(id)
    _require(
        reply.state in (DeliveryState.POSTED, DeliveryState.VISIBLE) and bool(reply.remote_id),
        f"Reply {id} does not stand on its platform; it is {reply.state.value.replace('_', ' ')}.",
        hint="`reviewdesk outbox` shows what can be done with it.",
    )
    return reply, store.mentions.get(reply.mention_id)


def _posted(reply: Reply) -> PostedReply:
    return PostedReply(id=reply.remote_id, posted_at=reply.posted_at, text=reply.remote_text, url=reply.remote_url)


def _require(allowed: bool, otherwise: str, *, hint: str = "") -> None:
    if not allowed:
        raise NotAllowed(otherwise, hint=hint)
