"""Lists that come in pages, read to their end: by link, by cursor, by number, and by windows of time.

A platform may give a page twice; that is no end. Pages that lead back to themselves are a circle, and pages without end
a fault; both are told as such.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from reviewdesk.errors import BadAnswer
from reviewdesk.http import Answer

MOST_PAGES = 10_000
Page = TypeVar("Page")
_OFTEN = 2
_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[\w*-]+\s*(?:=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s\",;]*))?)*)")
_RELATION = re.compile(r";\s*rel\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\",;]+))", re.IGNORECASE)


async def pages(
    read: Callable[[str], Awaitable[Page]],
    following: Callable[[Page], str | None],
    start: str = "",
    *,
    most: int = MOST_PAGES,
) -> AsyncGenerator[Page]:
    """Gives the pages of a list that name the next one by a link or a cursor.

    `Http.get` does as `read` for links: it follows them to the hosts that it is pinned to and to no others. `next_link`
    and `link_at` find them.

    Args:
        read: gives the page at a link or cursor.
        following: gives the link or cursor that a page names; None or "" at the end.
        start: what `read` gets for the first page.
        most: how many pages there may be.

    Raises:
        BadAnswer: the pages lead back to themselves, or have no end.
    """
    place: str | None = start
    asked: Counter[str] = Counter()
    while place is not None:
        if asked[place] >= _OFTEN:
            raise _circle()
        if len(asked) >= most:
            raise _endless(most)
        asked[place] += 1
        page = await read(place)
        yield page
        place = following(page) or None


async def numbered(
    read: Callable[[int], Awaitable[Page]], last: Callable[[Page], bool], start: int = 1, *, most: int = MOST_PAGES
) -> AsyncGenerator[Page]:
    """Gives the pages of a list that are asked for by their numbers.

    Args:
        read: gives the page of a number.
        last: tells whether a page is the last one, as an empty one is.
        start: the first page's number.
        most: how many pages there may be.

    Raises:
        BadAnswer: a page is the same as the one before, or there is no end.
    """
    number, before = start, None
    while True:
        if number - start >= most:
            raise _endless(most)
        page = await read(number)
        if page == before:
            raise _circle()
        yield page
        if last(page):
            return
        number, before = number + 1, page


def next_link(headers: Mapping[str, str], relation: str = "next") -> str:
    """Gives the target of a relation in the Link header (RFC 8288), "" without one.

    Args:
        headers: of an answer, their names in lower case.
    """
    for target, parameters in _LINK.findall(headers.get("link", "")):
        # The first `rel` counts; RFC 8288, section 3.3.
        found = _RELATION.search(parameters)
        if found and relation in (found[1] or found[2]).lower().split():
            return str(target).strip()
    return ""


def link_at(*keys: str | int) -> Callable[[Answer], str | None]:
    """Gives what finds the link or cursor of the next page in a JSON body: `link_at("paging", "next")`.

    The function gives None where the body has no such key, or no text there.
    """

    def link(answer: Answer) -> str | None:
        value: Any = answer.json()
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value if isinstance(value, str) else None

    return link


def windows(
    since: datetime, until: datetime, *, length: timedelta, overlap: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Gives the spans of time from `since` to `until`, oldest first, for lists that are asked for by time.

    Args:
        length: of a span, without the overlap; more than nothing.
        overlap: how far each span reaches back before its beginning: platforms round times, and show things late.

    Raises:
        ValueError: the length is nothing, or the overlap negative.
    """
    if length <= timedelta() or overlap < timedelta():
        raise ValueError("a window has a length of more than nothing, and no negative overlap")
    begin = since
    while begin < until:
        end = min(begin + length, until)
        yield begin - overlap, end
        begin = end


def _circle() -> BadAnswer:
    return BadAnswer("The pages of a list lead back to themselves.", hint="It is read from the beginning next time.")


def _endless(most: int) -> BadAnswer:
    return BadAnswer(f"A list has more than {most:,} pages.", hint="What came before is kept.")
