"""Gold: it replies safely."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from reviewdesk.connector import Connector, ReplyMode
from reviewdesk.errors import ConnectorError, NotThere, OutcomeUnknown, Refused, Unreachable
from reviewdesk.model import Mention
from reviewdesk.sandbox import CannotPlay, CustomerText, Fault, FaultKind
from reviewdesk.testing.bench import SOURCE, Bench, Broken, Idle
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


async def _replied(bench: Bench, connector: Connector[Any], mention: Mention) -> None:
    """Replies, by the API or by hand."""
    if connector.capabilities.reply is ReplyMode.API:
        await connector.reply(mention, REPLY, "bench-key-1")
    else:
        bench.emulator.hand_off(mention.id, REPLY)


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
        await _replied(bench, connector, mention)
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
        await _replied(bench, connector, mention)
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


# -- on its way out ----------------------------------------------------------------------------------------------------


@keeps("leaves-in-time")
async def leaves_in_time(bench: Bench) -> None:
    """Says that it is too late as soon as the desk is asked; then looks when the desk was asked."""
    async with _customers(bench) as (connector, late, early):
        _by_api(connector)
        connector.context.leaving = _too_late
        when = "After the desk said that it is too late"
        try:
            await connector.reply(late, REPLY, "bench-key-1")
        except Unreachable:
            told = ""
        except ConnectorError as error:
            told = f"{when} it raised {type(error).__name__}: {error}"
        else:
            told = "The desk was not asked before the reply left, or not heard."
        bench.expect(not _standing(bench, REPLY), f"{when} the reply stands on the platform.")
        bench.expect(not told, told)
        looks: list[int] = []
        connector.context.leaving = lambda: looks.append(len(bench.asked))
        bench.asked.clear()
        await connector.reply(early, SECOND, "bench-key-2")
        bench.expect(
            looks and not any(asked.reads for asked in bench.asked[looks[-1] :][:1]),
            "Between the last question to the desk and the request that writes there was another request.",
        )


def _too_late() -> None:
    raise Unreachable("The bench has slept.")


@keeps("key-posts-once")
async def key_posts_once(bench: Bench) -> None:
    """Sends a reply twice with one key."""
    async with _customers(bench) as (connector, mention, _):
        _by_api(connector)
        if not connector.capabilities.idempotent_reply:
            raise Idle("it declares no `idempotent_reply`")
        await connector.reply(mention, REPLY, "bench-key-1")
        before = _standing(bench, REPLY)
        again = await connector.reply(mention, REPLY, "bench-key-1")
        more = _standing(bench, REPLY) - before
        bench.expect(not more, "A reply was sent once more with the same key, and stands on the platform once more.")
        bench.expect(again.id, "At the second time the reply's id was not given.")


# -- the thread, just before -------------------------------------------------------------------------------------------


async def _reread(bench: Bench, connector: Connector[Any], mention: Mention) -> Sequence[Mention]:
    """Reads a thread again, as the desk does before a reply."""
    if not connector.capabilities.reread:
        raise Idle("it cannot read a thread again")
    found = await connector.reread(mention)
    ids = [each.id for each in found]
    bench.expect(mention.id in ids, f"{mention.id!r} was read again, and only {ids[:3]} came.")
    return found


@keeps("reread-as-polled")
async def reread_as_polled(bench: Bench) -> None:
    """Replies, polls, and reads the thread again, in which nothing has changed."""
    async with _customers(bench) as (connector, mention, _):
        if not connector.capabilities.reread:
            raise Idle("it cannot read a thread again")
        if connector.capabilities.reply is not ReplyMode.NONE:
            bench.clock.forward(timedelta(minutes=1))
            await _replied(bench, connector, mention)
    bench.clock.forward(timedelta(minutes=1))
    await bench.settle(lambda: False)
    async with bench.connected() as connector:
        found = await _reread(bench, connector, mention)
    strangers = [each.id for each in found if each.id not in bench.seen]
    bench.expect(not strangers, f"These ids were in no poll: {strangers[:3]}.")
    before = {each.id: bench.store.mentions.find(SOURCE, each.id) for each in found}
    bench.store.mentions.ingest(SOURCE, found)
    for id, polled in before.items():
        now = bench.store.mentions.find(SOURCE, id)
        if polled is None or now is None:
            continue
        changed = [
            name
            for name in polled.mention.__struct_fields__
            if getattr(polled.mention, name) != getattr(now.mention, name)
        ]
        bench.expect(
            not changed, f"Nobody has changed {id!r}, and read again it came with another {', '.join(changed)}."
        )


@keeps("reread-sees-news")
async def reread_sees_news(bench: Bench) -> None:
    """Changes the text and goes on after the reply, as far as customers can do so there, and reads the thread again."""
    async with _customers(bench) as (connector, mention, _):
        if not connector.capabilities.reread:
            raise Idle("it cannot read a thread again")
        edited = "The bench has changed its mind."
        wanted: list[str] = []
        with suppress(CannotPlay):
            bench.emulator.edit(mention.id, edited)
            wanted.append(edited)
        if connector.capabilities.reply is not ReplyMode.NONE:
            await _replied(bench, connector, mention)
            wanted.append(REPLY)
            words = CustomerText(author="Jana Testová", text="The bench goes on.", language="en")
            standing = next(reply for reply in bench.emulator.shop_replies() if same_text(reply.text, REPLY))
            bench.clock.forward(timedelta(seconds=5))
            if bench.emulator.answer(standing, words) is not None:
                wanted.append(words.text)
        found = await _reread(bench, connector, mention)
        for text in wanted:
            bench.expect(
                any(same_text(each.text, text) for each in found), f"Read again, the thread does not show {text!r}."
            )


@keeps("reread-gone")
async def reread_gone(bench: Bench) -> None:
    """Reads what was deleted again, and what stands there while nobody answers or a login page does."""
    async with _customers(bench) as (connector, gone, there):
        await _reread(bench, connector, there)
        bench.emulator.delete(gone.id)
        try:
            await connector.reread(gone)
        except NotThere:
            told = ""
        except ConnectorError as error:
            told = f"After a text was deleted it raised {type(error).__name__}: {error} It should be NotThere."
        else:
            told = "After a text was deleted it was read again as if it were there."
        bench.expect(not told, told)
        for kind, when in (
            (FaultKind.DROPPED, "When nobody answers"),
            (FaultKind.LOGIN_PAGE, "When a login page comes"),
        ):
            bench.fault(kind)
            try:
                await connector.reread(there)
            except NotThere:
                told = f"{when} a text that stands there was told as gone."
            except ConnectorError:
                told = ""
            else:
                told = f"{when} a thread was read again as if all were well."
            bench.mend()
            bench.expect(not told, told)
