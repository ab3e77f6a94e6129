"""Tries again to read what was set aside, through the connector as it is now."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout

from reviewdesk.config import Config
from reviewdesk.desk.apart import Task, apart
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.desk.border import checked_mention
from reviewdesk.desk.connecting import connected, with_reply_pages
from reviewdesk.errors import ConfigError, ReviewdeskError, Unsupported
from reviewdesk.model import Record
from reviewdesk.plugins import foreign_among
from reviewdesk.secrets import redact
from reviewdesk.store.db import Store
from reviewdesk.store.records import Ingested, Quarantined
from reviewdesk.text import cut


class Retried(Record, frozen=True, kw_only=True):
    """What became of one item.

    Attributes:
        brought: what it turned out to be; None where it stays.
        reason: why not, "" where it could.
        hint: what to do about it.
    """

    item: Quarantined
    brought: Ingested | None = None
    reason: str = ""
    hint: str = ""


Tell = Callable[[Retried], None]


async def retry(config: Config, store: Store, items: Sequence[Quarantined]) -> list[Retried]:
    """Hands each item's payload to its source's connector again; what can be read now is taken in.

    A third party's connector reads in a process of its own. An item stays where it is if its source is no longer
    configured, if its connector reads no single items, or if the connector hangs or ends at it or at one before it.
    """
    done: list[Retried] = []
    for source in dict.fromkeys(item.source for item in items):
        own = [item for item in items if item.source == source]
        try:
            if all(source != each.id for each in config.sources):
                hint = "Add a [[source]] table with this id, then try again."
                raise ConfigError(f'Its source "{source}" is not in {config.path}.', hint=hint)
            way = _apart if foreign_among([config.source(source)]) else retry_here
            await way(config, store, own, done.append)
        except ReviewdeskError as error:
            seen = {each.item.id for each in done}
            done += [
                Retried(item=item, reason=redact(error.sentence), hint=redact(error.hint))
                for item in own
                if item.id not in seen
            ]
    assess_pending(config, store)
    return done


async def _apart(config: Config, store: Store, items: Sequence[Quarantined], tell: Tell) -> None:
    source = config.source(items[0].source)
    task = Task.of(config, source, "retry", more=items)
    await apart(task, Retried, tell, connector=source.connector)


async def retry_here(
    config: Config,
    store: Store,
    items: Sequence[Quarantined],
    tell: Tell,
    *,
    doing: Callable[[str], None] = lambda what: None,
) -> None:
    """Tries items of one source again, in this process.

    Args:
        tell: is called with what became of each, as soon as it is known.
        doing: is called with what the connector's code is at, "" while the desk's own code works.

    Raises:
        ReviewdeskError: the connector cannot be had; nothing was tried.
    """
    async with connected(config, config.source(items[0].source), clock=store.clock, doing=doing) as connector:
        for item in items:
            doing(f"it reads item {item.id} again")
            try:
                # Standard output is data, and a connector's prints are none.
                with redirect_stdout(sys.stderr):
                    read = [checked_mention(each) for each in connector.read_item(item.raw)]
                    mentions = with_reply_pages(read, connector)
            except Unsupported as error:
                tell(Retried(item=item, reason=str(error.sentence), hint=str(error.hint)))
            # Whatever a connector says of its own payload is the reason; nothing of it may stop the others.
            except (Exception, SystemExit) as error:
                reason = cut(redact(_said(error)), 300)
                store.sources.keep_in(item, reason)
                tell(Retried(item=item, reason=reason))
            else:
                doing("")
                # None: somebody else has tried it at the same time.
                tell(Retried(item=item, brought=store.sources.take_in(item, mentions) or Ingested()))
            # Nothing here waits, and the process's signs of life want their turn.
            await asyncio.sleep(0)


def _said(error: BaseException) -> str:
    """Gives an error's words; one that has none, or cannot say them, is known by its kind."""
    try:
        return str(error) or type(error).__name__
    except Exception:
        return type(error).__name__
