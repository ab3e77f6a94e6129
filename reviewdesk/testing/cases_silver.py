"""Silver: it keeps its manners under faults."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

import msgspec

from reviewdesk.errors import AuthFailed, BadAnswer, ConnectorError, RateLimited, Unreachable
from reviewdesk.sandbox import CannotPlay, Emulator, FaultKind
from reviewdesk.testing.bench import Bench, Broken, Idle
from reviewdesk.testing.checks import keeps
from reviewdesk.testing.wire import Asked, Change, Sent, stranger
from reviewdesk.text import safe, same_text

ENOUGH = 150
"""Requests after which pages that lead back to themselves stop answering."""
PADDING = 32 << 20
PROMPT = 2.0
"""Seconds of real time within which a cancelled poll has ended."""
CONTROLS = ("\x00", "\x1b[31mred\x1b]0;title\x07", "\x08\x7f\x9b", "\u202egnitirw\u202c", "\ufeff\u2028")
VICTIM = "The text that will be spoiled."


# -- pages -------------------------------------------------------------------------------------------------------------


@keeps("same-page-twice")
async def same_page_twice(bench: Bench) -> None:
    """Answers the second request of each list with its first page once more."""
    bench.renew(page_size=3)
    bench.write_some(9)
    first: dict[str, tuple[str, Sent]] = {}
    repeated: set[str] = set()

    def repeat(asked: Asked, sent: Sent) -> Sent:
        if not asked.reads or sent.status != 200:
            return sent
        query, page = first.setdefault(asked.key, (asked.query, sent))
        if asked.query == query or asked.key in repeated:
            return sent
        repeated.add(asked.key)
        return page

    bench.wire.changes = [repeat]
    # It may take the page for a circle and give up for this time; what counts is that nothing is lost.
    await bench.poll()
    bench.mend()
    await bench.everything_arrives(why="After a page came twice")


@keeps("pages-in-a-circle")
async def pages_in_a_circle(bench: Bench) -> None:
    """Answers every request of a list with its first page."""
    bench.renew(page_size=3)
    bench.write_some(9)
    first: dict[str, Sent] = {}

    def circle(asked: Asked, sent: Sent) -> Sent:
        if len(bench.asked) > ENOUGH:
            return Sent(status=500, headers={}, body=b"")
        return first.setdefault(asked.key, sent) if asked.reads and sent.status == 200 else sent

    bench.wire.changes = [circle]
    result = await bench.poll()
    bench.expect(
        len(bench.asked) <= ENOUGH, f"Each page led back to the first one, and it asked {len(bench.asked)} times."
    )
    bench.expect(
        not result.gone, f"Pages led back to themselves, and texts were told as gone: {sorted(result.gone)[:3]}."
    )


@keeps("shrinking-page")
async def shrinking_page(bench: Bench) -> None:
    """Lets a text vanish as soon as its page was read."""
    if type(bench.emulator).delete is Emulator.delete:
        raise CannotPlay("delete")
    bench.renew(page_size=3)
    bench.write_some(9)
    deleted: set[str] = set()

    def shrink(asked: Asked, sent: Sent) -> Sent:
        if not deleted:
            there = [id for id, words in bench.written.items() if words.text.encode() in sent.body]
            if there:
                deleted.add(there[len(there) // 2])
                bench.emulator.delete(there[len(there) // 2])
        return sent

    bench.wire.changes = [shrink]
    await bench.polled()
    # What slipped through may still be on the first page, where the next poll would find it by chance.
    bench.write_some(4, "late text")
    await bench.everything_arrives(but=deleted, why="After a text vanished while the next page was asked for")


# -- answers that are no pages -----------------------------------------------------------------------------------------


@keeps("rate-limit-seconds")
async def rate_limit_seconds(bench: Bench) -> None:
    """Answers 429 with Retry-After in seconds."""
    await _rate_limit(bench, lambda now: "1234", 1234)


@keeps("rate-limit-date")
async def rate_limit_date(bench: Bench) -> None:
    """Answers 429 with Retry-After as a date."""
    await _rate_limit(bench, lambda now: format_datetime(now + timedelta(seconds=1800), usegmt=True), 1800)


@keeps("rate-limit-silent")
async def rate_limit_silent(bench: Bench) -> None:
    """Answers 429 and nothing else."""
    await _rate_limit(bench, lambda now: "", None)


async def _rate_limit(bench: Bench, header: Callable[[datetime], str], seconds: int | None) -> None:
    await bench.learn()
    bench.write_some(2)
    told: list[datetime] = []

    def refuse(asked: Asked, sent: Sent) -> Sent:
        now = bench.clock()
        value = header(now)
        told.append(now)
        return Sent(status=429, headers={"retry-after": value} if value else {}, body=b"Too many requests.")

    bench.wire.changes = [refuse]
    error = await bench.fails(RateLimited, when="After 429")
    until = error.until if isinstance(error, RateLimited) else None
    if seconds is None:
        bench.expect(until is None, f"Nobody said how long to wait, and the error says until {until}.")
    else:
        apart = abs((until - told[-1]).total_seconds() - seconds) if until else None
        bench.expect(
            apart is not None and apart <= 2, f"The wait was {seconds} seconds from {told[-1]}, the error says {until}."
        )
    bench.mend()
    bench.clock.forward(timedelta(hours=1))
    await bench.everything_arrives(why="After the platform wanted quiet")


@keeps("error-in-200")
async def error_in_200(bench: Bench) -> None:
    """Puts an error document of the same type in the place of each answer."""
    await bench.learn()
    bench.write_some(2)
    await _replaced(bench, _error_document, "When answers with status 200 hold an error")


def _error_document(asked: Asked, sent: Sent) -> Sent:
    if sent.status != 200 or not asked.reads:
        return sent
    if sent.is_json:
        body = b'{"error": {"code": 1, "message": "An unknown error has occurred."}}'
    elif "xml" in sent.type or sent.body.lstrip().startswith(b"<?xml"):
        body = b'<?xml version="1.0" encoding="UTF-8"?>\n<error><message>An unknown error.</message></error>'
    else:
        body = b"ERROR: an unknown error has occurred\n"
    return Sent(status=200, headers={**sent.headers}, body=body)


async def _replaced(bench: Bench, change: Change, when: str) -> ConnectorError:
    bench.wire.changes = [change]
    error = await bench.fails(ConnectorError, when=when)
    bench.mend()
    await bench.everything_arrives(why=f"{when} and was well again")
    return error


@keeps("oversized-body")
async def oversized_body(bench: Bench) -> None:
    """Pads each answer with blanks that compress to next to nothing."""
    await bench.learn()
    bench.write_some(2)
    padded: dict[bytes, bytes] = {}

    def pad(asked: Asked, sent: Sent) -> Sent:
        if sent.status != 200 or not asked.reads:
            return sent
        if sent.body not in padded:
            padded[sent.body] = gzip.compress(sent.body + b" " * PADDING, compresslevel=1)
        return Sent(status=200, headers={**sent.headers, "content-encoding": "gzip"}, body=padded[sent.body])

    await _replaced(bench, pad, f"When an answer grows to {PADDING >> 20} MB")


@keeps("cut-body")
async def cut_body(bench: Bench) -> None:
    """Breaks every connection in the middle of the answer."""
    match = await bench.learn()
    bench.write_some(2)
    bench.fault(FaultKind.CUT, match=match)
    await bench.fails(Unreachable, BadAnswer, when="When answers break off")
    bench.mend()
    await bench.everything_arrives(why="After answers broke off")


@keeps("login-page")
async def login_page(bench: Bench) -> None:
    """Gives a web page in the place of data, after texts were read."""
    match = await bench.learn()
    bench.write_some(2)
    await bench.polled()
    bench.write_some(2, "late text")
    bench.clock.forward(timedelta(hours=25))
    bench.fault(FaultKind.LOGIN_PAGE, match=match)
    await bench.fails(ConnectorError, when="When a login page comes in the place of data")
    bench.mend()
    await bench.everything_arrives(why="After a login page came in the place of data")


# -- texts and items ---------------------------------------------------------------------------------------------------


@keeps("control-characters")
async def control_characters(bench: Bench) -> None:
    """Lets people write what no terminal should be shown."""
    bench.write_some(2)
    texts = [bench.write(f"Control {number}: {text} end") for number, text in enumerate(CONTROLS)]
    bench.write_some(1, "late text")
    await bench.settle(lambda: all(bench.by_text(f"Control {number}:") for number in range(len(CONTROLS))))
    for number, text in enumerate(CONTROLS):
        found = bench.by_text(f"Control {number}:")
        bench.expect(found, f"The text with {text!r} in it did not arrive.")
    await bench.everything_arrives(but=texts, why="Among texts with control characters")


@keeps("long-texts")
async def long_texts(bench: Bench) -> None:
    """Lets somebody write 10,000 characters."""
    sentence = "Čekám už třetí týden. "
    text = ("Long: " + sentence * 500)[:9992] + " the end"
    bench.write(text)
    await bench.settle(lambda: bench.by_text("Long:"))
    found = bench.by_text("Long:")
    told = found.mention.text if found else ""
    bench.expect(same_text(told, safe(text)), f"Of {len(text)} characters {len(told)} arrived: …{told[-20:]!r}.")


@keeps("poisonous-item")
async def poisonous_item(bench: Bench) -> None:
    """Spoils one of five items."""
    bench.write_some(2)
    spoiled = spoiling(bench)
    bench.write_some(2, "late text")
    result = await bench.polled()
    if not spoiled():
        raise CannotPlay("poison")
    bench.expect(result.set_aside, "The item that cannot be read was not set aside.")
    silent = [each for each in result.set_aside if not each.reason.strip() or not each.raw]
    bench.expect(not silent, "An item was set aside without its reason or its payload.")
    await bench.everything_arrives(why="Beside an item that cannot be read")
    bench.write_some(2, "later text")
    await bench.everything_arrives(why="After an item that cannot be read")


def spoiling(bench: Bench) -> Callable[[], bool]:
    """Lets one item be unreadable: by the emulator where it can, else on the wire; gives whether it came about."""
    if type(bench.emulator).poison is not Emulator.poison:
        bench.emulator.poison()
        return lambda: True
    victim = bench.write(VICTIM)
    del bench.written[victim]
    done: list[bool] = []

    def spoil(asked: Asked, sent: Sent) -> Sent:
        if not sent.is_json or VICTIM.encode() not in sent.body:
            return sent
        tree = json.loads(sent.body)
        done.append(_spoil(tree))
        return Sent(status=sent.status, headers=sent.headers, body=json.dumps(tree).encode())

    bench.wire.changes = [spoil]
    return lambda: any(done)


def _spoil(tree: Any) -> bool:
    """Makes every plain value of the innermost listed object with the victim's text a list, in place."""
    if isinstance(tree, list):
        for number, item in enumerate(tree):
            if VICTIM in json.dumps(item):
                if not _spoil(item):
                    tree[number] = _twisted(item)
                return True
    if isinstance(tree, dict):
        return any(_spoil(value) for value in tree.values())
    return False


