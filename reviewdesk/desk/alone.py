"""The child's side of `reviewdesk.desk.apart`: one task for one third party's connector, told in lines of JSON.

The task stands as a line on standard input.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import msgspec

from reviewdesk.config import Config, load
from reviewdesk.desk.apart import Sign, Task, packed
from reviewdesk.errors import ReviewdeskError
from reviewdesk.secrets import RedactingFilter, redact
from reviewdesk.store.db import Store

_BEATS = 8
"""How often the child says that it lives, within the time that it may be silent."""


def main() -> None:
    """Does the task that stands on standard input, and ends the process, whatever threads it has left."""
    told, life = os.fdopen(os.dup(1), "wb", buffering=0), os.dup(0)
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    # What a connector prints is no line of ours, and what it reads is nobody's.
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    printed = os.fdopen(2, "wb", closefd=False)
    sys.stdout = sys.stderr = _Redacted(printed, "utf-8", "backslashreplace", line_buffering=True)
    threading.Thread(target=_end_with_parent, args=(life,), daemon=True).start()
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.INFO)
    asyncio.run(Alone(task, told.write).run())
    os._exit(0)


class _Redacted(TextIOWrapper):
    """What a connector prints goes into the desk's log, and only this process knows the connector's secrets."""

    def write(self, text: str) -> int:
        super().write(redact(text))
        return len(text)


def _end_with_parent(life: int) -> None:
    os.read(life, 1)
    os._exit(0)


class Alone:
    """One task.

    Args:
        write: takes the lines.
    """

    def __init__(self, task: Task, write: Callable[[bytes], Any]) -> None:
        self.task, self._write = task, write

    async def run(self) -> None:
        """Does the task, and tells its end."""
        beat = asyncio.create_task(self._beat())
        doing: dict[str, Callable[[], Awaitable[None]]] = {
            "poll": self._poll,
            "deliver": self._deliver,
            "check": self._check,
            "import": self._import,
            "moderate": self._moderate,
            "retry": self._retry,
            "load": self._load,
        }
        try:
            await doing[self.task.what]()
        except ReviewdeskError as error:
            self._say(Sign(error=packed(error)))
        else:
            self._say(Sign(ended=True))
        beat.cancel()

    def doing(self, what: str) -> None:
        """Tells what the connector's code is at; "" for the desk's own."""
        self._say(Sign(doing=what))

    def tell(self, body: Any) -> None:
        """Tells something of the task's."""
        self._say(Sign(body=msgspec.Raw(msgspec.json.encode(body))))

    async def _beat(self) -> None:
        while True:
            self._say(Sign(alive=True))
            await asyncio.sleep(self.task.hang_seconds / _BEATS)

    def _say(self, sign: Sign) -> None:
        self._write(msgspec.json.encode(sign) + b"\n")

    def _config(self, *, optional: bool = False) -> Config:
        path = Path(self.task.config)
        return load(None if optional and not path.exists() else path, db=Path(self.task.database), optional=optional)

    async def _poll(self) -> None:
        from reviewdesk.desk.poll import poll_here
        from reviewdesk.desk.steps import Word

        config = self._config()
        with Store(config.database) as store:
            polled = await poll_here(
                config,
                store,
                config.source(self.task.name),
                tell=lambda step: self.tell(Word.of(step)),
                doing=self.doing,
                trace=self.task.trace,
            )
        self.tell(Word.of(polled))

    async def _deliver(self) -> None:
        from reviewdesk.desk.deliver import deliver_here

        config = self._config()
        self.doing("it delivers replies")
        with Store(config.database) as store:
            await deliver_here(config, store, only=[self.task.name], tell=self.tell)

    async def _check(self) -> None:
        from reviewdesk.desk.check import check_here

        config = self._config()
        self.doing("it is checked")
        self.tell(await check_here(config, config.source(self.task.name), clock=lambda: datetime.now(UTC)))

    async def _import(self) -> None:
        from reviewdesk.desk.importing import Import, import_here
        from reviewdesk.desk.steps import Word

        told = msgspec.json.decode(self.task.more, type=Import)
        config = self._config(optional=True)
        with Store(config.database) as store:
            done = await import_here(config, store, told.source(config, self.task.name), told.path, doing=self.doing)
        self.tell(Word.of(done))

    async def _moderate(self) -> None:
        from reviewdesk.desk.moderate import Deed, do_here

        config = self._config()
        with Store(config.database) as store:
            await do_here(config, store, msgspec.json.decode(self.task.more, type=Deed), doing=self.doing)

    async def _retry(self) -> None:
        from reviewdesk.desk.quarantine import retry_here
        from reviewdesk.store.records import Quarantined

        items = msgspec.json.decode(self.task.more, type=list[Quarantined])
        config = self._config()
        with Store(config.database) as store:
            await retry_here(config, store, items, self.tell, doing=self.doing)

    async def _load(self) -> None:
        from reviewdesk.desk.survey import loaded

        self.doing("it is loaded")
        self.tell(loaded(self.task.name, Path(self.task.beside) if self.task.beside else None))
