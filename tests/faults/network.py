"""Breaks the connection between desk and platform at each byte, and holds store and platforms against the books.

    python -m tests.faults.network --seed 7

For each platform that takes replies, and for each byte of the call that posts one and of its answer, a reply is sent
and the wire breaks there; the desk then has to find out what became of it. Then polls are broken at bytes of every
request by chance. `--every 20` takes each twentieth byte alone.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import stamina

from reviewdesk.desk import deliver as delivering
from reviewdesk.desk.poll import Outcome, poll_round
from reviewdesk.sandbox import Running
from reviewdesk_connectors.reddit import session
from tests.faults.kill import REPLY, Figures, in_memory
from tests.faults.wire import Break, How, Wire, wire
from tests.faults.world import PLATFORMS, World, world

_REPLIES_IN_A_WORLD = 40
_ROUNDS = 200
_POLLS_IN_A_WORLD = 20
_HOWS: tuple[How, ...] = ("reset", "close", "delay", "twice")


@contextmanager
def in_no_time() -> Iterator[None]:
    """Lets nobody wait for real, and certificates be read once, while the block runs."""
    with ExitStack() as stack:
        stack.enter_context(stamina.set_testing(True, attempts=3))
        stack.enter_context(mock.patch.object(session, "READ_AGAIN_AFTER", (0.0, 0.0)))
        stack.enter_context(mock.patch.object(delivering, "_LONGEST_SEND", 0.25))
        stack.enter_context(mock.patch.object(ssl, "create_default_context", cache(ssl.create_default_context)))
        yield


@contextmanager
def wired(folder: Path, seed: int, platforms: Sequence[str]) -> Iterator[tuple[World, dict[str, Wire]]]:
    """Gives a world with a wire to each platform."""
    wires: dict[str, Wire] = {}
    with ExitStack() as stack:

        def through(running: Running) -> str:
            made = stack.enter_context(wire(running.port))
            wires[running.emulator.platform] = made
            return made.base

        yield stack.enter_context(world(folder, seed, platforms, through=through)), wires


async def send_all(here: World, wire: Wire, platform: str, plans: Sequence[Break]) -> None:
    """Has a reply approved for each break, and lets the desk send, and find out, until nothing is undecided."""
    for _ in plans:
        here.customer_writes(platform)
    await poll_round(here.config, here.store, only=[platform], now=True)
    for _ in plans:
        here.agent_approves()
    here.clock.forward(seconds=here.config.desk.undo_seconds + 1)
    wire.plans.extend(plans)
    for _ in range(_ROUNDS):
        await delivering.deliver(here.config, here.store)
        # What the wire holds back, and who is inside, is done before the clock is moved.
        while wire.holding:
            await asyncio.sleep(0.01)
        here.quiet()
        here.clock.forward(minutes=3)
        if not here.undecided():
            break


async def lengths(folder: Path, platform: str) -> tuple[int, int]:
    """Gives how many bytes the call that posts a reply has, and its answer, where nothing breaks."""
    folder.mkdir()
    with wired(folder, 0, [platform]) as (here, wires):
        plans = [Break(match=REPLY[platform]) for _ in range(8)]
        await send_all(here, wires[platform], platform, plans)
        return max(plan.lengths[0] for plan in plans), max(plan.lengths[1] for plan in plans)


async def break_replies(folder: Path, seed: int, platform: str, positions: Sequence[tuple[Any, int, How]]) -> Figures:
    """Breaks a reply's call at each of the positions: where, at which byte, and how."""
    figures = Figures()
    for start in range(0, len(positions), _REPLIES_IN_A_WORLD):
        room = folder / f"{platform}-{start}"
        room.mkdir()
        plans = [
            Break(match=REPLY[platform], where=where, at=at, how=how)
            for where, at, how in positions[start : start + _REPLIES_IN_A_WORLD]
        ]
        with wired(room, seed + start, [platform]) as (here, wires):
            await send_all(here, wires[platform], platform, plans)
            await poll_round(here.config, here.store, now=True)
            here.settled()
            figures.add(here.compare())
        for plan in plans:
            figures.kills[f"{plan.where} {plan.how}" if plan.struck else "never came so far"] += 1
    return figures


