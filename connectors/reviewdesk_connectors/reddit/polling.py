"""One poll: each listing from its newest item down to what is known, then another look at recent items.

A listing's own paging towards the newer (`before`) is not used: once the item it starts from is deleted, the answer is
empty for ever. So every walk begins at the top, and a mark moves only when the walk has met the mark before.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from reviewdesk.connector import (
    BadAnswer,
    Batch,
    ConnectorError,
    Context,
    Mention,
    NotThere,
    PermissionMissing,
    SetAside,
    fold,
)
from reviewdesk_connectors.reddit import payloads
from reviewdesk_connectors.reddit.payloads import Item, Page
from reviewdesk_connectors.reddit.position import Mark, Position, Watched
from reviewdesk_connectors.reddit.settings import RedditSettings

PAGE = 100
"""Reddit's own limit for a page, and for the fullnames of one `/api/info`."""
CEILING = 900
"""Listings end after about 1000 items; a walk that read this many without meeting its mark may have lost some."""
OVERLAP = 600.0
"""Seconds below the mark that are read again, for what a moderator or Reddit's filter let through late."""
SEEN = 10

Ask = Callable[[str, Mapping[str, str | int]], Awaitable[Page]]
Problem = Callable[[Any, Exception, str], SetAside]


class Listing(msgspec.Struct, frozen=True):
    """A listing that is walked.

    Attributes:
        path: below the API's address.
        params: what is asked beside the page.
        filtered: keep only what names a keyword.
    """

    path: str
    params: dict[str, str | int] = {}
    filtered: bool = False

    @property
    def key(self) -> str:
        """Names its mark in the cursor."""
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path


def listings(config: RedditSettings) -> list[Listing]:
    """Gives what a source listens to; the inbox first, since its items tell less and the later word counts."""
    filtered = bool(config.keywords)
    found = []
    if config.mentions and config.signs_in:
        found += [Listing(f"message/{box}") for box in ("mentions", "comments/", "selfreply/")]
    if config.subreddits:
        names = "+".join(sorted(set(config.subreddits), key=str.casefold))
        found += [Listing(f"r/{names}/{what}", filtered=filtered) for what in ("comments/", "new")]
    for words in config.search:
        query = {"q": words, "restrict_sr": "False", "sort": "new", "syntax": "lucene", "t": "all"}
        found.append(Listing("r/all/search/", {**query}))
    found += [Listing(f"domain/{domain}/new") for domain in config.domains]
    return found


async def pages(
    ask: Ask, listing: Listing, floor: float, seen: frozenset[str] = frozenset()
) -> AsyncIterator[tuple[Page, bool]]:
    """Gives a listing's pages down to what is known, each with whether it is the last.

    Args:
        ask: gives the page of a path and parameters.
        floor: in Unix seconds; what is older is known.
        seen: fullnames that are known, and with them everything below.

    Raises:
        BadAnswer: the pages lead back to themselves, also when the same one is asked for again.
    """
    after: str | None = None
    anchors: set[str] = set()
    neighbour = ""
    asked_again = False
    while True:
        params = {**listing.params, "limit": PAGE}
        page = await ask(listing.path, params | ({"after": after} if after else {}))
        if after and neighbour and not page.children:
            # More was promised, and nothing came: the item to go on from was deleted meanwhile. The one before serves.
            page = await ask(listing.path, params | {"after": neighbour})
        is_last = page.after is None or is_met(page, floor, seen)
        yield page, is_last
        if is_last:
            return
        if page.after in anchors:
            # A page that came before; what lies behind it has still to be read, so this is no end.
            if asked_again:
                raise BadAnswer("Reddit's pages lead back to themselves.", hint="It is read from the top next time.")
            asked_again = True
            continue
        after = page.after
        anchors.add(after or "")
        neighbour = page.children[-2].fullname if len(page.children) > 1 else ""


def is_met(page: Page, floor: float, seen: frozenset[str]) -> bool:
    """Tells whether a page reaches down to what is known, or is empty."""
    times = [item.time for item in page.children if item.time]
    return not page.children or bool(times and times[-1] < floor) or any(it.fullname in seen for it in page.children)