def mended(payload: str) -> str | None:
    """Gives the payload of an item that `spoiling` has spoiled on the wire as it was; None of any other."""
    if VICTIM not in payload:
        return None
    try:
        return json.dumps(_straight(json.loads(payload)))
    except ValueError:
        return None


def _straight(value: Any) -> Any:
    match value:
        case dict():
            return {name: _straight(each) for name, each in value.items()}
        case [each]:
            return each
    return value


def _twisted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _twisted(each) for name, each in value.items()}
    return [value]


# -- credentials and other hosts ---------------------------------------------------------------------------------------


@keeps("token-dies")
async def token_dies(bench: Bench) -> None:
    """Lets the credential die after the first answer, and before it where there is but one."""
    if not bench.emulator.secrets():
        raise Idle("the platform wants no credential")
    match = await bench.learn()
    bench.renew(page_size=3)
    bench.write_some(9)
    bench.fault(FaultKind.EXPIRED_TOKEN, match=match, after=1)
    result = await bench.poll()
    struck = len([asked for asked in bench.asked if asked.reads or not match]) > 1
    when = "When the credential dies in mid-run"
    if struck:
        bench.expect(result.error, f"{when} the poll came to its end as if all were well.")
        bench.expect(isinstance(result.error, AuthFailed), f"{when} it raised {type(result.error).__name__}.")
    bench.mend()
    bench.renew()
    bench.write_some(2)
    bench.fault(FaultKind.EXPIRED_TOKEN, match=match)
    await bench.fails(AuthFailed, when="When the credential is dead")


