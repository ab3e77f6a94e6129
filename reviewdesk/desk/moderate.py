"""What is done at once on a platform, with a person waiting: hide, like, and change or delete a reply of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from reviewdesk.config import Config
from reviewdesk.connector import Connector
from reviewdesk.desk.apart import Task, apart
from reviewdesk.desk.border import checked_reply, text_of
from reviewdesk.desk.connecting import blamed, connected
from reviewdesk.desk.delivery import THERE, require
from reviewdesk.desk.respond import Respond, reopen_unanswered
from reviewdesk.errors import NotAllowed, Unreachable
from reviewdesk.model import DeliveryState, Level, PostedReply, Record
from reviewdesk.plugins import foreign_among
from reviewdesk.replies.checks import check_reply
from reviewdesk.store.db import Store
from reviewdesk.store.records import Reply

_LONGEST = 120.0
_GRACE = 15.0
"""Seconds that a process of its own has beyond that, for its start and its end."""

Doing = Callable[[str], None]


_MARKS = {"hide": ("hidden", "shown again"), "like": ("liked", "like taken back")}
"""What the log says of a mark on a mention that is put and taken off; the first is the column that keeps it, too."""


class Deed(Record, frozen=True, kw_only=True):
    """What is to be done.

    Attributes:
        agent: who does it.
        id: the number of the mention, or of the reply.
        on: False takes a like back and shows what was hidden.
        text: the new one of a reply.
    """

    what: Literal["hide", "like", "edit_reply", "delete_reply"]
    agent: str
    id: int
    on: bool = True
    text: str = ""


async def hide(config: Config, store: Store, agent: str, id: int, hidden: bool) -> None:
    """Hides a mention from the public, or shows it again.

    Raises:
        NotAllowed: the platform has no such function, or not for this mention.
        ConnectorError: the platform said no, or is out of reach.
        PluginError: the connector fails or hangs; doing it again is harmless.
    """
    await _do(config, store, Deed(what="hide", agent=agent, id=id, on=hidden))


async def like(config: Config, store: Store, agent: str, id: int, liked: bool) -> None:
    """Likes a mention as the shop, or takes that back. Errors as in `hide`."""
    await _do(config, store, Deed(what="like", agent=agent, id=id, on=liked))


async def edit_reply(config: Config, store: Store, agent: str, id: int, text: str) -> None:
    """Changes the text of a reply of ours that stands on its platform.

    Raises:
        NotAllowed: it does not stand there, the text is none that could be sent, or the platform cannot edit.
        ConnectorError: the platform said no, or is out of reach; editing again is harmless.
        PluginError: as in `hide`.
    """
    if not text.strip():
        raise NotAllowed("The new text is empty.", hint="To take the reply away: reviewdesk delete-reply.")
    limit, unit = Respond(store, agent, config).reply_limit(_standing(store, id).mention_id)
    for problem in check_reply(text, limit=limit, unit=unit):
        if problem.level is Level.FAULT:
            raise NotAllowed(problem.sentence)
    await _do(config, store, Deed(what="edit_reply", agent=agent, id=id, text=text))


async def delete_reply(config: Config, store: Store, agent: str, id: int) -> None:
    """Deletes a reply of ours from its platform. Errors as in `edit_reply`."""
    await _do(config, store, Deed(what="delete_reply", agent=agent, id=id))


async def _do(config: Config, store: Store, deed: Deed) -> None:
    """Does it here, or through a third party's connector in a process of its own."""
    mention = _standing(store, deed.id).mention_id if deed.what in ("edit_reply", "delete_reply") else deed.id
    source = config.source(store.mentions.get(mention).source)
    if not foreign_among([source]):
        await do_here(config, store, deed)
        return
    task = Task.of(config, source, "moderate", more=deed)
    await apart(task, object, lambda told: None, connector=source.connector, longest=_LONGEST + _GRACE)


async def do_here(config: Config, store: Store, deed: Deed, *, doing: Doing = lambda what: None) -> None:
    """Does it in this process; errors as in the function of its name.

    Args:
        doing: is called with what the connector's code is at, "" while the desk's own code works.
    """
    do = {"hide": _mark, "like": _mark, "edit_reply": _edit_reply, "delete_reply": _delete_reply}[deed.what]
    await do(config, store, deed, doing)


async def _mark(config: Config, store: Store, deed: Deed, doing: Doing) -> None:
    """Hides or likes a mention, or takes that back."""
    marked, unmarked = _MARKS[deed.what]
    stored = store.mentions.get(deed.id)
    if getattr(stored.mention, f"can_{deed.what}") is False:
        raise NotAllowed(f"The platform does not let this mention be {marked}.")
    async with _asked(config, store, stored.source, doing, deed.what, f"{deed.what} mentions") as connector:
        await getattr(connector, deed.what)(stored.mention, deed.on)
    what = marked if deed.on else unmarked
    store.mentions.change([deed.id], {marked: int(deed.on)}, agent=deed.agent, what=what)


async def _edit_reply(config: Config, store: Store, deed: Deed, doing: Doing) -> None:
    reply = _standing(store, deed.id)
    source = store.mentions.get(reply.mention_id).source
    async with _asked(config, store, source, doing, "edit_reply", "edit replies") as connector:
        changed = checked_reply(await connector.edit_reply(_posted(reply), deed.text))
    with store.transaction():
        now = store.outbox.get(deed.id)
        store.outbox.move(now, now.state, agent=deed.agent, remote_text=changed.text or deed.text)
        store.people.log("reply edited", agent=deed.agent, mention=reply.mention_id, source=source)


async def _delete_reply(config: Config, store: Store, deed: Deed, doing: Doing) -> None:
    reply = _standing(store, deed.id)
    source = store.mentions.get(reply.mention_id).source
    async with _asked(config, store, source, doing, "delete_reply", "delete replies") as connector:
        await connector.delete_reply(_posted(reply))
    with store.transaction():
        now = store.outbox.get(deed.id)
        if now.state is not DeliveryState.WITHDRAWN:
            store.outbox.move(now, require(now.state, DeliveryState.WITHDRAWN), agent=deed.agent)
        reopen_unanswered(store, reply, deed.agent)


@asynccontextmanager
async def _asked(
    config: Config, store: Store, id: str, doing: Doing, capability: str, what: str
) -> AsyncIterator[Connector[Any]]:
    """Gives a source's connector, which has the block's time and takes the blame for what the block raises."""
    source = config.source(id)
    async with connected(config, source, clock=store.clock, doing=doing) as connector:
        if not getattr(connector.capabilities, capability):
            title = text_of(connector.title, source.connector)
            raise NotAllowed(f"{title} cannot {what}.", hint="Do it on the platform's own page.")
        doing(f"it is to {what}")
        try:
            async with asyncio.timeout(_LONGEST):
                with blamed(source.connector):
                    yield connector
        except TimeoutError:
            raise Unreachable(
                f"The platform did not answer within {_LONGEST:g} s.", hint="Doing it again is harmless."
            ) from None
        finally:
            doing("")


def _standing(store: Store, id: int) -> Reply:
    reply = store.outbox.get(id)
    if reply.state not in THERE or not reply.remote_id:
        raise NotAllowed(
            f"Reply {id} does not stand on its platform; it is {reply.state.words}.",
            hint="`reviewdesk outbox` shows what can be done with it.",
        )
    return reply


def _posted(reply: Reply) -> PostedReply:
    return PostedReply(id=reply.remote_id, posted_at=reply.posted_at, text=reply.remote_text, url=reply.remote_url)
