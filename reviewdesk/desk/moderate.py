"""What is done at once on a platform, with a person waiting: hide, like, and change or delete a reply of ours."""

from __future__ import annotations

from reviewdesk.config import Config
from reviewdesk.desk.connecting import blamed, connected
from reviewdesk.desk.delivery import require
from reviewdesk.errors import NotAllowed
from reviewdesk.model import DeliveryState, PostedReply
from reviewdesk.store.db import Store
from reviewdesk.store.records import Reply


async def hide(config: Config, store: Store, agent: str, id: int, hidden: bool) -> None:
    """Hides a mention from the public, or shows it again.

    Raises:
        NotAllowed: the platform has no such function, or not for this mention.
        ConnectorError: the platform said no, or is out of reach.
    """
    stored = store.mentions.get(id)
    if stored.mention.can_hide is False:
        raise NotAllowed("The platform does not let this mention be hidden.")
    async with connected(config, config.source(stored.source), clock=store.clock) as connector:
        _require(connector.capabilities.hide, connector.title, "hide mentions")
        with blamed(stored.connector):
            await connector.hide(stored.mention, hidden)
    store.mentions.change([id], {"hidden": int(hidden)}, agent=agent, what="hidden" if hidden else "shown again")


async def like(config: Config, store: Store, agent: str, id: int, liked: bool) -> None:
    """Likes a mention as the shop, or takes that back. Errors as in `hide`."""
    stored = store.mentions.get(id)
    if stored.mention.can_like is False:
        raise NotAllowed("The platform does not let this mention be liked.")
    async with connected(config, config.source(stored.source), clock=store.clock) as connector:
        _require(connector.capabilities.like, connector.title, "like mentions")
        with blamed(stored.connector):
            await connector.like(stored.mention, liked)
    store.mentions.change([id], {"liked": int(liked)}, agent=agent, what="liked" if liked else "like taken back")


async def edit_reply(config: Config, store: Store, agent: str, id: int, text: str) -> None:
    """Changes the text of a reply of ours that stands on its platform.

    Raises:
        NotAllowed: it does not stand there, the text is empty, or the platform cannot edit.
        ConnectorError: the platform said no, or is out of reach; editing again is harmless.
    """
    if not text.strip():
        raise NotAllowed("The new text is empty.", hint="To take the reply away: reviewdesk delete-reply.")
    reply, source = _standing(store, id)
    async with connected(config, config.source(source), clock=store.clock) as connector:
        _require(connector.capabilities.edit_reply, connector.title, "edit replies")
        with blamed(connector.platform):
            changed = await connector.edit_reply(_posted(reply), text)
    store.outbox.move(reply, reply.state, agent=agent, remote_text=changed.text or text)
    store.people.log("reply edited", agent=agent, mention=reply.mention_id, source=source)


async def delete_reply(config: Config, store: Store, agent: str, id: int) -> None:
    """Deletes a reply of ours from its platform. Errors as in `edit_reply`."""
    reply, source = _standing(store, id)
    async with connected(config, config.source(source), clock=store.clock) as connector:
        _require(connector.capabilities.delete_reply, connector.title, "delete replies")
        with blamed(connector.platform):
            await connector.delete_reply(_posted(reply))
    store.outbox.move(reply, require(reply.state, DeliveryState.WITHDRAWN), agent=agent)


def _standing(store: Store, id: int) -> tuple[Reply, str]:
    reply = store.outbox.get(id)
    if reply.state not in (DeliveryState.POSTED, DeliveryState.VISIBLE) or not reply.remote_id:
        raise NotAllowed(
            f"Reply {id} does not stand on its platform; it is {reply.state.value.replace('_', ' ')}.",
            hint="`reviewdesk outbox` shows what can be done with it.",
        )
    return reply, store.mentions.get(reply.mention_id).source


def _posted(reply: Reply) -> PostedReply:
    return PostedReply(id=reply.remote_id, posted_at=reply.posted_at, text=reply.remote_text, url=reply.remote_url)


def _require(able: bool, title: str, what: str) -> None:
    if not able:
        raise NotAllowed(f"{title} cannot {what}.", hint="Do it on the platform's own page.")