class Polling:
    """One poll of one source.

    Args:
        context: the source's.
        ask: gives the page of a path and parameters.
        problem: makes a set-aside item.
        position: where the last poll stood; changed as this one goes on.
        me: our account's name, "" where nobody is signed in.
    """

    def __init__(
        self, context: Context[RedditSettings], *, ask: Ask, problem: Problem, position: Position, me: str
    ) -> None:
        self._config = context.settings
        self._log = context.log
        self._ask = ask
        self._problem = problem
        self._position = position
        self._me = me
        self._now = context.clock().timestamp()
        words = "|".join(re.escape(fold(word)) for word in self._config.keywords)
        self._names_keyword = re.compile(rf"(?<!\w)(?:{words})").search

    async def batches(self) -> AsyncIterator[Batch]:
        """Gives a batch for each page; a listing that is refused does not keep the others from being read.

        Raises:
            ConnectorError: at once where no listing can be read, after the others where one is refused.
        """
        self._position.checked_at = self._position.checked_at or self._now
        failure: ConnectorError | None = None
        for listing in listings(self._config):
            try:
                async for batch in self._walk(listing):
                    yield batch
            except (PermissionMissing, NotThere, BadAnswer) as error:
                self._log.warning("%s: %s", listing.key, error)
                failure = failure or error
        async for batch in self._look_again():
            yield batch
        if failure is not None:
            raise failure

    async def _walk(self, listing: Listing) -> AsyncIterator[Batch]:
        marks = self._position.marks
        old = marks.get(listing.key)
        floor = old.at - OVERLAP if old else self._now - self._config.first_days * 86400.0
        seen = frozenset(old.seen) if old else frozenset()
        top: Mark | None = None
        count = 0
        async for page, is_last in pages(self._ask, listing, floor, seen):
            batch = self.sort_out(page.children, filtered=listing.filtered)
            count += len(page.children)
            if top is None and page.children:
                # A time ahead of ours must not make the next walk end at its first page.
                newest = min(max(item.time for item in page.children), self._now)
                top = Mark(max(newest, old.at if old else 0.0), tuple(item.fullname for item in page.children[:SEEN]))
            if not is_last:
                yield batch
                continue
            if top is not None:
                marks[listing.key] = top
            if old and count >= CEILING and not is_met(page, floor, seen):
                self._log.warning(
                    "%s: more came since the last poll than Reddit hands over (about 1000), so some may be missing. "
                    "Poll more often, or listen to less at once.",
                    listing.key,
                )
            yield msgspec.structs.replace(batch, cursor=self._cursor())

    def sort_out(self, items: Sequence[Item], *, filtered: bool) -> Batch:
        """Gives the items of one page, newest first, as a batch without a cursor."""
        mentions: list[Mention] = []
        gone: list[str] = []
        set_aside: list[SetAside] = []
        # Oldest first, so that an answer to something kept is kept with it.
        for item in reversed(items):
            if payloads.is_gone(item) and item.fullname:
                gone.append(item.fullname)
                self._position.watched.pop(item.fullname, None)
                continue
            if payloads.is_of_inbox(item) and item.fullname in self._position.watched:
                # An edit would come without its time; the other look at recent items tells it whole.
                continue
            try:
                mention = payloads.mention(item, self._me)
            except payloads.UNREADABLE as error:
                set_aside.append(self._problem(item.data, error, item.fullname))
                continue
            if not filtered or self._is_wanted(mention):
                mentions.append(mention)
                self._position.watched[item.fullname] = Watched(item.time, payloads.fingerprint(item))
        return Batch(mentions=mentions, gone=gone, set_aside=set_aside)

    def _is_wanted(self, mention: Mention) -> bool:
        own_words = mention.text if mention.parent_id else f"{mention.title}\n{mention.text}"
        return (
            mention.ours
            or mention.parent_id in self._position.watched
            or self._names_keyword(fold(own_words)) is not None
        )

    async def _look_again(self) -> AsyncIterator[Batch]:
        """Asks for recent items once more, since Reddit tells nobody of edits and deletions."""
        since = self._now - self._position.checked_at
        if self._config.recheck_days == 0 or since < self._config.recheck_minutes * 60:
            return
        self._forget()
        names = list(self._position.watched)
        for start in range(0, len(names), PAGE):
            asked = names[start : start + PAGE]
            found = (await self._ask("api/info/", {"id": ",".join(asked)})).children
            if found or len(asked) == 1:
                yield await self._changed(asked, found)
            else:
                self._log.warning("Reddit answered nothing for %d known items, which is not believed.", len(asked))
        self._position.checked_at = self._now
        yield Batch(cursor=self._cursor())

    async def _changed(self, asked: Sequence[str], found: Sequence[Item]) -> Batch:
        watched = self._position.watched
        there = {item.fullname: item for item in found if item.fullname in watched and not payloads.is_gone(item)}
        changed = [item for name, item in there.items() if payloads.fingerprint(item) != watched[name].fingerprint]
        titles = await self._titles(changed)
        whole = [Item(kind=each.kind, data=titles.get(each.data.get("link_id"), {}) | each.data) for each in changed]
        gone = [name for name in asked if name not in there]
        for name in gone:
            del watched[name]
        return msgspec.structs.replace(self.sort_out(whole, filtered=False), gone=gone)

    async def _titles(self, items: Sequence[Item]) -> Mapping[Any, dict[str, Any]]:
        """Gives the titles of the posts that comments hang on, which only a community's listing tells by itself."""
        posts = sorted({str(item.data["link_id"]) for item in items if item.kind == "t1" and item.data.get("link_id")})
        if not posts:
            return {}
        found = (await self._ask("api/info/", {"id": ",".join(posts)})).children
        return {item.fullname: {"link_title": item.data.get("title")} for item in found}

    def _forget(self) -> None:
        self._position.forget(before=self._now - self._config.recheck_days * 86400.0, keep=self._config.recheck_items)

    def _cursor(self) -> dict[str, Any]:
        self._forget()
        return self._position.cursor()
