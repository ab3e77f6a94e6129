"""Emulated platforms on real HTTP, and a desk that is configured for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reviewdesk.config import Config, load
from reviewdesk.desk.deliver import Delivered, deliver
from reviewdesk.desk.poll import Polled, poll_round
from reviewdesk.desk.respond import Respond
from reviewdesk.model import DeliveryState
from reviewdesk.sandbox import CustomerText, Fault, FaultKind, Running
from reviewdesk.sandbox.runner import toml_for
from reviewdesk.store.db import Store
from reviewdesk.store.records import Reply, Stored

ANGRY = "Balík přišel rozbitý a reklamaci odmítli. Podvodníci, už nikdy!"


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, **by: float) -> None:
        self.ahead += timedelta(**by)


class Street:
    """The platforms, the configuration and the store of one test.

    Args:
        running: the served emulators.
        folder: for the configuration and the database.
        clock: of the emulators and of the store.
    """

    def __init__(self, running: Sequence[Running], folder: Path, clock: Clock) -> None:
        self.running = {each.emulator.platform: each for each in running}
        self.folder = folder
        self.clock = clock
        self.path = folder / "reviewdesk.toml"
        self.path.write_text(toml_for(running, shop="Obchod", poll_seconds=1), encoding="utf-8")
        self.config: Config = load(self.path, db=folder / "desk.db")
        self.store = Store(self.config.database, clock=clock)

    def emulator(self, platform: str) -> Any:
        """Gives an emulator; each has methods of its own."""
        return self.running[platform].emulator

    def write(self, platform: str, text: str = ANGRY, author: str = "Jana Nováková", **more: Any) -> str:
        """Lets a customer write; gives the id as the connector will know it."""
        id: str = self.emulator(platform).write(CustomerText(author=author, text=text, language="cs", **more))
        return id

    def fail(self, platform: str, kind: FaultKind, match: str = "", **more: Any) -> None:
        """Lets the platform fail."""
        self.emulator(platform).faults.append(Fault(kind=kind, match=match, **more))

    def heal(self, platform: str) -> None:
        """Ends all faults of a platform."""
        self.emulator(platform).faults.clear()

    def calls(self, platform: str, method: str) -> int:
        """Counts the requests of a method that arrived, those for a token left out."""
        seen = list(self.emulator(platform).requests)
        return sum(each.method == method and "access_token" not in each.path for each in seen)

    async def poll(self, *only: str) -> dict[str, Polled]:
        """Polls everything now, or only some sources."""
        return {each.source: each for each in await poll_round(self.config, self.store, only=only, now=True)}

    async def deliver(self) -> list[Delivered]:
        """Delivers, as a process of its own would."""
        return await deliver(self.config, self.store)

    def stored(self, platform: str, id: str) -> Stored:
        """Gives a mention by its platform's id."""
        found = self.store.mentions.find(platform, id)
        assert found is not None, f"{platform} {id} is not in the store"
        return found

    def reply(self, platform: str, id: str, text: str = "Omlouváme se, napíšeme vám.") -> Reply:
        """Approves a reply, and lets the undo seconds pass."""
        sent = Respond(self.store, "jana", self.config).send(self.stored(platform, id).id, text, despite_warnings=True)
        self.clock.forward(seconds=self.config.desk.undo_seconds + 1)
        return sent

    def state(self, reply: Reply) -> DeliveryState:
        """Gives where a reply stands now."""
        return self.store.outbox.get(reply.id).state

    def texts(self, platform: str) -> list[str]:
        """Gives what stands on the platform of the shop's."""
        return [each.text for each in self.emulator(platform).shop_replies()]

    def environment(self) -> dict[str, str]:
        """Gives the environment for a process of the desk."""
        return {
            **os.environ,
            "REVIEWDESK_CONFIG": str(self.path),
            "REVIEWDESK_DB": str(self.config.database),
            "REVIEWDESK_LOG": str(self.folder / "log"),
        }

    def start(self, *command: str, db: Path | None = None) -> subprocess.Popen[bytes]:
        """Starts `reviewdesk` as a process of its own."""
        environment = self.environment() | ({"REVIEWDESK_DB": str(db)} if db else {})
        return subprocess.Popen(
            [sys.executable, "-m", "reviewdesk", *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *command: str, db: Path | None = None) -> tuple[int, str, str]:
        """Runs `reviewdesk` to its end; gives its exit code, stdout and stderr."""
        process = self.start(*command, db=db)
        out, err = process.communicate(timeout=40)
        return process.returncode, out.decode(), err.decode()


def until(happened: Callable[[], bool], *, seconds: float = 45) -> None:
    """Waits for another process or thread, in short steps, and not for ever."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Gives what a database holds, without its own ids and without times."""
    with Store(path, read_only=True) as store:

        def rows(sql: str) -> list[tuple[Any, ...]]:
            return sorted(store.db.conn.execute(sql).fetchall(), key=repr)

        return {
            "mentions": rows(
                """SELECT source_id, platform_id, parent, kind, ours, version, content_hash, facts_hash, created_at,
                     title, text, author_name, rating, status, complaint, severity, language, assessed FROM mention"""
            ),
            "versions": rows(
                """SELECT platform_id, mention_version.version, mention_version.text FROM mention_version
                   JOIN mention ON mention.id = mention_id"""
            ),
            "assessments": rows(
                """SELECT platform_id, assessment.version, assessor, body FROM assessment
                   JOIN mention ON mention.id = mention_id"""
            ),
            "authors": rows("SELECT source_id, key, name FROM author"),
            "threads": rows("SELECT source_id, key FROM thread"),
            "set aside": rows("SELECT source_id, reason FROM set_aside"),
            "indexed": rows("SELECT count(*) FROM mention_fts"),
        }


def lines(text: str) -> list[dict[str, Any]]:
    """Gives JSON lines as objects."""
    return [json.loads(line) for line in text.splitlines()]
