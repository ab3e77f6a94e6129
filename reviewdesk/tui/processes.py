"""Starts the desk's other processes and gives their lines: the screen's own process never fetches, parses or assesses."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from reviewdesk.model import Record
from reviewdesk.text import cut

_LINE_LIMIT = 1024 * 1024
_GRACE_SECONDS = 5


class Line(Record, frozen=True, kw_only=True):
    """One line that a process has told.

    Attributes:
        text: as a person reads it, safe, on one line.
        fault: whether it tells of a failure.
    """

    text: str
    fault: bool = False


class Ended(Record, frozen=True, kw_only=True):
    """The end of a process.

    Attributes:
        code: its exit code.
        last_words: the last line of its standard error.
    """

    code: int
    last_words: str = ""


def command_line(name: str, *, config: Path, db: Path, more: Sequence[str] = ()) -> list[str]:
    """Gives the command that runs `reviewdesk NAME --json` with this interpreter, configuration and database."""
    return [sys.executable, "-m", "reviewdesk", name, "--json", "--config", str(config), "--db", str(db), *more]


async def run(command: Sequence[str]) -> AsyncIterator[Line | Ended]:
    """Runs a command and gives its lines as they come, then its end. Leaving early ends the process."""
    async with aclosing(_run(command)) as told:
        async for each in told:
            yield each


async def _run(command: Sequence[str]) -> AsyncIterator[Line | Ended]:
    async with _process(command) as process:
        assert process.stdout and process.stderr
        words = asyncio.ensure_future(_last_line(process.stderr))
        async for raw in process.stdout:
            if line := told(raw.decode(errors="replace")):
                yield line
        yield Ended(last_words=await words, code=await process.wait())


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
    """Gives what a line of JSON says to a person; None where it says nothing."""
    try:
        found = json.loads(line)
    except ValueError:
        found = {"sentence": line}
    if not isinstance(found, dict):
        return None
    name = found.get("title") or found.get("source") or ""
    fault = found.get("fault") or found.get("error") or ""
    sentence = fault or found.get("sentence") or found.get("message") or _counts(found)
    if not sentence:
        return None
    text = f"{name}: {sentence}" if name else str(sentence)
    return Line(text=cut(text, 200), fault=bool(fault))


def _counts(found: dict[str, object]) -> str:
    names = ("new", "changed", "gone", "set_aside", "posted", "refused", "unknown", "queued")
    counts = [f"{found[name]} {name.replace('_', ' ')}" for name in names if found.get(name)]
    return ", ".join(counts) or ("nothing new" if "new" in found else "")
