"""Tries again to read what was set aside, through the connector as it is now."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from reviewdesk.config import Config
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.desk.border import checked_mention
from reviewdesk.desk.connecting import connected, with_reply_pages
from reviewdesk.errors import ReviewdeskError, Unsupported
from reviewdesk.model import Record
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


async def retry(config: Config, store: Store, items: Sequence[Quarantined]) -> list[Retried]:
    """Hands each item's payload to its source's connector again; what can be read now is taken in.

    An item whose source is no longer configured, or whose connector reads no single items, stays where it is.
    """
    done: list[Retried] = []
    for source in dict.fromkeys(item.source for item in items):
        own = [item for item in items if item.source == source]
        try:
            async with connected(config, config.source(source), clock=store.clock) as connector:
                for item in own:
                    try:
                        # Standard output is data, and a connector's prints are none.
                        with redirect_stdout(sys.stderr):
                            read = [checked_mention(each) for each in connector.read_item(item.raw)]
                            mentions = with_reply_pages(read, connector)
                    except Unsupported as error:
                        done.append(Retried(item=item, reason=error.sentence, hint=error.hint))
                    # Whatever a connector says of its own payload is the reason; nothing of it may stop the others.
                    except (Exception, SystemExit) as error:
                        reason = cut(redact(str(error) or type(error).__name__), 300)
                        store.sources.keep_in(item, reason)
                        done.append(Retried(item=item, reason=reason))
                    else:
                        # None: somebody else has tried it at the same time.
                        taken = store.sources.take_in(item, mentions) or Ingested()
                        done.append(Retried(item=item, brought=taken))
        except ReviewdeskError as error:
            seen = {each.item.id for each in done}
            done += [
                Retried(item=item, reason=redact(error.sentence), hint=redact(error.hint))
                for item in own
                if item.id not in seen
            ]
    assess_pending(config, store)
    return done
