"""Starts the desk's other processes and gives their lines.

The screen's own process never fetches, parses or assesses: whatever keeps Python busy there makes keys wait.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from reviewdesk.model import Record
from reviewdesk.text import cut

_LINE_LIMIT = 1024 * 1024
_GRACE_SECONDS = 5
_REPLIES = {
    "posted": "the reply is posted",
    "visible": "the reply is posted",
    "refused": "the reply was refused",
    "unknown": "nobody knows yet whether the reply is posted",
    "queued": "the reply will be tried again",
}


class Line(Record, frozen=True, kw_only=True):
    """One line that a process has told.

    Attributes:
        text: as a person reads it, safe, on one line.
        fault: whether it tells of a failure.
        passing: whether it only tells how far the work is.
        new: how many mentions it tells to be new.
    """

    text: str
    fault: bool = False
    passing: bool = False
    new: int = 0


class Ended(Record, frozen=True, kw_only=True):
    """The end of a process.

    Attributes:
        code: its exit code.
        last_words: the last line of its standard error.
    """

    code: int
    last_words: str = ""


def command_line(*words: str, config: Path, db: Path) -> list[str]:
    """Gives the command that runs `reviewdesk WORDS…` with this interpreter, configuration and database."""
    # -P: what lies in the current folder is no part of the program.
    first, *rest = words
    return [sys.executable, "-P", "-m", "reviewdesk", first, "--config", str(config), "--db", str(db), *rest]


async def run(command: Sequence[str]) -> AsyncGenerator[Line | Ended, None]:
    """Runs a command and gives its lines as they come, then its end.

    Close the iterator where it is left early (`contextlib.aclosing`): that ends the process.
    """
    async with _process(command) as process:
        output, errors = process.stdout, process.stderr
        if output is None or errors is None:  # they are asked for as pipes
            return
        last_words = asyncio.ensure_future(_last_line(errors))
        async for raw in output:
            if line := told(raw.decode(errors="replace")):
                yield line
        yield Ended(last_words=await last_words, code=await process.wait())


@asynccontextmanager
async def _process(command: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_LIMIT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _GRACE_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _last_line(stream: asyncio.StreamReader) -> str:
    last = ""
    async for raw in stream:
        last = cut(raw.decode(errors="replace"), 300) or last
    return last


def told(line: str) -> Line | None:
    """Gives what one line of JSON of `poll` or `send` says to a person; None where it says nothing."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    source = str(found.get("source", ""))
    match found.get("event"):
        case "progress":
            total = f" of {found['total']:,}" if found.get("total") else ""
            return _line(source, f"{found.get('items', 0):,}{total}", passing=True)
        case "source":
            fault = found.get("fault") or {}
            if fault:
                return _line(source, f"{fault.get('sentence', '')} {fault.get('hint', '')}", fault=True)
            return _line(source, f"{found.get('new', 0):,} new", new=found.get("new", 0))
        case "reply":
            if found.get("fault"):
                return _line(source, f"{found['fault']} {found.get('hint', '')}", fault=True)
            return _line(source, _REPLIES.get(str(found.get("state")), ""), passing=True)
    return None


def _line(source: str, sentence: str, *, fault: bool = False, passing: bool = False, new: int = 0) -> Line | None:
    text = cut(f"{source}: {sentence}" if source else sentence, 300)
    return Line(text=text, fault=fault, passing=passing, new=new) if sentence else None
