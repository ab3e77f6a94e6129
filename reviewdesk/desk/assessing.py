"""Assesses what lacks the current assessor's word, in bulk and a backlog on all cores.

An upgrade or a crash needs nothing of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import partial

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.cores import Cores, cores
from reviewdesk.config import Config
from reviewdesk.desk.deadlines import deadline
from reviewdesk.desk.learning import judge_of
from reviewdesk.desk.scoring import note_answers, with_scorer
from reviewdesk.model import Assessment
from reviewdesk.store.db import Store
from reviewdesk.store.records import Stored

_PART = 500


def assess_pending(config: Config, store: Store, *, most: int | None = None, judge: Assessor | None = None) -> int:
    """Assesses mentions whose current text has not been assessed, and sets their deadlines. Gives how many.

    Args:
        most: stop after about so many; None goes on to the end.
        judge: None for the desk's own, with what it has learned.
    """
    judge, done = judge or with_scorer(config, judge_of(config, store)), 0
    sources = {source.id: source for source in config.sources}

    def put(pending: Sequence[Stored], judged: Iterable[Assessment]) -> int:
        assessments = list(judged)
        # Meanwhile a person may have corrected one of them, or taken that back.
        with store.transaction():
            said = store.corrections.complaints([stored.id for stored in pending])
            return store.mentions.put_assessments(
                (
                    stored.id,
                    stored.version,
                    assessment,
                    deadline(
                        config,
                        sources.get(stored.source),
                        complaint=said.get(stored.id, assessment.complaint),
                        written=stored.mention.created_at or stored.seen_at,
                        seen=stored.seen_at,
                    ),
                )
                for stored, assessment in zip(pending, assessments, strict=True)
            )

    with ExitStack() as stack:
        crew: Cores[list[Assessable], list[Assessment]] | None = None
        while most is None or done < most:
            pending = store.mentions.unassessed(judge.version)
            if not pending:
                break
            items = [assessable(each, home_of(config, each.source)) for each in pending]
            # Much is left after a full round. A scorer is asked by one process, and its time is counted there.
            many = done and len(items) > 2 * _PART and not config.assess.scorer
            if many and crew is None and cores() > 1:
                crew = stack.enter_context(Cores(partial(_all, judge)))
            if crew is None:
                done += put(pending, judge.assess(items))
                continue
            parts = range(0, len(items), _PART)
            for part, judged in zip(parts, crew.map(items[part : part + _PART] for part in parts), strict=True):
                done += put(pending[part : part + _PART], judged)
    note_answers(config, store, judge)
    return done


def _all(judge: Assessor, items: list[Assessable]) -> list[Assessment]:
    return list(judge.assess(items))


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


def home_of(config: Config, source: str) -> str | None:
    """Gives the language that a source's customers write most; None where nobody has said."""
    found = next((each for each in config.sources if each.id == source), None)
    return (found.language if found else None) or config.shop.language
