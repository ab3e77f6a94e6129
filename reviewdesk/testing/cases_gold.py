"""Gold: it replies safely."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from reviewdesk.connector import Connector, ReplyMode
from reviewdesk.errors import ConnectorError, OutcomeUnknown, Refused
from reviewdesk.model import Mention
from reviewdesk.sandbox import Fault, FaultKind
from reviewdesk.testing.bench import Bench, Broken, Idle
from reviewdesk.testing.checks import keeps
from reviewdesk.text import same_text

REPLY = "Dobrý den, omlouváme se. The bench's own reply."
SECOND = "Dobrý den, děkujeme. The bench's second reply."


@asynccontextmanager
async def _customers(bench: Bench) -> AsyncIterator[tuple[Connector[Any], Mention, Mention]]:
    """Gives the open connector and two customers' mentions as they come from the store."""
    ids = bench.write_some(2)
    await bench.everything_arrives(why="At the first poll")
    found = [bench.by_text(bench.written[id].text) for id in ids]
    first, second = (each.mention for each in found if each is not None)
    async with bench.connected() as connector:
        yield connector, first, second


def _by_api(connector: Connector[Any]) -> None:
    if connector.capabilities.reply is not ReplyMode.API:
        raise Idle("it does not reply by API")


def _standing(bench: Bench, text: str) -> int:
    return sum(same_text(reply.text, text) for reply in bench.emulator.shop_replies())


@keeps("reply-once")
async def reply_once(bench: Bench) -> None:
    """Replies, and looks at what stands on the platform."""
    async with _customers(bench) as (connector, mention, _):
        _by_api(connector)
        posted = await connector.reply(mention, REPLY, "bench-key-1")
        standing = _standing(bench, REPLY)
        bench.expect(standing == 1, f"One reply was sent, and {standing} stand on the platform word for word.")
        bench.expect(posted.id, "The reply's id was not given.")


@keeps("own-replies")
async def own_replies(bench: Bench) -> None:
    """Replies, by the API or by hand, and looks at what later polls bring."""
    async with _customers(bench) as (connector, mention, _):
        if connector.capabilities.reply is ReplyMode.NONE:
            raise Idle("it cannot reply")
        if connector.capabilities.reply is ReplyMode.API:
            await connector.reply(mention, REPLY, "bench-key-1")
        else:
            bench.emulator.hand_off(mention.id, REPLY)
    bench.clock.forward(timedelta(minutes=1))
    await bench.settle(lambda: False)
    foreign = [each.mention.id for each in bench.stored() if same_text(each.mention.text, REPLY)]
    bench.expect(not foreign, f"The shop's own reply came back as a customer's: {foreign}.")


@keeps("answer-lost")
async def answer_lost(bench: Bench) -> None:
    """Lets a reply be posted and its answer be lost."""
    async with _customers(bench) as (connector, first, second):
        _by_api(connector)
        # The first reply shows which method writes, and gets a token where one is needed.
        bench.asked.clear()
        await connector.reply(first, REPLY, "bench-key-1")
        method = next((asked.method for asked in reversed(bench.asked) if not asked.reads), "POST")
        bench.emulator.faults.append(Fault(kind=FaultKind.LOST, match=f"{method} ", times=1))
        when = "After a reply whose answer was lost"
        try:
            await connector.reply(second, SECOND, "bench-key-2")
        except OutcomeUnknown:
            standing = _standing(bench, SECOND)
            bench.expect(standing <= 1, f"{when} {standing} of it stand on the platform.")
            return
        except ConnectorError as error:
            raise Broken(f"{when} it raised {type(error).__name__}: {error}") from None
        raise Broken(f"{when} it came to its end as if all were well.")


@keeps("reply-found")
async def reply_found(bench: Bench) -> None:
    """Looks for a reply that stands, and for one that was never posted."""
    async with _customers(bench) as (connector, mention, other):
        if not connector.capabilities.find_reply:
            raise Idle("it cannot look for replies")
        since = bench.clock()
        bench.clock.forward(timedelta(seconds=5))
        if connector.capabilities.reply is ReplyMode.API:
            await connector.reply(mention, REPLY, "bench-key-1")
        else:
            bench.emulator.hand_off(mention.id, REPLY)
        bench.clock.forward(timedelta(seconds=5))
        found = await connector.find_reply(mention, REPLY, since)
        bench.expect(found, "A reply that stands on the platform was not found.")
        never = await connector.find_reply(other, REPLY, since)
        bench.expect(not never, "A reply that was never posted under a text was found under it.")


@keeps("held-reply")
async def held_reply(bench: Bench) -> None:
    """Lets a reply wait for a moderator."""
    async with _customers(bench) as (connector, mention, _):
        _by_api(connector)
        if not connector.capabilities.moderated:
            raise Idle("replies are not moderated there")
        bench.emulator.hold_next()
        posted = await connector.reply(mention, REPLY, "bench-key-1")
        bench.expect(not posted.visible, "A reply that waits for a moderator was told as visible.")


@keeps("refused-reply")
async def refused_reply(bench: Bench) -> None:
    """Lets the platform refuse a reply with its own words."""
    async with _customers(bench) as (connector, mention, _):
        _by_api(connector)
        bench.emulator.refuse_next("The bench wants no links.")
        when = "After a reply was refused"
        try:
            await connector.reply(mention, REPLY, "bench-key-1")
        except Refused as error:
            bench.expect("wants no links" in str(error), f"{when} the error leaves out the platform's words: {error}")
            return
        except ConnectorError as error:
            raise Broken(f"{when} it raised {type(error).__name__}: {error}") from None
        raise Broken(f"{when} it came to its end as if all were well.")
