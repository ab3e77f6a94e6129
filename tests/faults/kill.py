"""Kills the desk thousands of times and holds store and platforms against the books.

    python -m tests.faults.kill --kills 10000 --seed 7

Real `reviewdesk poll` and `reviewdesk send` processes work against emulated platforms over loopback while customers
write, edit, delete and answer, colleagues answer past the desk, and an agent approves replies, looks at those that are
held, and takes some back. Each process is killed with SIGKILL:
at a random moment, at a random commit or statement, or when its reply arrives at the platform. After some hundred kills
the desk is left in peace until nothing is undecided, and everything is compared. The seed repeats what people do and
how processes are to be killed; how they interleave is the machine's.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, fields
from itertools import count
from multiprocessing import get_context
from pathlib import Path

from tests.faults.books import Verdict
from tests.faults.nursery import Nursery, Worker
from tests.faults.world import PLATFORMS, Trap, World, world

KILLS_IN_A_WORLD = 250
KILLS_BETWEEN_POLLS = 60
"""After so many kills one poll comes to its end, so that it is known what the desk must have seen."""
REPLY = {"facebook": "POST /v", "reddit": "POST /api/comment"}
_MANNERS = ("moment", "commit", "statement", "arrival")
_WEIGHTS = (4, 3, 2, 3)
_FAULT = 1


@dataclass
class Figures:
    """What a run found.

    Attributes:
        kills: by manner.
        runs: processes that came to their end before they were killed, and those of the peace.
        broken: ends that no process may have: tracebacks and the like.
    """

    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    broken: list[str] = field(default_factory=list)

    def __add__(self, other: Figures) -> Figures:
        both = Figures(self.kills + other.kills, self.runs + other.runs, broken=self.broken + other.broken)
        for each in (self, other):
            both.add(each.verdict)
        return both

    def add(self, verdict: Verdict) -> None:
        for each in fields(Verdict):
            setattr(self.verdict, each.name, getattr(self.verdict, each.name) + getattr(verdict, each.name))

    @property
    def is_clean(self) -> bool:
        return not self.verdict.sentences and not self.broken


class Killing:
    """Kills in one world.

    Args:
        world: where.
        nursery: forks the processes.
        chance: decides when and how.
        figures: where kills are counted.
    """

    def __init__(self, world: World, nursery: Nursery, chance: random.Random, figures: Figures) -> None:
        self.world, self.nursery, self.chance, self.figures = world, nursery, chance, figures
        self.replying = [each for each in world.running if each in REPLY]
        # How long a command takes, and how far it comes, is learned from those that end.
        self.takes: dict[Sequence[str], float] = {}
        self.reaches: dict[Sequence[str], tuple[int, int]] = {}

    def go(self, kills: int) -> Verdict:
        """Kills so often, then lets the desk come to rest, and compares."""
        for platform in self.world.running:
            self.world.customer_writes(platform)
        self.nursery.learn(self.world.folder, self.world.environment, ("poll", "--now"))
        until = self.figures.kills.total() + kills
        peace = self.figures.kills.total() + KILLS_BETWEEN_POLLS
        while self.figures.kills.total() < until:
            for _ in range(self.chance.randint(0, 2)):
                self.world.something_happens()
            self._kill_one()
            if self.figures.kills.total() >= peace:
                # Not too often: Reddit is asked for two weeks only whether something was edited or deleted.
                peace += KILLS_BETWEEN_POLLS
                self._settle()
        self._settle()
        self._decide()
        return self.world.compare()

    def _command(self) -> tuple[str, ...]:
        if self.replying and self.chance.random() < 0.5:
            return ("send", "--quiet")
        if self.chance.random() < 0.3:
            return ("poll", "--now", "--quiet")
        return ("poll", "--quiet", "--source", self.chance.choice(list(self.world.running)))

    def _kill_one(self) -> None:
        command = self._command()
        (manner,) = self.chance.choices(_MANNERS, _WEIGHTS)
        if manner == "arrival":
            if not self.world.is_anything_due():
                manner = "moment"
            else:
                command = ("send", "--quiet")
        crash = None
        if manner in ("commit", "statement"):
            most = self.reaches.get(command, (6, 50))[manner == "statement"]
            crash = (manner, self.chance.randint(1, most), self.chance.random() < 0.5)
        moment = self.chance.uniform(0, self.takes.get(command, 0.1)) if manner == "moment" else 20.0
        rival = self._start(self._command(), None) if self.chance.random() < 0.1 else None
        began = time.monotonic()
        worker = self._start(command, crash)
        if manner == "arrival":
            self._set_traps(worker)
        if self.chance.random() < 0.3:
            self.world.something_happens()
        if not worker.ended(within=moment - (time.monotonic() - began)):
            worker.kill()
        took = time.monotonic() - began
        for turnstile in self.world.turnstiles.values():
            turnstile.trap = None
        if self._bury(worker, command) == -9:
            self.figures.kills[manner] += 1
        else:
            self.figures.runs += 1
            self.takes[command] = 0.8 * self.takes.get(command, took) + 0.2 * took
            if rival is None:
                commits, statements = self.nursery.counts()
                self.reaches[command] = (max(commits, 2), max(statements, 2))
        if rival is not None:
            if not rival.ended(within=self.chance.uniform(0, 0.3)):
                rival.kill()
            self.figures.kills["rival"] += self._bury(rival, command) == -9
        self.world.quiet()
        self.world.clock.forward(seconds=self.chance.choice((0, 1, 6, 11, 30, 70, 125)))

    def _set_traps(self, worker: Worker) -> None:
        for platform in self.replying:
            trap = Trap(worker.pid, REPLY[platform], self.chance.random() < 0.5, self.chance.random() < 0.3)
            self.world.turnstiles[platform].trap = trap

    def _start(self, command: Sequence[str], crash: tuple[str, int, bool] | None) -> Worker:
        return self.nursery.start(self.world.folder, self.world.environment, command, crash)

    def _bury(self, worker: Worker, command: Sequence[str]) -> int:
        code = self.nursery.bury(worker)
        if code == _FAULT or (code < 0 and code != -9):
            self.figures.broken.append(f"{' '.join(command)} ended with {code}; see {self.nursery.folder / 'stderr'}")
        return code

    def _in_peace(self, *command: str) -> None:
        worker = self._start(command, None)
        if not worker.ended(within=60):
            worker.kill()
            self.figures.broken.append(f"{' '.join(command)} did not end within a minute")
        self._bury(worker, command)
        self.figures.runs += 1

    def _settle(self) -> None:
        """Lets a day pass and one poll come to its end, so that everything that stands there was seen."""
        self.world.quiet()
        for _ in range(2):
            # An hour after what was broken off, a day after what was read: Facebook tells edits no earlier.
            self.world.clock.forward(hours=25)
            self._in_peace("poll", "--now", "--quiet")
        self.world.settled()

    def _decide(self) -> None:
        """Lets the desk find out what became of every reply; in 20 rounds it must."""
        for _ in range(20):
            self.world.agent_decides()
            if not self.world.undecided():
                break
            self.world.clock.forward(minutes=3)
            self._in_peace("send", "--quiet")
        self._in_peace("poll", "--now", "--quiet")


def run(kills: int, seed: int, platforms: Sequence[str], folder: Path, *, each: int = KILLS_IN_A_WORLD) -> Figures:
    """Kills so often, in worlds of some hundred kills; the worlds in which something is wrong are kept in `folder`."""
    figures = Figures()
    nursery = Nursery(folder)
    try:
        for number in count():
            if figures.kills.total() >= kills:
                break
            room = folder / f"world-{number}"
            room.mkdir()
            # One seed for each world, so that one world alone can be played again.
            chance = random.Random(f"{seed} {number}")
            with world(room, chance.getrandbits(32), platforms) as here:
                verdict = Killing(here, nursery, chance, figures).go(min(each, kills - figures.kills.total()))
            figures.add(verdict)
            if figures.is_clean:
                shutil.rmtree(room)
            else:
                break
    finally:
        nursery.close()
    return figures


def run_side_by_side(kills: int, seed: int, platforms: Sequence[str], folder: Path, jobs: int) -> Figures:
    """Kills in so many separate rows of worlds at once; each has a seed of its own, made of `seed` and its number."""
    rooms = [folder / f"row-{number}" for number in range(jobs)]
    for room in rooms:
        room.mkdir()
    share = -(-kills // jobs)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        rows = [pool.submit(run, share, seed + number, platforms, room) for number, room in enumerate(rooms)]
        return sum((row.result() for row in rows), Figures())


def in_memory() -> Path | None:
    """Gives a folder that no disk has to be waited for; None where the system has none."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None


