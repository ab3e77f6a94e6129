"""Runs a third party's connector in a process of its own, and ends that process when it hangs.

Foreign code may keep the event loop busy for ever, end the process, write to standard output, or change what belongs to
the whole process. In a process of its own it can do so to itself alone. The child says that it lives as long as its
event loop turns; where it falls silent, the whole group of its processes is killed, and the connector is named.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal, TypeVar

import msgspec

from reviewdesk import errors
from reviewdesk.config import Config, SourceConfig
from reviewdesk.errors import PluginError, ReviewdeskError
from reviewdesk.model import Record
from reviewdesk.text import cut

log = logging.getLogger(__name__)

_PROGRAM = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from reviewdesk.desk.alone import main; main()"
"""The child imports from where we do, and not from the current folder."""
_LONGEST_LINE = 32 << 20
_LOGGED = 200
_LOOKS = 4
"""In how many parts silence is measured: our own loop may have been busy for one of them, but not for all."""
_HINT = "It was stopped. This is a fault of the connector; `reviewdesk sources disable` switches a source off."
T = TypeVar("T")


class Task(Record, frozen=True, kw_only=True):
    """What a child does.

    Attributes:
        what: polls, delivers the replies of, or checks one source; reads a file into it; does something at once on
            its platform; tries to read what was set aside again; or loads one connector.
        config, database: the files.
        name: the source's id, or the connector's name.
        beside: where `load` looks for `plugins/`; "" for nowhere.
        trace: tells each request and item.
        more: what else the task needs, as JSON of its own.
        hang_seconds: how long it may be silent.
    """

    what: Literal["poll", "deliver", "check", "import", "moderate", "retry", "load"]
    name: str
    config: str = ""
    database: str = ""
    beside: str = ""
    trace: bool = False
    more: msgspec.Raw = msgspec.Raw(b"null")
    hang_seconds: float = 60.0

    @classmethod
    def of(
        cls,
        config: Config,
        source: SourceConfig,
        what: Literal["poll", "deliver", "check", "import", "moderate", "retry"],
        *,
        more: object = None,
        trace: bool = False,
        patience: float = 0.0,
    ) -> Task:
        """Gives what a child does for one source.

        Args:
            more: what else the task needs; becomes JSON.
            patience: it may be silent for so many seconds at least, whatever the configuration says.
        """
        return cls(
            what=what,
            name=source.id,
            config=str(config.path),
            database=str(config.database),
            trace=trace,
            more=msgspec.Raw(msgspec.json.encode(more)),
            hang_seconds=max(config.desk.hang_seconds, patience),
        )


class Sign(Record, frozen=True, kw_only=True):
    """A line of a child's, beside what its task tells.

    Attributes:
        alive: the event loop turns.
        doing: what the connector's code is at from now on; "" while the desk's own code works, which may take long.
        body: what the task tells, as JSON of its own.
        ended: the task has come to its end.
        error: it ended with this; from `packed`.
    """

    alive: bool = False
    doing: str | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")
    ended: bool = False
    error: dict[str, Any] | None = None


def packed(error: ReviewdeskError) -> dict[str, Any]:
    """Gives an error as JSON takes it."""
    until = getattr(error, "until", None)
    return {
        "kind": type(error).__name__,
        "sentence": error.sentence,
        "hint": error.hint,
        "problems": list(getattr(error, "problems", ())),
        "until": until.isoformat() if until else None,
    }


def unpacked(told: dict[str, Any]) -> ReviewdeskError:
    """Gives the error that `packed` was given; one of a kind that only the child knows becomes a `PluginError`."""
    from datetime import datetime

    kind = getattr(errors, str(told["kind"]), PluginError)
    more: dict[str, Any] = {}
    if issubclass(kind, errors.ConfigError):
        more["problems"] = told["problems"]
    if issubclass(kind, (errors.RateLimited, errors.Refused)):
        more["until"] = datetime.fromisoformat(told["until"]) if told["until"] else None
    error: ReviewdeskError = kind(told["sentence"], hint=told["hint"], **more)
    return error


async def apart(
    task: Task, type: type[T], heard: Callable[[T], None], *, connector: str, longest: float | None = None
) -> None:
    """Runs a task in a process of its own until it ends.

    Args:
        type: what the lines of the task are read into.
        heard: is called with each, from the event loop.
        connector: the connector's name, for the fault.
        longest: the seconds after which it is ended however lively it is.

    Raises:
        PluginError: it hangs, takes too long, or ends its own process.
        ReviewdeskError: the error with which the task ended.
    """
    doing = ""
    async with _child(task, connector) as process:
        assert process.stdout is not None  # noqa: S101 - it is asked for as a pipe
        try:
            async with asyncio.timeout(longest):
                while line := await _line(process.stdout, task.hang_seconds if doing != "" else None):
                    sign = _sign(line)
                    if sign is None:
                        continue
                    if sign.error is not None:
                        raise unpacked(sign.error)
                    if sign.ended:
                        return
                    if sign.doing is not None:
                        doing = sign.doing
                    elif not sign.alive:
                        heard(msgspec.json.decode(sign.body, type=type))
        except _Silent:
            raise PluginError(
                f"The connector {connector!r} hangs while {doing or 'it is started'}: nothing was heard of it for "
                f"{task.hang_seconds:g} s.",
                hint=_HINT,
            ) from None
        except TimeoutError:
            raise PluginError(f"The connector {connector!r} took longer than {longest:g} s.", hint=_HINT) from None
        code = await process.wait()
    at = f" while {doing}" if doing else ""
    raise PluginError(
        f"The connector {connector!r} ended its own process (code {code}){at}.",
        hint="This is a fault of the connector; the log has the details.",
    )


class _Silent(Exception):
    """Nothing was heard for too long."""


async def _line(stream: asyncio.StreamReader, patience: float | None) -> bytes:
    for _ in range(_LOOKS):
        try:
            async with asyncio.timeout(patience and patience / _LOOKS):
                return await stream.readline()
        except TimeoutError:
            continue
        except ValueError:
            raise PluginError("The connector told more at once than fits in a line.", hint=_HINT) from None
    raise _Silent


def _sign(line: bytes) -> Sign | None:
    try:
        return msgspec.json.decode(line, type=Sign)
    except msgspec.MsgspecError:
        return None


@asynccontextmanager
async def _child(task: Task, connector: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-c",
        _PROGRAM,
        json.dumps(sys.path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        start_new_session=True,
    )
    logged = asyncio.ensure_future(_log(process, connector))
    try:
        # The pipe stays open: its end tells the child that nobody waits for it any more.
        assert process.stdin is not None  # noqa: S101 - it is asked for as a pipe
        with suppress(ConnectionError):
            process.stdin.write(msgspec.json.encode(task) + b"\n")
            await process.stdin.drain()
        yield process
    finally:
        _kill(process)
        # A grandchild in a session of its own may hold the pipes open.
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(process.wait(), 5)
        logged.cancel()
        with suppress(asyncio.CancelledError):
            await logged


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


async def _log(process: asyncio.subprocess.Process, connector: str) -> None:
    """Takes what the child logs and prints into our log, the first lines of it; a flood fills no disk."""
    assert process.stderr is not None  # noqa: S101 - it is asked for as a pipe
    left = _LOGGED
    while part := await process.stderr.read(1 << 16):
        for line in part.decode("utf-8", "replace").splitlines()[:left]:
            log.info("%s: %s", connector, cut(line, 1000))
            left -= 1
