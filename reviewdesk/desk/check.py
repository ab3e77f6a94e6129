"""Asks one source's connector whether all is in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from reviewdesk.config import Config, SourceConfig
from reviewdesk.desk.apart import Task, apart
from reviewdesk.desk.border import checked_findings
from reviewdesk.desk.connecting import blamed, connected
from reviewdesk.errors import PluginError, ReviewdeskError
from reviewdesk.model import Finding, Level
from reviewdesk.plugins import foreign_among

_LONGEST = 120.0


async def check(config: Config, source: SourceConfig, *, clock: Callable[[], datetime]) -> list[Finding]:
    """Gives what a source's connector finds, at least one finding; what fails is one. Never raises for a connector."""
    try:
        return await ask(config, source, clock=clock)
    except ReviewdeskError as error:
        return [Finding(level=Level.FAULT, sentence=error.in_a_line, hint=error.hint)]


async def ask(config: Config, source: SourceConfig, *, clock: Callable[[], datetime]) -> list[Finding]:
    """Gives what a source's connector finds; a third party's is asked in a process of its own.

    Errors as in `check_here`.
    """
    if foreign_among([source]):
        return await _check_apart(config, source)
    return await check_here(config, source, clock=clock)


async def check_here(config: Config, source: SourceConfig, *, clock: Callable[[], datetime]) -> list[Finding]:
    """Asks a connector in this process.

    Raises:
        PluginError: it cannot be loaded, fails, takes too long or gives no findings.
        ConfigError: its settings have mistakes.
    """
    async with connected(config, source, clock=clock) as connector:
        try:
            async with asyncio.timeout(_LONGEST):
                with blamed(source.connector):
                    found = checked_findings(await connector.check())
        except TimeoutError:
            raise PluginError(f"The check of {source.connector!r} took longer than {_LONGEST:g} s.") from None
    nothing = "It can be asked; there is nothing to check beyond that."
    return found or [Finding(level=Level.OK, sentence=nothing)]


async def _check_apart(config: Config, source: SourceConfig) -> list[Finding]:
    found: list[Finding] = []
    task = Task.of(config, source, "check")
    await apart(task, list[Finding], found.extend, connector=source.connector, longest=_LONGEST + 30)
    return found
