"""From a source in the configuration to a connector that can be asked."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from reviewdesk.config import Config, SourceConfig
from reviewdesk.connector import Connector, Context
from reviewdesk.errors import ConnectorError, PluginError, ReviewdeskError, StoreError
from reviewdesk.plugins import load_source
from reviewdesk.secrets import redact

log = logging.getLogger(__name__)


@asynccontextmanager
async def connected(
    config: Config, source: SourceConfig, *, clock: Callable[[], datetime], folder: Path | None = None
) -> AsyncIterator[Connector[Any]]:
    """Opens a source's connector, and closes all that it opened.

    Args:
        folder: where sources may keep files of their own; each gets a folder in it. None keeps none.

    Raises:
        PluginError: the connector cannot be loaded or made.
        ConfigError: its settings are wrong.
        StoreError: the folder cannot be made.
    """
    type, settings = load_source(source)
    context = Context(source.id, settings, clock=clock, data=folder and _made(folder / source.id))
    try:
        with blamed(source.connector):
            connector = type(context)
        try:
            yield connector
        finally:
            try:
                await connector.close()
            except Exception as error:
                log.warning("%s: closing failed: %s", source.id, error)
    finally:
        await context.close()


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"The folder {folder} cannot be made ({error.strerror}).") from None
    return folder


class blamed:
    """Turns whatever a plugin raises that is no error of the desk's into a `PluginError` that names it."""

    def __init__(self, connector: str) -> None:
        self.connector = connector

    def __enter__(self) -> None:
        """Begins the plugin's turn."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Lets the desk's own errors and cancellations pass."""
        if error is None or isinstance(error, (ConnectorError, ReviewdeskError)) or not isinstance(error, Exception):
            return
        log.warning("connector %s failed", self.connector, exc_info=error)
        raise PluginError(
            f"The connector {self.connector!r} failed: {type(error).__name__}: {redact(str(error))[:200]}",
            hint="This is a fault of the connector; the log has the details.",
        ) from error


def data_folder(config: Config) -> Path:
    """Gives the folder beside the database in which sources keep files of their own."""
    return config.database.with_name(config.database.name + "-sources")