@keeps("secrets-stay-home")
async def secrets_stay_home(bench: Bench) -> None:
    """Searches for the credentials in everything that was said and stored, while all is well and under faults."""
    values = [value for value in bench.emulator.secrets().values() if len(value) >= 4]
    if not values:
        raise Idle("the platform wants no credential")
    said: list[str] = []
    bench.renew(page_size=3)
    bench.write_some(7)
    await bench.polled()
    for kind in (FaultKind.EXPIRED_TOKEN, FaultKind.LOGIN_PAGE, FaultKind.SERVER_ERROR, FaultKind.CUT):
        bench.clock.forward(timedelta(hours=25))
        bench.fault(kind)
        result = await bench.poll()
        said += [f"{result.error} {result.error!r}"] if result.error else []
        async with bench.connected() as connector:
            said += [f"{finding.sentence} {finding.hint}" for finding in await connector.check()]
        bench.mend()
    stored = b"".join(file.read_bytes() for file in sorted(bench.folder.rglob("*")) if file.is_file())
    for value in values:
        for form in {value, quote(value, safe="")}:
            leak = next((line for line in bench.log.lines if form in line), None)
            bench.expect(leak is None, f"A secret stands in the log: {(leak or '').replace(form, '…')[:160]!r}.")
            leak = next((line for line in said if form in line), None)
            bench.expect(
                leak is None, f"A secret stands in an error or finding: {(leak or '').replace(form, '…')[:160]!r}."
            )
            bench.expect(form.encode() not in stored, "A secret stands in the database or in a file of the source's.")


