"""Platinum: it is typed, bounded, measured and documented."""

from __future__ import annotations

import gc
import inspect
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from reviewdesk.connector import Connector
from reviewdesk.errors import ReviewdeskError, Unsupported
from reviewdesk.model import Finding, Level, Mention
from reviewdesk.sandbox import CustomerText, FaultKind
from reviewdesk.testing.bench import Bench, Broken, Idle
from reviewdesk.testing.cases_silver import VICTIM, mended, spoiling
from reviewdesk.testing.checks import keeps
from reviewdesk.testing.weight import weight

LARGEST_BATCH = 5000
LARGEST_CURSOR = 4 << 20
SMALLEST_ALLOWED_CURSOR = 64 << 10
MOST_ITEMS = 100_000
"""What the limits are meant for; with fewer items those that grow with them are smaller."""
BLOCKS_AN_ITEM = 5
"""Objects that a poll may keep for each item: an id with a mark, but never the item, which is made of more."""
BLOCKS_TO_WORK = 5000
BYTES_AN_ITEM = 400
"""Bytes that it may keep for each: less than half of what the texts of the rule weigh."""
BYTES_TO_WORK = 2 << 20
BATCHES_TO_WORK = 4
"""How often a batch may be there, as raw answer, payload and mentions."""
LOOKS = 4
"""How often the poll is weighed on its way, and at its end."""


