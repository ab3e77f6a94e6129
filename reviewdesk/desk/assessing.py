"""Assesses what lacks the current assessor's word, in bulk; an upgrade or a crash needs nothing of its own."""

from __future__ import annotations

from functools import lru_cache

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.config import Config
from reviewdesk.desk.deadlines import deadline
from reviewdesk.store.db import Store
from reviewdesk.store.records import Stored


@lru_cache(maxsize=1)
def assessor() -> Assessor:
    """Gives this process's assessor; languages are read when they are met."""
    return Assessor()


def assess_pending(config: Config, store: Store, *, most: int | None = None, judge: Assessor | None = None) -> int:
    """Assesses mentions whose current text has not been assessed, and sets their deadlines. Gives how many.

    Args:
        most: stop after about so many; None goes on to the end.
        judge: None for this process's own.
    """
    judge, done = judge or assessor(), 0
    sources = {source.id: source for source in config.sources}
    while most is None or done < most:
        pending = store.mentions.unassessed(judge.version)
        if not pending:
            break
        judged = judge.assess(assessable(each, _home(config, each.source)) for each in pending)
        done += store.mentions.put_assessments(
            (
                stored.id,
                stored.version,
                assessment,
                deadline(
                    config,
                    sources.get(stored.source),
                    complaint=assessment.complaint,
                    written=stored.mention.created_at or stored.seen_at,
                    seen=stored.seen_at,
                ),
            )
            for stored, assessment in zip(pending, judged, strict=True)
        )
    return done


def assessable(stored: Stored, prior: str | None) -> Assessable:
    """Gives what the assessor looks at of a mention."""
    mention = stored.mention
    return Assessable(
        text=mention.text,
        title=mention.title,
        rating=mention.rating,
        rating_raw=mention.rating_raw,
        pros=mention.pros,
        cons=mention.cons,
        recommends=mention.recommends,
        sub_ratings=mention.sub_ratings,
        language=mention.language,
        prior=prior,
    )


def _home(config: Config, source: str) -> str | None:
    found = next((each for each in config.sources if each.id == source), None)
    return (found.language if found else None) or config.shop.language
