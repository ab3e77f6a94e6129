"""Takes a saved export or API answer in, through the connector of the source it belongs to."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import msgspec

from reviewdesk.config import Config, SourceConfig
from reviewdesk.connector import Batch
from reviewdesk.desk.apart import Task, apart
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.desk.border import admit
from reviewdesk.desk.connecting import blamed, connected, introduce, with_reply_pages
from reviewdesk.desk.steps import Outcome, Polled, Word
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Record
from reviewdesk.plugins import foreign_among
from reviewdesk.store.db import Store
from reviewdesk.store.records import Ingested


class Import(Record, frozen=True, kw_only=True):
    """What a process of its own needs to know of an import.

    Attributes:
        file: its absolute path.
        connector, settings: of the source; those of one in the configuration may be others for this import.
    """

    file: str
    connector: str
    settings: dict[str, Any]

    @classmethod
    def of(cls, source: SourceConfig, path: Path) -> Import:
        """Gives what is to be known of a file for a source."""
        return cls(file=str(path.absolute()), connector=source.connector, settings=source.settings)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.file)

    def source(self, config: Config, id: str) -> SourceConfig:
        """Gives the configured source of this id with the settings that were given, else one that is made of them."""
        made = SourceConfig(id=id, connector=self.connector, settings=self.settings, document=config.document)
        known = next((each for each in config.sources if each.id == id), None)
        return made if known is None else msgspec.structs.replace(known, settings=self.settings)


async def import_file(config: Config, store: Store, source: SourceConfig, path: Path) -> Polled:
    """Takes a file in; the source's cursor is left alone. A third party's connector reads in a process of its own.

    Raises:
        NotAllowed: the connector reads no files.
        ConnectorError: the file is not one of this platform's.
        PluginError: the connector fails or hangs; what came before is in, and the same file again doubles nothing.
    """
    if not foreign_among([source]):
        return await import_here(config, store, source, path)
    ended: list[Polled] = []

    def heard(word: Word) -> None:
        if isinstance(word.step, Polled):
            ended.append(word.step)

    task = Task.of(config, source, "import", more=Import.of(source, path))
    await apart(task, Word, heard, connector=source.connector)
    return ended[0]


async def import_here(
    config: Config,
    store: Store,
    source: SourceConfig,
    path: Path,
    *,
    doing: Callable[[str], None] = lambda what: None,
) -> Polled:
    """Takes a file in, in this process; errors as in `import_file`.

    Args:
        doing: is called with what the connector's code is at, "" while the desk's own code works.
    """
    brought = Ingested()
    async with connected(config, source, clock=store.clock, doing=doing) as connector:
        if not connector.capabilities.import_file:
            raise NotAllowed(f"The connector {source.connector!r} reads no files.")
        # Standard output is data, and a connector's prints are none.
        with blamed(source.connector), redirect_stdout(sys.stderr):
            reading = aiter(connector.import_file(path))
            batch = await _batch(reading, doing)
            # A file that cannot be read leaves no source behind.
            introduce(store, source, connector)
            while batch is not None:
                came = admit(batch)
                mentions = with_reply_pages(came.mentions, connector)
                # What goes wrong here is the store's trouble and no connector's.
                with store.told():
                    brought += store.mentions.ingest(source.id, mentions, set_aside=came.set_aside, gone=came.gone)
                # A generator that never waits would let nobody else have a turn, a sign of life included.
                await asyncio.sleep(0)
                batch = await _batch(reading, doing)
    assess_pending(config, store)
    return Polled(source=source.id, outcome=Outcome.DONE, brought=brought)


async def _batch(reading: AsyncIterator[Batch], doing: Callable[[str], None]) -> Batch | None:
    doing("it reads the file")
    batch = await anext(reading, None)
    doing("")
    return batch