@keeps("memory-bounded")
async def memory_bounded(bench: Bench) -> None:
    """Lets many customers write, and weighs what a first poll holds behind its batches."""
    # The first poll of a process also brings what is imported and compiled.
    await bench.learn()
    items = min(bench.items, bench.emulator.capacity)
    filler = "x" * 800
    bench.emulator.write_many(
        [
            CustomerText(author=f"Author {number}", text=f"Item {number} of the bench. {filler}", language="en")
            for number in range(items)
        ]
    )
    bench.clock.forward(timedelta(minutes=1))
    allowed_cursor = max(SMALLEST_ALLOWED_CURSOR, LARGEST_CURSOR * items // MOST_ITEMS)
    got = blocks = held = largest = looked = 0
    async with bench.connected(measured=False) as connector:
        polling = connector.poll(None)
        elsewhere = (bench, bench.clock, bench.emulator, bench.wire)
        gc.collect()  # what others left behind would be counted off as soon as it goes
        weighed_before, before = weight(connector, polling, but=elsewhere), sys.getallocatedblocks()
        async for batch in polling:
            got += len(batch.mentions)
            size = len(batch.mentions) + len(batch.set_aside)
            bench.expect(size <= LARGEST_BATCH, f"One batch holds {size} items; {LARGEST_BATCH} are enough.")
            is_look = got >= min(items, looked * items // LOOKS)
            if is_look:
                looked += 1
                largest = max(largest, weight(batch.mentions))
                cursor = len(msgspec.json.encode(batch.cursor))
                bench.expect(
                    cursor <= allowed_cursor,
                    f"A cursor takes {cursor:,} bytes after {got:,} items; {allowed_cursor:,} are enough.",
                )
            del batch
            bench.asked.clear()
            bench.wire.requests.clear()
            bench.emulator.requests.clear()
            blocks = max(blocks, sys.getallocatedblocks() - before)
            if is_look:
                held = max(held, weight(connector, polling, but=elsewhere) - weighed_before)
    bench.expect(got >= items, f"Of {items:,} items {got:,} arrived at the first poll.")
    bench.expect(
        blocks <= BLOCKS_TO_WORK + BLOCKS_AN_ITEM * items,
        f"Behind its batches a poll of {items:,} items kept {blocks / items:.1f} objects for each.",
    )
    bench.expect(
        held <= BYTES_TO_WORK + BATCHES_TO_WORK * largest + BYTES_AN_ITEM * items,
        f"Behind its batches a poll of {items:,} items held {held / 2**20:.1f} MB, {held / items:.0f} bytes for each.",
    )
    bench.remark = f"{items:,} items, {held / 2**20:.1f} MB held"


@keeps("deletion-noticed")
async def deletion_noticed(bench: Bench) -> None:
    """Lets the second of five texts vanish after it was read."""
    ids = bench.write_some(5)
    await bench.everything_arrives(why="At the first poll")
    bench.emulator.delete(ids[1])
    text = bench.written[ids[1]].text

    def told() -> bool:
        stored = bench.by_text(text)
        return stored is None or stored.gone_at is not None

    await bench.settle(told)
    bench.expect(told(), "A text was deleted, and within a day it was not told as gone.")


@keeps("item-read-again")
async def item_read_again(bench: Bench) -> None:
    """Reads payloads again: an item's that is spoiled, the same one's after it was mended, and those of good ones."""
    if bench.type.read_item is Connector.read_item:
        raise Idle("it reads no single items")
    bench.write_some(2)
    spoiling(bench)
    polled = await bench.poll()
    bench.mend()
    tried = 0
    async with bench.connected() as connector:
        for aside in polled.set_aside:
            try:
                read = connector.read_item(aside.raw)
            except Unsupported:
                raise Broken("`read_item` says that it cannot read a single item.") from None
            except Exception as reason:
                bench.expect(str(reason).strip(), "An item that cannot be read again is refused without a reason.")
            else:
                bench.expect(read, "An item that cannot be read was read again as nothing, and would be lost.")
            whole = mended(aside.raw)
            if whole is not None:
                tried += 1
                read = _read(connector, whole, "After its payload was mended an item that was set aside")
                bench.expect(
                    any(VICTIM in each.text for each in read), f"Of an item with the text {VICTIM!r} came {read[:1]}."
                )
        for mention in polled.mentions:
            if mention.raw is None:
                continue
            tried += 1
            read = _read(connector, connector.problem(mention.raw, ValueError()).raw, f"The payload of {mention.id!r}")
            same = any((each.id, each.kind, each.text) == (mention.id, mention.kind, mention.text) for each in read)
            bench.expect(same, f"The payload of {mention.id!r} was read again as {[each.id for each in read][:3]}.")
    if not tried:
        raise Idle("no payload of an item that can be read is known")


def _read(connector: Connector[Any], raw: str, what: str) -> Sequence[Mention]:
    try:
        return connector.read_item(raw)
    except Exception as error:
        raise Broken(f"{what} could not be read: {type(error).__name__}: {error}") from error


@keeps("check-tells")
async def check_tells(bench: Bench) -> None:
    """Looks at the findings while all is well, with a dead credential, and without an answer."""
    bench.write_some(1)
    findings = await _findings(bench, "While all is well")
    bench.expect(findings, "`check` finds nothing to say.")
    wrong = [finding.sentence for finding in findings if finding.level is Level.FAULT]
    bench.expect(not wrong, f"All is well, and `check` says: {wrong[:1]}.")
    faults = [(FaultKind.DROPPED, "When nobody answers")]
    if bench.emulator.secrets():
        faults.append((FaultKind.EXPIRED_TOKEN, "When the credential is dead"))
    for kind, when in faults:
        bench.fault(kind)
        found = [finding for finding in await _findings(bench, when) if finding.level is not Level.OK]
        bench.mend()
        bench.expect(found, f"{when} `check` tells of nothing.")
        if kind is FaultKind.EXPIRED_TOKEN:
            bench.expect(any(finding.hint for finding in found), f"{when} `check` does not say what to do.")


async def _findings(bench: Bench, when: str) -> list[Finding]:
    async with bench.connected() as connector:
        try:
            return await connector.check()
        except ReviewdeskError as error:
            raise Broken(f"{when} `check` raised {type(error).__name__}; it should be a finding.") from None


@keeps("settings-described")
async def settings_described(bench: Bench) -> None:
    """Reads the docstrings."""
    settings = bench.type.settings
    bench.expect(_own_doc(bench.type), f"The class {bench.type.__name__} has no docstring.")
    doc = _own_doc(settings)
    hints = get_type_hints(settings, include_extras=True)
    silent = [
        field.name
        for field in msgspec.structs.fields(settings)
        if not re.search(rf"\b{re.escape(field.name)}\b", doc) and not _description(hints[field.name])
    ]
    bench.expect(not silent, f"These settings are not described: {', '.join(silent)}.")


def _own_doc(type: type) -> str:
    return str(vars(type).get("__doc__") or "")


def _description(hint: Any) -> str:
    if get_origin(hint) is not Annotated:
        return ""
    return next(
        (meta.description for meta in get_args(hint) if isinstance(meta, msgspec.Meta) and meta.description), ""
    )


@keeps("typed")
async def typed(bench: Bench) -> None:
    """Looks at the annotations, and for the package's `py.typed`."""
    for name, method in vars(bench.type).items():
        if name.startswith("_") or not inspect.isfunction(method) or not hasattr(Connector, name):
            continue
        signature = inspect.signature(method)
        bare = [each.name for each in list(signature.parameters.values())[1:] if each.annotation is each.empty]
        bench.expect(not bare, f"`{name}` does not say the type of {', '.join(bare)}.")
        bench.expect(signature.return_annotation is not signature.empty, f"`{name}` does not say what it gives.")
    package = sys.modules.get(bench.type.__module__.partition(".")[0])
    for folder in getattr(package, "__path__", [])[:1]:
        bench.expect((Path(folder) / "py.typed").exists(), f"There is no py.typed in {folder}.")
