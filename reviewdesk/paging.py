"""Lists that come in pages, read to their end: by link, by cursor, by number, and by windows of time.

A platform may give a page twice; that is no end. Pages that lead back to themselves are a circle, and told as such.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from reviewdesk.errors import BadAnswer

Page = TypeVar("Page")
_OFTEN = 2


async def pages(
    read: Callable[[str], Awaitable[Page]], following: Callable[[Page], str | None], start: str = ""
) -> AsyncGenerator[Page]:
    """Gives the pages of a list that name the next one by a link or a cursor.

    Args:
        read: gives the page at a link or cursor.
        following: gives the link or cursor that a page names; None or "" at the end.
        start: what `read` gets for the first page.

    Raises:
        BadAnswer: the pages lead back to themselves.
    """
    place: str | None = start
    asked: list[str] = []
    while place is not None:
        if asked.count(place) >= _OFTEN:
            raise _circle()
        asked.append(place)
        page = await read(place)
        yield page
        place = following(page) or None


async def numbered(
    read: Callable[[int], Awaitable[Page]], last: Callable[[Page], bool], start: int = 1
) -> AsyncGenerator[Page]:
    """Gives the pages of a list that are asked for by their numbers.

    Args:
        read: gives the page of a number.
        last: tells whether a page is the last one, as an empty one is.
        start: the first page's number.

    Raises:
        BadAnswer: a page is the same as the one before.
    """
    number, before = start, None
    while True:
        page = await read(number)
        if page == before:
            raise _circle()
        yield page
        if last(page):
            return
        number, before = number + 1, page


def windows(
    since: datetime, until: datetime, *, length: timedelta, overlap: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Gives the spans of time from `since` to `until`, oldest first, for lists that are asked for by time.

    Args:
        length: of a span, without the overlap; more than nothing.
        overlap: how far each span reaches back before its beginning: platforms round times, and show things late.
    """
    begin = since
    while begin < until:
        end = min(begin + length, until)
        yield begin - overlap, end
        begin = end


def _circle() -> BadAnswer:
    return BadAnswer("The pages of a list lead back to themselves.", hint="It is read from the beginning next time.")
