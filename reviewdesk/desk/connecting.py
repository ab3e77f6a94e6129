"""From a source in the configuration to a connector that can be asked."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from reviewdesk.config import Config, SourceConfig
from reviewdesk.connector import Connector, Context, Observer, ReplyMode
from reviewdesk.desk.border import Breach, checked_capabilities, text_of
from reviewdesk.errors import PluginError, RateLimited, Refused, ReviewdeskError, StoreError
from reviewdesk.folders import make_folder
from reviewdesk.model import Mention
from reviewdesk.plugins import load_source
from reviewdesk.secrets import redact
from reviewdesk.store.db import Store
from reviewdesk.text import cut, one_line

log = logging.getLogger(__name__)

LONGEST_CLOSE = 10.0
"""Seconds that a connector has for closing what it opened."""


@asynccontextmanager
async def connected(
    config: Config,
    source: SourceConfig,
    *,
    clock: Callable[[], datetime],
    folder: Path | None = None,
    observer: Observer | None = None,
    doing: Callable[[str], None] = lambda what: None,
) -> AsyncIterator[Connector[Any]]:
    """Opens a source's connector, and closes all that it opened.

    Args:
        folder: where sources may keep files of their own; each gets a folder in it. None keeps none.
        observer: is called with each request.
        doing: is called with what the connector's code is at, "" when it is at nothing.

    Raises:
        PluginError: the connector cannot be loaded or made.
        ConfigError: its settings are wrong.
        StoreError: the folder cannot be made.
    """
    doing("it is loaded")
    type, settings = load_source(source)
    context = Context(
        source.id,
        settings,
        clock=clock,
        data=folder and _made(folder / source.id),
        observer=observer,
        private_network=source.private_network,
    )
    try:
        doing("it is made")
        with blamed(source.connector):
            connector = type(context)
            connector.capabilities = checked_capabilities(connector.capabilities)
        doing("")
        try:
            yield connector
        finally:
            doing("it is closed")
            try:
                async with asyncio.timeout(LONGEST_CLOSE):
                    await connector.close()
            except BaseException as error:
                if not is_its_own(error):
                    raise
                log.warning("%s: closing failed: %s", source.id, _said(error))
            doing("")
    finally:
        await context.close()


def _made(folder: Path) -> Path:
    try:
        return make_folder(folder)
    except OSError as error:
        raise StoreError(f"The folder {folder} cannot be made ({error.strerror}).") from None


class blamed:
    """Turns whatever a plugin raises that is no error of the desk's into a `PluginError` that names it."""

    def __init__(self, connector: str) -> None:
        self.connector = connector

    def __enter__(self) -> None:
        """Begins the plugin's turn."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Lets the desk's own errors, interruptions and cancellations pass, but no wish to end the process."""
        if isinstance(error, ReviewdeskError):
            _put_right(error)
            return
        if error is None or not is_its_own(error):
            return
        if isinstance(error, Breach):
            raise PluginError(
                f"The connector {self.connector!r} breaks the contract: {error}.",
                hint="What came before is kept. This is a fault of the connector; tell its author.",
            ) from None
        log.warning("connector %s failed", self.connector, exc_info=error)
        raise PluginError(
            f"The connector {self.connector!r} failed: {_said(error).rstrip('.')}.",
            hint="This is a fault of the connector; the log has the details.",
        ) from error


def is_its_own(error: BaseException) -> bool:
    """Tells whether a plugin's code has raised it, and neither a person nor the desk has interrupted that code."""
    if isinstance(error, asyncio.CancelledError):
        # Often it is that of a task which the plugin has cancelled itself, and then waited for.
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
    return isinstance(error, (Exception, SystemExit))


def _said(error: BaseException) -> str:
    return cut(redact(one_line(traceback.format_exception_only(error)[-1])), 300)


def _put_right(error: ReviewdeskError) -> None:
    """An error of ours that a plugin made may hold anything where a sentence or a time is due."""
    error.sentence, error.hint = str(error.sentence), str(error.hint)
    if isinstance(error, (RateLimited, Refused)):
        aware = isinstance(error.until, datetime) and error.until.tzinfo is not None
        error.until = error.until if aware else None


def data_folder(config: Config) -> Path:
    """Gives the folder beside the database in which sources keep files of their own."""
    return config.database.with_name(config.database.name + "-sources")


def introduce(store: Store, source: SourceConfig, connector: Connector[Any]) -> None:
    """Tells the store what a source is called and what its connector can do, for the rooms that load no connector."""
    store.sources.register(
        source.id,
        source.connector,
        source.title or text_of(connector.title, source.connector),
        msgspec.to_builtins(connector.capabilities),
        tier=text_of(type(connector).tier, ""),
    )


def with_reply_pages(mentions: Sequence[Mention], connector: Connector[Any]) -> Sequence[Mention]:
    """Gives the mentions with the pages for replies by hand, which the window cannot ask a connector for."""
    if connector.capabilities.reply is ReplyMode.NONE:
        return mentions
    return [
        mention
        if mention.ours
        else msgspec.structs.replace(mention, reply_url=text_of(connector.reply_page(mention), mention.url))
        for mention in mentions
    ]
