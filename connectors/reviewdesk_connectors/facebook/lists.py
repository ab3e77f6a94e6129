"""Reading the API's lists against marks: what is new, what was changed, and where an unfinished reading goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing
from typing import Any

import msgspec

from reviewdesk.connector import BadAnswer, Mention, SetAside
from reviewdesk_connectors.facebook.errors import Trouble, trouble_of
from reviewdesk_connectors.facebook.graph import Graph
from reviewdesk_connectors.facebook.mentions import digest, fingerprint
from reviewdesk_connectors.facebook.state import Reading

Read = Callable[[Any], Iterable[Mention]]


class Step(msgspec.Struct, frozen=True):
    """What one page of a list brought; `seen` is everything in the list so far, `done` its end."""

    mentions: list[Mention]
    set_aside: list[SetAside]
    seen: set[str]
    done: bool
    total: int | None


class Lists:
    """Reads lists.

    Args:
        problem: makes a `SetAside` of a payload and the reason.
        now: Unix seconds, noted with the positions.
    """

    def __init__(self, graph: Graph, problem: Callable[[Any, Exception], SetAside], now: int) -> None:
        self._graph = graph
        self._problem = problem
        self._now = now

    async def walk(
        self, reading: Reading, path: str, params: dict[str, str], one: Read, *, whole: bool, version: str = ""
    ) -> AsyncIterator[Step]:
        """Reads a list, newest first: to its end where `whole`, else until a page holds nothing new.

        At the last step the caller calls `reading.finish()`, once it has compared the marks with what was seen.
        """
        whole = whole or reading.unfinished
        resumed = bool(reading.position)
        reading.unfinished = True
        before = frozenset(reading.known)
        seen: set[str] = set()
        try:
            async with aclosing(self._graph.pages(path, params, position=reading.position, version=version)) as pages:
                async for page in pages:
                    mentions, set_aside = self.sift(page.rows, one, reading.known, seen)
                    reading.trim(before)
                    done = not page.position or (bool(page.rows) and not (mentions or set_aside or whole))
                    if not done:
                        reading.position, reading.position_at = page.position, self._now
                    yield Step(mentions, set_aside, seen, done, page.total)
                    if done:
                        break
        except BadAnswer as error:
            if not resumed or trouble_of(error) is not Trouble.PARAMETER:
                raise
            # The position has broken: the next round reads the list from its top.
            reading.position = {}

    def sift(
        self, rows: Iterable[Any], one: Read, known: dict[str, str], seen: set[str]
    ) -> tuple[list[Mention], list[SetAside]]:
        """Gives what is new or changed among the rows, and marks it; what cannot be read is set aside, once."""
        fresh: list[Mention] = []
        set_aside: list[SetAside] = []
        for row in rows:
            try:
                mentions = list(one(row))
            except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
                problem = self._problem(row, error)
                key = digest(problem.raw)
                if key not in known:
                    known[key] = ""
                    set_aside.append(problem)
                continue
            for mention in mentions:
                seen.add(mention.id)
                mark = fingerprint(mention)
                if known.get(mention.id) != mark:
                    fresh.append(mention)
                    known[mention.id] = mark
        return fresh, set_aside