@keeps("foreign-links")
async def foreign_links(bench: Bench) -> None:
    """Leads every link in the answers, and then every answer, to another host."""
    bench.renew(page_size=3)
    bench.write_some(7)
    other, running = stranger()
    other.requests.clear()
    own = re.compile(re.escape(bench.base).replace("/", r"\\?/").encode())
    anywhere = re.compile(rb'https?:(?:\\?/){2}[^/"\\<> ]+')

    def lead_away(asked: Asked, sent: Sent) -> Sent:
        links = anywhere if sent.is_json else own
        headers = {name: value.replace(bench.base, running.base) for name, value in sent.headers.items()}
        return Sent(status=sent.status, headers=headers, body=links.sub(running.base.encode(), sent.body))

    def redirect(asked: Asked, sent: Sent) -> Sent:
        return Sent(status=302, headers={"location": f"{running.base}{asked.path}?{asked.query}"}, body=b"")

    for change, what in ((lead_away, "A link"), (redirect, "A redirect")):
        bench.wire.changes = [change]
        await bench.poll()
        bench.expect(not other.requests, f"{what} to another host was followed.")


# -- interrupted polls -------------------------------------------------------------------------------------------------


@keeps("cancelled")
async def cancelled(bench: Bench) -> None:
    """Cancels a poll that waits for an answer."""
    match = await bench.learn()
    bench.write_some(2)
    bench.fault(FaultKind.SLOW, match=match, seconds=PROMPT * 1.5)
    bench.asked.clear()
    poll = asyncio.create_task(bench.poll())
    until = time.monotonic() + PROMPT
    # The request arrives in the server's thread; the bench's sleep gives way and takes no time.
    while time.monotonic() < until and not any(asked.reads or not match for asked in bench.asked):  # noqa: ASYNC110 - as it looks
        await asyncio.sleep(0)
    poll.cancel()
    done, _ = await asyncio.wait({poll}, timeout=PROMPT)
    bench.mend()
    if not done:
        raise Broken(f"It was cancelled, and went on for more than {PROMPT:.0f} seconds.")
    bench.expect(poll.cancelled(), "It was cancelled, and came to its end as if it had not been.")


@keeps("resumes")
async def resumes(bench: Bench) -> None:
    """Stops a poll after each batch, at the first poll and at a later one, and goes on from the stored cursor."""
    for earlier in (0, 4):
        stop_after, more = 1, True
        while more and stop_after <= 12:
            bench.renew(page_size=3)
            if earlier:
                bench.write_some(earlier, "early text")
                await bench.polled()
            bench.write_some(8)
            result = await bench.poll(batches=stop_after)
            more = len(result.batches) == stop_after
            msgspec.json.encode(bench.cursor())
            bench.write_some(2, "late text")
            await bench.everything_arrives(why=f"After a poll was killed behind its batch {stop_after}")
            stop_after += 1
