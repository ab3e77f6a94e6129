"""Bronze: it reads right."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from reviewdesk.model import Mention
from reviewdesk.sandbox import CannotPlay, Emulator
from reviewdesk.testing.bench import Bench
from reviewdesk.testing.checks import keeps
from reviewdesk.text import safe, same_text

HOUR = timedelta(hours=1)
NOT_NAMED = ("None", "null", "undefined", "[]", "{}")
WORLD = (
    "Добрий день, посилка не прийшла. Где мой заказ?",
    "Z\u030ca\u0301dny\u0301 probl\u00e9m, v\u0161e dorazilo.",  # combined and precomposed
    "Perfekt 👍🏽 👨‍👩‍👧 🇨🇿",
    "\u05d4\u05d4\u05d6\u05de\u05e0\u05d4 \u05dc\u05d0 \u05d4\u05d2\u05d9\u05e2\u05d4",
    "Über Größe & Qualität: <b>nicht</b> 100% \"gut\" 'so'",
)
ODD_TIMES = ("", "never", "2026-02-30T25:61:00Z", "2026-03-01T08:00:00", "99999999999999999999", "-1")


@keeps("reads-what-is-written")
async def reads_what_is_written(bench: Bench) -> None:
    """Compares each part of a mention with what the customer wrote."""
    at = {}
    for stars in (1.0, 3.0, 5.0, 4.0, 2.0):
        id = bench.write(f"A text with {stars:.0f} stars of the bench.", author=f"Author{stars:.0f}", rating=stars)
        at[id] = bench.clock()
    await bench.everything_arrives(why="At the first poll")
    for id, words in bench.written.items():
        stored = bench.by_text(words.text)
        bench.expect(stored, f"{words.text!r} did not arrive.")
        if stored is None:
            return
        mention = stored.mention
        name = mention.author.name if mention.author else ""
        bench.expect(name == words.author, f"The author {words.author!r} arrived as {name!r}.")
        if mention.rating is not None:
            bench.expect(mention.rating == words.rating, f"{words.rating} stars of 5 arrived as {mention.rating}.")
        if mention.created_at is not None:
            apart = abs(mention.created_at - at[id])
            bench.expect(apart < timedelta(seconds=2), f"The time {at[id]} arrived as {mention.created_at}.")


@keeps("same-at-each-poll")
async def same_at_each_poll(bench: Bench) -> None:
    """Reads everything from the beginning twice, an hour apart."""
    bench.write_some(4)
    first = await _collected(bench)
    bench.clock.forward(HOUR)
    second = await _collected(bench)
    bench.expect(len(first) >= 4, f"The first poll brought {len(first)} of 4 texts.")
    strange = sorted(set(first) ^ set(second))
    bench.expect(not strange, f"Some ids were in one poll only: {strange[:3]}.")
    for id, mention in first.items():
        changed = [name for name in mention.__struct_fields__ if getattr(mention, name) != getattr(second[id], name)]
        bench.expect(not changed, f"Nobody has changed {id!r}, and it came with another {', '.join(changed)}.")


async def _collected(bench: Bench) -> dict[str, Mention]:
    """Gives what a poll without a cursor brings, by id and without payloads."""
    found: dict[str, Mention] = {}
    async with bench.connected() as connector:
        async for batch in connector.poll(None):
            found |= {mention.id: msgspec.structs.replace(mention, raw=None) for mention in batch.mentions}
    return found


@keeps("edit-between-polls")
async def edit_between_polls(bench: Bench) -> None:
    """Changes the middle one of three texts after they were read."""
    ids = bench.write_some(3)
    await bench.everything_arrives(why="At the first poll")
    before = bench.by_text(bench.written[ids[1]].text)
    bench.emulator.edit(ids[1], "The bench has changed its mind.")
    await bench.settle(lambda: bench.by_text("changed its mind"))
    after = bench.by_text("changed its mind")
    bench.expect(after, "The new text did not arrive within a day.")
    bench.expect(
        before is not None and after is not None and before.mention.id == after.mention.id,
        "The new text arrived under another id.",
    )


@keeps("delete-between-polls")
async def delete_between_polls(bench: Bench) -> None:
    """Lets the newest text vanish after it was read, since many a cursor hangs on that one."""
    ids = bench.write_some(5)
    await bench.everything_arrives(why="At the first poll")
    bench.emulator.delete(ids[-1])
    bench.write_some(2, "late text")
    await bench.everything_arrives(but={ids[-1]}, why="After one text was deleted")
    wrong = [each.mention.text for each in bench.stored() if each.gone_at and bench.written[ids[-1]].text not in
             each.mention.text]  # fmt: skip
    bench.expect(not wrong, f"One text was deleted, and others were told as gone: {wrong[:2]}.")


@keeps("equal-times")
async def equal_times(bench: Bench) -> None:
    """Lets a clock stand still."""
    bench.renew(page_size=3)
    bench.write_some(7, after=0)
    await bench.polled()
    bench.write_some(2, "late text", after=0)
    await bench.everything_arrives(why="When all were written in one second")


@keeps("clock-an-hour-off")
async def clock_an_hour_off(bench: Bench) -> None:
    """Lets the platform's clock be behind, and ahead."""
    for skew, where in ((-HOUR, "behind"), (HOUR, "ahead of")):
        bench.renew()
        bench.skew = skew
        bench.write_some(3)
        await bench.polled()
        bench.write_some(3, "late text")
        await bench.everything_arrives(why=f"With the platform's clock an hour {where} ours")


@keeps("odd-times")
async def odd_times(bench: Bench) -> None:
    """Lets the platform give nonsense for times."""
    if type(bench.emulator).mistime is Emulator.mistime:
        raise CannotPlay("mistime")
    bench.write_some(2)
    for odd in ODD_TIMES:
        id = bench.write(f"The text of the time {odd!r}.")
        bench.emulator.mistime(id, odd)
    bench.write_some(1, "late text")
    await bench.everything_arrives(why="Among odd times")


@keeps("texts-of-the-world")
async def texts_of_the_world(bench: Bench) -> None:
    """Compares texts of several scripts with what arrives."""
    for number, text in enumerate(WORLD):
        bench.write(f"World {number}: {text}")
    await bench.settle(lambda: all(bench.by_text(f"World {number}:") for number in range(len(WORLD))))
    for number, text in enumerate(WORLD):
        found = bench.by_text(f"World {number}:")
        told = found.mention.text if found else ""
        whole = safe(f"World {number}: {text}")
        bench.expect(same_text(told, whole), f"{whole!r} arrived as {told!r}.")


@keeps("missing-author")
async def missing_author(bench: Bench) -> None:
    """Lets somebody write whom the platform does not name."""
    bench.write_some(2)
    bench.write("The text without an author.", author="")
    await bench.everything_arrives(why="Among texts without an author")
    found = bench.by_text("without an author")
    author = found.mention.author if found else None
    bench.expect(
        not author or author.name not in NOT_NAMED, f"Nobody's name arrived as {author.name if author else 0!r}."
    )


@keeps("text-less")
async def text_less(bench: Bench) -> None:
    """Lets somebody give stars without a word."""
    bench.write_some(2)
    silent = bench.write("", rating=1.0)
    await bench.settle(lambda: any(not each.mention.text for each in bench.stored()))
    bench.expect(any(not each.mention.text for each in bench.stored()), "What has no text did not arrive.")
    del bench.written[silent]
    await bench.everything_arrives(why="Beside one without a text")
