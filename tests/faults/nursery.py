"""Starts `reviewdesk` commands as processes of their own, fast: everything is imported once, and each is a fork.

A fork runs the command line itself, as the installed script would. What it has that no user's process has is set up
here and nowhere in the product: the clock of the world, and a crash at a chosen statement.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import sqlite3
import ssl
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from tests.faults.world import SharedClock

_COUNTS = struct.Struct("qq")


class Worker:
    """A running command.

    Attributes:
        pid: stays taken until the nursery is told to `bury` it, so that nobody else is ever killed.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._fd = os.pidfd_open(pid)

    def ended(self, *, within: float) -> bool:
        """Waits for the end, so many seconds at most; tells whether it came."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(max(0.0, within) * 1000))

    def kill(self) -> None:
        """Ends it by SIGKILL, where it is still there."""
        signal.pidfd_send_signal(self._fd, signal.SIGKILL)
        assert self.ended(within=10)

    def close(self) -> None:
        os.close(self._fd)


class Nursery:
    """Forks commands.

    Args:
        folder: for the counts, and for what the commands write to stderr.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._counts_path = folder / "counts"
        self._counts_path.write_bytes(bytes(_COUNTS.size))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert self._told() == "ready"

    def start(
        self, world: Path, environment: Mapping[str, str], command: Sequence[str], crash: tuple[str, int, bool] | None
    ) -> Worker:
        """Forks a command.

        Args:
            world: the folder with the clock.
            crash: "commit" or "statement", at which one, and whether after it instead of before.
        """
        order = {
            "clock": str(world / "clock"),
            "stderr": str(self.folder / "stderr"),
            "counts": str(self._counts_path),
            "environment": dict(environment),
            "command": list(command),
            "crash": crash,
            "modules_to": str(self.folder / "modules"),
        }
        return Worker(int(self._tell(order)))

    def learn(self, world: Path, environment: Mapping[str, str], command: Sequence[str]) -> None:
        """Runs a command once, and imports here what it had to import there."""
        worker = self.start(world, environment, command, None)
        assert worker.ended(within=60)
        self.bury(worker)
        assert self._tell({"modules": (self.folder / "modules").read_text().split()}) == "ready"

    def counts(self) -> tuple[int, int]:
        """Gives how many commits and statements the command that was forked last came to."""
        return _COUNTS.unpack(self._counts_path.read_bytes())

    def bury(self, worker: Worker) -> int:
        """Gives how a command that has ended did: its exit code, or the signal as a negative number."""
        worker.close()
        return os.waitstatus_to_exitcode(int(self._tell({"bury": worker.pid})))

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _tell(self, order: dict[str, Any]) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return self._told()

    def _told(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode().strip()


def main() -> None:
    """Forks what it is told on stdin, until that ends."""
    import gc
    import importlib

    import httpx

    from reviewdesk import plugins
    from reviewdesk.assess import Assessable, Assessor
    from reviewdesk.cli import COMMANDS

    for module in {module for module, _ in COMMANDS.values()} - {"desk"}:
        importlib.import_module(f"reviewdesk.cli.{module}")
    for module in ("narrate", "output", "logs", "session"):
        importlib.import_module(f"reviewdesk.cli.{module}")
    for module in ("deliver", "poll", "respond"):
        importlib.import_module(f"reviewdesk.desk.{module}")
    for plugin in plugins.connectors():
        plugins.load_connector(plugin.name)
    importlib.import_module("reviewdesk_connectors.reddit.client")
    list(Assessor().assess([Assessable(text="Balík přišel rozbitý.", language="cs")]))
    # What each process reads anew and is always the same: all certificates, and the list of installed plugins.
    ssl.create_default_context = cache(ssl.create_default_context)
    httpx.create_ssl_context(trust_env=False)
    listed = {group: plugins._listed(group, None, {}) for group in (plugins.CONNECTORS, plugins.EMULATORS)}
    plugins._listed = lambda group, beside, environ: listed[group]
    print("ready", flush=True)
    for line in sys.stdin.buffer:
        order = json.loads(line)
        if "bury" in order:
            print(os.waitpid(order["bury"], 0)[1], flush=True)
            continue
        if "modules" in order:
            for name in order["modules"]:
                with suppress(Exception):
                    importlib.import_module(name)
            gc.collect()
            gc.freeze()
            print("ready", flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            _run(order)
        print(pid, flush=True)


def _run(order: dict[str, Any]) -> None:
    from reviewdesk.cli import main as command_line
    from reviewdesk.cli.session import Session
    from reviewdesk.store.db import Store

    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(os.open(order["stderr"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)
    os.environ.update(order["environment"])
    clock = SharedClock(Path(order["clock"]))

    def store(self: Session, config: Any = None, *, read_only: bool = False, begin: bool = False) -> Store:
        return Store((config or self.reading).database, read_only=read_only, begin=begin, clock=clock)

    Session.store = store  # type: ignore[method-assign]
    _doomed(order["counts"], order["crash"])
    sys.argv = ["reviewdesk", *order["command"]]
    code: Any = 0
    try:
        command_line()
    except SystemExit as end:
        code = end.code
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    Path(order["modules_to"]).write_text("\n".join(list(sys.modules)))
    os._exit(code if isinstance(code, int) else 0)


def _doomed(path: str, crash: Sequence[Any] | None) -> None:
    """Lets every connection count its statements, and the process die at the one that is named."""
    with open(path, "r+b") as file:
        shared = mmap.mmap(file.fileno(), _COUNTS.size)
    counts = [0, 0]
    shared[:] = _COUNTS.pack(*counts)
    kind, number, after = crash or ("", 0, False)

    def dies(is_commit: bool, is_after: bool) -> None:
        count = counts[0] if kind == "commit" else counts[1]
        if count == number and after is is_after and (is_commit or kind == "statement"):
            os.kill(os.getpid(), signal.SIGKILL)

    class Doomed(sqlite3.Connection):
        def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
            return self._counted(sql, super().execute, sql, *more)

        def executemany(self, sql: str, *more: Any) -> sqlite3.Cursor:
            return self._counted(sql, super().executemany, sql, *more)

        def _counted(self, sql: str, run: Any, *args: Any) -> Any:
            is_commit = sql == "COMMIT"
            counts[0] += is_commit
            counts[1] += 1
            shared[:] = _COUNTS.pack(*counts)
            dies(is_commit, False)
            done = run(*args)
            dies(is_commit, True)
            return done

    connect = sqlite3.connect

    def doomed(*args: Any, **more: Any) -> sqlite3.Connection:
        return connect(*args, **{"factory": Doomed, **more})

    sqlite3.connect = doomed  # type: ignore[assignment]


if __name__ == "__main__":
    main()