def main() -> int:
    """Runs from the command line; 0 where nothing was lost, doubled or unapproved."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None, help="without one, a new one is taken and told")
    parser.add_argument("--platform", action="append", help="an installed emulator; may be repeated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="rows of worlds at once")
    parser.add_argument("--folder", type=Path, help="where to work; by default in memory where the system has that")
    args = parser.parse_args()
    seed = random.SystemRandom().getrandbits(32) if args.seed is None else args.seed
    folder = Path(tempfile.mkdtemp(prefix="kill-", dir=args.folder or in_memory()))
    began = time.monotonic()
    figures = run_side_by_side(args.kills, seed, args.platform or PLATFORMS, folder, args.jobs)
    took, verdict, kills = time.monotonic() - began, figures.verdict, figures.kills.total()
    manners = ", ".join(f"{often} {manner}" for manner, often in sorted(figures.kills.items()))
    print(f"{kills} kills ({manners}) in {took:.0f} s ({kills / took:.1f}/s), {figures.runs} runs left to their end")
    print(f"{verdict.summary}; seed {seed}")
    for sentence in (*verdict.sentences, *figures.broken):
        print(f"  {sentence}")
    if figures.is_clean:
        shutil.rmtree(folder)
    else:
        print(f"What is left of it: {folder}")
    return 0 if figures.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