async def break_polls(folder: Path, seed: int, platforms: Sequence[str], times: int) -> Figures:
    """Breaks polls at bytes by chance, while customers write, edit and delete; the next one must bring all."""
    figures = Figures()
    for start in range(0, times, _POLLS_IN_A_WORLD):
        room = folder / str(start)
        room.mkdir(parents=True)
        figures += await _break_polls(room, seed + start, platforms, min(_POLLS_IN_A_WORLD, times - start))
    return figures


async def _break_polls(folder: Path, seed: int, platforms: Sequence[str], times: int) -> Figures:
    figures, chance = Figures(), random.Random(seed)
    with wired(folder, seed, platforms) as (here, wires):
        for platform in platforms:
            for _ in range(8):
                here.customer_writes(platform)
        for number in range(times):
            for _ in range(2):
                chance.choice((here.customer_writes, here.customer_edits, here.customer_deletes))()
            platform = platforms[number % len(platforms)]
            plan = Break(
                skip=chance.choice((0, 0, 1, 2, 4)),
                where=chance.choice(("request", "answer")),
                at=int(10 ** chance.uniform(0, 4)),
                how=chance.choice(_HOWS),
            )
            here.clock.forward(minutes=70)
            wires[platform].plans.append(plan)
            (polled,) = await poll_round(here.config, here.store, only=[platform], now=True)
            wires[platform].plans.clear()
            here.quiet()
            figures.kills[f"poll {plan.where} {plan.how}" if plan.struck else "never came so far"] += 1
            figures.runs += polled.outcome is Outcome.DONE
        await _settle(here)
        figures.add(here.compare())
    return figures


async def _settle(here: World) -> None:
    for _ in range(2):
        here.clock.forward(hours=25)
        await poll_round(here.config, here.store, now=True)
    here.settled()


def positions_of(length: tuple[int, int], every: int, chance: random.Random) -> list[tuple[Any, int, How]]:
    """Gives each n-th byte of request and answer to tear at, and a few to fail in the other ways."""
    found: list[tuple[Any, int, How]] = []
    for where, most in zip(("request", "answer"), length, strict=True):
        first = chance.randrange(every)
        found += [(where, at, "reset") for at in range(first, most + 1, every)]
        found += [(where, at, "close") for at in range(first, most + 1, every * 2)]
        found += [(where, chance.randint(0, most), "delay") for _ in range(max(1, 20 // every))]
        found += [(where, most, "reset")]
    found += [("answer", length[1], "twice")]
    return found


async def run(folder: Path, seed: int, platforms: Sequence[str], *, every: int, polls: int) -> Figures:
    """Does both parts; `every` byte of replies, and so many polls."""
    figures, chance = Figures(), random.Random(seed)
    with in_no_time():
        for platform in (each for each in platforms if each in REPLY):
            length = await lengths(folder / f"{platform}-whole", platform)
            figures += await break_replies(folder, seed, platform, positions_of(length, every, chance))
        figures += await break_polls(folder / "polls", seed, platforms, polls)
    return figures


def main() -> int:
    """Runs from the command line; 0 where nothing was lost, doubled or unapproved."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.network", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=None, help="without one, a new one is taken and told")
    parser.add_argument("--every", type=int, default=1, help="break replies at each so manieth byte")
    parser.add_argument("--polls", type=int, default=400, help="how many polls are broken")
    parser.add_argument("--platform", action="append", help="an installed emulator; may be repeated")
    args = parser.parse_args()
    seed = random.SystemRandom().getrandbits(32) if args.seed is None else args.seed
    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="network-", dir=in_memory()) as folder:
        work = run(Path(folder), seed, args.platform or PLATFORMS, every=args.every, polls=args.polls)
        figures = asyncio.run(work)
    verdict, breaks = figures.verdict, Counter(figures.kills)
    told = ", ".join(f"{often} {kind}" for kind, often in sorted(breaks.items()))
    print(f"{breaks.total()} breaks ({told}) in {time.monotonic() - began:.0f} s")
    print(f"{verdict.summary}; seed {seed}")
    for sentence in verdict.sentences:
        print(f"  {sentence}")
    return 0 if figures.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
